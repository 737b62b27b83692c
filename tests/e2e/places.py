"""Every page of the shop, and who may see it; what the addresses need is walked up once, without a browser."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from urllib.parse import urljoin, urlsplit

from storefront.demo.house import House
from storefront.demo.story import ADDRESS, Customer, forms_of, order_a_machine, steps, watch

MEMBER = "rowan.hale@example.com"
BUYER = "ada.moss@example.com"
PASSWORD = "correct horse battery"
MACHINES = ("skein-14", "skein-16", "hearth-t", "anvil-w", "rookery-r2")

NOBODY, SHOPPING, CUSTOMER, MEMBERSHIP, STAFF = "nobody", "shopping", "customer", "member", "staff"


@dataclass(frozen=True, slots=True)
class Place:
    """A page: its address with holes for what was walked up, who looks at it, and the status it has."""

    path: str
    who: str = NOBODY
    status: int = 200

    def __str__(self) -> str:
        return f"{self.path} as {self.who}" if self.who != NOBODY else self.path


PLACES = (
    Place("/"), Place("/laptops"), Place("/desktops"), Place("/workstations"), Place("/servers"),
    *(Place(f"/products/{machine}") for machine in MACHINES), *(Place(f"/configure/{machine}") for machine in MACHINES),
    Place("/configure/skein-14?cpu=h12&memory=p32"), Place("/configure/rookery-r2?chassis=f12&limit=6500&want=riser:r6"),
    Place("/configure/skein-14?cpu=none", status=422), Place("/configure/skein-14?limit=much", status=422),
    Place("/c/{shared}"), Place("/c/nothing", status=404), Place("/configurations/compare"),
    Place("/configurations/compare?with={shared}&with={other}"),
    Place("/accessories"), Place("/accessories/MON-24"), Place("/compare"), Place("/compare?models=skein-14,skein-16,hearth-t"),
    Place("/search"), Place("/search?q=memory"), Place("/search?q=zzzz"),
    Place("/quotes/{quote}"), Place("/cart"), Place("/status"), Place("/support"), Place("/support/{tag}"),
    Place("/support/AAAAAAA", status=404),
    Place("/account/sign-in"), Place("/account/sign-up"), Place("/account/forgotten"), Place("/account/new-password/{reset}"),
    Place("/account/new-password/nothing", status=404),
    Place("/contact"), Place("/terms"), Place("/no-such-page", status=404), Place("/styleguide"),
    Place("/cart", SHOPPING), Place("/checkout", SHOPPING), Place("/checkout/review", SHOPPING), Place("/orders/{booked}", SHOPPING),
    Place("/orders/{cancelled}", SHOPPING), Place("/status", SHOPPING),
    Place("/orders/{order}", CUSTOMER),
    Place("/account", MEMBERSHIP), Place("/account/configurations", MEMBERSHIP), Place("/account/addresses", MEMBERSHIP),
    Place("/account/details", MEMBERSHIP),
    Place("/desk/sign-in"), Place("/desk/badge", STAFF), Place("/desk", STAFF), Place("/desk/kitting", STAFF), Place("/desk/build", STAFF),
    Place("/desk/test", STAFF), Place("/desk/boxing", STAFF), Place("/desk/dispatch", STAFF), Place("/desk/orders", STAFF),
    Place("/desk/orders/{order}", STAFF), Place("/desk/units/{tag}", STAFF), Place("/desk/purchasing", STAFF),
    Place("/desk/purchasing/{purchase}", STAFF), Place("/desk/purchasing/invoices", STAFF), Place("/desk/purchasing/suppliers", STAFF),
    Place("/desk/purchasing/claims", STAFF), Place("/desk/stock", STAFF), Place("/desk/stock/MON-24", STAFF), Place("/desk/alerts", STAFF),
    Place("/desk/books", STAFF), Place("/desk/books/journal", STAFF), Place("/desk/books/checks", STAFF),
    Place("/desk/books/accounts/{ledger}", STAFF), Place("/desk/books/entries/1", STAFF),
    Place("/desk/jobs", STAFF), Place("/desk/jobs/mail", STAFF), Place("/desk/jobs/scheduled", STAFF),
    Place("/desk/kitting/{tag}", STAFF, status=409),
    Place("/desk/prices", STAFF), Place("/desk/prices/books/{book}", STAFF), Place("/desk/prices/promotions", STAFF),
    Place("/desk/prices/shaping", STAFF),
)


AT_STATIONS = (
    "/desk/kitting/<tag>", "/desk/build/<tag>", "/desk/test/<tag>", "/desk/rework/<tag>", "/desk/boxing/<tag>", "/desk/dispatch/<number>",
)
"""Pages of something that stands there: looked at in test_console_scanner.py, where no crew carries it on."""


@dataclass
class Known:
    """What the addresses need, and the session of each who."""

    facts: dict[str, str] = field(default_factory=dict)
    cookies: dict[str, str] = field(default_factory=dict)

    def address(self, place: Place) -> str:
        """The address of a page."""
        return place.path.format(**self.facts)


def _found(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    assert match, f"{pattern} is not on the page"
    return match.group(1)


def walk_up(house: House) -> Known:
    """Make a delivered order, one that waits, one that was cancelled, a cart, an account, and sign a member of staff in."""
    known = Known()

    def visitor() -> Customer:
        return Customer(lambda _what, _where: None, house.url)

    buyer = visitor()
    known.facts["order"] = order_a_machine(buyer, "skein-14", {"cpu": "v6"}, BUYER)

    known.facts["cancelled"] = book(shopping := visitor(), "hearth-t", {})
    shopping.go(f"/orders/{known.facts['cancelled']}")
    shopping.send("/cancel", reason="Changed my mind")
    known.facts["booked"] = book(shopping, "skein-16", {})
    known.facts["quote"] = _found(r'href="/quotes/([\w-]+)"', shopping.go("/cart"))
    shopping.go("/accessories/MON-24")
    shopping.send("/cart/items", quantity="2")
    known.cookies[SHOPPING] = shopping.browser.cookies["shop"]
    known.facts["shared"], known.facts["other"] = share(visitor(), "skein-14?cpu=v6"), share(visitor(), "hearth-t")

    member = join(visitor(), MEMBER)
    member.go(f"/c/{known.facts['shared']}")
    member.send("/keep", name="For the office")
    known.cookies[MEMBERSHIP] = member.browser.cookies["shop"]
    known.facts["reset"] = ask_for_a_link(visitor(), house)
    staff = visitor()
    staff.go("/desk/sign-in")
    staff.send("/desk/sign-in", login="admin", password=PASSWORD)
    staff.go("/desk/prices")
    staff.send("/desk/prices/books", code="WINTER", name_en="Winter list", currency="USD", first_day="2026-01-01")
    staff.go("/desk/prices/promotions")
    staff.send("/desk/prices/promotions", name_en="Ten for all", code="TEN", reach="machine", percent="10", currency="USD",
               first_day="2026-01-01", last_day="2099-12-31")
    staff.go("/desk/prices/shaping")
    staff.send("/desk/prices/shaping", code="FASTER", name_en="Sooner for less", min_days="7", give="free", margin="5", currency="USD",
               first_day="2026-01-01")
    known.facts["book"] = "WINTER"
    known.cookies[STAFF] = staff.browser.cookies["shop"]

    known.facts |= {"purchase": "PO-2026-000001", "ledger": "1012PSP"}
    watch(buyer, known.facts["order"], seconds=150)
    known.facts["tag"] = _found(r'<span class="tag">([A-Z0-9]{7})</span>', buyer.page.text)
    known.cookies[CUSTOMER] = buyer.browser.cookies["shop"]
    return known


def book(customer: Customer, model: str, choices: dict[str, str]) -> str:
    """Order a machine and leave at the payment page; the order's number."""
    *before, _pay = steps(customer, model, choices, BUYER)
    for act, _said in before:
        act()
    return _found(r"(SO-\d{4}-\d{6})", customer.page.text)


