"""A Flower client as Flower's tutorial for PyTorch writes it; the last line is the one that changed.

python client_app.py KEY_FILE NUMBER; python client_app.py export writes model.onnx, which the task is made of.
"""

import sys
from collections import OrderedDict

import torch
from flwr.client import NumPyClient

from tributary_client import Client
from tributary_client.flower import start_client


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = torch.nn.Linear(8, 32)
        self.fc2 = torch.nn.Linear(32, 3)

    def forward(self, x):
        return self.fc2(torch.relu(self.fc1(x)))


def load_data(partition_id):
    draw = torch.Generator().manual_seed(partition_id)
    x = torch.randn(600, 8, generator=draw) + torch.randn(8, generator=draw)
    y = torch.stack([x[:, :3].sum(1), x[:, 3:6].sum(1), x[:, 6] * x[:, 7]]).argmax(0)
    split = torch.utils.data.random_split(torch.utils.data.TensorDataset(x, y), [500, 100])
    return [torch.utils.data.DataLoader(part, batch_size=32, shuffle=True) for part in split]


def get_weights(net):
    return [val.cpu().numpy() for _, val in net.state_dict().items()]


def set_weights(net, parameters):
    params_dict = zip(net.state_dict().keys(), parameters, strict=True)
    state_dict = OrderedDict({k: torch.tensor(v) for k, v in params_dict})
    net.load_state_dict(state_dict, strict=True)


class FlowerClient(NumPyClient):
    def __init__(self, net, trainloader, valloader):
        self.net = net
        self.trainloader = trainloader
        self.valloader = valloader

    def fit(self, parameters, config):
        set_weights(self.net, parameters)
        optimizer = torch.optim.SGD(self.net.parameters(), lr=0.05, momentum=0.9)
        for x, y in self.trainloader:
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(self.net(x), y).backward()
            optimizer.step()
        return get_weights(self.net), len(self.trainloader.dataset), {}

    def evaluate(self, parameters, config):
        set_weights(self.net, parameters)
        with torch.no_grad():
            x, y = next(iter(torch.utils.data.DataLoader(self.valloader.dataset, batch_size=100)))
            scores = self.net(x)
        loss = torch.nn.functional.cross_entropy(scores, y).item()
        return loss, len(y), {"accuracy": (scores.argmax(1) == y).float().mean().item()}


if sys.argv[1] == "export":
    torch.onnx.export(Net(), torch.zeros(2, 8), "model.onnx", dynamo=False)
else:
    client = FlowerClient(Net(), *load_data(int(sys.argv[2]))).to_client()
    # flwr.client.start_client(server_address="127.0.0.1:8080", client=client)
    start_client(Client.from_key_file(sys.argv[1]), "flower", client)
