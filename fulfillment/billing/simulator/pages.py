"""The pages a buyer sees at the provider: card form and 3-D Secure. Plain forms, no JavaScript at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode, urlsplit

from flask import Blueprint, Response, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue

from fulfillment.billing.simulator import cards, checkout, payments
from fulfillment.billing.simulator.breakage import break_inside
from fulfillment.billing.simulator.errors import StripeRefusal
from fulfillment.billing.simulator.state import Account, Obj, Store, public
from fulfillment.billing.simulator.timing import pass_time
from fulfillment.billing.simulator.words import TEST_CARDS, price, words
from fulfillment.kernel import clock

_FIELDS = {"incorrect_number": "number", "invalid_expiry_month": "expiry", "invalid_expiry_year": "expiry"}
_FIELDS |= {"invalid_cvc": "cvc", "incorrect_cvc": "cvc", "expired_card": "expiry", "bad_email": "email"}


@dataclass(frozen=True, slots=True)
class Problem:
    """Why the payment was not made, and the field to look at."""

    text: str
    field: str | None

    @classmethod
    def of(cls, error: Mapping[str, str], say: Mapping[str, str]) -> Problem:
        """From the error of an API answer, in the words of the page."""
        for name in (error.get("decline_code", ""), error.get("code", "")):
            if name in say:
                return cls(say[name], _FIELDS.get(name))
        return cls(say["card_declined"], None)


def blueprint(store: Store) -> Blueprint:
    """The routes of the hosted pages."""
    bp = Blueprint("pages", __name__)

    @bp.errorhandler(StripeRefusal)
    def refused(refusal: StripeRefusal) -> ResponseReturnValue:
        say = words(None, request.headers.get("Accept-Language"))
        return _page("notice.html", refusal.status, say, title=say["gone_title"], text=say["gone_text"])

    @bp.get("/c/pay/<identity>")
    def card_form(identity: str) -> ResponseReturnValue:
        with store.transaction() as account:
            pass_time(account)
            session = public_session(account, identity)
        return _card_page(session, {}, session["error"])

    @bp.post("/c/pay/<identity>")
    def pay(identity: str) -> ResponseReturnValue:
        break_inside()
        with store.transaction() as account:
            pass_time(account)
            session = account.get("checkout.session", identity)
            problem = _try_to_pay(account, session) if session["status"] == "open" else None
            session = public_session(account, identity)
        return _next_page(session, problem)

    @bp.get("/3ds/<identity>")
    def secure_form(identity: str) -> ResponseReturnValue:
        with store.transaction() as account:
            pass_time(account)
            intent = account.get("payment_intent", identity)
            session = public_session(account, intent["_session"]) if intent["_session"] else {}
            if intent["status"] != "requires_action":
                return redirect(_return_address(intent, session), 303)
            last4 = account.get("payment_method", intent["payment_method"])["card"]["last4"]
        say = words(session.get("locale"), request.headers.get("Accept-Language"))
        amount = price(intent["amount"], intent["currency"], say["lang"])
        targets = (_return_address(intent, session), session.get("success_url"))
        return _page("secure.html", 200, say, *targets, text=say["secure_text"] % {"amount": amount, "last4": last4})

    @bp.post("/3ds/<identity>")
    def authenticate(identity: str) -> ResponseReturnValue:
        break_inside()
        passed = request.form.get("outcome") == "pass"
        with store.transaction() as account:
            pass_time(account)
            intent = account.get("payment_intent", identity)
            session = account.get("checkout.session", intent["_session"]) if intent["_session"] else {}
            if intent["status"] == "requires_action":
                _authenticate(account, intent, session, passed=passed)
            address = _return_address(intent, session)
        return redirect(address, 303)

    return bp


def public_session(account: Account, identity: str) -> Obj:
    """What a page needs of a session: its public fields, the goods, and the error and next step of its intent."""
    session = account.get("checkout.session", identity)
    intent = account.get("payment_intent", session["payment_intent"]) if session["payment_intent"] else {}
    return {
        **public(session),
        "goods": [{**public(item), "unit": item["_unit"], "details": item["_details"]} for item in session["_items"]],
        "manual": session["_intent"].get("capture_method") == "manual",
        "error": intent.get("last_payment_error"),
        "next": (intent.get("next_action") or {}).get("redirect_to_url", {}).get("url"),
    }


def _try_to_pay(account: Account, session: Obj) -> StripeRefusal | None:
    """Charge the card of the form; the refusal when that did not work. What a decline leaves behind is kept."""
    form = request.form
    email = session["customer_email"] or form.get("email", "").strip()
    if "@" not in email:
        return StripeRefusal(402, "invalid_request_error", "Invalid email address", code="bad_email")
    today = clock.today()
    try:
        card = cards.read_card(
            form.get("number", ""), form.get("expiry", ""), form.get("cvc", ""), today=(today.year, today.month)
        )
        checkout.pay(account, session, card, {"email": email, "name": form.get("name", "").strip() or None})
    except StripeRefusal as refusal:
        if refusal.kept or refusal.error["type"] == "card_error":
            return refusal
        raise
    return None


def _authenticate(account: Account, intent: Obj, session: Obj, *, passed: bool) -> None:
    """What the cardholder did at the bank."""
    try:
        if not passed:
            payments.authentication_failed(account, intent)
            return
        payments.confirm(account, intent, authenticated=True)
    except StripeRefusal as refusal:
        if not refusal.kept:
            raise
        return
    if session:
        checkout.complete(account, session, intent)


def _next_page(session: Obj, problem: StripeRefusal | None) -> ResponseReturnValue:
    """After the form was sent: on to the shop, to the bank, or the form again with what is wrong."""
    if session["status"] == "complete":
        return redirect(checkout.success_url(session), 303)
    if session["status"] == "open" and problem is None and session["next"]:
        return redirect(session["next"], 303)
    return _card_page(session, dict(request.form), problem.error if problem else None, 402)


def _return_address(intent: Obj, session: Obj) -> str:
    """Where the bank's page leads: the shop when the session is complete, its form when it is not."""
    if session:
        return checkout.success_url(session) if session["status"] == "complete" else f"/c/pay/{session['id']}"
    parts = urlsplit(intent["_return_url"] or "/")
    outcome = "succeeded" if intent["status"] in {"succeeded", "requires_capture"} else "failed"
    query = [*parse_qsl(parts.query), ("payment_intent", intent["id"]), ("redirect_status", outcome)]
    return parts._replace(query=urlencode(query)).geturl()


