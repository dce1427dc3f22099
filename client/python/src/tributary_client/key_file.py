"""Key files, the same that `npx tributary client enrol`, `issue` and `rotate` write."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

from .atomic import write_secret
from .errors import TributaryError
from .identity import ClientKey


class KeyFile:
    """One client's key on disk, and beside it, in `FILE.next`, the one that the federation has yet to take.

    So no crash and no lost answer leaves the client without the key that is registered.
    """

    def __init__(self, path: str | Path, endpoint: str | None = None) -> None:
        """endpoint: the API's address, for a file that is to be written; one that is there holds its own."""
        self.path = Path(path)
        self.next_path = self.path.with_name(self.path.name + ".next")
        self._endpoint = endpoint

    @property
    def endpoint(self) -> str:
        """The API's address. Raises TributaryError as `load` does."""
        if self._endpoint is None:
            self.load()
        assert self._endpoint is not None
        return self._endpoint

    def load(self) -> ClientKey:
        """The key that signs. Raises TributaryError `key-missing`, `key-malformed`, `key-exposed` to other users."""
        found = _read(self.path)
        if found is None:
            raise TributaryError("key-missing", f"there is no key file {self.path}")
        key, endpoint = found
        self._endpoint = self._endpoint or endpoint
        return key

    def waiting(self) -> ClientKey | None:
        """The key to come, if there is one."""
        found = _read(self.next_path)
        return found[0] if found else None

    def next_key(self, client: str) -> ClientKey:
        """The key that waits to be registered, made and kept first if there is none for this client."""
        waiting = self.waiting()
        if waiting and waiting.client == client and (not self.path.exists() or waiting.kid != self.load().kid):
            return waiting
        made = ClientKey.generate(client)
        self._write(self.next_path, made)
        return made

    def promote(self, key: ClientKey) -> None:
        """The federation has taken it: from now on it signs."""
        self._write(self.path, key)
        self.discard_next()

    def discard_next(self) -> None:
        self.next_path.unlink(missing_ok=True)

    def _write(self, path: Path, key: ClientKey) -> None:
        content = {"endpoint": self.endpoint, "client": key.client, "privateKey": key.private_jwk}
        write_secret(path, (json.dumps(content, indent=2) + "\n").encode())


def _read(path: Path) -> tuple[ClientKey, str] | None:
    try:
        if os.name == "posix" and path.stat().st_mode & 0o077:
            raise TributaryError("key-exposed", f"{path} can be read by others than its owner: chmod 600 {path}")
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError:
        raise TributaryError("key-malformed", f"{path}: it is not UTF-8") from None
    # No error quotes the text: it holds the secret.
    try:
        content = json.loads(text)
        endpoint, client, jwk = content["endpoint"], content["client"], content["privateKey"]
        if not isinstance(endpoint, str) or not re.match(r"https?://[^/]", endpoint):
            raise ValueError("endpoint: expected an http or https URL")
        if not isinstance(client, str) or not isinstance(jwk, dict):
            raise ValueError("client: expected a text, privateKey: an object")
        return ClientKey.from_jwk(client, jwk), endpoint
    except json.JSONDecodeError:
        raise TributaryError("key-malformed", f"{path}: it is not JSON; it may have been cut short") from None
    except KeyError as error:
        raise TributaryError("key-malformed", f"{path}: {error} is missing") from None
    except (ValueError, TypeError) as error:
        what = str(error) if isinstance(error, ValueError) else "expected a JSON object"
        raise TributaryError("key-malformed", f"{path}: {what}") from None
