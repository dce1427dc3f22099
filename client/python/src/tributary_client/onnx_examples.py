"""Examples as a training or evaluation graph takes them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import ArrayLike, NDArray

from .errors import TributaryError

Arrays = dict[str, NDArray[Any]]


def examples_for(session: ort.InferenceSession, x: ArrayLike, y: ArrayLike | None, ignores: bool) -> Arrays:
    """X [n, ...] and, where the graph has one, Y [n] or [n, outputs], in the types and shapes that it declares.

    ignores: whether a label may be negative, to leave its example out.

    Raises TributaryError `samples-invalid` for another shape than the model takes, labels that are not what its loss
    wants, or numbers that are not whole where it takes integers.
    """
    inputs = {i.name: i for i in session.get_inputs()}
    features = _fitted(_typed(x, inputs["X"].type, "features"), inputs["X"].shape[1:])
    if len(features) == 0:
        raise _invalid("there are no examples")
    examples: Arrays = {"X": features}
    if "Y" in inputs:
        if y is None:
            raise _invalid("the loss takes labels, and there are none")
        examples["Y"] = _labels(_typed(y, inputs["Y"].type, "labels"), inputs["Y"], len(features), ignores)
    return examples


def _labels(labels: NDArray[Any], declared: Any, n: int, ignores: bool) -> NDArray[Any]:
    if labels.dtype == np.int64:
        if labels.shape != (n,):
            raise _invalid(f"the loss takes one class for each of {n} examples, the labels have shape {labels.shape}")
        # A negative one would count from the last class.
        if not ignores and (labels < 0).any():
            at = int(np.argmax(labels < 0))
            raise _invalid(f"label {labels[at]} of example {at} is negative")
        return labels
    wanted = declared.shape[1]
    if len(labels) != n or (isinstance(wanted, int) and labels.size != n * wanted):
        raise _invalid(f"the loss takes {wanted} values for each of {n} examples, the labels have shape {labels.shape}")
    return labels.reshape(n, -1)


def _fitted(features: NDArray[Any], declared: list[Any]) -> NDArray[Any]:
    """Flat examples, and axes of size 1, take the form that the model declares."""
    if not all(isinstance(side, int) for side in declared):
        return features
    found = features.shape[1:]
    proper = [[side for side in shape if side != 1] for shape in (found, declared)]
    alike = proper[0] == proper[1] or len(found) <= 1 or len(declared) <= 1
    if not alike or math.prod(found) != math.prod(declared):
        raise _invalid(f"the model takes examples of shape {declared}, the data have {list(found)}")
    return features.reshape(len(features), *declared)


def _typed(values: ArrayLike, declared: str, what: str) -> NDArray[Any]:
    array = np.asarray(values)
    if array.ndim == 0 or array.dtype.kind not in "fiub":
        raise _invalid(f"the {what} are {array.dtype} of shape {array.shape}, expected numbers, an example a row")
    if "int64" not in declared:
        return np.ascontiguousarray(array, np.float32)
    if array.dtype.kind == "f" and not (array == np.floor(array)).all():
        raise _invalid(f"the model takes integers, the {what} have fractions")
    return np.ascontiguousarray(array, np.int64)


def _invalid(message: str) -> TributaryError:
    return TributaryError("samples-invalid", message)
