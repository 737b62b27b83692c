"""The Stripe-compatible provider as a test holds it: a child process that can be stopped, killed and restarted.

`with StripeSimulator.start(tmp_path) as simulator:` gives `simulator.url` for the SDK's `base_addresses`, and
`simulator.pay(session.url, card="4000002500003155")` walks the hosted page as a buyer would.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self
from urllib.parse import urljoin, urlsplit

import requests
import stripe

from fulfillment.billing.simulator.contract import CheckedClient

ROOT = Path(__file__).resolve().parents[2]
KEY = "sk_test_larkmill"
_PATIENCE = 20


def connect(url: str, *, retries: int = 0, timeout: float = 20, key: str = KEY) -> stripe.StripeClient:
    """The real SDK, pointed at a simulator, with every request checked against the contract on its way out."""
    http = CheckedClient(timeout=timeout)
    return stripe.StripeClient(key, base_addresses={"api": url}, http_client=http, max_network_retries=retries)


def open_session(client: stripe.StripeClient, *, key: str | None = None, **changes: Any) -> stripe.checkout.Session:
    """A Checkout Session for one laptop at $1,299.00, unless told otherwise."""
    price: Any = {"currency": "usd", "unit_amount": 129_900, "product_data": {"name": "Skein 14"}}
    params: Any = {
        "mode": "payment",
        "ui_mode": "hosted_page",
        "line_items": [{"quantity": 1, "price_data": price}],
        "client_reference_id": "SO-2026-000001",
        "metadata": {"order": "SO-2026-000001"},
        "success_url": "http://shop.example/paid?session={CHECKOUT_SESSION_ID}",
        "cancel_url": "http://shop.example/cart",
        "customer_email": "buyer@example.com",
        **changes,
    }
    return client.v1.checkout.sessions.create(params, {"idempotency_key": key} if key else {})


def paid_intent(client: stripe.StripeClient, amount: int = 10_000, **changes: Any) -> stripe.PaymentIntent:
    """A PaymentIntent confirmed at once with a test card, without a page."""
    params: Any = {
        "amount": amount,
        "currency": "usd",
        "confirm": True,
        "payment_method": "pm_card_visa",
        "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
        **changes,
    }
    return client.v1.payment_intents.create(params)


class NotPaid(Exception):
    """The hosted page did not lead on to the shop."""

    def __init__(self, status: int, page: str) -> None:
        alert = re.search(r'role="alert">(.*?)</div>', page, re.DOTALL)
        self.status = status
        self.reason = " ".join(re.sub(r"<[^>]+>", " ", alert.group(1)).split()) if alert else ""
        super().__init__(f"{status}: {self.reason or page[:300]}")


class StripeSimulator:
    """One simulator process on a state directory of its own."""

    def __init__(self, state_dir: Path) -> None:
        self._state = state_dir / "stripe.db"
        self._process: subprocess.Popen[str] | None = None
        self.url = ""
        """Base address for the SDK."""

    @classmethod
    def start(cls, state_dir: Path) -> StripeSimulator:
        """Start a provider whose state lives in `state_dir`."""
        simulator = cls(state_dir)
        simulator._launch(port=0)
        return simulator

    def _launch(self, port: int) -> None:
        command = [sys.executable, "-m", "fulfillment.billing.simulator", "--child"]
        command += ["--port", str(port), "--state", str(self._state)]
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        output: IO[str] | None = self._process.stdout
        first = output.readline() if output else ""
        if not first.startswith("READY "):
            raise RuntimeError(f"the simulator did not start: {first!r}")
        self.url = first.removeprefix("READY ").strip()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """The process id, for tests that look at the process itself."""
        if self._process is None:
            raise RuntimeError("the simulator is not running")
        return self._process.pid

    def stop(self) -> None:
        """End as a parent ends its child: close its standard input."""
        if self._process is not None and self._process.stdin:
            self._process.stdin.close()
        self._gone()

    def kill(self) -> None:
        """End at once, whatever it is doing (`kill -9`)."""
        if self._process is not None:
            self._process.kill()
        self._gone()

    def _gone(self) -> None:
        if self._process is None:
            return
        self._process.wait(_PATIENCE)
        for stream in (self._process.stdin, self._process.stdout):
            if stream:
                stream.close()
        self._process = None

    def restart(self) -> None:
        """Start again on the same state and port."""
        self.kill()
        self._launch(urlsplit(self.url).port or 0)

    def control(self, act: str, **given: Any) -> Any:
        """Do something to the provider by its control plane; the answer's JSON."""
        answer = requests.post(f"{self.url}/_sim/{act}", json=given, timeout=_PATIENCE)
        answer.raise_for_status()
        return answer.json()

    def look(self, what: str) -> Any:
        """Look something up at the control plane: `log` (every attempt to deliver) or `deliveries`."""
        answer = requests.get(f"{self.url}/_sim/{what}", timeout=_PATIENCE)
        answer.raise_for_status()
        return answer.json()

    def pay(
        self,
        session_url: str,
        card: str = "4242424242424242",
        *,
        expiry: str = "12/40",
        cvc: str = "123",
        email: str = "buyer@example.com",
        authenticate: bool = True,
    ) -> str:
        """Walk the hosted page like a buyer, 3-D Secure included; the shop's address it leads to, not followed.

        Raises NotPaid when the page says no.
        """
        with requests.Session() as browser:
            shown = browser.get(session_url, timeout=_PATIENCE)
            if shown.status_code != 200 or "<form" not in shown.text:
                raise NotPaid(shown.status_code, shown.text)
            form = {"number": card, "expiry": expiry, "cvc": cvc, "email": email, "name": "Robin Lark"}
            answer = browser.post(session_url, data=form, allow_redirects=False, timeout=_PATIENCE)
            while answer.status_code == 303:
                address = urljoin(session_url, answer.headers["Location"])
                if not address.startswith(self.url):
                    return address
                if "/3ds/" not in address:
                    answer = browser.get(address, allow_redirects=False, timeout=_PATIENCE)
                    break
                outcome = {"outcome": "pass" if authenticate else "fail"}
                answer = browser.post(address, data=outcome, allow_redirects=False, timeout=_PATIENCE)
            raise NotPaid(answer.status_code, answer.text)
