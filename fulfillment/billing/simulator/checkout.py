"""Checkout Sessions: a page of the provider's where one basket is paid once."""

from __future__ import annotations

from decimal import Decimal
from urllib.parse import urlsplit

from fulfillment.billing.simulator import balance, cards, payments
from fulfillment.billing.simulator.errors import StripeRefusal, invalid, missing, not_modelled
from fulfillment.billing.simulator.listing import listed
from fulfillment.billing.simulator.payment_methods import create_customer, keep_card
from fulfillment.billing.simulator.routing import check_metadata, merge_metadata, serves
from fulfillment.billing.simulator.state import DAY, Account, Obj, public, token

SHORTEST, LONGEST = 30 * 60, DAY
"""Seconds a session may stay open."""
PLACEHOLDER = "{CHECKOUT_SESSION_ID}"

_MODELLED = frozenset(
    {
        "adaptive_pricing",
        "automatic_tax",
        "billing_address_collection",
        "cancel_url",
        "client_reference_id",
        "currency",
        "customer",
        "customer_creation",
        "customer_email",
        "excluded_payment_method_types",
        "expand",
        "expires_at",
        "invoice_creation",
        "line_items",
        "locale",
        "metadata",
        "mode",
        "origin_context",
        "payment_intent_data",
        "phone_number_collection",
        "submit_type",
        "success_url",
        "ui_mode",
    }
)
_INTENT_MODELLED = frozenset(
    {
        "capture_method",
        "description",
        "metadata",
        "receipt_email",
        "setup_future_usage",
        "shipping",
        "statement_descriptor_suffix",
    }
)
_SWITCHES = ("automatic_tax", "invoice_creation", "phone_number_collection")
"""Parts of a session that may be given, switched off."""


