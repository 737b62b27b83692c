"""What is done to a machine follows from its parts."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fulfillment.assembly.recipe import FAILURES, build_steps, is_packed, test_recipe

LAPTOP = ["BSE-SK14", "CPU-M8", "MEM-S16", "SSD-1T", "DSP-14I", "BAT-56", "WLN-7", "KBD-14U", "CAM-2", "ADP-65"]
SERVER = ["BSE-RR2", "CPU-S16", "MEM-R32", "SSD-N2", "RAI-8", "NIC-25", "PSU-800", "HSK-1U", "FAN-6", "CRD-120", "BZL-1"]


def codes(steps: list[Any]) -> list[str]:
    return [step.code for step in steps]


def test_a_laptop_is_tried_with_what_it_has_and_nothing_else() -> None:
    assert codes(test_recipe([*LAPTOP, "OSL-P"])) == [
        "post", "processor", "memory", "storage", "display", "camera", "keyboard", "network", "battery", "software", "burn-in",
    ]


def test_a_server_without_software_is_not_asked_to_start_any() -> None:
    assert codes(test_recipe(SERVER)) == [
        "post", "processor", "memory", "storage", "array", "network", "power", "cooling", "burn-in",
    ]


def test_every_machine_is_burnt_in_last_and_closed_last() -> None:
    assert codes(test_recipe([])) == ["burn-in"]
    assert codes(build_steps([])) == ["close"]


def test_a_step_names_the_parts_it_puts_on_trial() -> None:
    steps = {step.code: step for step in test_recipe(["NIC-25", "WLN-7", "SSD-1T", "SSD-1T"])}
    assert steps["network"].skus == ("NIC-25", "WLN-7")
    assert steps["storage"].skus == ("SSD-1T",)


@pytest.mark.parametrize(
    ("sku", "beside"),
    [("ADP-65", True), ("KBD-D1", True), ("KBD-14U", False), ("MSE-1", True), ("MON-27", True), ("CRD-120", True), ("PSU-800", False)],
)
def test_what_the_builder_never_opens_goes_beside_the_machine(sku: str, beside: bool) -> None:
    assert is_packed(sku) is beside


@given(st.lists(st.sampled_from([*LAPTOP, *SERVER, "XYZ-1", "LBL-A"])))
def test_every_part_is_fitted_in_exactly_one_step_unless_it_is_packed(skus: list[str]) -> None:
    fitted = [sku for step in build_steps(skus) for sku in step.skus]
    assert sorted(fitted) == sorted({sku for sku in skus if not is_packed(sku)})


def catalogue_parts() -> set[str]:
    """Every stocked part number in the model files."""
    found: set[str] = set()

    def walk(value: object) -> None:
        if isinstance(value, dict):
            if "sku" in value and value.get("kind") != "service":
                found.add(str(value["sku"]))
            for inner in value.values():
                walk(inner)
        elif isinstance(value, list):
            for inner in value:
                walk(inner)

    for path in sorted((Path(__file__).parent.parent.parent / "configurator" / "catalogue").glob("*.toml")):
        model = tomllib.loads(path.read_text())
        if "model" in model:
            found.add(model["model"]["base_sku"])
            walk(model.get("group", []))
    return found


def test_the_builder_knows_where_every_part_of_the_catalogue_goes() -> None:
    parts = catalogue_parts()
    assert len(parts) > 100
    assert [step for step in build_steps(parts) if step.code == "other"] == []


def test_steps_and_failures_are_told_in_both_languages() -> None:
    everything = [*test_recipe([*LAPTOP, *SERVER, "OSL-P", "GPU-1", "ODD-1", "AUD-1"]), *build_steps([*LAPTOP, *SERVER, "XYZ-1"])]
    texts = [step.name for step in everything] + [step.limit for step in everything if step.limit] + list(FAILURES.values())
    assert all(set(text) == {"en", "zh"} and all(text.values()) for text in texts)
