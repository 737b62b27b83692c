"""Scans at the stations: refused while the part is in the hand, kept when the act is refused, done once."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from fulfillment.assembly.models import FloorEvent, UnitStatus
from fulfillment.assembly.service import find_unit
from fulfillment.kernel.db import reading
from fulfillment.kernel.mail import Mail
from fulfillment.shipping.models import TrackingEvent
from tests.builders.assembly import laptops
from tests.builders.desks import finish, held, hidden, labels_to_build, labels_to_kit, results, scan, steps_of, walked
from tests.builders.people import sign_in_staff


@pytest.fixture
def kitter(client: FlaskClient) -> FlaskClient:
    sign_in_staff(client, "operator")
    return client


@pytest.fixture
def tag() -> str:
    _number, (tag,) = walked(laptops(), up_to="released")
    return tag


def status_of(tag: str) -> UnitStatus:
    with reading() as session:
        return find_unit(session, tag).status


def test_a_wrong_part_is_refused_at_once_and_the_rest_is_kept(kitter: FlaskClient, tag: str) -> None:
    page = scan(kitter, f"/desk/kitting/{tag}", "CPU-T8/A1", "GPU-X1/7")
    assert page.status_code == 422
    assert "Wrong part: GPU-X1 does not belong here." in page.text
    assert held(page) == ["CPU-T8/A1"]


@pytest.mark.parametrize(("labels", "sentence"), [
    (("CPU-T8/A1", "CPU-T8/A1"), "CPU-T8 A1 was scanned twice."),
    (("CPU-T8/A1", "CPU-T8/A2"), "One CPU-T8 too many: only 1 needed."),
    (("CPU-T8",), "CPU-T8 has a serial number"),
    (("4*FAN-T4",), "One FAN-T4 too many: only 3 needed."),
    (("<script>",), "is not the label of a part"),
])
def test_each_mistake_has_its_sentence(kitter: FlaskClient, tag: str, labels: tuple[str, ...], sentence: str) -> None:
    page = scan(kitter, f"/desk/kitting/{tag}", *labels)
    assert page.status_code == 422
    assert sentence in page.text
    assert "<script>/" not in page.text


def test_a_scan_can_be_taken_off_again(kitter: FlaskClient, tag: str) -> None:
    page = scan(kitter, f"/desk/kitting/{tag}", "CPU-T8/A1", "SSD-T1/B1")
    page = kitter.post(f"/desk/kitting/{tag}", data={"key": hidden(page), "held": held(page), "take_off": "0"})
    assert held(page) == ["SSD-T1/B1"]


def test_several_labels_may_come_a_line_each_and_good_ones_are_taken(kitter: FlaskClient, tag: str) -> None:
    page = kitter.get(f"/desk/kitting/{tag}")
    lines = "CPU-T8/A1\nnonsense/\n\nSSD-T1/B1\nXX-1"
    page = kitter.post(f"/desk/kitting/{tag}", data={"key": hidden(page), "several": lines, "do": "add"})
    assert held(page) == ["CPU-T8/A1", "SSD-T1/B1"]
    assert "Not taken: nonsense/, XX-1" in page.text


def test_an_incomplete_kit_is_refused_and_nothing_of_it_is_written(kitter: FlaskClient, tag: str) -> None:
    page = scan(kitter, f"/desk/kitting/{tag}", "CPU-T8/A1")
    refused = finish(kitter, f"/desk/kitting/{tag}", page)
    assert refused.status_code == 422
    assert "Still missing: ADP-T65, BSE-T14, 3 × FAN-T4, 2 × MEM-T16, SSD-T1" in refused.text
    assert held(refused) == ["CPU-T8/A1"]
    assert hidden(refused) == hidden(page)
    assert status_of(tag) is UnitStatus.KITTING


def test_a_double_press_kits_once(kitter: FlaskClient, tag: str) -> None:
    page = scan(kitter, f"/desk/kitting/{tag}", *labels_to_kit(tag))
    assert [finish(kitter, f"/desk/kitting/{tag}", page).status_code for _ in range(2)] == [303, 303]
    with reading() as session:
        unit = find_unit(session, tag)
        assert unit.status is UnitStatus.BUILD
        kinds = session.scalars(sa.select(FloorEvent.kind).filter_by(work_order_id=unit.id)).all()
    assert kinds.count("kitted") == 1


def test_scanning_the_machines_own_tag_finishes_the_list(kitter: FlaskClient, tag: str) -> None:
    page = scan(kitter, f"/desk/kitting/{tag}", *labels_to_kit(tag))
    done = kitter.post(f"/desk/kitting/{tag}", data={"key": hidden(page), "held": held(page), "scan": tag.lower(), "do": "add"})
    assert done.status_code == 303
    assert status_of(tag) is UnitStatus.BUILD


def test_a_page_fetched_by_script_is_told_where_to_go(kitter: FlaskClient, tag: str) -> None:
    page = scan(kitter, f"/desk/kitting/{tag}", *labels_to_kit(tag))
    data = {"key": hidden(page), "held": held(page), "scan": tag, "do": "add"}
    done = kitter.post(f"/desk/kitting/{tag}", data=data, headers={"HX-Request": "true"})
    assert (done.status_code, done.headers["HX-Redirect"]) == (200, "/desk/kitting")


def test_a_queue_opens_its_machine_by_tag_and_says_where_others_stand(kitter: FlaskClient, tag: str) -> None:
    assert kitter.get(f"/desk/kitting?tag={tag.lower()}").headers["Location"] == f"/desk/kitting/{tag}"
    there = kitter.get(f"/desk/test?tag={tag}")
    assert (there.status_code, f"Unit {tag} stands at the kitting desk." in there.text) == (409, True)
    assert kitter.get("/desk/build?tag=ZZZZZZZ").status_code == 404
    assert kitter.get("/desk/build?tag=hello").status_code == 422
    elsewhere = kitter.get(f"/desk/build/{tag}")
    assert elsewhere.status_code == 409
    assert f"/desk/kitting/{tag}" in elsewhere.text


def test_a_builder_needs_the_parts_of_this_tote_and_every_step(kitter: FlaskClient) -> None:
    _number, (tag, _other) = walked(laptops(2), up_to="kitted")
    wrong = scan(kitter, f"/desk/build/{tag}", "CPU-T8/NEIGHBOUR", step=["board"])
    assert wrong.status_code == 422
    assert "was not kitted for this machine. Look for the right tote." in wrong.text

    steps = steps_of(tag)
    page = scan(kitter, f"/desk/build/{tag}", *labels_to_build(tag), step=steps[:-1])
    refused = finish(kitter, f"/desk/build/{tag}", page, step=steps[:-1])
    assert refused.status_code == 422
    assert "Not confirmed yet: Close the machine" in refused.text
    assert refused.text.count(" checked>") == len(steps) - 1
    assert status_of(tag) is UnitStatus.BUILD


def test_a_failure_needs_its_code_and_keeps_what_was_entered(kitter: FlaskClient) -> None:
    _number, (tag,) = walked(laptops(), up_to="built")
    page = kitter.get(f"/desk/test/{tag}")
    form = {"key": hidden(page), "code": "memory", "result-memory": "fail", "measured-memory": "4 errors"}
    refused = kitter.post(f"/desk/test/{tag}", data=form)
    assert refused.status_code == 422
    assert "choose a failure code" in refused.text
    assert 'value="4 errors"' in refused.text
    nothing = kitter.post(f"/desk/test/{tag}", data={"key": hidden(page)})
    assert (nothing.status_code, status_of(tag)) == (422, UnitStatus.TEST)


def test_test_results_sent_twice_are_written_once(kitter: FlaskClient) -> None:
    _number, (tag,) = walked(laptops(), up_to="built")
    form = {"key": hidden(kitter.get(f"/desk/test/{tag}")), **results(tag)}
    assert [kitter.post(f"/desk/test/{tag}", data=form).status_code for _ in range(2)] == [303, 303]
    assert status_of(tag) is UnitStatus.BOXING


def test_every_box_has_to_be_on_the_truck_and_leaves_once(client: FlaskClient) -> None:
    sign_in_staff(client, "dispatcher")
    number, _tags = walked(laptops(2), up_to="boxed")
    page = client.get(f"/desk/dispatch/{number}")
    refused = client.post(f"/desk/dispatch/{number}", data={"key": hidden(page), "step": "1"})
    assert (refused.status_code, "Not on the truck yet: box 2." in refused.text) == (422, True)
    assert "checked" in refused.text

    whole = {"key": hidden(page), "step": ["1", "2"]}
    assert [client.post(f"/desk/dispatch/{number}", data=whole).status_code for _ in range(2)] == [303, 303]
    again = client.post(f"/desk/dispatch/{number}", data={**whole, "key": "another-key-of-a-later-page"})
    assert (again.status_code, "has left the house already" in again.text) == (409, True)
    with reading() as session:
        letters = session.scalars(sa.select(Mail.subject).where(Mail.key.startswith("shipped:"))).all()
    assert letters == [f"Your order {number} is on its way"]


def test_what_the_carrier_said_is_written_once(client: FlaskClient) -> None:
    sign_in_staff(client, "dispatcher")
    number, _tags = walked(laptops(), up_to="shipped")
    form = {"key": hidden(client.get(f"/desk/dispatch/{number}")), "status": "in_transit", "place": "Boise, ID"}
    assert [client.post(f"/desk/dispatch/{number}/tracking", data=form).status_code for _ in range(2)] == [303, 303]
    assert client.post(f"/desk/dispatch/{number}/tracking", data={**form, "status": "ready"}).status_code == 422
    with reading() as session:
        assert session.scalars(sa.select(TrackingEvent.place)).all() == ["Boise, ID"]
    assert "Boise, ID" in client.get(f"/desk/dispatch/{number}").text


def test_an_order_that_is_not_complete_does_not_leave(client: FlaskClient) -> None:
    sign_in_staff(client, "dispatcher")
    number, _tags = walked(laptops(), up_to="kitted")
    page = client.get(f"/desk/dispatch/{number}")
    assert (page.status_code, "This order cannot leave yet." in page.text) == (409, True)
    refused = client.post(f"/desk/dispatch/{number}", data={"key": "a-key-of-sixteen-letters"})
    assert (refused.status_code, "is not complete yet" in refused.text) == (409, True)
    assert client.get("/desk/dispatch/SO-2020-000001").status_code == 404
