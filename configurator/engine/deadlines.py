"""When a compilation must be done: everything that may take long asks in between whether there is time left."""

from __future__ import annotations

import math
import time


class TooLarge(Exception):
    """The diagram grew beyond its budget."""


class OutOfTime(TooLarge):
    """The time of the whole compilation is over."""


class Deadline:
    """A number of seconds by the clock from now on."""

    def __init__(self, seconds: float = math.inf) -> None:
        self.end = time.monotonic() + seconds

    @property
    def left(self) -> float:
        """Seconds until the end; 0 when it is over."""
        return max(0.0, self.end - time.monotonic())

    def check(self) -> None:
        """Raise OutOfTime when it is over."""
        if time.monotonic() >= self.end:
            raise OutOfTime


NEVER_ENDING = Deadline()
