"""What the cart does when an order is paid."""

from __future__ import annotations

from sqlalchemy.orm import Session

from fulfillment.kernel.events import on
from fulfillment.orders.events import OrderPaid
from storefront.cart.service import close_carts_of_order


@on(OrderPaid)
def close_cart(session: Session, event: OrderPaid) -> None:
    """The cart of a paid order is closed, in whatever browser it still lies."""
    close_carts_of_order(session, event.number)
