"""A ready trainer: the task's own training graphs, over plain onnxruntime."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import onnxruntime as ort
from numpy.typing import ArrayLike, NDArray

from .errors import TributaryError
from .participate import Trained, TrainInput
from .safetensors import Layout, Vector

#: Steps of one call, and examples of one evaluation: activations and gathered batches need not fit into memory at once.
_STEPS_AT_ONCE = 32
_EVALUATED_AT_ONCE = 256

Arrays = dict[str, NDArray[np.generic]]


@dataclass
class OnnxTrainer:
    """Trains on examples in memory, as the task's plan says. `train` and `evaluate` are the callbacks of `participate`.

    x: [n, ...] in the shape that the model takes. y: [n] classes as integers, or [n, outputs] values.
    test: (x, y) to measure the model on as it comes, giving metrics `loss` and `accuracy`.
    mu: FedProx's, for a package that has the term.
    """

    x: ArrayLike
    y: ArrayLike
    test: tuple[ArrayLike, ArrayLike] | None = None
    mu: float = 0.0
    threads: int = 1
    _sessions: dict[bytes, ort.InferenceSession] = field(default_factory=dict, repr=False)

    def train(self, given: TrainInput) -> Trained:
        """Mini-batches with a fresh shuffle for each epoch; the optimizer's state starts from zero.

        Raises TributaryError `samples-invalid`, `training-diverged`.
        """
        session = self._session(given.package["train-epoch.onnx"])
        examples = _examples(session, self.x, self.y)
        n = len(examples["X"])
        names = [tensor.name for tensor in given.layout.tensors]
        carried: Arrays = {**given.layout.split(given.params), **_zeros(session, "state/")}
        fixed = self._fixed(session, given)
        batch = given.plan.batch_size
        losses: list[NDArray[np.generic]] = []
        for _ in range(given.plan.local_epochs):
            order = given.rng.permutation(n)
            whole = n - n % batch
            for first in range(0, whole, batch * _STEPS_AT_ONCE):
                rows = order[first : min(first + batch * _STEPS_AT_ONCE, whole)]
                carried = _run(session, {**examples, **fixed}, carried, rows.reshape(-1, batch), losses)
            if whole < n:
                carried = _run(session, {**examples, **fixed}, carried, order[whole:].reshape(1, -1), losses)
        trained = given.layout.join({name: carried[name] for name in names})
        loss = float(np.concatenate(losses).mean())
        if not (np.isfinite(loss) and np.isfinite(trained).all()):
            raise TributaryError("training-diverged", "the loss or a parameter is no longer finite; try a lower rate")
        # With DP-SGD the exact loss on private examples is not covered by the noise.
        metrics = {} if _has(session, "noise/") else {"trainLoss": loss}
        return Trained(trained, n, metrics)

    def evaluate(self, given: TrainInput) -> Mapping[str, float]:
        """Mean loss and accuracy (share of right answers, or R^2 of values) on `test`; nothing without it."""
        if self.test is None:
            return {}
        session = self._session(given.package["evaluate.onnx"])
        return evaluate(session, given.layout, given.params, *self.test)

    def _fixed(self, session: ort.InferenceSession, given: TrainInput) -> Arrays:
        """What is the same in all steps."""
        scalars = {"lr": given.plan.learning_rate, "mu": self.mu, "seed": float(given.rng.integers(2**24))}
        taken = {i.name for i in session.get_inputs()}
        if self.mu > 0 and "mu" not in taken:
            raise TributaryError("training-invalid", "mu is given, but the package was built without --proximal")
        fixed: Arrays = {name: np.float32(value).reshape(()) for name, value in scalars.items() if name in taken}
        start = given.layout.split(given.params)
        fixed |= {f"anchor/{name}": value for name, value in start.items() if f"anchor/{name}" in taken}
        return fixed | _zeros(session, "control/")

    def _session(self, graph: bytes) -> ort.InferenceSession:
        if graph not in self._sessions:
            if len(self._sessions) > 4:
                self._sessions.clear()
            options = ort.SessionOptions()
            options.intra_op_num_threads = self.threads
            self._sessions[graph] = ort.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        return self._sessions[graph]


def evaluate(
    session: ort.InferenceSession, layout: Layout, params: Vector, x: ArrayLike, y: ArrayLike
) -> dict[str, float]:
    """Runs an evaluation graph over chunks of the examples and adds up."""
    examples = _examples(session, x, y)
    n = len(examples["X"])
    names = [output.name for output in session.get_outputs()]
    totals: dict[str, float] = {}
    means, squares = [], 0.0
    for first in range(0, n, _EVALUATED_AT_ONCE):
        chunk = {name: values[first : first + _EVALUATED_AT_ONCE] for name, values in examples.items()}
        size = len(chunk["X"])
        found = dict(zip(names, session.run(None, {**layout.split(params), **chunk}), strict=True))
        sums = {"loss_sum": found["loss_sum"], "weight": found.get("loss_weight", size)}
        sums["counted"] = found.get("counted", size)
        sums |= {name: found[name] for name in ("correct", "squared_error") if name in found}
        for name, value in sums.items():
            totals[name] = totals.get(name, 0.0) + float(np.asarray(value).reshape(-1)[0])
        if "target_mean" in found:
            means.append((size, np.asarray(found["target_mean"], np.float64).ravel()))
            squares += float(np.asarray(found["target_squares"]).reshape(-1)[0])
    loss = totals["loss_sum"] / totals["weight"]
    if "correct" in totals:
        return {"loss": loss, "accuracy": totals["correct"] / max(1.0, totals["counted"])}
    return {"loss": loss, "accuracy": _explained(totals["squared_error"], means, squares)}


def _explained(error: float, means: list[tuple[int, NDArray[np.float64]]], squares: float) -> float:
    """R^2: squares are the targets' deviations from their chunk's mean; Chan et al. 1983 add the chunks' own."""
    n = sum(size for size, _ in means)
    overall = sum((size * mean for size, mean in means), np.zeros_like(means[0][1])) / n
    variance = squares + sum(size * float(((mean - overall) ** 2).sum()) for size, mean in means)
    return max(0.0, 1.0 - error / variance) if variance > 0 else 0.0


