"""What is released, ready to answer: read from the database, compiled once for all processes, noticed within seconds.

A release is the text of a model file, final; one that this process cannot use leaves the last good one on sale.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from uuid import UUID

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from configurator.approval import approve
from configurator.engine import CannotCompile, Compiled, compile_stored, rehearse, warm_up
from configurator.language import ModelError, read_model_text
from configurator.language.specification import Model
from configurator.models import Release
from fulfillment.kernel import db
from fulfillment.kernel.clock import now
from fulfillment.kernel.refusals import NotFound
from fulfillment.kernel.settings import settings

log = structlog.get_logger()

LOOK_AGAIN_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Released:
    """A release that is ready to answer."""

    id: UUID
    version: int
    model: Model
    compiled: Compiled


class _Shelf:
    """The released models of this process, newest version of each; shared by its threads."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.url, self.seen, self.looked = "", (0, ""), time.monotonic()
        self.by_id: dict[str, Released] = {}
        self.compiled: dict[str, tuple[Model, Compiled]] = {}
        self.broken: dict[str, str] = {}
        """Why the newest release of a model is not on sale, by the model's id."""

    def current(self) -> Mapping[str, Released]:
        url = str(db.engine().url)
        if url == self.url and time.monotonic() - self.looked < LOOK_AGAIN_SECONDS and self.by_id:
            return self.by_id
        with self.lock, db.reading() as session:
            count, newest = session.execute(sa.select(sa.func.count(), sa.func.max(Release.released_at))).one()
            seen = (count, str(newest))
            if url != self.url or seen != self.seen:
                self._restock(session)
            self.url, self.seen, self.looked = url, seen, time.monotonic()
        return self.by_id

    def _restock(self, session: Session) -> None:
        """Take the newest release of every model that can be used; a model that has none is not on sale."""
        by_id: dict[str, Released] = {}
        broken: dict[str, str] = {}
        for newest in _newest(session):
            for row in (newest, *_older(session, newest)):
                try:
                    by_id[row.model_id] = self._ready(row)
                    break
                except (ModelError, CannotCompile) as error:
                    log.error("release cannot be used", model=row.model_id, version=row.version, error=str(error)[:2000])
                    broken.setdefault(row.model_id, f"Version {row.version}: {error}"[:2000])
        self.by_id, self.broken = by_id, broken

    def _ready(self, row: Release) -> Released:
        if row.content_hash not in self.compiled:
            model = read_model_text(row.text, f"{row.model_id}.toml")
            self.compiled[row.content_hash] = (model, compile_stored(model, settings().var_dir / "compiled"))
        model, compiled = self.compiled[row.content_hash]
        return Released(row.id, row.version, model, compiled)


_shelf = _Shelf()


def _newest(session: Session) -> Sequence[Release]:
    last = sa.select(Release.model_id, sa.func.max(Release.version).label("version")).group_by(Release.model_id).subquery()
    rows = sa.select(Release).join(last, sa.and_(last.c.model_id == Release.model_id, last.c.version == Release.version))
    return session.scalars(rows.order_by(Release.released_at, Release.model_id)).all()


def _older(session: Session, newest: Release) -> Iterator[Release]:
    """The releases before this one, the latest first; asked for only when this one is of no use."""
    rows = sa.select(Release).filter_by(model_id=newest.model_id).where(Release.version < newest.version)
    yield from session.scalars(rows.order_by(Release.version.desc()))


def release_model(session: Session, text: str, name: str, *, again: bool = False) -> Release:
    """Release the text of a model file, if it is fit; the same content is the same release, and not tried again. Raises ModelError.

    Content that other versions have followed since stays what it was, or, `again`, becomes the newest version once more.
    """
    model = read_model_text(text, name)
    known = session.scalars(sa.select(Release).filter_by(model_id=model.id).order_by(Release.version.desc())).all()
    same = [release for release in known if release.content_hash in {model.content_hash, _hash_again(model, release.version)}]
    if same and (not again or same[0] is known[0]):
        return same[0]
    approve(model)
    version = 1 + (known[0].version if known else 0)
    content_hash = _hash_again(model, version) if same else model.content_hash
    release = Release(model_id=model.id, version=version, content_hash=content_hash, text=text, released_at=now())
    session.add(release)
    session.flush()
    return release


def _hash_again(model: Model, version: int) -> str:
    """What stands for the hash of content that an earlier version had already: no two releases of a model share one."""
    return hashlib.sha256(f"{model.content_hash} again as version {version}".encode()).hexdigest()


def find_release(session: Session, model_id: str, version: int | None = None) -> Release | None:
    """A release of a model: the newest, or a certain version."""
    rows = sa.select(Release).filter_by(model_id=model_id).order_by(Release.version.desc()).limit(1)
    return session.scalars(rows if version is None else rows.where(Release.version == version)).first()


def newest_versions(session: Session) -> Mapping[str, int]:
    """The number of the newest release of every model, by its id."""
    return {row.model_id: row.version for row in _newest(session)}


def broken_releases() -> Mapping[str, str]:
    """Why the newest release of a model is not on sale, by the model's id; empty when all are."""
    _shelf.current()
    return _shelf.broken


def released_models() -> tuple[Model, ...]:
    """The newest release of every model, in catalogue order."""
    order = {"laptop": 0, "desktop": 1, "workstation": 2, "server": 3}
    return tuple(
        sorted(
            (each.model for each in _shelf.current().values()), key=lambda model: (order[model.family], model.base_price.minor, model.id)
        )
    )


def make_ready() -> None:
    """Compile every released model and ask it one question of each kind, so that no customer waits for it."""
    for each in _shelf.current().values():
        warm_up(each.compiled)
        rehearse(each.compiled)


def released(model_id: str) -> Released:
    """The newest release of a model. Raises NotFound."""
    found = _shelf.current().get(model_id)
    if found is None:
        raise NotFound("We do not make a machine called {model}.", model=model_id)
    return found
