"""Repeating what failed with a passing fault, with full jitter.

Marc Brooker, "Exponential backoff and jitter", AWS Architecture Blog, 2015.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from .errors import TributaryError

Result = TypeVar("Result")


@dataclass(frozen=True)
class RetryPolicy:
    """How often and how patiently a request is repeated; `sleep` and `random` also serve all other pauses."""

    #: Tries in all, the first included; at least 1.
    attempts: int = 6
    #: Upper end of the first pause, in seconds; it doubles with every try.
    base_s: float = 0.2
    cap_s: float = 20.0
    sleep: Callable[[float], None] = time.sleep
    #: Uniform in [0, 1).
    random: Callable[[], float] = random.random

    def __post_init__(self) -> None:
        if self.attempts < 1:
            raise ValueError(f"attempts: expected at least 1, got {self.attempts}")

    def run(self, attempt: Callable[[int], Result]) -> Result:
        """Calls `attempt` with the number of tries before it; raises what the last one raised.

        The pause is uniform in [0, min(cap, base * 2^tries)), after what the server asked for.
        """
        tries = 0
        while True:
            try:
                return attempt(tries)
            except TributaryError as error:
                if error.retry != "now" or tries + 1 >= self.attempts:
                    raise
                ceiling = min(self.cap_s, self.base_s * 2**tries)
                self.sleep((error.retry_after_s or 0.0) + self.random() * ceiling)
                tries += 1
