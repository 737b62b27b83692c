"""The parts and their rules as a model file in our language: one option a line, the same text for the same parts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

from configurator.importers.opendb_parts import BOXED_COOLER_MM, Part
from configurator.importers.opendb_prices import BASE, Sold
from configurator.importers.opendb_rules import (
    DRIVES,
    MEMBERSHIPS,
    Parts,
    Sentence,
    asked_values,
    flag_named,
    slot_attributes,
    slot_kinds,
    slots_named,
)
from configurator.language.specification import Text, Value

Line = Mapping[str, object]
"""An option as it stands in the file: key -> value."""
MODEL_ID = "opendb-desktop"
NO_MEMORY_LIMIT_GB = 1_000_000
SOURCE = "BuildCores OpenDB, ODC-By 1.0"
_HEAD = """\
# Build your own desktop: parts of the open parts database, and what must agree between them.
# Contains information from BuildCores OpenDB (https://github.com/buildcores/buildcores-open-db), which is made available
# under the ODC Attribution License 1.0 (https://opendatacommons.org/licenses/by/1-0/).
# Written by `flask model import opendb`: import again rather than edit.
"""


@dataclass(frozen=True, slots=True)
class Heading:
    """A group as the customer meets it."""

    id: str
    name: Text
    section: Text
    none: tuple[Text, Line] | None = None
    """The option that is no part, and what it counts as."""


def _said(en: str, zh: str) -> Text:
    return {"en": en, "zh": zh}


_HEART, _ROOM, _MORE = _said("Performance", "性能"), _said("Case and power", "机箱与电源"), _said("Storage and more", "存储与其他")
_NO_CARD = dict.fromkeys(("length", "slots", "watts", "plugs_8", "plugs_12", "lanes"), 0)
HEADINGS = (
    Heading("cpu", _said("Processor", "处理器"), _HEART),
    Heading("board", _said("Board", "主板"), _HEART),
    Heading("memory", _said("Memory", "内存"), _HEART),
    Heading("graphics", _said("Graphics card", "显卡"), _HEART, (_said("Graphics of the processor", "处理器核显"), _NO_CARD)),
    Heading(
        "cooler", _said("Cooler", "散热器"), _HEART, (_said("From the processor's box", "处理器盒装散热器"), {"height": BOXED_COOLER_MM})
    ),
    Heading("case", _said("Case", "机箱"), _ROOM),
    Heading("power", _said("Power supply", "电源"), _ROOM),
    Heading(DRIVES[0], _said("Drive", "硬盘"), _MORE),
    Heading(DRIVES[1], _said("Second drive", "第二硬盘"), _MORE, (_said("None", "无"), {})),
    Heading("monitor", _said("Monitor", "显示器"), _MORE, (_said("None", "无"), {})),
    Heading("os", _said("Operating system", "操作系统"), _MORE, (_said("None", "无"), {"memory_gb": NO_MEMORY_LIMIT_GB})),
)
NO_PART = {"cooler": "boxed"}
"""The id of the option that is no part, where it is not "none"."""


def no_part(group: str) -> str:
    """The id of a group's option that is no part."""
    return NO_PART.get(group, "none")


def model_text(parts: Parts, rules: Iterable[Sentence], defaults: Mapping[str, str], sold: Mapping[str, Sold] | None) -> str:
    """Write the file. `sold` tells prices by the parts' ids in the database; without it the model is only to be looked at."""
    return "\n".join([_HEAD, _sheet(parts, sold), *_groups(parts, defaults, sold), *(_rule(rule) for rule in rules)])


