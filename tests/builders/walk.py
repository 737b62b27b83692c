"""`walk_order`: an order brought up to a state by its real steps, with the real services and subscribers.

It works within the session it is given. Jobs that the steps cause are done there as well, so that
events arrive as they would; what talks to the world (mail, card provider) stays in the queue.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from fulfillment.assembly import checks as assembly_checks
from fulfillment.assembly import jobs as assembly_jobs
from fulfillment.assembly import service as floor
from fulfillment.billing import checkout
from fulfillment.billing import checks as billing_checks
from fulfillment.billing import jobs as billing_jobs
from fulfillment.billing.facts import IntentFacts, SessionFacts, TransactionFacts
from fulfillment.billing.settling import settle
from fulfillment.inventory import checks as inventory_checks
from fulfillment.kernel.clock import now
from fulfillment.kernel.jobs import HANDLERS, Job, JobState
from fulfillment.kernel.money import Money
from fulfillment.ledger.checks import CHECKS
from fulfillment.orders import checks as orders_checks
from fulfillment.orders import jobs as orders_jobs
from fulfillment.orders.draft import DraftLine
from fulfillment.orders.models import SalesOrder
from fulfillment.orders.service import book_order, get_order
from fulfillment.purchasing import checks as purchasing_checks
from fulfillment.purchasing.models import OPEN, PurchaseOrder
from fulfillment.purchasing.service import receive_parts
from fulfillment.shipping import checks as shipping_checks
from fulfillment.shipping import jobs as shipping_jobs
from fulfillment.shipping.models import ShipmentStatus
from tests.builders import assembly, shipping

REGISTERED = (
    assembly_jobs, billing_jobs, orders_jobs, shipping_jobs,
    assembly_checks, billing_checks, inventory_checks, orders_checks, purchasing_checks, shipping_checks,
)
"""Imported, so that what they subscribe to reaches them, and what they check is checked."""

UP_TO = ("booked", "paid", "released", "kitted", "built", "tested", "boxed", "shipped", "delivered")


def walk_order(
    session: Session, *lines: DraftLine, up_to: str = "delivered", delivery: str = "standard", locale: str = "en", stock: bool = False,
    account_id: UUID | None = None,
) -> SalesOrder:
    """An order (of one laptop unless `lines` say otherwise) that has come as far as `up_to`.

    `stock` puts the parts on the shelf first, so that nothing has to be called from suppliers.
    "released" leaves machines in pre-production when parts are missing.
    """
    assembly.make_parts(session)
    if stock:
        assembly.put_on_shelf(session, {sku: 10 * count for sku, count in {**assembly.STOCKED, "BAG-T14": 1, "MON-T27": 1}.items()})
    order = book_order(session, replace(assembly.make_draft(*lines, delivery=delivery, locale=locale), account_id=account_id))
    for step in UP_TO[1 : UP_TO.index(up_to) + 1]:
        _STEPS[step](session, order.number)
        work_jobs(session)
    session.flush()
    return get_order(session, order.number)


def work_jobs(session: Session) -> int:
    """Do every job that is due and needs nothing but this session."""
    done = 0
    while True:
        session.flush()
        held = [kind for kind, handler in HANDLERS.items() if handler.held]
        due = sa.select(Job).where(Job.state == JobState.READY, Job.run_at <= now(), Job.kind.in_(held)).order_by(Job.run_at, Job.id)
        job = session.scalars(due.limit(1)).first()
        if job is None:
            return done
        HANDLERS[job.kind].call(session, **job.payload)
        job.state, job.done_at = JobState.DONE, now()
        done += 1


def pay(session: Session, number: str, amount: Money | None = None) -> None:
    """The card was charged; what the provider would tell is settled by billing itself."""
    order = get_order(session, number)
    payment = checkout.intend(session, number, "http://localhost/done", "http://localhost/back")
    gross = amount or order.total
    fee = Money((gross.minor * 29 + 500) // 1000 + 30)
    transaction = TransactionFacts(f"txn_{number}", "charge", gross, fee, gross - fee, now(), f"ch_{number}", f"pi_{number}")
    intent = IntentFacts(f"pi_{number}", "succeeded", gross, f"ch_{number}", "visa 4242", transaction)
    page = SessionFacts(
        f"cs_test_{number}", "complete", order.total, livemode=False, order_number=number, payment_id=str(payment.id),
        url="https://pay.example/1", intent=intent,
    )
    checkout.opened(session, payment.id, page)
    settle(session, payment.id, page)


def suppliers_deliver(session: Session) -> list[str]:
    """Everything that was called comes in; returns the purchase orders."""
    statement = sa.select(PurchaseOrder).where(PurchaseOrder.status.in_(OPEN)).order_by(PurchaseOrder.number)
    orders = list(session.scalars(statement.options(selectinload(PurchaseOrder.lines))))
    for order in orders:
        missing = {line.sku: line.missing for line in order.lines if line.missing}
        receive_parts(session, order.number, missing, f"note:{order.number}:{sum(line.received for line in order.lines)}")
    work_jobs(session)
    return [order.number for order in orders]


def findings(session: Session) -> list[str]:
    """All that the checks of the books, the floor and the dock find wrong within this session."""
    session.flush()
    return [f"{name}: {finding.text}" for name, check in CHECKS.items() for finding in check(session)]


def _released(session: Session, number: str) -> None:
    work_jobs(session)


def _kitted(session: Session, number: str) -> None:
    suppliers_deliver(session)
    _each(assembly.kit)(session, number)


def _each(act: Callable[..., object]) -> Callable[[Session, str], None]:
    """The act on every machine of the order."""

    def do(session: Session, number: str) -> None:
        for unit in floor.units_of(session, number):
            act(session, unit.tag)

    return do


def _shipped(session: Session, number: str) -> None:
    shipping.dispatch(session, number)


def _delivered(session: Session, number: str) -> None:
    shipment = shipping.shipment_of(session, number)
    for status in (ShipmentStatus.IN_TRANSIT, ShipmentStatus.OUT_FOR_DELIVERY, ShipmentStatus.DELIVERED):
        shipping.carrier_says(session, shipment, status)


_STEPS: dict[str, Callable[[Session, str], None]] = {
    "paid": pay, "released": _released, "kitted": _kitted, "built": _each(assembly.build), "tested": _each(assembly.pass_test),
    "boxed": _each(assembly.box), "shipped": _shipped, "delivered": _delivered,
}
