"""What happens to promotions when an order ends early."""

from __future__ import annotations

from sqlalchemy.orm import Session

from configurator.prices.uses import give_uses_back
from fulfillment.kernel.events import on
from fulfillment.orders.events import OrderCancelled


@on(OrderCancelled)
def give_back(session: Session, event: OrderCancelled) -> None:
    """A cancelled order gives back the promotions it used."""
    give_uses_back(session, event.number)
