"""Price lists: which rule wins, what comes off, and that no cent is lost; checked against a slow, plain reference."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from configurator.language.specification import Model, Visibility
from configurator.prices.discounts import Discount, after, best, dearest_before, takes_off
from configurator.prices.lists import Book, Entry, NoPrice, PriceList, price_list
from configurator.prices.reckoning import bill
from configurator.prices.terms import ContractRule, Target, Terms, clean_code, hidden_options
from fulfillment.kernel.money import Money, total
from tests.builders.machines import make_group, make_model, make_option, text

DAY = dt.date(2026, 11, 25)
EARLY, LATE = dt.date(2026, 1, 1), dt.date(2026, 11, 1)
TERMS = Terms(day=DAY)
CPU = ("cpu", "c16")
BASE = ("base", "BSE-TEST")


def model() -> Model:
    cpu = make_group("cpu", make_option("c8", 0, sku="CPU-8"), make_option("c16", 20_000, sku="CPU-16"))
    memory = make_group("memory", make_option("m32", 10_000, sku="DIMM", qty=2), make_option("m64", 19_000, sku="DIMM", qty=4))
    return make_model([cpu, memory, make_group("case", make_option("plain"), make_option("red", -500, sku="CASE-R"))])


MODEL = model()


def entry(
    minor: int, group: str = "cpu", option: str = "c16", *, at: int = 1, since: dt.date = EARLY, until: dt.date | None = None,
) -> Entry:
    return Entry(minor, Target("test-box", group, option), at, since, until)


def part(minor: int, sku: str = "DIMM", *, at: int = 1) -> Entry:
    return Entry(minor, Target(sku=sku), at, EARLY)


def book(*entries: Entry, code: str = "B", since: dt.date = EARLY, market: str = "", customers: str = "", currency: str = "USD") -> Book:
    return Book(code, text(code), currency, since, None, market, customers, None, entries)


def off(percent: int = 0, *, amount: int | None = None, scope: str = "option", **its: object) -> Discount:
    made = Discount("1", text("off"), scope, percent * 1000, None if amount is None else Money(amount))  # type: ignore[arg-type]
    return replace(made, **its)  # type: ignore[arg-type]


def prices(*books: Book, terms: Terms = TERMS, discounts: Sequence[Discount] = ()) -> PriceList:
    return price_list(MODEL, terms, books, discounts)


def won(found: PriceList, key: tuple[str, str] = CPU) -> tuple[int, str, str]:
    rule = found.priced[key].rules[0]
    return found.priced[key].price.minor, rule.kind, rule.id


def test_without_a_book_the_model_s_own_price_holds() -> None:
    found = prices()
    assert won(found) == (20_000, "model", "")
    assert won(found, BASE) == (50_000, "model", "")
    assert found.is_own


def test_a_bundle_is_priced_again_by_a_book_like_any_option() -> None:
    """A price rule of the model is a group that is no question to the customer: its price is what the bundle gives."""
    bundle = replace(make_group("bundle", make_option("off"), make_option("on", -3_000)), hidden=True)
    made = make_model([make_group("cpu", make_option("c8"), make_option("c16", 20_000)), bundle])
    chosen = {"cpu": ("c16",), "bundle": ("on",)}
    assert bill(price_list(made, TERMS, [], []), made, chosen, 1).unit == Money(67_000)
    dearer = book(entry(-1_000, "bundle", "on"), code="LESS")
    found = price_list(made, TERMS, [dearer], [off(50)])
    assert found.priced["bundle", "on"].price == Money(-1_000)
    assert bill(found, made, chosen, 1).unit == Money(25_000 + 10_000 - 1_000)


def test_the_nearest_book_wins_and_the_list_price_is_kept() -> None:
    books = (
        book(entry(18_000), code="LIST"), book(entry(17_000), code="US", market="US"), book(entry(16_000), code="GOLD", customers="gold"),
        book(entry(1), code="CN", market="CN"), book(entry(2), code="SILVER", customers="silver"),
        book(entry(3), code="EUR", currency="EUR"),
    )
    assert won(prices(*books[:1])) == (18_000, "list", "LIST")
    assert won(prices(*books)) == (17_000, "market", "US")
    gold = prices(*books, terms=replace(TERMS, customer_group="gold"))
    assert won(gold) == (16_000, "group", "GOLD")
    assert gold.priced[CPU].list == Money(18_000)
    assert gold.priced[CPU].rules[0].name == text("GOLD")
    assert not gold.is_own


def test_the_agreement_beats_every_book() -> None:
    gold = book(entry(16_000), code="GOLD", customers="gold")
    agreed = ContractRule((("en", "Frame 7"),), Target("test-box", "cpu"), off=10_000)
    terms = replace(TERMS, customer_group="gold", contract=(agreed,))
    assert won(prices(gold, terms=terms))[:2] == (14_400, "agreement")
    closer = ContractRule((("en", "Frame 7"),), Target(sku="CPU-16"), price=Money(15_555))
    assert won(prices(gold, terms=replace(terms, contract=(agreed, closer))))[0] == 15_555
    assert prices(gold, terms=terms).priced[CPU].list == Money(20_000)


def test_a_tier_of_the_agreement_counts_what_was_bought_before_and_now() -> None:
    steps = ((0, 5), (100, 8), (500, 12))
    tiers = tuple(ContractRule((("en", "Tiers"),), off=percent * 1000, from_units=units) for units, percent in steps)
    at = [(0, 1), (90, 9), (90, 10), (499, 1), (0, 600)]
    found = [won(prices(terms=replace(TERMS, contract=tiers, volume=volume, quantity=quantity)))[0] for volume, quantity in at]
    assert found == [19_000, 19_000, 18_400, 17_600, 17_600]


def test_the_book_that_became_valid_last_wins_as_a_whole() -> None:
    old, new = book(entry(18_000, at=10), code="OLD"), book(entry(19_000), code="NEW", since=LATE)
    assert won(prices(old, new, terms=replace(TERMS, quantity=10))) == (19_000, "list", "NEW")
    assert won(prices(old, new, terms=replace(TERMS, quantity=10, day=LATE - dt.timedelta(days=1)))) == (18_000, "list", "OLD")
    assert won(prices(book(entry(18_000, until=LATE)))) == (20_000, "model", "")


def test_the_largest_quantity_reached_sets_the_price_and_pieces_count_for_parts() -> None:
    breaks = book(entry(18_000, at=5), entry(17_000, at=10), part(4_000), part(3_500, at=20))
    found = [won(prices(breaks, terms=replace(TERMS, quantity=quantity)))[0] for quantity in (1, 4, 5, 9, 10)]
    assert found == [20_000, 20_000, 18_000, 18_000, 17_000]
    five = prices(breaks, terms=replace(TERMS, quantity=5))
    assert five.priced["memory", "m32"].price == Money(8_000)
    assert five.priced["memory", "m64"].price == Money(14_000)
    assert five.priced["memory", "m64"].rules[0].from_quantity == 20
    assert five.priced[CPU].list == Money(20_000)


def test_prices_with_tax_are_taken_net_once_each() -> None:
    gross = replace(book(entry(11_900), part(3_333), currency="USD"), tax_thousandths=19_000)
    assert prices(gross).priced[CPU].price == Money(10_000)
    assert prices(gross).priced["memory", "m32"].price == Money(5_602)


def test_another_currency_needs_a_price_for_everything_that_is_not_free() -> None:
    euro = replace(TERMS, currency="EUR")
    with pytest.raises(NoPrice, match="no price in EUR"):
        prices(book(entry(1)), terms=euro)
    whole = book(
        entry(45_000, *BASE), entry(18_000), part(4_500), entry(-450, "case", "red"), currency="EUR",
    )
    found = prices(whole, book(entry(1)), terms=euro)
    assert {priced.price.currency for priced in found.priced.values()} == {"EUR"}
    assert found.priced["cpu", "c8"].price == Money(0, "EUR")


def test_promotions_come_off_options_and_never_make_less_than_nothing() -> None:
    found = prices(discounts=[off(15, targets=(Target(group="cpu"),))])
    assert found.priced[CPU].price == Money(17_000)
    assert [rule.kind for rule in found.priced[CPU].rules] == ["model", "promotion"]
    assert found.priced["memory", "m32"].price == Money(10_000)
    assert prices(discounts=[off(amount=99_999)]).priced[CPU].price == Money(0)
    assert prices(discounts=[off(50)]).priced["case", "red"].price == Money(-500)


def test_one_that_does_not_stack_is_alone_where_it_is_the_strongest() -> None:
    strong, weak = off(10, id="a", priority=5), off(20, id="b", stackable=True)
    other = off(30, id="c", stackable=True)
    assert best([weak, strong, other], "option") == (strong,)
    assert best([weak, replace(strong, priority=0, id="z"), other], "option") == (weak, other)
    assert after(Money(10_000), (weak, other)) == Money(5_600)


@pytest.mark.parametrize(
    "wrong",
    [
        {"first_day": DAY + dt.timedelta(days=1)}, {"last_day": DAY - dt.timedelta(days=1)}, {"market": "CN"}, {"customer_group": "gold"},
        {"used_up": True}, {"code": "OTHER"}, {"targets": (Target("another-box"),)}, {"amount": Money(500, "EUR")},
    ],
)
def test_a_promotion_for_others_takes_nothing_off(wrong: dict[str, object]) -> None:
    assert prices(discounts=[replace(off(10), **wrong)]).is_own  # type: ignore[arg-type]


def test_codes_are_read_as_they_were_meant() -> None:
    assert Terms(codes=(" ten off", "TENOFF", "")).on(DAY).codes == ("TENOFF",)
    assert clean_code("x" * 99) == "X" * 40


def test_an_option_is_hidden_from_whom_it_is_not_for() -> None:
    soon = Visibility(first_day=DAY + dt.timedelta(days=1))
    here, gold = Visibility(markets=frozenset({"CN"})), Visibility(customer_groups=frozenset({"gold"}))
    options = [replace(make_option(name), visibility=seen) for name, seen in (("s", soon), ("h", here), ("g", gold))]
    made = make_model([make_group("cpu", make_option("c8"), *options)])
    assert hidden_options(made, TERMS) == {("cpu", "s"), ("cpu", "h"), ("cpu", "g")}
    assert hidden_options(made, replace(TERMS, market="CN", customer_group="gold")) == {("cpu", "s")}
    assert hidden_options(made, replace(TERMS, day=DAY + dt.timedelta(days=1))) == {("cpu", "h"), ("cpu", "g")}


CHOSEN = {"cpu": ("c16",), "memory": ("m32",), "case": ("plain",)}


def test_a_discount_on_the_order_is_shared_between_machines_to_the_cent() -> None:
    found = bill(prices(discounts=[off(amount=10_000, scope="order")]), MODEL, CHOSEN, 3)
    assert [(lot.quantity, lot.unit_price.minor) for lot in found.lots] == [(1, 76_666), (2, 76_667)]
    assert found.total == Money(3 * 80_000 - 10_000)
    assert found.quantity_bound
    one = bill(prices(), MODEL, CHOSEN, 3)
    assert [(lot.quantity, lot.unit_price.minor) for lot in one.lots] == [(3, 80_000)]
    assert not one.quantity_bound


def test_a_discount_of_more_than_the_machine_is_told() -> None:
    found = bill(prices(discounts=[off(amount=90_000, scope="machine")]), MODEL, CHOSEN, 1)
    assert [discount.id for discount in found.excessive] == ["1"]
    assert found.unit == Money(0)


at_leisure = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""However busy the machine is."""
amounts = st.integers(1, 2_000_000)
shares = st.builds(
    lambda percent, amount, by_share, number: off(
        percent if by_share else 0, amount=None if by_share else amount, scope="order", stackable=True, id=f"{number:03}"
    ),
    st.integers(0, 100), amounts, st.booleans(), st.integers(0, 999),
)


