"""Forms around a configuration: how many, and whom to send a quote to."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from wtforms.validators import InputRequired, NumberRange

from fulfillment.kernel.web import EmailAddressField, Form, WholeNumberField


class QuantityForm(Form):
    """How many machines of this kind."""

    quantity = WholeNumberField(
        _l("Quantity"), [InputRequired(_l("Please enter a whole number, from 1 to 99.")), NumberRange(1, 99)], default=1
    )


class SendQuoteForm(Form):
    """Whom to send the quote to."""

    email = EmailAddressField(_l("E-mail"))
