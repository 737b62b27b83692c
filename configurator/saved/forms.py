"""The one form here: what a kept configuration is called."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from wtforms.validators import InputRequired, Length

from fulfillment.kernel.web import Form, LineField


class NameForm(Form):
    """A name for a configuration."""

    name = LineField(_l("Name"), [InputRequired(), Length(max=80)])
