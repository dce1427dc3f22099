"""Runs Flower clients in a Tributary task, as they are: a `NumPyClient`, or a `ClientApp` of the Message API.

For a NumPyClient, Flower's own package is not needed: it is any object with `fit` and `evaluate`
(https://flower.ai/docs/framework/ref-api/flwr.client.NumPyClient.html).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from .answers import Ticket
from .client import Client
from .participate import Event, Summary, Trained, TrainInput, participate
from .safetensors import Layout, Vector

Config = dict[str, Any]
NDArrays = list[NDArray[Any]]
#: A state dict, whose entries the task does not hold keep the client's own values; or names alone.
State = Mapping[str, Any] | Iterable[str]


class NumPyClient(Protocol):
    """The part of Flower's interface that is called."""

    def fit(self, parameters: NDArrays, config: Config) -> tuple[NDArrays, int, Mapping[str, Any]]: ...

    def evaluate(self, parameters: NDArrays, config: Config) -> tuple[float, int, Mapping[str, Any]]: ...


def start_client(
    client: Client,
    task: str,
    numpy_client: NumPyClient | Any,
    *,
    state: State | None = None,
    config: Config | None = None,
    accepts: Callable[[Ticket], bool] | None = None,
    max_updates: int | None = None,
    stop: threading.Event | None = None,
    on_event: Callable[[Event], None] | None = None,
) -> Summary:
    """Takes part with a Flower client until the task ends; in the place of `flwr.client.start_client`.

    numpy_client: a NumPyClient, or what its `to_client()`, and so a `client_fn`, gives.
    state: which tensor of the model each of its arrays is, in their order; by default that of the state dict of the one
    PyTorch module that the client holds as an attribute.
    config: what `fit` and `evaluate` find in theirs, beside `server_round`, `local_epochs`, `batch_size` and
    `learning_rate` of the task's plan.

    Each version is measured by `evaluate`, where the client has one, and then trained by `fit`. Metrics that are no
    numbers are left out. Raises ValueError where the order of the arrays cannot be told, and what `participate` raises.
    """
    wrapped = _unwrapped(numpy_client)

    def train(given: TrainInput) -> Trained:
        names = _Names(given.layout, state if state is not None else _state_of(wrapped))
        arrays, examples, metrics = wrapped.fit(names.arrays(given.params), _config(given, config))
        return Trained(names.vector(arrays), int(examples), _numbers(metrics))

    def evaluate(given: TrainInput) -> Mapping[str, float]:
        names = _Names(given.layout, state if state is not None else _state_of(wrapped))
        loss, _, metrics = wrapped.evaluate(names.arrays(given.params), _config(given, config))
        return {**_numbers(metrics), "loss": float(loss)}

    measure = evaluate if _overrides(wrapped, "evaluate") else None
    return participate(
        client, task, train, measure, accepts=accepts, max_updates=max_updates, stop=stop, on_event=on_event
    )


class _Names:
    """Which tensor of the layout each of a client's arrays is."""

    def __init__(self, layout: Layout, state: State) -> None:
        self._layout = layout
        self._state = state if isinstance(state, Mapping) else None
        self._names = list(state)
        missing = [name for name in layout.shapes if name not in self._names]
        if missing:
            raise ValueError(f"the client's arrays hold no {', '.join(missing[:6])}, which the task's model has")
        unknown = [name for name in self._names if name not in layout.shapes and self._state is None]
        if unknown:
            raise ValueError(f"the task's model has no {', '.join(unknown[:6])}: give `state` as a state dict")

    def arrays(self, params: Vector) -> NDArrays:
        """New memory, in the client's order."""
        tensors = self._layout.split(params)
        return [tensors[name].copy() if name in tensors else self._own(name) for name in self._names]

    def vector(self, arrays: NDArrays) -> Vector:
        if len(arrays) != len(self._names):
            raise ValueError(
                f"fit gave {len(arrays)} arrays, expected {len(self._names)}: {', '.join(self._names[:6])}"
            )
        named = dict(zip(self._names, arrays, strict=True))
        return self._layout.join({name: np.asarray(named[name]) for name in self._layout.shapes})

    def _own(self, name: str) -> NDArray[Any]:
        """The client's own value, e.g. of `num_batches_tracked`, which is no parameter."""
        assert self._state is not None
        value = self._state[name]
        return np.array(value.detach().cpu().numpy() if hasattr(value, "detach") else value)


def _state_of(numpy_client: object) -> Mapping[str, Any]:
    held = [each for each in vars(numpy_client).values() if hasattr(each, "state_dict") and hasattr(each, "forward")]
    modules = list({id(each): each for each in held}.values())
    if len(modules) != 1:
        raise ValueError(
            f"{type(numpy_client).__name__} holds {len(modules)} PyTorch modules: say which tensors its arrays are, in "
            "their order, with start_client(..., state=net.state_dict()) or state=[names]"
        )
    state: Mapping[str, Any] = modules[0].state_dict()
    return state


def _config(given: TrainInput, more: Config | None) -> Config:
    plan = given.plan
    return {
        "server_round": given.base_version + 1,
        "local_epochs": plan.local_epochs,
        "batch_size": plan.batch_size,
        "learning_rate": plan.learning_rate,
        **(more or {}),
    }


def _numbers(metrics: Mapping[str, Any]) -> dict[str, float]:
    """Flower's metrics may be text or bytes, which no mean can be taken of."""
    numbers = (int, float, np.integer, np.floating)
    return {str(name): float(value) for name, value in metrics.items() if isinstance(value, numbers)}


def _unwrapped(numpy_client: Any) -> NumPyClient:
    # What Flower's `to_client()` gives keeps the client that it wraps.
    inner: NumPyClient = getattr(numpy_client, "numpy_client", numpy_client)
    if not callable(getattr(inner, "fit", None)):
        raise TypeError(f"{type(inner).__name__} has no fit: expected a flwr.client.NumPyClient")
    return inner


def _overrides(client: object, name: str) -> bool:
    """Flower's base class has an `evaluate` that says nothing."""
    method = getattr(type(client), name, None)
    return callable(method) and not getattr(method, "__module__", "").startswith("flwr.")
