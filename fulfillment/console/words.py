"""What the desks call things: states, stations, kinds of events, in the reader's language."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from fulfillment.assembly.models import ReleaseStatus, UnitStatus
from fulfillment.assembly.recipe import FAILURES, TESTS
from fulfillment.billing.models import PaymentStatus, RefundReason, RefundStatus
from fulfillment.inventory.models import MoveReason
from fulfillment.kernel.i18n import day, money, number, pick
from fulfillment.kernel.jobs import JobState
from fulfillment.kernel.money import Money
from fulfillment.orders.models import OrderStatus
from fulfillment.purchasing.models import InvoiceStatus, PurchaseStatus
from fulfillment.shipping.carriers import CARRIERS
from fulfillment.shipping.models import ShipmentStatus

STATIONS: Mapping[UnitStatus, Any] = {
    UnitStatus.PRE_PRODUCTION: _l("Waiting for parts"),
    UnitStatus.KITTING: _l("Kitting"),
    UnitStatus.BUILD: _l("Build"),
    UnitStatus.TEST: _l("Test"),
    UnitStatus.REWORK: _l("Rework"),
    UnitStatus.BOXING: _l("Boxing"),
    UnitStatus.BOXED: _l("Boxed"),
    UnitStatus.SHIPPED: _l("Shipped"),
    UnitStatus.CANCELLED: _l("Cancelled"),
}
DESK_OF: Mapping[UnitStatus, tuple[str, str]] = {
    UnitStatus.KITTING: ("console.kitting_unit", "kitting"),
    UnitStatus.BUILD: ("console.build_unit", "build"),
    UnitStatus.TEST: ("console.test_unit", "test"),
    UnitStatus.REWORK: ("console.rework_unit", "test"),
    UnitStatus.BOXING: ("console.boxing_unit", "boxing"),
}
"""The page where a unit of that status is worked on, and the permission for it."""

_STATES: Mapping[Any, tuple[Any, str]] = {
    OrderStatus.BOOKED: (_l("Waiting for payment"), ""),
    OrderStatus.PAID: (_l("Paid"), "note"),
    OrderStatus.REVIEW: (_l("On hold"), "warn"),
    OrderStatus.IN_PRODUCTION: (_l("In production"), "sun"),
    OrderStatus.SHIPPED: (_l("Shipped"), "note"),
    OrderStatus.DELIVERED: (_l("Delivered"), "good"),
    OrderStatus.CANCELLED: (_l("Cancelled"), "bad"),
}
_OTHERS: Mapping[type, Mapping[Any, tuple[Any, str]]] = {
    OrderStatus: _STATES,
    UnitStatus: {status: (name, "") for status, name in STATIONS.items()}
    | {UnitStatus.PRE_PRODUCTION: (STATIONS[UnitStatus.PRE_PRODUCTION], "warn"), UnitStatus.REWORK: (STATIONS[UnitStatus.REWORK], "bad")}
    | {UnitStatus.BOXED: (STATIONS[UnitStatus.BOXED], "good"), UnitStatus.SHIPPED: (STATIONS[UnitStatus.SHIPPED], "good")},
    ReleaseStatus: {
        ReleaseStatus.WAITING: (_l("In the factory"), "sun"),
        ReleaseStatus.READY: (_l("Ready to ship"), "good"),
        ReleaseStatus.DISPATCHED: (_l("Dispatched"), "good"),
        ReleaseStatus.CANCELLED: (_l("Cancelled"), "bad"),
    },
    ShipmentStatus: {
        ShipmentStatus.READY: (_l("At the dock"), "sun"),
        ShipmentStatus.DISPATCHED: (_l("Handed over"), "note"),
        ShipmentStatus.IN_TRANSIT: (_l("On the way"), "note"),
        ShipmentStatus.OUT_FOR_DELIVERY: (_l("Out for delivery"), "note"),
        ShipmentStatus.EXCEPTION: (_l("Held up"), "bad"),
        ShipmentStatus.DELIVERED: (_l("Delivered"), "good"),
        ShipmentStatus.CANCELLED: (_l("Cancelled"), "bad"),
    },
    PaymentStatus: {
        PaymentStatus.REQUESTED: (_l("Requested"), ""),
        PaymentStatus.OPEN: (_l("Page open"), "note"),
        PaymentStatus.PAID: (_l("Paid"), "good"),
        PaymentStatus.EXPIRED: (_l("Expired"), ""),
        PaymentStatus.FAILED: (_l("Failed"), "bad"),
    },
    RefundStatus: {
        RefundStatus.REQUESTED: (_l("Requested"), ""),
        RefundStatus.PENDING: (_l("Under way"), "note"),
        RefundStatus.SUCCEEDED: (_l("Paid back"), "good"),
        RefundStatus.FAILED: (_l("Failed"), "bad"),
    },
    RefundReason: {
        RefundReason.CANCELLED: (_l("Order cancelled"), ""),
        RefundReason.EXCESS: (_l("Paid twice"), ""),
        RefundReason.GOODWILL: (_l("Good will"), ""),
        RefundReason.DASHBOARD: (_l("At the payment provider"), ""),
    },
    PurchaseStatus: {
        PurchaseStatus.DRAFT: (_l("Draft"), ""),
        PurchaseStatus.ORDERED: (_l("Ordered"), "note"),
        PurchaseStatus.PARTLY_RECEIVED: (_l("Partly received"), "sun"),
        PurchaseStatus.RECEIVED: (_l("Received"), "good"),
        PurchaseStatus.CLOSED: (_l("Closed"), "good"),
        PurchaseStatus.CANCELLED: (_l("Cancelled"), "bad"),
    },
    InvoiceStatus: {
        InvoiceStatus.BOOKED: (_l("Booked"), "good"),
        InvoiceStatus.HELD: (_l("On hold"), "warn"),
        InvoiceStatus.REJECTED: (_l("Sent back"), "bad"),
    },
    JobState: {JobState.READY: (_l("Ready"), "note"), JobState.DONE: (_l("Done"), "good"), JobState.PARKED: (_l("Parked"), "bad")},
}

EVENTS: Mapping[str, Any] = {
    "received": _l("Order received"), "payment_received": _l("Payment received"), "on_review": _l("Being looked at"),
    "held": _l("Held"), "review_passed": _l("Looked at and released"), "released_from_review": _l("Released"),
    "released": _l("Released to the factory"), "pre_production": _l("Parts called from suppliers"), "kitting": _l("Parts complete"),
    "production_started": _l("Production started"), "build": _l("Kitted"), "test": _l("Goes to test"), "rework": _l("Failed a test"),
    "boxing": _l("Tests passed"), "boxed": _l("Boxed"), "shipped": _l("Shipped"), "in_transit": _l("On the way"),
    "out_for_delivery": _l("Out for delivery"), "exception": _l("Held up on the way"), "delivered": _l("Delivered"),
    "date_moved": _l("Date moved"), "date_moved_because": _l("Why the date moved"),
    "cancelled": _l("Cancelled"), "cancelled_by": _l("Cancelled by"),
    "refund_requested": _l("Refund requested"), "refunded": _l("Refunded"), "invoiced": _l("Invoiced"),
    "dispute_opened": _l("Payment disputed"), "dispute_won": _l("Dispute won"), "dispute_lost": _l("Dispute lost"),
    "goodwill": _l("Refund out of good will"),
    # a machine's own history
    "parts_complete": _l("Parts complete"), "kitted": _l("Kitted"), "built": _l("Built"), "test_passed": _l("Tests passed"),
    "test_failed": _l("Failed a test"), "reseated": _l("Reseated"), "replaced": _l("Part replaced"),
    "spare_called": _l("Spare part called"), "spare_laid_by": _l("Spare part laid by"),
}
ACTS: Mapping[str, Any] = {
    "job_retried": _l("Job tried again"), "alert_resolved": _l("Alert resolved"), "badge_switch": _l("Took over by badge"),
    "refund_retried": _l("Refund sent again"), "goodwill": _l("Refund out of good will"), "tracking_entered": _l("Carrier's word entered"),
    "order_released": _l("Order released"), "order_held": _l("Order held"), "order_cancelled": _l("Order cancelled"),
    "parts_received": _l("Delivery taken in"), "supplier_invoice": _l("Supplier's invoice entered"),
    "invoice_approved": _l("Supplier's invoice accepted"), "invoice_rejected": _l("Supplier's invoice sent back"),
    "promise_moved": _l("Customer told another day"), "purchase_put_off": _l("Supplier named another day"),
    "purchase_cancelled": _l("Purchase order cancelled"), "stock_counted": _l("Stock counted"), "signed_in": _l("Signed in"),
    "book_opened": _l("Price book opened"), "book_imported": _l("Prices imported"), "book_ended": _l("Days of a price book changed"),
    "promotion_started": _l("Promotion started"), "promotion_switched": _l("Promotion switched"),
    "shaping_made": _l("Shaping rule made"), "shaping_switched": _l("Shaping rule switched"),
}
POSTINGS: Mapping[str, Any] = {
    "payment_captured": _l("Card payment"), "card_fee_charged": _l("Card fee"), "refund_requested": _l("Refund promised"),
    "refund_settled": _l("Refund paid"), "refund_failed": _l("Refund came back"), "payout_settled": _l("Payout to the bank"),
    "payout_returned": _l("Payout came back"), "dispute_opened": _l("Payment disputed"), "dispute_won": _l("Dispute won"),
    "dispute_lost": _l("Dispute lost"), "parts_received": _l("Parts received"), "supplier_invoiced": _l("Supplier’s invoice"),
    "supplier_paid": _l("Supplier paid"), "stock_counted": _l("Stock counted"), "parts_revalued": _l("Parts revalued"),
    "parts_issued": _l("Parts to work in progress"), "parts_returned": _l("Parts back on the shelf"), "part_scrapped": _l("Part scrapped"),
    "labour_applied": _l("Labour applied"), "build_finished": _l("Machine finished"), "goods_dispatched": _l("Goods dispatched"),
    "invoice_issued": _l("Invoice"), "sale_recognised": _l("Sale and its cost"), "deposit_applied": _l("Deposit applied"),
    "invoice_paid": _l("Invoice paid"), "tax_remitted": _l("Sales tax remitted"), "opening": _l("Opening balance"),
    "reversal": _l("Reversal"), "entered_by_hand": _l("Entered by hand"),
}
"""What each posting rule books."""
MOVES: Mapping[MoveReason, Any] = {
    MoveReason.OPENING: _l("Opening stock"), MoveReason.RECEIPT: _l("Delivery taken in"), MoveReason.ISSUE: _l("Handed out"),
    MoveReason.RETURN: _l("Back on the shelf"), MoveReason.COUNT: _l("Stock counted"),
}
"""Why stock moved."""
MISMATCHES: Mapping[str, Any] = {
    "not_ordered": _l("was not ordered"), "quantity": _l("more is charged than came"), "price": _l("another price than agreed"),
}
"""Why a supplier's invoice is held."""
_DETAILS: Mapping[str, Any] = {
    "reason": _l("Reason"), "by": _l("By"), "carrier": _l("Carrier"), "tracking": _l("Tracking"), "shipment": _l("Shipment"),
    "invoice": _l("Invoice"), "step": _l("Step"), "failure": _l("Failure"), "measured": _l("Measured"), "run": _l("Run"), "sku": _l("Part"),
    "out": _l("Taken out"), "into": _l("Put in"), "parts": _l("Parts"), "before": _l("Before"), "after": _l("After"), "place": _l("Place"),
    "accessories": _l("Accessories"), "order": _l("Order"), "amount": _l("Amount"),
}


