"""The provider's process: what `kill -9` leaves behind, who may share its state, and when it ends."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests
import stripe

from tests.builders.stripe_sim import ROOT, NotPaid, StripeSimulator, connect, open_session, paid_intent

COMMAND = [sys.executable, "-m", "fulfillment.billing.simulator", "--child", "--state"]


def test_everything_survives_being_killed(tmp_path: Path) -> None:
    with StripeSimulator.start(tmp_path) as simulator:
        shop = connect(simulator.url)
        open_, paid = open_session(shop, key="order-1"), open_session(shop, key="order-2")
        simulator.pay(paid.url or "")
        with pytest.raises(NotPaid):
            simulator.pay(open_.url or "", card="4000000000000002")
        intent = paid_intent(shop)
        refund: Any = ({"payment_intent": intent.id, "amount": 100}, {"idempotency_key": "refund-1"})
        first = shop.v1.refunds.create(*refund)
        simulator.control("clock", advance=3_600)
        before = [page.to_dict() for page in (shop.v1.events.list({"limit": 100}), shop.v1.balance_transactions.list())]

        simulator.restart()

        after = [page.to_dict() for page in (shop.v1.events.list({"limit": 100}), shop.v1.balance_transactions.list())]
        assert after == before
        assert shop.v1.refunds.create(*refund).id == first.id
        assert open_session(shop, key="order-1").id == open_.id
        assert shop.v1.checkout.sessions.retrieve(paid.id).payment_status == "paid"
        assert simulator.pay(open_.url or "").endswith(open_.id)
        assert shop.v1.customers.create({}).created >= time.time() + 3_500


@pytest.mark.parametrize(("kind", "before_retry"), [("slow_inside", 0), ("slow_after", 1)])
def test_killed_in_the_middle_a_refund_happens_whole_or_not_at_all(
    tmp_path: Path, kind: str, before_retry: int
) -> None:
    with StripeSimulator.start(tmp_path) as simulator:
        shop = connect(simulator.url)
        intent = paid_intent(shop)
        simulator.control("faults", faults=[{"match": "POST /v1/refunds", "kind": kind, "seconds": 30}])
        lost: list[Exception] = []

        def ask() -> None:
            try:
                shop.v1.refunds.create({"payment_intent": intent.id, "amount": 100}, {"idempotency_key": "refund-1"})
            except stripe.APIConnectionError as error:
                lost.append(error)

        asking = threading.Thread(target=ask)
        asking.start()
        time.sleep(0.5)
        simulator.restart()
        asking.join(10)

        assert len(lost) == 1
        assert len(shop.v1.refunds.list().data) == before_retry
        shop.v1.refunds.create({"payment_intent": intent.id, "amount": 100}, {"idempotency_key": "refund-1"})
        assert [refund.amount for refund in shop.v1.refunds.list().data] == [100]
        assert len(shop.v1.events.list({"type": "refund.created"}).data) == 1
        assert [one.amount for one in shop.v1.balance_transactions.list({"type": "refund"}).data] == [-100]


def test_killed_while_the_buyer_pays_there_is_one_charge(tmp_path: Path) -> None:
    with StripeSimulator.start(tmp_path) as simulator:
        shop = connect(simulator.url)
        session = open_session(shop)
        simulator.control("faults", faults=[{"match": "POST /c/pay/*", "kind": "slow_after", "seconds": 30}])

        def pay() -> None:
            with contextlib.suppress(requests.RequestException):
                simulator.pay(str(session.url))

        paying = threading.Thread(target=pay)
        paying.start()
        time.sleep(0.5)
        simulator.restart()
        paying.join(10)

        form = {"number": "4242424242424242", "expiry": "12/40", "cvc": "123"}
        again = requests.post(str(session.url), data=form, allow_redirects=False, timeout=10)
        assert again.headers["Location"].endswith(session.id)
        assert len(shop.v1.charges.list().data) == 1
        assert len(shop.v1.events.list({"type": "checkout.session.completed"}).data) == 1


def test_pages_left_open_move_to_the_new_port(tmp_path: Path) -> None:
    with StripeSimulator.start(tmp_path) as first:
        session = open_session(connect(first.url))
    with StripeSimulator.start(tmp_path) as second:
        moved = connect(second.url).v1.checkout.sessions.retrieve(session.id).url
        assert moved == f"{second.url}/c/pay/{session.id}"
        assert second.pay(moved).endswith(session.id)


def test_it_listens_on_loopback_only(tmp_path: Path) -> None:
    with StripeSimulator.start(tmp_path) as simulator:
        listening = [one.laddr.ip for one in psutil.Process(simulator.pid).net_connections() if one.status == "LISTEN"]
        assert listening == ["127.0.0.1"]


def test_it_ends_with_its_parent(tmp_path: Path) -> None:
    command = [*COMMAND, str(tmp_path / "stripe.db")]
    parent = f"import subprocess, time; subprocess.Popen({command!r}, stdin=subprocess.PIPE); time.sleep(60)"
    process = subprocess.Popen([sys.executable, "-c", parent], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline().startswith("READY http://127.0.0.1:")
    (child,) = psutil.Process(process.pid).children()

    process.kill()
    process.wait()
    process.stdout.close()
    gone, alive = psutil.wait_procs([child], timeout=10)
    assert (len(gone), alive) == (1, [])


def test_two_processes_do_not_share_a_state(tmp_path: Path) -> None:
    with StripeSimulator.start(tmp_path):
        second = subprocess.run(
            [*COMMAND, str(tmp_path / "stripe.db")], cwd=ROOT, capture_output=True, text=True, timeout=20, check=False
        )
    assert second.returncode == 1
    assert "another simulator works on" in second.stderr
    assert second.stdout == ""
