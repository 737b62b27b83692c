"""`flask books post`: what no rule books is booked by a person, once, for ever, under a name."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from fulfillment.kernel.clock import today
from fulfillment.kernel.db import reading, transaction
from fulfillment.kernel.events import OutboxEvent
from fulfillment.ledger.accounts import Account
from fulfillment.ledger.checks import verify_chain
from fulfillment.ledger.cli import cli
from fulfillment.ledger.closing import close_period
from fulfillment.ledger.models import Entry
from fulfillment.ledger.service import trial_balance

FEE = {"--debit": "6603F", "--credit": "1012PSP", "--amount": "12.50", "--reason": "Radar fee of March", "--by": "Ann", "--key": "txn_1"}


def post(**changed: str) -> tuple[int, str]:
    words = {**FEE, **{f"--{name}": value for name, value in changed.items()}}
    result = CliRunner().invoke(cli, ["post", *(word for pair in words.items() for word in pair)])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


def entries() -> list[Entry]:
    with reading() as session:
        return list(session.scalars(sa.select(Entry).order_by(Entry.seq)))


def test_it_is_posted_once_under_its_key_with_reason_and_name(db: None) -> None:
    assert post() == (0, "entry 1: 12.50 USD from 1012PSP Card payments in clearing to 6603F Card fees; Radar fee of March (Ann)\n")
    assert post(by="Bob")[0] == 0
    (entry,) = entries()
    assert (entry.kind, entry.source, entry.memo) == ("entered_by_hand", "txn_1", "Radar fee of March (Ann)")
    with reading() as session:
        assert {account: amount.minor for (account, _), amount in trial_balance(session).items()} == {
            Account.CARD_FEES: 1_250, Account.CARD_CLEARING: -1_250,
        }
        assert session.scalars(sa.select(OutboxEvent.payload).filter_by(kind="EnteredByHand")).all() == [{"source": "txn_1", "by": "Ann"}]
        assert verify_chain(session) == []


def test_a_key_says_one_thing(db: None) -> None:
    post()
    code, said = post(amount="12.51")
    assert code == 1
    assert "with another content" in said
    assert len(entries()) == 1


@pytest.mark.parametrize(("name", "value", "said"), [
    ("debit", "9999", "there is no account 9999"), ("debit", "1012PSP", "from one account to another"), ("amount", "0", "above zero"),
    ("amount", "-1", "above zero"), ("amount", "ten", "not an amount"), ("amount", "1.005", "finer than USD"),
    ("reason", " ", "needs a key, a reason and a name"),
    ("by", "", "needs a key, a reason and a name"), ("key", "k" * 201, "needs a key, a reason and a name"),
    ("reason", "two\nlines", "each in a line"),
])
def test_what_is_no_entry_is_refused_in_words(db: None, name: str, value: str, said: str) -> None:
    code, output = post(**{name: value})
    assert code != 0
    assert said in output
    assert entries() == []


def test_nothing_is_added_to_a_closed_period(db: None) -> None:
    yesterday = today() - timedelta(days=1)
    with transaction() as session:
        close_period(session, yesterday, "Ann")
    code, said = post(on=yesterday.isoformat())
    assert code == 1
    assert "closed up to" in said
    assert post(on=today().isoformat())[0] == 0
    assert [entry.effective for entry in entries()] == [today()]
