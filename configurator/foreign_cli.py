"""`flask model stats` and `flask model replay`: what other programs ask about a model, in the model's own words.

Both take any format that `configurator.importers` reads, and the house's own model files.
"""

from __future__ import annotations

import json
from pathlib import Path

import click

from configurator.engine import Budget, CannotCompile, compile_model
from configurator.importers import Imported, import_any
from configurator.importers.clicks import Replay, read_clicks
from configurator.importers.figures import figures_of
from configurator.language import ModelError

SECONDS = "How long compiling may take, by the clock; then a SAT solver answers."
_FILE = click.Path(path_type=Path)


def _read(file: Path) -> Imported:
    """Read a model; its problems go to the error output, each on a line with its place."""
    try:
        return import_any(file)
    except ModelError as error:
        raise _told(error) from error


def _told(error: ModelError) -> click.ClickException:
    for problem in error.problems:
        click.echo(str(problem), err=True)
    return click.ClickException(f"{len(error.problems)} problem{'s' if len(error.problems) > 1 else ''}: nothing was done.")


@click.command("stats")
@click.argument("file", type=_FILE)
@click.option("--json", "as_json", is_flag=True, help="As JSON; counts that may exceed 2^53 are strings.")
@click.option("--seconds", type=click.FloatRange(min=0), default=Budget().seconds, show_default=True, help=SECONDS)
def stats(file: Path, *, as_json: bool, seconds: float) -> None:
    """Say how large the model in FILE is, how many solutions it has, and what the cheapest costs.

    FILE may be UVL, DIMACS, XCSP 2.1, FeatureIDE XML, CLib JSON, or one of our model files (TOML).
    """
    figures = figures_of(_read(file), Budget(seconds=seconds))
    if as_json:
        click.echo(json.dumps(figures.as_json(), ensure_ascii=False, indent=1))
        return
    click.echo("\n".join(figures.as_lines()))


@click.command("replay")
@click.argument("file", type=_FILE)
@click.argument("clicks", type=_FILE)
def replay(file: Path, clicks: Path) -> None:
    """Click on the model in FILE as CLICKS says, and print after each click what is still possible, as JSON.

    \b
    CLICKS is a JSON list; each click is one of
      {"NAME": VALUE}   ["NAME", VALUE]   {"variable": "NAME", "value": VALUE}
    with names and values as FILE has them. Features and propositional variables
    have the values "yes" and "no" (true and false will do); null takes a choice
    back; another value of the same variable replaces the first.

    \b
    The output is one object: "model", "variables", "start" (before any click) and
    "clicks", with an entry for each click:
      click, variable, value   the click, counted from 1
      refused                  why nothing was changed; only where that is so:
                               an unknown name or value, or no longer possible
      valid                    some solution has all choices
      machines                 how many solutions have them, as a string;
                               null where nobody can count them
      chosen                   the choices now
      domains                  for EVERY variable its possible values: those
                               that some solution has together with all choices
                               in the OTHER variables

    The exit code is 0 though clicks are refused, 1 if a file cannot be read.
    """  # noqa: D301 - \b is click's sign for "keep these lines"
    imported = _read(file)
    try:
        wanted = read_clicks(clicks)
        compiled = compile_model(imported.model)
    except ModelError as error:
        raise _told(error) from error
    except CannotCompile as error:
        raise click.ClickException(f"{file.name}: {error}") from error
    playing = Replay(imported, compiled)
    begun = {"model": file.name, "format": imported.form, "variables": len(imported.names), "start": playing.state()}
    click.echo(f'{json.dumps(begun, ensure_ascii=False)[:-1]}, "clicks": [')
    for place, told in enumerate(playing.after(wanted)):
        click.echo(("," if place else "") + json.dumps(told, ensure_ascii=False))
    click.echo("]}")


commands = (stats, replay)
