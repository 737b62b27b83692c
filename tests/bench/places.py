"""Where the figures are taken: a seeded database of each kind, and copies of it for what changes it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import sqlalchemy as sa

from fulfillment import migrations
from fulfillment.kernel import db as database
from fulfillment.kernel.clock import frozen
from fulfillment.kernel.db import transaction
from fulfillment.kernel.settings import Settings, use
from storefront.demo.seed import begin_of_history, seed_house, write_history
from tests.bench.figures import POSTGRES, SQLITE
from tests.builders.postgres import PostgresServer

PASSWORD = "larkmill bench"
PAST = 20
"""Orders that a place begins with."""


@dataclass
class Place:
    """A kind of database with a seeded template."""

    name: str
    folder: Path
    server: PostgresServer | None = None
    numbers: Iterator[int] = field(default_factory=count)

    def fresh(self) -> str:
        """The URL of a new copy of the template."""
        name = f"copy_{next(self.numbers)}"
        if self.server is None:
            copy = self.folder / f"{name}.db"
            shutil.copy(self.folder / "template.db", copy)
            return f"sqlite:///{copy}"
        admin = sa.create_engine(self.server.url("postgres"), isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            connection.execute(sa.text(f"CREATE DATABASE {name} TEMPLATE template_shop"))
        admin.dispose()
        return self.server.url(name)

    def seed(self) -> None:
        """Make the template: the house with a little of a past."""
        url = f"sqlite:///{self.folder}/template.db" if self.server is None else self.server.create("template_shop")
        migrations.upgrade(url)
        database.connect(url)
        with frozen(begin_of_history()), transaction() as session:
            seed_house(session, PASSWORD)
        write_history(PAST, lambda _count: None)
        if self.server is None:
            with database.engine().connect() as connection:
                connection.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        database.disconnect()

    def settings(self, url: str, name: str) -> Settings:
        """Those of a house on this database, whose files are in a folder of its own."""
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        return Settings(env="development", database_url=url, var_dir=folder, rate_limits=False)

    def connect(self, url: str, name: str) -> None:
        """Use this database in this process from now on."""
        use(self.settings(url, name))
        database.connect(url)


@contextmanager
def places(folder: Path) -> Iterator[Mapping[str, Place]]:
    """SQLite in this folder, and a PostgreSQL of our own that writes to the disk as in production."""
    with PostgresServer(folder, durable=True) as server:
        found = {}
        for name, its_server in ((SQLITE, None), (POSTGRES, server)):
            (folder / name).mkdir()
            found[name] = Place(name, folder / name, its_server)
            use(found[name].settings("", "seed"))
            found[name].seed()
        yield found
