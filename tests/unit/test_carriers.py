"""Tracking numbers: always the same for a shipment, never the same for two, and checkable."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fulfillment.shipping.carriers import (
    CARRIERS,
    FOR_DELIVERY,
    Carrier,
    NotATrackingNumber,
    carrier_for,
    gs1_check_digit,
    read_tracking,
    s10_check_digit,
    tracking_number,
)

carriers = st.sampled_from(sorted(CARRIERS.values(), key=lambda carrier: carrier.code))
serials = st.integers(1, 999_999)


def test_check_digits_agree_with_the_standards_own_examples() -> None:
    assert gs1_check_digit("629104150021") == 3
    assert gs1_check_digit("03600029145") == 2
    assert s10_check_digit("47312482") == 9


def test_numbers_look_as_the_carriers_print_them() -> None:
    assert [tracking_number(carrier, "SH-2026-000001") for carrier in CARRIERS.values()] == [
        "WF260073687878", "SM263687878US", "TH-267368787-0",
    ]


@given(carriers, serials)
def test_a_repeat_gives_the_same_number_and_it_passes_its_check(carrier: Carrier, serial: int) -> None:
    number = tracking_number(carrier, f"SH-2026-{serial:06d}")
    assert tracking_number(carrier, f"SH-2026-{serial:06d}") == number
    assert read_tracking(carrier, f" {number.lower()} ") == number


@given(carriers, serials, serials)
def test_two_shipments_never_share_a_number(carrier: Carrier, one: int, other: int) -> None:
    same = tracking_number(carrier, f"SH-2026-{one:06d}") == tracking_number(carrier, f"SH-2026-{other:06d}")
    assert same is (one == other)


@given(carriers, serials, st.integers(0, 10), st.integers(1, 9))
def test_one_wrong_digit_is_noticed(carrier: Carrier, serial: int, place: int, by: int) -> None:
    number = tracking_number(carrier, f"SH-2026-{serial:06d}")
    places = [at for at, letter in enumerate(number) if letter.isdigit()][: carrier.digits]
    at = places[place % len(places)]
    wrong = number[:at] + str((int(number[at]) + by) % 10) + number[at + 1 :]
    if carrier.code == "threshold" and by == 7:
        return  # modulo 7 cannot tell a digit from the one seven further
    try:
        read_tracking(carrier, wrong)
    except NotATrackingNumber:
        return
    assert carrier.code != "wayfare", "GS1's modulo 10 finds every single wrong digit"


@pytest.mark.parametrize("typed", ["", "WF", "WF260073687879", "SM263687878US", "WF26007368787８"])
def test_what_is_no_number_of_the_carrier_is_refused(typed: str) -> None:
    with pytest.raises(NotATrackingNumber):
        read_tracking(CARRIERS["wayfare"], typed)


def test_every_delivery_has_its_carrier_and_an_unknown_one_goes_by_ground() -> None:
    assert {delivery: carrier_for(delivery).code for delivery in FOR_DELIVERY} == FOR_DELIVERY
    assert carrier_for("pigeon").code == "wayfare"


def test_only_a_shipment_gets_a_number() -> None:
    with pytest.raises(ValueError, match="not a shipment number"):
        tracking_number(CARRIERS["wayfare"], "SO-2026-000001")
