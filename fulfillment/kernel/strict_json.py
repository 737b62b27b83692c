"""Reading JSON from strangers: one object, no surprises, or a refusal that says what is wrong.

The standard library's reader takes more than RFC 8259 allows and decides silently where the RFC is
silent (the last of two equal names wins). A program that orders computers should hear about it.
"""

from __future__ import annotations

import json
from typing import Any, ClassVar, NoReturn

from fulfillment.kernel.refusals import Refusal

DEEPEST = 8
"""Levels of objects and lists in each other; ours need four."""

EXACT = 2**53
"""Below this a JSON number with a point is the whole number it looks like. Source: RFC 8259, 6."""


class Unreadable(Refusal):
    """What came is not a JSON object, or can be read in more than one way."""

    status: ClassVar[int] = 400


class TooDeep(Refusal):
    """Objects in objects in objects."""


def read_object(raw: bytes) -> dict[str, Any]:
    """The JSON object in these bytes. Raises Unreadable, TooDeep."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Unreadable("The content is not UTF-8.") from error
    try:
        content = json.loads(text, object_pairs_hook=_object, parse_constant=_no_number, parse_float=_number)
        json.dumps(content, ensure_ascii=False).encode("utf-8")  # half a surrogate pair is no character
    except RecursionError as error:
        raise TooDeep("The content is nested more than {most} levels deep.", most=DEEPEST) from error
    except ValueError as error:
        raise Unreadable("The content is not valid JSON.") from error
    if not isinstance(content, dict):
        raise Unreadable("The content must be one JSON object.")
    if _depth(content) > DEEPEST:
        raise TooDeep("The content is nested more than {most} levels deep.", most=DEEPEST)
    return content


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise Unreadable("The content has the field “{name}” twice.", name=name[:40].encode("utf-8", "replace").decode())
        found[name] = value
    return found


def _number(text: str) -> float | int:
    """JSON has one kind of number, so 2.0 is the whole number 2; 1.5 stays what it is, for the model to refuse."""
    value = float(text)
    return int(value) if value.is_integer() and abs(value) < EXACT else value


def _no_number(constant: str) -> NoReturn:
    raise Unreadable("{constant} is not a JSON number.", constant=constant)


def _depth(value: object) -> int:
    """Levels of nesting; counted without recursion, as the content may be the attack."""
    deepest, waiting = 0, [(value, 1)]
    while waiting:
        here, level = waiting.pop()
        children = here.values() if isinstance(here, dict) else here if isinstance(here, list) else None
        if children is not None:
            deepest = max(deepest, level)
            waiting.extend((child, level + 1) for child in children)
    return deepest
