"""Which function answers which operation of the API.

A resource module registers its functions under the SDK's own path template:

    @serves("POST /v1/payment_intents/{intent}/capture")
    def capture(account, params, intent_id): ...
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fulfillment.billing.simulator import contract
from fulfillment.billing.simulator.errors import StripeRefusal, invalid
from fulfillment.billing.simulator.state import Account, Obj

Handler = Callable[..., Obj]
HANDLERS: dict[str, Handler] = {}


def serves(operation: str) -> Callable[[Handler], Handler]:
    """Register a function for an operation. Raises ValueError for one that Stripe does not have."""
    if operation not in {f"{one.method} {one.template}" for one in contract.operations()}:
        raise ValueError(f"the SDK has no operation {operation}")

    def register(handler: Handler) -> Handler:
        HANDLERS[operation] = handler
        return handler

    return register


def call(account: Account, method: str, path: str, params: Obj) -> Obj:
    """Do what the request asks. The path and the parameters have passed the contract."""
    operation = contract.find(method, path)
    handler = HANDLERS.get(f"{method} {operation.template}") if operation else None
    found = operation.pattern.fullmatch(path) if operation else None
    if handler is None or found is None:
        raise StripeRefusal(501, "api_error", f"The simulator does not model {method} {path}.")
    metadata = params.get("metadata")
    if isinstance(metadata, dict):
        check_metadata(metadata)
    return handler(account, params, *found.groups())


def check_metadata(metadata: dict[str, Any], param: str = "metadata") -> None:
    """Stripe's limits: 50 keys of at most 40 characters, values of at most 500. Raises StripeRefusal."""
    if len(metadata) > 50:
        raise invalid("Metadata can have at most 50 keys.", param=param)
    for key, value in metadata.items():
        if len(key) > 40:
            raise invalid(f"Metadata keys can be up to 40 characters long: {key[:40]}…", param=param)
        if len(value) > 500:
            raise invalid("Metadata values can be up to 500 characters long.", param=f"{param}[{key}]")


def merge_metadata(owner: Obj, given: Any) -> None:
    """Add to an object's metadata; an empty value removes its key, an empty string all of them."""
    if given is None:
        return
    kept = {} if given == "" else {**(owner["metadata"] or {}), **given}
    owner["metadata"] = {key: value for key, value in kept.items() if value != ""}


def update_plain(owner: Obj, params: Obj) -> Obj:
    """The common update: fields as given, metadata merged."""
    for name, value in params.items():
        if name == "metadata":
            merge_metadata(owner, value)
        elif name in owner:
            owner[name] = None if value == "" else value
    return owner
