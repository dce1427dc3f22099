"""One client's federation, which verifies proofs with `cryptography`: its key, its clock, its codes, lost answers."""

from __future__ import annotations

import base64
import hashlib
import json
from email.utils import formatdate
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from fake_server import answer, lost, problem

from tributary_client.transport import Request, Response

Jwk = dict[str, str]


class FakeFederation:
    def __init__(self, registered: Jwk | None = None) -> None:
        self.registered = registered
        self.now_s = 1_790_000_000.0
        #: code -> [client, thumbprint of the key that used it]
        self.codes: dict[str, list[str]] = {}
        #: Claims of the proofs that were taken.
        self.taken: list[dict[str, Any]] = []
        self.refused = 0
        #: The next answers that the client does not get.
        self.lose = 0
        #: Keys that were replaced.
        self.replaced: list[str] = []

    def __call__(self, request: Request) -> Response:
        found = self._answer(request)
        self.refused += found.status == 403
        if self.lose > 0:
            self.lose -= 1
            raise lost()
        return Response(found.status, {**found.headers, "date": formatdate(self.now_s, usegmt=True)}, found.body)

    def _answer(self, request: Request) -> Response:
        content = json.loads(request.body) if request.body else {}
        enrolling = request.url.endswith("/v1/enrolments")
        jwk = content.get("publicKey") if enrolling else self.registered
        claims = jwk and self._verify(request.headers.get("authorization", ""), jwk, request, request.body or b"")
        if not claims:
            return answer(403, {"message": "Forbidden"})
        self.taken.append(claims)
        if enrolling:
            return self._enrol(content)
        if request.url.endswith("/v1/keys"):
            return self._rotate(content, request)
        return problem(404, "ticket-unknown")

    def _enrol(self, content: dict[str, Any]) -> Response:
        invitation = self.codes.get(content["code"])
        if not invitation or invitation[0] != content["client"]:
            return problem(404, "invitation-unknown")
        if invitation[1:] not in ([], [content["publicKey"]["x"]]):
            return problem(409, "invitation-used")
        invitation[1:] = [content["publicKey"]["x"]]
        self.registered = content["publicKey"]
        return answer(201, {"client": content["client"]})

    def _rotate(self, content: dict[str, Any], request: Request) -> Response:
        if content["publicKey"]["x"] in self.replaced:
            return problem(409, "key-replaced")
        if not self._verify(content["proof"], content["publicKey"], request, b""):
            return problem(403, "proof-forged")
        assert self.registered
        self.replaced.append(self.registered["x"])
        self.registered = content["publicKey"]
        return answer(201, {"client": "ann"})

    def _verify(self, authorization: str, jwk: Jwk, request: Request, body: bytes) -> dict[str, Any] | None:
        scheme, _, jws = authorization.partition(" ")
        header, payload, signature = jws.split(".")
        try:
            key = Ed25519PublicKey.from_public_bytes(_decoded(jwk["x"]))
            key.verify(_decoded(signature), f"{header}.{payload}".encode())
        except InvalidSignature:
            return None
        claims: dict[str, Any] = json.loads(_decoded(payload))
        digest = base64.urlsafe_b64encode(hashlib.sha256(body).digest()).decode().rstrip("=")
        fresh = abs(claims["iat"] - self.now_s) <= 60 and claims["jti"] not in [each["jti"] for each in self.taken]
        same = (claims["htm"], claims["htu"], claims["digest"]) == (request.method, request.url, digest)
        typ = json.loads(_decoded(header))["typ"] == "tributary-proof+jwt"
        return claims if scheme == "Tributary" and typ and fresh and same else None


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
