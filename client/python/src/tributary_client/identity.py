"""A client's Ed25519 key, and what it signs: proofs of requests and statements of updates.

The wire form is Tributary's decision 10: JSON Web Signatures (RFC 7515, 8037, 9864) in the manner of DPoP (RFC 9449).
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from .errors import TributaryError

if TYPE_CHECKING:
    from .transport import Transport

_CLIENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True)
class ClientKey:
    """A client and the key that it signs with. Keep it secret: whoever has it is this client."""

    client: str
    private_key: Ed25519PrivateKey

    def __post_init__(self) -> None:
        if not _CLIENT.fullmatch(self.client):
            raise ValueError(f"client: expected 1 to 64 of A-Z a-z 0-9 . _ -, got {self.client!r}")

    @staticmethod
    def generate(client: str) -> ClientKey:
        return ClientKey(client, Ed25519PrivateKey.generate())

    @staticmethod
    def load(path: str | Path) -> tuple[ClientKey, str]:
        """Reads a key file, as `tributary client issue` or `save` writes it: the key and the API's address.

        Raises TributaryError `key-malformed`.
        """
        try:
            content = json.loads(Path(path).read_text("utf-8"))
            private = content["privateKey"]
            key = Ed25519PrivateKey.from_private_bytes(_decode(private["d"]))
            found = ClientKey(content["client"], key)
            endpoint = content["endpoint"]
            if private["kty"] != "OKP" or private["crv"] != "Ed25519" or private["x"] != found.public_jwk["x"]:
                raise ValueError("x and d are not one Ed25519 key pair")
            if not re.match(r"https?://", endpoint):
                raise ValueError("endpoint is no http or https URL")
        except (ValueError, KeyError, TypeError) as error:
            raise TributaryError("key-malformed", f"{path} is not a key file: {error}") from error
        return found, endpoint

    def save(self, path: str | Path, endpoint: str) -> None:
        """Writes a key file that only its owner may read. Raises FileExistsError rather than replace one."""
        d = _encode(self.private_key.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption()))
        content = {"endpoint": endpoint, "client": self.client, "privateKey": {**self.public_jwk, "d": d}}
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(file, "w", encoding="utf-8") as handle:
            json.dump(content, handle, indent=2)
            handle.write("\n")

    @property
    def public_jwk(self) -> dict[str, str]:
        x = self.private_key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return {"kty": "OKP", "crv": "Ed25519", "x": _encode(x)}

    @property
    def kid(self) -> str:
        """RFC 7638 thumbprint of the public key."""
        return _encode(hashlib.sha256(_json(dict(sorted(self.public_jwk.items())))).digest())

    def prove(self, method: str, url: str, body: bytes, now_s: float, nonce: str | None = None) -> str:
        """Value of the `Authorization` header for one request, once. url: without query. now_s: epoch seconds."""
        claims = {
            "sub": self.client,
            "htm": method,
            "htu": url,
            "digest": _encode(hashlib.sha256(body).digest()),
            "iat": int(now_s),
            "jti": nonce or secrets.token_urlsafe(16),
        }
        return f"Tributary {self._sign('tributary-proof+jwt', claims)}"

    def state(self, *, task: str, ticket: str, base_version: int, size: int, sha256: str, examples: int) -> str:
        """Signs what the client says of an update of `size` bytes: always the same text, a compact JWS."""
        claims: dict[str, str | int] = {"sub": self.client, "task": task, "ticket": ticket, "baseVersion": base_version}
        return self._sign("tributary-update+jwt", {**claims, "bytes": size, "sha256": sha256, "examples": examples})

    def _sign(self, typ: str, claims: Mapping[str, str | int]) -> str:
        header = {"alg": "Ed25519", "typ": typ, "kid": self.kid}
        text = f"{_encode(_json(header))}.{_encode(_json(claims))}"
        return f"{text}.{_encode(self.private_key.sign(text.encode()))}"


def enrol(
    endpoint: str,
    code: str,
    client: str,
    *,
    key: ClientKey | None = None,
    transport: Transport | None = None,
    clock: Callable[[], float] = time.time,
) -> ClientKey:
    """Registers a key under the name of an invitation. Repeat it with the same `key` if the answer was lost.

    Raises TributaryError `invitation-unknown`, `invitation-expired`, `invitation-used` and the others of the API.
    """
    from .signed_api import SignedApi, problem_of

    key = key or ClientKey.generate(client)
    api = SignedApi(endpoint, key, transport=transport, clock=clock)
    content = {"code": code, "client": client, "publicKey": key.public_jwk}
    response = api.send("POST", ["enrolments"], content)
    if response.status >= 300:
        raise problem_of(response, f"client {client} was not enrolled")
    return key


def _json(value: Mapping[str, object]) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
