"""What a customer does on the configurator's screen, in a browser: by keys, without script, back and forth, side by side."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from fulfillment.kernel.money import Money
from tests.e2e.conftest import Visit
from tests.e2e.shopper import Shopper

TEN = [
    ("cpu", "v6"), ("memory", "s32"), ("lid", "silver"), ("cpu", "v8"), ("lid", "graphite"), ("cpu", "v6"), ("memory", "s16"),
    ("lid", "silver"), ("cpu", "v8"), ("lid", "graphite"),
]


def asked_of(shopper: Shopper) -> str:
    """What was decided, as the address has it."""
    return re.sub(r"[?&](undo|redo)=[^&]*", "", shopper.page.url)


def press(shopper: Shopper, key: str) -> None:
    """Press a key that asks the shop something."""
    with shopper.page.expect_response(lambda answer: "hx-request" in answer.request.headers):
        shopper.page.keyboard.press(key)
    expect(shopper.page.locator(".htmx-request, .htmx-swapping, .htmx-settling")).to_have_count(0)


def test_an_excluded_option_is_had_by_keys_alone(shopper: Shopper) -> None:
    page = shopper.go("/configure/skein-14?cpu=v6")
    page.get_by_role("button", name=re.compile("^Why not.*16 GB DDR5")).first.focus()
    press(shopper, "Enter")
    anyway = page.get_by_role("button", name="Get it anyway")
    expect(anyway).to_be_focused()
    press(shopper, "Enter")
    expect(page.get_by_role("button", name="Confirm")).to_be_focused()
    expect(page.locator(".before-after")).to_contain_text("you chose this")
    press(shopper, "Enter")
    expect(page.locator("#memory-d16")).to_be_checked()
    expect(page.locator("#memory-d16")).to_be_focused()
    expect(page.locator("#live")).to_contain_text("Given up for your newest choice: Processor")
    press(shopper, "Control+z")
    expect(page.locator("#cpu-v6")).to_be_checked()
    press(shopper, "Control+Shift+z")
    expect(page.locator("#memory-d16")).to_be_checked()


def test_ten_clicks_are_undone_and_done_again(shopper: Shopper) -> None:
    page = shopper.go("/configure/skein-14")
    seen = [asked_of(shopper)]
    for group, option in TEN:
        shopper.choose(group, option)
        seen.append(asked_of(shopper))
    for before in seen[-2::-1]:
        shopper.unfold(page.locator("#undo"))
        assert asked_of(shopper) == before
    expect(page.locator("#undo")).to_be_disabled()
    shopper.unfold(page.locator("#redo"))
    assert asked_of(shopper) == seen[1]


def test_without_script_everything_is_a_form(visit: Visit) -> None:
    shopper = visit(scripts=False)
    page = shopper.go("/configure/skein-14")
    shopper.choose("cpu", "v6")
    assert "you chose this" in shopper.get_anyway("memory", "d16")
    page.locator("#undo").click()
    expect(page.locator("#cpu-v6")).to_be_checked()
    page.locator("#redo").click()
    expect(page.locator("#memory-d16")).to_be_checked()
    page.locator("#over").click()
    page.get_by_text("Budget and date").click()
    page.locator("#limit").fill("1450")
    page.get_by_role("button", name="Keep to this").click()
    assert "limit=1450" in page.url
    assert shopper.price <= Money(145_000)
    page.locator("#drop-under").click()
    assert "limit=" not in page.url.partition("undo=")[0]
    shopper.may_fail.add(422)
    page.get_by_text("Budget and date").click()
    page.locator("#limit").fill("much")
    page.get_by_role("button", name="Keep to this").click()
    expect(page.locator("main")).to_contain_text("“much” is no amount")
    expect(page.locator("main")).to_contain_text("Nothing was changed.")


def test_a_machine_is_finished_for_a_budget(shopper: Shopper) -> None:
    page = shopper.go("/configure/skein-16")
    page.get_by_text("Budget and date").click()
    page.locator("#limit").fill("1900")
    shopper.unfold(page.get_by_role("button", name="Keep to this"))
    expect(page.get_by_role("button", name=re.compile("^at most"))).to_be_visible()
    assert shopper.price <= Money(190_000)
    page.get_by_text("Finish for me").click()
    shopper.unfold(page.get_by_role("button", name="The lowest price"))
    cheapest = shopper.price
    assert cheapest < Money(190_000)
    expect(page.locator(".yours").first).to_be_visible()
    shopper.unfold(page.locator("#undo"))
    assert shopper.price > cheapest


def test_four_configurations_stand_side_by_side(visit: Visit) -> None:
    shopper = visit(width=390)
    for machine in ("skein-14?cpu=v6", "skein-14", "skein-16", "hearth-t"):
        shopper.go(f"/configure/{machine}")
        shopper.press("Compare")
    page = shopper.page
    expect(page.locator("thead th")).to_have_count(4)
    assert page.locator("tr.differs").count() > 3
    expect(page.locator("tr.differs").first).to_contain_text("$1,420.00")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_role("link", name="Go on configuring 1").click()
    expect(page.locator("#cpu-v6")).to_be_checked()
