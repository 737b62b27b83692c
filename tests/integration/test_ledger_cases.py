"""The worked cases of the shared pages, as far as this flow goes: A1, B8, B16 whole, B3 up to the payout.

Twice: the entries as the accountants wrote them, and the events by our own posting rules; both
must give the balances that are written after every step.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from functools import cache
from typing import Any

import pytest
from sqlalchemy.orm import Session

from fulfillment.kernel.money import Money
from fulfillment.ledger import postings
from fulfillment.ledger.accounts import Account
from fulfillment.ledger.draft import Draft
from fulfillment.ledger.service import post, post_all, trial_balance
from tests.conftest import SHARED

pytestmark = pytest.mark.shared

CASES = {"A1": None, "B3": "payout.settled", "B8": None, "B16": None}
"""Case -> the last step of it that this flow reaches; None is all of it."""


@cache
def cases() -> dict[str, Any]:
    return {case["id"]: case for case in json.loads((SHARED / "data" / "ledger_cases.json").read_text(encoding="utf-8"))["cases"]}


def steps(name: str) -> list[dict[str, Any]]:
    taken = []
    for step in cases()[name]["steps"]:
        taken.append(step)
        if step["event"] == CASES[name]:
            break
    return taken


def standing(session: Session) -> dict[str, int]:
    return {account.code: amount.minor for (account, _), amount in trial_balance(session).items() if amount}


def as_written(name: str, number: int, step: Mapping[str, Any]) -> list[Draft]:
    sign = {"D": 1, "C": -1}
    drafts = []
    for n, entry in enumerate(step.get("entries", ())):
        legs = tuple((Account.of(line["account"]), Money(sign[line["side"]] * line["amount"])) for line in entry["lines"])
        drafts.append(Draft(step["event"], f"{name}-{number}-{n}", legs, entry["memo"], date.fromisoformat(step["date"])))
    return drafts


@pytest.mark.parametrize("name", CASES)
def test_the_entries_as_written_give_the_balances_as_written(session: Session, name: str) -> None:
    for number, step in enumerate(steps(name)):
        post_all(session, as_written(name, number, step))
        if "after" in step:
            assert standing(session) == step["after"], f"{name} {step['date']} {step['event']}"
    if CASES[name] is None:
        assert standing(session) == cases()[name]["expect"]["balances"]


def usd(text: str) -> Money:
    return Money.parse(text)


def invoiced(net: str, tax: str, cost: str) -> list[Draft]:
    return [postings.invoice_issued("SI-0001", usd(net), usd(tax)), postings.sale_recognised("SI-0001", usd(net), usd(cost))]


FINISHED = [postings.opening("2007", {Account.FINISHED_GOODS: usd("300000")})]
SHIPPED = [postings.goods_dispatched("GI-0001", usd("3000"), usd("0"))]

BY_RULE: dict[str, dict[str, list[Draft]]] = {
    "A1": {
        "opening": FINISHED, "outbound.post": SHIPPED, "invoice.post": invoiced("5000", "850", "3000"),
        "receipt.post": [postings.invoice_paid("RC-0001", usd("5850"))],
    },
    "B3": {
        "opening": FINISHED, "payment.captured": [postings.payment_captured("SO-1", "ch_1", usd("5850"), usd("58.50"))],
        "outbound.post": SHIPPED,
        "invoice.post": [*invoiced("5000", "850", "3000"), postings.deposit_applied("SI-0001", usd("5850"))],
        "payout.settled": [postings.payout_settled("po_1", usd("5791.50"))],
    },
    "B8": {
        "payment.captured": [postings.payment_captured("SO-1", "ch_1", usd("11300"), usd("113"))],
        "order.cancel": [postings.refund_requested("SO-1", "refund-1", usd("11300"))],
        "refund.succeeded": [postings.refund_settled("SO-1", "re_1", usd("11300"))],
    },
    "B16": {
        "opening": [postings.opening("2024", {Account.PARTS: usd("2400")})],
        "assembly.start": [postings.parts_issued("WO-1", usd("2400")), postings.labour_applied("WO-1", usd("100"))],
        "assembly.finish": [postings.build_finished("WO-1", usd("2500"))],
        "outbound.post": [postings.goods_dispatched("SH-1", usd("2500"), usd("0"))], "invoice.post": invoiced("3999", "519.87", "2500"),
    },
}


@pytest.mark.parametrize("name", CASES)
def test_our_rules_give_the_balances_as_written(session: Session, name: str) -> None:
    for step in steps(name):
        for draft in BY_RULE[name].get(step["event"], ()):
            post(session, draft)
        if "after" in step:
            assert standing(session) == step["after"], f"{name} {step['date']} {step['event']}"
    told = {step["event"] for step in steps(name) if step.get("entries")}
    assert told == set(BY_RULE[name])
