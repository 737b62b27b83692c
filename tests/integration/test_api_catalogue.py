"""What programs read of the catalogue: models, items, what can be chosen; exact answers on the real one."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from flask.testing import FlaskClient

from configurator.prices.terms import SHOPPER, hidden_options
from configurator.releasing import released
from fulfillment.inventory.service import receive
from fulfillment.kernel.clock import frozen, today
from fulfillment.kernel.db import transaction
from fulfillment.kernel.i18n import COOKIE
from tests.builders.programs import Program, faults
from tests.conftest import Queries

pytestmark = pytest.mark.stocked

MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
MODELS = ["skein-14", "skein-16", "hearth-t", "anvil-w", "rookery-r2"]


@pytest.fixture
def program(client: FlaskClient) -> Program:
    return Program(client)


@pytest.fixture
def reader(client: FlaskClient) -> Program:
    return Program(client, "zh-CN,zh;q=0.9,en;q=0.5")


def usd(minor: int) -> dict[str, Any]:
    return {"minor": minor, "currency": "USD", "text": f"{'-' if minor < 0 else ''}${abs(minor) // 100:,}.{abs(minor) % 100:02}"}


def test_models_come_in_pages_each_once_in_the_order_of_the_catalogue(program: Program) -> None:
    seen, cursor = [], ""
    while True:
        answer = program.get(f"/models?limit=2&cursor={cursor}").json
        assert answer is not None
        assert len(answer["models"]) <= 2
        seen += [model["id"] for model in answer["models"]]
        if answer["next"] is None:
            break
        cursor = answer["next"]
    assert seen == MODELS
    assert [model["id"] for model in (program.get("/models").json or {})["models"]] == MODELS


def test_a_model_as_it_stands_has_a_price_a_date_and_a_version(program: Program) -> None:
    with frozen(MONDAY):
        [first, *_] = (program.get("/models?limit=1").json or {})["models"]
    assert first == {
        "id": "skein-14", "version": 1, "family": "laptop", "name": "Skein 14",
        "tagline": "Light enough to forget, complete enough to rely on", "price": usd(151_000), "ready_on": "2026-12-04",
        "links": {
            "self": "http://localhost/api/v1/models/skein-14", "configure": "http://localhost/api/v1/models/skein-14/configure",
            "page": "http://localhost/configure/skein-14",
        },
    }


def test_a_model_tells_all_its_groups_and_options_and_no_costs(program: Program) -> None:
    answer = program.get("/models/skein-14")
    told, model = answer.json or {}, released("skein-14").model
    asked, hidden = [group for group in model.groups if not group.hidden], hidden_options(model, SHOPPER.on(today()))
    assert [group["id"] for group in told["groups"]] == [group.id for group in asked]
    assert [[option["id"] for option in group["options"]] for group in told["groups"]] == [
        [option.id for option in group.options if (group.id, option.id) not in hidden] for group in asked
    ]
    assert (told["base_price"], told["facts"][0]) == (usd(32_900), {"label": "Display", "value": "14.0 in, up to 2880 × 1800, 16:10"})
    processor = told["groups"][0]
    assert {name: value for name, value in processor.items() if name != "options"} == {
        "id": "cpu", "name": "Processor", "help": "Sets the pace of the machine, and which kind of memory fits.", "section": "Performance",
        "kind": "one", "default": ["v8"],
    }
    assert processor["options"][1] == {
        "id": "v8", "name": "8-core processor, up to 4.7 GHz, 15 W", "detail": "Quiet and frugal: office work, the web, video calls.",
        "price": usd(27_900), "pieces": 1,
    }
    assert "cost" not in answer.text
    assert "S-SILICON" not in answer.text


def test_the_language_is_the_header_s_and_never_the_cookie_s(client: FlaskClient, reader: Program) -> None:
    answer = reader.get("/models/skein-14")
    assert (answer.json or {})["name"] == "云雀 Skein 14"
    assert (answer.headers["Content-Language"], "Accept-Language" in answer.headers["Vary"]) == ("zh", True)
    client.set_cookie(COOKIE, "zh")
    answer = Program(client, "de").get("/models/skein-14")
    assert ((answer.json or {})["name"], answer.headers["Content-Language"]) == ("Skein 14", "en")


def test_an_unchanged_page_is_not_sent_again(program: Program) -> None:
    first = program.get("/models/skein-14")
    again = program.client.get("/api/v1/models/skein-14", headers={"If-None-Match": first.headers["ETag"], "Accept-Language": "en"})
    assert (again.status_code, again.data) == (304, b"")
    other = program.client.get("/api/v1/models/skein-14", headers={"If-None-Match": first.headers["ETag"], "Accept-Language": "zh"})
    assert other.status_code == 200


def test_a_query_is_checked_value_by_value(program: Program) -> None:
    assert faults(program.get("/models?limit=0")) == {"limit": "The least is 1."}
    assert faults(program.get("/models?limit=101")) == {"limit": "The most is 100."}
    for limit in ("1.5", "1e1", "-1", "", "true", "٣", "99999999999999999999"):
        assert faults(program.get(f"/models?limit={limit}")) == {"limit": "Please give a whole number."}, limit
    assert faults(program.get("/models?limit=1&limit=2")) == {"limit": "This was given twice."}
    assert faults(program.get("/models?page=2")) == {"page": "There is no such field."}
    for cursor in ("skein-14", "bm90aGluZw", "%00", "ä"):
        assert faults(program.get(f"/models?cursor={cursor}")) == {
            "cursor": "This cursor leads nowhere. Please begin with the first page again.",
        }


def test_items_come_with_prices_dates_and_data(program: Program) -> None:
    with frozen(MONDAY):
        with transaction() as session:
            receive(session, "MON-24", 1, "test")
        items = (program.get("/items?limit=100").json or {})["items"]
    [monitor] = [item for item in items if item["sku"] == "MON-24"]
    assert (monitor["price"], monitor["category"], monitor["ready_on"]) == (usd(18_900), "monitor", "2026-11-23")
    assert monitor["page"] == "http://localhost/accessories/MON-24"
    assert len(items) == len({item["sku"] for item in items}) > 10
    assert not {"BSE-SK14", "CPU-M8"} & {item["sku"] for item in items}


def option(told: dict[str, Any], group: str, name: str) -> dict[str, Any]:
    [found] = [each for part in told["groups"] if part["id"] == group for each in part["options"] if each["id"] == name]
    return dict(found)


def test_configuring_says_of_every_option_what_it_would_mean(program: Program) -> None:
    with frozen(MONDAY):
        told = program.post("/models/skein-14/configure", {"choices": {"cpu": "u10", "memory": ["d32"]}}).json or {}
    assert (told["valid"], told["given_up"], told["conflict"], told["version"]) == (True, [], None, 1)
    assert (told["price"], told["ready_on"]) == (usd(163_900), "2026-12-04")
    assert told["configuration"]["cpu"] == ["u10"]
    assert told["configuration"]["memory"] == ["d32"]
    assert [(group["id"], group["own"]) for group in told["groups"]][:3] == [("cpu", True), ("memory", True), ("graphics", False)]
    assert option(told, "cpu", "v8") == {
        "id": "v8", "chosen": False, "possible": False, "difference": None, "price": None, "removal": None, "changes": [],
        "ready_on": None, "earliest_on": None,
        "reason": {
            "choices": [{"group": "memory", "option": "d32"}], "rules": ["The 15 W processors work with 16 or 32 GB of soldered memory."],
            "limit": False, "leaves_by": False,
        },
        "give_up": [{"group": "memory", "option": "d32"}],
    }
    cheaper = option(told, "memory", "d16")
    assert (cheaper["possible"], cheaper["difference"], cheaper["price"], cheaper["reason"]) == (True, usd(-6_900), usd(157_000), None)
    assert told["links"]["page"] == "http://localhost/configure/skein-14?cpu=u10&memory=d32"
    assert program.client.get(told["links"]["page"]).status_code == 200


def test_reasons_come_in_the_reader_s_language(reader: Program) -> None:
    told = reader.post("/models/skein-14/configure", {"choices": {"cpu": "u10", "memory": "d32"}}).json or {}
    rule = next(rule for rule in released("skein-14").model.rules if rule.reason["en"].startswith("The 15 W processors work"))
    assert option(told, "cpu", "v8")["reason"]["rules"] == [rule.reason["zh"]]


def test_choices_that_do_not_go_together_are_answered_with_the_nearest_machine(program: Program) -> None:
    told = program.post("/models/skein-14/configure", {"choices": {"cpu": "u10", "memory": "s32"}}).json or {}
    assert told["valid"] is False
    assert told["given_up"] == [{"group": "cpu", "option": "u10"}]
    assert told["conflict"] == {
        "choices": [{"group": "cpu", "option": "u10"}, {"group": "memory", "option": "s32"}],
        "rules": ["The 10-core processor's board carries 16 GB and one slot for up to 32 GB: 48 GB at most."],
        "limit": False, "leaves_by": False,
    }
    assert told["configuration"]["memory"] == ["s32"]


def test_a_limit_and_a_day_prune_and_the_rest_is_chosen_for_a_goal(program: Program) -> None:
    with frozen(MONDAY):
        told = program.post("/models/skein-14/configure", {"limit_minor": 150_000, "finish": "cheapest"}).json or {}
        assert (told["valid"], told["machines"]) == (True, None)
        assert told["price"]["minor"] <= 150_000
        assert told["choices"]
        dear = [each for group in told["groups"] for each in group["options"] if each["price"] and each["price"]["minor"] > 150_000]
        assert dear == []
        free = program.post("/models/skein-14/configure", {}).json or {}
        assert int(free["machines"]) > 10_000
        late = program.post("/models/skein-14/configure", {"leaves_by": "2026-02-30"})
        assert faults(late) == {"#/leaves_by": "“2026-02-30” is no day. Please write year, month and day, such as 2027-03-31."}
        none = program.post("/models/skein-14/configure", {"limit_minor": 100, "finish": "cheapest"})
        assert list(faults(none)) == ["#/finish"]


def test_an_exclusion_is_explained_with_the_least_to_change(program: Program) -> None:
    wanted = {"group": "memory", "option": "d16"}
    told = program.post("/models/skein-14/explain", {"choices": {"cpu": "v6"}, "wanted": wanted}).json or {}
    assert (told["possible"], told["reason"]["choices"]) == (False, [{"group": "cpu", "option": "v6"}])
    assert told["repair"]["give_up"] == [{"group": "cpu", "option": "v6"}]
    assert told["repair"]["price"] == usd(157_000)
    assert told["repair"]["difference"] == usd(15_000)
    limit = (program.post("/models/skein-14/configure", {"finish": "cheapest"}).json or {})["price"]["minor"] + 1_000
    pruned = program.post("/models/skein-14/configure", {"limit_minor": limit}).json or {}
    group, dear = next(
        (group["id"], each["id"]) for group in pruned["groups"] for each in group["options"] if each["reason"] and each["reason"]["limit"]
    )
    told = program.post("/models/skein-14/explain", {"limit_minor": limit, "wanted": {"group": group, "option": dear}}).json or {}
    assert told["reason"]["limit"] is True
    assert told["repair"]["give_up"] == [{"group": "limit", "option": ""}]
    free = program.post("/models/skein-14/explain", {"wanted": {"group": "cpu", "option": "h12"}}).json or {}
    assert (free["possible"], free["reason"]) == (True, None)
    assert program.post("/models/skein-14/explain", {"wanted": {"group": "cpu", "option": "c99"}}).status_code == 422


def test_a_shared_configuration_is_told_as_of_today(program: Program) -> None:
    shared = program.post("/models/skein-14/share", {"choices": {"cpu": "v6"}}).json or {}
    told = program.get(f"/configurations/{shared['token']}").json or {}
    assert told == shared
    assert (told["choices"], told["renewed"], told["price"]) == ({"cpu": ["v6"]}, False, told["shared_price"])
    assert program.get("/configurations/nothing").status_code == 404


def test_nothing_chosen_is_the_machine_as_it_stands(program: Program) -> None:
    answer = program.client.post("/api/v1/models/skein-14/configure")
    assert answer.status_code == 200
    assert (answer.json or {})["price"] == usd(151_000)
    assert program.post("/models/skein-14/configure", {}).json == answer.json


def test_choices_the_model_does_not_have_are_named_one_by_one(program: Program) -> None:
    choices = {"cpu": "warp", "memory": ["d16", "d32"], "wings": "two", "later": ["x", "x"], "lid": []}
    answer = program.post("/models/skein-14/configure", {"choices": choices})
    assert answer.status_code == 422
    assert faults(answer) == {
        "#/choices/cpu": "This group has no option “warp”.",
        "#/choices/memory": "Please choose exactly one option.",
        "#/choices/wings": "The Skein 14 has no such group.",
        "#/choices/later": "This was given twice.",
        "#/choices/lid": "Please choose exactly one option.",
    }


def test_an_unknown_model_is_not_found_whatever_is_sent(program: Program) -> None:
    for path in ("/models/skein-15", "/models/%00", "/models/skein-14%20", "/models/..%2f"):
        assert program.get(path).status_code == 404, path
    assert program.post("/models/skein-15/configure").status_code == 404


def test_the_pages_of_programs_keep_the_budget(program: Program, queries: Queries) -> None:
    for path in ("/models?limit=100", "/models/skein-14", "/items?limit=100"):
        program.get(path)
        with queries as statements:
            assert program.get(path).status_code == 200
        assert len(statements) <= 4, (path, statements)
    with queries as statements:
        program.post("/models/skein-14/configure", {"choices": {"cpu": "u10"}})
    assert len(statements) <= 5, statements
