"""Writes the vectors beside this file: PyTorch's float64 gradients, loss curves and exported models.

    python -m venv venv && venv/bin/pip install torch numpy onnx && venv/bin/python test/vectors/onnx/generate.py

Inputs are integers over a power of two, so that float32 and float64 start from the same numbers.
"""

import base64
import io
import json
import pathlib

import torch
import torch.nn.functional as F

SEED = 20260
HERE = pathlib.Path(__file__).parent
ORIGIN = {
    "by": f"PyTorch {torch.__version__}, float64, CPU",
    "seed": SEED,
    "command": "python test/vectors/onnx/generate.py",
}
torch.manual_seed(SEED)
torch.set_num_threads(1)


def grid(*shape, steps=16, spread=2):
    """Random multiples of 1/steps in [-spread, spread]: few distinct values, so that ties and zeros occur."""
    return torch.randint(-spread * steps, spread * steps + 1, shape).double() / steps


def numbers(tensor):
    return [float(f"{value:.10g}") for value in tensor.detach().flatten().tolist()]


def tensor(value):
    return {"shape": list(value.shape), "values": numbers(value)}


cases = []


def case(name, op, inputs, forward, attributes=None, constants=None):
    leaves = [value.clone().requires_grad_() for value in inputs]
    output = forward(*leaves)
    seed = grid(*output.shape)
    gradients = torch.autograd.grad(output, leaves, seed)
    cases.append(
        {
            "name": name,
            "op": op,
            "attributes": attributes or {},
            "inputs": [tensor(value) for value in inputs],
            "constants": constants or [],
            "seed": tensor(seed),
            "output": tensor(output),
            "gradients": [tensor(gradient) for gradient in gradients],
        }
    )


def elementwise():
    for op, forward in [("Add", torch.add), ("Sub", torch.sub), ("Mul", torch.mul)]:
        case("same shapes", op, [grid(2, 3), grid(2, 3)], forward)
        case("a row to a matrix", op, [grid(4, 3), grid(3)], forward)
        case("both sides stretched", op, [grid(2, 1, 3), grid(4, 1)], forward)
        case("a scalar", op, [grid(), grid(2, 2)], forward)
    for op, forward in [("Relu", F.relu), ("Sigmoid", torch.sigmoid), ("Tanh", torch.tanh)]:
        case("with zeros", op, [grid(4, 9, steps=2)], forward)
    case("passes through", "Identity", [grid(2, 3)], lambda x: x * 1)


def shapes():
    case("to a vector for each example", "Flatten", [grid(2, 3, 2, 2)], lambda x: x.flatten(1))
    case("at a later axis", "Flatten", [grid(2, 3, 4)], lambda x: x.reshape(6, 4), {"axis": 2})
    case("with an open axis", "Reshape", [grid(2, 3, 4)], lambda x: x.reshape(6, 4), constants=[[-1, 4]])
    case("with a copied axis", "Reshape", [grid(2, 3, 4)], lambda x: x.reshape(2, 4, 3), constants=[[0, 4, 3]])


def products():
    def gemm(alpha, beta, trans_a, trans_b):
        def forward(a, b, c=None):
            product = alpha * (a.T if trans_a else a) @ (b.T if trans_b else b)
            return product if c is None else product + beta * c

        return forward

    for trans_a in (0, 1):
        for trans_b in (0, 1):
            a = grid(3, 4) if not trans_a else grid(4, 3)
            b = grid(4, 5) if not trans_b else grid(5, 4)
            attributes = {"transA": trans_a, "transB": trans_b, "alpha": 0.5, "beta": 2.0}
            case(f"transA={trans_a} transB={trans_b}, bias row", "Gemm", [a, b, grid(5)], gemm(0.5, 2, trans_a, trans_b), attributes)
    case("no bias", "Gemm", [grid(2, 3), grid(3, 2)], gemm(1, 1, 0, 0))
    case("bias column", "Gemm", [grid(2, 3), grid(3, 4), grid(2, 1)], gemm(1, 1, 0, 0))
    case("bias scalar", "Gemm", [grid(2, 3), grid(3, 4), grid()], gemm(1, 1, 0, 0))
    case("two matrices", "MatMul", [grid(2, 3), grid(3, 4)], torch.matmul)
    case("a batch by a weight", "MatMul", [grid(2, 5, 3), grid(3, 4)], torch.matmul)
    case("two batches", "MatMul", [grid(2, 5, 3), grid(2, 3, 4)], torch.matmul)
    case("stretched batches", "MatMul", [grid(2, 1, 5, 3), grid(4, 3, 2)], torch.matmul)
    case("a matrix by a batch", "MatMul", [grid(5, 3), grid(2, 3, 4)], torch.matmul)


