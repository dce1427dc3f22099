"""What the silos share. Run once: it writes what the task is made of, model.onnx and held-out.safetensors."""

import torch

from tributary_client import safetensors


def network():
    return torch.nn.Sequential(torch.nn.Linear(8, 32), torch.nn.ReLU(), torch.nn.Linear(32, 3))


def examples(silo, n=600):
    """Each silo sees another part of the world: x [n, 8], y [n] in three classes."""
    draw = torch.Generator().manual_seed(silo)
    x = torch.randn(n, 8, generator=draw) + torch.randn(8, generator=draw)
    return x, torch.stack([x[:, :3].sum(1), x[:, 3:6].sum(1), x[:, 6] * x[:, 7]]).argmax(0)


if __name__ == "__main__":
    x, y = map(torch.cat, zip(*(examples(silo) for silo in range(100, 110)), strict=True))
    torch.onnx.export(network(), x[:2], "model.onnx", dynamo=False)
    with open("held-out.safetensors", "wb") as file:
        file.write(safetensors.encode_labelled(x.numpy(), y.numpy()))
