"""Writes vectors.json beside this file: PyTorch's float64 loss curves for every loss, optimizer and correction.

    python -m venv venv && venv/bin/pip install torch && venv/bin/python test/vectors/onnx/training-options/generate.py

Inputs are integers over 16, so that float32 and float64 start from the same numbers.
"""

import copy
import json
import pathlib

import torch
import torch.nn.functional as F

SEED = 20261
DENOMINATOR = 16
HERE = pathlib.Path(__file__).parent
EXAMPLES, FEATURES, HIDDEN, BATCH = 40, 6, 5, 8
torch.manual_seed(SEED)
torch.set_num_threads(1)


def grid(*shape, spread=16):
    return torch.randint(-spread, spread + 1, shape).double() / DENOMINATOR


def numerators(value):
    return [round(v * DENOMINATOR) for v in value.flatten().tolist()]


X = grid(EXAMPLES, FEATURES, spread=32)
START = {
    outputs: {
        "dense1.weight": grid(HIDDEN, FEATURES),
        "dense1.bias": grid(HIDDEN, spread=4),
        "dense2.weight": grid(outputs, HIDDEN),
        "dense2.bias": grid(outputs, spread=4),
    }
    for outputs in (1, 2, 3)
}
CLASSES = (X[:, :3] + grid(EXAMPLES, 3, spread=4)).argmax(1)
LABELS = {
    "classes": CLASSES,
    "binary": (CLASSES == 1).long(),
    "masked": torch.where(torch.arange(EXAMPLES) % 5 == 3, -100, CLASSES),
    "some-ignored": CLASSES,
    "multi": (X[:, :3] > 0).double(),
    "values": torch.stack([X[:, 0] - X[:, 1], X[:, 2]], 1) + grid(EXAMPLES, 2, spread=2),
}


def forward(w, x):
    hidden = F.relu(x @ w["dense1.weight"].T + w["dense1.bias"])
    return hidden @ w["dense2.weight"].T + w["dense2.bias"]


def focal(gamma, weights=None):
    def loss(scores, y):
        log_p = F.log_softmax(scores, 1).gather(1, y[:, None])[:, 0]
        w = torch.ones(len(y)).double() if weights is None else weights[y]
        return (w * (1 - log_p.exp()) ** gamma * -log_p).sum() / w.sum()

    return loss


WEIGHTS = torch.tensor([0.5, 1.0, 3.0]).double()
POS = torch.tensor([0.5, 2.0, 4.0]).double()


def hinge(scores, y):
    return F.relu(1.5 - (2 * y[:, None] - 1) * scores).mean()


ce = F.cross_entropy
bce = F.binary_cross_entropy_with_logits
SOFTMAX = "softmax-cross-entropy"
BINARY = "binary-cross-entropy"
LOSSES = [
    ("softmax", {"kind": SOFTMAX}, 3, "classes", ce),
    ("class weights", {"kind": SOFTMAX, "classWeights": WEIGHTS.tolist()}, 3, "classes", lambda s, y: ce(s, y, WEIGHTS)),
    ("label smoothing", {"kind": SOFTMAX, "labelSmoothing": 0.125}, 3, "classes", lambda s, y: ce(s, y, label_smoothing=0.125)),
    ("ignored labels", {"kind": SOFTMAX, "ignoreIndex": -100}, 3, "masked", ce),
    ("an ignored class", {"kind": SOFTMAX, "ignoreIndex": 2}, 3, "some-ignored", lambda s, y: ce(s, y, ignore_index=2)),
    (
        "class weights, label smoothing and ignored labels",
        {"kind": SOFTMAX, "classWeights": WEIGHTS.tolist(), "labelSmoothing": 0.125, "ignoreIndex": -100},
        3,
        "masked",
        lambda s, y: ce(s, y, WEIGHTS, label_smoothing=0.125),
    ),
    ("focal, gamma 2", {"kind": SOFTMAX, "focalGamma": 2}, 3, "classes", focal(2)),
    ("focal, gamma 1", {"kind": SOFTMAX, "focalGamma": 1}, 3, "classes", focal(1)),
    ("focal with class weights", {"kind": SOFTMAX, "focalGamma": 2, "classWeights": WEIGHTS.tolist()}, 3, "classes", focal(2, WEIGHTS)),
    ("binary", {"kind": BINARY}, 1, "binary", lambda s, y: bce(s[:, 0], y.double())),
    ("binary with a weight on positives", {"kind": BINARY, "posWeight": 3}, 1, "binary", lambda s, y: bce(s[:, 0], y.double(), pos_weight=torch.tensor(3.0).double())),
    ("several binary outputs", {"kind": BINARY, "posWeight": POS.tolist()}, 3, "multi", lambda s, y: bce(s, y, pos_weight=POS)),
    ("mean squared error", {"kind": "mse"}, 2, "values", F.mse_loss),
    ("Huber", {"kind": "huber", "delta": 0.5}, 2, "values", lambda s, y: F.huber_loss(s, y, delta=0.5)),
    ("hinge with one output", {"kind": "hinge", "margin": 1.5}, 1, "binary", hinge),
    ("hinge with several", {"kind": "hinge"}, 3, "classes", F.multi_margin_loss),
]


