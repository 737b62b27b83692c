"""Papers of the dock: the packing slip in the box, the label on it.

The slip speaks the customer's language, the label the carrier's; the words need an app context.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask_babel import gettext as _
from reportlab.lib.units import mm
from reportlab.platypus import Flowable

from fulfillment.customers.address import Address
from fulfillment.kernel import pdf
from fulfillment.kernel.i18n import day, in_language, number, pick
from fulfillment.shipping.carriers import CARRIERS
from fulfillment.shipping.models import Shipment, ShipmentBox

SENDER = ("Larkmill, Inc.", "1200 Foundry Street", "Portland, OR 97209")
LABEL_SIZE = (102 * mm, 152 * mm)
"""Four by six inches, as carriers' printers take it."""


def packing_slip(shipment: Shipment, boxes: Sequence[ShipmentBox], *, language: str = "en") -> bytes:
    """What lies in which box: no prices, so it can be handed to whoever opens it."""
    with in_language(language):
        story: list[Flowable] = [*pdf.letterhead(_("Packing slip"), shipment.number, language), _parties(shipment, language), pdf.gap(6)]
        for box in boxes:
            title = _("Box %(box)s of %(of)s, %(weight)s kg", box=number(box.number), of=number(len(boxes)), weight=kilograms(box.weight_g))
            head = [_("Quantity"), _("Part"), _("Description"), _("Serial number or service tag")]
            rows = [_row(line) for line in box.contents]
            story += [
                pdf.text(title, 10.5, bold=True, language=language),
                pdf.table(head, rows, (16, 32, 76, 48), right=(0,), language=language), pdf.gap(5),
            ]
        story.append(pdf.text(_("Something missing? Write to us with your order number within ten days."), 8.5, language=language))
        return pdf.render(story, title=f"{_('Packing slip')} {shipment.number}", footer=f"{shipment.order_number} · {shipment.number}")


def _row(line: Mapping[str, Any]) -> list[str]:
    return [number(line["qty"]), line["sku"], pick(line["name"]), ", ".join(line["serials"])]


def _parties(shipment: Shipment, language: str) -> Flowable:
    carrier = CARRIERS[shipment.carrier]
    to = [pdf.text(_("Delivered to"), 8, bold=True, language=language)]
    to += [pdf.text(line, 9.5, language=language) for line in Address.from_json(shipment.ship_to).lines()]
    facts = [
        _("Order: %(number)s", number=shipment.order_number), _("Carrier: %(carrier)s", carrier=pick(carrier.name)),
        _("Tracking number: %(tracking)s", tracking=shipment.tracking),
        _("Date: %(date)s", date=day(shipment.dispatched_at or shipment.ready_at, "long")),
    ]
    return pdf.columns(to, [pdf.text(fact, 9.5, language=language) for fact in facts], widths=(86, 86))


def kilograms(grams: int) -> str:
    """`12.35`: to ten grams, rounded up."""
    tens = -(-grams // 10)
    return f"{tens // 100}.{tens % 100:02d}"


def shipping_label(shipment: Shipment, box: ShipmentBox, *, of: int) -> bytes:
    """The label of one box, with the tracking number as a bar code; carriers read English."""
    carrier, address = CARRIERS[shipment.carrier], Address.from_json(shipment.ship_to)
    with in_language("en"):
        head = pdf.columns(
            [pdf.text(carrier.name["en"], 15, bold=True), pdf.text(carrier.service["en"], 9)],
            [pdf.text(f"{box.number} / {of}", 15, bold=True, right=True), pdf.text(f"{kilograms(box.weight_g)} kg", 9, right=True)],
            widths=(60, 28),
        )
        sender = [pdf.text(_("From"), 7, bold=True), *(pdf.text(line, 7.5) for line in SENDER)]
        receiver = [pdf.text(_("To"), 8, bold=True), *(pdf.text(line, 12.5, bold=True) for line in address.lines())]
        phone = [pdf.text(_("Telephone: %(phone)s", phone=address.phone), 9)] if address.phone else []
        story: list[Flowable] = [
            head, pdf.gap(2), *sender, pdf.gap(4), *receiver, *phone, pdf.gap(5),
            pdf.code128(shipment.tracking, height=20, width=0.33), pdf.gap(6),
            pdf.text(f"{shipment.number} · {shipment.order_number}" + (f" · {box.tag}" if box.tag else ""), 8),
        ]
        return pdf.render(story, title=f"{shipment.tracking} {box.number}/{of}", size=LABEL_SIZE, margin=6)
