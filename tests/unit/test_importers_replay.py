"""Clicks on foreign models: after each, exactly what some solution of the file still has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from configurator.engine import compile_model
from configurator.importers import Imported, import_any
from configurator.importers.clicks import Click, Replay, read_clicks
from configurator.language import ModelError
from tests.builders.brute_force import look_at_everything
from tests.builders.machines import SHEET
from tests.unit.test_importers import FEATUREIDE, SANDWICH, XCSP

Solution = dict[str, str]


def solutions(imported: Imported) -> list[Solution]:
    return [imported.solution(machine) for machine in look_at_everything(imported.model).machines]


def domains_by_looking(imported: Imported, all_solutions: list[Solution], chosen: dict[str, str]) -> dict[str, list[str]]:
    """The definition, word for word."""
    found = {}
    for name, original in imported.names.items():
        others = {other: value for other, value in chosen.items() if other != name}
        kept = {each[name] for each in all_solutions if all(each[other] == value for other, value in others.items())}
        found[name] = [value for value in original.values if value in kept]
    return found


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Imported, list[Solution]]]:
    folder = tmp_path_factory.mktemp("models")
    models = {}
    for name, text in {"sandwich.uvl": SANDWICH, "car.xml": XCSP, "pc.xml": FEATUREIDE, "own.toml": SHEET}.items():
        (folder / name).write_text(text, encoding="utf-8")
        imported = import_any(folder / name)
        models[name] = imported, solutions(imported)
    return models


@pytest.mark.parametrize("name", ["sandwich.uvl", "car.xml", "pc.xml", "own.toml"])
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_domains_after_each_click_are_those_of_the_remaining_solutions(
    models: dict[str, tuple[Imported, list[Solution]]], name: str, data: st.DataObject,
) -> None:
    imported, every = models[name]
    replay = Replay(imported, compile_model(imported.model))
    pairs = [(variable, value) for variable, original in imported.names.items() for value in [*original.values, None]]
    chosen: dict[str, str] = {}
    for variable, value in data.draw(st.lists(st.sampled_from(pairs), max_size=8)):
        possible = value is None or value in domains_by_looking(imported, every, chosen)[variable]
        assert (replay.click(Click(variable, value)) == "") is possible
        if value is None:
            chosen.pop(variable, None)
        elif possible:
            chosen[variable] = value
        state = replay.state()
        kept = [each for each in every if chosen.items() <= each.items()]
        expected = domains_by_looking(imported, every, chosen)
        assert state == {"valid": True, "machines": str(len(kept)), "chosen": chosen, "domains": expected}


def clicked(imported: Imported, *clicks: Click) -> list[dict[str, Any]]:
    return list(Replay(imported, compile_model(imported.model)).after(list(clicks)))


def test_a_refused_click_changes_nothing(models: dict[str, tuple[Imported, list[Solution]]]) -> None:
    imported, _ = models["sandwich.uvl"]
    told = clicked(imported, Click("Thick", "yes"), Click("Grilled", "yes"), Click("Grille", "yes"), Click("Cheese", "maybe"))
    assert [each.get("refused") for each in told] == [
        None,
        "'Grilled' cannot be 'yes' with the other choices.",
        "there is no variable 'Grille': did you mean 'Grilled'?",
        "'Cheese' has no value 'maybe': known are: no, yes.",
    ]
    assert all(each["chosen"] == {"Thick": "yes"} and each["domains"] == told[0]["domains"] for each in told)


def test_a_second_value_replaces_the_first(models: dict[str, tuple[Imported, list[Solution]]]) -> None:
    imported, _ = models["car.xml"]
    told = clicked(imported, Click("engine", "1"), Click("engine", "2"), Click("engine", None))
    assert [each["chosen"] for each in told] == [{"engine": "1"}, {"engine": "2"}, {}]
    assert told[0]["domains"]["engine"] == ["0", "1", "2"]
    assert told[1]["domains"]["roof"] == ["7"]


def test_clicks_are_written_in_three_ways(tmp_path: Path) -> None:
    path = tmp_path / "clicks.json"
    path.write_text('[{"A": true}, ["B", "no"], {"variable": "C", "value": 7}, {"D": null}, ["E", false], {"variable": "x"}]')
    assert read_clicks(path) == [
        Click("A", "yes"), Click("B", "no"), Click("C", "7"), Click("D", None), Click("E", "no"), Click("variable", "x"),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{}", 'clicks.json:1: the file must be a list of clicks: [{"name": value}, …].'),
        ("[\n1", "clicks.json:2: not valid JSON in column 2: Expecting ',' delimiter."),
        ('[{"A": 1, "B": 2}]', 'clicks.json:1: click 1 is not {"name": value}, ["name", value] or {"variable": "name", "value": value}.'),
        ('[{"A": [1]}]', 'clicks.json:1: click 1 is not {"name": value}, ["name", value] or {"variable": "name", "value": value}.'),
        ("[" * 100_000, "clicks.json:1: the JSON is nested too deeply: a list of clicks is flat."),
    ],
)
def test_what_is_no_list_of_clicks_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "clicks.json"
    path.write_text(text)
    with pytest.raises(ModelError) as caught:
        read_clicks(path)
    assert str(caught.value) == message
