"""Runs a Flower `ClientApp` of the Message API (flwr 1.21 or later, which must be installed) in a Tributary task.

Interface: https://flower.ai/docs/framework/ref-api/flwr.clientapp.ClientApp.html
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from .answers import Ticket
from .client import Client
from .participate import Event, Summary, Trained, TrainInput, participate


def start_client_app(
    client: Client,
    task: str,
    app: Any,
    *,
    run_config: Mapping[str, Any] | None = None,
    node_config: Mapping[str, Any] | None = None,
    state: Mapping[str, Any] | None = None,
    evaluate: bool = False,
    accepts: Callable[[Ticket], bool] | None = None,
    max_updates: int | None = None,
    stop: threading.Event | None = None,
    on_event: Callable[[Event], None] | None = None,
) -> Summary:
    """Takes part with a ClientApp until the task ends: each ticket is a message to its `@app.train()`.

    The message holds `arrays`, the model by name, and `config` with `server-round`, `lr`, `local-epochs` and
    `batch-size` of the task's plan. The reply must hold `arrays`, and `metrics` with `num-examples`.

    run_config, node_config: the context's, as pyproject.toml and the SuperNode would give them.
    state: the app's own entries of the state dict that are no parameters, e.g. `num_batches_tracked`.
    evaluate: whether to send each version to `@app.evaluate()` first.

    Raises ValueError on a reply that lacks these or is an error, and what `participate` raises.
    """
    from flwr.app import Array, ArrayRecord, ConfigRecord, Context, Message, RecordDict

    context = Context(
        run_id=0, node_id=0, node_config=dict(node_config or {}), state=RecordDict(), run_config=dict(run_config or {})
    )

    def ask(kind: str, given: TrainInput) -> Any:
        arrays = {name: Array(value.copy()) for name, value in given.layout.split(given.params).items()}
        extra = {name: Array(_array(value)) for name, value in (state or {}).items() if name not in arrays}
        plan = given.plan
        config = {
            "server-round": given.base_version + 1,
            "lr": plan.learning_rate,
            "local-epochs": plan.local_epochs,
            "batch-size": plan.batch_size,
        }
        content = RecordDict({"arrays": ArrayRecord(OrderedDict({**arrays, **extra})), "config": ConfigRecord(config)})
        reply = app(Message(content, 0, kind), context)
        if reply.has_error():
            raise ValueError(f"the ClientApp answered {kind} with an error: {reply.error}")
        return reply.content

    def train(given: TrainInput) -> Trained:
        content = ask("train", given)
        if "arrays" not in content or "num-examples" not in content.get("metrics", {}):
            raise ValueError('the reply to train must hold "arrays", and "metrics" with "num-examples"')
        arrays = {name: content["arrays"][name].numpy() for name in given.layout.shapes if name in content["arrays"]}
        return Trained(given.layout.join(arrays), int(content["metrics"]["num-examples"]), _numbers(content["metrics"]))

    def measure(given: TrainInput) -> Mapping[str, float]:
        return _numbers(ask("evaluate", given).get("metrics", {}))

    return participate(
        client,
        task,
        train,
        measure if evaluate else None,
        accepts=accepts,
        max_updates=max_updates,
        stop=stop,
        on_event=on_event,
    )


def _numbers(metrics: Mapping[str, Any]) -> dict[str, float]:
    """Single numbers, without the count of examples, which the update has a place of its own for."""
    return {k: float(v) for k, v in metrics.items() if isinstance(v, (int, float)) and k != "num-examples"}


def _array(value: Any) -> Any:
    return np.array(value.detach().cpu().numpy() if hasattr(value, "detach") else value)
