"""What is to be said about the promotion codes a customer entered. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from configurator.language.specification import Model
from configurator.prices.discounts import Discount
from configurator.prices.reckoning import Bill
from configurator.prices.terms import Terms
from fulfillment.kernel.refusals import Refusal


class BadCode(Refusal):
    """A promotion code that takes nothing off."""


class IdleCode(BadCode):
    """The code is good, but not for what is chosen now: no reason to refuse a quote."""


def problems(discounts: Sequence[Discount], terms: Terms, model: Model, reckoned: Bill) -> tuple[BadCode, ...]:
    """Say of every code that does not work why; a code of another customer group is as unknown as one that is not there."""
    by_code = {discount.code: discount for discount in discounts if discount.code}
    at_work = {discount.code for discount, _ in (*reckoned.options_off, *reckoned.machine_off, *reckoned.order_off)}
    found = [problem(by_code.get(code), code, terms, model) for code in terms.codes if code not in at_work]
    too_much = [
        BadCode("The code {code} takes off more than this machine costs.", code=discount.code)
        for discount in reckoned.excessive if discount.code
    ]
    return (*found, *too_much)


def problem(discount: Discount | None, code: str, terms: Terms, model: Model) -> BadCode:
    """Why a code takes nothing off."""
    if discount is None or not discount.is_meant_for(terms):
        return BadCode("We do not know the code {code}. Please check how it is written.", code=code)
    if discount.is_for(terms, model.id):
        return IdleCode("The code {code} takes nothing off what is chosen here.", code=code)
    return _out_of_time(discount, terms) or _unfit(discount, terms, model)


def _out_of_time(discount: Discount, terms: Terms) -> BadCode | None:
    """Why a code is not good today, whatever is chosen."""
    assert terms.day is not None
    if discount.last_day is not None and discount.last_day < terms.day:
        return BadCode("The code {code} was valid until {day}.", code=discount.code, day=discount.last_day)
    if discount.first_day is not None and discount.first_day > terms.day:
        return BadCode("The code {code} is valid from {day} on.", code=discount.code, day=discount.first_day)
    return BadCode("The code {code} has been used up.", code=discount.code) if discount.used_up else None


def _unfit(discount: Discount, terms: Terms, model: Model) -> BadCode:
    if discount.amount is not None and discount.amount.currency != terms.currency:
        return BadCode("The code {code} is not for prices in {currency}.", code=discount.code, currency=terms.currency)
    return BadCode("The code {code} is not for the {model}.", code=discount.code, model=model.name)
