"""`flask staff …`: who works here. The first of them is hired here; no page can do it."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click
from flask.cli import AppGroup
from sqlalchemy.orm import Session

from fulfillment.customers import service
from fulfillment.customers.roles import ROLES
from fulfillment.kernel.db import reading, transaction
from fulfillment.kernel.refusals import Refusal

BADGE_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
"""None that are taken for another when a badge is typed."""

staff = AppGroup("staff", help="Who works here.")
from_stdin = click.option("--password-stdin", is_flag=True, help="Read the password from standard input instead of asking for it.")


@staff.command("hire")
@click.argument("login")
@click.option("--name", required=True, help="As it stands on records of their acts.")
@click.option("--role", required=True, type=click.Choice(sorted(ROLES)))
@click.option("--badge", help="What the scanner reads; made up when left out.")
@from_stdin
def hire(*, login: str, name: str, role: str, badge: str | None, password_stdin: bool) -> None:
    """Let somebody start, with a password of theirs, and print their badge."""
    password = _password(given=password_stdin)
    with _act() as session:
        hired = service.hire(session, login=login, badge=badge or _new_badge(), password=password, name=name, role=role)
    click.echo(f"{hired.login} is hired as {hired.role}; badge {hired.badge}")


@staff.command("password")
@click.argument("login")
@from_stdin
def password_command(*, login: str, password_stdin: bool) -> None:
    """Give somebody a new password; they have to sign in again everywhere."""
    password = _password(given=password_stdin)
    with _act() as session:
        changed = service.set_staff_password(session, login, password)
    click.echo(f"{changed.login} has a new password")


@staff.command("dismiss")
@click.argument("login")
def dismiss(login: str) -> None:
    """Let somebody go: password, badge and every session end at once."""
    with _act() as session:
        gone = service.dismiss(session, login)
    click.echo(f"{gone.login} no longer works here")


@staff.command("list")
def list_command() -> None:
    """Print everybody: login, role, badge, name."""
    with reading() as session:
        people = service.everybody(session)
    for each in people:
        role, badge = (each.role, each.badge) if each.active else ("gone", "")
        click.echo(f"{each.login:<16} {role:<14} {badge:<14} {each.name}")


@contextmanager
def _act() -> Iterator[Session]:
    try:
        with transaction() as session:
            yield session
    except Refusal as refusal:
        raise click.ClickException(str(refusal)) from refusal


def _password(*, given: bool) -> str:
    if given:
        return sys.stdin.readline().rstrip("\r\n")
    return str(click.prompt("Password", hide_input=True, confirmation_prompt=True))


def _new_badge() -> str:
    """Not to be guessed from the name: whoever has it may do what its owner does on the floor."""
    return "LM-" + "".join(secrets.choice(BADGE_LETTERS) for _ in range(8))


commands = (staff,)
