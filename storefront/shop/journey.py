"""The nine steps from order to delivery, as the window explains them."""

from __future__ import annotations

from datetime import datetime

from flask_babel import gettext as _
from flask_babel import pgettext


def sample_journey(done: int = 9, at: datetime | None = None) -> list[dict[str, object]]:
    """Return the steps with what happens in each, so many of them done."""
    steps = [
        (pgettext("order", "Received"), _("Your order is in our books, with every part you chose.")),
        (_("Processing"), _("The payment is confirmed.")),
        (_("Pre-production"), _("Missing parts are called from their suppliers.")),
        (_("Kitting"), _("Your parts are laid out in one tray and scanned.")),
        (_("Build"), _("One person puts your machine together.")),
        (_("Test"), _("It runs under load until it has proved itself.")),
        (_("Boxing"), _("Machine, papers and accessories go into the box.")),
        (_("Shipped"), _("The carrier has it; you have the tracking number.")),
        (_("Delivered"), _("It is yours, under its own service tag.")),
    ]
    states = ["done"] * done + ["now"] + ["todo"] * len(steps)
    return [
        {"label": label, "note": note, "state": state, "at": None if state == "todo" else at}
        for (label, note), state in zip(steps, states, strict=False)
    ]
