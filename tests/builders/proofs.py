"""Whether the engine is right about a model, told by the oracles: walks of clicks, and what to look at after each.

A subject is a model with the theory that judges it: for a public file the theory read from the file itself, for a model
of our own its rules as the language means them.

A program of anyone else can judge the same without any of this: `flask model replay FILE CLICKS.json` takes a file of
a known format and a list of clicks such as `[{"CONFIG_TAR": "yes"}, {"v3": 2}, {"CONFIG_TAR": null}]` (null takes a
choice back) and prints one JSON object. Its "start" and each of its "clicks" have "domains", for every variable of
the file the values that go with the choices in all other variables; "machines", how many solutions keep the choices
(a string, exact; null where nobody can count them); "chosen"; and "refused" where a click changed nothing. Names and
values are those of the file, "yes" and "no" for features. `flask model stats FILE --json` has the number of solutions
and the cheapest. `prove_replay` in `proving` is such a program in twenty lines.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from random import Random

from configurator.engine import Choices, Compiled, Reason, compile_model
from configurator.importers import Imported, import_any
from configurator.language import read_model
from configurator.language.specification import Group, Model
from configurator.seed import CATALOGUE
from tests.builders.oracles import Assignment, Clauses, Oracle, Pair, RuleOracle, Theory
from tests.builders.oracles_costs import Cheapest
from tests.builders.oracles_files import MODELS, read_theory
from tests.builders.oracles_rules import decisions_of, meanings_of, rule_oracle_of, theory_of

COMPILED = (
    "axTLS.uvl", "berkeleydb.uvl", "busybox-2010-05.uvl", "clib-pc.json", "e-shop.uvl", "fiasco.dimacs", "pc-richmond.dimacs",
    "pc-richmond.featureide-prices.xml", "renault-medium.xcsp21.xml", "uClinux-base.uvl",
)  # fmt: skip
"""Public models of which the counter makes a diagram, too."""
LARGE = ("automotive01.uvl", "ecos-aki3068net.dimacs", "erp-system.uvl", "financial-2018-05.uvl")
SHOP = ("skein-14", "skein-16", "hearth-t", "anvil-w", "rookery-r2")


@dataclass
class Subject:
    """A model, and what its options are in the theory that judges it."""

    name: str
    model: Model
    theory: Theory
    meanings: dict[Pair, Assignment]
    decisions: dict[Pair, str]
    imported: Imported | None = None

    @cached_property
    def compiled(self) -> Compiled:
        return compile_model(self.model)

    @cached_property
    def asked(self) -> list[Group]:
        """The groups a customer is asked for."""
        return [group for group in self.model.groups if not group.hidden]

    @cached_property
    def oracle(self) -> Oracle:
        """Judges by the theory."""
        return Oracle(self.theory, self.meanings, self.decisions)

    @cached_property
    def ever_possible(self) -> frozenset[Pair]:
        """The options that some machine has."""
        return self.oracle.possible([])

    @cached_property
    def clauses(self) -> Clauses:
        """The theory for a MaxSAT solver."""
        return Clauses(self.theory)

    @cached_property
    def rule_oracle(self) -> RuleOracle:
        """Judges explanations: always by the model's own rules."""
        return rule_oracle_of(self.model)

    @cached_property
    def cheapest(self) -> Cheapest:
        """Judges prices by the theory."""
        return Cheapest(self.theory, self.meanings)

    def assignment(self, pairs: Iterable[Pair]) -> dict[str, str]:
        """Options in the terms of the theory."""
        found: dict[str, str] = {}
        for pair in pairs:
            found |= self.meanings[pair]
        return found

    def choices(self, pairs: Iterable[Pair]) -> Choices:
        """Options in the terms of the engine."""
        found: dict[str, str | tuple[str, ...]] = {}
        for group, option in pairs:
            before = found.get(group, ())
            found[group] = option if self.model.by_id[group].kind == "one" else (*before, option)
        return found


