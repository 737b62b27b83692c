"""Two languages, whole: no sentence outside the catalogue, none untranslated, none in English on a Chinese page."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from babel.messages.catalog import Catalog, Message
from babel.messages.frontend import CommandLineInterface
from babel.messages.pofile import read_po
from flask import Flask
from flask.testing import FlaskClient
from pypdf import PdfReader
from wtforms import EmailField, SelectField, StringField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than the type stubs
from wtforms.validators import Email, InputRequired, Length, Regexp

from fulfillment.assembly.documents import pick_list, traveller
from fulfillment.assembly.models import WorkOrder
from fulfillment.assembly.service import units_of
from fulfillment.billing.invoicing import invoice_pdf, invoices_of
from fulfillment.kernel import i18n
from fulfillment.kernel.db import reading, transaction
from fulfillment.kernel.errors import translated
from fulfillment.kernel.mail import Mail
from fulfillment.kernel.money import Money
from fulfillment.kernel.refusals import Conflict, NotFound, WrongStatus
from fulfillment.kernel.web import Form, WholeNumberField
from fulfillment.orders.draft import DraftLine
from fulfillment.orders.models import OrderStatus
from fulfillment.purchasing.models import InvoiceStatus, PurchaseOrder
from fulfillment.shipping.documents import packing_slip
from fulfillment.shipping.models import Shipment
from fulfillment.shipping.service import boxes_of
from tests.builders.assembly import bags, laptops
from tests.builders.people import make_account, make_address, sign_in_account, sign_in_staff
from tests.builders.reading import literals_of, texts_of
from tests.builders.walk import walk_order

ROOT = Path(__file__).parent.parent.parent
CATALOGUE = ROOT / "storefront/translations/zh/LC_MESSAGES/messages.po"
TEMPLATES = sorted(
    path for package in ("configurator", "storefront", "premier", "fulfillment") for path in (ROOT / package).rglob("templates/**/*")
    if path.is_file() and "simulator" not in path.parts
)
FROM_NOWHERE = {"desk", "button", "7K2M9QX", "SO-2026-000142", "SO-2026-000141", "Skein 14"}
"""Names of classes that a block or macro gives, and the samples of the style guide."""
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|\{\w+\}|%%")
CHINESE = re.compile("[\u4e00-\u9fff]")

Key = tuple[str | None, str | tuple[str, ...]]


def zh() -> Catalog:
    with CATALOGUE.open("rb") as po:
        return read_po(po, locale="zh")


def messages(catalogue: Iterable[Message]) -> Iterator[tuple[str, str]]:
    """Each sentence with its translation; a plural as two."""
    for message in catalogue:
        if message.id:
            theirs = message.string if isinstance(message.string, str) else (message.string or [""])[0]
            for sentence in [message.id] if isinstance(message.id, str) else message.id:
                yield sentence, theirs


# ── the catalogue ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    """What `make messages` finds, by the command that stands in the Makefile."""
    pot = tmp_path_factory.mktemp("messages") / "messages.pot"
    [line] = [line for line in (ROOT / "Makefile").read_text().splitlines() if "frontend -q extract" in line]
    arguments = shlex.split(line.partition("babel.messages.frontend")[2])
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        command: Any = CommandLineInterface()
        command.run(["pybabel", *(str(pot) if argument.endswith(".pot") else argument for argument in arguments)])
    with pot.open("rb") as made:
        return read_po(made)


def keys(catalogue: Catalog) -> set[Key]:
    return {(message.context, message.id if isinstance(message.id, str) else tuple(message.id)) for message in catalogue if message.id}


def test_the_catalogue_holds_every_sentence_of_the_code_and_no_other(found: Catalog) -> None:
    assert keys(found) - keys(zh()) == set(), "run `make messages` and translate"
    assert keys(zh()) - keys(found) == set(), "run `make messages`"
    assert not zh().obsolete


@pytest.mark.parametrize("sentence", [
    "There is no such order.",  # a plain refusal
    "We have no order with this number and this e-mail address, telephone number or ZIP code.",
    "Unit {tag} stands at the build desk.",  # a table of refusals
    "Card payment does not answer right now. Nothing was charged; please try again in a minute.",  # a constant given to one
    "Some of what was sent cannot be accepted.",  # the default of a subclass
    "All accounts together come to zero in every currency.",  # a check of the books
    "Field cannot be longer than %(max)d character.",  # what WTForms says
])
def test_the_extraction_finds_what_is_not_a_call_of_gettext(found: Catalog, sentence: str) -> None:
    assert found.get(sentence) is not None


def test_the_words_of_the_card_provider_are_its_own(found: Catalog) -> None:
    assert found.get("Your card has insufficient funds.") is None


def test_every_sentence_is_translated_and_none_is_a_guess() -> None:
    assert [sentence for sentence, theirs in messages(zh()) if not theirs.strip()] == []
    assert [message.id for message in zh() if message.id and message.fuzzy] == []


def test_a_translation_keeps_the_placeholders_and_the_ends_of_lines() -> None:
    def parts(text: str) -> Counter[str]:
        return Counter(PLACEHOLDER.findall(text)) + Counter({"\n": text.count("\n")})

    assert [sentence for sentence, theirs in messages(zh()) if parts(sentence) != parts(theirs)] == []


def test_translations_are_written_as_chinese_is() -> None:
    """Full-width marks after Chinese characters, no spaces at the ends that the English does not have."""
    marks = re.compile("[\u4e00-\u9fff][,;:!?.]|[,;:!?] ?[\u4e00-\u9fff]")
    assert [theirs for _sentence, theirs in messages(zh()) if marks.search(theirs)] == []
    assert [theirs for _sentence, theirs in messages(zh()) if theirs.strip(" ") != theirs] == []


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_template_says_nothing_by_itself(template: Path) -> None:
    assert [text for text in literals_of(template.read_text()) if text not in FROM_NOWHERE] == []


def test_a_text_outside_gettext_is_noticed_wherever_it_stands() -> None:
    source = """<h1>Bare words</h1><p class="lead">{{ _("Good") }} {{ 3 }} <b>kg</b></p><img alt="A picture" src="x.png">
    {{ ui.notice("Please look here.", "warn") }}{% if a %}<input placeholder="{{ _('Name') }}" value="en">{% endif %}<code>id</code>"""
    assert literals_of(source) == ["Bare words", "kg", "A picture", "Please look here."]


def test_an_english_sentence_on_a_page_is_noticed_but_not_in_a_passage_marked_as_english() -> None:
    page = '<h1 title="Order status">订单</h1><p>Start over</p><p lang="en">Sign out</p><script>Trial balance</script><br><p>Skein 14</p>'
    assert English().in_page(page) == {"Order status", "Start over"}


# ── pages ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


class English:
    """The sentences of the catalogue that a Chinese reader must not meet."""

    def __init__(self) -> None:
        chunks = {
            chunk.strip(" .,:;") for sentence, theirs in messages(zh()) if sentence != theirs for chunk in PLACEHOLDER.split(sentence)
        }
        self.sentences = {chunk for chunk in chunks if len(re.findall("[A-Za-z’']{2,}", chunk)) >= 2}

    def in_texts(self, texts: Iterable[str]) -> set[str]:
        """Those that stand in a text, whole words only."""
        words = " ".join(texts)
        return {s for s in self.sentences if s in words and re.search(rf"(?<![A-Za-z]){re.escape(s)}(?![A-Za-z])", words)}

    def in_page(self, page: str) -> set[str]:
        return self.in_texts(texts_of(page, "zh-Hans"))


def plain_addresses(app: Flask, *prefixes: str) -> list[str]:
    """Every page that needs nothing but its address."""
    rules = [rule for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ()) and not rule.arguments]
    return sorted(rule.rule for rule in rules if rule.rule.startswith(prefixes) and not rule.rule.endswith((".txt", ".xml", ".pdf")))


def check_pages(client: FlaskClient, addresses: Iterable[str]) -> None:
    english, wrong = English(), {}
    client.set_cookie("language", "zh")
    for address in addresses:
        page = client.get(address, follow_redirects=True)
        assert page.status_code in {200, 404, 422}, address
        if page.mimetype != "text/html":
            continue
        seen = english.in_page(page.text)
        if "<html" in page.text:
            assert '<html lang="zh-Hans"' in page.text, address
        if seen:
            wrong[address] = seen
        assert CHINESE.search(page.text), address
    assert wrong == {}


@pytest.mark.stocked
def test_no_page_of_the_shop_speaks_english_to_a_chinese_reader(app: Flask, client: FlaskClient) -> None:
    client.set_cookie("language", "zh")
    make_account()
    sign_in_account(client)
    chosen = client.post("/configure/skein-14", data={"quantity": "2", "then": "quote"})
    quote = chosen.headers["Location"]
    client.post(quote.replace("/quotes/", "/cart/quotes/"))
    client.post("/cart/items", data={"sku": "MON-24", "quantity": "1"})
    address = {**make_address().to_json(), "company": "Moss & Daughters"}
    client.post("/account/addresses", data=address)
    client.post("/checkout", data={**address, "email": "ada@example.com", "delivery": "express"})

    shop = [rule for rule in plain_addresses(app, "/") if not rule.startswith(("/desk", "/api", "/metrics", "/healthz", "/readyz"))]
    assert {"/", "/cart", "/checkout", "/checkout/review", "/account", "/account/details", "/status", "/support"} <= set(shop)
    models = ("skein-14", "skein-16", "hearth-t", "anvil-w", "rookery-r2")
    check_pages(client, [
        *shop, quote, *(f"/{family}" for family in ("laptops", "desktops", "workstations", "servers")),
        *(f"/products/{model}" for model in models), *(f"/configure/{model}" for model in models),
        "/accessories/MON-24", "/compare?models=skein-14,skein-16,hearth-t", "/search?q=OLED", "/search?q=nothing-like-it",
        "/nothing/here", "/products/unknown", "/quotes/unknown", "/orders/SO-2026-000009", "/support/ZZZZZZ9",
        "/account/new-password/void",
    ])


def stand(app: Flask, *lines: DraftLine, up_to: str, stock: bool = True) -> tuple[str, list[str]]:
    """A Chinese customer's order, brought so far: its number, and the tags of its machines."""
    with app.app_context(), transaction() as session:
        order = walk_order(session, *lines, up_to=up_to, stock=stock, locale="zh")
        return order.number, [unit.tag for unit in units_of(session, order.number)]


