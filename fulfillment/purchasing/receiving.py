"""Parts at the gate: counted against the purchase order, put on the shelf, owed to the supplier."""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from fulfillment.inventory import incoming
from fulfillment.inventory.service import receive_all
from fulfillment.kernel.alerts import resolve
from fulfillment.kernel.clock import now
from fulfillment.kernel.db import lock
from fulfillment.kernel.events import publish
from fulfillment.kernel.money import total
from fulfillment.kernel.numbering import next_number
from fulfillment.kernel.refusals import Conflict, NotFound, Refusal
from fulfillment.ledger import postings
from fulfillment.ledger.service import post
from fulfillment.purchasing.events import PartsReceived
from fulfillment.purchasing.models import OPEN, GoodsReceipt, PurchaseOrder, PurchaseStatus


class WrongDelivery(Refusal):
    """What stands at the gate is not what was ordered; the message says what to send back."""


def receive_parts(session: Session, po_number: str, received: Mapping[str, int], key: str) -> GoodsReceipt:
    """Take parts in: stock, books and event in one act. The same delivery note (`key`) again brings nothing.

    Part of what was ordered may come; more, or something else, is refused whole and in words. Raises NotFound,
    WrongDelivery, Conflict when the key was used for another delivery.
    """
    statement = lock(sa.select(PurchaseOrder).filter_by(number=po_number)).execution_options(populate_existing=True)
    order = session.scalars(statement.options(selectinload(PurchaseOrder.lines))).first()
    if order is None:
        raise NotFound("There is no purchase order {number}.", number=po_number)
    known = session.scalars(sa.select(GoodsReceipt).filter_by(key=key)).first()
    if known is not None:
        return _same(known, po_number, received)
    _count(order, received)
    number = next_number(session, "GR")
    moves = receive_all(session, received, {sku: f"{number}:{sku}" for sku in received})
    for line in order.lines:
        if line.sku in moves:
            line.received += received[line.sku]
            line.accrued_minor += moves[line.sku].cost.minor
    order.move_to(PurchaseStatus.PARTLY_RECEIVED if any(line.missing for line in order.lines) else PurchaseStatus.RECEIVED)
    incoming.arrived(session, po_number, received)
    cost = total((move.cost for move in moves.values()), order.currency)
    receipt = GoodsReceipt(
        number=number, key=key, po_number=po_number, cost_minor=cost.minor, currency=order.currency, at=now(),
        lines=[{"sku": sku, "qty": received[sku], "unit_cost_minor": moves[sku].unit_cost_minor} for sku in sorted(received)],
    )
    session.add(receipt)
    session.flush()
    if order.status is PurchaseStatus.RECEIVED:
        resolve(session, "purchase_overdue", key=po_number, by="the supplier")
    if cost:
        post(session, postings.parts_received(number, cost, order_number=po_number))
    publish(session, PartsReceived(po_number))
    return receipt


def _same(known: GoodsReceipt, po_number: str, received: Mapping[str, int]) -> GoodsReceipt:
    if known.po_number != po_number or {line["sku"]: line["qty"] for line in known.lines} != dict(received):
        raise Conflict("This delivery note was taken in before as {number}, with other parts.", number=known.number)
    return known


def _count(order: PurchaseOrder, received: Mapping[str, int]) -> None:
    if order.status not in OPEN:
        raise WrongDelivery(
            "Purchase order {number} is {status}: nothing of it is still to come. Send it back.", number=order.number,
            status=order.status.value,
        )
    if not received:
        raise WrongDelivery("Scan at least one part.")
    missing = {line.sku: line.missing for line in order.lines}
    for sku, quantity in sorted(received.items()):
        if type(quantity) is not int or quantity <= 0:
            raise WrongDelivery("{quantity} is not a number of pieces of {sku}.", quantity=quantity, sku=sku)
        if sku not in missing:
            raise WrongDelivery("{sku} was not ordered with {number}. Send it back.", sku=sku, number=order.number)
        if quantity > missing[sku]:
            raise WrongDelivery(
                "{quantity} of {sku} came, {missing} are still to come on {number}. Send the rest back.", quantity=quantity, sku=sku,
                missing=missing[sku], number=order.number,
            )
