"""Papers of the floor: their codes are read back from the rendered page, their words are in the reader's language."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest
from flask import Flask

from fulfillment.assembly.documents import pick_list, traveller, unit_label
from fulfillment.assembly.models import WorkOrder
from fulfillment.assembly.tag import express_code, spoken
from tests.builders.assembly import BOM, PARTS
from tests.builders.paper import codes_on, text_of


def make_unit(tag: str = "BX7K2M9", *, unit: int = 1) -> WorkOrder:
    names = {part.sku: dict(part.name) for part in PARTS}
    bom = [
        {"sku": sku, "name": names[sku], "qty": qty, "group": "g", "stocked": sku != "OSL-TP", "serialised": True}
        for sku, qty in BOM.items()
    ]
    return WorkOrder(
        number=f"WO-2026-00000{unit}", order_number="SO-2026-000007", tag=tag, unit=unit, bom=bom, promised_on=date(2026, 3, 9),
        name={"en": "Skein 14", "zh": "云雀 Skein 14"}, model="skein-14",
    )


def test_the_traveller_carries_tag_and_status_page_as_codes(app: Flask) -> None:
    with app.app_context():
        paper = traveller(make_unit(), of=3)
    assert codes_on(paper) == {"Code128": {"BX7K2M9"}, "QRCode": {"http://localhost/status?number=SO-2026-000007"}}


def test_the_traveller_says_what_to_pick_build_and_test(app: Flask) -> None:
    with app.app_context():
        text = text_of(traveller(make_unit(unit=2), of=3))
    for word in ("Traveller", "WO-2026-000002", "SO-2026-000007", "2 of 3", "March 9, 2026", spoken(express_code("BX7K2M9"))):
        assert word in text
    for sku in BOM:
        assert sku in text
    for line in ("pack beside", "no part", "Seat the processor, check its pins", "Burn-in of the whole machine", "0 errors"):
        assert line in text


def test_staff_read_it_in_chinese_when_they_ask_for_it(app: Flask) -> None:
    with app.app_context():
        text = text_of(traveller(make_unit(), language="zh"))
        label = text_of(unit_label(make_unit(), language="zh"))
    for word in ("8 核处理器", "安装处理器并检查针脚", "整机老化", "2026年3月9日"):
        assert word in text
    assert "云雀 Skein 14" in label


def test_the_label_on_the_machine_carries_tag_and_support_page(app: Flask) -> None:
    with app.app_context():
        paper = unit_label(make_unit())
    assert codes_on(paper) == {"Code128": {"BX7K2M9"}, "QRCode": {"http://localhost/support/BX7K2M9"}}
    assert spoken(express_code("BX7K2M9")) in text_of(paper)


def test_a_pick_list_sums_over_totes_and_says_whose_is_which(app: Flask) -> None:
    with app.app_context():
        text = " ".join(text_of(pick_list([make_unit(), make_unit("CX7K2M9", unit=2)])).split())
    assert "4 MEM-T16 16 GB memory BX7K2M9 × 2, CX7K2M9 × 2" in text
    assert "6 FAN-T4 Fan BX7K2M9 × 3, CX7K2M9 × 3" in text
    assert "OSL-TP" not in text, "software lies on no shelf"


@pytest.mark.parametrize("draw", [traveller, unit_label, lambda unit: pick_list([unit])])
def test_the_same_paper_is_the_same_file(app: Flask, draw: Callable[[WorkOrder], bytes]) -> None:
    with app.app_context():
        assert draw(make_unit()) == draw(make_unit())
