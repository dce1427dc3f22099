"""Runs a Flower `NumPyClient`, or a `ClientApp` that makes one, in a Tributary task, as it is.

Flower's own package is not needed: a NumPyClient is any object with `get_parameters`, `fit` and `evaluate`
(https://flower.ai/docs/framework/ref-api/flwr.client.NumPyClient.html).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from .client import Client
from .participate import Event, Summary, Trained, TrainInput, participate
from .safetensors import Layout, Vector

Config = dict[str, Any]
NDArrays = list[NDArray[Any]]


class NumPyClient(Protocol):
    """The part of Flower's interface that is called."""

    def fit(self, parameters: NDArrays, config: Config) -> tuple[NDArrays, int, Mapping[str, Any]]: ...

    def evaluate(self, parameters: NDArrays, config: Config) -> tuple[float, int, Mapping[str, Any]]: ...


def start_client(
    client: Client,
    task: str,
    numpy_client: NumPyClient | Any,
    *,
    max_updates: int | None = None,
    on_event: Callable[[Event], None] | None = None,
) -> Summary:
    """Takes part with a Flower client until the task ends; in the place of `flwr.client.start_client`.

    numpy_client: a NumPyClient, or what `NumPyClient.to_client()` gives. Its arrays are the model's tensors in the
    order of the task's layout, which for PyTorch is that of the state dict. Each version is evaluated with the
    client's `evaluate`, where it has one, and then trained with its `fit`. `config` holds `server_round`,
    `local_epochs`, `batch_size` and `learning_rate`.
    """
    wrapped = _unwrapped(numpy_client)

    def train(given: TrainInput) -> Trained:
        arrays, examples, metrics = wrapped.fit(_arrays(given), _config(given))
        return Trained(_vector(given.layout, arrays), int(examples), _numbers(metrics))

    def evaluate(given: TrainInput) -> Mapping[str, float]:
        loss, _, metrics = wrapped.evaluate(_arrays(given), _config(given))
        return {**_numbers(metrics), "loss": float(loss)}

    measure = evaluate if _overrides(wrapped, "evaluate") else None
    return participate(client, task, train, measure, max_updates=max_updates, on_event=on_event)


def _arrays(given: TrainInput) -> NDArrays:
    return [array.copy() for array in given.layout.split(given.params).values()]


def _vector(layout: Layout, arrays: NDArrays) -> Vector:
    if len(arrays) != len(layout.tensors):
        raise ValueError(f"fit gave {len(arrays)} arrays, the task's model has {len(layout.tensors)} tensors")
    named = {
        tensor.name: np.asarray(array, np.float32).reshape(tensor.shape)
        for tensor, array in zip(layout.tensors, arrays, strict=True)
    }
    return layout.join(named)


def _config(given: TrainInput) -> Config:
    plan = given.plan
    return {
        "server_round": given.base_version + 1,
        "local_epochs": plan.local_epochs,
        "batch_size": plan.batch_size,
        "learning_rate": plan.learning_rate,
    }


def _numbers(metrics: Mapping[str, Any]) -> dict[str, float]:
    """Flower's metrics may be text or bytes, which no mean can be taken of."""
    return {str(name): float(value) for name, value in metrics.items() if isinstance(value, (int, float, np.number))}


def _unwrapped(numpy_client: Any) -> NumPyClient:
    # `to_client()` of Flower keeps the client that it wraps.
    inner = getattr(numpy_client, "numpy_client", numpy_client)
    if not callable(getattr(inner, "fit", None)):
        raise TypeError(f"{type(inner).__name__} has no fit: expected a flwr.client.NumPyClient")
    return inner


def _overrides(client: Any, name: str) -> bool:
    """Flower's base class has an `evaluate` that says nothing."""
    method = getattr(type(client), name, None)
    return callable(method) and not getattr(method, "__module__", "").startswith("flwr.")
