"""Sales tax by the state a parcel goes to: dated rates of every state and the District of Columbia.

Rates are those of the state alone, with what is collected everywhere in it (California, Utah,
Virginia); what counties and cities add is not in this table, so it is a floor, to be replaced by a
tax service's answer where one is used. They are whole thousandths of a percent: 6250 is 6.25 %.
Whether a separately stated delivery charge on taxable goods is taxed differs by state, too.
Source: state revenue departments' published rates, as compiled by the Tax Foundation (“State and
Local Sales Tax Rates”, 2026); to be checked by a tax adviser before real money is taken. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from fulfillment.kernel.money import Money
from fulfillment.kernel.refusals import Refusal

SCALE = 100_000
"""A rate of this much is the whole amount."""

ALWAYS = date(2020, 1, 1)


class NoSuchState(Refusal):
    """We deliver to the states and the District of Columbia."""


@dataclass(frozen=True, slots=True)
class Rate:
    """What a state takes from a day on."""

    since: date
    thousandths: int
    """Of a percent."""
    delivery: bool
    """Whether a delivery charge stated by itself is taxed like the goods."""


def _steady(thousandths: int, *, delivery: bool = False) -> tuple[Rate, ...]:
    return (Rate(ALWAYS, thousandths, delivery),)


RATES: dict[str, tuple[Rate, ...]] = {
    "AL": _steady(4_000),
    "AK": _steady(0),
    "AZ": _steady(5_600),
    "AR": _steady(6_500, delivery=True),
    "CA": _steady(7_250),
    "CO": _steady(2_900),
    "CT": _steady(6_350, delivery=True),
    "DE": _steady(0),
    "DC": _steady(6_000),
    "FL": _steady(6_000),
    "GA": _steady(4_000, delivery=True),
    "HI": _steady(4_000, delivery=True),
    "ID": _steady(6_000),
    "IL": _steady(6_250),
    "IN": _steady(7_000, delivery=True),
    "IA": _steady(6_000),
    "KS": (Rate(ALWAYS, 6_500, delivery=True), Rate(date(2023, 7, 1), 6_500, delivery=False)),
    "KY": _steady(6_000, delivery=True),
    "LA": (Rate(ALWAYS, 4_450, delivery=False), Rate(date(2025, 1, 1), 5_000, delivery=False)),
    "ME": _steady(5_500),
    "MD": _steady(6_000),
    "MA": _steady(6_250),
    "MI": (Rate(ALWAYS, 6_000, delivery=True), Rate(date(2023, 4, 26), 6_000, delivery=False)),
    "MN": _steady(6_875, delivery=True),
    "MS": _steady(7_000, delivery=True),
    "MO": _steady(4_225),
    "MT": _steady(0),
    "NE": _steady(5_500, delivery=True),
    "NV": _steady(6_850),
    "NH": _steady(0),
    "NJ": _steady(6_625, delivery=True),
    "NM": (
        Rate(ALWAYS, 5_125, delivery=True), Rate(date(2022, 7, 1), 5_000, delivery=True), Rate(date(2023, 7, 1), 4_875, delivery=True),
    ),
    "NY": _steady(4_000, delivery=True),
    "NC": _steady(4_750, delivery=True),
    "ND": _steady(5_000, delivery=True),
    "OH": _steady(5_750, delivery=True),
    "OK": _steady(4_500),
    "OR": _steady(0),
    "PA": _steady(6_000, delivery=True),
    "RI": _steady(7_000, delivery=True),
    "SC": _steady(6_000, delivery=True),
    "SD": (
        Rate(ALWAYS, 4_500, delivery=True), Rate(date(2023, 7, 1), 4_200, delivery=True), Rate(date(2027, 7, 1), 4_500, delivery=True),
    ),
    "TN": _steady(7_000, delivery=True),
    "TX": _steady(6_250, delivery=True),
    "UT": _steady(6_100),
    "VT": _steady(6_000, delivery=True),
    "VA": _steady(5_300),
    "WA": _steady(6_500, delivery=True),
    "WV": _steady(6_000, delivery=True),
    "WI": _steady(5_000, delivery=True),
    "WY": _steady(4_000),
}
"""By state, each from its day on; the last one begun is in force."""


def rate_of(state: str, on: date) -> Rate:
    """What the state takes on that day. Raises NoSuchState."""
    if state not in RATES:
        raise NoSuchState("We deliver within the United States: please choose a state.")
    begun = [rate for rate in RATES[state] if rate.since <= on]
    return begun[-1] if begun else RATES[state][0]


def sales_tax(state: str, net: Sequence[Money], shipping: Money, on: date) -> list[Money]:
    """The tax on each line's net amount, and as the last one that on the delivery.

    Each is rounded by itself, half up, so that a line's tax can be given back with the line.
    Raises NoSuchState.
    """
    rate = rate_of(state, on)
    taxes = [amount.times(rate.thousandths, SCALE) for amount in net]
    return [*taxes, shipping.times(rate.thousandths if rate.delivery else 0, SCALE)]
