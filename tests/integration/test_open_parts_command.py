"""`flask model import opendb`: to look at without prices, to sell with them."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask
from flask.testing import FlaskClient

from configurator.importers.opendb_text import MODEL_ID
from configurator.language import read_model
from tests.builders import open_parts
from tests.builders.open_parts import one_of_each

PRICES = "\n".join(
    [
        "part,sku,price,cost,weight_g,supplier,lead_days",
        "base,BSE-OWN,99.00,60.00,900,S-CHASSIS,3",
        *(f"PN-{number},OWN-{number},{number}0.00,{number}.00,100,S-SILICON,2" for number in range(1, 10)),
    ]
)


@pytest.fixture
def parts(tmp_path: Path) -> Path:
    (tmp_path / "prices.csv").write_text(PRICES, encoding="utf-8")
    return open_parts.write(tmp_path / "parts", one_of_each())


def run(app: Flask, *words: str | Path) -> Result:
    return app.test_cli_runner().invoke(args=["model", *map(str, words)])


def test_without_prices_a_file_to_look_at_is_written_and_cannot_be_released(app: Flask, parts: Path, tmp_path: Path) -> None:
    output = tmp_path / "desktop.toml"
    said = run(app, "import", "opendb", parts, "-o", output)
    assert said.exit_code == 0, said.output
    assert "CPU: 1 read, 1 options\nMotherboard: 1 read, 1 options\n" in said.output
    model = read_model(output)
    assert model.id == MODEL_ID
    assert {option.price.minor for group in model.groups for option in group.options} == {0}
    assert run(app, "import", "opendb", parts).stdout == output.read_text(encoding="utf-8")

    checked = run(app, "check", output)
    assert (checked.exit_code, "nothing in this model has a sku and a price, so it cannot be sold" in checked.output) == (1, True)
    assert run(app, "release", output).exit_code == 1
    refused = run(app, "import", "opendb", parts, "--release")
    assert (refused.exit_code, "parts without prices are not sold" in refused.output) == (2, True)


@pytest.mark.stocked
def test_with_prices_it_is_released_and_sold(app: Flask, client: FlaskClient, parts: Path, tmp_path: Path) -> None:
    said = run(app, "import", "opendb", parts, "--prices", tmp_path / "prices.csv", "--release")
    assert said.exit_code == 0, said.output
    assert f"{MODEL_ID}: version 1 is released" in said.output

    page = client.get(f"/configure/{MODEL_ID}")
    assert page.status_code == 200
    assert "BuildCores OpenDB, ODC-By 1.0" in page.text
    assert "Processor 1" in page.text


def test_mistakes_of_the_price_list_are_told_with_their_lines_and_nothing_is_written(app: Flask, parts: Path, tmp_path: Path) -> None:
    (tmp_path / "prices.csv").write_text(PRICES.replace("OWN-3,30.00", "OWN-3,cheap"), encoding="utf-8")
    output = tmp_path / "desktop.toml"
    said = run(app, "import", "opendb", parts, "--prices", tmp_path / "prices.csv", "-o", output)
    assert said.exit_code == 1
    assert "prices.csv:5: 'price' must be an amount of dollars such as \"199.00\", not 'cheap'." in said.output
    assert not output.exists()
