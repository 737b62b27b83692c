"""`flask catalogue release`, and a shop whose newest release is of no use."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from configurator import releasing
from configurator.engine import compilation
from configurator.jobs import watch_releases
from configurator.language import put_together
from configurator.language.fields import ModelError
from configurator.models import Release
from configurator.releasing import make_ready, release_model, released_models
from configurator.seed import CATALOGUE, shipped
from fulfillment.kernel.alerts import open_alerts
from fulfillment.kernel.clock import now
from fulfillment.kernel.db import reading, transaction
from fulfillment.parts.models import Part, Supplier


def rows() -> tuple[int, int, int]:
    with reading() as session:
        return tuple(session.scalar(sa.select(sa.func.count()).select_from(table)) or 0 for table in (Release, Part, Supplier))  # type: ignore[return-value]


@pytest.fixture
def sheet() -> str:
    return put_together(CATALOGUE / "skein-14.toml").text


def dead(sheet: str) -> str:
    """The sheet with an option that no machine can have."""
    rule = 'source = "ours"\nrequire = "memory is not s32"\nreason = { en = "No.", zh = "不。" }'
    return f'{sheet}\n[[rule]]\nid = "never"\n{rule}\n'


def release_blindly(sheet: str, version: int) -> None:
    """A release that another program let pass, of a language this one does not read."""
    with transaction() as session:
        session.add(Release(model_id="skein-14", version=version, content_hash="f" * 64, text=f"future = 1\n{sheet}", released_at=now()))


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A release is noticed at once."""
    monkeypatch.setattr(releasing, "LOOK_AGAIN_SECONDS", 0)


def test_the_shipped_catalogue_fills_an_empty_house_and_changes_nothing_a_second_time(app: Flask, client: FlaskClient) -> None:
    first = app.test_cli_runner().invoke(args=["catalogue", "release"])
    assert (first.exit_code, first.output.count("version 1 is released")) == (0, 5), repr((first.output, first.exception))
    stands = rows()
    again = app.test_cli_runner().invoke(args=["catalogue", "release", *map(str, shipped())])
    assert (again.exit_code, again.output.count("version 1, as it was")) == (0, 5), again.output
    assert rows() == stands
    assert "Skein 14" in client.get("/").text


@pytest.mark.stocked
def test_a_changed_model_is_its_next_version_and_its_accessories_stay_on_sale(app: Flask, sheet: str, tmp_path: Path) -> None:
    file = tmp_path / "skein-14.toml"
    file.write_text(sheet.replace('"329.00"', '"349.00"'), encoding="utf-8")
    with reading() as session:
        sold = set(session.scalars(sa.select(Part.sku).where(Part.sellable)))
    said = app.test_cli_runner().invoke(args=["catalogue", "release", str(file)])
    assert "skein-14: version 2 is released" in said.output
    with reading() as session:
        assert set(session.scalars(sa.select(Part.sku).where(Part.sellable))) == sold
    file.write_text(sheet, encoding="utf-8")
    said = app.test_cli_runner().invoke(args=["catalogue", "release", str(file)])
    assert "this is version 1, which version 2 has followed" in said.output


def test_every_problem_of_every_file_is_told_with_its_line_and_nothing_changes(app: Flask, sheet: str, tmp_path: Path) -> None:
    files = {
        "one.toml": sheet.replace('price = "329.00"', 'price = "free"'), "two.toml": "[[", "suppliers.toml": '[[supplier]]\ncode = "S-A"\n',
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    said = app.test_cli_runner().invoke(args=["catalogue", "release", *(str(tmp_path / name) for name in files)])
    assert said.exit_code == 1
    line = 1 + sheet[: sheet.index('price = "329.00"')].count("\n")
    for place in (f"one.toml:{line}:", "two.toml:1: ", "suppliers.toml:1: "):
        assert place in said.output
    assert "nothing was changed" in said.output
    assert "Traceback" not in said.output
    assert rows() == (0, 0, 0)


@pytest.mark.parametrize(("change", "told"), [
    (dead, "the option 's32' of 'memory' can never be chosen because of 'never'"),
    (lambda sheet: sheet.replace('supplier = "S-CHASSIS"', 'supplier = "S-NOBODY"', 1), "nobody knows the supplier 'S-NOBODY'"),
])
def test_a_model_that_is_not_fit_is_refused(app: Flask, sheet: str, tmp_path: Path, change: Callable[[str], str], told: str) -> None:
    (tmp_path / "skein-14.toml").write_text(change(sheet), encoding="utf-8")
    said = app.test_cli_runner().invoke(args=["catalogue", "release", str(CATALOGUE / "suppliers.toml"), str(tmp_path / "skein-14.toml")])
    assert said.exit_code == 1
    assert re.search(rf"skein-14\.toml:\d+: {told}", said.output)
    assert rows() == (0, 0, 0)


def test_a_model_that_cannot_be_compiled_is_refused(app: Flask, sheet: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "skein-14.toml").write_text(sheet.replace('"329.00"', '"333.00"'), encoding="utf-8")
    monkeypatch.setattr(compilation, "VALUE_BUDGET", 50)
    said = app.test_cli_runner().invoke(args=["catalogue", "release", str(CATALOGUE / "suppliers.toml"), str(tmp_path / "skein-14.toml")])
    assert said.exit_code == 1
    assert "skein-14.toml:1: the model cannot be compiled: its groups have " in said.output
    assert rows() == (0, 0, 0)


def test_a_release_is_approved_wherever_it_comes_from(db: None, sheet: str) -> None:
    with pytest.raises(ModelError, match="can never be chosen"), transaction() as session:
        release_model(session, dead(sheet), "skein-14.toml")


@pytest.mark.stocked
def test_a_release_of_no_use_leaves_the_last_good_one_on_sale_and_tells_somebody(client: FlaskClient, sheet: str, at_once: None) -> None:
    release_blindly(sheet, 2)
    make_ready()
    for page in ("/", "/configure/skein-14"):
        assert client.get(page).status_code == 200
    for _ in range(2):
        watch_releases()
    with reading() as session:
        (alert,) = open_alerts(session)
        assert (alert.kind, alert.key) == ("release_broken", "skein-14")
        assert "Version 2: skein-14.toml:1:1: " in alert.detail

    with transaction() as session:
        release_model(session, sheet.replace('"329.00"', '"349.00"'), "skein-14.toml")
    watch_releases()
    with reading() as session:
        assert open_alerts(session) == []


def test_a_model_that_has_no_good_release_is_not_on_sale(client: FlaskClient, sheet: str, at_once: None) -> None:
    release_blindly(sheet, 1)
    assert released_models() == ()
    assert client.get("/").status_code == 200
    assert client.get("/configure/skein-14").status_code == 404
