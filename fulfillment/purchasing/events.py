"""What happens at the gate that others have to know of."""

from __future__ import annotations

from dataclasses import dataclass

from fulfillment.kernel.events import Event


@dataclass(frozen=True, slots=True)
class PartsReceived(Event):
    """Parts of this purchase order are on the shelf."""

    po_number: str
