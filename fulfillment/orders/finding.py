"""Finding orders: by customers who prove that one is theirs, by their account, and by our people."""

from __future__ import annotations

import hmac
import re
from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from fulfillment.kernel.refusals import NotFound, Refusal
from fulfillment.orders.draft import digits
from fulfillment.orders.models import OrderStatus, SalesOrder

COLUMNS = [column.key for column in sa.inspect(SalesOrder).column_attrs]

NOBODY = ("nobody@invalid", "0000000000", "00000")
"""Compared with when there is no such order, so that the answer takes as long."""


class NeedsProof(Refusal):
    """A ZIP code is on every parcel of the street: it tells where an order stands, and is good for nothing else."""

    status = 403


def get_order(session: Session, number: str, *, lines: bool = False, for_update: bool = False) -> SalesOrder:
    """The order of this number, for our own acts; as it is now and locked when it is to change. Raises NotFound."""
    statement = sa.select(SalesOrder).filter_by(number=number)
    if lines:
        statement = statement.options(selectinload(SalesOrder.lines))
    order = session.scalars(statement).first()
    if order is None:
        raise NotFound("There is no order {number}.", number=number)
    if for_update:  # its columns only: lines that somebody loaded stay loaded
        session.refresh(order, COLUMNS, with_for_update={"key_share": True})
    return order


def find_order(session: Session, number: str, proof: str) -> SalesOrder:
    """The order with its lines and history, for whoever knows its number and its e-mail, telephone or ZIP code.

    Raises NotFound, in the same words and about the same time, when the number or the proof is wrong.
    """
    statement = sa.select(SalesOrder).filter_by(number=tidy_number(number))
    order = session.scalars(statement.options(selectinload(SalesOrder.lines), selectinload(SalesOrder.events))).first()
    if not _proves(proof, NOBODY if order is None else secrets_of(order)) or order is None:
        raise NotFound("We have no order with this number and this e-mail address, telephone number or ZIP code.")
    return order


def find_own_order(session: Session, number: str, proof: str) -> SalesOrder:
    """The same, for whoever wants to act on it: a ZIP code is not enough. Raises NotFound, NeedsProof."""
    order = find_order(session, number, proof)
    if not proves_owner(order, proof):
        raise NeedsProof("A ZIP code shows where an order stands. For this we need its e-mail address or telephone number.")
    return order


def proves_owner(order: SalesOrder, proof: str) -> bool:
    """Whether the proof is one of those that neighbours do not know: e-mail or telephone."""
    return _proves(proof, _contacts(order))


def tidy_number(number: str) -> str:
    """“ so 2026 12 ” is meant to be SO-2026-000012."""
    parts = re.findall(r"[A-Z]+|[0-9]+", number.upper()[:40], flags=re.ASCII)
    if len(parts) == 3 and parts[0] == "SO":
        return f"SO-{parts[1]}-{parts[2]:0>6}"
    return number.strip().upper()[:40]


def secrets_of(order: SalesOrder) -> Sequence[str]:
    """What tells an order's customer from a passer-by."""
    return (*_contacts(order), order.ship_to["postcode"][:5], order.bill_to["postcode"][:5])


def _contacts(order: SalesOrder) -> Sequence[str]:
    """What only the customer and we know of an order."""
    return (order.email, order.phone_digits, digits(order.ship_to["phone"]))


def _proves(proof: str, secrets: Sequence[str]) -> bool:
    """Compare with all of them, each in constant time; too short a telephone number proves nothing."""
    told = proof.strip()[:200].lower()
    words = {told.encode(), digits(told).encode(), told[:5].encode() if re.fullmatch(r"\d{5}(-\d{4})?", told, re.ASCII) else b""}
    pairs = [hmac.compare_digest(word, secret.encode()) and len(word) >= 5 for secret in secrets for word in sorted(words)]
    return any(pairs)


def orders_of_account(session: Session, account_id: UUID, *, most: int = 50) -> list[SalesOrder]:
    """A customer's own orders, newest first."""
    statement = sa.select(SalesOrder).filter_by(account_id=account_id).order_by(SalesOrder.booked_at.desc(), SalesOrder.id.desc())
    return list(session.scalars(statement.limit(most)))


def order_of_account(session: Session, account_id: UUID, number: str) -> SalesOrder:
    """One of a customer's own orders, with lines and history. Raises NotFound, also for somebody else's."""
    statement = sa.select(SalesOrder).filter_by(number=number, account_id=account_id)
    order = session.scalars(statement.options(selectinload(SalesOrder.lines), selectinload(SalesOrder.events))).first()
    if order is None:
        raise NotFound("There is no order {number}.", number=number)
    return order


def search_orders(
    session: Session, text: str = "", *, status: OrderStatus | None = None, limit: int = 50, offset: int = 0,
) -> list[SalesOrder]:
    """What our people look for: part of a number, e-mail, telephone or name; newest first."""
    statement = sa.select(SalesOrder).order_by(SalesOrder.booked_at.desc(), SalesOrder.id.desc()).limit(limit).offset(offset)
    if status is not None:
        statement = statement.where(SalesOrder.status == status)
    if wanted := text.strip():
        name = sa.func.lower(SalesOrder.ship_to["name"].as_string())
        ways = [
            SalesOrder.number.contains(wanted.upper(), autoescape=True),
            SalesOrder.email.contains(wanted.lower(), autoescape=True),
            name.contains(wanted.lower(), autoescape=True),
        ]
        if len(digits(wanted)) >= 4:
            ways.append(SalesOrder.phone_digits.contains(digits(wanted)))
        statement = statement.where(sa.or_(*ways))
    return list(session.scalars(statement))


def count_by_status(session: Session) -> dict[OrderStatus, int]:
    """How many orders stand where."""
    rows = session.execute(sa.select(SalesOrder.status, sa.func.count()).group_by(SalesOrder.status).order_by(SalesOrder.status))
    found = {status: count for status, count in rows}  # noqa: C416 - a Row is not typed as a pair
    return {status: found.get(status, 0) for status in OrderStatus}
