"""The build desk: one person puts the whole machine together, and says which part went in."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from fulfillment.assembly.events import UnitBuilt
from fulfillment.assembly.labels import Label, Need, check_labels, read_label
from fulfillment.assembly.models import AsBuiltPart, UnitStatus, WorkOrder
from fulfillment.assembly.recipe import Step, build_steps, is_packed
from fulfillment.assembly.units import at_desk, parts_of, record, tell, unit_at
from fulfillment.kernel.clock import now
from fulfillment.kernel.events import publish
from fulfillment.kernel.i18n import pick
from fulfillment.kernel.refusals import Refusal


class NotDone(Refusal):
    """A step of the work was not confirmed."""


def steps_of(unit: WorkOrder) -> list[Step]:
    """The steps of building this machine."""
    return build_steps(entry["sku"] for entry in unit.bom if entry["stocked"])


def to_fit(parts: Sequence[AsBuiltPart]) -> list[AsBuiltPart]:
    """What lies in the tote and belongs into the machine."""
    return [part for part in parts if part.at is None and not is_packed(part.sku)]


def build(session: Session, tag: str, *, serials: Sequence[str], steps: Sequence[str], operator: str, key: str) -> WorkOrder:
    """Record the machine as built: every step confirmed, every part with a serial number scanned as it went in.

    `serials` are the labels of those parts, `steps` the codes of `steps_of`. Raises BadScan for a
    part that was not kitted for this machine, NotDone for a step left out, WrongStatus, NotFound.
    """

    def act() -> WorkOrder:
        unit = unit_at(session, tag, UnitStatus.BUILD)
        fitted = to_fit(parts_of(session, unit))
        _check_serials(fitted, [read_label(serial) for serial in serials])
        refuse_unconfirmed(steps_of(unit), steps)
        moment = now()
        for part in fitted:
            part.operator, part.at = operator, moment
        unit.move_to(UnitStatus.TEST)
        record(session, unit, "built", operator, parts=sum(part.quantity for part in fitted))
        tell(session, unit, "test")
        publish(session, UnitBuilt(unit.tag))
        return unit

    return at_desk(session, "build", tag, key=key, asked=[sorted(serials), sorted(steps)], act=act)


def _check_serials(fitted: Sequence[AsBuiltPart], scanned: Sequence[Label]) -> None:
    """Exactly the parts of the tote, no neighbour's."""
    kitted = {(part.sku, part.serial): part for part in fitted if part.serial}
    for label in scanned:
        if (label.sku, label.serial) not in kitted:
            raise Refusal("{part} was not kitted for this machine. Look for the right tote.", part=str(label))
    counts: dict[str, int] = {}
    for sku, _ in kitted:
        counts[sku] = counts.get(sku, 0) + 1
    check_labels([Need(sku, count, serialised=True) for sku, count in counts.items()], scanned)


def refuse_unconfirmed(steps: Sequence[Step], confirmed: Sequence[str]) -> None:
    """Every step has to be confirmed, and no other. Raises NotDone."""
    unknown = sorted(set(confirmed) - {step.code for step in steps})
    if unknown:
        raise NotDone("There is no step {steps} for this machine.", steps=", ".join(unknown))
    left = [pick(step.name) for step in steps if step.code not in confirmed]
    if left:
        raise NotDone("Not confirmed yet: {steps}.", steps="; ".join(left))
