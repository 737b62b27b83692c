"""The description that is served: valid, complete, true to the code, with examples that work."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest
from flask import Flask
from flask.testing import FlaskClient
from openapi_spec_validator import OpenAPIV31SpecValidator

import storefront.checkout.api
from fulfillment.kernel.openapi import OPERATIONS, PREFIX
from fulfillment.orders.delivery import OPTIONS
from tests.builders.programs import Program, make_order


@pytest.fixture
def described(client: FlaskClient) -> dict[str, Any]:
    answer = client.get("/api/v1/openapi.json")
    assert (answer.status_code, answer.content_type) == (200, "application/json")
    return dict(answer.json or {})


def operations(described: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def validator(described: dict[str, Any], schema: dict[str, Any]) -> jsonschema_rs.Draft202012Validator:
    """A validator for a schema of the document, whose references stay within it."""
    return jsonschema_rs.Draft202012Validator({**schema, "components": described["components"]}, validate_formats=True)


def test_the_document_is_valid_openapi_3_1(described: dict[str, Any]) -> None:
    assert described["openapi"] == "3.1.1"
    OpenAPIV31SpecValidator(described).validate()


def test_every_address_below_the_prefix_is_described_and_nothing_else(app: Flask, described: dict[str, Any]) -> None:
    served = {
        (method, rule.rule.removeprefix(PREFIX).replace("<", "{").replace(">", "}"))
        for rule in app.url_map.iter_rules() if rule.rule.startswith(PREFIX) for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert {(method, path) for method, path, _ in operations(described)} == served - {("GET", "/openapi.json")}
    assert {(path, method) for method, path in served} - {("/openapi.json", "GET")} == set(OPERATIONS)


def test_the_acts_of_the_shop_are_all_there(described: dict[str, Any]) -> None:
    assert {f"{method} {path}" for method, path, _ in operations(described)} == {
        "GET /models", "GET /models/{model_id}", "POST /models/{model_id}/configure", "POST /quotes", "GET /quotes/{token}",
        "GET /quotes/{token}/quote.pdf", "POST /orders", "GET /orders/{number}", "POST /orders/{number}/cancel", "GET /units/{tag}",
        "GET /items", "POST /models/{model_id}/explain", "POST /models/{model_id}/share", "GET /configurations/{token}",
    }


def test_every_operation_says_what_it_does_and_how_it_fails(described: dict[str, Any]) -> None:
    for method, path, operation in operations(described):
        assert operation["summary"].endswith("."), path
        assert {"406", "429", "503"} <= set(operation["responses"]), path
        assert ("404" in operation["responses"]) or "{" not in path, path
        assert ("requestBody" in operation) == (method == "POST"), path
        if "requestBody" in operation:
            assert {"400", "413", "415", "422"} <= set(operation["responses"]), path


def test_names_of_operations_are_unique(described: dict[str, Any]) -> None:
    names = [operation["operationId"] for _, _, operation in operations(described)]
    assert sorted(names) == sorted(set(names))


def test_requests_refuse_unknown_fields_and_answers_may_grow(described: dict[str, Any]) -> None:
    schemas = described["components"]["schemas"]
    requests = {name for name in schemas if name.endswith("Request")}
    assert requests == {
        "ConfigureRequest", "ExplainRequest", "WantedRequest", "ShareRequest", "QuoteRequest", "OrderRequest", "AddressRequest",
        "ItemRequest", "CancelRequest",
    }
    for name, schema in schemas.items():
        if name in requests:
            assert schema["additionalProperties"] is False, name
        elif "properties" in schema:
            assert "additionalProperties" not in schema, name


def test_every_example_is_what_its_schema_says(described: dict[str, Any]) -> None:
    examples = 0
    for name, schema in described["components"]["schemas"].items():
        for example in schema.get("examples", ()):
            examples += 1
            validator(described, {"$ref": f"#/components/schemas/{name}"}).validate(example)
    assert examples >= 8
    for _, path, operation in operations(described):
        for parameter in operation["parameters"]:
            if "example" in parameter:
                validator(described, parameter["schema"]).validate(parameter["example"])
        if "requestBody" in operation:
            name = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].rsplit("/", 1)[1]
            assert described["components"]["schemas"][name]["examples"], path


@pytest.mark.stocked
def test_the_examples_work_as_they_stand(client: FlaskClient, described: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storefront.checkout.api, "start_checkout", lambda number, **_: f"https://pay.example/{number}")
    program, schemas = Program(client), described["components"]["schemas"]
    for example in schemas["ConfigureRequest"]["examples"]:
        assert (program.post("/models/skein-14/configure", example).json or {})["valid"] is True
    for example in schemas["ExplainRequest"]["examples"]:
        assert (program.post("/models/skein-14/explain", example).json or {})["possible"] is False
    for example in schemas["ShareRequest"]["examples"]:
        assert program.post("/models/skein-14/share", example).status_code == 201
    for example in schemas["QuoteRequest"]["examples"]:
        assert program.post("/quotes", example).status_code == 201
    items, _ = schemas["OrderRequest"]["examples"]
    assert program.order(items).status_code == 201


@pytest.mark.stocked
def test_real_answers_are_what_their_schemas_say(client: FlaskClient, described: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storefront.checkout.api, "start_checkout", lambda number, **_: f"https://pay.example/{number}")
    program = Program(client, "zh")
    token = program.quote()["token"]
    number = (program.order(make_order(quotes=[token])).json or {})["number"]
    asked = {
        ("GET", "/models"): program.get("/models"), ("GET", "/models/{model_id}"): program.get("/models/rookery-r2"),
        ("POST", "/models/{model_id}/configure"): program.post("/models/anvil-w/configure", {}), ("GET", "/items"): program.get("/items"),
        ("GET", "/quotes/{token}"): program.get(f"/quotes/{token}"),
        ("GET", "/orders/{number}"): program.get(f"/orders/{number}", proof="78701"),
    }
    for (method, path), answer in asked.items():
        schema = described["paths"][path][method.lower()]["responses"]["200"]["content"]["application/json"]["schema"]
        assert answer.status_code == 200, path
        validator(described, schema).validate(answer.json)


def test_ways_of_delivery_are_those_of_the_orders(described: dict[str, Any]) -> None:
    assert set(described["components"]["schemas"]["OrderRequest"]["properties"]["delivery"]["enum"]) == set(OPTIONS)


def test_the_proof_of_an_order_is_security_not_a_parameter(described: dict[str, Any]) -> None:
    schemes = described["components"]["securitySchemes"]
    assert {(scheme["type"], scheme["in"], scheme["name"]) for scheme in schemes.values()} == {("apiKey", "header", "Order-Proof")}
    secured = {path for _, path, operation in operations(described) if "security" in operation}
    assert secured == {"/orders/{number}", "/orders/{number}/cancel"}


def test_an_unchanged_document_is_not_sent_again(client: FlaskClient) -> None:
    first = client.get("/api/v1/openapi.json")
    assert client.get("/api/v1/openapi.json", headers={"If-None-Match": first.headers["ETag"]}).status_code == 304