def test_no_step_of_an_order_is_told_in_english(app: Flask, client: FlaskClient) -> None:
    for step in ("booked", "paid", "released", "built", "shipped", "delivered"):
        number, tags = stand(app, laptops(), bags(), up_to=step, stock=step != "released")
        answer = client.post("/status", data={"number": number, "proof": "97209"})
        assert answer.status_code == 303, answer.text
        check_pages(client, [answer.headers["Location"], *(f"/support/{tag}" for tag in tags)])


def test_no_desk_speaks_english_to_a_chinese_operator(app: Flask, client: FlaskClient) -> None:
    sign_in_staff(client)
    stands = {step: stand(app, laptops(), bags(), up_to=step) for step in ("released", "kitted", "built", "tested", "boxed", "delivered")}
    waiting, _tags = stand(app, laptops(9), up_to="released", stock=False)
    unpaid, _tags = stand(app, up_to="booked")
    with reading() as session:
        bought = session.scalars(sa.select(PurchaseOrder.number)).first()
    stations = {"released": "kitting", "kitted": "build", "built": "test", "tested": "boxing"}
    units = [f"/desk/{desk}/{stands[step][1][0]}" for step, desk in stations.items()]
    elsewhere = [f"/desk/{desk}/{stands['delivered'][1][0]}" for desk in stations.values()]
    check_pages(client, [rule for rule in plain_addresses(app, "/desk") if rule != "/desk/sign-out"])
    for address in [*units, *elsewhere, f"/desk/rework/{stands['built'][1][0]}"]:
        assert English().in_page(client.get(address).text) == set(), address
    check_pages(client, [
        *(f"/desk/units/{tags[0]}" for _number, tags in stands.values()),
        *(f"/desk/orders/{number}" for number in (waiting, unpaid, *(number for number, _tags in stands.values()))),
        f"/desk/dispatch/{stands['boxed'][0]}", f"/desk/dispatch/{stands['delivered'][0]}",
        f"/desk/purchasing/{bought}", "/desk/stock/CPU-T8", "/desk/stock?q=nothing",
        "/desk/books/accounts/1403", "/desk/books/entries/1", "/desk/orders?q=nobody",
    ])


