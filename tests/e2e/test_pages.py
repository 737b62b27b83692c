"""Every page: nobody is shut out, nothing is blocked by the policy, and it fits the smallest phone."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.e2e.conftest import Visit
from tests.e2e.places import PLACES, Known, Place

LOOKS = (
    (("en", "light", 1280), ("zh", "dark", 390)),
    (("en", "dark", 390), ("zh", "light", 1280)),
)
"""Language, theme and width, in pairs that cover each of them; pages take them by turns."""

CASES = [(place, look) for number, place in enumerate(PLACES) for look in LOOKS[number % 2]]


@pytest.mark.parametrize(("place", "look"), CASES, ids=lambda value: str(value) if isinstance(value, Place) else "-".join(map(str, value)))
def test_nobody_is_shut_out(visit: Visit, known: Known, place: Place, look: tuple[str, str, int]) -> None:
    language, theme, width = look
    shopper = visit(language=language, theme=theme, width=width, bypass_csp=True, cookie=known.cookies.get(place.who, ""))
    shopper.may_fail.add(place.status)
    page = shopper.go(known.address(place))
    assert page.locator("html").get_attribute("lang") == {"en": "en", "zh": "zh-Hans"}[language]
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("who", sorted({place.who for place in PLACES}))
def test_pages_fit_a_small_phone_and_break_no_policy(visit: Visit, known: Known, who: str) -> None:
    shopper = visit(width=360, height=640, cookie=known.cookies.get(who, ""))
    wide = []
    for place in (place for place in PLACES if place.who == who):
        shopper.may_fail = {place.status}
        page = shopper.go(known.address(place))
        assert shopper.path == known.address(place).split("?")[0]
        wider = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        if wider > 0:
            wide.append((str(place), wider))
    assert wide == []
