"""Parts as the open database writes them, and a plain judgement of what goes together: raw rows in, yes or no out.

Nothing here is shared with the importer but the facts of the platforms (`opendb_platforms`).
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

from configurator.importers.opendb_platforms import REGISTERED, generation_of, generations_of

Raw = dict[str, Any]
Database = Mapping[str, Sequence[Raw]]
"""The rows of each file, by its name without ending."""
Machine = tuple[Raw | None, ...]
"""One row of each of FILES; None for no part, and for the cooler from the processor's box."""
FILES = ("CPU", "Motherboard", "RAM", "GPU", "CPUCooler", "PCCase", "PSU", "Storage", "Storage", "OS")
OPTIONAL = (3, 4, 8, 9)
"""The places of what may be missing."""
GROUPS = ("cpu", "board", "memory", "graphics", "cooler", "case", "power", "drive", "drive2", "os")


def part(number: int, name: str, **fields: Any) -> Raw:
    """A row with an id and a name, and other fields: `a__b` stands for b within a."""
    row: Raw = {"opendb_id": f"{number:06x}00-0000", "metadata": {"name": name, "part_numbers": [f"PN-{number}"], "releaseYear": 2020}}
    for path, value in fields.items():
        *outer, last = path.split("__")
        at = row
        for step in outer:
            at = at.setdefault(step, {})
        at[last] = value
    return row


def cpu(number: int, **fields: Any) -> Raw:
    """A processor for AM4 with graphics and a cooler of its own."""
    defaults = {
        "socket": "AM4", "microarchitecture": "Zen 3", "specifications__tdp": 65, "specifications__memory__types": ["DDR4"],
        "specifications__memory__maxSupport": 128, "specifications__eccSupport": False, "specifications__includesCooler": True,
        "specifications__integratedGraphics__model": "Built in",
    }  # fmt: skip
    return part(number, f"Processor {number}", **(defaults | fields))


def board(number: int, **fields: Any) -> Raw:
    """A board for AM4 with a slot for everything."""
    defaults = {
        "socket": "AM4", "chipset": "AMD B550", "form_factor": "ATX", "memory__ram_type": "DDR4", "memory__slots": 4, "memory__max": 128,
        "ecc_support": False, "pcie_slots": [{"gen": "4.0", "quantity": 1, "lanes": 16}], "storage_devices__sata_6_gb_s": 4,
        "m2_slots": [{"size": "2242-2280", "key": "M", "interface": "PCIe 4.0 x4"}],
    }  # fmt: skip
    return part(number, f"Board {number}", **(defaults | fields))


def memory(number: int, **fields: Any) -> Raw:
    """A kit of two modules."""
    defaults = {
        "ram_type": "DDR4", "form_factor": "288-pin DIMM", "modules__quantity": 2, "modules__capacity_gb": 8,
        "ecc": "Non-ECC", "registered": "Unbuffered", "speed": 3200,
    }  # fmt: skip
    return part(number, f"Memory {number}", **(defaults | fields))


def card(number: int, **fields: Any) -> Raw:
    """A graphics card of middle size."""
    defaults = {
        "length": 240, "total_slot_width": 2, "tdp": 150, "interface": "PCIe x16",
        "power_connectors__pcie_6_pin": 0, "power_connectors__pcie_8_pin": 1, "power_connectors__pcie_12VHPWR": 0,
    }  # fmt: skip
    return part(number, f"Card {number}", **(defaults | fields))


def cooler(number: int, **fields: Any) -> Raw:
    """An air cooler."""
    return part(number, f"Cooler {number}", **({"height": 150, "cpu_sockets": ["AM4", "AM5"], "water_cooled": False} | fields))


def case(number: int, **fields: Any) -> Raw:
    """A tower."""
    defaults = {
        "form_factor": "ATX Mid Tower", "supported_motherboard_form_factors": ["ATX", "Micro ATX"], "max_video_card_length": 300,
        "supported_power_supply_form_factors": [], "max_cpu_cooler_height": 160, "internal_3_5_bays": 2, "internal_2_5_bays": 2,
        "expansion_slots": 7,
    }  # fmt: skip
    return part(number, f"Case {number}", **(defaults | fields))


def supply(number: int, **fields: Any) -> Raw:
    """A power supply."""
    defaults = {
        "wattage": 500, "form_factor": "ATX", "length": 140, "connectors__pcie_6_plus_2_pin": 2, "connectors__pcie_12vhpwr": 0,
        "connectors__sata": 4,
    }  # fmt: skip
    return part(number, f"Supply {number}", **(defaults | fields))


def drive(number: int, **fields: Any) -> Raw:
    """An M.2 drive."""
    return part(number, f"Drive {number}", **({"capacity": 500, "form_factor": "M.2-2280", "interface": "M.2 PCIe 4.0 x4"} | fields))


