"""Taking part in a task until it ends: ticket, download, training, upload, again."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from . import safetensors
from .client import Client, Ended, Ticket, TrainingPlan, Wait
from .errors import TributaryError
from .safetensors import Layout, Vector

#: Codes of a ticket that can take no update any more: the work is lost, the client goes on.
_CLOSED_TICKET = {"ticket-expired", "ticket-used", "ticket-unknown"}


@dataclass(frozen=True)
class TrainInput:
    """What a training callback gets. `params` is the base version, a flat vector that must not be written to."""

    layout: Layout
    params: Vector
    base_version: int
    plan: TrainingPlan
    package: Mapping[str, bytes]
    #: This client's own stream for this ticket.
    rng: np.random.Generator


@dataclass(frozen=True)
class Trained:
    """What it gives back: a flat vector in the same layout, and how many examples it was trained on."""

    params: Vector
    examples: int
    metrics: Mapping[str, float] = field(default_factory=dict)


#: Trains on this client's own data; None gives the ticket up.
Train = Callable[[TrainInput], "Trained | None"]
#: Measures the model as it came, on this client's own data.
Evaluate = Callable[[TrainInput], Mapping[str, float]]


@dataclass(frozen=True)
class Event:
    """`kind` is waiting, ticket, trained, uploaded or abandoned."""

    kind: str
    detail: Mapping[str, object]


@dataclass(frozen=True)
class Summary:
    task: str
    updates: int
    #: Examples that these updates were trained on, counted again for each.
    examples: int
    reason: str


def participate(
    client: Client,
    task: str,
    train: Train,
    evaluate: Evaluate | None = None,
    *,
    max_updates: int | None = None,
    on_event: Callable[[Event], None] | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Summary:
    """Takes part in a task until it ends or `max_updates` are stored; Ctrl-C raises KeyboardInterrupt and loses one ticket.

    Raises TributaryError with the federation's code on a refusal that waiting does not cure, e.g. `task-unknown`.
    """
    tell = on_event or (lambda _event: None)
    updates = examples = turn = 0
    while max_updates is None or updates < max_updates:
        answer = client.request_ticket(task)
        if isinstance(answer, Ended):
            return Summary(task, updates, examples, "task-ended")
        if isinstance(answer, Wait):
            # Never earlier than asked, and spread out so that those who were sent away do not return together.
            seconds = answer.seconds * (1 + client.retry.random() / 2)
            tell(Event("waiting", {"seconds": seconds, "code": answer.code, "reason": answer.reason}))
            sleep(seconds)
            continue
        tell(Event("ticket", {"ticket": answer.ticket, "base_version": answer.base_version, "purpose": answer.purpose}))
        trained = _work(client, answer, train, evaluate, turn)
        turn += 1
        if trained is None:
            tell(Event("abandoned", {"ticket": answer.ticket, "reason": "the training callback gave no update"}))
            continue
        data, count, metrics = trained
        tell(Event("trained", {"ticket": answer.ticket, "examples": count, "metrics": metrics}))
        try:
            client.upload(answer, data, count, metrics)
        except TributaryError as error:
            if error.code not in _CLOSED_TICKET:
                raise
            tell(Event("abandoned", {"ticket": answer.ticket, "reason": str(error)}))
            continue
        updates += 1
        examples += count
        tell(Event("uploaded", {"ticket": answer.ticket, "base_version": answer.base_version, "bytes": len(data)}))
    return Summary(task, updates, examples, "max-updates")


def _work(
    client: Client, ticket: Ticket, train: Train, evaluate: Evaluate | None, turn: int
) -> tuple[bytes, int, dict[str, float]] | None:
    layout, params = client.download_model(ticket)
    params.flags.writeable = False
    seed = np.random.SeedSequence([ticket.plan.seed, ticket.base_version, turn, *client.name.encode()])
    given = TrainInput(
        layout=layout,
        params=params,
        base_version=ticket.base_version,
        plan=ticket.plan,
        package=client.download_package(ticket),
        rng=np.random.default_rng(seed),
    )
    measured = dict(evaluate(given)) if evaluate else {}
    trained = train(given)
    if trained is None:
        return None
    update = _difference(trained, given)
    # JSON has no NaN, and a training that diverged reports it.
    metrics = {k: float(v) for k, v in {**measured, **trained.metrics}.items() if math.isfinite(v)}
    about = {"task": ticket.task, "baseVersion": str(ticket.base_version), "examples": str(trained.examples)}
    return safetensors.encode(layout, update, about), trained.examples, metrics


def _difference(trained: Trained, given: TrainInput) -> Vector:
    if not isinstance(trained.examples, int) or trained.examples < 1:
        raise TributaryError("update-examples", f"training gave {trained.examples!r} examples, expected an integer >= 1")
    params = np.asarray(trained.params, np.float32)
    if params.shape != (given.layout.size,):
        raise TributaryError("update-length", f"training gave shape {params.shape}, expected ({given.layout.size},)")
    update = params - given.params
    if not np.isfinite(update).all():
        raise TributaryError("update-not-finite", "training gave NaN or infinity; try a lower learning rate")
    return update
