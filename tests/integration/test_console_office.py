"""The desks of those who look after orders, parts, books and jobs: acts done once, refusals in words, a trace of each."""

from __future__ import annotations

import re

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from fulfillment.assembly import service as floor
from fulfillment.billing.models import Payment, Refund
from fulfillment.console.models import StaffAct
from fulfillment.kernel.alerts import Alert, raise_alert
from fulfillment.kernel.clock import now, today
from fulfillment.kernel.db import reading, transaction
from fulfillment.kernel.jobs import Job, JobState
from fulfillment.kernel.mail import send_mail
from fulfillment.kernel.money import Money
from fulfillment.ledger.accounts import Account
from fulfillment.ledger.service import balance
from fulfillment.orders.models import OrderStatus
from fulfillment.orders.service import get_order
from fulfillment.purchasing.models import GoodsReceipt, InvoiceStatus, PurchaseOrder, SupplierInvoice
from fulfillment.purchasing.service import record_supplier_invoice
from tests.builders.assembly import bags, fail_test, laptops
from tests.builders.desks import deliver_parts, hidden, walked, work
from tests.builders.people import sign_in_staff
from tests.builders.walk import findings, pay


@pytest.fixture
def office(client: FlaskClient) -> FlaskClient:
    sign_in_staff(client)
    return client


def acts() -> list[tuple[str, str]]:
    with reading() as session:
        rows = session.execute(sa.select(StaffAct.what, StaffAct.about).order_by(StaffAct.at, StaffAct.id))
        return [(what, about) for what, about in rows]


def order_status(number: str) -> OrderStatus:
    with reading() as session:
        return get_order(session, number).status


def held_order() -> str:
    """An order that was paid too little for."""
    number, _tags = walked(up_to="booked")
    with transaction() as session:
        pay(session, number, Money(1_000))
    return number


@pytest.mark.parametrize("words", ["{number}", "ada@example.com", "ADA MOSS", "{tag}"])
def test_an_order_is_found_by_whatever_the_customer_says(office: FlaskClient, words: str) -> None:
    number, (tag,) = walked(laptops(), up_to="released")
    page = office.get("/desk/orders", query_string={"q": words.format(number=number, tag=tag)}, follow_redirects=True)
    assert (page.status_code, number in page.text) == (200, True)


def test_orders_are_listed_by_state_and_page_by_page(office: FlaskClient) -> None:
    numbers = [walked(bags(), up_to="booked")[0] for _ in range(32)]
    first, second = office.get("/desk/orders").text, office.get("/desk/orders?page=2").text
    assert numbers[-1] in first
    assert numbers[0] not in first
    assert numbers[0] in second
    assert "No order found" in office.get("/desk/orders?status=delivered").text
    for odd in ("?page=-1", "?page=x", "?status=nonsense", "?page=99999999999999999999"):
        assert office.get(f"/desk/orders{odd}").status_code == 200


def test_a_held_order_is_released_with_a_reason(office: FlaskClient) -> None:
    number = held_order()
    silent = office.post(f"/desk/orders/{number}/release", data={"reason": ""})
    assert (silent.status_code, order_status(number)) == (422, OrderStatus.REVIEW)
    assert office.post(f"/desk/orders/{number}/release", data={"reason": "paid the rest by cheque"}).status_code == 303
    assert order_status(number) is OrderStatus.PAID
    again = office.post(f"/desk/orders/{number}/release", data={"reason": "paid the rest by cheque"})
    assert (again.status_code, f"Order {number} is not held." in again.text) == (409, True)
    assert acts() == [("order_released", number)]
    page = office.get(f"/desk/orders/{number}").text
    assert "paid the rest by cheque" in page
    assert "Administrator of the tests" in page


def test_a_paid_order_is_held_and_an_order_in_the_factory_is_not_cancelled(office: FlaskClient) -> None:
    number, _tags = walked(up_to="paid")
    assert office.post(f"/desk/orders/{number}/hold", data={"reason": "address looks odd"}).status_code == 303
    assert order_status(number) is OrderStatus.REVIEW

    begun, _tags = walked(laptops(), up_to="kitted")
    refused = office.post(f"/desk/orders/{begun}/cancel", data={"reason": "changed his mind"})
    assert (refused.status_code, "can no longer be cancelled" in refused.text) == (409, True)
    assert order_status(begun) is OrderStatus.IN_PRODUCTION
    assert acts() == [("order_held", number)]


