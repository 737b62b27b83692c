"""The JSON API's one way of declaring an operation: what it takes, what it answers, how it can fail.

An `Api` is a blueprint below /api/v1. Its `operation` registers a handler and writes the declaration
down; reading the request, checking it, answering and the OpenAPI document are all done from that one
declaration, so they cannot disagree. A handler gets checked values and returns a model.

Programs are strangers here: the session cookie is never looked at, nothing is taken from it.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from typing import Any, Literal, TypeVar

from flask import Blueprint, Flask, Request, Response, request, url_for
from flask.blueprints import BlueprintSetupState
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from pydantic import BaseModel, ValidationError

from fulfillment.kernel.errors import phrase, problem, translated
from fulfillment.kernel.i18n import current_locale
from fulfillment.kernel.messages import Answer, Asked, Links
from fulfillment.kernel.refusals import NotFound, Refusal
from fulfillment.kernel.settings import settings
from fulfillment.kernel.strict_json import read_object
from fulfillment.kernel.web import csrf_exempt, limiter, public

PREFIX = "/api/v1"
MOST_BYTES = 64 * 1024
"""Of a request's content."""
WRONG_TRIES = "15/minute;120/hour"
JSON, PDF = "application/json", "application/pdf"

Handler = TypeVar("Handler", bound=Callable[..., "Answer | Response"])


@dataclass(frozen=True, slots=True)
class Parameter:
    """A value in the address or in a header."""

    name: str
    place: Literal["path", "header"]
    description: str
    example: str
    pattern: str = ""
    required: bool = True
    secret: bool = False
    """It proves who asks: without it the answer is 401, and the document lists it under security."""

    @property
    def argument(self) -> str:
        """What the handler calls it."""
        return self.name.lower().replace("-", "_")


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with a request, and where: a JSON pointer, or the name of a parameter."""

    place: Mapping[str, str]
    detail: str
    """In the reader's language."""


class Refused(Refusal):
    """The request cannot be granted as it stands; says of each value what is wrong with it."""

    def __init__(
        self, code: int, faults: list[Fault], message: str = "Some of what was sent cannot be accepted.", **values: object,
    ) -> None:
        super().__init__(message, **values)
        self.code = code
        self.faults = faults


class NotAcceptable(Refusal):
    """The program reads nothing that we can write."""

    status = 406


