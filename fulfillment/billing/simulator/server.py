"""The process: one state file, the API, the pages, the control plane and the background threads together."""

from __future__ import annotations

import threading
from pathlib import Path

from flask import Flask
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from fulfillment.billing.simulator import (
    api,
    breakage,
    contract,
    control,
    invoices,
    pages,
    webhook_endpoints,
)
from fulfillment.billing.simulator.state import Account, Store
from fulfillment.billing.simulator.timing import pass_time
from fulfillment.billing.simulator.webhooks import Dispatcher

HOST = "127.0.0.1"
_RESOURCES = (invoices, webhook_endpoints)
"""Modules that are here for the operations they register."""


class _Quiet(WSGIRequestHandler):
    """Says nothing about requests; keeps connections open, as the SDK's client does."""

    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - the name in the base class
        """Nothing."""


class Simulator:
    """The provider, ready to serve on loopback."""

    def __init__(self, state: Path, port: int) -> None:
        """Open the state and bind the port (0: any). Raises StateInUse, or OSError for a port that is taken."""
        contract.operations()
        self._store = Store(state)
        self._dispatcher = Dispatcher(self._store)
        app = Flask(__name__, static_url_path="/assets")
        app.before_request(lambda: breakage.take_fault(self._store))
        app.after_request(breakage.break_after)
        app.register_blueprint(api.blueprint(self._store))
        app.register_blueprint(pages.blueprint(self._store))
        app.register_blueprint(control.blueprint(self._store, self._dispatcher))
        self._server: BaseWSGIServer = make_server(HOST, port, app, threaded=True, request_handler=_Quiet)
        self._store.host = self.url
        with self._store.transaction() as account:
            _move_pages(account)

    @property
    def url(self) -> str:
        """The base address for the SDK."""
        return f"http://{HOST}:{self._server.port}"

    def serve(self) -> None:
        """Serve until the process ends."""
        self._dispatcher.start()
        threading.Thread(target=self._keep_time, name="time", daemon=True).start()
        self._server.serve_forever()

    def _keep_time(self) -> None:
        """Let time pass also while nobody asks."""
        pause = threading.Event()
        while not pause.wait(1):
            with self._store.reading() as account:
                due = bool(account.overdue())
            if due:
                with self._store.transaction() as account:
                    pass_time(account)


def _move_pages(account: Account) -> None:
    """Pages that are still open are found at this process's port."""
    for session in account.find("checkout.session", status="open"):
        session["url"] = f"{account.host}/c/pay/{session['id']}"
    for intent in account.find("payment_intent", status="requires_action"):
        intent["next_action"]["redirect_to_url"]["url"] = f"{account.host}/3ds/{intent['id']}"
