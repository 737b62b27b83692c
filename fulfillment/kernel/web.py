"""The base of every page: forms, who is asking, who may come in, security headers, errors.

Every endpoint says who may call it: `@public`, `@account_required` or `@needs("permission")`; a
test walks the URL map and fails for one that says nothing. Every POST carries a CSRF token unless
its endpoint is `@csrf_exempt` by name. Flask-Login has no types, so it is wrapped here, once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, wraps
from pathlib import Path
from typing import Any, ClassVar, TypeVar, cast
from urllib.parse import urlsplit

import flask_login
import wtforms
from flask import Flask, Response, abort, current_app, flash, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_wtf.csrf import CSRFProtect
from wtforms.validators import Email, InputRequired, Length, ValidationError

from fulfillment.kernel.form_words import FormWords
from fulfillment.kernel.ids import secret_token
from fulfillment.kernel.settings import settings

csrf = CSRFProtect()
limiter = Limiter(get_remote_address, strategy="moving-window")
login = flask_login.LoginManager()

F = TypeVar("F", bound=Callable[..., Any])

ACCESS: dict[str, str] = {}
"""Endpoint function (module and name) -> "public", "account" or the staff permission it needs."""
CSRF_EXEMPT: set[str] = set()


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is asking: an account of a customer, or one of our staff."""

    kind: str
    id: str
    name: str
    email: str = ""
    permissions: frozenset[str] = frozenset()
    epoch: int = 0
    """Sessions of an earlier epoch are void: a new password ends them all."""

    is_authenticated: ClassVar[bool] = True
    is_active: ClassVar[bool] = True
    is_anonymous: ClassVar[bool] = False

    def get_id(self) -> str:
        """What the signed session cookie holds."""
        return f"{self.kind}:{self.id}:{self.epoch}"


class Form(wtforms.Form):
    """A form of ours; CSRF is checked before any view runs, so a form need not."""

    class Meta:
        """What is the same for all of them."""

        def get_translations(self, _form: wtforms.Form) -> FormWords:
            """Say what is wrong in the reader's language."""
            return FormWords()


class CsrfForm(Form):
    """A form of buttons only."""


def _principal() -> Principal | None:
    user = flask_login.current_user
    return cast("Principal", user._get_current_object()) if user.is_authenticated else None  # noqa: SLF001


def current_account() -> Principal | None:
    """The customer who is signed in, if one is."""
    who = _principal()
    return who if who is not None and who.kind == "account" else None


def current_staff() -> Principal | None:
    """The member of our staff who is signed in, if one is."""
    who = _principal()
    return who if who is not None and who.kind == "staff" else None


def sign_in(who: Principal) -> None:
    """Start a fresh session for this person: nothing planted before survives but cart and language."""
    kept = {key: session[key] for key in ("cart",) if key in session}
    session.clear()
    session.update(kept, visit=secret_token())
    session.permanent = True
    flask_login.login_user(who)


def visit() -> str:
    """What tells this person's session from every other: a signed-out one is remembered by it."""
    return str(session.get("visit", ""))


def sign_out() -> None:
    """End the session in this browser; `customers.end_visit` ends it in every copy of its cookie."""
    flask_login.logout_user()
    session.clear()


def _mark(function: Callable[..., Any], access: str) -> None:
    ACCESS[f"{function.__module__}.{function.__name__}"] = access


def public(function: F) -> F:
    """Anybody may call this endpoint."""
    _mark(function, "public")
    return function


def account_required(function: F) -> F:
    """A customer has to be signed in; a stranger is sent to sign in and comes back."""

    @wraps(function)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        if current_account() is None:
            return redirect(url_for("account.sign_in", next=request.full_path.rstrip("?")), 303)
        return function(*args, **kwargs)

    _mark(function, "account")
    return cast("F", guarded)


def needs(permission: str) -> Callable[[F], F]:
    """One of our staff with this permission has to be signed in."""

    def decorate(function: F) -> F:
        @wraps(function)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            staff = current_staff()
            if staff is None:
                return redirect(url_for("console.sign_in", next=request.full_path.rstrip("?")), 303)
            if permission not in staff.permissions:
                abort(403)
            return function(*args, **kwargs)

        _mark(function, permission)
        return cast("F", guarded)

    return decorate


def csrf_exempt(function: F) -> F:
    """Called by machines that sign or carry a token: Stripe's webhook, the API."""
    CSRF_EXEMPT.add(f"{function.__module__}.{function.__name__}")
    return csrf.exempt(function)  # type: ignore[no-any-return]


class LineField(wtforms.StringField):
    """One line of text: what is typed around it goes, and what no printer prints is refused."""

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read the line. Raises ValueError for control characters."""
        if not valuelist:
            return
        self.data = " ".join(valuelist[0].split())
        self.raw_data = [self.data]
        if not self.data.isprintable():
            raise ValueError(self.gettext("Invalid input."))


class EmailAddressField(LineField):
    """An e-mail address that every mail server can deliver to."""

    widget = wtforms.widgets.EmailInput()

    def __init__(self, label: str, description: str = "", **its: Any) -> None:
        super().__init__(label, [InputRequired(), Email(), Length(max=200), _ascii_address], description=description, **its)


def _ascii_address(_form: wtforms.Form, field: wtforms.Field) -> None:
    if not field.data.isascii():
        raise ValidationError(field.gettext("Invalid email address."))


class WholeNumberField(wtforms.IntegerField):
    """A number as people count: digits 0 to 9, not 1.5, 1e3 or the digits of another script."""

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read the digits. Raises ValueError for anything else."""
        if not valuelist:
            return
        entered = valuelist[0].strip()
        if not (entered.isascii() and entered.isdigit() and len(entered) <= 9):
            self.data = None
            raise ValueError(self.gettext("Please enter a whole number."))
        self.data = int(entered)