@at_leisure
@given(st.lists(shares, max_size=4), st.integers(1, 99))
def test_whatever_comes_off_no_cent_is_lost(discounts: list[Discount], quantity: int) -> None:
    found = bill(prices(discounts=discounts), MODEL, CHOSEN, quantity)
    assert total(lot.unit_price * lot.quantity for lot in found.lots) == found.total
    assert sum(lot.quantity for lot in found.lots) == quantity
    assert found.total.minor >= 0
    for lot in found.lots:
        assert lot.unit_price == found.unit - total(amount for _, amount in lot.order_off)


@at_leisure
@given(st.lists(shares, max_size=4), st.integers(0, 10**7), st.integers(0, 10**7))
def test_what_costs_more_before_costs_no_less_after(discounts: list[Discount], one: int, other: int) -> None:
    low, high = sorted((one, other))
    assert after(Money(low), discounts) <= after(Money(high), discounts)
    taken = takes_off(Money(high), discounts)
    assert Money(high) - total(amount for _, amount in taken) == after(Money(high), discounts)


@at_leisure
@given(st.lists(shares, max_size=3), st.integers(0, 10**6))
def test_a_budget_is_turned_into_the_highest_price_that_fits_it(discounts: list[Discount], limit: int) -> None:
    highest = dearest_before(Money(limit), discounts)
    assert after(highest, discounts) <= Money(limit)
    assert highest.minor > 10**11 or Money(limit) < after(highest + Money(1), discounts)


