"""What the scripts beside this file share: a case is one operator, its inputs, PyTorch's float64 output and gradients.

    python -m venv venv && venv/bin/pip install torch numpy && venv/bin/python test/vectors/onnx/operators/elementwise.py

and so on for each script; each writes the JSON file of its own name.
Inputs are integers over a power of two, so that float32 and float64 start from the same numbers.
"""

import json
import pathlib
import zlib

import torch

HERE = pathlib.Path(__file__).parent
torch.set_num_threads(1)


def grid(*shape, steps=16, spread=2):
    """Random multiples of 1/steps in [-spread, spread]: few distinct values, so that ties and zeros occur."""
    return torch.randint(-spread * steps, spread * steps + 1, shape).double() / steps


def positive(*shape, steps=16, spread=2):
    return grid(*shape, steps=steps, spread=spread).abs() + 1 / steps


def away(*shape, steps=16, spread=2):
    """Never zero."""
    value = grid(*shape, steps=steps, spread=spread)
    return torch.where(value == 0, torch.full_like(value, 1 / steps), value)


def numbers(value):
    return [float(f"{element:.9g}") for element in value.detach().double().flatten().tolist()]


def tensor(value):
    return {"shape": list(value.shape), "values": numbers(value)}


def constant(value):
    """A constant input: a list of int64, or a tensor of its own type."""
    if isinstance(value, list):
        value = torch.tensor(value, dtype=torch.int64)
    kind = {torch.int64: "int64", torch.bool: "bool", torch.float32: "float32", torch.float64: "float32"}[value.dtype]
    return {"type": kind, **tensor(value)}


def attribute(value):
    if isinstance(value, list):
        return {"kind": "strings" if value and isinstance(value[0], str) else "ints", "value": value}
    return {"kind": {int: "int", float: "float", str: "string"}[type(value)], "value": value}


class Cases:
    def __init__(self, script):
        self.name = pathlib.Path(script).stem
        self.seed = zlib.crc32(self.name.encode()) % 100000
        torch.manual_seed(self.seed)
        self.cases = []

    def add(self, op, name, inputs, forward, attributes=None, constants=(), reads=None, makes=(1,), batch=False, opset=18):
        """`forward` takes the inputs and gives the output, or a list of those that `makes` asks for.

        `reads`: input0, constant0, ... in the operator's order, "" for one left out. `batch`: also try it with the first axis open.
        """
        leaves = [value.clone().requires_grad_() for value in inputs]
        output = forward(*leaves)
        if len(makes) > 1:
            output = torch.cat([part.reshape(-1) for part in output])
        seed = grid(*output.shape)
        if output.requires_grad:
            gradients = torch.autograd.grad(output, leaves, seed, allow_unused=True)
        else:
            gradients = [None] * len(leaves)
        zeros = [torch.zeros_like(leaf) for leaf in leaves]
        self.cases.append(
            {
                "op": op,
                "name": name,
                "opset": opset,
                "batch": batch,
                "attributes": {key: attribute(value) for key, value in (attributes or {}).items()},
                "inputs": [tensor(value) for value in inputs],
                "constants": [constant(value) for value in constants],
                "reads": reads,
                "makes": [bool(made) for made in makes],
                "seed": tensor(seed),
                "output": tensor(output),
                "gradients": [tensor(zero if gradient is None else gradient) for gradient, zero in zip(gradients, zeros)],
            }
        )

    def write(self):
        origin = {
            "by": f"PyTorch {torch.__version__}, float64, CPU",
            "seed": self.seed,
            "command": f"python test/vectors/onnx/operators/{self.name}.py",
        }
        content = json.dumps({"origin": origin, "cases": self.cases}, allow_nan=False, separators=(",", ":"))
        (HERE / f"{self.name}.json").write_text(content + "\n")
        print(self.name, len(self.cases), "cases", len(content), "bytes")
