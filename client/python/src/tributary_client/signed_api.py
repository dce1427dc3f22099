"""The API as one client speaks to it: each try of each request carries a proof of its own."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping, Sequence
from email.utils import parsedate_to_datetime
from urllib.parse import quote

from .errors import TributaryError
from .identity import ClientKey
from .transport import Request, Response, Transport, send

#: A clock that is off by more is corrected; a proof is taken up to twice as long before and after.
_TOLERABLE_SKEW_S = 30.0
_LONGEST_PAUSE_S = 24 * 3600.0
#: Codes that say that a proof was not taken; an authorizer in front says 401 or 403 and nothing else.
_REFUSED_PROOF = {"proof-malformed", "proof-forged", "proof-stale", "proof-foreign", "client-revoked"}


class SignedApi:
    """Raises ValueError on an endpoint that is not an http(s) URL."""

    def __init__(
        self,
        endpoint: str,
        key: ClientKey,
        *,
        transport: Transport | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if not re.match(r"https?://[^/]+", endpoint):
            raise ValueError(f"endpoint: expected an http or https URL, got {endpoint!r}")
        self.endpoint = endpoint.rstrip("/")
        self.key = key
        self.transport = transport or send
        self._clock = clock
        self._offset_s = 0.0

    def send(
        self,
        method: str,
        path: Sequence[str],
        content: Mapping[str, object] | None = None,
    ) -> Response:
        """Sends a request below `/v1`; once more if only the clock was off.

        Raises TributaryError `identity-refused` if the federation does not take the proof.
        """
        response = self._try(method, path, content)
        if response.status in (401, 403) and self._correct_clock(response):
            response = self._try(method, path, content)
        if response.status in (401, 403):
            code = problem_of(response, "").code
            if code.startswith("http-") or code in _REFUSED_PROOF:
                raise TributaryError(
                    "identity-refused",
                    f"{self.endpoint} does not take the proof of client {self.key.client}: it is not enrolled there, is "
                    f"revoked, or has another key than {self.key.kid[:8]}... registered; its operator can invite it again",
                )
        return response

    def _try(self, method: str, path: Sequence[str], content: Mapping[str, object] | None) -> Response:
        url = "/".join([self.endpoint, "v1", *(quote(part, safe="") for part in path)])
        now_s = self._clock() + self._offset_s
        body = b"" if content is None else json.dumps(content).encode()
        headers = {"authorization": self.key.prove(method, url, body, now_s)}
        if body:
            headers["content-type"] = "application/json"
        return self.transport(Request(method, url, headers, body or None))

    def _correct_clock(self, response: Response) -> bool:
        try:
            offset_s = parsedate_to_datetime(response.headers["date"]).timestamp() - self._clock()
        except (KeyError, ValueError, TypeError):
            return False
        if abs(offset_s - self._offset_s) <= _TOLERABLE_SKEW_S:
            return False
        self._offset_s = offset_s
        return True


def problem_of(response: Response, what: str) -> TributaryError:
    """The error that an answer of 400 or more stands for (RFC 9457, or S3's XML)."""
    text = response.body[:4096].decode("utf-8", "replace")
    problem = _object(text)
    code, detail = problem.get("code"), problem.get("detail") or problem.get("message")
    if not isinstance(code, str) or not re.fullmatch(r"[a-z][a-z0-9-]{0,63}", code):
        code = f"http-{response.status}"
    if not isinstance(detail, str):
        found = re.search(r"<Message>([^<]*)</Message>", text)
        detail = f"HTTP {response.status} {found.group(1) if found else ' '.join(text.split())}".strip()
    retry = "now" if response.status == 429 or response.status >= 500 else "never"
    return TributaryError(code, f"{what}: {detail[:500]}", retry, _pause_of(problem, response))


def _pause_of(problem: Mapping[str, object], response: Response) -> float | None:
    asked = problem.get("retryAfterMs")
    try:
        seconds = asked / 1000 if isinstance(asked, (int, float)) else float(response.headers["retry-after"])
    except (KeyError, ValueError):
        return None
    return min(seconds, _LONGEST_PAUSE_S) if seconds >= 0 else None


def _object(text: str) -> dict[str, object]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