def test_a_cancelled_order_pays_back_once(office: FlaskClient) -> None:
    number, _tags = walked(up_to="paid")
    for _ in range(2):
        assert office.post(f"/desk/orders/{number}/cancel", data={"reason": "changed her mind"}).status_code == 303
    work()
    with reading() as session:
        assert [refund.amount for refund in session.scalars(sa.select(Refund).filter_by(order_number=number))] == [Money(129_900)]
    assert order_status(number) is OrderStatus.CANCELLED


def test_good_will_is_paid_once_and_never_more_than_was_paid(office: FlaskClient) -> None:
    number, _tags = walked(up_to="paid")
    with reading() as session:
        payment = session.scalars(sa.select(Payment.id).filter_by(order_number=number)).one()
    form = {"key": hidden(office.get(f"/desk/orders/{number}")), "payment": str(payment), "amount": "25.50", "reason": "scratched lid"}
    address = f"/desk/orders/{number}/refund"
    assert [office.post(address, data=form).status_code for _ in range(2)] == [303, 303]
    too_much = office.post(address, data={**form, "key": "a-key-of-sixteen-letters", "amount": "1299.00"})
    assert (too_much.status_code, "Only $1,273.50 of this payment is left to refund." in too_much.text) == (409, True)
    for wrong in ({"amount": "-5"}, {"amount": "1e3"}, {"amount": "0"}, {"reason": ""}, {"key": "short"}, {"payment": "x"}):
        assert office.post(address, data={"key": "a-key-of-sixteen-letters", **form, **wrong}).status_code in {404, 409, 422}, wrong
    with reading() as session:
        assert session.scalars(sa.select(Refund.amount_minor)).all() == [2_550]
    assert [what for what, _about in acts()] == ["goodwill"]
    assert "scratched lid" in office.get(f"/desk/orders/{number}").text


def test_a_payment_of_another_order_is_not_refunded_here(office: FlaskClient) -> None:
    number, _tags = walked(up_to="paid")
    other, _tags = walked(up_to="paid")
    with reading() as session:
        payment = session.scalars(sa.select(Payment.id).filter_by(order_number=other)).one()
    form = {"key": "a-key-of-sixteen-letters", "payment": str(payment), "amount": "1.00", "reason": "for nothing"}
    assert office.post(f"/desk/orders/{number}/refund", data=form).status_code == 404


def bought() -> str:
    walked(laptops(2), up_to="released", stock=False)
    with reading() as session:
        return session.scalars(sa.select(PurchaseOrder.number).order_by(PurchaseOrder.number)).all()[0]


def test_a_delivery_is_taken_in_once_in_parts(office: FlaskClient) -> None:
    number = bought()
    key = hidden(office.get(f"/desk/purchasing/{number}"))
    address = f"/desk/purchasing/{number}/receive"
    assert [office.post(address, data={"key": key, "came-FAN-T4": "2"}).status_code for _ in range(2)] == [303, 303]
    with reading() as session:
        assert [receipt.lines[0]["qty"] for receipt in session.scalars(sa.select(GoodsReceipt))] == [2]
    other = office.post(address, data={"key": key, "came-FAN-T4": "3"})
    assert other.status_code == 409
    for wrong in ("-1", "1.5", "1000000000", "x", "999999", ""):
        refused = office.post(address, data={"key": "another-key-altogether", "came-FAN-T4": wrong})
        assert refused.status_code == 422, wrong
    assert "Partly received" in office.get(f"/desk/purchasing/{number}").text


def invoice_form(office: FlaskClient, number: str, total: str, reference: str = "R-77", **changed: str) -> dict[str, str]:
    """The form of a supplier's invoice as the page gives it, with what is printed typed into it."""
    page = office.get(f"/desk/purchasing/{number}")
    lines = dict(re.findall(r'name="((?:charged|price)-[^"]+)" value="([^"]*)"', page.text))
    head = {"press": hidden(page, "press"), "reference": reference, "dated": today().isoformat(), "total": total}
    return {**lines, **head, **changed}


