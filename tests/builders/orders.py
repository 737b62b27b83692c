"""Orders as customers place them, walked to a state by their real steps."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from fulfillment.customers.address import Address
from fulfillment.kernel.clock import today
from fulfillment.kernel.ids import new_id
from fulfillment.kernel.money import Money
from fulfillment.orders.draft import DraftLine, OrderDraft
from fulfillment.orders.models import LineKind, SalesOrder
from fulfillment.orders.service import book_order, mark_delivered, mark_shipped, record_payment, start_production
from tests.builders.people import make_address

STEPS = ("booked", "paid", "in_production", "shipped", "delivered")
BOM: Sequence[dict[str, Any]] = ({"sku": "CPU-16", "name": {"en": "Processor", "zh": "处理器"}, "qty": 1, "group": "processor"},)
PRICE = Money(128_400)
ITEM_PRICE = Money(2_900)


def system_line(
    quantity: int = 1, *, price: Money = PRICE, bom: Sequence[dict[str, Any]] = BOM, model: str = "hearth-t", ready_on: date | None = None,
) -> DraftLine:
    name = {"en": "Hearth T", "zh": "Hearth T 台式机"}
    choices = ({"group": {"en": "Processor", "zh": "处理器"}, "option": {"en": "16 cores", "zh": "16 核"}},)
    return DraftLine(
        LineKind.SYSTEM, model, name, quantity, price, ready_on or today(), configuration=choices, bom=bom, quote_number="Q-2026-000001",
    )


def item_line(sku: str = "MSE-1", quantity: int = 1, *, price: Money = ITEM_PRICE, ready_on: date | None = None) -> DraftLine:
    return DraftLine(LineKind.ITEM, sku, {"en": f"Item {sku}", "zh": f"商品 {sku}"}, quantity, price, ready_on or today())


def make_draft(
    *lines: DraftLine, key: str = "", email: str = "ada@example.com", phone: str = "+1 (512) 555-0101", delivery: str = "standard",
    ship_to: Address | None = None, bill_to: Address | None = None, locale: str = "en", account_id: UUID | None = None,
) -> OrderDraft:
    """An order of one tower to Austin, Texas, when nothing else is said."""
    ship_to = ship_to or make_address()
    return OrderDraft(
        booking_key=key or str(new_id()), email=email, ship_to=ship_to, bill_to=bill_to or ship_to, lines=lines or (system_line(),),
        delivery=delivery, phone=phone, locale=locale, account_id=account_id,
    )


def make_order(session: Session, *lines: DraftLine, up_to: str = "booked", **draft: Any) -> SalesOrder:
    """An order in the book, walked `up_to` one of STEPS by order acts alone: nothing is built or billed."""
    order = book_order(session, make_draft(*lines, **draft))
    reached = STEPS.index(up_to)
    if reached >= 1:
        record_payment(session, order.number, order.total)
    for act in (start_production, mark_shipped, mark_delivered)[: max(0, reached - 1)]:
        act(session, order.number)
    session.flush()
    return order
