"""DIMACS CNF: a header `p cnf variables clauses`, then clauses of signed numbers, each closed by 0.

A comment `c 12 NAME` names variable 12 (`c 12$ NAME` too, as some exporters mark generated ones); a variable without
a name has its number. Two variables of one name keep it apart by a number behind it. Each variable is a group of
"no" and "yes"; those that stand in no clause are free and count as such.
"""

from __future__ import annotations

import re
from pathlib import Path

from configurator.importers.drafting import Draft, unused
from configurator.importers.logic import chosen
from configurator.importers.originals import NO, YES, Imported
from configurator.importers.problems import read_text

MOST_VARIABLES = 1_000_000

_NAME = re.compile(r"c\s+(\d+)\$?\s+(\S.*)")
_HEADER = re.compile(r"p\s+cnf\s+(\d+)\s+(\d+)\s*")


def read_dimacs(path: Path) -> Imported:
    """Read a DIMACS file. Raises ModelError."""
    text = read_text(path)
    return _Reader(Draft(path, "DIMACS", text.encode()), text.splitlines()).read()


class _Reader:
    """One pass over the lines: names, the header, clauses."""

    def __init__(self, draft: Draft, lines: list[str]) -> None:
        self.draft = draft
        self.problems = draft.problems
        self.lines = lines
        self.called: dict[int, tuple[str, int]] = {}
        self.header: tuple[int, int, int] | None = None
        self.clauses: list[tuple[int, list[int]]] = []
        self.open: list[int] = []

    def read(self) -> Imported:
        """Read everything, then make the model."""
        for number, line in enumerate(self.lines, 1):
            stripped = line.strip()
            if stripped == "%":
                break
            if stripped.startswith("c"):
                self._comment(stripped, number)
            elif stripped.startswith("p"):
                self._head(stripped, number)
            elif stripped:
                self._clause(stripped.split(), number)
        self._check()
        return self._model()

    def _comment(self, line: str, number: int) -> None:
        found = _NAME.fullmatch(line)
        if not found or self.header:
            return
        variable, name = int(found[1]), found[2].strip()
        before = self.called.setdefault(variable, (name, number))
        if before[0] != name:
            self.problems.add(number, f"variable {variable} is named {name!r} here and {before[0]!r} in line {before[1]}: keep one name.")

    def _head(self, line: str, number: int) -> None:
        found = _HEADER.fullmatch(line)
        if not found:
            raise self.problems.fail(number, f"{line[:60]!r} is no header: write 'p cnf VARIABLES CLAUSES'.")
        if self.header:
            raise self.problems.fail(number, f"a second header; the first is in line {self.header[2]}: keep one.")
        self.header = int(found[1]), int(found[2]), number
        if self.header[0] > MOST_VARIABLES:
            raise self.problems.fail(number, f"{found[1]} variables are more than {MOST_VARIABLES:,}, which nothing here can answer for.")

    def _clause(self, words: list[str], number: int) -> None:
        if not self.header:
            raise self.problems.fail(number, "a clause stands before the header: begin with 'p cnf VARIABLES CLAUSES'.")
        for word in words:
            try:
                literal = int(word)
            except ValueError:
                self.problems.add(number, f"{word[:40]!r} is no literal: a clause holds whole numbers, closed by 0.")
                continue
            if literal == 0:
                self.clauses.append((number, self.open))
                self.open = []
            elif abs(literal) > self.header[0]:
                self.problems.add(number, f"variable {abs(literal)} is beyond the {self.header[0]} of the header: correct one of them.")
            else:
                self.open.append(literal)

    def _check(self) -> None:
        if not self.header:
            raise self.problems.fail(max(len(self.lines), 1), "the header is missing: write 'p cnf VARIABLES CLAUSES' before the clauses.")
        variables, clauses, line = self.header
        if self.open:
            self.problems.add(len(self.lines), "the last clause is not closed: end it with 0.")
        if not self.problems.found and clauses != len(self.clauses):
            self.problems.add(line, f"the header promises {clauses} clauses, but there are {len(self.clauses)}: was the file cut off?")
        for variable, (name, number) in self.called.items():
            if not 0 < variable <= variables:
                self.problems.add(number, f"{name!r} is the name of variable {variable}, but the header has only {variables}.")
        self.problems.stop()

    def _model(self) -> Imported:
        assert self.header
        draft = self.draft
        groups: list[str] = []
        used: dict[str, int] = {}
        for variable in range(1, self.header[0] + 1):
            name, line = self.called.get(variable, (str(variable), self.header[2]))
            name = unused(name, draft.names, used)
            groups.append(draft.group(name, {NO: NO, YES: YES}, line))
            draft.named(name, groups[-1], {NO: [NO], YES: [YES]})
        for line, clause in self.clauses:
            parts = [chosen(groups[abs(literal) - 1], (YES if literal > 0 else NO,)) for literal in dict.fromkeys(clause)]
            words = [f"{'' if literal > 0 else 'not '}“{draft.groups[groups[abs(literal) - 1]].name}”" for literal in clause]
            draft.rule(draft.logic.any_of(parts), line, " or ".join(words))
        draft.constraints = len(self.clauses)
        return draft.finished()