def write(directory: Path, database: Database) -> Path:
    """Write a database as files; return their directory."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, rows in database.items():
        (directory / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return directory


def one_of_each() -> dict[str, list[Raw]]:
    """A database of which one machine can be built, with and without its card, cooler and second drive."""
    return {
        "CPU": [cpu(1)], "Motherboard": [board(2)], "RAM": [memory(3)], "GPU": [card(4)], "CPUCooler": [cooler(5)],
        "PCCase": [case(6)], "PSU": [supply(7)], "Storage": [drive(8)], "OS": [part(9, "Windows 11 Home")],
    }  # fmt: skip


def machines(database: Database) -> Iterator[Machine]:
    """Every machine that goes together, by going through all there are."""
    columns = [[*([None] if place in OPTIONAL else []), *database[file]] for place, file in enumerate(FILES)]
    for machine in product(*columns):
        if goes_together(*machine):
            yield machine


def goes_together(*machine: Raw | None) -> bool:
    """Judge one machine by its raw rows; whatever is unknown does not fit."""
    cpu_, board_, memory_, case_, supply_, drive_ = (row for row in (machine[place] for place in (0, 1, 2, 5, 6, 7)) if row is not None)
    card_, cooler_, drive2_, os_ = (machine[place] for place in OPTIONAL)
    drives = [each for each in (drive_, drive2_) if each]
    return (
        _heart(cpu_, board_)
        and _memory(memory_, cpu_, board_, os_)
        and _card(card_, cpu_, board_, case_, supply_)
        and _cooling(cooler_, cpu_, case_)
        and _power(supply_, cpu_, card_, case_)
        and board_["form_factor"] in case_["supported_motherboard_form_factors"]
        and _drives(drives, board_, case_, supply_)
    )


def _heart(cpu_: Raw, board_: Raw) -> bool:
    socket = cpu_["socket"]
    if socket is None or socket != board_["socket"]:
        return False
    generation, taken = generation_of(socket, cpu_["microarchitecture"]), generations_of(socket, board_["chipset"])
    return generation is not None and taken is not None and taken[0] <= generation <= taken[1]


def _memory(memory_: Raw, cpu_: Raw, board_: Raw, os_: Raw | None) -> bool:
    kit, taken, of_cpu = memory_["modules"], board_["memory"], cpu_["specifications"]["memory"]
    if None in (kit["quantity"], kit["capacity_gb"], taken["max"], taken["slots"], of_cpu["maxSupport"]):
        return False
    gb = kit["quantity"] * kit["capacity_gb"]
    ecc = memory_["ecc"] == "Non-ECC" or (cpu_["specifications"]["eccSupport"] and board_["ecc_support"])
    limit = math.inf if os_ is None else 2048 if "Pro" in os_["metadata"]["name"] else 128
    return bool(
        memory_["ram_type"] == taken["ram_type"]
        and memory_["ram_type"] in of_cpu["types"]
        and "SO-DIMM" not in memory_["form_factor"]
        and kit["quantity"] <= taken["slots"]
        and gb <= min(taken["max"], of_cpu["maxSupport"], limit)
        and ecc
        and (memory_["registered"] != "Unbuffered") == (board_["socket"] in REGISTERED)
    )


def _card(card_: Raw | None, cpu_: Raw, board_: Raw, case_: Raw, supply_: Raw) -> bool:
    if card_ is None:
        return cpu_["specifications"]["integratedGraphics"]["model"] not in (None, "None")
    plugs, theirs = card_["power_connectors"], supply_["connectors"]
    if None in (card_["length"], card_["tdp"], plugs["pcie_8_pin"], case_["max_video_card_length"]):
        return False
    return bool(
        card_["length"] <= case_["max_video_card_length"]
        and card_["total_slot_width"] <= case_["expansion_slots"]
        and plugs["pcie_8_pin"] + plugs["pcie_6_pin"] <= theirs["pcie_6_plus_2_pin"]
        and plugs["pcie_12VHPWR"] <= theirs["pcie_12vhpwr"]
        and any(slot["lanes"] >= int(card_["interface"].rpartition("x")[2]) for slot in board_["pcie_slots"])
    )


def _cooling(cooler_: Raw | None, cpu_: Raw, case_: Raw) -> bool:
    room = case_["max_cpu_cooler_height"] or 0
    if cooler_ is None:
        return bool(cpu_["specifications"]["includesCooler"] and room >= 95)
    tall = 0 if cooler_["water_cooled"] else cooler_["height"]
    return tall is not None and cpu_["socket"] in cooler_["cpu_sockets"] and tall <= room


def _power(supply_: Raw, cpu_: Raw, card_: Raw | None, case_: Raw) -> bool:
    if None in (cpu_["specifications"]["tdp"], supply_["wattage"]):
        return False
    watts = cpu_["specifications"]["tdp"] + (card_["tdp"] if card_ else 0)
    taken = case_["supported_power_supply_form_factors"] or ["ATX"]
    return watts * 12 + 1000 <= supply_["wattage"] * 10 and supply_["form_factor"] in taken


def _drives(drives: Sequence[Raw], board_: Raw, case_: Raw, supply_: Raw) -> bool:
    flat = [each for each in drives if not each["form_factor"].startswith("M.2")]
    ports = board_["storage_devices"]["sata_6_gb_s"] or 0
    if len(flat) > min(ports, supply_["connectors"]["sata"] or 0):
        return False
    for form, bays in (('3.5"', case_["internal_3_5_bays"]), ('2.5"', case_["internal_2_5_bays"])):
        if sum(each["form_factor"] == form for each in flat) > (bays or 0):
            return False
    return _placed([each for each in drives if each["form_factor"].startswith("M.2")], board_["m2_slots"])


def _placed(drives: Sequence[Raw], slots: Sequence[Raw]) -> bool:
    """Whether each drive finds a slot of its own, by trying."""
    if not drives:
        return True
    first, *rest = drives
    return any(_takes(slot, first) and _placed(rest, [*slots[:place], *slots[place + 1 :]]) for place, slot in enumerate(slots))


def _takes(slot: Raw, drive_: Raw) -> bool:
    if slot["key"] != "M" or slot["size"] is None:
        return False
    low, _, high = slot["size"].partition("-")
    length = int(drive_["form_factor"].removeprefix("M.2-22"))
    kind = "SATA" if "SATA" in drive_["interface"] else "PCIe"
    return int(low[2:]) <= length <= int((high or low)[2:]) and kind in slot["interface"]
