"""The OpenAPI 3.1 document, written from the declared operations. Source: spec.openapis.org/oas/v3.1.1.

Schemas come from the models (JSON Schema 2020-12); what every operation can fail with is written
once and referred to.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, models_json_schema

from fulfillment.kernel.openapi import JSON, OPERATIONS, PDF, PREFIX, Operation, Parameter, required

PROBLEM = "application/problem+json"
SCHEMAS = "#/components/schemas/"
Schemas = Mapping[Any, dict[str, Any]]

ABOUT = """\
The shop for programs: the machines and what can be chosen, quotes, orders, and where an order stands.

* Texts come in the language of `Accept-Language` (`en`, `zh`). Money is whole minor units, dates are ISO 8601, moments are in UTC.
* Lists come in pages: pass `next` of one answer as `cursor` of the next request; the last page has no `next`.
* With an `Idempotency-Key`, a request that is sent again does nothing again and gets the first one's answer; the key with another
  content is refused (409).
* Everything that fails answers with a problem (RFC 9457); `errors` names each value that is wrong. Requests with fields we do not
  know are refused; answers may get new fields at any time.
* Cookies are ignored. Requests are limited per address and minute; 429 and 503 say in `Retry-After` when to come back.
"""

WHY = {
    400: "The request cannot be read, or a header is missing.",
    401: "Nothing in the request proves that the order is yours.",
    403: "What you sent lets you look, but not act.",
    404: "There is no such thing, or it is not yours: the same answer for both.",
    406: "We write nothing of what you accept.",
    409: "It is not possible as things stand, or the key was used for another content.",
    413: "The content is larger than 64 KB.",
    415: "The content is not JSON.",
    422: "A value is wrong, or the choices do not go together.",
    429: "Too many requests from your address.",
    503: "Something we need does not answer. Nothing is lost; send the same request again.",
}

PROBLEM_SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "What went wrong. Source: RFC 9457.",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string", "description": "The status in words."},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string", "description": "For people, in the language of the answer."},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["detail"],
                "properties": {
                    "detail": {"type": "string"},
                    "pointer": {"type": "string", "description": "JSON pointer to the value in the content."},
                    "parameter": {"type": "string", "description": "The name of a parameter of the query."},
                    "header": {"type": "string", "description": "The name of a header."},
                },
            },
        },
    },
    "examples": [
        {
            "type": "about:blank", "title": "Unprocessable Entity", "status": 422, "detail": "Some of what was sent cannot be accepted.",
            "errors": [{"pointer": "#/quantity", "detail": "Please give a whole number."}],
        }
    ],
}


class _Plain(GenerateJsonSchema):
    """Schemas without titles that only repeat the names."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 - the library's signature
        """Never."""
        return False


def document(title: str, version: str) -> dict[str, Any]:
    """The whole document; the same for the same code."""
    operations = [OPERATIONS[key] for key in sorted(OPERATIONS)]
    asked: list[tuple[type[BaseModel], JsonSchemaMode]] = [(op.body, "validation") for op in operations if op.body]
    told: list[tuple[type[BaseModel], JsonSchemaMode]] = [(op.answer, "serialization") for op in operations if op.answer]
    schema_of, schemas = models_json_schema([*asked, *told], ref_template=SCHEMAS + "{model}", schema_generator=_Plain)
    paths: dict[str, Any] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation, schema_of)
    return {
        "openapi": "3.1.1",
        "info": {"title": title, "version": version, "description": ABOUT},
        "servers": [{"url": PREFIX}],
        "tags": [{"name": tag} for tag in sorted({operation.tag for operation in operations})],
        "paths": paths,
        "components": {
            "schemas": {**schemas["$defs"], "Problem": PROBLEM_SCHEMA},
            "responses": {f"Problem{status}": _problem(status) for status in sorted(WHY)},
            "securitySchemes": {
                _scheme(parameter): {"type": "apiKey", "in": "header", "name": parameter.name, "description": parameter.description}
                for operation in operations for parameter in operation.parameters if parameter.secret
            },
        },
    }


def _scheme(parameter: Parameter) -> str:
    return parameter.name.replace("-", "")


def _operation(operation: Operation, schema_of: Schemas) -> dict[str, Any]:
    written: dict[str, Any] = {
        "operationId": operation.name,
        "tags": [operation.tag],
        "summary": operation.summary,
        "parameters": [
            *(_parameter(parameter) for parameter in operation.parameters if not parameter.secret),
            *(_queried(name, field) for name, field in (operation.query.model_fields if operation.query else {}).items()),
        ],
        "responses": {
            str(operation.status): _good(operation, schema_of),
            **{str(status): {"$ref": f"#/components/responses/Problem{status}"} for status in operation.failures},
        },
    }
    if operation.description:
        written["description"] = operation.description
    if operation.body is not None:
        content = {JSON: {"schema": schema_of[operation.body, "validation"]}}
        written["requestBody"] = {"required": required(operation.body), "content": content}
    if secret := [{_scheme(parameter): list[str]()} for parameter in operation.parameters if parameter.secret]:
        written["security"] = secret
    return written


def _parameter(parameter: Parameter) -> dict[str, Any]:
    schema = {"type": "string", **({"pattern": parameter.pattern} if parameter.pattern else {})}
    return {
        "name": parameter.name, "in": parameter.place, "required": parameter.required, "description": parameter.description,
        "schema": schema, "example": parameter.example,
    }


def _queried(name: str, field: FieldInfo) -> dict[str, Any]:
    schema = field.json_schema_extra
    assert isinstance(schema, dict)
    return {"name": name, "in": "query", "required": field.is_required(), "description": field.description, "schema": schema}


def _good(operation: Operation, schema_of: Schemas) -> dict[str, Any]:
    if operation.answer is None:
        return {"description": operation.summary, "content": {PDF: {"schema": {"type": "string", "format": "binary"}}}}
    good: dict[str, Any] = {
        "description": operation.summary,
        "content": {JSON: {"schema": schema_of[operation.answer, "serialization"]}},
    }
    if operation.status == 201:
        good["headers"] = {"Location": {"description": "Where it is now.", "required": True, "schema": {"type": "string", "format": "uri"}}}
    return good


def _problem(status: int) -> dict[str, Any]:
    found: dict[str, Any] = {
        "description": f"{HTTPStatus(status).phrase}. {WHY[status]}",
        "content": {PROBLEM: {"schema": {"$ref": SCHEMAS + "Problem"}}},
    }
    if status in {429, 503}:
        found["headers"] = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 1}}}
    if status == 401:
        found["headers"] = {"WWW-Authenticate": {"description": "Which header to send.", "required": True, "schema": {"type": "string"}}}
    return found
