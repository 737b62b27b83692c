"""Papers of the floor: the traveller that goes with a machine, the pick list, the label on its back.

For our staff, in the language asked for; the words need an app context, the drawing does not.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from flask_babel import gettext as _
from reportlab.lib.units import mm
from reportlab.platypus import Flowable

from fulfillment.assembly.building import steps_of
from fulfillment.assembly.models import WorkOrder
from fulfillment.assembly.recipe import is_packed, test_recipe
from fulfillment.assembly.tag import express_code, spoken
from fulfillment.kernel import pdf
from fulfillment.kernel.i18n import day, in_language, number, pick
from fulfillment.kernel.settings import settings

BOX = "[  ]"
UNDER_CODE = pdf.gap(5.5)
"""A bar code writes its text below itself."""
LABEL_SIZE = (100 * mm, 54 * mm)


def status_url(order_number: str) -> str:
    """Where the customer watches the order; the number is filled in, the proof is still asked for."""
    return f"{settings().base_url}/status?number={order_number}"


def support_url(tag: str) -> str:
    """Where help for this machine begins."""
    return f"{settings().base_url}/support/{tag}"


def traveller(unit: WorkOrder, *, of: int = 1, language: str = "en") -> bytes:
    """The sheet that travels with a machine from kitting to boxing; `of` is how many its order line has."""
    with in_language(language):
        facts = [
            (_("Order"), unit.order_number), (_("Work order"), unit.number), (_("Model"), pick(unit.name)),
            (_("Unit"), _("%(unit)s of %(of)s", unit=number(unit.unit), of=number(of))), (_("Due"), day(unit.promised_on, "long")),
            (_("Express service code"), spoken(express_code(unit.tag))),
        ]
        codes = [pdf.code128(unit.tag, height=16, width=0.5), UNDER_CODE, *_facts(facts, language)]
        story: list[Flowable] = [
            *pdf.letterhead(_("Traveller"), unit.tag, language),
            pdf.columns(codes, [pdf.qr(status_url(unit.order_number))], widths=(126, 46)),
            pdf.gap(4), *_section(_("Parts as ordered"), _parts(unit.bom, language), language),
            *_section(_("Build"), _steps([(pick(step.name), "") for step in steps_of(unit)], language), language),
        ]
        tests = test_recipe(entry["sku"] for entry in unit.bom)
        rows = [(pick(step.name), pick(step.limit or {"en": ""})) for step in tests]
        story += _section(_("Test"), _steps(rows, language), language)
        return pdf.render(story, title=f"{_('Traveller')} {unit.tag}", footer=f"{unit.tag} · {unit.number} · {unit.order_number}")


def _facts(facts: Sequence[tuple[str, str]], language: str) -> list[Flowable]:
    grid = pdf.table(["", ""], [list(row) for row in facts], (42, 78), language=language)
    return [grid]


def _section(title: str, body: Flowable, language: str) -> list[Flowable]:
    return [pdf.text(title, 10.5, bold=True, language=language), body, pdf.gap(4)]


def _parts(bom: Sequence[Mapping[str, Any]], language: str) -> Flowable:
    """The parts list; what goes into the box unopened and what needs no picking is said so."""
    rows = []
    for entry in bom:
        where = _("no part") if not entry["stocked"] else _("pack beside") if is_packed(entry["sku"]) else ""
        rows.append([BOX if entry["stocked"] else "", number(entry["qty"]), entry["sku"], pick(entry["name"]), where])
    return pdf.table(["", _("Quantity"), _("Part"), _("Description"), ""], rows, (7, 16, 32, 90, 27), right=(1,), language=language)


def _steps(rows: Sequence[tuple[str, str]], language: str) -> Flowable:
    head = ["", _("Step"), _("Passed when"), _("Initials")]
    return pdf.table(head, [[BOX, *row, ""] for row in rows], (7, 85, 58, 22), language=language)


def pick_list(units: Sequence[WorkOrder], *, language: str = "en") -> bytes:
    """One walk along the shelves for several machines: what to take, how many, and into whose tote."""
    wanted: dict[str, dict[str, int]] = defaultdict(dict)
    names: dict[str, Any] = {}
    for unit in units:
        for entry in unit.bom:
            if entry["stocked"]:
                names[entry["sku"]] = entry["name"]
                wanted[entry["sku"]][unit.tag] = wanted[entry["sku"]].get(unit.tag, 0) + entry["qty"]
    with in_language(language):
        rows = [
            [BOX, number(sum(totes.values())), sku, pick(names[sku]), ", ".join(f"{tag} × {count}" for tag, count in totes.items())]
            for sku, totes in sorted(wanted.items())
        ]
        head = ["", _("Quantity"), _("Part"), _("Description"), _("Totes")]
        story = [
            *pdf.letterhead(_("Pick list"), ", ".join(unit.number for unit in units), language),
            pdf.table(head, rows, (7, 16, 32, 67, 50), right=(1,), language=language),
        ]
        return pdf.render(story, title=_("Pick list"), footer=_("Machines: %(count)s", count=number(len(units))))


def unit_label(unit: WorkOrder, *, language: str = "en") -> bytes:
    """The label on the machine's back: tag, bar code, express service code, and a way to support."""
    with in_language(language):
        left = [
            pdf.text("Larkmill", 11, bold=True, colour=pdf.ACCENT), pdf.text(pick(unit.name), 8, language=language), pdf.gap(1.5),
            pdf.code128(unit.tag, height=11, width=0.33), UNDER_CODE,
            pdf.text(_("Service tag: %(tag)s", tag=unit.tag), 8, bold=True, language=language),
            pdf.text(_("Express service code: %(code)s", code=spoken(express_code(unit.tag))), 7, language=language),
        ]
        story = [pdf.columns(left, [pdf.qr(support_url(unit.tag), 24)], widths=(62, 26))]
        return pdf.render(story, title=unit.tag, size=LABEL_SIZE, margin=5)
