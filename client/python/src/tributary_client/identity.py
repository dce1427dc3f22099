"""A client's Ed25519 key, and what it signs: proofs of requests and statements of updates.

The wire form is Tributary's decision 10: JSON Web Signatures (RFC 7515, 8037, 9864) in the manner of DPoP (RFC 9449).
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

_CLIENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_32_BYTES = re.compile(r"[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, eq=False)
class ClientKey:
    """A client's name and the key that it signs with. Whoever has the key is this client.

    Raises ValueError on a name that no federation takes.
    """

    client: str
    private_key: Ed25519PrivateKey = field(repr=False)

    def __post_init__(self) -> None:
        if not _CLIENT.fullmatch(self.client):
            raise ValueError(f"client: expected 1 to 64 of A-Z a-z 0-9 . _ -, got {self.client!r}")

    @staticmethod
    def generate(client: str) -> ClientKey:
        return ClientKey(client, Ed25519PrivateKey.generate())

    @staticmethod
    def from_jwk(client: str, jwk: Mapping[str, object]) -> ClientKey:
        """Of a private JSON Web Key (RFC 8037). Raises ValueError, which quotes none of it."""
        if jwk.get("kty") != "OKP" or jwk.get("crv") != "Ed25519":
            raise ValueError('privateKey: expected kty "OKP" and crv "Ed25519"')
        d = jwk.get("d")
        if not isinstance(d, str) or not _32_BYTES.fullmatch(d):
            raise ValueError("privateKey.d: expected 32 bytes in base64url")
        key = ClientKey(client, Ed25519PrivateKey.from_private_bytes(_bytes_of(d)))
        if jwk.get("x") != key.public_jwk["x"]:
            raise ValueError("privateKey: its x and d are not an Ed25519 key pair")
        return key

    @cached_property
    def public_jwk(self) -> dict[str, str]:
        x = self.private_key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return {"kty": "OKP", "crv": "Ed25519", "x": _base64url(x)}

    @property
    def private_jwk(self) -> dict[str, str]:
        d = self.private_key.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
        return {**self.public_jwk, "d": _base64url(d)}

    @cached_property
    def kid(self) -> str:
        """RFC 7638 thumbprint of the public key."""
        return _base64url(hashlib.sha256(_json(dict(sorted(self.public_jwk.items())))).digest())

    def prove(self, method: str, url: str, body: bytes, now_s: float, nonce: str | None = None) -> str:
        """Value of the `Authorization` header for one request, once.

        url: without query. now_s: epoch seconds. nonce: 16 random bytes or more in base64url; fresh ones by default.
        """
        claims = {
            "sub": self.client,
            "htm": method,
            "htu": url,
            "digest": _base64url(hashlib.sha256(body).digest()),
            "iat": int(now_s),
            "jti": nonce or secrets.token_urlsafe(16),
        }
        return f"Tributary {self._sign('tributary-proof+jwt', claims)}"

    def state(self, *, task: str, ticket: str, base_version: int, size: int, sha256: str, examples: int) -> str:
        """Signs what an update of `size` bytes is. The same statement is the same text: a compact JWS."""
        claims = {
            "sub": self.client,
            "task": task,
            "ticket": ticket,
            "baseVersion": base_version,
            "bytes": size,
            "sha256": sha256,
            "examples": examples,
        }
        return self._sign("tributary-update+jwt", claims)

    def _sign(self, typ: str, claims: Mapping[str, object]) -> str:
        header = {"alg": "Ed25519", "typ": typ, "kid": self.kid}
        text = f"{_base64url(_json(header))}.{_base64url(_json(claims))}"
        return f"{text}.{_base64url(self.private_key.sign(text.encode()))}"


def _json(value: Mapping[str, object]) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _bytes_of(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
