"""What every desk shares: its blueprint, who is at it, the list of desks one may open, and how an act is answered.

Badges are quick and can be lost, so a session that began with one never holds more than the floor's
own permissions, whatever becomes of its owner's role.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, Response, request, url_for
from flask import session as visit
from flask.typing import ResponseReturnValue
from flask_babel import format_timedelta
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from fulfillment.customers.roles import FLOOR
from fulfillment.kernel.clock import now, today
from fulfillment.kernel.once import press
from fulfillment.kernel.web import current_staff, pressed, see_other, sign_out

bp = Blueprint("console", __name__, url_prefix="/desk", template_folder="templates")

DESKS: list[tuple[str, str, Any]] = [
    ("console.floor", "desk", _l("Floor")),
    ("console.kitting", "kitting", _l("Kitting")),
    ("console.build", "build", _l("Build")),
    ("console.test", "test", _l("Test")),
    ("console.boxing", "boxing", _l("Boxing")),
    ("console.dispatch", "dispatch", _l("Dispatch")),
    ("console.orders", "orders", _l("Orders")),
    ("console.purchasing", "purchasing", _l("Purchasing")),
    ("console.stock", "purchasing", _l("Stock")),
    ("console.books", "books", _l("Books")),
    ("console.jobs", "jobs", _l("Jobs")),
]
"""Endpoint, permission, name."""

BY_BADGE = "by_badge"
"""The mark of a session that began with a badge."""
BADGE_MAY = FLOOR | {"desk"}


def add_desk(endpoint: str, permission: str, name: Any) -> None:
    """Put a desk into the bar that is not this package's own: what lies above says it here."""
    if endpoint not in {known for known, _permission, _name in DESKS}:
        DESKS.append((endpoint, permission, name))


def my_desks() -> list[tuple[str, str, Any]]:
    """The desks the member of staff may open: endpoint, address, name."""
    staff = current_staff()
    held = staff.permissions if staff else frozenset()
    return [(endpoint, url_for(endpoint), label) for endpoint, permission, label in DESKS if permission in held]


def may(permission: str) -> bool:
    """Whether the one at the desk has this permission."""
    staff = current_staff()
    return staff is not None and permission in staff.permissions


def operator() -> str:
    """The name that goes on the record of whatever is done at this desk."""
    staff = current_staff()
    assert staff is not None
    return staff.name


def done(endpoint: str, message: str, **values: Any) -> Response:
    """Go on after an act, with a word about it; a page that was fetched by script is told to go there itself."""
    answer = see_other(endpoint, message, **values)
    if "HX-Request" not in request.headers:
        return answer
    return Response(headers={"HX-Redirect": answer.headers["Location"]})


def once(session: Session, act: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Do `act` once for this form as it was rendered and filled in; pressed again it gives the same answer."""
    sent = sorted((name, value) for name, value in request.form.items(multi=True) if name not in {"csrf_token", "press"})
    return press(session, f"desk.{request.endpoint}", pressed(), [request.path, sent], act)


def age(since: datetime | timedelta | None) -> str:
    """“3 hours”: how long something has waited."""
    if since is None:
        return ""
    waited = now() - since if isinstance(since, datetime) else since
    return str(format_timedelta(max(waited, timedelta(seconds=1)), threshold=1.2))


@bp.before_request
def keep_badges_on_the_floor() -> ResponseReturnValue | None:
    """End a session that began with a badge as soon as it would open more than the floor."""
    staff = current_staff()
    if staff is None or not visit.get(BY_BADGE) or staff.permissions <= BADGE_MAY:
        return None
    sign_out()
    return see_other("console.sign_in", _("Please sign in with your password."))


bp.add_app_template_global(my_desks, "my_desks")
bp.add_app_template_global(may, "may")
bp.add_app_template_global(today, "today")
bp.add_app_template_filter(age, "age")
