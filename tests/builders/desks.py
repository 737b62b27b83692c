"""The desks as an operator without a script sees them: forms filled in by scan, keys read off the page."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from fulfillment.assembly import service as floor
from fulfillment.kernel.db import reading, transaction
from fulfillment.orders.draft import DraftLine
from tests.builders import assembly
from tests.builders.walk import suppliers_deliver, walk_order, work_jobs


def walked(*lines: DraftLine, up_to: str, stock: bool = True) -> tuple[str, list[str]]:
    """An order brought as far as `up_to`, committed: its number, and the tags of its machines."""
    with transaction() as session:
        order = walk_order(session, *lines, up_to=up_to, stock=stock)
        return order.number, [unit.tag for unit in floor.units_of(session, order.number)]


def work() -> None:
    """Whatever the last act left to be done by itself."""
    with transaction() as session:
        work_jobs(session)


def deliver_parts() -> None:
    """Everything that was called from suppliers comes in."""
    with transaction() as session:
        suppliers_deliver(session)


def hidden(page: TestResponse, name: str = "key") -> str:
    """The value of a hidden field on the page."""
    found = re.search(rf'name="{name}"[^>]*value="([^"]+)"', page.text) or re.search(rf'value="([^"]+)"[^>]*name="{name}"', page.text)
    assert found is not None, f"no hidden field {name}"
    return found[1]


def held(page: TestResponse) -> list[str]:
    """The labels the page holds."""
    return re.findall(r'name="held" value="([^"]+)"', page.text)


def scan(client: FlaskClient, address: str, *labels: str, **more: Any) -> TestResponse:
    """Open a page at a station and scan label after label, each a round trip as without a script."""
    page = client.get(address)
    assert page.status_code == 200, page.text
    for label in labels:
        page = client.post(address, data={"key": hidden(page), "held": held(page), "scan": label, "do": "add", **more})
    return page


def finish(client: FlaskClient, address: str, page: TestResponse, **more: Any) -> TestResponse:
    """Press the button that does the act, with all that the page holds."""
    return client.post(address, data={"key": hidden(page), "held": held(page), "do": "finish", **more})


def labels_to_kit(tag: str) -> Sequence[str]:
    """What a kitter scans for this machine."""
    with reading() as session:
        return assembly.kit_labels(floor.find_unit(session, tag))


def labels_to_build(tag: str) -> Sequence[str]:
    """What a builder scans for this machine."""
    with reading() as session:
        return assembly.serial_labels(floor.to_fit(floor.parts_of(session, floor.find_unit(session, tag))))


def labels_to_box(tag: str) -> Sequence[str]:
    """What goes in beside this machine."""
    with reading() as session:
        return assembly.serial_labels(floor.to_pack(floor.parts_of(session, floor.find_unit(session, tag))))


def steps_of(tag: str) -> list[str]:
    """The codes of the steps of building this machine."""
    with reading() as session:
        return [step.code for step in floor.steps_of(floor.find_unit(session, tag))]


def results(tag: str, *, failed: str = "") -> dict[str, Any]:
    """The form of the test bench filled in: all passed, or one that failed."""
    with reading() as session:
        codes = [step.code for step in floor.recipe_of(session, floor.find_unit(session, tag))]
    answers = {f"result-{code}": "pass" for code in codes}
    if failed:
        answers |= {f"result-{failed}": "fail", f"failure-{failed}": "ERRORS", f"measured-{failed}": "4 errors"}
    return {"code": codes, **answers}
