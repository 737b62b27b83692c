"""What we write to customers from the dock, in the language they ordered in."""

from __future__ import annotations

from typing import NamedTuple

from flask_babel import gettext as _

from fulfillment.kernel.i18n import in_language, number, pick
from fulfillment.orders.letters import status_url
from fulfillment.orders.models import SalesOrder
from fulfillment.shipping.carriers import Carrier


class Letter(NamedTuple):
    """Subject and text of a mail."""

    subject: str
    text: str


def shipped(order: SalesOrder, carrier: Carrier, tracking: str, *, boxes: int) -> Letter:
    """It is on its way: with whom, under which number, in how many boxes."""
    with in_language(order.locale):
        paragraphs = [
            _("Hello %(name)s,", name=order.bill_to["name"]),
            _("your order %(number)s left our factory today with %(carrier)s.", number=order.number, carrier=pick(carrier.name)),
            _("Tracking number: %(tracking)s", tracking=tracking) + "\n" + _("Boxes: %(count)s", count=number(boxes)),
            _("It goes to:") + "\n" + "\n".join(order.ship_address.lines()),
            _("You can follow every step here:") + "\n" + status_url(order),
            "Larkmill",
        ]
        return Letter(_("Your order %(number)s is on its way", number=order.number), "\n\n".join(paragraphs) + "\n")
