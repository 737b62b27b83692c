"""The schema for the tests while the first migration is not cut yet: tables from the models, then every numbered migration."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations

from fulfillment import migrations
from fulfillment.kernel.db import Base


def upgrade(url: str) -> None:
    versions = sorted((Path(migrations.__file__).parent / "versions").glob("0*.py"))
    if any(path.name.startswith("0001") for path in versions):
        migrations.upgrade(url)
        return
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        Base.metadata.create_all(connection)
        with Operations.context(MigrationContext.configure(connection)):
            for path in versions:
                spec = importlib.util.spec_from_file_location(path.stem, path)
                assert spec is not None
                assert spec.loader is not None
                module = importlib.util.module_from_spec(spec)
                spec.loader.exec_module(module)
                module.upgrade()
    engine.dispose()
