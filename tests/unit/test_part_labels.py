"""Bar codes on parts: what is scanned is what was ordered, or the operator reads why not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fulfillment.assembly.labels import BadScan, Label, Need, check_labels, read_label

NEEDS = [Need("CPU-M8", 1, serialised=True), Need("MEM-S16", 2, serialised=True), Need("FAN-12", 3, serialised=False)]
RIGHT = ["CPU-M8/S1", "MEM-S16/S2", "MEM-S16/S3", "2*FAN-12", "FAN-12"]


def check(*scans: str) -> list[Label]:
    return check_labels(NEEDS, [read_label(scan) for scan in scans])


@pytest.mark.parametrize(
    ("scan", "label"),
    [
        ("CPU-M8/S00A1", Label("CPU-M8", "S00A1")), ("cpu-m8/s00a1 ", Label("CPU-M8", "S00A1")),
        ("CPU-M8/S00A1/L2026-07", Label("CPU-M8", "S00A1", "L2026-07")), ("FAN-12", Label("FAN-12")),
        ("4*FAN-12", Label("FAN-12", count=4)), ("2*FAN-12//L7", Label("FAN-12", None, "L7", 2)), ("FAN-12/", Label("FAN-12")),
    ],
)
def test_a_label_is_read(scan: str, label: Label) -> None:
    assert read_label(scan) == label


@pytest.mark.parametrize(
    "scan", ["", "  ", "/S1", "0*FAN-12", "2*CPU-M8/S1", "-1*FAN-12", "FAN 12", "CPU-M8/S1/L1/X", "1000*FAN-12", "<b>", "٣*FAN-12"],
)
def test_what_is_no_label_is_refused(scan: str) -> None:
    with pytest.raises(BadScan):
        read_label(scan)


skus = st.from_regex(r"[A-Z]{3}-[A-Z0-9]{1,6}", fullmatch=True)
words = st.from_regex(r"[A-Z0-9][A-Z0-9-]{0,9}", fullmatch=True)


serialised = st.builds(Label, skus, words, st.none() | words)
plain = st.builds(Label, skus, st.none(), st.none() | words, st.integers(1, 999))


@given(serialised | plain)
def test_a_printed_label_reads_back(label: Label) -> None:
    assert read_label(str(label)) == label


def test_a_complete_tote_is_taken_with_plain_parts_counted_together() -> None:
    assert check(*RIGHT) == [Label("CPU-M8", "S1"), Label("MEM-S16", "S2"), Label("MEM-S16", "S3"), Label("FAN-12", count=3)]


@given(st.permutations(RIGHT))
def test_the_order_of_scanning_does_not_matter(scans: list[str]) -> None:
    assert {(label.sku, label.serial, label.count) for label in check(*scans)} == {
        ("CPU-M8", "S1", 1), ("MEM-S16", "S2", 1), ("MEM-S16", "S3", 1), ("FAN-12", None, 3),
    }


def test_lots_of_plain_parts_are_kept_apart() -> None:
    taken = check("CPU-M8/S1", "MEM-S16/S2", "MEM-S16/S3", "2*FAN-12//L1", "FAN-12//L2")
    assert taken[3:] == [Label("FAN-12", None, "L1", 2), Label("FAN-12", None, "L2", 1)]


@pytest.mark.parametrize(
    ("scans", "words"),
    [
        (["CPU-M9/S1"], "Wrong part: CPU-M9 does not belong here. Put it back."),
        (["CPU-M8"], "CPU-M8 has a serial number: scan the label on the part itself."),
        (["CPU-M8/S1", "CPU-M8/S9"], "One CPU-M8 too many: only 1 needed."),
        (["MEM-S16/S2", "MEM-S16/S2"], "MEM-S16 S2 was scanned twice."),
        (["4*FAN-12"], "One FAN-12 too many: only 3 needed."),
        (["CPU-M8/S1", "MEM-S16/S2"], "Not complete yet. Still missing: 3 × FAN-12, MEM-S16."),
        ([], "Not complete yet. Still missing: CPU-M8, 3 × FAN-12, 2 × MEM-S16."),
    ],
)
def test_the_operator_reads_what_is_wrong(scans: list[str], words: str) -> None:
    with pytest.raises(BadScan) as refusal:
        check(*scans)
    assert str(refusal.value) == words
