"""Writes client-wire.json: what clients in every language put on the wire, byte for byte.

    python -m venv venv && venv/bin/pip install cryptography numpy ml_dtypes
    venv/bin/python test/vectors/wire/client-wire.py

Written from docs/decisions/0010 and the RFCs, with none of the clients' code. Ed25519 signatures have no randomness of
their own, and the nonces are fixed here.
"""

import base64
import hashlib
import json
import pathlib

import ml_dtypes
import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


def base64url(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def compact(value):
    return json.dumps(value, separators=(",", ":")).encode()


# RFC 8037, appendix A.1: the key; A.3: its thumbprint; A.4: a signature by it.
D = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"
X = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
KID = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
private = Ed25519PrivateKey.from_private_bytes(base64.urlsafe_b64decode(D + "="))
assert base64url(private.public_key().public_bytes_raw()) == X
assert base64url(hashlib.sha256(compact({"crv": "Ed25519", "kty": "OKP", "x": X})).digest()) == KID
RFC_TEXT = b"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc"
RFC_SIGNATURE = "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
assert base64url(private.sign(RFC_TEXT)) == RFC_SIGNATURE


def jws(typ, claims):
    header = {"alg": "Ed25519", "typ": typ, "kid": KID}
    text = f"{base64url(compact(header))}.{base64url(compact(claims))}"
    return f"{text}.{base64url(private.sign(text.encode()))}"


CLIENT = "hospital-7"
NOW_MS = 1_790_000_000_123


def proof(method, url, body, nonce):
    claims = {
        "sub": CLIENT,
        "htm": method,
        "htu": url,
        "digest": base64url(hashlib.sha256(body.encode()).digest()),
        "iat": NOW_MS // 1000,
        "jti": base64url(nonce),
    }
    authorization = f"Tributary {jws('tributary-proof+jwt', claims)}"
    return {"method": method, "url": url, "body": body, "nonce": claims["jti"], "authorization": authorization}


def safetensors(header, *sections):
    text = compact(header)
    text += b" " * (-len(text) % 8)
    return base64.b64encode(len(text).to_bytes(8, "little") + text + b"".join(sections)).decode()


# Sorted by name, whatever the order of the model's own tensors.
SHAPES = {"fc.weight": [2, 3], "fc.bias": [2]}
VALUES = np.array([1, -2.5, 3e-8, 0, -0.0, 1e30, 0.1, 7], "<f4")
METADATA = {"task": "digits", "baseVersion": "3", "examples": "600"}
header = {
    "__metadata__": {"baseVersion": "3", "codec": "float32", "examples": "600", "task": "digits"},
    "fc.bias": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]},
    "fc.weight": {"dtype": "F32", "shape": [2, 3], "data_offsets": [8, 32]},
}
file = safetensors(header, VALUES.tobytes())


def encoded(codec, values, frame):
    canonical = compact(dict(sorted(codec.items()))).decode()
    metadata = {**METADATA, "codec": canonical, "parameters": str(len(values)), "chunkSize": "65536"}
    header = {
        "__metadata__": dict(sorted(metadata.items())),
        "shared": {"dtype": "U8", "shape": [0], "data_offsets": [0, 0]},
        "frames": {"dtype": "U8", "shape": [len(frame)], "data_offsets": [0, len(frame)]},
    }
    return {"codec": codec, "values": [repr(float(v)) for v in values], "file": safetensors(header, frame)}


def quantised(kind, block, levels, codes, scales):
    """Values on the grid, scale times an integer up to `levels`: they need no rounding, however it is drawn."""
    codes, scales = np.array(codes, np.int8), np.array(scales, "<f4")
    values = codes.astype(np.float32) * np.repeat(scales, block)[: len(codes)]
    assert all(np.abs(codes[i : i + block]).max() in (0, levels) for i in range(0, len(codes), block))
    if kind == "int4":
        low, high = codes[0::2], np.append(codes[1::2], np.zeros(len(codes) % 2, np.int8))
        stored = bytes(int(a) & 15 | (int(b) & 15) << 4 for a, b in zip(low, high, strict=True))
    else:
        stored = codes.tobytes()
    codec = {"kind": kind, "block": block, "rotate": False, "compress": "none"}
    return encoded(codec, values, scales.tobytes() + stored)


# Ties of the rounding, subnormal halves, the largest half.
HALVES = np.array([0.1, -1 / 3, 1 + 2**-11, 1 + 3 * 2**-11, 3e-8, -6e-8, 65_504, 0, 2**-14, 1e-5], "<f4")
BFLOATS = np.array([0.1, -1 / 3, 1 + 2**-8, 1 + 3 * 2**-8, 1e-39, -3e38 / 1e9, 7, 0], "<f4")
ramp = [(i * 37) % 255 - 127 for i in range(70)]
nibbles = [(i * 5) % 15 - 7 for i in range(67)]
codecs = [
    encoded({"kind": "fp16", "compress": "none"}, HALVES, HALVES.astype("<f2").tobytes()),
    encoded({"kind": "bf16", "compress": "none"}, BFLOATS, BFLOATS.astype(ml_dtypes.bfloat16).view("<u2").tobytes()),
    quantised("int8", 32, 127, [127, *ramp[1:32], *[0] * 32, -127, *ramp[65:]], [2**-7, 0, 2**-20]),
    quantised("int4", 32, 7, [7, *nibbles[1:32], -7, *nibbles[33:64], 1, 7, -7], [2**-7, 2**-3, 2**-20]),
]
statement = {
    "sub": CLIENT,
    "task": "digits",
    "ticket": "t" * 43,
    "baseVersion": 3,
    "bytes": 176,
    "sha256": "ab" * 32,
    "examples": 600,
}
vectors = {
    "source": "client-wire.py; the key, its thumbprint and a signature: RFC 8037, appendix A.1, A.3 and A.4",
    "keyFile": {
        "endpoint": "https://federation.example",
        "client": CLIENT,
        "privateKey": {"kty": "OKP", "crv": "Ed25519", "d": D, "x": X},
    },
    "kid": KID,
    "nowMs": NOW_MS,
    "proofs": [
        proof("POST", "https://federation.example/v1/tasks/digits/tickets", "{}", bytes(range(16))),
        proof("GET", "https://federation.example/v1/tickets/abc", "", bytes(range(16, 32))),
    ],
    "statement": {"claims": statement, "jws": jws("tributary-update+jwt", statement)},
    "update": {"shapes": SHAPES, "values": [repr(float(v)) for v in VALUES], "metadata": METADATA, "file": file},
    "codecs": codecs,
}
pathlib.Path(__file__).with_suffix(".json").write_text(json.dumps(vectors, indent=2) + "\n")
