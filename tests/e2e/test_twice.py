"""Every public form, sent twice at the same moment: one act, no error page. And going back after paying."""

from __future__ import annotations

import re
from email import message_from_bytes, policy
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from storefront.demo.house import House
from tests.e2e.conftest import Visit
from tests.e2e.places import PASSWORD
from tests.e2e.shopper import ADDRESS, PATIENCE, Shopper

SEND_TWICE = """async (form, [name, value, redirect]) => {
  const content = new URLSearchParams(new FormData(form));
  if (name) content.append(name, value);
  const send = () => fetch(form.action, {method: "POST", body: content, redirect});
  return (await Promise.all([send(), send()])).map(answer => [answer.type, answer.status]);
}"""
"""Two fetches at once, as two presses that no script holds back; both carry the same token."""


def send_twice(form: Locator, button: tuple[str, str] = ("", ""), *, leaves: bool = False) -> None:
    """Send a filled-in form twice at once, both to their end; where it `leaves` the shop, up to the redirect."""
    answers: list[tuple[str, int]] = form.evaluate(SEND_TWICE, [*button, "manual" if leaves else "follow"])
    good: Any = ["opaqueredirect", 0] if leaves else ["basic", 200]
    assert answers == [good, good]


def letters_to(house: House, address: str) -> list[str]:
    """The subjects of what was mailed to somebody."""
    found = [message_from_bytes(path.read_bytes(), policy=policy.default) for path in (house.settings.var_dir / "mail").glob("*.eml")]
    return sorted(str(letter["Subject"]) for letter in found if address in str(letter["To"]))


def wait_for_letters(shopper: Shopper, address: str, count: int) -> list[str]:
    """What was mailed, once at least so many letters were; then a moment more, in which none may follow."""
    for _ in range(100):
        if len(letters_to(shopper.house, address)) >= count:
            break
        shopper.page.wait_for_timeout(200)
    shopper.page.wait_for_timeout(1_000)
    return letters_to(shopper.house, address)


@pytest.fixture
def member(visit: Visit, request: pytest.FixtureRequest) -> Shopper:
    """Somebody who signed up, and signed in, by forms that were sent twice."""
    shopper = visit()
    email = f"{re.sub('[^a-z]+', '.', request.node.name.removeprefix('test_'))[:40]}@example.com"
    shopper.go("/account/sign-up")
    shopper.page.get_by_label("Full name").fill("Vera Double")
    shopper.page.get_by_label("E-mail").fill(email)
    shopper.page.get_by_label("Password").fill(PASSWORD)
    send_twice(shopper.page.locator("main form"))
    shopper.go("/account/sign-in")
    shopper.page.get_by_label("E-mail").fill(email)
    shopper.page.get_by_label("Password").fill(PASSWORD)
    send_twice(shopper.page.locator("main form"))
    shopper.go("/account/details")
    expect(shopper.page.locator("main")).to_contain_text(email)
    assert wait_for_letters(shopper, email, 1) == ["Welcome to Larkmill"]
    return shopper


def rows(shopper: Shopper, heading: str) -> int:
    """How many rows the account's table has."""
    shopper.go("/account")
    return shopper.page.locator("section", has=shopper.page.get_by_role("heading", name=heading, exact=True)).locator("tbody tr").count()


def lines(shopper: Shopper) -> list[str]:
    """The quantities in the cart, a line each."""
    shopper.go("/cart")
    return [str(spot.input_value()) for spot in shopper.page.locator(".cart-line [name=quantity]").all()]


def test_one_quote_one_line_one_order(member: Shopper) -> None:
    member.go("/configure/skein-14?cpu=v6")
    keeping = member.page.locator("aside form[method=post]")
    send_twice(keeping, ("then", "quote"))
    assert rows(member, "Quotes") == 1
    member.go("/configure/skein-14?cpu=v6")
    send_twice(keeping, ("then", "cart"))
    assert lines(member) == ["1"]
    member.go("/accessories/MON-24")
    member.page.get_by_label("Quantity").fill("3")
    send_twice(member.page.locator("main form"))
    assert lines(member) == ["1", "3"]
    send_twice(member.page.locator("form[action^='/cart/lines']").nth(2))
    assert lines(member) == ["1", "3"]
    send_twice(member.page.locator("form[action$='/remove']").nth(1))
    assert lines(member) == ["1"]
    member.go("/accessories/MON-24")
    member.press("Add to cart")
    member.page.locator("[name=quantity]").nth(1).fill("0")
    send_twice(member.page.locator("form[action^='/cart/lines']").nth(2))
    assert lines(member) == ["1"]

    member.go("/checkout")
    for name, value in ADDRESS.items():
        spot = member.page.locator(f"form [name={name}]").first
        spot.select_option(value) if name == "state" else spot.fill(value)
    member.page.get_by_label("Keep this address in my book").check()
    send_twice(member.page.locator("main form"))
    member.go("/account/addresses")
    expect(member.page.locator(".card")).to_have_count(1)
    member.go("/checkout/review")
    send_twice(member.page.locator("form[action='/checkout/pay']"), leaves=True)
    assert rows(member, "Orders") == 1

    member.page.get_by_role("link", name=re.compile("^SO-")).click()
    send_twice(member.page.locator("form[action$='/pay']"), leaves=True)
    send_twice(member.page.locator("form[action$='/cancel']"))
    member.page.reload()
    expect(member.page.locator("#live-order")).to_have_attribute("data-status", "cancelled")
    expect(member.page.locator(".timeline li")).to_have_count(2)
    assert len(letters_to(member.house, "one.quote")) <= 3