def slow(books: Sequence[Book], terms: Terms, key: tuple[str, str], own: int, pieces: dict[str, int]) -> tuple[int, str]:
    """The rules of the price list once more, said plainly: try the books from strong to weak, and in each every entry."""
    assert terms.day is not None
    ranks = []
    for one in books:
        fits = one.currency == "USD" and one.market in {"", terms.market} and one.customer_group in {"", terms.customer_group}
        if fits and one.first_day <= terms.day:
            ranks.append(((2 if one.customer_group else 1 if one.market else 0, one.first_day, one.code), one))
    for _rank, one in sorted(ranks, key=lambda pair: pair[0], reverse=True):
        about = [e for e in one.entries if (e.target.group, e.target.option) == key and alive(e, terms)]
        named = [e for e in about if e.from_quantity <= terms.quantity]
        if named:
            return max(named, key=lambda e: (e.from_quantity, e.first_day)).minor, one.code
        sums = []
        for sku, count in pieces.items():
            fitting = [e for e in one.entries if e.target.sku == sku and e.from_quantity <= count * terms.quantity and alive(e, terms)]
            sums.append(max(fitting, key=lambda e: (e.from_quantity, e.first_day)).minor * count if fitting else None)
        if pieces and all(minor is not None for minor in sums):
            return sum(minor or 0 for minor in sums), one.code
    return own, ""


