import torch
import torch.nn.functional as F

from cases import Cases, away, grid, positive

cases = Cases(__file__)


def reads_constants(op, name, inputs, forward, constants, attributes=None, **more):
    cases.add(op, name, inputs, forward, attributes, constants, **more)


cases.add("Identity", "passes through", [grid(2, 3)], lambda x: x * 1, batch=True)
cases.add("Flatten", "negative axis", [grid(2, 3, 4)], lambda x: x.reshape(6, 4), {"axis": -1}, batch=True)
cases.add("Flatten", "axis 0", [grid(2, 3)], lambda x: x.reshape(1, 6), {"axis": 0}, batch=True)
cases.add("Reshape", "batch and steps joined", [grid(2, 3, 4)], lambda x: x.reshape(6, 4), constants=[[-1, 4]], batch=True)
cases.add("Reshape", "an open axis last", [grid(2, 3, 4)], lambda x: x.reshape(2, 12), constants=[[0, -1]], batch=True)
cases.add("Reshape", "nothing", [grid(0, 3)], lambda x: x.reshape(3, 0), {"allowzero": 1}, [[3, 0]])
cases.add("Transpose", "default", [grid(2, 3, 4)], lambda x: x.permute(2, 1, 0), batch=True)
cases.add("Transpose", "a cycle", [grid(2, 3, 4)], lambda x: x.permute(2, 0, 1), {"perm": [2, 0, 1]}, batch=True)
cases.add("Squeeze", "one axis", [grid(2, 1, 3, 1)], lambda x: x.squeeze(1), constants=[[1]], batch=True)
cases.add("Squeeze", "negative axes", [grid(2, 1, 3, 1)], lambda x: x.reshape(2, 3), constants=[[-1, 1]], batch=True)
cases.add("Squeeze", "all", [grid(1, 3, 1)], lambda x: x.reshape(3))
cases.add("Unsqueeze", "two axes", [grid(2, 3)], lambda x: x.reshape(2, 1, 3, 1), constants=[[1, -1]], batch=True)
cases.add("Unsqueeze", "a scalar", [grid()], lambda x: x.reshape(1), constants=[[0]])
cases.add("Expand", "new and stretched axes", [grid(3, 1)], lambda x: x.expand(2, 3, 4), constants=[[2, 1, 4]])
cases.add("Expand", "to its own", [grid(2, 3)], lambda x: x * 1, constants=[[1, 3]], batch=True)
cases.add("Expand", "to nothing", [grid(1, 3)], lambda x: x.expand(0, 3), constants=[[0, 3]])
cases.add("Tile", "both axes", [grid(2, 3)], lambda x: x.repeat(2, 3), constants=[[2, 3]])
cases.add("Tile", "not the batch", [grid(2, 3, 2)], lambda x: x.repeat(1, 3, 2), constants=[[1, 3, 2]], batch=True)
cases.add("Tile", "once", [grid(2, 3)], lambda x: x * 1, constants=[[1, 1]])
cases.add("Tile", "never", [grid(2, 3)], lambda x: x.repeat(1, 0), constants=[[1, 0]])
cases.add("Dropout", "inference", [grid(2, 3)], lambda x: x * 1, batch=True)

three = [grid(2, 3, 2), grid(2, 1, 2), grid(2, 0, 2)]
cases.add("Concat", "three, one empty", three, lambda *x: torch.cat(x, 1), {"axis": 1})
cases.add("Concat", "last axis", [grid(2, 3), grid(2, 2)], lambda *x: torch.cat(x, -1), {"axis": -1})
cases.add("Concat", "alone", [grid(2, 3)], lambda x: x * 1, {"axis": 0}, batch=True)
cases.add("Split", "given sizes", [grid(2, 6)], lambda x: x.split([1, 2, 3], 1), {"axis": 1}, [[1, 2, 3]], makes=(1, 1, 1))
cases.add("Split", "a part unread", [grid(2, 6)], lambda x: [x.split([1, 2, 3], 1)[i] for i in (0, 2)], {"axis": -1}, [[1, 2, 3]], makes=(1, 0, 1))
cases.add("Split", "uneven", [grid(7, 2)], lambda x: x.split(3), {"axis": 0, "num_outputs": 3}, makes=(1, 1, 1))
cases.add("Split", "an empty part", [grid(2, 3)], lambda x: x.split([3, 0], 1), {"axis": 1}, [[3, 0]], makes=(1, 1))

end = 2**53 - 1


def sliced(name, shape, cut, starts, ends, axes=None, steps=None, batch=False):
    lists = [part for part in (starts, ends, axes, steps) if part is not None]
    names = iter(f"constant{i}" for i in range(4))
    reads = ["input0"] + ["" if part is None else next(names) for part in (starts, ends, axes, steps)]
    cases.add("Slice", name, [grid(*shape)], lambda x: cut(x), constants=lists, reads=reads, batch=batch)


sliced("from both ends", (2, 5, 4), lambda x: x[:, 1:4, -3:], [1, -3], [4, end], [1, 2], batch=True)
sliced("all", (2, 3), lambda x: x * 1, [0], [end], [0], batch=True)
sliced("no axes given", (4, 5), lambda x: x[1:3, :-1], [1, 0], [3, -1])
sliced("every second", (2, 7, 3), lambda x: x[:, 1::2], [1], [end], [1], [2], batch=True)
sliced("backwards", (2, 5), lambda x: x.flip(1), [-1], [-end], [1], [-1], batch=True)
sliced("backwards by twos and a plain cut", (2, 6, 4), lambda x: x.flip(1)[:, ::2, 1:3], [-1, 1], [-end, 3], [1, 2], [-2, 1], batch=True)
sliced("nothing", (2, 5), lambda x: x[:, 3:3], [3], [3], [1])
sliced("past the end", (2, 5), lambda x: x[:, 2:], [2], [99], [1])

