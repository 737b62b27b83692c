"""How Stripe says no: a status, a type, often a code and the parameter it is about."""

from __future__ import annotations

from typing import Any


class StripeRefusal(Exception):
    """An error answer of the API.

    `kept` marks a refusal that is itself an event worth keeping: a declined card leaves a failed
    charge behind, so its transaction commits. Every other refusal changes nothing.
    """

    def __init__(
        self,
        status: int,
        kind: str,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        kept: bool = False,
        **details: Any,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.kept = kept
        fields = {"type": kind, "message": message, "code": code, "param": param, **details}
        self.error = {name: value for name, value in fields.items() if value is not None}

    @property
    def body(self) -> dict[str, Any]:
        """The JSON of the answer."""
        return {"error": self.error}


def invalid(message: str, *, code: str | None = None, param: str | None = None, **details: Any) -> StripeRefusal:
    """400: the request makes no sense, whatever is tried again."""
    return StripeRefusal(400, "invalid_request_error", message, code=code, param=param, **details)


def missing(kind: str, identity: str, param: str = "id") -> StripeRefusal:
    """404: the account has no such object."""
    name = kind.replace(".", " ")
    return StripeRefusal(
        404, "invalid_request_error", f"No such {name}: '{identity}'", code="resource_missing", param=param
    )


def not_modelled(what: str) -> StripeRefusal:
    """501: Stripe knows this, the simulator does not. Better said than quietly ignored."""
    return StripeRefusal(501, "api_error", f"The simulator does not model {what}.")
