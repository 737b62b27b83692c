"""What the language says is what a visitor sees: groups asked only where they make sense, bundles, options for some."""

from __future__ import annotations

import datetime as dt

import pytest
from flask.testing import FlaskClient

from configurator.prices.terms import Terms
from configurator.service import ask, issue_quote
from fulfillment.kernel.clock import today
from fulfillment.kernel.db import reading, transaction
from fulfillment.kernel.money import Money

pytestmark = [pytest.mark.stocked, pytest.mark.usefixtures("db")]


def test_a_mount_is_asked_for_only_beside_a_monitor(client: FlaskClient) -> None:
    without = client.get("/configure/hearth-t").text
    assert "Monitor arm with desk clamp" not in without
    beside = client.get("/configure/hearth-t?monitor=m27").text
    assert "Monitor arm with desk clamp" in beside
    for page in (without, beside):
        assert "Not asked here" not in page


def test_fans_are_counted_and_the_small_case_takes_one() -> None:
    with reading() as session:
        small = ask(session, "hearth-t", {"case": "compact", "cooler": "low", "graphics": "none"})[1]
    assert [each.option for each in small.groups["fans"].options if each.possible] == ["0", "1"]


def test_a_bundle_takes_off_its_amount_and_stands_on_the_quote() -> None:
    chosen = {"monitor": "m32", "graphics": "d12"}
    with transaction() as session:
        together = issue_quote(session, "hearth-t", chosen)
        alone = [issue_quote(session, "hearth-t", {group: option}).total for group, option in chosen.items()]
        plain = issue_quote(session, "hearth-t", {}).total
        said = {line["option"]["en"]: line["price_minor"] for line in together.lines[0].options}
    assert said["Studio: large monitor and strong graphics together"] == -6_000
    assert together.total == alone[0] + alone[1] - plain - Money(6_000)


def test_an_engraved_machine_leaves_no_earlier_than_a_week_from_now() -> None:
    with reading() as session:
        engraved = ask(session, "skein-14", {"label": "engraved"})[1]
    assert engraved.ready is not None
    assert engraved.ready >= today() + dt.timedelta(days=7)


@pytest.mark.parametrize(("terms", "seen"), [(Terms(), False), (Terms(customer_group="education"), True)])
def test_the_education_system_is_for_those_who_teach(terms: Terms, seen: bool) -> None:
    with reading() as session:
        options = ask(session, "skein-14", {}, terms=terms)[1].groups["os"].options
    assert [option.possible for option in options if option.option == "edu"] == [seen]
