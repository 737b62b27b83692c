"""Programs that send anything: schemathesis fuzzes every operation from the document that is served."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, settings
from schemathesis import Case
from schemathesis.config import SchemathesisConfig

import storefront.checkout.api
import wsgi
from fulfillment.assembly.service import units_of
from fulfillment.kernel import openapi
from fulfillment.kernel.db import transaction
from fulfillment.kernel.openapi_document import document
from storefront.api import NAME, VERSION
from tests.builders.programs import Program
from tests.builders.walk import walk_order

pytestmark = [pytest.mark.slow, pytest.mark.stocked]

wsgi.load_slices()
config = SchemathesisConfig.from_dict({
    "seed": 2026,
    "checks": {
        # What a schema allows may still name a machine that we do not make, so that check is ours, below.
        "positive_data_acceptance": {"enabled": False},
        # A wrong proof must not tell whether there is such an order: 404, as for every other number.
        "ignored_auth": {"enabled": False},
    },
})
described = schemathesis.openapi.from_dict(document(NAME, VERSION), config=config)
bounded = settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))

OF_CONTENT = {"email", "twice"}
OF_FORM = {str(sentence).split("{")[0] for kind, sentence in openapi._SENTENCES.items() if kind not in OF_CONTENT}
"""How the sentences begin that say that a value is not even of the right form."""


@dataclass(frozen=True)
class Shop:
    """The stocked shop, and things in it that a program may know of."""

    app: Flask
    token: str
    shipped: str
    booked: str
    tag: str


@pytest.fixture
def shop(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """A shop with a quote, a booked order and one that is on its way; the card provider answers at once."""
    monkeypatch.setattr(storefront.checkout.api, "start_checkout", lambda number, **_: f"https://pay.example/{number}")
    app.config["PROPAGATE_EXCEPTIONS"] = False
    token = Program(app.test_client()).quote()["token"]
    with transaction() as session:
        booked = walk_order(session, up_to="booked").number
        shipped = walk_order(session, up_to="shipped").number
        [unit] = units_of(session, shipped)
    return Shop(app, token, shipped, booked, unit.tag)


def validate(case: Case[Any], shop: Shop) -> int:
    """Send it, and compare the answer with the document."""
    answer = case.call_and_validate(app=shop.app, headers={"Accept-Encoding": "identity"})
    if answer.status_code == 422 and case.meta is not None and case.meta.generation.mode.is_positive:
        told = [fault["detail"] for fault in answer.json().get("errors", ())]
        assert [detail for detail in told if detail.startswith(tuple(OF_FORM))] == [], "the document allows what is refused"
    return answer.status_code


@described.parametrize()
@bounded
def test_every_operation_answers_as_described(case: Case[Any], shop: Shop) -> None:
    validate(case, shop)


@described.include(path_regex=r"\{(token|number|tag)\}").parametrize()
@bounded
def test_what_exists_is_answered_as_described(case: Case[Any], shop: Shop) -> None:
    known = {"token": shop.token, "number": shop.booked if "cancel" in case.path else shop.shipped, "tag": shop.tag}
    case.path_parameters = {name: known[name] for name in case.path_parameters}
    if "number" in case.path_parameters:
        case.headers["Order-Proof"] = "ada@example.com"
    validate(case, shop)
