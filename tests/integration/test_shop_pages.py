"""The shop window as a customer, a crawler and a phone on a slow line see it."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from configurator.releasing import released_models
from configurator.seed import seed_catalogue
from configurator.service import starting_price
from fulfillment.inventory.service import receive
from fulfillment.kernel.db import transaction
from tests.conftest import Queries

MODELS = ("skein-14", "skein-16", "hearth-t", "anvil-w", "rookery-r2")
PAGES = (
    "/", "/laptops", "/desktops", "/workstations", "/servers", "/products/skein-14", "/products/rookery-r2",
    "/compare", "/compare?models=skein-14,anvil-w", "/search", "/search?q=memory", "/accessories", "/accessories/MON-24", "/styleguide",
)


@pytest.fixture
def shop(client: FlaskClient) -> FlaskClient:
    """A browser before the stocked window."""
    with transaction() as session:
        seed_catalogue(session)
    released_models()
    return client


def linked_data(html: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/ld\+json">(.*?)</script>', html, re.DOTALL)
    assert found is not None
    return dict(json.loads(found[1]))


def test_every_page_is_complete_in_both_languages(shop: FlaskClient) -> None:
    for language, tag in (("en", "en"), ("zh", "zh-Hans")):
        shop.set_cookie("language", language)
        for address in PAGES:
            answer = shop.get(address)
            assert answer.status_code == 200, address
            assert f'<html lang="{tag}"' in answer.text
            assert len(re.findall(r"<h1[ >]", answer.text)) == 1, address
            assert answer.text.rstrip().endswith("</html>")


def test_every_page_keeps_its_budget(shop: FlaskClient, queries: Queries) -> None:
    for address in PAGES:
        shop.get(address)
        with queries as statements:
            answer = shop.get(address, headers={"Accept-Encoding": "gzip"})
        assert len(statements) <= 12, (address, statements)
        assert len(answer.data) <= 30_000, address


def test_no_page_has_a_script_or_a_style_inside(shop: FlaskClient) -> None:
    for address in PAGES:
        html = shop.get(address).text
        assert re.findall(r"<style|\sstyle=|\son[a-z]+=|javascript:", html) == [], address
        scripts = re.findall(r"<script([^>]*)>", html)
        assert [attributes for attributes in scripts if "src=" not in attributes and "ld+json" not in attributes] == [], address


def test_every_link_of_the_window_leads_somewhere(shop: FlaskClient) -> None:
    seen, waiting = set[str](), ["/"]
    while waiting:
        address = waiting.pop()
        html = shop.get(address).text
        for link in (found.replace("&amp;", "&") for found in re.findall(r'(?:href|src)="(/[^"#]*)', html)):
            if link in seen or link.startswith(("/language", "/theme")):
                continue
            seen.add(link)
            assert shop.get(link).status_code in {200, 303}, f"{link}, on {address}"
            if link.startswith(("/products", "/accessories", "/compare", "/laptops", "/desktops", "/workstations", "/servers")):
                waiting.append(link)
    assert {f"/products/{model}" for model in MODELS} <= seen
    assert {f"/configure/{model}" for model in MODELS} <= seen


def test_every_static_file_of_a_page_is_there_and_kept_for_ever(shop: FlaskClient) -> None:
    files = set(re.findall(r'(?:href|src)="(/static/[^"]+)', shop.get("/").text))
    assert len(files) >= 9
    for file in files:
        answer = shop.get(file)
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable", file


def test_a_first_visit_fits_through_a_thin_line(shop: FlaskClient) -> None:
    compressed = {"Accept-Encoding": "gzip, br"}
    for address in ("/", "/products/skein-14", "/laptops"):
        page = shop.get(address)
        files = set(re.findall(r'(?:href|src)="(/static/[^"]+)', page.text))
        sizes = {file: len(shop.get(file, headers=compressed).data) for file in files}
        assert sum(sizes.values()) + len(shop.get(address, headers=compressed).data) <= 120_000
        assert next(size for file, size in sizes.items() if "site.css" in file) <= 25_000


def test_a_second_visit_costs_nothing(shop: FlaskClient) -> None:
    first = shop.get("/products/skein-14", headers={"Accept-Encoding": "gzip"})
    again = shop.get("/products/skein-14", headers={"Accept-Encoding": "gzip", "If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    shop.set_cookie("language", "zh")
    other = shop.get("/products/skein-14", headers={"If-None-Match": first.headers["ETag"]})
    assert other.status_code == 200


def test_a_catalogue_page_starts_no_session(shop: FlaskClient) -> None:
    for address in ("/", "/laptops", "/products/skein-14", "/compare?models=skein-14", "/search?q=dock", "/accessories"):
        assert "Set-Cookie" not in shop.get(address).headers


def test_the_product_page_says_price_and_date_to_people_and_to_machines(shop: FlaskClient) -> None:
    model = next(m for m in released_models() if m.id == "skein-14")
    html = shop.get("/products/skein-14").text
    data = linked_data(html)
    price = starting_price(model)
    assert f"From ${price.decimal():,}" in html
    assert data["@type"] == "Product"
    assert (data["name"], data["sku"], data["brand"]["name"]) == ("Skein 14", "skein-14", "Larkmill")
    assert (data["offers"]["price"], data["offers"]["priceCurrency"]) == (str(price.decimal()), "USD")
    assert data["offers"]["availability"] == "https://schema.org/MadeToOrder"
    assert data["offers"]["priceSpecification"]["valueAddedTaxIncluded"] is False
    assert data["url"] == "http://localhost/products/skein-14"
    assert data["image"].startswith("http://localhost/static/pictures/")
    assert data["description"]
    assert {"@type": "PropertyValue", "name": model.facts[0].label["en"], "value": model.facts[0].value["en"]} in data["additionalProperty"]
    assert 'rel="canonical" href="http://localhost/products/skein-14"' in html
    for group in model.groups:
        assert group.name["en"].replace("&", "&amp;") in html


def test_a_family_page_shows_its_machines_and_no_others(shop: FlaskClient) -> None:
    shown = re.findall(r'href="/configure/([^"]+)"', shop.get("/laptops").text)
    assert sorted(set(shown)) == ["skein-14", "skein-16"]


def test_machines_are_compared_side_by_side(shop: FlaskClient) -> None:
    html = shop.get("/compare?models=anvil-w,skein-14").text
    assert re.findall(r'class="big" href="/products/([^"]+)"', html) == ["anvil-w", "skein-14"]
    by_ticks = shop.get("/compare?models=anvil-w&models=skein-14").text
    assert by_ticks.split("<main")[1].split("</main>")[0] == html.split("<main")[1].split("</main>")[0]


def test_only_differences_are_fewer_rows(shop: FlaskClient) -> None:
    everything = shop.get("/compare?models=skein-14,skein-14").text
    assert shop.get("/compare?models=skein-14&only=differences").text.count("<tr>") == 4
    assert everything.count("<tr>") > 8


def test_a_fifth_machine_does_not_fit(shop: FlaskClient) -> None:
    html = shop.get(f"/compare?models={','.join(MODELS)}").text
    assert "Four machines fit side by side" in html
    assert len(re.findall(r'class="big" href="/products/', html)) == 4


def test_what_we_do_not_sell_is_not_found(shop: FlaskClient) -> None:
    for address in ("/products/nothing", "/compare?models=skein-14,nothing", "/accessories/NOTHING", "/accessories/BSE-SK14", "/toasters"):
        assert shop.get(address).status_code == 404, address


def test_markup_in_an_address_stays_text(shop: FlaskClient) -> None:
    for address in ("/products/<b>x", "/search?q=<script>alert(1)</script>", "/compare?models=<script>"):
        html = shop.get(address).text
        assert "<b>x" not in html
        assert "<script>alert" not in html


def test_search_finds_machines_options_and_accessories_in_both_languages(shop: FlaskClient) -> None:
    assert 'href="/products/skein-14"' in shop.get("/search?q=skein+14").text
    assert 'href="/accessories/MON-24"' in shop.get("/search?q=monitor").text
    memory = shop.get("/search?q=内存").text
    assert 'href="/configure/skein-14"' in memory
    assert "Nothing found" in shop.get("/search?q=toaster").text


def test_a_live_search_gets_the_results_alone(shop: FlaskClient) -> None:
    answer = shop.get("/search?q=skein", headers={"HX-Request": "true"})
    assert "<html" not in answer.text
    assert "/products/skein-14" in answer.text
    assert "HX-Request" in answer.headers["Vary"]


def test_an_accessory_is_put_into_the_cart_by_a_plain_form(shop: FlaskClient) -> None:
    html = shop.get("/accessories/MON-24").text
    data = linked_data(html)
    assert 'action="/cart/items"' in html
    assert 'name="sku" value="MON-24"' in html
    assert (data["name"].split(",")[0], data["offers"]["price"]) == ("Larkmill Pane 24", "189.00")
    assert data["offers"]["availability"] == "https://schema.org/BackOrder"


def test_an_accessory_in_stock_says_so(shop: FlaskClient) -> None:
    with transaction() as session:
        receive(session, "MON-24", 3, "test")
    assert linked_data(shop.get("/accessories/MON-24").text)["offers"]["availability"] == "https://schema.org/InStock"


def test_the_sitemap_lists_every_page_and_robots_finds_it(shop: FlaskClient) -> None:
    xml = shop.get("/sitemap.xml").text
    addresses = re.findall(r"<loc>http://localhost(/[^<]*)</loc>", xml)
    assert {f"/products/{model}" for model in MODELS} | {"/", "/laptops", "/accessories", "/accessories/MON-24"} <= set(addresses)
    assert {shop.get(address).status_code for address in addresses} == {200}
    assert "Sitemap: http://localhost/sitemap.xml" in shop.get("/robots.txt").text
    assert "Disallow: /account" in shop.get("/robots.txt").text


def test_the_appearance_is_remembered_without_a_script(shop: FlaskClient) -> None:
    answer = shop.get("/theme/dark?next=/laptops")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/laptops")
    assert 'data-theme="dark"' in shop.get("/").text
    shop.get("/theme/auto")
    assert "data-theme=" not in shop.get("/").text.split("<head>")[0]


def test_the_appearance_leads_to_no_other_site(shop: FlaskClient) -> None:
    for address in ("//evil.example", "https://evil.example", "/\\evil.example"):
        assert shop.get("/theme/dark", query_string={"next": address}).headers["Location"] == "/"


def test_an_empty_catalogue_is_no_error(client: FlaskClient) -> None:
    for address in ("/", "/laptops", "/compare", "/search?q=skein", "/accessories", "/sitemap.xml"):
        assert client.get(address).status_code == 200


def test_the_family_names_are_translated_in_the_reader_s_language(app: Flask) -> None:
    from storefront.shop.routes import LEADS, NAMES

    assert set(NAMES) == set(LEADS) == {"laptops", "desktops", "workstations", "servers"}
