"""Test cards: which numbers exist, what the bank says to each, and what the number itself gives away.

Numbers and their outcomes are those of Stripe's own test mode, so that what is learnt here holds there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from fulfillment.billing.simulator.errors import StripeRefusal


class Authentication(StrEnum):
    """When the bank wants to see the cardholder (3-D Secure)."""

    NEVER = "never"
    UNLESS_SET_UP = "unless_set_up"
    ALWAYS = "always"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What happens when a card is charged."""

    code: str | None = None
    """Error code of the decline; None: the charge succeeds."""
    decline_code: str | None = None
    authentication: Authentication = Authentication.NEVER
    dispute: str | None = None
    """Reason of the dispute the cardholder opens at once."""


def _declined(reason: str) -> Outcome:
    return Outcome("card_declined", reason)


OUTCOMES = {
    "4000000000000002": _declined("generic_decline"),
    "4000000000009995": _declined("insufficient_funds"),
    "4000000000009987": _declined("lost_card"),
    "4000000000009979": _declined("stolen_card"),
    "4000000000000341": _declined("generic_decline"),
    "4100000000000019": _declined("fraudulent"),
    "4000000000000069": Outcome("expired_card", "expired_card"),
    "4000000000000127": Outcome("incorrect_cvc", "incorrect_cvc"),
    "4000000000000119": Outcome("processing_error", "processing_error"),
    "4000002500003155": Outcome(authentication=Authentication.UNLESS_SET_UP),
    "4000002760003184": Outcome(authentication=Authentication.ALWAYS),
    "4000000000003220": Outcome(authentication=Authentication.ALWAYS),
    "4000000000003063": Outcome(authentication=Authentication.ALWAYS),
    "4000008400001629": Outcome("card_declined", "generic_decline", Authentication.ALWAYS),
    "4000000000000259": Outcome(dispute="fraudulent"),
    "4000000000002685": Outcome(dispute="product_not_received"),
}

TEST_PAYMENT_METHODS = {
    "pm_card_visa": "4242424242424242",
    "pm_card_mastercard": "5555555555554444",
    "pm_card_visa_chargeDeclined": "4000000000000002",
    "pm_card_visa_chargeDeclinedInsufficientFunds": "4000000000009995",
    "pm_card_threeDSecure2Required": "4000000000003220",
    "pm_card_authenticationRequired": "4000002760003184",
    "pm_card_createDispute": "4000000000000259",
}
TEST_TOKENS = {
    "tok_visa": "4242424242424242",
    "tok_mastercard": "5555555555554444",
    "tok_visa_chargeDeclined": "4000000000000002",
    "tok_createDispute": "4000000000000259",
}

MESSAGES = {
    "card_declined": "Your card was declined.",
    "insufficient_funds": "Your card has insufficient funds.",
    "expired_card": "Your card has expired.",
    "incorrect_cvc": "Your card's security code is incorrect.",
    "processing_error": "An error occurred while processing your card. Try again in a little bit.",
    "incorrect_number": "Your card number is incorrect.",
    "invalid_expiry_month": "Your card's expiration month is invalid.",
    "invalid_expiry_year": "Your card's expiration year is invalid.",
    "invalid_cvc": "Your card's security code is invalid.",
    "authentication_required": "Your card was declined. This transaction requires authentication.",
    "payment_intent_authentication_failure": (
        "We are unable to authenticate your payment method. Please choose a different payment method and try again."
    ),
}


def outcome(number: str) -> Outcome:
    """What the bank answers to this card; any other valid number simply pays."""
    return OUTCOMES.get(number, Outcome())


def brand(number: str) -> str:
    """The card scheme, told from the first digits."""
    if re.match(r"3[47]", number):
        return "amex"
    return {"4": "visa", "5": "mastercard", "2": "mastercard", "6": "discover"}.get(number[:1], "unknown")


def passes_luhn(number: str) -> bool:
    """The check digit of a card number (ISO/IEC 7812-1, annex B)."""
    total = 0
    for place, digit in enumerate(reversed(number)):
        doubled = int(digit) * (1 + place % 2)
        total += doubled - 9 if doubled > 9 else doubled
    return total % 10 == 0


def refused(code: str, param: str | None = None) -> StripeRefusal:
    """A card that cannot even be tried."""
    return StripeRefusal(402, "card_error", MESSAGES[code], code=code, param=param)


@dataclass(frozen=True, slots=True)
class Card:
    """A card as typed in, once it is plausible."""

    number: str
    month: int
    year: int

    @property
    def last4(self) -> str:
        """All that is ever shown of the number."""
        return self.number[-4:]


def read_card(number: str, expiry: str, cvc: str, *, today: tuple[int, int]) -> Card:
    """The card somebody typed in; `expiry` is MM/YY or MM/YYYY, `today` year and month.

    Raises StripeRefusal naming the field at fault.
    """
    digits = re.sub(r"[\s-]", "", number)
    if not re.fullmatch(r"[0-9]{13,19}", digits) or not passes_luhn(digits):
        raise refused("incorrect_number", "number")
    dated = re.fullmatch(r"\s*([0-9]{1,2})\s*/\s*((?:[0-9]{2})?[0-9]{2})\s*", expiry)
    month = int(dated.group(1)) if dated else 0
    if dated is None or not 1 <= month <= 12:
        raise refused("invalid_expiry_month", "exp_month")
    year = int(dated.group(2)) + (2000 if len(dated.group(2)) == 2 else 0)
    if not today <= (year, month) <= (today[0] + 50, 12):
        raise refused("invalid_expiry_year", "exp_year")
    if not re.fullmatch(r"[0-9]{4}" if brand(digits) == "amex" else r"[0-9]{3}", cvc.strip()):
        raise refused("invalid_cvc", "cvc")
    return Card(digits, month, year)
