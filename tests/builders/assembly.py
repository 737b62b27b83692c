"""Machines to be made: a laptop's parts in the part master, on the shelf, and the labels on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fulfillment.assembly import service as floor
from fulfillment.assembly.labels import Label
from fulfillment.assembly.models import AsBuiltPart, OrderRelease, ReleaseStatus, UnitStatus, WorkOrder
from fulfillment.inventory.models import MoveReason
from fulfillment.inventory.service import receive_all
from fulfillment.kernel.clock import add_working_days, today
from fulfillment.kernel.ids import secret_token
from fulfillment.kernel.money import Money, total
from fulfillment.ledger import postings
from fulfillment.ledger.accounts import Account
from fulfillment.ledger.service import post
from fulfillment.orders.draft import DraftLine, OrderDraft
from fulfillment.orders.models import LineKind
from fulfillment.parts.data import PartData, SupplierData
from fulfillment.parts.service import upsert_parts, upsert_suppliers
from tests.builders.people import make_address

KITTER, BUILDER, TESTER, BOXER, DISPATCHER = "Kofi", "Ines", "Mats", "June", "Tom"

PARTS = (
    PartData("BSE-T14", {"en": "Laptop base", "zh": "机身"}, "hardware", Money(22_450), "S-CHASSIS", 5, 580, serialised=True),
    PartData("CPU-T8", {"en": "8-core processor", "zh": "8 核处理器"}, "hardware", Money(21_200), "S-SILICON", 4, 8, serialised=True),
    PartData("MEM-T16", {"en": "16 GB memory", "zh": "16 GB 内存"}, "hardware", Money(4_950), "S-SILICON", 3, 9, serialised=True),
    PartData("SSD-T1", {"en": "1 TB drive", "zh": "1 TB 硬盘"}, "hardware", Money(6_105), "S-SILICON", 3, 7, serialised=True),
    PartData("FAN-T4", {"en": "Fan", "zh": "风扇"}, "hardware", Money(333), "S-CHASSIS", 2, 12),
    PartData("ADP-T65", {"en": "65 W adapter", "zh": "65 W 适配器"}, "hardware", Money(1_875), "S-CHASSIS", 4, 210, serialised=True),
    PartData("OSL-TP", {"en": "LarkOS Pro", "zh": "LarkOS 专业版"}, "service", Money(9_300), "S-SILICON", 0),
    PartData(
        "BAG-T14", {"en": "Wool sleeve", "zh": "羊毛内胆包"}, "hardware", Money(1_450), "S-CHASSIS", 2, 300, sellable=True,
        list_price=Money(3_900), category="bag",
    ),
    PartData(
        "MON-T27", {"en": "27 in monitor", "zh": "27 英寸显示器"}, "hardware", Money(18_000), "S-CHASSIS", 2, 6_500, sellable=True,
        list_price=Money(32_900), category="monitor", serialised=True,
    ),
)
COST = {part.sku: part.cost for part in PARTS}
BOM: Mapping[str, int] = {"BSE-T14": 1, "CPU-T8": 1, "MEM-T16": 2, "SSD-T1": 1, "FAN-T4": 3, "ADP-T65": 1, "OSL-TP": 1}
STOCKED = {sku: count for sku, count in BOM.items() if sku != "OSL-TP"}
UNIT_COST = total(COST[sku] * count for sku, count in STOCKED.items())
"""Standard cost of one laptop."""
LAPTOP_PRICE = Money(129_900)
BAG_PRICE = Money(3_900)


def make_parts(session: Session) -> None:
    """Suppliers and parts in the part master; nothing on the shelf."""
    upsert_suppliers(session, [SupplierData(code, {"en": code, "zh": code}, 5) for code in ("S-CHASSIS", "S-SILICON")])
    upsert_parts(session, PARTS)


def put_on_shelf(session: Session, pieces: Mapping[str, int]) -> None:
    """Opening stock, in the books as well."""
    key = secret_token()
    moves = receive_all(session, pieces, {sku: f"{key}:{sku}" for sku in pieces}, reason=MoveReason.OPENING)
    post(session, postings.opening(key, {Account.PARTS: total(move.cost for move in moves.values())}))


def laptops(count: int = 1, *, bom: Mapping[str, int] = BOM) -> DraftLine:
    """A line of so many laptops."""
    names = {part.sku: dict(part.name) for part in PARTS}
    entries = [{"sku": sku, "name": names[sku], "qty": qty, "group": sku[:3].lower()} for sku, qty in bom.items()]
    name = {"en": "Skein 14", "zh": "云雀 Skein 14"}
    return DraftLine(LineKind.SYSTEM, "skein-14", name, count, LAPTOP_PRICE, add_working_days(today(), 10), bom=entries, weight_g=1_000)


def bags(count: int = 1, *, sku: str = "BAG-T14") -> DraftLine:
    """A line of so many plain items."""
    part = next(part for part in PARTS if part.sku == sku)
    assert part.list_price is not None
    return DraftLine(LineKind.ITEM, sku, part.name, count, part.list_price, add_working_days(today(), 4), weight_g=part.weight_g)


def make_draft(*lines: DraftLine, delivery: str = "standard", locale: str = "en") -> OrderDraft:
    """What Ada orders: a laptop, unless told otherwise. Oregon takes no sales tax."""
    address = make_address(city="Portland", state="OR", postcode="97209")
    return OrderDraft(secret_token(), "ada@example.com", address, address, lines or (laptops(),), delivery=delivery, locale=locale)


def kit_labels(unit: WorkOrder, *, series: str = "") -> list[str]:
    """The labels on this machine's parts, as a kitter scans them."""
    scans = []
    for need in floor.kit_needs(unit):
        if need.serialised:
            scans += [str(Label(need.sku, f"{series or unit.tag}{piece}", "L1")) for piece in range(1, need.quantity + 1)]
        else:
            scans.append(str(Label(need.sku, count=need.quantity)))
    return scans


