"""Configurations that are kept: a link that always means the same, names in an account, and four side by side."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.exc import DBAPIError

from configurator.language import put_together
from configurator.releasing import release_model
from configurator.saved.models import SavedConfiguration, SharedConfiguration
from fulfillment.kernel import db as database
from fulfillment.kernel.db import reading, transaction
from tests.builders.people import make_account, sign_in_account
from tests.conftest import Queries

pytestmark = pytest.mark.stocked

SHEET = Path("configurator/catalogue/skein-14.toml")


def shared(client: FlaskClient, state: str = "cpu=v6", model: str = "skein-14") -> str:
    """Share a configuration; its token."""
    answer = client.post(f"/configure/{model}/share", data={"state": state, "then": "share"})
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"].rsplit("/", 1)[1]


def release_again(change: str, into: str) -> None:
    """A new release of the Skein 14."""
    text = put_together(SHEET).text
    assert change in text
    with transaction() as session:
        release_model(session, text.replace(change, into), "skein-14.toml")


@pytest.fixture(autouse=True)
def _look_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("configurator.releasing.LOOK_AGAIN_SECONDS", 0)


class TestALink:
    def test_shows_the_machine_and_leads_on(self, client: FlaskClient) -> None:
        token = shared(client)
        assert re.fullmatch(r"[\w-]{12}", token)
        page = client.get(f"/c/{token}").text
        assert "$1,420.00" in page
        assert 'href="/configure/skein-14?cpu=v6"' in page
        assert "was renewed" not in page
        assert f"http://localhost/c/{token}" in page

    def test_is_the_same_for_the_same_machine_and_another_for_another(self, client: FlaskClient) -> None:
        assert shared(client) == shared(client, "cpu=v6&undo=cpu")
        assert shared(client) != shared(client, "cpu=h12")
        with reading() as session:
            assert session.scalar(sa.select(sa.func.count()).select_from(SharedConfiguration)) == 2

    def test_never_changes(self, client: FlaskClient) -> None:
        token = shared(client)
        for act in ("UPDATE shared_configuration SET price_minor = 1", "DELETE FROM shared_configuration"):
            with pytest.raises(DBAPIError, match="is final"), database.engine().begin() as connection:
                connection.execute(sa.text(act))
        assert "$1,420.00" in client.get(f"/c/{token}").text

    def test_that_leads_nowhere_is_not_found(self, client: FlaskClient) -> None:
        assert client.get("/c/nothing").status_code == 404
        assert client.post("/c/nothing/compare").status_code == 404

    def test_of_what_does_not_exist_is_not_made(self, client: FlaskClient) -> None:
        assert client.post("/configure/skein-14/share", data={"state": "cpu=c99"}).status_code == 422
        assert client.post("/configure/skein-99/share", data={"state": ""}).status_code == 404
        with reading() as session:
            assert session.scalars(sa.select(SharedConfiguration)).all() == []

    def test_of_a_superseded_release_says_what_a_new_price_is(self, client: FlaskClient) -> None:
        token = shared(client)
        release_again('base_price     = "', 'base_price     = "1')
        page = client.get(f"/c/{token}").text
        assert "The Skein 14 was renewed since then." in page
        assert "The same machine can still be built." in page
        assert "It was $1,420.00 when it was shared." in page

    def test_of_a_superseded_release_goes_on_with_the_nearest(self, client: FlaskClient) -> None:
        token = shared(client, "memory=s32&lid=silver")
        release_again('{ id = "silver"', '{ id = "pearl"')
        page = client.get(f"/c/{token}").text
        assert "This is the nearest machine that we build today" in page
        assert re.findall(r'<th scope="row">([^<]+)</th><td><s>[^<]*[Ss]ilver', page) == ["Lid"]
        on = re.search(r'href="(/configure/skein-14\?[^"]*memory=s32[^"]*)"', page)
        assert on
        assert client.get(on.group(1).replace("&amp;", "&")).status_code == 200


class TestAnAccount:
    def test_keeps_names_renames_and_forgets(self, client: FlaskClient) -> None:
        make_account("wren@example.com")
        sign_in_account(client, "wren@example.com")
        token = shared(client)
        client.post(f"/c/{token}/keep", data={"name": "For the office"})
        client.post(f"/c/{token}/keep", data={"name": "For the office, again"})
        page = client.get("/account/configurations").text
        assert page.count(f'href="/c/{token}"') == 1
        assert "For the office, again" in page
        with reading() as session:
            kept = session.scalars(sa.select(SavedConfiguration)).one()
        client.post(f"/account/configurations/{kept.id}/rename", data={"name": "Ours"})
        assert ">Ours<" in client.get("/account/configurations").text
        assert client.post(f"/c/{token}/keep", data={"name": " "}).status_code == 422
        client.post(f"/account/configurations/{kept.id}/remove")
        assert "No configurations yet" in client.get("/account/configurations").text
        assert client.get(f"/c/{token}").status_code == 200

    def test_cannot_touch_what_another_has_kept(self, client: FlaskClient) -> None:
        make_account("wren@example.com")
        make_account("jay@example.com")
        sign_in_account(client, "wren@example.com")
        client.post(f"/c/{shared(client)}/keep", data={"name": "Wren's"})
        with reading() as session:
            kept = session.scalars(sa.select(SavedConfiguration)).one()
        other = client.application.test_client()
        sign_in_account(other, "jay@example.com")
        assert other.post(f"/account/configurations/{kept.id}/rename", data={"name": "Mine"}).status_code == 404
        other.post(f"/account/configurations/{kept.id}/remove")
        assert "Wren" in client.get("/account/configurations").text
        assert "Wren" not in other.get("/account/configurations").text

    def test_is_asked_for_before_anything_is_kept(self, client: FlaskClient) -> None:
        token = shared(client)
        assert "sign-in" in client.post(f"/c/{token}/keep", data={"name": "x"}).headers["Location"]
        assert f'href="/account/sign-in?next=/c/{token}"' in client.get(f"/c/{token}").text


class TestComparing:
    def compare(self, client: FlaskClient, state: str, model: str = "skein-14") -> str:
        return client.post(f"/configure/{model}/share", data={"state": state, "then": "compare"}, follow_redirects=True).text

    def test_four_stand_side_by_side_with_what_differs_marked(self, client: FlaskClient) -> None:
        for state in ("cpu=v6", "cpu=v8", "cpu=h12"):
            self.compare(client, state)
        page = self.compare(client, "", "hearth-t")
        assert page.count('class="big" href="/c/') == 4
        differing = re.findall(r'<tr class="differs"><th scope="row">([^<]+)', page)
        assert {"Price, without tax", "Processor"} <= {name.strip() for name in differing}
        assert page.count("Go on configuring</span>") == 4
        fifth = self.compare(client, "cpu=v6&memory=s32")
        assert "the oldest has made room" in fifth
        assert fifth.count('class="big" href="/c/') == 4

    def test_only_what_differs_is_fewer_lines(self, client: FlaskClient) -> None:
        tokens = [shared(client, state) for state in ("cpu=v6", "cpu=v8")]
        query = "&".join(f"with={token}" for token in tokens)
        everything = client.get(f"/configurations/compare?{query}").text
        only = client.get(f"/configurations/compare?{query}&only=differences").text
        assert only.count("<tr") < everything.count("<tr")
        assert only.count('class="differs"') == everything.count('class="differs"')

    def test_a_quote_is_compared_with_the_price_of_today(self, client: FlaskClient) -> None:
        quote = client.post("/configure/skein-14", data={"quantity": "1", "then": "quote", "cpu": "v6"}).headers["Location"]
        assert f'action="{quote}/compare"' in client.get(quote).text
        page = client.post(f"{quote}/compare", follow_redirects=True).text
        assert page.count('class="big" href="/c/') == 1
        assert "$1,420.00" in page

    def test_takes_few_queries(self, client: FlaskClient) -> None:
        query = "&".join(f"with={shared(client, f'cpu={cpu}')}" for cpu in ("v6", "v8", "h12"))
        query += f"&with={shared(client, '', 'rookery-r2')}"
        client.get(f"/configurations/compare?{query}")
        with Queries() as statements:
            assert client.get(f"/configurations/compare?{query}").status_code == 200
        assert len(statements) <= 12

    def test_nothing_and_the_unknown_are_answered(self, client: FlaskClient) -> None:
        assert "Nothing to compare yet" in client.get("/configurations/compare").text
        assert client.get("/configurations/compare?with=nothing").status_code == 404
        self.compare(client, "cpu=v6")
        client.post("/configurations/compare/clear")
        assert "Nothing to compare yet" in client.get("/configurations/compare").text
