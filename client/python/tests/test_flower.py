from __future__ import annotations

from collections import OrderedDict
from typing import Any

import numpy as np
import pytest
from fake_server import TICKET, FakeServer, answer, client_of

from tributary_client import Layout, safetensors
from tributary_client.flower import start_client

torch = pytest.importorskip("torch")
from flwr.client import NumPyClient  # noqa: E402

PLAN = {"localEpochs": 2, "batchSize": 4, "learningRate": 0.25, "seed": 1}


def small() -> Any:
    # "0.bias" sorts before "0.weight", which comes first in the state dict; "1.num_batches_tracked" is no parameter.
    return torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.BatchNorm1d(2))


# As Flower's tutorial for PyTorch writes them.
def get_weights(net: Any) -> list[Any]:
    return [val.cpu().numpy() for _, val in net.state_dict().items()]


def set_weights(net: Any, parameters: list[Any]) -> None:
    params_dict = zip(net.state_dict().keys(), parameters, strict=True)
    state_dict = OrderedDict({k: torch.tensor(v) for k, v in params_dict})
    net.load_state_dict(state_dict, strict=True)


class FlowerClient(NumPyClient):
    def __init__(self, net: Any) -> None:
        self.net = net
        self.configs: list[dict[str, Any]] = []

    def fit(self, parameters: list[Any], config: dict[str, Any]) -> tuple[list[Any], int, dict[str, Any]]:
        set_weights(self.net, parameters)
        self.configs.append(config)
        with torch.no_grad():
            self.net[0].weight += 1
            self.net[0].bias -= 1
            self.net[1].num_batches_tracked += 1
        return get_weights(self.net), 5, {"train_loss": 0.5, "note": "well", "raw": b"x"}

    def evaluate(self, parameters: list[Any], config: dict[str, Any]) -> tuple[float, int, dict[str, Any]]:
        set_weights(self.net, parameters)
        return 0.75, 5, {"accuracy": np.float32(0.5)}


LAYOUT = Layout.of({name: value.shape for name, value in small().state_dict().items() if value.is_floating_point()})


def server_of(layout: Layout = LAYOUT) -> FakeServer:
    model = safetensors.encode(layout, np.arange(layout.size, dtype=np.float32))
    return FakeServer(ticket=[answer(200, {**TICKET, "plan": PLAN}) for _ in range(2)], model=[answer(200, model)] * 2)


def difference(server: FakeServer) -> dict[str, Any]:
    layout, values, _ = safetensors.decode(server.of("put")[-1].body or b"")
    return {name: array.tolist() for name, array in layout.split(values).items()}


CHANGED = {
    "0.bias": [-1, -1],
    "0.weight": [[1, 1], [1, 1]],
    "1.bias": [0, 0],
    "1.running_mean": [0, 0],
    "1.running_var": [0, 0],
    "1.weight": [0, 0],
}


