"""Take part in a Tributary federation from Python, over plain HTTPS."""

from .client import Client, Ended, Ticket, Wait
from .errors import TributaryError
from .identity import ClientKey, enrol
from .participate import Event, Summary, Trained, TrainInput, participate
from .safetensors import Layout, Tensor

__all__ = [
    "Client",
    "ClientKey",
    "Ended",
    "Event",
    "Layout",
    "Summary",
    "Tensor",
    "Ticket",
    "TrainInput",
    "Trained",
    "TributaryError",
    "Wait",
    "enrol",
    "participate",
]
