"""A real house from nothing: catalogue, staff, no demonstration; and people come and go by command."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sqlalchemy as sa
from click.testing import Result
from flask import Flask
from flask.testing import FlaskClient

from fulfillment.customers.models import Staff
from fulfillment.kernel.db import reading, transaction
from fulfillment.kernel.refusals import Forbidden
from fulfillment.kernel.settings import settings, use
from storefront.demo.seed import seed_house
from tests.builders.people import PASSWORD, make_staff

OTHER = "battery horse correct"


def flask(app: Flask, *words: str, typed: str | None = None) -> Result:
    return app.test_cli_runner().invoke(args=list(words), input=typed)


def people() -> list[tuple[str, str, bool]]:
    with reading() as session:
        return [(each.login, each.role, each.active) for each in session.scalars(sa.select(Staff).order_by(Staff.login))]


def sign_in(client: FlaskClient, password: str) -> int:
    return client.post("/desk/sign-in", data={"login": "rosa", "password": password}).status_code


@pytest.mark.parametrize("command", [("seed",), ("demo", "--once"), ("floor", "run", "--until-idle")])
def test_production_refuses_what_is_for_demonstrations(app: Flask, command: tuple[str, ...]) -> None:
    use(replace(settings(), env="production"))
    said = flask(app, *command)
    assert said.exit_code == 1
    assert said.output.count("\n") == 1
    assert "is for demonstrations and does not run with SHOP_ENV=production" in said.output
    assert people() == []


def test_production_furnishes_no_house_by_any_other_way(app: Flask) -> None:
    use(replace(settings(), env="production"))
    with pytest.raises(Forbidden), transaction() as session:
        seed_house(session, PASSWORD)
    assert people() == []


def test_the_first_administrator_is_hired_and_signs_in(app: Flask, client: FlaskClient) -> None:
    hired = flask(app, "staff", "hire", "Rosa", "--name", "Rosa Lind", "--role", "administrator", typed=f"{PASSWORD}\n{PASSWORD}\n")
    assert hired.exit_code == 0, hired.output
    assert PASSWORD not in hired.output
    assert people() == [("rosa", "administrator", True)]
    with reading() as session:
        badge = session.scalars(sa.select(Staff.badge)).one()
    assert badge in hired.output
    assert badge in flask(app, "staff", "list").output
    assert sign_in(client, PASSWORD) == 303
    assert "Rosa Lind" in client.get("/desk").text


@pytest.mark.parametrize(("words", "password", "told"), [
    (("rosa", "--role", "clerk"), PASSWORD, "Somebody has the login rosa already."),
    (("ROSA ", "--role", "clerk"), PASSWORD, "already"),
    (("tom", "--role", "clerk", "--badge", "B-rosa"), PASSWORD, "Somebody has the badge B-rosa already."),
    (("tom", "--role", "clerk"), "short", "A password needs at least 10 characters."),
    (("tom", "--role", "clerk"), "", "A password needs at least 10 characters."),
    (("tom", "--role", "queen"), PASSWORD, "'queen' is not one of"),
])
def test_who_cannot_be_hired_is_told_why(app: Flask, words: tuple[str, ...], password: str, told: str) -> None:
    make_staff("buyer", login="rosa")
    said = flask(app, "staff", "hire", *words, "--name", "Tom", "--password-stdin", typed=f"{password}\n")
    assert said.exit_code != 0
    assert told in said.output
    assert "Traceback" not in said.output
    assert people() == [("rosa", "buyer", True)]


def test_a_new_password_ends_the_sessions_of_the_old_one(app: Flask, client: FlaskClient) -> None:
    make_staff("clerk", login="rosa")
    assert sign_in(client, PASSWORD) == 303
    assert flask(app, "staff", "password", "rosa", "--password-stdin", typed=f"{OTHER}\n").exit_code == 0
    assert client.get("/desk").status_code == 303
    assert [sign_in(client, PASSWORD), sign_in(client, OTHER)] == [401, 303]


def test_who_is_dismissed_is_out_at_once_and_cannot_come_back(app: Flask, client: FlaskClient) -> None:
    make_staff("operator", login="rosa")
    assert sign_in(client, PASSWORD) == 303
    assert flask(app, "staff", "dismiss", "rosa").exit_code == 0
    assert client.get("/desk").status_code == 303
    assert sign_in(client, PASSWORD) == 401
    assert people() == [("rosa", "operator", False)]
    assert "gone" in flask(app, "staff", "list").output
    for words in (("dismiss", "rosa"), ("password", "rosa", "--password-stdin")):
        said = flask(app, "staff", *words, typed=f"{OTHER}\n")
        assert (said.exit_code, "Nobody works here with the login rosa." in said.output) == (1, True)
