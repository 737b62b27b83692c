"""What a person or a program sees when the answer is no, or when something broke.

A refusal keeps its sentence and status; the database being away is a 503 that asks to come back;
everything else is a 500 without details. Programs (`/api/…`) get problem+json (RFC 9457).
"""

from __future__ import annotations

import structlog
from flask import Flask, Response, json, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException

from fulfillment.kernel.refusals import Refusal

log = structlog.get_logger()


def translated(refusal: Refusal) -> str:
    """The refusal's sentence in the reader's language."""
    sentence = str(_(refusal.template))
    return sentence.format(**refusal.values) if refusal.values else sentence


def problem(status: int, title: str, detail: str = "", **extra: object) -> Response:
    """A problem+json answer. Source: RFC 9457."""
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail or title, **extra}
    return Response(json.dumps(body), status, mimetype="application/problem+json")


def answer(status: int, title: str, detail: str) -> ResponseReturnValue:
    """A page for people, problem+json for programs."""
    if request.path.startswith("/api/"):
        return problem(status, title, detail)
    return render_template("error.html", status=status, title=title, detail=detail), status


def init_app(app: Flask) -> None:
    """Give every kind of failure its answer."""

    @app.errorhandler(Refusal)
    def refused(refusal: Refusal) -> ResponseReturnValue:
        return answer(refusal.status, _("That did not work"), translated(refusal))

    @app.errorhandler(CSRFError)
    def stale_form(_error: CSRFError) -> ResponseReturnValue:
        return answer(400, _("This form is out of date"), _("Please go back, reload the page and send the form again."))

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
        return answer(status, error.name, sentences.get(status, error.name))

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