def alive(found: Entry, terms: Terms) -> bool:
    assert terms.day is not None
    return found.first_day <= terms.day <= (found.last_day or terms.day)


TARGETS = [*(Target("test-box", *key) for key in (CPU, ("memory", "m64"), BASE)), Target(sku="DIMM"), Target(sku="CPU-16")]
days = st.sampled_from([EARLY, LATE, DAY, DAY + dt.timedelta(days=1)])
random_entries = st.builds(
    Entry, st.integers(0, 10**6), st.sampled_from(TARGETS), st.sampled_from([1, 2, 5, 10, 20]), days, st.none() | days,
)


def random_book(number: int, drawn: tuple[list[Entry], dt.date, str, str, str]) -> Book:
    written, since, market, customers, currency = drawn
    placed = {(e.target, e.from_quantity, e.first_day): e for e in written}  # the database keeps one of each place
    return Book(f"B{number}", text("b"), currency, since, None, market, customers, None, tuple(placed.values()))


random_books = st.lists(
    st.tuples(
        st.lists(random_entries, max_size=8), days, st.sampled_from(["", "US", "CN"]), st.sampled_from(["", "gold"]),
        st.sampled_from(["USD", "USD", "EUR"]),
    ),
    max_size=5,
).map(lambda drawn: [random_book(number, one) for number, one in enumerate(drawn)])


@at_leisure
@given(random_books, st.integers(1, 12), st.sampled_from(["", "gold"]), st.randoms(use_true_random=False))
def test_the_price_list_says_what_a_slow_reading_of_the_rules_says(books, quantity, customers, chance) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    terms = replace(TERMS, quantity=quantity, customer_group=customers)
    shuffled = list(books)
    chance.shuffle(shuffled)
    found = price_list(MODEL, terms, shuffled, [])
    memory = {("memory", "m64"): {"DIMM": 4}, ("memory", "m32"): {"DIMM": 2}}
    pieces: dict[tuple[str, str], dict[str, int]] = {CPU: {"CPU-16": 1}, **memory, BASE: {"BSE-TEST": 1}, ("case", "plain"): {}}
    own = {CPU: 20_000, ("memory", "m64"): 19_000, ("memory", "m32"): 10_000, BASE: 50_000, ("case", "plain"): 0}
    for key, parts in pieces.items():
        assert won(found, key)[::2] == slow(books, terms, key, own[key], parts), key


def test_every_order_of_books_gives_the_same_list() -> None:
    books = [book(entry(1_000 + number), code=f"B{number}", since=EARLY if number % 2 else LATE) for number in range(4)]
    assert {won(prices(*order)) for order in itertools.permutations(books)} == {(1_002, "list", "B2")}
