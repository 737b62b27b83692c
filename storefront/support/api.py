"""A machine by its service tag, for programs: what the page of support tells, and nothing else."""

from __future__ import annotations

from datetime import date

from pydantic import Field

from fulfillment.assembly.models import UnitStatus
from fulfillment.assembly.service import NotATag, express_code, find_unit, parts_of, spoken
from fulfillment.kernel.db import reading
from fulfillment.kernel.i18n import pick
from fulfillment.kernel.messages import Answer
from fulfillment.kernel.openapi import Api, Parameter
from fulfillment.kernel.refusals import NotFound

api = Api("support_api", __name__, tag="Support")
bp = api.bp

TAG = Parameter("tag", "path", "A service tag, or an express service code with or without dashes.", "BX7K2M9")


class PartAnswer(Answer):
    """A part as it was built in."""

    name: str
    quantity: int


class MachineAnswer(Answer):
    """A machine: public facts only."""

    tag: str
    express_service_code: str
    model: str
    name: str
    shipped_on: date
    warranty_from: date | None = Field(description="The day its warranty began.")
    parts: list[PartAnswer]


@api.operation("GET", "/units/{tag}", answer=MachineAnswer, parameters=(TAG,), limit="60/minute", guesses="service-tag")
def show_machine(tag: str) -> MachineAnswer:
    """A machine by its service tag.

    Tags that were never given, machines that have not left us, and words that are no tags get the same answer.
    """
    with reading() as session:
        try:
            unit = find_unit(session, tag)
        except (NotFound, NotATag):
            unit = None
        if unit is None or unit.status is not UnitStatus.SHIPPED or unit.shipped_at is None:
            raise NotFound("We know no machine with this tag. Please compare it with the label, letter by letter.")
        parts = parts_of(session, unit)
    return MachineAnswer(
        tag=unit.tag, express_service_code=spoken(express_code(unit.tag)), model=unit.model, name=pick(unit.name),
        shipped_on=unit.shipped_at.date(), warranty_from=unit.warranty_from,
        parts=[PartAnswer(name=pick(part.name), quantity=part.quantity) for part in parts],
    )
