"""The part master: catalogues bring it up to date, costs stay, what is sold has a price."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from fulfillment.kernel.money import Money
from fulfillment.kernel.refusals import NotFound
from fulfillment.parts.data import PartData, SupplierData
from fulfillment.parts.service import (
    find_part,
    parts_by_sku,
    sellable_items,
    suppliers,
    upsert_part,
    upsert_parts,
    upsert_supplier,
    upsert_suppliers,
)
from tests.builders.parts import make_part, make_supplier
from tests.conftest import Queries

NAME = {"en": "Mouse", "zh": "鼠标"}


def test_a_catalogue_read_twice_leaves_one_part_with_the_newest_data_and_its_first_cost(session: Session) -> None:
    make_part(session, "MSE-1", cost=Money(900), price=Money(2_900))
    make_supplier(session, "S-INPUT")
    again = PartData(
        "MSE-1", NAME, "hardware", Money(1_100), "S-INPUT", 5, weight_g=90, sellable=True, list_price=Money(3_100),
        facts=({"label": {"en": "Buttons", "zh": "按键"}, "value": {"en": "3", "zh": "3"}},),
    )
    part = upsert_part(session, again)
    assert (part.name, part.supplier_code, part.lead_days, part.weight_g, part.list_price) == (NAME, "S-INPUT", 5, 90, Money(3_100))
    assert part.facts[0]["label"]["zh"] == "按键"
    assert part.standard_cost == Money(900)  # what lies on the shelf is valued at it
    assert [p.sku for p in sellable_items(session)] == ["MSE-1"]


def test_a_whole_catalogue_takes_one_statement(session: Session, queries: Queries) -> None:
    make_supplier(session)
    parts = [PartData(f"P-{n:03}", NAME, "hardware", Money(n), "S-SILICON", 3) for n in range(300)]
    with queries as statements:
        upsert_parts(session, parts)
    assert len(statements) == 1
    assert len(parts_by_sku(session, [part.sku for part in parts])) == 300


def test_suppliers_are_brought_up_to_date(session: Session) -> None:
    upsert_suppliers(session, [SupplierData("B", NAME, 3), SupplierData("A", NAME, 2, "a@example.com", "TW")])
    assert upsert_supplier(session, SupplierData("B", NAME, 9)).lead_days == 9
    assert [(s.code, s.lead_days, s.country) for s in suppliers(session)] == [("A", 2, "TW"), ("B", 9, "US")]


def test_services_are_not_stocked_and_not_sold_unless_they_say_so(session: Session) -> None:
    make_part(session, "SVC-3Y", kind="service")
    make_part(session, "CPU-16")
    assert not find_part(session, "SVC-3Y").stocked
    assert find_part(session, "CPU-16").stocked
    assert sellable_items(session) == []


def test_an_unknown_part_is_refused(session: Session) -> None:
    with pytest.raises(NotFound, match="“NO-SUCH”"):
        find_part(session, "NO-SUCH")


@pytest.mark.parametrize("wrong", [
    {"sku": ""}, {"sku": " A"}, {"cost": Money(-1)}, {"weight_g": -1}, {"lead_days": -1}, {"sellable": True},
    {"sellable": True, "list_price": Money(0)},
])
def test_figures_that_cannot_be_are_refused(wrong: dict[str, object]) -> None:
    right: dict[str, object] = {"sku": "A", "name": NAME, "kind": "hardware", "cost": Money(1), "supplier": "S", "lead_days": 1}
    with pytest.raises(ValueError, match=r"part number|zero or more|needs a price"):
        PartData(**{**right, **wrong})  # type: ignore[arg-type]
