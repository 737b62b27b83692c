"""Only what Stripe signed in the last five minutes is an event; anything else is a 400 and leaves no trace."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fulfillment.billing.gateway import BadEvent, verify_event

SECRET = "whsec_suite"
NO_EVENTS: list[dict[str, Any]] = [
    {"data": {}}, {"data": {"object": None}}, {"data": {"object": "x"}}, {"id": 5}, {"id": ""}, {"id": "evt\x00"}, {"id": "evt\ud800"},
    {"type": None}, {"livemode": "no"},
]


def event(**changes: Any) -> dict[str, Any]:
    subject = {"object": "charge", "id": "ch_1", "payment_intent": "pi_1", "metadata": {"payment": "p1"}, "amount": 5}
    return {"id": "evt_1", "object": "event", "type": "charge.succeeded", "livemode": False, "data": {"object": subject}, **changes}


def sign(body: bytes, *, at: int | None = None, secret: str = SECRET) -> str:
    stamp = int(time.time()) if at is None else at
    return f"t={stamp},v1={hmac.new(secret.encode(), f'{stamp}.'.encode() + body, hashlib.sha256).hexdigest()}"


def test_a_signed_event_is_a_hint_of_ids_only() -> None:
    body = json.dumps(event()).encode()
    facts = verify_event(body, sign(body), SECRET)
    assert (facts.event_id, facts.kind, facts.livemode) == ("evt_1", "charge.succeeded", False)
    assert facts.hint == {"object": "charge", "id": "ch_1", "payment_intent": "pi_1"}


@pytest.mark.parametrize("age", [-3_600, -301, 302, 3_600])
def test_a_timestamp_of_another_time_is_refused(age: int) -> None:
    body = json.dumps(event()).encode()
    with pytest.raises(BadEvent):
        verify_event(body, sign(body, at=int(time.time()) + age), SECRET)


@pytest.mark.parametrize("age", [-290, 290])
def test_a_clock_that_is_a_little_off_is_borne(age: int) -> None:
    body = json.dumps(event()).encode()
    assert verify_event(body, sign(body, at=int(time.time()) + age), SECRET).event_id == "evt_1"


def test_a_changed_body_is_refused() -> None:
    body = json.dumps(event()).encode()
    with pytest.raises(BadEvent):
        verify_event(body.replace(b"ch_1", b"ch_2"), sign(body), SECRET)


def test_another_secret_is_refused() -> None:
    body = json.dumps(event()).encode()
    with pytest.raises(BadEvent):
        verify_event(body, sign(body, secret="whsec_other"), SECRET)


@pytest.mark.parametrize(
    "signature",
    ["", "t=", "v1=abc", "t=1", "t=x,v1=y", "t=1,v1=", "=,=", ",", "t=1,v1=é", "\x00", "t=99999999999999999999,v1=a", "v1", "t=1,t=2"],
)
def test_a_missing_or_garbage_signature_is_refused(signature: str) -> None:
    body = json.dumps(event()).encode()
    with pytest.raises(BadEvent) as refused:
        verify_event(body, signature, SECRET)
    assert refused.value.status == 400


@pytest.mark.parametrize(
    "body",
    [
        b"", b"\xff\xfe", b"{", b"[]", b"null", b"1", b'"evt"', b"{}", b'{"id": 1}', b"[" * 100_000,
        *(json.dumps(event(**wrong)).encode() for wrong in NO_EVENTS),
    ],
    ids=lambda body: repr(body[:40]),
)
def test_a_signed_body_that_is_no_event_is_refused(body: bytes) -> None:
    with pytest.raises(BadEvent):
        verify_event(body, sign(body), SECRET)


@given(st.binary(max_size=200), st.text(max_size=80))
def test_noise_is_always_a_400(body: bytes, signature: str) -> None:
    with pytest.raises(BadEvent):
        verify_event(body, signature, SECRET)