def state(status: Any) -> str:
    """The name of a state."""
    return str(_OTHERS[type(status)][status][0])


def state_kind(status: Any) -> str:
    """The kind of badge it is shown as."""
    return _OTHERS[type(status)][status][1]


def event_name(kind: str) -> str:
    """What happened, in words; a kind that is new to us is shown as it is."""
    return str(EVENTS.get(kind, kind.replace("_", " ")))


def posting_name(kind: str) -> str:
    """What an entry of the journal books."""
    return str(POSTINGS.get(kind, kind.replace("_", " ")))


def move_name(reason: MoveReason) -> str:
    """Why stock moved."""
    return str(MOVES[reason])


def mismatch(reason: Mapping[str, Any], currency: str) -> str:
    """Why a supplier's invoice is held, with what is charged and what it should be."""
    theirs, ours = (
        money(Money(reason[whose], currency)) if reason["problem"] == "price" else number(reason[whose]) for whose in ("theirs", "ours")
    )
    told: str = _("%(problem)s: charged %(theirs)s, ours %(ours)s", problem=MISMATCHES[reason["problem"]], theirs=theirs, ours=ours)
    return told


def choices(configuration: Iterable[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """A machine's options as pairs to read."""
    return [(pick(choice["group"]), pick(choice["option"])) for choice in configuration]


def act_name(what: str) -> str:
    """What one of our people did."""
    return str(ACTS.get(what, what))


def failure_name(failure: str | None) -> str:
    """“memory: Errors found”, from `memory/ERRORS`."""
    step, _slash, code = (failure or "").rpartition("/")
    name = pick(FAILURES[code]) if code in FAILURES else code
    return _("%(step)s: %(failure)s", step=test_name(step), failure=name) if step else name


def test_name(code: str) -> str:
    """What a test is called, by its code."""
    return pick(TESTS[code]) if code in TESTS else code


test_name.__test__ = False  # type: ignore[attr-defined]  # its name begins like a test's; pytest need not call it


def details(detail: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The detail of an event as pairs to read; what has no name here is for programs."""
    pairs = []
    if "amount_minor" in detail and "currency" in detail:
        pairs.append((str(_DETAILS["amount"]), money(Money(detail["amount_minor"], detail["currency"]))))
    for key, name in _DETAILS.items():
        value = detail.get(key)
        if value in (None, "", []):
            continue
        pairs.append((str(name), _detail(key, value)))
    return pairs


def _detail(key: str, value: Any) -> str:
    if key == "failure":
        return failure_name(value)
    if key == "carrier" and value in CARRIERS:
        return pick(CARRIERS[value].name)
    if key == "step":
        return test_name(value)
    if key in {"before", "after"}:
        return day(date.fromisoformat(value))
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
