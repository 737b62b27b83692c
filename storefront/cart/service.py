"""Filling, changing and reading a cart. Prices are never taken from the page, only from quotes and parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from configurator.models import Quote, QuoteLine
from fulfillment.kernel.clock import now, today
from fulfillment.kernel.db import lock
from fulfillment.kernel.money import SHOP_CURRENCY, Money, total
from fulfillment.kernel.refusals import NotFound, Refusal
from fulfillment.orders.readiness import Wanted, items, machines
from fulfillment.parts.models import Part
from storefront.cart.models import Cart, CartLine

MOST_LINES = 40
MOST_UNITS = 99


class BadQuantity(Refusal):
    """Not a number of machines one can order in one line."""


class QuoteExpired(Refusal):
    """The price was held until a day that is over."""

    status = 409


@dataclass(frozen=True, slots=True)
class ShownLine:
    """A line of the cart as a page shows it."""

    id: UUID
    name: Mapping[str, str]
    picture: str
    quantity: int
    unit_price: Money
    quote: Quote | None = None
    machine: QuoteLine | None = None
    part: Part | None = None

    @property
    def price(self) -> Money:
        """All units, tax excluded."""
        return self.unit_price * self.quantity

    @property
    def wanted(self) -> Wanted:
        """What has to be there before it can leave us."""
        if self.machine is not None:
            return machines(self.machine.bom, self.quantity)
        assert self.part is not None
        return items(self.part.sku, self.quantity)

    @property
    def expired(self) -> bool:
        """Whether its quote is no longer valid."""
        return self.quote is not None and self.quote.valid_until < today()


@dataclass(frozen=True, slots=True)
class ShownCart:
    """The cart as a page shows it."""

    lines: Sequence[ShownLine] = ()

    @property
    def subtotal(self) -> Money:
        """All lines, without delivery and tax."""
        return total(line.price for line in self.lines)

    @property
    def expired(self) -> list[ShownLine]:
        """The lines that keep the cart from being ordered."""
        return [line for line in self.lines if line.expired]


def open_cart(session: Session, cart_id: UUID | None, account_id: UUID | None = None) -> Cart:
    """The cart of this id while it is open, else a fresh one."""
    cart = session.scalars(lock(sa.select(Cart).filter_by(id=cart_id, closed_at=None))).first() if cart_id else None
    if cart is None:
        cart = Cart(account_id=account_id, details={}, created_at=now())
        session.add(cart)
        session.flush()
    return cart


def add_quote(session: Session, cart: Cart, quote: Quote, lines: Sequence[QuoteLine]) -> None:
    """Put every machine of a quote into the cart; a quote that is in it already is not put twice.

    Raises QuoteExpired, and Refusal for a quote in another currency than the shop takes.
    """
    if quote.valid_until < today():
        raise QuoteExpired(
            "Quote {number} was valid until {day}. Configure the machine again for today's price.",
            number=quote.number,
            day=quote.valid_until,
        )
    if quote.currency != SHOP_CURRENCY:
        raise Refusal("Quote {number} is in {currency}. Write to us to order by it.", number=quote.number, currency=quote.currency)
    here = set(session.scalars(sa.select(CartLine.quote_line_id).filter_by(cart_id=cart.id)))
    for line in lines:
        if line.id not in here:
            _add(session, CartLine(cart_id=cart.id, quote_line_id=line.id, quantity=line.quantity, added_at=now()))


def add_item(session: Session, cart: Cart, sku: str, quantity: int) -> None:
    """Put items into the cart, on top of those already there. Raises NotFound, BadQuantity."""
    part = session.scalars(sa.select(Part).filter_by(sku=sku, sellable=True)).first()
    if part is None:
        raise NotFound("We do not sell {sku}.", sku=sku)
    line = session.scalars(sa.select(CartLine).filter_by(cart_id=cart.id, sku=sku)).first()
    wanted = checked_quantity(quantity) + (line.quantity if line else 0)
    if line is not None:
        line.quantity = checked_quantity(wanted)
    else:
        _add(session, CartLine(cart_id=cart.id, sku=sku, quantity=wanted, added_at=now()))


def _add(session: Session, line: CartLine) -> None:
    held = session.scalar(sa.select(sa.func.count()).select_from(CartLine).filter_by(cart_id=line.cart_id)) or 0
    if held >= MOST_LINES:
        raise Refusal("A cart holds {most} lines at most. Please order these first.", most=MOST_LINES)
    session.add(line)
    session.flush()


def checked_quantity(quantity: int) -> int:
    """The quantity, when it can be ordered. Raises BadQuantity."""
    if not 1 <= quantity <= MOST_UNITS:
        raise BadQuantity("Please choose a quantity from 1 to {most}. For more, write to us for an offer.", most=MOST_UNITS)
    return quantity


def set_quantity(session: Session, cart_id: UUID | None, line_id: UUID, quantity: int) -> None:
    """Change how many of a line; 0 takes it out. Raises NotFound, BadQuantity; also where the price holds for the quoted quantity alone."""
    line = _line(session, cart_id, line_id)
    if quantity == 0:
        session.delete(line)
        return
    quoted = session.get(QuoteLine, line.quote_line_id) if line.quote_line_id else None
    if quoted is not None and quoted.quantity_bound and quantity != quoted.quantity:
        raise BadQuantity("This price holds for {quantity} together. Ask for a quote for another number.", quantity=quoted.quantity)
    line.quantity = checked_quantity(quantity)


def remove_line(session: Session, cart_id: UUID | None, line_id: UUID) -> None:
    """Take a line out. Raises NotFound, also for a line of somebody else's cart."""
    session.delete(_line(session, cart_id, line_id))


