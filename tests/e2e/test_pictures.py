"""Pictures of the shop for people to look at: both languages, phone and desktop; one of them is the README's.

They are written to pytest's temporary folder (`pytest --basetemp=…` to find them), and
`--update-pictures` renews the README's.
"""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page

from storefront.demo.house import House
from storefront.demo.story import Customer, order_a_machine
from tests.e2e.conftest import Visit
from tests.e2e.places import CUSTOMER, SHOPPING, Known

README = Path(__file__).parent.parent.parent / "storefront/static/pictures/readme/shop.webp"
LARGEST = 200_000
READY = """async () => {
  for (const image of document.images) image.loading = "eager";
  await Promise.all([document.fonts.ready, ...[...document.images].map(image => image.decode())]);
}"""

PICTURES = {
    "home": ("/", ""), "product": ("/products/skein-16", ""), "configurator": ("/configure/skein-14?cpu=h12", ""),
    "explained": ("/configure/rookery-r2?chassis=f12&limit=6500&want=riser:r6", ""), "shared": ("/c/{shared}", ""),
    "compared": ("/configurations/compare?with={shared}&with={other}", ""), "quote": ("/quotes/{quote}", ""),
    "cart": ("/cart", SHOPPING), "details": ("/checkout", SHOPPING),
    "review": ("/checkout/review", SHOPPING),
    "waiting": ("/orders/{booked}", SHOPPING), "payment": ("/orders/{booked}", SHOPPING), "cancelled": ("/orders/{cancelled}", SHOPPING),
    "delivered": ("/orders/{order}", CUSTOMER), "support": ("/support/{tag}", ""), "accessories": ("/accessories", ""),
    "sign-up": ("/account/sign-up", ""),
}


def wait_until_made(house: House, customer: Customer, number: str) -> None:
    """Look at the order until its machine is being worked on."""
    limit = time.monotonic() + 90
    while "in_production" not in customer.go(f"/orders/{number}"):
        assert time.monotonic() < limit, "production does not begin"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def making(house: House) -> Iterator[tuple[str, str]]:
    """An order in production, and its customer's session; the crew stands still as long as it is looked at."""
    customer = Customer(lambda _what, _where: None, house.url)
    number = order_a_machine(customer, "anvil-w", {}, "noor.castle@example.com")
    wait_until_made(house, customer, number)
    house.children["floor"].send_signal(signal.SIGSTOP)
    yield f"/orders/{number}", customer.browser.cookies["shop"]
    house.children["floor"].send_signal(signal.SIGCONT)


def take(page: Page, target: Path) -> None:
    """A picture of the whole page, when its fonts and pictures are there."""
    page.evaluate(READY)
    page.screenshot(path=target, full_page=True, animations="disabled")
    with Image.open(target) as picture:
        colours = picture.convert("RGB").resize((90, 160)).getcolors(maxcolors=90 * 160)
    assert colours is not None
    assert len(colours) > 20, "an empty page"


@pytest.mark.parametrize("look", [("en", "light", 1280), ("en", "dark", 390), ("zh", "dark", 1280), ("zh", "light", 390)], ids=str)
def test_pictures_of_the_shop(visit: Visit, known: Known, making: tuple[str, str], tmp_path: Path, look: tuple[str, str, int]) -> None:
    language, theme, width = look
    for name, (path, who) in {**PICTURES, "in-production": (making[0], "making")}.items():
        cookie = {**known.cookies, "making": making[1]}.get(who, "")
        shopper = visit(language=language, theme=theme, width=width, bypass_csp=True, cookie=cookie)
        page = shopper.go(path.format(**known.facts))
        if name == "payment":
            shopper.press(re.compile(r"^(Pay|支付) "))
        elif who in {"making", CUSTOMER}:
            shopper.wait_for("delivered" if who == CUSTOMER else "in_production")
        take(page, tmp_path / f"{name}-{language}-{width}.png")


def test_the_picture_of_the_readme(visit: Visit, pytestconfig: pytest.Config, tmp_path: Path) -> None:
    page = visit(width=1280, height=1060, bypass_csp=True).go("/")
    page.evaluate(READY)
    page.screenshot(path=tmp_path / "shop.png", animations="disabled")
    with Image.open(tmp_path / "shop.png") as picture:
        picture.convert("RGB").save(tmp_path / "shop.webp", quality=88, method=6)
    assert (tmp_path / "shop.webp").stat().st_size <= LARGEST
    if pytestconfig.getoption("--update-pictures"):
        README.parent.mkdir(exist_ok=True)
        README.write_bytes((tmp_path / "shop.webp").read_bytes())
    assert README.stat().st_size <= LARGEST
