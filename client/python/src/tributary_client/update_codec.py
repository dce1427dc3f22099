"""Updates as files: plain float32, or in the task's codec where that needs no memory of what it left out.

Written here are float32, fp16, bf16, int8 and int4 without rotation, with no lossless stage or zlib's. A task that
asks for anything else gets the nearest of these, or plain float32. Format: Tributary's shared/wire/encoded-update.ts.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from . import safetensors
from .errors import TributaryError
from .safetensors import Layout, Vector, header_bytes, utf16_order

Codec = Mapping[str, object]
#: Elements that one frame holds.
_CHUNK = 65_536
#: From here on, sums within a codec could pass float32's range.
_TOO_LARGE = 2.0**100

Frame = Callable[[Vector, Codec, np.random.Generator], bytes]


def write_update(
    asked: Codec, layout: Layout, vector: Vector, metadata: Mapping[str, str], rng: np.random.Generator
) -> tuple[bytes, Codec | None]:
    """The update's file, and the codec that it is written in: None for plain float32.

    asked: the ticket's codec. vector: [layout.size], finite. rng: of the stochastic rounding of int8 and int4.
    Raises TributaryError `codec-overflow` for values of 2^100 and more, or of 65,520 and more in fp16.
    """
    codec = writable(asked)
    if codec is None:
        return safetensors.encode(layout, vector, {**metadata, "codec": "float32"}), None
    layout.check(vector)
    if np.any(np.abs(vector) >= _TOO_LARGE):
        raise TributaryError(
            "codec-overflow", f"the update has a value of {np.abs(vector).max():.3g}; try a lower rate"
        )
    write = _FRAMES[str(codec["kind"])]
    frames = [write(vector[i : i + _CHUNK], codec, rng) for i in range(0, layout.size, _CHUNK)]
    if codec["compress"] == "deflate":
        frames = [zlib.compress(frame) for frame in frames]
    return _file(codec, layout.size, frames, metadata), codec


def writable(asked: Codec) -> Codec | None:
    """What comes nearest to the codec that is asked for; None for plain float32."""
    kind = asked.get("kind")
    if not isinstance(kind, str) or kind not in _FRAMES:
        return None
    codec: dict[str, object] = {"kind": kind, "compress": "deflate" if asked.get("compress") == "deflate" else "none"}
    if kind in ("int8", "int4"):
        block = asked.get("block")
        if type(block) is not int or block < 2 or block % 2:
            return None
        codec |= {"block": block, "rotate": False}
    return None if codec == {"kind": "float32", "compress": "none"} else dict(sorted(codec.items()))


def _float32(values: Vector, _codec: Codec, _rng: np.random.Generator) -> bytes:
    return values.astype("<f4").tobytes()


def _fp16(values: Vector, _codec: Codec, _rng: np.random.Generator) -> bytes:
    """IEEE 754 binary16, rounded to nearest, ties to even."""
    if np.any(np.abs(values) >= 65_520):
        raise TributaryError("codec-overflow", f"{np.abs(values).max():.6g} is too large for fp16")
    return values.astype("<f2").tobytes()


def _bf16(values: Vector, _codec: Codec, _rng: np.random.Generator) -> bytes:
    """The upper half of a float32, rounded to nearest, ties to even."""
    bits = values.astype("<f4").view("<u4")
    upper: NDArray[np.uint16] = ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype("<u2")
    return upper.tobytes()


def _int8(values: Vector, codec: Codec, rng: np.random.Generator) -> bytes:
    scales, codes = _quantised(values, codec, 127, rng)
    return scales + codes.tobytes()


def _int4(values: Vector, codec: Codec, rng: np.random.Generator) -> bytes:
    """Two's complement nibbles, the even element in the low one."""
    scales, codes = _quantised(values, codec, 7, rng)
    nibbles = np.append(codes, np.zeros(len(codes) % 2, np.int8)).view(np.uint8) & 0xF
    return scales + (nibbles[0::2] | (nibbles[1::2] << 4)).tobytes()


_FRAMES: Mapping[str, Frame] = {"float32": _float32, "fp16": _fp16, "bf16": _bf16, "int8": _int8, "int4": _int4}


def _quantised(values: Vector, codec: Codec, levels: int, rng: np.random.Generator) -> tuple[bytes, NDArray[np.int8]]:
    """A float32 scale a block, at least max|x| / levels, and codes [n], rounded stochastically (arXiv:1610.02132)."""
    block = codec["block"]
    assert isinstance(block, int)
    exact = values.astype(np.float64)
    starts = np.arange(0, len(exact), block)
    largest = np.maximum.reduceat(np.abs(exact), starts)
    scales = (largest / levels).astype("<f4")
    # Rounded up, so that no |x| / scale exceeds `levels`.
    scales = np.where(scales.astype(np.float64) * levels < largest, np.nextafter(scales, np.float32(np.inf)), scales)
    per_value = np.repeat(scales.astype(np.float64), block)[: len(exact)]
    quotients = np.divide(exact, per_value, out=np.zeros_like(exact), where=per_value > 0)
    # 127 and the largest number below one add up to 128 in floating point.
    codes = np.minimum(np.floor(quotients + rng.random(len(exact))), levels)
    return scales.astype("<f4").tobytes(), codes.astype(np.int8)


def _file(codec: Codec, parameters: int, frames: list[bytes], metadata: Mapping[str, str]) -> bytes:
    """safetensors of `index` (where frames vary in length), `shared` (empty here) and `frames`."""
    texts = {
        **metadata,
        "codec": json.dumps(codec, separators=(",", ":"), sort_keys=True),
        "parameters": str(parameters),
        "chunkSize": str(_CHUNK),
    }
    ends = np.cumsum([0, *map(len, frames)]).astype("<u8")
    index = ends.tobytes() if codec["compress"] != "none" else b""
    header: dict[str, object] = {"__metadata__": {key: texts[key] for key in sorted(texts, key=utf16_order)}}
    if index:
        header["index"] = {"dtype": "U64", "shape": [len(ends)], "data_offsets": [0, len(index)]}
    header["shared"] = {"dtype": "U8", "shape": [0], "data_offsets": [len(index), len(index)]}
    total = int(ends[-1])
    header["frames"] = {"dtype": "U8", "shape": [total], "data_offsets": [len(index), len(index) + total]}
    return header_bytes(header) + index + b"".join(frames)
