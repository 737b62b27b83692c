"""The schema's history goes forth and back, and ends where the models are."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.script import ScriptDirectory

from fulfillment import migrations
from fulfillment.kernel import db
from fulfillment.migrations import config, downgrade, upgrade

VERSIONS = Path(migrations.__file__).parent / "versions"


def tables(url: str) -> set[str]:
    engine = sa.create_engine(url)
    try:
        return set(sa.inspect(engine).get_table_names()) - {"alembic_version"}
    finally:
        engine.dispose()


def test_every_migration_goes_back_and_forth(db_url: str) -> None:
    there = tables(db_url)
    downgrade(db_url, "base")
    assert tables(db_url) == set()
    upgrade(db_url)
    assert tables(db_url) == there == set(db.Base.metadata.tables)


def test_the_models_and_the_migrated_schema_agree(db_url: str) -> None:
    command.check(config(db_url))


def test_migrations_are_numbered_without_gaps_and_import_no_code_of_ours() -> None:
    revisions = sorted(script.revision for script in ScriptDirectory(str(VERSIONS.parent)).walk_revisions())
    assert revisions == [f"{number:04d}" for number in range(1, len(revisions) + 1)]
    for path in VERSIONS.glob("*.py"):
        assert path.name.startswith(tuple(revisions))
        source = path.read_text()
        ours = ("fulfillment", "configurator", "storefront", "premier")
        assert not any(f"{package} import" in source or f"import {package}" in source for package in ours)


@pytest.mark.parametrize("name", ["sales_order", "ledger_entry", "job", "outbox_event"])
def test_the_tables_everything_rests_on_exist(db_url: str, name: str) -> None:
    assert name in tables(db_url)
