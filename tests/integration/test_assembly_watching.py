"""A machine that does not move is put in front of a person, and taken away again when it does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from fulfillment.assembly.watching import PATIENCE, STUCK, watch_stations
from fulfillment.kernel.alerts import open_alerts
from fulfillment.kernel.clock import frozen
from tests.builders import assembly
from tests.builders.assembly import unit_of
from tests.builders.walk import walk_order, work_jobs

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)


def stuck(session: Session) -> list[str]:
    return [alert.key for alert in open_alerts(session) if alert.kind == STUCK]


@pytest.mark.parametrize(
    ("up_to", "act"),
    [("released", assembly.kit), ("kitted", assembly.build), ("built", assembly.fail_test), ("tested", assembly.box)],
)
def test_it_is_alerted_when_it_stands_too_long_and_forgotten_when_it_moves(
    session: Session, up_to: str, act: Callable[..., object],
) -> None:
    with frozen(AT):
        unit = unit_of(session, walk_order(session, up_to=up_to, stock=True).number)
    patience = PATIENCE[unit.status]
    with frozen(AT + patience):
        assert watch_stations(session) == 0
    with frozen(AT + patience + timedelta(minutes=1)):
        assert watch_stations(session) == watch_stations(session) == 1
        assert stuck(session) == [unit.tag]
        act(session, unit.tag)
        work_jobs(session)
        assert stuck(session) == []
        assert watch_stations(session) == 0


def test_parts_that_do_not_come_are_their_suppliers_alert(session: Session) -> None:
    with frozen(AT):
        walk_order(session, up_to="released")
    with frozen(AT + timedelta(days=30)):
        assert watch_stations(session) == 0


def test_what_is_boxed_has_time(session: Session) -> None:
    with frozen(AT):
        walk_order(session, up_to="boxed", stock=True)
    with frozen(AT + timedelta(days=30)):
        assert watch_stations(session) == 0
