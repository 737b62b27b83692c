"""Scans gathered on a page until the act is done: they live in the form, not in the database.

Pure. A hand-held scanner types a label and presses Enter; the page comes back with one more line in
its list. Each label is checked as it comes, by the same rule the act itself uses at the end, so a
wrong part is refused while it is still in the operator's hand.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from fulfillment.assembly.labels import Label, Need, check_labels, read_label
from fulfillment.kernel.ids import secret_token
from fulfillment.kernel.refusals import Refusal

AT_MOST, LONGEST = 400, 120
"""Of the labels on a page, and of each."""

Check = Callable[[Sequence[Label]], None]
"""Raises a Refusal for labels that do not belong together here."""


@dataclass(slots=True)
class Sheet:
    """What a page at a station holds between two requests."""

    key: str
    scans: list[str] = field(default_factory=list)
    confirmed: list[str] = field(default_factory=list)
    """Codes of the steps ticked."""
    typed: list[str] = field(default_factory=list)
    """Labels that came with this request and are not in the list yet."""
    rejected: list[str] = field(default_factory=list)
    """Those of them that do not belong here."""
    refusal: Refusal | None = None

    @classmethod
    def fresh(cls) -> Sheet:
        """A page just opened; its key makes the act that ends it happen once."""
        return cls(secret_token())

    @property
    def status(self) -> int:
        """Of the answer."""
        return self.refusal.status if self.refusal else 200

    def add(self, check: Check) -> None:
        """Take the labels that came into the list, as far as they belong there; the first that does not is explained."""
        for label in self.typed:
            try:
                check([read_label(scan) for scan in [*self.scans, label]])
            except Refusal as refusal:
                self.refusal = self.refusal or refusal
                self.rejected.append(label)
            else:
                self.scans.append(label)
        self.typed = []

    @property
    def everything(self) -> list[str]:
        """The list with what came last: what the act is done with."""
        return [*self.scans, *self.typed]

    def remove(self, at: str) -> None:
        """Take the scan numbered `at` off the list again."""
        if at.isdigit() and int(at) < len(self.scans):
            del self.scans[int(at)]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far one part of the list is."""

    need: Need
    scanned: int

    @property
    def left(self) -> int:
        """How many are still to be scanned."""
        return max(0, self.need.quantity - self.scanned)


def still_fits(needs: Sequence[Need], labels: Sequence[Label]) -> None:
    """Refuse whatever `check_labels` would, but for what is still missing. Raises BadScan."""
    left = Counter({need.sku: need.quantity for need in needs})
    left.subtract(Counter({sku: count for sku, count in _counted(labels).items() if sku in left}))
    rest: list[Label] = []
    for need in needs:
        if need.serialised:
            rest += [Label(need.sku, f"…{number}") for number in range(left[need.sku])]
        elif left[need.sku] > 0:
            rest.append(Label(need.sku, count=left[need.sku]))
    check_labels(needs, [*labels, *rest])


def progress(needs: Sequence[Need], scans: Sequence[str]) -> list[Progress]:
    """The pick list with what was scanned of each part, in its own order."""
    counted = _counted([read_label(scan) for scan in scans])
    return [Progress(need, counted[need.sku]) for need in needs]


def _counted(labels: Sequence[Label]) -> Counter[str]:
    counted: Counter[str] = Counter()
    for label in labels:
        counted[label.sku] += label.count
    return counted


def lines(text: str) -> list[str]:
    """A label a line, as a scanner types them."""
    return [line.strip()[:LONGEST] for line in text.splitlines() if line.strip()]
