"""What the shop window shows: the released machines with their starting price and date, and accessories.

Machines come from the configurator as released; nothing here decides what can be built or for how
much. A machine "as it stands" is its default configuration: the price and date the window names are
those of a machine one could order without changing anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy.orm import Session

from configurator.bom import explode, pieces
from configurator.language.specification import EVERYONE, Group, Model, Text
from configurator.releasing import released_models
from configurator.service import leaves_us, starting_prices
from fulfillment.inventory.atp import dates_of, earliest_dates
from fulfillment.kernel.money import Money
from fulfillment.kernel.refusals import NotFound
from fulfillment.parts.models import Part
from fulfillment.parts.service import sellable_items
from storefront.shop.search import Entry, both, search

FAMILIES = {"laptops": "laptop", "desktops": "desktop", "workstations": "workstation", "servers": "server"}
"""Address of a family's page -> the family in the model files."""


@dataclass(frozen=True, slots=True)
class Machine:
    """A released model in the window, as it stands: price without tax, earliest day it can leave us."""

    model: Model
    price: Money
    ready: date

    @property
    def slug(self) -> str:
        """The address of its family's page."""
        return next(slug for slug, family in FAMILIES.items() if family == self.model.family)

    @property
    def data(self) -> tuple[tuple[Text, Text], ...]:
        """The technical data: label and value."""
        return tuple((fact.label, fact.value) for fact in self.model.facts)

    @property
    def highlights(self) -> tuple[tuple[Text, Text], ...]:
        """What is chosen in the first groups as it stands: what one asks first about a computer."""
        ones = [group for group in self.model.groups if group.kind == "one"]
        return tuple((group.name, group.by_id[group.default[0]].name) for group in ones[:4])

    @property
    def sections(self) -> dict[str, list[Group]]:
        """The groups under their headings (English), in the order of the model file."""
        found: dict[str, list[Group]] = {}
        for group in self.model.groups:
            found.setdefault((group.section or {"en": ""})["en"], []).append(group)
        return found


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a comparison: one value per machine, None where a machine has no such fact."""

    label: Text
    values: tuple[Text | None, ...]

    @property
    def differs(self) -> bool:
        """Tell whether the machines differ here."""
        return len({None if value is None else value["en"] for value in self.values}) > 1


@dataclass(frozen=True, slots=True)
class Item:
    """Something sold by itself, and the earliest day it can leave us where that is shown."""

    part: Part
    price: Money
    ready: date | None = None

    @property
    def data(self) -> tuple[tuple[Text, Text], ...]:
        """The technical data: label and value."""
        return tuple((fact["label"], fact["value"]) for fact in self.part.facts)


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found, the best first of each kind."""

    machines: tuple[Machine, ...] = ()
    options: tuple[tuple[Text, tuple[Model, ...]], ...] = ()
    """An option, and the machines it can be chosen in."""
    accessories: tuple[Item, ...] = ()

    @property
    def count(self) -> int:
        """How many results."""
        return len(self.machines) + len(self.options) + len(self.accessories)


_STANDARD: dict[str, tuple[tuple[str, int], ...]] = {}
"""Content hash of a model -> the parts of the machine as it stands, and how many of each."""


def _standard_parts(model: Model) -> tuple[tuple[str, int], ...]:
    if model.content_hash not in _STANDARD:
        _STANDARD[model.content_hash] = tuple(pieces(explode(model, model.defaults)).items())
    return _STANDARD[model.content_hash]


def machines(session: Session, models: Sequence[Model]) -> list[Machine]:
    """Return these models as the window shows them; the dates of all their parts are asked for at once."""
    dates = dates_of(session, {part for model in models for part in _standard_parts(model)})
    here = {model.id: max((dates[part] for part in _standard_parts(model)), default=None) for model in models}
    prices = starting_prices(session, models)
    return [Machine(model, prices[model.id], leaves_us(model, here[model.id])) for model in models]


def models_of(slug: str) -> list[Model]:
    """Return the released models of a family's page."""
    return [model for model in released_models() if model.family == FAMILIES[slug]]


def find_models(ids: Sequence[str]) -> list[Model]:
    """Return the models of these ids in this order, each once. Raises NotFound for an unknown one."""
    known = {model.id: model for model in released_models()}
    if unknown := [wanted for wanted in ids if wanted not in known]:
        raise NotFound("We do not make a machine called {model}.", model=unknown[0])
    return [known[wanted] for wanted in dict.fromkeys(ids)]


