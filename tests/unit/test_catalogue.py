"""The catalogue we sell from: five machines, the accessories, the suppliers and their pictures.

The rules come from manuals of real machines; `source` names the row of the rule table each was transferred from.
"""

from __future__ import annotations

import datetime as dt
import pathlib
import re
import tomllib
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from configurator.checking import check
from configurator.engine import answer, compile_model
from configurator.language import conditions, read_model
from configurator.language.lowering import followed
from configurator.language.specification import EVERYONE, Group, Model, Option, PartSpec, Text
from configurator.language.truth import broken_rules, total_of
from fulfillment.kernel import clock
from fulfillment.kernel.money import Money, total

ROOT = pathlib.Path(__file__).parents[2]
CATALOGUE = ROOT / "configurator" / "catalogue"
PICTURES = ROOT / "storefront" / "static" / "pictures"

DEFAULT_PRICES = {
    "skein-14": (Money(90_000), Money(280_000)),
    "skein-16": (Money(90_000), Money(280_000)),
    "hearth-t": (Money(70_000), Money(350_000)),
    "anvil-w": (Money(200_000), Money(1_500_000)),
    "rookery-r2": (Money(300_000), Money(6_000_000)),
}
DEFAULT_WEIGHTS_KG = {"skein-14": (1, 2), "skein-16": (1, 3), "hearth-t": (8, 16), "anvil-w": (15, 30), "rookery-r2": (15, 35)}
PIECES_OF_WORK = ("OSL-", "WTY-", "SVC-", "RMC-")
"""What is sold without being taken from a shelf: licences, warranties, services, switched-on functions."""
FOREIGN_MARKS = re.compile(
    r"\b(intel|amd|nvidia|windows|microsoft|dell|lenovo|fujitsu|linux|xeon|ryzen|epyc|geforce|radeon|rtx|thunderbolt|"
    r"optiplex|poweredge|thinksystem|prosupport|samsung|seagate|corsair|asus)\b",
    re.IGNORECASE,
)
CHINESE = re.compile(r"[\u4e00-\u9fff]")

each_model = pytest.mark.parametrize("model_id", sorted(DEFAULT_PRICES))


@cache
def model_of(model_id: str) -> Model:
    return read_model(CATALOGUE / f"{model_id}.toml")


@cache
def tables_of(file: str) -> Mapping[str, list[dict[str, Any]]]:
    return tomllib.loads((CATALOGUE / file).read_text(encoding="utf-8"))


def asked(model: Model) -> list[Group]:
    """The groups a customer is asked for."""
    return [group for group in model.groups if not group.hidden]


def options_of(model: Model) -> Iterator[tuple[str, Option]]:
    for group in asked(model):
        for option in group.options:
            yield group.id, option


def parts_of(model: Model) -> Iterator[PartSpec]:
    yield model.base
    for _, option in options_of(model):
        yield from option.parts


def default_options(model: Model) -> list[Option]:
    return [model.by_id[group].by_id[option] for group, chosen in model.defaults.items() for option in chosen]


def texts_of(model: Model) -> Iterator[Text]:
    """What customers read of a model, but its name and its technical data."""
    yield from (model.tagline, model.summary)
    for group in model.groups:
        yield from (text for text in (group.name, group.help, group.section) if text)
    for _, option in options_of(model):
        yield from (text for text in (option.name, option.detail) if text)
        yield from (part.name for part in option.parts)
    yield from (rule.reason for rule in model.rules)
    yield from (text for start in model.starts for text in (start.name, start.detail) if text)


@dataclass(frozen=True)
class Listed:
    """A part as a file of the catalogue describes it."""

    en: str
    zh: str
    cost: Money
    weight_g: int
    supplier: str
    lead_days: int
    serialised: bool


def listed(part: PartSpec) -> Listed:
    return Listed(part.name["en"], part.name["zh"], part.cost, part.weight_g, part.supplier, part.lead_days, part.serialised)


def listed_item(item: Mapping[str, Any]) -> Listed:
    cost = Money.parse(item["cost"])
    return Listed(item["name"]["en"], item["name"]["zh"], cost, item["weight_g"], item["supplier"], item["lead_days"], item["serialised"])


def test_catalogue_holds_the_five_machines_two_families_and_two_lists() -> None:
    found = {file.stem for file in CATALOGUE.glob("*.toml")}

    assert found == {*DEFAULT_PRICES, "accessories", "suppliers", "family-care", "family-owner"}
    assert {model_id: model_of(model_id).id for model_id in DEFAULT_PRICES} == {model_id: model_id for model_id in DEFAULT_PRICES}


@each_model
def test_model_has_twelve_to_thirty_groups(model_id: str) -> None:
    assert 12 <= len(asked(model_of(model_id))) <= 30


