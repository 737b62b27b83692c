"""Answers: pages of a list, and `expand`, which replaces ids by the objects they stand for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fulfillment.billing.simulator import contract
from fulfillment.billing.simulator.errors import invalid, missing
from fulfillment.billing.simulator.state import Account, Obj, public

_COMPARE: dict[str, Callable[[int, int], bool]] = {
    "gt": lambda at, limit: at > limit,
    "gte": lambda at, limit: at >= limit,
    "lt": lambda at, limit: at < limit,
    "lte": lambda at, limit: at <= limit,
}
_ON_REQUEST = {("checkout.session", "line_items"), ("charge", "refunds")}
"""Lists that an answer carries only when it was asked for them."""


def page(found: list[Obj], params: Obj, url: str) -> Obj:
    """One page of objects given oldest first, shown newest first."""
    limit = params.get("limit", 10)
    if not 1 <= limit <= 100:
        raise invalid("Invalid integer: limit must be between 1 and 100", param="limit")
    rows = [one for one in reversed(found) if _created_fits(one, params.get("created"))]
    if "starting_after" in params and "ending_before" in params:
        raise invalid("You may only specify one of these parameters: starting_after, ending_before.")
    if "starting_after" in params:
        rows = rows[_place(rows, params["starting_after"], "starting_after") + 1 :]
    elif "ending_before" in params:
        rows = rows[: _place(rows, params["ending_before"], "ending_before")]
        return {"object": "list", "url": url, "has_more": len(rows) > limit, "data": rows[-limit:]}
    return {"object": "list", "url": url, "has_more": len(rows) > limit, "data": rows[:limit]}


def listed(account: Account, kind: str, params: Obj, url: str, *filters: str) -> Obj:
    """The page of a kind, filtered by those parameters that are given."""
    equal = {name: params[name] for name in filters if name in params}
    return page(account.find(kind, **equal), params, url)


def _created_fits(one: Obj, wanted: int | dict[str, int] | None) -> bool:
    if wanted is None:
        return True
    created = int(one["created"] if "created" in one else one["date"])
    if isinstance(wanted, int):
        return created == wanted
    return all(_COMPARE[name](created, limit) for name, limit in wanted.items())


def _place(rows: list[Obj], identity: str, param: str) -> int:
    for place, one in enumerate(rows):
        if one["id"] == identity:
            return place
    raise missing("object", identity, param)


def expanded(account: Account, answer: Obj, paths: list[str]) -> Obj:
    """A public copy of the answer with the given paths expanded. Raises StripeRefusal."""
    copy: Obj = public(answer)
    for path in paths:
        if path.count(".") > 3:
            raise invalid(f"You cannot expand more than 4 levels of a property ({path}).", param="expand")
        _expand(account, copy, path.split("."), path)
    return copy


def _expand(account: Account, owner: Any, steps: list[str], path: str) -> None:
    if isinstance(owner, list):
        for item in owner:
            _expand(account, item, steps, path)
        return
    if not steps or not isinstance(owner, dict):
        return
    name, kind = steps[0], owner.get("object", "")
    if kind == "list" and name == "data":
        _expand(account, owner["data"], steps[1:], path)
        return
    if (kind, name) in _ON_REQUEST:
        owner[name] = _requested(account, kind, owner["id"])
    elif name not in owner or not kind or not (contract.is_expandable(kind, name) or isinstance(owner[name], dict)):
        told = f"This property cannot be expanded ({path})."
        raise invalid(told, param="expand")
    elif isinstance(owner[name], str):
        owner[name] = public(account.lookup(owner[name]))
    _expand(account, owner[name], steps[1:], path)


def _requested(account: Account, kind: str, identity: str) -> Obj:
    if kind == "charge":
        found = account.find("refund", charge=identity)
        return {**page(public(found), {}, f"/v1/charges/{identity}/refunds")}
    items = public(account.get(kind, identity)["_items"])
    url = f"/v1/checkout/sessions/{identity}/line_items"
    return {"object": "list", "url": url, "has_more": False, "data": items}
