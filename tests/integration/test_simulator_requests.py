"""What happens to a request on its way: keys, version, contract, idempotency, and every fault that can be set."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
import stripe

from tests.builders.stripe_sim import KEY, StripeSimulator, connect, open_session, paid_intent

REFUNDS = "POST /v1/refunds"


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StripeSimulator]:
    with StripeSimulator.start(tmp_path_factory.mktemp("stripe")) as running:
        yield running


@pytest.fixture
def shop(simulator: StripeSimulator) -> stripe.StripeClient:
    simulator.control("reset")
    return connect(simulator.url)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK waits less between its own retries."""
    monkeypatch.setattr(stripe.HTTPClient, "INITIAL_DELAY", 0.05)


def fault(simulator: StripeSimulator, match: str, kind: str, **more: Any) -> None:
    simulator.control("faults", faults=[{"match": match, "kind": kind, **more}])


def post(simulator: StripeSimulator, path: str, form: dict[str, str], **headers: str) -> requests.Response:
    return requests.post(
        simulator.url + path, data=form, headers={"Authorization": f"Bearer {KEY}", **headers}, timeout=10
    )


def refunds(shop: stripe.StripeClient) -> list[int]:
    return [refund.amount for refund in shop.v1.refunds.list().data]


# ------------------------------------------------------------------ who may ask what


@pytest.mark.parametrize("key", ["sk_live_abc", "pk_test_abc", "nonsense", "sk_test_"])
def test_only_test_keys_open_the_door(simulator: StripeSimulator, key: str) -> None:
    with pytest.raises(stripe.AuthenticationError) as refused:
        connect(simulator.url, key=key).v1.balance.retrieve()
    assert refused.value.http_status == 401
    assert connect(simulator.url, key="rk_test_restricted").v1.balance.retrieve().object == "balance"


def test_another_version_or_account_is_refused(simulator: StripeSimulator) -> None:
    version = post(simulator, "/v1/customers", {}, **{"Stripe-Version": "2022-11-15"})
    account = post(simulator, "/v1/customers", {}, **{"Stripe-Account": "acct_1"})
    assert (version.status_code, version.json()["error"]["type"]) == (400, "invalid_request_error")
    assert (account.status_code, account.json()["error"]["code"]) == (403, "account_invalid")
    assert requests.get(f"{simulator.url}/v1/balance", timeout=10).status_code == 401


@pytest.mark.parametrize(
    ("path", "form", "status", "code", "param"),
    [
        ("/v1/refunds", {"payment_intent": "pi_1", "colour": "red"}, 400, "parameter_unknown", "colour"),
        ("/v1/refunds", {"payment_intent": "pi_1", "amount": "5.00"}, 400, "parameter_invalid_integer", "amount"),
        ("/v1/refunds", {"payment_intent": "pi_1", "reason": "because"}, 400, None, "reason"),
        ("/v1/payment_intents", {"currency": "usd"}, 400, "parameter_missing", "amount"),
        ("/v1/refundz", {}, 404, None, None),
        ("/v1/subscriptions", {"customer": "cus_1"}, 501, None, None),
    ],
)
def test_what_breaks_the_contract_is_refused_as_stripe_does(
    simulator: StripeSimulator, path: str, form: dict[str, str], *, status: int, code: str | None, param: str | None
) -> None:
    answer = post(simulator, path, form)
    error = answer.json()["error"]
    assert (answer.status_code, error.get("code"), error.get("param")) == (status, code, param)
    assert answer.headers["Request-Id"].startswith("req_")


def test_bytes_that_are_no_form_are_refused(simulator: StripeSimulator) -> None:
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/x-www-form-urlencoded"}
    for body in (b"\xff\xfe=1", b"name=%ff", b"&".join(b"a=1" for _ in range(6_000))):
        answer = requests.post(f"{simulator.url}/v1/customers", data=body, headers=headers, timeout=10)
        assert (answer.status_code, answer.json()["error"]["type"]) == (400, "invalid_request_error")


# ------------------------------------------------------------------ idempotency


