"""Ordering for programs: quotes and items in, a booked order and the address of its payment page out."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, JsonValue, StringConstraints
from sqlalchemy.orm import Session

from configurator.api import KEY
from configurator.prices.uses import count_uses
from configurator.service import find_quote
from fulfillment.billing.checkout import start_checkout
from fulfillment.customers.address import STATES, Address
from fulfillment.kernel.clock import today
from fulfillment.kernel.db import transaction
from fulfillment.kernel.i18n import current_locale
from fulfillment.kernel.ids import new_id
from fulfillment.kernel.messages import Asked, Email, MaybeText, Text
from fulfillment.kernel.once import once
from fulfillment.kernel.openapi import Api, Fault, Refused, absolute, at, in_words, pointer
from fulfillment.kernel.refusals import NotFound, WrongStatus
from fulfillment.orders.draft import MOST_LINES, MOST_UNITS, OrderDraft
from fulfillment.orders.models import OrderStatus
from fulfillment.orders.service import book_order, get_order
from fulfillment.parts.service import parts_by_sku
from storefront.cart.service import QuoteExpired, ShownLine
from storefront.checkout.drafting import EmptyCart, lines_of
from storefront.status.api import figures
from storefront.status.messages import OrderFigures

api = Api("checkout_api", __name__, tag="Orders")
bp = api.bp

MUST_KEY = replace(KEY, required=True)


class AddressRequest(Asked):
    """An address in the United States."""

    name: Annotated[Text, Field(max_length=80)]
    company: Annotated[MaybeText, Field(max_length=80)] = ""
    line1: Annotated[Text, Field(max_length=100, description="Street and number.")]
    line2: Annotated[MaybeText, Field(max_length=100)] = ""
    city: Annotated[Text, Field(max_length=60)]
    state: Annotated[str, Field(pattern="^[A-Z]{2}$", json_schema_extra={"enum": sorted(STATES)})]
    postcode: Annotated[str, Field(pattern="^[0-9]{5}(-[0-9]{4})?$", description="Five digits, or five and four.")]
    phone: Annotated[str, Field(pattern="^[0-9 ()+./-]{7,30}$")]

    def address(self) -> Address:
        """The address as it is kept. Raises BadAddress."""
        return Address(**self.model_dump())


class ItemRequest(Asked):
    """So many of an item."""

    sku: Annotated[str, StringConstraints(pattern="^[A-Za-z0-9._-]{1,64}$")]
    quantity: int = Field(1, ge=1, le=MOST_UNITS)


_ADDRESS: dict[str, JsonValue] = {
    "name": "Ada Moss", "line1": "12 Willow Road", "city": "Austin", "state": "TX", "postcode": "78701", "phone": "+1 512 555 0101",
}


class OrderRequest(Asked):
    """Who wants what, where to. Prices are those of the quotes and of the day."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"items": [{"sku": "MON-24", "quantity": 2}], "email": "ada@example.com", "ship_to": _ADDRESS, "delivery": "express"},
                {"quotes": ["q3Jd0mYwVb7Ck2TfLs9XhP4a"], "email": "ada@example.com", "ship_to": _ADDRESS},
            ]
        }
    )

    quotes: list[Annotated[str, StringConstraints(pattern="^[A-Za-z0-9_-]{1,64}$")]] = Field(
        default_factory=list, max_length=MOST_LINES, description="Tokens of quotes: all their machines are ordered.",
    )
    items: list[ItemRequest] = Field(default_factory=list, max_length=MOST_LINES)
    email: Email
    ship_to: AddressRequest
    bill_to: AddressRequest | None = Field(None, description="When it is another than `ship_to`.")
    delivery: Literal["standard", "express", "appointment"] = "standard"


class BookedAnswer(OrderFigures):
    """An order in the book."""

    payment_url: str | None = Field(description="The page on which it is paid by card; null when it waits for no payment (any more).")


@api.operation(
    "POST", "/orders", answer=BookedAnswer, status=201, body=OrderRequest, parameters=(MUST_KEY,), problems=(409,), limit="30/minute",
)
def place_order(body: OrderRequest, idempotency_key: str) -> BookedAnswer:
    """Book an order and get the page on which it is paid.

    Sent again with the same key it is the same order, with the same page while it waits for its payment.
    """
    with transaction() as session:

        def book() -> dict[str, Any]:
            booked = book_order(session, _draft(session, body, idempotency_key))
            count_uses(session, booked)
            return {"number": booked.number}

        number = once(session, "api.orders", idempotency_key, body.model_dump(), book)["number"]
        order = get_order(session, number, lines=True)
    url = _payment_page(order.number) if order.status is OrderStatus.BOOKED else None
    return BookedAnswer(**figures(order), payment_url=url)


def _payment_page(number: str) -> str | None:
    """The page; None when the order was paid or cancelled at this moment. A program has no session to come back to: people look it up."""
    page = absolute("status.find", number=number)
    try:
        return start_checkout(number, success_url=page, cancel_url=page)
    except WrongStatus:
        return None


def _draft(session: Session, body: OrderRequest, key: str) -> OrderDraft:
    """What would be ordered. Raises Refused with a pointer to each value at fault."""
    _refuse_twice("quotes", body.quotes)
    _refuse_twice("items", [item.sku for item in body.items])
    shown = [*_machines(session, body), *_items(session, body)]
    if not shown:
        raise EmptyCart("There is nothing in this order.")
    with at("ship_to"):
        ship_to = body.ship_to.address()
    with at("bill_to"):
        bill_to = body.bill_to.address() if body.bill_to else ship_to
    return OrderDraft(
        booking_key=f"api:{key}", email=body.email, phone=ship_to.phone, locale=current_locale(), ship_to=ship_to, bill_to=bill_to,
        lines=lines_of(session, shown), delivery=body.delivery, channel="api",
    )


def _refuse_twice(field: str, names: list[str]) -> None:
    again = [place for place, name in enumerate(names) if name in names[:place]]
    if again:
        raise Refused(422, [Fault({"pointer": pointer(field, place)}, in_words("twice")) for place in again])


def _machines(session: Session, body: OrderRequest) -> list[ShownLine]:
    shown = []
    for place, token in enumerate(body.quotes):
        with at("quotes", place):
            quote = find_quote(session, token)
            if quote.valid_until < today():
                raise QuoteExpired(
                    "Quote {number} was valid until {day}. Configure the machine again for today's price.",
                    number=quote.number, day=quote.valid_until,
                )
        shown += [
            ShownLine(line.id, line.name, line.picture, line.quantity, line.unit_price, quote=quote, machine=line) for line in quote.lines
        ]
    return shown


def _items(session: Session, body: OrderRequest) -> list[ShownLine]:
    known = parts_by_sku(session, [item.sku for item in body.items]) if body.items else {}
    shown = []
    for place, item in enumerate(body.items):
        part = known.get(item.sku)
        with at("items", place, "sku"):
            if part is None or not part.sellable or part.list_price is None:
                raise NotFound("We do not sell {sku}.", sku=item.sku)
        shown.append(ShownLine(new_id(), part.name, part.picture, item.quantity, part.list_price, part=part))
    return shown
