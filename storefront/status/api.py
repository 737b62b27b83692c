"""An order for programs: where it stands, and cancelling it; for whoever proves that it is theirs."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from fulfillment.assembly.models import WorkOrder
from fulfillment.assembly.service import express_code, spoken, units_of
from fulfillment.kernel.db import reading, transaction
from fulfillment.kernel.i18n import pick
from fulfillment.kernel.messages import Amount
from fulfillment.kernel.openapi import Api, Parameter, absolute
from fulfillment.orders.finding import find_order, find_own_order
from fulfillment.orders.models import SalesOrder
from fulfillment.orders.service import cancel_order
from fulfillment.shipping.carriers import CARRIERS
from fulfillment.shipping.dispatching import find_shipment
from fulfillment.shipping.models import Shipment
from fulfillment.shipping.service import boxes_of, tracking_of
from storefront.status import messages as told
from storefront.status.access import count_tries_of_number
from storefront.status.messages import NUMBER
from storefront.status.progress import progress

api = Api("status_api", __name__, tag="Orders")
bp = api.bp

PROOF = Parameter(
    "Order-Proof", "header",
    "What only the customer knows of an order: its e-mail address or telephone number; to look at it, its ZIP code will do.",
    "ada@example.com", secret=True,
)


@api.operation(
    "GET", "/orders/{number}", answer=told.OrderAnswer, parameters=(NUMBER, PROOF), guesses="order-proof", counted=(count_tries_of_number,),
)
def show_order(number: str, order_proof: str) -> told.OrderAnswer:
    """An order as it is being made.

    A wrong number and a wrong proof get the same answer.
    """
    with reading() as session:
        return _order(session, find_order(session, number, order_proof))


@api.operation(
    "POST", "/orders/{number}/cancel", answer=told.OrderAnswer, body=told.CancelRequest, parameters=(NUMBER, PROOF), problems=(403, 409),
    guesses="order-proof", counted=(count_tries_of_number,),
)
def cancel(number: str, order_proof: str, body: told.CancelRequest) -> told.OrderAnswer:
    """Cancel an order while nothing of it is built; what was paid goes back to the card.

    A second time changes nothing. A ZIP code is no proof for this: it takes the e-mail address or telephone number.
    """
    with transaction() as session:
        found = find_own_order(session, number, order_proof)
        cancel_order(session, found.number, reason=body.reason, by="customer")
    with reading() as session:
        return _order(session, find_order(session, number, order_proof))


def figures(order: SalesOrder) -> dict[str, Any]:
    """An order and what it comes to; its lines must be loaded."""
    return {
        "number": order.number, "status": order.status, "booked_at": order.booked_at, "promised_on": order.promised_on,
        "lines": [told.OrderLineAnswer.of(line) for line in order.lines], "net": Amount.of(order.net),
        "shipping": Amount.of(order.shipping), "tax": Amount.of(order.tax), "total": Amount.of(order.total),
        "links": told.OrderLinks(
            self=absolute("status_api.show_order", number=order.number), page=absolute("status.find", number=order.number),
        ),
    }


def _order(session: Session, order: SalesOrder) -> told.OrderAnswer:
    units = units_of(session, order.number)
    shipment = find_shipment(session, order.number)
    events = [event for event in order.events if event.public]
    return told.OrderAnswer(
        **figures(order),
        paid_at=order.paid_at,
        cancellable=order.cancellable,
        steps=[
            told.StepAnswer.model_validate({"code": step.code, "state": step.state, "at": step.at})
            for step in progress(order.status, [unit.status for unit in units], events)
        ],
        units=[_unit(unit) for unit in units],
        shipments=[] if shipment is None or shipment.dispatched_at is None else [_shipment(session, shipment)],
        timeline=[told.EventAnswer(kind=event.kind, at=event.at, tag=event.tag) for event in events],
    )


def _unit(unit: WorkOrder) -> told.UnitAnswer:
    return told.UnitAnswer(
        tag=unit.tag, express_service_code=spoken(express_code(unit.tag)), model=unit.model, name=pick(unit.name), line=unit.position,
        status=unit.status, since=unit.status_since,
    )


def _shipment(session: Session, shipment: Shipment) -> told.ShipmentAnswer:
    assert shipment.dispatched_at is not None
    return told.ShipmentAnswer(
        number=shipment.number, status=shipment.status, carrier=pick(CARRIERS[shipment.carrier].name), tracking=shipment.tracking,
        boxes=len(boxes_of(session, shipment)), dispatched_at=shipment.dispatched_at, delivered_at=shipment.delivered_at,
        events=[
            told.TrackingAnswer(at=event.at, status=event.status, place=event.place) for event in tracking_of(session, shipment)
        ],
    )
