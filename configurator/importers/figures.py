"""What there is to say of a model in figures: its size, its solutions, its compiled form, its cheapest solution."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from configurator.engine import Budget, CannotCompile, Compiled, NoMachine, compile_model, count_machines, finish
from configurator.importers.originals import NO, Imported
from fulfillment.kernel.money import EXPONENT, Money


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of one model."""

    file: str
    form: str
    variables: int
    constraints: int
    groups: int
    """What the variables became in our model: the file's own, and names given to large formulas."""
    solutions: int | None
    """Exactly. None: the model was too large to compile, and what answers for it cannot count."""
    compile_ms: int
    engine: str
    """What answers questions about it: "decision diagram", "SAT solver" or "none"."""
    because: str = ""
    """Why it is not a decision diagram."""
    nodes: int | None = None
    arcs: int | None = None
    bytes: int | None = None
    """Of the arrays of the diagram."""
    price: Money | None = None
    """Of the cheapest solution. None: nothing in the file has a price."""
    cheapest: Mapping[str, str] | None = None
    """That solution: the value of each variable."""

    def as_json(self) -> dict[str, Any]:
        """For another program: whole numbers beyond 2^53 and money as text."""
        return {
            "file": self.file,
            "format": self.form,
            "variables": self.variables,
            "constraints": self.constraints,
            "groups": self.groups,
            "solutions": None if self.solutions is None else str(self.solutions),
            "engine": self.engine,
            "because": self.because or None,
            "compile_seconds": self.compile_ms / 1000,
            "nodes": self.nodes,
            "arcs": self.arcs,
            "bytes": self.bytes,
            "cheapest": None if self.price is None else {
                "price": amount(self.price), "currency": self.price.currency, "solution": dict(self.cheapest or {}),
            },
        }

    def as_lines(self) -> list[str]:
        """For people."""
        lines = [
            f"{self.file} ({self.form})",
            f"  variables    {self.variables:,}",
            f"  constraints  {self.constraints:,}",
            f"  groups       {self.groups:,}",
            f"  solutions    {'not counted' if self.solutions is None else f'{self.solutions:,}'}",
            f"  engine       {self.engine}, ready after {self.compile_ms / 1000:.2f} s",
        ]
        if self.because:
            lines.append(f"  because      {self.because}")
        if self.nodes is not None:
            lines.append(f"  diagram      {self.nodes:,} nodes, {self.arcs:,} arcs, {self.bytes:,} bytes")
        if self.price is None:
            return [*lines, "  cheapest     nothing has a price"]
        words = [name if value == "yes" else f"{name} = {value}" for name, value in (self.cheapest or {}).items() if value != NO]
        return [*lines, f"  cheapest     {amount(self.price)} {self.price.currency}: {', '.join(words)}"]


def figures_of(imported: Imported, budget: Budget | None = None) -> Figures:
    """Compile the model within a budget and work the figures out. A model without any solution has 0 of them."""
    model = imported.model
    begun = time.perf_counter()
    try:
        compiled: Compiled | CannotCompile = compile_model(model, budget)
    except CannotCompile as error:
        compiled = error
    figures = Figures(
        file=model.file,
        form=imported.form,
        variables=len(imported.names),
        constraints=imported.constraints,
        groups=len(model.groups),
        solutions=None,
        compile_ms=int((time.perf_counter() - begun) * 1000),
        engine="none",
    )
    if isinstance(compiled, CannotCompile):
        return replace(figures, because=str(compiled), solutions=0 if isinstance(compiled, NoMachine) else None)
    priced = model.base_price or any(option.price for group in model.groups for option in group.options)
    cheapest = finish(compiled, {}, "cheapest") if priced else None
    if cheapest:
        figures = replace(figures, price=cheapest.price, cheapest=imported.solution(cheapest.configuration))
    if compiled.too_large:
        return replace(figures, engine="SAT solver", because=compiled.too_large)
    diagram = compiled.diagram
    nodes, arcs = diagram.size
    return replace(
        figures,
        engine="decision diagram",
        solutions=count_machines(compiled, {}),
        nodes=nodes,
        arcs=arcs,
        bytes=sum(array.nbytes for array in (diagram.node_starts, diagram.arc_starts, diagram.src, diagram.dst, diagram.cls)),
    )


def amount(money: Money) -> str:
    """The amount with its decimals, without the currency."""
    return str(Decimal(money.minor).scaleb(-EXPONENT[money.currency]))