class WrongKind(Refusal):
    """Content that is not JSON."""

    status = 415


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing a program can ask for."""

    method: str
    path: str
    name: str
    summary: str
    description: str
    tag: str
    answer: type[Answer] | None
    """None: a PDF."""
    status: int
    body: type[Asked] | None
    query: type[Asked] | None
    parameters: tuple[Parameter, ...]
    problems: tuple[int, ...]
    cacheable: bool

    @property
    def content(self) -> str:
        """The kind of content of a good answer."""
        return JSON if self.answer is not None else PDF

    @property
    def failures(self) -> list[int]:
        """Every status it can fail with: its own, and those that come with what it takes."""
        found = {*self.problems, 406, 429, 503}
        found |= {401} if any(parameter.secret for parameter in self.parameters) else set()
        found |= {400} if any(parameter.place == "header" and not parameter.secret for parameter in self.parameters) else set()
        found |= {404} if any(parameter.place == "path" for parameter in self.parameters) else set()
        found |= {400, 413, 415, 422} if self.body else set()
        found |= {422} if self.query else set()
        return sorted(found)


OPERATIONS: dict[tuple[str, str], Operation] = {}
"""Everything a program can ask for, by path and method."""


class Api:
    """The operations of one slice."""

    def __init__(self, name: str, module: str, *, tag: str) -> None:
        self.bp = Blueprint(name, module, url_prefix=PREFIX)
        self.tag = tag
        self.bp.record(_without_sessions)
        self.bp.register_error_handler(Refused, _refused)

    def operation(
        self, method: Literal["GET", "POST"], path: str, *, answer: type[Answer] | None, status: int = 200, body: type[Asked] | None = None,
        query: type[Asked] | None = None, parameters: tuple[Parameter, ...] = (), problems: tuple[int, ...] = (),
        limit: str = "240/minute", guesses: str = "", counted: tuple[Callable[[Any], Any], ...] = (),
        cacheable: bool = False,
    ) -> Callable[[Handler], Handler]:
        """Declare the decorated handler as an operation; its docstring is the description.

        The handler is called with the parameters by name, and with `body` and `query` where they are
        declared. Where an answer could be guessed, `guesses` names what: operations of the same name share
        one limit of wrong tries. `counted` are further limits of the slice's own.
        """

        def declare(handler: Handler) -> Handler:
            summary, __, description = (inspect.getdoc(handler) or "").partition("\n")
            operation = Operation(
                method, path, handler.__name__, summary, description.strip(), self.tag, answer, status, body, query, parameters, problems,
                cacheable,
            )
            OPERATIONS[path, method] = operation

            @wraps(handler)
            def view(**values: str) -> ResponseReturnValue:
                return _respond(operation, handler(**_read(operation, values)))

            limited: Callable[..., ResponseReturnValue] = limiter.limit(limit)(view)
            if guesses:
                limited = limiter.shared_limit(WRONG_TRIES, scope=guesses, deduct_when=_was_wrong)(limited)
            for count in counted:
                limited = count(limited)
            rule = path.replace("{", "<").replace("}", ">")
            self.bp.add_url_rule(rule, handler.__name__, public(csrf_exempt(limited)), methods=[method])
            return handler

        return declare


def _was_wrong(response: Response) -> bool:
    return response.status_code in {401, 404}


class _SessionsOfPages(SecureCookieSessionInterface):
    """Pages have a session; a program has none: its cookies are not read, and it is sent none."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """The session of a page; Flask puts one that holds nothing in place of None."""
        return None if request.path.startswith(PREFIX) else super().open_session(app, request)


def _without_sessions(state: BlueprintSetupState) -> None:
    assert isinstance(state.app, Flask)
    state.app.session_interface = _SessionsOfPages()


def _refused(refusal: Refused) -> Response:
    faults = [{**fault.place, "detail": fault.detail} for fault in refusal.faults]
    return problem(refusal.code, phrase(refusal.code), translated(refusal), errors=faults)


def _read(operation: Operation, path: Mapping[str, str]) -> dict[str, Any]:
    """The checked values of the request, as the handler takes them. Raises Refusal."""
    if request.accept_mimetypes.provided and not request.accept_mimetypes[operation.content]:
        raise NotAcceptable("This address answers with {kind} only.", kind=operation.content)
    values: dict[str, Any] = {name: value.replace("\x00", "\ufffd") for name, value in path.items()}  # PostgreSQL holds no NUL
    for parameter in sorted(operation.parameters, key=lambda parameter: not parameter.secret):
        if parameter.place == "header":
            values[parameter.argument] = _header(parameter)
    if operation.query is not None:
        values["query"] = _checked(operation.query, _query(), "parameter")
    if operation.body is not None:
        values["body"] = _checked(operation.body, _content(operation.body), "pointer")
    return values


def _header(parameter: Parameter) -> str | None:
    value = request.headers.get(parameter.name)
    if value is None and not parameter.required:
        return None
    place = {"header": parameter.name}
    if value is None or not value.strip():
        fault = Fault(place, _("This header is missing."))
        raise Refused(401 if parameter.secret else 400, [fault], "Please send the header {name}.", name=parameter.name)
    if parameter.pattern and re.search(parameter.pattern, value) is None:
        raise Refused(400, [Fault(place, in_words("string_pattern_mismatch"))])
    return value


def _query() -> dict[str, Any]:
    """The query as a flat object. Raises Refused for what is said twice."""
    twice = [name for name, values in request.args.lists() if len(values) > 1]
    if twice:
        raise Refused(422, [Fault({"parameter": name}, in_words("twice")) for name in twice])
    return request.args.to_dict()


def _content(model: type[Asked]) -> dict[str, Any]:
    """The JSON object that was sent; nothing at all is an empty one where nothing is required. Raises Refusal."""
    request.max_content_length = MOST_BYTES
    raw = request.get_data(cache=False)
    if not raw and not request.content_type and not required(model):
        return {}
    if request.mimetype != JSON or request.mimetype_params.get("charset", "utf-8").lower() not in {"utf-8", "utf8"}:
        raise WrongKind("Please send {kind}.", kind=JSON)
    return read_object(raw)


def required(model: type[BaseModel]) -> bool:
    """Whether anything has to be said in it."""
    return any(field.is_required() for field in model.model_fields.values())


def _checked(model: type[Asked], content: dict[str, Any], kind: str) -> Asked:
    try:
        return model.model_validate(content)
    except ValidationError as error:
        faults: dict[str, Fault] = {}
        for found in error.errors(include_url=False, include_input=False):
            where = _place(content, found["loc"], found["type"])
            place = {"pointer": pointer(*where)} if kind == "pointer" else {kind: str(where[0]) if where else ""}
            faults.setdefault(str(place), Fault(place, in_words(found["type"], **found.get("ctx", {}))))
        raise Refused(422, list(faults.values())) from error


def _place(content: object, loc: tuple[int | str, ...], kind: str) -> list[int | str]:
    """Where in the content it is: the validator's path without the steps that are its own (the branch of a union, say)."""
    here, found = content, list[int | str]()
    for number, step in enumerate(loc):
        children: Mapping[Any, Any] = here if isinstance(here, dict) else dict(enumerate(here)) if isinstance(here, list) else {}
        if step in children:
            here = children[step]
            found.append(step)
        elif kind == "missing" and number == len(loc) - 1:
            found.append(step)
    return found


