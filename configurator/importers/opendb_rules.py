"""What must agree between the parts of a desktop, as comparisons of their attributes.

A comparison of two numbers or texts is one rule. Where a part goes with several things (a cooler with many sockets),
each thing is a yes-or-no attribute of the part, and one rule for each asks for it. Sources are rows of the rule table.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from configurator.importers.opendb_parts import Part
from configurator.language.specification import Text, Value

Parts = Mapping[str, Sequence[Part]]
"""The parts of each group."""

DRIVES = ("drive", "drive2")
"""The groups that hold drives: one to start from, and another."""
_IN_DRIVES = ", ".join(DRIVES)
HEADROOM, REST_WATTS = "1.2", 100
"""A fifth in reserve for peaks, over what processor and card draw; board, memory, drives and fans are taken as 100 W."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A rule as the model file states it."""

    id: str
    source: str
    require: str
    reason: Text
    when: str | None = None


def _rule(id_: str, source: str, require: str, en: str, zh: str, *, when: str | None = None) -> Sentence:
    return Sentence(id_, source, require, {"en": en, "zh": zh}, when)


COMPARISONS = (
    _rule("socket", "D7", "cpu.socket = board.socket", "Processor and board need the same socket.", "处理器与主板的插槽必须一致。"),
    _rule(
        "generation",
        "D7",
        "board.first_generation <= cpu.generation and cpu.generation <= board.last_generation",
        "The socket is the same, but the board's chipset does not take this generation of processors.",
        "插槽相同，但主板芯片组不支持这一代处理器。",
    ),
    _rule("memory-type", "D8", "memory.type = board.memory", "The board takes another type of memory.", "主板使用另一种内存。"),
    _rule(
        "memory-slots",
        "D8",
        "memory.modules <= board.memory_slots",
        "The board has too few memory slots for this kit.",
        "主板内存插槽不足以安装这套内存。",
    ),
    _rule("memory-of-board", "D8", "memory.gb <= board.memory_gb", "The board does not take that much memory.", "主板不支持这么大的内存。"),
    _rule(
        "memory-of-cpu", "D8", "memory.gb <= cpu.memory_gb", "The processor does not take that much memory.", "处理器不支持这么大的内存。"
    ),
    _rule(
        "memory-of-system",
        "O1",
        "memory.gb <= os.memory_gb",
        "This edition of the operating system does not use that much memory.",
        "该版本操作系统用不了这么大的内存。",
    ),
    _rule(
        "ecc",
        "D9",
        "cpu.ecc and board.ecc",
        "ECC memory needs a processor and a board that both support it.",
        "ECC 内存需要处理器与主板都支持。",
        when="memory.ecc",
    ),
    _rule(
        "registered",
        "D9",
        "memory.registered = board.registered",
        "Registered memory and this board do not go together.",
        "该主板与寄存式（Registered）内存的要求不一致。",
    ),
    _rule(
        "card-length",
        "D11",
        "graphics.length <= case.card_mm",
        "The graphics card is longer than the room in this case.",
        "显卡长度超过机箱的可用空间。",
    ),
    _rule(
        "card-slots",
        "D12",
        "graphics.slots <= case.slots",
        "The graphics card needs more slots than the case has.",
        "显卡占用的槽位多于机箱所有。",
    ),
    _rule(
        "card-lanes",
        "W3",
        "graphics.lanes <= board.lanes",
        "The board has no slot that is long enough for this graphics card.",
        "主板没有足够长的插槽安装该显卡。",
    ),
    _rule(
        "cooler-height",
        "D13",
        "cooler.height <= case.cooler_mm",
        "The cooler is taller than the room in this case.",
        "散热器高度超过机箱的可用空间。",
    ),
    _rule(
        "cooler-of-cpu",
        "D13",
        "cpu.cooler",
        "There is no cooler in the box of this processor: choose one.",
        "该处理器不附带散热器，请另选一个。",
        when="cooler is boxed",
    ),
    _rule(
        "plugs-8",
        "D14",
        "graphics.plugs_8 <= power.plugs_8",
        "The power supply has too few 8-pin plugs for the graphics card.",
        "电源的 8 针显卡供电接口不足。",
    ),
    _rule(
        "plugs-12",
        "D14",
        "graphics.plugs_12 <= power.plugs_12",
        "The power supply lacks the 12-pin plug the graphics card needs.",
        "电源没有该显卡所需的 12 针供电接口。",
    ),
    _rule(
        "plugs-sata",
        "D14",
        f"sum(sata in {_IN_DRIVES}) <= power.plugs_sata",
        "The power supply has too few plugs for these drives.",
        "电源的 SATA 供电接口不足以连接这些硬盘。",
    ),
    _rule(
        "watts",
        "D15",
        f"(cpu.watts + graphics.watts) * {HEADROOM} + {REST_WATTS} <= power.capacity",
        "The power supply must carry all parts with a fifth in reserve.",
        "电源须能带动全部部件，并留出两成余量。",
    ),
    _rule(
        "supply-length",
        "D15",
        "power.length <= case.supply_mm",
        "The power supply is too long for this case.",
        "电源长度超过机箱的可用空间。",
    ),
    _rule(
        "picture",
        "D16",
        "cpu.graphics",
        "This processor has no graphics of its own: choose a graphics card.",
        "该处理器没有核显，请选择一块显卡。",
        when="graphics is none",
    ),
    _rule(
        "sata-ports",
        "D17",
        f"sum(sata in {_IN_DRIVES}) <= board.sata",
        "The board has too few SATA ports for these drives.",
        "主板的 SATA 接口不足以连接这些硬盘。",
    ),
    _rule(
        "bays-35",
        "D17",
        f"sum(bay_35 in {_IN_DRIVES}) <= case.bays_35",
        "The case has too few 3.5 in bays for these drives.",
        "机箱的 3.5 英寸硬盘位不足。",
    ),
    _rule(
        "bays-25",
        "D17",
        f"sum(bay_25 in {_IN_DRIVES}) <= case.bays_25",
        "The case has too few 2.5 in bays for these drives.",
        "机箱的 2.5 英寸硬盘位不足。",
    ),
)


