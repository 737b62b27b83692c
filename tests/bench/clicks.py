"""The engine behind the configurator: compiling each model, and answering a click."""

from __future__ import annotations

import time
from random import Random

from configurator.engine import answer
from configurator.engine.compilation import Compiled
from configurator.releasing import released_models
from configurator.service import part_dates
from fulfillment.kernel.db import reading
from tests.bench.figures import Section, at

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
