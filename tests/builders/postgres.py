"""A PostgreSQL server for the tests: started on a Unix socket in a temporary folder, and stopped.

The server refuses to run as root, so as root it is run by the `postgres` user.
"""

from __future__ import annotations

import getpass
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

import sqlalchemy as sa

BIN = Path("/usr/lib/postgresql/15/bin")


def _program(name: str) -> str:
    return str(BIN / name) if (BIN / name).exists() else shutil.which(name) or name


class PostgresServer:
    """`with PostgresServer(folder) as server: server.create("name")` → URLs."""

    def __init__(self, _folder: Path, *, durable: bool = False) -> None:
        self.durable = durable
        """Whether a commit is on the disk before it returns: what a measurement needs and a test does not."""
        # The socket's path may have 107 bytes at most, and the server's user must reach it.
        self.folder = Path(tempfile.mkdtemp(prefix="pg"))
        self.user = "postgres" if os.getuid() == 0 else getpass.getuser()

    def _run(self, *command: str) -> None:
        prefix = ["setpriv", f"--reuid={self.user}", f"--regid={self.user}", "--init-groups"] if os.getuid() == 0 else []
        subprocess.run([*prefix, *command], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT, cwd=self.folder)

    def __enter__(self) -> Self:
        if os.getuid() == 0:
            shutil.chown(self.folder, self.user)
        data = str(self.folder / "data")
        self._run(_program("initdb"), "-D", data, "-U", "shop", "--auth=trust", "-E", "UTF8", "--no-sync", "--locale=C.UTF-8")
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._run(_program("pg_ctl"), "-D", str(self.folder / "data"), "-m", "immediate", "stop")
        shutil.rmtree(self.folder, ignore_errors=True)

    def restart(self) -> None:
        """Take the server away and bring it back, as an upgrade or a crash would."""
        self.stop()
        self.start()

    def stop(self) -> None:
        """Take the server away: every connection dies."""
        self._run(_program("pg_ctl"), "-D", str(self.folder / "data"), "-m", "immediate", "stop")

    def start(self) -> None:
        """Bring a stopped server back."""
        options = f"-k {self.folder} -c listen_addresses='' -c fsync={'on' if self.durable else 'off'} -c max_connections=200"
        self._run(_program("pg_ctl"), "-D", str(self.folder / "data"), "-w", "-o", options, "-l", str(self.folder / "log"), "start")

    def url(self, name: str) -> str:
        """The SQLAlchemy URL of a database."""
        return f"postgresql+psycopg://shop@/{name}?host={self.folder}"

    def create(self, name: str) -> str:
        """Make an empty database and return its URL."""
        admin = sa.create_engine(self.url("postgres"), isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            connection.execute(sa.text(f"CREATE DATABASE {name}"))
        admin.dispose()
        return self.url(name)
