"""The same form from many hands at the same moment: one of them acts, the others are told what is so."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from configurator.models import Quote
from fulfillment.customers.models import Account, EndedVisit
from fulfillment.customers.service import addresses_of, mail_reset, request_reset, reset_password, save_address, sign_up
from fulfillment.kernel.clock import now
from fulfillment.kernel.db import reading, transaction
from fulfillment.kernel.jobs import Job
from fulfillment.kernel.mail import Mail, send_mail
from fulfillment.kernel.money import Money
from fulfillment.kernel.refusals import NotFound
from storefront.cart.models import Cart, CartLine
from storefront.cart.service import add_item, adopt_cart, open_cart, remove_line, set_quantity
from tests.builders.at_once import at_once, before_commit
from tests.builders.parts import make_part
from tests.builders.people import PASSWORD, make_account, make_address
from tests.builders.visitor import Visitor, guarded

HANDS = 4


def together(visitor: Visitor, path: str, fields: dict[str, str]) -> list[TestResponse]:
    """Send the form of the open page from several windows that share one session, at the same moment."""
    line, cookie = Barrier(HANDS), visitor.cookie()
    sent = {"csrf_token": visitor.token, "press": visitor.press, **fields}

    def send(_: int) -> TestResponse:
        window = Visitor(visitor.client.application).with_cookie(cookie)
        line.wait(timeout=30)
        return window.client.post(path, data=sent)

    with ThreadPoolExecutor(HANDS) as pool:
        return list(pool.map(send, range(HANDS)))


def counted(table: type[Account | Cart | CartLine | EndedVisit | Job | Mail | Quote]) -> int:
    with reading() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(table)) or 0


@pytest.fixture
def visitor(app: Flask) -> Visitor:
    return Visitor(guarded(app))


@pytest.mark.usefixtures("db")
def test_many_sign_up_with_one_address_and_one_account_is_opened() -> None:
    def open_account(session: Session) -> bool:
        return sign_up(session, email="ada@example.com", password=PASSWORD, name="Ada") is not None

    assert sorted(map(bool, at_once([open_account] * HANDS))) == [False] * (HANDS - 1) + [True]
    assert (counted(Account), counted(Mail)) == (1, 1)


@pytest.mark.usefixtures("db")
def test_a_link_that_many_use_sets_one_password() -> None:
    make_account()
    with transaction() as session:
        mail_reset(session, email="ada@example.com", link="{token}")
        text = session.scalars(sa.select(Mail.text).filter_by(subject="Choose a new password")).one()
    token = max(text.split(), key=len)

    def use(nth: int) -> Callable[[Session], int]:
        return lambda session: reset_password(session, token=token, password=f"another battery {nth}").epoch

    answers = at_once([use(nth) for nth in range(HANDS)])
    assert [answer for answer in answers if not isinstance(answer, NotFound)] == [1]


@pytest.mark.usefixtures("db")
def test_many_letters_at_once_are_one() -> None:
    make_account()
    at_once([lambda session: request_reset(session, email="ada@example.com", link="{token}")] * HANDS)
    at_once([lambda session: mail_reset(session, email="ada@example.com", link="{token}")] * HANDS)
    assert counted(Mail) == 2  # the welcome, and the link


@pytest.mark.usefixtures("db")
def test_a_cart_is_adopted_once_from_many_windows() -> None:
    me = make_account()
    with transaction() as session:
        older, held = open_cart(session, None, me).id, open_cart(session, None).id
    assert at_once([lambda session: adopt_cart(session, me, held)] * HANDS) == [held] * HANDS
    with reading() as session:
        carts = {cart.id: cart for cart in session.scalars(sa.select(Cart))}
    assert carts[held].closed_at is None
    assert carts[older].closed_at is not None


@pytest.mark.stocked
def test_the_first_item_of_a_new_visitor_is_added_once_to_one_cart(visitor: Visitor) -> None:
    visitor.get("/accessories/MON-24")
    answers = together(visitor, "/cart/items", {"sku": "MON-24", "quantity": "2"})
    assert {answer.status_code for answer in answers} == {303}
    assert (counted(Cart), counted(CartLine)) == (1, 1)
    with reading() as session:
        assert session.scalars(sa.select(CartLine.quantity)).one() == 2


@pytest.mark.stocked
def test_a_configuration_is_quoted_once(visitor: Visitor) -> None:
    visitor.get("/configure/skein-14")
    answers = together(visitor, "/configure/skein-14", {"quantity": "1", "then": "quote"})
    assert len({answer.headers["Location"] for answer in answers}) == 1
    assert counted(Quote) == 1


def test_signing_out_of_many_windows_is_no_fault(visitor: Visitor) -> None:
    make_account()
    visitor.signed_in().get("/account")
    answers = together(visitor, "/account/sign-out", {})
    assert {answer.status_code for answer in answers} == {303}
    assert counted(EndedVisit) == 1


def test_a_password_is_changed_once_from_many_windows(visitor: Visitor) -> None:
    make_account()
    visitor.signed_in().get("/account/details")
    answers = together(visitor, "/account/password", {"old": PASSWORD, "password": "battery staple horse", "again": "battery staple horse"})
    assert {answer.status_code for answer in answers} == {303}
    assert all(re.search(r"^/account/(details|sign-in)", answer.headers["Location"]) for answer in answers)
    with reading() as session:
        assert session.scalars(sa.select(Account.epoch)).one() == 1


@pytest.mark.usefixtures("db")
def test_a_letter_that_two_write_at_once_is_one() -> None:
    def write(session: Session) -> None:
        send_mail(session, to="ada@example.com", subject="Known", text="You have an account.", key="known")

    before_commit(write, write)
    assert counted(Mail) == counted(Job) == 1


@pytest.mark.usefixtures("db")
def test_an_address_saved_twice_at_once_is_in_the_book_once() -> None:
    me = make_account()

    def save(session: Session) -> UUID:
        return save_address(session, me, make_address()).id

    before_commit(save, save)
    with reading() as session:
        assert len(addresses_of(session, me)) == 1


@pytest.fixture
def laid_aside(db: None) -> tuple[UUID, UUID]:
    """A cart and its only line, of two."""
    with transaction() as session:
        make_part(session, "MON-24", price=Money(19_900))
        cart = open_cart(session, None).id
        line = CartLine(cart_id=cart, sku="MON-24", quantity=2, added_at=now())
        session.add(line)
        session.flush()
        return cart, line.id


def test_a_line_is_not_changed_while_it_is_taken_out(laid_aside: tuple[UUID, UUID]) -> None:
    with pytest.raises(NotFound, match="no longer in your cart"):
        before_commit(lambda session: remove_line(session, *laid_aside), lambda session: set_quantity(session, *laid_aside, 3))


def test_what_is_added_while_the_quantity_is_changed_is_not_lost(laid_aside: tuple[UUID, UUID]) -> None:
    cart, _ = laid_aside
    before_commit(
        lambda session: set_quantity(session, *laid_aside, 5),
        lambda session: add_item(session, open_cart(session, cart), "MON-24", 2),
    )
    with reading() as session:
        assert session.scalars(sa.select(CartLine.quantity)).one() == 7
