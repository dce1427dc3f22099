"""What a training graph does for privacy, read off the graph itself and not off what a server says of it."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple

from .errors import TributaryError

# Field numbers of onnx.proto (onnx 1.23).
_MODEL_GRAPH = 7
_GRAPH_NODE, _GRAPH_INITIALIZER = 1, 5
_NODE_INPUT, _NODE_OUTPUT, _NODE_OP = 1, 2, 4
_TENSOR_FLOATS, _TENSOR_NAME, _TENSOR_RAW = 4, 8, 9


class _Node(NamedTuple):
    op: str
    inputs: list[str]
    outputs: list[str]


@lru_cache(maxsize=4)
def privacy_of(train_step: bytes) -> MappingProxyType[str, float] | None:
    """Of a DP-SGD step graph: `clipNorm` C and `noiseMultiplier` sigma; None where it takes no noise.

    They are read off the arithmetic, min(C / |g_i|, 1) and noise * (sigma C). Raises TributaryError
    `training-graph-refused` if the graph takes noise and does anything else with it, or is no ONNX file.
    """
    nodes, scalars = _graph(train_step)
    noisy = [node for node in nodes if any(name.startswith("noise/") for name in node.inputs)]
    if not noisy:
        return None
    makers = {output: node for node in nodes for output in node.outputs}
    deviations = {scalars.get(node.inputs[1]) if node.op == "Mul" else None for node in noisy}
    clips = set()
    for node in nodes:
        if node.op != "Min" or scalars.get(node.inputs[1]) != 1:
            continue
        division = makers.get(node.inputs[0])
        if division and division.op == "Div":
            norm = makers.get(division.inputs[1])
            if norm and norm.op == "Max":
                clips.add(scalars.get(division.inputs[0]))
    if len(deviations) == 1 and len(clips) == 1:
        deviation, clip = deviations.pop(), clips.pop()
        if deviation and clip and deviation > 0 and clip > 0:
            rounded = {"clipNorm": float(f"{clip:.7g}"), "noiseMultiplier": float(f"{deviation / clip:.7g}")}
            return MappingProxyType(rounded)
    raise _refused("the training graph takes noise, but is not the DP-SGD that this client knows")


def _graph(model: bytes) -> tuple[list[_Node], dict[str, float]]:
    """Nodes and float scalars of a model's graph, not of its subgraphs."""
    nodes: list[_Node] = []
    scalars: dict[str, float] = {}
    for graph in _values(memoryview(model), _MODEL_GRAPH):
        for node in _values(graph, _GRAPH_NODE):
            op = "".join(_texts(node, _NODE_OP))
            nodes.append(_Node(op, _texts(node, _NODE_INPUT), _texts(node, _NODE_OUTPUT)))
        for tensor in _values(graph, _GRAPH_INITIALIZER):
            values = [*_values(tensor, _TENSOR_RAW), *_values(tensor, _TENSOR_FLOATS)]
            if values and len(values[0]) == 4:
                scalars["".join(_texts(tensor, _TENSOR_NAME))] = struct.unpack("<f", values[0])[0]
    return nodes, scalars


def _texts(message: memoryview, field: int) -> list[str]:
    return [bytes(value).decode("utf-8", "replace") for value in _values(message, field)]


def _values(message: memoryview, field: int) -> Iterator[memoryview]:
    """Every length-delimited value of one field, in order (protobuf.dev/programming-guides/encoding)."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        wire = tag & 7
        if wire == 0:
            _, at = _varint(message, at)
        elif wire == 1:
            at += 8
        elif wire == 5:
            at += 4
        elif wire == 2:
            length, at = _varint(message, at)
            if at + length > len(message):
                raise _refused("a training graph is cut off")
            if tag >> 3 == field:
                yield message[at : at + length]
            at += length
        else:
            raise _refused("a training graph is no ONNX file")
    if at > len(message):
        raise _refused("a training graph is cut off")


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(message):
            break
        value |= (message[at] & 127) << shift
        at += 1
        if message[at - 1] < 128:
            return value, at
    raise _refused("a training graph is cut off")


def _refused(message: str) -> TributaryError:
    return TributaryError("training-graph-refused", message)
