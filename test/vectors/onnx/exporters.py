"""Writes exporters.json: models as both of PyTorch's exporters write them, with float64 losses and gradients to compare with.

    python -m venv venv && venv/bin/pip install torch numpy onnx onnxscript && venv/bin/python test/vectors/onnx/exporters.py
"""

import base64
import copy
import io
import json
import pathlib
import warnings

import onnx
import torch
import torch.nn.functional as F
from torch import nn

HERE = pathlib.Path(__file__).parent
SEED = 4711
torch.manual_seed(SEED)
torch.set_num_threads(1)
warnings.filterwarnings("ignore")


class Cnn(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(2, 4, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(4)
        self.depthwise = nn.Conv2d(4, 4, 3, stride=2, padding=1, groups=4)
        self.norm2 = nn.BatchNorm2d(4, momentum=0.3)
        self.dense = nn.Linear(4, 3)

    def forward(self, x):
        x = F.max_pool2d(F.silu(self.norm(self.conv(x))), 2)
        x = F.adaptive_avg_pool2d(F.hardswish(self.norm2(self.depthwise(x))), 1)
        return self.dense(x.view(x.size(0), -1))


class Attention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)

    def forward(self, x):
        batch, length, width = x.shape
        q, k, v = self.qkv(x).chunk(3, dim=-1)
        q, k, v = (part.view(batch, length, self.heads, width // self.heads).transpose(1, 2) for part in (q, k, v))
        scores = q @ k.transpose(-2, -1) / (width // self.heads) ** 0.5
        hidden = torch.ones(length, length, dtype=torch.bool).triu(1)
        mixed = scores.masked_fill(hidden, float("-inf")).softmax(-1) @ v
        return self.out(mixed.transpose(1, 2).reshape(batch, length, width))


class Block(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = Attention(width, heads)
        self.rise, self.fall = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)

    def forward(self, x):
        x = x + self.attention(self.norm1(x))
        return x + self.fall(F.gelu(self.rise(self.norm2(x))))


class CharTransformer(nn.Module):
    """Reads characters as numbers in a float tensor; says what comes next."""

    def __init__(self, characters=11, length=6, width=8, heads=2, layers=2):
        super().__init__()
        self.token = nn.Embedding(characters, width)
        self.place = nn.Parameter(torch.randn(length, width) / 4)
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, characters)

    def forward(self, x):
        x = self.token(x.long()) + self.place
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x)[:, -1])


class StockTransformer(nn.Module):
    """PyTorch's own encoder layer, scaled_dot_product_attention and all."""

    def __init__(self):
        super().__init__()
        self.layer = nn.TransformerEncoderLayer(8, 2, 12, dropout=0.0, batch_first=True)
        self.head = nn.Linear(8, 3)

    def forward(self, x):
        return self.head(self.layer(x).mean(1))


class Recurrent(nn.Module):
    def __init__(self, kind, bidirectional=False):
        super().__init__()
        self.cell = getattr(nn, kind)(3, 4, batch_first=True, bidirectional=bidirectional)
        self.head = nn.Linear(8 if bidirectional else 4, 3)

    def forward(self, x):
        states, _ = self.cell(x)
        return self.head(states[:, -1])


class RmsNorm(nn.Module):
    def __init__(self):
        super().__init__()
        self.rise, self.norm, self.group = nn.Linear(6, 8), nn.RMSNorm(8), nn.GroupNorm(2, 4)
        self.slope, self.head = nn.PReLU(), nn.Linear(8, 3)

    def forward(self, x):
        x = self.slope(self.norm(self.rise(x)))
        return self.head(self.group(x.view(-1, 4, 2)).flatten(1))


def numbers(value):
    return [float(f"{element:.7g}") for element in value.detach().double().flatten().tolist()]


def tensor(value):
    return {"shape": list(value.shape), "values": numbers(value)}


def stripped(exported):
    """The model without source positions and other notes, which make up most of a dynamo export."""
    model = onnx.load_from_string(exported)
    for node in model.graph.node:
        node.ClearField("doc_string")
        node.ClearField("metadata_props")
    model.graph.ClearField("value_info")
    model.graph.ClearField("metadata_props")
    model.ClearField("metadata_props")
    for tensor in model.graph.initializer:
        tensor.ClearField("metadata_props")
        tensor.ClearField("doc_string")
    return model.SerializeToString()


def torchscript(model, x):
    buffer = io.BytesIO()
    torch.onnx.export(
        model, (x,), buffer, dynamo=False, do_constant_folding=False, training=torch.onnx.TrainingMode.TRAINING, opset_version=17,
        input_names=["input"], output_names=["logits"], dynamic_axes={"input": {0: "N"}, "logits": {0: "N"}},
    )
    return buffer.getvalue()


def dynamo(model, x):
    program = torch.onnx.export(
        model, (x,), dynamo=True, optimize=False, opset_version=18, verbose=False,
        input_names=["input"], output_names=["logits"], dynamic_shapes=({0: torch.export.Dim("N", min=2)},),
    )
    buffer = io.BytesIO()
    program.save(buffer)
    return buffer.getvalue()


exporters = {"TorchScript": torchscript, "dynamo": dynamo}


def entries(name, model, x, classes, steps=1, rate=1.0):
    """`steps` steps of SGD on the same batch; after each, the next loss must agree too."""
    model = model.float().train()
    for parameter in model.parameters():
        parameter.data = (parameter.data * 4096).round() / 4096
    y = torch.arange(len(x)) % classes
    found = []
    for exporter, export in exporters.items():
        try:
            exported = export(copy.deepcopy(model), x.float())
        except Exception as error:
            print(name, exporter, "cannot be exported:", type(error).__name__)
            continue
        trained = copy.deepcopy(model).double()
        # Tracing in training mode moves the running statistics: start from those in the file.
        stored = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in onnx.load_from_string(exported).graph.initializer}
        for key, buffer in trained.named_buffers():
            if "running" in key:
                buffer.copy_(torch.tensor(stored[key]).double())
        optimizer = torch.optim.SGD(trained.parameters(), lr=rate)
        losses = []
        for step in range(steps):
            loss = F.cross_entropy(trained(x.double()), y)
            optimizer.zero_grad()
            loss.backward()
            if step == 0:
                gradients = {key: tensor(value.grad) for key, value in trained.named_parameters()}
                statistics = {key: tensor(value) for key, value in trained.named_buffers() if "running" in key}
            optimizer.step()
            losses.append(float(f"{loss.item():.7g}"))
        found.append({
            "name": f"{name} by the {exporter} exporter", "onnx": base64.b64encode(stripped(exported)).decode(), "x": tensor(x), "y": y.tolist(),
            "learningRate": rate, "losses": losses, "gradients": gradients, "statistics": statistics,
        })
    return found


