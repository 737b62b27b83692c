"""Puts the house together: settings, database, pages, jobs and the command line.

Imported by nothing but servers, the `flask` command and the tests. `load_slices` finds every slice
by the names of its files (models, jobs, routes, api, cli), so a new slice needs no line here.
"""

from __future__ import annotations

import gc
import importlib
import pkgutil
from functools import cache
from pathlib import Path
from types import ModuleType

from flask import Flask, Response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_compress import Compress
from sqlalchemy.exc import DBAPIError
from werkzeug.middleware.proxy_fix import ProxyFix

from configurator.releasing import make_ready
from fulfillment.customers.service import load_principal
from fulfillment.kernel import db, errors, i18n, operations, web
from fulfillment.kernel.settings import LANGUAGES, Settings, settings, use
from fulfillment.kernel.web import public, safe_next

PACKAGES = ("fulfillment", "configurator", "storefront", "premier")
RARELY = (10_000, 20, 20)
"""When garbage in circles is looked for, as `gc.set_threshold` has it: a click makes some thousand objects, and leaves few circles."""
PARTS = ("models", "checks", "jobs", "routes", "api", "cli")


@cache
def load_slices() -> dict[str, ModuleType]:
    """Import every slice's models, jobs, routes, API and commands; name -> module."""
    found: dict[str, ModuleType] = {}
    for package in PACKAGES:
        root = importlib.import_module(package)
        names = [package]
        names += [f"{package}.{m.name}" for m in pkgutil.iter_modules(root.__path__) if m.ispkg and m.name not in {"kernel", "migrations"}]
        for name in names:
            here = importlib.import_module(name)
            parts = {m.name for m in pkgutil.iter_modules(here.__path__)}
            for part in PARTS:
                if part in parts:
                    found[f"{name}.{part}"] = importlib.import_module(f"{name}.{part}")
    for part in ("mail", "cli"):
        found[f"fulfillment.kernel.{part}"] = importlib.import_module(f"fulfillment.kernel.{part}")
    return found


def create_app(chosen: Settings | None = None) -> Flask:
    """An app on the database of its settings (the environment's when none are given)."""
    if chosen is not None:
        use(chosen)
    operations.configure_logging()
    db.connect(settings().database_url)
    app = Flask("storefront", root_path=str(Path(__file__).parent / "storefront"))
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    slices = load_slices()
    i18n.init_app(app)
    web.init_app(app, load_principal)
    errors.init_app(app)
    operations.init_app(app)
    app.config["COMPRESS_LEVEL"] = 5  # of gzip: one in a hundred larger than 6, in two thirds of the time
    Compress(app)
    if settings().production:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1, x_host=1)  # type: ignore[method-assign]
    for name, module in slices.items():
        if name.endswith((".routes", ".api")):
            app.register_blueprint(module.bp)
        if name.endswith(".cli"):
            for command in module.commands:
                app.cli.add_command(command)
    _language_switch(app)
    return app


def serve() -> Flask:
    """The app for a server that forks: models are compiled once, before there are workers."""
    app = create_app()
    try:
        make_ready()
    except DBAPIError as error:
        operations.log.warning("models are compiled on first use", error=str(error)[:200])
    db.engine().dispose()
    db.read_engine().dispose()
    gc.collect()
    gc.freeze()  # models stay for good: looking through them again and again made one click in a hundred wait for a tenth of a second
    gc.set_threshold(*RARELY)
    return app


def _language_switch(app: Flask) -> None:
    @app.get("/language/<code>")
    @public
    def language(code: str) -> ResponseReturnValue:
        """Read on in another language, on the page one came from."""
        response = redirect(safe_next(url_for("shop.home")), 303)
        if code in LANGUAGES and isinstance(response, Response):
            response.set_cookie(i18n.COOKIE, code, max_age=31_536_000, samesite="Lax", httponly=True, secure=request.is_secure)
        return response
