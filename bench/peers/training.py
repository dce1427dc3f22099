"""The peer of bench/training.ts: the same models in PyTorch, one thread, plain SGD.

Reads one JSON request a line, answers one JSON line. `load` takes the model's name, its parameters (safetensors) and the
data; `run` trains `steps` batches in the order given and answers the loss of each step and the seconds it took.
"""

import json
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

torch.set_num_threads(1)
torch.set_num_interop_threads(1)


def linear(name, parameters):
    weight = parameters[f"{name}.weight"]
    layer = nn.Linear(weight.shape[1], weight.shape[0])
    return load(layer, name, parameters)


def convolution(name, parameters, **options):
    weight = parameters[f"{name}.weight"]
    layer = nn.Conv2d(weight.shape[1], weight.shape[0], weight.shape[2:], **options)
    return load(layer, name, parameters)


def load(layer, name, parameters):
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(parameters[f"{name}.weight"]))
        layer.bias.copy_(torch.from_numpy(parameters[f"{name}.bias"]))
    return layer


def softmax_regression(parameters):
    return linear("dense1", parameters)


def mlp(parameters):
    return nn.Sequential(linear("dense1", parameters), nn.ReLU(), linear("dense2", parameters))


def cnn(parameters):
    return nn.Sequential(
        convolution("conv1", parameters, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(2),
        convolution("conv2", parameters, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        linear("dense1", parameters),
        nn.ReLU(),
        linear("dense2", parameters),
    )


models = {"softmax-regression": softmax_regression, "mlp": mlp, "cnn": cnn}


def read_safetensors(path):
    data = open(path, "rb").read()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    tensors = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        begin, end = entry["data_offsets"]
        values = np.frombuffer(data[8 + length + begin : 8 + length + end], dtype="<f4")
        tensors[name] = values.reshape(entry["shape"]).copy()
    return tensors


state = {}


def answer(request):
    if request["do"] == "version":
        return {"version": torch.__version__}
    if request["do"] == "load":
        state["parameters"] = read_safetensors(request["parameters"])
        state["name"] = request["model"]
        data = read_safetensors(request["data"])
        state["x"] = torch.from_numpy(data["x"])
        state["y"] = torch.from_numpy(data["y"]).long()
        return {}
    model = models[state["name"]](state["parameters"])
    optimizer = torch.optim.SGD(model.parameters(), lr=request["lr"])
    order = torch.tensor(request["order"]).reshape(-1, request["batch"])
    losses = []
    start = time.perf_counter()
    for rows in order:
        optimizer.zero_grad(set_to_none=True)
        loss = F.cross_entropy(model(state["x"][rows]), state["y"][rows])
        loss.backward()
        optimizer.step()
        losses.append(loss.detach())
    seconds = time.perf_counter() - start
    return {"losses": [float(loss) for loss in losses], "seconds": seconds}


for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))), flush=True)
