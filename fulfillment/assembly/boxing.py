"""The boxing desk: machine, papers and accessories into the box; from here on it is finished goods."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from fulfillment.assembly.allocating import ship_when_complete
from fulfillment.assembly.events import UnitBoxed
from fulfillment.assembly.labels import Label, Need, check_labels, read_label
from fulfillment.assembly.models import AsBuiltPart, UnitStatus, WorkOrder
from fulfillment.assembly.recipe import is_packed
from fulfillment.assembly.units import at_desk, cost_of, parts_of, record, tell, unit_at
from fulfillment.kernel.clock import now
from fulfillment.kernel.events import publish
from fulfillment.kernel.money import SHOP_CURRENCY
from fulfillment.kernel.refusals import Refusal
from fulfillment.ledger import postings
from fulfillment.ledger.service import post


def to_pack(parts: Sequence[AsBuiltPart]) -> list[AsBuiltPart]:
    """What lies in the tote and goes into the box beside the machine."""
    return [part for part in parts if part.at is None and is_packed(part.sku)]


def box(session: Session, tag: str, *, accessories: Sequence[str], operator: str, key: str) -> WorkOrder:
    """Close the box over the machine and its accessories, by their labels.

    The last machine of an order calls the dispatcher. Raises BadScan for a wrong or missing
    accessory, WrongStatus, NotFound, NotATag.
    """

    def act() -> WorkOrder:
        unit = unit_at(session, tag, UnitStatus.BOXING)
        parts = parts_of(session, unit)
        packed = to_pack(parts)
        _check(packed, [read_label(scan) for scan in accessories])
        moment = now()
        for part in packed:
            part.operator, part.at = operator, moment
        unit.boxed_at = moment
        unit.move_to(UnitStatus.BOXED)
        record(session, unit, "boxed", operator, accessories=[part.sku for part in packed])
        tell(session, unit, "boxed")
        publish(session, UnitBoxed(unit.tag))
        session.flush()
        ship_when_complete(session, unit.order_number)
        cost = cost_of(parts, SHOP_CURRENCY)
        if cost:
            post(session, postings.build_finished(unit.number, cost))
        return unit

    return at_desk(session, "box", tag, key=key, asked=sorted(accessories), act=act)


def _check(packed: Sequence[AsBuiltPart], scanned: Sequence[Label]) -> None:
    """Exactly the accessories that were kitted for this machine."""
    kitted = {(part.sku, part.serial) for part in packed if part.serial}
    needs: dict[str, Need] = {}
    for part in packed:
        before = needs[part.sku].quantity if part.sku in needs else 0
        needs[part.sku] = Need(part.sku, before + part.quantity, part.serial is not None)
    labels = check_labels(list(needs.values()), scanned)
    for label in labels:
        if needs[label.sku].serialised and (label.sku, label.serial) not in kitted:
            raise Refusal("{part} was not kitted for this machine. Look for the right tote.", part=str(label))
