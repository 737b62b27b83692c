"""The configurator at an open house: a click over HTTP on one core, and what the released models weigh in a web worker."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from random import Random
from urllib.parse import urlencode

import click
import psutil

import wsgi
from configurator.engine import answer
from configurator.language.specification import Model
from configurator.releasing import released, released_models
from fulfillment.kernel import db as database
from fulfillment.kernel.settings import Settings, use
from storefront.demo.house import House
from tests.bench.figures import SQLITE, at
from tests.bench.load import Visitor
from tests.bench.places import Place

WARM, VISITS = 20, 400
"""Clicks before the measurement, and in it."""
MODEL = "rookery-r2"
"""The largest of the shop."""


def clicks_over_http(place: Place) -> tuple[list[str], list[str]]:
    """Percentiles of the page's inside after a click, and how large it is; one visitor, one worker, each on a core of its own."""
    with House(place.settings(place.fresh(), "house"), 0, web=1, workers=1) as house:
        web = psutil.Process(house.children["web"].pid)
        cores = _pin(web, [psutil.Process(child.pid) for child in house.children.values() if child.pid != web.pid])
        database.connect(house.settings.database_url)
        (model,) = (each for each in released_models() if each.id == MODEL)
        visitor = Visitor(house.url)
        form = visitor.form(f"/configure/{MODEL}", "/configure/", "get")
        fixed = [(name, value) for name, value in form.values if name not in {"csrf_token", "press", "quantity"}]
        dice, times, sizes, spent = Random(1), list[float](), list[float](), 0.0
        for number in range(WARM + VISITS):
            if number == WARM:
                spent, times, sizes = _cpu_seconds(web), [], []
            address = f"/configure/{MODEL}?{_choosing(model, fixed, dice)}"
            began = time.perf_counter()
            told = visitor.ask(address, HX_Request="true")
            times.append((time.perf_counter() - began) * 1000)
            sizes.append(len(told.body) / 1024)
            if told.status != 200:
                raise RuntimeError(f"{address} answered {told.status}")
        spent = (_cpu_seconds(web) - spent) / VISITS * 1000
        psutil.Process().cpu_affinity(cores)
        database.disconnect()
    times.sort()
    figures = [f"{at(50, times):.1f}", f"{at(99, times):.1f}", f"{spent:.1f}", f"{sum(sizes) / len(sizes):.1f}"]
    return ["p50 ms", "p99 ms", "CPU ms", "KB packed"], figures


def _cpu_seconds(process: psutil.Process) -> float:
    """What a server and its workers have worked so far."""
    each = [one.cpu_times() for one in (process, *process.children(recursive=True))]
    return sum(times.user + times.system for times in each)


def _choosing(model: Model, fixed: Sequence[tuple[str, str]], dice: Random) -> str:
    """The form with some options chosen before and one clicked now, any of them possible or not."""
    ones = [group for group in model.groups if group.kind == "one" and not group.hidden]
    groups = dice.sample(ones, 1 + dice.randrange(5))
    clicked = {group.id: dice.choice(group.options).id for group in groups}
    own = ",".join(list(clicked)[1:])
    values = [(name, value) for name, value in fixed if name not in clicked and name != "own"]
    return urlencode([("own", own), *values, *clicked.items()])


def _pin(web: psutil.Process, others: Sequence[psutil.Process]) -> list[int]:
    """Give the web server one core, and the rest of the house and this process the others, where there are some; all there are."""
    cores = psutil.Process().cpu_affinity()
    if len(cores) > 1:
        for each in (web, *web.children(recursive=True)):
            each.cpu_affinity(cores[:1])
        for each in (psutil.Process(), *others):
            each.cpu_affinity(cores[1:])
    return list(cores)


def memory(place: Place) -> list[list[str]]:
    """Megabytes of a process that has the application only, and of one that has also asked every released model."""
    url = place.fresh()
    settings = place.settings(url, "weighed")
    rows = []
    titles = {"nothing": "without models", "models": "with all released models"}
    for what in ("models", "nothing", "models"):  # the first compiles and writes the files
        command = [sys.executable, "-m", "tests.bench.configurator_house", url, str(settings.var_dir), what]
        said = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[-1])
        rows.append([titles[what], *(f"{said[name]:.1f}" for name in ("rss", "uss", "shared"))])
    return rows[1:]


def weigh(url: str, folder: str, what: str) -> None:
    """Be such a process, and say what it weighs."""
    settings = Settings(env="development", database_url=url, var_dir=Path(folder), rate_limits=False)
    use(settings)
    wsgi.create_app(settings)
    database.connect(url)
    if what == "models":
        for model in released_models():
            answer(released(model.id).compiled, {})
    held = psutil.Process().memory_full_info()
    files = [mapped for mapped in psutil.Process().memory_maps() if mapped.path.endswith(".diagram")]
    shared = sum(mapped.rss for mapped in files)
    click.echo(json.dumps({"rss": held.rss / 2**20, "uss": held.uss / 2**20, "shared": shared / 2**20}))


def place_in(folder: Path) -> Place:
    """A seeded house on SQLite."""
    (folder / SQLITE).mkdir()
    place = Place(SQLITE, folder / SQLITE)
    use(place.settings("", "seed"))
    place.seed()
    return place


if __name__ == "__main__":
    weigh(*sys.argv[1:4])
