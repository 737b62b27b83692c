"""People who buy at random, and the same at every telling: what they configure, how many, where it goes.

They use what a page would use: the engine says which choices go together, a quote holds the price, and
an order is drafted from quotes and items as the checkout does it.
"""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

import sqlalchemy as sa
from sqlalchemy.orm import Session

from configurator.engine import answer
from configurator.releasing import Released, released, released_models
from configurator.service import issue_quote
from fulfillment.customers.address import Address
from fulfillment.kernel.ids import new_id
from fulfillment.orders.delivery import OPTIONS
from fulfillment.orders.draft import MOST_MONEY, OrderDraft
from fulfillment.parts.models import Part
from storefront.cart.service import ShownLine
from storefront.checkout.drafting import lines_of

FIRST = ("Ada", "Ben", "Chloe", "Diego", "Emi", "Farid", "Greta", "Hugo", "Ines", "Jonas", "Kira", "Lin", "Mona", "Nils", "Olga", "Pia")
LAST = ("Moss", "Birch", "Finch", "Heath", "Larch", "Reed", "Thorn", "Vale", "Wren", "Yew", "Brook", "Dale", "Frost", "Gale", "Hart")
STREETS = ("Willow Road", "Mill Lane", "Quarry Street", "Harbor Avenue", "Orchard Way", "Canal Street")
PLACES = (
    ("Austin", "TX", "78701"), ("Portland", "OR", "97209"), ("Denver", "CO", "80202"), ("Boston", "MA", "02108"),
    ("Seattle", "WA", "98101"), ("Chicago", "IL", "60601"), ("Miami", "FL", "33101"), ("Columbus", "OH", "43215"),
    ("Reno", "NV", "89501"), ("Billings", "MT", "59101"),
)
MODEL_SHARES = {"laptop": 6, "desktop": 3, "workstation": 2, "server": 1}
QUANTITIES = (1, 1, 1, 1, 1, 1, 2, 2, 3, 5)


class Shopper:
    """One customer after the other; the same dice, the same customers."""

    def __init__(self, dice: Random) -> None:
        self.dice = dice

    def order(self, session: Session, key: str) -> OrderDraft:
        """What the next customer orders: machines, items, or both."""
        dice = self.dice
        draft = None
        while draft is None or draft.net > MOST_MONEY:
            shown = [self._machine(session) for _ in range(dice.choice((0, 1, 1, 1, 1, 2)))]
            shown += self._items(session, dice.choice((0, 0, 1, 2)) if shown else dice.choice((1, 2, 3)))
            draft = self._draft(session, shown, key)
        return draft

    def _draft(self, session: Session, shown: list[ShownLine], key: str) -> OrderDraft:
        dice = self.dice
        first, last = dice.choice(FIRST), dice.choice(LAST)
        city, state, postcode = dice.choice(PLACES)
        street = f"{dice.randint(1, 240)} {dice.choice(STREETS)}"
        address = Address(f"{first} {last}", street, city, state, postcode, phone=f"+1 512 555 {dice.randint(0, 9999):04}")
        return OrderDraft(
            booking_key=f"history:{key}", email=f"{first}.{last}.{dice.randint(1, 999)}@example.com".lower(),
            ship_to=address, bill_to=address, lines=lines_of(session, shown), delivery=dice.choice(("standard", "standard", *OPTIONS)),
            phone=address.phone, locale=dice.choice(("en", "en", "en", "zh")),
        )

    def _machine(self, session: Session) -> ShownLine:
        models = released_models()
        model = self.dice.choices(models, [MODEL_SHARES[model.family] for model in models])[0]
        choices = self._choices(released(model.id))
        quote = issue_quote(session, model.id, choices, quantity=self.dice.choice(QUANTITIES))
        [line] = quote.lines
        return ShownLine(line.id, line.name, line.picture, line.quantity, line.unit_price, quote=quote, machine=line)

    def _choices(self, asked: Released) -> Mapping[str, tuple[str, ...]]:
        """A few clicks on options, keeping those that go together with the ones before."""
        choices: dict[str, tuple[str, ...]] = {}
        for _ in range(self.dice.randint(0, 4)):
            group = self.dice.choice(asked.model.groups)
            clicked = {**choices, group.id: (self.dice.choice(group.options).id,)}
            if answer(asked.compiled, clicked).valid:
                choices = clicked
        return choices

    def _items(self, session: Session, count: int) -> list[ShownLine]:
        sellable = sa.select(Part).filter_by(sellable=True).where(Part.list_price_minor.is_not(None)).order_by(Part.sku)
        parts = self.dice.sample(session.scalars(sellable).all(), count) if count else []
        shown = []
        for part in parts:
            assert part.list_price is not None
            shown.append(ShownLine(new_id(), part.name, part.picture, self.dice.choice(QUANTITIES), part.list_price, part=part))
        return shown
