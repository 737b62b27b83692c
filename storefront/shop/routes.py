"""Pages of the shop window."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from fulfillment.kernel.web import public

bp = Blueprint("shop", __name__)


@bp.get("/")
@public
def home() -> ResponseReturnValue:
    """The front window."""
    return render_template("base.html")
