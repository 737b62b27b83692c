"""kill -9 of web, worker, shop floor and card simulator at fifty random moments of thirty orders and more.

The whole house runs as it does in production, with two web and two worker processes. Customers try
again when a page does not answer, as people do; dead processes are started again, as a process manager does.
"""

from __future__ import annotations

import random
import signal
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path

import psutil
import pytest

from fulfillment.kernel.db import transaction
from fulfillment.kernel.settings import Settings
from storefront.demo.house import House
from storefront.demo.seed import seed_house
from tests.builders.open_house import buy, house_settings, is_delivered, nothing_lost_nothing_twice, retrying, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.stocked, pytest.mark.timeout(900)]

ORDERS, KILLS = 30, 50


def victims(house: House) -> list[psutil.Process]:
    """Every process that may die: the web server's master and workers, jobs' workers, floor, simulator."""
    found = []
    for child in list(house.children.values()):
        try:
            process = psutil.Process(child.pid)
            found += [process, *process.children()]
        except psutil.NoSuchProcess:
            continue
    return found


def kill_at_random(house: House, stop: threading.Event, killed: list[str]) -> None:
    """Kill somebody now and then, while the shop is open, and start the dead again, until told to stop."""
    dice = random.Random(9)
    due = time.monotonic()
    while not stop.is_set():
        time.sleep(0.1)
        house.revive()
        alive = victims(house)
        if len(killed) >= KILLS or time.monotonic() < due or not alive or not house.answers():
            continue
        due = time.monotonic() + dice.uniform(0.2, 1.8)
        process = dice.choice(alive)
        try:
            name = " ".join([Path(word).name for word in process.cmdline()[1:4]])
            process.send_signal(signal.SIGKILL)
        except psutil.NoSuchProcess:
            continue
        killed.append(name)


def go_on_buying(house: House, first: int, killed: list[str]) -> list[str]:
    """Every fourth order, one after the other, until there were enough and every kill hit an order on its way."""
    numbers: list[str] = []
    while first + 4 * len(numbers) < ORDERS or len(killed) < KILLS:
        numbers.append(buy(house, first + 4 * len(numbers)))
        wait_for(lambda: is_delivered(numbers[-1]), 300, f"{numbers[-1]} is delivered")
    return numbers


def test_fifty_kills_over_thirty_orders_lose_nothing_and_do_nothing_twice(db: None, chosen_settings: Settings) -> None:
    with transaction() as session:
        seed_house(session, "correct horse battery")
    killed: list[str] = []
    stop = threading.Event()
    with House(house_settings(chosen_settings), 0, pace="0") as house:
        killer = threading.Thread(target=kill_at_random, args=(house, stop, killed))
        killer.start()
        try:
            with ThreadPoolExecutor(4) as pool:
                numbers = list(chain(*pool.map(lambda first: go_on_buying(house, first, killed), range(4))))
        finally:
            stop.set()
            killer.join()
        house.revive()
        wait_for(lambda: not retrying(), 120, "every job that failed is done")
        nothing_lost_nothing_twice(house, numbers)
    assert len(killed) == KILLS
    for kind in ("gunicorn", "flask work", "flask floor", "simulator"):
        assert any(kind in name for name in killed), f"no {kind} among {Counter(killed)}"
