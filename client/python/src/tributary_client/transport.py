"""The one file that touches the network."""

from __future__ import annotations

import http.client
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from .errors import TributaryError

_CHUNK_BYTES = 1024 * 1024


@dataclass(frozen=True)
class Request:
    method: str
    #: http or https.
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    #: An answer that is longer is refused.
    most_bytes: int = _CHUNK_BYTES
    #: For the whole answer, in seconds.
    timeout_s: float = 60.0


@dataclass(frozen=True)
class Response:
    status: int
    #: Names in lower case.
    headers: Mapping[str, str]
    body: bytes


#: Sends one request, once. Any status is an answer; raises TributaryError `network` without one, or `answer-too-long`.
Transport = Callable[[Request], Response]


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect is an answer: a proof and a presigned URL are for one address."""

    def redirect_request(self, *_args: object, **_more: object) -> None:
        return None


def _opener() -> urllib.request.OpenerDirector:
    # Not build_opener: it would open file: and ftp: addresses too, and servers name addresses.
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        _NoRedirects(),
        urllib.request.UnknownHandler(),
    ):
        opener.add_handler(handler)
    return opener


_OPENER = _opener()


def send(request: Request) -> Response:
    """Sends over the standard library; proxies and certificates are the environment's (HTTPS_PROXY, SSL_CERT_FILE)."""
    headers = dict(request.headers)
    if request.body is not None and not any(name.lower() == "content-type" for name in headers):
        headers["content-type"] = "application/octet-stream"  # urllib's own would be that of a form
    deadline_s = time.monotonic() + request.timeout_s
    try:
        prepared = urllib.request.Request(request.url, data=request.body, method=request.method, headers=headers)
        try:
            answer = _OPENER.open(prepared, timeout=request.timeout_s)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            expected = answer.headers.get("content-length")
            body = _read(answer, request.most_bytes, deadline_s)
            found = {name.lower(): value for name, value in answer.headers.items()}
            response = Response(answer.status, found, body)
    except (OSError, http.client.HTTPException) as error:
        raise TributaryError("network", f"{request.method} {_origin(request.url)}: {_reason(error)}", "now") from error
    if expected is not None and expected.isdigit() and len(body) < int(expected):
        raise TributaryError("network", f"the answer ends after {len(body)} of {expected} bytes", "now")
    return response


def _read(answer: http.client.HTTPResponse, most_bytes: int, deadline_s: float) -> bytes:
    chunks: list[bytes] = []
    length = 0
    while chunk := answer.read1(_CHUNK_BYTES) if hasattr(answer, "read1") else answer.read(_CHUNK_BYTES):
        length += len(chunk)
        if length > most_bytes:
            raise TributaryError("answer-too-long", f"the answer is longer than {most_bytes} bytes")
        if time.monotonic() > deadline_s:
            raise TimeoutError("the answer takes too long")
        chunks.append(chunk)
    return b"".join(chunks)


def _reason(error: Exception) -> str:
    if isinstance(error, http.client.InvalidURL):
        return "not an address"  # its message quotes the path
    return str(error) or type(error).__name__


def _origin(url: str) -> str:
    """Without path and query: a presigned URL is a secret."""
    return "/".join(url.split("/", 3)[:3])
