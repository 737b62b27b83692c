"""Forms of the price desk: a new book, its table, a promotion, a shaping rule."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, DateField, FileField, SelectField
from wtforms.validators import InputRequired, Length, NumberRange, Optional, Regexp

from configurator.language.specification import Text
from configurator.prices.editing import BadPrice, BookFacts, Off, PromotionFacts, ShapingFacts
from configurator.prices.models import Give, Reach
from configurator.prices.terms import HOME_MARKET, Target, clean_code
from fulfillment.kernel.money import EXPONENT, SHOP_CURRENCY, Money
from fulfillment.kernel.web import Form, LineField, WholeNumberField

CODE = Regexp(r"[A-Za-z0-9_-]{1,40}\Z", message=_l("Letters, digits and hyphens, 40 at most."))
ID = Regexp(r"[A-Za-z0-9._-]{0,64}\Z")
MARKET = Regexp(r"([A-Z]{2})?\Z", message=_l("Two capitals, as in US."))
NUMBER = Regexp(r"[0-9]{1,9}([.][0-9]{1,3})?\Z", message=_l("A number, like 15 or 7.5."))
MILLI = 1000
REACHES = {Reach.OPTION: _l("Options"), Reach.MACHINE: _l("The machine"), Reach.ORDER: _l("The order")}
GIFTS = {
    Give.FREE: _l("A free upgrade: it costs what the short one costs"), Give.PERCENT: _l("Percent off"), Give.AMOUNT: _l("An amount off"),
}


def _names(form: NamedForm) -> Text:
    return {"en": form.name_en.data or "", "zh": form.name_zh.data or form.name_en.data or ""}


def _thousandths(text: str | None) -> int | None:
    """A percentage as thousandths of a percent, exactly."""
    if not text:
        return None
    whole, _dot, part = text.partition(".")
    return int(whole) * MILLI + int(part.ljust(3, "0") or "0")


def _amount(text: str | None, currency: str) -> Money | None:
    """An amount. Raises BadPrice for one that is finer than its currency."""
    if not text:
        return None
    try:
        return Money.parse(text, currency)
    except ValueError:
        raise BadPrice("“{price}” is no amount in {currency}.", price=text, currency=currency) from None


class NamedForm(Form):
    """Something with a name in both languages, and days."""

    name_en = LineField(_l("Name in English"), [InputRequired(), Length(max=80)])
    name_zh = LineField(_l("Name in Chinese"), [Length(max=80)])
    currency = SelectField(_l("Currency"), [InputRequired()], default=SHOP_CURRENCY)
    first_day = DateField(_l("First day"), [InputRequired()])

    def __init__(self, *sent: Any, **its: Any) -> None:
        super().__init__(*sent, **its)
        self.currency.choices = [(code, code) for code in sorted(EXPONENT)]


class BookForm(NamedForm):
    """The head of a price book."""

    code = LineField(_l("Code"), [InputRequired(), CODE])
    last_day = DateField(_l("Last day"), [Optional()])
    market = LineField(_l("Market"), [MARKET], description=_l("A country, as in %(example)s; empty: all.", example=HOME_MARKET))
    customer_group = LineField(_l("Customer group"), [ID], description=_l("Empty: everyone."))
    tax = LineField(_l("Tax in the prices, percent"), [Optional(), NUMBER], description=_l("Empty: the prices are without tax."))

    def facts(self) -> BookFacts:
        """The book as it was entered."""
        assert self.first_day.data is not None
        return BookFacts(
            code=self.code.data or "", name=_names(self), currency=self.currency.data, first_day=self.first_day.data,
            last_day=self.last_day.data, market=self.market.data or "", customer_group=self.customer_group.data or "",
            tax_thousandths=_thousandths(self.tax.data),
        )


class SheetForm(Form):
    """The table of a book."""

    table = FileField(_l("Table (CSV)"), [InputRequired()])


class EndForm(Form):
    """Until when a book holds."""

    last_day = DateField(_l("Last day"), [Optional()])


class TargetForm(Form):
    """What is meant: left empty, everything."""

    model = LineField(_l("Model"), [ID], description=_l("Empty: every model."))
    group = LineField(_l("Group"), [ID], description=_l("Empty: every group."))


class PromotionForm(NamedForm, TargetForm):
    """Something off, for a time."""

    code = LineField(_l("Code"), [Length(max=40)], description=_l("Empty: it holds by itself."))
    reach = SelectField(_l("Off what"), [InputRequired()])
    option = LineField(_l("Option"), [ID], description=_l("Empty: every option."))
    percent = LineField(_l("Percent off"), [Optional(), NUMBER])
    amount = LineField(_l("Or an amount off"), [Optional(), NUMBER])
    last_day = DateField(_l("Last day"), [InputRequired()])
    market = LineField(_l("Market"), [MARKET])
    customer_group = LineField(_l("Customer group"), [ID], description=_l("Empty: everyone."))
    stackable = BooleanField(_l("Goes together with others that do"))
    priority = WholeNumberField(_l("Priority"), [Optional(), NumberRange(0, 1000)], description=_l("The higher goes first."))
    most_uses = WholeNumberField(_l("Most orders"), [Optional(), NumberRange(1, 1_000_000)])
    most_per_customer = WholeNumberField(_l("Most orders of one customer"), [Optional(), NumberRange(1, 1000)])
    budget = LineField(_l("Most to give away"), [Optional(), NUMBER])

    def __init__(self, *sent: Any, **its: Any) -> None:
        super().__init__(*sent, **its)
        self.reach.choices = [(reach.value, name) for reach, name in REACHES.items()]

    def facts(self) -> PromotionFacts:
        """The promotion as it was entered. Raises BadPrice."""
        assert self.first_day.data is not None
        assert self.last_day.data is not None
        currency = self.currency.data
        target = Target(self.model.data or "", self.group.data or "", self.option.data or "")
        return PromotionFacts(
            name=_names(self), reach=Reach(self.reach.data), currency=currency, code=clean_code(self.code.data or ""),
            off=Off(_thousandths(self.percent.data), _amount(self.amount.data, currency)), first_day=self.first_day.data,
            last_day=self.last_day.data, targets=() if target == Target() else (target,), stackable=bool(self.stackable.data),
            priority=self.priority.data or 0, market=self.market.data or "", customer_group=self.customer_group.data or "",
            most_uses=self.most_uses.data, most_per_customer=self.most_per_customer.data, budget=_amount(self.budget.data, currency),
        )


class ShapingForm(NamedForm, TargetForm):
    """A rule that offers what is there for what is short."""

    code = LineField(_l("Code"), [InputRequired(), CODE])
    last_day = DateField(_l("Last day"), [Optional()])
    min_days = WholeNumberField(_l("Short is what takes more days than"), [InputRequired(), NumberRange(1, 365)], default=7)
    give = SelectField(_l("What is given"), [InputRequired()])
    value = LineField(_l("How much"), [Optional(), NUMBER], description=_l("Percent, or an amount; nothing for a free upgrade."))
    margin = LineField(_l("Percent that stays above cost"), [InputRequired(), NUMBER], default="5")

    def __init__(self, *sent: Any, **its: Any) -> None:
        super().__init__(*sent, **its)
        self.give.choices = [(give.value, name) for give, name in GIFTS.items()]

    def facts(self) -> ShapingFacts:
        """The rule as it was entered. Raises BadPrice."""
        assert self.first_day.data is not None
        give, currency = Give(self.give.data), self.currency.data
        off = Off()
        if give is Give.PERCENT:
            off = Off(_thousandths(self.value.data))
        elif give is Give.AMOUNT:
            off = Off(None, _amount(self.value.data, currency))
        return ShapingFacts(
            code=self.code.data or "", name=_names(self), min_days=self.min_days.data or 0, give=give, currency=currency, off=off,
            margin_thousandths=_thousandths(self.margin.data) or 0, first_day=self.first_day.data, last_day=self.last_day.data,
            model=self.model.data or "", group=self.group.data or "",
        )


def whole_percent(thousandths: int) -> str:
    """“7.5”: thousandths of a percent as people write a percentage."""
    whole, part = divmod(thousandths, MILLI)
    return f"{whole}.{part:03}".rstrip("0").rstrip(".")


