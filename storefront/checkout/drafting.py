"""From a cart and what was entered to the draft of an order. Prices come from quotes and parts only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fulfillment.customers.address import Address
from fulfillment.kernel.refusals import Refusal
from fulfillment.orders.draft import DraftLine, OrderDraft
from fulfillment.orders.models import LineKind, OrderStatus, SalesOrder
from fulfillment.orders.readiness import ready_dates
from storefront.cart.service import QuoteExpired, ShownLine, show


class EmptyCart(Refusal):
    """There is nothing to order."""


def draft_order(session: Session, cart_id: UUID | None, details: Mapping[str, Any], *, account_id: UUID | None, locale: str) -> OrderDraft:
    """What would be ordered now. Raises EmptyCart, QuoteExpired."""
    cart = show(session, cart_id)
    if not cart.lines:
        raise EmptyCart("Your cart is empty. Put something into it first.")
    if cart.expired:
        raise QuoteExpired("A quote in your cart has expired. Remove it and configure the machine again for today's price.")
    lines = lines_of(session, cart.lines)
    address = Address.from_json(details["ship_to"])
    draft = OrderDraft(
        booking_key="",
        email=details["email"],
        phone=address.phone,
        locale=locale,
        ship_to=address,
        bill_to=Address.from_json(details["bill_to"]),
        lines=lines,
        delivery=details["delivery"],
        account_id=account_id,
    )
    return replace(draft, booking_key=_booking_key(session, f"cart:{cart_id}:{draft.fingerprint()[:24]}"))


def _booking_key(session: Session, key: str) -> str:
    """The same cart with the same content is the same order, until that was cancelled."""
    asked, again = key, 1
    while session.scalar(sa.select(SalesOrder.status).filter_by(booking_key=asked)) is OrderStatus.CANCELLED:
        asked, again = f"{key}:{again}", again + 1
    return asked


def lines_of(session: Session, lines: Sequence[ShownLine]) -> list[DraftLine]:
    """The lines of an order: machines at the price of their quote, items at today's, all of them ready as of today."""
    dates = ready_dates(session, [line.wanted for line in lines])
    return [
        _machine(line, ready) if line.machine is not None else _item(line, ready) for line, ready in zip(lines, dates, strict=True)
    ]


def _machine(line: ShownLine, ready: date) -> DraftLine:
    machine, quote = line.machine, line.quote
    assert machine is not None
    assert quote is not None
    return DraftLine(
        kind=LineKind.SYSTEM,
        sku_or_model=machine.model_id,
        description=machine.name,
        quantity=line.quantity,
        unit_price=machine.unit_price,
        ready_on=ready,
        configuration=machine.options,
        bom=machine.bom,
        picture=machine.picture,
        quote_number=quote.number,
        weight_g=machine.weight_g,
    )


def _item(line: ShownLine, ready: date) -> DraftLine:
    part = line.part
    assert part is not None
    return DraftLine(
        kind=LineKind.ITEM,
        sku_or_model=part.sku,
        description=part.name,
        quantity=line.quantity,
        unit_price=line.unit_price,
        ready_on=ready,
        picture=part.picture,
        weight_g=part.weight_g,
    )
