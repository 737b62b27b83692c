"""A shop's webhook address, as a test needs it: it takes notes, and refuses on demand."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

import stripe


class WebhookListener:
    """Listens on loopback; `bodies` and `signatures` are what came, in the order it came."""

    def __init__(self, port: int = 0) -> None:
        self.bodies: list[bytes] = []
        self.signatures: list[str] = []
        self.refusals: list[int] = []
        """Statuses for the next deliveries; afterwards 200."""
        self.slow = 0.0
        self.most_at_once = 0
        self._now = 0
        self._lock = threading.Lock()
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                status = listener._take(self.rfile.read(int(self.headers["Content-Length"])), self.headers)
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/stripe/webhook"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def _take(self, body: bytes, headers: object) -> int:
        with self._lock:
            self._now += 1
            self.most_at_once = max(self.most_at_once, self._now)
        time.sleep(self.slow)
        with self._lock:
            self._now -= 1
            self.bodies.append(body)
            self.signatures.append(headers["Stripe-Signature"])  # type: ignore[index]  # an e-mail Message
            return self.refusals.pop(0) if self.refusals else 200

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()

    def events(self, secret: str) -> list[stripe.Event]:
        """What came, verified by the SDK. Raises SignatureVerificationError."""
        return [
            stripe.Webhook.construct_event(body, signature, secret)
            for body, signature in zip(self.bodies, self.signatures, strict=True)
        ]

    def types(self) -> list[str]:
        """The kinds of what came."""
        return [str(json.loads(body)["type"]) for body in self.bodies]


def until(true: Callable[[], bool], seconds: float = 10) -> None:
    """Wait for something that happens in another process. Raises AssertionError."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)
