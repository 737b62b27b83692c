"""The quote on paper, in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from flask_babel import gettext as _

from configurator.models import Quote, QuoteLine
from fulfillment.kernel import pdf
from fulfillment.kernel.clock import today
from fulfillment.kernel.i18n import day, in_language, money, pick
from fulfillment.kernel.money import Money


def _prices(line: QuoteLine) -> list[list[str]]:
    """What has another price than the model's own, and by which rule: what, list price, price, rule."""
    if not line.pricing:
        return []

    def row(name: str, priced: Mapping[str, Any]) -> list[str]:
        amounts = [money(Money(priced[which], line.currency)) for which in ("list_minor", "price_minor")]
        return [name, *amounts, ", ".join(pick(rule["name"]) for rule in priced["rules"])]

    priced = [(_("The bare machine"), line.pricing["base"]), *((pick(one["option"]), one) for one in line.options)]
    rows = [row(name, one) for name, one in priced if any(rule["kind"] != "model" for rule in one["rules"])]
    for off in line.pricing["off"]:
        if off["kind"] != "option":
            what = _("Off the order") if off["kind"] == "order" else _("Off the machine")
            rows.append([what, "–", money(-Money(off["amount_minor"], line.currency)), pick(off["name"])])
    return rows


def quote_pdf(quote: Quote, ready: Sequence[date], link: str, language: str) -> bytes:
    """The quote as a PDF, with the day each line could leave us now; its lines must be loaded."""
    expired = quote.valid_until < today()
    with in_language(language):
        story = pdf.letterhead(_("Quote"), quote.number, language)
        story += [
            pdf.columns(
                [pdf.text(_("Issued on %(day)s", day=day(quote.issued_at)), language=language)],
                [pdf.text(_("Valid until %(day)s", day=day(quote.valid_until)), right=True, language=language)],
                widths=(86, 86),
            ),
            pdf.gap(),
        ]
        for line, leaves in zip(quote.lines, ready, strict=True):
            story += [pdf.text(pick(line.name), 12, bold=True, language=language)]
            rows = [(pick(chosen["group"]), pick(chosen["option"])) for chosen in line.options]
            story += [pdf.table((_("Choice"), _("Chosen")), rows, (60, 112), language=language), pdf.gap(3)]
            if made := _prices(line):
                heads = (_("What"), _("List price"), _("Price"), _("By which rule"))
                story += [pdf.table(heads, made, (82, 26, 26, 38), right=(1, 2), language=language), pdf.gap(3)]
            amount = (str(line.quantity), money(line.unit_price), "–" if expired else day(leaves), money(line.price))
            heads = (_("Quantity"), _("Price each"), _("Could leave us on"), _("Price"))
            story += [pdf.table(heads, [amount], (30, 45, 52, 45), right=(1, 3), language=language), pdf.gap()]
        story += [
            pdf.text(
                _("Total without delivery and sales tax: %(total)s", total=money(quote.total)), 11, bold=True, right=True, language=language
            ),
            pdf.gap(6),
            pdf.columns(
                [pdf.qr(link)],
                [pdf.text(_("Look at it, change it or order it here:"), language=language), pdf.text(link)],
                widths=(32, 140),
            ),
        ]
        return pdf.render(story, title=quote.number, footer=f"Larkmill · {quote.number}")
