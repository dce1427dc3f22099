from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .app import Context, Message

Handler = Callable[[Message, Context], Message]


class ClientApp:
    def __init__(self) -> None:
        self._handlers: dict[str, Handler] = {}

    def train(self) -> Callable[[Handler], Handler]:
        return self._registered("train")

    def evaluate(self) -> Callable[[Handler], Handler]:
        return self._registered("evaluate")

    def __call__(self, message: Message, context: Context) -> Message:
        return self._handlers[message.metadata.message_type](message, context)

    def _registered(self, kind: str) -> Callable[[Handler], Any]:
        def register(handler: Handler) -> Handler:
            self._handlers[kind] = handler
            return handler

        return register
