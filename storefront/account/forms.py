"""Forms of the account pages."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from wtforms import PasswordField, SelectField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than the type stubs
from wtforms.validators import EqualTo, InputRequired, Length, Optional

from fulfillment.customers.passwords import LONGEST, SHORTEST
from fulfillment.kernel.i18n import NAMES
from fulfillment.kernel.web import EmailAddressField, Form, LineField
from storefront.forms import PHONE, PhoneField


def _new_password(label: str) -> PasswordField:
    return PasswordField(label, [InputRequired(), Length(SHORTEST, LONGEST)], description=_l("At least 10 characters."))


class SignInForm(Form):
    """Who comes back."""

    email = EmailAddressField(_l("E-mail"))
    password = PasswordField(_l("Password"), [InputRequired(), Length(max=LONGEST)])


class SignUpForm(Form):
    """Who is new."""

    name = LineField(_l("Full name"), [InputRequired(), Length(max=80)])
    email = EmailAddressField(_l("E-mail"))
    password = _new_password(_l("Password"))


class ForgottenForm(Form):
    """Who lost the password."""

    email = EmailAddressField(_l("E-mail"))


class NewPasswordForm(Form):
    """A new password, twice."""

    password = _new_password(_l("New password"))
    again = PasswordField(_l("New password, again"), [InputRequired(), EqualTo("password", _l("The two are not the same."))])


class ChangePasswordForm(NewPasswordForm):
    """A new password from somebody who knows the old one."""

    old = PasswordField(_l("Old password"), [InputRequired(), Length(max=LONGEST)])


class DetailsForm(Form):
    """How we call and reach the customer."""

    name = LineField(_l("Full name"), [InputRequired(), Length(max=80)])
    phone = PhoneField(_l("Phone"), [Optional(), *PHONE])
    locale = SelectField(_l("Language of our letters"), choices=[SelectChoice(code, name) for code, name in NAMES.items()])