def windows():
    def conv(channels, outputs, kernel, size, strides=(1, 1), pads=(0, 0), dilations=(1, 1), bias=True):
        name = f"C={channels} k={kernel} in={size} strides={strides} pads={pads} dilations={dilations} bias={bias}"
        inputs = [grid(2, channels, *size, steps=4), grid(outputs, channels, *kernel, steps=4)]
        if bias:
            inputs.append(grid(outputs))
        attributes = {"kernel_shape": list(kernel), "strides": list(strides), "pads": list(pads) * 2, "dilations": list(dilations)}
        case(name, "Conv", inputs, lambda x, w, b=None: F.conv2d(x, w, b, strides, pads, dilations), attributes)

    conv(1, 3, (3, 3), (5, 5), pads=(1, 1))
    conv(2, 3, (3, 2), (6, 5), strides=(2, 1), bias=False)
    conv(3, 2, (2, 2), (7, 6), strides=(2, 3), pads=(1, 0))
    conv(2, 2, (3, 3), (7, 8), dilations=(2, 2), pads=(2, 2))
    conv(8, 2, (3, 3), (4, 5), pads=(1, 1))
    conv(9, 2, (2, 3), (6, 8), strides=(2, 2), dilations=(1, 2), pads=(0, 1))
    conv(8, 3, (1, 1), (3, 3), strides=(2, 2))

    def pool(kernel, size, strides, pads=(0, 0), dilations=(1, 1), steps=16):
        name = f"k={kernel} in={size} strides={strides} pads={pads} dilations={dilations} steps={steps}"
        attributes = {"kernel_shape": list(kernel), "strides": list(strides), "pads": list(pads) * 2, "dilations": list(dilations)}
        case(name, "MaxPool", [grid(2, 2, *size, steps=steps)], lambda x: F.max_pool2d(x, kernel, strides, pads, dilations), attributes)

    pool((2, 2), (4, 6), (2, 2))
    pool((2, 2), (4, 4), (2, 2), steps=1)  # mostly ties
    pool((2, 3), (4, 6), (2, 3), steps=1)
    pool((2, 2), (5, 7), (2, 2), steps=1)  # an odd row and column that no window reaches
    pool((3, 3), (6, 6), (2, 2), pads=(1, 1), steps=1)  # overlapping
    pool((3, 3), (5, 5), (1, 1), steps=1)
    pool((2, 2), (6, 6), (1, 2), dilations=(2, 2))
    pool((2, 2), (6, 6), (3, 3))  # gaps between windows


class Mlp(torch.nn.Module):
    def __init__(self, features, hidden, classes):
        super().__init__()
        widths = [features, *hidden, classes]
        self.layers = len(widths) - 1
        for i in range(self.layers):
            setattr(self, f"dense{i + 1}", torch.nn.Linear(widths[i], widths[i + 1]))

    def forward(self, x):
        for i in range(1, self.layers + 1):
            x = getattr(self, f"dense{i}")(x)
            x = F.relu(x) if i < self.layers else x
        return x


