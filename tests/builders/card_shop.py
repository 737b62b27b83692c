"""The fixtures of the payment tests, for modules that say `pytest_plugins = ("tests.builders.card_shop",)`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import fulfillment.billing.jobs  # noqa: F401 - its subscribers and jobs must be known
from fulfillment.kernel.events import SUBSCRIBERS
from fulfillment.kernel.settings import Settings
from tests.builders.billing import CardShop, impatient
from tests.builders.stripe_sim import StripeSimulator


@pytest.fixture(scope="session")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StripeSimulator]:
    """The provider's process; every test begins with an empty account."""
    with StripeSimulator.start(tmp_path_factory.mktemp("provider")) as simulator:
        yield simulator


@pytest.fixture
def shop(provider: StripeSimulator, db: None, chosen_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[CardShop]:
    """A shop on a fresh database whose cards are charged by the provider."""
    impatient(monkeypatch)
    for event, kinds in SUBSCRIBERS.items():  # the money alone: nothing is built in these tests
        monkeypatch.setitem(SUBSCRIBERS, event, [kind for kind in kinds if kind.startswith("billing.")])
    with CardShop.open(provider, chosen_settings) as shop:
        yield shop
