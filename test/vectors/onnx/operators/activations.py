import torch
import torch.nn.functional as F

from cases import Cases, grid

cases = Cases(__file__)


def wide():
    """Multiples of a half in [-5, 5], in random order: every kink and zero is among them."""
    return (torch.arange(-10, 11).double() / 2)[torch.randperm(21)].reshape(3, 7)


def smooth(op, name, forward, attributes=None, opset=18):
    cases.add(op, name, [wide()], forward, attributes, batch=True, opset=opset)


smooth("Relu", "kink", F.relu)
smooth("LeakyRelu", "default", F.leaky_relu)
smooth("LeakyRelu", "alpha", lambda x: F.leaky_relu(x, 0.25), {"alpha": 0.25})
smooth("Elu", "default", F.elu)
smooth("Elu", "alpha", lambda x: F.elu(x, 1.5), {"alpha": 1.5})
smooth("Selu", "default", F.selu)
smooth("Celu", "default", F.celu)
smooth("Celu", "alpha", lambda x: F.celu(x, 0.5), {"alpha": 0.5})
smooth("Gelu", "exact", F.gelu, opset=20)
smooth("Gelu", "by tanh", lambda x: F.gelu(x, approximate="tanh"), {"approximate": "tanh"}, opset=20)
smooth("HardSigmoid", "PyTorch's", F.hardsigmoid, {"alpha": 1 / 6, "beta": 0.5})
smooth("HardSigmoid", "default", lambda x: torch.where((0.2 * x + 0.5 > 0) & (0.2 * x + 0.5 < 1), 0.2 * x + 0.5, (x > 0).double()))
smooth("HardSwish", "kinks", F.hardswish)
smooth("Softplus", "wide", F.softplus)
smooth("Softsign", "wide", F.softsign)
smooth("Sigmoid", "wide", torch.sigmoid)
smooth("Tanh", "wide", torch.tanh)
smooth("ThresholdedRelu", "default", lambda x: F.threshold(x, 1.0, 0.0))
smooth("ThresholdedRelu", "alpha", lambda x: F.threshold(x, 2.0, 0.0), {"alpha": 2.0})
smooth("Mish", "wide", F.mish)
smooth("Swish", "SiLU", F.silu, opset=24)
smooth("Swish", "alpha", lambda x: x * torch.sigmoid(0.5 * x), {"alpha": 0.5}, opset=24)

cases.add("PRelu", "one slope", [grid(2, 3, steps=2), grid(1)], F.prelu, batch=True)
cases.add("PRelu", "a slope for each channel", [grid(2, 3, 4, steps=2), grid(3, 1)], lambda x, a: F.prelu(x, a.flatten()), batch=True)

for op, forward in [("Softmax", F.softmax), ("LogSoftmax", F.log_softmax)]:
    for axis in (-1, 0, 1):
        cases.add(op, f"axis {axis}", [grid(3, 4, 5)], lambda x: forward(x, axis), {"axis": axis}, batch=True)
    cases.add(op, "default axis", [grid(3, 4)], lambda x: forward(x, -1), batch=True)
    cases.add(op, "one element", [grid(3, 1)], lambda x: forward(x, -1))
    cases.add(op, "no rows", [grid(0, 4)], lambda x: forward(x, -1))
cases.write()
