"""What the server answered, checked: everything after this can rely on it."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from .errors import TributaryError
from .transport import Response

#: The ONNX files that a task's clients train with.
PACKAGE_FILES = ("evaluate.onnx", "train-step.onnx", "train-epoch.onnx")
_LONGEST_PAUSE_S = 24 * 3600.0
_DEFAULT_PAUSE_S = 2.0
_STATES = ("issued", "uploading", "admitted", "aggregated", "quarantined", "expired")


@dataclass(frozen=True)
class TrainingPlan:
    """What every client does with a version."""

    local_epochs: int
    batch_size: int
    learning_rate: float
    #: Of the clients' shuffling.
    seed: int


@dataclass(frozen=True)
class PackageFile:
    url: str
    size_bytes: int
    #: Lower-case hex.
    sha256: str


@dataclass(frozen=True)
class Ticket:
    """Leave to train from one version and to upload one update."""

    ticket: str
    task: str
    base_version: int
    model_url: str
    #: By file name: PACKAGE_FILES.
    package: Mapping[str, PackageFile]
    plan: TrainingPlan
    #: How the task would like the update to be written, as plain data; plain float32 is taken as well.
    codec: Mapping[str, object]
    expires_at_ms: int
    #: What the data is used for, where the operator declared it.
    purpose: str | None = None


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


@dataclass(frozen=True)
class TicketStatus:
    #: issued, uploading, admitted, aggregated, quarantined or expired.
    state: str
    base_version: int
    #: The version that holds the update, once it is aggregated.
    version: int | None = None
    #: Why it is quarantined.
    reason: str | None = None


@dataclass(frozen=True)
class Put:
    """An upload that may be made once, with exactly these headers."""

    url: str
    headers: Mapping[str, str]


def problem_of(response: Response, what: str) -> TributaryError:
    """The error that an answer of 300 or more stands for: a problem document (RFC 9457), or S3's XML."""
    text = response.body[:4096].decode("utf-8", "replace")
    problem = _parsed(text) or {}
    code, detail = problem.get("code"), problem.get("detail") or problem.get("title") or problem.get("message")
    if not isinstance(code, str) or not re.fullmatch(r"[a-z][a-z0-9-]{0,63}", code):
        code = f"http-{response.status}"
    if not isinstance(detail, str):
        found = re.search(r"<Message>([^<]*)</Message>", text)
        shown = found.group(1) if found else " ".join(text.split())
        detail = f"HTTP {response.status} {shown[:200]}".strip()
    passing = response.status == 429 or response.status >= 500
    return TributaryError(code, f"{what}: {detail[:500]}", "now" if passing else "never", _pause_of(problem, response))


def ticket_of(response: Response, task: str) -> Ticket | Wait | Ended:
    """Raises TributaryError: the problem's, or `answer-malformed`, naming the field."""
    if response.status < 300:
        return _ticket(_object(response))
    problem = problem_of(response, f"no ticket for task {task}")
    if response.status == 410:
        return Ended(str(problem))
    if response.status != 429 and problem.code != "task-not-started":
        raise problem
    pause_s = problem.retry_after_s
    return Wait(_DEFAULT_PAUSE_S if pause_s is None else pause_s, problem.code, str(problem))


def status_of(response: Response) -> TicketStatus:
    """Raises TributaryError `answer-malformed`."""
    answer = _object(response)
    state, version, reason = answer.get("state"), answer.get("version"), answer.get("reason")
    if state not in _STATES:
        raise _malformed("state", state)
    return TicketStatus(
        state=str(state),
        base_version=_integer(answer, "baseVersion", 0),
        version=None if version is None else _integer(answer, "version", 0),
        reason=reason if isinstance(reason, str) else None,
    )


def put_of(response: Response) -> Put:
    """Raises TributaryError `answer-malformed`."""
    answer = _object(response)
    headers = _mapping(answer, "headers")
    for name, value in headers.items():
        if not isinstance(value, str):
            raise _malformed(f"headers.{name}", value)
    return Put(_url(answer, "url"), {name: str(value) for name, value in headers.items()})


def _ticket(answer: Mapping[str, object]) -> Ticket:
    plan, files = _mapping(answer, "plan"), _mapping(answer, "package")
    rate, purpose = plan.get("learningRate"), answer.get("purpose")
    if isinstance(rate, bool) or not isinstance(rate, (int, float)) or not 0 < rate < math.inf:
        raise _malformed("learningRate", rate)
    return Ticket(
        ticket=_text(answer, "ticket", r"[A-Za-z0-9_-]{43}"),
        task=_text(answer, "task", r"[a-z][a-z0-9-]{0,39}"),
        base_version=_integer(answer, "baseVersion", 0),
        model_url=_url(answer, "modelUrl"),
        package={name: _package_file(_mapping(files, name)) for name in PACKAGE_FILES},
        plan=TrainingPlan(
            local_epochs=_integer(plan, "localEpochs", 1),
            batch_size=_integer(plan, "batchSize", 1),
            learning_rate=float(rate),
            seed=_integer(plan, "seed", 0),
        ),
        codec=_mapping(answer, "codec") if "codec" in answer else {},
        expires_at_ms=_integer(answer, "expiresAtMs", 0),
        purpose=purpose if isinstance(purpose, str) else None,
    )


def _package_file(file: Mapping[str, object]) -> PackageFile:
    return PackageFile(_url(file, "url"), _integer(file, "bytes", 1), _text(file, "sha256", r"[0-9a-f]{64}"))


def _pause_of(problem: Mapping[str, object], response: Response) -> float | None:
    asked_ms = problem.get("retryAfterMs")
    try:
        timed = isinstance(asked_ms, (int, float))
        seconds = float(asked_ms) / 1000 if timed else float(response.headers["retry-after"])  # type: ignore[arg-type]
    except (KeyError, ValueError):
        return None
    return min(seconds, _LONGEST_PAUSE_S) if seconds >= 0 else None


def _parsed(text: str) -> dict[str, object] | None:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _object(response: Response) -> dict[str, object]:
    answer = _parsed(response.body.decode("utf-8", "replace"))
    if answer is None:
        raise TributaryError("answer-malformed", f"the server's answer is no JSON object: {response.body[:80]!r}")
    return answer


def _mapping(answer: Mapping[str, object], field: str) -> dict[str, object]:
    value = answer.get(field)
    if not isinstance(value, dict):
        raise _malformed(field, value)
    return value


def _text(answer: Mapping[str, object], field: str, pattern: str) -> str:
    value = answer.get(field)
    if not isinstance(value, str) or not re.fullmatch(pattern, value):
        raise _malformed(field, value)
    return value


def _url(answer: Mapping[str, object], field: str) -> str:
    value = answer.get(field)
    if not isinstance(value, str) or not re.fullmatch(r"https?://[!-~]+", value):
        raise _malformed(field, None)  # not quoted: a presigned URL is a secret
    return value


def _integer(answer: Mapping[str, object], field: str, least: int) -> int:
    value = answer.get(field)
    if type(value) is not int or not least <= value < 2**53:
        raise _malformed(field, value)
    return value


def _malformed(field: str, value: object) -> TributaryError:
    return TributaryError("answer-malformed", f"the server's answer: {field} is {value!r:.100}")