def share(customer: Customer, machine: str) -> str:
    """Share a configuration; the token of its link."""
    customer.go(f"/configure/{machine}")
    form = next(form for form in forms_of(customer.page.text) if form.method == "post" and "/configure/" in form.action)
    answer = customer.browser.post(urljoin(customer.base, f"{form.action}/share"), data=form.values, timeout=30)
    return urlsplit(answer.url).path.removeprefix("/c/")


def ask_for_a_link(customer: Customer, house: House) -> str:
    """Forget the member's password, and take the secret out of the letter."""
    customer.go("/account/forgotten")
    customer.send("/account/forgotten", email=MEMBER)
    limit = time.monotonic() + 60
    while time.monotonic() < limit:
        for letter in (house.settings.var_dir / "mail").glob("*.eml"):
            body = message_from_bytes(letter.read_bytes(), policy=policy.default).get_body(("plain",))
            if body is not None and (link := re.search(r"/new-password/([\w-]+)", body.get_content())):
                return link.group(1)
        time.sleep(0.2)
    raise AssertionError("no letter with a link has come")


def join(customer: Customer, email: str) -> Customer:
    """Open an account, sign in, and fill the pages of the account."""
    customer.go("/account/sign-up")
    customer.send("/account/sign-up", name="Rowan Hale", email=email, password=PASSWORD)
    customer.send("/account/sign-in", email=email, password=PASSWORD)
    customer.go("/account/addresses")
    customer.send("/account/addresses", **ADDRESS)
    book(customer, "anvil-w", {})
    return customer
