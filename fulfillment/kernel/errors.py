"""What a person or a program sees when the answer is no, or when something broke.

A refusal keeps its sentence and status; the database being away is a 503 that asks to come back;
everything else is a 500 without details. Programs (`/api/…`) get problem+json (RFC 9457).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from enum import Enum
from http import HTTPStatus

import structlog
from flask import Flask, Response, json, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import pgettext
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException

from fulfillment.kernel.clock import now
from fulfillment.kernel.i18n import current_locale, day, money, pick
from fulfillment.kernel.money import Money
from fulfillment.kernel.refusals import Refusal
from fulfillment.kernel.web import limiter

log = structlog.get_logger()


def translated(refusal: Refusal) -> str:
    """The refusal's sentence in the reader's language."""
    sentence = str(_(refusal.template))
    return sentence.format(**{name: _in_words(value) for name, value in refusal.values.items()}) if refusal.values else sentence


def _in_words(value: object) -> object:
    """A value of a refusal as the reader writes it; a state is known by its class and its value."""
    match value:
        case Enum():
            return pgettext(type(value).__name__, str(value.value).replace("_", " "))
        case Money():
            return money(value)
        case date():
            return day(value)
        case Mapping():
            return pick(value)
    return value


def problem(status: int, title: str, detail: str = "", **extra: object) -> Response:
    """A problem+json answer. Source: RFC 9457."""
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail or title, **extra}
    response = Response(json.dumps(body), status, mimetype="application/problem+json")
    response.headers.update({"Content-Language": current_locale(), "Cache-Control": "no-store"})
    response.vary.add("Accept-Language")
    if status == 401:
        response.headers["WWW-Authenticate"] = "Order-Proof"
    if status == 503:
        response.headers["Retry-After"] = "5"
    return response


def phrase(status: int) -> str:
    """The title of a problem that has no type of its own. Source: RFC 9457, 4.2.1."""
    return HTTPStatus(status).phrase


def answer(status: int, title: str, detail: str) -> ResponseReturnValue:
    """A page for people, problem+json for programs."""
    if request.path.startswith("/api/"):
        return problem(status, phrase(status), detail)
    return render_template("error.html", status=status, title=title, detail=detail), status


def stale_form(_error: CSRFError) -> ResponseReturnValue:
    """The answer to a form whose token is not this session's."""
    return answer(400, _("This form is out of date"), _("Please go back, reload the page and send the form again."))


def init_app(app: Flask) -> None:
    """Give every kind of failure its answer."""

    @app.errorhandler(Refusal)
    def refused(refusal: Refusal) -> ResponseReturnValue:
        return answer(refusal.status, _("That did not work"), translated(refusal))

    app.register_error_handler(CSRFError, stale_form)

    @app.errorhandler(HTTPException)
    def http(error: HTTPException) -> ResponseReturnValue:
        status = error.code or 500
        if status < 400:
            return error
        sentences = {
            400: _("The request could not be read."),
            403: _("You are signed in, but you may not do this."),
            404: _("There is nothing at this address."),
            405: _("This address does not take that kind of request."),
            413: _("That is too large."),
            415: _("This address does not take that kind of content."),
            429: _("Too many tries. Please wait a moment and try again."),
        }
        title = _("There is nothing here") if status == 404 else _("That did not work")
        response = app.make_response(answer(status, title, sentences.get(status, _("This cannot be answered."))))
        response.headers.extend((name, value) for name, value in error.get_headers() if name != "Content-Type")
        if status == 429 and limiter.current_limit is not None:
            response.headers["Retry-After"] = str(max(1, limiter.current_limit.reset_at - int(now().timestamp())))
        return response

    @app.errorhandler(OperationalError)
    @app.errorhandler(InterfaceError)
    @app.errorhandler(PoolTimeout)
    def database_away(error: DBAPIError) -> ResponseReturnValue:
        log.error("database away", error=str(error)[:300])
        sentence = _("Our records are busy. Nothing was changed; please try again in a moment.")
        response = app.make_response(answer(503, _("One moment, please"), sentence))
        response.headers["Retry-After"] = "5"
        return response

    @app.errorhandler(Exception)
    def broken(error: Exception) -> ResponseReturnValue:
        if app.config.get("PROPAGATE_EXCEPTIONS"):
            raise error
        log.error("unhandled", path=request.path, exc_info=error)
        return answer(500, _("Something broke on our side"), _("We have been told. Nothing of yours is lost; please try again."))
