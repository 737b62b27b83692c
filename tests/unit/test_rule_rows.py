"""Every row of the table of real configuration rules is enforced: by a rule of the catalogue, or by a small model here.

`source` of a catalogue's rule names the row it comes from. The rows our machines have no use for are each a model of
a few groups, with a machine that the rule lets through and one that it refuses.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache

import pytest

from configurator.engine import answer, compile_model
from configurator.language import read_model
from configurator.language.specification import Group, Model, Rule, Value
from configurator.seed import model_files
from tests.builders.machines import make_group, make_model, make_option, make_rule
from tests.conftest import SHARED

Chosen = Mapping[str, str]


@dataclass(frozen=True)
class Example:
    """A rule with the groups it speaks of; the machines differ in one choice where that shows it best."""

    require: str
    groups: Mapping[str, str]
    """Group -> its options, "a; b gb=4; c"."""
    accepted: Chosen
    refused: Chosen
    when: str | None = None


SMALL: Mapping[str, Example] = {
    "L13": Example(
        "drive is none",
        {"board": "plain; emmc soldered=true", "drive": "m2; none"},
        {"board": "plain", "drive": "m2"},
        {"board": "emmc", "drive": "m2"},
        when="board.soldered",
    ),
    "D2": Example(
        "os is home or pro or education or ubuntu22",
        {"machine": "micro; tower", "os": "pro; home; education; ubuntu22; ubuntu20; server"},
        {"machine": "micro", "os": "ubuntu22"},
        {"machine": "micro", "os": "ubuntu20"},
        when="machine is micro",
    ),
    "D5": Example(
        "os.bits = 64",
        {"memory": "m4 gb=4; m8 gb=8", "os": "old bits=32; new bits=64"},
        {"memory": "m4", "os": "old"},
        {"memory": "m8", "os": "old"},
        when="memory.gb > 4",
    ),
    "S2": Example(
        "first.width = second.width",
        {"server": "r740; r7425", "first": "x4 width=4; x8 width=8", "second": "y4 width=4; y8 width=8"},
        {"server": "r740", "first": "x4", "second": "y8"},
        {"server": "r7425", "first": "x4", "second": "y8"},
        when="server is r7425",
    ),
    "S3": Example(
        "sum(dimms) <= 12 * sum(processors)",
        {"cpus": "one processors=1; two processors=2", "memory": "d12 dimms=12; d13 dimms=13; d24 dimms=24"},
        {"cpus": "two", "memory": "d24"},
        {"cpus": "one", "memory": "d13"},
    ),
    "S4": Example(
        "speed.mts <= first.mts and speed.mts <= second.mts",
        {"first": "fast mts=2933; slow mts=2400", "second": "quick mts=2933; late mts=2400", "speed": "s24 mts=2400; s29 mts=2933"},
        {"first": "fast", "second": "quick", "speed": "s29"},
        {"first": "fast", "second": "late", "speed": "s29"},
    ),
    "S6": Example(
        "white.gb >= black.gb and (white.gb > 0 or black.gb = 0)",
        {"white": "w0 gb=0; w16 gb=16; w32 gb=32", "black": "b0 gb=0; b16 gb=16; b32 gb=32"},
        {"white": "w32", "black": "b16"},
        {"white": "w16", "black": "b32"},
    ),
    "S8": Example(
        "sum(kind) <= 2",
        {"small": "none; some kind=1", "middle": "nil; part kind=1", "large": "zero; any kind=1"},
        {"small": "some", "middle": "part", "large": "zero"},
        {"small": "some", "middle": "part", "large": "any"},
    ),
    "S9": Example(
        "memory.ecc and memory.type = 'UDIMM' and memory.modules <= 4",
        {"memory": "u4 type='UDIMM' ecc=true modules=4; u5 type='UDIMM' ecc=true modules=5; r2 type='RDIMM' ecc=true modules=2"},
        {"memory": "u4"},
        {"memory": "u5"},
    ),
    "S10": Example(
        "third is none",
        {"first": "dual ranks=2; quad ranks=4", "third": "none; some"},
        {"first": "dual", "third": "some"},
        {"first": "quad", "third": "some"},
        when="first.ranks = 4",
    ),
    "S11": Example(
        "wanted.gb * memory.ranks <= memory.gb * (memory.ranks - 1)",
        {"memory": "sixteen4 gb=64 ranks=4; sixteen2 gb=64 ranks=2", "wanted": "u32 gb=32; u48 gb=48", "mode": "plain; sparing"},
        {"memory": "sixteen4", "wanted": "u48", "mode": "sparing"},
        {"memory": "sixteen2", "wanted": "u48", "mode": "sparing"},
        when="mode is sparing",
    ),
    "S19": Example(
        "gpus.single <= 4 and gpus.double <= 2 and riser2.length = 'half'",
        {
            "nvdimm": "no; battery",
            "gpus": "s4 single=4 double=0; s6 single=6 double=0; d2 single=0 double=2; d3 single=0 double=3",
            "riser2": "half length='half'; full length='full'",
        },
        {"nvdimm": "battery", "gpus": "d2", "riser2": "half"},
        {"nvdimm": "battery", "gpus": "d3", "riser2": "half"},
        when="nvdimm is battery",
    ),
    "S29": Example(
        "gpus.double <= 3 and gpus.low <= 8 and gpus.single <= 4",
        {"gpus": "d3 double=3 low=0 single=0; d4 double=4 low=0 single=0; l8 double=0 low=8 single=0; s5 double=0 low=0 single=5"},
        {"gpus": "l8"},
        {"gpus": "d4"},
    ),
    "S30": Example(
        "serial is none or serial is slot6",
        {"gpu": "single; double", "serial": "none; slot3; slot6"},
        {"gpu": "double", "serial": "slot6"},
        {"gpu": "double", "serial": "slot3"},
        when="gpu is double",
    ),
    "S31": Example(
        "cable is auxiliary",
        {"gpu": "t4 watts=70; a100 watts=250", "cable": "none; auxiliary"},
        {"gpu": "t4", "cable": "none"},
        {"gpu": "a100", "cable": "none"},
        when="gpu.watts > 75",
    ),
    "S32": Example(
        "cpu.tdp <= cooling.tdp and memory.gb <= cooling.gb and site.celsius <= cooling.celsius",
        {
            "cpu": "c165 tdp=165; c210 tdp=210; c350 tdp=350",
            "cooling": "standard tdp=165 gb=64 celsius=45; mixed tdp=210 gb=128 celsius=45; performance tdp=350 gb=256 celsius=35",
            "memory": "m64 gb=64; m128 gb=128; m256 gb=256",
            "site": "cool celsius=35; warm celsius=45",
        },
        {"cpu": "c350", "cooling": "performance", "memory": "m256", "site": "cool"},
        {"cpu": "c350", "cooling": "performance", "memory": "m256", "site": "warm"},
    ),
    "S33": Example(
        "(cpu.tdp <= 155 or sink is performance) and fans.number = 4 + 2 * cpus.number",
        {
            "cpu": "c155 tdp=155; c180 tdp=180",
            "sink": "standard; performance",
            "cpus": "one number=1; two number=2",
            "fans": "six number=6; eight number=8",
        },
        {"cpu": "c180", "sink": "performance", "cpus": "two", "fans": "eight"},
        {"cpu": "c180", "sink": "standard", "cpus": "two", "fans": "eight"},
    ),
    "S35": Example(
        "set.disks <= 32 and (level.growing or grown is no)",
        {"set": "d32 disks=32; d33 disks=33", "level": "five growing=true; ten growing=false", "grown": "no; yes"},
        {"set": "d32", "level": "five", "grown": "yes"},
        {"set": "d32", "level": "ten", "grown": "yes"},
    ),
    "S40": Example(
        "count(boss) + count(tpm) + count(raid) = 3",
        {"boss": "blank qty=1; card qty=1; missing", "tpm": "none qty=1; v2 qty=1", "raid": "none qty=1; perc qty=1"},
        {"boss": "blank", "tpm": "none", "raid": "none"},
        {"boss": "missing", "tpm": "none", "raid": "none"},
    ),
    "S41": Example(
        "memory.type = 'RDIMM' and memory.modules <= 32 and gpus.number <= 2 and gpus.watts <= 75 and rear.bays <= 2",
        {
            "memory": "r32 type='RDIMM' modules=32; l8 type='LRDIMM' modules=8",
            "gpus": "two75 number=2 watts=75; three75 number=3 watts=75; one150 number=1 watts=150",
            "rear": "two bays=2; four bays=4",
        },
        {"memory": "r32", "gpus": "two75", "rear": "two"},
        {"memory": "r32", "gpus": "one150", "rear": "two"},
    ),
    "S42": Example(
        "lom is card or ocp is card",
        {"lom": "none; card", "ocp": "none; card"},
        {"lom": "card", "ocp": "card"},
        {"lom": "none", "ocp": "none"},
    ),
    "O3": Example(
        "memory.gb <= 4",
        {"os": "client32 bits=32; client64 bits=64", "memory": "m4 gb=4; m8 gb=8"},
        {"os": "client64", "memory": "m8"},
        {"os": "client32", "memory": "m8"},
        when="os.bits = 32",
    ),
}


def group_of(name: str, options: str) -> Group:
    """Read "a; b gb=4; c type='RDIMM'"."""
    made = []
    for words in (option.split() for option in options.split(";")):
        attributes = dict(word.split("=") for word in words[1:])
        qty = int(attributes.pop("qty", 0))
        option = make_option(words[0], sku=f"{name}-{words[0]}" if qty else None)
        made.append(replace(option, attributes={**option.attributes, **{key: value(text) for key, text in attributes.items()}}))
    return make_group(name, *made)


def value(text: str) -> Value:
    if text in {"true", "false"}:
        return text == "true"
    return text[1:-1] if text.startswith("'") else int(text)


@cache
def catalogue() -> tuple[Model, ...]:
    return tuple(read_model(path) for path in model_files())


def in_catalogue(row: str) -> list[tuple[Model, Rule]]:
    return [(model, rule) for model in catalogue() for rule in model.rules if rule.source == row]


def rows() -> list[dict[str, str]]:
    with (SHARED / "data" / "rules.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.shared
def test_each_of_the_88_rows_is_a_rule_of_the_catalogue_or_a_model_here() -> None:
    known = [row["id"] for row in rows()]

    assert len(known) == len(set(known)) == 88
    assert [row for row in known if not in_catalogue(row) and row not in SMALL] == []
    assert SMALL.keys() <= set(known)
    assert [row for row in SMALL if in_catalogue(row)] == []


@pytest.mark.parametrize("row", SMALL)
def test_row_that_no_machine_of_ours_needs_is_enforced_in_a_small_model(row: str) -> None:
    example = SMALL[row]
    groups = [group_of(name, options) for name, options in example.groups.items()]
    compiled = compile_model(make_model(groups, [make_rule(row, example.require, when=example.when)]))

    accepted = answer(compiled, example.accepted)
    assert accepted.valid
    assert {group: accepted.configuration[group] for group in example.accepted} == {g: (o,) for g, o in example.accepted.items()}
    refused = answer(compiled, example.refused)
    assert not refused.valid
    assert refused.conflict is not None
    assert [rule.id for rule in refused.conflict.rules] == [row]
    assert set(refused.conflict.choices) <= set(example.refused.items())
