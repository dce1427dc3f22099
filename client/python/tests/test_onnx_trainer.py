from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tributary_client import TrainingPlan, TrainInput, TributaryError, safetensors
from tributary_client.answers import PACKAGE_FILES

pytest.importorskip("onnxruntime")
from tributary_client.onnx_trainer import OnnxTrainer
from tributary_client.private_graph import privacy_of

COMPARED = (
    "logistic-regression",
    "mlp-momentum",
    "mlp-proximal",
    "forecast-adam",
    "autoencoder",
    "transformer-integers",
)


class RecordedRng:
    """Shuffles as the TypeScript trainer did."""

    def __init__(self, about: Mapping[str, Any]) -> None:
        self._orders = iter(about["orders"])
        self._seed = about["seed"]

    def permutation(self, n: int) -> Any:
        order = np.array(next(self._orders))
        assert len(order) == n
        return order

    def integers(self, _below: int) -> int:
        return int(self._seed)


class Case:
    def __init__(self, folder: Path) -> None:
        self.about = json.loads((folder / "case.json").read_text())
        layout, params, _ = safetensors.decode((folder / "initial.safetensors").read_bytes())
        self.layout = layout
        self.expected = safetensors.decode((folder / "trained.safetensors").read_bytes())[1]
        self.x = np.array(self.about["x"], np.float32).reshape(self.about["shape"])
        self.y = np.array(self.about["y"], np.float32 if self.about["regression"] else np.int64)
        if self.about["regression"]:
            self.y = self.y.reshape(len(self.x), -1)
        plan = self.about["plan"]
        self.given = TrainInput(
            layout=layout,
            params=params,
            base_version=3,
            plan=TrainingPlan(plan["localEpochs"], plan["batchSize"], plan["learningRate"], 1),
            package={name: (folder / name).read_bytes() for name in PACKAGE_FILES},
            rng=RecordedRng(self.about),  # type: ignore[arg-type]
        )

    def drawing(self) -> TrainInput:
        return replace(self.given, rng=np.random.default_rng(1))


@pytest.mark.parametrize("name", COMPARED)
def test_trains_to_the_parameters_of_the_typescript_trainer(graphs: Path, name: str) -> None:
    case = Case(graphs / name)
    trained = OnnxTrainer(case.x, case.y, mu=case.about["proximalMu"]).train(case.given)
    difference = np.linalg.norm(trained.params - case.expected) / np.linalg.norm(case.expected)
    # The same graph on the same runtime: bit for bit where both have one version of onnxruntime.
    assert difference < 1e-6
    assert trained.metrics["trainLoss"] == pytest.approx(case.about["loss"], rel=1e-5)
    assert trained.examples == len(case.x)


@pytest.mark.parametrize("name", COMPARED)
def test_measures_what_the_typescript_trainer_measures(graphs: Path, name: str) -> None:
    case = Case(graphs / name)
    found = OnnxTrainer(case.x, case.y, test=(case.x, case.y)).evaluate(replace(case.given, params=case.expected))
    assert found == {name: pytest.approx(value, rel=1e-5) for name, value in case.about["evaluated"].items()}