def _line(session: Session, cart_id: UUID | None, line_id: UUID) -> CartLine:
    """The line as it is once nobody else changes the cart: it is locked first, as by who adds to it."""
    held = session.scalars(lock(sa.select(Cart.id).filter_by(id=cart_id, closed_at=None))).first()
    line = session.scalars(sa.select(CartLine).filter_by(id=line_id, cart_id=held)).first() if held else None
    if line is None:
        raise NotFound("This line is no longer in your cart.")
    return line


def show(session: Session, cart_id: UUID | None) -> ShownCart:
    """The cart with names and prices of today, in one query."""
    if cart_id is None:
        return ShownCart()
    rows = session.execute(
        sa.select(CartLine, QuoteLine, Quote, Part)
        .join(Cart, Cart.id == CartLine.cart_id)
        .outerjoin(QuoteLine, QuoteLine.id == CartLine.quote_line_id)
        .outerjoin(Quote, Quote.id == QuoteLine.quote_id)
        .outerjoin(Part, Part.sku == CartLine.sku)
        .where(CartLine.cart_id == cart_id, Cart.closed_at.is_(None))
        .order_by(CartLine.added_at, CartLine.id)
    ).all()
    lines = []
    for line, machine, quote, part in rows:
        if machine is not None:
            lines.append(ShownLine(line.id, machine.name, machine.picture, line.quantity, machine.unit_price, quote=quote, machine=machine))
        elif part is not None and part.list_price is not None:
            lines.append(ShownLine(line.id, part.name, part.picture, line.quantity, part.list_price, part=part))
    return ShownCart(lines)


def count(session: Session, cart_id: UUID) -> int:
    """How many units are in the cart."""
    units = sa.select(sa.func.coalesce(sa.func.sum(CartLine.quantity), 0)).join(Cart, Cart.id == CartLine.cart_id)
    return session.scalar(units.where(Cart.id == cart_id, Cart.closed_at.is_(None))) or 0


def adopt_cart(session: Session, account_id: UUID, cart_id: UUID | None) -> UUID | None:
    """Signing in: the cart in hand becomes the account's, with what the account had laid aside before."""
    in_hand = sa.and_(Cart.id == cart_id, Cart.account_id.is_(None))
    mine = sa.select(Cart).where(Cart.closed_at.is_(None), sa.or_(Cart.account_id == account_id, in_hand))
    carts = session.scalars(lock(mine.order_by(Cart.created_at.desc(), Cart.id.desc()))).all()
    if not carts:
        return None
    held = next((cart for cart in carts if cart.id == cart_id), carts[0])
    held.account_id = account_id
    for cart in carts:
        if cart is not held:
            _merge(session, cart, held)
            cart.closed_at = now()
    return held.id


def _merge(session: Session, source: Cart, target: Cart) -> None:
    there = {(line.quote_line_id, line.sku) for line in session.scalars(sa.select(CartLine).filter_by(cart_id=target.id))}
    for line in session.scalars(sa.select(CartLine).filter_by(cart_id=source.id).order_by(CartLine.added_at)).all():
        if (line.quote_line_id, line.sku) not in there:
            line.cart_id = target.id


def close_carts_of_order(session: Session, order_number: str) -> None:
    """The order is paid: its cart has done its work."""
    session.execute(sa.update(Cart).filter_by(order_number=order_number, closed_at=None).values(closed_at=now()))


def details_of(session: Session, cart_id: UUID | None) -> dict[str, Any]:
    """What was entered at checkout so far."""
    return dict(session.scalar(sa.select(Cart.details).filter_by(id=cart_id, closed_at=None)) or {}) if cart_id else {}


def keep_details(session: Session, cart_id: UUID | None, details: dict[str, Any]) -> None:
    """Keep what was entered at checkout."""
    session.execute(sa.update(Cart).filter_by(id=cart_id, closed_at=None).values(details=details))


def ordered(session: Session, cart_id: UUID | None, order_number: str) -> None:
    """An order was made from this cart; it is closed when that is paid."""
    session.execute(sa.update(Cart).filter_by(id=cart_id, closed_at=None).values(order_number=order_number))
