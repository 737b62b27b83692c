"""Alerts reach those who may act on them, on every page of theirs, and operations by one letter each."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from fulfillment.console.watch import CLOSES_BY_ITSELF, CONCERNS
from fulfillment.customers.roles import ROLES
from fulfillment.kernel import jobs
from fulfillment.kernel.alerts import Alert, raise_alert, resolve
from fulfillment.kernel.db import reading, transaction
from fulfillment.kernel.jobs import MAX_ATTEMPTS, Job, JobState
from fulfillment.kernel.mail import Mail
from fulfillment.kernel.settings import settings, use
from tests.builders.people import sign_in_staff

OWN = {
    "operator": {"unit_stuck"}, "dispatcher": set(), "merchant": set(), "buyer": {"purchase_overdue", "supplier_invoice_mismatch"},
    "clerk": {
        "order_on_review", "order_late", "payment_page_refused", "payment_lost", "payment_page_lost", "refund_blocked", "refund_failed",
    },
}
OWN["accountant"] = OWN["clerk"] | {"payment_mismatch", "refund_adopted", "money_unassigned", "transaction_unknown", "dispute"}
OWN["administrator"] = {*CONCERNS, "job_parked", "of_tomorrow"}


def raise_every() -> dict[str, UUID]:
    with transaction() as session:
        kinds = sorted(OWN["administrator"])
        return {kind: raise_alert(session, kind, key=f"K-{kind}", subject=f"S-{kind}", detail=f"D-{kind}.").id for kind in kinds}


def open_kinds() -> set[str]:
    with reading() as session:
        return set(session.scalars(sa.select(Alert.kind).where(Alert.resolved_at.is_(None))))


def letters() -> list[Mail]:
    with reading() as session:
        return list(session.scalars(sa.select(Mail).order_by(Mail.at, Mail.id)))


@pytest.mark.parametrize("role", sorted(ROLES))
def test_each_role_sees_the_alerts_it_may_act_on_and_how_many_they_are(client: FlaskClient, role: str) -> None:
    sign_in_staff(client, role)
    assert (">Alerts</a>" in client.get("/desk").text) is bool(OWN[role])
    raise_every()
    page = client.get("/desk/alerts")
    assert page.status_code == 200
    assert {kind for kind in OWN["administrator"] if f"D-{kind}." in page.text} == OWN[role]
    count = len(OWN[role])
    assert (f">{count} alert{'s' if count > 1 else ''}</a>" in client.get("/desk").text) is bool(count)


@pytest.mark.parametrize("role", sorted(ROLES))
def test_each_role_closes_what_is_its_own_and_does_not_close_by_itself(client: FlaskClient, role: str) -> None:
    sign_in_staff(client, role)
    alerts = raise_every()
    page = client.get("/desk/alerts").text
    closes = OWN[role] if role == "administrator" else OWN[role] - CLOSES_BY_ITSELF
    for kind, alert_id in alerts.items():
        address = f"/desk/alerts/{alert_id}/resolve"
        assert (address in page) is (kind in closes), kind
        wanted = 303 if kind in closes else 403 if kind in OWN[role] else 404
        assert {client.post(address).status_code for _ in range(2)} == {wanted}, kind
    assert open_kinds() == set(alerts) - closes


def test_operations_gets_one_letter_for_each_alert_that_opens(db: None) -> None:
    use(replace(settings(), operations_mail="night@larkmill.example"))
    for detail in ("one day late", "two days late"):
        with transaction() as session:
            raise_alert(session, "order_late", key="SO-1", subject="SO-1", detail=detail)
    with pytest.raises(RuntimeError), transaction() as session:
        raise_alert(session, "order_late", key="SO-2", subject="SO-2", detail="never was")
        raise RuntimeError
    (letter,) = letters()
    assert (letter.to, letter.subject) == ("night@larkmill.example", "Alert: order late: SO-1")
    assert "one day late" in letter.text
    assert f"{settings().base_url}/desk/alerts" in letter.text
    with transaction() as session:
        resolve(session, "order_late", key="SO-1")
    with transaction() as session:
        raise_alert(session, "order_late", key="SO-1", subject="SO-1", detail="late again")
    assert len(letters()) == 2


def test_a_letter_about_an_alert_that_does_not_go_out_brings_no_other_letter(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fulfillment.kernel.mail._write", lambda *_: (_ for _ in ()).throw(OSError("no mail server")))
    with transaction() as session:
        raise_alert(session, "dispute", key="dp_1", subject="SO-1", detail="the bank asks")
        session.execute(sa.update(Job).values(attempts=MAX_ATTEMPTS - 1))
    assert jobs.work_one()
    with reading() as session:
        assert session.scalars(sa.select(Job.state)).all() == [JobState.PARKED]
    assert open_kinds() == {"dispute", "job_parked"}
    assert len(letters()) == 1
