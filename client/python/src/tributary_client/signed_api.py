"""The API as one client speaks to it: each try of each request carries a proof of its own."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping, Sequence
from email.utils import parsedate_to_datetime
from urllib.parse import quote

from .answers import problem_of
from .errors import TributaryError
from .identity import ClientKey
from .key_file import KeyFile
from .transport import Request, Response, Transport, send

#: A clock that is off by more is corrected; a proof is taken up to twice as long before and after.
_TOLERABLE_SKEW_S = 30.0
#: Codes that say that a proof was not taken; an authorizer in front says 401 or 403 and nothing else.
_REFUSED_PROOF = {"proof-malformed", "proof-forged", "proof-stale", "proof-foreign", "client-revoked"}

#: What is sent as JSON; made anew for each try, by the key and the time in epoch seconds that sign it.
Content = Callable[[ClientKey, float], Mapping[str, object]]


class SignedApi:
    """Raises ValueError on an endpoint that is not an http(s) URL.

    keys: holds the key to come while it is not known which one the federation has registered.
    clock: epoch seconds.
    """

    def __init__(
        self,
        endpoint: str,
        key: ClientKey,
        *,
        keys: KeyFile | None = None,
        transport: Transport = send,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.endpoint = checked_endpoint(endpoint)
        self.key = key
        self.transport = transport
        self._keys = keys
        self._clock = clock
        #: The server's clock minus this one's, as far as that had to be found out.
        self._offset_s = 0.0

    def url(self, path: Sequence[str]) -> str:
        return "/".join([self.endpoint, "v1", *(quote(part, safe="") for part in path)])

    def send(self, method: str, path: Sequence[str], content: Content | None = None) -> Response:
        """Sends a request below `/v1`; once more if the proof was refused for a clock that is off, or for a key that a
        rotation has replaced.

        Raises TributaryError `network`, or `identity-refused` if the federation does not take the proof.
        """
        response = self._try(method, path, content, self.key)
        if response.status in (401, 403) and self._correct_clock(response):
            response = self._try(method, path, content, self.key)
        if not _is_refusal(response):
            return response
        waiting = self._keys.waiting() if self._keys else None
        if waiting and waiting.client == self.key.client and waiting.kid != self.key.kid:
            response = self._try(method, path, content, waiting)
            if not _is_refusal(response):
                self.promote(waiting)
                return response
        raise TributaryError(
            "identity-refused",
            f"the federation at {self.endpoint} does not take the proof of client {self.key.client}: it is not "
            f"enrolled there, is revoked, or has another key than {self.key.kid[:8]}... registered; its operator sees "
            "which in the log, and can invite it again",
        )

    def promote(self, key: ClientKey) -> None:
        """Signs with this key from now on: the federation has taken it."""
        if self._keys:
            self._keys.promote(key)
        self.key = key

    def _try(self, method: str, path: Sequence[str], content: Content | None, key: ClientKey) -> Response:
        url = self.url(path)
        now_s = self._clock() + self._offset_s
        body = b"" if content is None else json.dumps(content(key, now_s)).encode()
        headers = {"authorization": key.prove(method, url, body, now_s)}
        if content is not None:
            headers["content-type"] = "application/json"
        return self.transport(Request(method, url, headers, body if content is not None else None))

    def _correct_clock(self, response: Response) -> bool:
        """True if the answer's `Date` shows that the clock was off, and it is corrected."""
        try:
            offset_s = parsedate_to_datetime(response.headers["date"]).timestamp() - self._clock()
        except (KeyError, ValueError, TypeError, OverflowError):
            return False
        if abs(offset_s - self._offset_s) <= _TOLERABLE_SKEW_S:
            return False
        self._offset_s = offset_s
        return True


def checked_endpoint(endpoint: str) -> str:
    """Without a slash at its end. Raises ValueError unless it is an http or https URL without query."""
    if not re.fullmatch(r"https?://[^/\s?#]+[^\s?#]*", endpoint):
        raise ValueError(f"endpoint: expected an http or https URL, got {endpoint!r}")
    return endpoint.rstrip("/")


def _is_refusal(response: Response) -> bool:
    """A denial that is about the proof, not about what was asked."""
    if response.status not in (401, 403):
        return False
    code = problem_of(response, "").code
    return code.startswith("http-") or code in _REFUSED_PROOF
