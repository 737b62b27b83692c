"""Which cart a visitor has: its id is in the signed session cookie."""

from __future__ import annotations

from uuid import UUID

from flask import g, session

from fulfillment.kernel.db import reading
from fulfillment.kernel.web import current_account
from storefront.cart.service import count


def cart_id() -> UUID | None:
    """The visitor's cart, if there is one."""
    kept = session.get("cart")
    return UUID(kept) if kept else None


def keep_cart(cart: UUID | None) -> None:
    """Remember the visitor's cart, or forget it."""
    if cart is None:
        session.pop("cart", None)
    else:
        session["cart"] = str(cart)


def account_id() -> UUID | None:
    """The visitor's account, when signed in."""
    who = current_account()
    return UUID(who.id) if who is not None else None


def cart_count() -> int:
    """How many units are in the visitor's cart, for the header; asked once a request."""
    here = cart_id()
    if here is None:
        return 0
    if "cart_count" not in g:
        with reading() as db:
            g.cart_count = count(db, here)
    return int(g.cart_count)
