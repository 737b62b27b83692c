"""From payment to dispatch: how many orders a second, how many jobs, how many entries in the books."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from sqlalchemy.orm import Session

from configurator.service import issue_quote
from fulfillment.customers.address import Address
from fulfillment.kernel.db import transaction
from fulfillment.kernel.ids import secret_token
from fulfillment.kernel.jobs import enqueue
from fulfillment.ledger.service import post, post_all
from fulfillment.orders.draft import OrderDraft
from fulfillment.orders.service import book_order
from storefront.cart.service import ShownLine
from storefront.checkout.drafting import lines_of
from storefront.demo.paper import work
from storefront.demo.story import ADDRESS
from tests.bench.crew import Hand
from tests.bench.figures import POSTGRES, SQLITE, Section
from tests.bench.places import Place
from tests.bench.visits import MODEL
from tests.builders.ledger import make_draft

AT_ONCE = 100
"""Entries in a transaction of the bulk row."""


def measure(places: Mapping[str, Place], rounds: int, orders: int, jobs: int, entries: int) -> list[Section]:
    """Orders, jobs and entries, round by round, with one worker process and with two."""
    rates = Section("Work behind the pages, a second", [*places], (SQLITE, POSTGRES))
    costs = Section("CPU of all worker processes, milliseconds for each", [*places], (SQLITE, POSTGRES))
    with Hand() as first, Hand() as second:
        for place in places.values():  # once unmeasured: statements are compiled on first use
            _make(place, (first, second), 2)
        for _ in range(rounds):
            for processes in ((first,), (first, second)):
                for name, place in places.items():
                    done = {"order, payment to dispatch": (orders, _make), "job that does nothing": (jobs, _drain)}
                    for what, (count, work_through) in done.items():
                        seconds, cpu_seconds = work_through(place, processes, count)
                        rates.note(what + _words(processes), **{name: count / seconds})
                        costs.note(what + _words(processes), **{name: cpu_seconds / count * 1000})
            for name, place in places.items():
                for row, at_once, count in (("entry in the books", 1, entries), (f"entry, {AT_ONCE} at once", AT_ONCE, AT_ONCE * 10)):
                    rates.note(row, **{name: count / _post(place, count, at_once)})
    return [rates, costs]


def _words(processes: Sequence[Hand]) -> str:
    return ", 1 process" if len(processes) == 1 else f", {len(processes)} processes"


def _connect(place: Place, processes: Sequence[Hand]) -> None:
    """A fresh copy for this process and the others."""
    url = place.fresh()
    place.connect(url, "making")
    with transaction() as session:
        work(session)
    for hand in processes:
        hand.tell("connect", url=url, folder=str(place.settings(url, "making").var_dir))
    for hand in processes:
        hand.hear()


def _all(processes: Sequence[Hand], act: str, **what: object) -> tuple[float, float]:
    """Have them all begin, and wait for the last: seconds, and CPU of all."""
    began = time.perf_counter()
    for place, hand in enumerate(processes):
        hand.tell(act, place=place, of=len(processes), **what)
    cpu = sum(hand.hear()["cpu"] for hand in processes)
    return time.perf_counter() - began, cpu


def _make(place: Place, processes: Sequence[Hand], count: int) -> tuple[float, float]:
    _connect(place, processes)
    with transaction() as session:
        numbers = [book_order(session, _draft(session)).number for _ in range(count)]
        work(session)
    return _all(processes, "make", numbers=numbers)


def _draft(session: Session) -> OrderDraft:
    """One machine as it stands on its page."""
    quote = issue_quote(session, MODEL, {})
    [line] = quote.lines
    shown = ShownLine(line.id, line.name, line.picture, line.quantity, line.unit_price, quote=quote, machine=line)
    address = Address(**ADDRESS)
    return OrderDraft(secret_token(), "bench@example.com", address, address, lines_of(session, [shown]), phone=address.phone)


def _drain(place: Place, processes: Sequence[Hand], count: int) -> tuple[float, float]:
    _connect(place, processes)
    with transaction() as session:
        for number in range(count):
            enqueue(session, "kernel.bench_nothing", key=f"bench:{number}")
    return _all(processes, "drain")


def _post(place: Place, count: int, at_once: int) -> float:
    """Seconds for so many entries, so many in a transaction."""
    _connect(place, ())
    drafts = [make_draft(f"bench-{number}") for number in range(count)]
    began = time.perf_counter()
    for first in range(0, count, at_once):
        with transaction() as session:
            if at_once == 1:
                post(session, drafts[first])
            else:
                post_all(session, drafts[first : first + at_once])
    return time.perf_counter() - began