class TestANumPyClient:
    @pytest.mark.parametrize("wrap", [lambda c: c, lambda c: c.to_client()], ids=["as it is", "to_client()"])
    def test_takes_part_as_it_is(self, wrap: Any) -> None:
        server, numpy_client = server_of(), FlowerClient(small())
        summary = start_client(client_of(server), "task", wrap(numpy_client), max_updates=1)
        assert (summary.updates, summary.examples) == (1, 5)
        assert difference(server) == CHANGED
        assert server.body("declare")["metrics"] == {"accuracy": 0.5, "loss": 0.75, "train_loss": 0.5}
        assert numpy_client.configs == [
            {"server_round": 8, "local_epochs": 2, "batch_size": 4, "learning_rate": 0.25},
        ]

    def test_keeps_its_own_values_of_what_is_no_parameter(self) -> None:
        numpy_client = FlowerClient(small())
        start_client(client_of(server_of()), "task", numpy_client, max_updates=2)
        assert numpy_client.net[1].num_batches_tracked.item() == 2

    def test_finds_what_its_operator_adds_to_the_config(self) -> None:
        numpy_client = FlowerClient(small())
        start_client(client_of(server_of()), "task", numpy_client, config={"lr": 1e-3}, max_updates=1)
        assert numpy_client.configs[0]["lr"] == 1e-3

    def test_without_an_evaluate_of_its_own_is_not_asked(self) -> None:
        class Trains(NumPyClient):
            net = None

            def fit(self, parameters: list[Any], config: dict[str, Any]) -> Any:
                return parameters, 5, {}

        server = server_of()
        start_client(client_of(server), "task", Trains(), state=list(LAYOUT.shapes), max_updates=1)
        assert server.body("declare")["metrics"] == {}

    def test_without_pytorch_says_which_tensors_its_arrays_are(self) -> None:
        layout = Layout.of({"coef": (2, 3), "intercept": (2,)})

        class Linear(NumPyClient):
            def fit(self, parameters: list[Any], config: dict[str, Any]) -> Any:
                assert [array.shape for array in parameters] == [(2,), (2, 3)]
                return [parameters[0] + 2, parameters[1]], 5, {}

        server = server_of(layout)
        start_client(client_of(server), "task", Linear(), state=["intercept", "coef"], max_updates=1)
        assert difference(server) == {"coef": [[0, 0, 0], [0, 0, 0]], "intercept": [2, 2]}

    def test_whose_order_nobody_can_tell_is_refused_rather_than_guessed(self) -> None:
        class Unknown(NumPyClient):
            def fit(self, parameters: list[Any], config: dict[str, Any]) -> Any:
                return parameters, 5, {}

        both = FlowerClient(small())
        both.other = small()  # type: ignore[attr-defined]
        for numpy_client in (Unknown(), both):
            with pytest.raises(ValueError, match=r"holds [02] PyTorch modules: say which tensors its arrays are"):
                start_client(client_of(server_of()), "task", numpy_client)

    def test_of_another_model_is_refused(self) -> None:
        with pytest.raises(ValueError, match=r"hold no 1\.bias"):
            start_client(client_of(server_of()), "task", FlowerClient(torch.nn.Sequential(torch.nn.Linear(2, 2))))
        with pytest.raises(ValueError, match="the task's model has no 9"):
            start_client(client_of(server_of()), "task", FlowerClient(small()), state=[*LAYOUT.shapes, "9"])

    def test_that_gives_too_few_arrays_is_refused(self) -> None:
        class Short(FlowerClient):
            def fit(self, parameters: list[Any], config: dict[str, Any]) -> Any:
                return parameters[:2], 5, {}

        with pytest.raises(ValueError, match="fit gave 2 arrays, expected 7"):
            start_client(client_of(server_of()), "task", Short(small()))

    def test_that_is_none_is_refused(self) -> None:
        with pytest.raises(TypeError, match=r"expected a flwr\.client\.NumPyClient"):
            start_client(client_of(server_of()), "task", object())


class TestAClientApp:
    def test_of_the_message_api_takes_part(self) -> None:
        from flwr.app import ArrayRecord, Message, MetricRecord, RecordDict
        from flwr.clientapp import ClientApp

        from tributary_client.flower_app import start_client_app

        app, net, asked = ClientApp(), small(), list[Any]()

        @app.train()
        def train(msg: Any, context: Any) -> Any:
            net.load_state_dict(msg.content["arrays"].to_torch_state_dict())
            asked.append((context.run_config["local-epochs"], msg.content["config"]["lr"]))
            with torch.no_grad():
                net[0].weight += 1
                net[0].bias -= 1
            metrics = MetricRecord({"train_loss": 0.5, "num-examples": 5})
            content = RecordDict({"arrays": ArrayRecord(net.state_dict()), "metrics": metrics})
            return Message(content=content, reply_to=msg)

        @app.evaluate()
        def evaluate(msg: Any, context: Any) -> Any:
            return Message(content=RecordDict({"metrics": MetricRecord({"eval_acc": 0.25})}), reply_to=msg)

        server = server_of()
        start_client_app(
            client_of(server),
            "task",
            app,
            run_config={"local-epochs": 3},
            state=net.state_dict(),
            evaluate=True,
            max_updates=1,
        )
        assert difference(server) == CHANGED
        assert server.body("declare")["metrics"] == {"eval_acc": 0.25, "train_loss": 0.5}
        assert server.body("declare")["examples"] == 5
        assert asked == [(3, 0.25)]

    def test_whose_reply_lacks_the_number_of_examples_is_refused(self) -> None:
        from flwr.app import Message, RecordDict
        from flwr.clientapp import ClientApp

        from tributary_client.flower_app import start_client_app

        app = ClientApp()

        @app.train()
        def train(msg: Any, context: Any) -> Any:
            return Message(content=RecordDict({"arrays": msg.content["arrays"]}), reply_to=msg)

        with pytest.raises(ValueError, match="num-examples"):
            start_client_app(client_of(server_of()), "task", app)
