"""Card payments for the tests: orders to pay, a provider in its own process, webhooks that come back over HTTP."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, Self

import pytest
import sqlalchemy as sa
import stripe
from flask import Flask, request
from werkzeug.serving import make_server

from fulfillment.billing import checks
from fulfillment.billing.checkout import start_checkout
from fulfillment.billing.gateway import gateway
from fulfillment.billing.inbox import receive_event
from fulfillment.billing.models import InboxEvent, Payment, PaymentStatus, Refund
from fulfillment.kernel.alerts import open_alerts
from fulfillment.kernel.clock import today
from fulfillment.kernel.db import reading, transaction
from fulfillment.kernel.events import OutboxEvent
from fulfillment.kernel.ids import secret_token
from fulfillment.kernel.jobs import run_until_idle
from fulfillment.kernel.money import Money
from fulfillment.kernel.refusals import Refusal
from fulfillment.kernel.settings import Settings, use
from fulfillment.ledger.accounts import Account
from fulfillment.ledger.checks import run_checks
from fulfillment.ledger.models import Entry
from fulfillment.ledger.service import trial_balance
from fulfillment.orders.draft import DraftLine, OrderDraft
from fulfillment.orders.models import LineKind, OrderStatus, SalesOrder
from fulfillment.orders.service import book_order
from tests.builders.people import make_address
from tests.builders.stripe_sim import KEY, StripeSimulator

SUCCESS, CANCEL = "http://localhost/checkout/done", "http://localhost/checkout"
VISA, DECLINED, NO_FUNDS, SECURE, DISPUTED = (
    "4242424242424242", "4000000000000002", "4000000000009995", "4000002500003155", "4000000000000259",
)


def fee_of(gross: int) -> int:
    """What the provider keeps of a card payment: 2.9 % and 30 cents."""
    return (gross * 29 + 500) // 1000 + 30


def signed(event: dict[str, Any], secret: str, *, at: int | None = None) -> tuple[bytes, str]:
    """An event as the provider would send it: body and signature."""
    body, stamp = json.dumps(event).encode(), int(time.time()) if at is None else at
    return body, f"t={stamp},v1={hmac.new(secret.encode(), f'{stamp}.'.encode() + body, hashlib.sha256).hexdigest()}"


class CardShop:
    """A shop whose cards are charged by a provider in its own process."""

    def __init__(self, simulator: StripeSimulator, settings: Settings) -> None:
        self.simulator = simulator
        self.settings = settings
        self.answers: list[int] = []
        """The status of every answer to a webhook."""

    @classmethod
    @contextmanager
    def open(cls, simulator: StripeSimulator, settings: Settings) -> Iterator[Self]:
        """Point this process at the provider, and the provider's webhooks at this process."""
        simulator.control("reset")
        shop = cls(simulator, replace(settings, stripe_api_key=KEY, stripe_api_base=simulator.url))
        use(shop.settings)
        server = make_server("127.0.0.1", 0, shop._door(), threaded=True)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        secret = gateway().register_webhook(f"http://127.0.0.1:{server.server_port}/")
        shop.settings = replace(shop.settings, stripe_webhook_secret=secret)
        use(shop.settings)
        try:
            yield shop
        finally:
            simulator.control("reset")
            server.shutdown()
            thread.join()
            server.server_close()
            use(settings)

    def _door(self) -> Flask:
        app = Flask("webhook door")

        @app.post("/")
        def take() -> tuple[str, int]:
            try:
                receive_event(request.get_data(), request.headers.get("Stripe-Signature", ""))
                status = 200
            except Refusal as refusal:
                status = refusal.status
            self.answers.append(status)
            return "", status

        return app

    def break_next(self, *faults: dict[str, Any]) -> None:
        """Break the next requests to the provider; none mends everything."""
        self.simulator.control("faults", faults=list(faults))

    def webhooks(self, **behaviour: Any) -> None:
        """How the provider's deliveries go from now on."""
        self.simulator.control("webhooks", **behaviour)

    def silent(self) -> None:
        """The provider tells us nothing from now on."""
        self.webhooks(drop=["*"])

    def book(self, goods: int = 129_900, *, quantity: int = 1, locale: str = "en") -> str:
        """An order that waits for its payment; `goods` is the price of one."""
        return book_sleeve(goods, quantity=quantity, locale=locale)

    def checkout(self, number: str) -> str:
        """Click on Pay."""
        return start_checkout(number, success_url=SUCCESS, cancel_url=CANCEL)

    def paid_order(self, goods: int = 129_900, card: str = VISA) -> str:
        """An order that was paid and whose webhooks have been worked."""
        number = self.book(goods)
        self.simulator.pay(self.checkout(number), card)
        self.work()
        return number

    def charge_of(self, number: str) -> str:
        """The provider's charge behind the order's payment."""
        page = gateway().session(payment_of(number).session_id or "")
        assert page.intent is not None
        return page.intent.charge_id or ""

    def arrive(self) -> None:
        """Wait until every webhook has been taken in."""
        assert self.simulator.control("settle")["idle"]

    def work(self) -> None:
        """Let every webhook come in and every job be done, and what follows from them."""
        self.arrive()
        while run_until_idle():
            self.arrive()


