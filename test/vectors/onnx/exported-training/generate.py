"""Writes vectors.json beside this file: exported models with BatchNorm, and PyTorch's float64 loss curves for them.

    python -m venv venv && venv/bin/pip install torch onnx && venv/bin/python test/vectors/onnx/exported-training/generate.py
"""

import base64
import copy
import io
import json
import pathlib
import warnings

import onnx
import torch
import torch.nn as nn
import torch.nn.functional as F

SEED = 20262
HERE = pathlib.Path(__file__).parent
EXAMPLES, BATCH, STEPS = 24, 8, 100
torch.manual_seed(SEED)
torch.set_num_threads(1)
warnings.filterwarnings("ignore")


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(1, 4, 3, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(4)
        self.conv = nn.Conv2d(4, 4, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(4, momentum=0.25)
        self.head = nn.Linear(4, 3)

    def forward(self, x):
        h = F.relu(self.norm1(self.stem(x)))
        h = F.relu(h + self.norm2(self.conv(h)))
        return self.head(h.mean((2, 3)))


class Dense(nn.Module):
    def __init__(self):
        super().__init__()
        self.one = nn.Linear(16, 8)
        self.norm = nn.BatchNorm1d(8)
        self.two = nn.Linear(8, 3)

    def forward(self, x):
        return self.two(torch.tanh(self.norm(self.one(x.flatten(1)))))


def export(model, x):
    buffer = io.BytesIO()
    torch.onnx.export(
        model,
        x,
        buffer,
        input_names=["x"],
        output_names=["y"],
        dynamic_axes={"x": {0: "N"}, "y": {0: "N"}},
        dynamo=False,
        do_constant_folding=False,
        training=torch.onnx.TrainingMode.TRAINING,
        opset_version=17,
    )
    return base64.b64encode(buffer.getvalue()).decode()


def initializers(encoded):
    graph = onnx.load_from_string(base64.b64decode(encoded)).graph
    return {value.name: onnx.numpy_helper.to_array(value).copy() for value in graph.initializer}


def run(name, model):
    x = torch.randint(-32, 33, (EXAMPLES, 1, 4, 4)).float() / 16
    y = (x.flatten(1)[:, :3]).argmax(1)
    model.train()
    exported = export(copy.deepcopy(model), x[:2])
    # The exporter's own passes have moved the running statistics that it writes: start from the file's.
    with torch.no_grad():
        for key, value in initializers(exported).items():
            model.state_dict()[key].copy_(torch.from_numpy(value))
    model = model.double()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.5)
    losses = []
    for step in range(STEPS):
        rows = [(step * BATCH + j) % EXAMPLES for j in range(BATCH)]
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x[rows].double()), y[rows])
        losses.append(loss.item())
        loss.backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        scores = model(x.double())
    state = {
        key: [float(f"{v:.10g}") for v in value.flatten().tolist()]
        for key, value in model.state_dict().items()
        if "num_batches" not in key
    }
    return {
        "name": name,
        "onnx": exported,
        "learningRate": 0.05,
        "x": [round(v * 16) for v in x.flatten().tolist()],
        "y": y.tolist(),
        "losses": losses,
        "state": state,
        "evaluation": {"loss": F.cross_entropy(scores, y).item(), "accuracy": (scores.argmax(1) == y).double().mean().item()},
    }


vectors = {
    "origin": {
        "by": f"PyTorch {torch.__version__}, float64, CPU",
        "seed": SEED,
        "command": "python test/vectors/onnx/exported-training/generate.py",
    },
    "runs": [run("residual network with BatchNorm2d", Residual()), run("dense network with BatchNorm1d", Dense())],
}
(HERE / "vectors.json").write_text(json.dumps(vectors) + "\n")