@each_model
def test_default_machine_can_be_built_and_is_what_the_page_opens_with(model_id: str) -> None:
    model = model_of(model_id)

    assert broken_rules(model, model.defaults) == []
    opening = answer(compile_model(model), {})
    assert opening.valid
    assert dict(opening.configuration) == dict(model.defaults)


@each_model
def test_no_option_is_dead(model_id: str) -> None:
    opening = answer(compile_model(model_of(model_id)), {})

    assert [(group.group, option.option) for group in opening.groups.values() for option in group.options if not option.possible] == []


@each_model
def test_the_checker_finds_nothing_wrong_and_nothing_doubtful(model_id: str) -> None:
    """Among others: every rule excludes machines that nothing else excludes."""
    with clock.frozen(dt.datetime(2026, 12, 1, 12, tzinfo=dt.UTC)):
        report = check(CATALOGUE / f"{model_id}.toml")

    assert list(report.lines())[3:] == []
    assert report.machines is not None
    assert report.machines > 10**9


def test_forty_rows_of_the_rule_table_are_in_force() -> None:
    sources = {rule.source for model_id in DEFAULT_PRICES for rule in model_of(model_id).rules}

    assert all(re.fullmatch(r"ours|[LDWSO]\d{1,2}", source) for source in sources)
    rows = sources - {"ours"}
    assert len(rows) == 66
    assert {row[0] for row in rows} == set("LDWSO")


@each_model
@settings(max_examples=8, deadline=None)
@given(data=st.data())
def test_clicking_what_is_offered_always_ends_in_a_machine(model_id: str, data: st.DataObject) -> None:
    model = model_of(model_id)
    compiled = compile_model(model)
    chosen: dict[str, str] = {}
    for group in data.draw(st.permutations([group for group in asked(model) if group.kind == "one"]))[:10]:
        offered = [option.option for option in answer(compiled, chosen).groups[group.id].options if option.possible]
        chosen[group.id] = data.draw(st.sampled_from(offered))

    ending = answer(compiled, chosen)
    assert ending.valid
    assert broken_rules(model, ending.configuration) == []
    assert {group: ending.configuration[group] for group in chosen} == {group: (option,) for group, option in chosen.items()}


@each_model
def test_default_machine_costs_and_weighs_what_such_machines_do(model_id: str) -> None:
    model = model_of(model_id)
    chosen = default_options(model)
    price = model.base_price + total(option.price for option in chosen)
    weight_g = model.base.weight_g + sum(part.qty * part.weight_g for option in chosen for part in option.parts)

    cheapest, dearest = DEFAULT_PRICES[model_id]
    assert cheapest.minor <= price.minor <= dearest.minor
    lightest, heaviest = DEFAULT_WEIGHTS_KG[model_id]
    assert lightest * 1000 <= weight_g <= heaviest * 1000


@each_model
def test_every_start_can_be_built_as_it_stands_and_better_is_more_powerful(model_id: str) -> None:
    model = model_of(model_id)
    compiled = compile_model(model)
    powers = []
    for start in model.starts:
        answered = answer(compiled, start.choices)
        assert answered.valid, start.id
        assert followed(model, {**model.defaults, **start.choices}) == answered.configuration, start.id
        powers.append(total_of(model, "power", answered.configuration))

    assert [start.id for start in model.starts][:3] == ["good", "better", "best"]
    assert powers[0] < powers[1] < powers[2]


def test_the_catalogue_uses_what_the_language_has() -> None:
    models = [model_of(model_id) for model_id in DEFAULT_PRICES]
    groups = [group for model in models for group in model.groups]
    options = [option for group in groups for option in group.options]

    assert {group.id for group in groups if group.when is not None and not group.hidden} == {"plan", "mount", "licences"}
    assert {group.id for group in groups if group.by_id.get("2")} == {"spares", "fans", "cables"}
    assert {group.id for group in groups if group.hidden and group.by_id["on"].price.minor < 0} == {
        "care-bundle", "creator-bundle", "studio-bundle", "pair-bundle", "fleet-bundle",
    }
    assert {group.id for group in groups if group.hidden and group.by_id["on"].not_before_days} == {"engraving", "leak-test", "appointment"}
    tables = {rule.id for model in models for rule in model.rules if isinstance(rule.require, conditions.Listed)}
    assert tables == {"graphics-alike", "gpu-riser"}
    assert {option.id for option in options if option.visibility != EVERYONE} == {"red", "edu"}


