"""Forms of the desks: signing in by password or by badge, and the few that are more than scans and buttons."""

from __future__ import annotations

from datetime import timedelta

import wtforms
from flask_babel import lazy_gettext as _l
from wtforms import DateField, HiddenField, PasswordField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, NumberRange, Regexp, ValidationError

from fulfillment.kernel.clock import today
from fulfillment.kernel.web import Form, WholeNumberField

KEY = Regexp(r"[A-Za-z0-9_-]{16,64}$")


class StaffSignInForm(Form):
    """Who works here."""

    login = StringField(_l("Login"), [InputRequired(), Length(max=80)])
    password = PasswordField(_l("Password"), [InputRequired(), Length(max=200)])


class BadgeForm(Form):
    """Who steps up to this station now."""

    badge = StringField(_l("Badge"), [InputRequired(), Length(max=80)])


class ReasonForm(Form):
    """Why something out of the ordinary is done."""

    reason = TextAreaField(_l("Reason"), [InputRequired(), Length(min=3, max=500)])


def soon(_form: wtforms.Form, field: wtforms.Field) -> None:
    """Nobody promises a day that is over, or one in another age."""
    if field.data is not None and not timedelta() <= field.data - today() <= timedelta(days=366):
        raise ValidationError(field.gettext("Invalid input."))


def not_to_come(_form: wtforms.Form, field: wtforms.Field) -> None:
    """What is on paper was written by today."""
    if field.data is not None and field.data > today():
        raise ValidationError(field.gettext("Invalid input."))


class SupplierDayForm(Form):
    """The day a supplier names now."""

    day = DateField(_l("New day"), [InputRequired(), soon])


class AnotherDayForm(SupplierDayForm):
    """The day a customer is promised now, and why."""

    reason = TextAreaField(_l("Reason"), [InputRequired(), Length(min=3, max=500)])


class RefundForm(Form):
    """Money back out of good will."""

    key = HiddenField(validators=[InputRequired(), KEY])
    payment = HiddenField(validators=[InputRequired(), Length(max=40)])
    amount = StringField(_l("Amount"), [InputRequired(), Regexp(r"\s*[0-9]{1,7}([.][0-9]{1,2})?\s*$")])
    reason = TextAreaField(_l("Reason"), [InputRequired(), Length(min=3, max=500)])


class TrackingForm(Form):
    """What a carrier told us by telephone or on paper."""

    key = HiddenField(validators=[InputRequired(), KEY])
    status = SelectField(_l("What happened"), [InputRequired()])
    place = StringField(_l("Place"), [Length(max=120)])


class CountForm(Form):
    """How many pieces lie on the shelf, and why somebody looked."""

    counted = WholeNumberField(_l("Pieces that lie there"), [InputRequired(), NumberRange(0, 999_999)])
    reason = TextAreaField(_l("Reason"), [InputRequired(), Length(min=3, max=400)])


class InvoiceForm(Form):
    """The head of a supplier's invoice, as it is printed; its lines are read beside it."""

    reference = StringField(_l("Supplier's invoice number"), [InputRequired(), Length(max=60)])
    dated = DateField(_l("Date on the invoice"), [InputRequired(), not_to_come])
    total = StringField(_l("Total on the invoice"), [InputRequired(), Regexp(r"\s*[0-9]{1,9}([.][0-9]{1,2})?\s*$")])
