"""`python -m tests.bench`: takes every measurement and prints the tables. Writes nothing but to a folder that it removes."""

from __future__ import annotations

import os
import platform
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from sqlite3 import sqlite_version

import click
import psutil
import structlog

import wsgi
from fulfillment.kernel import db as database
from fulfillment.kernel.settings import Settings
from tests.bench import clicks, cpu, making, visits
from tests.bench.figures import SQLITE, Section
from tests.bench.places import places
from tests.builders.postgres import BIN

ROOT = Path(__file__).parent.parent.parent


@dataclass(frozen=True)
class Plan:
    """How long to measure."""

    rounds: int = 3
    seconds: float = 2
    orders: int = 10
    jobs: int = 400
    entries: int = 200


QUICK = Plan(rounds=1, seconds=1, orders=4, jobs=100, entries=50)


def origin() -> str:
    """Which state of the tree, on which machine, with which programs."""
    commit = _said("git", "describe", "--always", "--dirty")
    cpus = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    model = next((line.split(":", 1)[1].strip() for line in cpus.splitlines() if line.startswith("model name")), platform.machine())
    server = "".join(_said(str(BIN / "postgres"), "--version").split()[2:3])
    programs = f"Python {platform.python_version()}, SQLAlchemy {version('sqlalchemy')}, SQLite {sqlite_version}, PostgreSQL {server}"
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    return (
        f"commit {commit or 'unknown'} · {os.cpu_count()} × {model}, {psutil.virtual_memory().total / 2**30:.0f} GB · load {load}\n"
        f"{programs}; every commit is on the disk (SQLite: WAL, synchronous=FULL; PostgreSQL: fsync on, Unix socket)"
    )


def _said(*command: str) -> str:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()


def sections(plan: Plan, folder: Path) -> Iterator[Section]:
    """Every table, as it is ready."""
    app = wsgi.create_app(Settings(env="development", database_url=f"sqlite:///{folder}/none.db", var_dir=folder, rate_limits=False))
    app.config["WTF_CSRF_ENABLED"] = False  # the pages are read here; the visits over HTTP send their tokens
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    with places(folder) as here:
        with visits.open_houses(here) as houses:
            yield visits.measure(houses, plan.rounds, plan.seconds)
            yield clicks.over_http(houses, plan.rounds)
            yield visits.memory(houses)
        yield cpu.measure(app, here, plan.rounds)
        here[SQLITE].connect(here[SQLITE].fresh(), "engine")
        yield clicks.measure(plan.rounds)
        yield from making.measure(here, plan.rounds, plan.orders, plan.jobs, plan.entries)
        database.disconnect()


@click.command("bench")
@click.option("--quick", is_flag=True, help="One short round: whether it runs, not how fast.")
def main(*, quick: bool) -> None:
    """Speed and memory of the house, as medians of interleaved rounds."""
    plan = QUICK if quick else Plan()
    os.environ["SHOP_RATE_LIMITS"] = "off"
    began = time.monotonic()
    click.echo(origin())
    click.echo(f"medians of {plan.rounds} interleaved rounds; loopback only; the visitors share the machine with the house")
    with tempfile.TemporaryDirectory(prefix="bench") as folder:
        for section in sections(plan, Path(folder)):
            click.echo("\n".join(section.lines()))
    click.echo(f"\n{time.monotonic() - began:.0f} seconds")


if __name__ == "__main__":
    main()
