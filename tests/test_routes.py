"""Every address is public by name or behind a permission; every POST is guarded."""

from __future__ import annotations

import re

import pytest
from flask import Flask

from fulfillment.customers.roles import ROLES
from fulfillment.kernel.web import ACCESS, CSRF_EXEMPT, csrf
from tests.builders.people import sign_in_staff
from tests.e2e.places import AT_STATIONS, PLACES

MACHINES = re.compile(r"(/stripe/webhook|/api/v1/.*)")
"""Only these may go without a CSRF token: they carry a signature or a token of their own."""


def key(app: Flask, endpoint: str) -> str:
    view = app.view_functions[endpoint]
    return f"{view.__module__}.{view.__name__}"


def rules(app: Flask) -> list[tuple[str, str, set[str]]]:
    return [(rule.endpoint, rule.rule, rule.methods or set()) for rule in app.url_map.iter_rules() if rule.endpoint != "static"]


def test_every_endpoint_says_who_may_call_it(app: Flask) -> None:
    assert [f"{rule} ({endpoint})" for endpoint, rule, _ in rules(app) if key(app, endpoint) not in ACCESS] == []


def test_every_permission_is_held_by_some_role(app: Flask) -> None:
    held = {"public", "account", "desk", "token"}.union(*ROLES.values())
    assert {access for access in ACCESS.values() if access not in held} == set()


def test_only_machines_may_post_without_a_token(app: Flask) -> None:
    exempt = [rule for endpoint, rule, methods in rules(app) if "POST" in methods and key(app, endpoint) in CSRF_EXEMPT]
    assert [rule for rule in exempt if not MACHINES.fullmatch(rule)] == []
    assert csrf._exempt_views == CSRF_EXEMPT
    assert csrf._exempt_blueprints == set()


def address(rule: str) -> str:
    """The rule with plausible but unknown values filled in."""
    filled = re.sub(r"<uuid:[^>]+>", "018f0000-0000-7000-8000-000000000000", rule)
    filled = re.sub(r"<int:[^>]+>", "7", filled)
    return re.sub(r"<[^>]+>", "unknown", filled)


def test_a_post_without_a_token_is_refused_everywhere(app: Flask) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    client = app.test_client()
    for endpoint, rule, methods in rules(app):
        if "POST" in methods and key(app, endpoint) not in CSRF_EXEMPT:
            answer = client.post(address(rule))
            if endpoint in {"account.leave", "console.leave"}:  # nobody is signed in: there is nothing left to refuse
                assert answer.status_code == 303, rule
                continue
            assert answer.status_code == 400, rule
            assert "This form is out of date" in answer.text, rule


NO_PAGE = re.compile(r"(/api/v1/.*|.*\.pdf|/desk/documents/.*|/desk/board|/desk/books/export/.*|/desk/find|/desk/prices/.*[.]csv"
                     r"|/language/.*|/theme/.*|/healthz|/readyz|/metrics|/robots.txt|/sitemap.xml|/account/orders/<number>|/orders/<number>/paid)")
"""Data, documents, fragments, and ways to another page."""


def test_every_page_is_looked_at_in_a_browser(app: Flask) -> None:
    at = app.url_map.bind("localhost")
    looked_at = {at.match(re.sub(r"{\w+}", "1", place.path).partition("?")[0])[0] for place in PLACES if place.path != "/no-such-page"}
    pages = {rule: endpoint for endpoint, rule, methods in rules(app) if "GET" in methods and not NO_PAGE.fullmatch(rule)}
    assert [rule for rule, endpoint in pages.items() if endpoint not in looked_at and rule not in AT_STATIONS] == []


def test_a_stranger_gets_no_desk_and_no_account_page(app: Flask) -> None:
    client = app.test_client()
    for endpoint, rule, methods in rules(app):
        access = ACCESS[key(app, endpoint)]
        if access in {"public", "token"}:
            continue
        for method in methods & {"GET", "POST"}:
            response = client.open(address(rule), method=method)
            assert response.status_code == 303, f"{method} {rule}"
            assert "sign-in" in response.headers["Location"], f"{method} {rule}"


@pytest.mark.parametrize("role", sorted(ROLES))
def test_each_role_opens_exactly_its_own_desks(app: Flask, role: str) -> None:
    client = app.test_client()
    sign_in_staff(client, role)
    for endpoint, rule, methods in rules(app):
        access = ACCESS[key(app, endpoint)]
        if access in {"public", "account", "token"} or "GET" not in methods:
            continue
        refused = client.get(address(rule)).status_code == 403
        assert refused == (access != "desk" and access not in ROLES[role]), f"{role} {rule}"


def test_an_unknown_object_is_not_found_and_never_a_fault(app: Flask) -> None:
    client = app.test_client()
    for endpoint, rule, methods in rules(app):
        if "<" in rule and "GET" in methods and ACCESS[key(app, endpoint)] == "public":
            assert client.get(address(rule)).status_code in {404, 303, 401}, rule
