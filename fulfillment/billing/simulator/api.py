"""The HTTP API under `/v1`: keys, version, contract, idempotency, then one transaction per request."""

from __future__ import annotations

import json
import re
from urllib.parse import parse_qsl

from flask import Blueprint, Response, request

from fulfillment.billing.simulator import contract, idempotency
from fulfillment.billing.simulator.breakage import break_inside
from fulfillment.billing.simulator.errors import StripeRefusal, invalid
from fulfillment.billing.simulator.listing import expanded
from fulfillment.billing.simulator.routing import call
from fulfillment.billing.simulator.state import Obj, Store, token
from fulfillment.billing.simulator.timing import pass_time

_TEST_KEY = re.compile(r"(sk|rk)_test_\w+")
_MOST_BYTES = 1_000_000


def blueprint(store: Store) -> Blueprint:
    """The routes of the API on this state."""
    bp = Blueprint("api", __name__)
    in_flight = idempotency.InFlight()

    @bp.route("/v1/<path:_rest>", methods=["GET", "POST", "DELETE"])
    def api(_rest: str) -> Response:
        identity = f"req_{token(14)}"
        try:
            _admit()
            key = _key()
            with in_flight.claim(key):
                status, body, first = _answer(store, identity, key)
        except StripeRefusal as refusal:
            retry = {"Stripe-Should-Retry": "true"} if refusal.status == 409 else {}
            return _response(refusal.status, refusal.body, identity, retry)
        replay = {"Idempotent-Replayed": "true", "Original-Request": first} if first else {}
        return _response(status, body, identity, replay)

    return bp


def _admit() -> None:
    """Only test keys, only the version this simulator speaks. Raises StripeRefusal."""
    given = request.authorization
    key = (given.token or (given.username if given.type == "basic" else "") if given else "") or ""
    if not key:
        raise StripeRefusal(401, "invalid_request_error", "You did not provide an API key.")
    if not _TEST_KEY.fullmatch(key):
        told = f"Invalid API Key provided: {key[:8]}****. The simulator takes test keys only."
        raise StripeRefusal(401, "invalid_request_error", told)
    version = request.headers.get("Stripe-Version", contract.API_VERSION)
    if version != contract.API_VERSION:
        raise invalid(f"Invalid Stripe API version: {version}. This simulator speaks {contract.API_VERSION}.")
    if "Stripe-Account" in request.headers:
        raise StripeRefusal(403, "invalid_request_error", "The simulator has one account only.", code="account_invalid")
    if (request.content_length or 0) > _MOST_BYTES:
        raise StripeRefusal(413, "invalid_request_error", "The request is too large.")


def _key() -> str | None:
    key = request.headers.get("Idempotency-Key") if request.method == "POST" else None
    if key is not None and not 0 < len(key) <= idempotency.LONGEST_KEY:
        raise StripeRefusal(400, "idempotency_error", "Idempotency keys are 1 to 255 characters long.")
    return key


def _answer(store: Store, identity: str, key: str | None) -> tuple[int, Obj, str | None]:
    """Status, body, and the id of the first request when this is its replay."""
    raw = request.get_data() if request.method == "POST" else request.query_string
    print_ = idempotency.fingerprint(request.method, request.path, raw)
    info = {"id": identity, "idempotency_key": key}
    with store.transaction() as account:
        pass_time(account)
        kept = idempotency.recall(account, key, print_) if key else None
    if kept is not None:
        return kept
    params = _checked(raw)
    break_inside()
    paths = params.pop("expand", [])
    try:
        with store.transaction(info) as account:
            try:
                status, body = 200, expanded(account, call(account, request.method, request.path, params), paths)
            except StripeRefusal as refusal:
                if not refusal.kept:
                    raise
                status, body = refusal.status, refusal.body
            if key:
                idempotency.remember(account, key, print_, status, body)
    except StripeRefusal as refusal:
        status, body = refusal.status, refusal.body
        if key and status < 500:
            with store.transaction(info) as account:
                idempotency.remember(account, key, print_, status, body)
    return status, body, None


def _checked(raw: bytes) -> Obj:
    """The typed parameters. Raises StripeRefusal for the first that breaks the contract."""
    try:
        pairs = parse_qsl(raw.decode(), keep_blank_values=True, errors="strict", max_num_fields=5_000)
    except ValueError as error:
        raise invalid("The request could not be read as form parameters.") from error
    violations, params, template = contract.check(request.method, request.path, pairs)
    if template is None:
        told = f"{violations[0].message} Please see the API reference for the URLs there are."
        raise StripeRefusal(404, "invalid_request_error", told)
    if violations:
        worst = violations[0]
        raise invalid(worst.message, code=worst.code, param=worst.param)
    return params


def _response(status: int, body: Obj, identity: str, headers: dict[str, str]) -> Response:
    told = {"Request-Id": identity, "Stripe-Version": contract.API_VERSION, **headers}
    return Response(json.dumps(body, indent=2), status, told, mimetype="application/json")
