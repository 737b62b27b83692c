"""Our one door to Stripe: the official SDK comes in here and nowhere else.

Every call has a timeout and the SDK's own retries; every call that changes something carries a key
of ours. Errors become refusals: `Unavailable` says nothing about what happened (ask again with the
same key), `CardRefused` and `ProviderRefused` are final. Answers become `facts`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import cache, partial
from typing import Any, ClassVar, TypeVar, cast

import stripe

from fulfillment.billing.facts import DisputeFacts, EventFacts, IntentFacts, RefundFacts, SessionFacts, TransactionFacts
from fulfillment.kernel.clock import now
from fulfillment.kernel.money import Money
from fulfillment.kernel.refusals import NotFound, Refusal, Unavailable
from fulfillment.kernel.settings import settings

API_VERSION = "2026-10-28.endive"
assert stripe.api_version == API_VERSION, f"the SDK speaks {stripe.api_version}; read its changes before you move"

TIMEOUT = 20
"""Seconds we wait for one answer; the SDK's own default is 80."""
RETRIES = 2
TOLERANCE = 300
"""Seconds a webhook may be old, or ahead of our clock. Source: Stripe, "Receive events in your webhook endpoint"."""

EVENTS = (
    "checkout.session.completed", "checkout.session.expired", "checkout.session.async_payment_succeeded",
    "checkout.session.async_payment_failed", "payment_intent.succeeded", "payment_intent.payment_failed", "charge.succeeded",
    "charge.updated", "charge.refunded", "charge.dispute.created", "charge.dispute.updated", "charge.dispute.closed",
    "charge.dispute.funds_withdrawn", "charge.dispute.funds_reinstated", "refund.created", "refund.updated", "refund.failed",
    "payout.created", "payout.paid", "payout.failed",
)
"""What we ask Stripe to tell us of."""

NOT_NOW = "Card payment does not answer right now. Nothing was charged; please try again in a minute."

T = TypeVar("T")


class CardRefused(Refusal):
    """The card's bank said no; another card, or the same one later, may do."""

    status: ClassVar[int] = 402


class ProviderRefused(Refusal):
    """Stripe will never do this, whoever asks again: our request is wrong or comes too late."""

    status: ClassVar[int] = 409


class BadEvent(Refusal):
    """This did not come from Stripe, or not lately, or is no event at all."""

    status: ClassVar[int] = 400


def _ask(call: Callable[[], T]) -> T:
    """Make one call; turn the SDK's errors into refusals. A 429 is asked again twice: the SDK does not."""
    for pause in (1, 2, None):
        try:
            return call()
        except stripe.RateLimitError as error:
            if pause is None:
                raise Unavailable(NOT_NOW) from error
            time.sleep(pause)
        except stripe.CardError as error:
            raise CardRefused("Your card was declined. Please try another card.") from error
        except stripe.InvalidRequestError as error:
            if error.http_status == 404:
                raise NotFound("The payment provider does not know {id}.", id=error.param or "this object") from error
            if error.http_status == 409:  # the same key is being worked on by another call of ours
                raise Unavailable(NOT_NOW) from error
            raise ProviderRefused("The payment provider refused: {reason}", reason=error.user_message or error.code) from error
        except stripe.IdempotencyError as error:
            raise ProviderRefused("The payment provider refused: {reason}", reason=error.user_message) from error
        except stripe.StripeError as error:
            raise Unavailable(NOT_NOW) from error
    raise AssertionError("the last pause is None")


