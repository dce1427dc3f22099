"""One client of federated tasks: asks for tickets, downloads, uploads the difference."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from . import safetensors
from .errors import TributaryError
from .identity import ClientKey
from .retry import RetryPolicy
from .safetensors import Layout, Vector
from .signed_api import SignedApi, problem_of
from .transport import Request, Response, Transport

_MOST_MODEL_BYTES = 4 * 1024**3
_TRANSFER_TIMEOUT_S = 15 * 60.0
_DEFAULT_PAUSE_S = 2.0
#: The ONNX files that a task's clients train with.
PACKAGE_FILES = ("evaluate.onnx", "train-step.onnx", "train-epoch.onnx")


@dataclass(frozen=True)
class TrainingPlan:
    local_epochs: int
    batch_size: int
    learning_rate: float
    #: Seed of the clients' shuffling.
    seed: int


@dataclass(frozen=True)
class Ticket:
    """Leave to train from one version and to upload one update."""

    ticket: str
    task: str
    base_version: int
    model_url: str
    #: name -> (url, bytes, sha256)
    package: Mapping[str, tuple[str, int, str]]
    plan: TrainingPlan
    expires_at_ms: int
    #: What the data is used for, where the operator declared it.
    purpose: str | None


@dataclass(frozen=True)
class Wait:
    """The task has no place for this client now."""

    seconds: float
    code: str
    reason: str


@dataclass(frozen=True)
class Ended:
    """The task is over."""

    reason: str


class Client:
    """Takes part in tasks of one federation. Raises ValueError on an endpoint that is not an http(s) URL.

    cache: folder for training packages, which do not change; none by default.
    """

    def __init__(
        self,
        endpoint: str,
        key: ClientKey,
        *,
        transport: Transport | None = None,
        retry: RetryPolicy | None = None,
        cache: str | Path | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._api = SignedApi(endpoint, key, transport=transport, clock=clock)
        self.retry = retry or RetryPolicy()
        self._cache = None if cache is None else Path(cache)
        self._kept: dict[str, bytes] = {}

    @staticmethod
    def from_key_file(path: str | Path, **options: object) -> Client:
        """The client of a key file, as `tributary client issue` writes it."""
        key, endpoint = ClientKey.load(path)
        return Client(endpoint, key, **options)  # type: ignore[arg-type]

    @property
    def name(self) -> str:
        return self._api.key.client

    def request_ticket(self, task: str) -> Ticket | Wait | Ended:
        """Asks for leave to train. Raises TributaryError on a refusal that waiting does not cure."""

        def attempt(_tries: int) -> Ticket | Wait | Ended:
            response = self._api.send("POST", ["tasks", task, "tickets"], {})
            if response.status < 300:
                return _ticket_of(response)
            problem = problem_of(response, f"no ticket for task {task}")
            if response.status == 410:
                return Ended(str(problem))
            if response.status != 429 and problem.code != "task-not-started":
                raise problem
            pause = problem.retry_after_s
            return Wait(_DEFAULT_PAUSE_S if pause is None else pause, problem.code, str(problem))

        return self.retry.run(attempt)

    def download_model(self, ticket: Ticket) -> tuple[Layout, Vector]:
        """The ticket's version. Raises TributaryError `safetensors-malformed`."""
        layout, vector, _ = safetensors.decode(self._download(ticket.model_url, _MOST_MODEL_BYTES))
        return layout, vector

    def download_package(self, ticket: Ticket) -> dict[str, bytes]:
        """The ticket's training package by file name; what is at hand already is not fetched again."""
        return {name: self._package_file(*about) for name, about in ticket.package.items()}

    def upload(
        self, ticket: Ticket, data: bytes, examples: int, metrics: Mapping[str, float] | None = None
    ) -> None:
        """Declares and stores an update, a safetensors file. Returns once it is stored."""
        sha256 = hashlib.sha256(data).hexdigest()
        said = {"bytes": len(data), "sha256": sha256, "examples": examples, "metrics": dict(metrics or {})}
        statement = self._api.key.state(
            task=ticket.task,
            ticket=ticket.ticket,
            base_version=ticket.base_version,
            size=len(data),
            sha256=sha256,
            examples=examples,
        )
        content = {**said, "statement": statement}

        def attempt(tries: int) -> None:
            # A presigned URL may expire while the network is down, so each try asks for a new one.
            response = self._api.send("POST", ["tickets", ticket.ticket, "upload"], content)
            if response.status >= 300:
                raise problem_of(response, "the update was refused")
            put = _answer(response)
            headers = {name: str(value) for name, value in _object_at(put, "headers").items() if name.lower() != "host"}
            stored = self._api.transport(
                Request("PUT", _text(put, "url"), headers, data, timeout_s=_TRANSFER_TIMEOUT_S)
            )
            # The URL is bound to the bytes and to "if none is there": what is there already is this very update.
            if stored.status < 300 or (stored.status == 412 and tries > 0):
                return
            raise problem_of(stored, "the update was not stored")

        self.retry.run(attempt)

    def ticket_status(self, ticket: str) -> dict[str, object]:
        """`state` is issued, uploading, admitted, aggregated (with `version`), quarantined (with `reason`) or expired."""

        def attempt(_tries: int) -> dict[str, object]:
            response = self._api.send("GET", ["tickets", ticket])
            if response.status >= 300:
                raise problem_of(response, f"no status of ticket {ticket[:8]}...")
            return _answer(response)

        return self.retry.run(attempt)

    def _package_file(self, url: str, length: int, sha256: str) -> bytes:
        kept = self._kept.get(sha256)
        path = self._cache / sha256 if self._cache else None
        if kept is None and path and path.is_file():
            kept = path.read_bytes()
        if kept is not None and hashlib.sha256(kept).hexdigest() == sha256:
            self._kept[sha256] = kept
            return kept

        def attempt(_tries: int) -> bytes:
            content = self._get(url, length)
            found = hashlib.sha256(content).hexdigest()
            if found != sha256:
                raise TributaryError("checksum-mismatch", f"SHA-256 {found}, expected {sha256}", "now")
            return content

        content = self.retry.run(attempt)
        self._kept[sha256] = content
        if path:
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary = path.with_suffix(".part")
            temporary.write_bytes(content)
            temporary.replace(path)
        return content

    def _download(self, url: str, most_bytes: int) -> bytes:
        return self.retry.run(lambda _tries: self._get(url, most_bytes))

    def _get(self, url: str, most_bytes: int) -> bytes:
        response = self._api.transport(Request("GET", url, most_bytes=most_bytes, timeout_s=_TRANSFER_TIMEOUT_S))
        if response.status >= 300:
            raise problem_of(response, "the download failed")
        return response.body