class FedAvgCnn(torch.nn.Module):
    def __init__(self, side, filters, hidden, classes):
        super().__init__()
        self.conv1 = torch.nn.Conv2d(1, filters[0], 5, padding=2)
        self.conv2 = torch.nn.Conv2d(filters[0], filters[1], 5, padding=2)
        self.dense1 = torch.nn.Linear(filters[1] * (side // 4) ** 2, hidden)
        self.dense2 = torch.nn.Linear(hidden, classes)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        return self.dense2(F.relu(self.dense1(x.flatten(1))))


def training(name, build, model, shape, classes, examples, batch, rate, steps=100):
    """`steps` steps of SGD; step s takes the rows (s * batch + j) mod examples."""
    model = model.double()
    scale = 4096
    parameters = {}
    for key, value in sorted(model.named_parameters()):
        value.data = (value.data * scale).round() / scale
        parameters[key] = {"shape": list(value.shape), "numerators": (value.data * scale).long().flatten().tolist()}
    y = torch.arange(examples) % classes
    centres = torch.randn(classes, *shape).double()
    x = ((centres[y] + torch.randn(examples, *shape).double()) * 16).round() / 16
    losses, optimizer = [], torch.optim.SGD(model.parameters(), lr=rate)
    with torch.no_grad():
        logits = model(x)
        evaluation = {
            "lossSum": float(F.cross_entropy(logits, y, reduction="sum")),
            "correct": int((logits.argmax(1) == y).sum()),
        }
    for step in range(steps):
        rows = (step * batch + torch.arange(batch)) % examples
        loss = F.cross_entropy(model(x[rows]), y[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(f"{loss.item():.10g}"))
    norm = float(torch.cat([value.flatten() for value in model.parameters()]).norm())
    return {
        "name": name,
        "build": build,
        "parameters": {"denominator": scale, "tensors": parameters},
        "x": {"shape": [examples, *shape], "denominator": 16, "numerators": (x * 16).long().flatten().tolist()},
        "y": y.tolist(),
        "batch": batch,
        "learningRate": rate,
        "evaluationBefore": evaluation,
        "losses": losses,
        "normAfter": norm,
    }


def exported(name, model, shape):
    """The model as PyTorch's TorchScript exporter writes it, and its float64 loss and gradients on one batch."""
    x, y = grid(5, *shape), torch.arange(5) % 3
    buffer = io.BytesIO()
    model.float().eval()
    torch.onnx.export(
        model, (x.float(),), buffer, dynamo=False, do_constant_folding=False, training=torch.onnx.TrainingMode.TRAINING,
        input_names=["input"], output_names=["logits"], dynamic_axes={"input": {0: "N"}, "logits": {0: "N"}}, opset_version=17,
    )
    model.double()
    loss = F.cross_entropy(model(x), y)
    loss.backward()
    gradients = {key: tensor(value.grad) for key, value in model.named_parameters()}
    return {
        "name": name,
        "onnx": base64.b64encode(buffer.getvalue()).decode(),
        "x": tensor(x),
        "y": y.tolist(),
        "loss": loss.item(),
        "gradients": gradients,
    }


def write(name, **content):
    (HERE / name).write_text(json.dumps({"origin": ORIGIN, **content}, separators=(",", ":")) + "\n")


elementwise()
shapes()
products()
windows()
write("gradients.json", cases=cases)
write(
    "training.json",
    runs=[
        training("softmax regression", {"kind": "logisticRegression", "features": 6, "classes": 3}, Mlp(6, [], 3), [6], 3, 24, 5, 0.25),
        training(
            "MLP", {"kind": "mlp", "features": 12, "hidden": [16, 10], "classes": 5}, Mlp(12, [16, 10], 5), [12], 5, 50, 8, 0.125
        ),
        training(
            "FedAvg CNN, shrunken",
            {"kind": "fedAvgCnn", "height": 12, "width": 12, "classes": 4, "filters": [8, 6], "hidden": 16},
            FedAvgCnn(12, [8, 6], 16, 4), [1, 12, 12], 4, 40, 6, 0.0625,
        ),
    ],
)
write(
    "exported.json",
    models=[
        exported("MLP", Mlp(6, [5], 3), [6]),
        exported("CNN", FedAvgCnn(8, [2, 3], 4, 3), [1, 8, 8]),
    ],
)