@dataclass(frozen=True, slots=True)
class Membership:
    """Each value of `asker.attribute` must be among what the part in `taker` takes (`what`)."""

    id: str
    source: str
    asker: str
    attribute: str
    taker: str
    what: str
    en: str
    zh: str


MEMBERSHIPS = (
    Membership("memory", "D8", "memory", "type", "cpu", "memory", "The processor does not take {} memory.", "该处理器不支持 {} 内存。"),
    Membership(
        "board",
        "D10",
        "board",
        "form",
        "case",
        "boards",
        "A board of the form {} does not fit into this case.",
        "该机箱装不下 {} 板型的主板。",
    ),
    Membership(
        "socket", "D13", "cpu", "socket", "cooler", "sockets", "This cooler does not fit the socket {}.", "该散热器不支持 {} 插槽。"
    ),
    Membership(
        "supply",
        "D15",
        "power",
        "form",
        "case",
        "supplies",
        "A power supply of the form {} does not fit into this case.",
        "该机箱装不下 {} 规格的电源。",
    ),
)


def flag_named(member: Membership, value: str) -> str:
    """The name of the yes-or-no attribute for one of several things a part takes: the socket "LGA 1700" -> "socket_lga_1700"."""
    spelt = value.lower().replace("+", " plus")
    return "_".join("".join(letter if letter.isalnum() else " " for letter in f"{member.id} {spelt}").split())


def asked_values(membership: Membership, parts: Parts) -> list[str]:
    """The values that are asked for, of the parts there are."""
    return sorted({str(part.attributes[membership.attribute]) for part in parts[membership.asker]})


def membership_rules(parts: Parts) -> Iterable[Sentence]:
    """A rule for each value that some part asks for."""
    for member in MEMBERSHIPS:
        for value in asked_values(member, parts):
            yield _rule(
                flag_named(member, value).replace("_", "-"),
                member.source,
                f"{member.taker}.{flag_named(member, value)}",
                member.en.format(value),
                member.zh.format(value),
                when=f"{member.asker}.{member.attribute} = '{value}'",
            )


def slot_attributes(board: Part, kinds: Iterable[tuple[str, ...]]) -> dict[str, Value]:
    """How many M.2 slots of a board take a drive of any of these kinds."""
    return {slots_named(some): slots_for(board, some) for some in kinds}


def slots_for(board: Part, kinds: Iterable[str]) -> int:
    """How many of a board's M.2 slots take a drive of one of the kinds."""
    return sum(not slot.isdisjoint(kinds) for slot in board.m2_slots)


def slots_named(kinds: Sequence[str]) -> str:
    """The attribute that counts the slots for some kinds of drives."""
    return "m2_" + "_or_".join(kind.replace("-", "_") for kind in kinds)


def slot_kinds(parts: Parts) -> list[tuple[str, ...]]:
    """The kinds of M.2 drives that must be counted, alone and together.

    Drives fit exactly if for every set of kinds there are as many slots as drives (Hall's theorem). With two drives, sets
    of two are enough; a set whose slots are on every board as many as its members' together says nothing new.
    """
    kinds = sorted({str(part.attributes["m2"]) for part in parts["drive"] if part.attributes.get("m2")})
    boards = parts["board"]
    pairs = [
        pair
        for pair in combinations(kinds, len(DRIVES))
        if any(slots_for(board, pair) < min(len(DRIVES), sum(slots_for(board, (kind,)) for kind in pair)) for board in boards)
    ]
    return [*((kind,) for kind in kinds), *pairs]


def slot_rules(parts: Parts) -> Iterable[Sentence]:
    """A rule for each set of kinds."""
    for kinds in slot_kinds(parts):
        drives = " + ".join(f"sum({slots_named((kind,))} in {_IN_DRIVES})" for kind in kinds)
        yield _rule(
            slots_named(kinds).replace("_", "-"),
            "D17",
            f"{drives} <= board.{slots_named(kinds)}",
            "The board has too few M.2 slots of the right length and kind for these drives.",
            "主板上长度与类型合适的 M.2 插槽不足以安装这些硬盘。",
        )


def rules_for(parts: Parts) -> list[Sentence]:
    """Every rule between these parts."""
    return [*COMPARISONS, *membership_rules(parts), *slot_rules(parts)]
