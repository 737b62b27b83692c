"""The clock that can be held still, and the keys that sort by when they were made."""

from __future__ import annotations

import threading
import time
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fulfillment.kernel.clock import add_working_days, frozen, now, today
from fulfillment.kernel.ids import new_id, secret_token

NOON = datetime(2026, 3, 6, 12, tzinfo=UTC)  # a Friday


def test_now_is_aware_and_in_utc() -> None:
    assert now().utcoffset() == timedelta(0)
    assert abs(now().timestamp() - time.time()) < 1


def test_a_frozen_clock_stands_still_and_goes_on_afterwards() -> None:
    with frozen(NOON):
        assert now() == NOON
        assert today() == date(2026, 3, 6)
        with frozen(NOON + timedelta(days=1)):
            assert today() == date(2026, 3, 7)
        assert now() == NOON
    assert now() > NOON


def test_a_frozen_clock_goes_on_after_an_error() -> None:
    with pytest.raises(KeyError), frozen(NOON):
        raise KeyError
    assert now() != NOON


def test_another_thread_has_a_clock_of_its_own() -> None:
    seen: list[datetime] = []
    with frozen(NOON):
        thread = threading.Thread(target=lambda: seen.append(now()))
        thread.start()
        thread.join()
    assert seen != [NOON]


def test_the_day_is_that_of_utc_wherever_the_moment_was_told() -> None:
    with frozen(datetime(2026, 3, 6, 23, tzinfo=timezone(-timedelta(hours=5)))):
        assert today() == date(2026, 3, 7)
        assert now().utcoffset() == timedelta(0)


def test_a_naive_moment_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"), frozen(datetime(2026, 3, 6)):  # noqa: DTZ001 - that is the point
        pass


@pytest.mark.parametrize(
    ("start", "days", "end"),
    [
        (date(2026, 3, 6), 0, date(2026, 3, 6)), (date(2026, 3, 6), 1, date(2026, 3, 9)), (date(2026, 3, 7), 1, date(2026, 3, 9)),
        (date(2026, 3, 7), 0, date(2026, 3, 7)), (date(2026, 3, 2), 5, date(2026, 3, 9)), (date(2026, 12, 31), 1, date(2027, 1, 1)),
        (date(2026, 3, 2), -3, date(2026, 3, 2)),
    ],
)
def test_working_days_are_mondays_to_fridays(start: date, days: int, end: date) -> None:
    assert add_working_days(start, days) == end


@given(start=st.dates(date(2020, 1, 1), date(2040, 1, 1)), days=st.integers(1, 60))
def test_so_many_working_days_lie_between(start: date, days: int) -> None:
    end = add_working_days(start, days)
    between = (start + timedelta(days=number) for number in range(1, (end - start).days + 1))
    assert sum(day.weekday() < 5 for day in between) == days
    assert end.weekday() < 5


def test_an_id_is_a_uuid_of_version_7_that_tells_when_it_was_made() -> None:
    before = time.time_ns() // 1_000_000
    made = new_id()
    after = time.time_ns() // 1_000_000
    assert made.version == 7
    assert made.variant == "specified in RFC 4122"
    assert before <= made.int >> 80 <= after


def test_ids_sort_by_the_millisecond_they_were_made_in() -> None:
    made = []
    for _ in range(20):
        made.append(new_id())
        time.sleep(0.0015)
    assert made == sorted(made)


def test_ten_thousand_ids_are_different() -> None:
    assert len({new_id() for _ in range(10_000)}) == 10_000


def test_a_secret_word_is_long_and_safe_in_an_address() -> None:
    words = {secret_token() for _ in range(1000)}
    assert len(words) == 1000
    assert {len(word) for word in words} == {22}
    assert all(word.replace("-", "").replace("_", "").isalnum() for word in words)
    assert len(secret_token(32)) == 43
