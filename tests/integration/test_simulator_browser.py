"""The hosted pages in a real browser: nothing is blocked by their own policy, and nobody is shut out."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from tests.builders.stripe_sim import StripeSimulator, connect, open_session

CHROMIUM = Path("/usr/bin/chromium")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="Chromium is not installed"),
]


class _Shop(BaseHTTPRequestHandler):
    """Any page of the shop."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StripeSimulator]:
    with StripeSimulator.start(tmp_path_factory.mktemp("stripe")) as running:
        yield running


@pytest.fixture(scope="module")
def shop_url() -> Iterator[str]:
    """Another origin, as the shop is to the provider."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Shop)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://localhost:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield running
        running.close()


def fill(page: Page, card: str) -> None:
    page.get_by_label("Card number").fill(card)
    page.get_by_label("Expiry").fill("12/34")
    page.get_by_label("Security code").fill("123")
    page.get_by_role("button", name="Pay $1,299.00").click()


@pytest.mark.parametrize("scripts", [True, False])
def test_the_buyer_gets_back_to_the_shop(
    simulator: StripeSimulator, browser: Browser, shop_url: str, *, scripts: bool
) -> None:
    session = open_session(connect(simulator.url), success_url=f"{shop_url}/paid")
    context = browser.new_context(java_script_enabled=scripts)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if "Content Security" in message.text else None)

    page.goto(str(session.url))
    fill(page, "4000000000000002")
    assert "Your card was declined" in page.get_by_role("alert").inner_text()
    fill(page, "4000002500003155")
    page.get_by_role("button", name="Complete authentication").click()
    page.wait_for_url(f"{shop_url}/paid")

    assert complaints == []
    context.close()


@pytest.mark.parametrize(
    ("locale", "scheme", "width"),
    [("en", "light", 1200), ("en", "dark", 360), ("zh", "light", 360), ("zh", "dark", 1200)],
)
def test_every_page_is_accessible_and_fits(
    simulator: StripeSimulator, browser: Browser, *, locale: str, scheme: str, width: int
) -> None:
    session = open_session(connect(simulator.url), locale=locale, customer_email=None)
    context = browser.new_context(
        viewport={"width": width, "height": 800},
        color_scheme="dark" if scheme == "dark" else "light",
        bypass_csp=True,  # axe itself is a script
    )
    page = context.new_page()

    def check() -> None:
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")

    page.goto(str(session.url))
    check()
    page.locator("form button").click()
    page.wait_for_function("document.activeElement.id === 'email'")
    check()
    for name, value in {
        "email": "a@example.com",
        "number": "4000000000003220",
        "expiry": "12/34",
        "cvc": "123",
    }.items():
        page.locator(f"#{name}").fill(value)
    page.locator("form button").click()
    assert "/3ds/" in page.url
    check()
    page.goto(f"{simulator.url}/c/pay/unknown")
    check()
    context.close()
