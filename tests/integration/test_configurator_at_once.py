"""One compiled model asked by many at once: threads of a web worker, and processes forked after it was compiled."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Sequence
from random import Random

import pytest

from configurator.engine import Compiled, Reason, answer, count_machines, domains, repair
from configurator.language.specification import Model
from tests.builders.machines import make_group, make_model, make_option, make_rule
from tests.builders.oracles import Pair
from tests.builders.oracles_rules import rule_oracle_of
from tests.builders.proofs import broken_explanation, shop

THREADS = 8
FORKS = 2
QUESTIONS = 12

Question = dict[str, str | tuple[str, ...]]
Told = tuple[str, list[tuple[Pair, Reason]]]


def model() -> Model:
    """A model of its own every time: nothing is compiled, found or remembered yet."""
    groups = [make_group(f"g{place}", *(make_option(f"o{n}", 100 * n * place, watts=n * place) for n in range(5))) for place in range(1, 8)]
    pair = make_rule("pair", "g2 is o3 or o4", when="g1 is o2")
    return make_model(groups, [make_rule("power", "sum(watts) <= 50"), pair, make_rule("no", "g7 is not o1", when="g6 is o0")])


def questions(model: Model) -> list[Question]:
    dice = Random(7)
    asked: list[Question] = []
    for _ in range(QUESTIONS):
        groups = dice.sample([group for group in model.groups if group.kind == "one" and not group.hidden], 4)
        asked.append({group.id: dice.choice(group.options).id for group in groups})
    return asked


def told(compiled: Compiled, question: Question) -> Told:
    """Everything the engine says to a question, as text; but for the reasons, of which there may be several right ones."""
    answered = answer(compiled, question)
    said: list[object] = [answered.price.minor, answered.valid, answered.given_up, dict(answered.configuration), answered.machines]
    reasons: list[tuple[Pair, Reason]] = []
    for group in answered.groups.values():
        for option in group.options:
            price = option.price and option.price.minor
            said.append([group.group, option.option, option.chosen, option.possible, price, option.give_up])
            reasons += [((group.group, option.option), option.reason)] if option.reason else []
    wanted = next((group.group, option.option) for group in answered.groups.values() for option in group.options[-1:])
    found = repair(compiled, question, wanted)
    said += [found and (found.price.minor, found.give_up), count_machines(compiled, question)]
    said += [sorted((group, sorted(options)) for group, options in domains(compiled, question).items())]
    return json.dumps(said), reasons


def ask_at_once(compiled: Compiled, asked: Sequence[Question]) -> list[list[Told]]:
    """Every thread asks everything, each beginning elsewhere; the answers in the order of the questions."""
    answers: list[list[Told]] = [[("", [])] * len(asked) for _ in range(THREADS)]
    start = threading.Barrier(THREADS)

    def ask(thread: int) -> None:
        start.wait()
        for turn in range(len(asked)):
            place = (turn + thread * len(asked) // THREADS) % len(asked)
            answers[thread][place] = told(compiled, asked[place])

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def wrong_answers(compiled: Compiled, answers: list[list[Told]], expected: Sequence[str]) -> list[str]:
    """What is not as it would be alone, and every reason that is no minimal conflict of its question's choices."""
    asked = questions(compiled.model)
    wrong = [said for thread in answers for (said, _), right in zip(thread, expected, strict=True) if said != right]
    with rule_oracle_of(compiled.model) as judge:
        seen: set[str] = set()
        for thread in answers:
            for question, (_, reasons) in zip(asked, thread, strict=True):
                for pair, reason in reasons:
                    others = [(group, str(option)) for group, option in question.items() if group != pair[0]]
                    key = repr((pair, reason.choices, [rule.id for rule in reason.rules], others))
                    if key not in seen:
                        seen.add(key)
                        wrong += [f"{key} {what}" for what in [broken_explanation(judge, others, pair, reason)] if what]
    return wrong


@pytest.fixture(params=["small", "hearth-t"])
def fresh(request: pytest.FixtureRequest) -> tuple[Compiled, Compiled]:
    """A model compiled twice: one to be asked alone, one by many."""
    meant = model() if request.param == "small" else shop(request.param).model
    return Compiled(meant), Compiled(meant)


def test_eight_threads_get_the_answers_one_would(fresh: tuple[Compiled, Compiled]) -> None:
    alone, shared = fresh
    asked = questions(alone.model)
    expected = [told(alone, question)[0] for question in asked]
    assert wrong_answers(shared, ask_at_once(shared, asked), expected) == []


def test_two_forked_processes_get_the_answers_one_would(fresh: tuple[Compiled, Compiled]) -> None:
    alone, shared = fresh
    asked = questions(alone.model)
    expected = [told(alone, question)[0] for question in asked]
    told(shared, asked[0])  # something is remembered already when the workers are forked
    children = [_forked(shared, asked, expected) for _ in range(FORKS)]
    assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0] * FORKS


def _forked(shared: Compiled, asked: Sequence[Question], expected: list[str]) -> int:
    """A child that asks with eight threads and ends with 0 if every answer was a right one."""
    child = os.fork()
    if child:
        return child
    wrong = 1
    try:
        wrong = min(1, len(wrong_answers(shared, ask_at_once(shared, asked), expected)))
    finally:
        os._exit(wrong)