def test_a_form_that_is_not_filled_in_says_so_in_chinese(client: FlaskClient) -> None:
    client.set_cookie("language", "zh")
    for address, data in (
        ("/account/sign-in", {"email": "nobody", "password": ""}), ("/account/sign-up", {"name": "", "email": "a@b", "password": "short"}),
        ("/status", {"number": "", "proof": ""}), ("/account/forgotten", {"email": "x"}),
    ):
        page = client.post(address, data=data)
        assert page.status_code == 422, address
        errors = re.findall(r'<p id="[^"]+-error" class="error">.*?<span>(.*?)</span>', page.text, re.DOTALL)
        assert errors, address
        assert [error for error in errors if not CHINESE.search(error)] == [], address


class EveryKind(Form):
    a = StringField(validators=[InputRequired()])
    b = StringField(validators=[Length(max=3)])
    c = StringField(validators=[Length(min=9)])
    d = StringField(validators=[Length(5, 9)])
    e = StringField(validators=[Regexp("x")])
    f = EmailField(validators=[Email()])
    g = SelectField(choices=[SelectChoice("a", "A")])
    h = WholeNumberField()


def test_the_library_of_forms_speaks_from_our_catalogue(app: Flask) -> None:
    with app.test_request_context(headers={"Accept-Language": "zh-CN"}):
        form = EveryKind(_Posted(b="long text", c="short", d="1", e="y", f="nobody", g="z", h="1.5"))
        assert not form.validate()
        said = {field.name: str(field.errors[0]) for field in form}
    assert said == {
        "a": "请填写此项。", "b": "最多 3 个字符。", "c": "至少需要 9 个字符。", "d": "长度须为 5 到 9 个字符。", "e": "填写的内容无效。",
        "f": "请输入有效的电子邮箱地址。", "g": "请选择有效的选项。", "h": "请输入整数。",
    }


