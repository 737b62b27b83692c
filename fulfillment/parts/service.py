"""Bringing the part master up to a catalogue, and looking parts up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fulfillment.kernel.db import Base, insert
from fulfillment.kernel.refusals import NotFound
from fulfillment.parts.data import PartData, SupplierData
from fulfillment.parts.models import Part, Supplier


def upsert_suppliers(session: Session, suppliers: Iterable[SupplierData]) -> None:
    """Make the suppliers known, or bring the known ones up to date."""
    rows = [
        {"code": s.code, "name": dict(s.name), "lead_days": s.lead_days, "email": s.email, "country": s.country} for s in suppliers
    ]
    _upsert(session, Supplier, "code", sorted(rows, key=lambda row: str(row["code"])))


def upsert_supplier(session: Session, supplier: SupplierData) -> Supplier:
    """Make one supplier known, or bring it up to date."""
    upsert_suppliers(session, [supplier])
    return session.get_one(Supplier, supplier.code, populate_existing=True)


def upsert_parts(session: Session, parts: Iterable[PartData]) -> None:
    """Make the parts known, or bring the known ones up to date, all but their cost.

    A known part keeps its standard cost: what lies on the shelf is valued at it, so it is changed
    by `inventory.costing.revise_costs`, which posts the difference. The suppliers must be known.
    """
    rows = {part.sku: _row(part) for part in parts}
    _upsert(session, Part, "sku", [rows[sku] for sku in sorted(rows)], keep=("standard_cost_minor", "currency"))


def upsert_part(session: Session, part: PartData) -> Part:
    """Make one part known, or bring it up to date, all but its cost."""
    upsert_parts(session, [part])
    return session.get_one(Part, part.sku, populate_existing=True)


def _row(part: PartData) -> dict[str, Any]:
    return {
        "sku": part.sku, "name": dict(part.name), "kind": part.kind, "standard_cost_minor": part.cost.minor,
        "currency": part.cost.currency, "weight_g": part.weight_g, "supplier_code": part.supplier, "lead_days": part.lead_days,
        "serialised": part.serialised, "sellable": part.sellable,
        "list_price_minor": None if part.list_price is None else part.list_price.minor, "category": part.category,
        "picture": part.picture, "detail": None if part.detail is None else dict(part.detail),
        "facts": [dict(fact) for fact in part.facts],
    }


def _upsert(session: Session, table: type[Base], key: str, rows: list[dict[str, Any]], keep: tuple[str, ...] = ()) -> None:
    if not rows:
        return
    statement = insert(session, table).values(rows)
    changed = {name: statement.excluded[name] for name in rows[0] if name != key and name not in keep}
    session.execute(statement.on_conflict_do_update(index_elements=[key], set_=changed))


def find_part(session: Session, sku: str) -> Part:
    """The part of this number. Raises NotFound."""
    part = session.get(Part, sku)
    if part is None:
        raise NotFound("We know no part with the number “{sku}”.", sku=sku)
    return part


def supplier_codes(session: Session) -> set[str]:
    """The codes of everyone who delivers to us."""
    return set(session.scalars(sa.select(Supplier.code)))


def sellable_skus(session: Session) -> set[str]:
    """The numbers of the parts that are also sold by themselves."""
    return set(session.scalars(sa.select(Part.sku).where(Part.sellable)))


def parts_by_sku(session: Session, skus: Iterable[str]) -> Mapping[str, Part]:
    """The parts of these numbers, in one query; unknown numbers are left out."""
    wanted = sa.select(Part).where(Part.sku.in_(sorted(set(skus)))).order_by(Part.sku)
    return {part.sku: part for part in session.scalars(wanted)}


def sellable_items(session: Session, category: str | None = None) -> list[Part]:
    """Everything sold by itself, by category and number."""
    statement = sa.select(Part).where(Part.sellable).order_by(Part.category, Part.sku)
    if category is not None:
        statement = statement.where(Part.category == category)
    return list(session.scalars(statement))


def suppliers(session: Session) -> list[Supplier]:
    """All who deliver to us, by code."""
    return list(session.scalars(sa.select(Supplier).order_by(Supplier.code)))