def safe_next(default: str) -> str:
    """Where to go after signing in: only a path of our own."""
    wanted = request.values.get("next", "")
    parts = urlsplit(wanted)
    own = wanted.startswith("/") and not wanted.startswith(("//", "/\\")) and not parts.scheme and not parts.netloc
    return wanted if own and "\\" not in wanted and "\n" not in wanted else default


def pressed() -> str:
    """What two posts of one rendered form have in common. Empty for a post that no form of ours was rendered for."""
    return request.form.get("press", "")[:40]


def see_other(endpoint: str, message: str | None = None, **values: Any) -> Response:
    """Redirect after a POST, with a word to the customer."""
    if message:
        flash(message)
    return cast("Response", redirect(url_for(endpoint, **values), 303))


def document(content: bytes, name: str, mime: str = "application/pdf") -> Response:
    """Answer with a file to read or keep."""
    response = Response(content, mimetype=mime)
    response.headers["Content-Disposition"] = f'inline; filename="{name}"'
    response.headers["Cache-Control"] = "private, no-store"
    return response


@cache
def _digest(path: Path, _changed: float) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:10]


def static_url(name: str) -> str:
    """The address of a static file, with its content's hash: it may be cached for ever."""
    path = Path(current_app.static_folder or "") / name
    return url_for("static", filename=name, v=_digest(path, path.stat().st_mtime) if path.exists() else "0")


CSP = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; "
    "form-action 'self' {payments}; style-src 'self'; script-src 'self'"
)


def _secure(response: Response) -> Response:
    payments = "https://checkout.stripe.com" if settings().stripe_api_base.startswith("https://api.stripe") else settings().stripe_api_base
    headers = response.headers
    headers.setdefault("Content-Security-Policy", CSP.format(payments=payments))
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Referrer-Policy", "strict-origin-when-cross-origin")
    headers.setdefault("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
    headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    if settings().base_url.startswith("https://"):
        headers.setdefault("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
    if request.endpoint == "static" and "v" in request.args and response.status_code in {200, 304}:
        headers["Cache-Control"] = "public, max-age=31536000, immutable"
    elif "Cache-Control" not in headers:
        headers["Cache-Control"] = "private, no-store" if "_user_id" in session else "private, no-cache"
    return response


def _refuse_nul() -> None:
    """No name, address or search has a NUL in it, and PostgreSQL keeps none: such a request is no mistake of a person."""
    if request.path.startswith("/api/"):
        return  # programs get the API's own answers
    told = [request.path]
    if request.mimetype in {"application/x-www-form-urlencoded", "multipart/form-data"}:
        told += [text for name, values in request.form.lists() for text in (name, *values)]
    if b"%00" in request.query_string or any("\0" in text for text in told):
        abort(400)


def _clear_void_session() -> None:
    """Nothing of a session survives its end: not the cart, not the orders that were looked up in it."""
    if request.endpoint != "static" and "_user_id" in session and _principal() is None:
        session.clear()


def init_app(app: Flask, load: Callable[[str, str, int, str], Principal | None]) -> None:
    """Wire sign-in, CSRF, limits, headers and what every template may use.

    `load(kind, id, epoch, visit)` finds the person of a session, or None when the session is void.
    """
    app.config.update(
        SECRET_KEY=settings().secret_key, SESSION_COOKIE_NAME="shop", SESSION_COOKIE_HTTPONLY=True, SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings().base_url.startswith("https://"), WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_SSL_STRICT=False, RATELIMIT_ENABLED=settings().rate_limits, RATELIMIT_STORAGE_URI=settings().rate_limit_storage or "memory://",
        RATELIMIT_IN_MEMORY_FALLBACK_ENABLED=True, MAX_CONTENT_LENGTH=2 * 1024 * 1024,
        MAX_FORM_MEMORY_SIZE=200_000, MAX_FORM_PARTS=2000,
    )
    app.url_map.merge_slashes = False  # its redirect would name the host that the request named
    app.before_request(_refuse_nul)
    csrf.init_app(app)
    limiter.init_app(app)
    login.init_app(app)
    login.session_protection = None

    @login.user_loader  # type: ignore[untyped-decorator]
    def load_principal(key: str) -> Principal | None:
        kind, who, epoch = key.split(":")
        return load(kind, who, int(epoch), visit())

    app.before_request(_clear_void_session)
    app.after_request(_secure)
    app.jinja_env.globals.update(
        static_url=static_url, press=lambda: secret_token(9), current_account=current_account, current_staff=current_staff,
        test_mode=settings().test_mode, settings=settings(),
    )


def not_found() -> ResponseReturnValue:
    """End the request: nothing here (or nothing of yours)."""
    abort(404, _("There is nothing at this address."))
