"""The account pages. Whether an address is known to us is never told: pages and times are alike."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError

from configurator.service import quotes_of_account
from fulfillment.assembly.service import shipped_units
from fulfillment.customers import service as customers
from fulfillment.customers.passwords import WeakPassword, check_strength
from fulfillment.kernel.db import reading, transaction
from fulfillment.kernel.errors import stale_form, translated
from fulfillment.kernel.i18n import current_locale
from fulfillment.kernel.once import press
from fulfillment.kernel.refusals import Refusal
from fulfillment.kernel.settings import settings
from fulfillment.kernel.web import (
    account_required,
    current_account,
    limiter,
    pressed,
    public,
    safe_next,
    see_other,
    sign_in,
    sign_out,
    visit,
)
from fulfillment.orders.service import orders_of_account
from storefront.account.forms import ChangePasswordForm, DetailsForm, ForgottenForm, NewPasswordForm, SignInForm, SignUpForm
from storefront.cart.current import cart_id, keep_cart
from storefront.cart.service import adopt_cart
from storefront.forms import AddressForm

bp = Blueprint("account", __name__, url_prefix="/account")


def _me() -> UUID:
    who = current_account()
    assert who is not None
    return UUID(who.id)


def _strong(form: SignUpForm | NewPasswordForm) -> bool:
    """Whether the password keeps anyone out; the form says what is wrong with it."""
    try:
        check_strength(form.password.data or "")
    except WeakPassword as refusal:
        form.password.errors = [translated(refusal)]
        return False
    return True


@bp.route("/sign-in", methods=["GET", "POST"], endpoint="sign_in")
@public
@limiter.limit("20/minute;100/hour", methods=["POST"])
def enter() -> ResponseReturnValue:
    """Sign in, and go on where one was; the cart comes along."""
    form = SignInForm(request.form)
    if request.method == "POST" and form.validate():
        try:
            with reading() as session:
                account = customers.check_credentials(session, email=form.email.data or "", password=form.password.data or "")
        except Refusal as refusal:
            flash(translated(refusal), "bad")
            return render_template("account/sign_in.html", form=form), refusal.status
        with transaction() as session:
            cart = adopt_cart(session, account.id, cart_id())
        sign_in(customers.account_principal(account))
        keep_cart(cart)
        return redirect(safe_next(url_for(".home")), 303)
    return render_template("account/sign_in.html", form=form), 422 if form.errors else 200


@bp.route("/sign-up", methods=["GET", "POST"])
@public
@limiter.limit("20/hour", methods=["POST"])
def sign_up() -> ResponseReturnValue:
    """Open an account."""
    form = SignUpForm(request.form)
    if request.method == "POST" and form.validate() and _strong(form):
        with transaction() as session:
            customers.sign_up(
                session, email=form.email.data or "", password=form.password.data or "", name=form.name.data or "", locale=current_locale(),
            )
        return see_other(".sign_in", _("Thank you. We have sent you a letter; you can sign in now."), next=safe_next(""))
    return render_template("account/sign_up.html", form=form), 422 if form.errors else 200


@bp.post("/sign-out")
@public
def leave() -> ResponseReturnValue:
    """End the session."""
    with transaction() as session:
        customers.end_visit(session, visit())
    sign_out()
    return see_other("shop.home", _("You are signed out."))


@bp.errorhandler(CSRFError)
def pressed_again(error: CSRFError) -> ResponseReturnValue:
    """A second press comes with the token of the session that the first one ended; what it asks for is done."""
    if request.endpoint == "account.sign_in" and current_account() is not None:
        return redirect(safe_next(url_for(".home")), 303)
    if request.endpoint == "account.leave" and current_account() is None:
        return redirect(url_for("shop.home"), 303)
    return stale_form(error)


@bp.route("/forgotten", methods=["GET", "POST"])
@public
@limiter.limit("10/hour", methods=["POST"])
def forgotten() -> ResponseReturnValue:
    """Ask for a letter with a link to choose a new password."""
    form = ForgottenForm(request.form)
    if request.method == "POST" and form.validate():
        link = settings().base_url + url_for(".new_password", token="TOKEN").replace("TOKEN", "{token}")  # noqa: S106 - where it goes
        with transaction() as session:
            customers.request_reset(session, email=form.email.data or "", link=link)
        return see_other(".sign_in", _("If we know this address, a letter with a link is on its way to it."))
    return render_template("account/forgotten.html", form=form), 422 if form.errors else 200


@bp.route("/new-password/<token>", methods=["GET", "POST"])
@public
@limiter.limit("30/hour", methods=["POST"])
def new_password(token: str) -> ResponseReturnValue:
    """Choose a new password by a mailed link."""
    form = NewPasswordForm(request.form)
    with reading() as session:
        customers.find_reset(session, token)
    if request.method == "POST" and form.validate() and _strong(form):
        with transaction() as session:
            customers.reset_password(session, token=token, password=form.password.data or "")
        return see_other(".sign_in", _("Your new password is set. Please sign in."))
    page = render_template("account/new_password.html", form=form)
    return page, 422 if form.errors else 200, {"Referrer-Policy": "no-referrer"}


@bp.get("")
@account_required
def home() -> ResponseReturnValue:
    """What the customer has with us: newest orders, machines and quotes."""
    with reading() as session:
        orders = orders_of_account(session, _me())
        quotes = quotes_of_account(session, _me())
        machines = shipped_units(session, [order.number for order in orders])
    return render_template("account/home.html", orders=orders, quotes=quotes, machines=machines)


@bp.get("/addresses")
@account_required
def addresses() -> ResponseReturnValue:
    """The address book."""
    with reading() as session:
        book = customers.addresses_of(session, _me())
    return render_template("account/addresses.html", book=book, form=AddressForm())


@bp.post("/addresses")
@account_required
def add_address() -> ResponseReturnValue:
    """Put an address into the book."""
    form = AddressForm(request.form)
    if form.validate():
        with transaction() as session:
            customers.save_address(session, _me(), form.address())
        return see_other(".addresses", _("The address is in your book."))
    with reading() as session:
        book = customers.addresses_of(session, _me())
    return render_template("account/addresses.html", book=book, form=form), 422


@bp.post("/addresses/<uuid:address_id>/remove")
@account_required
def remove_address(address_id: UUID) -> ResponseReturnValue:
    """Take an address out of the book."""
    with transaction() as session:

        def remove() -> dict[str, Any]:
            customers.remove_address(session, _me(), address_id)
            return {}

        press(session, "address.remove", pressed(), str(address_id), remove)
    return see_other(".addresses", _("The address is removed."))


@bp.route("/details", methods=["GET", "POST"])
@account_required
def details() -> ResponseReturnValue:
    """Name, phone, language of letters."""
    with reading() as session:
        account = customers.get_account(session, _me())
    form = DetailsForm(request.form, obj=account)
    if request.method == "POST" and form.validate():
        with transaction() as session:
            customers.change_details(session, _me(), name=form.name.data or "", phone=form.phone.data or "", locale=form.locale.data)
        return see_other(".details", _("Your details are saved."))
    return render_template("account/details.html", form=form, password=ChangePasswordForm(), account=account), 422 if form.errors else 200


@bp.post("/password")
@account_required
@limiter.limit("20/hour")
def change_password() -> ResponseReturnValue:
    """Choose a new password, knowing the old one; other sessions end."""
    form = ChangePasswordForm(request.form)
    if form.validate() and _strong(form):
        try:
            with transaction() as session:
                account = customers.change_password(session, _me(), old=form.old.data or "", new=form.password.data or "")
        except customers.WrongCredentials as refusal:
            form.old.errors = [translated(refusal)]
        else:
            sign_in(customers.account_principal(account))
            return see_other(".details", _("Your new password is set. Every other session has ended."))
    with reading() as session:
        account = customers.get_account(session, _me())
    return render_template("account/details.html", form=DetailsForm(obj=account), password=form, account=account), 422
