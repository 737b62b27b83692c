"""The open parts database as a model: what goes together is what the rows say, and what is unknown goes with nothing."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from configurator.engine import answer, compile_model, count_machines
from configurator.importers.opendb import Imported, import_opendb
from configurator.importers.opendb_platforms import generation_of, generations_of
from configurator.language import ModelError
from configurator.language.truth import broken_rules
from tests.builders import open_parts
from tests.builders.open_parts import FILES, GROUPS, Database, Raw, board, card, case, cooler, cpu, drive, memory, one_of_each, part, supply

BASE = "base,BSE-OWN,99.00,60.00,900,S-CHASSIS,3"
COLUMNS = "part,sku,price,cost,weight_g,supplier,lead_days"
NAMED = COLUMNS.replace(",", ", ")


def imported(directory: Path, database: Database, prices: str | None = None) -> Imported:
    open_parts.write(directory / "parts", database)
    if prices is None:
        return import_opendb(directory / "parts")
    (directory / "prices.csv").write_text(prices, encoding="utf-8")
    return import_opendb(directory / "parts", directory / "prices.csv")


def refused(directory: Path, database: Database, prices: str | None = None) -> list[str]:
    with pytest.raises(ModelError) as error:
        imported(directory, database, prices)
    return [str(problem) for problem in error.value.problems]


def options(found: Imported) -> Mapping[str, list[str]]:
    """The names of the options of each group."""
    return {group.id: [option.name["en"] for option in group.options] for group in found.model.groups}


def test_each_part_is_an_option_with_what_decides_whether_it_fits(tmp_path: Path) -> None:
    found = imported(tmp_path, one_of_each())

    names = options(found)
    assert list(names) == ["cpu", "board", "memory", "graphics", "cooler", "case", "power", "drive", "drive2", "monitor", "os"]
    assert names["graphics"] == ["Graphics of the processor", "Card 4"]
    assert (names["drive"], names["drive2"]) == (["Drive 8"], ["None"])
    (processor,) = found.model.by_id["cpu"].options
    assert dict(processor.attributes) | {"qty": 0} == {
        "socket": "AM4", "generation": 4, "watts": 65, "memory_gb": 128, "graphics": True, "cooler": True, "memory_ddr4": True,
        "ecc": False, "qty": 0,
    }  # fmt: skip
    assert broken_rules(found.model, found.model.defaults) == []
    # One slot holds one M.2 drive, so there is no second; the card, either cooler and the system may be there or not.
    assert count_machines(compile_model(found.model), {}) == 2 * 2 * 2 == len(list(open_parts.machines(one_of_each())))


def test_file_names_its_source_and_is_the_same_whatever_the_order_of_rows(tmp_path: Path) -> None:
    database = one_of_each() | {"CPU": [cpu(1), cpu(11)], "PSU": [supply(7), supply(17, wattage=850)]}
    turned = {name: rows[::-1] for name, rows in database.items()}

    one, other = imported(tmp_path, database), imported(tmp_path, turned)
    assert one.text == other.text
    assert one.model.content_hash == other.model.content_hash
    assert "ODC Attribution License 1.0" in one.text
    assert next(fact.value["en"] for fact in one.model.facts) == "BuildCores OpenDB, ODC-By 1.0"


@pytest.mark.parametrize(
    ("file", "row", "reason"),
    [
        ("CPU", cpu(20, socket=None), "the socket is not known"),
        ("CPU", cpu(20, specifications__tdp=None), "the watts are not known"),
        ("CPU", cpu(20, specifications__memory__types=None), "the memory it takes is not known"),
        ("CPU", cpu(20, microarchitecture=None), "the generation within the socket is not known"),
        ("Motherboard", board(20, chipset="AMD Z999"), "the generations its chipset takes are not known"),
        ("RAM", memory(20, form_factor="260-pin SO-DIMM"), "it is SO-DIMM, and no board of the database says that it takes that"),
        ("GPU", card(20, length=None), "the length is not known"),
        ("GPU", card(20, power_connectors=None), "the power plugs it needs are not known"),
        ("CPUCooler", cooler(20, height=None), "the height is not known"),
        ("CPUCooler", cooler(20, height=170), "no machine of these parts can hold it"),
        ("PCCase", case(20, form_factor="HTPC"), "the power supplies it takes are not known"),
        ("PSU", supply(20, form_factor="TFX"), "no machine of these parts can hold it"),
        ("Storage", drive(20, form_factor="mSATA"), "no board or case of the database says that it has a place for its form and interface"),
    ],
)
def test_part_with_something_unknown_that_matters_is_left_out_and_counted(tmp_path: Path, file: str, row: Raw, reason: str) -> None:
    database = one_of_each()
    database[file].append(row)

    found = imported(tmp_path, database)
    assert row["metadata"]["name"] not in {name for names in options(found).values() for name in names}
    group = GROUPS[FILES.index(file)]
    assert found.report.left_out == {group: {reason: 1}}
    assert f"  1 left out: {reason}" in list(found.report.lines())


def test_case_that_does_not_say_how_tall_a_cooler_may_be_takes_liquid_ones_only(tmp_path: Path) -> None:
    database = one_of_each()
    database["PCCase"] = [case(6, max_cpu_cooler_height=None)]
    database["CPUCooler"] = [cooler(5), cooler(15, height=None, water_cooled=True)]

    found = imported(tmp_path, database)
    assert options(found)["cooler"] == ["From the processor's box", "Cooler 15"]
    boxed = answer(compile_model(found.model), {}).groups["cooler"].option("boxed")
    assert not boxed.possible


def test_equal_sockets_do_not_mean_that_a_processor_runs(tmp_path: Path) -> None:
    coffee, sky = cpu(1, socket="LGA 1151", microarchitecture="Coffee Lake"), cpu(11, socket="LGA 1151", microarchitecture="Skylake")
    database = one_of_each() | {
        "CPU": [coffee, sky],
        "Motherboard": [board(2, socket="LGA 1151", chipset="Intel B360"), board(12, socket="LGA 1151", chipset="Intel H110")],
        "CPUCooler": [cooler(5, cpu_sockets=["LGA 1151v2"])],
    }
    found = imported(tmp_path, database)
    compiled = compile_model(found.model)
    by_name = {option.name["en"]: option.id for group in found.model.groups for option in group.options}
    with_coffee = answer(compiled, {"cpu": by_name["Processor 1"]})
    old_board = with_coffee.groups["board"].option(by_name["Board 12"])
    assert not old_board.possible
    assert old_board.reason is not None
    assert [rule.id for rule in old_board.reason.rules] == ["generation"]
    assert with_coffee.groups["board"].option(by_name["Board 2"]).possible


@pytest.mark.parametrize(
    ("socket", "microarchitecture", "chipset", "runs"),
    [
        ("AM4", "Zen 3", "AMD B450", True),
        ("AM4", "Zen 3", "AMD A320", False),
        ("AM4", "Zen", "AMD X570", False),
        ("AM4", "Zen+", "AMD X570", True),
        ("LGA 1200", "Rocket Lake", "Intel B460", False),
        ("LGA 1200", "Rocket Lake", "Intel Z490", True),
        ("LGA 1150", "Broadwell", "Intel H87", False),
        ("LGA 1155", "Ivy Bridge", "Intel P67", False),
        ("LGA 1700", "Raptor Lake", "Intel B660", True),
        ("LGA 775", "Core", "Intel P45", False),
    ],
)
def test_boards_take_the_generations_their_chipset_is_made_for(socket: str, microarchitecture: str, chipset: str, *, runs: bool) -> None:
    generation, taken = generation_of(socket, microarchitecture), generations_of(socket, chipset)
    assert (generation is not None and taken is not None and taken[0] <= generation <= taken[1]) is runs


def test_row_that_is_no_part_is_told_with_its_line_and_the_others_are_read(tmp_path: Path) -> None:
    database = one_of_each()
    database["GPU"] += [card(14, tdp="150 W"), card(4), card(24, length=-5), card(34)]
    directory = open_parts.write(tmp_path / "parts", database)
    with (directory / "GPU.jsonl").open("a", encoding="utf-8") as file:
        file.write("{half a row\n[1, 2]\n")

    found = import_opendb(directory)
    assert [str(problem).partition(" (")[0] for problem in sorted(found.report.problems)] == [
        "GPU.jsonl:2: 'tdp' must be a number from 0 to 1,000,000 or null, not '150 W'.",
        "GPU.jsonl:3: the part '00000400-0000' stands in line 1 already: remove one of the two lines.",
        "GPU.jsonl:4: 'length' must be a number from 0 to 1,000,000 or null, not -5.",
        "GPU.jsonl:6: not a line of JSON in UTF-8",
        "GPU.jsonl:7: a part must be a JSON object, { … }: correct or remove the line.",
    ]
    assert options(found)["graphics"] == ["Graphics of the processor", "Card 34", "Card 4"]
    assert found.report.left_out == {"graphics": {"the row cannot be read": 3}}


def test_category_that_is_missing_or_leaves_no_machine_is_refused(tmp_path: Path) -> None:
    without = {name: rows for name, rows in one_of_each().items() if name != "PSU"}
    (problem,) = refused(tmp_path / "a", without)
    assert problem.startswith("PSU.jsonl:1: no part of the group 'power' is left: a desktop needs one. Put the category's file into ")
    (problem,) = refused(tmp_path / "b", one_of_each() | {"PSU": [supply(7, wattage=100)]})
    assert "no machine" in problem


def test_only_priced_parts_are_sold(tmp_path: Path) -> None:
    database = one_of_each()
    database["CPU"].append(cpu(11))
    prices = "\n".join([COLUMNS, BASE, *(f"PN-{number},OWN-{number},{number}0.00,{number}.00,100,S-SILICON,2" for number in range(1, 9))])

    found = imported(tmp_path, database, prices)
    (processor,) = found.model.by_id["cpu"].options
    assert (processor.price.minor, processor.parts[0].sku, processor.parts[0].cost.minor) == (1_000, "OWN-1", 100)
    assert found.model.base_price.minor == 9_900
    assert found.report.left_out == {"cpu": {"it is not in the price list": 1}, "os": {"it is not in the price list": 1}}


def test_price_list_is_told_every_mistake_with_its_line(tmp_path: Path) -> None:
    prices = "\n".join(
        [
            COLUMNS,
            "PN-1,OWN-1,12,-1,100,S-SILICON,2",
            "PN-2,OWN-2,10.00,5.00,a lot,S-SILICON,2",
            "PN-3,OWN-3,10.00,5.00,1,,2",
            *["PN-4,OWN-4,10.00,5.00,1,S-X,2"] * 2,
        ]
    )
    assert refused(tmp_path, one_of_each(), prices) == [
        "prices.csv:1: putting the machine together has no price: add a line whose part is 'base'.",
        "prices.csv:2: 'cost' must be an amount of dollars such as \"150.00\", not '-1'.",
        "prices.csv:3: 'weight_g' must be a whole number of grams, not 'a lot'.",
        "prices.csv:4: 'supplier' must be the code of a supplier such as \"S-SILICON\", not ''.",
        "prices.csv:6: 'PN-4' has a price already: remove one of the two lines.",
    ]
    assert refused(tmp_path, one_of_each(), "part,price\n") == [
        f"prices.csv:1: the columns sku, cost, weight_g, supplier, lead_days are missing: the first line must name {NAMED}."
    ]


@st.composite
def databases(draw: st.DrawFn) -> Database:
    """A few parts of each kind, mostly made for each other, with misfits and nulls among them."""

    def of(mostly: Any, *seldom: Any) -> Any:
        return mostly if draw(st.integers(0, 5)) else draw(st.sampled_from(seldom))

    slot = {
        "size": st.sampled_from(["2242-2280", "2280", "2242-2260", "2280-22110", None]),
        "key": st.sampled_from(["M", "M", "E"]),
        "interface": st.sampled_from(["PCIe 4.0 x4", "SATA and PCIe x4", "SATA3"]),
    }
    return {
        "CPU": [
            cpu(n, socket=of("AM4", "AM5"), microarchitecture=of("Zen 3", "Zen 2", "Zen"), specifications__tdp=of(65, 105, 170),
                specifications__memory__types=of(["DDR4"], ["DDR4", "DDR5"]), specifications__memory__maxSupport=of(128, 32, None),
                specifications__eccSupport=of(True, False), specifications__includesCooler=of(False, True),
                specifications__integratedGraphics__model=of("Built in", "None"))
            for n in (1, 2)
        ],
        "Motherboard": [
            board(n, chipset=of("AMD B550", "AMD X570", "AMD A320"), form_factor=of("ATX", "Micro ATX", "EATX"), memory__slots=of(4, 2),
                  memory__max=of(64, 32), ecc_support=of(True, False),
                  m2_slots=draw(st.lists(st.fixed_dictionaries(slot), min_size=1, max_size=3)),
                  storage_devices__sata_6_gb_s=of(4, 1, 0), pcie_slots=[{"gen": "4.0", "quantity": 1, "lanes": of(16, 4)}])
            for n in (3, 4)
        ],
        "RAM": [
            memory(n, modules__quantity=of(2, 1, 4), modules__capacity_gb=of(8, 16, 64), ecc=of("Non-ECC", "ECC"),
                   ram_type=of("DDR4", "DDR5"))
            for n in (5, 6)
        ],
        "GPU": [
            card(n, length=of(240, 300, 300.5), tdp=of(75, 200, 300), total_slot_width=of(2, 2.5), power_connectors__pcie_8_pin=of(1, 0, 3),
                 power_connectors__pcie_12VHPWR=of(0, 1), interface=of("PCIe x16", "PCIe 4.0 x8"))
            for n in (7, 8)
        ],
        "CPUCooler": [cooler(9, height=of(150, 60, None), cpu_sockets=of(["AM4"], ["AM5"]), water_cooled=of(False, True))],
        "PCCase": [
            case(n, supported_motherboard_form_factors=of(["ATX", "Micro ATX"], ["Micro ATX"]), max_video_card_length=of(300, 250, None),
                 max_cpu_cooler_height=of(155, 95, None), internal_3_5_bays=of(2, 1, 0), internal_2_5_bays=of(1, 0),
                 expansion_slots=of(7, 2), supported_power_supply_form_factors=of([], ["SFX"]))
            for n in (10, 11)
        ],
        "PSU": [
            supply(n, wattage=of(450, 300, 700), form_factor=of("ATX", "SFX"), connectors__pcie_6_plus_2_pin=of(2, 0, 4),
                   connectors__pcie_12vhpwr=of(1, 0), connectors__sata=of(4, 1, 0))
            for n in (12, 13)
        ],
        "Storage": [
            drive(14, form_factor=of("M.2-2280", "M.2-2260", "M.2-22110"), interface=of("M.2 PCIe 4.0 x4", "M.2 SATA")),
            drive(15, form_factor=of("M.2-2280", "M.2-2242"), interface=of("M.2 SATA", "M.2 PCIe 4.0 x4")),
            drive(16, form_factor=of('3.5"', '2.5"'), interface="SATA 6.0 Gb/s"),
        ],
        "OS": [part(17, of("Windows 11 Home", "Windows 11 Pro"))],
    }  # fmt: skip


@settings(max_examples=25, deadline=None)
@given(database=databases())
def test_exactly_the_machines_that_go_together_by_their_rows_can_be_built(database: Database) -> None:
    together = list(open_parts.machines(database))
    with tempfile.TemporaryDirectory() as directory:
        if not together:
            refused(Path(directory), database)
            return
        found = imported(Path(directory), database)

    assert count_machines(compile_model(found.model), {}) == len(together)
    names = options(found)
    for place, group in enumerate(GROUPS):
        used = {machine[place]["metadata"]["name"] for machine in together if machine[place]}  # type: ignore[index]
        assert used == {name for name in names[group] if name[-1].isdigit() or name.startswith("Windows")}
