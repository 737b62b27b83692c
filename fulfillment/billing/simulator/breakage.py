"""Acting on a fault: the request fails, waits, or its connection dies.

One fault at most applies to a request. It is taken when the request comes in, and stays with it.
"""

from __future__ import annotations

import json
import socket
import time
from dataclasses import asdict

from flask import Response, g, request

from fulfillment.billing.simulator.errors import StripeRefusal
from fulfillment.billing.simulator.faults import Fault, FaultKind
from fulfillment.billing.simulator.state import Store


def take_fault(store: Store) -> Response | None:
    """Find the fault for this request, count it down, and act on what breaks before the work."""
    g.fault = None
    if request.path.startswith(("/_sim/", "/assets/")):
        return None
    with store.transaction() as account:
        faults = [Fault.read(one) for one in account.setting("faults", [])]
        fault = next((one for one in faults if one.hits(request.method, request.path)), None)
        if fault is None:
            return None
        fault.count -= 1
        account.set("faults", [asdict(one) for one in faults if one.count > 0])
    g.fault = fault
    match fault.kind:
        case FaultKind.STATUS:
            kind = "rate_limit_error" if fault.status == 429 else "api_error"
            refusal = StripeRefusal(fault.status, kind, "A fault set by the control plane.", code=fault.code)
            return Response(json.dumps(refusal.body), fault.status, fault.headers, mimetype="application/json")
        case FaultKind.DROP_BEFORE:
            return _cut()
        case FaultKind.DELAY:
            time.sleep(fault.seconds)
    return None


def break_inside() -> None:
    """Between the start of the work and its effect."""
    if g.fault is not None and g.fault.kind is FaultKind.SLOW_INSIDE:
        time.sleep(g.fault.seconds)


def break_after(response: Response) -> Response:
    """The effect has committed; what breaks is the answer."""
    fault: Fault | None = g.get("fault")
    match fault.kind if fault else None:
        case FaultKind.DROP_AFTER:
            return _cut()
        case FaultKind.ERROR_AFTER:
            refusal = StripeRefusal(500, "api_error", "A fault set by the control plane, after the effect.")
            return Response(json.dumps(refusal.body), 500, mimetype="application/json")
        case FaultKind.SLOW_AFTER if fault:
            time.sleep(fault.seconds)
    return response


def _cut() -> Response:
    """Close the connection under the answer: the other side sees it die without a word."""
    connection = request.environ.get("werkzeug.socket")
    if isinstance(connection, socket.socket):
        connection.shutdown(socket.SHUT_RDWR)
    return Response(status=503)
