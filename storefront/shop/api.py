"""What is sold beside the machines, for programs."""

from __future__ import annotations

from datetime import date

from pydantic import Field

from configurator.messages import FactAnswer
from fulfillment.kernel.db import reading
from fulfillment.kernel.i18n import pick
from fulfillment.kernel.messages import Amount, Answer
from fulfillment.kernel.openapi import Api, absolute
from fulfillment.kernel.paging import Paged, page_of
from fulfillment.kernel.settings import settings
from fulfillment.kernel.web import static_url
from storefront.shop.catalogue import Item, items

api = Api("shop_api", __name__, tag="Items")
bp = api.bp


class ItemAnswer(Answer):
    """Something that is sold by itself: it only has to be packed."""

    sku: str
    name: str
    detail: str | None
    category: str
    price: Amount
    ready_on: date | None = Field(description="The day it is on our shelf.")
    picture: str | None
    facts: list[FactAnswer]
    page: str = Field(description="For people.")


class ItemsAnswer(Answer):
    """A page of what is sold beside the machines, by category and number."""

    items: list[ItemAnswer]
    next: str | None


@api.operation("GET", "/items", answer=ItemsAnswer, query=Paged, cacheable=True)
def list_items(query: Paged) -> ItemsAnswer:
    """What we sell beside the machines."""
    with reading() as session:
        page, following = page_of(items(session), lambda item: item.part.sku, query)
    return ItemsAnswer(items=[_item(item) for item in page], next=following)


def _item(item: Item) -> ItemAnswer:
    part = item.part
    return ItemAnswer(
        sku=part.sku, name=pick(part.name), detail=pick(part.detail) if part.detail else None, category=part.category,
        price=Amount.of(item.price), ready_on=item.ready,
        picture=settings().base_url + static_url(f"pictures/{part.picture}") if part.picture else None,
        facts=[FactAnswer(label=pick(label), value=pick(value)) for label, value in item.data],
        page=absolute("shop.accessory", sku=part.sku),
    )
