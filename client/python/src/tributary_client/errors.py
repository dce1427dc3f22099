"""The one error that this package raises on purpose; a ValueError is a programmer's mistake."""

from __future__ import annotations

from typing import Literal

Retry = Literal["never", "now"]


class TributaryError(Exception):
    """`code` is stable and meant for programs, `message` for people.

    retry: `now` for a passing fault, `never` where the request itself is wrong.
    retry_after_s: seconds that the server asked to wait, where it did.
    """

    def __init__(self, code: str, message: str, retry: Retry = "never", retry_after_s: float | None = None) -> None:
        super().__init__(f"[{code}] {message}")
        self.code = code
        self.message = message
        self.retry: Retry = retry
        self.retry_after_s = retry_after_s
