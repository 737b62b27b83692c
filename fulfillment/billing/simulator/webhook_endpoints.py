"""Events and the addresses they are sent to."""

from __future__ import annotations

from urllib.parse import urlsplit

from fulfillment.billing.simulator.errors import invalid
from fulfillment.billing.simulator.listing import listed
from fulfillment.billing.simulator.routing import serves, update_plain
from fulfillment.billing.simulator.state import Account, Obj, token

_MOST_ENDPOINTS = 16


@serves("POST /v1/webhook_endpoints")
def create(account: Account, params: Obj) -> Obj:
    """Register an address. Its signing secret is told here and never again."""
    _check_url(params["url"])
    if len(account.find("webhook_endpoint")) >= _MOST_ENDPOINTS:
        raise invalid(f"You have reached the maximum of {_MOST_ENDPOINTS} test webhook endpoints.")
    endpoint = account.add(
        "webhook_endpoint",
        api_version=params.get("api_version"),
        description=params.get("description"),
        enabled_events=params["enabled_events"],
        metadata=params.get("metadata") or {},
        status="enabled",
        url=params["url"],
        _secret=f"whsec_{token(32)}",
    )
    return {**endpoint, "secret": endpoint["_secret"]}


def _check_url(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise invalid("Invalid URL: it must be an http or https address.", code="url_invalid", param="url")


@serves("GET /v1/webhook_endpoints")
def list_endpoints(account: Account, params: Obj) -> Obj:
    """Registered addresses."""
    return listed(account, "webhook_endpoint", params, "/v1/webhook_endpoints")


@serves("GET /v1/webhook_endpoints/{webhook_endpoint}")
def show(account: Account, _params: Obj, identity: str) -> Obj:
    """One address, without its secret."""
    return account.get("webhook_endpoint", identity)


@serves("POST /v1/webhook_endpoints/{webhook_endpoint}")
def update(account: Account, params: Obj, identity: str) -> Obj:
    """Change where events go, which ones, or switch the address off and on."""
    endpoint = account.get("webhook_endpoint", identity)
    if "url" in params:
        _check_url(params["url"])
    if "disabled" in params:
        endpoint["status"] = "disabled" if params.pop("disabled") else "enabled"
    return update_plain(endpoint, params)


@serves("DELETE /v1/webhook_endpoints/{webhook_endpoint}")
def delete(account: Account, _params: Obj, identity: str) -> Obj:
    """Take an address away; what was still to be sent there is not."""
    account.connection.execute("DELETE FROM delivery WHERE endpoint = ?", (identity,))
    return account.remove("webhook_endpoint", identity)


@serves("GET /v1/events")
def list_events(account: Account, params: Obj) -> Obj:
    """What happened, the newest first."""
    if "type" in params and "types" in params:
        raise invalid("You may only specify one of these parameters: type, types.", param="types")
    types = params.get("types") or ([params["type"]] if "type" in params else [])
    return listed(account, "event", params, "/v1/events", types=types)


@serves("GET /v1/events/{id}")
def show_event(account: Account, _params: Obj, identity: str) -> Obj:
    """One event, with the object as it was then."""
    return account.get("event", identity)
