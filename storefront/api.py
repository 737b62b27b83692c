"""The description of the JSON API, made from the operations that the slices declare."""

from __future__ import annotations

from functools import cache
from typing import cast

from flask import Blueprint, Response, json, request
from flask.typing import ResponseReturnValue

from fulfillment.kernel.openapi import JSON, PREFIX
from fulfillment.kernel.openapi_document import document
from fulfillment.kernel.web import limiter, public

bp = Blueprint("api", __name__, url_prefix=PREFIX)

NAME = "Larkmill"
VERSION = "1.0.0"
"""Of the API; its first number is in every address."""


@cache
def _written() -> bytes:
    return json.dumps(document(NAME, VERSION), ensure_ascii=False, sort_keys=False).encode()


@bp.get("/openapi.json")
@public
@limiter.limit("60/minute")
def openapi() -> ResponseReturnValue:
    """Everything a program can ask for, as OpenAPI 3.1."""
    response = Response(_written(), mimetype=JSON)
    response.add_etag(weak=True)
    return cast("Response", response.make_conditional(request))
