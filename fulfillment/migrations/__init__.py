"""The schema's history, numbered; each step goes forth and back and imports no code of ours."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config

if TYPE_CHECKING:
    from alembic.config import Config as AlembicConfig


def config(url: str) -> AlembicConfig:
    """Alembic's settings for this database."""
    made = Config()
    made.set_main_option("script_location", str(Path(__file__).parent))
    made.attributes["url"] = url
    return made


def upgrade(url: str, to: str = "head") -> None:
    """Bring the database to this step of its history."""
    command.upgrade(config(url), to)


def downgrade(url: str, to: str) -> None:
    """Take the database back to this step."""
    command.downgrade(config(url), to)