def supplier_invoices() -> list[tuple[str, InvoiceStatus, Money]]:
    with reading() as session:
        found = list(session.scalars(sa.select(SupplierInvoice).order_by(SupplierInvoice.number)))
        assert {invoice.dated_on for invoice in found} <= {today()}
        return [(invoice.reference, invoice.status, invoice.amount) for invoice in found]


def received() -> str:
    """A purchase order over chassis of two laptops, all of it here: $506.48 at the agreed prices."""
    number = bought()
    deliver_parts()
    return number


def test_a_suppliers_invoice_that_agrees_is_booked_once(office: FlaskClient) -> None:
    number = received()
    address, form = f"/desk/purchasing/{number}/invoice", invoice_form(office, number, "506.48")
    assert (form["charged-FAN-T4"], form["price-FAN-T4"]) == ("6", "3.33")
    assert [office.post(address, data=form).status_code for _ in range(2)] == [303, 303]
    assert supplier_invoices() == [("R-77", InvoiceStatus.BOOKED, Money(50_648))]
    assert acts() == [("supplier_invoice", number)]
    again = office.post(address, data={**form, "reference": "R-78", "charged-FAN-T4": "0", "charged-BSE-T14": "0", "charged-ADP-T65": ""})
    assert (again.status_code, "nothing to charge" in again.text) == (422, True)


def test_a_dear_one_waits_for_a_person_who_accepts_it(office: FlaskClient) -> None:
    number = received()
    form = invoice_form(office, number, "512.48", **{"price-FAN-T4": "4.33"})
    held = office.post(f"/desk/purchasing/{number}/invoice", data=form, follow_redirects=True).text
    assert "does not agree with the purchase order" in held
    assert "another price than agreed: charged $4.33, ours $3.33" in held
    assert supplier_invoices() == [("R-77", InvoiceStatus.HELD, Money(51_248))]
    with reading() as session:
        (mine,) = session.scalars(sa.select(SupplierInvoice.number))
        assert session.scalars(sa.select(Alert.key).filter_by(kind="supplier_invoice_mismatch", resolved_at=None)).all() == [mine]
        assert balance(session, Account.PAYABLE) == Money(0)
    assert office.post(f"/desk/purchasing/invoices/{mine}/approve").status_code == 303
    with reading() as session:
        assert session.scalars(sa.select(Alert.resolved_by)).all() == ["Administrator of the tests"]
        assert (balance(session, Account.PAYABLE), balance(session, Account.PRICE_VARIANCE)) == (Money(-51_248), Money(600))
        assert findings(session) == []


def test_what_did_not_come_or_was_not_ordered_is_held_and_never_accepted(office: FlaskClient) -> None:
    number = received()
    more = invoice_form(office, number, "509.81", "R-1", **{"charged-FAN-T4": "7"})
    other = invoice_form(office, number, "516.48", "R-2", other="freight", charged="1", price="10.00")
    for form in (more, other):
        assert office.post(f"/desk/purchasing/{number}/invoice", data=form).status_code == 303
    page = office.get(f"/desk/purchasing/{number}").text
    assert "FAN-T4: more is charged than came: charged 7, ours 6" in page
    assert "FREIGHT: was not ordered: charged 1, ours 0" in page
    with reading() as session:
        numbers = session.scalars(sa.select(SupplierInvoice.number)).all()
    for held in numbers:
        assert office.post(f"/desk/purchasing/invoices/{held}/approve").status_code == 422
        assert office.post(f"/desk/purchasing/invoices/{held}/reject").status_code == 303


def test_an_invoice_whose_lines_are_not_its_total_is_typed_wrongly(office: FlaskClient) -> None:
    number = received()
    refused = office.post(f"/desk/purchasing/{number}/invoice", data=invoice_form(office, number, "500.00"))
    assert (refused.status_code, "The lines come to $506.48, the invoice to $500.00." in refused.text) == (422, True)
    assert 'value="500.00"' in refused.text, "what was typed stays"
    for wrong in (
        {"reference": ""}, {"total": ""}, {"total": "-1"}, {"total": "1.234"}, {"dated": ""}, {"dated": "2999-01-01"},
        {"price-FAN-T4": "x"}, {"price-FAN-T4": "-3.33"}, {"price-FAN-T4": "3.333"}, {"price-FAN-T4": ""}, {"charged-FAN-T4": "-6"},
    ):
        form = {**invoice_form(office, number, "506.48"), **wrong}
        assert office.post(f"/desk/purchasing/{number}/invoice", data=form).status_code == 422, wrong
    assert (supplier_invoices(), acts()) == ([], [])


