"""Quotes for programs: final, repeatable under a key, readable by whoever has the token."""

from __future__ import annotations

import io
import uuid
from datetime import UTC, datetime, timedelta

import pypdf
import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from configurator.models import Quote
from fulfillment.kernel.clock import frozen
from fulfillment.kernel.db import reading, transaction
from fulfillment.kernel.once import DoneOnce
from tests.builders.prices import make_promotion
from tests.builders.programs import Program, faults

pytestmark = pytest.mark.stocked

MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
ASKED = {"model": "skein-14", "choices": {"cpu": "u10", "memory": "d32"}, "quantity": 3}


@pytest.fixture
def program(client: FlaskClient) -> Program:
    return Program(client)


def quotes() -> int:
    with reading() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(Quote)) or 0


def test_a_quote_has_number_lines_total_and_a_last_day(program: Program) -> None:
    with frozen(MONDAY):
        answer = program.post("/quotes", ASKED)
    told = answer.json or {}
    assert answer.status_code == 201
    assert answer.headers["Location"] == told["links"]["self"] == f"http://localhost/api/v1/quotes/{told['token']}"
    assert (told["number"], told["issued_at"], told["valid_until"], told["expired"]) == (
        "Q-2026-000001", "2026-11-23T09:00:00Z", "2026-12-23", False,
    )
    assert told["total"] == {"minor": 491_700, "currency": "USD", "text": "$4,917.00"}
    [line] = told["lines"]
    assert (line["model"], line["quantity"], line["unit_price"]["minor"], line["price"]["minor"]) == ("skein-14", 3, 163_900, 491_700)
    assert (line["choices"]["cpu"], line["choices"]["display"]) == (["u10"], ["ips"])
    assert line["options"][0] == {
        "group": "Processor", "option": "10-core processor, up to 4.9 GHz, 30 W",
        "price": {"minor": 35_900, "currency": "USD", "text": "$359.00"},
        "list_price": {"minor": 35_900, "currency": "USD", "text": "$359.00"},
        "rules": [{"kind": "model", "name": "The model's own price"}],
    }
    assert (line["off"], line["quantity_bound"]) == ([], False)
    assert program.client.get(told["links"]["page"]).status_code == 200


def test_a_quote_is_read_by_its_token_in_the_reader_s_language(program: Program) -> None:
    made = program.quote()
    with frozen(datetime.now(UTC)):
        assert program.get(f"/quotes/{made['token']}").json == made
    chinese = Program(program.client, "zh").get(f"/quotes/{made['token']}").json or {}
    assert (chinese["number"], chinese["lines"][0]["name"], chinese["total"]["minor"]) == (made["number"], "云雀 Skein 14", 151_000)


def test_an_old_quote_says_that_it_has_expired(program: Program) -> None:
    made = program.quote()
    with frozen(datetime.now(UTC) + timedelta(days=31)):
        assert (program.get(f"/quotes/{made['token']}").json or {})["expired"] is True


def test_a_quote_is_had_on_paper(program: Program) -> None:
    made = program.quote()
    paper = program.get(f"/quotes/{made['token']}/quote.pdf", accept="application/pdf")
    assert (paper.status_code, paper.content_type) == (200, "application/pdf")
    text = pypdf.PdfReader(io.BytesIO(paper.data)).pages[0].extract_text()
    assert made["number"] in text
    assert "$1,510.00" in text


def test_a_key_sent_twice_is_one_quote(program: Program) -> None:
    key = str(uuid.uuid4())
    first, second = program.post("/quotes", ASKED, key=key), program.post("/quotes", ASKED, key=key)
    assert (first.status_code, second.status_code, quotes()) == (201, 201, 1)
    assert second.json == first.json
    again = program.post("/quotes", {**ASKED, "choices": {"memory": ["d32"], "cpu": ["u10"]}}, key=key)
    assert (again.json or {})["number"] == (first.json or {})["number"]


def test_a_key_used_for_another_content_is_refused(program: Program) -> None:
    key = str(uuid.uuid4())
    program.post("/quotes", ASKED, key=key)
    other = program.post("/quotes", {**ASKED, "quantity": 4}, key=key)
    assert (other.status_code, quotes()) == (409, 1)
    assert (other.json or {})["detail"] == "This request key was already used for something else. Use a new key."


def test_a_refused_quote_does_not_use_its_key_up(program: Program) -> None:
    key = str(uuid.uuid4())
    assert program.post("/quotes", {**ASKED, "choices": {"cpu": "u10", "memory": "s32"}}, key=key).status_code == 422
    with reading() as session:
        assert session.scalars(sa.select(DoneOnce.key).filter_by(scope="api.quotes")).all() == []
    assert program.post("/quotes", ASKED, key=key).status_code == 201


def test_without_a_key_every_request_is_a_new_quote(program: Program) -> None:
    assert program.quote()["number"] != program.quote()["number"]
    assert quotes() == 2


