"""An update that is trained and encoded but not yet known to be stored: what a crash must not lose."""

from __future__ import annotations

import json
from dataclasses import dataclass

from .client import Update
from .store import Store


@dataclass(frozen=True)
class Pending:
    ticket: str
    base_version: int
    expires_at_ms: int
    update: Update


def save_pending(store: Store, task: str, client: str, pending: Pending) -> None:
    """As one value, so that a crash leaves the whole update or none: a line of JSON, then the file."""
    update = pending.update
    about = {
        "ticket": pending.ticket,
        "baseVersion": pending.base_version,
        "expiresAtMs": pending.expires_at_ms,
        "sha256": update.sha256,
        "examples": update.examples,
        "metrics": dict(update.metrics),
        "codec": None if update.codec is None else dict(update.codec),
    }
    store.set(_key(task, client), json.dumps(about).encode() + b"\n" + update.data)


def load_pending(store: Store, task: str, client: str) -> Pending | None:
    """The update that a crash left behind; None if there is none, or it cannot be read."""
    line, _, data = (store.get(_key(task, client)) or b"").partition(b"\n")
    try:
        about = json.loads(line)
        update = Update(data, int(about["examples"]), dict(about["metrics"]), about["codec"])
        if update.sha256 != about["sha256"]:
            return None
        return Pending(str(about["ticket"]), int(about["baseVersion"]), int(about["expiresAtMs"]), update)
    except (ValueError, KeyError, TypeError):
        return None


def drop_pending(store: Store, task: str, client: str) -> None:
    store.delete(_key(task, client))


def _key(task: str, client: str) -> str:
    return f"pending/{task}/{client}"
