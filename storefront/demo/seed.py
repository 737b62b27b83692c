"""What a new house starts with: the catalogue, its staff, and the capital it was founded on."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from configurator.seed import seed_catalogue
from fulfillment.customers.models import Staff
from fulfillment.customers.roles import ROLES
from fulfillment.customers.service import hire
from fulfillment.kernel.money import Money
from fulfillment.ledger.accounts import Account
from fulfillment.ledger.postings import opening
from fulfillment.ledger.service import post

CAPITAL = Money(250_000_00)


def seed_house(session: Session, password: str) -> list[str]:
    """Bring catalogue, staff and opening balance into the records; the models' ids. Safe to repeat."""
    models = seed_catalogue(session)
    known = set(session.scalars(sa.select(Staff.login)))
    for role in ROLES:
        login = "admin" if role == "administrator" else role
        if login not in known:
            hire(session, login=login, badge=f"LM-{login.upper()}", password=password, name=f"{login.title()} Demo", role=role)
    post(session, opening("founding", {Account.BANK: CAPITAL}))
    return models
