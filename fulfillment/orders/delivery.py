"""How an order can come to its customer: what it costs, and how long it takes once it is ready.

Pure. Days are working days in the carrier's hands; prices are in USD, tax excluded.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from fulfillment.kernel.clock import add_working_days
from fulfillment.kernel.money import Money
from fulfillment.kernel.refusals import Refusal


class NoSuchDelivery(Refusal):
    """A way of delivery that we do not have."""


@dataclass(frozen=True, slots=True)
class DeliveryOption:
    """A way to deliver."""

    code: str
    name: Mapping[str, str]
    note: Mapping[str, str]
    price: Money
    days: int


OPTIONS: dict[str, DeliveryOption] = {
    option.code: option
    for option in (
        DeliveryOption(
            "standard", {"en": "Standard", "zh": "标准配送"},
            {"en": "By ground, five working days on the way.", "zh": "陆运，路上五个工作日。"}, Money(0), 5,
        ),
        DeliveryOption(
            "express", {"en": "Express", "zh": "加急配送"}, {"en": "By air, two working days on the way.", "zh": "空运，路上两个工作日。"},
            Money(3_900), 2,
        ),
        DeliveryOption(
            "appointment", {"en": "By appointment", "zh": "预约配送"},
            {"en": "The carrier calls first and brings it in on the day you agree on.", "zh": "承运人事先来电，按约定日期送货上门。"},
            Money(5_900), 6,
        ),
    )
}


def delivery_option(code: str) -> DeliveryOption:
    """The way of this code. Raises NoSuchDelivery."""
    if code not in OPTIONS:
        raise NoSuchDelivery("Please choose one of our ways of delivery.")
    return OPTIONS[code]


def promise(ready: Iterable[date], option: DeliveryOption, today: date) -> date:
    """The day it should arrive: when its last line is ready, which is never before `today`, and the way to the customer."""
    return add_working_days(max([today, *ready]), option.days)
