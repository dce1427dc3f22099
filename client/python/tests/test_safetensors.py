from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from tributary_client import Layout, TributaryError, safetensors

LAYOUT = Layout.of({"b": (2, 3), "a": (2,), "empty": (0, 4), "scalar": ()})
VALUES = np.arange(LAYOUT.size, dtype=np.float32)
FILE = safetensors.encode(LAYOUT, VALUES, {"task": "t"})


def file_of(header: Any, data: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


def tensor(shape: list[Any], begin: Any, end: Any, dtype: str = "F32") -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


def test_tensors_lie_by_name_one_after_the_other() -> None:
    assert [(t.name, t.offset, t.size) for t in LAYOUT.tensors] == [
        ("a", 0, 2),
        ("b", 2, 6),
        ("empty", 8, 0),
        ("scalar", 8, 1),
    ]


def test_names_sort_as_javascript_sorts_them() -> None:
    # U+FF5E comes after U+1F600 in UTF-16, whose first half is D83D, and before it in code points.
    assert [t.name for t in Layout.of({"\uff5e": (1,), "\U0001f600": (1,)}).tensors] == ["\U0001f600", "\uff5e"]


def test_what_is_written_is_read() -> None:
    layout, values, metadata = safetensors.decode(FILE)
    assert layout == LAYOUT
    assert values.tobytes() == VALUES.tobytes()
    assert metadata == {"task": "t"}
    values[0] = 5  # the caller's own memory


def test_split_gives_views_and_join_takes_them_back() -> None:
    parts = LAYOUT.split(VALUES)
    assert parts["b"].shape == (2, 3)
    assert np.shares_memory(parts["b"], VALUES)
    assert np.array_equal(LAYOUT.join(parts), VALUES)
    with pytest.raises(ValueError, match=r"b: expected shape \(2, 3\), got shape \(6,\)"):
        LAYOUT.join({**parts, "b": parts["b"].ravel()})
    with pytest.raises(ValueError, match="scalar: expected shape"):
        LAYOUT.join({k: v for k, v in parts.items() if k != "scalar"})


@pytest.mark.parametrize("length", range(len(FILE)))
def test_a_file_that_is_cut_off_anywhere_is_refused(length: int) -> None:
    with pytest.raises(TributaryError, match="safetensors-malformed"):
        safetensors.decode(FILE[:length])


@pytest.mark.parametrize(
    "hostile",
    [
        pytest.param(FILE + b"\0", id="bytes at the end"),
        pytest.param((2**63).to_bytes(8, "little") + b"{}", id="a header of 2^63 bytes"),
        pytest.param(file_of(b'{"a":' * 20_000), id="deep nesting"),
        pytest.param(file_of(b"\xff\xfe{}"), id="not UTF-8"),
        pytest.param(file_of(b"[1]  "), id="a list"),
        pytest.param(file_of({"a": tensor([10**9] * 16, 0, 4)}, bytes(4)), id="1e9 in each of 16 dimensions"),
        pytest.param(file_of({"a": tensor([10**9], 0, 4 * 10**9)}, bytes(4)), id="1e9 elements, 4 bytes"),
        pytest.param(file_of({"a": tensor([2**60], 0, 4)}, bytes(4)), id="a dimension beyond 2^53"),
        pytest.param(file_of({"a": tensor([1] * 17, 0, 4)}, bytes(4)), id="17 dimensions"),
        pytest.param(file_of({"a": tensor([-1], 0, 4)}, bytes(4)), id="a negative dimension"),
        pytest.param(file_of({"a": tensor([True], 0, 4)}, bytes(4)), id="a boolean dimension"),
        pytest.param(file_of({"a": tensor([1.5], 0, 6)}, bytes(6)), id="a fraction"),
        pytest.param(file_of({"a": tensor([1], 4, 8)}, bytes(8)), id="a gap"),
        pytest.param(file_of({"a": tensor([2], 0, 8), "b": tensor([1], 4, 8)}, bytes(8)), id="an overlap"),
        pytest.param(file_of({"b": tensor([1], 0, 4), "a": tensor([1], 4, 8)}, bytes(8)), id="another order"),
        pytest.param(file_of({"a": tensor([1], 0, 2, "F16")}, bytes(2)), id="another type"),
        pytest.param(file_of({"a": [1]}), id="a tensor that is a list"),
        pytest.param(file_of({"": tensor([1], 0, 4)}, bytes(4)), id="no name"),
        pytest.param(file_of({"__metadata__": {"a": 1}}), id="metadata that is no text"),
        pytest.param(
            file_of(b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],'
                    b'"data_offsets":[0,4]}}', bytes(4)),
            id="a name twice",
        ),
        pytest.param(file_of(b'{"a":{"dtype":"F32","shape":[' + b"9" * 5000 + b"]}}"), id="digits"),
    ],
)  # fmt: skip
def test_a_hostile_file_is_refused(hostile: bytes) -> None:
    with pytest.raises(TributaryError, match="safetensors-malformed"):
        safetensors.decode(hostile)
