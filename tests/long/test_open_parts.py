"""The open parts database as it is: 1,105 real parts make one model, small enough to be answered for at once."""

from __future__ import annotations

import itertools
import json
import random
from pathlib import Path
from typing import Any

import pytest

from configurator.engine import answer, compile_model, count_machines
from configurator.importers.opendb import Imported, import_opendb
from configurator.language.truth import broken_rules
from tests.conftest import SHARED

OPENDB = SHARED / "data" / "opendb"
pytestmark = [pytest.mark.shared, pytest.mark.slow]


@pytest.fixture(scope="module")
def desktop() -> Imported:
    return import_opendb(OPENDB)


def test_every_part_is_an_option_or_left_out_for_a_reason(desktop: Imported) -> None:
    report = desktop.report
    assert report.problems == []
    assert dict(report.read) == {
        "cpu": 120, "board": 120, "memory": 120, "graphics": 120, "cooler": 80, "case": 100, "power": 100, "drive": 80, "monitor": 40,
        "os": 11,
    }  # fmt: skip
    for group, number in report.read.items():
        none = desktop.model.by_id[group].by_id.keys() & {"none", "boxed"}
        assert len(desktop.model.by_id[group].options) - len(none) == number - sum(report.left_out.get(group, {}).values())


def test_no_option_is_dead_and_the_diagram_is_small(desktop: Imported) -> None:
    compiled = compile_model(desktop.model)
    nodes, arcs = compiled.diagram.size
    assert nodes < 5_000
    assert arcs < 150_000
    opening = answer(compiled, {})
    assert dict(opening.configuration) == dict(desktop.model.defaults)
    assert all(option.possible for group in opening.groups.values() for option in group.options)
    assert (count_machines(compiled, {}) or 0) > 10**17


def test_random_clicks_never_end_in_a_dead_end(desktop: Imported) -> None:
    compiled = compile_model(desktop.model)
    chance = random.Random(11)
    for _ in range(20):
        chosen: dict[str, str] = {}
        for group in chance.sample(list(desktop.model.by_id), len(desktop.model.groups)):
            offered = [option.option for option in answer(compiled, chosen).groups[group].options if option.possible]
            chosen[group] = chance.choice(offered)
        assert broken_rules(desktop.model, {group: (option,) for group, option in chosen.items()}) == []


def test_three_times_as_many_parts_of_mixed_measures_are_still_one_diagram_or_a_solver(tmp_path: Path) -> None:
    """Copies whose lengths, heights and watts come from other parts of their kind, and differ by some millimetres."""
    multiply(tmp_path, 3)
    larger = import_opendb(tmp_path)
    compiled = compile_model(larger.model)
    opening = answer(compiled, {})
    assert opening.valid
    assert sum(option.possible for group in opening.groups.values() for option in group.options) > 2_500


MIXED = {
    "GPU": ("length", "tdp", "power_connectors"),
    "PCCase": ("max_video_card_length", "max_cpu_cooler_height", "internal_2_5_bays"),
    "CPUCooler": ("height", "cpu_sockets"),
    "PSU": ("wattage", "connectors"),
}
MEASURES = frozenset({"length", "tdp", "max_video_card_length", "max_cpu_cooler_height", "height"})


def multiply(directory: Path, times: int) -> None:
    chance = random.Random(7)
    for path in OPENDB.glob("*.jsonl"):
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        copies = [copied(row, rows, MIXED.get(path.stem, ()), chance, copy) for copy, row in itertools.product(range(1, times), rows)]
        (directory / path.name).write_text("".join(json.dumps(row) + "\n" for row in [*rows, *copies]), encoding="utf-8")


def copied(row: dict[str, Any], rows: list[dict[str, Any]], fields: tuple[str, ...], chance: random.Random, copy: int) -> dict[str, Any]:
    other: dict[str, Any] = json.loads(json.dumps(row))
    other["opendb_id"] = f"{chance.getrandbits(32):08x}{row['opendb_id'][8:]}"
    other["metadata"] |= {"name": f"{row['metadata']['name']} {copy}", "part_numbers": []}
    for field in fields:
        value = chance.choice(rows).get(field)
        other[field] = max(1, int(value) + chance.randint(-7, 7)) if field in MEASURES and value else value
    return other
