"""`flask catalogue …` and `flask model …`: what the shop sells, from files that were found fit.

The commands of the group `model` that live elsewhere are added to it at the end of this file.
"""

from __future__ import annotations

from pathlib import Path

import click
from flask.cli import AppGroup

from configurator.language.fields import ModelError
from configurator.models import Release
from configurator.releasing import newest_versions
from configurator.seed import bring_in, read_catalogue, shipped
from fulfillment.kernel.db import transaction

catalogue = AppGroup("catalogue", help="What the shop sells.")
model = AppGroup("model", help="A machine that can be configured, as its file says.")


@catalogue.command("release")
@click.argument("files", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
def release(files: tuple[Path, ...]) -> None:
    """Release model FILES, or the whole catalogue that comes with the house when none are named.

    Files called suppliers.toml and accessories.toml bring suppliers and accessories. Every problem is told
    with file and line, and nothing is changed when there is one. What is released already stays as it is.
    """
    try:
        read = read_catalogue(files or shipped())
        read.approve()  # all of them before the transaction: compiling takes a second
        with transaction() as session:
            before = dict(newest_versions(session))
            releases = bring_in(session, read)
    except ModelError as error:
        for problem in error.problems:
            click.echo(str(problem), err=True)
        raise click.ClickException(f"{len(error.problems)} problems; nothing was changed.") from error
    for each in releases:
        click.echo(f"{each.model_id}: {_said(each, before.get(each.model_id, 0))}")
    click.echo(f"{len(read.models)} models, {len(read.accessories)} accessories")


def _said(each: Release, newest: int) -> str:
    if each.version > newest:
        return f"version {each.version} is released"
    if each.version == newest:
        return f"version {each.version}, as it was"
    return f"this is version {each.version}, which version {newest} has followed: change something to release it again"


model.add_command(release)
commands = (catalogue, model)
