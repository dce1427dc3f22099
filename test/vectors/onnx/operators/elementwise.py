import torch
import torch.nn.functional as F

from cases import Cases, away, grid, positive

cases = Cases(__file__)

for op, forward, right in [
    ("Div", torch.div, away),
    ("Pow", torch.pow, grid),
    ("Max", torch.maximum, grid),
    ("Min", torch.minimum, grid),
    ("Sum", torch.add, grid),
    ("Mean", lambda a, b: (a + b) / 2, grid),
]:
    left = positive if op == "Pow" else lambda *shape: grid(*shape, steps=2)
    side = right if op in ("Div", "Pow") else lambda *shape: right(*shape, steps=2)
    cases.add(op, "same shapes", [left(2, 3), side(2, 3)], forward)
    cases.add(op, "a row to a matrix", [left(4, 3), side(3)], forward, batch=True)
    cases.add(op, "both sides stretched", [left(2, 1, 3), side(4, 1)], forward, batch=True)
    cases.add(op, "a scalar", [left(), side(2, 2)], forward)
    cases.add(op, "nothing", [left(0, 3), side(3)], forward)

cases.add("Sum", "three", [grid(2, 3), grid(3), grid(2, 1)], lambda a, b, c: a + b + c)
cases.add("Mean", "three", [grid(2, 3), grid(3), grid(2, 1)], lambda a, b, c: (a + b + c) / 3)
cases.add("Sum", "one", [grid(2, 3)], lambda a: a * 1)
three = [grid(2, 3, steps=4), grid(3, steps=4) + 1 / 32, grid(2, 1, steps=4) + 1 / 64]  # no ties
cases.add("Max", "three", three, lambda a, b, c: torch.maximum(torch.maximum(a, b), c))
cases.add("Min", "three", three, lambda a, b, c: torch.minimum(torch.minimum(a, b), c))
cases.add("Max", "one", [grid(2, 3)], lambda a: a * 1)

for exponent in (0.0, 1.0, 2.0, 3.0):
    cases.add("Pow", f"zeros to the {exponent}", [grid(3, 4, steps=1)], lambda x: x**exponent, constants=[torch.tensor(exponent)], batch=True)
cases.add("Pow", "to an integer", [grid(3, 4, steps=1)], lambda x: x**3, constants=[torch.tensor(3)])
cases.add("Pow", "a negative power", [away(3, 4)], lambda x: x**-2.0, constants=[torch.tensor(-2.0)])
cases.add("Pow", "zero bases, trained exponents", [grid(6, steps=1).abs(), positive(6) + 1], torch.pow)

for op, forward, inputs in [
    ("Neg", torch.neg, grid), ("Sqrt", torch.sqrt, positive), ("Exp", torch.exp, grid), ("Log", torch.log, positive),
    ("Abs", torch.abs, grid), ("Reciprocal", torch.reciprocal, away), ("Erf", torch.erf, grid), ("Sin", torch.sin, grid),
    ("Cos", torch.cos, grid),
]:
    cases.add(op, "with zeros where it may", [inputs(4, 9, steps=2)], forward, batch=True)
    cases.add(op, "a scalar", [inputs()], forward)
    cases.add(op, "nothing", [inputs(2, 0)], forward)

for op, forward in [("Sign", torch.sign), ("Floor", torch.floor), ("Ceil", torch.ceil), ("Round", torch.round)]:
    cases.add(op, "no gradient", [grid(3, 4, steps=4)], forward)

bounded = grid(4, 6, steps=2)
low, high = torch.tensor(-1.0), torch.tensor(1.5)
cases.add("Clip", "both bounds, met", [bounded], lambda x: x.clamp(-1, 1.5), constants=[low, high], batch=True)
cases.add("Clip", "a lower bound", [bounded], lambda x: x.clamp(min=-1), constants=[low])
cases.add("Clip", "an upper bound", [bounded], lambda x: x.clamp(max=1.5), constants=[high], reads=["input0", "", "constant0"])
cases.add("Clip", "no bound", [bounded], lambda x: x * 1)

def where(name, condition, yes, no, batch=False):
    cases.add(
        "Where", name, [yes, no], lambda a, b: torch.where(condition, a, b), constants=[condition],
        reads=["constant0", "input0", "input1"], batch=batch,
    )

where("same shapes", grid(2, 3) > 0, grid(2, 3), grid(2, 3))
where("all stretched", grid(4, 1, 1) > 0, grid(2, 1), grid(3), batch=False)
where("a mask over a batch", grid(3, 3) > 0, grid(2, 4, 3, 3), grid(), batch=True)
cases.add("Cast", "float to float", [grid(2, 3)], lambda x: x * 1, {"to": 1}, batch=True)
cases.add("CastLike", "float to float", [grid(2, 3)], lambda x: x * 1, constants=[torch.tensor(1.0)], batch=True)
cases.add("Mod", "as in C", [grid(4, 4)], lambda x: torch.fmod(x, 0.75), {"fmod": 1}, [torch.tensor(0.75)], batch=True)
cases.write()
