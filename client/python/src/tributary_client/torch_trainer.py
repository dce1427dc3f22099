"""PyTorch: a module's state dict as the flat vector that travels, and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import torch

from .participate import Trained, TrainInput
from .safetensors import Layout, Vector, encode

#: Trains the module in place on this client's own data; gives the number of examples, and metrics if it likes.
Fit = Callable[[torch.nn.Module, TrainInput], "int | tuple[int, Mapping[str, float]]"]


def layout_of(module: torch.nn.Module) -> Layout:
    """The floating-point entries of the state dict, buffers such as running statistics included, in its order."""
    return Layout.of({name: tuple(value.shape) for name, value in _floats(module).items()})


def to_vector(module: torch.nn.Module) -> Vector:
    """The state dict as one flat float32 vector."""
    return layout_of(module).join({k: v.detach().cpu().to(torch.float32).numpy() for k, v in _floats(module).items()})


def from_vector(module: torch.nn.Module, layout: Layout, vector: Vector) -> None:
    """Loads a flat vector into the module. Raises ValueError where names or shapes are not the module's."""
    own = layout_of(module)
    if {t.name: t.shape for t in own.tensors} != {t.name: t.shape for t in layout.tensors}:
        differing = {t.name for t in own.tensors} ^ {t.name for t in layout.tensors}
        raise ValueError(f"the task's parameters are not the module's: {sorted(differing)[:6] or 'shapes differ'}")
    state = module.state_dict()
    for name, array in layout.split(vector).items():
        state[name].copy_(torch.from_numpy(np.array(array)))


def initial_safetensors(module: torch.nn.Module) -> bytes:
    """The module as it is now, as the file that a task starts from."""
    return encode(layout_of(module), to_vector(module), {})


def torch_trainer(module: torch.nn.Module, fit: Fit) -> Callable[[TrainInput], Trained]:
    """The `train` callback of `participate` for a module that `fit` trains."""

    def train(given: TrainInput) -> Trained:
        from_vector(module, given.layout, given.params)
        done = fit(module, given)
        examples, metrics = done if isinstance(done, tuple) else (done, {})
        trained = {name: value.detach().cpu().to(torch.float32).numpy() for name, value in _floats(module).items()}
        return Trained(given.layout.join(trained), examples, metrics)

    return train


def _floats(module: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {name: value for name, value in module.state_dict().items() if value.is_floating_point()}
