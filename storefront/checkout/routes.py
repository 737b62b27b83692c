"""Checkout in two steps and a payment page that is not ours; and the door at which Stripe knocks.

Whatever way the customer comes back (or does not), the order is paid when Stripe says so: the return
page asks like the webhook and the sweeper do.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from configurator.prices.uses import count_uses
from fulfillment.billing.checkout import start_checkout
from fulfillment.billing.inbox import receive_event
from fulfillment.billing.reconciling import reconcile_order
from fulfillment.customers import service as customers
from fulfillment.kernel.clock import today
from fulfillment.kernel.db import reading, transaction
from fulfillment.kernel.i18n import current_locale, pick
from fulfillment.kernel.settings import settings
from fulfillment.kernel.web import csrf_exempt, current_account, limiter, public, see_other
from fulfillment.orders.delivery import OPTIONS, promise
from fulfillment.orders.readiness import ready_dates
from fulfillment.orders.service import book_order, figures_of, promised_on
from storefront.cart import service as carts
from storefront.cart.current import account_id, cart_id, keep_cart
from storefront.checkout.drafting import draft_order
from storefront.checkout.forms import DetailsForm
from storefront.status.access import must_own, remember_order

bp = Blueprint("checkout", __name__)


def _form(kept: dict[str, Any]) -> DetailsForm:
    account = current_account()
    start = {"email": account.email, "name": account.name} if account else {}
    start |= {**kept.get("ship_to", {}), **{key: kept[key] for key in ("email", "delivery") if key in kept}}
    form = DetailsForm(request.form, data=start)
    form.delivery.choices = [(code, pick(option.name)) for code, option in OPTIONS.items()]
    return form


@bp.route("/checkout", methods=["GET", "POST"])
@public
def details() -> ResponseReturnValue:
    """Who buys, and where it goes."""
    with reading() as db:
        cart = carts.show(db, cart_id())
        kept = carts.details_of(db, cart_id())
        here = account_id()
        book = customers.addresses_of(db, here) if here else []
        ready = ready_dates(db, [line.wanted for line in cart.lines])
    if not cart.lines:
        return see_other("cart.show")
    if request.method == "GET" and "address" in request.args:
        kept = {
            **kept,
            "ship_to": next((saved.address for saved in book if str(saved.id) == request.args["address"]), kept.get("ship_to", {})),
        }
    form = _form(kept)
    if request.method == "POST" and form.validate():
        with transaction() as db:
            carts.keep_details(db, cart_id(), _entered(form))
            if here and request.form.get("keep_address"):
                customers.save_address(db, here, form.address())
        return redirect(url_for(".review"), 303)
    arrives = {code: promise(ready, option, today()) for code, option in OPTIONS.items()}
    page = render_template("checkout/details.html", form=form, cart=cart, options=OPTIONS, arrives=arrives, book=book)
    return page, 422 if form.errors else 200


def _entered(form: DetailsForm) -> dict[str, Any]:
    ship_to = form.address()
    bill_to = form.billing.form.address() if form.other_billing.data else ship_to
    return {
        "email": (form.email.data or "").strip(),
        "delivery": form.delivery.data,
        "ship_to": ship_to.to_json(),
        "bill_to": bill_to.to_json(),
    }


@bp.get("/checkout/review")
@public
def review() -> ResponseReturnValue:
    """Everything once more, with delivery, tax and total, before the payment page."""
    with reading() as db:
        kept = carts.details_of(db, cart_id())
        if not kept:
            return see_other(".details")
        cart = carts.show(db, cart_id())
        draft = draft_order(db, cart_id(), kept, account_id=account_id(), locale=current_locale())
    return render_template(
        "checkout/review.html", cart=cart, details=kept, figures=figures_of(draft), option=OPTIONS[draft.delivery],
        arrives=promised_on(draft),
    )


@bp.post("/checkout/pay")
@public
@limiter.limit("30/minute")
def pay() -> ResponseReturnValue:
    """Book the order and go to the payment page; pressed five times it is one order and one page."""
    with transaction() as db:
        kept = carts.details_of(db, cart_id())
        if not kept:
            return see_other(".details")
        draft = draft_order(db, cart_id(), kept, account_id=account_id(), locale=current_locale())
        order = book_order(db, draft)
        count_uses(db, order)
        carts.ordered(db, cart_id(), order.number)
    remember_order(order.number)
    return _to_payment(order.number)


@bp.post("/orders/<number>/pay")
@public
@limiter.limit("30/minute")
def pay_again(number: str) -> ResponseReturnValue:
    """Pay an order that was left unpaid."""
    must_own(number)
    return _to_payment(number)


def _to_payment(number: str) -> ResponseReturnValue:
    base = settings().base_url
    return redirect(
        start_checkout(
            number, success_url=base + url_for(".returned", number=number), cancel_url=base + url_for("status.order", number=number)
        ),
        303,
    )


@bp.get("/orders/<number>/paid")
@public
@limiter.limit("60/minute")
def returned(number: str) -> ResponseReturnValue:
    """Back from the payment page."""
    must_own(number)
    if reconcile_order(number):
        keep_cart(None)
        return see_other(
            "status.order", _("Thank you! Your payment has arrived, and your machine is on its way to the workshop."), number=number
        )
    return see_other("status.order", _("Your payment is being confirmed. This page will tell you."), number=number)


@bp.post("/stripe/webhook")
@public
@csrf_exempt
def webhook() -> ResponseReturnValue:
    """An event of the payment provider: verified, kept, answered; what it means is worked out later."""
    receive_event(request.get_data(), request.headers.get("Stripe-Signature", ""))
    return Response(status=200)
