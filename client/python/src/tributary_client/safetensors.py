"""safetensors, the float32 subset that Tributary writes.

Eight bytes of header length, a JSON header, then the tensors by name without gaps: one flat float32 vector.
Format: https://github.com/huggingface/safetensors#format
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import TributaryError

Vector = NDArray[np.float32]
_MOST_HEADER_BYTES = 16 * 1024 * 1024
_MOST_AXES = 16


@dataclass(frozen=True)
class Tensor:
    """One parameter: `offset` and `size` count elements of the flat vector."""

    name: str
    shape: tuple[int, ...]
    offset: int
    size: int


@dataclass(frozen=True)
class Layout:
    """Where each tensor of a model lies in a flat vector of `size` elements: by name, as everywhere in Tributary."""

    tensors: tuple[Tensor, ...]

    @property
    def size(self) -> int:
        return sum(tensor.size for tensor in self.tensors)

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        return {tensor.name: tensor.shape for tensor in self.tensors}

    @staticmethod
    def of(shapes: Mapping[str, Iterable[int]]) -> Layout:
        """The layout of tensors of these shapes. Raises ValueError on an empty name."""
        tensors: list[Tensor] = []
        offset = 0
        for name in sorted(shapes, key=utf16_order):
            if not name:
                raise ValueError("a tensor has an empty name")
            shape = tuple(shapes[name])
            tensors.append(Tensor(name, shape, offset, math.prod(shape)))
            offset += tensors[-1].size
        return Layout(tuple(tensors))

    def split(self, vector: Vector) -> dict[str, Vector]:
        """Views of a flat vector by name, each in its tensor's shape. Raises ValueError on another length."""
        self.check(vector)
        return {t.name: vector[t.offset : t.offset + t.size].reshape(t.shape) for t in self.tensors}

    def join(self, arrays: Mapping[str, NDArray[Any]]) -> Vector:
        """A new flat vector of arrays by name. Raises ValueError where one is missing or has another shape."""
        vector = np.empty(self.size, np.float32)
        for tensor in self.tensors:
            array = arrays.get(tensor.name)
            if array is None or tuple(array.shape) != tensor.shape:
                found = "nothing" if array is None else f"shape {tuple(array.shape)}"
                raise ValueError(f"{tensor.name}: expected shape {tensor.shape}, got {found}")
            vector[tensor.offset : tensor.offset + tensor.size] = np.asarray(array, np.float32).ravel()
        return vector

    def check(self, vector: Vector) -> None:
        """Raises ValueError unless the vector is [size]."""
        if vector.shape != (self.size,):
            raise ValueError(f"expected a vector of {self.size} values, got shape {vector.shape}")


def utf16_order(name: str) -> bytes:
    """Sorts as JavaScript does, by UTF-16 code units; Python's own order is by code points."""
    return name.encode("utf-16-be", "surrogatepass")


def encode(layout: Layout, vector: Vector, metadata: Mapping[str, str] | None = None) -> bytes:
    """A whole file. Raises ValueError unless the vector is [layout.size]."""
    layout.check(vector)
    header: dict[str, object] = {}
    if metadata:
        header["__metadata__"] = {key: metadata[key] for key in sorted(metadata, key=utf16_order)}
    for tensor in layout.tensors:
        offsets = [4 * tensor.offset, 4 * (tensor.offset + tensor.size)]
        header[tensor.name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": offsets}
    return header_bytes(header) + np.ascontiguousarray(vector, "<f4").tobytes()


def encode_labelled(x: NDArray[Any], y: NDArray[Any]) -> bytes:
    """A labelled set as a file, as a task's `heldOut` takes it: x [n, ...], y [n] classes or [n, outputs] values."""
    layout = Layout.of({"x": x.shape, "y": y.shape})
    return encode(layout, layout.join({"x": x, "y": y}))


def header_bytes(header: Mapping[str, object]) -> bytes:
    """A file's start: the header's length, and the header, padded with spaces to a multiple of 8 bytes."""
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text


def decode(data: bytes) -> tuple[Layout, Vector, dict[str, str]]:
    """Layout, a copy of the values [layout.size], and metadata. Raises TributaryError `safetensors-malformed`."""
    if len(data) < 8:
        raise _malformed(f"{len(data)} bytes, expected at least 8")
    length = int.from_bytes(data[:8], "little")
    if not 2 <= length <= min(_MOST_HEADER_BYTES, len(data) - 8):
        raise _malformed(f"a header of {length} bytes in a file of {len(data)}")
    try:
        header = json.loads(data[8 : 8 + length].decode("utf-8"), object_pairs_hook=_without_duplicates)
    except (ValueError, RecursionError) as error:
        raise _malformed(f"the header is not UTF-8 JSON: {error}") from error
    if not isinstance(header, dict):
        raise _malformed("the header is not a JSON object")
    metadata = header.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise _malformed("__metadata__ is not a map of strings")
    layout = _layout_of(header)
    if 8 + length + 4 * layout.size != len(data):
        raise _malformed(f"{len(data)} bytes, the header declares {8 + length + 4 * layout.size}")
    return layout, np.frombuffer(data, "<f4", layout.size, 8 + length).astype(np.float32), metadata


def _layout_of(header: Mapping[str, object]) -> Layout:
    shapes: dict[str, tuple[int, ...]] = {}
    places: dict[str, tuple[int, ...]] = {}
    for name, entry in header.items():
        if not isinstance(entry, dict) or entry.get("dtype") != "F32":
            raise _malformed(f"{name!r} is no float32 tensor")
        shape, offsets = _counts(entry.get("shape")), _counts(entry.get("data_offsets"))
        if shape is None or len(shape) > _MOST_AXES or offsets is None or len(offsets) != 2:
            raise _malformed(f"{name!r} has no shape or no offsets")
        shapes[name], places[name] = shape, offsets
    try:
        layout = Layout.of(shapes)
    except ValueError as error:
        raise _malformed(str(error)) from error
    for tensor in layout.tensors:
        expected = (4 * tensor.offset, 4 * (tensor.offset + tensor.size))
        if places[tensor.name] != expected:
            raise _malformed(f"{tensor.name!r} lies at {places[tensor.name]}, expected {expected}")
    return layout


def _counts(value: object) -> tuple[int, ...] | None:
    if not isinstance(value, list) or not all(type(each) is int and 0 <= each < 2**53 for each in value):
        return None
    return tuple(value)


def _without_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name appears twice")
    return found


def _malformed(message: str) -> TributaryError:
    return TributaryError("safetensors-malformed", message)
