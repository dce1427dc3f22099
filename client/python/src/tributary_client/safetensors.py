"""safetensors, the float32 subset that Tributary writes.

Eight bytes of header length, a JSON header, then the tensors without gaps: one flat float32 vector.
Format: https://github.com/huggingface/safetensors#format
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .errors import TributaryError

Vector = NDArray[np.float32]
_MOST_HEADER_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True)
class Tensor:
    """One parameter: `offset` and `size` count elements of the flat vector."""

    name: str
    shape: tuple[int, ...]
    offset: int
    size: int


@dataclass(frozen=True)
class Layout:
    """Where each tensor lies in a flat vector of `size` elements, in order."""

    tensors: tuple[Tensor, ...]

    @property
    def size(self) -> int:
        return sum(tensor.size for tensor in self.tensors)

    @staticmethod
    def of(shapes: Mapping[str, tuple[int, ...]]) -> Layout:
        tensors, offset = [], 0
        for name, shape in shapes.items():
            size = math.prod(shape)
            tensors.append(Tensor(name, tuple(shape), offset, size))
            offset += size
        return Layout(tuple(tensors))

    def split(self, vector: Vector) -> dict[str, Vector]:
        """Views of a flat vector by name, each in its tensor's shape."""
        self._check(vector)
        return {t.name: vector[t.offset : t.offset + t.size].reshape(t.shape) for t in self.tensors}

    def join(self, arrays: Mapping[str, NDArray[np.generic]]) -> Vector:
        """A new flat vector of arrays by name. Raises ValueError where one is missing or has another shape."""
        vector = np.empty(self.size, np.float32)
        for tensor in self.tensors:
            array = arrays.get(tensor.name)
            if array is None or tuple(array.shape) != tensor.shape:
                found = "nothing" if array is None else f"shape {tuple(array.shape)}"
                raise ValueError(f"{tensor.name}: expected shape {tensor.shape}, got {found}")
            vector[tensor.offset : tensor.offset + tensor.size] = np.asarray(array, np.float32).ravel()
        return vector

    def _check(self, vector: Vector) -> None:
        if vector.shape != (self.size,):
            raise ValueError(f"expected a vector of {self.size} values, got shape {vector.shape}")


def encode(layout: Layout, vector: Vector, metadata: Mapping[str, str]) -> bytes:
    """A whole file. Raises ValueError unless the vector has the layout's size."""
    layout._check(vector)
    header: dict[str, object] = {}
    if metadata:
        header["__metadata__"] = dict(sorted(metadata.items()))
    for tensor in layout.tensors:
        offsets = [4 * tensor.offset, 4 * (tensor.offset + tensor.size)]
        header[tensor.name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": offsets}
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + np.ascontiguousarray(vector, "<f4").tobytes()


def decode(data: bytes) -> tuple[Layout, Vector, dict[str, str]]:
    """Layout, a writable copy of the values, and metadata. Raises TributaryError `safetensors-malformed`."""
    if len(data) < 8:
        raise _malformed(f"{len(data)} bytes, expected at least 8")
    length = int.from_bytes(data[:8], "little")
    if not 2 <= length <= min(_MOST_HEADER_BYTES, len(data) - 8):
        raise _malformed(f"a header of {length} bytes in a file of {len(data)}")
    try:
        header = json.loads(data[8 : 8 + length].decode("utf-8"))
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise _malformed("the header is not UTF-8 JSON") from error
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
    tensors: list[Tensor] = []
    for name, entry in header.items():
        if not isinstance(entry, dict) or entry.get("dtype") != "F32":
            raise _malformed(f'"{name}" is no float32 tensor')
        shape, offsets = entry.get("shape"), entry.get("data_offsets")
        if not _are_counts(shape) or not _are_counts(offsets) or len(offsets) != 2:
            raise _malformed(f'"{name}" has no shape or no offsets')
        size = math.prod(shape)
        if offsets[0] % 4 or offsets[1] - offsets[0] != 4 * size:
            raise _malformed(f'"{name}" takes {offsets[1] - offsets[0]} bytes, its shape {4 * size}')
        tensors.append(Tensor(name, tuple(shape), offsets[0] // 4, size))
    tensors.sort(key=lambda tensor: (tensor.offset, tensor.size))
    end = 0
    for tensor in tensors:
        if tensor.offset != end:
            raise _malformed(f'"{tensor.name}" begins at element {tensor.offset}, expected {end}')
        end += tensor.size
    return Layout(tuple(tensors))


def _are_counts(value: object) -> bool:
    return isinstance(value, list) and all(type(each) is int and 0 <= each < 2**53 for each in value)


def _malformed(message: str) -> TributaryError:
    return TributaryError("safetensors-malformed", message)
