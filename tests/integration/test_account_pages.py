"""Accounts as their owners and as strangers meet them: who gets in, who is told what, and when a session ends."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.test import TestResponse

from fulfillment.customers import passwords
from fulfillment.customers.models import Account, EndedVisit, PasswordReset
from fulfillment.customers.service import forget_ended_visits
from fulfillment.kernel.clock import frozen, now
from fulfillment.kernel.db import reading, transaction
from fulfillment.kernel.jobs import run_until_idle
from fulfillment.kernel.mail import Mail
from tests.builders.orders import make_order
from tests.builders.people import PASSWORD, make_account
from tests.builders.visitor import Visitor, guarded

NEW = "battery staple horse"


@pytest.fixture
def visit(app: Flask) -> Callable[[], Visitor]:
    """Another browser each time."""
    shop = guarded(app)
    return lambda: Visitor(shop)


def letters() -> list[tuple[str, str]]:
    with reading() as session:
        return [(mail.to, mail.subject) for mail in session.scalars(sa.select(Mail).order_by(Mail.at, Mail.id))]


def words(page: TestResponse) -> str:
    """The page without what differs at every rendering."""
    return re.sub(r'value="[^"]*"', "", page.text)


def account(email: str = "ada@example.com") -> Account:
    with reading() as session:
        return session.scalars(sa.select(Account).filter_by(email=email)).one()


def ask_for_reset(visitor: Visitor, email: str = "ada@example.com") -> str:
    """Ask for a letter; the path in it."""
    assert visitor.post("/account/forgotten", {"email": email}, on="/account/forgotten").status_code == 303
    run_until_idle()
    with reading() as session:
        text = session.scalars(
            sa.select(Mail.text).filter_by(subject="Choose a new password").order_by(Mail.at.desc(), Mail.id.desc())
        ).first()
    found = re.search(r"http://localhost(/account/new-password/\S+)", text or "")
    assert found is not None
    return found.group(1)


def choose(visitor: Visitor, path: str, password: str = NEW) -> TestResponse:
    return visitor.post(path, {"password": password, "again": password})


class TestSigningUp:
    def test_opens_an_account_and_greets_its_owner_in_his_language(self, visit: Callable[[], Visitor]) -> None:
        visitor = visit()
        visitor.get("/language/zh")
        answer = visitor.post("/account/sign-up", {"name": " Ada  Moss ", "email": "Ada@Example.com", "password": PASSWORD})
        assert (answer.status_code, answer.headers["Location"]) == (303, "/account/sign-in?next=")
        assert (account().name, account().locale) == ("Ada Moss", "zh")
        ((to, _subject),) = letters()
        assert to == "ada@example.com"
        assert visitor.signed_in().get("/account").status_code == 200

    def test_a_known_address_gets_the_same_answer_and_its_owner_a_letter(self, visit: Callable[[], Visitor]) -> None:
        with frozen(now() - timedelta(days=1)):
            make_account()
        before = account()
        pages = []
        for email in ("ada@example.com", "bob@example.com"):
            visitor = visit()
            answer = visitor.post("/account/sign-up", {"name": "Eve", "email": email, "password": NEW})
            pages.append((answer.status_code, answer.headers["Location"], words(visitor.get("/account/sign-in"))))
        assert pages[0] == pages[1]
        assert ("ada@example.com", "You have a Larkmill account already") in letters()
        assert (account().name, account().password_hash) == (before.name, before.password_hash)

    def test_sent_twice_it_is_one_account_and_one_letter(self, visit: Callable[[], Visitor]) -> None:
        visitor = visit()
        for _ in range(2):
            assert visitor.post("/account/sign-up", {"name": "Ada", "email": "ada@example.com", "password": PASSWORD}).status_code == 303
        assert letters() == [("ada@example.com", "Welcome to Larkmill")]

    @pytest.mark.parametrize("password", ["short", "password123", "aaaaaaaaaaaa", "x" * 201])
    def test_a_weak_password_opens_nothing(self, visit: Callable[[], Visitor], password: str) -> None:
        answer = visit().post("/account/sign-up", {"name": "Ada", "email": "ada@example.com", "password": password})
        assert answer.status_code == 422
        assert 'id="password-error"' in answer.text
        assert letters() == []

    @pytest.mark.parametrize(
        "email", ["", "ada", "ada@", "a b@example.com", "ada@example.com\r\nBcc: eve@example.com", "ädä@example.com", "a@b,c@d.com"]
    )
    def test_an_address_nobody_could_write_to_opens_nothing(self, visit: Callable[[], Visitor], email: str) -> None:
        answer = visit().post("/account/sign-up", {"name": "Ada", "email": email, "password": PASSWORD})
        assert answer.status_code == 422
        assert letters() == []

    def test_only_what_the_form_asks_for_is_taken(self, visit: Callable[[], Visitor]) -> None:
        more = {"epoch": "7", "id": "018f0000-0000-7000-8000-000000000000", "role": "administrator", "locale": "xx", "phone": "1"}
        visit().post("/account/sign-up", {"name": "Ada", "email": "ada@example.com", "password": PASSWORD, **more})
        assert (account().epoch, account().locale, account().phone) == (0, "en", "")
        assert str(account().id) != more["id"]


class TestSigningIn:
    def test_wrong_password_and_unknown_address_are_answered_alike(self, visit: Callable[[], Visitor]) -> None:
        make_account()
        pages = [
            visit().post("/account/sign-in", {"email": email, "password": "wrong password"}, on="/account/sign-in")
            for email in ("ada@example.com", "nobody@example.com")
        ]
        assert [page.status_code for page in pages] == [401, 401]
        assert words(pages[0]) == words(pages[1])

    def test_a_password_is_compared_for_a_stranger_too(self, visit: Callable[[], Visitor], monkeypatch: pytest.MonkeyPatch) -> None:
        make_account()
        compared: list[int] = []
        real = passwords._hasher.verify

        class Counting:
            def verify(self, kept: str, password: str) -> bool:
                compared.append(len(kept))
                return real(kept, password)

        monkeypatch.setattr(passwords, "_hasher", Counting())
        for email in ("ada@example.com", "nobody@example.com"):
            visit().post("/account/sign-in", {"email": email, "password": "wrong password"})
        assert len(compared) == 2
        assert compared[0] == compared[1]

    def test_the_session_is_a_new_one(self, visit: Callable[[], Visitor]) -> None:
        make_account()
        visitor = visit()
        visitor.get("/account/sign-in")
        planted, token = visitor.cookie(), visitor.token
        visitor.signed_in()
        assert visitor.cookie() not in {"", planted}
        assert visit().with_cookie(planted).get("/account").status_code == 303
        stale = visitor.client.post("/account/sign-out", data={"csrf_token": token})
        assert stale.status_code == 400
        assert visitor.get("/account").status_code == 200

    def test_orders_looked_up_by_whoever_sat_here_before_do_not_come_along(self, visit: Callable[[], Visitor]) -> None:
        make_account("bob@example.com")
        with transaction() as session:
            number = make_order(session).number
        visitor = visit()
        assert visitor.post("/status", {"number": number, "proof": "ada@example.com"}).status_code == 303
        visitor.signed_in("bob@example.com")
        assert visitor.get(f"/orders/{number}").status_code == 404

    def test_goes_on_where_one_was(self, visit: Callable[[], Visitor]) -> None:
        make_account()
        visitor = visit()
        asked = visitor.get("/account/details")
        assert asked.headers["Location"] == "/account/sign-in?next=/account/details"
        answer = visitor.post(asked.headers["Location"], {"email": "ada@example.com", "password": PASSWORD})
        assert answer.headers["Location"] == "/account/details"


class TestSigningOut:
    def test_ends_the_session_in_every_copy_of_its_cookie(self, visit: Callable[[], Visitor]) -> None:
        make_account()
        visitor, elsewhere = visit().signed_in(), visit().signed_in()
        copied = visitor.cookie()
        assert visitor.post("/account/sign-out").status_code == 303
        assert visitor.get("/account").status_code == 303
        assert visit().with_cookie(copied).get("/account").status_code == 303
        assert elsewhere.get("/account").status_code == 200

    def test_sent_twice_it_is_done_once(self, visit: Callable[[], Visitor]) -> None:
        make_account()
        visitor = visit().signed_in()
        assert [visitor.post("/account/sign-out").status_code for _ in range(2)] == [303, 303]
        with reading() as session:
            assert session.scalar(sa.select(sa.func.count()).select_from(EndedVisit)) == 1

    def test_is_remembered_until_the_cookie_has_expired_by_itself(self, visit: Callable[[], Visitor]) -> None:
        make_account()
        visit().signed_in().post("/account/sign-out")
        for days, left in ((31, 1), (33, 0)):
            with frozen(now() + timedelta(days=days)), transaction() as session:
                forget_ended_visits(session)
                assert session.scalar(sa.select(sa.func.count()).select_from(EndedVisit)) == left


class TestAForgottenPassword:
    def test_is_replaced_by_a_mailed_link_that_is_good_once(self, visit: Callable[[], Visitor]) -> None:
        make_account()
        visitor = visit()
        path = ask_for_reset(visitor)
        page = visitor.get(path)
        assert (page.status_code, page.headers["Referrer-Policy"]) == (200, "no-referrer")
        assert choose(visitor, path).status_code == 303
        assert visit().signed_in(password=NEW).get("/account").status_code == 200
        used = choose(visitor, path, "another password")
        assert used.status_code == 404
        assert "used already" in used.text
        assert visitor.get(path).status_code == 404

    def test_ends_every_session_and_what_it_had_looked_up(self, visit: Callable[[], Visitor]) -> None:
        make_account()
        with transaction() as session:
            number = make_order(session).number
        stolen = visit().signed_in()
        stolen.post("/status", {"number": number, "proof": "78701"})
        assert stolen.get(f"/orders/{number}").status_code == 200
        kept = stolen.cookie()
        choose(visit(), ask_for_reset(visit()))
        assert stolen.get("/account").status_code == 303
        thief = visit().with_cookie(kept)
        assert thief.get(f"/orders/{number}").status_code == 404
        assert thief.get("/account").status_code == 303

    def test_link_expires_after_half_an_hour(self, visit: Callable[[], Visitor]) -> None:
        make_account()
        before = account().password_hash
        path = ask_for_reset(visit())
        with frozen(now() + timedelta(minutes=31)):
            assert choose(visit(), path).status_code == 404
        assert account().password_hash == before

    def test_a_new_password_voids_every_other_letter(self, visit: Callable[[], Visitor]) -> None:
        make_account()
        first = ask_for_reset(visit())
        with frozen(now() + timedelta(minutes=3)):
            second = ask_for_reset(visit())
            assert first != second
            assert choose(visit(), second).status_code == 303
            assert choose(visit(), first, "another password").status_code == 404
        visit().signed_in(password=NEW)

    def test_asked_twice_at_once_is_one_letter(self, visit: Callable[[], Visitor]) -> None:
        make_account()
        assert ask_for_reset(visit()) == ask_for_reset(visit())

    def test_whether_the_address_is_known_is_not_told_and_takes_the_same_work(self, visit: Callable[[], Visitor], queries: Any) -> None:
        make_account()
        answers, work = [], []
        for email in ("ada@example.com", "nobody@example.com"):
            visitor = visit()
            visitor.get("/account/forgotten")
            with queries as statements:
                answer = visitor.again("/account/forgotten", {"email": email})
                work.append([statement.split("(")[0] for statement in statements])
            answers.append((answer.status_code, answer.headers["Location"], words(visitor.get("/account/sign-in"))))
        assert answers[0] == answers[1]
        assert work[0] == work[1]
        run_until_idle()
        with reading() as session:
            assert [mail.to for mail in session.scalars(sa.select(Mail).filter_by(subject="Choose a new password"))] == ["ada@example.com"]

    def test_the_mailed_link_is_ours_whatever_host_was_asked_for(self, visit: Callable[[], Visitor]) -> None:
        make_account()
        visitor = visit()
        visitor.get("/account/forgotten")
        evil = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "Cookie": f"shop={visitor.cookie()}"}
        stranger = visitor.client.application.test_client(use_cookies=False)
        sent = {"csrf_token": visitor.token, "email": "ada@example.com"}
        assert stranger.post("/account/forgotten", data=sent, headers=evil).status_code == 303
        run_until_idle()
        with reading() as session:
            texts = session.scalars(sa.select(Mail.text)).all()
        assert "http://localhost/account/new-password/" in texts[-1]
        assert not any("evil" in text for text in texts)

    def test_the_token_is_nowhere_kept_as_it_is(self, visit: Callable[[], Visitor]) -> None:
        make_account()
        token = ask_for_reset(visit()).rsplit("/", 1)[1]
        with reading() as session:
            kept = session.scalars(sa.select(PasswordReset)).one()
        assert token not in {kept.token_hash, str(kept.id)}

    def test_a_made_up_link_is_nothing(self, visit: Callable[[], Visitor]) -> None:
        assert choose(visit(), "/account/new-password/" + "A" * 32).status_code == 404


class TestChangingThePassword:
    def change(self, visitor: Visitor, old: str, new: str = NEW) -> TestResponse:
        return visitor.post("/account/password", {"old": old, "password": new, "again": new}, on="/account/details")

    def test_ends_every_other_session_and_renews_this_one(self, visit: Callable[[], Visitor]) -> None:
        make_account()
        visitor, other = visit().signed_in(), visit().signed_in()
        before = visitor.cookie()
        assert self.change(visitor, PASSWORD).status_code == 303
        assert visitor.get("/account").status_code == 200
        assert other.get("/account").status_code == 303
        assert visit().with_cookie(before).get("/account").status_code == 303

    def test_a_wrong_old_password_changes_nothing_and_says_so_on_the_page(self, visit: Callable[[], Visitor]) -> None:
        make_account()
        visitor, before = visit().signed_in(), account().password_hash
        answer = self.change(visitor, "not the old one")
        assert answer.status_code == 422
        assert "The old password is wrong." in answer.text
        assert 'name="old"' in answer.text
        assert account().password_hash == before
        assert visitor.get("/account").status_code == 200

    def test_sent_twice_it_is_changed_once(self, visit: Callable[[], Visitor]) -> None:
        make_account()
        visitor = visit().signed_in()
        assert [self.change(visitor, PASSWORD).status_code for _ in range(2)] == [303, 303]
        assert account().epoch == 1

    def test_voids_a_letter_that_is_on_its_way(self, visit: Callable[[], Visitor]) -> None:
        make_account()
        path = ask_for_reset(visit())
        self.change(visit().signed_in(), PASSWORD)
        assert choose(visit(), path, "another password").status_code == 404


def test_signing_in_and_out_pressed_again_has_already_happened(visit: Callable[[], Visitor]) -> None:
    make_account()
    visitor = visit()
    visitor.get("/account/sign-in")
    form = {"email": "ada@example.com", "password": PASSWORD, "csrf_token": visitor.token, "next": "/account/details"}
    for _press in range(2):
        assert visitor.client.post("/account/sign-in", data=form).headers["Location"] == "/account/details"
    visitor.get("/account/details")
    for _press in range(2):
        assert visitor.client.post("/account/sign-out", data={"csrf_token": visitor.token}).headers["Location"] == "/"
    assert visitor.get("/").text.count("You are signed out.") == 1
    assert visitor.client.post("/account/sign-in", data=form).status_code == 400
    assert visitor.get("/account").status_code == 303
