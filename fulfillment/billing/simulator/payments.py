"""Payment intents: one wish to be paid, from its creation over every attempt to its end."""

from __future__ import annotations

from fulfillment.billing.simulator import balance, cards, charges
from fulfillment.billing.simulator.errors import StripeRefusal, invalid, not_modelled
from fulfillment.billing.simulator.listing import listed
from fulfillment.billing.simulator.payment_methods import usable_method
from fulfillment.billing.simulator.routing import serves, update_plain
from fulfillment.billing.simulator.state import Account, Obj, public, token

_WAITING = ("requires_payment_method", "requires_confirmation", "requires_action")
_FOREIGN = frozenset(
    {"application_fee_amount", "transfer_data", "on_behalf_of", "transfer_group", "payment_method_data"}
)


def _unexpected(intent: Obj, verb: str, allowed: tuple[str, ...]) -> StripeRefusal:
    told = (
        f"This PaymentIntent could not be {verb} because it has a status of {intent['status']}."
        f" Only a PaymentIntent with one of the following statuses may be {verb}: {', '.join(allowed)}."
    )
    return invalid(told, code="payment_intent_unexpected_state", payment_intent=public(intent))


def new_intent(account: Account, params: Obj) -> Obj:
    """Open a payment intent. Raises StripeRefusal for an amount, currency or customer that does not do."""
    currency = params["currency"].lower()
    balance.check_amount(params["amount"], currency)
    if params.get("customer"):
        account.get("customer", params["customer"], "customer")
    intent = account.add(
        "payment_intent",
        amount=params["amount"],
        amount_capturable=0,
        amount_details={"tip": {}},
        amount_received=0,
        automatic_payment_methods=params.get("automatic_payment_methods"),
        capture_method=params.get("capture_method") or "automatic_async",
        confirmation_method=params.get("confirmation_method") or "automatic",
        currency=currency,
        customer=params.get("customer"),
        description=params.get("description"),
        metadata=params.get("metadata") or {},
        payment_method_options=params.get("payment_method_options") or {},
        payment_method_types=["card"],
        receipt_email=params.get("receipt_email"),
        setup_future_usage=params.get("setup_future_usage"),
        shipping=params.get("shipping"),
        statement_descriptor_suffix=params.get("statement_descriptor_suffix"),
        status="requires_payment_method",
        _return_url=params.get("return_url"),
        _session=None,
        _due=None,
    )
    intent["client_secret"] = f"{intent['id']}_secret_{token(25)}"
    account.emit("payment_intent.created", intent)
    return intent


def confirm(account: Account, intent: Obj, *, authenticated: bool = False, off_session: bool = False) -> None:
    """Try the card of the intent. Raises StripeRefusal when the bank declines; that attempt is kept."""
    method = account.get("payment_method", intent["payment_method"])
    outcome = cards.outcome(method["_number"])
    excused = authenticated or (
        outcome.authentication is cards.Authentication.UNLESS_SET_UP and off_session and method["_set_up"]
    )
    if outcome.authentication is not cards.Authentication.NEVER and not excused:
        if off_session:
            charges.decline(account, intent, method, "authentication_required", "authentication_required")
        page = {"url": f"{account.host}/3ds/{intent['id']}", "return_url": intent["_return_url"]}
        intent.update(status="requires_action", next_action={"type": "redirect_to_url", "redirect_to_url": page})
        account.emit("payment_intent.requires_action", intent)
        return
    intent["next_action"] = None
    if outcome.code is not None:
        charges.decline(account, intent, method, outcome.code, outcome.decline_code)
    charges.authorise(account, intent, method)


def authentication_failed(account: Account, intent: Obj) -> None:
    """The cardholder did not pass 3-D Secure: no charge was tried, another card may be."""
    code = "payment_intent_authentication_failure"
    charges.fail(account, intent, {"type": "card_error", "code": code, "message": cards.MESSAGES[code]})


def cancel(account: Account, intent: Obj, reason: str | None, *, event: str = "charge.refunded") -> None:
    """End the intent; a hold is let go, and the bank's side of it told by `event`."""
    held = intent["status"] == "requires_capture"
    intent.update(
        status="canceled",
        amount_capturable=0,
        canceled_at=account.now(),
        cancellation_reason=reason,
        next_action=None,
        _due=None,
    )
    if held:
        charge = account.get("charge", intent["latest_charge"])
        charge.update(refunded=True, amount_refunded=charge["amount"])
        account.emit(event, charge)
    account.emit("payment_intent.canceled", intent)


def expire_hold(account: Account, intent: Obj) -> None:
    """The bank lets go of the money because nobody took it in time."""
    cancel(account, intent, "automatic", event="charge.expired")


# ------------------------------------------------------------------ operations


