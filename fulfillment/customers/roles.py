"""What each role of our staff may do, as data: views name permissions, never roles."""

from __future__ import annotations

FLOOR = frozenset({"kitting", "build", "test", "boxing"})

ROLES: dict[str, frozenset[str]] = {
    "operator": FLOOR,
    "dispatcher": frozenset({"dispatch"}),
    "buyer": frozenset({"purchasing"}),
    "clerk": frozenset({"orders"}),
    "accountant": frozenset({"books", "orders"}),
    "merchant": frozenset({"prices"}),
    "administrator": FLOOR | {"dispatch", "purchasing", "orders", "books", "jobs", "prices"},
}
"""Every role also has "desk": to see the desks' front page."""


def permissions_of(role: str) -> frozenset[str]:
    """The role's permissions; an unknown role has none."""
    allowed = ROLES.get(role)
    return frozenset() if allowed is None else allowed | {"desk"}
