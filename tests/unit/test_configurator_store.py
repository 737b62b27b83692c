"""A compiled model in a file: the same answers as before, never a half or a wrong one, shared by threads and processes."""

from __future__ import annotations

import datetime as dt
import json
import multiprocessing
import os
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import assume, given, settings

from configurator.engine import Answer, CannotCompile, Choices, Compiled, answer, compile_model, compile_stored, count_machines, store
from configurator.engine.compilation import by_solver
from configurator.engine.store import VERSION, Unusable, file_name, load, save
from configurator.language.specification import Model, Option
from fulfillment.kernel.money import Money
from tests.builders.brute_force import bundled, lenient, look_at_everything, questions
from tests.builders.machines import make_group, make_model, make_option, make_rule

BOX = make_model(
    [
        make_group("cpu", *(make_option(f"c{number}", number * 1000, sku=f"CPU-{number}", watts=number) for number in range(20))),
        make_group("gpu", *(make_option(f"g{number}", number * 700, watts=number * 3) for number in range(20))),
        make_group("color", make_option("grey"), make_option("red")),
    ],
    [make_rule("watts", "sum(watts) <= 40"), make_rule("fit", "gpu is not g1", when="cpu is c1 or c2")],
)


def told(answered: Answer) -> object:
    return [
        (group.group, group.chosen, [(one.option, one.possible, one.price, one.changes) for one in group.options])
        for group in answered.groups.values()
    ]


@settings(parent=lenient, max_examples=20)
@given(questions(bundled()))
def test_stored_model_answers_as_the_compiled_one(tmp_path_factory: pytest.TempPathFactory, question: tuple[Model, Choices]) -> None:
    model, choices = question
    assume(look_at_everything(model).machines)
    path = tmp_path_factory.mktemp("compiled") / "model"
    compiled = compile_model(model)
    save(compiled, path)
    stored = load(model, path)
    assert told(answer(stored, choices)) == told(answer(compiled, choices))
    assert count_machines(stored, choices) == count_machines(compiled, choices)


def test_file_is_mapped_and_not_to_be_written(tmp_path: Path) -> None:
    compile_stored(BOX, tmp_path)
    stored = load(BOX, tmp_path / file_name(BOX))
    assert not stored.arcs.src.flags.owndata
    assert not stored.arcs.src.flags.writeable
    assert [path.name for path in tmp_path.iterdir()] == [file_name(BOX)]


def _cut(whole: bytes) -> bytes:
    return whole[:-1]


def _flip(whole: bytes) -> bytes:
    return whole[:-1] + bytes([whole[-1] ^ 1])


def _newer(whole: bytes) -> bytes:
    return whole.replace(f'{{"version": {VERSION},'.encode(), b'{"version": 999,', 1)


def _empty(whole: bytes) -> bytes:
    return whole[:0]


def _moved(whole: bytes) -> bytes:
    return re.sub(rb'("node_starts": \["<i)\d', rb"\g<1>2", whole, count=1)


def _unsigned(whole: bytes) -> bytes:
    return whole.replace(b'"sha256"', b'"sha255"', 1)


