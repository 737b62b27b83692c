"""Carts, accounts and orders as their customers meet them in a browser."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from fulfillment.kernel.money import Money
from storefront.demo.house import House
from tests.e2e.conftest import Visit
from tests.e2e.places import BUYER, PASSWORD, Known
from tests.e2e.shopper import Shopper, money


def put_in(shopper: Shopper, sku: str, quantity: int = 1) -> None:
    """Put an accessory into the cart from its page."""
    shopper.go(f"/accessories/{sku}")
    shopper.page.get_by_label("Quantity").fill(str(quantity))
    shopper.press("Add to cart")
    expect(shopper.page.locator(".flashes")).to_contain_text("It is in your cart.")


def configure(shopper: Shopper, model: str, *choices: tuple[str, str], quantity: int = 1) -> Money:
    """Configure a machine straight into the cart; its price each."""
    shopper.go(f"/configure/{model}")
    for choice in choices:
        shopper.choose(*choice)
    price = shopper.price
    shopper.page.get_by_label("Quantity").fill(str(quantity))
    shopper.press("Add to cart")
    assert shopper.path == "/cart"
    return price


def in_cart(shopper: Shopper) -> int:
    """The number beside the cart in the head of the page."""
    count = shopper.page.locator(".head .count")
    return int(count.inner_text()) if count.count() else 0


@pytest.fixture
def resting(house: House) -> Iterator[None]:
    """The workshop rests: nothing is taken from the shelf."""
    house.children["floor"].send_signal(signal.SIGSTOP)
    yield
    house.children["floor"].send_signal(signal.SIGCONT)


def test_several_machines_and_plain_items_come_in_one_order(visit: Visit) -> None:
    shopper = visit(language="zh", width=390)
    shopper.go("/language/en?next=/")
    laptop = configure(shopper, "skein-14", ("cpu", "v6"), quantity=2)
    tower = configure(shopper, "hearth-t", ("case", "compact"))
    put_in(shopper, "MON-24", 3)
    assert (laptop, in_cart(shopper)) == (Money(1_420_00), 6)

    shopper.page.locator(".cart-line").nth(2).get_by_label("Quantity").fill("2")
    shopper.page.locator(".cart-line").nth(2).get_by_role("button", name="Change").click()
    expect(shopper.page.locator(".flashes")).to_contain_text("Your cart is changed.")
    assert in_cart(shopper) == 5
    goods = laptop * 2 + tower + Money(189_00) * 2
    assert money(shopper.page.locator(".summary dd").first.inner_text()) == goods

    total = shopper.check_out("many@example.com", delivery="appointment", state="OR")
    assert total == goods + Money(59_00)  # Oregon takes nothing
    shopper.to_payment(total)
    shopper.pay()
    assert in_cart(shopper) == 0
    shopper.wait_for("delivered")
    expect(shopper.page.locator(".ticket")).to_have_count(3)
    tags = {ticket.split("\n")[1] for ticket in shopper.page.locator(".ticket h3").all_inner_texts()}
    assert len(tags) == 3
    link = shopper.page.get_by_role("link", name=re.compile("^Invoice"))
    text = shopper.read_pdf(str(link.get_attribute("href")))
    assert f"{total.decimal():,}" in text
    assert "Larkmill Pane 24" in text


def test_a_line_is_taken_out_of_the_cart(shopper: Shopper) -> None:
    put_in(shopper, "MON-24")
    shopper.press("Remove")
    expect(shopper.page.get_by_text("Your cart is empty")).to_be_visible()
    assert in_cart(shopper) == 0


def test_the_invoice_can_go_elsewhere(shopper: Shopper) -> None:
    put_in(shopper, "MON-24")
    shopper.check_out("elsewhere@example.com")
    expect(shopper.page.locator("main")).not_to_contain_text("Boise")
    shopper.page.get_by_role("link", name="Change address or delivery").click()
    assert not shopper.page.locator("#billing-name").is_visible()
    shopper.page.get_by_label("The invoice goes to another address").check()
    bill = {"name": "Moss & Co", "line1": "1 Bill Street", "city": "Boise", "postcode": "83702", "phone": "208 555 0101"}
    for name, value in bill.items():
        shopper.page.locator(f"#billing-{name}").fill(value)
    shopper.page.locator("#billing-state").select_option("ID")
    shopper.press("Go on to the summary")
    expect(shopper.page.locator("main")).to_contain_text("Boise, ID 83702")
    expect(shopper.page.locator("main")).to_contain_text("Austin, TX 78701")


def test_a_guest_signs_up_and_keeps_the_cart_and_finds_the_order_in_the_account(visit: Visit) -> None:
    shopper = visit()
    put_in(shopper, "MON-24")
    shopper.go("/checkout")
    shopper.page.locator("main").get_by_role("link", name="Sign in").click()
    shopper.page.get_by_role("link", name="Open an account").click()
    shopper.page.get_by_label("Full name").fill("Ilse Marsh")
    shopper.page.get_by_label("E-mail").fill("ilse@example.com")
    shopper.page.get_by_label("Password").fill(PASSWORD)
    shopper.press("Open my account")
    shopper.page.get_by_label("E-mail").fill("ilse@example.com")
    shopper.page.get_by_label("Password").fill(PASSWORD)
    shopper.press("Sign in")
    assert shopper.path == "/checkout"
    assert in_cart(shopper) == 1
    expect(shopper.page.get_by_label("E-mail")).to_have_value("ilse@example.com")
    shopper.go("/cart")
    shopper.to_payment(shopper.check_out("ilse@example.com"))
    number = shopper.pay()

    shopper.go("/account")
    row = shopper.page.locator("tr", has_text=number)
    expect(row).to_contain_text("$")
    row.get_by_role("link", name=number).click()
    expect(shopper.page.get_by_role("heading", level=1)).to_have_text(f"Order {number}")
    shopper.go("/account")
    shopper.press("Sign out")
    shopper.may_fail.add(404)
    shopper.go(f"/orders/{number}")
    expect(shopper.page.locator("main")).to_contain_text("Please look the order up by its number first.")

    stranger = visit(cookie="")
    stranger.go("/account/sign-in")
    stranger.may_fail.add(401)
    stranger.page.get_by_label("E-mail").fill("ilse@example.com")
    stranger.page.get_by_label("Password").fill("not the password")
    stranger.press("Sign in")
    expect(stranger.page.locator("main")).to_contain_text("E-mail or password is wrong.")


@pytest.mark.parametrize("proof", [BUYER, "ADA.MOSS@EXAMPLE.COM", "+1 512 555 0101", "78701"])
def test_an_order_is_found_by_its_number_and_a_proof(shopper: Shopper, known: Known, proof: str) -> None:
    number = known.facts["order"]
    shopper.go("/status")
    shopper.page.get_by_label("Order number").fill(f" {number.lower()} ")
    shopper.page.get_by_label("E-mail, phone or ZIP code of the order").fill(proof)
    shopper.press("Find my order")
    assert shopper.path == f"/orders/{number}"
    expect(shopper.page.locator("#live-order")).to_have_attribute("data-status", "delivered")


WRONG = [("{order}", "78702"), ("{order}", "eve@example.com"), ("SO-2026-999999", "78701"), ("' OR 1=1 --", "78701")]


@pytest.mark.parametrize("wrong", WRONG, ids=" ".join)
def test_a_wrong_proof_opens_nothing(shopper: Shopper, known: Known, wrong: tuple[str, str]) -> None:
    shopper.may_fail.add(404)
    shopper.go("/status")
    shopper.page.get_by_label("Order number").fill(wrong[0].format(**known.facts))
    shopper.page.get_by_label("E-mail, phone or ZIP code of the order").fill(wrong[1])
    shopper.press("Find my order")
    assert shopper.path == "/status"
    expect(shopper.page.locator(".flashes .notice-bad")).to_be_visible()
    shopper.go(f"/orders/{known.facts['order']}")
    expect(shopper.page.locator("#live-order")).to_have_count(0)


def test_an_order_cancelled_before_production_is_refunded(shopper: Shopper, resting: None) -> None:
    configure(shopper, "skein-16")
    total = shopper.check_out("second.thoughts@example.com")
    shopper.to_payment(total)
    shopper.pay()
    shopper.page.get_by_text("Cancel this order").click()
    shopper.page.get_by_label(re.compile("^Why")).fill("Second thoughts")
    shopper.press("Cancel the order")
    expect(shopper.page.locator("#live-order")).to_have_attribute("data-status", "cancelled")
    timeline = shopper.page.locator(".timeline")
    for _ in range(60):
        if "Your money is back on your card." in timeline.inner_text():
            break
        shopper.page.wait_for_timeout(1_000)
        shopper.page.reload()
    expect(timeline).to_contain_text("Your money is back on your card.")
    expect(shopper.page.get_by_text("Cancel this order")).to_have_count(0)


def test_a_machine_is_found_by_its_tag(shopper: Shopper, known: Known) -> None:
    tag = known.facts["tag"]
    shopper.go("/support")
    shopper.page.get_by_label("Service tag or express service code").fill(f" {tag.lower()} ")
    shopper.press("Show my machine")
    assert shopper.path == f"/support/{tag}"
    expect(shopper.page.get_by_role("heading", level=1)).to_have_text("Skein 14")
    expect(shopper.page.locator("main")).to_contain_text("6-core processor, up to 4.4 GHz, 15 W")
    for secret in (BUYER, "Ada Moss", "Willow", known.facts["order"], "$"):
        expect(shopper.page.locator("main")).not_to_contain_text(secret)
    code = shopper.page.locator(".facts dd").nth(1).inner_text()
    shopper.go("/support")
    shopper.page.get_by_label("Service tag or express service code").fill(code)
    shopper.press("Show my machine")
    expect(shopper.page.get_by_role("heading", level=1)).to_have_text("Skein 14")
