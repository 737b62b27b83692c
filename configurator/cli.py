"""`flask catalogue …` and `flask model …`: what the shop sells, from files that were found fit.

The commands of the group `model` that live elsewhere are added to it at the end of this file.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from flask.cli import AppGroup
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from configurator import foreign_cli
from configurator.checking import check
from configurator.differences import differences
from configurator.engine import Budget
from configurator.importers.opendb import import_opendb
from configurator.importers.opendb_prices import COLUMNS
from configurator.language import Model, ModelError, read_model, read_model_text
from configurator.models import Release
from configurator.open_quotes import affected
from configurator.releasing import find_release, newest_versions
from configurator.seed import Catalogue, bring_in, read_catalogue, shipped
from configurator.showing import show
from fulfillment.kernel.db import reading, transaction
from fulfillment.kernel.settings import LANGUAGES

catalogue = AppGroup("catalogue", help="What the shop sells.")
model = AppGroup("model", help="A machine that can be configured, as its file says.")

a_file = click.Path(exists=True, dir_okay=False, path_type=Path)


@catalogue.command("release")
@click.argument("files", nargs=-1, type=a_file)
def release(files: tuple[Path, ...]) -> None:
    """Release model FILES, or the whole catalogue that comes with the house when none are named.

    Files called suppliers.toml and accessories.toml bring suppliers and accessories. Every problem is told
    with file and line, and nothing is changed when there is one. What is released already stays as it is.
    """
    _release(files or tuple(shipped()))


@model.command("release")
@click.argument("files", nargs=-1, required=True, type=a_file)
def release_models(files: tuple[Path, ...]) -> None:
    """Release model FILES: each becomes the newest version of its model, for good. Quotes keep the release they have.

    The same content is the same release; one that other versions have followed is put on sale again as a new version.
    """
    _release(files, again=True)


def _release(files: tuple[Path, ...], *, again: bool = False) -> None:
    with _problems_told("nothing was changed"):
        _bring_in(read_catalogue(files), again=again)


def _bring_in(read: Catalogue, *, again: bool = False) -> None:
    """Release what was read, and tell what became of it. Raises ModelError."""
    read.approve()  # all of them before the transaction: compiling takes a second
    with transaction() as session:
        before = dict(newest_versions(session))
        releases = bring_in(session, read, again=again)
    for each in releases:
        click.echo(f"{each.model_id}: {_said(each, before.get(each.model_id, 0))}")
    click.echo(f"{len(read.models)} models, {len(read.accessories)} accessories")


def _said(each: Release, newest: int) -> str:
    if each.version > newest:
        return f"version {each.version} is released"
    if each.version == newest:
        return f"version {each.version}, as it was"
    return f"this is version {each.version}, which version {newest} has followed: `flask model release` puts it on sale again"


@model.command("check")
@click.argument("files", nargs=-1, required=True, type=a_file)
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.option("--seconds", type=click.FloatRange(min=0), default=Budget().seconds, show_default=True, help=foreign_cli.SECONDS)
@click.pass_context
def check_models(context: click.Context, files: tuple[Path, ...], *, as_json: bool, seconds: float) -> None:
    """Tell what is wrong in model FILES, what is doubtful, and how large each model is. Ends with 1 if anything is wrong."""
    reports = [check(file, Budget(seconds=seconds)) for file in files]
    if as_json:
        click.echo(json.dumps([report.as_json() for report in reports], ensure_ascii=False, indent=2))
    for report in reports if not as_json else ():
        for line in report.lines():
            click.echo(line)
    context.exit(1 if any(report.errors for report in reports) else 0)


@model.command("show")
@click.argument("which")
@click.option("--language", type=click.Choice(sorted(LANGUAGES)), default="en")
def show_model(which: str, language: str) -> None:
    """Print a model readably: a file, or a released model such as skein-14 or skein-14:3."""
    with _problems_told("it cannot be shown"):
        for line in show(_model(which), language):
            click.echo(line)


@model.command("diff")
@click.argument("old")
@click.argument("new")
def diff(old: str, new: str) -> None:
    """Tell in words what NEW changes against OLD, and for which open quotes; each a file or a released model (skein-14:3)."""
    with _problems_told("they cannot be compared"):
        before, after = _model(old), _model(new)
    said = differences(before, after)
    for sentence in said or ["both mean the same"]:
        click.echo(sentence)
    if not said:
        return
    try:
        with reading() as session:
            found = affected(session, after)
    except DBAPIError:
        click.echo("\nNo database to ask for open quotes.", err=True)
        return
    click.echo(f"\n{len(found)} lines of open quotes would be treated otherwise; they keep the release they were made with.")
    for line in found:
        click.echo(f"  {line.number}, line {line.position}: {line.effect}")


def _model(which: str) -> Model:
    """A model from a file, or from a release: the newest, or the version behind a colon."""
    if Path(which).is_file():
        return read_model(Path(which))
    with reading() as session:
        found = _released(session, which)
    return read_model_text(found.text, which)


def _released(session: Session, which: str) -> Release:
    model_id, _, version = which.partition(":")
    found = find_release(session, model_id, int(version) if version.isdecimal() else None)
    if found is None or (version and not version.isdecimal()):
        raise click.ClickException(f"there is neither a file nor a release {which!r}: write skein-14.toml, skein-14 or skein-14:3.")
    return found


@model.group("import")
def imports() -> None:
    """Make a model of what others have written down."""


@imports.command("opendb")
@click.argument("directory", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--prices", type=a_file, help="What of it is sold, and for how much: " + ", ".join(COLUMNS) + ".")
@click.option("-o", "--output", type=click.Path(dir_okay=False, writable=True, path_type=Path), help="Where to write the model file.")
@click.option("--release", "release_it", is_flag=True, help="Release it, too; needs --prices.")
def import_parts(directory: Path, prices: Path | None, output: Path | None, *, release_it: bool) -> None:
    """Make the model "build your own desktop" of the open parts database in DIRECTORY.

    Without --prices it is a model to look at: nothing in it has a price, and so it cannot be released. The file goes to
    standard output if neither -o nor --release is given; what was left out, and why, is told beside it.
    """
    if release_it and prices is None:
        raise click.UsageError("parts without prices are not sold: give --prices FILE with a price for each part you sell.")
    with _problems_told("nothing was changed"):
        imported = import_opendb(directory, prices)
        for problem in sorted(imported.report.problems):
            click.echo(str(problem), err=True)
        for line in imported.report.lines():
            click.echo(line, err=True)
        if output:
            output.write_text(imported.text, encoding="utf-8")
        elif not release_it:
            click.echo(imported.text, nl=False)
        if release_it:
            _bring_in(Catalogue([], [], [(imported.model, imported.text)]))


@contextmanager
def _problems_told(end: str) -> Iterator[None]:
    """Print every problem of a model, and end with 1."""
    try:
        yield
    except ModelError as error:
        for problem in error.problems:
            click.echo(str(problem), err=True)
        raise click.ClickException(f"{len(error.problems)} problems; {end}.") from error


for command in foreign_cli.commands:
    model.add_command(command)
commands = (catalogue, model)
