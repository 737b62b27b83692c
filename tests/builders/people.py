"""People for the tests: customers with an account, staff of a role, both signed in through the real pages."""

from __future__ import annotations

from uuid import UUID

from flask.testing import FlaskClient

from fulfillment.customers.address import Address
from fulfillment.customers.service import hire, sign_up
from fulfillment.kernel.db import transaction

PASSWORD = "correct horse battery"


def make_address(**parts: str) -> Address:
    whole = {
        "name": "Ada Moss", "line1": "12 Willow Road", "city": "Austin", "state": "TX", "postcode": "78701", "phone": "+1 512 555 0101",
    }
    return Address(**{**whole, **parts})


def make_account(email: str = "ada@example.com", *, name: str = "Ada Moss") -> UUID:
    with transaction() as session:
        account = sign_up(session, email=email, password=PASSWORD, name=name)
        assert account is not None
        return account.id


def sign_in_account(client: FlaskClient, email: str = "ada@example.com") -> None:
    response = client.post("/account/sign-in", data={"email": email, "password": PASSWORD})
    assert response.status_code == 303, response.text


def make_staff(role: str = "administrator", *, login: str = "") -> str:
    login = login or role
    with transaction() as session:
        hire(session, login=login, badge=f"B-{login}", password=PASSWORD, name=f"{role.title()} of the tests", role=role)
    return login


def sign_in_staff(client: FlaskClient, role: str = "administrator") -> None:
    login = make_staff(role)
    response = client.post("/desk/sign-in", data={"login": login, "password": PASSWORD})
    assert response.status_code == 303, response.text