def _card_page(session: Obj, typed: Obj, error: Obj | None, status: int = 200) -> ResponseReturnValue:
    say = words(session["locale"], request.headers.get("Accept-Language"))
    if session["status"] == "complete":
        return _page(
            "notice.html", 200, say, title=say["paid_title"], text=say["paid_text"], link=checkout.success_url(session)
        )
    if session["status"] == "expired":
        return _page(
            "notice.html", 410, say, title=say["expired_title"], text=say["expired_text"], link=session["cancel_url"]
        )
    return _page(
        "pay.html",
        status,
        say,
        session["success_url"],
        session=session,
        typed=typed,
        problem=Problem.of(error, say) if error else None,
        cards=TEST_CARDS,
        price=lambda minor: price(minor, session["currency"], say["lang"]),
    )


def _page(template: str, status: int, say: Mapping[str, str], *targets: str | None, **values: object) -> Response:
    """A page under a policy that lets nothing run; its form may lead only where it must."""
    origins = {f"{url.scheme}://{url.netloc}" for url in map(urlsplit, filter(None, targets)) if url.netloc}
    leads_to = " ".join(["'self'", *sorted(origins)])
    policy = (
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none';"
        f" form-action {leads_to}"
    )
    page = make_response(render_template(f"simulator/{template}", say=say, **values), status)
    page.headers.update(
        {
            "Cache-Control": "no-store",
            "Content-Language": say["lang"],
            "Content-Security-Policy": policy,
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
        }
    )
    return page
