"""What we write to a customer about an order, in the order's language: as plain text, and as simple HTML.

Both are made from the same paragraphs and the same table, so that they say the same. No picture, no
tracking, no style sheet: a mail has to be readable everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from flask_babel import gettext as _
from markupsafe import Markup, escape

from fulfillment.kernel.i18n import day, in_language, money, pick
from fulfillment.kernel.settings import settings
from fulfillment.orders.delivery import OPTIONS
from fulfillment.orders.models import OrderLine, SalesOrder


class Letter(NamedTuple):
    """Subject, text and HTML of a mail."""

    subject: str
    text: str
    html: str


Row = tuple[str, str]
"""What, and how much."""


def confirmation(order: SalesOrder, lines: Sequence[OrderLine]) -> Letter:
    """The payment is here: what was ordered, what it costs, where it goes, when it comes."""
    with in_language(order.locale):
        subject = _("Your order %(number)s is confirmed", number=order.number)
        before = [
            _hello(order),
            _("thank you: your payment is here, and your order %(number)s is on its way to the workshop.", number=order.number),
        ]
        place = ", ".join(order.ship_address.lines())
        after = [
            _("Delivery: %(way)s, to %(place)s.", way=pick(OPTIONS[order.delivery].name), place=place),
            _("We plan to be with you by %(date)s. You can follow every step here:", date=day(order.promised_on, "long")),
            status_url(order),
        ]
        return _letter(subject, before, [*_rows(lines), *_sums(order)], after)


def on_review(order: SalesOrder) -> Letter:
    """The payment is here, but somebody has to look before anything is built."""
    with in_language(order.locale):
        subject = _("We are looking at your order %(number)s", number=order.number)
        paragraphs = [
            _hello(order),
            _("thank you: your payment for order %(number)s is here. One of us looks at it before we build it.", number=order.number),
            _("You need not do anything: you hear from us within a working day. Until then you can cancel and get your money back:"),
            status_url(order),
        ]
        return _letter(subject, paragraphs, [], [])


def delivered(order: SalesOrder) -> Letter:
    """It is with the customer."""
    with in_language(order.locale):
        subject = _("Your order %(number)s has arrived", number=order.number)
        paragraphs = [
            _hello(order),
            _("your order %(number)s was delivered. We hope you like it.", number=order.number),
            _("Should something not be right, your machine's service tag and this page are all we need:"),
            status_url(order),
        ]
        return _letter(subject, paragraphs, [], [])


def cancelled(order: SalesOrder, *, was_paid: bool) -> Letter:
    """Nothing comes, and the money goes back."""
    with in_language(order.locale):
        subject = _("Your order %(number)s is cancelled", number=order.number)
        money_back = _("What you paid goes back to your card; your bank takes five to ten days to show it.")
        paragraphs = [
            _hello(order),
            _("your order %(number)s is cancelled. Nothing will be built or sent.", number=order.number),
            money_back if was_paid else _("You have not been charged."),
        ]
        return _letter(subject, paragraphs, [], [])


def date_moved(order: SalesOrder) -> Letter:
    """It comes on another day than we said."""
    with in_language(order.locale):
        subject = _("A new date for your order %(number)s", number=order.number)
        paragraphs = [
            _hello(order),
            _("your order %(number)s will be with you by %(date)s, not on the day we told you before. We are sorry.",
              number=order.number, date=day(order.promised_on, "long")),
            _("Until it is in production you can cancel it and get all of your money back:"),
            status_url(order),
        ]
        return _letter(subject, paragraphs, [], [])


def status_url(order: SalesOrder) -> str:
    """Where the customer follows the order."""
    return f"{settings().base_url}/status?number={order.number}"


def _hello(order: SalesOrder) -> str:
    return str(_("Hello %(name)s,", name=order.bill_to["name"]))


def _rows(lines: Sequence[OrderLine]) -> list[Row]:
    return [(f"{line.quantity} × {pick(line.description)}", money(line.net)) for line in lines]


def _sums(order: SalesOrder) -> list[Row]:
    return [
        (_("Delivery"), money(order.shipping)), (_("Sales tax"), money(order.tax)), (_("Total"), money(order.total)),
    ]


def _letter(subject: str, before: Sequence[str], rows: Sequence[Row], after: Sequence[str]) -> Letter:
    signature = _("Larkmill")
    table = "\n".join(f"{what}: {much}" for what, much in rows)
    text = "\n\n".join(part for part in (*before, table, *after, signature) if part) + "\n"
    html = Markup().join([
        *(_paragraph(part) for part in before),
        _table(rows) if rows else Markup(),
        *(_paragraph(part) for part in after),
        _paragraph(signature),
    ])
    return Letter(subject, text, str(Markup("<!doctype html><title>{}</title>{}").format(subject, html)))


def _paragraph(text: str) -> Markup:
    if text.startswith(("https://", "http://")):
        return Markup('<p><a href="{0}">{0}</a></p>').format(text)
    return Markup("<p>{}</p>").format(text)


def _table(rows: Sequence[Row]) -> Markup:
    row = Markup('<tr><td>{}</td><td align="right">{}</td></tr>')
    return Markup('<table cellpadding="6">{}</table>').format(Markup().join(row.format(escape(what), escape(much)) for what, much in rows))
