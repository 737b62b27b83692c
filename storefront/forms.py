"""Pieces of forms that several slices of the shop share: an address, a select of states."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext
from wtforms import SelectField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than the type stubs
from wtforms.validators import InputRequired, Length, Regexp
from wtforms.widgets import TelInput

from fulfillment.customers.address import STATES, Address
from fulfillment.kernel.web import Form, LineField

STATE_CHOICES = [SelectChoice("", ""), *(SelectChoice(code, name) for code, name in sorted(STATES.items(), key=lambda state: state[1]))]


PARTS = ("name", "company", "line1", "line2", "city", "state", "postcode", "phone")
PHONE = (Length(max=30), Regexp(r"^[ ()+./-]*([0-9][ ()+./-]*){7,}$", message=_l("Digits, please, with the area code.")))


class PhoneField(LineField):
    """A telephone number, which a telephone helps to type."""

    widget = TelInput()


class AddressForm(Form):
    """Where a parcel goes."""

    name = LineField(_l("Full name"), [InputRequired(), Length(max=80)])
    company = LineField(_l("Company"), [Length(max=80)])
    line1 = LineField(_l("Street and number"), [InputRequired(), Length(max=100)])
    line2 = LineField(_l("Apartment, suite, floor"), [Length(max=100)])
    city = LineField(_l("City"), [InputRequired(), Length(max=60)])
    state = SelectField(lazy_pgettext("address", "State"), [InputRequired()], choices=STATE_CHOICES)
    postcode = LineField(
        _l("ZIP code"),
        [InputRequired(), Regexp(r"^[0-9]{5}(-[0-9]{4})?$", message=_l("Five digits, or five and four: 78701 or 78701-2345."))],
    )
    phone = PhoneField(_l("Phone"), [InputRequired(), *PHONE])

    def address(self) -> Address:
        """The address as entered. Raises BadAddress."""
        return Address(**{field: self[field].data or "" for field in PARTS})
