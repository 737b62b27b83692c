"""What requests and answers of the JSON API are made of: strict requests, money, texts, e-mail addresses."""

from __future__ import annotations

from typing import Annotated, Self

from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

from fulfillment.kernel.i18n import money as written
from fulfillment.kernel.money import Money

_PRINTED = r"[^\x00-\x1f\x7f-\x9f]*"
Text = Annotated[str, StringConstraints(strip_whitespace=True, pattern=rf"^{_PRINTED}[^\s\x00-\x1f\x7f-\x9f]{_PRINTED}$")]
"""A line of text that says something."""
MaybeText = Annotated[str, StringConstraints(strip_whitespace=True, pattern=f"^{_PRINTED}$")]


def _email(value: str) -> str:
    try:
        return validate_email(value, check_deliverability=False, allow_smtputf8=False).ascii_email or value
    except EmailNotValidError as error:
        raise PydanticCustomError("email", "no e-mail address") from error


Email = Annotated[str, StringConstraints(max_length=254), AfterValidator(_email), Field(json_schema_extra={"format": "email"})]


class Asked(BaseModel):
    """What a program sends: unknown fields are refused, and 1.5, "1" and true are no whole numbers."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Answer(BaseModel):
    """What a program gets. Fields may be added to it, never taken away or given another meaning."""

    model_config = ConfigDict(frozen=True)


class Links(Answer):
    """Addresses of the same thing."""

    self: str = Field(description="Of this answer.")


class Amount(Answer):
    """Money: whole minor units (cents) to count with, and a text to show."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"minor": 129900, "currency": "USD", "text": "$1,299.00"}]})

    minor: int = Field(description="In the currency's smallest unit: 129900 is $1,299.00.")
    currency: str = Field(pattern="^[A-Z]{3}$", description="ISO 4217.")
    text: str = Field(description="As one writes it in the language of the answer.")

    @classmethod
    def of(cls, money: Money) -> Self:
        """The amount in the reader's way of writing."""
        return cls(minor=money.minor, currency=money.currency, text=written(money))
