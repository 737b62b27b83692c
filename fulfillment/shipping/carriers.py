"""The carriers we work with, and their tracking numbers.

Pure. The carriers are invented, the check digits are real ones: GS1's modulo 10, UPU S10's modulo
11, and a plain modulo 7. A number is derived from the shipment's own number, so asking twice gives
the same; digits are scattered over the year's range, so that a neighbour's number is not ours plus one.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from fulfillment.kernel.refusals import Refusal

_SHIPMENT = re.compile(r"SH-[0-9]{2}([0-9]{2})-([0-9]{6,7})")
_SPREAD = 7_368_787
"""Has no factor 2 or 5, so that multiplying by it permutes the residues modulo a power of ten."""


class NotATrackingNumber(Refusal):
    """What was typed or scanned is no tracking number of that carrier."""


@dataclass(frozen=True, slots=True)
class Carrier:
    """Who carries, and how its numbers are made: `make` gets the digits of a parcel."""

    code: str
    name: dict[str, str]
    service: dict[str, str]
    pattern: re.Pattern[str]
    digits: int
    make: Callable[[str], str]
    phone: str


def gs1_check_digit(digits: str) -> int:
    """Weights 3 and 1 from the right. Source: GS1 General Specifications, 7.9.1."""
    return -sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(digits))) % 10


def s10_check_digit(digits: str) -> int:
    """Of eight digits, weights 8 6 4 2 3 5 9 7; 10 becomes 0 and 11 becomes 5. Source: UPU S10, 4.2."""
    rest = 11 - sum(int(digit) * weight for digit, weight in zip(digits, (8, 6, 4, 2, 3, 5, 9, 7), strict=True)) % 11
    return {10: 0, 11: 5}.get(rest, rest)


CARRIERS: dict[str, Carrier] = {
    carrier.code: carrier
    for carrier in (
        Carrier(
            "wayfare", {"en": "Wayfare Parcel", "zh": "远行包裹"}, {"en": "Ground", "zh": "陆运"},
            re.compile(r"WF[0-9]{12}"), 11, lambda digits: f"WF{digits}{gs1_check_digit(digits)}", "+1 512 555 0140",
        ),
        Carrier(
            "swiftmere", {"en": "Swiftmere Express", "zh": "迅湖快递"}, {"en": "Two-day air", "zh": "两日航空"},
            re.compile(r"SM[0-9]{9}US"), 8, lambda digits: f"SM{digits}{s10_check_digit(digits)}US", "+1 512 555 0150",
        ),
        Carrier(
            "threshold", {"en": "Threshold Home Delivery", "zh": "到门预约配送"}, {"en": "By appointment", "zh": "预约上门"},
            re.compile(r"TH-[0-9]{9}-[0-6]"), 9, lambda digits: f"TH-{digits}-{int(digits) % 7}", "+1 512 555 0160",
        ),
    )
}

FOR_DELIVERY = {"standard": "wayfare", "express": "swiftmere", "appointment": "threshold"}
"""Which carrier serves which delivery that a customer can choose."""


def carrier_for(delivery: str) -> Carrier:
    """Who carries an order of this delivery; what we do not know goes by ground."""
    return CARRIERS[FOR_DELIVERY.get(delivery, "wayfare")]


def tracking_number(carrier: Carrier, shipment_number: str) -> str:
    """The parcel's number with this carrier, always the same for the same shipment."""
    match = _SHIPMENT.fullmatch(shipment_number)
    if match is None:
        raise ValueError(f"not a shipment number: {shipment_number!r}")
    year, serial = match.groups()
    room = carrier.digits - 2
    scattered = int(serial) * _SPREAD % 10**room
    return carrier.make(f"{year}{scattered:0{room}d}")


def read_tracking(carrier: Carrier, typed: str) -> str:
    """The number as printed, its check digit verified. Raises NotATrackingNumber."""
    cleaned = typed.replace(" ", "").upper()
    digits = re.sub(r"\D", "", cleaned)[: carrier.digits]
    if not carrier.pattern.fullmatch(cleaned) or carrier.make(digits) != cleaned:
        raise NotATrackingNumber("“{number}” is not a tracking number of {carrier}.", number=typed[:40], carrier=carrier.name)
    return cleaned