@pytest.mark.parametrize("harm", [_cut, _flip, _newer, _empty, _moved, _unsigned])
def test_damaged_file_is_as_good_as_none(tmp_path: Path, harm: Callable[[bytes], bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / file_name(BOX)
    compile_stored(BOX, tmp_path)
    whole = path.read_bytes()
    assert harm(whole) != whole
    path.write_bytes(harm(whole))
    with pytest.raises(Unusable):
        load(BOX, path)
    compiled: list[Model] = []

    def compile_anew(model: Model) -> Compiled:
        compiled.append(model)
        return compile_model(model)

    monkeypatch.setattr(store, "compile_model", compile_anew)
    assert answer(compile_stored(BOX, tmp_path), {}).price == Money(50_000)
    assert compiled == [BOX]
    assert path.read_bytes() == whole
    compile_stored(BOX, tmp_path)
    assert compiled == [BOX]


def test_file_of_another_model_is_not_taken(tmp_path: Path) -> None:
    path = tmp_path / "model"
    save(compile_model(BOX), path)
    for other in (replace(BOX, rules=BOX.rules[:1]), replace(BOX, groups=BOX.groups[:2]), replace(BOX, content_hash="another")):
        with pytest.raises(Unusable, match="another model"):
            load(other, path)
    header = json.loads(path.read_bytes().partition(b"\n")[0])
    assert header["model"] == store.fingerprint(BOX)


def test_file_that_cannot_be_written_costs_nothing_but_time(tmp_path: Path) -> None:
    (tmp_path / "compiled").write_text("a file where the folder should be", "utf-8")
    assert count_machines(compile_stored(BOX, tmp_path / "compiled"), {"cpu": "c1"}) == 2 * 13


def test_kill_while_writing_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / file_name(BOX)
    compile_stored(BOX, tmp_path)
    before = path.read_bytes()

    def killed(_descriptor: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", killed)
    with pytest.raises(KeyboardInterrupt):
        save(compile_model(BOX), path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def _prices(cpu: str) -> list[Money | None]:
    answered = answer(_shared, {"cpu": cpu}, limit=Money(70_000))
    return [option.price for option in answered.groups["gpu"].options]


_shared = compile_model(BOX)


def test_threads_and_forks_share_a_compiled_model() -> None:
    asked = [f"c{number}" for number in range(20)]
    expected = [_prices(cpu) for cpu in asked]
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(_prices, asked)) == expected
    with multiprocessing.get_context("fork").Pool(2) as forks:
        assert forks.map(_prices, asked) == expected


def test_values_that_behave_alike_are_one_class() -> None:
    sizes = {"big": 2_000, "small": 40}

    def option(name: str, number: int) -> Option:
        return make_option(f"{name}{number}", number, sku=f"{name}-{number}", socket="AB"[number % 2])

    groups = [make_group(name, *(option(name, number) for number in range(size))) for name, size in sizes.items()]
    compiled = compile_model(make_model(groups, [make_rule("fit", "big.socket = small.socket")]))
    assert compiled.diagram.size == (3, 4)
    assert count_machines(compiled, {}) == 2 * 1_000 * 20
    day = dt.date(2026, 1, 1)
    dates = dict.fromkeys(["BSE-TEST", *(f"{name}-{number}" for name, size in sizes.items() for number in range(size))], day)
    options = answer(compiled, {"small": "small1"}, dates).groups["big"].options
    assert [option.possible for option in options[:4]] == [False, True, False, True]
    assert options[1_999].price == Money(50_000 + 1 + 1_999)


def test_counts_of_any_size_are_exact() -> None:
    groups = [make_group(f"g{number}", *(make_option(f"o{value}") for value in range(37))) for number in range(70)]
    rules = [make_rule(f"r{number}", f"g{number + 1} is not o0", when=f"g{number} is o0") for number in range(69)]
    machines = {True: 1, False: 36}
    for _ in rules:
        machines = {True: machines[False], False: 36 * (machines[False] + machines[True])}
    assert sum(machines.values()) > 10**100
    assert count_machines(compile_model(make_model(groups, rules)), {}) == sum(machines.values())
    assert count_machines(compile_model(make_model(groups)), {"g0": "o1"}) == 37**69


def test_model_of_a_million_values_is_refused_before_any_work() -> None:
    group = make_group("huge", make_option("o"))
    huge = replace(group, options=group.options * 1_000_000)
    with pytest.raises(CannotCompile, match=r"1,000,000 options.*more than 200,000"):
        compile_model(make_model([huge]))


def test_model_too_large_for_a_diagram_stays_so_in_its_file(tmp_path: Path) -> None:
    large = by_solver(BOX, "watts reach across everything")
    save(large, tmp_path / file_name(BOX))
    again = compile_stored(BOX, tmp_path)
    assert again.too_large == "watts reach across everything"
    assert not answer(again, {"cpu": "c1"}).groups["gpu"].option("g1").possible