def test_a_held_invoice_is_accepted_or_sent_back(office: FlaskClient) -> None:
    from fulfillment.purchasing.invoicing import Charged

    number = bought()
    deliver_parts()
    with transaction() as session:
        dear = record_supplier_invoice(session, number, "R-1", [Charged("FAN-T4", 1, Money(999))])
        dearer = record_supplier_invoice(session, number, "R-2", [Charged("FAN-T4", 1, Money(99_900))])
    assert "another price than agreed" in office.get(f"/desk/purchasing/{number}").text
    assert office.post(f"/desk/purchasing/invoices/{dear.number}/approve").status_code == 303
    assert office.post(f"/desk/purchasing/invoices/{dearer.number}/reject").status_code == 303
    assert office.post(f"/desk/purchasing/invoices/{dearer.number}/approve").status_code == 409
    assert office.post("/desk/purchasing/invoices/SI-2020-000001/approve").status_code == 404
    assert acts() == [("invoice_approved", dear.number), ("invoice_rejected", dearer.number)]


def test_a_part_that_failed_is_a_claim_on_its_supplier(office: FlaskClient) -> None:
    assert "No claim" in office.get("/desk/purchasing/claims").text
    _number, (tag,) = walked(laptops(), up_to="built")
    with transaction() as session:
        fail_test(session, tag)
        floor.rework(
            session, tag, old=f"MEM-T16/{tag}2", new="MEM-T16/NEW1", failure="ERRORS", operator="Mats Lindqvist", key="rework",
        )
    for address in ("/desk/purchasing/claims", "/desk/purchasing/claims?supplier=S-SILICON"):
        page = office.get(address).text
        for wanted in ("S-SILICON", "MEM-T16", f"{tag}2", "Errors", f"/desk/units/{tag}", "$49.50"):
            assert wanted in page, wanted
    assert "MEM-T16" not in office.get("/desk/purchasing/claims?supplier=S-CHASSIS").text
    assert 'href="/desk/purchasing/claims"' in office.get("/desk/purchasing/suppliers").text


def test_a_parked_job_is_tried_again_and_an_alert_resolved_once(office: FlaskClient) -> None:
    with transaction() as session:
        send_mail(session, to="ada@example.com", subject="Hello", text="Hello", key="hello")
        job = session.scalars(sa.select(Job)).one()
        job.state, job.attempts, job.last_error = JobState.PARKED, 12, "ConnectionError: nobody there"
        raise_alert(session, "job_parked", key=str(job.id), subject=job.kind, detail="nobody there")
        other = raise_alert(session, "dispute", key="SO-2026-000009", subject="SO-2026-000009", detail="the bank asks")
    page = office.get("/desk/jobs").text
    assert "ConnectionError: nobody there" in page
    assert "the bank asks" in page

    assert office.post(f"/desk/jobs/{job.id}/retry").status_code == 303
    assert office.post(f"/desk/jobs/{job.id}/retry").status_code == 409
    for _ in range(2):
        assert office.post(f"/desk/alerts/{other.id}/resolve").status_code == 303
    with reading() as session:
        assert session.scalars(sa.select(Job.state).filter_by(id=job.id)).all() == [JobState.READY]
        assert {alert.resolved_at is not None for alert in session.scalars(sa.select(Alert))} == {True}
        assert session.scalars(sa.select(Alert.resolved_by).filter_by(kind="dispute")).one() == "Administrator of the tests"
    assert acts() == [("job_retried", str(job.id)), ("alert_resolved", "SO-2026-000009")]
    assert "Job tried again" in office.get("/desk/jobs").text


def test_the_outbox_shows_who_was_written_to_but_not_what(office: FlaskClient) -> None:
    with transaction() as session:
        send_mail(session, to="ada@example.com", subject="A new password", text="https://secret.example/token", key="reset")
    page = office.get("/desk/jobs/mail").text
    assert "ada@example.com" in page
    assert "secret.example" not in page