@each_model
def test_parts_cost_three_to_four_fifths_of_their_price_and_services_half(model_id: str) -> None:
    model = model_of(model_id)

    for group, option in options_of(model):
        cost = sum(part.qty * part.cost.minor for part in option.parts)
        assert cost * 10 <= option.price.minor * 8, (group, option.id)
        assert cost * 2 >= option.price.minor, (group, option.id)
    assert model.base_price.minor * 6 <= model.base.cost.minor * 10 <= model.base_price.minor * 8


@each_model
def test_every_part_has_a_weight_and_a_supplier_and_no_service_has(model_id: str) -> None:
    suppliers = {supplier["code"] for supplier in tables_of("suppliers.toml")["supplier"]}

    for part in parts_of(model_of(model_id)):
        if part.sku.startswith(PIECES_OF_WORK):
            assert (part.kind, part.weight_g, part.supplier, part.serialised) == ("service", 0, "", False), part.sku
        else:
            assert (part.kind, part.weight_g > 0, part.supplier in suppliers) == ("hardware", True, True), part.sku
            assert part.lead_days >= 1, part.sku


def test_one_sku_is_one_part_in_every_file() -> None:
    known: dict[str, set[Listed]] = {}
    for model_id in DEFAULT_PRICES:
        for part in parts_of(model_of(model_id)):
            known.setdefault(part.sku, set()).add(listed(part))
    for item in tables_of("accessories.toml")["item"]:
        known.setdefault(item["sku"], set()).add(listed_item(item))

    assert {sku: parts for sku, parts in known.items() if len(parts) > 1} == {}
    assert [sku for sku in known if not re.fullmatch(r"[A-Z]{3}-[A-Z0-9]{1,5}", sku)] == []


def test_one_part_has_one_price_everywhere() -> None:
    prices: dict[str, set[Money]] = {}
    for model_id in DEFAULT_PRICES:
        for _, option in options_of(model_of(model_id)):
            if len(option.parts) == 1:
                (part,) = option.parts
                (each, *others) = option.price.split([1] * part.qty)
                assert set(others) <= {each}
                prices.setdefault(part.sku, set()).add(each)
    for item in tables_of("accessories.toml")["item"]:
        prices.setdefault(item["sku"], set()).add(Money.parse(item["price"]))

    assert {sku: found for sku, found in prices.items() if len(found) > 1} == {}


@each_model
def test_everything_is_said_in_english_and_in_chinese(model_id: str) -> None:
    for text in texts_of(model_of(model_id)):
        if text != model_of(model_id).name:
            assert CHINESE.search(text["zh"]), text
        assert not CHINESE.search(text["en"]), text


def test_accessories_are_complete_in_both_languages() -> None:
    tables = tables_of("accessories.toml")
    suppliers = {supplier["code"] for supplier in tables_of("suppliers.toml")["supplier"]}
    categories = {category["id"]: category for category in tables["category"]}

    assert len(tables["item"]) >= 14
    assert {item["category"] for item in tables["item"]} == set(categories)
    for item in tables["item"]:
        assert item["supplier"] in suppliers
        assert item["facts"]
        assert Money.parse(item["cost"]).minor * 10 <= Money.parse(item["price"]).minor * 8
        for text in (item["name"], item["detail"], *(fact["label"] for fact in item["facts"])):
            assert CHINESE.search(text["zh"]), text
            assert not CHINESE.search(text["en"]), text


def test_suppliers_are_invented_and_can_only_be_written_to_at_example_domains() -> None:
    suppliers = tables_of("suppliers.toml")["supplier"]

    assert len(suppliers) == len({supplier["code"] for supplier in suppliers}) == 8
    for supplier in suppliers:
        assert re.fullmatch(r"S-[A-Z]+", supplier["code"])
        assert re.fullmatch(r"[a-z]+@[a-z-]+\.example", supplier["email"])
        assert re.fullmatch(r"[A-Z]{2}", supplier["country"])
        assert supplier["lead_days"] >= 1


def test_no_other_company_is_named() -> None:
    for file in CATALOGUE.glob("*.toml"):
        assert FOREIGN_MARKS.findall(file.read_text(encoding="utf-8")) == [], file.name


def test_every_picture_is_a_small_drawing_without_text() -> None:
    tables = tables_of("accessories.toml")
    wanted = {model_of(model_id).picture for model_id in DEFAULT_PRICES}
    wanted |= {row["picture"] for row in (*tables["item"], *tables["category"])}

    assert wanted == {file.name for file in PICTURES.glob("*.svg")}
    for name in sorted(wanted):
        content = (PICTURES / name).read_bytes()
        drawing = ET.fromstring(content)
        assert len(content) < 8192, name
        assert drawing.get("viewBox") == "0 0 800 560", name
        tags = {element.tag.rpartition("}")[2] for element in drawing.iter()}
        assert tags.isdisjoint({"text", "image", "script", "style", "foreignObject", "a"}), name
