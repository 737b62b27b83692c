"""What programs send to the configurator and get from it, with names and reasons in one language."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field, StringConstraints, WithJsonSchema

from fulfillment.kernel.messages import Amount, Answer, Asked, Links

_ID = "^[A-Za-z0-9._-]{1,64}$"
Id = Annotated[str, StringConstraints(pattern=_ID)]
_NAMED = {"type": "string", "pattern": _ID}
Ids = dict[str, list[str]]

Day = Annotated[str, StringConstraints(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"), WithJsonSchema({"type": "string", "format": "date"})]

MOST_UNITS = 99


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


_CHOSEN = {"anyOf": [_NAMED, {"type": "array", "items": _NAMED, "maxItems": 64}]}

Chosen = Annotated[list[Id], Field(max_length=64), BeforeValidator(_listed)]
"""An option, or the options of a group of which one may have many."""
Choices = Annotated[
    dict[Id, Chosen],
    Field(max_length=64),
    WithJsonSchema({
        "type": "object", "propertyNames": {"pattern": _ID}, "additionalProperties": _CHOSEN, "maxProperties": 64, "default": {},
        "description": "Group → its option, or its options where the group takes many. What is left open is completed.",
    }),
]


Codes = Annotated[
    list[Annotated[str, StringConstraints(pattern="^[A-Za-z0-9._ -]{1,40}$")]],
    Field(max_length=8, description="Promotion codes."),
]


class ConfigureRequest(Asked):
    """What the customer has chosen so far."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"choices": {"cpu": "u10", "memory": "d32"}}, {"choices": {}}, {"limit_minor": 150_000, "finish": "fastest"}],
        },
    )

    choices: Choices = Field(default_factory=dict)
    limit_minor: int | None = Field(None, ge=1, le=10**12, description="The most it may cost, tax excluded, in cents: 150000 is $1,500.")
    leaves_by: Day | None = Field(None, description="The machine leaves us by this day: it prunes the options like any choice.")
    codes: Codes = Field(default_factory=list)
    finish: Literal["cheapest", "fastest", "strongest"] | None = Field(
        None, description="Choose the rest: for the lowest price, the earliest day, or the most power within the limit.",
    )


class ShareRequest(Asked):
    """A configuration to share."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"choices": {"cpu": "u10", "memory": "d32"}}]})

    choices: Choices = Field(default_factory=dict)
    limit_minor: int | None = Field(None, ge=1, le=10**12)
    leaves_by: Day | None = None
    codes: Codes = Field(default_factory=list)


class WantedRequest(Asked):
    """An option of a group."""

    group: Id
    option: Id


class ExplainRequest(Asked):
    """An option that is wanted beside what is chosen."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"choices": {"cpu": "v6"}, "wanted": {"group": "memory", "option": "d16"}}]})

    wanted: WantedRequest
    choices: Choices = Field(default_factory=dict)
    limit_minor: int | None = Field(None, ge=1, le=10**12)
    leaves_by: Day | None = None
    codes: Codes = Field(default_factory=list)


class QuoteRequest(Asked):
    """A machine as configured, in a quantity."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"model": "skein-14", "choices": {"cpu": "u10", "memory": "d32"}, "quantity": 3}]},
    )

    model: Id = Field(description="The id of a model.")
    choices: Choices = Field(default_factory=dict)
    quantity: int = Field(1, ge=1, le=MOST_UNITS)
    codes: Codes = Field(default_factory=list)


class ModelLinks(Links):
    """Where to go on from a model."""

    configure: str
    page: str = Field(description="For people.")


class FactAnswer(Answer):
    """A line of the technical data."""

    label: str
    value: str


class ModelSummary(Answer):
    """A machine as it stands: what one could order without choosing anything."""

    id: str
    version: int = Field(ge=1, description="Of the release; a new one means other options, prices or rules.")
    family: Literal["laptop", "desktop", "workstation", "server"]
    name: str
    tagline: str
    price: Amount
    ready_on: date = Field(description="The day it could leave us.")
    links: ModelLinks


class ModelsAnswer(Answer):
    """A page of the machines we make, in the order of the catalogue."""

    models: list[ModelSummary]
    next: str | None


class OptionFacts(Answer):
    """One way to fill a group."""

    id: str
    name: str
    detail: str | None
    price: Amount = Field(description="What it adds to the base price.")
    pieces: int = Field(ge=0)


class GroupFacts(Answer):
    """A question to the customer: exactly one of its options, or any number of them."""

    id: str
    name: str
    help: str | None
    section: str | None
    kind: Literal["one", "many"]
    default: list[str]
    options: list[OptionFacts]


class StartAnswer(Answer):
    """A machine to start from: its choices are suggestions, to be sent like one's own."""

    id: str
    name: str
    detail: str | None
    choices: Ids


class ModelAnswer(ModelSummary):
    """A machine with everything that can be chosen."""

    starts: list[StartAnswer]
    summary: str
    picture: str
    base_price: Amount
    facts: list[FactAnswer]
    groups: list[GroupFacts]


class ChoiceAnswer(Answer):
    """An option of a group."""

    group: str
    option: str


