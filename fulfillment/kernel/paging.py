"""Pages of a list, by cursor: the last key one has seen, in a form nobody is tempted to build himself."""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from typing import Annotated, Any, TypeVar

from flask_babel import gettext as _
from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from fulfillment.kernel.messages import Asked
from fulfillment.kernel.openapi import Fault, Refused

T = TypeVar("T")
MOST = 100


def _whole(value: Any) -> Any:
    """The digits of a query as a number."""
    if isinstance(value, str):
        if not re.fullmatch("[0-9]{1,9}", value):
            raise PydanticCustomError("int_type", "not a whole number")
        return int(value)
    return value


class Paged(Asked):
    """Which part of a list."""

    limit: Annotated[int, BeforeValidator(_whole)] = Field(
        20, ge=1, le=MOST, description="How many at most.",
        json_schema_extra={"type": "integer", "minimum": 1, "maximum": MOST, "default": 20, "examples": [20]},
    )
    cursor: str = Field(
        "", max_length=200, description="`next` of the page before.", json_schema_extra={"type": "string", "maxLength": 200},
    )


def page_of(everything: Sequence[T], key: Callable[[T], str], wanted: Paged) -> tuple[Sequence[T], str | None]:
    """A page, and the cursor of the next one. Raises Refused for a cursor that is none of ours, or that is out of date."""
    start = 0
    if wanted.cursor:
        keys = [key(each) for each in everything]
        seen = _read(wanted.cursor)
        if seen not in keys:
            raise Refused(422, [Fault({"parameter": "cursor"}, _("This cursor leads nowhere. Please begin with the first page again."))])
        start = keys.index(seen) + 1
    page = everything[start : start + wanted.limit]
    more = start + wanted.limit < len(everything)
    return page, urlsafe_b64encode(key(page[-1]).encode()).decode().rstrip("=") if more else None


def _read(cursor: str) -> str:
    try:
        return urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except ValueError:
        return ""
