"""`make bench-configurator`: how fast the configurator's engine answers, side by side with solvers doing the same work.

For every model the same clicks are asked of the engine and of PySAT, CP-SAT and CUDD, each in a process of its own that
is ended at a limit. All are measured by their CPU time: each works on one core, and the machine may be busy. Public
models are taken where `../shared/models` is; what they lack in prices and parts is made up.
"""

from __future__ import annotations

import contextlib
import gc
import multiprocessing
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import click
import psutil

from configurator.engine import CannotCompile, Compiled, domains
from configurator.engine.store import save
from tests.bench import configurator_house
from tests.bench.__main__ import origin
from tests.bench.configurator_clicks import Bench, bench_of, engine_times
from tests.bench.configurator_rivals import RIVALS
from tests.bench.figures import at, figure
from tests.builders.proofs import COMPILED, LARGE, SHOP
from tests.conftest import SHARED

ROUNDS = 3
LIMIT, SAMPLES = 1, 10
"""Seconds of CPU, and questions, for a rival and a kind of answer."""
LONG_TO_COMPILE = frozenset({"fiasco.dimacs", *LARGE}) - {"financial-2018-05.uvl"}
"""A minute or more until a diagram or the SAT engine is ready: only when named."""
NOT_BY_CUDD = frozenset(LARGE)
"""Not compiled by CUDD within ten minutes with FORCE and sifting; not tried again here."""
KINDS = ("domains", "counts", "dates", "prices", "repair", "explain")


@dataclass
class Measured:
    """Milliseconds of one answerer by the kind of answer; a kind it did not finish has none, but a limit it passed."""

    times: dict[str, list[float]] = field(default_factory=dict)
    passed: dict[str, float] = field(default_factory=dict)
    start_s: float | None = None

    def told(self, *kinds: str) -> str:
        """The medians added up; "> …" if one of them was not finished, "–" if it can none of them."""
        values = [median(self.times[kind]) if self.times.get(kind) else self.passed.get(kind) for kind in kinds]
        known = [value for value in values if value is not None]
        over = any(kind in self.passed and not self.times.get(kind) for kind in kinds)
        return f"{'> ' if over else ''}{figure(sum(known))}" if known else "–"

    def number(self, *kinds: str) -> float | None:
        """The same as a number, a lower bound where a limit was passed; None if it can none of them."""
        known = [median(self.times[kind]) if self.times.get(kind) else self.passed.get(kind) for kind in kinds]
        return sum(value for value in known if value is not None) or None


# ---------------------------------------------------------------- in a process of its own


def rival_times(name: str, bench: Bench) -> Measured:
    """What a rival needs, each kind of answer in a fork of the process that has read the model."""
    found = Measured()
    if name == "CUDD" and bench.subject.name in NOT_BY_CUDD:
        return found
    began = time.process_time()
    rival = RIVALS[name](bench)
    found.start_s = time.process_time() - began
    for kind, work in rival.works().items():
        _limited(found, kind, lambda work=work: (_timed(work, choices) for choices in bench.clicks[:SAMPLES]))
    for kind, ask in rival.asks().items():
        _limited(found, kind, lambda ask=ask: (_timed(ask, *excluded) for excluded in bench.excluded[:SAMPLES]))
    return found


def _timed(work: object, *arguments: object) -> float:
    assert callable(work)
    began = time.process_time()
    work(*arguments)
    return (time.process_time() - began) * 1000


def _limited(found: Measured, kind: str, samples: object) -> None:
    """Take samples in a fork, which is ended when it has worked for so long."""
    near, far = multiprocessing.Pipe(duplex=False)
    fork = multiprocessing.get_context("fork").Process(target=_send, args=(samples, far))
    fork.start()
    far.close()
    times: list[float] = []
    over = False
    with contextlib.suppress(EOFError, psutil.NoSuchProcess):
        while not over:
            while near.poll(0.1):
                times.append(near.recv())
            over = _cpu_of(fork.pid) >= LIMIT
    fork.kill()
    fork.join()
    near.close()
    found.times[kind] = times
    if over and not times:
        found.passed[kind] = LIMIT * 1000


def _cpu_of(pid: int | None) -> float:
    times = psutil.Process(pid).cpu_times()
    return times.user + times.system


def _send(samples: object, far: Connection) -> None:
    assert callable(samples)
    for each in samples():
        far.send(each)
    far.close()
    os._exit(0)


# ---------------------------------------------------------------- tables


def table(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]], *remarks: str) -> None:
    """Print a table, the first column to the left."""
    widths = [max(len(row[place]) for row in [heads, *rows]) for place in range(len(heads))]
    click.echo(f"\n{title}")
    for row in [heads, *rows]:
        cells = [f"{cell:>{width}}" for cell, width in zip(row, widths, strict=True)]
        click.echo("  " + "  ".join([f"{row[0]:<{widths[0]}}", *cells[1:]]))
    for remark in remarks:
        click.echo(f"  {remark}")


