"""A ready trainer: the task's own training graphs, over plain onnxruntime."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import ArrayLike, NDArray

from .errors import TributaryError
from .onnx_examples import Arrays, examples_for
from .participate import Trained, TrainInput
from .private_graph import privacy_of
from .safetensors import Layout, Vector

#: Steps of one call, and examples of one evaluation: activations and gathered batches need not fit into memory at once.
_STEPS_AT_ONCE = 32
_EVALUATED_AT_ONCE = 256
#: Graphs that are kept loaded: the two that a task trains and evaluates with.
_SESSIONS_KEPT = 2


@dataclass
class OnnxTrainer:
    """Trains on examples in memory, as the task's plan says. `train` and `evaluate` are the callbacks of `participate`.

    x: [n, ...] in the shape that the model takes, or flat. y: [n] classes, or [n, outputs] values; None where the model
    reproduces its own input. test: (x, y) to measure each version on before it is trained, as `loss` and `accuracy`.
    mu: FedProx's, 0 or more, for a package with that term. threads: of onnxruntime.

    Metrics: those, and `trainLoss`; where the package trains with DP-SGD, `clipNorm` and `noiseMultiplier` in place of
    the latter, because the exact loss on private examples is not covered by the noise.
    """

    x: ArrayLike
    y: ArrayLike | None
    test: tuple[ArrayLike, ArrayLike | None] | None = None
    mu: float = 0.0
    threads: int = 1
    _sessions: dict[bytes, ort.InferenceSession] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        if not 0 <= self.mu < np.inf:
            raise ValueError(f"mu: expected 0 or more, got {self.mu}")

    def train(self, given: TrainInput) -> Trained:
        """Mini-batches with a fresh shuffle for each epoch; the optimizer's state starts from zero.

        Raises TributaryError `samples-invalid`, `training-failed` as on a label that is no class, `training-diverged`,
        `training-graph-refused` if the package takes noise and does something else with it than DP-SGD.
        """
        privacy = privacy_of(given.package["train-step.onnx"])
        session = self._session(given.package["train-epoch.onnx"])
        examples = examples_for(session, self.x, self.y, self._ignores_labels(given))
        n = len(examples["X"])
        fixed = {**examples, **self._fixed(session, given)}
        carried: Arrays = {**given.layout.split(given.params), **_zeros(session, "state/")}
        losses: list[NDArray[Any]] = []
        for _ in range(given.plan.local_epochs):
            order = given.rng.permutation(n)
            for rows in _batches(order, given.plan.batch_size):
                carried, loss = _run(session, fixed, carried, rows)
                losses.append(loss)
        trained = given.layout.join(carried)
        mean = float(np.concatenate(losses).mean())
        if not (np.isfinite(mean) and np.isfinite(trained).all()):
            raise TributaryError(
                "training-diverged",
                "the loss or a parameter is no longer finite: lower the learning rate "
                f"({given.plan.learning_rate}), or scale the features",
            )
        return Trained(trained, n, dict(privacy) if privacy else {"trainLoss": mean})

    def evaluate(self, given: TrainInput) -> Mapping[str, float]:
        """Mean loss, and accuracy in [0, 1]: the share of right answers, or of the variance that is explained (R^2).

        Nothing without `test`. Raises TributaryError `samples-invalid`.
        """
        if self.test is None:
            return {}
        session = self._session(given.package["evaluate.onnx"])
        return evaluate_graph(session, given.layout, given.params, *self.test)

    def _ignores_labels(self, given: TrainInput) -> bool:
        return _leaves_out(self._session(given.package["evaluate.onnx"]))

    def _fixed(self, session: ort.InferenceSession, given: TrainInput) -> Arrays:
        """What is the same in all steps."""
        taken = {i.name for i in session.get_inputs()}
        if self.mu > 0 and "mu" not in taken:
            raise TributaryError("training-invalid", "mu is given, but the package was built without --proximal")
        scalars = {"lr": given.plan.learning_rate, "mu": self.mu, "seed": float(given.rng.integers(2**24))}
        start = given.layout.split(given.params)
        fixed: Arrays = {name: np.array(value, np.float32) for name, value in scalars.items() if name in taken}
        fixed |= {f"anchor/{name}": value for name, value in start.items() if f"anchor/{name}" in taken}
        return fixed | _zeros(session, "control/")

    def _session(self, graph: bytes) -> ort.InferenceSession:
        if graph not in self._sessions:
            while len(self._sessions) >= _SESSIONS_KEPT:
                self._sessions.pop(next(iter(self._sessions)))
            options = ort.SessionOptions()
            options.intra_op_num_threads = self.threads
            try:
                self._sessions[graph] = ort.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
            except Exception as error:  # onnxruntime's errors have no common base
                raise TributaryError(
                    "training-graph-refused", f"onnxruntime does not load the graph: {error}"
                ) from error
        return self._sessions[graph]


def evaluate_graph(
    session: ort.InferenceSession, layout: Layout, params: Vector, x: ArrayLike, y: ArrayLike | None
) -> dict[str, float]:
    """`loss` and `accuracy` of `params` [layout.size]: an evaluation graph's sums over chunks of the examples."""
    examples = examples_for(session, x, y, _leaves_out(session))
    n = len(examples["X"])
    names = [output.name for output in session.get_outputs()]
    totals: dict[str, float] = {}
    means: list[tuple[int, NDArray[np.float64]]] = []
    for first in range(0, n, _EVALUATED_AT_ONCE):
        chunk = {name: values[first : first + _EVALUATED_AT_ONCE] for name, values in examples.items()}
        size = len(chunk["X"])
        found = dict(zip(names, _call(session, {**layout.split(params), **chunk}), strict=True))
        sums = {"loss_weight": size, "counted": size, **found}
        if "target_mean" in found:
            means.append((size, np.asarray(sums.pop("target_mean"), np.float64).ravel()))
        for name, value in sums.items():
            totals[name] = totals.get(name, 0.0) + float(np.asarray(value).reshape(-1)[0])
    loss = totals["loss_sum"] / totals["loss_weight"]
    if "correct" in totals:
        return {"loss": loss, "accuracy": totals["correct"] / max(1.0, totals["counted"])}
    return {"loss": loss, "accuracy": _explained(totals["squared_error"], means, totals["target_squares"])}


