"""At the gate and after it: what comes is counted, put away and owed; what is charged has to agree."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from fulfillment.inventory.checks import moves_tie, parts_tie
from fulfillment.inventory.costing import change_standard_cost
from fulfillment.inventory.models import IncomingPart
from fulfillment.inventory.service import available
from fulfillment.kernel.alerts import open_alerts
from fulfillment.kernel.events import OutboxEvent
from fulfillment.kernel.money import Money
from fulfillment.kernel.refusals import Conflict, NotFound, Refusal, WrongStatus
from fulfillment.ledger import postings
from fulfillment.ledger.accounts import Account
from fulfillment.ledger.models import Entry
from fulfillment.ledger.service import balance, post
from fulfillment.purchasing.checks import accruals_tie, incoming_ties, payables_tie
from fulfillment.purchasing.invoicing import Charged
from fulfillment.purchasing.models import GoodsReceipt, InvoiceStatus, PurchaseOrder, PurchaseStatus, SupplierInvoice
from fulfillment.purchasing.receiving import WrongDelivery
from fulfillment.purchasing.service import (
    approve_invoice,
    cancel_purchase_order,
    get_purchase_order,
    pull,
    receive_parts,
    record_supplier_invoice,
    reject_invoice,
)
from tests.builders.parts import make_part

CPU, MEM = Money(21_000), Money(4_000)


@pytest.fixture
def order(session: Session) -> PurchaseOrder:
    """Three processors and four memory modules, on their way."""
    make_part(session, "CPU-16", cost=CPU)
    make_part(session, "MEM-16", cost=MEM)
    [order] = pull(session, {"CPU-16": 3, "MEM-16": 4}, "SO-2026-000001")
    return order


def assert_ties(session: Session) -> None:
    assert [*parts_tie(session), *moves_tie(session), *accruals_tie(session), *payables_tie(session), *incoming_ties(session)] == []


def kinds(session: Session) -> list[str]:
    return list(session.scalars(sa.select(Entry.kind).order_by(Entry.seq)))


def told(session: Session) -> list[dict[str, Any]]:
    return list(session.scalars(sa.select(OutboxEvent.payload).filter_by(kind="PartsReceived").order_by(OutboxEvent.at)))


def test_a_full_delivery_is_on_the_shelf_owed_and_told(session: Session, order: PurchaseOrder) -> None:
    receipt = receive_parts(session, order.number, {"MEM-16": 4, "CPU-16": 3}, "note-1")
    assert receipt.number == "GR-2026-000001"
    assert receipt.lines == [
        {"sku": "CPU-16", "qty": 3, "unit_cost_minor": 21_000}, {"sku": "MEM-16", "qty": 4, "unit_cost_minor": 4_000},
    ]
    assert order.status is PurchaseStatus.RECEIVED
    assert available(session, ["CPU-16", "MEM-16"]) == {"CPU-16": 3, "MEM-16": 4}
    assert balance(session, Account.PARTS) == Money(79_000)
    assert balance(session, Account.GRNI) == Money(-79_000)
    assert balance(session, Account.PAYABLE) == Money(0)
    assert told(session) == [{"po_number": order.number}]
    assert session.scalars(sa.select(IncomingPart)).all() == []
    assert_ties(session)


def test_part_of_it_may_come_first(session: Session, order: PurchaseOrder) -> None:
    receive_parts(session, order.number, {"CPU-16": 1}, "note-1")
    assert order.status.value == "partly_received"
    assert [(line.sku, line.missing) for line in order.lines] == [("CPU-16", 2), ("MEM-16", 4)]
    assert_ties(session)
    receive_parts(session, order.number, {"CPU-16": 2, "MEM-16": 4}, "note-2")
    assert order.status is PurchaseStatus.RECEIVED
    assert kinds(session) == ["parts_received", "parts_received"]
    assert len(told(session)) == 2
    assert_ties(session)


def test_a_delivery_note_scanned_twice_brings_nothing_more(session: Session, order: PurchaseOrder) -> None:
    receipts = {receive_parts(session, order.number, {"CPU-16": 3, "MEM-16": 4}, "note-1").number for _ in range(2)}
    assert receipts == {"GR-2026-000001"}
    assert available(session, ["CPU-16"]) == {"CPU-16": 3}
    assert kinds(session) == ["parts_received"]
    assert len(told(session)) == 1
    with pytest.raises(Conflict, match="GR-2026-000001"):
        receive_parts(session, order.number, {"CPU-16": 1}, "note-1")
    assert_ties(session)


@pytest.mark.parametrize(("received", "words"), [
    ({"CPU-16": 4}, "4 of CPU-16 came, 3 are still to come"),
    ({"CPU-16": 1, "GPU-8": 1}, "GPU-8 was not ordered"),
    ({"CPU-16": 0}, "0 is not a number of pieces"),
    ({"CPU-16": -1}, "-1 is not a number of pieces"),
    ({"CPU-16": 1.5}, "1.5 is not a number of pieces"),
    ({}, "at least one part"),
])
def test_a_delivery_that_was_not_ordered_is_refused_whole(
    session: Session, order: PurchaseOrder, received: dict[str, Any], words: str,
) -> None:
    with pytest.raises(WrongDelivery, match=words):
        receive_parts(session, order.number, received, "note-1")
    assert available(session, ["CPU-16"]) == {"CPU-16": 0}
    assert kinds(session) == []
    assert told(session) == []


def test_more_than_is_left_is_refused_after_a_partial_delivery(session: Session, order: PurchaseOrder) -> None:
    receive_parts(session, order.number, {"CPU-16": 2}, "note-1")
    with pytest.raises(WrongDelivery, match="2 of CPU-16 came, 1 are still to come"):
        receive_parts(session, order.number, {"CPU-16": 2}, "note-2")
    assert available(session, ["CPU-16"]) == {"CPU-16": 2}


def test_nothing_comes_on_an_order_that_is_over(session: Session, order: PurchaseOrder) -> None:
    cancel_purchase_order(session, order.number, by="b.ward")
    with pytest.raises(WrongDelivery, match="cancelled"):
        receive_parts(session, order.number, {"CPU-16": 1}, "note-1")
    with pytest.raises(NotFound):
        receive_parts(session, "PO-2026-999999", {"CPU-16": 1}, "note-1")


def test_a_receipt_is_final(session: Session, order: PurchaseOrder) -> None:
    receipt = receive_parts(session, order.number, {"CPU-16": 1}, "note-1")
    with pytest.raises(TypeError, match="final"), session.begin_nested():
        receipt.cost_minor = 0


def test_an_invoice_that_agrees_turns_the_accrual_into_a_debt_once(session: Session, order: PurchaseOrder) -> None:
    receive_parts(session, order.number, {"CPU-16": 3, "MEM-16": 4}, "note-1")
    invoices = {record_supplier_invoice(session, order.number, "TS-881").number for _ in range(2)}
    assert invoices == {"SI-2026-000001"}
    assert balance(session, Account.GRNI) == Money(0)
    assert balance(session, Account.PAYABLE) == Money(-79_000)
    assert kinds(session) == ["parts_received", "supplier_invoiced"]
    assert order.status is PurchaseStatus.CLOSED
    assert open_alerts(session) == []
    assert_ties(session)


def test_a_debt_stands_until_it_is_paid_and_one_without_an_invoice_is_found(session: Session, order: PurchaseOrder) -> None:
    receive_parts(session, order.number, {"CPU-16": 3, "MEM-16": 4}, "note-1")
    invoice = record_supplier_invoice(session, order.number, "TS-881")
    post(session, postings.supplier_paid("transfer-1", invoice.amount, number=invoice.number))
    assert balance(session, Account.PAYABLE) == Money(0)
    assert_ties(session)
    post(session, postings.supplier_invoiced("SI-X", Money(500)))
    assert [finding.text for finding in payables_tie(session)] == [
        "2202 Accounts payable stands at -5.00 USD, suppliers' invoices say 0.00 USD: -5.00 USD off",
    ]


def test_what_came_can_be_charged_in_parts(session: Session, order: PurchaseOrder) -> None:
    receive_parts(session, order.number, {"CPU-16": 2}, "note-1")
    record_supplier_invoice(session, order.number, "TS-1", [Charged("CPU-16", 1, CPU)])
    assert balance(session, Account.GRNI) == -CPU
    record_supplier_invoice(session, order.number, "TS-2")
    assert balance(session, Account.GRNI) == Money(0)
    receive_parts(session, order.number, {"CPU-16": 1, "MEM-16": 4}, "note-2")
    record_supplier_invoice(session, order.number, "TS-3")
    assert balance(session, Account.PAYABLE) == Money(-79_000)
    assert order.status is PurchaseStatus.CLOSED
    assert_ties(session)


@pytest.mark.parametrize(("charged", "reason"), [
    ([Charged("CPU-16", 3, CPU)], ("quantity", 2, 3)),
    ([Charged("CPU-16", 2, Money(22_000))], ("price", 21_000, 22_000)),
    ([Charged("MEM-16", 1, MEM)], ("quantity", 0, 1)),
    ([Charged("GPU-8", 1, MEM)], ("not_ordered", 0, 1)),
    ([Charged("CPU-16", 1, CPU), Charged("CPU-16", 2, CPU)], ("quantity", 1, 2)),
    ([Charged("CPU-16", -1, CPU)], ("quantity", 2, -1)),
])
def test_an_invoice_that_does_not_agree_is_held_and_not_booked(
    session: Session, order: PurchaseOrder, charged: list[Charged], reason: tuple[str, int, int],
) -> None:
    receive_parts(session, order.number, {"CPU-16": 2}, "note-1")
    invoice = record_supplier_invoice(session, order.number, "TS-1", charged)
    assert invoice.status is InvoiceStatus.HELD
    assert [(why["problem"], why["ours"], why["theirs"]) for why in invoice.reasons] == [reason]
    assert [(alert.kind, alert.key) for alert in open_alerts(session)] == [("supplier_invoice_mismatch", invoice.number)]
    assert kinds(session) == ["parts_received"]
    assert_ties(session)


def test_a_higher_price_can_be_accepted_as_a_variance(session: Session, order: PurchaseOrder) -> None:
    receive_parts(session, order.number, {"CPU-16": 2}, "note-1")
    invoice = record_supplier_invoice(session, order.number, "TS-1", [Charged("CPU-16", 2, Money(22_000))])
    approve_invoice(session, invoice.number, by="b.ward")
    assert (invoice.status, invoice.booked_by) == (InvoiceStatus.BOOKED, "b.ward")
    assert balance(session, Account.PRICE_VARIANCE) == Money(2_000)
    assert balance(session, Account.PAYABLE) == Money(-44_000)
    assert balance(session, Account.GRNI) == Money(0)
    assert open_alerts(session) == []
    with pytest.raises(WrongStatus):
        approve_invoice(session, invoice.number, by="b.ward")
    assert_ties(session)


def test_pieces_that_did_not_come_are_never_paid_for(session: Session, order: PurchaseOrder) -> None:
    receive_parts(session, order.number, {"CPU-16": 2}, "note-1")
    invoice = record_supplier_invoice(session, order.number, "TS-1", [Charged("CPU-16", 3, CPU)])
    with pytest.raises(Refusal, match="3 of CPU-16 are charged, 2 came"):
        approve_invoice(session, invoice.number, by="b.ward")
    receive_parts(session, order.number, {"CPU-16": 1}, "note-2")
    approve_invoice(session, invoice.number, by="b.ward")
    assert balance(session, Account.PAYABLE) == Money(-63_000)


def test_a_held_invoice_can_be_sent_back(session: Session, order: PurchaseOrder) -> None:
    invoice = record_supplier_invoice(session, order.number, "TS-1", [Charged("CPU-16", 3, CPU)])
    reject_invoice(session, invoice.number, by="b.ward")
    assert invoice.status is InvoiceStatus.REJECTED
    assert open_alerts(session) == []
    assert kinds(session) == []
    with pytest.raises(NotFound):
        reject_invoice(session, "SI-2026-999999", by="b.ward")


def test_a_reference_says_one_thing(session: Session, order: PurchaseOrder) -> None:
    receive_parts(session, order.number, {"CPU-16": 3}, "note-1")
    record_supplier_invoice(session, order.number, "TS-1", [Charged("CPU-16", 1, CPU)])
    with pytest.raises(Conflict, match="TS-1 came before"):
        record_supplier_invoice(session, order.number, "TS-1", [Charged("CPU-16", 2, CPU)])


def test_nothing_to_charge_is_no_invoice(session: Session, order: PurchaseOrder) -> None:
    with pytest.raises(Refusal, match="nothing to charge"):
        record_supplier_invoice(session, order.number, "TS-1")
    assert session.scalars(sa.select(SupplierInvoice)).all() == []


def test_a_cost_changed_on_the_way_becomes_a_variance_when_invoiced(session: Session, order: PurchaseOrder) -> None:
    change_standard_cost(session, "CPU-16", Money(20_000), "revision-1")
    receive_parts(session, order.number, {"CPU-16": 3}, "note-1")
    assert balance(session, Account.PARTS) == Money(60_000)
    assert balance(session, Account.GRNI) == Money(-60_000)
    assert_ties(session)
    record_supplier_invoice(session, order.number, "TS-1")
    assert balance(session, Account.PAYABLE) == Money(-63_000)
    assert balance(session, Account.PRICE_VARIANCE) == Money(3_000)
    assert_ties(session)


def test_what_came_before_an_order_was_cancelled_is_still_charged(session: Session, order: PurchaseOrder) -> None:
    receive_parts(session, order.number, {"CPU-16": 1}, "note-1")
    cancel_purchase_order(session, order.number, by="b.ward")
    record_supplier_invoice(session, order.number, "TS-1")
    assert balance(session, Account.PAYABLE) == -CPU
    assert get_purchase_order(session, order.number).status is PurchaseStatus.CANCELLED
    assert len(session.scalars(sa.select(GoodsReceipt)).all()) == 1
    assert_ties(session)


deliveries = st.lists(st.tuples(st.integers(1, 5), st.integers(0, 5)), min_size=1, max_size=6)


@given(deliveries, st.lists(st.integers(1, 30_000), min_size=6, max_size=6))
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_however_deliveries_and_invoices_come_the_accrual_is_what_is_not_charged(
    session: Session, steps: list[tuple[int, int]], costs: list[int],
) -> None:
    with session.begin_nested() as around:
        make_part(session, "ODD-1", cost=Money(333))
        [order] = pull(session, {"ODD-1": 30}, "SO-1")
        for number, (came, charged) in enumerate(steps):
            receive_parts(session, order.number, {"ODD-1": came}, f"note-{number}")
            if 0 < charged <= order.lines[0].uninvoiced:
                record_supplier_invoice(session, order.number, f"TS-{number}", [Charged("ODD-1", charged, Money(333))])
            change_standard_cost(session, "ODD-1", Money(costs[number]), f"revision-{number}")
            assert_ties(session)
        if order.lines[0].uninvoiced:
            record_supplier_invoice(session, order.number, "TS-last")
        assert balance(session, Account.GRNI) == Money(0)
        assert balance(session, Account.PAYABLE) == Money(-333 * order.lines[0].received)
        around.rollback()
    session.expire_all()