def sgd(**options):
    return lambda groups: torch.optim.SGD(groups, **options)


def accuracy(scores, y, kind, spec):
    if kind == "values":
        return (1 - ((scores - y) ** 2).sum() / ((y - y.mean(0)) ** 2).sum()).clamp(min=0).item()
    if kind == "multi":
        return ((scores > 0) == (y > 0.5)).all(1).double().mean().item()
    if kind == "binary":
        return ((scores[:, 0] > 0).long() == y).double().mean().item()
    kept = (y >= 0) & (y != spec.get("ignoreIndex", -1))
    return (scores.argmax(1)[kept] == y[kept]).double().mean().item()


def train(steps, loss, labels, outputs, optimizer, groups=None, frozen=(), before_step=None, noise=None):
    start = START[outputs]
    w = {name: value.clone().requires_grad_(name not in frozen) for name, value in start.items()}
    rest = {name: value for name, value in w.items() if value.requires_grad}
    rate = 0.25
    opt = optimizer([{"params": [value], "lr": rate * (groups or {}).get(name, 1)} for name, value in rest.items()])
    losses = []
    for step in range(steps):
        rows = [(step * BATCH + j) % EXAMPLES for j in range(BATCH)]
        x, y = X[rows], LABELS[labels][rows]
        opt.zero_grad()
        mean = loss(forward(w, x), y)
        losses.append(mean.item())
        if noise is None:
            mean.backward()
        else:
            private(w, x, y, loss, {name: value[step] for name, value in noise.items()})
        if before_step:
            before_step(rest, start)
        opt.step()
    norm = torch.sqrt(sum((value.detach() ** 2).sum() for value in rest.values())).item()
    return losses, norm, w


CLIP_NORM, NOISE_MULTIPLIER = 0.75, 0.5


def private(w, x, y, loss, noise):
    """Algorithm 1 of Abadi et al. 2016, one example after the other."""
    total = {name: torch.zeros_like(value) for name, value in w.items()}
    for i in range(len(x)):
        gradients = torch.autograd.grad(loss(forward(w, x[i : i + 1]), y[i : i + 1]), list(w.values()))
        norm = torch.sqrt(sum((g**2).sum() for g in gradients))
        for name, g in zip(w, gradients):
            total[name] += g / max(1.0, (norm / CLIP_NORM).item())
    for name, value in w.items():
        value.grad = (total[name] + noise[name] * NOISE_MULTIPLIER * CLIP_NORM) / len(x)


def clip_norm(rest, _):
    torch.nn.utils.clip_grad_norm_(rest.values(), 0.25)


def clip_value(rest, _):
    torch.nn.utils.clip_grad_value_(rest.values(), 0.05)


