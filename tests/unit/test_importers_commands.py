"""`flask model stats` and `flask model replay`, as another program meets them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from configurator import foreign_cli
from configurator.cli import model
from configurator.engine import Budget, Compiled
from configurator.engine.compilation import by_solver
from configurator.foreign_cli import replay, stats
from configurator.importers import figures
from configurator.language import Model
from tests.builders.machines import SHEET
from tests.unit.test_importers import FEATUREIDE, SANDWICH


def test_the_commands_belong_to_the_group_model() -> None:
    assert model.commands["stats"] is stats
    assert model.commands["replay"] is replay


def write(tmp_path: Path, name: str, text: str) -> str:
    (tmp_path / name).write_text(text, encoding="utf-8")
    return str(tmp_path / name)


def test_stats_for_another_program(tmp_path: Path) -> None:
    result = CliRunner().invoke(stats, [write(tmp_path, "pc.xml", FEATUREIDE), "--json"])
    told = json.loads(result.stdout)
    assert told.pop("compile_seconds") < 60
    size = [told.pop(key) for key in ("nodes", "arcs", "bytes")]
    assert all(each > 0 for each in size)
    assert told == {
        "file": "pc.xml",
        "format": "FeatureIDE",
        "variables": 10,
        "constraints": 3,
        "groups": 5,
        "solutions": "15",
        "engine": "decision diagram",
        "because": None,
        "cheapest": {
            "price": "837.90",
            "currency": "EUR",
            "solution": {
                "PC": "yes", "Processor": "yes", "Slow": "yes", "G1": "yes", "G2": "no", "Fast": "no", "Drives": "no", "DVD": "no",
                "Blu & Ray": "no", "Fan": "no",
            },
        },
    }


def test_stats_for_people(tmp_path: Path) -> None:
    result = CliRunner().invoke(stats, [write(tmp_path, "pc.xml", FEATUREIDE)])
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[:5] == ["pc.xml (FeatureIDE)", "  variables    10", "  constraints  3", "  groups       5", "  solutions    15"]
    assert lines[-1] == "  cheapest     837.90 EUR: PC, Processor, Slow, G1"


def test_stats_of_our_own_model_file(tmp_path: Path) -> None:
    told = json.loads(CliRunner().invoke(stats, [write(tmp_path, "box.toml", SHEET), "--json"]).stdout)
    assert (told["variables"], told["solutions"], told["cheapest"]["price"], told["cheapest"]["currency"]) == (4, "10", "600.00", "USD")
    assert told["cheapest"]["solution"] == {"cpu": "c8", "memory": "m32", "extras.care": "no", "extras.none": "no"}


def test_stats_of_a_model_without_solutions_say_0(tmp_path: Path) -> None:
    told = json.loads(CliRunner().invoke(stats, [write(tmp_path, "no.dimacs", "p cnf 1 2\n1 0\n-1 0\n"), "--json"]).stdout)
    assert (told["solutions"], told["engine"], told["cheapest"]) == ("0", "none", None)
    assert told["because"]


def test_a_model_too_large_to_compile_is_answered_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The solver that answers for it gives the same domains and the same cheapest solution, and counts nothing."""
    file = write(tmp_path, "pc.xml", FEATUREIDE)
    clicks = write(tmp_path, "clicks.json", '[{"Fast": false}, {"Fan": true}, {"Slow": false}, {"Slow": true}]')
    counted, plain = (json.loads(CliRunner().invoke(*each).stdout) for each in ((stats, [file, "--json"]), (replay, [file, clicks])))

    def by_solver_alone(model: Model, _budget: Budget | None = None) -> Compiled:
        return by_solver(model, "as this test wants it")

    monkeypatch.setattr(figures, "compile_model", by_solver_alone)
    monkeypatch.setattr(foreign_cli, "compile_model", by_solver_alone)
    told = json.loads(CliRunner().invoke(stats, [file, "--json"]).stdout)
    assert (told["engine"], told["because"], told["solutions"], told["nodes"]) == ("SAT solver", "as this test wants it", None, None)
    assert told["cheapest"] == counted["cheapest"]
    solved = json.loads(CliRunner().invoke(replay, [file, clicks]).stdout)
    assert [each["machines"] for each in solved["clicks"]] == [None] * 4
    assert [each["domains"] for each in solved["clicks"]] == [each["domains"] for each in plain["clicks"]]
    assert [each.get("refused") for each in solved["clicks"]] == [each.get("refused") for each in plain["clicks"]]


def test_stats_of_a_broken_file_end_with_1_and_every_problem(tmp_path: Path) -> None:
    result = CliRunner().invoke(stats, [write(tmp_path, "a.uvl", "features\n\tR\nconstraints\n\tX\n\tY\n")])
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr == (
        "a.uvl:4: there is no feature 'X': known are: R.\n"
        "a.uvl:5: there is no feature 'Y': known are: R.\n"
        "Error: 2 problems: nothing was done.\n"
    )


def test_replay_prints_one_json_text_with_an_entry_for_each_click(tmp_path: Path) -> None:
    clicks = write(tmp_path, "clicks.json", '[{"Ketchup": true}, ["Cheese", "no"], {"variable": "Nothing", "value": 1}]')
    result = CliRunner().invoke(replay, [write(tmp_path, "lunch.uvl", SANDWICH), clicks])
    assert result.exit_code == 0
    told = json.loads(result.stdout)
    assert list(told) == ["model", "format", "variables", "start", "clicks"]
    assert told["start"]["machines"] == "26"
    first, second, third = told["clicks"]
    assert list(first) == ["click", "variable", "value", "valid", "machines", "chosen", "domains"]
    assert (first["click"], first["variable"], first["value"], first["machines"]) == (1, "Ketchup", "yes", "10")
    assert first["domains"]["Cheese"] == ["yes"]
    assert first["domains"]["Ketchup"] == ["no", "yes"]
    assert second["refused"] == "'Cheese' cannot be 'no' with the other choices."
    assert third["refused"].startswith("there is no variable 'Nothing': known are: Sandwich, Bread, ")
    assert third["chosen"] == {"Ketchup": "yes"}


def test_replay_of_a_file_that_is_no_list_of_clicks_ends_with_1(tmp_path: Path) -> None:
    result = CliRunner().invoke(replay, [write(tmp_path, "lunch.uvl", SANDWICH), write(tmp_path, "clicks.json", "{}")])
    assert (result.exit_code, result.stdout) == (1, "")
    result = CliRunner().invoke(replay, [write(tmp_path, "lunch.uvl", SANDWICH), str(tmp_path / "gone.json")])
    assert (result.exit_code, result.stdout) == (1, "")
    assert "gone.json:1: the file cannot be read" in result.stderr


def test_what_replay_expects_is_in_its_help() -> None:
    said = CliRunner().invoke(replay, ["--help"]).stdout
    assert '{"NAME": VALUE}   ["NAME", VALUE]   {"variable": "NAME", "value": VALUE}' in said
    assert '"clicks", with an entry for each click:' in said
