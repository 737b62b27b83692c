"""The letter a quote goes out with."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from configurator.documents import quote_pdf
from configurator.models import Quote
from fulfillment.kernel.i18n import day, in_language, money
from fulfillment.kernel.mail import Attachment, send_mail


def send_quote(session: Session, quote: Quote, ready: Sequence[date], *, to: str, link: str, language: str) -> None:
    """Mail the quote with its document; the same quote to the same address goes once."""
    with in_language(language):
        text = _(
            "Here is quote %(number)s over %(total)s, without delivery and sales tax. It is valid until %(day)s.\n\n%(link)s\n",
            number=quote.number, total=money(quote.total), day=day(quote.valid_until), link=link,
        )
        subject = _("Your Larkmill quote %(number)s", number=quote.number)
    attached = Attachment(f"{quote.number}.pdf", "application/pdf", quote_pdf(quote, ready, link, language))
    send_mail(session, to=to, subject=subject, text=text, key=f"quote:{quote.number}:{to.lower()}", attachments=[attached])
