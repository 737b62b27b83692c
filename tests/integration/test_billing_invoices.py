"""An invoice says what was sold, in the customer's language, is never changed, and recognises the sale."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from io import BytesIO

import pytest
import sqlalchemy as sa
from flask import Flask
from pypdf import PdfReader

from fulfillment.billing.invoicing import find_invoice, invoice_pdf, invoices_of, issue_invoice
from fulfillment.billing.models import Invoice
from fulfillment.billing.refunds import request_refund
from fulfillment.kernel import clock
from fulfillment.kernel.db import reading, transaction
from fulfillment.kernel.money import Money
from fulfillment.kernel.refusals import NotFound, WrongStatus
from fulfillment.ledger import postings
from fulfillment.ledger.accounts import Account
from fulfillment.ledger.draft import Draft
from fulfillment.ledger.models import Entry
from fulfillment.ledger.service import post, reverse
from tests.builders.billing import CardShop, fee_of, findings, kinds, order_of, payment_of, standing

pytest_plugins = ("tests.builders.card_shop",)

COST = Money(90_000)
DAY = datetime(2026, 11, 25, 12, tzinfo=UTC)


def ship(number: str, shipment: str = "SH-2026-000001") -> Invoice:
    """What dispatching does to the books, and the invoice."""
    with transaction() as session:
        post(session, postings.opening(f"stock for {shipment}", {Account.FINISHED_GOODS: COST}))
        post(session, postings.goods_dispatched(shipment, COST, Money(0), order_number=number))
        return issue_invoice(session, number, shipment, COST)


def text_of(pdf: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(BytesIO(pdf)).pages)


def test_an_invoice_turns_the_deposit_into_a_sale(shop: CardShop) -> None:
    number = shop.paid_order()
    order = order_of(number)
    invoice = ship(number)
    assert invoice.number.startswith("INV-")
    assert (invoice.net_minor, invoice.shipping_minor, invoice.tax_minor) == (order.net_minor, order.shipping_minor, order.tax_minor)
    assert invoice.gross == order.total
    assert standing() == {
        Account.CARD_CLEARING: order.total_minor - fee_of(order.total_minor), Account.CARD_FEES: fee_of(order.total_minor),
        Account.REVENUE: -(order.net_minor + order.shipping_minor), Account.OUTPUT_TAX: -order.tax_minor,
        Account.COGS: COST.minor, Account.CAPITAL: -COST.minor,
    }
    assert kinds()[-3:] == ["invoice_issued", "sale_recognised", "deposit_applied"]
    assert findings() == []


def test_the_same_shipment_is_invoiced_once(shop: CardShop) -> None:
    number = shop.paid_order()
    first = ship(number)
    with transaction() as session:
        again = issue_invoice(session, number, "SH-2026-000001", COST)
        assert again.id == first.id
    assert kinds().count("invoice_issued") == 1
    with reading() as session:
        assert [invoice.number for invoice in invoices_of(session, number)] == [first.number]


def test_an_order_is_invoiced_once_whatever_is_shipped(shop: CardShop) -> None:
    number = shop.paid_order()
    first = ship(number)
    with pytest.raises(WrongStatus, match=first.number), transaction() as session:
        issue_invoice(session, number, "SH-2026-000002", COST)


def test_numbers_have_no_gap_where_an_invoice_was_not_made(shop: CardShop) -> None:
    one, two = shop.paid_order(), shop.paid_order(25_000)
    first = ship(one)
    with pytest.raises(sa.exc.IntegrityError), transaction() as session:
        session.add(Invoice(number=issue_invoice(session, two, "SH-2026-000002", COST).number))
    second = ship(two, "SH-2026-000002")
    assert int(second.number[-6:]) == int(first.number[-6:]) + 1


def test_an_invoice_is_never_changed(shop: CardShop) -> None:
    number = shop.paid_order()
    invoice = ship(number)
    with pytest.raises(RuntimeError, match="is final"), transaction() as session:
        find_invoice(session, invoice.number).tax_minor = 0
    with pytest.raises(RuntimeError, match="is final"), transaction() as session:
        session.delete(find_invoice(session, invoice.number))
    with reading() as session:
        assert find_invoice(session, invoice.number).tax_minor == order_of(number).tax_minor


def test_an_invoice_that_does_not_add_up_is_refused_by_the_database(shop: CardShop) -> None:
    invoice = ship(shop.paid_order())
    columns = {column.key: getattr(invoice, column.key) for column in sa.inspect(Invoice).columns if column.key != "id"}
    with pytest.raises(sa.exc.IntegrityError), transaction() as session:
        session.add(Invoice(**{**columns, "number": "INV-X", "shipment_number": "SH-X", "gross_minor": invoice.gross_minor + 1}))


def test_what_was_given_back_before_is_due_again(shop: CardShop) -> None:
    """A deposit is applied as far as it goes; the rest stands as a receivable, and no account is on its wrong side."""
    number = shop.paid_order()
    with transaction() as session:
        request_refund(session, payment_of(number).id, Money(10_000), key="rma-1")
    shop.work()
    invoice = ship(number)
    assert invoice.deposit_minor == order_of(number).total_minor - 10_000
    assert standing()[Account.RECEIVABLE] == 10_000
    assert Account.CUSTOMER_DEPOSITS not in standing()
    assert findings() == []


def test_a_refund_after_the_invoice_is_an_allowance_and_leaves_no_debt_behind(shop: CardShop) -> None:
    """No credit note takes the price back, so revenue and tax stay as invoiced and the customer owes nothing."""
    number = shop.paid_order()
    before = ship(number)
    with transaction() as session:
        assert request_refund(session, payment_of(number).id, Money(10_000), key="rma-1").invoiced
    shop.work()
    assert standing()[Account.SALES_ALLOWANCES] == 10_000
    assert Account.RECEIVABLE not in standing()
    assert standing()[Account.OUTPUT_TAX] == -before.tax_minor
    with reading() as session:
        promised = session.scalars(sa.select(Entry).filter_by(kind="refund_requested")).one()
    assert promised.memo == f"Allowance on order {number}, without a credit note"
    assert Account.CUSTOMER_DEPOSITS not in standing()
    assert findings() == []


def test_there_is_no_invoice_for_a_number_nobody_gave(shop: CardShop) -> None:
    with pytest.raises(NotFound), transaction() as session:
        issue_invoice(session, "SO-2026-999999", "SH-1", COST)
    with pytest.raises(NotFound), reading() as session:
        invoice_pdf(session, "INV-2026-999999")


@pytest.mark.parametrize(("locale", "name", "date"), [("en", "Wool sleeve", "November 25, 2026"), ("zh", "羊毛内胆包", "2026年11月25日")])
def test_the_invoice_on_paper_speaks_the_orders_language(app: Flask, shop: CardShop, locale: str, name: str, date: str) -> None:
    number = shop.book(129_900, quantity=2, locale=locale)
    shop.simulator.pay(shop.checkout(number))
    shop.work()
    with clock.frozen(DAY):
        invoice = ship(number)
    with app.app_context(), reading() as session:
        first, second = invoice_pdf(session, invoice.number), invoice_pdf(session, invoice.number)
    text = text_of(first)
    assert hashlib.sha256(first).digest() == hashlib.sha256(second).digest()
    for part in (invoice.number, number, "SH-2026-000001", name, date, "Ada Moss", "12 Willow Road", "1,299.00", "2,598.00", "visa 4242"):
        assert part in text, part
    gross = f"{invoice.gross_minor // 100:,}.{invoice.gross_minor % 100:02d}"
    assert gross in text


@pytest.mark.parametrize(("draft", "wrong"), [
    (postings.invoice_issued("INV-X", Money(900), Money(100)), {"accounts receivable", "sales tax collected", "customer deposits"}),
    (postings.sale_recognised("INV-X", Money(900), Money(0)), {"revenue", "customer deposits"}),
    (postings.refund_requested("SO-X", "rma-x", Money(100), invoiced=True), {"sales allowances", "refunds due"}),
])
def test_an_entry_without_its_document_is_found(shop: CardShop, draft: Draft, wrong: set[str]) -> None:
    ship(shop.paid_order())
    with transaction() as session:
        post(session, draft)
    assert {found.split(":")[0] for found in findings()} >= wrong


def test_money_that_came_by_bank_and_tax_that_was_remitted_close_what_was_open(shop: CardShop) -> None:
    number = shop.paid_order()
    with transaction() as session:
        request_refund(session, payment_of(number).id, Money(10_000), key="rma-1")
    shop.work()
    invoice = ship(number)
    with transaction() as session:
        post(session, postings.invoice_paid("transfer-1", Money(10_000), invoice=invoice.number))
        wrongly = post(session, postings.tax_remitted("TX-0", Money(1)))
        post(session, postings.tax_remitted("TX-1", Money(invoice.tax_minor)))
        reverse(session, wrongly, "twice")
    assert {Account.RECEIVABLE, Account.OUTPUT_TAX}.isdisjoint(standing())
    assert findings() == []
