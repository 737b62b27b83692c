"""A program of somebody's that talks to the JSON API, for tests."""

from __future__ import annotations

import uuid
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

SHIP_TO = {"name": "Ada Moss", "line1": "12 Willow Road", "city": "Austin", "state": "TX", "postcode": "78701", "phone": "+1 512 555 0101"}
"""Texas takes 6.25 %, on the delivery too."""


class Program:
    """Sends JSON below /api/v1, reads the answer's language and keeps no cookies of its own accord."""

    def __init__(self, client: FlaskClient, language: str = "en") -> None:
        self.client = client
        self.language = language

    def get(self, path: str, **headers: str) -> TestResponse:
        return self.client.get(f"/api/v1{path}", headers=self._headers(headers))

    def post(self, path: str, content: Any = None, **headers: str) -> TestResponse:
        return self.client.post(f"/api/v1{path}", json={} if content is None else content, headers=self._headers(headers))

    def send(self, path: str, raw: bytes, kind: str = "application/json") -> TestResponse:
        """Bytes as they are."""
        return self.client.post(f"/api/v1{path}", data=raw, content_type=kind, headers=self._headers({}))

    def _headers(self, given: dict[str, str]) -> dict[str, str]:
        names = {"key": "Idempotency-Key", "proof": "Order-Proof", "accept": "Accept", "cookie": "Cookie"}
        return {"Accept-Language": self.language, **{names[name]: value for name, value in given.items()}}

    def quote(self, model: str = "skein-14", quantity: int = 1, **choices: str) -> dict[str, Any]:
        answer = self.post("/quotes", {"model": model, "choices": choices, "quantity": quantity})
        assert answer.status_code == 201, answer.text
        return dict(answer.json or {})

    def order(self, content: dict[str, Any] | None = None, *, key: str = "") -> TestResponse:
        """Two monitors to Texas when nothing else is said."""
        return self.post("/orders", {**make_order(), **(content or {})}, key=key or str(uuid.uuid4()))


def make_order(**content: Any) -> dict[str, Any]:
    return {"items": [{"sku": "MON-24", "quantity": 2}], "email": "ada@example.com", "ship_to": SHIP_TO, **content}


def faults(answer: TestResponse) -> dict[str, str]:
    """Where -> what is wrong, of a problem."""
    assert answer.content_type == "application/problem+json", answer.text
    told = dict(answer.json or {})["errors"]
    return {str(next(fault[place] for place in ("pointer", "parameter", "header") if place in fault)): fault["detail"] for fault in told}
