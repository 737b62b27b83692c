"""Taking an order into the book: every figure is worked out here, from unit prices and rules alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from fulfillment.kernel.clock import now, today
from fulfillment.kernel.events import publish
from fulfillment.kernel.ids import new_id
from fulfillment.kernel.money import Money, total
from fulfillment.kernel.numbering import next_number
from fulfillment.kernel.refusals import Conflict
from fulfillment.orders.delivery import delivery_option, promise
from fulfillment.orders.draft import MOST_MONEY, BadOrder, DraftLine, OrderDraft, check, digits
from fulfillment.orders.events import OrderBooked
from fulfillment.orders.models import OrderLine, OrderStatus, SalesOrder
from fulfillment.orders.tax import sales_tax
from fulfillment.orders.timeline import note


@dataclass(frozen=True, slots=True)
class Figures:
    """What an order comes to."""

    line_taxes: tuple[Money, ...]
    net: Money
    shipping: Money
    shipping_tax: Money
    tax: Money
    total: Money


def figures_of(draft: OrderDraft) -> Figures:
    """What the draft would come to if it were booked today: the summary before the customer pays."""
    nets = [line.net for line in draft.lines]
    shipping = delivery_option(draft.delivery).price
    *line_taxes, shipping_tax = sales_tax(draft.ship_to.state, nets, shipping, today())
    net, tax = total(nets), total([*line_taxes, shipping_tax])
    return Figures(tuple(line_taxes), net, shipping, shipping_tax, tax, net + shipping + tax)


def promised_on(draft: OrderDraft) -> date:
    """The day it should be at the customer's, if it were booked today."""
    return promise((line.ready_on for line in draft.lines), delivery_option(draft.delivery), today())


def book_order(session: Session, draft: OrderDraft) -> SalesOrder:
    """Take the order into the book, where it waits for its payment; its lines are loaded.

    The same booking key gives the same order again, whoever comes first. Raises BadOrder,
    NoSuchDelivery, NoSuchState, and Conflict when the key was used for another order.
    """
    check(draft)
    known = _booked_before(session, draft)
    if known is not None:
        return known
    figures = figures_of(draft)
    if figures.total > MOST_MONEY:
        raise BadOrder("This is more than a card can pay at once. Please write to us for an offer.")
    try:
        with session.begin_nested():  # gives the number back when another booking of the same key was faster
            order = _write(session, draft, figures)
    except IntegrityError:
        known = _booked_before(session, draft)
        if known is None:
            raise
        return known
    note(session, order, "received")
    publish(session, OrderBooked(order.number))
    return order


def _booked_before(session: Session, draft: OrderDraft) -> SalesOrder | None:
    statement = sa.select(SalesOrder).filter_by(booking_key=draft.booking_key).options(sa.orm.selectinload(SalesOrder.lines))
    known = session.scalars(statement).first()
    if known is not None and known.fingerprint != draft.fingerprint():
        raise Conflict("This order was sent before with another content. Please go back to your cart and order again.")
    return known


def _write(session: Session, draft: OrderDraft, figures: Figures) -> SalesOrder:
    moment = now()
    promised = promised_on(draft)
    order = SalesOrder(
        id=new_id(), number=next_number(session, "SO"), booking_key=draft.booking_key, fingerprint=draft.fingerprint(),
        status=OrderStatus.BOOKED, status_since=moment, channel=draft.channel, account_id=draft.account_id,
        email=draft.email.strip().lower(), phone=draft.phone.strip(), phone_digits=digits(draft.phone), locale=draft.locale,
        ship_to=draft.ship_to.to_json(), bill_to=draft.bill_to.to_json(), delivery=draft.delivery, currency=figures.total.currency,
        net_minor=figures.net.minor, shipping_minor=figures.shipping.minor, shipping_tax_minor=figures.shipping_tax.minor,
        tax_minor=figures.tax.minor, total_minor=figures.total.minor, first_promised_on=promised, promised_on=promised, booked_at=moment,
    )
    order.lines = [_line(position, line, tax) for position, (line, tax) in enumerate(zip(draft.lines, figures.line_taxes, strict=True), 1)]
    session.add(order)
    session.flush()
    return order


def _line(position: int, line: DraftLine, tax: Money) -> OrderLine:
    return OrderLine(
        position=position, kind=line.kind, sku_or_model=line.sku_or_model, description=dict(line.description), picture=line.picture,
        configuration=[dict(choice) for choice in line.configuration], bom=[dict(entry) for entry in line.bom],
        quote_number=line.quote_number, weight_g=line.weight_g, quantity=line.quantity, unit_price_minor=line.unit_price.minor,
        net_minor=line.net.minor, tax_minor=tax.minor, currency=line.unit_price.currency, ready_on=line.ready_on,
    )
