"""Parts on the shelf and their suppliers, by the real services, so that the books agree."""

from __future__ import annotations

from sqlalchemy.orm import Session

from fulfillment.inventory.costing import open_stock
from fulfillment.kernel.ids import new_id
from fulfillment.kernel.money import Money
from fulfillment.parts.data import PartData, SupplierData
from fulfillment.parts.models import Part, Supplier
from fulfillment.parts.service import upsert_part, upsert_supplier

COST = Money(21_000)


def make_supplier(session: Session, code: str = "S-SILICON", *, lead_days: int = 3) -> Supplier:
    return upsert_supplier(session, SupplierData(code, {"en": f"Supplier {code}", "zh": f"供应商 {code}"}, lead_days))


def make_part(
    session: Session, sku: str = "CPU-16", *, cost: Money = COST, on_hand: int = 0, supplier: str = "S-SILICON", lead_days: int = 3,
    kind: str = "hardware", price: Money | None = None, serialised: bool = False, weight_g: int = 100,
) -> Part:
    """A part; with a `price` it is sold by itself."""
    make_supplier(session, supplier)
    data = PartData(
        sku, {"en": f"Part {sku}", "zh": f"部件 {sku}"}, kind, cost, supplier, lead_days, weight_g=weight_g, serialised=serialised,
        sellable=price is not None, list_price=price,
    )
    part = upsert_part(session, data)
    if on_hand:
        open_stock(session, {sku: on_hand}, f"opening-{new_id()}")
    return part
