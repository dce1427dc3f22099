"""Take part in a Tributary federation from Python, over plain HTTPS."""

from .answers import Ended, PackageFile, Ticket, TicketStatus, TrainingPlan, Wait
from .client import Client, Update
from .enrolment import enrol
from .errors import TributaryError
from .identity import ClientKey
from .key_file import KeyFile
from .participate import Evaluate, Event, Summary, Train, Trained, TrainInput, participate
from .retry import RetryPolicy
from .safetensors import Layout, Tensor, Vector
from .store import FolderStore, MemoryStore, Store

__all__ = [
    "Client",
    "ClientKey",
    "Ended",
    "Evaluate",
    "Event",
    "FolderStore",
    "KeyFile",
    "Layout",
    "MemoryStore",
    "PackageFile",
    "RetryPolicy",
    "Store",
    "Summary",
    "Tensor",
    "Ticket",
    "TicketStatus",
    "Train",
    "TrainInput",
    "Trained",
    "TrainingPlan",
    "TributaryError",
    "Update",
    "Vector",
    "Wait",
    "enrol",
    "participate",
]
