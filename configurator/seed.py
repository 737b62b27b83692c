"""From the catalogue's files to the records: suppliers, parts, accessories, released models.

Run again after an edit it releases what changed and leaves the rest as it is.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from configurator.bom import part_specs
from configurator.language import read_model_text
from configurator.service import release_model
from configurator.specification import Model
from fulfillment.inventory.costing import revise_costs
from fulfillment.kernel.ids import new_id
from fulfillment.kernel.money import Money
from fulfillment.parts.data import PartData, SupplierData
from fulfillment.parts.service import upsert_parts, upsert_suppliers

CATALOGUE = Path(__file__).parent / "catalogue"
IN_HOUSE = SupplierData("S-HOUSE", {"en": "Larkmill, in house", "zh": "云雀工坊自有"}, lead_days=0)
"""Who does the services that no supplier does: warranties, set-up."""
NOT_MODELS = {"accessories.toml", "suppliers.toml"}


def model_files() -> list[Path]:
    """Every model file of the catalogue."""
    return sorted(path for path in CATALOGUE.glob("*.toml") if path.name not in NOT_MODELS)


def seed_catalogue(session: Session) -> list[str]:
    """Bring suppliers, parts, accessories and models into the records; the models' ids."""
    upsert_suppliers(session, _suppliers())
    parts: dict[str, PartData] = {}
    ids = []
    for path in model_files():
        text = path.read_text(encoding="utf-8")
        model = read_model_text(text, path.name)
        parts |= {part.sku: part for part in _parts_of(model)}
        release_model(session, text, path.name)
        ids.append(model.id)
    parts |= {part.sku: part for part in accessories()}
    upsert_parts(session, list(parts.values()))
    revise_costs(session, {sku: part.cost for sku, part in parts.items()}, key=f"catalogue:{new_id()}")
    return ids


def _suppliers() -> list[SupplierData]:
    read = tomllib.loads((CATALOGUE / "suppliers.toml").read_text(encoding="utf-8"))
    return [IN_HOUSE, *(SupplierData(**row) for row in read["supplier"])]


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


def accessories() -> list[PartData]:
    """The plain items that are sold beside the machines."""
    read = tomllib.loads((CATALOGUE / "accessories.toml").read_text(encoding="utf-8"))
    pictures = {row["id"]: row["picture"] for row in read["category"]}
    return [_accessory(row, pictures[row["category"]]) for row in read["item"]]


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
