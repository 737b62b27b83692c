"""Several acts at the same moment, each in a transaction of its own, as several processes would."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from threading import Barrier
from typing import TypeVar

from sqlalchemy.orm import Session

from fulfillment.kernel.db import transaction
from fulfillment.kernel.refusals import Refusal

T = TypeVar("T")


def at_once(acts: Sequence[Callable[[Session], T]]) -> list[T | Refusal]:
    """Start every act together and commit it; what each returned, or the refusal it met."""
    line = Barrier(len(acts))

    def run(act: Callable[[Session], T]) -> T | Refusal:
        line.wait(timeout=30)
        try:
            with transaction() as session:
                return act(session)
        except Refusal as refusal:
            return refusal

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def before_commit(first: Callable[[Session], object], second: Callable[[Session], T]) -> T:
    """Start the second act when the first is done and not yet committed; what the second returned, or raised."""

    def act() -> T:
        with transaction() as session:
            return second(session)

    with ThreadPoolExecutor(1) as pool:
        with transaction() as session:
            first(session)
            session.flush()
            begun = pool.submit(act)
            wait([begun], timeout=0.5)
        return begun.result(timeout=30)
