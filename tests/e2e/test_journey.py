"""A machine from the first click to the door, for each of the five machines, in a real browser."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest
from playwright.sync_api import expect

from fulfillment.kernel.money import Money
from tests.e2e.conftest import Visit
from tests.e2e.shopper import ASKS, CARD, DECLINED, Shopper, money

Option = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Walk:
    """What the customer clicks on a machine, and what the page has to say to it."""

    model: str
    start: Money
    choice: Option
    """Changes the price, and makes `excluded` impossible."""
    delta: str
    chosen: Money
    excluded: Option
    reason: str
    swapped: Money
    """The price once `excluded` was chosen all the same, and `choice` given up for it."""
    card: str = CARD

    def __str__(self) -> str:
        return self.model


WALKS = [
    Walk(
        "skein-14", Money(1_510_00), ("cpu", "v6"), "− $90", Money(1_420_00), ("memory", "d16"),
        "The 15 W processors work with 16 or 32 GB of soldered memory.", Money(1_570_00), DECLINED,
    ),
    Walk(
        "skein-16", Money(1_974_00), ("cpu", "x16"), "+ $190", Money(2_164_00), ("memory", "s16"),
        "The 16-core processors take DDR5-5600, the others DDR5-5200.", Money(1_905_00), ASKS,
    ),
    Walk(
        "hearth-t", Money(1_262_00), ("case", "compact"), "− $40", Money(1_222_00), ("cpu", "d12"),
        "The cooler is too tall for this case.", Money(1_382_00),
    ),
    Walk(
        "anvil-w", Money(2_907_00), ("psu", "p1450"), "+ $223", Money(3_130_00), ("case", "quiet"),
        "The sound-damped case is built around the fixed 1000 W supply", Money(3_087_00),
    ),
    Walk(
        "rookery-r2", Money(6_063_00), ("chassis", "f12"), "+ $200", Money(6_263_00), ("riser", "r6"),
        "The expander of the 12-drive front stands where the third riser would be.", Money(7_600_00),
    ),
]


def configure(shopper: Shopper, walk: Walk) -> None:
    """Click through the machine, and read what the page answers to each click."""
    shopper.go(f"/configure/{walk.model}")
    assert shopper.price == walk.start
    assert shopper.delta(*walk.choice) == walk.delta
    assert shopper.why_not(*walk.excluded) == ""

    shopper.choose(*walk.choice)
    assert shopper.price == walk.chosen
    assert walk.reason in shopper.why_not(*walk.excluded)
    assert f"{walk.choice[0]}={walk.choice[1]}" in shopper.page.url

    assert "you chose this" in shopper.get_anyway(*walk.excluded)
    assert shopper.price == walk.swapped
    expect(shopper.page.locator(".notice-warn")).to_contain_text("Given up for your newest choice")
    expect(shopper.page.locator(".notice-warn")).to_be_in_viewport()
    expect(shopper.page.locator(f"#{walk.choice[0]}-{walk.choice[1]}")).not_to_be_checked()
    assert f"{walk.choice[0]}={walk.choice[1]}" not in shopper.page.url.partition("undo=")[0]


def pay(shopper: Shopper, card: str) -> str:
    """Pay; who comes with a card that is declined takes another one."""
    if card != DECLINED:
        return shopper.pay(card)
    shopper.may_fail.add(402)
    shopper.type_card(DECLINED)
    expect(shopper.page.get_by_role("alert")).to_contain_text("Your card was declined")
    return shopper.pay(CARD)


def read_the_invoice(shopper: Shopper, number: str, total: Money) -> None:
    """It names the order, and its sums are those of the order."""
    link = shopper.page.get_by_role("link", name=re.compile("^Invoice INV-"))
    text = shopper.read_pdf(str(link.get_attribute("href")))
    assert link.inner_text().removeprefix("Invoice ").strip() in text
    assert number in text
    rows = shopper.page.locator(".summary .facts-tight dd").all_inner_texts()
    goods, delivery, tax, shown = (money(row) for row in rows)
    assert goods + delivery + tax == shown == total
    for amount in (goods, tax, total):
        assert f"{amount.decimal():,}" in text


@pytest.mark.parametrize("walk", WALKS, ids=str)
def test_a_machine_is_configured_quoted_paid_and_delivered(visit: Visit, walk: Walk) -> None:
    shopper = visit()
    configure(shopper, walk)
    shopper.press("Save as a quote")
    expect(shopper.page.get_by_role("heading", level=1)).to_have_text(re.compile(r"Quote Q-\d{4}-\d{6}"))
    assert shopper.price == walk.swapped
    shopper.press("Add to cart")
    assert shopper.path == "/cart"
    total = shopper.check_out(f"{walk.model}@example.com")
    assert total == walk.swapped + walk.swapped.times(6250, 100_000)  # what Texas takes; delivery is free
    shopper.to_payment(total)
    number = pay(shopper, walk.card)

    expect(shopper.page.locator(".flashes")).to_contain_text("Thank you! Your payment has arrived")
    shopper.page.evaluate("window.thisVeryPage = true")
    shopper.wait_for("delivered")
    assert shopper.page.evaluate("window.thisVeryPage"), "the page was loaded again"
    expect(shopper.page.locator(".steps .done")).to_have_count(9)
    expect(shopper.page.locator(".timeline")).to_contain_text("Your payment has arrived.")
    expect(shopper.page.locator(".ticket")).to_have_count(1)
    read_the_invoice(shopper, number, total)


def test_the_same_purchase_works_without_script(visit: Visit) -> None:
    walk = WALKS[0]
    shopper = visit(scripts=False)
    configure(shopper, walk)
    shopper.press("Save as a quote")
    shopper.press("Add to cart")
    total = shopper.check_out("plain@example.com", delivery="express", state="DE")
    assert total == walk.swapped + Money(39_00)  # Delaware takes nothing
    shopper.to_payment(total)
    number = shopper.pay(ASKS)
    for _ in range(150):
        if shopper.page.locator('[data-status="delivered"]').count():
            break
        shopper.page.wait_for_timeout(1_000)
        shopper.page.reload()
    read_the_invoice(shopper, number, total)
