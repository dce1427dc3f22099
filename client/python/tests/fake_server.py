"""A transport that answers from a script: what a server could say, good and bad."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from tributary_client import Client, ClientKey, Layout, RetryPolicy, TributaryError, safetensors
from tributary_client.transport import Request, Response

LAYOUT = Layout.of({"w": (2,)})
TICKET_ID = "T" * 43
#: SHA-256 of the three bytes "abc": FIPS 180-2, appendix B.1.
ABC_SHA256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

TICKET: dict[str, Any] = {
    "ticket": TICKET_ID,
    "task": "task",
    "client": "ann",
    "baseVersion": 7,
    "modelUrl": "http://s3.test/model",
    "package": {
        name: {"url": f"http://s3.test/{name}", "bytes": 3, "sha256": ABC_SHA256}
        for name in ("evaluate.onnx", "train-step.onnx", "train-epoch.onnx")
    },
    "plan": {"localEpochs": 1, "batchSize": 2, "learningRate": 0.1, "seed": 1},
    "codec": {"kind": "float32", "compress": "none"},
    "expiresAtMs": 1_000_000,
}
PUT: dict[str, Any] = {
    "url": "http://s3.test/update?signature=x",
    "headers": {"content-length": "100", "host": "s3.test", "if-none-match": "*", "x-amz-checksum-sha256": "abc="},
    "expiresAtMs": 1_000_000,
}


def answer(status: int, content: object = b"", **headers: str) -> Response:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return Response(status, {name.replace("_", "-"): value for name, value in headers.items()}, body)


def problem(status: int, code: str, **more: object) -> Response:
    return answer(status, {"title": code, "status": status, "detail": f"about {code}", "code": code, **more})


def lost() -> TributaryError:
    return TributaryError("network", "ECONNREFUSED", "now")


class FakeServer:
    """Answers each step from its list, one after the other, and then as a good server would."""

    def __init__(self, **script: list[Response | Exception]) -> None:
        self._script = script
        self.requests: list[tuple[str, Request]] = []

    def __call__(self, request: Request) -> Response:
        step = _step_of(request)
        self.requests.append((step, request))
        scripted = self._script.get(step)
        found = scripted.pop(0) if scripted else _good(step)
        if isinstance(found, Exception):
            raise found
        return found

    def count(self, step: str) -> int:
        return len(self.of(step))

    def of(self, step: str) -> list[Request]:
        return [request for found, request in self.requests if found == step]

    def body(self, step: str) -> dict[str, Any]:
        body: dict[str, Any] = json.loads(self.of(step)[-1].body or b"")
        return body


def client_of(server: FakeServer, *, slept: list[float] | None = None, random: float = 0.0, **options: Any) -> Client:
    retry = RetryPolicy(sleep=(slept if slept is not None else []).append, random=lambda: random)
    options = {"clock": lambda: 0.0, "key": ClientKey.generate("ann"), **options}
    return Client("http://api.test/", transport=server, retry=retry, **options)


def _step_of(request: Request) -> str:
    path = urlsplit(request.url).path
    if path.endswith("/tickets"):
        return "ticket"
    if path.endswith("/upload"):
        return "declare"
    if path.startswith("/v1/tickets/"):
        return "status"
    if path == "/v1/keys":
        return "keys"
    if request.method == "PUT":
        return "put"
    return "model" if path == "/model" else "package"


def _good(step: str) -> Response:
    if step == "ticket":
        return answer(200, TICKET)
    if step == "model":
        return answer(200, safetensors.encode(LAYOUT, np.array([1, 2], np.float32)))
    if step == "package":
        return answer(200, b"abc")
    if step == "declare":
        return answer(200, PUT)
    if step == "status":
        return answer(200, {"ticket": TICKET_ID, "task": "task", "state": "aggregated", "baseVersion": 7, "version": 8})
    return answer(200)