class _Posted(dict[str, str]):
    """A form as WTForms reads one."""

    def __init__(self, **fields: str) -> None:
        super().__init__(fields)

    def getlist(self, name: str) -> list[str]:
        return [self[name]] if name in self else []


# ── figures, days, letters, papers ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("language", "written"), [
    ("en", ["$1,299.00", "-$0.05", "Nov 25, 2026", "November 25, 2026", "1,234,567", "Nov 25, 2026, 3:04:05\u202fPM"]),
    ("zh", ["US$1,299.00", "-US$0.05", "2026年11月25日", "2026年11月25日", "1,234,567", "2026年11月25日 15:04:05"]),
])
def test_money_days_and_numbers_are_written_as_the_reader_writes_them(app: Flask, language: str, written: list[str]) -> None:
    with app.test_request_context(headers={"Accept-Language": language}):
        assert [
            i18n.money(Money(129_900)), i18n.money(Money(-5)), i18n.day(date(2026, 11, 25)), i18n.day(date(2026, 11, 25), "long"),
            i18n.number(1_234_567), i18n.moment(datetime(2026, 11, 25, 15, 4, 5, tzinfo=UTC)),
        ] == written


def test_a_refusal_writes_its_values_as_the_reader_does(app: Flask) -> None:
    states = WrongStatus("Order {number} is {status}, so it cannot become {wanted}.", number="SO-1", status=OrderStatus.IN_PRODUCTION,
                         wanted=OrderStatus.CANCELLED)
    booked = WrongStatus("Invoice {number} is {status}, not held.", number="SI-1", status=InvoiceStatus.BOOKED)
    left = Conflict("Only {left} of this payment is left to refund.", left=Money(1_250))
    named = NotFound("The {model} does not have one of these choices.", model={"en": "Hearth T", "zh": "云雀 Hearth T"})
    closed = Conflict("The books are closed up to {before} already.", before=date(2026, 10, 31))
    assert [str(refusal) for refusal in (booked, left, named)] == [
        "Invoice SI-1 is booked, not held.", "Only 12.50 USD of this payment is left to refund.",
        "The Hearth T does not have one of these choices.",
    ]
    with app.test_request_context(headers={"Accept-Language": "en"}):
        assert translated(states) == "Order SO-1 is in production, so it cannot become cancelled."
        assert translated(closed) == "The books are closed up to Oct 31, 2026 already."
    with app.test_request_context(headers={"Accept-Language": "zh"}):
        assert [translated(refusal) for refusal in (states, booked, left, named, closed)] == [
            "订单 SO-1 的状态为“生产中”，不能变为“已取消”。", "发票 SI-1 的状态为“已入账”，并未暂缓。", "这笔付款最多还可退 US$12.50。",
            "云雀 Hearth T 没有其中某个选项。", "账簿已结账至 2026年10月31日。",
        ]


