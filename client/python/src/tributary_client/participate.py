"""Taking part in a task until it ends: ticket, download, training, upload, again."""

from __future__ import annotations

import math
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from .answers import Ended, Ticket, TrainingPlan, Wait
from .client import Client, Update
from .errors import TributaryError
from .pending import Pending, drop_pending, load_pending, save_pending
from .safetensors import Layout, Vector
from .update_codec import write_update

#: Pause between two questions about an update's outcome, in seconds.
_OUTCOME_PAUSE_S = 1.0
#: Codes of a ticket that can take no update any more: the work is lost, the client goes on.
_CLOSED_TICKET = {"ticket-expired", "ticket-used", "ticket-unknown"}
_METRIC = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,39}")


@dataclass(frozen=True)
class TrainInput:
    """What a callback gets. `params` is the base version, [layout.size]; it cannot be written to."""

    layout: Layout
    params: Vector
    base_version: int
    plan: TrainingPlan
    #: The task's ONNX graphs by file name.
    package: Mapping[str, bytes]
    #: This client's own stream for this ticket, from the plan's seed.
    rng: np.random.Generator


@dataclass(frozen=True)
class Trained:
    """What training gives: [layout.size] in the same layout, and how many examples it was trained on."""

    params: Vector
    #: The update's weight, at least 1.
    examples: int
    #: At most 20, named with letters, digits and `_.-`, at most 40 characters; what is not finite is left out.
    metrics: Mapping[str, float] = field(default_factory=dict)


#: Trains on this client's own data; None gives the ticket up.
Train = Callable[[TrainInput], "Trained | None"]
#: Measures the model as it came, on this client's own data, before it is trained.
Evaluate = Callable[[TrainInput], Mapping[str, float]]


@dataclass(frozen=True)
class Event:
    """What happens while a client takes part, in order.

    kind: waiting, ticket, resumed, trained, uploaded, abandoned, declined or outcome.
    """

    kind: str
    detail: Mapping[str, object]


@dataclass(frozen=True)
class Summary:
    task: str
    #: Updates that this call stored.
    updates: int
    #: Examples that these were trained on, counted again for each.
    examples: int
    #: task-ended, max-updates, declined or stopped.
    reason: str


def participate(
    client: Client,
    task: str,
    train: Train,
    evaluate: Evaluate | None = None,
    *,
    accepts: Callable[[Ticket], bool] | None = None,
    max_updates: int | None = None,
    await_outcome: bool = False,
    stop: threading.Event | None = None,
    on_event: Callable[[Event], None] | None = None,
) -> Summary:
    """Takes part in a task until it ends, `max_updates` are stored, `accepts` refuses a ticket, or `stop` is set.

    accepts: sees each ticket before anything is downloaded, e.g. its `purpose`; False ends the participation.
    await_outcome: after each upload, waits until the update is aggregated, quarantined or expired, and says so.
    stop: heard while waiting and between tickets; a training that runs goes on to its upload.

    An update that is stored in the client's `store` when the process dies is uploaded first by the next call.

    Raises TributaryError with the federation's code on a refusal that waiting does not cure, e.g. `task-unknown`, and
    `update-not-finite`, `update-length` or `update-examples` on what training gave; ValueError on a bad metric's name.
    """
    run = _Participation(client, task, await_outcome, stop, on_event or (lambda _event: None))
    left = load_pending(client.store, task, client.name)
    if left:
        run.tell("resumed", ticket=left.ticket, base_version=left.base_version)
        run.store(left, again=True)
    turn = 0
    while max_updates is None or run.updates < max_updates:
        if stop and stop.is_set():
            return run.summary("stopped")
        answer = client.request_ticket(task)
        if isinstance(answer, Ended):
            return run.summary("task-ended")
        if isinstance(answer, Wait):
            # Never earlier than asked, and spread out so that those who were sent away together do not return together.
            seconds = answer.seconds * (1 + client.retry.random() / 2)
            run.tell("waiting", seconds=seconds, code=answer.code, reason=answer.reason)
            run.pause(seconds)
            continue
        run.tell("ticket", ticket=answer.ticket, base_version=answer.base_version, purpose=answer.purpose)
        if accepts and not accepts(answer):
            run.tell("declined", ticket=answer.ticket, purpose=answer.purpose)
            return run.summary("declined")
        pending = run.work(answer, train, evaluate, turn)
        turn += 1
        if pending:
            run.store(pending, again=False)
    return run.summary("max-updates")


