"""How much goes over the line: at most 120 KB on a first visit, at most 30 KB for every page after it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.e2e.conftest import Visit
from tests.e2e.places import CUSTOMER, Known
from tests.e2e.shopper import Shopper

FIRST, AFTER = 120_000, 30_000


def meter(shopper: Shopper) -> Callable[[], int]:
    """Counts what the browser receives, heads and all; each call tells it since the last one."""
    line = shopper.context.new_cdp_session(shopper.page)
    line.send("Network.enable")
    received: list[int] = []
    line.on("Network.loadingFinished", lambda event: received.append(int(event["encodedDataLength"])))

    def read() -> int:
        shopper.page.wait_for_load_state("networkidle")
        total = sum(received)
        received.clear()
        return total

    return read


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ("/", "/laptops"), ("/products/skein-14", "/products/rookery-r2"), ("/configure/skein-14", "/configure/hearth-t"),
        ("/configure/rookery-r2", "/configure/anvil-w"), ("/orders/{order}", "/status"), ("/support/{tag}", "/support/{tag}"),
    ],
)
def test_pages_are_light(visit: Visit, known: Known, first: str, then: str) -> None:
    shopper = visit(cookie=known.cookies[CUSTOMER])
    received = meter(shopper)
    shopper.go(first.format(**known.facts))
    assert received() <= FIRST
    shopper.go(then.format(**known.facts))
    assert received() <= AFTER


@pytest.mark.parametrize(("machine", "group", "option"), [("skein-14", "cpu", "v6"), ("rookery-r2", "chassis", "f12")])
def test_a_click_in_the_configurator_is_light(shopper: Shopper, machine: str, group: str, option: str) -> None:
    shopper.go(f"/configure/{machine}")
    received = meter(shopper)
    received()
    shopper.choose(group, option)
    assert 0 < received() <= AFTER


def test_an_order_without_news_costs_next_to_nothing(visit: Visit, known: Known) -> None:
    shopper = visit(cookie=known.cookies["shopping"])
    shopper.go(f"/orders/{known.facts['booked']}")
    with shopper.page.expect_response(lambda answer: "seen=" in answer.url) as asked:
        pass
    assert asked.value.status == 204