def grid(*shape):
    return torch.randint(-8, 9, shape).double() / 8


models = [
    *entries("MLP", nn.Sequential(nn.Linear(6, 5), nn.GELU(), nn.Linear(5, 3)), grid(5, 6), 3, steps=100, rate=0.25),
    *entries("CNN with BatchNorm", Cnn(), grid(5, 2, 8, 8), 3, steps=100, rate=0.05),
    *entries("char transformer", CharTransformer(), torch.randint(0, 11, (8, 6)).double(), 11, steps=25, rate=0.1),
    *entries("stock transformer", StockTransformer(), grid(4, 5, 8), 3, steps=30, rate=0.05),
    *entries("GRU", Recurrent("GRU"), grid(5, 4, 3), 3, steps=100, rate=0.25),
    *entries("bidirectional LSTM", Recurrent("LSTM", True), grid(5, 4, 3), 3, steps=100, rate=0.25),
    *entries("RMSNorm and GroupNorm", RmsNorm(), grid(5, 6), 3, steps=50, rate=0.05),
]
origin = {"by": f"PyTorch {torch.__version__}, float64, CPU", "seed": SEED, "command": "python test/vectors/onnx/exporters.py"}
content = json.dumps({"origin": origin, "models": models}, separators=(",", ":"), allow_nan=False)
(HERE / "exporters.json").write_text(content + "\n")
print(len(content), "bytes", [(entry["name"], len(entry["onnx"])) for entry in models])