cases.add("Pad", "around", [grid(2, 3, 2)], lambda x: F.pad(x, (1, 2, 0, 1)), constants=[[0, 0, 1, 0, 1, 2]], batch=True)
cases.add("Pad", "a value", [grid(2, 3)], lambda x: F.pad(x, (1, 1), value=1.5), constants=[[0, 1, 0, 1], torch.tensor(1.5)], batch=True)
cases.add("Pad", "cutting", [grid(2, 4)], lambda x: F.pad(x, (-1, 2)), constants=[[0, -1, 0, 2]], batch=True)
cases.add("Pad", "one axis", [grid(2, 3, 2)], lambda x: F.pad(x, (0, 0, 1, 0)), constants=[[1, 0], [1]], reads=["input0", "constant0", "", "constant1"], batch=True)

rows = torch.tensor([[0, 3, 3], [2, 0, -1]])
cases.add("Gather", "an embedding with repeats", [grid(4, 3)], lambda x: x[rows], constants=[rows])
cases.add("Gather", "a later axis", [grid(2, 4, 3)], lambda x: x[:, rows], {"axis": 1}, [rows], batch=True)
cases.add("Gather", "one row", [grid(2, 4, 3)], lambda x: x[:, -1], {"axis": 1}, [torch.tensor(-1)], batch=True)
cases.add("Gather", "one number of a list", [grid(4)], lambda x: x[2], constants=[torch.tensor(2)])
cases.add("Gather", "no rows", [grid(4, 3)], lambda x: x[[]], constants=[[]])
picked = torch.tensor([[0, 2, 2, 1], [1, 0, 0, 2]])
cases.add("GatherElements", "repeats", [grid(2, 3)], lambda x: x.gather(1, picked), {"axis": 1}, [picked])
cases.add("GatherElements", "first axis", [grid(3, 4)], lambda x: x.gather(0, picked), {"axis": 0}, [picked])
pairs = torch.tensor([[0, 1], [2, 0], [0, 1]])
cases.add("GatherND", "pairs with repeats", [grid(3, 2, 2)], lambda x: x[pairs[:, 0], pairs[:, 1]], constants=[pairs])

cases.add("Trilu", "lower", [grid(2, 3, 4)], lambda x: x.tril(), {"upper": 0}, batch=True)
cases.add("Trilu", "upper, shifted", [grid(3, 4)], lambda x: x.triu(1), constants=[torch.tensor(1)])
cases.add("CumSum", "forwards", [grid(2, 4)], lambda x: x.cumsum(1), constants=[torch.tensor(1)], batch=True)
cases.add("CumSum", "backwards", [grid(2, 4)], lambda x: x.flip(1).cumsum(1).flip(1), {"reverse": 1}, [torch.tensor(1)])
cases.add("CumSum", "exclusive", [grid(2, 4)], lambda x: x.cumsum(1) - x, {"exclusive": 1}, [torch.tensor(1)])

one, some = positive, lambda *shape: grid(*shape, steps=1)
for op, forward, inputs in [
    ("ReduceSum", lambda x, **k: x.sum(**k), grid),
    ("ReduceMean", lambda x, **k: x.mean(**k), grid),
    ("ReduceMax", lambda x, **k: x.amax(**k), some),
    ("ReduceMin", lambda x, **k: x.amin(**k), some),
    ("ReduceL1", lambda x, **k: x.abs().sum(**k), some),
    ("ReduceL2", lambda x, **k: torch.linalg.vector_norm(x, **k), some),
    ("ReduceSumSquare", lambda x, **k: x.square().sum(**k), grid),
    ("ReduceLogSumExp", lambda x, **k: x.logsumexp(**k), grid),
    ("ReduceLogSum", lambda x, **k: x.sum(**k).log(), positive),
]:
    cases.add(op, "one axis", [inputs(2, 3, 4)], lambda x: forward(x, dim=(1,), keepdim=True), constants=[[1]], batch=True)
    cases.add(op, "two axes dropped", [inputs(2, 3, 4)], lambda x: forward(x, dim=(0, 2)), {"keepdims": 0}, [[0, -1]], batch=True)
    cases.add(op, "everything", [inputs(2, 3)], lambda x: forward(x, dim=(0, 1)), {"keepdims": 0}, batch=True)
    cases.add(op, "nothing to do", [inputs(2, 3) if op != "ReduceLogSum" else positive(2, 3)], {
        "ReduceL1": torch.abs, "ReduceL2": torch.abs, "ReduceSumSquare": torch.square, "ReduceLogSum": torch.log,
    }.get(op, lambda x: x * 1), {"noop_with_empty_axes": 1}) if op in ("ReduceSum", "ReduceMean", "ReduceMax") else None
cases.add("ReduceSum", "of no elements", [grid(2, 0)], lambda x: x.sum(1, keepdim=True), constants=[[1]])
cases.add("ReduceL2", "of zeros", [torch.zeros(2, 3).double()], lambda x: torch.linalg.vector_norm(x, dim=1, keepdim=True), constants=[[1]])
zeros = torch.tensor([[1.5, 2.0, -1.0], [0.0, 2.0, 3.0], [0.0, 0.0, 1.0]]).double()
cases.add("ReduceProd", "none, one and two zeros", [zeros], lambda x: x.prod(1, keepdim=True), constants=[[1]], batch=True)
cases.add("ReduceProd", "dropped", [away(2, 3)], lambda x: x.prod(1), {"keepdims": 0}, [[1]])
cases.write()