def _sheet(parts: Parts, sold: Mapping[str, Sold] | None) -> str:
    base = sold[BASE] if sold else Sold("BSE-OPENDB", "0.00", "0.00", 0, "S-CHASSIS", 0)
    number = sum(len(some) for group, some in parts.items() if group != DRIVES[1])
    sheet = {
        "id": MODEL_ID,
        "family": "desktop",
        "name": _said("Build your own desktop", "自选配件台式机"),
        "tagline": _said(
            f"Every part of your choice, and all of them fit. Data of the parts: {SOURCE}",
            f"每个部件由您挑选，件件相配。部件数据：{SOURCE}",
        ),
        "summary": _said(
            f"Choose among {number} parts of many makers. Only what fits together is offered: socket and generation, memory, "
            "lengths and heights, plugs, slots, bays and watts.",
            f"从众多厂商的 {number} 个部件中挑选，只提供彼此相配的：插槽与代次、内存、长度与高度、供电接口、槽位、硬盘位与功耗。",
        ),
        "base_sku": base.sku,
        "base_price": base.price,
        "base_cost": base.cost,
        "base_weight_g": base.weight_g,
        "base_lead_days": base.lead_days,
        "base_supplier": base.supplier,
        "build_days": 5,
        "picture": "hearth-t.svg",
        "unspsc": "43211507",
    }
    facts = (
        (_said("Data of the parts", "部件数据来源"), _said(SOURCE, SOURCE)),
        (_said("Not in the data", "数据未涵盖"), _said("whether a radiator fits the case", "冷排能否装入机箱")),
    )
    lines = ["[model]", *(f"{key} = {_toml(value)}" for key, value in sheet.items())]
    for label, value in facts:
        lines += ["", "[[model.fact]]", f"label = {_toml(label)}", f"value = {_toml(value)}"]
    return "\n".join(lines) + "\n"


def _groups(parts: Parts, defaults: Mapping[str, str], sold: Mapping[str, Sold] | None) -> Iterable[str]:
    for heading in HEADINGS:
        facts = _facts(heading.id, parts)
        lines: list[Line] = []
        if heading.none:
            name, counts = heading.none
            taken = dict.fromkeys(facts.flags, True) if heading.id in NO_PART else {}
            lines.append({"id": no_part(heading.id), **counts, **taken, "name": name})
        for part in parts[heading.id]:
            told = {"name": _said(part.name, part.name), "detail": part.detail}
            lines.append({"id": part.id, **_priced(part, sold), **part.attributes, **facts.of(part), **told})
        yield _group(heading, defaults[heading.id], _short(lines))


@dataclass(frozen=True, slots=True)
class _Facts:
    """What the other groups of a model want to know of the parts of this one."""

    flags: Mapping[str, tuple[str, str]]
    """Attribute -> what is taken, and the value that is asked for."""
    slots: Sequence[tuple[str, ...]]
    """The kinds of M.2 drives that boards count slots for."""

    def of(self, part: Part) -> dict[str, Value]:
        """These facts of one part."""
        facts: dict[str, Value] = {name: value in part.takes[what] for name, (what, value) in self.flags.items()}
        if part.attributes.get("m2"):
            facts[slots_named((str(part.attributes["m2"]),))] = 1
        return facts | slot_attributes(part, self.slots)


def _facts(group: str, parts: Parts) -> _Facts:
    asked = [member for member in MEMBERSHIPS if member.taker == group]
    flags = {flag_named(member, value): (member.what, value) for member in asked for value in asked_values(member, parts)}
    return _Facts(flags, slot_kinds(parts) if group == "board" else ())


def _priced(part: Part, sold: Mapping[str, Sold] | None) -> Line:
    if sold is None:
        return {}
    return asdict(sold[part.key])


def _short(lines: Sequence[Line]) -> Sequence[Line]:
    """Leave out what is no or nothing; in the first option only if another has it, so that each attribute stands once."""
    told = {key for line in lines for key, value in line.items() if not _idle(value)}
    first, *others = lines
    return [
        {key: value for key, value in first.items() if key not in told or not _idle(value)},
        *({key: value for key, value in line.items() if not _idle(value)} for line in others),
    ]


def _idle(value: object) -> bool:
    return value is False or value == ""


def _group(heading: Heading, default: str, lines: Sequence[Line]) -> str:
    top = {"id": heading.id, "name": heading.name, "section": heading.section, "default": default}
    head = ["[[group]]", *(f"{key} = {_toml(value)}" for key, value in top.items()), "option = ["]
    return "\n".join([*head, *(f"  {_toml(line)}," for line in lines), "]", ""])


def _rule(rule: Sentence) -> str:
    lines = ["[[rule]]", f"id = {_toml(rule.id)}", f"source = {_toml(rule.source)}"]
    if rule.when:
        lines.append(f"when = {_toml(rule.when)}")
    return "\n".join([*lines, f"require = {_toml(rule.require)}", f"reason = {_toml(rule.reason)}", ""])


def _toml(value: object) -> str:
    """A value as TOML writes it; JSON's quoted text is TOML's, too."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {_toml(each)}" for key, each in value.items()) + " }"
    return str(value)
