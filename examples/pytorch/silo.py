"""One silo: python silo.py KEY_FILE NUMBER."""

import sys

import torch
from model import examples, network

from tributary_client import Client, participate
from tributary_client.torch_trainer import torch_trainer

x, y = examples(int(sys.argv[2]))


def fit(net, given):
    optimizer = torch.optim.SGD(net.parameters(), lr=given.plan.learning_rate, momentum=0.9)
    for _ in range(given.plan.local_epochs):
        for rows in torch.randperm(len(x)).split(given.plan.batch_size):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(net(x[rows]), y[rows]).backward()
            optimizer.step()
    return len(x)


print(participate(Client.from_key_file(sys.argv[1]), "pytorch", torch_trainer(network(), fit)))
