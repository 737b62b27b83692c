"""An order before it is booked: values, checked here, priced by `booking` and by nobody else.

Unit prices come from quotes and from the part master, never from a page. Pure.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from fulfillment.customers.address import Address
from fulfillment.kernel.money import SHOP_CURRENCY, Money, total
from fulfillment.kernel.refusals import Refusal
from fulfillment.orders.delivery import delivery_option
from fulfillment.orders.models import LineKind

MOST_UNITS = 99
MOST_LINES = 40
MOST_MONEY = Money(99_999_999)
"""The most that a card payment can be. Source: Stripe, eight digits of the minor unit."""

_EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")


class BadOrder(Refusal):
    """Not an order we can take; the message says what to change."""


@dataclass(frozen=True, slots=True)
class DraftLine:
    """So many units of one thing at one price."""

    kind: LineKind
    sku_or_model: str
    description: Mapping[str, str]
    quantity: int
    unit_price: Money
    ready_on: date
    """The day all units can leave the house."""
    configuration: Sequence[Mapping[str, Any]] = field(default=())
    """A machine's choices in words: [{group, option}]."""
    bom: Sequence[Mapping[str, Any]] = field(default=())
    """A machine's parts, per unit."""
    picture: str = ""
    quote_number: str = ""
    weight_g: int = 0

    @property
    def net(self) -> Money:
        """All units, tax excluded."""
        return self.unit_price * self.quantity


@dataclass(frozen=True, slots=True)
class OrderDraft:
    """Who wants what, where to. The same `booking_key` books the same order."""

    booking_key: str
    email: str
    ship_to: Address
    bill_to: Address
    lines: Sequence[DraftLine]
    delivery: str = "standard"
    phone: str = ""
    locale: str = "en"
    channel: str = "shop"
    account_id: UUID | None = None

    @property
    def net(self) -> Money:
        """The goods, tax excluded."""
        return total(line.net for line in self.lines)

    def fingerprint(self) -> str:
        """SHA-256 over what was asked for, so that a key used for something else is noticed.

        Language, channel and account are left out: a customer who signs in and sends the same again wants the same.
        """
        content = [
            self.email.strip().lower(), digits(self.phone), self.delivery, self.ship_to.to_json(), self.bill_to.to_json(),
            [
                [line.kind.value, line.sku_or_model, line.quantity, line.unit_price.minor, line.unit_price.currency, line.quote_number,
                 list(line.configuration), list(line.bom)]
                for line in self.lines
            ],
        ]
        return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()


def digits(phone: str) -> str:
    """A telephone number as it is compared: digits only, without the country's 1."""
    found = re.sub(r"\D", "", phone, flags=re.ASCII)
    return found[1:] if len(found) == 11 and found.startswith("1") else found


def check(draft: OrderDraft) -> None:
    """Raise BadOrder, or NoSuchDelivery, in the customer's words, unless the draft can be booked."""
    if not draft.booking_key:
        raise ValueError("a draft needs a booking key")
    if len(draft.email) > 254 or not _EMAIL.fullmatch(draft.email.strip()):
        raise BadOrder("Please give an e-mail address that we can write to.")
    if len(digits(draft.phone)) > 20:
        raise BadOrder("This telephone number is too long.")
    delivery_option(draft.delivery)
    if not draft.lines:
        raise BadOrder("There is nothing in this order.")
    if len(draft.lines) > MOST_LINES:
        raise BadOrder("An order holds {most} lines at most. Please order in two parts.", most=MOST_LINES)
    for line in draft.lines:
        _check_line(line)
    if draft.net > MOST_MONEY:
        raise BadOrder("This is more than a card can pay at once. Please write to us for an offer.")


def _check_line(line: DraftLine) -> None:
    name = line.description.get("en", line.sku_or_model)
    if type(line.quantity) is not int or not 1 <= line.quantity <= MOST_UNITS:
        raise BadOrder(
            "Please choose a whole number from 1 to {most} of “{name}”. For more, write to us for an offer.", most=MOST_UNITS, name=name,
        )
    if line.unit_price.minor < 0 or line.unit_price.currency != SHOP_CURRENCY:
        raise BadOrder("“{name}” has no price we can sell it at.", name=name)
    if line.kind is LineKind.SYSTEM and not line.bom:
        raise BadOrder("“{name}” is a machine without parts. Please configure it again.", name=name)
