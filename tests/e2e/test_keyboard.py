"""The shop without a mouse, and what stays where it is while a machine is being chosen."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Visit
from tests.e2e.places import SHOPPING, Known
from tests.e2e.shopper import Shopper

STOPS = """() => [...document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']")]
  .filter(spot => spot.checkVisibility({visibilityProperty: true}) && !spot.disabled
    && !(spot.type === "radio" && !spot.checked && document.querySelector(`input[name="${spot.name}"]:checked`)))
  .map((spot, number) => (spot.dataset.stop = number)).length"""
"""Numbers everything that Tab has to reach; of a group of radios that is the chosen one."""
HERE = "() => document.activeElement.dataset.stop ?? null"
RING = """() => {
  const spot = document.activeElement.closest(".choice, .tile") ?? document.activeElement;
  const style = getComputedStyle(spot);
  return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
}"""


def stops_of(page: Page) -> list[str | None]:
    """Where Tab goes, one after the other, until the page is left; each stop shows that it is there."""
    stops: list[str | None] = []
    for _ in range(400):
        page.keyboard.press("Tab")
        here = page.evaluate(HERE)
        if here is None or here in stops:
            break
        assert page.evaluate(RING), page.evaluate("document.activeElement.outerHTML.slice(0, 200)")
        stops.append(here)
    return stops


PAGES = [("/", ""), ("/configure/skein-14", ""), ("/cart", SHOPPING), ("/checkout", SHOPPING), ("/status", "")]


@pytest.mark.parametrize(("path", "who"), PAGES)
def test_tab_reaches_everything_in_reading_order(visit: Visit, known: Known, path: str, who: str) -> None:
    page = visit(cookie=known.cookies.get(who, "")).go(path)
    count = page.evaluate(STOPS)
    autofocus = page.evaluate("document.activeElement !== document.body")
    assert not autofocus
    assert stops_of(page) == [str(number) for number in range(count)]


def test_the_first_stop_leads_past_the_head_of_the_page(shopper: Shopper) -> None:
    page = shopper.go("/products/skein-14")
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.querySelector('main').contains(document.activeElement)")


def test_a_machine_is_configured_by_keys_alone(shopper: Shopper) -> None:
    page = shopper.go("/configure/skein-14")
    page.locator("#cpu-v8").focus()
    with page.expect_response(lambda answer: "hx-request" in answer.request.headers):
        page.keyboard.press("ArrowUp")
    expect(page.locator(".summary .price")).to_contain_text("$1,420.00")
    expect(page.locator("#cpu-v6")).to_be_focused()
    expect(page.locator("#live")).to_contain_text("Price now $1,420.00")


def test_nothing_jumps_under_the_hand(shopper: Shopper) -> None:
    page = shopper.go("/configure/skein-14")
    shopper.choose("cpu", "v6")
    page.get_by_text("Your configuration").click()
    spot = page.locator("#memory-s32")
    spot.scroll_into_view_if_needed()
    before = spot.bounding_box()
    shopper.choose("memory", "s32")
    after = spot.bounding_box()
    assert before is not None
    assert after is not None
    assert abs(before["y"] - after["y"]) <= 2
    assert page.locator("#overview").get_attribute("open") is not None