class ReasonAnswer(Answer):
    """Why something is not possible."""

    choices: list[ChoiceAnswer] = Field(description="The customer's own choices at fault; empty when it is never possible.")
    rules: list[str] = Field(description="The rules at fault, in the customer's words.")
    limit: bool = Field(description="The limit on the price is among the causes.")
    leaves_by: bool = Field(description="The day to leave by is among the causes.")


class ChangeAnswer(Answer):
    """What would change in another group."""

    group: str
    lost: list[str]
    gained: list[str]


class OptionState(Answer):
    """One option, given the choices in the other groups. All but `reason` and `give_up` is null when it is not possible."""

    id: str
    chosen: bool
    possible: bool
    difference: Amount | None = Field(description="What the whole machine costs more (or less) with it.")
    price: Amount | None = Field(description="What the whole machine costs then.")
    removal: Amount | None = Field(description="In a group of many: what the machine costs more (or less) without it. Null: it must stay.")
    changes: list[ChangeAnswer] = Field(description="What else changes then.")
    ready_on: date | None = Field(description="The day that machine could leave us.")
    earliest_on: date | None = Field(description="The day the quickest machine with this option could leave us.")
    reason: ReasonAnswer | None
    give_up: list[ChoiceAnswer] | None = Field(description="The fewest own choices to give up for it; null when nothing helps.")


class GroupState(Answer):
    """One group, its options in the order of the model."""

    id: str
    chosen: list[str]
    own: bool = Field(description="The customer chose here, and the choice was kept.")
    options: list[OptionState]


class ConfigureLinks(Links):
    """Where to go on from a configuration."""

    page: str = Field(description="The same choices, for people.")


class CodeAnswer(Answer):
    """A promotion code that takes nothing off, and why."""

    code: str
    reason: str
class RepairAnswer(Answer):
    """The nearest machine that has a wanted option."""

    give_up: list[ChoiceAnswer] = Field(description="The fewest own choices to give up; “limit” or “by”, option empty, for a limit.")
    configuration: Ids
    changes: list[ChangeAnswer] = Field(description="Against the machine that completes the choices as they are.")
    price: Amount
    difference: Amount
    ready_on: date


class ExplainAnswer(Answer):
    """Whether an option can be had beside what is chosen; why not, and what it would take."""

    possible: bool
    reason: ReasonAnswer | None
    repair: RepairAnswer | None = Field(description="Null when no machine has it.")


class SharedAnswer(Answer):
    """A configuration under a link: final as it was shared, and what it is today."""

    token: str
    model: str
    shared_at: datetime
    shared_price: Amount
    choices: Ids = Field(description="The customer's own choices, as far as the newest release has them.")
    configuration: Ids = Field(description="The machine of today: the same, or the nearest that the newest release has.")
    renewed: bool = Field(description="The model has a newer release than when it was shared.")
    price: Amount
    ready_on: date
    links: ConfigureLinks


class ConfigureAnswer(Answer):
    """Every option of every group, and the machine that completes the choices; it can always be built."""

    model: str
    version: int
    valid: bool = Field(description="All choices were kept. If not, as many as possible were.")
    given_up: list[ChoiceAnswer]
    conflict: ReasonAnswer | None
    choices: Ids = Field(description="The own choices that were kept; with `finish` also those that it made.")
    machines: str | None = Field(description="How many machines keep the choices, exactly, in digits. Null under a limit on the price.")
    configuration: Ids
    price: Amount
    ready_on: date
    idle_codes: list[CodeAnswer]
    groups: list[GroupState]
    links: ConfigureLinks


class QuoteLinks(Links):
    """Where to go on from a quote."""

    pdf: str
    page: str = Field(description="For people.")


class RuleAnswer(Answer):
    """A rule that made a price."""

    kind: Literal["model", "list", "market", "group", "agreement", "promotion", "shaping"]
    name: str


class ChosenAnswer(Answer):
    """A choice in words."""

    group: str
    option: str
    price: Amount
    list_price: Amount | None = Field(description="What the list said. Null: in a quote from before it was kept.")
    rules: list[RuleAnswer] = Field(description="What made the price: the rule that won, then what came off it.")


class OffAnswer(Answer):
    """What a promotion takes off one machine."""

    name: str
    amount: Amount
    kind: Literal["option", "machine", "order"] = Field(description="Off an option (contained in its price), the machine, or the order.")


class QuoteLineAnswer(Answer):
    """A machine of a quote."""

    position: int
    model: str
    name: str
    choices: Ids
    options: list[ChosenAnswer]
    off: list[OffAnswer]
    quantity: int = Field(ge=1, le=MOST_UNITS)
    quantity_bound: bool = Field(description="The price holds for this quantity alone.")
    unit_price: Amount
    price: Amount
    ready_on: date = Field(description="The day all of them could leave us if they were ordered today: a quote holds no parts.")


class QuoteAnswer(Answer):
    """An offer; what it offers and its price never change."""

    number: str
    token: str = Field(description="Whoever has it may read the quote and order by it.")
    issued_at: datetime
    valid_until: date = Field(description="The last day on which it can be ordered.")
    expired: bool
    lines: list[QuoteLineAnswer]
    total: Amount = Field(description="Without delivery and sales tax.")
    links: QuoteLinks
