"""The price desk: books by table, promotions, shaping rules; bad input is told with its line, and every change has a name to it."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from configurator.prices.checks import promotions_keep_their_limits
from configurator.prices.models import PriceBook, PriceEntry, Promotion, PromotionUse, ShapingRule
from configurator.prices.seed import seed_prices
from configurator.releasing import released
from configurator.service import starting_price
from fulfillment.console.models import StaffAct
from fulfillment.kernel.clock import now
from fulfillment.kernel.db import reading, transaction
from fulfillment.kernel.money import Money
from tests.builders.people import sign_in_staff
from tests.conftest import Queries

pytestmark = pytest.mark.stocked

BOOK = {"code": "AUTUMN", "name_en": "Autumn list", "name_zh": "秋季价目", "currency": "USD", "first_day": "2020-01-01"}
HEAD = "model,group,option,sku,from_quantity,price,first_day,last_day\n"


@pytest.fixture
def desk(client: FlaskClient) -> FlaskClient:
    sign_in_staff(client, "merchant")
    return client


@pytest.fixture
def book(desk: FlaskClient) -> FlaskClient:
    assert desk.post("/desk/prices/books", data=BOOK).status_code == 303
    return desk


def bring(desk: FlaskClient, text: str | bytes, press: str = "") -> TestResponse:
    content = text.encode() if isinstance(text, str) else text
    return desk.post("/desk/prices/books/AUTUMN/table", data={"press": press, "table": (io.BytesIO(content), "t.csv")})


def entries() -> int:
    with reading() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(PriceEntry)) or 0


def acts() -> list[tuple[str, str, str]]:
    with reading() as session:
        rows = session.execute(sa.select(StaffAct.who, StaffAct.what, StaffAct.about).order_by(StaffAct.at, StaffAct.id)).all()
    return [(who, what, about) for who, what, about in rows if what != "signed_in"]


def test_a_table_is_brought_in_taken_out_and_rules_the_shop_window(book: FlaskClient) -> None:
    before = starting_price(released("skein-14").model)
    answer = bring(book, HEAD + "skein-14,cpu,v8,,1,250.00,,\nskein-14,base,BSE-SK14,,1,300.00,2020-01-01,2099-12-31\n")
    assert answer.status_code == 303
    assert starting_price(released("skein-14").model) == before - Money(2_900) - Money(2_900)
    told = book.get("/api/v1/models/skein-14").json or {}
    assert (told["base_price"]["minor"], told["groups"][0]["options"][1]["price"]["minor"]) == (30_000, 25_000)
    table = book.get("/desk/prices/books/AUTUMN/table.csv")
    assert table.text.splitlines() == [
        "model,group,option,sku,from_quantity,price,first_day,last_day", "skein-14,base,BSE-SK14,,1,300.00,2020-01-01,2099-12-31",
        "skein-14,cpu,v8,,1,250.00,2020-01-01,",
    ]
    assert bring(book, table.text, "again").status_code == 303
    assert entries() == 2
    page = book.get("/desk/prices/books/AUTUMN").text
    assert "$250.00" in page
    assert acts() == [
        ("Merchant of the tests", "book_opened", "AUTUMN"), ("Merchant of the tests", "book_imported", "AUTUMN"),
        ("Merchant of the tests", "book_imported", "AUTUMN"),
    ]


def test_every_mistake_of_a_table_is_told_with_its_line_and_nothing_changes(book: FlaskClient) -> None:
    bring(book, HEAD + "skein-14,cpu,v8,,1,250.00,,\n")
    rows = [
        "nothing,cpu,v8,,1,1.00,,", "skein-14,cpus,v8,,1,1.00,,", "skein-14,cpu,v9,,1,1.00,,", "skein-14,base,BSE-X,,1,1.00,,",
        ",,,NO-PART,1,1.00,,", "skein-14,cpu,v8,CPU-M8,1,1.00,,", "skein-14,cpu,v8,,0,1.00,,", "skein-14,cpu,v8,,1,1.005,,",
        "skein-14,cpu,v8,,1,free,,", "skein-14,cpu,v8,,1,1.00,soon,", "skein-14,cpu,v8,,1,1.00,2026-02-01,2026-01-01",
        "skein-14,base,BSE-SK14,,1,-5.00,,", "skein-14,cpu,v6,,1,1.00", "skein-14,cpu,u10,,1,1.00,,", "skein-14,cpu,u10,,1,2.00,,",
    ]
    answer = bring(book, HEAD + "\n".join(rows))
    assert answer.status_code == 422
    for line in (*range(2, 15), 16):
        assert f'data-label="Line">{line}</th>' in answer.text, line
    assert 'data-label="Line">15</th>' not in answer.text
    assert "“cpu” has no option “v9”. It has: v6, v8, u10, h12." in answer.text
    assert "Line 15 gives a price for the same already: keep one of them." in answer.text
    assert entries() == 1
    assert [what for _who, what, _about in acts()] == ["book_opened", "book_imported"]


NO_TABLES = {
    b"": "Please choose the file", b"\xff\xfe\x00": "not text in UTF-8", b"a,b\n1,2\n": "The first line names the columns",
    HEAD.encode() + b'"open': "not a table of values", HEAD.encode() + b"skein-14,cpu,v8\0,,1,1.00,,\n": "cannot be taken",
}


def test_what_is_no_table_is_refused(book: FlaskClient) -> None:
    for content, words in NO_TABLES.items():
        answer = bring(book, content)
        assert answer.status_code == 422
        assert words in answer.text
    assert entries() == 0


def test_the_same_press_brings_a_table_in_once_and_another_file_again(book: FlaskClient) -> None:
    for price in ("250.00", "250.00", "240.00"):
        assert bring(book, HEAD + f"skein-14,cpu,v8,,1,{price},,\n", "same").status_code == 303
    with reading() as session:
        told = session.scalars(sa.select(StaffAct.detail).filter_by(what="book_imported").order_by(StaffAct.at)).all()
    assert told == ["1 (+1 ~0 −0)", "1 (+0 ~1 −0)"]


def test_a_book_that_cannot_be_is_not_opened(book: FlaskClient) -> None:
    assert "There is a book AUTUMN already." in book.post("/desk/prices/books", data=BOOK).text
    wrongs = {"code": "no spaces", "last_day": "2019-12-31", "market": "usa", "tax": "ten", "currency": "XXX", "name_en": ""}
    for wrong in ({field: value} for field, value in wrongs.items()):
        answer = book.post("/desk/prices/books", data={**BOOK, "code": "OTHER", **wrong})
        assert answer.status_code == 422, wrong
    with reading() as session:
        assert session.scalars(sa.select(PriceBook.code)).all() == ["AUTUMN"]


def test_a_book_ends_on_its_last_day(book: FlaskClient) -> None:
    before = starting_price(released("skein-14").model)
    bring(book, HEAD + "skein-14,cpu,v8,,1,250.00,,\n")
    assert starting_price(released("skein-14").model) == before - Money(2_900)
    assert book.post("/desk/prices/books/AUTUMN/days", data={"last_day": "2020-12-31"}).status_code == 303
    assert starting_price(released("skein-14").model) == before
    assert book.post("/desk/prices/books/AUTUMN/days", data={"last_day": "2019-12-31"}).status_code == 422


PROMOTION = {
    "name_en": "Ten off", "name_zh": "九折", "code": " ten off ", "reach": "machine", "percent": "10", "currency": "USD",
    "first_day": "2020-01-01", "last_day": "2099-12-31", "most_uses": "5",
}


def test_a_promotion_is_begun_stopped_and_let_hold_again(desk: FlaskClient) -> None:
    assert desk.post("/desk/prices/promotions", data=PROMOTION).status_code == 303
    with reading() as session:
        [promotion] = session.scalars(sa.select(Promotion)).all()
    assert (promotion.code, promotion.off_thousandths, promotion.most_uses, promotion.active) == ("TENOFF", 10_000, 5, True)
    page = desk.get("/desk/prices/promotions").text
    assert "TENOFF" in page
    assert "0 / 5" in page
    for active, state in (("no", False), ("yes", True)):
        assert desk.post(f"/desk/prices/promotions/{promotion.id}/switch", data={"active": active}).status_code == 303
        with reading() as session:
            assert session.scalars(sa.select(Promotion.active)).one() is state
    assert [what for _who, what, _about in acts()] == ["promotion_started", "promotion_switched", "promotion_switched"]


def test_a_promotion_that_cannot_be_is_refused(desk: FlaskClient) -> None:
    wrongs: list[dict[str, str]] = [
        {"percent": "0"}, {"percent": "101"}, {"percent": "-5"}, {"percent": "", "amount": ""}, {"amount": "5"}, {"last_day": "2019-01-01"},
        {"percent": "", "amount": "0"}, {"percent": "", "amount": "0.005"}, {"budget": "0"}, {"most_uses": "0"}, {"last_day": ""},
    ]
    for wrong in wrongs:
        assert desk.post("/desk/prices/promotions", data={**PROMOTION, **wrong}).status_code == 422, wrong
    with reading() as session:
        assert session.scalars(sa.select(Promotion)).all() == []


def test_a_shaping_rule_does_nothing_until_it_is_switched_on(desk: FlaskClient) -> None:
    rule = {
        "code": "SOONER", "name_en": "Sooner", "min_days": "7", "give": "percent", "value": "7.5", "margin": "5", "currency": "USD",
        "first_day": "2020-01-01",
    }
    assert desk.post("/desk/prices/shaping", data=rule).status_code == 303
    with reading() as session:
        [made] = session.scalars(sa.select(ShapingRule)).all()
    assert (made.active, made.off_thousandths, made.margin_thousandths) == (False, 7_500, 5_000)
    assert desk.post("/desk/prices/shaping/SOONER/switch", data={"active": "yes"}).status_code == 303
    with reading() as session:
        assert session.scalars(sa.select(ShapingRule.active)).one() is True
    page = desk.get("/desk/prices/shaping").text
    assert "7.5 % off" in page
    for wrong in ({"value": ""}, {"min_days": "0"}, {"margin": ""}, {"value": "101"}, {}):
        assert desk.post("/desk/prices/shaping", data={**rule, **({"code": "OTHER"} if wrong else {}), **wrong}).status_code in {409, 422}


def test_the_pages_keep_the_budget_and_others_do_not_see_them(desk: FlaskClient, queries: Queries) -> None:
    desk.post("/desk/prices/books", data=BOOK)
    for path in ("", "/books/AUTUMN", "/promotions", "/shaping"):
        with queries as statements:
            assert desk.get(f"/desk/prices{path}").status_code == 200
        assert len(statements) <= 12, (path, statements)
    assert "/desk/prices" in desk.get("/desk").text
    stranger = desk.application.test_client()
    sign_in_staff(stranger, "clerk")
    assert stranger.get("/desk/prices").status_code == 403
    assert "/desk/prices" not in stranger.get("/desk").text


def test_the_command_line_brings_a_table_in_or_says_what_is_wrong_with_it(book: FlaskClient, tmp_path: Path) -> None:
    runner, table = book.application.test_cli_runner(), tmp_path / "t.csv"
    table.write_text(HEAD + "skein-14,cpu,v9,,1,250.00,,\n")
    wrong = runner.invoke(args=["prices", "import", "AUTUMN", str(table)])
    assert (wrong.exit_code, entries()) == (1, 0)
    assert "t.csv:2: “cpu” has no option “v9”" in wrong.output
    table.write_text(HEAD + "skein-14,cpu,v8,,1,250.00,,\n")
    assert runner.invoke(args=["prices", "import", "AUTUMN", str(table)]).output == "AUTUMN: 1 (+1 ~0 −0)\n"
    assert "skein-14,cpu,v8,,1,250.00,2020-01-01," in runner.invoke(args=["prices", "export", "AUTUMN"]).output
    assert "AUTUMN\tUSD\teveryone\t2020-01-01" in runner.invoke(args=["prices", "list"]).output
    assert runner.invoke(args=["prices", "export", "NONE"]).exit_code == 1


def test_the_books_check_finds_a_promotion_that_gave_too_much(desk: FlaskClient) -> None:
    with transaction() as session:
        seed_prices(session)
        seed_prices(session)
        [promotion] = session.scalars(sa.select(Promotion)).all()
        assert promotions_keep_their_limits(session) == []
        session.add(PromotionUse(
            promotion_id=promotion.id, order_number="SO-2026-000001", email="ada@example.com", amount_minor=5_000_001, used_at=now(),
        ))
        session.flush()
        assert [finding.about for finding in promotions_keep_their_limits(session)] == ["WELCOME", "SO-2026-000001"]
