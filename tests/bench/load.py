"""Visitors on loopback: each a thread with a kept-alive connection and its cookies, asking one thing over and over."""

from __future__ import annotations

import gzip
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlencode, urlsplit

from storefront.demo.story import Form, forms_of
from tests.bench.figures import at


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The page."""
        return (gzip.decompress(self.body) if self.headers.get("content-encoding") == "gzip" else self.body).decode()


class Visitor:
    """A browser without script, on one connection."""

    def __init__(self, base: str) -> None:
        self.host = urlsplit(base).netloc
        self.connection = HTTPConnection(self.host, timeout=60)
        self.cookies: dict[str, str] = {}

    def ask(self, path: str, form: Mapping[str, str] | list[tuple[str, str]] | None = None, **headers: str) -> Answer:
        """Get a page, or send a form."""
        sent = {"Accept-Encoding": "gzip", "Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        body = None
        if form is not None:
            body, sent["Content-Type"], sent["Referer"] = urlencode(form).encode(), "application/x-www-form-urlencoded", f"http://{self.host}/"
        for again in (False, True):
            try:
                return self._exchange("GET" if form is None else "POST", path, body, sent)
            except (HTTPException, ConnectionError):
                self.connection.close()  # the server had closed the idle connection
                if again:
                    raise
        raise AssertionError("the second try returns or raises")

    def _exchange(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Answer:
        self.connection.request(method, path, body, dict(headers))
        response = self.connection.getresponse()
        content = response.read()
        for cookie in response.headers.get_all("Set-Cookie") or ():
            name, _, value = cookie.split(";", 1)[0].partition("=")
            self.cookies[name] = value
        return Answer(response.status, {name.lower(): value for name, value in response.headers.items()}, content)

    def form(self, path: str, action: str, method: str = "post") -> Form:
        """The form of a page that goes to an address with `action` in it."""
        page = self.ask(path)
        return next(form for form in forms_of(page.text) if action in (form.action or path) and form.method == method)


Act = Callable[[], bool]
"""Does the thing once; whether the answer was the right one."""


@dataclass
class Times:
    """What the visitors measured."""

    seconds: float
    times: list[float] = field(default_factory=list)
    wrong: int = 0

    def figures(self, prefix: str) -> dict[str, float]:
        """As samples for a section: requests a second and percentiles in milliseconds."""
        ordered = sorted(self.times)
        found = {"r_s": len(ordered) / self.seconds, "p50": at(50, ordered) * 1000, "p99": at(99, ordered) * 1000}
        return {f"{prefix}_{name}": value for name, value in found.items()}


def drive(acts: list[Act], seconds: float) -> Times:
    """Have every visitor do its act again and again for so long."""
    line = threading.Barrier(len(acts) + 1)
    found: list[tuple[list[float], int]] = []

    def visit(act: Act) -> None:
        times, wrong = [], 0
        line.wait()
        end = time.perf_counter() + seconds
        while (began := time.perf_counter()) < end:
            wrong += not act()
            times.append(time.perf_counter() - began)
        found.append((times, wrong))

    threads = [threading.Thread(target=visit, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    line.wait()
    began = time.perf_counter()
    for thread in threads:
        thread.join()
    elapsed = time.perf_counter() - began
    return Times(elapsed, [each for times, _ in found for each in times], sum(wrong for _, wrong in found))
