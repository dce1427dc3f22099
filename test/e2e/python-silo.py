"""One silo of a mixed fleet: python python-silo.py KIND KEY_FILE TASK LABELLED_SET; KIND is onnx or torch."""

import sys
from pathlib import Path

import numpy as np

from tributary_client import Client, participate, safetensors

kind, key, task, data = sys.argv[1:]
layout, values, _ = safetensors.decode(Path(data).read_bytes())
x, y = (np.array(layout.split(values)[name]) for name in ("x", "y"))
client = Client.from_key_file(key)
if kind == "onnx":
    from tributary_client.onnx_trainer import OnnxTrainer

    trainer = OnnxTrainer(x, y, test=(x, y))
    summary = participate(client, task, trainer.train, trainer.evaluate)
else:
    import torch

    from tributary_client.torch_trainer import torch_trainer

    torch.manual_seed(1)
    net = torch.nn.Sequential(torch.nn.Linear(8, 32), torch.nn.ReLU(), torch.nn.Linear(32, 3))
    features, classes = torch.from_numpy(x), torch.from_numpy(y).long()

    def fit(net, given):
        optimizer = torch.optim.SGD(net.parameters(), lr=given.plan.learning_rate)
        for _ in range(given.plan.local_epochs):
            for rows in torch.randperm(len(x)).split(given.plan.batch_size):
                optimizer.zero_grad()
                torch.nn.functional.cross_entropy(net(features[rows]), classes[rows]).backward()
                optimizer.step()
        return len(x)

    summary = participate(client, task, torch_trainer(net, fit))
print(summary.updates, summary.reason)