class Gateway:
    """Stripe, as far as a shop needs it."""

    def __init__(self, api_key: str, api_base: str, timeout: int) -> None:
        self.stripe = stripe.StripeClient(
            api_key, base_addresses={"api": api_base}, stripe_version=API_VERSION, max_network_retries=RETRIES,
            http_client=stripe.RequestsClient(timeout=timeout),
        )

    def open_session(self, request: dict[str, Any], key: str) -> SessionFacts:
        """Open a hosted payment page; the same key opens no second one."""
        params = cast("Any", request)
        return _session(_ask(lambda: self.stripe.v1.checkout.sessions.create(params, {"idempotency_key": key})))

    def session(self, session_id: str) -> SessionFacts:
        """Look at a payment page and its money. Raises NotFound."""
        expand = ["payment_intent.latest_charge.balance_transaction"]
        return _session(_ask(lambda: self.stripe.v1.checkout.sessions.retrieve(session_id, {"expand": expand})))

    def session_of_intent(self, intent_id: str) -> SessionFacts | None:
        """The page a payment was made on, if it was made on one."""
        found = _ask(lambda: self.stripe.v1.checkout.sessions.list({"payment_intent": intent_id, "limit": 1}))
        return _session(found.data[0]) if found.data else None

    def expire_session(self, session_id: str) -> None:
        """Close a page nobody should pay on any more. Raises ProviderRefused when it is not open."""
        _ask(lambda: self.stripe.v1.checkout.sessions.expire(session_id, {}, {"idempotency_key": f"{session_id}-expire"}))

    def refund(self, intent_id: str, amount: Money, metadata: dict[str, str], key: str) -> RefundFacts:
        """Send money back; the same key sends it once."""
        refund = _ask(lambda: self.stripe.v1.refunds.create(
            {
                "payment_intent": intent_id, "amount": amount.minor, "metadata": metadata, "reason": "requested_by_customer",
                "expand": ["balance_transaction", "failure_balance_transaction"],
            },
            {"idempotency_key": key},
        ))
        return _refund(refund)

    def refunds(self, intent_id: str) -> list[RefundFacts]:
        """Every refund of a payment, oldest first."""
        expand = ["data.balance_transaction", "data.failure_balance_transaction"]
        page = _ask(lambda: self.stripe.v1.refunds.list({"payment_intent": intent_id, "limit": 100, "expand": expand}))
        return [_refund(refund) for refund in reversed(list(_pages(page)))]

    def disputes(self, intent_id: str) -> list[DisputeFacts]:
        """Every dispute of a payment, oldest first."""
        page = _ask(lambda: self.stripe.v1.disputes.list({"payment_intent": intent_id, "limit": 100}))
        return [_dispute(dispute) for dispute in reversed(list(_pages(page)))]

    def transactions(self, since: datetime | None) -> list[TransactionFacts]:
        """Movements of our balance from `since` on, oldest first, with the payment each belongs to."""
        params: dict[str, Any] = {"limit": 100, "expand": ["data.source"]}
        if since is not None:
            params["created"] = {"gte": int(since.timestamp())}
        page = _ask(lambda: self.stripe.v1.balance_transactions.list(cast("Any", params)))
        return [_transaction(txn) for txn in reversed(list(_pages(page)))]

    def balance(self, currency: str) -> Money:
        """What Stripe holds for us, available and pending together."""
        balance: Any = _ask(self.stripe.v1.balance.retrieve)
        parts = [*balance.available, *balance.pending]
        return Money(sum(part.amount for part in parts if part.currency == currency.lower()), currency)

    def register_webhook(self, url: str) -> str:
        """Have Stripe send its events to this address, and once only; the secret that its signatures are made with."""
        endpoints = self.stripe.v1.webhook_endpoints
        for there in _pages(_ask(lambda: endpoints.list({"limit": 100}))):
            if there.url == url:  # its secret was told once and is gone
                _ask(partial(endpoints.delete, there.id))
        params = cast("Any", {"url": url, "enabled_events": list(EVENTS), "api_version": API_VERSION})
        endpoint = _ask(lambda: endpoints.create(params))
        return cast("str", endpoint.secret)


@cache
def _gateway(api_key: str, api_base: str, timeout: int) -> Gateway:
    return Gateway(api_key, api_base, timeout)


def gateway(*, timeout: int = TIMEOUT) -> Gateway:
    """The door this process's settings lead to; each answer may take `timeout` seconds. Raises Unavailable when no key is configured."""
    if not settings().stripe_api_key:
        raise Unavailable("Card payment is not set up.")
    return _gateway(settings().stripe_api_key, settings().stripe_api_base, timeout)


def verify_event(raw: bytes, signature: str, secret: str) -> EventFacts:
    """Make sure that Stripe signed these bytes within the last five minutes. Raises BadEvent.

    The SDK lets a timestamp of the future pass; we do not: a stolen secret's events would never age.
    """
    try:
        stripe.WebhookSignature.verify_header(raw, signature, secret, TOLERANCE)
        stamp = int(next(part for part in signature.split(",") if part.startswith("t=")).split("=")[1])
        body = json.loads(raw)
    except (stripe.SignatureVerificationError, ValueError, TypeError, StopIteration, RecursionError) as error:
        raise BadEvent("The event is not signed by our payment provider, or too old.") from error
    if stamp > now().timestamp() + TOLERANCE:
        raise BadEvent("The event comes from the future.")
    return _event(body)


