"""Up to four configurations side by side: a row for every question, with the rows marked in which they differ. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from configurator.saved.service import Today
from fulfillment.kernel.i18n import pick

MOST = 4


@dataclass(frozen=True, slots=True)
class Row:
    """A question, and what each machine has there; empty where it is not asked."""

    name: str
    values: tuple[str, ...]

    @property
    def differs(self) -> bool:
        """Whether the machines are not all alike here."""
        return len(set(self.values)) > 1


def rows(machines: Sequence[Today], *, only_differences: bool) -> list[Row]:
    """Every group that one of the machines asks for, in the order of the first that has it."""
    names: dict[str, str] = {}
    for machine in machines:
        for group in machine.released.model.groups:
            if not group.hidden:
                names.setdefault(group.id, pick(group.name))
    found = [Row(name, tuple(_chosen(machine, group_id) for machine in machines)) for group_id, name in names.items()]
    return [row for row in found if any(row.values) and (row.differs or not only_differences)]


def _chosen(machine: Today, group_id: str) -> str:
    group = machine.released.model.by_id.get(group_id)
    if group is None:
        return ""
    options = [group.by_id[option] for option in machine.configuration.get(group_id, ())]
    return ", ".join(pick(option.name) for option in options if not option.absent)