def compare(models: Sequence[Model]) -> list[Row]:
    """Lay the technical data of machines side by side; labels in the order they first appear."""
    labels = {fact.label["en"]: fact.label for model in models for fact in model.facts}
    columns = [{fact.label["en"]: fact.value for fact in model.facts} for model in models]
    return [Row(label, tuple(column.get(key) for column in columns)) for key, label in labels.items()]


def items(session: Session, *, dated: bool = True) -> list[Item]:
    """Return what is sold by itself; the dates only where they are shown."""
    parts = sellable_items(session)
    dates = earliest_dates(session, [part.sku for part in parts]) if dated else {}
    return [Item(part, part.list_price, dates.get(part.sku)) for part in parts if part.list_price is not None]


def shelves(found: Iterable[Item], order: Iterable[str]) -> dict[str, list[Item]]:
    """Sort items onto shelves by category: those of `order` first, unknown ones after them."""
    sorted_out: dict[str, list[Item]] = {category: [] for category in order}
    for item in found:
        sorted_out.setdefault(item.part.category, []).append(item)
    return {category: items for category, items in sorted_out.items() if items}


def find_item(session: Session, sku: str) -> Item:
    """Return something sold by itself. Raises NotFound, also for a part that is only built in."""
    for item in items(session, dated=False):
        if item.part.sku == sku:
            return replace(item, ready=earliest_dates(session, [sku])[sku])
    raise NotFound("We do not sell an item with the number {sku}.", sku=sku)


@dataclass(frozen=True, slots=True)
class Index:
    """The released machines and their options, ready to be searched."""

    entries: tuple[Entry, ...]
    options: dict[str, tuple[Text, tuple[Model, ...]]]
    """An option's English name -> its name, and the machines it can be chosen in."""


_INDEX: dict[tuple[str, ...], Index] = {}
"""The index of what is released now, under the content hashes of the models."""


def _index(models: Sequence[Model]) -> Index:
    key = tuple(model.content_hash for model in models)
    if key not in _INDEX:
        _INDEX.clear()
        _INDEX[key] = _indexed(models)
    return _INDEX[key]


def _machine_entry(model: Model) -> Entry:
    telling = ((9, both(model.name)), (4, both(model.tagline)), (3, model.family), (2, both(model.summary)))
    return Entry("machine", model.id, (*telling, *((1, both(fact.value)) for fact in model.facts)))


def _indexed(models: Sequence[Model]) -> Index:
    """Index machines, and options by name: what several machines offer, or by the piece, is found once; what only some see, never."""
    names: dict[str, Text] = {}
    users: dict[str, dict[str, Model]] = {}
    texts: dict[str, list[tuple[int, str]]] = {}
    for model in models:
        for group in model.groups:
            for option in (o for o in group.options if o.parts and o.visibility == EVERYONE and not (group.counted and o.pieces > 1)):
                key = option.name["en"]
                names[key] = option.name
                users.setdefault(key, {})[model.id] = model
                texts.setdefault(key, []).extend([(2, both(option.name)), (1, both(group.name)), (1, both(option.detail or {}))])
    found = [Entry("option", key, tuple(dict.fromkeys(parts))) for key, parts in texts.items()]
    options = {key: (name, tuple(users[key].values())) for key, name in names.items()}
    return Index((*(_machine_entry(model) for model in models), *found), options)


def _item_entry(item: Item) -> Entry:
    telling = ((6, both(item.part.name)), (2, item.part.sku), (3, item.part.category), (1, both(item.part.detail or {})))
    return Entry("accessory", item.part.sku, (*telling, *((1, both(value)) for _, value in item.data)))


def look_for(session: Session, question: str) -> Found:
    """Search machines, the options they offer, and accessories."""
    index = _index(released_models())
    shelf = {item.part.sku: item for item in items(session, dated=False)}
    answers = search(question, [*index.entries, *(_item_entry(item) for item in shelf.values())])
    return Found(
        tuple(machines(session, find_models([a.key for a in answers if a.kind == "machine"]))),
        tuple(index.options[a.key] for a in answers if a.kind == "option")[:20],
        tuple(shelf[a.key] for a in answers if a.kind == "accessory"),
    )
