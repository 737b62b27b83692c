"""What we write to people about their account, in their language."""

from __future__ import annotations

from typing import NamedTuple

from flask_babel import gettext as _

from fulfillment.kernel.i18n import in_language


class Letter(NamedTuple):
    """Subject and text of a mail."""

    subject: str
    text: str


def welcome(name: str, locale: str) -> Letter:
    """The account is open."""
    with in_language(locale):
        return Letter(
            _("Welcome to Larkmill"),
            _("Hello %(name)s,\n\nyour account is open. Your orders, quotes and addresses are kept there from now on.\n", name=name),
        )


def already_signed_up(locale: str) -> Letter:
    """Somebody tried to open a second account with this address."""
    with in_language(locale):
        return Letter(
            _("You have a Larkmill account already"),
            _("Somebody, probably you, tried to open an account with this address. You have one: sign in, or reset your password.\n"),
        )


def reset(url: str, locale: str) -> Letter:
    """How to choose a new password."""
    with in_language(locale):
        return Letter(
            _("Choose a new password"),
            _(
                "Choose a new password within 30 minutes:\n\n%(url)s\n\nIf you did not ask for this, you need not do anything.\n",
                url=url,
            ),
        )
