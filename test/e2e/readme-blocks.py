"""Runs the Python blocks of client/python/README.md one after the other, in a world that has what they take for given.

python readme-blocks.py export: writes net.onnx. Otherwise: {"code": ..., "blocks": [...]} on stdin.
"""

import json
import sys

import numpy as np
import torch

torch.manual_seed(1)
draw = np.random.default_rng(1)
x_train, x_test = draw.normal(size=(300, 8)).astype(np.float32), draw.normal(size=(60, 8)).astype(np.float32)
y_train, y_test = x_train[:, :3].argmax(1), x_test[:, :3].argmax(1)
loader = torch.utils.data.DataLoader(
    torch.utils.data.TensorDataset(torch.from_numpy(x_train), torch.from_numpy(y_train)), batch_size=50
)


class FlowerClient:
    """As Flower's tutorial has it, without Flower."""

    def __init__(self, net, trainloader, valloader):
        self.net = net

    def to_client(self):
        return self

    def fit(self, parameters, config):
        state = dict(zip(self.net.state_dict(), map(torch.tensor, parameters), strict=True))
        self.net.load_state_dict(state)
        return [value.numpy() for value in self.net.state_dict().values()], len(x_train), {}


if sys.argv[1:] == ["export"]:
    net = torch.nn.Sequential(torch.nn.Linear(8, 32), torch.nn.ReLU(), torch.nn.Linear(32, 3))
    torch.onnx.export(net, torch.zeros(2, 8), "net.onnx", dynamo=False)
else:
    given = json.load(sys.stdin)
    world = {
        **{name: globals()[name] for name in ("x_train", "y_train", "x_test", "y_test", "loader", "FlowerClient")},
        "code": given["code"],
        "trainloader": loader,
        "valloader": loader,
        "my_method": lambda _name, tensor, _rate: tensor + 0.5,
    }
    for number, block in enumerate(given["blocks"], 1):
        exec(compile(block, f"README.md, block {number}", "exec"), world)
        print(f"block {number} ran")
