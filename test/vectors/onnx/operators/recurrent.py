"""GRU and LSTM from PyTorch's own modules, their weights laid out as ONNX wants them; linear_before_reset=0 by its formula."""

import torch

from cases import Cases, grid

cases = Cases(__file__)
STEPS, BATCH, FEATURES, HIDDEN = 4, 2, 3, 2


def reordered(weight, order):
    """ONNX's gates from PyTorch's: both stack them along the first axis."""
    blocks = weight.split(HIDDEN)
    return torch.cat([blocks[i] for i in order])


def inverse(order):
    return [order.index(i) for i in range(len(order))]


def plain_gru(x, w, r, b, h, reverse):
    """The GRU of arXiv:1406.1078, whose reset gate acts on the state itself."""
    wz, wr, wn = w.split(HIDDEN)
    rz, rr, rn = r.split(HIDDEN)
    bz, br, bn = (b[: 3 * HIDDEN] + b[3 * HIDDEN :]).split(HIDDEN)
    states = [None] * len(x)
    for step in reversed(range(len(x))) if reverse else range(len(x)):
        z = torch.sigmoid(x[step] @ wz.T + h @ rz.T + bz)
        reset = torch.sigmoid(x[step] @ wr.T + h @ rr.T + br)
        n = torch.tanh(x[step] @ wn.T + (reset * h) @ rn.T + bn)
        h = (1 - z) * n + z * h
        states[step] = h
    return torch.stack(states), h


def module_step(kind, order, x, w, r, b, state, reverse):
    """One direction by torch.func on PyTorch's module."""
    module = getattr(torch.nn, kind)(FEATURES, HIDDEN).double()
    half = len(b) // 2
    back = inverse(order)
    parameters = {
        "weight_ih_l0": reordered(w, back), "weight_hh_l0": reordered(r, back),
        "bias_ih_l0": reordered(b[:half], back), "bias_hh_l0": reordered(b[half:], back),
    }
    state = [part.unsqueeze(0) for part in state]
    outputs, last = torch.func.functional_call(module, parameters, (x.flip(0) if reverse else x, tuple(state) if kind == "LSTM" else state[0]))
    last = list(last) if kind == "LSTM" else [last]
    return (outputs.flip(0) if reverse else outputs), [part.squeeze(0) for part in last]


def case(op, direction, linear=1, bias=True, initial=True, makes=None):
    gates, order = (3, [1, 0, 2]) if op == "GRU" else (4, [0, 3, 1, 2])
    states = 1 if op == "GRU" else 2
    makes = makes or (1,) * (1 + states)
    flags = {"forward": [False], "reverse": [True], "bidirectional": [False, True]}[direction]
    d = len(flags)
    inputs = [grid(STEPS, BATCH, FEATURES), grid(d, gates * HIDDEN, FEATURES), grid(d, gates * HIDDEN, HIDDEN)]
    reads = ["input0", "input1", "input2"]
    if bias:
        inputs.append(grid(d, 2 * gates * HIDDEN))
        reads.append("input3")
    if initial:
        reads += [""] * (5 - len(reads))
        for _ in range(states):
            reads.append(f"input{len(inputs)}")
            inputs.append(grid(d, BATCH, HIDDEN))

    def forward(x, w, r, *rest):
        rest = list(rest)
        b = rest.pop(0) if bias else torch.zeros(d, 2 * gates * HIDDEN).double()
        start = rest if initial else [torch.zeros(d, BATCH, HIDDEN).double()] * states
        parts = []
        for i, reverse in enumerate(flags):
            if op == "GRU" and not linear:
                y, h = plain_gru(x, w[i], r[i], b[i], start[0][i], reverse)
                parts.append((y, [h]))
            else:
                parts.append(module_step(op, order, x, w[i], r[i], b[i], [part[i] for part in start], reverse))
        results = [torch.stack([y for y, _ in parts], 1)]
        for state in range(states):
            results.append(torch.stack([last[state] for _, last in parts]))
        results = [result for result, made in zip(results, makes) if made]
        return results if len(makes) > 1 else results[0]

    attributes = {"hidden_size": HIDDEN, "direction": direction}
    if op == "GRU":
        attributes["linear_before_reset"] = linear
    name = f"{direction}, linear={linear}, bias={bias}, initial={initial}, makes={makes}"
    cases.add(op, name, inputs, forward, attributes, reads=reads, makes=makes)


for direction in ("forward", "reverse", "bidirectional"):
    case("GRU", direction)
    case("GRU", direction, linear=0)
    case("LSTM", direction)
for op in ("GRU", "LSTM"):
    case(op, "forward", bias=False, initial=False)
    case(op, "bidirectional", initial=False, makes=(1,))
    case(op, "bidirectional", bias=False, makes=(0, 1))
case("GRU", "forward", linear=0, initial=False, makes=(1,))
case("LSTM", "reverse", makes=(0, 0, 1))
cases.write()