@serves("POST /v1/checkout/sessions")
def create(account: Account, params: Obj) -> Obj:
    """Open a page for a basket of goods with their prices."""
    _refuse_what_is_not_modelled(params)
    _check_addresses(params)
    items, currency = _line_items(params)
    total = sum(item["amount_total"] for item in items)
    balance.check_amount(total, currency, "line_items")
    now = account.now()
    expires = params.get("expires_at", now + LONGEST)
    if not now + SHORTEST <= expires <= now + LONGEST:
        told = "The `expires_at` timestamp must be between 30 minutes and 24 hours from Checkout Session creation."
        raise invalid(told, param="expires_at")
    if params.get("customer"):
        account.get("customer", params["customer"], "customer")
    session = account.add(
        "checkout.session",
        adaptive_pricing={"enabled": False},
        amount_subtotal=total,
        amount_total=total,
        automatic_tax={"enabled": False, "liability": None, "provider": None, "status": None},
        billing_address_collection=params.get("billing_address_collection"),
        cancel_url=params.get("cancel_url"),
        client_reference_id=params.get("client_reference_id"),
        currency=currency,
        custom_fields=[],
        custom_text={
            "after_submit": None,
            "shipping_address": None,
            "submit": None,
            "terms_of_service_acceptance": None,
        },
        customer=params.get("customer"),
        customer_creation=None if params.get("customer") else params.get("customer_creation", "if_required"),
        customer_email=params.get("customer_email"),
        expires_at=expires,
        invoice_creation={"enabled": False, "invoice_data": {}},
        locale=params.get("locale"),
        metadata=params.get("metadata") or {},
        mode="payment",
        payment_method_collection="if_required",
        payment_method_options={"card": {"request_three_d_secure": "automatic"}},
        payment_method_types=["card"],
        payment_status="unpaid",
        phone_number_collection={"enabled": False},
        shipping_options=[],
        status="open",
        submit_type=params.get("submit_type"),
        success_url=params["success_url"],
        total_details={"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        ui_mode="hosted_page",
        _due=expires,
        _items=items,
        _intent=params.get("payment_intent_data") or {},
    )
    session["url"] = f"{account.host}/c/pay/{session['id']}"
    return session


def _refuse_what_is_not_modelled(params: Obj) -> None:
    foreign = sorted(params.keys() - _MODELLED)
    intent: Obj = params.get("payment_intent_data") or {}
    foreign += [f"payment_intent_data[{name}]" for name in intent.keys() - _INTENT_MODELLED]
    foreign += [name for name in _SWITCHES if (params.get(name) or {}).get("enabled")]
    if params.get("mode") != "payment":
        foreign.append("any mode but payment")
    if params.get("ui_mode", "hosted_page") != "hosted_page":
        foreign.append("any ui_mode but hosted_page")
    if foreign:
        raise not_modelled(f"this of a Checkout Session: {', '.join(foreign)}")
    check_metadata(intent.get("metadata") or {}, "payment_intent_data[metadata]")


def _check_addresses(params: Obj) -> None:
    if not params.get("success_url"):
        raise invalid("Missing required param: success_url.", code="parameter_missing", param="success_url")
    for name in ("success_url", "cancel_url"):
        url = urlsplit(params.get(name) or params["success_url"])
        if url.scheme not in {"http", "https"} or not url.hostname:
            raise invalid("Not a valid URL", code="url_invalid", param=name)
    if params.get("customer") and params.get("customer_email"):
        raise invalid("You may only specify one of these parameters: customer, customer_email.", param="customer")
    if "@" not in (params.get("customer_email") or "@"):
        raise invalid(
            f"Invalid email address: {params['customer_email']}", code="email_invalid", param="customer_email"
        )
    if len(params.get("client_reference_id") or "") > 200:
        raise invalid("client_reference_id can be up to 200 characters.", param="client_reference_id")


def _line_items(params: Obj) -> tuple[list[Obj], str]:
    """The goods with their amounts, and the one currency they are priced in."""
    given = params.get("line_items") or []
    if not given:
        raise invalid("Missing required param: line_items.", code="parameter_missing", param="line_items")
    if len(given) > 100:
        raise invalid("You can have at most 100 line items.", param="line_items")
    items = [_line_item(item, f"line_items[{at}]") for at, item in enumerate(given)]
    currencies = {item["currency"] for item in items} | (
        {params["currency"].lower()} if "currency" in params else set()
    )
    if len(currencies) != 1:
        raise invalid("All line items must be in the same currency.", param="line_items")
    return items, currencies.pop()


def _line_item(item: Obj, where: str) -> Obj:
    if item.get("price"):
        raise missing("price", item["price"], f"{where}[price]")
    price = item.get("price_data")
    if not price:
        raise invalid(
            f"Missing required param: {where}[price_data].", code="parameter_missing", param=f"{where}[price_data]"
        )
    if foreign := sorted(item.keys() - {"price_data", "quantity", "metadata"}) + sorted(
        {"recurring", "product"} & price.keys()
    ):
        raise not_modelled(f"{where}: {', '.join(foreign)}")
    if "quantity" not in item:
        raise invalid("Quantity is required. Add `quantity` to each line item.", param=f"{where}[quantity]")
    quantity, unit = item["quantity"], price.get("unit_amount")
    if "unit_amount_decimal" in price and unit is None:
        exact = Decimal(price["unit_amount_decimal"])
        unit = int(exact)
        if unit != exact:
            raise not_modelled(f"{where}: fractions of the smallest unit")
    if unit is None or unit < 0:
        raise invalid(
            "Invalid non-negative integer", code="parameter_invalid_integer", param=f"{where}[price_data][unit_amount]"
        )
    if not 1 <= quantity <= 999_999:
        raise invalid("Quantity must be between 1 and 999999.", param=f"{where}[quantity]")
    product = price.get("product_data") or {}
    if not product.get("name"):
        told = f"Missing required param: {where}[price_data][product_data][name]."
        raise invalid(told, code="parameter_missing", param=f"{where}[price_data][product_data]")
    total = unit * quantity
    return {
        "id": f"li_{token(24)}",
        "object": "item",
        "amount_discount": 0,
        "amount_subtotal": total,
        "amount_tax": 0,
        "amount_total": total,
        "currency": price["currency"].lower(),
        "description": product["name"],
        "metadata": item.get("metadata") or {},
        "price": None,
        "quantity": quantity,
        "_unit": unit,
        "_details": product.get("description"),
    }


@serves("GET /v1/checkout/sessions/{session}")
def show(account: Account, _params: Obj, identity: str) -> Obj:
    """One session."""
    return account.get("checkout.session", identity)


@serves("POST /v1/checkout/sessions/{session}")
def update(account: Account, params: Obj, identity: str) -> Obj:
    """Change the metadata of a session."""
    session = account.get("checkout.session", identity)
    if foreign := sorted(params.keys() - {"metadata", "expand"}):
        raise not_modelled(f"changing this of a Checkout Session: {', '.join(foreign)}")
    merge_metadata(session, params.get("metadata"))
    return session


@serves("GET /v1/checkout/sessions")
def list_sessions(account: Account, params: Obj) -> Obj:
    """Sessions, the newest first."""
    return listed(account, "checkout.session", params, "/v1/checkout/sessions", "payment_intent", "status", "customer")


@serves("GET /v1/checkout/sessions/{session}/line_items")
def list_items(account: Account, _params: Obj, identity: str) -> Obj:
    """The goods of a session."""
    items = public(account.get("checkout.session", identity)["_items"])
    url = f"/v1/checkout/sessions/{identity}/line_items"
    return {"object": "list", "url": url, "has_more": False, "data": items}


@serves("POST /v1/checkout/sessions/{session}/expire")
def expire(account: Account, _params: Obj, identity: str) -> Obj:
    """Close the page; whoever still has it open cannot pay any more."""
    session = account.get("checkout.session", identity)
    if session["status"] != "open":
        told = f'Only Checkout Sessions with a status in ["open"] can be expired. This one is {session["status"]}.'
        raise invalid(told)
    close(account, session)
    return session


def close(account: Account, session: Obj) -> None:
    """The session is over without payment, and so is a payment half way through 3-D Secure."""
    session.update(status="expired", url=None, _due=None)
    if session["payment_intent"]:
        payments.cancel(account, account.get("payment_intent", session["payment_intent"]), "abandoned")
    account.emit("checkout.session.expired", session)


# ------------------------------------------------------------------ what the page does


def pay(account: Account, session: Obj, card: cards.Card, billing: Obj) -> None:
    """The buyer presses Pay on an open session. Raises StripeRefusal when the card is declined."""
    intent = _intent(account, session)
    intent["payment_method"] = keep_card(account, card, billing)["id"]
    intent["_return_url"] = session["url"]
    session["customer_details"] = {
        "address": None,
        "business_name": None,
        "email": session["customer_email"] or billing["email"],
        "individual_name": None,
        "name": billing["name"],
        "phone": None,
        "tax_exempt": "none",
        "tax_ids": [],
    }
    payments.confirm(account, intent)
    complete(account, session, intent)


def _intent(account: Account, session: Obj) -> Obj:
    """The payment intent of the session, made when somebody first tries to pay."""
    if session["payment_intent"]:
        return account.get("payment_intent", session["payment_intent"])
    wanted = session["_intent"]
    if session["customer_creation"] == "always" and not session["customer"]:
        session["customer"] = create_customer(account, {"email": session["customer_email"]})["id"]
    intent = payments.new_intent(
        account,
        {**wanted, "amount": session["amount_total"], "currency": session["currency"], "customer": session["customer"]},
    )
    intent["_session"] = session["id"]
    session["payment_intent"] = intent["id"]
    return intent


def complete(account: Account, session: Obj, intent: Obj) -> None:
    """Close the page behind a buyer whose money is taken or held."""
    if intent["status"] in {"succeeded", "requires_capture"}:
        paid = "paid" if intent["status"] == "succeeded" else "unpaid"
        session.update(status="complete", payment_status=paid, url=None, _due=None)
        account.emit("checkout.session.completed", session)


def authenticate(account: Account, session: Obj, intent: Obj, *, passed: bool) -> StripeRefusal | None:
    """The buyer comes back from 3-D Secure; the refusal, if that or the bank says no."""
    try:
        if not passed:
            payments.authentication_failed(account, intent)
            return None
        payments.confirm(account, intent, authenticated=True)
    except StripeRefusal as refusal:
        if not refusal.kept:
            raise
        return refusal
    complete(account, session, intent)
    return None


def success_url(session: Obj) -> str:
    """Where the buyer goes after paying."""
    return str(session["success_url"]).replace(PLACEHOLDER, session["id"])
