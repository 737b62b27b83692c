"""A hand-held scanner at a station in a real browser: it types and presses Enter, faster than the network answers."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Page, Request, Route, expect, sync_playwright
from werkzeug.serving import make_server

from fulfillment.kernel.db import transaction
from tests.builders.assembly import fail_test, laptops
from tests.builders.desks import labels_to_build, labels_to_kit, steps_of, walked
from tests.builders.people import PASSWORD, make_staff

CHROMIUM = Path("/usr/bin/chromium")
SWITCHES = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-sync"]

pytestmark = [pytest.mark.browser, pytest.mark.skipif(not CHROMIUM.exists(), reason="there is no Chromium here")]


@pytest.fixture
def station(app: Flask) -> Iterator[Page]:
    """A hand-held screen with somebody signed in who may do everything; addresses are relative to the shop."""
    make_staff("administrator")
    server = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=SWITCHES)
        page = browser.new_context(base_url=f"http://127.0.0.1:{server.port}", viewport={"width": 390, "height": 800}).new_page()
        complaints: list[str] = []
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto("/desk/sign-in")
        expect(page.locator("#login")).to_be_focused()
        page.keyboard.type("administrator")
        page.fill("#password", PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url("**/desk")
        yield page
        browser.close()
    server.shutdown()
    server.server_close()
    assert complaints == []


def beep(page: Page, *labels: str) -> None:
    """The scanner reads labels one after the other without waiting for an answer."""
    expect(page.locator("#scan, #open")).to_be_focused()
    for label in labels:
        page.keyboard.type(label)
        page.keyboard.press("Enter")


def test_a_kit_is_scanned_in_one_go_without_touching_the_screen(station: Page) -> None:
    _number, (tag,) = walked(laptops(), up_to="released")
    station.goto("/desk/kitting")
    beep(station, tag)
    station.wait_for_url(f"**/desk/kitting/{tag}")
    labels = labels_to_kit(tag)
    beep(station, *labels[:3])
    expect(station.locator(".scanned li")).to_have_count(3)
    beep(station, *labels[3:])
    expect(station.locator(".scanned li")).to_have_count(len(labels))
    expect(station.get_by_role("button", name="Kit complete")).to_be_focused()
    station.keyboard.type(tag)
    station.keyboard.press("Enter")
    station.wait_for_url("**/desk/kitting")
    expect(station.get_by_text(f"{tag} is kitted.")).to_be_visible()
    expect(station.locator("#open")).to_be_focused()


def test_a_label_half_typed_stays_in_the_field_while_others_are_sent(station: Page) -> None:
    _number, (tag,) = walked(laptops(), up_to="released")
    station.goto(f"/desk/kitting/{tag}")
    first, second, third, *_ = labels_to_kit(tag)
    held: list[Route] = []
    sent: list[list[str]] = []

    def hold(route: Route) -> None:
        held.append(route)

    def notice(request: Request) -> None:
        if request.method == "POST":
            sent.append(parse_qs(request.post_data or "").get("scan", []))

    station.on("request", notice)
    station.route("**/desk/kitting/*", hold, times=1)
    beep(station, first, second)
    station.keyboard.type(third[:9])
    held[0].continue_()
    expect(station.locator(".scanned li")).to_have_count(2)
    assert sent == [[first], [second]]
    expect(station.locator("#scan")).to_have_value(third[:9])
    station.keyboard.type(third[9:])
    station.keyboard.press("Enter")
    expect(station.locator(".scanned li")).to_have_count(3)
    assert sent == [[first], [second], [third]]


STATIONS = {"released": "kitting", "kitted": "build", "built": "test", "failed": "rework", "tested": "boxing", "boxed": "dispatch"}


@pytest.mark.parametrize("up_to", STATIONS)
def test_nobody_is_shut_out_from_what_stands_at_a_station(station: Page, up_to: str) -> None:
    number, (tag,) = walked(laptops(), up_to="built" if up_to == "failed" else up_to)
    if up_to == "failed":
        with transaction() as session:
            fail_test(session, tag)
    for language, width in (("en", 1280), ("zh", 390)):
        station.set_viewport_size({"width": width, "height": 800})
        station.goto(f"/language/{language}")
        answer = station.goto(f"/desk/{STATIONS[up_to]}/{number if up_to == 'boxed' else tag}")
        assert answer is not None
        assert answer.status == 200
        found = Axe().run(station)
        assert found.violations_count == 0, found.generate_report()
        assert station.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def test_a_wrong_label_is_named_and_the_next_one_is_taken(station: Page) -> None:
    _number, (tag,) = walked(laptops(), up_to="released")
    station.goto(f"/desk/kitting/{tag}")
    beep(station, "GPU-X1/7")
    expect(station.get_by_role("alert")).to_contain_text("Not taken: GPU-X1/7")
    expect(station.locator("#scan")).to_have_value("")
    beep(station, "CPU-T8/A1")
    expect(station.locator(".scanned li")).to_have_text(["CPU-T8/A1 Remove CPU-T8/A1"])
    station.get_by_role("button", name="Remove CPU-T8/A1").click()
    expect(station.locator(".scanned li")).to_have_count(0)


def test_confirmed_steps_stay_confirmed_while_parts_are_scanned(station: Page) -> None:
    _number, (tag,) = walked(laptops(), up_to="kitted")
    station.goto(f"/desk/build/{tag}")
    for box in station.locator("input[name=step]").all():
        box.check()
    station.locator("#scan").focus()
    beep(station, *labels_to_build(tag))
    expect(station.locator(".scanned li")).to_have_count(5)
    expect(station.locator("input[name=step]:checked")).to_have_count(len(steps_of(tag)))
    assert Axe().run(station).response["violations"] == []
    station.get_by_role("button", name="Machine is built").click()
    expect(station.get_by_text(f"{tag} is built.")).to_be_visible()


def test_the_board_renews_itself(station: Page) -> None:
    station.goto("/desk")
    expect(station.locator("#board")).not_to_contain_text("MEM-T16")
    walked(laptops(), up_to="released", stock=False)
    expect(station.locator("#board")).to_contain_text("MEM-T16", timeout=15_000)
