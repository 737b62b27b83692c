"""What we write to customers from the dock, in the language they ordered in; the words need an app context."""

from __future__ import annotations

from typing import NamedTuple

from flask_babel import gettext as _

from fulfillment.customers.address import Address
from fulfillment.kernel.i18n import in_language
from fulfillment.kernel.settings import settings
from fulfillment.shipping.carriers import Carrier


class Letter(NamedTuple):
    """Subject and text of a mail."""

    subject: str
    text: str


def shipped(order_number: str, carrier: Carrier, tracking: str, address: Address, *, boxes: int, language: str) -> Letter:
    """Your order is on its way."""
    with in_language(language):
        paragraphs = [
            _("Hello %(name)s,", name=address.name),
            _("your order %(order)s left our factory today with %(carrier)s.", order=order_number, carrier=_name(carrier, language)),
            _("Tracking number: %(tracking)s (%(boxes)s boxes)", tracking=tracking, boxes=boxes)
            if boxes > 1 else _("Tracking number: %(tracking)s", tracking=tracking),
            _("It goes to:") + "\n" + "\n".join(address.lines()),
            _("Watch it on its way: %(link)s", link=f"{settings().base_url}/status?number={order_number}"),
        ]
        return Letter(_("Your order %(order)s is on its way", order=order_number), "\n\n".join(paragraphs) + "\n")


def delivered(order_number: str, name: str, tags: list[str], *, language: str) -> Letter:
    """Your order has arrived."""
    with in_language(language):
        paragraphs = [
            _("Hello %(name)s,", name=name), _("your order %(order)s was delivered today. We hope you enjoy it.", order=order_number),
        ]
        if tags:
            paragraphs.append(_("Help for your machine is under its service tag: %(tags)s", tags=", ".join(tags)))
            paragraphs += [f"{settings().base_url}/support/{tag}" for tag in tags]
        return Letter(_("Your order %(order)s was delivered", order=order_number), "\n\n".join(paragraphs) + "\n")


def _name(carrier: Carrier, language: str) -> str:
    return carrier.name.get(language) or carrier.name["en"]
