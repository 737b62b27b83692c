"""Brings every desk's pages and the words of their templates together on the blueprint."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fulfillment.console import words
from fulfillment.console.desk import bp
from fulfillment.console.desks import (
    alerts,
    books,
    boxing,
    building,
    dispatching,
    documents,
    floor,
    jobs,
    kitting,
    orders,
    purchasing,
    signing,
    stock,
    testing,
)
from fulfillment.console.finding import knows
from fulfillment.kernel.errors import translated
from fulfillment.shipping.documents import kilograms

PAGES = (signing, floor, kitting, building, testing, boxing, dispatching, orders, purchasing, stock, books, jobs, alerts, documents)
"""Every desk's module: importing it has registered its pages."""

FILTERS: dict[str, Callable[..., Any]] = {
    "state": words.state, "state_kind": words.state_kind, "event_name": words.event_name, "act_name": words.act_name,
    "failure_name": words.failure_name, "desk_of": words.DESK_OF.get, "details": words.details, "in_words": translated,
    "mismatch": words.mismatch, "move_name": words.move_name, "posting_name": words.posting_name, "test_name": words.test_name,
    "choices": words.choices, "kilograms": kilograms,
}
for _name, _filter in FILTERS.items():
    bp.add_app_template_filter(_filter, _name)
bp.add_app_template_test(knows, "numbered")