def engine_row(bench: Bench, folder: Path) -> tuple[list[str], dict[str, float]]:
    """One model's sizes and times of the engine: medians over the rounds of each round's percentiles."""
    compiles, percentiles = [bench.compile_s], list[dict[str, float]]()
    gc.collect()
    gc.freeze()  # as the web worker does: the model stays for good
    for turn in range(ROUNDS):
        if turn and bench.compile_s < 3:
            began = time.process_time()
            Compiled(bench.subject.model)
            compiles.append(time.process_time() - began)
        times: dict[str, list[float]] = {}
        for kind, sample in engine_times(bench):
            times.setdefault(kind, []).append(sample)
        for choices in bench.clicks:
            times.setdefault("domains", []).append(_timed(domains, bench.compiled, bench.subject.choices(choices)))
        percentiles.append({f"{kind} {share}": at(share, sorted(each)) for kind, each in times.items() for share in (50, 99)})
    here = {name: median(each[name] for each in percentiles) for name in percentiles[0]}
    path = folder / "diagram"
    save(bench.compiled, path)
    nodes, arcs = (f"{number:,}" for number in bench.compiled.diagram.size)
    if bench.compiled.too_large:
        nodes, arcs = "by SAT", "–"
    counts = [len(bench.subject.asked), len(bench.subject.meanings)]
    sizes = [*map(str, counts), f"{median(compiles):.2f}", nodes, arcs, f"{path.stat().st_size / 1024:,.0f}"]
    names = ["click 50", "click 99", "wall 99", *(f"{kind} {share}" for kind in ("explain", "repair") for share in (50, 99))]
    return [bench.subject.name, *sizes, *(figure(here.get(name)) for name in names)], here


def rival_row(bench: Bench, here: Mapping[str, float], found: Mapping[str, Measured], engine: str, *kinds: str) -> list[str]:
    """The engine and its rivals at one kind of answer, and how many times longer the best rival takes."""
    numbers = [number for each in found.values() if (number := each.number(*kinds))]
    best = f"× {figure(min(numbers) / here[engine])}" if numbers and here.get(engine) else "–"
    return [bench.subject.name, figure(here.get(engine)), *(each.told(*kinds) for each in found.values()), best]


def models(names: Sequence[str]) -> Iterator[Bench]:
    """Every model that is there and compiles; the others are told."""
    for name in names:
        if name not in SHOP and not SHARED.exists():
            continue
        try:
            yield bench_of(name)
        except CannotCompile as error:
            click.echo(f"  {name}: does not compile ({str(error)[:120]})")
        gc.unfreeze()
        gc.collect()


SIZE_HEADS = ("groups", "options", "compile s", "nodes", "arcs", "KB")
ENGINE_HEADS = ("", *SIZE_HEADS, "click p50", "p99", "wall p99", "why p50", "p99", "repair p50", "p99")
SIDE_BY_SIDE = (
    ("Possible options after a click", "domains 50", ("domains",)),
    ("Exact price of every option after a click", "click 50", ("prices",)),
    ("Everything after a click: domains, prices, dates, counts (each rival: what it can)", "click 50", KINDS[:4]),
    ("The least to give up for an option", "repair 50", ("repair",)),
    ("Why an option is out, minimal", "explain 50", ("explain",)),
)


@click.command("bench-configurator")
@click.argument("names", nargs=-1)
@click.option("--alone", is_flag=True, help="The engine only.")
@click.option("--no-house", is_flag=True, help="Without the open house.")
def main(names: Sequence[str], *, alone: bool, no_house: bool) -> None:
    """Speed and size of the configurator's engine, side by side with solvers doing the same work."""
    began = time.monotonic()
    click.echo(origin())
    engine: list[list[str]] = []
    rows: dict[str, list[list[str]]] = {title: [] for title, *_ in SIDE_BY_SIDE}
    starts: list[list[str]] = []
    with TemporaryDirectory(prefix="bench") as folder:
        for bench in models(names or [name for name in (*SHOP, *COMPILED, *LARGE) if name not in LONG_TO_COMPILE]):
            row, here = engine_row(bench, Path(folder))
            engine.append(row)
            if not alone:
                found = {name: rival_times(name, bench) for name in RIVALS}
                starts.append([bench.subject.name, row[3], *(figure(each.start_s) for each in found.values())])
                for title, column, kinds in SIDE_BY_SIDE:
                    rows[title].append(rival_row(bench, here, found, column, *kinds))
        unit = f"milliseconds of CPU; medians of {ROUNDS} rounds"
        table(f"The engine: compile, size, all answers of one click, explanation, repair ({unit})", ENGINE_HEADS, engine)
        if not alone:
            heads = ("", "engine", *RIVALS, "best rival / engine")
            for title, _, _ in SIDE_BY_SIDE:
                table(f"{title} (milliseconds of CPU, medians; “>”: not one was finished in {LIMIT} s)", heads, rows[title])
            table("Seconds of CPU until the first question", ("", "engine", *RIVALS), starts)
        if not no_house:
            house(Path(folder))
    click.echo(f"\n{time.monotonic() - began:.0f} seconds")


def house(folder: Path) -> None:
    """The tables of the open house."""
    place = configurator_house.place_in(folder)
    heads, figures = configurator_house.clicks_over_http(place)
    title = f"A click over HTTP on {configurator_house.MODEL}: one visitor, one worker on one core"
    table(title, ["", *heads], [["the inside of the page", *figures]])
    table("Memory of a web worker, MB", ["", "RSS", "USS", "mapped, shared"], configurator_house.memory(place))


if __name__ == "__main__":
    main()
