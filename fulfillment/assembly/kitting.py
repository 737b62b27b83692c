"""The kitting desk: every part of the machine into its tote, each one scanned.

This is where production begins: from the first kit of an order on, it cannot be cancelled any
more, and the parts are work in progress in the books.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from sqlalchemy import delete
from sqlalchemy.orm import Session

from fulfillment.assembly.events import UnitKitted
from fulfillment.assembly.labels import Label, Need, check_labels, read_label
from fulfillment.assembly.models import AsBuiltPart, PartNeed, UnitStatus, WorkOrder
from fulfillment.assembly.units import at_desk, cost_of, record, refuse_used_serials, take_part, tell, unit_at
from fulfillment.inventory.service import issue_all
from fulfillment.kernel.clock import now
from fulfillment.kernel.events import publish
from fulfillment.kernel.money import SHOP_CURRENCY
from fulfillment.ledger import postings
from fulfillment.ledger.service import post
from fulfillment.orders.service import start_production


def kit_needs(unit: WorkOrder) -> list[Need]:
    """What belongs into the tote, in the order of the parts list."""
    needs: dict[str, Need] = {}
    for entry in unit.bom:
        if entry["stocked"]:
            sku = entry["sku"]
            before = needs[sku].quantity if sku in needs else 0
            needs[sku] = Need(sku, before + entry["qty"], entry["serialised"])
    return list(needs.values())


def kit(session: Session, tag: str, *, scans: Sequence[str], operator: str, key: str) -> WorkOrder:
    """Put every part of the machine into its tote, by the labels scanned, and send it to the builder.

    The same key again changes nothing. Raises BadScan (wrong, missing, repeated part; a serial
    number that is in another machine), WrongStatus when the unit is not at kitting or its order was
    cancelled, NotFound, NotATag.
    """

    def act() -> WorkOrder:
        unit = unit_at(session, tag, UnitStatus.KITTING)
        labels = check_labels(kit_needs(unit), [read_label(scan) for scan in scans])
        start_production(session, unit.order_number)
        taken = _take(session, unit, labels, operator)
        unit.started_at = now()
        unit.move_to(UnitStatus.BUILD)
        record(session, unit, "kitted", operator, parts=sum(label.count for label in labels))
        tell(session, unit, "build")
        publish(session, UnitKitted(unit.tag))
        cost = cost_of(taken, SHOP_CURRENCY)
        if cost:
            post(session, postings.parts_issued(unit.number, cost))
        return unit

    return at_desk(session, "kit", tag, key=key, asked=sorted(scans), act=act)


def _take(session: Session, unit: WorkOrder, labels: Sequence[Label], operator: str) -> list[AsBuiltPart]:
    """Off the shelf and into the tote: stock goes down, the reservation with it."""
    counts: Counter[str] = Counter()
    for label in labels:
        counts[label.sku] += label.count
    moves = issue_all(session, unit.number, counts, {sku: f"{unit.number}:{sku}" for sku in counts})
    refuse_used_serials(session, labels)
    taken = [take_part(unit, label, moves[label.sku].unit_cost, operator) for label in labels]
    session.add_all(taken)
    session.execute(delete(PartNeed).where(PartNeed.holder == unit.number))
    return taken
