"""From the catalogue's files to the records: suppliers, parts, accessories, released models.

A catalogue is read first, and every mistake in it told with file and line; only one without any is brought
in. Run again after an edit, it releases what changed and leaves the rest as it is.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy.orm import Session

from configurator.approval import approve
from configurator.bom import part_specs
from configurator.language import put_together, read_whole
from configurator.language.fields import ModelError, Problem
from configurator.language.positions import index_lines
from configurator.language.specification import Model, PartSpec
from configurator.models import Release
from configurator.releasing import release_model
from fulfillment.inventory.costing import revise_costs
from fulfillment.kernel.ids import new_id
from fulfillment.kernel.money import Money
from fulfillment.parts.data import PartData, SupplierData
from fulfillment.parts.service import sellable_skus, supplier_codes, upsert_parts, upsert_suppliers

CATALOGUE = Path(__file__).parent / "catalogue"
IN_HOUSE = SupplierData("S-HOUSE", {"en": "Larkmill, in house", "zh": "云雀工坊自有"}, lead_days=0)
"""Who does the services that no supplier does: warranties, set-up."""
ACCESSORIES, SUPPLIERS = "accessories.toml", "suppliers.toml"
"""The files that are no models, by their names."""
FAMILY = "family-"
"""How the names of files begin that models include."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What a few files say."""

    suppliers: Sequence[SupplierData]
    accessories: Sequence[PartData]
    models: Sequence[tuple[Model, str]]
    """With their text, and that of the families they include."""

    def approve(self) -> None:
        """Compile every model. Raises ModelError with what only the engine can see, of all of them."""
        _collect(approve, (model for model, _text in self.models))


def shipped() -> list[Path]:
    """Every file of the catalogue that comes with the house."""
    return sorted(CATALOGUE.glob("*.toml"))


def model_files() -> list[Path]:
    """Every model file of the catalogue."""
    return [path for path in shipped() if path.name not in {ACCESSORIES, SUPPLIERS} and not path.name.startswith(FAMILY)]


def read_catalogue(paths: Iterable[Path]) -> Catalogue:
    """Read files of a catalogue. Raises ModelError with every problem of all of them."""
    read = _collect(_read, paths)
    return Catalogue(
        [supplier for each in read for supplier in each.suppliers],
        [item for each in read for item in each.accessories],
        [model for each in read for model in each.models],
    )


def _collect(act: Callable[[Any], T], things: Iterable[Any]) -> list[T]:
    """What the act makes of each. Raises ModelError with the problems of all, not of the first alone."""
    made: list[T] = []
    problems: list[Problem] = []
    for thing in things:
        try:
            made.append(act(thing))
        except ModelError as error:
            problems += error.problems
    if problems:
        raise ModelError(problems)
    return made


def _read(path: Path) -> Catalogue:
    if path.name == SUPPLIERS:
        return Catalogue(_rows(path, "supplier", lambda row: SupplierData(**row)), [], [])
    if path.name == ACCESSORIES:
        return Catalogue([], accessories(path), [])
    if path.name.startswith(FAMILY):
        return Catalogue([], [], [])  # it comes with the models that include it
    whole = put_together(path)
    return Catalogue([], [], [(read_whole(whole, judged=False), whole.text)])


def seed_catalogue(session: Session) -> list[str]:
    """Bring the catalogue that comes with the house into the records; the models' ids. Raises ModelError."""
    catalogue = read_catalogue(shipped())
    bring_in(session, catalogue)
    return [model.id for model, _text in catalogue.models]


def bring_in(session: Session, catalogue: Catalogue, *, again: bool = False) -> list[Release]:
    """Bring suppliers, parts, accessories and models into the records; the models' releases (see `release_model`).

    A part that is sold as an accessory stays one when its model is released alone. Raises ModelError for a
    model that is not fit, and for a supplier nobody knows.
    """
    suppliers = {supplier.code: supplier for supplier in (IN_HOUSE, *catalogue.suppliers)}
    upsert_suppliers(session, suppliers.values())
    _know_suppliers(catalogue, supplier_codes(session))
    parts = {part.sku: part for model, _text in catalogue.models for part in _parts_of(model)}
    parts |= {part.sku: part for part in catalogue.accessories}
    sold = set() if catalogue.accessories else sellable_skus(session)
    upsert_parts(session, [part for part in parts.values() if part.sku not in sold])
    revise_costs(session, {sku: part.cost for sku, part in parts.items()}, key=f"catalogue:{new_id()}")
    return [release_model(session, text, model.file, again=again) for model, text in catalogue.models]


def _know_suppliers(catalogue: Catalogue, known: set[str]) -> None:
    named = [(*model.place(line), part.supplier) for model, _text in catalogue.models for line, part in _with_lines(model)]
    named += [(ACCESSORIES, 1, item.supplier) for item in catalogue.accessories]
    problems = [
        Problem(file, line, f"nobody knows the supplier {code!r}: write the code of one in {SUPPLIERS}, or add it there.")
        for file, line, code in named
        if code and code not in known
    ]
    if problems:
        raise ModelError(problems)


def _with_lines(model: Model) -> Iterator[tuple[int, PartSpec]]:
    yield 1, model.base
    for group in model.groups:
        for option in group.options:
            for part in option.parts:
                yield option.line, part


def _rows(path: Path, table: str, make: Callable[[dict[str, Any]], T]) -> list[T]:
    """What `[[table]]` of a file makes, row by row. Raises ModelError for text that is no TOML, and for rows that lack something."""
    try:
        text = path.read_text(encoding="utf-8")
        rows = tomllib.loads(text).get(table, [])
    except ValueError as error:  # no TOML, or no UTF-8
        raise ModelError([Problem(path.name, 1, f"the file cannot be read: {error}.")]) from error
    lines, made, problems = index_lines(text), [], []
    for place, row in enumerate(rows):
        try:
            made.append(make(row))
        except (KeyError, TypeError, ValueError) as error:
            problems.append(Problem(path.name, lines.of((table, place)), f"this {table} lacks something, or has too much: {error}."))
    if problems:
        raise ModelError(problems)
    return made


def _parts_of(model: Model) -> Iterable[PartData]:
    for spec in part_specs(model):
        yield PartData(
            sku=spec.sku,
            name=dict(spec.name),
            kind=spec.kind,
            cost=spec.cost,
            weight_g=spec.weight_g,
            supplier=spec.supplier or IN_HOUSE.code,
            lead_days=spec.lead_days,
            serialised=spec.serialised,
        )


def accessories(path: Path = CATALOGUE / ACCESSORIES) -> list[PartData]:
    """The plain items that are sold beside the machines. Raises ModelError."""
    pictures = dict(_rows(path, "category", lambda row: (row["id"], row["picture"])))
    return _rows(path, "item", lambda row: _accessory(row, pictures[row["category"]]))


def _accessory(row: dict[str, Any], picture: str) -> PartData:
    return PartData(
        sku=row["sku"],
        name=row["name"],
        kind="hardware",
        cost=Money.parse(row["cost"]),
        weight_g=row["weight_g"],
        supplier=row["supplier"],
        lead_days=row["lead_days"],
        serialised=row["serialised"],
        sellable=True,
        list_price=Money.parse(row["price"]),
        picture=row.get("picture", picture),
        detail=row["detail"],
        category=row["category"],
        facts=row.get("facts", []),
    )
