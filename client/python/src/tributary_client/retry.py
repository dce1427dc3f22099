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
    attempts: int = 6
    base_s: float = 0.2
    cap_s: float = 20.0
    sleep: Callable[[float], None] = time.sleep
    #: Uniform in [0, 1).
    random: Callable[[], float] = random.random

    def run(self, attempt: Callable[[int], Result]) -> Result:
        """Calls `attempt` with the number of tries before it; raises what the last one raised."""
        for tries in range(self.attempts):
            try:
                return attempt(tries)
            except TributaryError as error:
                if error.retry != "now" or tries + 1 >= self.attempts:
                    raise
                ceiling = min(self.cap_s, self.base_s * 2**tries)
                self.sleep((error.retry_after_s or 0.0) + self.random() * ceiling)
        raise AssertionError("attempts: expected at least 1")