def _ticket_of(response: Response) -> Ticket:
    answer = _answer(response)
    plan, files = _object_at(answer, "plan"), _object_at(answer, "package")
    package = {}
    for name in PACKAGE_FILES:
        file = _object_at(files, name)
        package[name] = (_text(file, "url"), _integer(file, "bytes", 1), _text(file, "sha256"))
    rate = plan.get("learningRate")
    if not isinstance(rate, (int, float)) or not rate > 0:
        raise _malformed("learningRate", rate)
    purpose = answer.get("purpose")
    return Ticket(
        ticket=_text(answer, "ticket"),
        task=_text(answer, "task"),
        base_version=_integer(answer, "baseVersion", 0),
        model_url=_text(answer, "modelUrl"),
        package=package,
        plan=TrainingPlan(
            local_epochs=_integer(plan, "localEpochs", 1),
            batch_size=_integer(plan, "batchSize", 1),
            learning_rate=float(rate),
            seed=_integer(plan, "seed", 0),
        ),
        expires_at_ms=_integer(answer, "expiresAtMs", 0),
        purpose=purpose if isinstance(purpose, str) else None,
    )


def _answer(response: Response) -> dict[str, object]:
    try:
        value = json.loads(response.body)
    except (ValueError, RecursionError) as error:
        raise TributaryError("answer-malformed", "the server's answer is not JSON") from error
    if not isinstance(value, dict):
        raise TributaryError("answer-malformed", "the server's answer is not a JSON object")
    return value


def _object_at(answer: Mapping[str, object], field: str) -> dict[str, object]:
    value = answer.get(field)
    if not isinstance(value, dict):
        raise _malformed(field, value)
    return value


def _text(answer: Mapping[str, object], field: str) -> str:
    value = answer.get(field)
    if not isinstance(value, str) or not value:
        raise _malformed(field, value)
    return value


def _integer(answer: Mapping[str, object], field: str, least: int) -> int:
    value = answer.get(field)
    if type(value) is not int or value < least:
        raise _malformed(field, value)
    return value


def _malformed(field: str, value: object) -> TributaryError:
    return TributaryError("answer-malformed", f"the server's answer: {field} is {value!r:.100}")
