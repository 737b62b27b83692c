"""What strangers send to every address: forms without tokens, forged cookies, links that lead away, bodies that are none."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from werkzeug.test import TestResponse

import wsgi
from fulfillment.kernel.db import Base, reading, transaction
from fulfillment.kernel.settings import Settings
from fulfillment.kernel.web import ACCESS, limiter
from tests.builders.orders import make_order
from tests.builders.people import PASSWORD, make_account
from tests.builders.visitor import DETAILS, SHIP_TO, Visitor, guarded

PAGES = ("/", "/account/sign-in", "/account/sign-up", "/cart", "/status", "/support", "/search?q=x", "/configure/skein-14")


@pytest.fixture
def shop(app: Flask) -> Flask:
    return guarded(app)


@pytest.fixture
def visitor(shop: Flask) -> Visitor:
    return Visitor(shop)


@pytest.fixture
def limited(db: None, chosen_settings: Settings) -> Iterator[Visitor]:
    """A visitor of a shop that counts tries."""
    yield Visitor(guarded(wsgi.create_app(replace(chosen_settings, rate_limits=True))))
    limiter.reset()
    limiter.enabled = False


def rows() -> dict[str, int]:
    """How many rows every table has."""
    with reading() as session:
        return {table.name: session.scalar(sa.select(sa.func.count()).select_from(table)) or 0 for table in Base.metadata.sorted_tables}


def forged(shop: Flask, key: str, content: dict[str, Any]) -> str:
    """A session cookie as somebody would sign it who has another key."""
    other = Flask("elsewhere")
    other.secret_key = key
    signer = SecureCookieSessionInterface().get_signing_serializer(other)
    assert signer is not None
    return str(signer.dumps(content))


POSTS: tuple[tuple[str, dict[str, str]], ...] = (
    ("/account/sign-in", {"email": "ada@example.com", "password": PASSWORD}),
    ("/account/sign-up", {"name": "Eve", "email": "eve@example.com", "password": "a long password"}),
    ("/account/forgotten", {"email": "ada@example.com"}),
    ("/account/sign-out", {}),
    ("/account/addresses", SHIP_TO),
    ("/account/details", {"name": "Eve", "phone": "", "locale": "en"}),
    ("/account/password", {"old": PASSWORD, "password": "a long password", "again": "a long password"}),
    ("/cart/items", {"sku": "MON-24", "quantity": "1"}),
    ("/configure/skein-14", {"quantity": "1", "then": "quote"}),
    ("/checkout", DETAILS),
    ("/checkout/pay", {}),
    ("/status", {"number": "SO-2026-000001", "proof": "78701"}),
    ("/support", {"tag": "AAAAAAA"}),
    ("/orders/SO-2026-000001/cancel", {}),
    ("/orders/SO-2026-000001/pay", {}),
)


class TestTokens:
    @pytest.mark.parametrize(("path", "fields"), POSTS, ids=[path for path, _ in POSTS])
    def test_a_form_without_one_or_with_somebody_elses_changes_nothing(self, shop: Flask, path: str, fields: dict[str, str]) -> None:
        make_account()
        victim, attacker = Visitor(shop), Visitor(shop)
        signed_in = path != "/account/sign-in"  # whoever is, has signed in already
        if signed_in:
            victim.signed_in()
        attacker.get("/status")
        before, cookie = rows(), victim.cookie()
        for token in ({}, {"csrf_token": ""}, {"csrf_token": "x"}, {"csrf_token": attacker.token}):
            answer = victim.client.post(path, data={**fields, **token})
            assert answer.status_code == 400
            assert "This form is out of date" in answer.text
        assert rows() == before
        assert victim.get("/account").status_code == (200 if signed_in else 303)
        assert bool(cookie) is signed_in

    def test_every_form_of_every_page_has_one(self, visitor: Visitor) -> None:
        for path in PAGES:
            for form in re.findall(r'<form[^>]*method="post".*?</form>', visitor.get(path).text, re.DOTALL):
                assert 'name="csrf_token" value="' in form


class TestCookies:
    def test_a_forged_session_opens_nothing(self, shop: Flask) -> None:
        who = make_account()
        with transaction() as session:
            number = make_order(session).number
        for key in ("development-only", "secret", "test-secret-key-of-more-than-32-charS"):
            eve = Visitor(shop).with_cookie(forged(shop, key, {"_user_id": f"account:{who}:0", "orders": [number], "_fresh": True}))
            assert eve.get("/account").status_code == 303
            assert eve.get(f"/orders/{number}").status_code == 404

    @pytest.mark.parametrize("name", ["shop", "language", "theme", "remember_token"])
    @pytest.mark.parametrize(
        "value", ["", "x", "a.b.c", "%00", "\u00e9\u4e91", "é" * 300, "../../etc/passwd", '"><script>alert(1)</script>', "1|2"]
    )
    def test_nonsense_in_a_cookie_is_no_fault(self, visitor: Visitor, name: str, value: str) -> None:
        answer = visitor.client.get("/status", headers={"Cookie": f"{name}={value}".encode().decode("latin-1")})
        assert answer.status_code == 200
        assert "<script>alert" not in visitor.with_cookie(quote(value), name).get("/status").text

    def test_are_for_this_site_alone_and_closed_to_scripts(self, visitor: Visitor) -> None:
        kept = visitor.get("/status").headers["Set-Cookie"]
        assert "HttpOnly" in kept
        assert "SameSite=Lax" in kept

    @pytest.mark.usefixtures("db")
    def test_are_sent_over_tls_alone_in_production(self, chosen_settings: Settings) -> None:
        answer = Visitor(guarded(wsgi.create_app(replace(chosen_settings, base_url="https://shop.example")))).get("/status")
        assert "Secure" in answer.headers["Set-Cookie"]
        assert answer.headers["Strict-Transport-Security"].startswith("max-age=31536000")


AWAY = (
    "https://evil.example/", "//evil.example/", "///evil.example", "/\\evil.example", "\\\\evil.example", "/\t/evil.example",
    "/\n/evil.example", "/\r\n/evil.example", " //evil.example", "http:evil.example", "javascript:alert(1)", "data:text/html,x",
    "evil.example", "%2f%2fevil.example",
    "/%09/evil.example\r\nSet-Cookie: a=b", "/\x85/evil.example\\", "https:/evil.example", "/@evil.example\\@", "",
)


@pytest.mark.parametrize("wanted", AWAY)
@pytest.mark.parametrize("path", ["/language/zh", "/theme/dark"])
def test_no_link_of_ours_leads_away(visitor: Visitor, path: str, wanted: str) -> None:
    answer = visitor.client.get(path, query_string={"next": wanted})
    assert answer.status_code == 303
    assert_own(answer)


@pytest.mark.parametrize("wanted", AWAY)
def test_signing_in_leads_nowhere_else(visitor: Visitor, wanted: str) -> None:
    make_account()
    answer = visitor.post("/account/sign-in", {"email": "ada@example.com", "password": PASSWORD, "next": wanted})
    assert answer.status_code == 303
    assert_own(answer)


def assert_own(answer: TestResponse) -> None:
    """The browser stays with us, however it reads the address; nothing was added to the headers."""
    location = answer.headers["Location"]
    assert location.startswith("/")
    assert not re.match(r"/[\s\x00-\x20]*[/\\]", location)
    assert re.search(r"[\\\s]", location) is None
    assert "a=b" not in str(answer.headers.getlist("Set-Cookie"))


class TestTheHost:
    @pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "localhost.evil.example"])
    @pytest.mark.parametrize("path", ["/", "/cart", "/%2Fcart", "/account", "/configure/skein-14/", "/nowhere", "/sitemap.xml"])
    def test_that_was_asked_for_is_named_nowhere(self, visitor: Visitor, path: str, host: str) -> None:
        for headers in ({"Host": host}, {"X-Forwarded-Host": host, "X-Original-URL": "/account", "Forwarded": f"host={host}"}):
            answer = visitor.client.get(path, headers=headers)
            assert answer.status_code in {200, 303, 404}
            assert "evil" not in answer.text
            assert "evil" not in str(answer.headers)


class TestHeaders:
    @pytest.mark.parametrize(
        ("path", "status"),
        [
            ("/status", 200), ("/nowhere", 404), ("/account", 303), ("/checkout/pay", 405), ("/api/v1/models", 200),
            ("/api/v1/nothing", 404), ("/static/css/site.css", 200), ("/static/nothing.css", 404), ("/language/zh", 303),
            ("/healthz", 200), ("/orders/SO-1", 404),
        ],
    )
    def test_stand_on_every_kind_of_answer(self, visitor: Visitor, path: str, status: int) -> None:
        answer = visitor.get(path)
        assert answer.status_code == status
        assert_guarded(answer)

    def test_stand_on_a_fault_which_tells_nothing(self, shop: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
        def broken(**_: object) -> str:
            raise RuntimeError("secret detail")

        monkeypatch.setitem(shop.view_functions, "support.home", broken)
        answer = Visitor(shop).get("/support")
        assert answer.status_code == 500
        assert "secret detail" not in answer.text
        assert "Something broke on our side" in answer.text
        assert_guarded(answer)

    def test_no_page_has_a_script_or_a_style_of_its_own(self, visitor: Visitor) -> None:
        for path in PAGES:
            page = visitor.get(path).text
            assert re.findall(r"<script(?![^>]*(?:\bsrc=|application/ld\+json))", page) == []
            assert re.findall(r"<style|\sstyle=|\son[a-z]+=|javascript:", page) == []
            assert re.findall(r'(?:src|href|action)="(?:https?:)?//(?!localhost)[^"]*"', page) == []

    def test_only_what_is_there_may_be_kept_for_ever(self, visitor: Visitor) -> None:
        assert "immutable" in visitor.get("/static/css/site.css?v=1").headers["Cache-Control"]
        for path in ("/static/nothing.css?v=1", "/status?v=1", "/static/../wsgi.py?v=1"):
            assert "immutable" not in visitor.get(path).headers["Cache-Control"]


def assert_guarded(answer: TestResponse) -> None:
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] in {"strict-origin-when-cross-origin", "no-referrer"}
    assert "Cache-Control" in answer.headers


NONSENSE = (
    "\0", "a\0b", "\udcff", "\ufffe", "\u202e", "A" * 5000, "' OR 1=1 --", "{{ 1331 * 1331 }}", "%s%n", "{0.__class__}",
    "../../../../etc/passwd", "١٢",
)


def raw(text: str) -> str:
    return quote(text.encode("utf-8", "surrogateescape"), safe="")


@pytest.mark.stocked
class TestNonsense:
    @pytest.mark.parametrize("text", NONSENSE, ids=range(len(NONSENSE)))
    def test_in_an_address_is_no_fault(self, shop: Flask, visitor: Visitor, text: str) -> None:
        for rule in shop.url_map.iter_rules():
            view = shop.view_functions[rule.endpoint]
            access = ACCESS.get(f"{view.__module__}.{view.__name__}")
            if access != "public" or "GET" not in (rule.methods or ()):
                continue
            path = re.sub(r"<[^>]+>", raw(text), rule.rule)
            query = "&".join(f"{name}={raw(text)}" for name in (raw(text), "q", "number", "own", "was.cpu", "cpu", "address"))
            for address in (path, f"{path}?{query}"):
                answer = visitor.client.get(address, headers={"Accept-Language": "zh;q=x", "Range": "bytes=9-1"})
                assert answer.status_code < 500, f"{rule.rule}: {answer.status_code}"
                assert str(1331 * 1331) not in answer.text

    @pytest.mark.parametrize("text", NONSENSE, ids=range(len(NONSENSE)))
    def test_in_every_field_of_a_form_is_no_fault(self, visitor: Visitor, text: str) -> None:
        make_account()
        for path, fields in POSTS:
            filled = [f"{name}={raw(text)}" for name in (*fields, "next", "press", raw(text))]
            for who in (visitor.signed_in(), Visitor(visitor.client.application)):
                who.get("/status")
                form = "&".join([f"csrf_token={who.token}", *filled])
                answer = who.client.post(path, data=form, content_type="application/x-www-form-urlencoded")
                assert answer.status_code < 500, path
                if "\0" in text:
                    assert answer.status_code == 400

    @pytest.mark.parametrize(
        ("body", "kind"),
        [
            (b"\xff\xfe=\x80", "application/x-www-form-urlencoded"), (b"--x\r\n\r\n", "multipart/form-data; boundary=x"),
            (b"", "multipart/form-data"), (b"{}", "application/json"), (b"<x/>", "text/xml"),
            (b"a=b", "application/x-www-form-urlencoded; charset=utf-7"),
        ],
    )
    def test_in_a_body_is_no_fault(self, visitor: Visitor, body: bytes, kind: str) -> None:
        visitor.get("/status")
        for path, _ in POSTS:
            answer = visitor.client.post(path, data=body, content_type=kind, headers={"X-CSRFToken": visitor.token})
            assert answer.status_code < 500, path


class TestSizes:
    @pytest.mark.parametrize("path", ["/status", "/cart/items", "/stripe/webhook", "/api/v1/quotes", "/account/sign-up"])
    def test_a_body_that_is_too_large_is_refused_in_words(self, visitor: Visitor, path: str) -> None:
        visitor.get("/status")
        kind = "application/json" if path.startswith(("/api", "/stripe")) else "application/x-www-form-urlencoded"
        answer = visitor.client.post(path, data=b"a=" + b"x" * 3_000_000, content_type=kind, headers={"X-CSRFToken": visitor.token})
        assert answer.status_code == 413
        assert "too large" in answer.text

    def test_a_form_of_too_many_parts_is_refused(self, visitor: Visitor) -> None:
        parts = b"".join(b'--x\r\nContent-Disposition: form-data; name="a%d"\r\n\r\n1\r\n' % n for n in range(2_100)) + b"--x--\r\n"
        answer = visitor.client.post("/status", data=parts, content_type="multipart/form-data; boundary=x")
        assert answer.status_code == 413

    def test_a_form_of_many_small_fields_is_read_quickly_or_refused(self, visitor: Visitor) -> None:
        visitor.get("/status")
        fields = "&".join([f"csrf_token={visitor.token}", *(f"f{n}=1" for n in range(15_000))])
        answer = visitor.client.post("/status", data=fields, content_type="application/x-www-form-urlencoded")
        assert answer.status_code == 422


@pytest.mark.parametrize(
    "path",
    [
        "/static/../wsgi.py", "/static/%2e%2e/wsgi.py", "/static/..%2f..%2fwsgi.py", "/static/....//wsgi.py", "/static//etc/passwd",
        "/static/%2fetc%2fpasswd", "/static/css/..%5c..%5cwsgi.py", "/static/\\..\\wsgi.py", "/static/css", "/static/",
        "/quotes/..%2f..%2fwsgi.py/quote.pdf", "/orders/x/invoices/..%2f..%2fwsgi.pdf",
    ],
)
def test_no_file_outside_is_read(visitor: Visitor, path: str) -> None:
    answer = visitor.client.get(path)
    assert answer.status_code == 404
    assert "create_app" not in answer.text
    assert "root:" not in answer.text


@pytest.mark.stocked
def test_looking_changes_nothing(shop: Flask) -> None:
    make_account()
    visitor = Visitor(shop).signed_in()
    token = visitor.quote()
    with transaction() as session:
        number = make_order(session, email="ada@example.com").number
    visitor.post("/status", {"number": number, "proof": "ada@example.com"})
    visitor.post(f"/cart/quotes/{token}")
    before = rows()
    values = {"<model_id>": "skein-14", "<token>": token, "<number>": number, "<sku>": "MON-24"}
    for rule in shop.url_map.iter_rules():
        if "GET" not in (rule.methods or ()) or rule.rule.startswith(("/desk", "/static")) or rule.rule.endswith("/paid"):
            continue
        path = rule.rule
        for part, value in values.items():
            path = path.replace(part, value)
        visitor.get(re.sub(r"<[^>]+>", "x", path))
    assert rows() == before


class TestTries:
    @pytest.mark.parametrize(
        ("path", "fields", "most"),
        [
            ("/account/sign-in", {"email": "ada@example.com", "password": "wrong password"}, 20),
            ("/account/forgotten", {"email": "ada@example.com"}, 10),
            ("/account/sign-up", {"name": "Ada", "email": "ada", "password": "x"}, 20),
            ("/status", {"number": "SO-2026-000001", "proof": "78701"}, 15),
            ("/support", {"tag": ""}, 30),
        ],
    )
    def test_are_counted_and_too_many_are_told_so(self, limited: Visitor, path: str, fields: dict[str, str], most: int) -> None:
        limited.get("/status")
        codes = [limited.again(path, fields).status_code for _ in range(most)]
        assert 429 not in codes
        answer = limited.again(path, fields)
        assert answer.status_code == 429
        assert "Too many tries. Please wait a moment and try again." in answer.text
        assert int(answer.headers["Retry-After"]) >= 1
        assert_guarded(answer)

    def test_of_one_order_are_counted_from_all_addresses_and_by_programs_too(self, limited: Visitor) -> None:
        with transaction() as session:
            number = make_order(session).number
        page = limited.get("/status")
        assert page.status_code == 200

        def guess(ip: int, asked: str = number) -> int:
            fields = {"csrf_token": limited.token, "number": f" {asked.lower()}", "proof": f"{10000 + ip}"}
            return limited.client.post("/status", data=fields, environ_base={"REMOTE_ADDR": f"10.0.0.{ip}"}).status_code

        def program(ip: int) -> int:
            where = {"REMOTE_ADDR": f"10.0.1.{ip}"}
            return limited.client.get(f"/api/v1/orders/{number}", headers={"Order-Proof": "10001"}, environ_base=where).status_code

        assert [guess(ip) for ip in range(10)] + [program(ip) for ip in range(10)] == [404] * 20
        assert (guess(99), program(99)) == (429, 429)
        assert guess(99, "SO-2026-777777") == 404
        assert limited.get("/status").status_code == 200

    def test_of_service_tags_by_address_are_counted_too(self, limited: Visitor) -> None:
        assert [limited.get(f"/support/AAAAAA{n % 10}").status_code for n in range(31)].count(429) == 1

    def test_are_told_in_the_readers_language(self, limited: Visitor) -> None:
        limited.get("/language/zh")
        limited.get("/status")
        for _ in range(11):
            answer = limited.again("/account/forgotten", {"email": "ada@example.com"})
        assert answer.status_code == 429
        assert re.search("[\u4e00-\u9fff]", answer.text)


@pytest.mark.parametrize("code", ["xx", "EN", "zh-CN", "..", "zh%00", "<script>", "1" * 500])
def test_an_unknown_language_is_not_taken(visitor: Visitor, code: str) -> None:
    answer = visitor.client.get(f"/language/{quote(code, safe='%')}")
    assert answer.status_code in {303, 400, 404}
    assert "language=" not in str(answer.headers.getlist("Set-Cookie"))
