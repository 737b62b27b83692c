"""Parts as options: what of a row decides whether it fits, and what a customer reads of it.

What is unknown (null) never fits. A part that could fit nowhere for that is left out, with the reason; where only one
of its uses is unknown (a case that does not say how tall a cooler may be), that use alone is closed. Lengths are in
millimetres, memory and drives in GB, watts are the most a part draws for long.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from configurator.importers.opendb_platforms import REGISTERED, generation_of, generations_of, socket_named
from configurator.importers.opendb_rows import Number, Row, Unfit
from configurator.language.specification import Text, Value

T = TypeVar("T")

BOXED_COOLER_MM = 95
"""No cooler from a processor's box is taller (the tallest, AMD's Wraith Prism, has 92.5)."""
WINDOWS_LIMITS_GB: Mapping[str, int] = {"Home": 128, "Pro": 2048, "Education": 2048, "Enterprise": 6144}
"""The most memory of each edition. Source: Microsoft, "Memory limits for Windows releases"; one not named is taken as the least."""
SERVER_LIMITS_GB: Mapping[str, int] = {"Essentials": 64, "Standard": 24_576, "Datacenter": 24_576}
_ATX_CASES = re.compile(r"E?ATX (Full|Mid|Mini) Tower|ATX (Desktop|Test Bench)|Micro ATX (Mid|Mini) Tower")
"""Cases that take a power supply of ATX form by their own form."""
_NO_LIMIT = 9999


@dataclass(frozen=True, slots=True)
class Part:
    """One part, ready to become an option."""

    id: str
    key: str
    """Its id in the database."""
    numbers: tuple[str, ...]
    """The maker's part numbers."""
    name: str
    detail: Text
    attributes: Mapping[str, Value]
    takes: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """What it goes with, of which there may be several: sockets of a cooler, forms of boards in a case."""
    m2_slots: tuple[frozenset[str], ...] = ()
    """For each M.2 slot of a board, the kinds of drives it takes, such as "2280-pcie"."""
    year: int = 0


Told = tuple[Text, Mapping[str, Value], Mapping[str, frozenset[str]]]


def part_of(row: Row, read: Callable[[Row], Told]) -> Part:
    """Make a part of a row. Raises Unfit, and BadRow."""
    name = row.text("metadata.name")
    key = row.text("opendb_id")
    if name is None or key is None:
        raise Unfit("the row has no name or no id")
    detail, attributes, takes = read(row)
    slots = tuple(_slot_takes(slot) for slot in row.rows("m2_slots"))
    tidy = " ".join(name.split())
    return Part(
        id=f"{_slug(tidy)[:48].strip('-')}-{_slug(key)[:6]}",
        key=key,
        numbers=row.texts("metadata.part_numbers"),
        name=tidy,
        detail=detail,
        attributes=attributes,
        takes=takes,
        m2_slots=tuple(slot for slot in slots if slot),
        year=int(row.number("metadata.releaseYear") or 0),
    )


def processor(row: Row) -> Told:
    """Socket and generation, watts, memory it takes, graphics and cooler of its own."""
    socket = _known(socket_named(row.text("socket")), "the socket is not known")
    generation = _known(generation_of(socket, row.text("microarchitecture")), "the generation within the socket is not known")
    watts = max(_watts(row, "specifications.tdp"), row.number("specifications.ppt") or 0)
    memory = frozenset(row.texts("specifications.memory.types"))
    limit = row.number("specifications.memory.maxSupport")
    if not memory or not limit:
        raise Unfit("the memory it takes is not known")
    graphics = (row.text("specifications.integratedGraphics.model") or "None") != "None"
    cores, threads = row.whole("cores.total"), row.whole("cores.threads")
    boost = row.number("clocks.performance.boost") or row.number("clocks.performance.base")
    attributes: dict[str, Value] = {
        "socket": socket,
        "generation": generation,
        "watts": watts,
        "memory_gb": limit,
        "ecc": row.flag("specifications.eccSupport"),
        "graphics": graphics,
        "cooler": row.flag("specifications.includesCooler"),
    }
    en, zh = f"socket {socket}, {watts} W", f"{socket} 插槽，{watts} W"
    if cores and threads:
        en, zh = f"{cores} cores, {threads} threads, {en}", f"{cores} 核 {threads} 线程，{zh}"
    if boost:
        en, zh = f"{en}, up to {boost} GHz", f"{zh}，最高 {boost} GHz"
    if graphics:
        en, zh = f"{en}, graphics built in", f"{zh}，带核显"
    return {"en": en, "zh": zh}, attributes, {"memory": memory}


