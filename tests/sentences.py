"""Collects the sentences that people read, for the catalogues: what `make messages` calls for Python files.

Most of them stand in a call of gettext, which Babel finds by itself. A refusal is translated where it is answered,
not where it is raised, so its template is an ordinary string there; this reads it as well: what is given to
`Refusal` or any class that is one, and the constants that such a call names. The states that refusals tell of (the
enums named `…Status` or `…State`) are words in the context of their class, the kinds of alerts words in the
context “alert”. What a check of the books is for stands in its docstring, and a page shows it.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import IO, Any, cast

from babel.messages.extract import extract_python

ROOT = Path(__file__).parent.parent
PACKAGES = ("configurator", "storefront", "premier", "fulfillment")
FOREIGN = "simulator"
"""The card provider in the house has words of its own, which are not ours to translate."""

Found = tuple[int, Any, Any, list[str]]
"""Line, function, message and comments, as Babel passes them."""


def extract(fileobj: IO[bytes], keywords: Mapping[str, Any], comment_tags: Collection[str], options: Mapping[str, Any]) -> Iterator[Found]:
    """Every sentence of a Python file; the signature is Babel's."""
    yield from cast("Iterator[Found]", extract_python(fileobj, keywords, comment_tags, cast("Any", options)))
    fileobj.seek(0)
    tree = ast.parse(fileobj.read())
    for line, sentence in (*refused(tree), *checked(tree)):
        yield line, None, sentence, []
    for line, context, word in (*states(tree), *alerts(tree)):
        yield line, "pgettext", (context, word), []


def refused(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """The templates of refusals in a module, with their lines."""
    refusals, constants = _house()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _called(node) in refusals:
            for argument in node.args:
                yield from _strings(argument)
        if isinstance(node, ast.ClassDef) and node.name in refusals:
            for default in _message_defaults(node):
                yield from _strings(default)
    for statement in tree.body:
        if isinstance(statement, ast.Assign | ast.AnnAssign) and statement.value is not None and _targets(statement) & constants:
            yield from _strings(statement.value)


def states(tree: ast.Module) -> Iterator[tuple[int, str, str]]:
    """Each state of a module's state machines: line, the name of the enum, and its words."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and node.name.endswith(("Status", "State")) and _bases(node) & {"StrEnum", "Enum"}:
            for member in node.body:
                if isinstance(member, ast.Assign):
                    for line, value in _strings(member.value):
                        yield line, node.name, value.replace("_", " ")


def checked(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """The name of each check of the books and of each witness, and what it says must be true."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            for mark in node.decorator_list:
                if isinstance(mark, ast.Call) and _called(mark) in {"check", "witness"}:
                    yield from _strings(mark.args[0])
                    yield node.lineno, (ast.get_docstring(node) or "").split("\n")[0]


def alerts(tree: ast.Module) -> Iterator[tuple[int, str, str]]:
    """Each kind of alert that a module raises: line, context, and its words."""
    constants = {name: statement.value for statement in tree.body if isinstance(statement, ast.Assign) for name in _targets(statement)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _called(node) == "raise_alert":
            kind = node.args[1]
            for line, value in _strings(constants.get(kind.id, kind) if isinstance(kind, ast.Name) else kind):
                yield line, "alert", value.replace("_", " ")


@cache
def _house() -> tuple[frozenset[str], frozenset[str]]:
    """The names of all classes of refusals, and of the constants that are given to them."""
    trees = [ast.parse(path.read_text()) for package in PACKAGES for path in (ROOT / package).rglob("*.py") if FOREIGN not in path.parts]
    bases = {
        node.name: _bases(node)
        for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef)
    }
    refusals, before = {"Refusal"}, 0
    while len(refusals) > before:
        before = len(refusals)
        refusals |= {name for name, its in bases.items() if its & refusals}
    constants = {
        name.id
        for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call) and _called(node) in refusals
        for argument in node.args for name in ast.walk(argument) if isinstance(name, ast.Name) and name.id.isupper()
    }
    return frozenset(refusals), frozenset(constants)


def _bases(node: ast.ClassDef) -> set[str]:
    return {base.id for base in node.bases if isinstance(base, ast.Name)}


def _called(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else call.func.attr if isinstance(call.func, ast.Attribute) else ""


def _targets(statement: ast.Assign | ast.AnnAssign) -> set[str]:
    targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
    return {target.id for target in targets if isinstance(target, ast.Name)}


def _message_defaults(refusal: ast.ClassDef) -> Iterator[ast.expr]:
    for method in refusal.body:
        if isinstance(method, ast.FunctionDef) and method.name == "__init__":
            yield from method.args.defaults


def _strings(value: ast.expr) -> Iterator[tuple[int, str]]:
    """The sentences in an expression: a string, one of two, or the values of a table; not what a call in it is given."""
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        yield value.lineno, value.value
    elif isinstance(value, ast.IfExp):
        yield from _strings(value.body)
        yield from _strings(value.orelse)
    elif isinstance(value, ast.Dict):
        for item in value.values:
            yield from _strings(item)
