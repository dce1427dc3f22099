"""The one file that touches the network."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from .errors import TributaryError


@dataclass(frozen=True)
class Request:
    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    #: The answer is refused once it is longer than this.
    most_bytes: int = 1024 * 1024
    timeout_s: float = 60.0


@dataclass(frozen=True)
class Response:
    status: int
    #: Names in lower case.
    headers: Mapping[str, str]
    body: bytes


#: Sends one request, once. Any status is an answer; without one it raises TributaryError `network`.
Transport = Callable[[Request], Response]


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_args: object, **_more: object) -> None:
        return None


_opener = urllib.request.build_opener(_NoRedirects)


def send(request: Request) -> Response:
    """Sends over the standard library; proxies and certificates are the environment's."""
    prepared = urllib.request.Request(request.url, data=request.body, method=request.method, headers=dict(request.headers))
    try:
        try:
            answer = _opener.open(prepared, timeout=request.timeout_s)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            body = answer.read(request.most_bytes + 1)
            expected = answer.headers.get("content-length")
            status, headers = answer.status, {name.lower(): value for name, value in answer.headers.items()}
    except (OSError, ValueError) as error:
        raise TributaryError("network", f"{request.method} {_origin(request.url)}: {error}", "now") from error
    if len(body) > request.most_bytes:
        raise TributaryError("answer-too-long", f"the answer is longer than {request.most_bytes} bytes")
    if expected is not None and expected.isdigit() and len(body) < int(expected):
        raise TributaryError("network", f"the answer ends after {len(body)} of {expected} bytes", "now")
    return Response(status, headers, body)


def _origin(url: str) -> str:
    """Without path and query: a presigned URL is a secret."""
    return "/".join(url.split("/", 3)[:3])
