"""The one error that this package raises on purpose."""

from __future__ import annotations

from typing import Literal

Retry = Literal["never", "now"]


class TributaryError(Exception):
    """`code` is stable and meant for programs, the message for people.

    retry: `now` for a passing fault, `never` where the request itself is wrong.
    """

    def __init__(self, code: str, message: str, retry: Retry = "never", retry_after_s: float | None = None) -> None:
        super().__init__(f"[{code}] {message}")
        self.code = code
        self.retry: Retry = retry
        self.retry_after_s = retry_after_s