def board(row: Row) -> Told:
    """Socket and generations, form, memory, slots and ports."""
    socket = _known(socket_named(row.text("socket")), "the socket is not known")
    first, last = _known(generations_of(socket, row.text("chipset")), "the generations its chipset takes are not known")
    form = _known(row.text("form_factor"), "the form is not known")
    memory = _known(row.text("memory.ram_type"), "the memory it takes is not known")
    slots, limit = row.whole("memory.slots"), row.number("memory.max")
    if not slots or not limit:
        raise Unfit("the memory it takes is not known")
    lanes = max((slot.whole("lanes") or 0 for slot in row.rows("pcie_slots") if slot.whole("quantity")), default=0)
    attributes: dict[str, Value] = {
        "socket": socket,
        "first_generation": first,
        "last_generation": last,
        "form": form,
        "memory": memory,
        "memory_slots": slots,
        "memory_gb": limit,
        "ecc": row.flag("ecc_support"),
        "registered": socket in REGISTERED,
        "lanes": lanes,
        "sata": (row.whole("storage_devices.sata_6_gb_s") or 0) + (row.whole("storage_devices.sata_3_gb_s") or 0),
    }
    chipset = row.text("chipset") or ""
    en = f"{form}, {chipset}, socket {socket}, {slots} × {memory}, up to {limit} GB"
    return {"en": en, "zh": f"{form}，{chipset}，{socket} 插槽，{slots} 条 {memory}，最高 {limit} GB"}, attributes, {}


def memory(row: Row) -> Told:
    """Type, modules and size of a kit; only full-size modules, since no board says that it takes small ones."""
    kind = _known(row.text("ram_type"), "the type is not known")
    modules, each = row.whole("modules.quantity"), row.number("modules.capacity_gb")
    if not modules or not each:
        raise Unfit("the number or the size of its modules is not known")
    if "SO-DIMM" in _known(row.text("form_factor"), "the form is not known"):
        raise Unfit("it is SO-DIMM, and no board of the database says that it takes that")
    ecc, registered = row.text("ecc"), row.text("registered")
    if ecc is None or registered is None:
        raise Unfit("whether it is ECC or registered is not known")
    attributes: dict[str, Value] = {
        "type": kind,
        "modules": modules,
        "gb": modules * each,
        "ecc": ecc == "ECC",
        "registered": registered != "Unbuffered",
    }
    speed = row.whole("speed")
    en = f"{modules} × {each} GB {kind}" + (f"-{speed}" if speed else "")
    if ecc == "ECC":
        en += " ECC"
    return {"en": en, "zh": en}, attributes, {}


def graphics(row: Row) -> Told:
    """Length, slots, watts, and the plugs it wants from the power supply."""
    length = _measured(row.number("length"), "the length is not known")
    slots = _measured(row.number("total_slot_width") or row.number("case_expansion_slot_width"), "the number of slots is not known")
    watts = _watts(row, "tdp")
    plugs = {name: row.whole(f"power_connectors.{name}") for name in ("pcie_6_pin", "pcie_8_pin", "pcie_12VHPWR", "pcie_12V_2x6")}
    if plugs["pcie_8_pin"] is None:
        raise Unfit("the power plugs it needs are not known")
    lanes = re.search(r"x(\d+)$", _known(row.text("interface"), "the interface is not known"))
    if lanes is None:
        raise Unfit("the interface is not known")
    attributes: dict[str, Value] = {
        "length": length,
        "slots": slots,
        "watts": watts,
        "plugs_8": (plugs["pcie_6_pin"] or 0) + plugs["pcie_8_pin"],
        "plugs_12": (plugs["pcie_12VHPWR"] or 0) + (plugs["pcie_12V_2x6"] or 0),
        "lanes": int(lanes.group(1)),
    }
    gb = row.number("memory")
    en, zh = f"{watts} W, {length} mm", f"{watts} W，长 {length} mm"
    if gb:
        en, zh = f"{gb} GB, {en}", f"{gb} GB 显存，{zh}"
    return {"en": en, "zh": zh}, attributes, {}


def power(row: Row) -> Told:
    """Watts, form, length and plugs."""
    watts = _watts(row, "wattage")
    form = _known(row.text("form_factor"), "the form is not known")
    plugs = row.whole("connectors.pcie_6_plus_2_pin")
    length = row.number("length")
    attributes: dict[str, Value] = {
        "capacity": watts,
        "form": form,
        "length": length or _NO_LIMIT,
        "plugs_8": plugs or 0,
        "plugs_12": row.whole("connectors.pcie_12vhpwr") or 0,
        "plugs_sata": row.whole("connectors.sata") or 0,
    }
    rating = row.text("efficiency_rating")
    en = f"{watts} W, {form}" + (f", {rating}" if rating else "")
    return {"en": en, "zh": en.replace(", ", "，")}, attributes, {}


