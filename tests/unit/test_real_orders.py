"""Three real orders as models: every line is a choice of its module, "no such thing" is a SKU like any other.

A model is made of each order: a module per line, its option the SKU (with the words that carry limits as attributes), and
the other options a customer of that machine could have taken. The order must come out to the last SKU and number, and
what somebody gets wrong about it must be refused for the right reason.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from configurator.engine import Compiled, answer, compile_model
from configurator.language.specification import Group, Option, Value
from tests.builders.machines import make_group, make_model, make_option, make_rule
from tests.conftest import SHARED

pytestmark = pytest.mark.shared

MODULES: Mapping[str, Mapping[str, str]] = {
    "R340XL": {"cpu": "338-BQPK", "sink": "412-AAPW", "raid": "780-BCDP", "controller": "405-AAMT", "chassis": "321-BDUX",
               "drives": "400-ASHX", "memory": "370-AEKN", "speed": "370-AEKM", "os": "619-ABVR", "media": "605-BBFN",
               "psu": "450-AEUV", "cords": "450-AALV", "tpm": "461-AAEM", "optical": "429-ABBF", "initial": "865-BBQK",
               "extension": "865-BBQL", "install": "900-9997"},
    "R360": {"cpu": "338-CMRB", "sink": "412-BBHK", "raid": "780-BCDQ", "controller": "405-ABCQ", "mechanics": "750-ACFR",
             "chassis": "321-BKHP", "drives": "400-BEFU", "memory": "370-BBKF", "speed": "370-BBKS", "boss": "470-AFBU",
             "tpm": "461-AAIG", "energy": "387-BBEY", "cords": "450-AADY"},
    "XE4SFF": {"cpu": "338-CCYL", "cpu-label": "340-CUEW", "memory": "370-AGFP", "drive": "400-BMWH", "pad": "412-AAQT",
               "screw": "773-BBBC", "graphics": "490-BBFG", "os": "605-BBNY", "media": "620-AAOH", "raid": "817-BBBN",
               "optical": "429-ABKF", "cms": "632-BBBJ", "network": "555-BBJO", "tpm": "329-BBJL", "initial": "199-BINT",
               "extension": "199-BINU", "psu": "329-BJVV"},
}  # fmt: skip
"""The lines that rules speak of, by the module they fill; every other line is a module of its own."""

ALSO: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "R340XL": {
        "cpu": ("80 watts=80", "95 watts=95"),
        "cpu2": ("none", "another"),
        "raid": ("none level=0 least=0", "10 level=10 least=4"),
        "controller": ("none",),
        "drives": ("none", "2 number=2 inches=3", "4 number=4 inches=3", "5 number=5 inches=3", "sff number=3 inches=2"),
        "memory": ("none", "5 number=5", "rdimm number=4 kind='RDIMM'"),
        "os": ("standard",),
        "media": ("kit",),
        "cords": ("none", "1 number=1"),
        "extension": ("none",),
        "initial": ("none",),
    },
    "R360": {
        "cpu": ("95 watts=95",),
        "raid": ("none level=0 least=0", "5 level=5 least=3"),
        "controller": ("none", "rear card=true"),
        "mechanics": ("none",),
        "drives": ("none", "3 number=3", "8 number=8", "9 number=9"),
        "memory": ("none", "5 number=5"),
        "boss": ("card",),
    },
    "XE4SFF": {
        "cpu": ("i7 brand='i7'",),
        "cpu-label": ("i7 brand='i7'",),
        "drive": ("none", "sata m2=0"),
        "pad": ("none",),
        "screw": ("none",),
        "graphics": ("card",),
        "os": ("windows",),
        "media": ("windows",),
        "raid": ("one",),
        "optical": ("dvd",),
        "cms": ("cms",),
        "initial": ("none",),
        "extension": ("none",),
    },
}
"""What else could have been chosen, with the attributes that rules look at."""

FACTS: Mapping[str, Mapping[str, str]] = {
    "R340XL": {"cpu": "watts=71", "sink": "most=80", "raid": "level=5 least=3", "controller": "card=true", "chassis": "bays=4 inches=3",
               "drives": "number=3 inches=3", "memory": "number=4 kind='UDIMM'", "speed": "kind='UDIMM'", "psu": "supplies=2",
               "cords": "number=2", "initial": "months=15", "extension": "months=24"},
    "R360": {"cpu": "watts=55", "sink": "most=80", "raid": "level=10 least=4", "controller": "card=true front=true", "chassis": "bays=8",
             "drives": "number=4", "memory": "number=2"},
    "XE4SFF": {"cpu": "brand='i5' graphics=true", "cpu-label": "brand='i5'", "drive": "m2=1", "initial": "months=15",
               "extension": "months=21"},
}  # fmt: skip
"""What the text of a line says: "(71 W)", "for 80w or less CPU", "up to four Hot Plug Hard Drives"."""

RULES: Mapping[str, tuple[tuple[str, str, str | None], ...]] = {
    "R340XL": (
        ("heat", "cpu.watts <= sink.most", None),
        ("one-socket", "cpu2 is none", None),
        ("raid-drives", "drives.number >= raid.least", None),
        ("raid-controller", "controller.card", "raid.level > 0"),
        ("bays", "drives.number <= chassis.bays", None),
        ("drive-size", "drives.inches = chassis.inches or drives is none", None),
        ("memory-slots", "memory.number >= 1 and memory.number <= 4", None),
        ("memory-kind", "memory.kind = speed.kind or memory is none", None),
        ("media", "media is l605-bbfn", "os is l619-abvr"),
        ("cords", "cords.number = psu.supplies or cords is none", None),
        ("service", "initial.months > 0", "extension.months > 0"),
    ),
    "R360": (
        ("heat", "cpu.watts <= sink.most", None),
        ("raid-drives", "drives.number >= raid.least", None),
        ("raid-controller", "controller.card", "raid.level > 0"),
        ("front-mechanics", "mechanics is l750-acfr", "controller.front"),
        ("bays", "drives.number <= chassis.bays", None),
        ("memory-slots", "memory.number >= 1 and memory.number <= 4", None),
        ("system-drive", "boss is card or drives is not none", None),
    ),
    "XE4SFF": (
        ("label", "cpu-label.brand = cpu.brand", None),
        ("pad", "pad is l412-aaqt", "drive.m2 = 1"),
        ("screw", "screw is l773-bbbc", "drive.m2 = 1"),
        ("picture", "cpu.graphics", "graphics is l490-bbfg"),
        ("media", "media is not windows", "os is l605-bbny"),
        ("no-raid", "raid is l817-bbbn", "drive.m2 = 1"),
        ("disc-software", "cms is l632-bbbj", "optical is l429-abkf"),
        ("service", "initial.months > 0", "extension.months > 0"),
    ),
}
"""(id, require, when)."""


@cache
def orders() -> Mapping[str, Any]:
    return {order["id"]: order for order in json.loads((SHARED / "data" / "dell_orders.json").read_text(encoding="utf-8"))}


def module_of(order: str, sku: str) -> str:
    """The module a line fills; one that no rule speaks of is called after its SKU."""
    return next((module for module, line in MODULES[order].items() if line == sku), f"line-{sku.lower()}")


def option_of(module: str, words: str, *, sku: str | None = None, qty: int = 1) -> Option:
    """Read "4 number=4": the id and the attributes."""
    name, *facts = words.split()
    attributes: dict[str, Value] = {}
    for fact in facts:
        key, _, said = fact.partition("=")
        attributes[key] = said == "true" if said in {"true", "false"} else said[1:-1] if said.startswith("'") else int(said)
    option = make_option(name, sku=sku or f"{module}-{name}", qty=qty)
    return replace(option, attributes={**option.attributes, **attributes})


@cache
def machine(order: str) -> Compiled:
    groups: list[Group] = []
    for line in orders()[order]["lines"]:
        module = module_of(order, line["sku"])
        facts = FACTS[order].get(module, "")
        own = option_of(module, f"l{line['sku'].lower()} {facts}", sku=line["sku"], qty=line["qty"])
        others = [option_of(module, also) for also in ALSO[order].get(module, ("other",))]
        groups.append(make_group(module, *others, own))
    groups += [
        make_group(module, *(option_of(module, also) for also in some))
        for module, some in ALSO[order].items()
        if module not in MODULES[order]
    ]
    rules = [make_rule(rule, require, when=when) for rule, require, when in RULES[order]]
    return compile_model(make_model(groups, rules))


def lines_of(order: str) -> dict[str, str]:
    """The order as choices: the option of every module."""
    return {module_of(order, line["sku"]): f"l{line['sku'].lower()}" for line in orders()[order]["lines"]}


@pytest.mark.parametrize("order", MODULES)
def test_order_is_accepted_and_comes_out_to_the_last_sku_and_number(order: str) -> None:
    chosen = lines_of(order)
    assert len(chosen) == len(orders()[order]["lines"])
    assert set(MODULES[order].values()) <= {line["sku"] for line in orders()[order]["lines"]}

    answered = answer(machine(order), chosen)
    assert answered.valid
    assert {module: answered.configuration[module] for module in chosen} == {module: (option,) for module, option in chosen.items()}
    bought = Counter({line["sku"]: line["qty"] for line in orders()[order]["lines"]})
    model = machine(order).model
    taken: Counter[str] = Counter()
    for module in chosen:
        for part in model.by_id[module].by_id[answered.configuration[module][0]].parts:
            taken[part.sku] += part.qty
    assert taken == bought


def test_no_is_a_sku_of_its_own_and_the_second_processor_a_module_of_its_own() -> None:
    said = {line["sku"]: line["description"] for order in orders().values() for line in order["lines"]}
    none = {
        sku for sku, words in said.items() if re.match(r"no\b|.*\bnot (selected|included)|.*\bblank\b|.*declined", words, re.IGNORECASE)
    }
    assert {"619-ABVR", "605-BBFN", "470-AFBU", "817-BBBN", "429-ABKF", "900-9997"} <= none
    assert [group.id for group in machine("R340XL").model.groups if group.id.startswith("cpu")] == ["cpu", "cpu2"]


MUTATIONS: tuple[tuple[str, Mapping[str, str], str], ...] = (
    ("R340XL", {"cpu": "95"}, "heat"),
    ("R340XL", {"cpu2": "another"}, "one-socket"),
    ("R340XL", {"drives": "2"}, "raid-drives"),
    ("R340XL", {"drives": "none"}, "raid-drives"),
    ("R340XL", {"raid": "10"}, "raid-drives"),
    ("R340XL", {"controller": "none"}, "raid-controller"),
    ("R340XL", {"drives": "5"}, "bays"),
    ("R340XL", {"drives": "sff"}, "drive-size"),
    ("R340XL", {"memory": "5"}, "memory-slots"),
    ("R340XL", {"memory": "none"}, "memory-slots"),
    ("R340XL", {"memory": "rdimm"}, "memory-kind"),
    ("R340XL", {"media": "kit"}, "media"),
    ("R340XL", {"cords": "1"}, "cords"),
    ("R340XL", {"initial": "none"}, "service"),
    ("R360", {"cpu": "95"}, "heat"),
    ("R360", {"drives": "3"}, "raid-drives"),
    ("R360", {"controller": "none"}, "raid-controller"),
    ("R360", {"mechanics": "none"}, "front-mechanics"),
    ("R360", {"drives": "9"}, "bays"),
    ("R360", {"memory": "5"}, "memory-slots"),
    ("R360", {"raid": "none", "drives": "none"}, "system-drive"),
    ("XE4SFF", {"cpu-label": "i7"}, "label"),
    ("XE4SFF", {"pad": "none"}, "pad"),
    ("XE4SFF", {"screw": "none"}, "screw"),
    ("XE4SFF", {"cpu": "i7", "cpu-label": "i7"}, "picture"),
    ("XE4SFF", {"media": "windows"}, "media"),
    ("XE4SFF", {"raid": "one"}, "no-raid"),
    ("XE4SFF", {"cms": "cms"}, "disc-software"),
    ("XE4SFF", {"initial": "none"}, "service"),
)


@pytest.mark.parametrize(("order", "changed", "rule"), MUTATIONS, ids=lambda value: value if isinstance(value, str) else "-".join(value))
def test_changed_order_is_refused_for_the_right_reason(order: str, changed: Mapping[str, str], rule: str) -> None:
    refused = answer(machine(order), {**lines_of(order), **changed})
    assert not refused.valid
    assert refused.conflict is not None
    assert [each.id for each in refused.conflict.rules] == [rule]
    assert any(choice in refused.conflict.choices for choice in changed.items())


@pytest.mark.parametrize(
    ("order", "changed"),
    [
        ("R340XL", {"cpu": "80"}),
        ("R340XL", {"drives": "4", "raid": "10"}),
        ("R340XL", {"raid": "none", "controller": "none", "drives": "2"}),
        ("R340XL", {"initial": "none", "extension": "none"}),
        ("R360", {"drives": "8"}),
        ("R360", {"raid": "none", "drives": "none", "boss": "card"}),
        ("XE4SFF", {"drive": "sata", "pad": "none", "screw": "none", "raid": "one"}),
        ("XE4SFF", {"optical": "dvd", "cms": "cms"}),
    ],
)
def test_order_changed_with_sense_is_accepted(order: str, changed: Mapping[str, str]) -> None:
    assert answer(machine(order), {**lines_of(order), **changed}).valid
