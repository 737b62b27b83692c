"""The words for where an order stands and for what happened to it, looked up one at a time.

They are tables, so they stand here: a template would translate the whole table for every word it shows.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext

from fulfillment.assembly.models import UnitStatus
from fulfillment.kernel.i18n import day
from fulfillment.orders.models import OrderEvent, OrderStatus

STATUS: Mapping[OrderStatus, tuple[object, str]] = {
    OrderStatus.BOOKED: (_l("waiting for payment"), "warn"), OrderStatus.PAID: (_l("paid"), "good"),
    OrderStatus.REVIEW: (_l("being looked at"), "warn"), OrderStatus.IN_PRODUCTION: (_l("in production"), "note"),
    OrderStatus.SHIPPED: (_l("shipped"), "note"), OrderStatus.DELIVERED: (_l("delivered"), "good"),
    OrderStatus.CANCELLED: (_l("cancelled"), "bad"),
}
STEP: Mapping[str, object] = {
    "received": lazy_pgettext("order", "Received"), "processing": _l("Processing"), "pre_production": _l("Pre-production"),
    "kitting": _l("Kitting"), "build": _l("Build"), "test": _l("Test"), "boxing": _l("Boxing"), "shipped": _l("Shipped"),
    "delivered": _l("Delivered"),
}
EVENT: Mapping[str, object] = {
    "received": _l("We have received your order."), "payment_received": _l("Your payment has arrived."),
    "on_review": _l("Somebody of ours is looking at your order before we begin."),
    "review_passed": _l("We have looked: your order goes on."),
    "released": _l("Your order is in the workshop. Missing parts were called from their suppliers."),
    "pre_production": _l("Waiting for its parts."), "kitting": _l("Its parts are being laid out and scanned."),
    "build": _l("It is being put together."), "test": _l("It is being tested under load."),
    "rework": _l("A test was not passed; the part is being replaced."), "boxing": _l("All tests passed. It is being boxed."),
    "boxed": _l("It is in its box."), "shipped": _l("It has left us."), "in_transit": _l("On its way."),
    "out_for_delivery": _l("Out for delivery today."), "exception": _l("The carrier reports a hold-up."), "delivered": _l("Delivered."),
    "cancelled": _l("The order is cancelled."), "refund_requested": _l("Your money is on its way back."),
    "refunded": _l("Your money is back on your card."), "date_moved": _l("The date has changed."),
}
STATION: Mapping[UnitStatus, object] = {
    UnitStatus.PRE_PRODUCTION: _l("waiting for parts"), UnitStatus.KITTING: _l("kitting"), UnitStatus.BUILD: _l("being built"),
    UnitStatus.TEST: _l("in test"), UnitStatus.REWORK: _l("part being replaced"), UnitStatus.BOXING: _l("being boxed"),
    UnitStatus.BOXED: _l("ready to ship"), UnitStatus.SHIPPED: _l("shipped"), UnitStatus.CANCELLED: _l("cancelled"),
}


def status_word(status: OrderStatus) -> str:
    """Where an order stands."""
    return str(STATUS[status][0])


def status_tone(status: OrderStatus) -> str:
    """Whether that is good."""
    return STATUS[status][1]


def step_word(code: str) -> str:
    """The name of one of the nine steps."""
    return str(STEP[code])


def event_words(event: OrderEvent) -> str:
    """What happened, with the days or the place where they are known; the bare kind of what has no words."""
    told, detail = str(EVENT.get(event.kind, event.kind)), event.detail
    if event.kind == "date_moved" and {"before", "after"} <= detail.keys():
        before, after = (day(date.fromisoformat(detail[name])) for name in ("before", "after"))
        return str(_("The date has changed from %(before)s to %(after)s.", before=before, after=after))
    return f"{told} {detail['place']}" if detail.get("place") else told


def station_word(status: UnitStatus) -> str:
    """Where a machine stands."""
    return str(STATION[status])


TEMPLATE_GLOBALS = (status_word, status_tone, step_word, event_words, station_word)