@serves("POST /v1/payment_intents")
def create(account: Account, params: Obj) -> Obj:
    """Open an intent, and try it at once when `confirm` says so."""
    foreign = _FOREIGN & params.keys()
    if foreign:
        raise not_modelled(f"these parameters of a PaymentIntent: {', '.join(sorted(foreign))}")
    if params.get("off_session") and not params.get("confirm"):
        raise invalid("off_session can only be used together with confirm.", param="off_session")
    intent = new_intent(account, params)
    if params.get("payment_method"):
        intent.update(payment_method=_usable(account, intent, params["payment_method"]), status="requires_confirmation")
    if params.get("confirm"):
        _confirm(account, intent, params)
    return intent


def _usable(account: Account, intent: Obj, identity: str) -> str:
    """The id of a card this intent's customer may use."""
    method = usable_method(account, identity)
    if method["customer"] is not None and method["customer"] != intent["customer"]:
        told = "The provided PaymentMethod belongs to another customer; name that customer on the PaymentIntent."
        raise invalid(told, param="payment_method")
    return str(method["id"])


def _confirm(account: Account, intent: Obj, params: Obj) -> None:
    if intent["payment_method"] is None:
        told = "You cannot confirm this PaymentIntent because it's missing a payment method."
        raise invalid(told, code="payment_intent_unexpected_state", param="payment_method")
    redirects = (intent["automatic_payment_methods"] or {"allow_redirects": "never"}).get("allow_redirects", "always")
    if redirects == "always" and not intent["_return_url"] and not params.get("off_session"):
        raise invalid("This PaymentIntent allows redirects, so a return_url is needed.", param="return_url")
    confirm(account, intent, off_session=bool(params.get("off_session")))


@serves("GET /v1/payment_intents")
def list_intents(account: Account, params: Obj) -> Obj:
    """Intents, the newest first."""
    return listed(account, "payment_intent", params, "/v1/payment_intents", "customer")


@serves("GET /v1/payment_intents/{intent}")
def show(account: Account, _params: Obj, identity: str) -> Obj:
    """One intent."""
    return account.get("payment_intent", identity)


@serves("POST /v1/payment_intents/{intent}")
def update(account: Account, params: Obj, identity: str) -> Obj:
    """Change an intent; its money and card only while nothing has been taken."""
    intent = account.get("payment_intent", identity)
    money = params.keys() & {"amount", "currency", "payment_method", "customer"}
    if money and intent["status"] not in _WAITING:
        raise _unexpected(intent, "updated", _WAITING)
    method = params.pop("payment_method", None)
    if method:
        intent.update(payment_method=_usable(account, intent, method), status="requires_confirmation")
    update_plain(intent, params)
    intent["currency"] = intent["currency"].lower()
    balance.check_amount(intent["amount"], intent["currency"])
    return intent


@serves("POST /v1/payment_intents/{intent}/confirm")
def confirm_intent(account: Account, params: Obj, identity: str) -> Obj:
    """Try a card."""
    intent = account.get("payment_intent", identity)
    if "payment_method_data" in params:
        raise not_modelled("payment_method_data: name a payment method instead")
    if intent["status"] not in _WAITING:
        raise _unexpected(intent, "confirmed", _WAITING)
    if params.get("payment_method"):
        intent["payment_method"] = _usable(account, intent, params["payment_method"])
    intent["_return_url"] = params.get("return_url") or intent["_return_url"]
    _confirm(account, intent, params)
    return intent


@serves("POST /v1/payment_intents/{intent}/capture")
def capture_intent(account: Account, params: Obj, identity: str) -> Obj:
    """Take the money that is held, or a part of it."""
    intent = account.get("payment_intent", identity)
    if params.get("final_capture") is False:
        raise not_modelled("several captures of one hold")
    if intent["status"] != "requires_capture":
        raise _unexpected(intent, "captured", ("requires_capture",))
    amount = params["amount_to_capture"] if "amount_to_capture" in params else intent["amount_capturable"]
    if amount <= 0:
        raise invalid("Invalid positive integer", code="parameter_invalid_integer", param="amount_to_capture")
    if amount > intent["amount_capturable"]:
        told = "The amount to capture is greater than the amount that is held."
        raise invalid(told, code="amount_too_large", param="amount_to_capture")
    charges.capture(account, intent, amount)
    return intent


@serves("POST /v1/payment_intents/{intent}/cancel")
def cancel_intent(account: Account, params: Obj, identity: str) -> Obj:
    """Give the wish up. The intent of an open Checkout page is ended by expiring its session."""
    intent = account.get("payment_intent", identity)
    allowed = (*_WAITING, "requires_capture")
    if intent["status"] not in allowed:
        raise _unexpected(intent, "canceled", allowed)
    session = intent["_session"] and account.get("checkout.session", intent["_session"])
    if session and session["status"] == "open":
        told = "This PaymentIntent belongs to an open Checkout Session; expire the session instead."
        raise invalid(told, code="payment_intent_unexpected_state")
    cancel(account, intent, params.get("cancellation_reason"))
    return intent
