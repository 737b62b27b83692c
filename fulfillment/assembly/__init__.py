"""The factory floor: from a paid order to boxed machines, each with its own tag and history."""
