"""What broke is told in words, without details, to people and to programs; the records being away is a 503."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.exc import TimeoutError as PoolTimeout

import wsgi
from fulfillment.kernel.db import reading
from fulfillment.kernel.refusals import Conflict, Forbidden, NotFound, Refusal, TooMany, Unavailable, WrongStatus
from fulfillment.kernel.settings import Settings
from fulfillment.kernel.web import public

SECRET = "the inside of the machine"
AWAY = "Our records are busy. Nothing was changed; please try again in a moment."


@pytest.fixture
def app(db: None, chosen_settings: Settings) -> Flask:
    """A shop of the test's own: pages are added to it."""
    app = wsgi.create_app(chosen_settings)
    app.config["TESTING"] = True
    return app


def broken(app: Flask, error: Exception) -> FlaskClient:
    """A shop with two pages at which something happens."""

    @public
    def happen() -> str:
        raise error

    app.config["PROPAGATE_EXCEPTIONS"] = False
    app.add_url_rule("/happens", "happens", happen, methods=["GET", "POST"])
    app.add_url_rule("/api/v1/happens", "api_happens", happen)
    return app.test_client()


def test_what_broke_is_told_without_details(app: Flask) -> None:
    client = broken(app, RuntimeError(SECRET))
    page, told = client.get("/happens"), client.get("/api/v1/happens")
    assert (page.status_code, told.status_code) == (500, 500)
    assert "Nothing of yours is lost; please try again." in page.text
    assert told.mimetype == "application/problem+json"
    assert json.loads(told.text)["title"] == "Internal Server Error"
    assert all(word not in answer.text for answer in (page, told) for word in (SECRET, "Traceback", "RuntimeError"))


@pytest.mark.parametrize(
    "error",
    [
        sa.exc.OperationalError("SELECT 1", {}, Exception("database is locked")), sa.exc.InterfaceError("SELECT 1", {}, Exception("gone")),
        PoolTimeout("too many wait to write"),
    ],
)
def test_the_records_being_away_is_a_503_that_asks_to_come_back(app: Flask, error: Exception) -> None:
    client = broken(app, error)
    page, told = client.get("/happens"), client.get("/api/v1/happens")
    assert [(answer.status_code, answer.headers["Retry-After"]) for answer in (page, told)] == [(503, "5")] * 2
    assert AWAY in page.text
    assert told.mimetype == "application/problem+json"
    assert json.loads(told.text)["detail"] == AWAY
    assert "SELECT" not in page.text + told.text


@pytest.mark.parametrize(
    ("refusal", "status"),
    [(Refusal, 422), (NotFound, 404), (Forbidden, 403), (Conflict, 409), (WrongStatus, 409), (TooMany, 429), (Unavailable, 503)],
)
def test_a_refusal_keeps_its_sentence_and_its_status(app: Flask, refusal: Callable[..., Refusal], status: int) -> None:
    client = broken(app, refusal("There are only {left} left of <{name}>.", left=3, name="memory"))
    page, told = client.get("/happens"), client.get("/api/v1/happens")
    assert page.status_code == told.status_code == status
    assert "There are only 3 left of &lt;memory&gt;." in page.text
    assert json.loads(told.text)["detail"] == "There are only 3 left of <memory>."


@pytest.mark.parametrize(
    ("method", "path", "status", "words"),
    [
        ("GET", "/nowhere", 404, "There is nothing at this address."),
        ("DELETE", "/", 405, "This address does not take that kind of request."),
        ("GET", "/api/v1/nowhere", 404, "There is nothing at this address."),
    ],
)
def test_an_address_that_is_none_gets_words(client: FlaskClient, method: str, path: str, status: int, words: str) -> None:
    answer = client.open(path, method=method)
    assert answer.status_code == status
    assert words in answer.text


def test_a_form_without_its_token_is_asked_for_again(app: Flask) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    answer = app.test_client().post("/cart/items", data={"sku": "MON-24", "quantity": "1"})
    assert answer.status_code == 400
    assert "This form is out of date" in answer.text


def test_the_house_says_that_it_lives_and_what_waits(client: FlaskClient) -> None:
    assert client.get("/healthz").json == {"status": "ok"}
    assert client.get("/readyz").json == {"status": "ready", "jobs_ready": 0, "jobs_parked": 0, "oldest_job_seconds": 0.0, "open_alerts": 0}
    metrics = client.get("/metrics").text
    assert "shop_jobs_parked 0" in metrics
    assert 'shop_request_seconds_count{endpoint="readyz",status="200"}' in metrics


def test_it_lives_but_is_not_ready_while_the_records_are_away(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> None:
        raise sa.exc.OperationalError("SELECT 1", {}, Exception("gone"))

    monkeypatch.setattr("fulfillment.kernel.operations.reading", away)
    assert client.get("/readyz").status_code == 503
    assert client.get("/healthz").status_code == 200
    with reading() as session:
        assert session.execute(sa.text("SELECT 1")).scalar_one() == 1
