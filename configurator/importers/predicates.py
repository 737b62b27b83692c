"""The predicates of XCSP 2.1: expressions such as `ge(sub(X0,X1),2)` over whole numbers.

An expression is read into postfix order, so neither reading nor trying it recurses.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from configurator.importers.markup import Node

_TOKEN = re.compile(r"\s*(?:(?P<word>[A-Za-z_]\w*)|(?P<number>-?\d+)|(?P<mark>[(),])|(?P<end>$))")


class PredicateError(ValueError):
    """An expression that cannot be read."""


def _quotient(left: int, right: int) -> int:
    """Divide towards zero, as the format's reference implementation does."""
    quotient = abs(left) // abs(right)
    return quotient if (left < 0) is (right < 0) else -quotient


_OPERATIONS: dict[str, tuple[int, Callable[..., int]]] = {
    "neg": (1, operator.neg),
    "abs": (1, abs),
    "add": (2, operator.add),
    "sub": (2, operator.sub),
    "mul": (2, operator.mul),
    "div": (2, _quotient),
    "mod": (2, lambda left, right: left - right * _quotient(left, right)),
    "min": (2, min),
    "max": (2, max),
    "eq": (2, operator.eq),
    "ne": (2, operator.ne),
    "ge": (2, operator.ge),
    "gt": (2, operator.gt),
    "le": (2, operator.le),
    "lt": (2, operator.lt),
    "not": (1, operator.not_),
    "and": (2, lambda left, right: bool(left) and bool(right)),
    "or": (2, lambda left, right: bool(left) or bool(right)),
    "xor": (2, lambda left, right: bool(left) is not bool(right)),
    "iff": (2, lambda left, right: bool(left) is bool(right)),
    "if": (3, lambda condition, left, right: left if condition else right),
}


@dataclass(frozen=True, slots=True)
class Predicate:
    """An expression with named parameters, in postfix order."""

    parameters: tuple[str, ...]
    steps: tuple[tuple[int, Callable[..., int]] | int | str, ...]

    def holds(self, given: Sequence[int]) -> bool:
        """Try it on numbers for its parameters. Dividing by zero is never true."""
        values = dict(zip(self.parameters, given, strict=True))
        stack: list[int] = []
        for step in self.steps:
            if isinstance(step, tuple):
                arity, operation = step
                arguments = stack[-arity:]
                del stack[-arity:]
                try:
                    stack.append(operation(*arguments))
                except ZeroDivisionError:
                    return False
            else:
                stack.append(values[step] if isinstance(step, str) else step)
        return bool(stack[-1])


def read_predicate(node: Node) -> Predicate:
    """Read a <predicate>. Raises PredicateError."""
    parameters = node.first("parameters")
    words = parameters.text.split() if parameters else []
    names = tuple(words[1::2])
    if set(words[::2]) - {"int"} or len(words) % 2 or len(set(names)) < len(names):
        raise PredicateError("its parameters must read 'int X0 int X1', each name once")
    expression = node.first("expression")
    functional = expression.first("functional") if expression else None
    if functional is None:
        raise PredicateError("only a <functional> expression is read: write it as one")
    return Predicate(names, tuple(_postfix(functional.text, names)))


def _postfix(text: str, names: tuple[str, ...]) -> list[tuple[int, Callable[..., int]] | int | str]:
    """Put an expression into postfix order."""
    steps: list[tuple[int, Callable[..., int]] | int | str] = []
    open_calls: list[list[int | str]] = []
    """The calls around the reading position: the operation, and how many arguments are complete."""
    at, complete = 0, False
    while True:
        found = _TOKEN.match(text, at)
        if not found:
            raise PredicateError(f"unexpected {text[at:].strip()[:20]!r}")
        at = found.end()
        said = found.group().strip()
        if found["end"] is not None:
            break
        if found["mark"] and said != "(" and complete and open_calls:
            call = open_calls[-1]
            call[1] = int(call[1]) + 1
            complete = said == ")"
            if complete:
                steps.append(_called(*open_calls.pop()))
        elif complete or found["mark"]:
            raise PredicateError(f"{said!r} has no place here")
        elif found["number"] or said in names:
            steps.append(int(said) if found["number"] else said)
            complete = True
        elif said in _OPERATIONS and text[at:].lstrip().startswith("("):
            at = text.index("(", at) + 1
            open_calls.append([said, 0])
        else:
            raise PredicateError(f"{said!r} is neither a parameter nor an operation")
    if open_calls or not complete:
        raise PredicateError("the expression is not complete")
    return steps


def _called(name: int | str, arguments: int | str) -> tuple[int, Callable[..., int]]:
    arity, operation = _OPERATIONS[str(name)]
    if arity != arguments:
        raise PredicateError(f"{name} takes {arity}, not {arguments}")
    return arity, operation
