"""Random feature models, written as UVL: exactly the products their definition allows are machines."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from configurator.engine import compile_model, count_machines, domains
from configurator.importers import Imported, import_any
from tests.builders.brute_force import look_at_everything, price_of

Product = frozenset[str]
Clause = tuple[tuple[str, bool], ...]
"""At least one of these features is there, or (False) is not."""


@dataclass
class Node:
    """A feature with its groups: how many of the children it has at least and at most."""

    name: str
    price: int
    groups: list[tuple[int, int, list[Node]]] = field(default_factory=list)


def every(node: Node) -> Iterator[Node]:
    yield node
    for _, _, children in node.groups:
        for child in children:
            yield from every(child)


def allowed(root: Node, product: Product) -> bool:
    """The definition: the root is there, a child only with its parent, and with the parent so many of each group."""
    for node in every(root):
        for lower, upper, children in node.groups:
            there = sum(child.name in product for child in children)
            if there and node.name not in product:
                return False
            if node.name in product and not lower <= there <= upper:
                return False
    return root.name in product


def products(root: Node, clauses: Sequence[Clause]) -> set[Product]:
    names = [node.name for node in every(root)]
    found = {frozenset(itertools.compress(names, bits)) for bits in itertools.product([0, 1], repeat=len(names))}
    return {each for each in found if allowed(root, each) and all(keeps(each, clause) for clause in clauses)}


def keeps(product: Product, clause: Clause) -> bool:
    return any((name in product) is there for name, there in clause)


def as_uvl(root: Node, clauses: Sequence[Clause]) -> str:
    lines = ["features"]

    def write(node: Node, depth: int) -> None:
        lines.append("\t" * depth + f"{node.name} {{Price {node.price}.5}}")
        for lower, upper, children in node.groups:
            lines.append("\t" * (depth + 1) + f"[{lower}..{upper}]")
            for child in children:
                write(child, depth + 2)

    write(root, 1)
    lines.append("constraints")
    lines += ["\t" + " | ".join(f"{'' if there else '!'}{name}" for name, there in clause) for clause in clauses]
    return "\n".join(lines)


@st.composite
def trees(draw: st.DrawFn, features: int = 9) -> Node:
    names = iter(f"F{number}" for number in range(draw(st.integers(1, features))))
    root = Node(next(names), draw(st.integers(-2, 9)))
    above = [root]
    while above:
        node = above.pop(draw(st.integers(0, len(above) - 1)))
        for _ in range(draw(st.integers(0, 2)) if node is not root else 2):
            children = [Node(name, draw(st.integers(-2, 9))) for name in itertools.islice(names, draw(st.integers(1, 4)))]
            if children:
                many = len(children)
                bounds = [(1, 1), (1, 1), (0, many), (1, many), (many, many), (0, 1), (min(2, many), many)]
                lower, upper = draw(st.sampled_from(bounds))
                node.groups.append((lower, upper, children))
                above += children
    return root


@st.composite
def models(draw: st.DrawFn) -> tuple[Node, list[Clause]]:
    root = draw(trees())
    names = st.sampled_from([node.name for node in every(root)])
    clause = st.lists(st.tuples(names, st.booleans()), min_size=1, max_size=3, unique_by=lambda literal: literal[0])
    return root, [tuple(each) for each in draw(st.lists(clause, max_size=3))]


def read(text: str, ending: str) -> Imported:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"some{ending}"
        path.write_text(text)
        return import_any(path)


lenient = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@lenient
@given(models())
def test_machines_are_the_products(model: tuple[Node, list[Clause]]) -> None:
    root, clauses = model
    expected = products(root, clauses)
    imported = read(as_uvl(root, clauses), ".uvl")
    prices = {node.name: node.price * 100 + (50 if node.price >= 0 else -50) for node in every(root)}
    machines = look_at_everything(imported.model).machines
    found = [frozenset(name for name, value in imported.solution(machine).items() if value == "yes") for machine in machines]
    assert set(found) == expected
    assert len(found) == len(expected)
    for machine, product in zip(machines, found, strict=True):
        assert price_of(imported.model, machine) == sum(prices[name] for name in product)


@lenient
@given(models())
def test_the_engine_counts_the_products(model: tuple[Node, list[Clause]]) -> None:
    root, clauses = model
    expected = products(root, clauses)
    if not expected:
        return
    imported = read(as_uvl(root, clauses), ".uvl")
    compiled = compile_model(imported.model)
    assert count_machines(compiled, {}) == len(expected)
    possible = domains(compiled, {})
    for name, original in imported.names.items():
        values = {value for value, options in original.values.items() if options & possible[original.group]}
        assert values == {"yes" if name in product else "no" for product in expected}
