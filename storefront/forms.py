"""Pieces of forms that several slices of the shop share: an address, a select of states."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext
from wtforms import SelectField, StringField, TelField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than the type stubs
from wtforms.validators import InputRequired, Length, Regexp

from fulfillment.customers.address import STATES, Address
from fulfillment.kernel.web import Form

STATE_CHOICES = [SelectChoice("", ""), *(SelectChoice(code, name) for code, name in sorted(STATES.items(), key=lambda state: state[1]))]


class AddressForm(Form):
    """Where a parcel goes."""

    name = StringField(_l("Full name"), [InputRequired(), Length(max=80)])
    company = StringField(_l("Company"), [Length(max=80)])
    line1 = StringField(_l("Street and number"), [InputRequired(), Length(max=100)])
    line2 = StringField(_l("Apartment, suite, floor"), [Length(max=100)])
    city = StringField(_l("City"), [InputRequired(), Length(max=60)])
    state = SelectField(lazy_pgettext("address", "State"), [InputRequired()], choices=STATE_CHOICES)
    postcode = StringField(
        _l("ZIP code"), [InputRequired(), Regexp(r"^\d{5}(-\d{4})?$", message=_l("Five digits, or five and four: 78701 or 78701-2345."))]
    )
    phone = TelField(
        _l("Phone"), [InputRequired(), Length(max=30), Regexp(r"^[0-9 ()+./-]{7,}$", message=_l("Digits, please, with the area code."))]
    )

    def address(self) -> Address:
        """The address as entered. Raises BadAddress."""
        kept = {
            field: (self[field].data or "").strip() for field in ("name", "company", "line1", "line2", "city", "state", "postcode", "phone")
        }
        return Address(**kept)
