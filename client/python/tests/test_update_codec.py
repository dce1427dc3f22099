from __future__ import annotations

from typing import Any

import codec as reader  # test/vectors/codec.py: reads encoded updates with NumPy alone
import numpy as np
import pytest

from tributary_client import Layout, TributaryError
from tributary_client.update_codec import writable, write_update

ABOUT = {"task": "t", "baseVersion": "3", "examples": "10"}


def written(asked: dict[str, Any], values: np.ndarray[Any, Any], seed: int = 1) -> Any:
    layout = Layout.of({"w": (len(values),)})
    file, codec = write_update(asked, layout, values, ABOUT, np.random.default_rng(seed))
    assert codec is not None
    return reader.decode(file, [("w", [len(values)])])


@pytest.mark.parametrize("compress", ["none", "deflate"])
@pytest.mark.parametrize(
    ("asked", "bound"),
    [
        ({"kind": "fp16"}, 2**-11),
        ({"kind": "bf16"}, 2**-8),
        ({"kind": "int8", "block": 256, "rotate": False}, 0.05),
        ({"kind": "int8", "block": 256, "rotate": True}, 0.05),
        ({"kind": "int4", "block": 64, "rotate": False}, 0.6),
    ],
)
def test_another_reader_finds_the_values_again(asked: dict[str, Any], bound: float, compress: str) -> None:
    # Three frames, the last incomplete and of an odd length.
    values = np.random.default_rng(7).normal(0, 1, 2 * 65_536 + 4_321).astype(np.float32)
    found = written({**asked, "compress": compress}, values)
    relative = asked["kind"] in ("fp16", "bf16")
    # Below 2^-14, halves lie 2^-24 apart.
    assert (np.abs(found - values) <= bound * (np.abs(values) if relative else 1) + 2**-25).all()


def test_deflated_float32_is_exact() -> None:
    values = np.random.default_rng(7).normal(0, 1, 70_000).astype(np.float32)
    assert written({"kind": "float32", "compress": "deflate"}, values).tobytes() == values.tobytes()


@pytest.mark.parametrize(("kind", "levels"), [("int8", 127), ("int4", 7)])
def test_stochastic_rounding_is_unbiased(kind: str, levels: int) -> None:
    values = np.linspace(-1, 1, 33, dtype=np.float32)
    runs = 400
    asked = {"kind": kind, "block": 64, "rotate": False}
    mean = np.mean([written(asked, values, seed) for seed in range(runs)], axis=0)
    # The variance is at most (1 / levels)^2 / 4 a value: five standard deviations of the mean.
    assert np.abs(mean - values).max() < 5 * (1 / levels) / 2 / np.sqrt(runs)


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"kind": "float32", "compress": "none"},
        {"kind": "float32", "compress": "zstd"},
        {"kind": "top-k", "fraction": 0.1, "compress": "none"},
        {"kind": "sign", "block": 64, "rotate": False, "compress": "none"},
        {"kind": ["int8"]},
        {"kind": "int8", "block": 31},
        {"kind": "a codec of tomorrow"},
    ],
)
def test_a_codec_that_is_not_written_here_becomes_plain_float32(asked: dict[str, Any]) -> None:
    assert writable(asked) is None


def test_what_is_near_the_codec_asked_for_is_said_as_it_is() -> None:
    asked = {"kind": "int8", "rotate": True, "block": 256, "compress": "brotli"}
    assert writable(asked) == {"block": 256, "compress": "none", "kind": "int8", "rotate": False}


def test_numbers_that_a_codec_cannot_hold_are_refused() -> None:
    for kind, value in (("fp16", 65_520.0), ("bf16", 1.3e30)):
        with pytest.raises(TributaryError, match="codec-overflow"):
            written({"kind": kind}, np.array([1, value], np.float32))
