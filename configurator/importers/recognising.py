"""Which format a file has: by its ending, and by how its text begins where the ending does not tell."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from configurator.importers.clib import read_clib
from configurator.importers.dimacs import read_dimacs
from configurator.importers.featureide import read_featureide
from configurator.importers.originals import Imported
from configurator.importers.own import read_own
from configurator.importers.problems import Problems, read_bytes
from configurator.importers.uvl import read_uvl
from configurator.importers.xcsp import read_xcsp
from configurator.language.specification import Model

_BY_ENDING: dict[str, Callable[[Path], Imported]] = {
    ".uvl": read_uvl,
    ".dimacs": read_dimacs,
    ".cnf": read_dimacs,
    ".json": read_clib,
    ".toml": read_own,
}
_BY_BEGINNING: tuple[tuple[re.Pattern[str], Callable[[Path], Imported]], ...] = (
    (re.compile(r"^<(?:.|\n)*<instance|^<instance"), read_xcsp),
    (re.compile(r"^<"), read_featureide),
    (re.compile(r"^\{"), read_clib),
    (re.compile(r"^\[model\]", re.MULTILINE), read_own),
    (re.compile(r"^(?:c|p cnf) ", re.MULTILINE), read_dimacs),
    (re.compile(r"^(?:features|namespace|imports|include)\b", re.MULTILINE), read_uvl),
)
_BEGINNING = 4096


def read_any(path: Path) -> Model:
    """Read a model of any known format. Raises ModelError."""
    return import_any(path).model


def import_any(path: Path) -> Imported:
    """Read a model of any known format with the file's own names. Raises ModelError."""
    path = Path(path)
    return _reader_for(path)(path)


def _reader_for(path: Path) -> Callable[[Path], Imported]:
    known = _BY_ENDING.get(path.suffix.lower())
    if known:
        return known
    beginning = read_bytes(path)[:_BEGINNING].decode("utf-8-sig", errors="replace").lstrip()
    for begins, reader in _BY_BEGINNING:
        if begins.search(beginning):
            return reader
    raise Problems(path.name).fail(1, "the format is not known: UVL, DIMACS, XCSP 2.1, FeatureIDE XML, CLib JSON and our TOML are read.")
