"""`flask floor run`: the demonstration's crew, scanning until there is nothing left or for ever."""

from __future__ import annotations

import signal
import time
from types import FrameType

import click
import structlog
from flask.cli import AppGroup
from sqlalchemy.exc import DBAPIError

from fulfillment.kernel.cli import demonstration_only
from fulfillment.kernel.db import reading, transaction
from fulfillment.kernel.refusals import Refusal
from fulfillment.shipping.floor import PATIENCE, Act, look_around, unfinished

log = structlog.get_logger()

floor = AppGroup("floor", help="People for the demonstration.")


class _Shift:
    """Ends with SIGTERM or SIGINT, after the act in hand."""

    def __init__(self) -> None:
        self.over = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._end)

    def _end(self, _number: int, _frame: FrameType | None) -> None:
        self.over = True


@floor.command("run")
@click.option("--pace", type=click.FloatRange(0, 3600), default=1.0, show_default=True, help="Seconds that each act takes.")
@click.option("--until-idle", is_flag=True, help="Go home when no order is left in the factory or on the road.")
@click.option("--defects", type=click.IntRange(0), default=0, help="One machine in so many fails its first test (0: none).")
def run(*, pace: float, until_idle: bool, defects: int) -> None:
    """Scan what is next at every station, bring what was ordered, carry what was sent."""
    demonstration_only("floor run")
    shift, quiet_since = _Shift(), time.monotonic()
    while not shift.over:
        try:
            with reading() as session:
                acts, left = look_around(session, defects=defects), unfinished(session)
        except DBAPIError as error:
            log.warning("database away", error=str(error)[:200])
            acts, left = [], 1
        for act in acts:
            if shift.over:
                return
            _do(act)
            quiet_since = time.monotonic()
            time.sleep(pace)
        if until_idle and not acts and (not left or time.monotonic() - quiet_since > PATIENCE.total_seconds()):
            break
        if not acts:
            time.sleep(max(0.1, min(pace, 1.0)))


def _do(act: Act) -> None:
    """One act, one transaction; a refusal is read and the crew goes on."""
    try:
        with transaction() as session:
            click.echo(act.do(session))
    except Refusal as refusal:
        log.info("refused", who=act.who, why=str(refusal))
    except DBAPIError as error:
        log.warning("database away", error=str(error)[:200])


commands = (floor,)
