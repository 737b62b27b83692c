"""What visitors do at an open house: look at a product, click in the configurator, ask for a quote, check out, look an order up."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from itertools import count
from urllib.parse import urlencode

import psutil
import sqlalchemy as sa

from fulfillment.assembly.models import WorkOrder
from fulfillment.kernel import db as database
from fulfillment.kernel.db import reading
from fulfillment.orders.models import OrderStatus, SalesOrder
from storefront.demo.house import House
from storefront.demo.story import ADDRESS
from tests.bench.figures import POSTGRES, SQLITE, Section
from tests.bench.load import Act, Visitor, drive
from tests.bench.places import Place

MODEL = "skein-14"
VISITORS = 4


def product(visitor: Visitor) -> Act:
    """Look at a machine."""
    return lambda: visitor.ask(f"/products/{MODEL}").status == 200


def click(visitor: Visitor) -> Act:
    """Choose another option with script: the inside of the page comes back."""
    form = visitor.form(f"/configure/{MODEL}", "/configure/", "get")
    fixed = [(name, value) for name, value in form.values if name not in {"csrf_token", "press", "quantity"}]
    options = [("cpu", "v8"), ("memory", "s32"), ("cpu", "v6"), ("memory", "s16")]
    queries = [urlencode([pair for pair in fixed if pair[0] != group] + [(group, option)]) for group, option in options]
    turn = count()

    def act() -> bool:
        return visitor.ask(f"/configure/{MODEL}?{queries[next(turn) % len(queries)]}", HX_Request="true").status == 200

    return act


def quote(visitor: Visitor) -> Act:
    """Keep the machine as a numbered quote."""
    form = visitor.form(f"/configure/{MODEL}", "/configure/")
    values = [*(pair for pair in form.values if pair[0] != "press"), ("then", "quote")]  # the same form sent twice is one quote
    return lambda: visitor.ask(f"/configure/{MODEL}", values).status == 303


def checkout(visitor: Visitor) -> Act:
    """Enter an address, book the order, be sent to the payment page; every turn is another order."""
    kept = visitor.form(f"/configure/{MODEL}", "/configure/")
    shown = visitor.ask(f"/configure/{MODEL}", [*kept.values, ("then", "quote")]).headers["location"]
    into = visitor.form(shown, "/cart/quotes/")
    visitor.ask(into.action, into.values)
    token = dict(into.values)["csrf_token"]
    turn = count(1)

    def act() -> bool:
        details = {**ADDRESS, "email": "bench@example.com", "delivery": "standard", "line2": f"Unit {next(turn)}", "csrf_token": token}
        entered = visitor.ask("/checkout", details)
        booked = visitor.ask("/checkout/pay", {"csrf_token": token})
        return entered.status == booked.status == 303 and "/c/pay/" in booked.headers["location"]

    return act


def look_up(number: str, postcode: str) -> Callable[[Visitor], Act]:
    """Find an order by its number and postcode, and read its page."""

    def prepare(visitor: Visitor) -> Act:
        form = {**dict(visitor.form("/status", "/status").values), "number": number, "proof": postcode}
        return lambda: visitor.ask("/status", form).status == 303 and visitor.ask(f"/orders/{number}").status == 200

    return prepare


def delivered_machine() -> tuple[str, str]:
    """The number and postcode of an order of a machine that has been through everything."""
    with reading() as session:
        made = sa.exists().where(WorkOrder.order_number == SalesOrder.number)
        statement = sa.select(SalesOrder).where(SalesOrder.status == OrderStatus.DELIVERED, made).order_by(SalesOrder.number)
        order = session.scalars(statement.limit(1)).one()
        return order.number, str(order.ship_to["postcode"])


@contextmanager
def open_houses(places: Mapping[str, Place]) -> Iterator[Mapping[str, House]]:
    """A whole house on each kind of database, both open at once."""
    with ExitStack() as stack:
        yield {
            name: stack.enter_context(House(place.settings(place.fresh(), "house"), 0, web=2, workers=2)) for name, place in places.items()
        }


def measure(houses: Mapping[str, House], rounds: int, seconds: float) -> Section:
    """Every visit at every house, round by round."""
    names = [f"{short} {what}" for short in (SQLITE, POSTGRES) for what in ("r/s", "p50", "p99")]
    section = Section(f"Pages over HTTP: two gunicorn workers, {VISITORS} visitors (milliseconds; r/s are whole visits)", names, _RATE)
    visits: dict[str, dict[str, Callable[[Visitor], Act]]] = {}
    for name, house in houses.items():
        database.connect(house.settings.database_url)
        visits[name] = {
            "product page": product, "configurator click": click, "quote": quote, "checkout: address, booking": checkout,
            "status look-up: find, read": look_up(*delivered_machine()),
        }
    wrong = 0
    for _ in range(rounds):
        for visit in next(iter(visits.values())):
            for name, house in houses.items():
                acts = [visits[name][visit](Visitor(house.url)) for _ in range(VISITORS)]
                if not all(act() for act in acts):
                    raise RuntimeError(f"{visit}: not the answer that was expected at {house.url}")
                times = drive(acts, seconds)
                section.note(visit, **times.figures(name))
                wrong += times.wrong
    section.remarks.append(f"{wrong} wrong answers" if wrong else "every answer was the right one")
    return section


_RATE = (f"{SQLITE} r/s", f"{POSTGRES} r/s")


def memory(houses: Mapping[str, House]) -> Section:
    """What each process of the house holds after the visits, in MB; USS is what would be free if it ended."""
    columns = [f"{name} {what}" for name in houses for what in ("RSS", "USS")]
    section = Section("Memory of each process, MB", columns)
    for name, house in houses.items():
        for child, process in house.children.items():
            running = psutil.Process(process.pid)
            forked = [(f"{child} worker {place}", each) for place, each in enumerate(running.children(), start=1)]
            for title, each in [(child, running), *forked]:
                held = each.memory_full_info()
                section.note(title, **{f"{name}_RSS": held.rss / 2**20, f"{name}_USS": held.uss / 2**20})
    return section
