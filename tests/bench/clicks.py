"""The configurator: compiling each model, answering a click in the engine, and the whole click over HTTP."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from random import Random
from urllib.parse import urlencode

from configurator.engine import answer
from configurator.engine.compilation import Compiled
from configurator.releasing import released_models
from configurator.service import part_dates
from fulfillment.kernel.db import reading
from storefront.demo.house import House
from storefront.demo.story import forms_of
from tests.bench.figures import Section, as_word, at
from tests.bench.load import Visitor

CLICKS = 60
WALK = 6
"""Choices that a visitor makes before he begins anew."""


def measure(rounds: int) -> Section:
    """Every model, round by round; the clicks are random options, possible or not."""
    section = Section("The engine: one click answers every option of the model", ["compile s", "click p50 ms", "click p99 ms"])
    with reading() as session:
        dates = {model.id: part_dates(session, model) for model in released_models()}
    for turn in range(rounds):
        for model in released_models():
            began = time.perf_counter()
            compiled = Compiled(model)
            seconds = time.perf_counter() - began
            dice, times = Random(turn), []
            choices: dict[str, tuple[str, ...]] = {}
            for number in range(CLICKS):
                group = dice.choice([group for group in model.groups if group.kind == "one"])
                choices = {**(choices if number % WALK else {}), group.id: (dice.choice(group.options).id,)}
                began = time.perf_counter()
                answer(compiled, choices, dates[model.id])
                times.append((time.perf_counter() - began) * 1000)
            times.sort()
            section.note(model.id, compile_s=seconds, click_p50_ms=at(50, times), click_p99_ms=at(99, times))
    return section


BUDGET = 25
"""Milliseconds that the 99th of a hundred clicks may take."""
CLICKABLE = re.compile(r'<input type="radio" name="([^"]+)" value="([^"]+)" id="[^"]+">')


def over_http(houses: Mapping[str, House], rounds: int) -> Section:
    """A visitor alone clicks on random options that can be had; every answer is the inside of the page with everything updated."""
    columns = [f"{name} {what}" for name in houses for what in ("p50", "p99")]
    section = Section(f"A click over HTTP, one visitor (milliseconds; budget: p99 {BUDGET})", columns)
    for turn in range(rounds):
        for model in released_models():
            for name, house in houses.items():
                times = sorted(_clicks(Visitor(house.url), f"/configure/{model.id}", Random(turn)))
                section.note(model.id, **{as_word(f"{name} p50"): at(50, times), as_word(f"{name} p99"): at(99, times)})
    return section


def _clicks(visitor: Visitor, path: str, dice: Random) -> Iterator[float]:
    """Milliseconds of each click of a walk."""
    page = visitor.ask(path).text
    for number in range(CLICKS):
        if number % WALK == 0:
            page = visitor.ask(path).text
        form = next(form for form in forms_of(page) if "own" in dict(form.values))
        group, option = dice.choice(CLICKABLE.findall(page))
        sent = [(name, value) for name, value in form.values if name != group] + [(group, option)]
        began = time.perf_counter()
        answer = visitor.ask(f"{path}?{urlencode(sent)}", HX_Request="true")
        yield (time.perf_counter() - began) * 1000
        if answer.status != 200:
            raise RuntimeError(f"{path} answered {answer.status} to {group}={option}")
        page = answer.text