def test_a_key_that_could_be_anybody_s_is_refused(program: Program) -> None:
    for key in ("1", "short-key", "x" * 101, "sixteen chars and spaces", "ключ-ключ-ключ-ключ".encode().decode("latin-1")):
        answer = program.post("/quotes", ASKED, key=key)
        assert (answer.status_code, faults(answer)) == (400, {"Idempotency-Key": "This value is not of the form that is asked for."})
    assert quotes() == 0


def test_choices_that_do_not_go_together_are_refused_with_the_rule(program: Program) -> None:
    answer = program.post("/quotes", {**ASKED, "choices": {"cpu": "u10", "memory": "s32"}})
    assert (answer.status_code, (answer.json or {})["detail"]) == (422, "These choices do not go together.")
    assert faults(answer) == {"#/choices": "The 10-core processor's board carries 16 GB and one slot for up to 32 GB: 48 GB at most."}
    assert quotes() == 0


@pytest.mark.parametrize(
    ("quantity", "sentence"),
    [
        ("1.5", "Please give a whole number."), ("1000000000", "The most is 99."), ("-1", "The least is 1."), ("0", "The least is 1."),
        ("100", "The most is 99."), ("true", "Please give a whole number."), ('"2"', "Please give a whole number."),
        ("null", "Please give a whole number."), ("[1]", "Please give a whole number."), ("1e400", "Please give a whole number."),
        ("99999999999999999999999", "The most is 99."), ("0.9999999999999999", "Please give a whole number."),
    ],
)
def test_a_quantity_that_cannot_be_built_is_refused(program: Program, quantity: str, sentence: str) -> None:
    answer = program.send("/quotes", f'{{"model": "skein-14", "quantity": {quantity}}}'.encode())
    assert (answer.status_code, faults(answer)) == (422, {"#/quantity": sentence})
    assert quotes() == 0


@pytest.mark.parametrize(("quantity", "units"), [("1", 1), ("99", 99), ("2.0", 2), ("2e1", 20)])
def test_a_whole_number_may_be_written_as_json_allows(program: Program, quantity: str, units: int) -> None:
    answer = program.send("/quotes", f'{{"model": "skein-14", "quantity": {quantity}}}'.encode())
    assert (answer.json or {})["lines"][0]["quantity"] == units


def test_a_price_is_nothing_a_program_can_send(program: Program) -> None:
    answer = program.post("/quotes", {**ASKED, "price": {"minor": 1}, "total": 1, "valid_until": "2099-01-01", "account_id": "x"})
    assert answer.status_code == 422
    assert faults(answer) == {f"#/{field}": "There is no such field." for field in ("price", "total", "valid_until", "account_id")}
    assert quotes() == 0


def test_an_unknown_model_is_a_wrong_value(program: Program) -> None:
    answer = program.post("/quotes", {"model": "skein-15"})
    assert (answer.status_code, faults(answer)) == (422, {"#/model": "We do not make a machine called skein-15."})
    assert faults(program.post("/quotes", {"choices": {"a/b~c": 1}})) == {
        "#/model": "This field is missing.", "#/choices/a~1b~0c": "This value is not of the form that is asked for.",
    }


def test_tokens_that_were_never_given_are_all_the_same(program: Program) -> None:
    number = program.quote()["number"]
    told = [program.get(f"/quotes/{token}") for token in ("x", number, "%00", "%F0%28", "a" * 3000, "'; DROP TABLE quote; --")]
    assert {(answer.status_code, answer.text) for answer in told} == {(404, told[0].text)}
    assert program.get("/quotes/x/quote.pdf").status_code == 404


def test_a_code_takes_off_what_it_says_and_a_wrong_one_is_refused_with_its_reason(program: Program) -> None:
    with transaction() as session:
        make_promotion(session, code="TEN")
    asked = {"model": "skein-14", "choices": {}, "codes": ["ten"]}
    told = program.post("/models/skein-14/configure", {"codes": ["ten", "none"]}).json or {}
    assert told["price"]["minor"] == 135_900
    assert told["idle_codes"] == [{"code": "NONE", "reason": "We do not know the code NONE. Please check how it is written."}]
    made = program.post("/quotes", asked).json or {}
    [line] = made["lines"]
    assert line["off"] == [{"name": "Ten off", "amount": {"minor": 15_100, "currency": "USD", "text": "$151.00"}, "kind": "machine"}]
    refused = program.post("/quotes", {**asked, "codes": ["none"]})
    assert (refused.status_code, (refused.json or {})["detail"]) == (
        422, "We do not know the code NONE. Please check how it is written.",
    )
    assert quotes() == 1
    page = program.client.get(made["links"]["page"]).text
    assert "How this price comes about" in page
    assert "−$151.00" in page
    paper = program.get(f"/quotes/{made['token']}/quote.pdf", accept="application/pdf")
    assert "Ten off" in pypdf.PdfReader(io.BytesIO(paper.data)).pages[0].extract_text()
