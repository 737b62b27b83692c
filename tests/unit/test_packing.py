"""What goes into which box, and what it weighs."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fulfillment.shipping.documents import kilograms
from fulfillment.shipping.packing import Machine, Packed, gross_weight, pack

NAME = {"en": "Thing", "zh": "东西"}
WEIGHTS = {"CPU-T8": 8, "ADP-T65": 210, "MON-T27": 6_500, "BAG-T14": 300, "BSE-T14": 1_000}


def part(sku: str, quantity: int = 1) -> Packed:
    return Packed(sku, NAME, quantity)


def test_a_carton_and_its_padding_are_part_of_the_weight() -> None:
    assert [gross_weight(net) for net in (0, 1, 1_000, 1_001, 6_500)] == [450, 511, 1_510, 1_571, 7_370]


def test_each_machine_has_its_own_box_with_its_accessories() -> None:
    machines = [Machine(tag, "skein-14", NAME, [part("BSE-T14"), part("CPU-T8")], [part("ADP-T65")]) for tag in ("BX7K2M9", "CX7K2M9")]
    boxes = pack(machines, [], WEIGHTS)
    assert [(box.tag, [line["sku"] for line in box.contents], box.weight_g) for box in boxes] == [
        ("BX7K2M9", ["skein-14", "ADP-T65"], 1_218 + 450 + 120), ("CX7K2M9", ["skein-14", "ADP-T65"], 1_218 + 450 + 120),
    ]


def test_a_monitor_travels_alone_and_plain_items_together() -> None:
    machine = Machine("BX7K2M9", "hearth-t", NAME, [part("BSE-T14")], [part("MON-T27", 2)])
    boxes = pack([machine], [part("BAG-T14", 4), part("MON-T27")], WEIGHTS)
    assert [(box.tag, [(line["sku"], line["qty"]) for line in box.contents]) for box in boxes] == [
        ("BX7K2M9", [("hearth-t", 1)]), ("BX7K2M9", [("MON-T27", 1)]), ("BX7K2M9", [("MON-T27", 1)]), (None, [("MON-T27", 1)]),
        (None, [("BAG-T14", 4)]),
    ]


def test_nothing_packed_is_no_box() -> None:
    assert pack([], [], {}) == []


skus = st.sampled_from(sorted(WEIGHTS))


@given(st.lists(st.tuples(skus, st.integers(1, 4)), max_size=6))
def test_every_item_lies_in_exactly_one_box(items: list[tuple[str, int]]) -> None:
    boxes = pack([], [part(sku, quantity) for sku, quantity in items], WEIGHTS)
    packed = {sku: sum(line["qty"] for box in boxes for line in box.contents if line["sku"] == sku) for sku in WEIGHTS}
    assert packed == {sku: sum(quantity for other, quantity in items if other == sku) for sku in WEIGHTS}
    net = sum(WEIGHTS[sku] * quantity for sku, quantity in items)
    assert sum(box.weight_g for box in boxes) >= net + 450 * len(boxes)


def test_a_label_states_the_weight_to_ten_grams_rounded_up() -> None:
    assert [kilograms(grams) for grams in (0, 1, 10, 995, 1_234, 12_340)] == ["0.00", "0.01", "0.01", "1.00", "1.24", "12.34"]
