"""Document numbers: per series and year, without a gap."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy.orm import Session

from fulfillment.kernel.clock import frozen
from fulfillment.kernel.numbering import next_number


def test_every_series_counts_for_itself_and_anew_in_a_new_year(session: Session) -> None:
    with frozen(datetime(2026, 12, 31, 23, 59, tzinfo=UTC)):
        assert [next_number(session, "SO"), next_number(session, "INV"), next_number(session, "SO")] == [
            "SO-2026-000001", "INV-2026-000001", "SO-2026-000002",
        ]
    with frozen(datetime(2027, 1, 1, tzinfo=UTC)):
        assert next_number(session, "SO") == "SO-2027-000001"
    with frozen(datetime(2026, 12, 31, tzinfo=UTC)):
        assert next_number(session, "SO") == "SO-2026-000003"
