"""A visitor of the shop in a real browser: acts as people do, and keeps what went wrong."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, Response, expect
from pypdf import PdfReader

from fulfillment.kernel.money import Money
from storefront.demo.house import House

PATIENCE = 45_000
"""Milliseconds for a page on a busy machine."""
MAKING = 150_000
"""Milliseconds for an order to be made and delivered."""

HEADERS = {
    "x-content-type-options": {"nosniff"},
    "referrer-policy": {"strict-origin-when-cross-origin", "no-referrer"},
    "cross-origin-opener-policy": {"same-origin"},
    "permissions-policy": {"camera=(), microphone=(), geolocation=()"},
}
"""What every answer of the shop carries, one of the values each."""
CARD, DECLINED, ASKS = "4242424242424242", "4000000000000002", "4000002500003155"
ADDRESS = {
    "name": "Ada Moss", "line1": "12 Willow Road", "city": "Austin", "state": "TX", "postcode": "78701", "phone": "+1 512 555 0101",
}

_ORDER = re.compile(r"SO-\d{4}-\d{6}")
_AMOUNT = re.compile(r"\$[\d,]+\.\d\d")
_BUSY = ".htmx-request, .htmx-swapping, .htmx-settling"


def money(text: str) -> Money:
    """The first amount of a text."""
    found = _AMOUNT.search(text)
    assert found, f"no amount in {text!r}"
    return Money.parse(found.group().lstrip("$").replace(",", ""))


@dataclass
class Shopper:
    """Somebody at a browser. `page` is where he is."""

    context: BrowserContext
    page: Page
    house: House
    scripts: bool = True
    complaints: list[str] = field(default_factory=list)
    may_fail: set[int] = field(default_factory=set)
    """Statuses from 400 on that this visitor provokes."""

    @classmethod
    def come(
        cls, browser: Browser, house: House, *, width: int = 1280, height: int = 900, language: str = "en", theme: str = "light",
        scripts: bool = True, bypass_csp: bool = False, cookie: str = "",
    ) -> Shopper:
        """Open a browser window of its own, without a past."""
        context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme="dark" if theme == "dark" else "light",
            locale={"zh": "zh-CN"}.get(language, "en-US"),
            java_script_enabled=scripts, bypass_csp=bypass_csp, reduced_motion="reduce", timezone_id="UTC",
        )
        context.set_default_timeout(PATIENCE)
        visitor = cls(context, context.new_page(), house, scripts)
        if cookie:
            visitor.remember(cookie)
        visitor.page.on("console", visitor._hear)
        visitor.page.on("pageerror", lambda error: visitor.complaints.append(f"script: {error}"))
        visitor.page.on("response", visitor._look_at)
        return visitor

    def remember(self, cookie: str) -> None:
        """Come back with the session of an earlier visit."""
        self.context.add_cookies([{"name": "shop", "value": cookie, "url": self.house.url}])

    def _hear(self, message: ConsoleMessage) -> None:
        # A status from 400 on is looked at below, where it is known whether it was provoked.
        if message.type in {"error", "warning"} and "Failed to load resource" not in message.text:
            self.complaints.append(f"{self.page.url}: {message.text}")

    def _look_at(self, response: Response) -> None:
        if response.status >= 400 and response.status not in self.may_fail:
            self.complaints.append(f"{response.request.method} {response.url}: {response.status}")
        if not response.url.startswith(self.house.url):
            return
        for name, good in HEADERS.items():
            if response.headers.get(name) not in good:
                self.complaints.append(f"{response.url}: {name} is {response.headers.get(name)!r}")
        policy = response.headers.get("content-security-policy", "")
        if "default-src 'self'" not in policy or "unsafe" in policy:
            self.complaints.append(f"{response.url}: content-security-policy is {policy!r}")

    def leave(self) -> list[str]:
        """Close the browser; what went wrong in it."""
        self.context.close()
        return self.complaints

    def go(self, path: str) -> Page:
        """Open an address of the shop."""
        self.page.goto(self.house.url + path if path.startswith("/") else path)
        return self.page

    @property
    def path(self) -> str:
        """Where this visitor is, without the host."""
        return urlsplit(self.page.url).path

    def press(self, name: str | re.Pattern[str]) -> None:
        """Press the button of this name in the page's main part."""
        self.page.locator("main").get_by_role("button", name=name).click()

    # The configurator

    def choose(self, group: str, option: str) -> None:
        """Click an option, and wait for the answer; without script the button below the options asks for it."""
        spot = self.page.locator(f"#{group}-{option}")
        if self.scripts:
            with self.page.expect_response(lambda answer: "hx-request" in answer.request.headers):
                spot.click()
            expect(self.page.locator(_BUSY)).to_have_count(0)
        else:
            spot.click()
            self.press("Update the price")
        expect(self.page.locator(f"#{group}-{option}")).to_be_checked()

    @property
    def price(self) -> Money:
        """The price of the machine in the summary."""
        return money(self.page.locator(".summary .price").first.inner_text())

    def delta(self, group: str, option: str) -> str:
        """What stands at the right end of an option."""
        return self.page.locator(f".choice:has(#{group}-{option}) .delta").inner_text().strip()

    def why_not(self, group: str, option: str) -> str:
        """Why an option cannot be had now, as told when asked for; empty when it can."""
        row = self.page.locator(f".choice-out:has(#{group}-{option})")
        if not row.count():
            return ""
        self.unfold(row.get_by_role("button", name="Why not?"))
        return self.page.locator(f"#why-{group}-{option}").inner_text()

    def unfold(self, button: Locator) -> None:
        """Press a button of the choices, and wait for what it brings."""
        if not self.scripts:
            button.click()
            return
        with self.page.expect_response(lambda answer: "hx-request" in answer.request.headers):
            button.click()
        expect(self.page.locator(_BUSY)).to_have_count(0)

    def get_anyway(self, group: str, option: str) -> str:
        """Have an excluded option all the same, after a look at what it takes: the machine before and after."""
        panel = f"#why-{group}-{option}"
        if not self.page.locator(panel).inner_text():
            self.why_not(group, option)
        self.unfold(self.page.locator(panel).get_by_role("button", name="Get it anyway"))
        shown = self.page.locator(f"{panel} .before-after").inner_text()
        self.unfold(self.page.locator(panel).get_by_role("button", name="Confirm"))
        expect(self.page.locator(f"#{group}-{option}")).to_be_checked()
        return shown

    # From the cart to the order

    def check_out(self, email: str, *, delivery: str = "standard", **changes: str) -> Money:
        """From the cart to the summary of the order; its total."""
        self.page.get_by_role("link", name="Check out").click()
        for name, value in {**ADDRESS, "email": email, **changes}.items():
            spot = self.page.locator(f"form [name={name}]").first
            if name == "state":
                spot.select_option(value)
            else:
                spot.fill(value)
        self.page.locator(f"[name=delivery][value={delivery}]").check()
        self.press("Go on to the summary")
        expect(self.page.get_by_role("heading", level=1)).to_have_text("Everything right?")
        sums = [money(text) for text in self.page.locator(".summary dd").all_inner_texts()]
        assert sums[0] + sums[1] + sums[2] == sums[3], sums
        return sums[3]

    def to_payment(self, total: Money) -> None:
        """Go to the hosted page, which asks for the same amount."""
        self.press(re.compile("^Pay "))
        self.page.wait_for_url(self.house.simulator_url + "/**")
        assert money(self.page.locator(".amount").inner_text()) == total

    def type_card(self, card: str) -> None:
        """Fill in the card and press Pay."""
        self.page.get_by_label("Card number").fill(card)
        self.page.get_by_label("Expiry").fill("12/38")
        self.page.get_by_label("Security code").fill("123")
        self.page.get_by_role("button", name=re.compile("^Pay ")).click()

    def pay(self, card: str = CARD) -> str:
        """Pay on the hosted page; the number of the order that is thanked for."""
        self.type_card(card)
        if card == ASKS:
            self.page.get_by_role("button", name="Complete authentication").click()
        self.page.wait_for_url(self.house.url + "/orders/*")
        found = _ORDER.search(self.path)
        assert found
        return found.group()

    # The order

    def wait_for(self, status: str, timeout: int = MAKING) -> None:
        """Watch the order's page until it says so by itself."""
        expect(self.page.locator("#live-order")).to_have_attribute("data-status", status, timeout=timeout)

    def read_pdf(self, href: str) -> str:
        """The text of a document, with the visitor's cookies."""
        answer = self.context.request.get(self.house.url + href)
        assert answer.status == 200
        assert answer.headers["content-type"] == "application/pdf"
        return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(answer.body())).pages)
