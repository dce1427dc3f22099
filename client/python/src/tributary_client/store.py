"""Where a client keeps what must outlive a crash: the update on its way, and the training package."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Protocol

from .atomic import write_secret


class Store(Protocol):
    """Values by key. A key is of `A-Z a-z 0-9 . _ -` and "/"."""

    def get(self, key: str) -> bytes | None: ...

    def set(self, key: str, value: bytes) -> None:
        """Replaces in one step."""

    def delete(self, key: str) -> None: ...


class MemoryStore:
    """A store that dies with the process."""

    def __init__(self) -> None:
        self._values: dict[str, bytes] = {}

    def get(self, key: str) -> bytes | None:
        return self._values.get(key)

    def set(self, key: str, value: bytes) -> None:
        self._values[key] = value

    def delete(self, key: str) -> None:
        self._values.pop(key, None)


class FolderStore:
    """A store in a folder, one file a key. One folder serves one client at a time."""

    def __init__(self, folder: str | Path) -> None:
        self._folder = Path(folder)

    def get(self, key: str) -> bytes | None:
        try:
            return self._path(key).read_bytes()
        except FileNotFoundError:
            return None

    def set(self, key: str, value: bytes) -> None:
        write_secret(self._path(key), value)

    def delete(self, key: str) -> None:
        self._path(key).unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        if not re.fullmatch(r"[A-Za-z0-9._/-]+", key):
            raise ValueError(f"key: expected A-Z a-z 0-9 . _ - /, got {key!r}")
        return self._folder / key.replace("/", "%2F")
