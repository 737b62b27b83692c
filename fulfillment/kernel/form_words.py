"""What WTForms says itself about a field that is not filled in well, in the words of our catalogues.

The library has translations of its own, but not our tone; the sentences that our kinds of fields and
validators use stand here once, so that they are collected with all others.
"""

from __future__ import annotations

from flask_babel import get_domain, lazy_ngettext
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

SENTENCES = (
    _l("This field is required."),
    _l("Invalid input."),
    _l("Invalid email address."),
    _l("Not a valid choice."),
    _l("Invalid Choice: could not coerce."),
    _l("Number must be at least %(min)s."),
    _l("Number must be at most %(max)s."),
    _l("Number must be between %(min)s and %(max)s."),
    _l("Field must be between %(min)d and %(max)d characters long."),
    lazy_ngettext("Field must be at least %(min)d character long.", "Field must be at least %(min)d characters long.", 1),
    lazy_ngettext("Field cannot be longer than %(max)d character.", "Field cannot be longer than %(max)d characters.", 1),
)


class FormWords:
    """The translations a form asks for; the library fills in the values itself."""

    def gettext(self, sentence: str) -> str:
        """The sentence in the reader's language."""
        return str(_(sentence))

    def ngettext(self, singular: str, plural: str, number: int) -> str:
        """The sentence for this number."""
        return str(get_domain().get_translations().ungettext(singular, plural, number))
