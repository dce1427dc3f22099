"""What a client tells its operator of itself."""

from __future__ import annotations

import platform
import sys
from importlib import metadata

_SHOWN = ("onnxruntime", "torch", "flwr")


def agent_text() -> str:
    """For example `tributary-client/0.1.0 python/3.11 onnxruntime/1.30.0`: what is loaded in this process."""
    parts = [
        f"tributary-client/{_version('tributary-client')}",
        "python/" + ".".join(platform.python_version_tuple()[:2]),
    ]
    parts += [f"{name}/{_version(name)}" for name in _SHOWN if name in sys.modules]
    return " ".join(parts)[:100]


def _version(distribution: str) -> str:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return "0"  # run from a checkout
