"""The cart's page and what its buttons do."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from configurator.service import find_quote
from fulfillment.kernel.db import reading, transaction
from fulfillment.kernel.once import press
from fulfillment.kernel.web import pressed, public, see_other
from fulfillment.orders.readiness import ready_dates
from storefront.cart import service as carts
from storefront.cart.current import account_id, cart_count, cart_id, keep_cart
from storefront.cart.service import BadQuantity

bp = Blueprint("cart", __name__, url_prefix="/cart")
bp.add_app_template_global(cart_count, "cart_count")


def _quantity() -> int:
    """The quantity as entered. Raises BadQuantity for what is not a whole number."""
    entered = request.form.get("quantity", "1").strip()
    if not (entered.isascii() and entered.isdigit() and len(entered) <= 9):
        raise BadQuantity("Please enter a whole number, from 1 to {most}.", most=carts.MOST_UNITS)
    return int(entered)


@bp.get("")
@public
def show() -> ResponseReturnValue:
    """What is in the cart."""
    with reading() as session:
        cart = carts.show(session, cart_id())
        ready = ready_dates(session, [line.wanted for line in cart.lines])
    return render_template("cart/show.html", cart=cart, ready=ready)


@bp.post("/quotes/<token>")
@public
def add_quote(token: str) -> ResponseReturnValue:
    """Put the machines of a quote into the cart."""
    with transaction() as session:
        quote = find_quote(session, token)
        cart = carts.open_cart(session, cart_id(), account_id())
        carts.add_quote(session, cart, quote, quote.lines)
    keep_cart(cart.id)
    return see_other(".show", _("It is in your cart."))


@bp.post("/items")
@public
def add_item() -> ResponseReturnValue:
    """Put a plain item into the cart."""
    sku, quantity = request.form.get("sku", ""), _quantity()

    def add(session: Session) -> UUID | None:
        cart = carts.open_cart(session, cart_id(), account_id())
        carts.add_item(session, cart, sku, quantity)
        return cart.id

    return _once(add, [sku, quantity], _("It is in your cart."))


@bp.post("/lines/<uuid:line_id>")
@public
def set_quantity(line_id: UUID) -> ResponseReturnValue:
    """Change how many of a line; 0 takes it out."""
    quantity = _quantity()

    def change(session: Session) -> UUID | None:
        carts.set_quantity(session, cart_id(), line_id, quantity)
        return cart_id()

    return _once(change, [str(line_id), quantity], _("Your cart is changed."))


@bp.post("/lines/<uuid:line_id>/remove")
@public
def remove_line(line_id: UUID) -> ResponseReturnValue:
    """Take a line out."""

    def remove(session: Session) -> UUID | None:
        carts.remove_line(session, cart_id(), line_id)
        return cart_id()

    return _once(remove, [str(line_id)], _("It is no longer in your cart."))


def _once(act: Callable[[Session], UUID | None], content: list[object], message: str) -> ResponseReturnValue:
    """Do the act for one press of the button, and go to the cart it was done to."""
    with transaction() as session:
        done = press(session, f"cart.{request.endpoint}", pressed(), content, lambda: {"cart": str(act(session))})
    keep_cart(UUID(done["cart"]))
    return see_other(".show", message)
