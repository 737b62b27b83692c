"""Pull: nothing is ordered until an order needs it, and then at once, one order per supplier.

What somebody no longer waits for is taken before more is ordered. Suppliers promise the longest lead
time among the parts called from them; who does not keep it is put in front of a person.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from fulfillment.inventory import incoming
from fulfillment.kernel.alerts import raise_alert, resolve
from fulfillment.kernel.clock import add_working_days, now, today
from fulfillment.kernel.db import lock
from fulfillment.kernel.ids import new_id
from fulfillment.kernel.numbering import next_number
from fulfillment.kernel.refusals import NotFound, Refusal, WrongStatus
from fulfillment.parts.models import Part
from fulfillment.parts.service import parts_by_sku
from fulfillment.purchasing.invoicing import approve_invoice, record_supplier_invoice, reject_invoice
from fulfillment.purchasing.models import OPEN, PurchaseLine, PurchaseOrder, PurchaseStatus
from fulfillment.purchasing.receiving import receive_parts

OVERDUE = "purchase_overdue"
"""The alert of a purchase order that did not come on its day."""


class NotBought(Refusal):
    """A service or a licence is not called from a supplier."""


def pull(session: Session, shortages: Mapping[str, int], source: str) -> list[PurchaseOrder]:
    """Call what is short: first from what is on its way for nobody, then from the suppliers, one order for each.

    The orders go out at once. Each call orders, so the caller calls once per need (a job's exactly
    once, a scan's key). Raises NotFound for an unknown part, NotBought.
    """
    wanted = Counter({sku: quantity for sku, quantity in shortages.items() if quantity > 0})
    parts = parts_by_sku(session, wanted)
    if unknown := sorted(set(wanted) - set(parts)):
        raise NotFound("We know no part with the number “{sku}”.", sku=unknown[0])
    if services := [sku for sku in sorted(wanted) if not parts[sku].stocked]:
        raise NotBought("{sku} is nothing a supplier delivers.", sku=services[0])
    for taken in incoming.commit_free(session, wanted).values():
        wanted.subtract(taken)
    by_supplier: dict[str, dict[str, int]] = defaultdict(dict)
    for sku, quantity in sorted(wanted.items()):
        if quantity > 0:
            by_supplier[parts[sku].supplier_code][sku] = quantity
    return [_order(session, supplier, pieces, parts, source) for supplier, pieces in sorted(by_supplier.items())]


def _order(session: Session, supplier: str, pieces: Mapping[str, int], parts: Mapping[str, Part], source: str) -> PurchaseOrder:
    """Draft an order for one supplier, and send it."""
    due_on = add_working_days(today(), max(parts[sku].lead_days for sku in pieces))
    order = PurchaseOrder(
        id=new_id(), number=next_number(session, "PO"), supplier_code=supplier, status=PurchaseStatus.DRAFT, source=source,
        currency=parts[next(iter(pieces))].currency, due_on=due_on,
    )
    order.lines = [
        PurchaseLine(
            position=position, sku=sku, quantity=quantity, received=0, invoiced=0, accrued_minor=0,
            unit_cost_minor=parts[sku].standard_cost_minor, currency=parts[sku].currency,
        )
        for position, (sku, quantity) in enumerate(sorted(pieces.items()), 1)
    ]
    order.move_to(PurchaseStatus.ORDERED)
    order.ordered_at = now()
    session.add(order)
    session.flush()
    incoming.expect(session, order.number, pieces, due_on)
    return order


def cover(session: Session, missing: Mapping[str, int], source: str) -> list[PurchaseOrder]:
    """Call what is missing in all and not on its way for somebody: the safety net for parts that went to somebody else.

    `missing` is what all who wait still miss, beyond what is free on the shelf.
    """
    coming = incoming.waited_for(session, missing)
    short = {sku: quantity - coming[sku] for sku, quantity in missing.items() if quantity > coming[sku]}
    return pull(session, short, source) if short else []


def drop_pull(session: Session, pieces: Mapping[str, int]) -> None:
    """Somebody who waited for these pieces waits no more; they still come, and the next who is short gets them."""
    incoming.uncommit(session, {sku: quantity for sku, quantity in pieces.items() if quantity > 0})


def get_purchase_order(session: Session, number: str, *, for_update: bool = False) -> PurchaseOrder:
    """The purchase order with its lines. Raises NotFound."""
    statement = sa.select(PurchaseOrder).filter_by(number=number)
    if for_update:
        statement = lock(statement).execution_options(populate_existing=True)
    order = session.scalars(statement.options(selectinload(PurchaseOrder.lines))).first()
    if order is None:
        raise NotFound("There is no purchase order {number}.", number=number)
    return order


def purchase_orders(
    session: Session, *, status: PurchaseStatus | None = None, supplier: str | None = None, source: str | None = None, limit: int = 50,
) -> list[PurchaseOrder]:
    """Purchase orders with their lines, newest first."""
    statement = sa.select(PurchaseOrder).order_by(PurchaseOrder.number.desc()).limit(limit).options(selectinload(PurchaseOrder.lines))
    for column, value in ((PurchaseOrder.status, status), (PurchaseOrder.supplier_code, supplier), (PurchaseOrder.source, source)):
        if value is not None:
            statement = statement.where(column == value)
    return list(session.scalars(statement))


def put_off(session: Session, number: str, due_on: date) -> PurchaseOrder:
    """The supplier named another day: whoever promises dates from now on knows. Raises NotFound, WrongStatus."""
    order = get_purchase_order(session, number, for_update=True)
    _still_open(order)
    order.due_on = due_on
    incoming.put_off(session, number, due_on)
    if due_on >= today():
        resolve(session, OVERDUE, key=number, by="the supplier")
    return order


def cancel_purchase_order(session: Session, number: str, by: str) -> PurchaseOrder:
    """Nothing more will come of it (the caller covers who waited). What came already stays. Raises NotFound, WrongStatus."""
    order = get_purchase_order(session, number, for_update=True)
    order.move_to(PurchaseStatus.CANCELLED)
    incoming.never_mind(session, number)
    resolve(session, OVERDUE, key=number, by=by)
    return order


def _still_open(order: PurchaseOrder) -> None:
    if order.status not in OPEN:
        raise WrongStatus(
            "Purchase order {number} is {status}: nothing of it is still to come.", number=order.number, status=order.status,
        )


def watch_overdue(session: Session) -> int:
    """Put every purchase order whose day is over in front of a person, once; returns how many there are.

    They are locked, so none comes or is cancelled in between: nobody would close its alert any more.
    """
    statement = sa.select(PurchaseOrder).where(PurchaseOrder.status.in_(OPEN), PurchaseOrder.due_on < today())
    late = list(session.scalars(lock(statement.order_by(PurchaseOrder.due_on, PurchaseOrder.number))))
    for order in late:
        told = f"{order.supplier_code} promised it for {order.due_on} and it has not come. It was called for {order.source}."
        raise_alert(session, OVERDUE, key=order.number, subject=order.number, detail=told)
    return len(late)


__all__ = [
    "NotBought", "approve_invoice", "cancel_purchase_order", "cover", "drop_pull", "get_purchase_order", "pull", "purchase_orders",
    "put_off", "receive_parts", "record_supplier_invoice", "reject_invoice", "watch_overdue",
]