def _event(body: object) -> EventFacts:
    try:
        event = cast("Any", body)
        subject = event["data"]["object"]
        named = {
            "object": subject["object"], "id": subject.get("id"), "payment_intent": subject.get("payment_intent"),
        }
        hint = {name: value for name, value in named.items() if _is_word(value)}
        event_id, kind, livemode = event["id"], event["type"], event["livemode"]
    except (KeyError, TypeError, AttributeError) as error:
        raise BadEvent("This is not an event.") from error
    if not (_is_word(event_id) and _is_word(kind) and isinstance(livemode, bool)):
        raise BadEvent("This is not an event.")
    return EventFacts(event_id, kind, livemode, hint)


def _is_word(value: object) -> bool:
    """What Stripe's ids and types look like, and every database can hold."""
    return isinstance(value, str) and 0 < len(value) <= 255 and value.isascii() and value.isprintable()


def _pages(page: Any) -> Iterator[Any]:
    """Walk all pages of a list; the later ones are fetched on the way."""
    while True:
        yield from page.data
        if not page.has_more or not page.data:
            return
        page = _ask(page.next_page)


def _money(minor: int | None, currency: str) -> Money:
    return Money(minor or 0, currency.upper())


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _id(value: Any) -> str | None:
    """The id of something that may be there whole, as its id, or not at all."""
    return value if value is None or isinstance(value, str) else cast("str", value.id)


def _meta(subject: Any, name: str) -> str | None:
    """One of our own words that we sent along."""
    metadata = getattr(subject, "metadata", None)
    return None if metadata is None else metadata.to_dict().get(name)


def _session(session: Any) -> SessionFacts:
    intent = session.payment_intent
    return SessionFacts(
        session_id=session.id, status=session.status, amount=_money(session.amount_total, session.currency), livemode=session.livemode,
        order_number=session.client_reference_id, payment_id=_meta(session, "payment"), url=session.url,
        intent=None if intent is None or isinstance(intent, str) else _intent(intent),
    )


def _intent(intent: Any) -> IntentFacts:
    charge = intent.latest_charge
    whole = None if charge is None or isinstance(charge, str) else charge
    txn = None if whole is None else whole.balance_transaction
    details = None if whole is None else getattr(whole.payment_method_details, "card", None)
    return IntentFacts(
        intent_id=intent.id, status=intent.status, received=_money(intent.amount_received, intent.currency), charge_id=_id(charge),
        card=None if details is None else f"{details.brand} {details.last4}",
        transaction=None if txn is None or isinstance(txn, str) else _transaction(txn, intent.id),
    )


def _refund(refund: Any) -> RefundFacts:
    intent = _id(refund.payment_intent)
    moved = (refund.balance_transaction, getattr(refund, "failure_balance_transaction", None))
    return RefundFacts(
        refund_id=refund.id, status=refund.status or "pending", amount=_money(refund.amount, refund.currency),
        refund_key=_meta(refund, "refund"), attempt=int(_meta(refund, "attempt") or 1),
        transactions=tuple(_transaction(txn, intent) for txn in moved if txn is not None and not isinstance(txn, str)),
    )


def _dispute(dispute: Any) -> DisputeFacts:
    intent = _id(dispute.payment_intent)
    return DisputeFacts(
        dispute_id=dispute.id, status=dispute.status, reason=dispute.reason, amount=_money(dispute.amount, dispute.currency),
        opened_at=_moment(dispute.created), transactions=tuple(_transaction(txn, intent) for txn in dispute.balance_transactions),
    )


def _transaction(txn: Any, intent_id: str | None = None) -> TransactionFacts:
    source = txn.source
    if intent_id is None and source is not None and not isinstance(source, str):
        intent_id = _id(getattr(source, "payment_intent", None))
    return TransactionFacts(
        txn_id=txn.id, category=txn.reporting_category, gross=_money(txn.amount, txn.currency), fee=_money(txn.fee, txn.currency),
        net=_money(txn.net, txn.currency), created_at=_moment(txn.created), source_id=_id(source), intent_id=intent_id,
    )