MU = 0.5
CONTROL = {name: grid(*value.shape, spread=2) for name, value in START[3].items()}


def proximal(rest, start):
    for name, value in rest.items():
        value.grad = value.grad + MU * (value.detach() - start[name])


def control(rest, _):
    for name, value in rest.items():
        value.grad = value.grad + CONTROL[name]


def both(*hooks):
    def run(rest, start):
        for hook in hooks:
            hook(rest, start)

    return run


def slow(kind, rate_scale=1 / 16, **options):
    def make(groups):
        return kind([{**group, "lr": group["lr"] * rate_scale} for group in groups], **options)

    return make


PROX = {"proximal": True}
DP = {"privacy": {"clipNorm": CLIP_NORM, "noiseMultiplier": NOISE_MULTIPLIER}}
NOISE = {name: grid(20, *value.shape, spread=32) for name, value in START[3].items()}
SILENCE = {name: torch.zeros_like(value) for name, value in NOISE.items()}
MULTIPLIERS = [{"pattern": "dense2.*", "multiplier": 2}, {"pattern": "*.bias", "multiplier": 0.5}]
GROUPS = {"dense2.weight": 2, "dense2.bias": 2, "dense1.bias": 0.5}
RUNS = [
    # name, specification, learning rate, optimizer, options
    ("SGD", {}, 1, sgd(), {}),
    ("momentum", {"optimizer": {"kind": "sgd", "momentum": 0.9}}, 1 / 16, slow(torch.optim.SGD, momentum=0.9), {}),
    ("Nesterov", {"optimizer": {"kind": "sgd", "momentum": 0.9, "nesterov": True}}, 1 / 16, slow(torch.optim.SGD, momentum=0.9, nesterov=True), {}),
    ("weight decay", {"optimizer": {"kind": "sgd", "weightDecay": 0.125}}, 1, sgd(weight_decay=0.125), {}),
    ("momentum and weight decay", {"optimizer": {"kind": "sgd", "momentum": 0.5, "weightDecay": 0.125}}, 1, sgd(momentum=0.5, weight_decay=0.125), {}),
    ("Nesterov and weight decay", {"optimizer": {"kind": "sgd", "momentum": 0.5, "nesterov": True, "weightDecay": 0.125}}, 1, sgd(momentum=0.5, nesterov=True, weight_decay=0.125), {}),
    ("Adam", {"optimizer": {"kind": "adam"}}, 1 / 16, slow(torch.optim.Adam), {}),
    ("Adam with other settings", {"optimizer": {"kind": "adam", "beta1": 0.5, "beta2": 0.75, "epsilon": 0.01, "weightDecay": 0.125}}, 1 / 16, slow(torch.optim.Adam, betas=(0.5, 0.75), eps=0.01, weight_decay=0.125), {}),
    ("AdamW", {"optimizer": {"kind": "adamw", "weightDecay": 0.125}}, 1 / 16, slow(torch.optim.AdamW, weight_decay=0.125), {}),
    ("clipping by norm", {"clip": {"kind": "norm", "max": 0.25}}, 1, sgd(), {"before_step": clip_norm}),
    ("clipping by value with momentum", {"clip": {"kind": "value", "max": 0.05}, "optimizer": {"kind": "sgd", "momentum": 0.5}}, 1, sgd(momentum=0.5), {"before_step": clip_value}),
    ("clipping by norm with Adam", {"clip": {"kind": "norm", "max": 0.25}, "optimizer": {"kind": "adam"}}, 1 / 16, slow(torch.optim.Adam), {"before_step": clip_norm}),
    ("rate multipliers", {"rateMultipliers": MULTIPLIERS}, 1, sgd(), {"groups": GROUPS}),
    ("rate multipliers with Nesterov and weight decay", {"rateMultipliers": MULTIPLIERS, "optimizer": {"kind": "sgd", "momentum": 0.5, "nesterov": True, "weightDecay": 0.125}}, 1, sgd(momentum=0.5, nesterov=True, weight_decay=0.125), {"groups": GROUPS}),
    ("rate multipliers with AdamW", {"rateMultipliers": MULTIPLIERS, "optimizer": {"kind": "adamw", "weightDecay": 0.125}}, 1 / 16, slow(torch.optim.AdamW, weight_decay=0.125), {"groups": GROUPS}),
    ("a frozen layer", {"freeze": ["dense1.*"]}, 1, sgd(), {"frozen": ("dense1.weight", "dense1.bias")}),
    ("FedProx", PROX, 1, sgd(), {"before_step": proximal}),
    ("FedProx with momentum", {**PROX, "optimizer": {"kind": "sgd", "momentum": 0.5}}, 1, sgd(momentum=0.5), {"before_step": proximal}),
    ("FedProx, then clipping", {**PROX, "clip": {"kind": "norm", "max": 0.25}}, 1, sgd(), {"before_step": both(proximal, clip_norm)}),
    ("SCAFFOLD", {"control": True}, 1, sgd(), {"before_step": control}),
    ("clipping, then SCAFFOLD", {"control": True, "clip": {"kind": "norm", "max": 0.25}}, 1, sgd(), {"before_step": both(clip_norm, control)}),
    ("SCAFFOLD with Adam", {"control": True, "optimizer": {"kind": "adam"}}, 1 / 16, slow(torch.optim.Adam), {"before_step": control}),
    ("per-example clipping", {"privacy": {"clipNorm": CLIP_NORM, "noiseMultiplier": 0}}, 1, sgd(), {"noise": SILENCE}),
    ("per-example clipping and noise", DP, 1, sgd(), {"noise": NOISE}),
    ("per-example clipping and noise with Adam", {**DP, "optimizer": {"kind": "adam"}}, 1 / 16, slow(torch.optim.Adam), {"noise": NOISE}),
]


