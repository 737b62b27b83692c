"""One real order, told as it happens: a customer with a browser without script, over HTTP.

Nothing here touches the database: it reads pages, fills in forms, pays on the hosted page with a
test card and watches the status page, as a person would.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from html import unescape
from html.parser import HTMLParser
from urllib.parse import urljoin

import requests

CARD = {"number": "4242 4242 4242 4242", "expiry": "12/35", "cvc": "123"}
ADDRESS = {
    "name": "Ada Moss", "line1": "12 Willow Road", "city": "Austin", "state": "TX", "postcode": "78701", "phone": "+1 512 555 0101",
}

_PRICE = re.compile(r"\$[\d,]+\.\d\d")
_TOTAL = re.compile(r">Pay (\$[\d,]+\.\d\d)|Pay (\$[\d,]+\.\d\d)")
_QUOTE = re.compile(r"Q-\d{4}-\d{6}")
_ORDER = re.compile(r"SO-\d{4}-\d{6}")
_EVENT = re.compile(r'<li><time datetime="([^"]+)">[^<]*</time>(.*?)</li>', re.DOTALL)


class StoryBroke(RuntimeError):
    """The shop did not do what a customer would expect; the message says at which page."""


@dataclass
class Form:
    """A form of a page: where it goes, and what it holds already."""

    action: str = ""
    method: str = "get"
    values: list[tuple[str, str]] = field(default_factory=list)


class _Forms(HTMLParser):
    """Collects the forms of a page, with the values a browser would send."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.select = ""
        self.inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(given.get("action", ""), given.get("method", "get").lower()))
            self.inside = True
        elif self.inside and tag == "input" and given.get("name"):
            kind = given.get("type", "text")
            if kind not in {"radio", "checkbox", "submit", "button"} or "checked" in given:
                self.forms[-1].values.append((given["name"], given.get("value", "on" if kind == "checkbox" else "")))
        elif self.inside and tag == "select":
            self.select = given.get("name", "")
        elif self.inside and tag == "option" and self.select and "selected" in given:
            self.forms[-1].values.append((self.select, given.get("value", "")))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.inside = False
        if tag == "select":
            self.select = ""


def forms_of(page: str) -> list[Form]:
    """The forms of a page, each with the values it would send as it stands."""
    reader = _Forms()
    reader.feed(page)
    return reader.forms


class Customer:
    """Somebody with a browser that runs no script."""

    def __init__(self, tell: Callable[[str, str], None], base: str) -> None:
        self.tell, self.base = tell, base
        self.browser = requests.Session()
        self.page: requests.Response

    def go(self, address: str) -> str:
        """Open a page. Raises StoryBroke when it is not there."""
        return self._arrive(self.browser.get(urljoin(self.base, address), timeout=30))

    def send(self, action: str, method: str = "post", **values: str) -> str:
        """Fill in the form of this page whose address contains `action`, and send it."""
        fitting = (form for form in forms_of(self.page.text) if action in urljoin(self.page.url, form.action) and form.method == method)
        form = next(fitting, None)
        if form is None:
            raise StoryBroke(f"{self.page.url} has no form for {action}")
        data = [(name, value) for name, value in form.values if name not in values] + list(values.items())
        target = urljoin(self.page.url, form.action)
        if form.method == "post":
            return self._arrive(self.browser.post(target, data=data, timeout=60))
        return self._arrive(self.browser.get(target, params=data, timeout=30))

    def _arrive(self, response: requests.Response) -> str:
        if response.status_code >= 400:
            words = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.text))
            raise StoryBroke(f"{response.request.method} {response.url} answered {response.status_code}: {unescape(words)[-400:]}")
        self.page = response
        return response.text


Teller = Callable[[str, str], None]
"""Told what happened, and at which address."""


def order_a_machine(customer: Customer, model: str, choices: dict[str, str], email: str) -> str:
    """Configure, quote, put into the cart, check out, pay; the order's number."""
    tell = customer.tell
    customer.go(f"/products/{model}")
    tell(f"looks at the {model}", customer.page.url)
    for act, said in steps(customer, model, choices, email):
        act()
        tell(said(customer.page), customer.page.url)
    return _first(_ORDER, customer.page.url)


Step = tuple[Callable[[], str], Callable[[requests.Response], str]]


def steps(customer: Customer, model: str, choices: dict[str, str], email: str) -> list[Step]:
    """What the customer does, and how it is told; each may be done again when the shop did not answer."""
    return [
        (lambda: customer.go(f"/configure/{model}"), lambda _: "opens the configurator"),
        (
            lambda: customer.send(f"/configure/{model}", method="get", **choices),
            lambda page: f"configures it: {_first(_PRICE, page.text)} without tax",
        ),
        (
            lambda: customer.send(f"/configure/{model}", method="post", then="quote"),
            lambda page: f"keeps {_first(_QUOTE, page.text)}, with its PDF",
        ),
        (lambda: customer.send("/cart/quotes/"), lambda _: "puts it into the cart"),
        (lambda: customer.go("/checkout"), lambda _: "goes to the checkout"),
        (
            lambda: customer.send("/checkout", **ADDRESS, email=email, delivery="standard"),
            lambda page: f"sees the total with sales tax: {_first(_TOTAL, page.text)}",
        ),
        (lambda: customer.send("/checkout/pay"), lambda _: "is on the payment page"),
        (lambda: customer.send("/c/pay/", **CARD), lambda page: f"pays order {_first(_ORDER, page.url)} with the test card 4242"),
    ]


def _first(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    return found.group(found.lastindex or 0) if found else "?"


def watch(customer: Customer, number: str, seconds: float) -> None:
    """Look at the status page until the machine is delivered, telling each new event. Raises StoryBroke."""
    told = 0
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        page = customer.go(f"/orders/{number}")
        events = _EVENT.findall(page)[::-1]
        for moment, what in events[told:]:
            words = unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", what))).strip()
            customer.tell(f"reads: {words}", f"{customer.page.url} ({moment[11:19]} UTC)")
        told = len(events)
        if 'data-status="delivered"' in page:
            return
        time.sleep(0.3)
    raise StoryBroke(f"order {number} was not delivered within {seconds:.0f} seconds")
