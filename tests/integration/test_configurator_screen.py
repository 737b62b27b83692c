"""What the configurator's screen shows: long groups in pages, numbers as numbers, nothing that is not asked; and what it costs."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient

from configurator.engine import answer, compile_model
from configurator.language.specification import Model
from configurator.page import State, View
from configurator.screen import PAGE, GroupRow, Teller
from fulfillment.kernel.clock import frozen
from tests.builders.machines import make_group, make_model, make_option, make_rule
from tests.conftest import Queries

LONG = make_group("drive", *(make_option(f"d{number}", number * 100, sku=f"D{number}") for number in range(70)))
PIECES = (make_option(f"f{number}", number * 500, sku="FAN", qty=number) for number in range(1, 7))
COUNTED = replace(make_group("fan", make_option("f0"), *PIECES), counted=True)
ASKED = make_group("rail", make_option("short"), replace(make_option("absent"), absent=True))
FOLLOWS = replace(make_group("bundle", make_option("off"), make_option("on", -1_000)), hidden=True)
MODEL = make_model(
    [make_group("case", make_option("tower"), make_option("rack", 2_000)), LONG, COUNTED, ASKED, FOLLOWS],
    [
        make_rule("rails-in-racks", "rail is short", when="case is rack"),
        make_rule("no-rails", "rail is absent", when="case is tower"),
        make_rule("cool", "fan is f0 or f1 or f2", when="case is tower"),
        make_rule("small", "not drive is d0", when="case is rack"),
    ],
)


def shown(app: Flask, own: dict[str, tuple[str, ...]], view: View | None = None, model: Model = MODEL) -> dict[str, GroupRow]:
    """The groups of the screen."""
    with app.test_request_context():
        told = answer(compile_model(model), own)
        sections = Teller(model, told, lambda day: day).sections(State(own), view or View())
    return {group.id: group for section in sections for group in section.groups}


class TestALongGroup:
    def test_is_shown_a_page_at_a_time_with_what_is_chosen_on_top(self, app: Flask) -> None:
        group = shown(app, {"drive": ("d50",)})["drive"]
        assert [row.id for row in group.rows][:3] == ["d50", "d0", "d1"]
        assert (len(group.rows), group.left, group.total) == (1 + PAGE, 69 - PAGE, 70)
        more = shown(app, {"drive": ("d50",)}, View(more={"drive": 3}))["drive"]
        assert (len(more.rows), more.left) == (70, 0)

    def test_shows_what_cannot_be_had_last(self, app: Flask) -> None:
        group = shown(app, {"case": ("rack",)}, View(more={"drive": 3}))["drive"]
        assert [row.id for row in group.rows if not row.possible] == ["d0"]
        assert group.rows[-1].id == "d0"

    def test_is_searched(self, app: Flask) -> None:
        group = shown(app, {"drive": ("d5",)}, View(find={"drive": "D6"}))["drive"]
        assert [row.id for row in group.rows] == ["d5", "d6", *(f"d6{digit}" for digit in range(10))]


def test_a_number_is_asked_as_a_number(app: Flask) -> None:
    groups = shown(app, {"case": ("tower",)})
    assert (groups["fan"].number, groups["case"].number, groups["drive"].number) == (True, False, False)
    assert groups["fan"].first_out is not None
    assert groups["fan"].first_out.id == "f3"


def test_what_is_not_asked_or_follows_by_itself_is_not_shown(app: Flask) -> None:
    assert list(shown(app, {"case": ("tower",)})) == ["case", "drive", "fan"]
    racked = shown(app, {"case": ("rack",)})
    assert list(racked) == ["case", "drive", "fan", "rail"]
    assert [row.id for row in racked["rail"].rows] == ["short"]


@pytest.mark.stocked
class TestThePage:
    def test_keeps_the_budget_of_queries(self, client: FlaskClient) -> None:
        for query in ("rookery-r2?chassis=f12", "skein-14?limit=1500", "skein-14?cpu=v6&want=memory:d16"):
            address = f"/configure/{query}"
            client.get(address)
            with Queries() as statements:
                assert client.get(address).status_code == 200
            assert len(statements) <= 12, address

    def test_tells_a_click_and_what_changed_with_it(self, client: FlaskClient) -> None:
        sent = {"own": "", "was.cpu": "v8", "cpu": "h12", "was.memory": "s16", "memory": "s16", "release": "1"}
        answer = client.get("/configure/skein-14", query_string=sent, headers={"HX-Request": "true"})
        assert answer.headers["HX-Push-Url"] == "/configure/skein-14?cpu=h12&undo=cpu"
        assert "This changed with it: Memory" in answer.text
        assert "<html" not in answer.text

    def test_of_an_older_release_says_so_and_keeps_what_it_can(self, client: FlaskClient) -> None:
        sent = {"own": "lid", "was.lid": "gold", "lid": "gold", "was.cpu": "v8", "cpu": "v6", "release": "0"}
        moved = client.get("/configure/skein-14", query_string=sent)
        assert moved.headers["Location"].startswith("/configure/skein-14?cpu=v6")
        page = client.get(moved.headers["Location"]).text
        assert "was renewed while you were choosing" in page
        assert "Please choose again: Lid." in page

    @pytest.mark.parametrize(
        "query",
        [
            "cpu=none", "cpu=v6&cpu=v8", "limit=much", "limit=-1", "by=Friday", "by=2020-01-01", "own=&was.cpu=v8&cpu=none",
            "undo=limit:x&own=&do=undo",
        ],
    )
    def test_that_makes_no_sense_is_refused_with_a_way_on(self, client: FlaskClient, query: str) -> None:
        answer = client.get(f"/configure/skein-14?memory=s32&{query}")
        assert answer.status_code == 422
        assert "Nothing was changed." in answer.text
        assert "Start over with the Skein 14" in answer.text
        assert 'href="/configure/skein-14?memory=s32' in answer.text

    def test_offers_fridays_before_the_day_it_would_leave(self, client: FlaskClient) -> None:
        with frozen(datetime(2026, 11, 23, 12, tzinfo=UTC)):
            page = client.get("/configure/rookery-r2").text
            friday = re.search(r'name="until" value="([-\d]+)">by Friday', page)
            if friday:
                pruned = client.get(f"/configure/rookery-r2?by={friday.group(1)}").text
                assert "leaves us by" in pruned
            over = client.get("/configure/rookery-r2?limit=100")
            assert over.status_code == 200
            assert "Raise the budget to" in over.text

    @pytest.mark.parametrize(("limit", "words"), [("limit=1300", "at most $1,300"), ("by=9999-12-31&limit=1300", "at most $1,300")])
    def test_names_the_limit_that_has_to_go_for_a_wanted_option(self, client: FlaskClient, limit: str, words: str) -> None:
        page = client.get(f"/configure/skein-14?{limit}&want=memory:p64").text
        (lost,) = re.findall(r'<tr class="given-up">(.*?)</tr>', page)
        assert f'<th scope="row">Your limits</th><td>{words}</td><td>none</td>' in lost

    def test_a_start_is_taken_and_undone(self, client: FlaskClient) -> None:
        moved = client.get("/configure/anvil-w", query_string={"own": "", "start": "good"}).headers["Location"]
        assert moved.startswith("/configure/anvil-w?memory=r64&undo=memory")
        sent = {"own": "memory", "was.memory": "r64", "memory": "r64", "undo": "memory", "do": "undo"}
        back = client.get("/configure/anvil-w", query_string=sent)
        assert back.headers["Location"] == "/configure/anvil-w?redo=memory:r64"
