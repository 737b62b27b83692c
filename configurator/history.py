"""Undo and redo without a memory on the server: the way back stands in the address.

What an address holds is a few names with their values (`cpu` -> `v6`). A step is what was different before it:
the names it changed, each with its former value, or None where there was none. Taking a step back gives the step
that leads forward again. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

Held = Mapping[str, tuple[str, ...]]
Step = Mapping[str, tuple[str, ...] | None]

MOST_STEPS = 20
LONGEST = 900
"""Characters of the steps in an address: servers take a few thousand in all."""


def step(before: Held, after: Held) -> Step:
    """Note what leads from `after` back to `before`; empty when they are the same."""
    names = dict.fromkeys((*before, *after))
    return {name: before.get(name) for name in names if before.get(name) != after.get(name)}


def back(now: Held, taken: Step) -> tuple[dict[str, tuple[str, ...]], Step]:
    """Go back a step: what was held before it, and the step that undoes this."""
    before = {name: values for name, values in now.items() if name not in taken}
    before |= {name: values for name, values in taken.items() if values is not None}
    return before, step(now, before)


def write(steps: Sequence[Step]) -> str:
    """Steps as an address has them, oldest first: `cpu:v6;extras!memory:d16`; the oldest are left out when they grow too long."""
    written = [";".join(name if values is None else f"{name}:{','.join(values)}" for name, values in one.items()) for one in steps]
    written = written[-MOST_STEPS:]
    while sum(len(one) + 1 for one in written) > LONGEST:
        written.pop(0)
    return "!".join(written)


def read(text: str) -> tuple[Step, ...]:
    """Read steps from an address. What makes no sense there is no step; nothing is refused for its past."""
    return tuple(_read_step(part) for part in text[: 2 * LONGEST].split("!") if part)[-MOST_STEPS:]


def _read_step(text: str) -> Step:
    taken: dict[str, tuple[str, ...] | None] = {}
    for part in text.split(";"):
        name, has_values, values = part.partition(":")
        taken[name] = tuple(value for value in values.split(",") if value) if has_values else None
    return taken