def _explained(error: float, means: list[tuple[int, NDArray[np.float64]]], squares: float) -> float:
    """R^2, 0 where it is negative.

    squares: of the targets' distances from their chunk's mean; Chan, Golub and LeVeque 1983 add those of the means.
    """
    n = sum(size for size, _ in means)
    overall = sum((size * mean for size, mean in means), np.zeros_like(means[0][1])) / n
    variance = squares + sum(size * float(((mean - overall) ** 2).sum()) for size, mean in means)
    return max(0.0, 1.0 - error / variance) if variance > 0 else 0.0


def _batches(order: NDArray[np.int64], batch: int) -> list[NDArray[np.int64]]:
    """Rows of examples, [steps, batch], for one call each; an epoch's last step takes what is left."""
    whole = len(order) - len(order) % batch
    calls = [order[i : min(i + batch * _STEPS_AT_ONCE, whole)] for i in range(0, whole, batch * _STEPS_AT_ONCE)]
    rows = [call.reshape(-1, batch) for call in calls]
    return rows if whole == len(order) else [*rows, order[whole:].reshape(1, -1)]


def _run(
    session: ort.InferenceSession, fixed: Arrays, carried: Arrays, rows: NDArray[np.int64]
) -> tuple[Arrays, NDArray[Any]]:
    """Several steps: what is carried on, and the loss of each, [steps]."""
    feeds = {**fixed, **carried, **_noise(session, len(rows)), "idx": rows.astype(np.int64)}
    names = [output.name for output in session.get_outputs()]
    found = dict(zip(names, _call(session, feeds), strict=True))
    return {name: found[f"{name}.next"] for name in carried}, found["losses"]


def _call(session: ort.InferenceSession, feeds: Arrays) -> list[NDArray[Any]]:
    try:
        outputs: list[NDArray[Any]] = session.run(None, feeds)
    except Exception as error:  # onnxruntime's errors have no common base
        raise TributaryError("training-failed", f"onnxruntime gave up: {error}") from error
    return outputs


def _leaves_out(evaluate: ort.InferenceSession) -> bool:
    """Whether the loss leaves examples out, and so takes negative labels: its evaluation counts the others."""
    return any(output.name == "counted" for output in evaluate.get_outputs())


def _zeros(session: ort.InferenceSession, prefix: str) -> Arrays:
    return {i.name: np.zeros(i.shape, np.float32) for i in session.get_inputs() if i.name.startswith(prefix)}


def _noise(session: ort.InferenceSession, steps: int) -> Arrays:
    """Standard normal noise for DP-SGD (Abadi et al. 2016), [steps, ...]."""
    shapes = {i.name: i.shape[1:] for i in session.get_inputs() if i.name.startswith("noise/")}
    return {name: _secret_normal((steps, *shape)) for name, shape in shapes.items()}


def _secret_normal(shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Box-Muller over `os.urandom`: whoever could draw the noise again, the server among them, would subtract it."""
    count = int(np.prod(shape))
    words = np.frombuffer(os.urandom(16 * count), np.uint64).reshape(2, count)
    radius, angle = ((words >> np.uint64(11)).astype(np.float64) + 0.5) / 2.0**53
    normal = np.sqrt(-2 * np.log(radius)) * np.cos(2 * np.pi * angle)
    drawn: NDArray[np.float32] = normal.astype(np.float32).reshape(shape)
    return drawn
