"""Starts what the shop is made of as processes of its own: card simulator, web, workers, shop floor.

The children die with this process: each is asked to end, then made to, and the simulator ends by
itself when its standard input closes.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import requests

from fulfillment.billing.gateway import Gateway
from fulfillment.kernel.settings import Settings

TEST_KEY = "sk_test_larkmill"


def free_port(wanted: int) -> int:
    """The wanted port when nobody has it, else a free one."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise RuntimeError("no port is free")


class House:
    """`with House(settings, port) as house:` runs the shop; `house.url` is where it answers."""

    def __init__(self, settings: Settings, port: int, *, web: int = 2, workers: int = 2, pace: str = "0.5") -> None:
        self.settings, self.web, self.workers, self.pace = settings, web, workers, pace
        self.port = free_port(port)
        self.url = f"http://127.0.0.1:{self.port}"
        self.children: dict[str, subprocess.Popen[bytes]] = {}
        self.env: dict[str, str] = {}
        self.logs = settings.var_dir / "log"
        self.commands: dict[str, list[str]] = {}
        self.simulator_url = ""

    def __enter__(self) -> Self:
        try:
            self._open()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def _open(self) -> None:
        self.logs.mkdir(parents=True, exist_ok=True)
        self.env = {**os.environ, **self._payments(), "FLASK_APP": "wsgi", "SHOP_BASE_URL": self.url}
        self.env |= {"SHOP_DATABASE_URL": self.settings.database_url, "SHOP_VAR_DIR": str(self.settings.var_dir), "PYTHONUNBUFFERED": "1"}
        self.start_web()
        for number in range(1, self.workers + 1):
            self.start(f"worker-{number}", "flask", "work")
        self.start("floor", "flask", "floor", "run", "--pace", self.pace)
        self.wait_until_ready()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for child in reversed(self.children.values()):
            child.terminate()
        for child in self.children.values():
            try:
                child.wait(10)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()

    def start_web(self) -> None:
        """Start the web server: a master and its workers."""
        self.env |= {"SHOP_BIND": f"127.0.0.1:{self.port}", "SHOP_WEB_WORKERS": str(self.web)}
        self.start("web", "gunicorn", "-c", "python:fulfillment.kernel.server", "wsgi:serve()")

    def start(self, name: str, program: str, *words: str) -> None:
        """Start a program of the virtual environment as a child, its output in var/log."""
        self.commands[name] = [str(Path(sys.executable).parent / program), *words]
        self._launch(name)

    def _launch(self, name: str) -> None:
        with (self.logs / f"{name}.log").open("ab") as log:
            self.children[name] = subprocess.Popen(  # noqa: S603 - our own programs
                self.commands[name], env=self.env, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
            )

    def revive(self) -> list[str]:
        """Start every child again that has ended, as a process manager would; their names."""
        dead = [name for name, child in self.children.items() if child.poll() is not None]
        for name in dead:
            if name == "simulator":
                self.start_simulator(int(self.simulator_url.rsplit(":", 1)[1]))
            else:
                self._launch(name)
        return dead

    def _payments(self) -> Mapping[str, str]:
        """The real payment provider when a key is set; else the simulator, told of our webhook through its normal API."""
        if self.settings.stripe_api_key:
            return {}
        self.start_simulator()
        env = {"STRIPE_API_KEY": TEST_KEY, "STRIPE_API_BASE": self.simulator_url}
        secret = Gateway(TEST_KEY, self.simulator_url, 20).register_webhook(f"{self.url}/stripe/webhook")
        return {**env, "STRIPE_WEBHOOK_SECRET": secret}

    def start_simulator(self, port: int = 0) -> None:
        """Start the Stripe-compatible simulator and learn its address."""
        state = self.settings.var_dir / "stripe.db"
        command = [sys.executable, "-m", "fulfillment.billing.simulator", "--port", str(port), "--state", str(state), "--child"]
        with (self.logs / "simulator.log").open("ab") as log:
            child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log)  # noqa: S603
        assert child.stdout is not None
        ready = child.stdout.readline().decode().split()
        if not ready or ready[0] != "READY":
            raise RuntimeError(f"the card simulator did not start: see {self.logs / 'simulator.log'}")
        self.children["simulator"] = child
        self.simulator_url = ready[1]

    def answers(self) -> bool:
        """Whether the shop is open."""
        try:
            return requests.get(f"{self.url}/readyz", timeout=5).ok
        except requests.RequestException:
            return False

    def wait_until_ready(self, seconds: float = 60) -> None:
        """Wait until the shop answers. Raises RuntimeError."""
        limit = time.monotonic() + seconds
        while time.monotonic() < limit:
            if self.answers():
                return
            if self.children["web"].poll() is not None:
                break
            time.sleep(0.1)
        raise RuntimeError(f"the shop did not start: see {self.logs / 'web.log'}")

    def stay_open(self) -> None:
        """Wait; a child that ends by itself is started again by nobody, so say so."""
        while True:
            time.sleep(1)
            for name, child in self.children.items():
                if child.poll() is not None:
                    raise RuntimeError(f"{name} has ended: see {self.logs / name}.log")