def serial_labels(parts: Sequence[AsBuiltPart]) -> list[str]:
    """The labels on parts with a serial number."""
    return [str(Label(part.sku, part.serial)) for part in parts if part.serial]


def kit(session: Session, tag: str, *, key: str = "", scans: Sequence[str] | None = None) -> WorkOrder:
    unit = floor.find_unit(session, tag)
    return floor.kit(session, tag, scans=kit_labels(unit) if scans is None else scans, operator=KITTER, key=key or f"kit:{tag}")


def build(session: Session, tag: str, *, key: str = "") -> WorkOrder:
    unit = floor.find_unit(session, tag)
    serials = serial_labels(floor.to_fit(floor.parts_of(session, unit)))
    steps = [step.code for step in floor.steps_of(unit)]
    return floor.build(session, tag, serials=serials, steps=steps, operator=BUILDER, key=key or f"build:{tag}")


def pass_test(session: Session, tag: str, *, key: str = "") -> WorkOrder:
    recipe = floor.recipe_of(session, floor.find_unit(session, tag))
    results = [floor.Outcome(step.code, passed=True, measured="ok") for step in recipe]
    return floor.record_test(session, tag, results=results, operator=TESTER, key=key or secret_token())


def fail_test(session: Session, tag: str, step: str = "memory", *, key: str = "") -> WorkOrder:
    result = floor.Outcome(step, passed=False, failure="ERRORS", measured="3 errors at 0x7f00")
    return floor.record_test(session, tag, results=[result], operator=TESTER, key=key or secret_token())


def box(session: Session, tag: str, *, key: str = "") -> WorkOrder:
    parts = floor.to_pack(floor.parts_of(session, floor.find_unit(session, tag)))
    accessories = [str(Label(part.sku, part.serial, None, part.quantity)) for part in parts]
    return floor.box(session, tag, accessories=accessories, operator=BOXER, key=key or f"box:{tag}")


def unit_of(session: Session, order_number: str, nth: int = 1) -> WorkOrder:
    return floor.units_of(session, order_number)[nth - 1]


def release_of(session: Session, order_number: str) -> ReleaseStatus:
    """Where the order as a whole stands in the factory."""
    session.flush()
    return session.scalars(sa.select(OrderRelease.status).filter_by(order_number=order_number)).one()


def stations(session: Session, order_number: str) -> list[UnitStatus]:
    """Where the machines of an order stand."""
    session.flush()
    statement = sa.select(WorkOrder.status).filter_by(order_number=order_number).order_by(WorkOrder.position, WorkOrder.unit)
    return list(session.scalars(statement))
