"""Forms of the account pages."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from wtforms import EmailField, PasswordField, SelectField, StringField, TelField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than the type stubs
from wtforms.validators import Email, EqualTo, InputRequired, Length

from fulfillment.customers.passwords import LONGEST, SHORTEST
from fulfillment.kernel.i18n import NAMES
from fulfillment.kernel.web import Form


def _new_password(label: str) -> PasswordField:
    return PasswordField(label, [InputRequired(), Length(SHORTEST, LONGEST)], description=_l("At least 10 characters."))


class SignInForm(Form):
    """Who comes back."""

    email = EmailField(_l("E-mail"), [InputRequired(), Email(), Length(max=200)])
    password = PasswordField(_l("Password"), [InputRequired(), Length(max=LONGEST)])


class SignUpForm(Form):
    """Who is new."""

    name = StringField(_l("Full name"), [InputRequired(), Length(max=80)])
    email = EmailField(_l("E-mail"), [InputRequired(), Email(), Length(max=200)])
    password = _new_password(_l("Password"))


class ForgottenForm(Form):
    """Who lost the password."""

    email = EmailField(_l("E-mail"), [InputRequired(), Email(), Length(max=200)])


class NewPasswordForm(Form):
    """A new password, twice."""

    password = _new_password(_l("New password"))
    again = PasswordField(_l("New password, again"), [InputRequired(), EqualTo("password", _l("The two are not the same."))])


class ChangePasswordForm(NewPasswordForm):
    """A new password from somebody who knows the old one."""

    old = PasswordField(_l("Old password"), [InputRequired(), Length(max=LONGEST)])


class DetailsForm(Form):
    """How we call and reach the customer."""

    name = StringField(_l("Full name"), [InputRequired(), Length(max=80)])
    phone = TelField(_l("Phone"), [Length(max=30)])
    locale = SelectField(_l("Language of our letters"), choices=[SelectChoice(code, name) for code, name in NAMES.items()])