def test_one_step_is_that_of_softmax_regression_by_hand(graphs: Path) -> None:
    case = Case(graphs / "logistic-regression")
    plan = TrainingPlan(local_epochs=1, batch_size=len(case.x), learning_rate=0.3, seed=1)
    trained = OnnxTrainer(case.x, case.y).train(replace(case.drawing(), plan=plan))
    weights, bias = regression_of(case, case.given.params)
    scores = case.x.astype(np.float64) @ weights.T + bias
    p = np.exp(scores - scores.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    gradient = (p - np.eye(3)[case.y]) / len(case.x)
    after = regression_of(case, trained.params)
    np.testing.assert_allclose(after[0], weights - 0.3 * gradient.T @ case.x, atol=1e-6)
    np.testing.assert_allclose(after[1], bias - 0.3 * gradient.sum(axis=0), atol=1e-6)
    assert trained.metrics["trainLoss"] == pytest.approx(-np.log(p[np.arange(len(p)), case.y]).mean(), rel=1e-5)


def test_accuracy_is_the_share_of_right_answers(graphs: Path) -> None:
    case = Case(graphs / "logistic-regression")
    given = replace(case.given, params=case.expected)
    found = OnnxTrainer(case.x, case.y, test=(case.x, case.y)).evaluate(given)
    weights, bias = regression_of(case, case.expected)
    right = (case.x @ weights.T + bias).argmax(axis=1) == case.y
    assert found["accuracy"] == pytest.approx(right.mean())
    assert right.mean() > 0.6


def test_r2_is_one_minus_error_over_variance_also_over_many_chunks(graphs: Path) -> None:
    case = Case(graphs / "forecast-adam")
    # Chunks whose means differ: the deviations within them are not the whole variance.
    order = np.argsort(case.y[:, 0])
    x, y = case.x[order], case.y[order]
    given = replace(case.drawing(), plan=TrainingPlan(60, 8, 0.05, 1))
    trainer = OnnxTrainer(x, y, test=(x, y))
    params = trainer.train(given).params
    found = trainer.evaluate(replace(given, params=params))
    arrays = case.layout.split(params)
    weight = next(array for array in arrays.values() if array.ndim == 2)
    bias = next(array for array in arrays.values() if array.ndim == 1)
    predicted = x @ (weight.T if weight.shape[0] == 2 else weight) + bias
    expected = 1 - ((y - predicted) ** 2).sum() / ((y - y.mean(axis=0)) ** 2).sum()
    assert found["accuracy"] == pytest.approx(expected, abs=1e-5)
    assert expected > 0.9


def test_learns(graphs: Path) -> None:
    case = Case(graphs / "mlp-momentum")
    trainer = OnnxTrainer(case.x, case.y, test=(case.x, case.y))
    given = replace(case.drawing(), plan=TrainingPlan(20, 16, 0.1, 1))
    before = trainer.evaluate(given)["accuracy"]
    after = trainer.evaluate(replace(given, params=trainer.train(given).params))["accuracy"]
    assert after > max(0.9, before)


class TestPrivateTraining:
    def test_adds_fresh_noise_each_time_and_reports_its_scale_in_place_of_the_loss(self, graphs: Path) -> None:
        case = Case(graphs / "private")
        trainer = OnnxTrainer(case.x, case.y)
        runs = [trainer.train(replace(case.given, rng=RecordedRng(case.about))) for _ in range(2)]  # type: ignore[arg-type]
        assert dict(runs[0].metrics) == {"clipNorm": 1.5, "noiseMultiplier": 0.5}
        assert not np.array_equal(runs[0].params, runs[1].params)

    def test_has_noise_of_the_standard_deviation_that_the_graph_says(self, graphs: Path) -> None:
        case = Case(graphs / "private")
        n = len(case.x)
        plan = TrainingPlan(local_epochs=1, batch_size=n, learning_rate=1.0, seed=1)
        trainer = OnnxTrainer(case.x, case.y)
        runs = np.array([trainer.train(replace(case.drawing(), plan=plan)).params for _ in range(60)])
        # One step: sigma C / n times the noise; 60 runs of so many parameters.
        measured = runs.std(axis=0, ddof=1).mean()
        assert measured == pytest.approx(0.5 * 1.5 / n, rel=0.1)

    def test_is_refused_where_a_graph_does_something_else_with_the_noise(self, graphs: Path) -> None:
        graph = (graphs / "private" / "train-step.onnx").read_bytes()
        assert privacy_of(graph) == {"clipNorm": 1.5, "noiseMultiplier": 0.5}
        scale = np.array(0.75, "<f4").tobytes()  # sigma C
        assert scale in graph
        for doctored in (graph.replace(scale, np.array(0, "<f4").tobytes()), graph.replace(b"Min", b"Max")):
            with pytest.raises(TributaryError, match="not the DP-SGD that this client knows"):
                privacy_of(doctored)

    def test_says_nothing_of_a_graph_without_noise(self, graphs: Path) -> None:
        assert privacy_of((graphs / "mlp-momentum" / "train-step.onnx").read_bytes()) is None

    @pytest.mark.parametrize("graph", [b"\xff", b"\x0a\x05", b"\x3a\xff\xff\xff\xff\x0f", b"\x0b", b"\x80" * 20])
    def test_a_file_that_is_no_graph_is_refused(self, graph: bytes) -> None:
        with pytest.raises(TributaryError, match="training-graph-refused"):
            privacy_of(graph)


class TestExamples:
    @pytest.mark.parametrize(
        ("change", "reason"),
        [
            ({"y": None}, "the loss takes labels, and there are none"),
            ({"y": [0] * 299}, r"one class for each of 300 examples, the labels have shape \(299,\)"),
            ({"y": [[0]] * 300}, "one class for each"),
            ({"y": [-1] + [0] * 299}, "label -1 of example 0 is negative"),
            ({"y": [0.5] * 300}, "the labels have fractions"),
            ({"y": ["a"] * 300}, "expected numbers"),
            ({"x": np.zeros((300, 7))}, r"takes examples of shape \[6\], the data have \[7\]"),
            ({"x": np.zeros((0, 6)), "y": []}, "no examples"),
            ({"x": 3.0}, "an example a row"),
        ],
    )
    def test_that_do_not_fit_are_refused(self, graphs: Path, change: dict[str, Any], reason: str) -> None:
        case = Case(graphs / "logistic-regression")
        with pytest.raises(TributaryError, match=rf"samples-invalid.*{reason}"):
            OnnxTrainer(**{"x": case.x, "y": case.y, **change}).train(case.drawing())

    def test_with_a_label_that_is_no_class_are_refused_by_the_runtime(self, graphs: Path) -> None:
        case = Case(graphs / "logistic-regression")
        with pytest.raises(TributaryError, match="training-failed"):
            OnnxTrainer(case.x, np.full(300, 9)).train(case.drawing())

    def test_may_be_lists_or_flat_or_doubles(self, graphs: Path) -> None:
        case = Case(graphs / "transformer-integers")
        expected = OnnxTrainer(case.x, case.y).train(case.given).params
        again = replace(case.given, rng=RecordedRng(case.about))  # type: ignore[arg-type]
        found = OnnxTrainer(case.x.astype(np.float64).tolist(), case.y.tolist()).train(again).params
        assert np.array_equal(found, expected)

    def test_of_a_regression_on_one_value_may_be_flat(self, graphs: Path) -> None:
        case = Case(graphs / "forecast-adam")
        with pytest.raises(TributaryError, match="takes 2 values for each of 300 examples"):
            OnnxTrainer(case.x, case.y[:, 0]).train(case.drawing())

    def test_that_make_the_model_diverge_say_so(self, graphs: Path) -> None:
        case = Case(graphs / "forecast-adam")
        with pytest.raises(TributaryError, match="training-diverged"):
            OnnxTrainer(case.x, np.full_like(case.y, np.inf)).train(case.drawing())


def test_mu_wants_a_package_with_the_proximal_term(graphs: Path) -> None:
    case = Case(graphs / "mlp-momentum")
    with pytest.raises(TributaryError, match="built without --proximal"):
        OnnxTrainer(case.x, case.y, mu=0.1).train(case.drawing())
    with pytest.raises(ValueError, match="mu: expected 0 or more"):
        OnnxTrainer(case.x, case.y, mu=-1)


def test_a_graph_that_is_none_is_refused(graphs: Path) -> None:
    case = Case(graphs / "mlp-momentum")
    package = {**case.given.package, "train-epoch.onnx": b"\x3a\x00"}
    with pytest.raises(TributaryError, match="training-graph-refused"):
        OnnxTrainer(case.x, case.y).train(replace(case.drawing(), package=package))


def regression_of(case: Case, params: Any) -> tuple[Any, Any]:
    """Weights [classes, features] and bias [classes]."""
    arrays = case.layout.split(params).values()
    weight = next(array for array in arrays if array.ndim == 2).astype(np.float64)
    bias = next(array for array in arrays if array.ndim == 1).astype(np.float64)
    return (weight if weight.shape[0] == 3 else weight.T), bias
