"""What happens to the books that others have to know of."""

from __future__ import annotations

from dataclasses import dataclass

from fulfillment.kernel.events import Event


@dataclass(frozen=True, slots=True)
class EnteredByHand(Event):
    """A person wrote an entry that no rule makes."""

    source: str
    """The key it was made under."""
    by: str