def test_the_same_key_twice_has_one_effect_and_one_answer(
    simulator: StripeSimulator, shop: stripe.StripeClient
) -> None:
    first = open_session(shop, key="order-1-checkout-1")
    second = open_session(shop, key="order-1-checkout-1")
    other = open_session(shop, key="order-1-checkout-2")

    assert first.to_dict() == second.to_dict()
    assert first.id != other.id
    assert len(shop.v1.checkout.sessions.list().data) == 2
    assert second.last_response is not None
    assert second.last_response.headers["Idempotent-Replayed"] == "true"
    assert second.last_response.headers["Original-Request"] == first.last_response.request_id  # type: ignore[union-attr]


def test_a_key_belongs_to_its_parameters(shop: stripe.StripeClient) -> None:
    intent = paid_intent(shop)
    options: Any = {"idempotency_key": "refund-RMA-1"}
    shop.v1.refunds.create({"payment_intent": intent.id, "amount": 100}, options)
    with pytest.raises(stripe.IdempotencyError) as refused:
        shop.v1.refunds.create({"payment_intent": intent.id, "amount": 200}, options)

    assert refused.value.http_status == 400
    assert refunds(shop) == [100]


def test_refusals_of_the_contract_free_the_key_and_others_keep_it(
    simulator: StripeSimulator, shop: stripe.StripeClient
) -> None:
    intent = paid_intent(shop, 1_000)
    wrong = post(simulator, "/v1/refunds", {"payment_intent": intent.id, "amount": "x"}, **{"Idempotency-Key": "k"})
    assert wrong.status_code == 400
    too_much: Any = {"payment_intent": intent.id, "amount": 1_001}
    options: Any = {"idempotency_key": "k"}
    for _ in range(2):
        with pytest.raises(stripe.InvalidRequestError, match="greater than unrefunded"):
            shop.v1.refunds.create(too_much, options)
    with pytest.raises(stripe.IdempotencyError):
        shop.v1.refunds.create({"payment_intent": intent.id}, options)
    assert refunds(shop) == []


def test_a_declined_card_is_declined_again_under_the_same_key(shop: stripe.StripeClient) -> None:
    params: Any = {
        "amount": 500,
        "currency": "usd",
        "confirm": True,
        "payment_method": "pm_card_visa_chargeDeclined",
        "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
    }
    charges = set()
    for _ in range(2):
        with pytest.raises(stripe.CardError) as declined:
            shop.v1.payment_intents.create(params, {"idempotency_key": "pay-1"})
        assert declined.value.error is not None
        charges.add(declined.value.error.charge)
    assert charges == {shop.v1.charges.list().data[0].id}
    assert len(shop.v1.charges.list().data) == 1


def test_a_key_in_work_is_refused_until_it_is_done(simulator: StripeSimulator, shop: stripe.StripeClient) -> None:
    intent = paid_intent(shop)
    fault(simulator, REFUNDS, "slow_inside", seconds=1)

    def refund(client: stripe.StripeClient) -> str:
        try:
            client.v1.refunds.create({"payment_intent": intent.id, "amount": 100}, {"idempotency_key": "refund-1"})
        except stripe.StripeError as error:
            return f"{error.http_status} {error.error.code if error.error else None}"
        return "refunded"

    with ThreadPoolExecutor(2) as pool:
        slow = pool.submit(refund, shop)
        time.sleep(0.3)
        assert refund(connect(simulator.url)) == "409 idempotency_key_in_use"
        assert slow.result() == "refunded"
    assert refund(shop) == "refunded"
    assert refunds(shop) == [100]


def test_a_key_is_forgotten_after_a_day(simulator: StripeSimulator, shop: stripe.StripeClient) -> None:
    intent = paid_intent(shop)
    for _ in range(2):
        shop.v1.refunds.create({"payment_intent": intent.id, "amount": 100}, {"idempotency_key": "refund-1"})
    simulator.control("clock", advance=86_400)
    shop.v1.refunds.create({"payment_intent": intent.id, "amount": 100}, {"idempotency_key": "refund-1"})
    assert refunds(shop) == [100, 100]


# ------------------------------------------------------------------ faults


