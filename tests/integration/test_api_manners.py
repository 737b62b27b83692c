"""How the programs' door behaves whatever comes: one kind of refusal, strict reading, no cookies, limits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient

import wsgi
from configurator.seed import seed_catalogue
from fulfillment.kernel.db import transaction
from fulfillment.kernel.settings import Settings, use
from fulfillment.kernel.web import limiter
from tests.builders.people import make_account, sign_in_account
from tests.builders.programs import Program, faults
from tests.builders.walk import walk_order

DEEP = b'{"model": ' + b"[" * 30_000 + b"]" * 30_000 + b"}"


@pytest.fixture
def program(client: FlaskClient) -> Program:
    return Program(client)


@pytest.mark.parametrize(
    ("raw", "status", "sentence"),
    [
        (b"", 400, "The content is not valid JSON."),
        (b"{", 400, "The content is not valid JSON."),
        (b'{"model": "skein-14"} {}', 400, "The content is not valid JSON."),
        (b"{'model': 1}", 400, "The content is not valid JSON."),
        (b'\xef\xbb\xbf{"model": "skein-14"}', 400, "The content is not valid JSON."),
        (b'{"quantity": ' + b"9" * 5000 + b"}", 400, "The content is not valid JSON."),
        (b'{"model": "\\ud800"}', 400, "The content is not valid JSON."),
        (b'["skein-14"]', 400, "The content must be one JSON object."),
        (b'"skein-14"', 400, "The content must be one JSON object."),
        (b"null", 400, "The content must be one JSON object."),
        (b'{"quantity": NaN}', 400, "NaN is not a JSON number."),
        (b'{"quantity": -Infinity}', 400, "-Infinity is not a JSON number."),
        (b'{"model": "a", "model": "skein-14"}', 400, "The content has the field “model” twice."),
        (b'{"choices": {"cpu": "v8", "cpu": "u10"}}', 400, "The content has the field “cpu” twice."),
        (b'{"model": "\xff"}', 400, "The content is not UTF-8."),
        ('{"model": "ä"}'.encode("utf-16"), 400, "The content is not UTF-8."),
        (DEEP, 422, "The content is nested more than 8 levels deep."),
        (b'{"a":' * 9 + b"1" + b"}" * 9, 422, "The content is nested more than 8 levels deep."),
    ],
)
def test_content_that_is_no_plain_json_object_is_refused_in_so_many_words(
    program: Program, raw: bytes, status: int, sentence: str
) -> None:
    answer = program.send("/quotes", raw)
    assert (answer.status_code, answer.content_type) == (status, "application/problem+json")
    assert (answer.json or {})["detail"] == sentence


def test_content_that_is_too_large_is_refused(program: Program) -> None:
    answer = program.send("/quotes", b'{"model": "' + b"x" * 65_536 + b'"}')
    assert (answer.status_code, answer.content_type) == (413, "application/problem+json")
    just_fits = program.send("/quotes", b'{"model": "' + b"x" * 65_000 + b'"}')
    assert just_fits.status_code == 422


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "", "application/json; charset=latin-1", "json"])
def test_content_of_another_kind_is_refused(program: Program, kind: str) -> None:
    answer = program.send("/quotes", b'{"model": "skein-14"}', kind)
    assert (answer.status_code, (answer.json or {})["detail"]) == (415, "Please send application/json.")


def test_a_program_that_reads_nothing_we_write_is_told_so(program: Program) -> None:
    for path, accept in (("/models", "text/html"), ("/models", "application/json;q=0"), ("/quotes/x/quote.pdf", "application/json")):
        answer = program.get(path, accept=accept)
        assert (answer.status_code, answer.content_type) == (406, "application/problem+json"), accept
    for accept in ("application/json", "*/*", "application/*;q=0.1", "text/html, application/json;q=0.2", ""):
        assert program.get("/models", accept=accept).status_code == 200, accept


def test_every_refusal_is_a_problem(program: Program) -> None:
    for answer in (
        program.get("/nothing"), program.get("/models/unknown"), program.client.put("/api/v1/models"), program.client.get("/api/v2/models"),
        program.client.delete("/api/v1/quotes"), program.get("/orders/x"), program.post("/quotes", {}),
        program.client.open("/api/v1/models", method="BREW"),
    ):
        told = answer.json or {}
        assert answer.content_type == "application/problem+json", answer.request.path
        assert (told["status"], told["type"]) == (answer.status_code, "about:blank")
        assert told["title"] == answer.status.split(" ", 1)[1].title() or told["title"]
        assert answer.headers["Cache-Control"] == "no-store"


def test_a_method_that_is_not_taken_names_those_that_are(program: Program) -> None:
    answer = program.client.delete("/api/v1/models")
    assert (answer.status_code, set(answer.headers["Allow"].split(", "))) == (405, {"GET", "HEAD", "OPTIONS"})


def test_a_fault_of_ours_tells_no_details(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    app.config["PROPAGATE_EXCEPTIONS"] = False
    monkeypatch.setattr("configurator.api.released_models", lambda: None)
    answer = app.test_client().get("/api/v1/models")
    assert (answer.status_code, answer.content_type) == (500, "application/problem+json")
    assert "TypeError" not in answer.text


@pytest.mark.stocked
def test_cookies_are_neither_read_nor_sent(app: Flask) -> None:
    client = app.test_client()
    make_account()
    sign_in_account(client)
    client.post("/cart/items", data={"sku": "MON-24"})
    bare = Program(app.test_client())
    for path in ("/models", "/items", "/nothing", "/orders/SO-2026-000001", "/openapi.json"):
        signed_in, stranger = Program(client).get(path), bare.get(path)
        assert (signed_in.status_code, signed_in.data) == (stranger.status_code, stranger.data), path
        assert "Set-Cookie" not in signed_in.headers, path
        assert "Cookie" not in signed_in.headers.get("Vary", ""), path
    assert bare.get("/models", cookie="shop=forged; language=zh").headers["Content-Language"] == "en"
    assert client.get("/account").status_code == 200


@pytest.mark.stocked
def test_no_token_against_forged_requests_is_asked_of_a_program(app: Flask) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    assert Program(app.test_client()).post("/quotes", {"model": "skein-14"}).status_code == 201


@pytest.fixture
def limited(chosen_settings: Settings, db: None) -> Iterator[Program]:
    """A shop that counts requests."""
    chosen = replace(chosen_settings, rate_limits=True)
    app = wsgi.create_app(chosen)
    app.config.update(TESTING=True, PROPAGATE_EXCEPTIONS=True)
    limiter.enabled = True
    limiter.reset()
    yield Program(app.test_client())
    limiter.reset()
    limiter.enabled = False
    use(chosen_settings)


def test_wrong_proofs_are_counted_and_right_ones_are_not(limited: Program) -> None:
    with transaction() as session:
        number = walk_order(session, up_to="booked").number
    for _ in range(20):
        assert limited.get(f"/orders/{number}", proof="ada@example.com").status_code == 200
    tries = [limited.get(f"/orders/{number}", proof=f"{guess:05}").status_code for guess in range(10_000, 10_016)]
    assert tries == [404] * 15 + [429]
    answer = limited.post(f"/orders/{number}/cancel", proof="ada@example.com")
    assert (answer.status_code, answer.content_type) == (429, "application/problem+json")
    assert 1 <= int(answer.headers["Retry-After"]) <= 61
    assert limited.get("/units/BBBBBBB").status_code == 404


def test_quotes_are_counted(limited: Program) -> None:
    with transaction() as session:
        seed_catalogue(session)
    answers = [limited.send("/quotes", b"{}").status_code for _ in range(61)]
    assert answers == [422] * 60 + [429]


def test_each_wrong_value_has_its_pointer(program: Program) -> None:
    answer = program.post("/quotes", {"choices": {"cpu": ["v8", 3], "a/b": "x", "m~n": None}, "quantity": "two", "": 1})
    assert set(faults(answer)) == {"#/model", "#/choices/cpu/1", "#/choices/a~1b", "#/choices/m~0n", "#/quantity", "#/"}
