"""What a new release would mean for the quotes customers hold: which machines could no longer be built, which would cost something else.

A quote keeps the release it was made with, so nothing happens to it; this tells whoever is about to release.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from configurator.engine import Compiled, answer, compile_model
from configurator.language import read_model_text
from configurator.language.lowering import ABSENT
from configurator.language.specification import Model
from configurator.models import Quote, QuoteLine, Release
from configurator.pricing import list_price
from configurator.showing import amount
from fulfillment.kernel.clock import today
from fulfillment.kernel.money import Money

Chosen = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Affected:
    """A line of an open quote that the new release would treat otherwise."""

    number: str
    position: int
    effect: str


def affected(session: Session, new: Model) -> list[Affected]:
    """The lines of quotes valid today, of this model, that could not be built or would cost something else."""
    rows = session.execute(
        sa.select(Quote.number, QuoteLine.position, QuoteLine.release_id, QuoteLine.choices)
        .join(QuoteLine, QuoteLine.quote_id == Quote.id)
        .where(Quote.valid_until >= today(), QuoteLine.model_id == new.id)
        .order_by(Quote.number, QuoteLine.position)
    ).all()
    releases = {row.id: row for row in session.scalars(sa.select(Release).where(Release.id.in_({row.release_id for row in rows})))}
    olds = {release_id: read_model_text(release.text, f"{new.id}.toml", judged=False) for release_id, release in releases.items()}
    compiled = compile_model(new)
    found = []
    for number, position, release_id, choices in rows:
        configuration = {group: tuple(options) for group, options in choices.items()}
        effect = what_changes(olds[release_id], compiled, configuration)
        if effect:
            found.append(Affected(number, position, effect))
    return found


def what_changes(old: Model, new: Compiled, configuration: Chosen) -> str:
    """What the new model makes of a machine configured with the old one, in words; nothing if it is the same."""
    gone = list(_gone(old, new.model, configuration))
    if gone:
        return f"could no longer be built: {', '.join(gone)} is no longer offered"
    own = {group: chosen for group, chosen in configuration.items() if _asked(new.model, group) and chosen != (ABSENT,)}
    answered = answer(new, own)
    if not answered.valid:
        rules = answered.conflict.rules if answered.conflict else ()
        return f"could no longer be built: {' '.join(rule.reason['en'] for rule in rules)}"
    before = _price(old, configuration)
    return f"would cost {amount(answered.price)} instead of {amount(before)}" if answered.price != before else ""


def _gone(old: Model, new: Model, configuration: Chosen) -> Iterator[str]:
    """The names of chosen options that the new model does not have; "none" of a group that is gone is no loss."""
    for group_id, chosen in configuration.items():
        group = old.by_id[group_id]
        for option in chosen if not group.hidden else ():
            known = new.by_id.get(group_id)
            lost = known is None or option not in known.by_id
            if lost and not group.by_id[option].absent and (known is not None or group.by_id[option].parts):
                yield f"{group.by_id[option].name['en']} ({group_id} {option})"


def _asked(model: Model, group: str) -> bool:
    return group in model.by_id and not model.by_id[group].hidden


def _price(model: Model, configuration: Chosen) -> Money:
    return list_price(model, {group.id: configuration.get(group.id, ()) for group in model.groups})
