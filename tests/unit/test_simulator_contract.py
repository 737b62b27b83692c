"""The request contract, read from the installed SDK: what Stripe takes and what it refuses."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

import pytest
import stripe
from hypothesis import given
from hypothesis import strategies as st

from fulfillment.billing.simulator import contract
from fulfillment.billing.simulator.contract import CheckedClient, ContractBroken, check
from fulfillment.billing.simulator.routing import HANDLERS, serves
from fulfillment.billing.simulator.server import Simulator

INTENT = "amount=129900&currency=usd"


def violations(method: str, path: str, form: str) -> list[tuple[str, str | None]]:
    found, _, _ = check(method, path, parse_qsl(form, keep_blank_values=True))
    return [(one.param, one.code) for one in found]


def typed(method: str, path: str, form: str) -> Mapping[str, Any]:
    found, values, _ = check(method, path, parse_qsl(form, keep_blank_values=True))
    assert found == []
    return values


def test_the_sdk_carries_the_whole_api() -> None:
    operations = contract.operations()

    assert len(operations) == 648
    assert stripe.api_version == contract.API_VERSION
    assert all(
        one.params_type() is not None for one in operations if one.method == "POST" and one.template == "/v1/refunds"
    )


def test_it_is_read_in_about_a_second() -> None:
    timed = (
        "import time; started = time.perf_counter(); from fulfillment.billing.simulator import contract;"
        "contract.operations(); print(time.perf_counter() - started)"
    )
    seconds = subprocess.run([sys.executable, "-c", timed], capture_output=True, text=True, check=True).stdout
    assert float(seconds) < 4  # about 0.8 on a quiet machine


def test_values_are_typed_and_the_template_is_named() -> None:
    found, values, template = check(
        "POST",
        "/v1/payment_intents/pi_1/capture",
        [("amount_to_capture", "500"), ("final_capture", "true"), ("metadata[order]", "7")],
    )
    assert found == []
    assert values == {"amount_to_capture": 500, "final_capture": True, "metadata": {"order": "7"}}
    assert template == "/v1/payment_intents/{intent}/capture"


def test_lists_come_with_indexes_or_empty_brackets() -> None:
    assert typed("GET", "/v1/refunds", "expand[]=data.charge&expand[]=data.payment_intent")["expand"] == [
        "data.charge",
        "data.payment_intent",
    ]
    assert typed("GET", "/v1/refunds", "expand[1]=b&expand[0]=a")["expand"] == ["a", "b"]
    assert typed("GET", "/v1/events", "created[gte]=5&limit=3") == {"created": {"gte": 5}, "limit": 3}
    assert typed("GET", "/v1/events", "created=5") == {"created": 5}
    assert typed("POST", "/v1/customers", "metadata[0]=a&metadata[1]=b") == {"metadata": {"0": "a", "1": "b"}}
    assert violations("GET", "/v1/refunds", "expand[first]=a") == [("expand", "parameter_invalid_array")]


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        (f"{INTENT}&bogus=1", [("bogus", "parameter_unknown")]),
        (f"{INTENT}&api_key=sk_test_1", [("api_key", "parameter_unknown")]),
        ("currency=usd", [("amount", "parameter_missing")]),
        ("amount=12.5&currency=usd", [("amount", "parameter_invalid_integer")]),
        ("amount=1e3&currency=usd", [("amount", "parameter_invalid_integer")]),
        ("amount=&currency=usd", [("amount", "parameter_invalid_integer")]),
        (f"{INTENT}&capture_method=later", [("capture_method", None)]),
        (f"{INTENT}&confirm=yes", [("confirm", None)]),
        (f"{INTENT}&customer=", [("customer", "parameter_invalid_empty")]),
        (f"{INTENT}&metadata=7", [("metadata", "parameter_invalid_hash")]),
        (f"{INTENT}&metadata[a][b]=7", [("metadata", "parameter_invalid_hash")]),
        (f"{INTENT}&automatic_payment_methods=true", [("automatic_payment_methods", "parameter_invalid_object")]),
        (
            f"{INTENT}&automatic_payment_methods[enable]=true",
            [
                ("automatic_payment_methods[enable]", "parameter_unknown"),
                ("automatic_payment_methods[enabled]", "parameter_missing"),
            ],
        ),
        (
            f"{INTENT}&excluded_payment_method_types=card",
            [("excluded_payment_method_types", "parameter_invalid_array")],
        ),
        (f"{INTENT}&amount[x]=1", [("amount[x]", "parameter_invalid_object")]),
        (f"{INTENT}&[x]=1", [("[x]", "parameter_invalid_object")]),
    ],
)
def test_what_stripe_refuses(form: str, expected: list[tuple[str, str | None]]) -> None:
    assert violations("POST", "/v1/payment_intents", form) == expected


def test_the_enums_of_the_running_version_are_closed() -> None:
    session = "mode=payment&ui_mode=%s"
    assert violations("POST", "/v1/checkout/sessions", session % "hosted_page") == []
    assert violations("POST", "/v1/checkout/sessions", session % "hosted") == [("ui_mode", None)]
    assert violations("POST", "/v1/webhook_endpoints", "url=http://x&enabled_events[0]=charge.paid") == [
        ("enabled_events[0]", None)
    ]


def test_an_unknown_address_has_no_template() -> None:
    found, values, template = check("POST", "/v1/payment_intent", [("amount", "1")])
    assert [one.message for one in found] == ["Unrecognized request URL (POST: /v1/payment_intent)."]
    assert (values, template) == ({}, None)


@given(st.lists(st.tuples(st.text("a[]0.", max_size=8), st.text(max_size=3)), max_size=6))
def test_no_form_breaks_the_reader(pairs: list[tuple[str, str]]) -> None:
    check("POST", "/v1/refunds", pairs)


def test_every_served_operation_is_one_of_stripes() -> None:
    assert Simulator.__name__  # importing the server registers every resource
    known = {f"{one.method} {one.template}" for one in contract.operations()}
    assert len(HANDLERS) > 50
    assert set(HANDLERS) <= known
    with pytest.raises(ValueError, match="no operation"):
        serves("POST /v1/charge_backs")


class _Deaf(CheckedClient):
    """Sends nothing; what would be sent has been checked by then."""

    def __init__(self) -> None:
        super().__init__(_lib=object())
        self.sent = 0

    def request(self, method: str, url: str, headers: object, post_data: Any = None) -> Any:  # type: ignore[override]  # noqa: ARG002
        self.verify(method, url, post_data)
        self.sent += 1
        return b'{"object": "refund", "id": "re_1"}', 200, {}


def test_the_sdks_own_client_is_checked_on_the_way_out() -> None:
    http = _Deaf()
    client = stripe.StripeClient("sk_test_x", http_client=http)
    unknown: Any = {"order": "SO-1"}
    wrong: Any = {"payment_intent": "pi_1", "amount": "a lot"}

    client.v1.refunds.create({"payment_intent": "pi_1", "amount": 500, "metadata": {"rma": "RMA-1"}})
    with pytest.raises(ContractBroken, match="parameter_invalid_integer"):
        client.v1.refunds.create(wrong)
    with pytest.raises(ContractBroken, match="parameter_unknown"):
        client.v1.refunds.list(unknown)

    assert http.sent == 1


def test_a_new_object_starts_with_every_nullable_field_of_its_class() -> None:
    refund = contract.nullable("refund")
    assert refund["failure_reason"] is None
    assert "amount" not in refund
    assert "line_items" not in contract.nullable("checkout.session")
    assert "klarna" not in contract.nullable("payment_method")
    assert contract.is_expandable("charge", "payment_intent")
    assert not contract.is_expandable("charge", "status")


def test_misfits_name_what_an_answer_lacks_and_what_is_foreign() -> None:
    whole = dict.fromkeys(("id", "object", "amount", "created", "currency"))
    assert contract.misfits("refund", whole) == []
    assert contract.misfits("refund", {**whole, "colour": 1}) == ["+colour"]
    assert contract.misfits("refund", {"id": 1}) == ["-amount", "-created", "-currency", "-object"]
