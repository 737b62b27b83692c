"""The bar codes on parts: what a supplier prints and what our scanners read.

Pure. A label is the part number, then the serial number and the lot where there are any, with a
slash between: `SSD-1T/S0041X7`, `CPU-M8/S00A1/L2026-07`, or for a bag of screws just `SCR-M2`. A
count goes in front of a plain part: `4*FAN-12`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from fulfillment.kernel.refusals import Refusal

_LABEL = re.compile(r"(?:(?P<count>[0-9]{1,3})\*)?(?P<sku>[A-Z0-9][A-Z0-9.+_-]*)(?:/(?P<serial>[A-Z0-9.-]*)(?:/(?P<lot>[A-Z0-9.-]+))?)?")


class BadScan(Refusal):
    """What was scanned is not a label of a part, or not the right part."""


@dataclass(frozen=True, slots=True)
class Label:
    """One scanned label."""

    sku: str
    serial: str | None = None
    lot: str | None = None
    count: int = 1

    def __str__(self) -> str:
        """As it is printed."""
        front = f"{self.count}*" if self.count != 1 else ""
        back = f"/{self.serial or ''}/{self.lot}" if self.lot else f"/{self.serial}" if self.serial else ""
        return f"{front}{self.sku}{back}"


@dataclass(frozen=True, slots=True)
class Need:
    """So many of one part belong into this tote or box."""

    sku: str
    quantity: int
    serialised: bool


def read_label(scanned: str) -> Label:
    """The label that was scanned. Raises BadScan."""
    match = _LABEL.fullmatch(scanned.strip().upper())
    if match is None:
        raise BadScan("“{scan}” is not the label of a part. Scan the bar code on its bag.", scan=scanned.strip()[:60])
    count = int(match["count"] or 1)
    if count < 1 or (match["serial"] and count != 1):
        raise BadScan("“{scan}”: every part with a serial number is scanned by itself.", scan=scanned.strip()[:60])
    return Label(match["sku"], match["serial"] or None, match["lot"], count)


def check_labels(needs: Sequence[Need], labels: Iterable[Label]) -> list[Label]:
    """The labels, when they are exactly what is needed: plain parts of a lot counted together.

    Raises BadScan in the operator's words for a wrong part, one too many, a serial number that is
    missing or scanned twice, and last for parts that are missing.
    """
    wanted = {need.sku: need for need in needs}
    left = Counter({need.sku: need.quantity for need in needs})
    serials: set[tuple[str, str]] = set()
    plain: Counter[tuple[str, str | None]] = Counter()
    taken: list[Label] = []
    for label in labels:
        need = wanted.get(label.sku)
        if need is None:
            raise BadScan("Wrong part: {sku} does not belong here. Put it back.", sku=label.sku)
        if need.serialised and label.serial is None:
            raise BadScan("{sku} has a serial number: scan the label on the part itself.", sku=label.sku)
        if need.serialised and (label.sku, label.serial or "") in serials:
            raise BadScan("{sku} {serial} was scanned twice.", sku=label.sku, serial=label.serial)
        left[label.sku] -= label.count
        if left[label.sku] < 0:
            raise BadScan("One {sku} too many: only {count} needed.", sku=label.sku, count=need.quantity)
        if need.serialised:
            serials.add((label.sku, label.serial or ""))
            taken.append(label)
        else:
            plain[label.sku, label.lot] += label.count
    missing = {sku: count for sku, count in left.items() if count}
    if missing:
        raise BadScan("Not complete yet. Still missing: {parts}.", parts=in_words(missing))
    return taken + [Label(sku, None, lot, count) for (sku, lot), count in plain.items()]


def in_words(counts: Mapping[str, int]) -> str:
    """`2 × MEM-S16, SSD-1T`."""
    return ", ".join(sku if count == 1 else f"{count} × {sku}" for sku, count in sorted(counts.items()))
