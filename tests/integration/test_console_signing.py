"""Who may come to which desk, and how: by password, by badge, and no further than that."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

import wsgi
from fulfillment.console.models import StaffAct
from fulfillment.customers.models import Staff
from fulfillment.customers.roles import ROLES
from fulfillment.kernel.db import reading, transaction
from fulfillment.kernel.settings import Settings
from fulfillment.kernel.web import limiter
from tests.builders.people import PASSWORD, make_staff, sign_in_staff
from tests.builders.visitor import Visitor, guarded

DESKS = {
    "kitting": "/desk/kitting", "build": "/desk/build", "test": "/desk/test", "boxing": "/desk/boxing", "dispatch": "/desk/dispatch",
    "orders": "/desk/orders", "purchasing": "/desk/purchasing", "books": "/desk/books", "jobs": "/desk/jobs",
}


@pytest.mark.parametrize("role", sorted(ROLES))
def test_each_role_opens_its_own_desks_and_sees_no_other(client: FlaskClient, role: str) -> None:
    sign_in_staff(client, role)
    bar = client.get("/desk").text
    for permission, address in DESKS.items():
        held = permission in ROLES[role]
        assert client.get(address).status_code == (200 if held else 403), address
        assert (f'href="{address}"' in bar) is held, address


def test_a_stranger_is_sent_to_sign_in_and_comes_back(client: FlaskClient) -> None:
    make_staff("clerk")
    sent = client.get("/desk/orders?status=paid").headers["Location"]
    assert sent == "/desk/sign-in?next=/desk/orders?status%3Dpaid"
    back = client.post("/desk/sign-in", data={"login": "clerk", "password": PASSWORD, "next": "/desk/orders?status=paid"})
    assert back.headers["Location"] == "/desk/orders?status=paid"
    away = client.post("/desk/sign-in", data={"login": "clerk", "password": PASSWORD, "next": "https://elsewhere.example/"})
    assert away.headers["Location"] == "/desk"


def test_a_wrong_password_and_an_unknown_login_are_answered_alike(client: FlaskClient) -> None:
    make_staff("clerk")
    answers = [client.post("/desk/sign-in", data={"login": login, "password": "wrong"}) for login in ("clerk", "nobody")]
    assert [answer.status_code for answer in answers] == [401, 401]
    assert all("Login or password is wrong." in answer.text for answer in answers)
    assert client.post("/desk/sign-in", data={}).status_code == 422


def test_many_tries_to_sign_in_are_too_many(db: None, chosen_settings: Settings) -> None:
    app = wsgi.create_app(replace(chosen_settings, rate_limits=True))
    app.config.update(TESTING=True, WTF_CSRF_ENABLED=False)
    try:
        client = app.test_client()
        tries = [client.post("/desk/sign-in", data={"login": "clerk", "password": "wrong"}).status_code for _ in range(11)]
    finally:
        limiter.reset()
        limiter.enabled = False
    assert tries == [401] * 10 + [429]


def test_an_operator_steps_up_by_badge_and_the_station_stays(client: FlaskClient) -> None:
    sign_in_staff(client, "administrator")
    make_staff("operator")
    answer = client.post("/desk/badge", data={"badge": " B-operator ", "next": "/desk/kitting"})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/desk/kitting")
    assert "Operator of the tests" in client.get("/desk/kitting").text
    assert client.get("/desk/orders").status_code == 403
    with reading() as session:
        act = session.scalars(sa.select(StaffAct)).one()
    assert (act.who, act.what, act.about) == ("Operator of the tests", "badge_switch", "Administrator of the tests")


@pytest.mark.parametrize("role", sorted(set(ROLES) - {"operator"}))
def test_a_badge_that_would_open_more_than_the_floor_is_refused(client: FlaskClient, role: str) -> None:
    sign_in_staff(client, "operator")
    make_staff(role)
    answer = client.post("/desk/badge", data={"badge": f"B-{role}"})
    assert answer.status_code == 403
    assert "Please sign in with your password." in answer.text
    assert "Operator of the tests" in client.get("/desk").text


def test_a_badge_is_nothing_at_a_station_where_nobody_is_signed_in(client: FlaskClient) -> None:
    make_staff("operator")
    answer = client.post("/desk/badge", data={"badge": "B-operator"})
    assert answer.headers["Location"].startswith("/desk/sign-in")
    assert client.get("/desk").status_code == 303


def test_an_unknown_badge_changes_nothing(client: FlaskClient) -> None:
    sign_in_staff(client, "operator")
    assert client.post("/desk/badge", data={"badge": "B-nobody"}).status_code == 404
    assert "Operator of the tests" in client.get("/desk").text


def test_a_badge_session_ends_when_its_owner_becomes_somebody_else(client: FlaskClient) -> None:
    sign_in_staff(client, "administrator")
    make_staff("operator")
    client.post("/desk/badge", data={"badge": "B-operator"})
    with transaction() as session:
        session.execute(sa.update(Staff).filter_by(login="operator").values(role="administrator"))
    assert client.get("/desk/orders").headers["Location"] == "/desk/sign-in"
    assert client.get("/desk").status_code == 303


def test_signing_out_ends_it(client: FlaskClient) -> None:
    sign_in_staff(client, "operator")
    assert client.post("/desk/sign-out").headers["Location"] == "/desk/sign-in"
    assert client.get("/desk/kitting").status_code == 303


def test_the_record_of_acts_is_final(client: FlaskClient) -> None:
    sign_in_staff(client, "administrator")
    make_staff("operator")
    client.post("/desk/badge", data={"badge": "B-operator"})
    with pytest.raises(TypeError), transaction() as session:
        session.scalars(sa.select(StaffAct)).one().who = "nobody"


def test_signing_in_and_out_pressed_again_has_already_happened(app: Flask) -> None:
    make_staff("clerk")
    visitor = Visitor(guarded(app))
    visitor.get("/desk/sign-in")
    form = {"login": "clerk", "password": PASSWORD, "csrf_token": visitor.token, "next": "/desk/orders"}
    for _press in range(2):
        assert visitor.client.post("/desk/sign-in", data=form).headers["Location"] == "/desk/orders"
    visitor.get("/desk")
    for _press in range(2):
        assert visitor.client.post("/desk/sign-out", data={"csrf_token": visitor.token}).headers["Location"] == "/desk/sign-in"
    assert visitor.client.post("/desk/sign-in", data=form).status_code == 400