@pytest.mark.parametrize(
    ("status", "error"), [(500, stripe.APIError), (503, stripe.APIError), (429, stripe.RateLimitError)]
)
def test_a_status_fault_has_no_effect(
    simulator: StripeSimulator, shop: stripe.StripeClient, status: int, error: type[stripe.StripeError]
) -> None:
    intent = paid_intent(shop)
    fault(simulator, REFUNDS, "status", status=status, count=2)
    for _ in range(2):
        with pytest.raises(error) as refused:
            shop.v1.refunds.create({"payment_intent": intent.id})
        assert refused.value.http_status == status
    assert refunds(shop) == []
    assert shop.v1.refunds.create({"payment_intent": intent.id}).amount == 10_000


@pytest.mark.parametrize(
    ("kind", "effects"),
    [("drop_before", []), ("drop_after", [100]), ("error_after", [100])],
)
def test_a_lost_answer_tells_nothing_about_the_effect(
    simulator: StripeSimulator, shop: stripe.StripeClient, kind: str, effects: list[int]
) -> None:
    intent = paid_intent(shop)
    fault(simulator, REFUNDS, kind)
    with pytest.raises(stripe.APIConnectionError if kind.startswith("drop") else stripe.APIError):
        shop.v1.refunds.create({"payment_intent": intent.id, "amount": 100}, {"idempotency_key": "refund-1"})
    assert refunds(shop) == effects

    shop.v1.refunds.create({"payment_intent": intent.id, "amount": 100}, {"idempotency_key": "refund-1"})
    assert refunds(shop) == [100]


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("kind", ["drop_before", "drop_after", "error_after", "status"])
def test_the_sdks_own_retry_makes_one_charge(simulator: StripeSimulator, shop: stripe.StripeClient, kind: str) -> None:
    fault(simulator, "POST /v1/payment_intents", kind, count=2)
    assert paid_intent(connect(simulator.url, retries=3), 7_000).status == "succeeded"
    assert [charge.amount for charge in shop.v1.charges.list().data] == [7_000]


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("kind", ["delay", "slow_inside", "slow_after"])
def test_slower_than_the_timeout_is_still_one_refund(
    simulator: StripeSimulator, shop: stripe.StripeClient, kind: str
) -> None:
    intent = paid_intent(shop)
    fault(simulator, REFUNDS, kind, seconds=1.0)
    hasty = connect(simulator.url, retries=8, timeout=0.4)

    started = time.monotonic()
    hasty.v1.refunds.create({"payment_intent": intent.id, "amount": 100}, {"idempotency_key": "refund-1"})
    assert time.monotonic() - started < 8
    time.sleep(1.1)
    assert refunds(shop) == [100]


def test_a_fault_hits_only_what_it_matches_and_only_so_often(
    simulator: StripeSimulator, shop: stripe.StripeClient
) -> None:
    fault(simulator, "* /v1/payment_intents/*", "status", status=500, count=1)
    intent = paid_intent(shop)
    calls: list[Callable[[], object]] = [shop.v1.balance.retrieve, lambda: shop.v1.payment_intents.retrieve(intent.id)]
    calls[0]()
    with pytest.raises(stripe.APIError):
        calls[1]()
    calls[1]()
    simulator.control("faults", faults=[{"match": "*", "kind": "status", "count": 99}])
    simulator.control("faults", faults=[])
    calls[0]()


def test_the_hosted_page_can_lose_its_answer_too(simulator: StripeSimulator, shop: stripe.StripeClient) -> None:
    session = open_session(shop)
    fault(simulator, "POST /c/pay/*", "drop_after")
    with pytest.raises(requests.ConnectionError):
        simulator.pay(session.url or "")

    assert shop.v1.checkout.sessions.retrieve(session.id).payment_status == "paid"
    assert len(shop.v1.charges.list().data) == 1


@pytest.mark.parametrize(
    ("act", "given"),
    [
        ("faults", {"faults": [{"match": "*", "kind": "explode"}]}),
        ("faults", {}),
        ("webhooks", {"duplicated": 3}),
        ("dispute", {"charge": "ch_1"}),
        ("nonsense", {}),
    ],
)
def test_the_control_plane_refuses_what_it_does_not_know(simulator: StripeSimulator, act: str, given: Any) -> None:
    answer = requests.post(f"{simulator.url}/_sim/{act}", json=given, timeout=10)
    assert answer.status_code in {400, 404}
    assert answer.json()["error"]["message"]