def public(name: str) -> Subject:
    """A public model: imported for the engine, read by the oracle's own reader for the judge."""
    imported, theory = import_any(MODELS / name), read_theory(name)
    assert set(imported.names) == set(theory.domains)
    meanings = _meanings(imported)
    return Subject(name, imported.model, theory, meanings, {pair: pair[0] for pair in meanings}, imported)


def _meanings(imported: Imported) -> dict[Pair, Assignment]:
    """Each option of a group that the file knows: the values of all the file's variables that are told by it."""
    meanings: dict[Pair, dict[str, str]] = {}
    for name, original in imported.names.items():
        for value, options in original.values.items():
            for option in options:
                meanings.setdefault((original.group, option), {})[name] = value
    return dict(meanings)


def shop(name: str) -> Subject:
    """A model of our own."""
    model = read_model(Path(CATALOGUE / f"{name}.toml"))
    meanings = meanings_of(model)
    hidden = {group.id for group in model.groups if group.hidden}
    shown = {pair: values for pair, values in meanings.items() if pair[0] not in hidden}
    return Subject(name, model, theory_of(model), shown, decisions_of(model))


def walk(subject: Subject, dice: Random, clicks: int) -> Iterator[tuple[list[Pair], frozenset[Pair]]]:
    """Click so many times on options that are possible; yield the choices and what the oracle says is possible then.

    One click in eight takes a choice back, and one in eight changes it. When all is decided it begins anew.
    """
    choices: list[Pair] = []
    possible = subject.oracle.possible(choices)
    for _ in range(clicks):
        grown = False
        turn = dice.randrange(8)
        if choices and turn == 0:
            choices.remove(dice.choice(choices))
        elif choices and turn == 1:
            changed = dice.choice(choices)
            again = [pair for pair in possible if subject.decisions[pair] == subject.decisions[changed]]
            choices[choices.index(changed)] = dice.choice(sorted(again))
        else:
            grown = _choose(subject, dice, choices, possible)
        possible = subject.oracle.possible(choices, possible if grown else None)
        yield choices, possible


def _choose(subject: Subject, dice: Random, choices: list[Pair], possible: frozenset[Pair]) -> bool:
    """Choose something that leaves an alternative behind, or forget everything; tell whether the choices have grown."""
    own = {subject.decisions[pair] for pair in choices}
    ways: dict[str, list[Pair]] = {}
    for pair in sorted(possible):
        if subject.decisions[pair] not in own:
            ways.setdefault(subject.decisions[pair], []).append(pair)
    still_open = [pairs for pairs in ways.values() if len(pairs) > 1 or subject.model.by_id[pairs[0][0]].kind == "many"]
    if not still_open:
        choices.clear()
        return False
    choices.append(dice.choice(dice.choice(still_open)))
    return True


def broken_explanation(judge: RuleOracle, choices: Sequence[Pair], wanted: Pair | None, reason: Reason) -> str:
    """What is wrong with an explanation: it is no conflict, or one of its choices or rules is not needed; empty if nothing."""
    target = [wanted] if wanted else []
    rules = [rule.id for rule in reason.rules]
    if not set(reason.choices) <= set(choices):
        return f"names choices that were not made: {set(reason.choices) - set(choices)}"
    if judge.some_obeys([*target, *reason.choices], rules):
        return "is no conflict"
    for choice in reason.choices:
        rest = [other for other in reason.choices if other != choice]
        if not judge.some_obeys([*target, *rest], judge.selectors):
            return f"does not need the choice {choice}"
    for rule in rules:
        if not judge.some_obeys([*target, *reason.choices], [other for other in rules if other != rule]):
            return f"does not need the rule {rule}"
    return ""


def impossible(subject: Subject, possible: frozenset[Pair]) -> list[Pair]:
    """The options that some machine has, but none with the choices there are."""
    return [pair for pair in subject.oracle.pairs if pair not in possible and pair in subject.ever_possible]


def contradictory(subject: Subject, dice: Random, number: int) -> list[Pair]:
    """Choices made without looking: each possible alone, most likely not together."""
    alive = sorted(subject.ever_possible)
    chosen = {subject.decisions[pair]: pair for pair in dice.sample(alive, min(number, len(alive)))}
    return list(chosen.values())
