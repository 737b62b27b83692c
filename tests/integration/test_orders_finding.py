"""Finding orders: with number and proof, by account, by our people; wrong and unknown look the same."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from fulfillment.customers.service import sign_up
from fulfillment.kernel.db import reading, transaction
from fulfillment.kernel.refusals import NotFound
from fulfillment.orders.models import OrderStatus
from fulfillment.orders.service import count_by_status, find_order, get_order, order_of_account, orders_of_account, search_orders
from tests.builders.orders import make_order
from tests.builders.people import make_address
from tests.conftest import Queries


@pytest.mark.parametrize("proof", [
    "ada@example.com", " ADA@Example.com ", "+1 512 555 0101", "(512) 555-0101", "78701", "78701-2345", "10001", "5125550199",
])
def test_number_and_a_secret_open_the_order(session: Session, proof: str) -> None:
    ship_to = make_address(postcode="78701-2345", phone="512 555 0199")
    order = make_order(session, ship_to=ship_to, bill_to=make_address(state="NY", postcode="10001"))
    found = find_order(session, order.number.lower().replace("-", " "), proof)
    assert found.number == order.number
    assert [line.sku_or_model for line in found.lines] == ["hearth-t"]
    assert [event.kind for event in found.events] == ["received"]


@pytest.mark.parametrize("proof", [
    "", " ", "eve@example.com", "78702", "787", "0101", "5550101", "%", "a" * 10_000, "nobody@invalid", "0000000000", "00000",
    "ada@example.com\0", "７８７０１",
])
def test_a_wrong_secret_and_an_unknown_number_are_refused_alike(session: Session, proof: str) -> None:
    order = make_order(session)
    answers = []
    for number in (order.number, "SO-2026-999999", "", "%", "x" * 10_000):
        with pytest.raises(NotFound) as refusal:
            find_order(session, number, proof)
        answers.append((str(refusal.value), refusal.value.status, refusal.value.values))
    assert set(map(str, answers)) == {str(answers[0])}


def test_an_order_without_a_telephone_is_not_opened_by_no_telephone(session: Session) -> None:
    order = make_order(session, phone="", ship_to=make_address(phone=""))
    for proof in ("", "-", "none", "+1"):
        with pytest.raises(NotFound):
            find_order(session, order.number, proof)


def test_the_secret_of_another_order_opens_nothing(session: Session) -> None:
    order = make_order(session)
    make_order(session, email="eve@example.com", phone="512 555 0777", ship_to=make_address(postcode="90001", state="CA", phone=""))
    for proof in ("eve@example.com", "5125550777", "90001"):
        with pytest.raises(NotFound):
            find_order(session, order.number, proof)


def test_looking_an_order_up_takes_three_queries(session: Session, queries: Queries) -> None:
    number = make_order(session).number
    session.expire_all()
    with queries as statements:
        find_order(session, number, "78701")
    assert len(statements) == 3


def test_a_customer_sees_his_own_orders_newest_first(session: Session) -> None:
    ada, eve = (sign_up(session, email=f"{name}@example.com", password="correct horse battery", name=name) for name in ("ada", "eve"))
    assert ada
    assert eve
    numbers = [make_order(session, account_id=ada.id).number for _ in range(3)]
    make_order(session, account_id=eve.id)
    make_order(session)
    assert [order.number for order in orders_of_account(session, ada.id)] == numbers[::-1]
    assert len(orders_of_account(session, ada.id, most=2)) == 2
    assert order_of_account(session, ada.id, numbers[0]).lines[0].quantity == 1
    with pytest.raises(NotFound):
        order_of_account(session, eve.id, numbers[0])


def test_our_people_find_orders_by_what_they_know(session: Session) -> None:
    first = make_order(session, up_to="paid")
    second = make_order(session, email="grace@navy.example", phone="703 555 0188", ship_to=make_address(name="Grace H_pper", phone=""))
    assert [o.number for o in search_orders(session)] == [second.number, first.number]
    for text in ("000002", "GRACE@", "703-555", "h_pper", " grace "):
        assert [o.number for o in search_orders(session, text)] == [second.number], text
    for text in ("%", "_", "zzz", "'"):
        assert search_orders(session, text) == [] or text == "_"
    assert [o.number for o in search_orders(session, status=OrderStatus.PAID)] == [first.number]
    assert [o.number for o in search_orders(session, limit=1, offset=1)] == [first.number]
    counts = count_by_status(session)
    assert (counts[OrderStatus.BOOKED], counts[OrderStatus.PAID], counts[OrderStatus.DELIVERED]) == (1, 1, 0)


def test_one_order_is_got_by_its_number(db: None) -> None:
    with transaction() as session:
        number = make_order(session).number
    with reading() as session:
        assert get_order(session, number, lines=True).lines[0].position == 1
        with pytest.raises(NotFound, match="SO-1"):
            get_order(session, "SO-1")
