"""What we write to a customer about their money, in the order's language."""

from __future__ import annotations

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from fulfillment.billing.models import Refund, RefundReason
from fulfillment.kernel.i18n import in_language, money
from fulfillment.kernel.mail import send_mail
from fulfillment.orders.models import SalesOrder


def tell_of_refund(session: Session, order: SalesOrder, refund: Refund) -> None:
    """The money is on its way back: how much, and why. One letter for each time it was sent."""
    with in_language(order.locale):
        amount = money(refund.amount)
        why = {
            RefundReason.CANCELLED: _("Your order %(number)s was cancelled.", number=order.number),
            RefundReason.EXCESS: _("Your order %(number)s had been paid already: the second payment goes back.", number=order.number),
        }.get(refund.reason, _("This is about your order %(number)s.", number=order.number))
        when = _("We have sent %(amount)s back to your card. Your bank shows it within five to ten days.", amount=amount)
        subject = _("Your refund of %(amount)s", amount=amount)
        text = f"{why}\n\n{when}\n\nLarkmill\n"
    send_mail(session, to=order.email, subject=subject, text=text, key=f"refund:{refund.refund_id}")
