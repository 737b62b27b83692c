"""`flask model check|show|diff|release`: what each prints, how each ends, and that a quote keeps its release."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import Result
from flask import Flask

from configurator.language import put_together
from configurator.models import Quote, Release
from configurator.seed import CATALOGUE
from configurator.service import issue_quote
from fulfillment.kernel.db import reading, transaction

SKEIN = CATALOGUE / "skein-14.toml"


def run(app: Flask, *words: str | Path) -> Result:
    return app.test_cli_runner().invoke(args=["model", *map(str, words)])


@pytest.fixture
def changed(tmp_path: Path) -> Path:
    """A later Skein 14, whose OLED panel costs more and whose five-year warranty is gone."""
    path = tmp_path / "skein-14.toml"
    lines: Sequence[str] = put_together(SKEIN).text.split("\n")
    kept = [line for line in lines if '{ id = "l5n"' not in line]
    assert len(kept) == len(lines) - 1
    path.write_text("\n".join(kept).replace('price = "329.00"', 'price = "339.00"'), encoding="utf-8")
    return path


def test_check_ends_with_zero_for_the_catalogue_and_with_one_for_a_mistake(app: Flask, tmp_path: Path) -> None:
    good = run(app, "check", SKEIN)
    assert (good.exit_code, good.output.splitlines()[0][:24]) == (0, "skein-14.toml: skein-14,"), good.output
    bad = tmp_path / "bad.toml"
    bad.write_text("[model]\nid = 3\n", encoding="utf-8")
    told = run(app, "check", "--json", SKEIN, bad)
    assert told.exit_code == 1
    first, second = json.loads(told.stdout)
    assert int(first["machines"]) > 1_000_000
    assert second["errors"][0] == {"file": "bad.toml", "line": 1, "message": second["errors"][0]["message"], "column": 1}
    assert second["machines"] is None


@pytest.mark.stocked
def test_show_prints_a_file_or_a_release_in_both_languages(app: Flask) -> None:
    assert run(app, "show", SKEIN).output == run(app, "show", "skein-14").output == run(app, "show", "skein-14:1").output
    assert "云雀 Skein 14 (skein-14)" in run(app, "show", "skein-14", "--language", "zh").output
    for nothing in ("skein-14:2", "skein-15", "skein-14:x"):
        refused = run(app, "show", nothing)
        assert (refused.exit_code, f"neither a file nor a release {nothing!r}" in refused.output) == (1, True)


@pytest.mark.stocked
def test_diff_tells_which_open_quotes_would_be_treated_otherwise(app: Flask, changed: Path) -> None:
    with transaction() as session:
        plain, dearer, lost = (
            issue_quote(session, "skein-14", choices).number for choices in ({}, {"display": "oled"}, {"warranty": "l5n"})
        )
    said = run(app, "diff", "skein-14", changed)
    assert said.exit_code == 0, said.output
    assert "the option 'l5n'" in said.output
    assert "\n2 lines of open quotes would be treated otherwise; they keep the release they were made with.\n" in said.output
    assert f"\n  {dearer}, line 1: would cost " in said.output
    gone = "5 years, next business day on site (warranty l5n) is no longer offered"
    assert f"\n  {lost}, line 1: could no longer be built: {gone}\n" in said.output
    assert plain not in said.output


@pytest.mark.stocked
def test_diff_of_the_same_content_says_so(app: Flask) -> None:
    assert run(app, "diff", "skein-14:1", SKEIN).output == "both mean the same\n"


@pytest.mark.stocked
def test_a_release_is_final_and_a_quote_keeps_the_one_it_was_made_with(app: Flask, changed: Path) -> None:
    with transaction() as session:
        number = issue_quote(session, "skein-14", {"warranty": "l5n"}).number
    released = run(app, "release", changed)
    assert (released.exit_code, "skein-14: version 2 is released" in released.output) == (0, True), released.output
    again = run(app, "release", changed)
    assert "skein-14: version 2, as it was" in again.output
    with reading() as session:
        quote = session.scalars(sa.select(Quote).filter_by(number=number).options(sa.orm.selectinload(Quote.lines))).one()
        assert session.get_one(Release, quote.lines[0].release_id).version == 1
    assert "removed" in run(app, "diff", "skein-14:1", "skein-14:2").output


@pytest.mark.stocked
def test_an_earlier_content_can_be_put_on_sale_again(app: Flask, changed: Path) -> None:
    for version, file in ((1, SKEIN), (2, changed), (3, SKEIN), (4, changed), (5, SKEIN)):
        assert f"skein-14: version {version}" in run(app, "release", file).output
        assert f"skein-14: version {version}, as it was" in run(app, "release", file).output
    assert run(app, "diff", "skein-14:1", "skein-14:5").output == "both mean the same\n"
    assert "both mean the same" not in run(app, "diff", "skein-14:4", "skein-14").output
    with reading() as session:
        hashes = session.scalars(sa.select(Release.content_hash).filter_by(model_id="skein-14")).all()
    assert len(set(hashes)) == 5


def test_the_text_of_a_release_holds_the_families_it_includes(app: Flask, tmp_path: Path) -> None:
    text = put_together(SKEIN).text
    begin, end = text.index('[[group]]\nid = "lid"'), text.index("# ── Storage")
    (tmp_path / "family-x.toml").write_text(text[begin:end], encoding="utf-8")
    path = tmp_path / "skein-14.toml"
    path.write_text(f'include = ["family-x.toml"]\n{text[:begin]}[[group]]\nuse = "lid"\n\n{text[end:]}', encoding="utf-8")
    said = run(app, "release", CATALOGUE / "suppliers.toml", path, tmp_path / "family-x.toml")
    assert (said.exit_code, "skein-14: version 1 is released" in said.output) == (0, True), said.output
    assert run(app, "diff", "skein-14", SKEIN).output == "both mean the same\n"
