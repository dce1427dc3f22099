"""One client of federated tasks: asks for tickets, downloads, uploads the difference."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from . import safetensors
from .agent import agent_text
from .answers import Ended, PackageFile, Put, Ticket, TicketStatus, Wait, problem_of, put_of, status_of, ticket_of
from .errors import TributaryError
from .identity import ClientKey
from .key_file import KeyFile
from .retry import RetryPolicy
from .safetensors import Layout, Vector
from .signed_api import SignedApi
from .store import FolderStore, MemoryStore, Store
from .transport import Request, Response, Transport, send

_MOST_MODEL_BYTES = 4 * 1024**3
_TRANSFER_TIMEOUT_S = 15 * 60.0


@dataclass(frozen=True)
class Update:
    """An encoded update and what a client says about it."""

    data: bytes = field(repr=False)
    examples: int
    metrics: Mapping[str, float] = field(default_factory=dict)
    #: How it is written; None for plain float32.
    codec: Mapping[str, object] | None = None

    @property
    def sha256(self) -> str:
        """Lower-case hex."""
        return hashlib.sha256(self.data).hexdigest()


class Client:
    """Takes part in tasks of one federation. Raises ValueError on an endpoint that is not an http(s) URL.

    keys: where the key came from, for `rotate_key`.
    store: a folder, or a store, where an update on its way survives a crash; memory by default. One serves one client.
    agent: what this client runs on, shown to the operator: at most 100 printable ASCII characters.
    clock: epoch seconds.
    """

    def __init__(
        self,
        endpoint: str,
        key: ClientKey,
        *,
        keys: KeyFile | None = None,
        store: str | Path | Store | None = None,
        agent: str | None = None,
        transport: Transport = send,
        retry: RetryPolicy | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._api = SignedApi(endpoint, key, keys=keys, transport=transport, clock=clock)
        self._keys = keys
        self._agent = agent
        self.retry = retry or RetryPolicy()
        self.clock = clock
        if store is None:
            store = MemoryStore()
        self.store: Store = FolderStore(store) if isinstance(store, (str, Path)) else store

    @classmethod
    def from_key_file(
        cls,
        path: str | Path,
        *,
        store: str | Path | Store | None = None,
        agent: str | None = None,
        transport: Transport = send,
        retry: RetryPolicy | None = None,
    ) -> Client:
        """The client of a key file. Raises TributaryError `key-missing`, `key-malformed`, `key-exposed`."""
        keys = KeyFile(path)
        key = keys.load()
        return cls(keys.endpoint, key, keys=keys, store=store, agent=agent, transport=transport, retry=retry)

    @property
    def name(self) -> str:
        return self._api.key.client

    @property
    def key(self) -> ClientKey:
        """The key that it signs with."""
        return self._api.key

    def rotate_key(self) -> ClientKey:
        """Replaces the key by a new one; the old one is refused from then on. May be repeated until an answer comes.

        Raises ValueError if the client was made without a key file: the new key would be lost with the process.
        """
        keys = self._keys
        if keys is None:
            raise ValueError("keys: a client that rotates its key needs a key file")
        made = keys.next_key(self.name)
        url = self._api.url(["keys"])

        def content(_key: ClientKey, now_s: float) -> Mapping[str, object]:
            return {"publicKey": made.public_jwk, "proof": made.prove("POST", url, b"", now_s)}

        def attempt(_tries: int) -> None:
            response = self._api.send("POST", ["keys"], content)
            # An earlier try got through and its answer was lost: the old key was refused and the new one was not.
            if self.key.kid == made.kid:
                return
            if response.status >= 300:
                problem = problem_of(response, "the key was not rotated")
                # One that was registered before, and replaced: the next rotation makes another.
                if problem.code == "key-replaced":
                    keys.discard_next()
                raise problem
            self._api.promote(made)

        self.retry.run(attempt)
        return made

    def request_ticket(self, task: str) -> Ticket | Wait | Ended:
        """Asks for leave to train. Raises TributaryError where waiting is of no use, e.g. `task-unknown`."""
        path = ["tasks", task, "tickets"]
        return self.retry.run(lambda _tries: ticket_of(self._api.send("POST", path, lambda _key, _now: {}), task))

    def download_model(self, ticket: Ticket) -> tuple[Layout, Vector]:
        """The ticket's version: layout and values [layout.size]. Raises TributaryError `safetensors-malformed`."""
        data = self.retry.run(lambda _tries: self._get(ticket.model_url, _MOST_MODEL_BYTES))
        layout, vector, _ = safetensors.decode(data)
        return layout, vector

    def download_package(self, ticket: Ticket) -> dict[str, bytes]:
        """The ticket's training package by file name; what is in the store already is not fetched again."""
        return {name: self._package_file(file) for name, file in ticket.package.items()}

    def upload(self, ticket: str, task: str, base_version: int, update: Update, *, again: bool = False) -> None:
        """Declares and stores an update. Returns once it is stored, be it by an earlier try of the same update.

        again: an earlier process may have stored these bytes already.
        """

        def attempt(tries: int) -> None:
            # A presigned URL may expire while the network is down, so each try asks for a new one.
            put = self._declare(ticket, task, base_version, update)
            # The connection sets these two itself.
            headers = {
                name: value for name, value in put.headers.items() if name.lower() not in ("host", "content-length")
            }
            request = Request("PUT", put.url, headers, update.data, timeout_s=_TRANSFER_TIMEOUT_S)
            stored = self._api.transport(request)
            # The URL is bound to the bytes and to "if none is there": what is there already is this very update.
            if stored.status < 300 or (stored.status == 412 and (again or tries > 0)):
                return
            problem = problem_of(stored, "the update was not stored")
            if stored.status != 403:
                raise problem
            # Its time is over: the next try gets another URL, or hears that the ticket's time is over too.
            raise TributaryError("upload-url-expired", problem.message, "now")

        self.retry.run(attempt)

    def ticket_status(self, ticket: str) -> TicketStatus:
        """Where a ticket's update is."""

        def attempt(_tries: int) -> TicketStatus:
            response = self._api.send("GET", ["tickets", ticket])
            if response.status >= 300:
                raise problem_of(response, f"no status of ticket {ticket[:8]}...")
            return status_of(response)

        return self.retry.run(attempt)

    def _declare(self, ticket: str, task: str, base_version: int, update: Update) -> Put:
        size, sha256, examples = len(update.data), update.sha256, update.examples
        said = {"bytes": size, "sha256": sha256, "examples": examples, "metrics": dict(update.metrics)}
        if update.codec:
            said["codec"] = dict(update.codec)

        def content(key: ClientKey, _now_s: float) -> Mapping[str, object]:
            statement = key.state(
                task=task, ticket=ticket, base_version=base_version, size=size, sha256=sha256, examples=examples
            )
            return {**said, "agent": self._agent or agent_text(), "statement": statement}

        response: Response = self._api.send("POST", ["tickets", ticket, "upload"], content)
        if response.status >= 300:
            raise problem_of(response, "the update was refused")
        return put_of(response)

    def _package_file(self, file: PackageFile) -> bytes:
        key = f"artifact/{file.sha256}"
        kept = self.store.get(key)
        if kept is not None and hashlib.sha256(kept).hexdigest() == file.sha256:
            return kept

        def attempt(_tries: int) -> bytes:
            content = self._get(file.url, file.size_bytes)
            found = hashlib.sha256(content).hexdigest()
            if found != file.sha256:
                raise TributaryError("checksum-mismatch", f"SHA-256 {found}, expected {file.sha256}", "now")
            return content

        content = self.retry.run(attempt)
        self.store.set(key, content)
        return content

    def _get(self, url: str, most_bytes: int) -> bytes:
        request = Request("GET", url, most_bytes=most_bytes, timeout_s=_TRANSFER_TIMEOUT_S)
        response = self._api.transport(request)
        if response.status >= 300:
            raise problem_of(response, "the download failed")
        return response.body
