"""The invoice on paper, in the language the customer bought in; needs an app context for its words."""

from __future__ import annotations

from flask_babel import gettext as _
from reportlab.platypus import Flowable

from fulfillment.billing.models import Invoice
from fulfillment.customers.address import Address
from fulfillment.kernel import pdf
from fulfillment.kernel.i18n import day, in_language, money, number, pick
from fulfillment.kernel.money import Money

SELLER = "Larkmill, Inc. · 1200 Foundry Street · Portland, OR 97209 · orders@larkmill.example"


def draw(invoice: Invoice) -> bytes:
    """The invoice's PDF."""
    with in_language(invoice.locale):
        story = [*pdf.letterhead(_("Invoice"), invoice.number, invoice.locale), _parties(invoice), pdf.gap(8), _goods(invoice), pdf.gap(2)]
        story += [_sums(invoice), pdf.gap(8), pdf.text(_settled(invoice), 9, language=invoice.locale)]
        return pdf.render(story, title=f"{_('Invoice')} {invoice.number}", footer=SELLER)


def _parties(invoice: Invoice) -> Flowable:
    def block(title: str, lines: list[str]) -> list[Flowable]:
        head = pdf.text(title, 8, bold=True, language=invoice.locale)
        return [head, *(pdf.text(line, 9, language=invoice.locale) for line in lines)]

    facts = [
        _("Date: %(date)s", date=day(invoice.issued_on, "long")), _("Order: %(number)s", number=invoice.order_number),
        _("Shipment: %(number)s", number=invoice.shipment_number),
    ]
    return pdf.columns(
        block(_("Billed to"), Address.from_json(invoice.bill_to).lines()),
        block(_("Delivered to"), Address.from_json(invoice.ship_to).lines()),
        block(_("Reference"), facts), widths=(58, 58, 58),
    )


def _amount(invoice: Invoice, minor: int) -> str:
    return money(Money(minor, invoice.currency))


def _goods(invoice: Invoice) -> Flowable:
    rows = [
        [
            str(position), pick(line["description"]), number(line["quantity"]), _amount(invoice, line["unit_minor"]),
            _amount(invoice, line["net_minor"]),
        ]
        for position, line in enumerate(invoice.lines, 1)
    ]
    head = ["", _("Description"), _("Quantity"), _("Price each"), _("Amount")]
    return pdf.table(head, rows, (8, 92, 18, 28, 28), right=(2, 3, 4), language=invoice.locale)


def _sums(invoice: Invoice) -> Flowable:
    state = invoice.ship_to.get("state", "")
    rows = [
        [_("Goods"), _amount(invoice, invoice.net_minor)],
        [_("Delivery"), _amount(invoice, invoice.shipping_minor)],
        [_("Sales tax, %(state)s", state=state), _amount(invoice, invoice.tax_minor)],
        [_("Total"), _amount(invoice, invoice.gross_minor)],
        [_("Paid beforehand"), _amount(invoice, -invoice.deposit_minor)],
        [_("Amount due"), _amount(invoice, invoice.gross_minor - invoice.deposit_minor)],
    ]
    sums = pdf.table(["", ""], rows, (60, 34), right=(1,), language=invoice.locale, foot=1)
    sums.hAlign = "RIGHT"
    return sums


def _settled(invoice: Invoice) -> str:
    if invoice.deposit_minor < invoice.gross_minor:
        told = _("Please pay the amount due within 30 days, and give the invoice's number.")
    elif invoice.paid_by:
        told = _("Paid in full by card (%(card)s). Thank you.", card=invoice.paid_by)
    else:
        told = _("Paid in full. Thank you.")
    return str(told)
