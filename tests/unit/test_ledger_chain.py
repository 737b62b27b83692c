"""The chain's form is frozen: these hashes were written down once and must never change."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pytest

from fulfillment.kernel.money import Money
from fulfillment.ledger import chain, heads
from fulfillment.ledger.accounts import Account
from fulfillment.ledger.chain import GENESIS, Line, Record, chain_hash, content_hash, lines_of, serialised_v1
from tests.builders.ledger import make_draft

RECORD = Record(
    seq=1, kind="payment_captured", source="txn_1", document="SO-2026-000001", memo='“付款” paid\n"twice"', effective=date(2026, 3, 2),
    posted_at=datetime(2026, 3, 2, 12, 0, 0, 5, tzinfo=UTC), reverses=None, content="c" * 64,
    lines=[Line("1012PSP", "D", 256_800, "USD"), Line("2204", "C", -256_800, "USD")],
)


def test_version_1_is_what_it_always_was() -> None:
    assert serialised_v1(RECORD) == (
        r'[1,1,"payment_captured","txn_1","SO-2026-000001","\u201c\u4ed8\u6b3e\u201d paid\n\"twice\"","2026-03-02",'
        r'"2026-03-02T12:00:00.000005+00:00",null,"' + "c" * 64 + r'",[["1012PSP","D",256800,"USD"],["2204","C",-256800,"USD"]]]'
    )
    assert chain_hash(GENESIS, RECORD) == "6eaa7625608374b5d2628f410ffb0d9051bc924ad5c834b739c891241f1efa86"
    assert content_hash(make_draft()) == "6308fd3967ed0e75a66208734f04a89a7c6bfaac0fb9692e48fe84fff44703c4"


def test_a_moment_is_hashed_as_itself_in_whatever_zone_it_is_told() -> None:
    east = RECORD._replace(posted_at=RECORD.posted_at.astimezone(timezone(timedelta(hours=8))))
    assert chain_hash(GENESIS, east) == chain_hash(GENESIS, RECORD)


@pytest.mark.parametrize("change", [
    {"seq": 2}, {"kind": "x"}, {"source": "x"}, {"document": "x"}, {"memo": ""}, {"effective": date(2026, 3, 3)},
    {"posted_at": RECORD.posted_at + timedelta(microseconds=1)}, {"reverses": 1}, {"content": "d" * 64}, {"lines": RECORD.lines[::-1]},
    {"lines": [Line("1012PSP", "C", 256_800, "USD"), RECORD.lines[1]]},
])
def test_every_field_is_covered(change: dict[str, object]) -> None:
    assert chain_hash(GENESIS, RECORD._replace(**change)) != chain_hash(GENESIS, RECORD)  # type: ignore[arg-type]
    assert chain_hash("1" * 64, RECORD) != chain_hash(GENESIS, RECORD)


def test_content_is_what_was_booked_and_not_how_it_was_put() -> None:
    draft = make_draft()
    assert content_hash(replace(draft, memo="other words", document="SO-9")) == content_hash(draft)
    assert content_hash(replace(draft, effective=date(2026, 3, 2))) != content_hash(draft)
    assert content_hash(make_draft(amount=Money(10_000, "EUR"))) != content_hash(draft)
    assert content_hash(make_draft(debit=Account.BANK)) != content_hash(draft)
    assert content_hash(replace(draft, red=True)) != content_hash(draft)


def test_red_ink_keeps_the_side_and_turns_the_sign() -> None:
    draft = make_draft()
    back = replace(draft, legs=tuple((account, -amount) for account, amount in draft.legs), red=True)
    assert [line.side for line in lines_of(back)] == [line.side for line in lines_of(draft)] == ["D", "C"]
    assert [line.amount_minor for line in lines_of(back)] == [-10_000, 10_000]


def test_the_present_version_can_be_read() -> None:
    assert chain.VERSION in chain.SERIALISED


def test_heads_are_kept_one_to_a_line(tmp_path: Path) -> None:
    assert heads.kept(tmp_path) == []
    heads.keep(tmp_path / "var", 7, "a" * 64, RECORD.posted_at, "closed up to\n2026-02-28")
    heads.keep(tmp_path / "var", 9, "b" * 64, RECORD.posted_at, "noted")
    assert heads.kept(tmp_path / "var") == [
        (7, "a" * 64, "2026-03-02T12:00:00+00:00", "closed up to 2026-02-28"), (9, "b" * 64, "2026-03-02T12:00:00+00:00", "noted"),
    ]
