"""A process of the house under measurement: pays orders, works the jobs and the desks until all have left, or drains a queue.

Told what to do by lines of JSON on its standard input, and answers in the same way; `Hand` is the other end.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Self

import click
import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

import wsgi
from fulfillment.kernel import db as database
from fulfillment.kernel import jobs
from fulfillment.kernel.db import reading, transaction
from fulfillment.kernel.refusals import Refusal
from fulfillment.kernel.settings import Settings, use
from fulfillment.orders.models import OrderStatus, SalesOrder
from fulfillment.shipping.floor import CREW, DISPATCHER, look_around
from storefront.demo.paper import pay

HERE = {*CREW.values(), DISPATCHER, "supplier"}
"""Whose acts bring an order out of the house."""
GONE = (OrderStatus.SHIPPED, OrderStatus.DELIVERED)


@jobs.job("kernel.bench_nothing")
def nothing(_session: Session) -> None:
    """The least a job can do: claimed, done and finished in one transaction."""


def make(numbers: list[str], place: int, of: int) -> None:
    """Pay our share of the orders, and work until all of them are out of the house."""
    for number in numbers[place::of]:
        with transaction() as session:
            pay(session, number)
    while not _all_gone(numbers):
        while jobs.work_one():
            pass
        with reading() as session:
            acts = [act for act in look_around(session) if act.who in HERE]
        for act in acts[place::of]:
            try:
                with transaction() as session:
                    act.do(session)
            except Refusal:
                continue  # the other process was faster


def _all_gone(numbers: list[str]) -> bool:
    with reading() as session:
        gone = sa.select(sa.func.count()).select_from(SalesOrder).where(SalesOrder.number.in_(numbers), SalesOrder.status.in_(GONE))
        return session.scalar(gone) == len(numbers)


def drain() -> None:
    """Work until nothing is due."""
    while jobs.work_one():
        pass


def main() -> None:
    """Do what the lines say."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    wsgi.load_slices()
    for line in sys.stdin:
        asked: dict[str, Any] = json.loads(line)
        began, cpu = time.perf_counter(), time.process_time()
        match asked["act"]:
            case "connect":
                use(Settings(database_url=asked["url"], var_dir=Path(asked["folder"])))
                database.connect(asked["url"])
                with reading() as session:
                    session.execute(sa.text("SELECT 1"))
            case "make":
                make(asked["numbers"], asked["place"], asked["of"])
            case "drain":
                drain()
        click.echo(json.dumps({"seconds": time.perf_counter() - began, "cpu": time.process_time() - cpu}))


class Hand:
    """The other end: one such process, started and ended."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "tests.bench.crew"]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait(30)
        self.process.stdout.close()

    def tell(self, act: str, **what: object) -> None:
        """Have it begin."""
        assert self.process.stdin is not None
        click.echo(json.dumps({"act": act, **what}), file=self.process.stdin)

    def hear(self) -> dict[str, float]:
        """Wait until it is done: its seconds and its CPU."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("a process of the crew has ended")
        answer: dict[str, float] = json.loads(line)
        return answer


if __name__ == "__main__":
    main()