class _Participation:
    """One call of `participate`."""

    def __init__(
        self,
        client: Client,
        task: str,
        await_outcome: bool,
        stop: threading.Event | None,
        on_event: Callable[[Event], None],
    ) -> None:
        self.updates = 0
        self._examples = 0
        self._client = client
        self._task = task
        self._await_outcome = await_outcome
        self._stop = stop
        self._on_event = on_event

    def tell(self, kind: str, **detail: object) -> None:
        self._on_event(Event(kind, detail))

    def summary(self, reason: str) -> Summary:
        return Summary(self._task, self.updates, self._examples, reason)

    def pause(self, seconds: float) -> None:
        if self._stop:
            self._stop.wait(seconds)
        else:
            self._client.retry.sleep(seconds)

    def work(self, ticket: Ticket, train: Train, evaluate: Evaluate | None, turn: int) -> Pending | None:
        """Downloads, trains and encodes; None if the callback gave the ticket up."""
        client = self._client
        layout, params = client.download_model(ticket)
        params.flags.writeable = False
        seed = np.random.SeedSequence([ticket.plan.seed, ticket.base_version, turn, *client.name.encode()])
        training_seed, codec_seed = seed.spawn(2)
        given = TrainInput(
            layout=layout,
            params=params,
            base_version=ticket.base_version,
            plan=ticket.plan,
            package=client.download_package(ticket),
            rng=np.random.default_rng(training_seed),
        )
        measured = evaluate(given) if evaluate else {}
        trained = train(given)
        if trained is None:
            self.tell("abandoned", ticket=ticket.ticket, reason="the training callback gave no update")
            return None
        difference, examples = _difference(trained, given)
        metrics = _reported({**measured, **trained.metrics})
        self.tell("trained", ticket=ticket.ticket, examples=examples, metrics=metrics)
        about = {"task": ticket.task, "baseVersion": str(ticket.base_version), "examples": str(examples)}
        data, codec = write_update(ticket.codec, layout, difference, about, np.random.default_rng(codec_seed))
        update = Update(data, examples, metrics, codec)
        pending = Pending(ticket.ticket, ticket.base_version, ticket.expires_at_ms, update)
        save_pending(client.store, self._task, client.name, pending)
        return pending

    def store(self, pending: Pending, *, again: bool) -> None:
        """Stores an update, or gives it up where its ticket can take none any more."""
        client, task, update = self._client, self._task, pending.update
        try:
            if again and pending.expires_at_ms <= client.clock() * 1000:
                raise TributaryError("ticket-expired", "the ticket expired while the update waited")
            client.upload(pending.ticket, task, pending.base_version, update, again=again)
        except TributaryError as error:
            if error.retry != "never":
                raise
            # An earlier process may have stored it and died before it could note so.
            if not (again and self._is_stored(pending.ticket)):
                drop_pending(client.store, task, client.name)
                if not again and error.code not in _CLOSED_TICKET:
                    raise
                self.tell("abandoned", ticket=pending.ticket, reason=str(error))
                return
        drop_pending(client.store, task, client.name)
        self.updates += 1
        self._examples += update.examples
        self.tell("uploaded", ticket=pending.ticket, base_version=pending.base_version, size_bytes=len(update.data))
        if self._await_outcome:
            self._outcome(pending.ticket)

    def _is_stored(self, ticket: str) -> bool:
        try:
            return self._client.ticket_status(ticket).state in ("admitted", "aggregated")
        except TributaryError as error:
            if error.retry == "never":
                return False
            raise

    def _outcome(self, ticket: str) -> None:
        while not (self._stop and self._stop.is_set()):
            status = self._client.ticket_status(ticket)
            if status.state in ("aggregated", "quarantined", "expired"):
                self.tell("outcome", ticket=ticket, state=status.state, version=status.version, reason=status.reason)
                return
            self.pause(_OUTCOME_PAUSE_S * (1 + self._client.retry.random()))


def _difference(trained: Trained, given: TrainInput) -> tuple[Vector, int]:
    """Trained minus base, [layout.size], and the examples."""
    examples = trained.examples
    if isinstance(examples, bool) or not isinstance(examples, (int, np.integer)) or examples < 1:
        raise TributaryError("update-examples", f"training gave {examples!r} examples, expected an integer >= 1")
    params = np.asarray(trained.params, np.float32)
    if params.shape != (given.layout.size,):
        raise TributaryError("update-length", f"training gave shape {params.shape}, expected ({given.layout.size},)")
    with np.errstate(over="ignore", invalid="ignore"):
        difference = params - given.params
    if not np.isfinite(difference).all():
        at = int(np.flatnonzero(~np.isfinite(difference))[0])
        raise TributaryError(
            "update-not-finite", f"training gave {params[at]} for parameter {at}; try a lower learning rate"
        )
    return difference, int(examples)


def _reported(metrics: Mapping[str, float]) -> dict[str, float]:
    """JSON has no NaN, and a training that diverged reports it."""
    for name in metrics:
        if not _METRIC.fullmatch(name):
            raise ValueError(f"metric {name!r}: expected letters, digits and _.- after a letter, at most 40 characters")
    if len(metrics) > 20:
        raise ValueError(f"{len(metrics)} metrics, expected at most 20")
    return {name: float(value) for name, value in metrics.items() if math.isfinite(value)}
