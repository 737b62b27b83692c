"""Answers: pages of a list, and `expand`, which replaces ids by the objects they stand for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fulfillment.billing.simulator import contract
from fulfillment.billing.simulator.errors import invalid
from fulfillment.billing.simulator.state import Account, Obj, public

_COMPARE = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
_ON_REQUEST = {("checkout.session", "line_items"), ("charge", "refunds")}
"""Lists that an answer carries only when it was asked for them."""


def listed(
    account: Account, kind: str, params: Obj, url: str, *filters: str, types: Iterable[str] = (), **equal: Any
) -> Obj:
    """One page of a kind, the newest first: those that fit the given `filters` of the request, and `equal`."""
    limit = params.get("limit", 10)
    if not 1 <= limit <= 100:
        raise invalid("Invalid integer: limit must be between 1 and 100", param="limit")
    if "starting_after" in params and "ending_before" in params:
        raise invalid("You may only specify one of these parameters: starting_after, ending_before.")
    where = ["kind = ?"]
    values: list[Any] = [kind]
    for name, value in {**{name: params[name] for name in filters if name in params}, **equal}.items():
        where.append(f"json_extract(body, '$.{name}') IS ?")
        values.append(value)
    for compare, moment in _moments(params.get("created")):
        field = "created" if contract.has_field(kind, "created") else "date"
        where.append(f"json_extract(body, '$.{field}') {compare} ?")
        values.append(moment)
    if types:
        any_of = " OR ".join("json_extract(body, '$.type') GLOB ?" for _ in types)
        where.append(f"({any_of})")
        values.extend(types)
    backwards = "ending_before" in params
    for param, compare in (("starting_after", "<"), ("ending_before", ">")):
        if param in params:
            where.append(f"seq {compare} ?")
            values.append(account.place(kind, params[param], param))
    found = account.select(" AND ".join(where), values, newest_first=not backwards, limit=limit + 1)
    data = found[:limit]
    return {
        "object": "list",
        "url": url,
        "has_more": len(found) > limit,
        "data": list(reversed(data)) if backwards else data,
    }


def _moments(wanted: int | dict[str, int] | None) -> list[tuple[str, int]]:
    """The `created` of a request as comparisons."""
    if isinstance(wanted, int):
        return [("=", wanted)]
    return [(_COMPARE[name], moment) for name, moment in (wanted or {}).items()]


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
        return {**public(listed(account, "refund", {}, f"/v1/charges/{identity}/refunds", charge=identity))}
    items = public(account.get(kind, identity)["_items"])
    url = f"/v1/checkout/sessions/{identity}/line_items"
    return {"object": "list", "url": url, "has_more": False, "data": items}
