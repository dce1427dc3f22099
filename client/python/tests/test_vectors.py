"""What clients in every language put on the wire: test/client/client-wire.vectors.test.ts checks the same file."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tributary_client import ClientKey, Layout, safetensors
from tributary_client.update_codec import write_update

RNG = np.random.default_rng(1)


@pytest.fixture(scope="module")
def key(vectors: dict[str, Any]) -> ClientKey:
    return ClientKey.from_jwk(vectors["keyFile"]["client"], vectors["keyFile"]["privateKey"])


def test_a_key_has_the_thumbprint_of_rfc_8037(key: ClientKey, vectors: dict[str, Any]) -> None:
    assert key.kid == vectors["kid"]


def test_a_proof_is_that_of_every_client(key: ClientKey, vectors: dict[str, Any]) -> None:
    for proof in vectors["proofs"]:
        made = key.prove(proof["method"], proof["url"], proof["body"].encode(), vectors["nowMs"] / 1000, proof["nonce"])
        assert made == proof["authorization"]


def test_a_statement_is_that_of_every_client(key: ClientKey, vectors: dict[str, Any]) -> None:
    claims = vectors["statement"]["claims"]
    made = key.state(
        task=claims["task"],
        ticket=claims["ticket"],
        base_version=claims["baseVersion"],
        size=claims["bytes"],
        sha256=claims["sha256"],
        examples=claims["examples"],
    )
    assert made == vectors["statement"]["jws"]


def test_an_update_in_plain_float32_is_the_same_file_from_every_client(vectors: dict[str, Any]) -> None:
    update = vectors["update"]
    file = base64.b64decode(update["file"])
    layout, values = Layout.of(update["shapes"]), np.array([float(v) for v in update["values"]], np.float32)
    assert write_update({"kind": "float32"}, layout, values, update["metadata"], RNG) == (file, None)
    found, read, metadata = safetensors.decode(file)
    assert found == layout
    assert read.tobytes() == values.tobytes()
    assert metadata == {**update["metadata"], "codec": "float32"}


@pytest.mark.parametrize("number", range(4))
def test_an_update_in_a_codec_is_the_same_file_from_every_client(number: int, vectors: dict[str, Any]) -> None:
    case = vectors["codecs"][number]
    values = np.array([float(v) for v in case["values"]], np.float32)
    layout = Layout.of({"w": (len(values),)})
    made, codec = write_update(case["codec"], layout, values, vectors["update"]["metadata"], RNG)
    assert made == base64.b64decode(case["file"])
    assert codec == case["codec"]


def test_a_key_file_of_another_language_is_read(tmp_path: Path, vectors: dict[str, Any]) -> None:
    from tributary_client import KeyFile

    path = tmp_path / "key.json"
    path.write_text(json.dumps(vectors["keyFile"]))
    path.chmod(0o600)
    file = KeyFile(path)
    assert file.load().kid == vectors["kid"]
    assert file.endpoint == "https://federation.example"
