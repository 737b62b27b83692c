"""What the customer reads on the hosted payment page: every cent from the order, nothing from a form.

Pure: an order's figures in, the parameters of the Checkout Session out. The lines shown add up to
the order's total exactly, or there is no page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fulfillment.kernel.money import Money, total

LOCALES = {"en": "en", "zh": "zh"}
WORDS = {
    "delivery": {"en": "Delivery", "zh": "配送"},
    "tax": {"en": "Sales tax", "zh": "销售税"},
    "order": {"en": "Order {number}", "zh": "订单 {number}"},
}


class DoesNotAddUp(ValueError):
    """The lines of an order are not its total: nothing may be charged for it."""


@dataclass(frozen=True, slots=True)
class ShownLine:
    """A line of goods as sold."""

    name: Mapping[str, str]
    quantity: int
    unit: Money
    net: Money


@dataclass(frozen=True, slots=True)
class Bill:
    """What is to be paid, and by whom."""

    order_number: str
    email: str
    locale: str
    lines: Sequence[ShownLine]
    shipping: Money
    tax: Money
    total: Money


def session_request(bill: Bill, *, payment_id: str, success_url: str, cancel_url: str, expires_at: datetime) -> dict[str, Any]:
    """The parameters of the session. Raises DoesNotAddUp.

    `capture_method` is said outright: by default Stripe enters the charge in our balance some time
    after the customer paid, and we could not book it when we hear of it.
    """
    words = {name: text.get(bill.locale) or text["en"] for name, text in WORDS.items()}
    shown = [_line(line, bill.locale) for line in bill.lines]
    shown += [_item(words[name], amount) for name, amount in (("delivery", bill.shipping), ("tax", bill.tax)) if amount]
    adds_up = total((line.net for line in bill.lines), bill.total.currency) + bill.shipping + bill.tax
    if adds_up != bill.total:
        raise DoesNotAddUp(f"order {bill.order_number} costs {bill.total}, but its lines come to {adds_up}")
    metadata = {"order": bill.order_number, "payment": payment_id}
    return {
        "mode": "payment", "ui_mode": "hosted_page", "client_reference_id": bill.order_number, "customer_email": bill.email,
        "locale": LOCALES.get(bill.locale, "auto"), "line_items": shown, "metadata": metadata,
        "payment_intent_data": {
            "capture_method": "automatic", "metadata": metadata, "description": words["order"].format(number=bill.order_number),
        },
        "success_url": success_url, "cancel_url": cancel_url, "expires_at": int(expires_at.timestamp()),
    }


def _line(line: ShownLine, locale: str) -> dict[str, Any]:
    name = line.name.get(locale) or line.name["en"]
    if line.unit * line.quantity == line.net:
        return _item(name, line.unit, line.quantity)
    return _item(f"{line.quantity} × {name}", line.net)  # a discount does not divide evenly: shown as one


def _item(name: str, unit: Money, quantity: int = 1) -> dict[str, Any]:
    price = {"currency": unit.currency.lower(), "unit_amount": unit.minor, "product_data": {"name": name[:250]}}
    return {"price_data": price, "quantity": quantity}