def _run(
    session: ort.InferenceSession, fixed: Arrays, carried: Arrays, idx: NDArray[np.int64], losses: list
) -> Arrays:
    feeds = {**fixed, **carried, **_noise(session, len(idx)), "idx": idx.astype(np.int64)}
    try:
        outputs = session.run(None, feeds)
    except Exception as error:  # onnxruntime's errors have no common base
        raise TributaryError("training-failed", f"onnxruntime gave up: {error}") from error
    found = dict(zip([output.name for output in session.get_outputs()], outputs, strict=True))
    losses.append(found["losses"])
    return {name: found[f"{name}.next"] for name in carried}


def _examples(session: ort.InferenceSession, x: ArrayLike, y: ArrayLike) -> Arrays:
    inputs = {i.name: i for i in session.get_inputs()}
    features = np.asarray(x, np.int64 if "int64" in inputs["X"].type else np.float32)
    wanted = [side for side in inputs["X"].shape[1:] if isinstance(side, int)]
    if len(wanted) == len(inputs["X"].shape) - 1 and features.size == len(features) * int(np.prod(wanted)):
        features = features.reshape(len(features), *wanted)
    examples: Arrays = {"X": np.ascontiguousarray(features)}
    if "Y" in inputs:
        isolated = "int64" in inputs["Y"].type
        labels = np.asarray(y, np.int64 if isolated else np.float32)
        if not isolated and labels.ndim == 1:
            labels = labels.reshape(-1, 1)
        examples["Y"] = np.ascontiguousarray(labels)
    sizes = {len(values) for values in examples.values()}
    if len(sizes) != 1 or 0 in sizes:
        raise TributaryError("samples-invalid", f"x and y have {sorted(sizes)} examples, expected as many, at least one")
    return examples


def _zeros(session: ort.InferenceSession, prefix: str) -> Arrays:
    return {
        i.name: np.zeros([side if isinstance(side, int) else 1 for side in i.shape], np.float32)
        for i in session.get_inputs()
        if i.name.startswith(prefix)
    }


def _noise(session: ort.InferenceSession, steps: int) -> Arrays:
    """Standard normal noise for DP-SGD (Abadi et al. 2016), [steps, ...], from the system's secret randomness."""
    shapes = {i.name: [s for s in i.shape[1:]] for i in session.get_inputs() if i.name.startswith("noise/")}
    return {name: _secret_normal((steps, *shape)) for name, shape in shapes.items()}


def _secret_normal(shape: tuple[int, ...]) -> NDArray[np.generic]:
    """Box-Muller over `os.urandom`: a generator that can be predicted would undo the privacy."""
    count = int(np.prod(shape))
    words = np.frombuffer(os.urandom(16 * count), np.uint64).reshape(2, count)
    first, second = ((words >> np.uint64(11)).astype(np.float64) + 0.5) / 2.0**53
    return (np.sqrt(-2 * np.log(first)) * np.cos(2 * np.pi * second)).astype(np.float32).reshape(shape)


def _has(session: ort.InferenceSession, prefix: str) -> bool:
    return any(i.name.startswith(prefix) for i in session.get_inputs())