def pointer(*steps: int | str) -> str:
    """The JSON pointer to a value, as a URI fragment's text. Source: RFC 6901."""
    return "#" + "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in steps)


_SENTENCES = {
    "missing": _l("This field is missing."),
    "extra_forbidden": _l("There is no such field."),
    "int_type": _l("Please give a whole number."),
    "string_type": _l("Please give a text."),
    "string_unicode": _l("Please give a text."),
    "bool_type": _l("Please give true or false."),
    "list_type": _l("Please give a list."),
    "model_type": _l("Please give an object."),
    "dict_type": _l("Please give an object."),
    "greater_than_equal": _l("The least is {ge}."),
    "less_than_equal": _l("The most is {le}."),
    "string_too_short": _l("The text is too short: {min_length} characters at least."),
    "string_too_long": _l("The text is too long: {max_length} characters at most."),
    "too_short": _l("The list is too short: {min_length} entries at least."),
    "too_long": _l("The list is too long: {max_length} entries at most."),
    "string_pattern_mismatch": _l("This value is not of the form that is asked for."),
    "literal_error": _l("Please give one of these: {expected}."),
    "email": _l("Please give an e-mail address that we can write to."),
    "twice": _l("This was given twice."),
}


def in_words(kind: str, **context: object) -> str:
    """What is wrong, in a sentence of ours instead of the library's."""
    return str(_SENTENCES.get(kind, _l("This value cannot be accepted."))).format(**context)


@contextmanager
def at(*steps: int | str) -> Iterator[None]:
    """Tell of a refusal in the block which value of the content it is about; what does not exist is then a wrong value."""
    try:
        yield
    except Refused:
        raise
    except Refusal as refusal:
        code = 422 if isinstance(refusal, NotFound) else refusal.status
        raise Refused(code, [Fault({"pointer": pointer(*steps)}, translated(refusal))]) from refusal


def absolute(endpoint: str, **values: Any) -> str:
    """The whole address of an endpoint."""
    return settings().base_url + url_for(endpoint, **values)


def _respond(operation: Operation, told: Answer | Response) -> Response:
    response = told if isinstance(told, Response) else Response(told.model_dump_json(), operation.status, mimetype=JSON)
    if operation.status == 201 and isinstance(links := getattr(told, "links", None), Links):
        response.headers["Location"] = links.self
    response.headers["Content-Language"] = current_locale()
    response.headers["Cache-Control"] = "private, no-cache" if operation.cacheable else "private, no-store"
    response.vary.update(("Accept-Language",))
    if operation.cacheable:
        response.add_etag(weak=True)
        response.make_conditional(request)
    return response