def book_sleeve(price: int = 129_900, *, quantity: int = 1, locale: str = "en") -> str:
    """An order of something that only has to be packed, to Texas."""
    name = {"en": "Wool sleeve", "zh": "羊毛内胆包"}
    line = DraftLine(LineKind.ITEM, "SLEEVE-14", name, quantity, Money(price), today(), weight_g=300)
    draft = OrderDraft(secret_token(), "ada@example.com", make_address(), make_address(), (line,), locale=locale)
    with transaction() as session:
        return book_order(session, draft).number


def order_of(number: str) -> SalesOrder:
    with reading() as session:
        return session.scalars(sa.select(SalesOrder).filter_by(number=number)).one()


def status_of(number: str) -> OrderStatus:
    return order_of(number).status


def payments_of(number: str) -> list[Payment]:
    with reading() as session:
        return list(session.scalars(sa.select(Payment).filter_by(order_number=number).order_by(Payment.attempt)))


def payment_of(number: str) -> Payment:
    """The only payment of an order."""
    (payment,) = payments_of(number)
    return payment


def paid(number: str) -> list[int]:
    """The amounts of the payments that were received, in order of attempts."""
    return [payment.paid_minor for payment in payments_of(number) if payment.status is PaymentStatus.PAID]


def refunds_of(number: str) -> list[Refund]:
    with reading() as session:
        return list(session.scalars(sa.select(Refund).filter_by(order_number=number).order_by(Refund.created_at, Refund.id)))


def kinds() -> list[str]:
    """The kinds of all entries in the books, in order."""
    with reading() as session:
        return list(session.scalars(sa.select(Entry.kind).order_by(Entry.seq)))


def times_paid(number: str) -> int:
    """How often the factory was told that the order is paid."""
    with reading() as session:
        told = session.scalars(sa.select(OutboxEvent.payload).filter_by(kind="OrderPaid"))
        return sum(payload["number"] == number for payload in told)


def alerts() -> list[str]:
    """The kinds of the open alerts, in alphabetical order."""
    with reading() as session:
        return sorted(alert.kind for alert in open_alerts(session))


def standing() -> dict[Account, int]:
    """Every account that does not stand at zero, in minor units."""
    with reading() as session:
        return {account: amount.minor for (account, _), amount in trial_balance(session).items() if amount}


def unhandled() -> int:
    """Events taken in and not worked yet."""
    with reading() as session:
        waiting = sa.select(sa.func.count()).select_from(InboxEvent).where(InboxEvent.handled_at.is_(None))
        return session.scalar(waiting) or 0


def findings() -> list[str]:
    """All that is wrong with the books, the provider's own balance included."""
    held = gateway().balance("USD")
    with reading() as session:
        found = [f"{checked.name}: {finding.text}" for checked in run_checks(session) for finding in checked.findings]
        return found + [finding.text for finding in checks.clearing_against_provider(session, held)]


def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait no seconds between tries, ours or the SDK's."""
    monkeypatch.setattr("fulfillment.billing.gateway.time", SimpleNamespace(sleep=lambda _: None))
    for name in ("INITIAL_DELAY", "MAX_DELAY"):
        monkeypatch.setattr(stripe.HTTPClient, name, 0.02)

