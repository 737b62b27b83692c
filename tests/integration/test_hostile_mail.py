"""Letters say what we wrote, to the one they are for, whatever was typed into the fields they quote."""

from __future__ import annotations

from email import message_from_bytes, policy
from typing import Any

import pytest
import sqlalchemy as sa
import structlog
from flask.testing import FlaskClient
from sqlalchemy.exc import IntegrityError

from fulfillment.customers.models import Account
from fulfillment.kernel.clock import now
from fulfillment.kernel.db import reading, transaction
from fulfillment.kernel.mail import Mail, compose, send_mail
from fulfillment.orders.models import SalesOrder
from tests.builders.people import make_account
from tests.builders.visitor import SHIP_TO

BROKEN = "Bob\r\nBcc: eve@example.com\r\n\r\nBuy now: https://evil.example"

KEY = {"Idempotency-Key": "018f0000-0000-7000-8000-000000000000"}


def headers(mail: Mail) -> dict[str, str]:
    """The headers as the receiver's mailbox reads them."""
    return {name: str(value) for name, value in message_from_bytes(compose(mail).as_bytes(), policy=policy.default).items()}


def letters() -> list[Mail]:
    with reading() as session:
        return list(session.scalars(sa.select(Mail).order_by(Mail.at, Mail.id)))


@pytest.mark.usefixtures("db")
def test_a_line_break_in_a_subject_begins_no_other_header() -> None:
    with transaction() as session:
        send_mail(session, to="bob@example.com", subject=f"Hello {BROKEN}", text="x", key="1")
    (mail,) = letters()
    read = headers(mail)
    assert "Bcc" not in read
    assert read["To"] == "bob@example.com"
    assert read["Subject"].startswith("Hello Bob Bcc: eve@example.com")


@pytest.mark.usefixtures("db")
def test_a_line_break_in_an_address_is_never_sent() -> None:
    with transaction() as session:
        send_mail(session, to=BROKEN, subject="Hello", text="x", key="1")
    with pytest.raises(ValueError, match=r"header|linefeed|newline"):
        compose(letters()[0])


def order_of(email: str) -> dict[str, Any]:
    ship_to = {name: value for name, value in SHIP_TO.items() if value}
    return {"items": [{"sku": "MON-24", "quantity": 1}], "email": email, "ship_to": ship_to}


@pytest.mark.stocked
@pytest.mark.parametrize(
    "email", ["ädä@example.com", BROKEN, "a@b", "ada@example.com,eve@example.com", "Ada <ada@example.com>", "a\0@example.com"]
)
def test_a_program_cannot_order_for_an_address_that_is_none(client: FlaskClient, email: str) -> None:
    answer = client.post("/api/v1/orders", json=order_of(email), headers=KEY)
    assert answer.status_code == 422
    assert letters() == []
    with reading() as session:
        assert session.scalars(sa.select(SalesOrder)).all() == []


@pytest.mark.stocked
def test_a_domain_in_another_script_is_written_as_mail_servers_know_it(client: FlaskClient) -> None:
    client.post("/api/v1/orders", json=order_of("ada@bücher.example"), headers=KEY)
    with reading() as session:
        assert session.scalars(sa.select(SalesOrder.email)).one() == "ada@xn--bcher-kva.example"


@pytest.mark.usefixtures("db")
def test_what_the_database_complains_about_names_nobody() -> None:
    make_account()
    with structlog.testing.capture_logs() as logged, pytest.raises(IntegrityError) as complaint, transaction() as session:
        session.add(Account(email="ada@example.com", password_hash="$argon2id$x", name="Ada Moss", created_at=now()))
    told = str(complaint.value) + str(logged)
    assert "Ada Moss" not in told
    assert "$argon2id" not in told
