"""Customers and their cards."""

from __future__ import annotations

import hashlib

from fulfillment.billing.simulator import cards
from fulfillment.billing.simulator.errors import StripeRefusal, invalid, missing
from fulfillment.billing.simulator.listing import listed
from fulfillment.billing.simulator.routing import serves, update_plain
from fulfillment.billing.simulator.state import Account, Obj, token


@serves("POST /v1/customers")
def create_customer(account: Account, params: Obj) -> Obj:
    """A buyer the provider remembers."""
    fields = {name: params.get(name) for name in ("email", "name", "phone", "address", "shipping", "description")}
    customer = account.add(
        "customer",
        **fields,
        metadata=params.get("metadata") or {},
        balance=0,
        delinquent=False,
        invoice_prefix=token(8).upper(),
        invoice_settings={
            "custom_fields": None,
            "default_payment_method": None,
            "footer": None,
            "rendering_options": None,
        },
        next_invoice_sequence=1,
        preferred_locales=params.get("preferred_locales") or [],
        tax_exempt=params.get("tax_exempt") or "none",
    )
    account.emit("customer.created", customer)
    return customer


@serves("GET /v1/customers")
def list_customers(account: Account, params: Obj) -> Obj:
    """Buyers, the newest first."""
    return listed(account, "customer", params, "/v1/customers", "email")


@serves("GET /v1/customers/{customer}")
def show_customer(account: Account, _params: Obj, identity: str) -> Obj:
    """One buyer."""
    return account.get("customer", identity)


@serves("POST /v1/customers/{customer}")
def update_customer(account: Account, params: Obj, identity: str) -> Obj:
    """Change what is known of a buyer."""
    customer = update_plain(account.get("customer", identity), params)
    account.emit("customer.updated", customer)
    return customer


@serves("DELETE /v1/customers/{customer}")
def delete_customer(account: Account, _params: Obj, identity: str) -> Obj:
    """Forget a buyer; payments made stay."""
    account.emit("customer.deleted", account.get("customer", identity))
    return account.remove("customer", identity)


def keep_card(account: Account, card: cards.Card, billing: Obj | None = None) -> Obj:
    """A payment method for a card that is plausible."""
    details: Obj = {"address": None, "email": None, "name": None, "phone": None, "tax_id": None, **(billing or {})}
    return account.add(
        "payment_method",
        type="card",
        billing_details=details,
        metadata={},
        card={
            "brand": cards.brand(card.number),
            "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"},
            "country": "US",
            "display_brand": cards.brand(card.number),
            "exp_month": card.month,
            "exp_year": card.year,
            "fingerprint": hashlib.sha256(card.number.encode()).hexdigest()[:16],
            "funding": "credit",
            "generated_from": None,
            "last4": card.last4,
            "networks": {"available": [cards.brand(card.number)], "preferred": None},
            "three_d_secure_usage": {"supported": True},
            "wallet": None,
        },
        _number=card.number,
        _set_up=False,
    )


def usable_method(account: Account, identity: str, param: str = "payment_method") -> Obj:
    """A payment method of the account, or a fresh one for Stripe's named test cards (`pm_card_visa`)."""
    number = cards.TEST_PAYMENT_METHODS.get(identity)
    if number is not None:
        return keep_card(account, cards.Card(number, 12, 2040))
    return account.get("payment_method", identity, param)


@serves("POST /v1/payment_methods")
def create_method(account: Account, params: Obj) -> Obj:
    """A card from one of Stripe's test tokens; a raw number is refused, as Stripe does."""
    if params.get("type", "card") != "card":
        raise invalid("The simulator takes cards only.", param="type")
    card = params.get("card") or {}
    if "number" in card:
        told = "Sending credit card numbers directly to the Stripe API is generally unsafe. Use a test token."
        raise StripeRefusal(402, "invalid_request_error", told, param="card[number]")
    number = cards.TEST_TOKENS.get(card.get("token", ""))
    if number is None:
        raise missing("token", card.get("token", ""), "card[token]")
    return keep_card(account, cards.Card(number, 12, 2040), params.get("billing_details"))


@serves("GET /v1/payment_methods/{payment_method}")
def show_method(account: Account, _params: Obj, identity: str) -> Obj:
    """One card."""
    return usable_method(account, identity)


@serves("GET /v1/payment_methods")
def list_methods(account: Account, params: Obj) -> Obj:
    """Cards of a customer."""
    return listed(account, "payment_method", params, "/v1/payment_methods", "customer", "type")


@serves("GET /v1/customers/{customer}/payment_methods")
def list_customer_methods(account: Account, params: Obj, customer: str) -> Obj:
    """Cards of a customer, by the customer's own address."""
    account.get("customer", customer)
    return listed(
        account,
        "payment_method",
        {**params, "customer": customer},
        f"/v1/customers/{customer}/payment_methods",
        "customer",
        "type",
    )


@serves("POST /v1/payment_methods/{payment_method}/attach")
def attach(account: Account, params: Obj, identity: str) -> Obj:
    """Save a card with a customer."""
    method = usable_method(account, identity)
    attach_to(account, method, params["customer"])
    return method


def attach_to(account: Account, method: Obj, customer: str) -> None:
    """Save a card with a customer. Raises StripeRefusal for a card that is another's."""
    account.get("customer", customer, "customer")
    if method["customer"] not in (None, customer):
        raise invalid("This PaymentMethod is already attached to another customer.", param="customer")
    method["customer"] = customer
    account.emit("payment_method.attached", method)


@serves("POST /v1/payment_methods/{payment_method}/detach")
def detach(account: Account, _params: Obj, identity: str) -> Obj:
    """Take a card from its customer."""
    method = account.get("payment_method", identity)
    method["customer"] = None
    account.emit("payment_method.detached", method)
    return method
