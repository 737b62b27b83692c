"""The whole house as processes on a database of its own, and Chromium to walk its pages with.

One house and one browser serve every test of a pytest process; each test gets a visitor of its
own, a fresh browser context without cookies. What a visitor saw go wrong (console errors, policy
violations, bare or broken answers) is kept, and asserted when the test ends.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from fulfillment.kernel import db as database
from fulfillment.kernel.settings import Settings, use
from storefront.demo.house import House
from storefront.demo.seed import seed_house
from tests.conftest import _copy_database
from tests.e2e.places import PASSWORD, Known, walk_up
from tests.e2e.shopper import Shopper

CHROMIUM = Path("/usr/bin/chromium")
SWITCHES = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-pictures", action="store_true", help="renew the README's picture of the shop")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)
            if not CHROMIUM.exists():
                item.add_marker(pytest.mark.skip(reason=f"there is no Chromium at {CHROMIUM} (apt-get install chromium)"))


@pytest.fixture(scope="session")
def house(_template: tuple[str, str], _stocked: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Web server, workers, shop floor and card simulator, on a seeded database; rate limits are off, other tests try them."""
    folder = tmp_path_factory.mktemp("house")
    maintenance = _template[1]
    if maintenance:
        _copy_database(maintenance, _stocked, "house")
        url = maintenance.replace("/postgres?", "/house?")
    else:
        shutil.copy(_stocked, folder / "shop.db")
        url = f"sqlite:///{folder}/shop.db"
    settings = Settings(database_url=url, var_dir=folder, rate_limits=False)
    use(settings)
    database.connect(url)
    with database.transaction() as session:
        seed_house(session, PASSWORD)
    database.disconnect()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SHOP_RATE_LIMITS", "off")
        opened = House(settings, 0, pace="0.1")
        with opened as running:
            yield running


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """One Chromium for all; closed with the last test of this folder, since other tests start their own."""
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=str(CHROMIUM), args=list(SWITCHES))
        yield running
        running.close()


Visit = Callable[..., Shopper]


@pytest.fixture
def visit(house: House, browser: Browser) -> Iterator[Visit]:
    """`visit(width=390, language="zh", …)` opens a visitor's browser; what went wrong in it fails the test."""
    visitors: list[Shopper] = []

    def come(**wishes: Any) -> Shopper:
        visitors.append(Shopper.come(browser, house, **wishes))
        return visitors[-1]

    yield come
    complaints = [complaint for visitor in visitors for complaint in visitor.leave()]
    assert complaints == []


@pytest.fixture
def shopper(visit: Visit) -> Shopper:
    """A visitor at a desk, with script, in English."""
    return visit()


@pytest.fixture(scope="session")
def known(house: House) -> Known:
    """What the pages' addresses need: orders, a quote, a tag, and the sessions of those who may see them. To be looked at only."""
    return walk_up(house)
