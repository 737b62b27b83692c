"""A visitor with a browser without script: reads pages, fills in their forms, sends back the tokens they came with."""

from __future__ import annotations

import re
from typing import Any, Self

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.builders.people import PASSWORD

SHIP_TO = {
    "name": "Ada Moss", "company": "", "line1": "12 Willow Road", "line2": "", "city": "Austin", "state": "TX", "postcode": "78701",
    "phone": "+1 512 555 0101",
}
DETAILS = {**SHIP_TO, "email": "ada@example.com", "delivery": "standard"}


def guarded(app: Flask) -> Flask:
    """The shop as strangers meet it: forms need their token, and what breaks is a page."""
    app.config.update(WTF_CSRF_ENABLED=True, PROPAGATE_EXCEPTIONS=False, TESTING=False)
    return app


class Visitor:
    """One browser; `token` and `press` are those of the last page with a form."""

    def __init__(self, app: Flask) -> None:
        self.client: FlaskClient = app.test_client()
        self.token = self.press = ""

    def get(self, path: str, **its: Any) -> TestResponse:
        """Open a page."""
        page = self.client.get(path, **its)
        hidden = r'name="csrf_token" value="([^"]+)"><input type="hidden" name="press" value="([^"]+)"'
        found = re.search(hidden, page.text) if page.mimetype == "text/html" else None
        if found:
            self.token, self.press = found.groups()
        return page

    def post(self, path: str, fields: dict[str, Any] | None = None, *, on: str = "/status") -> TestResponse:
        """Send a form that stands on the page `on`."""
        if on or not self.token:
            self.get(on or "/status")
        return self.client.post(path, data={"csrf_token": self.token, "press": self.press, **(fields or {})})

    def again(self, path: str, fields: dict[str, Any] | None = None) -> TestResponse:
        """Send a form of the page that is still open."""
        return self.post(path, fields, on="")

    def signed_in(self, email: str = "ada@example.com", password: str = PASSWORD) -> Self:
        """Sign in on the page that is there for it."""
        answer = self.post("/account/sign-in", {"email": email, "password": password}, on="/account/sign-in")
        assert answer.status_code == 303, answer.text
        return self

    def quote(self, model: str = "skein-14", quantity: str = "1", **choices: str) -> str:
        """Have a machine quoted; the token of the quote."""
        answer = self.post(f"/configure/{model}", {"quantity": quantity, "then": "quote", **choices})
        assert answer.status_code == 303, answer.text
        return answer.headers["Location"].rsplit("/", 1)[1]

    def cookie(self) -> str:
        """The session as the browser keeps it."""
        kept = self.client.get_cookie("shop")
        return kept.value if kept is not None else ""

    def with_cookie(self, value: str, name: str = "shop") -> Self:
        """Present this cookie from now on."""
        self.client.set_cookie(name, value)
        return self
