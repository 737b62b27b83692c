"""What the configurator's page knows: which choices are the customer's own, and what a click meant.

The address holds only the customer's own choices (`?cpu=c12&memory=m32`); everything else follows. The
form, with or without script, posts every group's value and what was shown before: a group whose value
differs was just chosen. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from configurator.engine import Compiled, answer, repair
from configurator.language.specification import Model

Own = dict[str, tuple[str, ...]]


class Values(Protocol):
    """Query or form values with repeats, as the web framework holds them."""

    def getlist(self, key: str) -> list[str]: ...
    def __contains__(self, key: str) -> bool: ...


@dataclass(frozen=True, slots=True)
class Click:
    """What a submitted form meant: the own choices now, and which were given up for the newest."""

    own: Own
    given_up: tuple[tuple[str, str], ...] = ()


def own_choices(model: Model, values: Values) -> Own:
    """The customer's own choices as an address holds them; unknown groups and options are left to the engine to refuse."""
    return {group.id: _chosen(values, group.id) for group in model.groups if group.id in values}


def _chosen(values: Values, group: str) -> tuple[str, ...]:
    return tuple(option for option in values.getlist(group) if option)


def read_click(compiled: Compiled, values: Values) -> Click:
    """Read a submitted form: the newest choice wins, and as few older ones as possible are given up for it."""
    model = compiled.model
    held = {group for part in values.getlist("own") for group in part.split(",")}
    own: Own = {}
    newest: list[str] = []
    for group in model.groups:
        chosen = _chosen(values, group.id)
        before = tuple(option for part in values.getlist(f"was.{group.id}") for option in part.split(",") if option)
        if set(chosen) != set(before):
            newest.append(group.id)
        if group.id in held or group.id in newest:
            own[group.id] = chosen
    return settle(compiled, own, newest)


def settle(compiled: Compiled, own: Own, newest: Sequence[str]) -> Click:
    """Drop the choices that cannot stay beside the newest ones."""
    older = {group: chosen for group, chosen in own.items() if group not in newest}
    lost: tuple[tuple[str, str], ...] = ()
    if len(newest) == 1 and len(own[newest[0]]) == 1:
        mended = repair(compiled, older, (newest[0], own[newest[0]][0]))
        lost = mended.give_up if mended else ()
    kept = _without(own, lost)
    rest = answer(compiled, kept).given_up
    return Click(_without(kept, rest), (*lost, *rest))


def _without(own: Own, lost: Sequence[tuple[str, str]]) -> Own:
    gone = set(lost)
    kept = {group: tuple(option for option in chosen if (group, option) not in gone) for group, chosen in own.items()}
    return {group: chosen for group, chosen in kept.items() if chosen or not own[group]}


def query(own: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """The address's query for these choices."""
    return {group: list(chosen) or [""] for group, chosen in own.items()}