@pytest.mark.parametrize(("browser", "cookie", "language"), [
    ("", "", "en"), ("zh-CN,zh;q=0.9,en;q=0.5", "", "zh-Hans"), ("fr", "", "en"), ("zh-CN", "en", "en"), ("en-GB", "zh", "zh-Hans"),
    ("zh", "xx", "zh-Hans"), ("zh-Hans-CN", "", "zh-Hans"), ("zh-TW", "", "zh-Hans"),
])
def test_the_cookie_decides_before_the_browser(client: FlaskClient, browser: str, cookie: str, language: str) -> None:
    if cookie:
        client.set_cookie("language", cookie)
    assert f'<html lang="{language}"' in client.get("/status", headers={"Accept-Language": browser}).text


def test_the_letters_of_an_order_are_in_its_language(app: Flask) -> None:
    with app.app_context(), transaction() as session:
        order = walk_order(session, laptops(), bags(), locale="zh", stock=True)
        letters = list(session.scalars(sa.select(Mail).filter_by(to=order.email).order_by(Mail.at, Mail.id)))
    subjects = [letter.subject.replace(order.number, "…") for letter in letters]
    assert subjects == ["您的订单 … 已确认", "您的订单 … 已发货", "您的订单 … 已送达"]
    for letter in letters:
        assert English().in_texts([letter.subject, letter.text, *texts_of(letter.html or "")]) == set(), letter.subject
        assert "Ada Moss，您好：" in letter.text


def text_of(pdf: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(BytesIO(pdf)).pages)


def test_the_papers_of_an_order_are_in_its_language(app: Flask) -> None:
    with app.app_context(), transaction() as session:
        order = walk_order(session, laptops(), locale="zh", stock=True)
        [invoice] = invoices_of(session, order.number)
        shipment = session.scalars(sa.select(Shipment).filter_by(order_number=order.number)).one()
        unit = session.scalars(sa.select(WorkOrder).filter_by(order_number=order.number)).one()
        papers = {
            "发票": invoice_pdf(session, invoice.number),
            "装箱单": packing_slip(shipment, boxes_of(session, shipment), language=order.locale),
            "随工单": traveller(unit, language="zh"),
            "拣料单": pick_list([unit], language="zh"),
        }
    for title, pdf in papers.items():
        text = text_of(pdf)
        assert title in text
        assert English().in_texts([text]) == set(), title


@pytest.mark.stocked
def test_a_quote_is_written_in_the_language_it_was_asked_for_in(client: FlaskClient) -> None:
    client.set_cookie("language", "zh")
    quote = client.post("/configure/rookery-r2", data={"quantity": "1", "then": "quote"}).headers["Location"]
    client.post(f"{quote}/send", data={"email": "ada@example.com"})
    text = text_of(client.get(f"{quote}/quote.pdf").data)
    assert "报价单" in text
    assert English().in_texts([text]) == set()
    with reading() as session:
        [letter] = session.scalars(sa.select(Mail).order_by(Mail.id))
    assert letter.subject.startswith("您的云雀工坊报价单 Q-")
    assert English().in_texts([letter.subject, letter.text]) == set()
