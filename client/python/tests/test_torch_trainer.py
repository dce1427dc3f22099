from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from fake_server import TICKET, FakeServer, answer, client_of

from tributary_client import Layout, TrainInput, participate, safetensors

torch = pytest.importorskip("torch")
from tributary_client.torch_trainer import (  # noqa: E402
    from_vector,
    initial_safetensors,
    layout_of,
    to_vector,
    torch_trainer,
)


def small() -> Any:
    torch.manual_seed(1)
    return torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4), torch.nn.ReLU(), torch.nn.Linear(4, 2))


def test_the_layout_is_the_state_dict_by_name_with_buffers_and_without_counters() -> None:
    assert layout_of(small()).shapes == {
        "0.bias": (4,),
        "0.weight": (4, 3),
        "1.bias": (4,),
        "1.running_mean": (4,),
        "1.running_var": (4,),
        "1.weight": (4,),
        "3.bias": (2,),
        "3.weight": (2, 4),
    }
    assert [t.name for t in layout_of(small()).tensors] == list(layout_of(small()).shapes)


def test_a_vector_and_back_is_the_same_module() -> None:
    module = small()
    module(torch.randn(8, 3))  # moves the running statistics
    vector = to_vector(module)
    layout = layout_of(module)
    assert np.array_equal(layout.split(vector)["3.weight"], module.state_dict()["3.weight"].numpy())
    other = small()
    from_vector(other, layout, vector)
    for name, value in other.state_dict().items():
        if value.is_floating_point():
            assert torch.equal(value, module.state_dict()[name])


def test_what_is_loaded_is_the_modules_own_memory() -> None:
    module = small()
    vector = np.arange(layout_of(module).size, dtype=np.float32)
    vector.flags.writeable = False
    from_vector(module, layout_of(module), vector)
    with torch.no_grad():
        module[0].weight.zero_()
    assert to_vector(module)[0] == 0
    assert vector[4] == 4
    assert module[0].weight.requires_grad


def test_other_types_travel_as_float32() -> None:
    module = small().to(torch.float64)
    vector = to_vector(module)
    from_vector(module, layout_of(module), vector)
    assert module[0].weight.dtype == torch.float64
    assert np.array_equal(to_vector(module), vector)


def test_another_model_is_refused_by_name() -> None:
    module = small()
    with pytest.raises(ValueError, match=r"not the module's: 0\.weight"):
        from_vector(
            module, Layout.of({**layout_of(module).shapes, "0.weight": (3, 4)}), np.zeros(layout_of(module).size)
        )
    with pytest.raises(ValueError, match="not the module's: 9"):
        from_vector(module, Layout.of({**layout_of(module).shapes, "9": ()}), np.zeros(layout_of(module).size + 1))
    part = Layout.of({"0.bias": (4,)})
    with pytest.raises(ValueError, match=r"not the module's: 0\.weight, 1\.bias"):
        from_vector(module, part, np.zeros(4, np.float32))


def test_a_part_of_a_module_can_be_federated() -> None:
    module, part = small(), Layout.of({"3.bias": (2,), "3.weight": (2, 4)})
    before = to_vector(module, Layout.of({"0.weight": (4, 3)}))
    from_vector(module, part, np.arange(10, dtype=np.float32), strict=False)
    assert np.array_equal(to_vector(module, part), np.arange(10))
    assert np.array_equal(to_vector(module, Layout.of({"0.weight": (4, 3)})), before)


def test_a_task_can_start_from_a_module() -> None:
    module = small()
    layout, values, _ = safetensors.decode(initial_safetensors(module))
    assert layout == layout_of(module)
    assert np.array_equal(values, to_vector(module))


def test_training_starts_from_each_version_and_uploads_what_changed() -> None:
    module = torch.nn.Linear(2, 1)
    layout = layout_of(module)
    model = safetensors.encode(layout, np.array([1, 2, 3], np.float32))
    server = FakeServer(
        ticket=[answer(200, {**TICKET, "plan": {**TICKET["plan"], "learningRate": 0.5}})],
        model=[answer(200, model)],
    )

    def fit(trained: Any, given: TrainInput) -> tuple[int, dict[str, float]]:
        # By hand: the gradient of w x + b on one example x = (1, 2) is (1, 2) for w and 1 for b.
        optimizer = torch.optim.SGD(trained.parameters(), lr=given.plan.learning_rate)
        trained(torch.tensor([[1.0, 2.0]])).sum().backward()
        optimizer.step()
        return 1, {"trainLoss": 0.1}

    participate(client_of(server), "task", torch_trainer(module, fit), max_updates=1)
    _, difference, _ = safetensors.decode(server.of("put")[0].body or b"")
    assert layout.split(difference)["bias"].tolist() == [-0.5]
    assert layout.split(difference)["weight"].tolist() == [[-0.5, -1.0]]
    assert server.body("declare")["metrics"] == {"trainLoss": 0.1}
