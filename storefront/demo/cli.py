"""`flask demo` opens the house and tells one order; `flask seed` brings a new house's records in."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import click

from configurator.language.fields import ModelError
from fulfillment import migrations
from fulfillment.kernel.cli import demonstration_only
from fulfillment.kernel.clock import frozen, now
from fulfillment.kernel.db import reading, transaction
from fulfillment.kernel.refusals import Refusal
from fulfillment.kernel.settings import settings, use
from fulfillment.ledger.checks import ask_witnesses, run_checks
from storefront.demo.house import TEST_KEY, House
from storefront.demo.seed import begin_of_history, seed_house, write_history
from storefront.demo.story import Customer, StoryBroke, order_a_machine, watch

STAFF_PASSWORD = "larkmill demo desk"  # noqa: S105 - printed on purpose; the demo has no other secrets
MODEL, CHOICES = "skein-14", {"cpu": "v8", "memory": "s32"}


@click.command("seed")
@click.option("--password", default=STAFF_PASSWORD, help="For the demo's staff logins.")
@click.option("--orders", type=click.IntRange(0), default=0, help="Also so many random orders of the last 30 days, most of them delivered.")
def seed(password: str, orders: int) -> None:
    """Bring the schema, the catalogue, the demo's staff and the opening balance into the records."""
    demonstration_only("seed")
    migrations.upgrade(settings().database_url)
    with _in_words(), frozen(begin_of_history() if orders else now()), transaction() as session:
        models = seed_house(session, password)
    click.echo(f"released: {', '.join(models)}")
    if orders:
        _seed_orders(orders)


def _seed_orders(orders: int) -> None:
    began = time.monotonic()
    with _in_words(), click.progressbar(length=orders, label="orders", show_pos=True) as bar:
        write_history(orders, bar.update)
    click.echo(f"{orders} orders in {time.monotonic() - began:.0f} s")


@contextmanager
def _in_words() -> Iterator[None]:
    """A refusal, or what is wrong with a file of the catalogue, is a message and no traceback."""
    try:
        yield
    except (Refusal, ModelError) as error:
        raise click.ClickException(str(error)) from error


@click.command("demo")
@click.option("--once", is_flag=True, help="End after the story, with 0 or 1.")
@click.option("--story/--no-story", default=True, help="Tell an order.")
@click.option("--port", default=8000, show_default=True)
def demo(*, once: bool, story: bool, port: int) -> None:
    """Open the whole house on this machine and tell one real order, from configuration to delivery."""
    demonstration_only("demo")
    began = time.monotonic()

    def tell(what: str, where: str) -> None:
        click.echo(f"  {time.monotonic() - began:6.1f} s  {what:<66} {where}")

    migrations.upgrade(settings().database_url)
    with _in_words(), transaction() as session:
        seed_house(session, STAFF_PASSWORD)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with House(settings(), port) as house:
        tell("the shop is open", house.url)
        good = _tell_story(house, tell) if story else True
        if once or not good:
            raise SystemExit(0 if good else 1)
        click.echo(f"\nThe shop stays open at {house.url}   (staff desks: {house.url}/desk, login admin, password {STAFF_PASSWORD})")
        click.echo("Ctrl-C closes it.")
        try:
            house.stay_open()
        except KeyboardInterrupt:
            click.echo("closed")


def _tell_story(house: House, tell: object) -> bool:
    assert callable(tell)
    customer = Customer(tell, house.url)
    try:
        number = order_a_machine(customer, MODEL, CHOICES, "ada.moss@example.com")
        watch(customer, number, seconds=120)
    except StoryBroke as broke:
        click.echo(f"The story broke: {broke}", err=True)
        return False
    return _books_are_clean(house)


def _books_are_clean(house: House) -> bool:
    """What `flask books check` says, with the provider that the house is connected to."""
    use(replace(settings(), stripe_api_key=house.env.get("STRIPE_API_KEY", TEST_KEY), stripe_api_base=house.env.get("STRIPE_API_BASE", "")))
    witnesses = ask_witnesses()
    with reading() as session:
        results = run_checks(session, witnesses)
    click.echo("\nflask books check")
    for result in results:
        mark = "not asked:" if result.unasked else "ok   " if result.clean else "WRONG"
        click.echo(f"  {mark} {result.name}: {result.unasked or result.says}")
        for finding in result.findings:
            click.echo(f"        – {finding.text}")
    return all(result.clean for result in results)


commands = (demo, seed)
