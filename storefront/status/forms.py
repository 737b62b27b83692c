"""How a customer finds an order."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from wtforms import StringField
from wtforms.validators import InputRequired, Length

from fulfillment.kernel.web import Form


class FindForm(Form):
    """A number, and something only the customer knows."""

    number = StringField(_l("Order number"), [InputRequired(), Length(max=40)], description=_l("On your confirmation: SO-2026-000123."))
    proof = StringField(_l("E-mail, phone or ZIP code of the order"), [InputRequired(), Length(max=200)])


class CancelForm(Form):
    """Why the customer changed his mind, if he says."""

    reason = StringField(_l("Why? (if you like to tell us)"), [Length(max=300)])