def test_the_books_lead_from_the_balance_to_the_paper(office: FlaskClient) -> None:
    number, _tags = walked(laptops(), up_to="shipped")
    balance = office.get("/desk/books").text
    assert "Revenue" in balance
    assert "主营业务收入" in balance
    debit, credit = re.findall(r'class="num"[^>]*>(\$[\d,.]+)</td>', balance[balance.index("Total USD"):])
    assert debit == credit

    account = office.get("/desk/books/accounts/6001").text
    assert "$1,299.00" in account
    seq = re.search(r"/desk/books/entries/(\d+)", account)
    assert seq is not None
    entry = office.get(f"/desk/books/entries/{seq[1]}").text
    assert f"/desk/find?q={number}" in entry
    assert office.get(f"/desk/find?q={number}").headers["Location"] == f"/desk/orders/{number}"
    for unknown in ("accounts/9999", "entries/99999", "entries/99999999999999999999999", "export/excel"):
        assert office.get(f"/desk/books/{unknown}").status_code == 404


def test_the_checks_say_who_was_not_asked(office: FlaskClient) -> None:
    page = office.get("/desk/books/checks").text
    assert "What could be asked is clean." in page
    assert "The books are clean." not in page
    assert "The payment provider does not answer." in page


def test_the_journal_is_read_page_by_page(office: FlaskClient) -> None:
    for _ in range(7):
        walked(laptops(), up_to="shipped")
    first = office.get("/desk/books/journal").text
    older = re.search(r"/desk/books/journal\?before=(\d+)", first)
    assert older is not None
    second = office.get(f"/desk/books/journal?before={older[1]}").text
    assert f'/entries/{int(older[1]) - 1}"' in second
    assert f'/entries/{older[1]}"' not in second


@pytest.mark.parametrize("format_", ["beancount", "hledger", "ledger"])
def test_the_books_can_be_taken_away(office: FlaskClient, format_: str) -> None:
    walked(laptops(), up_to="paid")
    answer = office.get(f"/desk/books/export/{format_}")
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="larkmill-')
    assert "Card-payments-in-clearing" in answer.text
    assert now().date().isoformat() in answer.text


def test_any_number_leads_to_its_page(office: FlaskClient) -> None:
    number, (tag,) = walked(laptops(), up_to="shipped")
    from fulfillment.assembly.service import find_unit
    from fulfillment.billing.invoicing import invoices_of
    from fulfillment.shipping.service import find_shipment

    with reading() as session:
        unit, shipment, (invoice,) = find_unit(session, tag), find_shipment(session, number), invoices_of(session, number)
    assert shipment is not None
    ways = {
        tag: f"/desk/units/{tag}", unit.number: f"/desk/units/{tag}", shipment.number: f"/desk/dispatch/{number}",
        shipment.tracking: f"/desk/dispatch/{number}", invoice.number: f"/desk/orders/invoices/{invoice.number}.pdf",
    }
    assert {wanted: office.get("/desk/find", query_string={"q": f" {wanted.lower()} "}).headers["Location"] for wanted in ways} == ways
    lost = office.get("/desk/find?q=WO-2020-000001")
    assert (lost.status_code, "There is no WO-2020-000001." in lost.text) == (404, True)
    assert office.get("/desk/find?q=what").status_code == 422


def test_every_paper_is_a_pdf_for_those_who_need_it(office: FlaskClient) -> None:
    number, (tag,) = walked(laptops(), up_to="shipped")
    from fulfillment.billing.invoicing import invoices_of
    from fulfillment.shipping.service import find_shipment

    with reading() as session:
        shipment, (invoice,) = find_shipment(session, number), invoices_of(session, number)
    assert shipment is not None
    papers = (
        f"documents/traveller/{tag}", f"documents/unit-label/{tag}", f"documents/packing-slip/{shipment.number}",
        f"documents/box-label/{shipment.number}/1", f"orders/packing-slip/{shipment.number}", f"orders/invoices/{invoice.number}",
    )
    for paper in (*(f"{paper}.pdf" for paper in papers), f"documents/pick-list.pdf?tag={tag}"):
        answer = office.get(f"/desk/{paper}")
        assert (answer.status_code, answer.mimetype, answer.data[:5]) == (200, "application/pdf", b"%PDF-"), paper
    assert office.get("/desk/documents/pick-list.pdf").status_code == 404
    assert office.get(f"/desk/documents/box-label/{shipment.number}/9.pdf").status_code == 404
    assert office.get("/desk/orders/invoices/INV-2020-000001.pdf").status_code == 404