def case(row: Row) -> Told:
    """What goes in: forms of boards and power supplies, lengths, heights, slots and bays."""
    boards = frozenset(row.texts("supported_motherboard_form_factors"))
    if not boards:
        raise Unfit("the boards it takes are not known")
    supplies = frozenset(row.texts("supported_power_supply_form_factors"))
    form = row.text("form_factor") or ""
    if not supplies and not _ATX_CASES.fullmatch(form):
        raise Unfit("the power supplies it takes are not known")
    card, cooler = row.number("max_video_card_length") or 0, row.number("max_cpu_cooler_height") or 0
    attributes: dict[str, Value] = {
        "card_mm": card,
        "cooler_mm": cooler,
        "supply_mm": row.number("max_psu_length") or _NO_LIMIT,
        "slots": row.whole("expansion_slots") or 0,
        "bays_35": row.whole("internal_3_5_bays") or 0,
        "bays_25": row.whole("internal_2_5_bays") or 0,
    }
    en, zh = form, form
    if card:
        en, zh = f"{en}, cards up to {card} mm", f"{zh}，显卡最长 {card} mm"
    if cooler:
        en, zh = f"{en}, coolers up to {cooler} mm", f"{zh}，散热器最高 {cooler} mm"
    return {"en": en.strip(", "), "zh": zh.strip("，")}, attributes, {"boards": boards, "supplies": supplies or frozenset({"ATX"})}


def cooler(row: Row) -> Told:
    """Sockets, and the height of one that stands on the processor; whether a radiator fits is nowhere in the data."""
    sockets = frozenset(socket_named(name) or "" for name in row.texts("cpu_sockets"))
    if not sockets:
        raise Unfit("the sockets it fits are not known")
    liquid = row.flag("water_cooled")
    height = 0 if liquid else _measured(row.number("height"), "the height is not known")
    radiator = row.number("radiator_size")
    if liquid:
        en, zh = "liquid cooling", "水冷"
        if radiator:
            en, zh = f"liquid cooling, {radiator} mm radiator", f"水冷，{radiator} mm 冷排"
    else:
        en, zh = f"{height} mm tall", f"高 {height} mm"
    return {"en": en, "zh": zh}, {"height": height}, {"sockets": sockets}


def drive(row: Row) -> Told:
    """Where a drive goes: an M.2 slot that takes its length and kind, or a bay and a SATA port."""
    form = _known(row.text("form_factor"), "the form is not known")
    interface = _known(row.text("interface"), "the interface is not known")
    capacity = row.number("capacity")
    m2 = re.fullmatch(r"M\.2-(\d+)", form)
    attributes: dict[str, Value]
    if m2:
        kind = "sata" if "SATA" in interface else "pcie"
        attributes = {"m2": f"{m2.group(1)}-{kind}", "sata": 0, "bay_35": 0, "bay_25": 0}
    elif form in {'2.5"', '3.5"'} and interface.startswith("SATA"):
        attributes = {"m2": "", "sata": 1, "bay_35": int(form == '3.5"'), "bay_25": int(form == '2.5"')}
    else:
        raise Unfit("no board or case of the database says that it has a place for its form and interface")
    size = f"{capacity} GB " if capacity else ""
    en = f"{size}{row.text('storage_type') or ''}, {form}, {interface}".strip(", ")
    return {"en": en, "zh": en.replace(", ", "，")}, attributes, {}


def monitor(row: Row) -> Told:
    """Nothing of a monitor decides whether it fits."""
    across, down, inches = row.whole("resolution.horizontalRes"), row.whole("resolution.verticalRes"), row.number("screen_size")
    words = [f"{inches} in"] if inches else []
    if across and down:
        words.append(f"{across} × {down}")
    en = ", ".join(words) or "monitor"
    return {"en": en, "zh": "，".join(words).replace(" in", " 英寸") or "显示器"}, {}, {}


def system(row: Row) -> Told:
    """How much memory an edition uses at most."""
    name = row.text("metadata.name") or ""
    limits = SERVER_LIMITS_GB if "Server" in name else WINDOWS_LIMITS_GB
    limit = next((limits[word] for word in re.findall(r"\w+", name) if word in limits), min(limits.values()))
    return {"en": f"uses up to {limit} GB of memory", "zh": f"最多使用 {limit} GB 内存"}, {"memory_gb": limit}, {}


def _known(value: T | None, unfit: str) -> T:
    if value is None:
        raise Unfit(unfit)
    return value


def _measured(value: Number | None, unfit: str) -> Number:
    """A measure; the database writes 0, too, for one that is not known."""
    if not value:
        raise Unfit(unfit)
    return value


def _watts(row: Row, path: str) -> Number:
    return _measured(row.number(path), "the watts are not known")


def _slot_takes(slot: Row) -> frozenset[str]:
    """The kinds of drives an M.2 slot takes: "2242-2280" is a range of lengths, "2242/2280" a list."""
    if slot.text("key") not in {"M", "B", "B+M"}:
        return frozenset()
    size, interface = slot.text("size") or "", slot.text("interface") or ""
    lengths: set[int] = set()
    for low, high in re.findall(r"\b22(\d{2,3})(?:\s*-\s*22(\d{2,3}))?\b", size):
        lengths |= {length for length in (30, 42, 60, 80, 110) if int(low) <= length <= int(high or low)}
    kinds = [kind for kind, word in (("pcie", "PCIe"), ("sata", "SATA")) if word in interface]
    return frozenset(f"22{length}-{kind}" for length in lengths for kind in kinds)


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
