"""Budgets and days as customers choose them: what is offered beside the fields, and what is in force.

Pure but for the words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from flask_babel import gettext as _

from configurator.page import State, plain
from configurator.screen import short_money
from fulfillment.kernel.i18n import day
from fulfillment.kernel.money import Money

FRIDAY = 4


@dataclass(frozen=True, slots=True)
class Choice:
    """A limit as a button: the field of the form, its value, and its words."""

    field: str
    value: str
    words: str


def in_force(state: State) -> list[Choice]:
    """The limits that the customer set."""
    limits = []
    if state.limit is not None:
        limits.append(Choice("under", plain(state.limit), _("at most %(price)s", price=short_money(state.limit))))
    if state.by is not None:
        limits.append(Choice("until", state.by.isoformat(), _("leaves us by %(day)s", day=day(state.by))))
    return limits


def budgets(price: Money, most: int = 3) -> list[Choice]:
    """Round amounts below a price, the nearest first: 1,500, 1,250 and 1,000 below 1,510."""
    whole = price.minor // 100
    size = 10 ** max(len(str(whole)) - 1, 1)
    step = max(size // 4, 5) if whole < 5 * size else size // 2
    first = (whole - 1) // step * step
    amounts = [first - step * number for number in range(most) if first > step * number]
    return [Choice("under", str(each), _("under %(price)s", price=short_money(Money(each * 100, price.currency)))) for each in amounts]


def days(earliest: date, ready: date, most: int = 2) -> list[Choice]:
    """Fridays on which a machine could leave us, before the day it would: the latest first."""
    friday = ready - timedelta(days=(ready.weekday() - FRIDAY) % 7 or 7)
    fridays: Sequence[date] = [friday - timedelta(weeks=number) for number in range(most)]
    return [Choice("until", each.isoformat(), _("by Friday, %(day)s", day=day(each))) for each in fridays if each >= earliest]
