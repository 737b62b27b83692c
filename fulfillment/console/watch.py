"""Which alerts concern whom: by what one may do about them.

A kind that is not named here is for those who look after the jobs, and they see every other as well.
"""

from __future__ import annotations

from collections.abc import Mapping

from fulfillment.console.desk import bp, may
from fulfillment.customers.roles import FLOOR
from fulfillment.kernel.alerts import count_open
from fulfillment.kernel.db import reading

CONCERNS: Mapping[str, frozenset[str]] = {
    "order_on_review": frozenset({"orders"}),
    "order_late": frozenset({"orders"}),
    "payment_page_refused": frozenset({"orders"}),
    "payment_page_lost": frozenset({"orders"}),
    "refund_blocked": frozenset({"orders"}),
    "refund_failed": frozenset({"orders"}),
    "payment_mismatch": frozenset({"books"}),
    "refund_adopted": frozenset({"books"}),
    "money_unassigned": frozenset({"books"}),
    "transaction_unknown": frozenset({"books"}),
    "dispute": frozenset({"books"}),
    "payment_lost": frozenset({"orders"}),
    "purchase_overdue": frozenset({"purchasing"}),
    "supplier_invoice_mismatch": frozenset({"purchasing"}),
    "unit_stuck": FLOOR,
}
"""Kind of alert, and the permissions of which any one lets a person act on it."""
CLOSES_BY_ITSELF = frozenset({
    "order_on_review", "order_late", "purchase_overdue", "supplier_invoice_mismatch", "unit_stuck", "refund_failed",
})
"""The act that mends it closes it: closed by hand it would hide what is still wrong."""
EVERY = "jobs"
"""The permission to see and close every alert."""


def my_kinds() -> frozenset[str] | None:
    """The kinds that concern the one at the desk; None for every kind there is."""
    if may(EVERY):
        return None
    return frozenset(kind for kind, permissions in CONCERNS.items() if any(may(each) for each in permissions))


def may_see(kind: str) -> bool:
    """Whether an alert of this kind concerns the one at the desk."""
    kinds = my_kinds()
    return kinds is None or kind in kinds


def may_close(kind: str) -> bool:
    """Whether the one at the desk may say that it is seen to."""
    return may_see(kind) and (may(EVERY) or kind not in CLOSES_BY_ITSELF)


def my_alerts() -> int | None:
    """How many open alerts wait for the one at the desk; None for somebody whom none ever concerns."""
    kinds = my_kinds()
    if kinds is not None and not kinds:
        return None
    with reading() as session:
        return count_open(session, kinds)


bp.add_app_template_global(my_alerts, "my_alerts")
bp.add_app_template_global(may_close, "may_close")
