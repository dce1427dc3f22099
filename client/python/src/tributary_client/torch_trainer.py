"""PyTorch: a module's state dict as the flat vector that travels, and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from .participate import Trained, TrainInput
from .safetensors import Layout, Vector, encode

#: Trains the module in place on this client's own data; gives the number of examples, and metrics if it likes.
Fit = Callable[[torch.nn.Module, TrainInput], "int | tuple[int, Mapping[str, float]]"]


def layout_of(module: torch.nn.Module) -> Layout:
    """The floating-point entries of the state dict, buffers such as running statistics included."""
    return Layout.of({name: value.shape for name, value in _floats(module).items()})


def to_vector(module: torch.nn.Module, layout: Layout | None = None) -> Vector:
    """The state dict as a flat vector [layout.size], a copy. Raises ValueError where the module lacks a tensor."""
    return (layout or layout_of(module)).join(_arrays(module))


def from_vector(module: torch.nn.Module, layout: Layout, vector: Vector, *, strict: bool = True) -> None:
    """Loads a flat vector [layout.size] into the module, on whatever device it is.

    strict: False leaves what the layout does not hold as it is, e.g. layers that the task froze.

    Raises ValueError where names or shapes are not the module's.
    """
    own = layout_of(module).shapes
    differing = [name for name, shape in layout.shapes.items() if own.get(name) != shape]
    if strict:
        differing += [name for name in own if name not in layout.shapes]
    if differing:
        raise ValueError(f"the task's parameters are not the module's: {', '.join(sorted(differing)[:6])}")
    state = module.state_dict()
    for name, array in layout.split(vector).items():
        state[name].copy_(torch.from_numpy(np.array(array)))


def initial_safetensors(module: torch.nn.Module) -> bytes:
    """The module as it is now, as a safetensors file: `model build --init` starts a task from it."""
    return encode(layout_of(module), to_vector(module))


def torch_trainer(module: torch.nn.Module, fit: Fit, *, strict: bool = True) -> Callable[[TrainInput], Trained]:
    """The `train` callback of `participate` for a module that `fit` trains. `strict` as in `from_vector`."""

    def train(given: TrainInput) -> Trained:
        from_vector(module, given.layout, given.params, strict=strict)
        done = fit(module, given)
        examples, metrics = done if isinstance(done, tuple) else (done, {})
        return Trained(to_vector(module, given.layout), examples, metrics)

    return train


def _floats(module: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {name: value for name, value in module.state_dict().items() if value.is_floating_point()}


def _arrays(module: torch.nn.Module) -> dict[str, NDArray[Any]]:
    return {name: value.cpu().to(torch.float32).numpy() for name, value in _floats(module).items()}
