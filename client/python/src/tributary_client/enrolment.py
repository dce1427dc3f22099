"""A client's beginning: the one-time code of an invitation for a key of its own."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from .answers import problem_of
from .errors import TributaryError
from .identity import ClientKey
from .key_file import KeyFile
from .retry import RetryPolicy
from .signed_api import SignedApi, checked_endpoint
from .transport import Transport, send


def enrol(
    endpoint: str,
    code: str,
    client: str,
    out: str | Path | None = None,
    *,
    key: ClientKey | None = None,
    transport: Transport = send,
    retry: RetryPolicy | None = None,
    clock: Callable[[], float] = time.time,
) -> ClientKey:
    """Registers a key under the name of an invitation. Repeat it with the same `out`, or `key`, if the answer was lost.

    out: key file to write; until the federation has taken the key, it waits in `OUT.next`.
    key: one of one's own; a new one by default.

    Raises FileExistsError if there is a key file already, ValueError on a name that no federation takes, TributaryError
    `invitation-unknown`, `invitation-expired`, `invitation-used`, `identity-refused` and the others of the API.
    """
    keys = None if out is None else KeyFile(out, checked_endpoint(endpoint))
    if keys and keys.path.exists():
        raise FileExistsError(f"{keys.path}: there is a file already; it may hold a key")
    if key is None:
        key = keys.next_key(client) if keys else ClientKey.generate(client)
    signing = key
    api = SignedApi(endpoint, signing, transport=transport, clock=clock)

    def attempt(_tries: int) -> None:
        content = {"code": code, "client": client, "publicKey": signing.public_jwk}
        response = api.send("POST", ["enrolments"], lambda _key, _now: content)
        if response.status >= 300:
            raise problem_of(response, f"client {client} was not enrolled")

    try:
        (retry or RetryPolicy()).run(attempt)
    except TributaryError as error:
        if error.code != "identity-refused":
            raise
        why = f"{api.endpoint} does not take the proof that came with it: is the endpoint just as the operator gave it?"
        raise TributaryError("identity-refused", f"client {client} was not enrolled: {why}") from error
    if keys:
        keys.promote(key)
    return key
