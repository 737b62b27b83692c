"""Figures side by side: samples by row and column, told as medians, with the ratio of two columns."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

SQLITE, POSTGRES = "SQLite", "PostgreSQL"


def at(share: int, sorted_times: Sequence[float]) -> float:
    """The value below which so many percent of the times are."""
    return sorted_times[min(len(sorted_times) - 1, len(sorted_times) * share // 100)]


@dataclass
class Section:
    """A table of the report. A row's samples are noted round by round."""

    title: str
    columns: Sequence[str]
    ratio: tuple[str, str] | None = None
    """The columns of which the second is told as so many times the first."""
    rows: dict[str, dict[str, list[float]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(list)))
    remarks: list[str] = field(default_factory=list)

    def note(self, row: str, **samples: float) -> None:
        """Take one round's samples; names of columns are written with _ for what is not a letter."""
        for column in self.columns:
            if (name := as_word(column)) in samples:
                self.rows[row][column].append(samples[name])

    def median(self, row: str, column: str) -> float | None:
        """The middle of the rounds."""
        samples = self.rows[row].get(column)
        return median(samples) if samples else None

    def lines(self) -> list[str]:
        """The table in plain text."""
        heads = [*self.columns, *([f"{self.ratio[1].split()[0]} / {self.ratio[0].split()[0]}"] if self.ratio else [])]
        wide = max((len(row) for row in self.rows), default=0)
        sizes = [max(9, len(head)) for head in heads]
        told = ["", self.title, f"  {'':<{wide}}  " + "  ".join(f"{head:>{size}}" for head, size in zip(heads, sizes, strict=True))]
        for row in self.rows:
            cells = [figure(self.median(row, column)) for column in self.columns]
            if self.ratio:
                first, second = (self.median(row, column) for column in self.ratio)
                cells.append(f"{second / first:.2f}" if first and second else "–")
            told.append(f"  {row:<{wide}}  " + "  ".join(f"{cell:>{size}}" for cell, size in zip(cells, sizes, strict=True)))
        return told + [f"  {remark}" for remark in self.remarks]


def as_word(column: str) -> str:
    """A column's title as the name of an argument."""
    return "".join(letter if letter.isalnum() else "_" for letter in column)


def figure(value: float | None) -> str:
    """A number with as many digits as say something."""
    if value is None:
        return "–"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
