"""When what is wanted could leave the house: all of its parts asked for together, and the days to build or pack it.

The lines of an order leave together, so they are asked for together: two that need the same part share what
there is. The answer is of this moment and holds nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple

from sqlalchemy.orm import Session

from fulfillment.inventory.atp import dates_for
from fulfillment.kernel.clock import add_working_days, today

PACKING_DAYS = 1
"""Working days from the shelf into a box, for what is not built."""
USUAL_BUILD_DAYS = 4
"""For a machine whose parts list does not say: the longest of ours."""


class Wanted(NamedTuple):
    """The parts of a line over all its units, and the working days from the last of them to the door."""

    parts: Mapping[str, int]
    days: int
    not_before_days: int = 0
    """Days from now before which it is not begun, whatever parts there are."""


def machines(bom: Iterable[Mapping[str, Any]], quantity: int) -> Wanted:
    """So many machines of this parts list."""
    parts: Counter[str] = Counter()
    days, waits = [], [0]
    for entry in bom:
        if entry.get("stocked", True):
            parts[entry["sku"]] += int(entry["qty"]) * quantity
        if "build_days" in entry:
            days.append(int(entry["build_days"]))
        waits.append(int(entry.get("not_before_days", 0)))
    return Wanted(parts, max(days, default=USUAL_BUILD_DAYS), max(waits))


def items(sku: str, quantity: int) -> Wanted:
    """So many of a plain item."""
    return Wanted({sku: quantity}, PACKING_DAYS)


def ready_dates(session: Session, wanted: Sequence[Wanted]) -> list[date]:
    """For every line, the day all of its units could leave the house. Two queries, however many lines."""
    needs: Counter[str] = Counter()
    for line in wanted:
        needs.update(line.parts)
    here = dates_for(session, needs) if needs else {}
    return [_leaves(line, max((here[sku] for sku in line.parts), default=today())) for line in wanted]


def _leaves(line: Wanted, parts_here: date) -> date:
    return add_working_days(max(parts_here, today() + timedelta(days=line.not_before_days)), line.days)
