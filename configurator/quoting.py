"""The rows of a quote: what was chosen, in words, with every price, the rule that made it, and the parts behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from configurator.bom import explode
from configurator.language.specification import Model
from configurator.models import Quote, QuoteLine
from configurator.prices.lists import Priced, PriceList
from configurator.prices.reckoning import Bill, Lot, Off
from configurator.prices.terms import BASE, Terms
from configurator.releasing import Released
from fulfillment.kernel.ids import new_id

Configuration = Mapping[str, tuple[str, ...]]


def bom_json(model: Model, configuration: Configuration) -> list[dict[str, object]]:
    """The bill of materials as quotes and orders keep it; costs in minor units, weights in grams, per piece.

    The first of it, the bare machine, says how many working days the whole takes once its parts are there, and before
    how many days from now it is not begun whatever parts there are.
    """
    entries: list[dict[str, object]] = [
        {
            "sku": line.sku,
            "name": dict(line.name),
            "qty": line.qty,
            "group": line.group,
            "kind": line.kind,
            "serialised": line.serialised,
            "stocked": line.kind == "hardware",
            "cost_minor": line.cost.minor,
            "weight_g": line.weight_g,
        }
        for line in explode(model, configuration)
    ]
    entries[0]["build_days"] = model.build_days
    waits = [model.by_id[group].by_id[option].not_before_days for group, options in configuration.items() for option in options]
    if max(waits, default=0):
        entries[0]["not_before_days"] = max(waits)
    return entries


def write_quote(
    *, number: str, token: str, account_id: UUID | None, locale: str, terms: Terms, bill: Bill, issued_at: datetime, valid_until: date,
) -> Quote:
    """A quote without its lines."""
    used = {discount.id: discount for discount, _amount in (*bill.options_off, *bill.machine_off, *bill.order_off)}
    return Quote(
        id=new_id(), number=number, token=token, account_id=account_id, locale=locale, currency=bill.total.currency,
        total_minor=bill.total.minor, issued_at=issued_at, valid_until=valid_until, terms=_terms_json(terms),
        promotions=[{"id": each.id, "code": each.code, "name": dict(each.name), "reach": each.scope} for each in used.values()],
    )


def _terms_json(terms: Terms) -> dict[str, Any]:
    return {
        "customer_group": terms.customer_group, "market": terms.market, "currency": terms.currency, "quantity": terms.quantity,
        "day": terms.day.isoformat() if terms.day else "", "codes": list(terms.codes),
    }


def write_lines(asked: Released, prices: PriceList, bill: Bill, configuration: Configuration, ready: Sequence[date]) -> list[QuoteLine]:
    """A line for every lot: one, but where a discount on the order does not come out even."""
    model = asked.model
    parts = explode(model, configuration)
    return [
        QuoteLine(
            position=position,
            release_id=asked.id,
            model_id=model.id,
            name=dict(model.name),
            picture=model.picture,
            choices={group: list(options) for group, options in configuration.items()},
            options=_in_words(model, prices, configuration),
            bom=bom_json(model, configuration),
            quantity=lot.quantity,
            unit_price_minor=lot.unit_price.minor,
            currency=lot.unit_price.currency,
            weight_g=sum(line.weight_g * line.qty for line in parts),
            ready_on=leaves,
            pricing=_pricing(model, prices, bill, lot),
        )
        for position, (lot, leaves) in enumerate(zip(bill.lots, ready, strict=True), 1)
    ]


def _in_words(model: Model, prices: PriceList, configuration: Configuration) -> list[dict[str, object]]:
    """The chosen options; what is no question to the customer only where it has a price."""
    return [
        {"group": dict(group.name), "option": dict(option.name), **_price_json(priced)}
        for group in model.groups
        for option in group.options
        if option.id in configuration[group.id]
        and ((priced := prices.priced[group.id, option.id]).price or not (group.hidden or option.absent))
    ]


def _price_json(priced: Priced) -> dict[str, object]:
    return {"price_minor": priced.price.minor, "list_minor": priced.list.minor, "rules": [rule.to_json() for rule in priced.rules]}


def _pricing(model: Model, prices: PriceList, bill: Bill, lot: Lot) -> dict[str, Any]:
    """How the unit price of a lot comes about."""
    came_off = [("option", bill.options_off), ("machine", bill.machine_off), ("order", lot.order_off)]
    return {
        "base": _price_json(prices.priced[BASE, model.base.sku]),
        "off": [_off_json(kind, off) for kind, offs in came_off for off in offs],
        "quantity_bound": bill.quantity_bound,
    }


def _off_json(kind: str, off: Off) -> dict[str, Any]:
    discount, amount = off
    return {"promotion": discount.id, "name": dict(discount.name), "code": discount.code, "amount_minor": amount.minor, "kind": kind}
