"""Papers of the dock: what lies in which box, and a label that the carrier's scanner reads."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from flask import Flask

from fulfillment.shipping.carriers import CARRIERS, tracking_number
from fulfillment.shipping.documents import packing_slip, shipping_label
from fulfillment.shipping.models import Shipment, ShipmentBox, ShipmentStatus
from tests.builders.paper import codes_on, text_of
from tests.builders.people import make_address

BOXES = [
    ShipmentBox(number=1, tag="BX7K2M9", weight_g=1_369, contents=[
        {"sku": "skein-14", "name": {"en": "Skein 14", "zh": "云雀 Skein 14"}, "qty": 1, "serials": ["BX7K2M9"]},
        {"sku": "ADP-T65", "name": {"en": "65 W adapter", "zh": "65 W 适配器"}, "qty": 1, "serials": ["S0041X7"]},
    ]),
    ShipmentBox(number=2, tag=None, weight_g=1_410, contents=[
        {"sku": "BAG-T14", "name": {"en": "Wool sleeve", "zh": "羊毛内胆包"}, "qty": 3, "serials": []},
    ]),
]


def make_shipment(carrier: str = "wayfare") -> Shipment:
    return Shipment(
        number="SH-2026-000001", order_number="SO-2026-000007", status=ShipmentStatus.READY, carrier=carrier,
        tracking=tracking_number(CARRIERS[carrier], "SH-2026-000001"), ship_to=make_address().to_json(), weight_g=2_779,
        ready_at=datetime(2026, 3, 9, tzinfo=UTC),
    )


@pytest.mark.parametrize("carrier", sorted(CARRIERS))
def test_the_label_carries_the_tracking_number_as_a_bar_code(app: Flask, carrier: str) -> None:
    shipment = make_shipment(carrier)
    with app.app_context():
        paper = shipping_label(shipment, BOXES[0], of=2)
    assert codes_on(paper) == {"Code128": {shipment.tracking}}
    text = " ".join(text_of(paper).split())
    for word in (CARRIERS[carrier].name["en"], "1 / 2", "1.37 kg", "Ada Moss", "12 Willow Road", "Austin, TX 78701", "BX7K2M9"):
        assert word in text


def test_the_packing_slip_lists_every_box_and_no_price(app: Flask) -> None:
    with app.app_context():
        text = text_of(packing_slip(make_shipment(), BOXES))
    for word in ("Packing slip", "Box 1 of 2, 1.37 kg", "Box 2 of 2, 1.41 kg", "S0041X7", "BX7K2M9", "Wool sleeve", "WF260073687878"):
        assert word in text
    assert "$" not in text


def test_the_packing_slip_speaks_the_customers_language(app: Flask) -> None:
    with app.app_context():
        text = text_of(packing_slip(make_shipment(), BOXES, language="zh"))
    assert "羊毛内胆包" in text
    assert "远行包裹" in text


def test_the_same_slip_is_the_same_file(app: Flask) -> None:
    with app.app_context():
        assert packing_slip(make_shipment(), BOXES) == packing_slip(make_shipment(), BOXES)
