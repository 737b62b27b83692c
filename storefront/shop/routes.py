"""Pages of the shop window. They change nothing; each answers a repeated visit with "not modified"."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, cast

from flask import Blueprint, Response, current_app, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext
from wtforms import BooleanField, EmailField, RadioField, SelectField, TextAreaField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than the type stubs
from wtforms.validators import InputRequired

from configurator.releasing import released_models
from configurator.service import QUOTE_DAYS
from fulfillment.billing.invoice_document import SELLER
from fulfillment.kernel import clock
from fulfillment.kernel.db import reading
from fulfillment.kernel.money import Money
from fulfillment.kernel.settings import settings
from fulfillment.kernel.web import Form, public, safe_next
from fulfillment.orders.jobs import UNPAID_FOR
from storefront.shop import catalogue
from storefront.shop.journey import sample_journey
from storefront.shop.linked_data import item_data, machine_data

bp = Blueprint("shop", __name__)

FAMILY_RULE = f"/<any({', '.join(catalogue.FAMILIES)}):slug>"
MOST_COMPARED = 4
SUPPORT_PHONE = "+1 503 555 0170"
"""Of the kind that is set aside for examples, like everything about the company."""
NAMES = {
    "laptops": _l("Laptops"),
    "desktops": _l("Desktops"),
    "workstations": _l("Workstations"),
    "servers": _l("Servers"),
}
SHELVES = {
    "monitor": _l("Monitors"),
    "dock": _l("Docks"),
    "input": _l("Keyboards and mice"),
    "cable": _l("Cables and adapters"),
    "bag": _l("Bags"),
    "storage": _l("Drives"),
    "rack": _l("Rack equipment"),
    "sound": _l("Sound"),
}
"""Category of an accessory -> its heading; a category of none of these stands under "More"."""
LEADS = {
    "laptops": _l("Made for your bag and your desk, with the screen, memory and battery you choose."),
    "desktops": _l("A tower with room inside: for work, for play, and for what you will want to add later."),
    "workstations": _l("For those who wait for computers: many cores, much memory, and power to feed them."),
    "servers": _l("For the rack: processors, drives and power supplies in the numbers your work needs."),
}


def _page(template: str, **values: object) -> Response:
    """Render a page that stays as it is until the catalogue, the reader or the day changes."""
    response = make_response(render_template(template, **values))
    response.headers["Cache-Control"] = "private, no-cache"
    response.vary.update(("Cookie", "Accept-Language"))
    response.add_etag(weak=True)
    return cast("Response", response.make_conditional(request))


def _absolute(endpoint: str, **values: Any) -> str:
    return settings().base_url.rstrip("/") + url_for(endpoint, **values)


@bp.get("/")
@public
def home() -> ResponseReturnValue:
    """The front window: every machine, and how one is made."""
    with reading() as session:
        machines = catalogue.machines(session, released_models())
        shelves = catalogue.shelves(catalogue.items(session, dated=False), SHELVES)
    items = [shelf[0] for shelf in shelves.values()][:6]
    return _page("shop/home.html", machines=machines, items=items, steps=sample_journey())


@bp.get(FAMILY_RULE)
@public
def family(slug: str) -> ResponseReturnValue:
    """All machines of a family."""
    with reading() as session:
        machines = catalogue.machines(session, catalogue.models_of(slug))
    return _page("shop/family.html", slug=slug, machines=machines, names=NAMES, leads=LEADS)


@bp.get("/products/<model_id>")
@public
def machine(model_id: str) -> ResponseReturnValue:
    """One machine: picture, price, data, choices, date."""
    with reading() as session:
        [shown] = catalogue.machines(session, catalogue.find_models([model_id]))
    picture = _absolute("static", filename=f"pictures/{shown.model.picture}")
    data = machine_data(shown, url=_absolute("shop.machine", model_id=model_id), picture=picture)
    return _page("shop/machine.html", machine=shown, model=shown.model, linked_data=data, names=NAMES)


@bp.get("/compare")
@public
def compare() -> ResponseReturnValue:
    """Machines side by side: `models=a,b` or `models=a&models=b`."""
    wanted = [name for part in request.args.getlist("models") for name in part.split(",") if name]
    asked = catalogue.find_models(wanted)
    models = asked[:MOST_COMPARED]
    with reading() as session:
        chosen = catalogue.machines(session, models)
    rows = catalogue.compare(models)
    if request.args.get("only") == "differences":
        rows = [row for row in rows if row.differs]
    return _page("shop/compare.html", machines=chosen, rows=rows, everything=released_models(), too_many=asked != models)


@bp.get("/search")
@public
def search() -> ResponseReturnValue:
    """Machines, options and accessories by words; a live search gets the results alone."""
    question = request.args.get("q", "").strip()
    with reading() as session:
        found = catalogue.look_for(session, question) if question else None
    fragment = "HX-Request" in request.headers
    response = _page("shop/results.html" if fragment else "shop/search.html", question=question, found=found)
    response.vary.add("HX-Request")
    return response


@bp.get("/accessories")
@public
def accessories() -> ResponseReturnValue:
    """Everything sold by itself."""
    with reading() as session:
        items = catalogue.items(session)
    return _page("shop/accessories.html", shelves=catalogue.shelves(items, SHELVES), names=SHELVES)


@bp.get("/accessories/<sku>")
@public
def accessory(sku: str) -> ResponseReturnValue:
    """One item, to be put into the cart."""
    with reading() as session:
        item = catalogue.find_item(session, sku)
    data = item_data(item, url=_absolute("shop.accessory", sku=sku), in_stock=item.ready == clock.today())
    response = make_response(render_template("shop/accessory.html", item=item, linked_data=data))
    response.headers["Cache-Control"] = "private, no-store"  # gone back to, its form is a fresh one: adding again is meant
    return response


@bp.get("/contact")
@public
def contact() -> ResponseReturnValue:
    """Who we are and how to reach a person; the address is the one on our invoices."""
    company, street, city, mail = SELLER.split(" · ")
    return _page("company/contact.html", company=company, street=street, city=city, mail=mail, phone=SUPPORT_PHONE)


@bp.get("/terms")
@public
def terms() -> ResponseReturnValue:
    """Sale, returns and privacy in plain words: what the shop does, and nothing it does not."""
    return _page("company/terms.html", quote_days=QUOTE_DAYS, unpaid_days=UNPAID_FOR.days)


@bp.get("/theme/<any(auto, light, dark):choice>")
@public
def theme(choice: str) -> ResponseReturnValue:
    """Light, dark, or as the device says; remembered without a script."""
    response = redirect(safe_next(url_for("shop.home")), 303)
    if choice == "auto":
        response.delete_cookie("theme", samesite="Lax")
    else:
        response.set_cookie("theme", choice, max_age=timedelta(days=365), samesite="Lax", secure=request.is_secure)
    return cast("Response", response)


@bp.get("/sitemap.xml")
@public
def sitemap() -> ResponseReturnValue:
    """Every page of the window. Source: sitemaps.org protocol 0.9."""
    with reading() as session:
        addresses = [_absolute("shop.home"), *(_absolute("shop.family", slug=slug) for slug in catalogue.FAMILIES)]
        addresses += [_absolute("shop.machine", model_id=model.id) for model in released_models()]
        items = catalogue.items(session, dated=False)
    addresses += [_absolute("shop.contact"), _absolute("shop.terms")]
    addresses += [_absolute("shop.accessories"), *(_absolute("shop.accessory", sku=item.part.sku) for item in items)]
    xml = render_template("shop/sitemap.xml", addresses=addresses)
    return Response(xml, mimetype="application/xml")


@bp.get("/robots.txt")
@public
def robots() -> ResponseReturnValue:
    """Crawlers are welcome in the window, not behind it."""
    closed = ("/account", "/cart", "/checkout", "/status", "/orders", "/desk", "/language", "/theme", "/search?", "/api")
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in closed), f"Sitemap: {_absolute('shop.sitemap')}"]
    return Response("\n".join(lines) + "\n", mimetype="text/plain")


STATES = [SelectChoice("TX", "Texas"), SelectChoice("VT", "Vermont")]
DELIVERIES = [SelectChoice("standard", _l("Standard")), SelectChoice("express", _l("Express"))]


class SampleForm(Form):
    """One field of each kind, for the style guide."""

    email = EmailField(_l("E-mail"), [InputRequired()])
    state = SelectField(lazy_pgettext("address", "State"), [InputRequired()], choices=STATES)
    delivery = RadioField(_l("Delivery"), [InputRequired()], choices=DELIVERIES, default="standard")
    note = TextAreaField(_l("Note for the workshop"))
    news = BooleanField(_l("Tell me about new machines"))


@bp.get("/styleguide")
@public
def styleguide() -> ResponseReturnValue:
    """Every component with its states, for those who build pages."""
    form = SampleForm(state="TX")
    form.email.errors = [_("This field is required.")]
    icons = current_app.jinja_env.get_template("ui/icon.html").module.shapes  # type: ignore[attr-defined]
    amounts = [Money(12_000), Money(36_000), Money(74_900), Money(86_900)]
    steps = sample_journey(done=4, at=clock.now().replace(minute=0, second=0))
    links = {"page_link": lambda number: f"?page={number}#about"}
    return _page("shop/styleguide.html", form=form, icons=sorted(icons), amounts=amounts, steps=steps, **links)