def test_a_cart_begun_twice_is_one_cart(visit: Visit) -> None:
    shopper = visit()
    shopper.go("/accessories/MON-24")
    send_twice(shopper.page.locator("main form"))
    assert lines(shopper) == ["1"]
    other = visit()
    other.go("/configure/hearth-t")
    send_twice(other.page.locator("aside form[method=post]"), ("then", "cart"))
    assert lines(other) == ["1"]


def test_added_again_on_purpose_it_is_there_twice(shopper: Shopper) -> None:
    shopper.go("/accessories/MON-24")
    shopper.press("Add to cart")
    shopper.page.go_back()
    shopper.press("Add to cart")
    assert lines(shopper) == ["2"]


def test_the_account_keeps_everything_once(member: Shopper) -> None:
    member.go("/account/addresses")
    form = member.page.locator("form[action='/account/addresses']")
    for name, value in ADDRESS.items():
        spot = form.locator(f"[name={name}]")
        spot.select_option(value) if name == "state" else spot.fill(value)
    send_twice(form)
    member.page.reload()
    expect(member.page.locator(".card")).to_have_count(1)
    send_twice(member.page.locator("form[action$='/remove']"))
    member.page.reload()
    expect(member.page.locator(".card")).to_have_count(0)

    member.go("/account/details")
    member.page.get_by_label("Phone").fill("512 555 0199")
    send_twice(member.page.locator("form[action='/account/details']"))
    member.page.reload()
    expect(member.page.get_by_label("Phone")).to_have_value("512 555 0199")
    email = member.page.locator("section p.muted").first.inner_text()
    member.page.get_by_label("Old password").fill(PASSWORD)
    for spot in member.page.get_by_label("New password").all():
        spot.fill("another horse battery")
    send_twice(member.page.locator("form[action='/account/password']"))
    member.context.clear_cookies()
    member.go("/account/sign-in?next=/account/details")
    member.page.get_by_label("E-mail").fill(email)
    member.page.get_by_label("Password").fill("another horse battery")
    member.press("Sign in")
    assert member.path == "/account/details"
    send_twice(member.page.locator("form[action='/account/sign-out']"))
    member.go("/account")
    assert member.path == "/account/sign-in"


def test_questions_asked_twice_get_one_letter(member: Shopper) -> None:
    email = "questions.asked.twice.get.one.letter@example.com"
    member.go("/account/forgotten")
    member.page.get_by_label("E-mail").fill(email)
    send_twice(member.page.locator("main form"))
    member.go("/configure/skein-14")
    member.press("Save as a quote")
    member.page.get_by_label("E-mail").fill("friend@example.com")
    send_twice(member.page.locator("form[action$='/send']"))
    assert len(wait_for_letters(member, "friend@example.com", 1)) == 1
    assert len(wait_for_letters(member, email, 2)) == 2  # the welcome, and the link
    member.go("/support")
    member.page.get_by_label("Service tag or express service code").fill("AAAAAAA")
    member.may_fail.add(404)
    answers = member.page.locator("main form").evaluate(SEND_TWICE, ["", "", "follow"])
    assert answers == [["basic", 404], ["basic", 404]]


def test_paying_twice_and_going_back_takes_the_money_once(shopper: Shopper) -> None:
    shopper.go("/configure/skein-14")
    shopper.press("Add to cart")
    shopper.to_payment(shopper.check_out("pays.once@example.com"))
    hosted = shopper.page.url
    review = f"{shopper.house.url}/checkout/review"
    number = shopper.pay()
    total = shopper.page.locator(".summary .total dd").inner_text()

    shopper.page.go_back()
    if shopper.page.url == hosted:
        expect(shopper.page.get_by_role("heading", level=1)).to_have_text("This order is paid")
    shopper.page.goto(hosted)
    expect(shopper.page.get_by_role("heading", level=1)).to_have_text("This order is paid")
    shopper.page.get_by_role("link", name="Return to the shop").click()
    assert shopper.path == f"/orders/{number}"
    shopper.go(review)
    assert shopper.path == "/cart"
    shopper.go(f"/orders/{number}/paid")
    assert shopper.path == f"/orders/{number}"
    assert shopper.page.locator(".summary .total dd").inner_text() == total
    expect(shopper.page.locator(".timeline li", has_text="Your payment has arrived.")).to_have_count(1, timeout=PATIENCE)
    assert shopper.page.get_by_role("button", name=re.compile("^Pay")).count() == 0
