"""The rules of the house, kept by a machine: sizes, names, edges, money, postings, events, the map."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import wsgi
from fulfillment.kernel import events, jobs

ROOT = Path(__file__).parent.parent
PACKAGES = ("configurator", "storefront", "premier", "fulfillment")
SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py") if "versions" not in path.parts)
TESTS = sorted((ROOT / "tests").rglob("*.py"))
EVERY = [*SOURCES, ROOT / "wsgi.py", *TESTS]
FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "common", "manager", "misc"}


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            yield node


def test_no_module_is_longer_than_400_lines() -> None:
    assert {name(path): n for path in EVERY if (n := len(path.read_text().splitlines())) > 400} == {}


def test_no_function_is_longer_than_60_lines() -> None:
    long = {
        f"{name(path)}:{node.name}": size
        for path in EVERY for node in functions(ast.parse(path.read_text())) if (size := (node.end_lineno or 0) - node.lineno + 1) > 60
    }
    assert long == {}


def test_every_module_opens_with_a_paragraph_that_says_its_idea() -> None:
    silent = [name(path) for path in EVERY if path.stat().st_size and not ast.get_docstring(ast.parse(path.read_text()))]
    assert silent == []


def test_no_file_is_named_for_nothing_in_particular() -> None:
    assert [name(path) for path in EVERY if path.stem in FORBIDDEN_NAMES] == []


def test_transactions_end_only_in_the_kernel() -> None:
    calls = [
        f"{name(path)}:{node.lineno}"
        for path in SOURCES if path.name != "db.py"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in {"commit", "rollback"}
        and isinstance(node.func.value, ast.Name) and "session" in node.func.value.id
    ]
    assert calls == []


def opens_transaction(tree: ast.AST) -> bool:
    return any(isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "transaction" for node in ast.walk(tree))


def test_only_edges_open_a_transaction() -> None:
    """Routes, jobs, commands, and the few acts that have a network call between two transactions."""
    edges = {"routes.py", "api.py", "jobs.py", "cli.py", "demo.py", "floor.py", "db.py", "mail.py", "seed.py"}
    between_calls = {"checkout.py", "reconciling.py", "refunds.py", "refunding.py", "inbox.py", "sweeping.py"}
    allowed = edges | between_calls
    strangers = [
        name(path) for path in SOURCES
        if path.name not in allowed and not {"desks", "simulator"} & set(path.parts) and opens_transaction(ast.parse(path.read_text()))
    ]
    assert strangers == []


def test_no_float_comes_near_money() -> None:
    """`float(`, a float literal or bare `round(` in a module that works with Money (drawing and timing aside)."""
    excused = {"pdf.py", "fields.py"}
    # `fields` has the cutoff of a likeness between words
    found = []
    for path in SOURCES:
        source = path.read_text()
        draws = "reportlab" in source or "kernel.pdf" in source or "kernel import pdf" in source
        if "kernel.money" not in source or path.name in excused or draws:
            continue
        for node in ast.walk(ast.parse(source)):
            is_call = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"float", "round"}
            if is_call or (isinstance(node, ast.Constant) and isinstance(node.value, float)):
                found.append(f"{name(path)}:{getattr(node, 'lineno', 0)}")
    assert found == []


def ours() -> list[type[events.Event]]:
    """Our events; a dataclass with slots is made twice, and only the second is the class of its module."""
    found = [event for event in events.Event.__subclasses__() if event.__module__.startswith(PACKAGES)]
    return [event for event in found if getattr(sys.modules[event.__module__], event.__name__) is event]


def test_every_event_has_a_publisher_and_a_subscriber() -> None:
    slices = wsgi.load_slices()
    assert slices
    text = "\n".join(path.read_text() for path in SOURCES)
    lonely = []
    for event in ours():
        if not re.search(rf"publish\(\s*session,\s*(events\.)?{event.__name__}\(", text):
            lonely.append(f"{event.__name__} is never published")
        if event not in events.SUBSCRIBERS:
            lonely.append(f"nobody subscribes to {event.__name__}")
    assert lonely == []


def test_every_job_is_registered_under_its_slice() -> None:
    wsgi.load_slices()
    slices = {path.name for package in PACKAGES for path in (ROOT / package).iterdir() if path.is_dir()} | set(PACKAGES)
    assert [kind for kind in jobs.HANDLERS if kind.split(".")[0] not in slices] == []


def test_every_posting_rule_has_a_test() -> None:
    from fulfillment.ledger import postings

    tests = "\n".join(path.read_text() for path in TESTS)
    assert postings.RULES
    assert [rule for rule in postings.RULES if rule not in tests] == []


def test_the_readme_maps_what_is_there() -> None:
    readme = (ROOT / "README.md").read_text()
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    top = {line.split("/")[0] + ("/" if "/" in line else "") for line in tracked}
    missing = sorted(entry for entry in top if not entry.startswith(".") and f"`{entry}`" not in readme and f"\n{entry}" not in readme)
    assert missing == []
    for package in ("fulfillment", "storefront"):
        for path in sorted((ROOT / package).iterdir()):
            if path.is_dir() and (path / "__init__.py").exists():
                assert path.name in readme, f"README.md does not name {package}/{path.name}"


def test_the_top_level_is_what_was_asked_for() -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    top = {line.split("/")[0] for line in tracked if not line.startswith(".")}
    assert top == {*PACKAGES, "tests", "wsgi.py", "requirements.txt", "README.md", "pyproject.toml", "Makefile"}


def test_every_package_of_the_lock_is_pinned_and_hashed() -> None:
    lock = (ROOT / "requirements.txt").read_text()
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())
    names = [re.split(r"[\[>=<]", line)[0].lower() for line in [*wanted["project"]["dependencies"], *wanted["dependency-groups"]["dev"]]]
    pinned = re.findall(r"^([a-z0-9._-]+)==[^ ]+ \\\n    --hash=sha256:", lock, re.MULTILINE)
    assert [wanted_name for wanted_name in names if wanted_name.replace("_", "-") not in pinned] == []
    assert "http" not in re.sub(r"#.*", "", lock)


def test_import_contracts_hold() -> None:
    from importlinter import cli as importlinter

    assert importlinter.lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True) == 0


@pytest.mark.parametrize("path", [ROOT / "wsgi.py"])
def test_nothing_imports_the_composition_root(path: Path) -> None:
    assert [name(source) for source in SOURCES if re.search(r"^\s*(import|from) wsgi", source.read_text(), re.MULTILINE)] == []
    assert path.exists()