def losses():
    for name, spec, outputs, labels, loss in LOSSES:
        curve, norm, w = train(30, loss, labels, outputs, sgd())
        start = START[outputs]
        evaluation = {
            "loss0": loss(forward(start, X), LABELS[labels]).item(),
            "accuracy": accuracy(forward(start, X), LABELS[labels], labels, spec),
            "lossAfter": loss(forward(w, X), LABELS[labels]).item(),
            "accuracyAfter": accuracy(forward(w, X), LABELS[labels], labels, spec),
        }
        yield {"name": name, "loss": spec, "outputs": outputs, "labels": labels, "losses": curve, "normAfter": norm, **evaluation}


def optimizers():
    for name, spec, scale, optimizer, options in RUNS:
        steps = 20 if "noise" in options else 60
        curve, norm, _ = train(steps, ce, "classes", 3, optimizer, **options)
        yield {"name": name, "spec": spec, "learningRate": 0.25 * scale, "losses": curve, "normAfter": norm}


def labels():
    result = {}
    for name, value in LABELS.items():
        floating = value.is_floating_point()
        result[name] = {"float": floating, "numerators": numerators(value) if floating else value.tolist()}
    return result


vectors = {
    "origin": {
        "by": f"PyTorch {torch.__version__}, float64, CPU",
        "seed": SEED,
        "command": "python test/vectors/onnx/training-options/generate.py",
    },
    "denominator": DENOMINATOR,
    "features": FEATURES,
    "hidden": HIDDEN,
    "batch": BATCH,
    "mu": MU,
    "x": numerators(X),
    "labels": labels(),
    "start": {str(outputs): {name: numerators(value) for name, value in start.items()} for outputs, start in START.items()},
    "control": {name: numerators(value) for name, value in CONTROL.items()},
    "noise": {name: numerators(value) for name, value in NOISE.items()},
    "losses": list(losses()),
    "runs": list(optimizers()),
}
(HERE / "vectors.json").write_text(json.dumps(vectors) + "\n")
