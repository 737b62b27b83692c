"""A compiled model as one file, mapped into memory: all worker processes share its pages, and none compiles twice.

The file is a line of JSON (version, the model's fingerprint, where each array stands, a checksum of it all) and the
arrays. It is written under another name and renamed, so whoever looks sees a whole file or none. A file that is
damaged, of another version, or for another model is as good as none.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import mmap
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from configurator.engine.compilation import Compiled, compile_model
from configurator.engine.constraints import variables_of
from configurator.engine.diagram import Diagram, Ints
from configurator.engine.sweeps import Arcs
from configurator.language.conditions import And, Condition, Listed, Not, Or
from configurator.language.specification import Model

VERSION = 2
"""To be raised with every change of what compiling yields for the same model."""

_ALIGNED = 64
_HEADER_BYTES = 8192
"""Room for the JSON; the arrays begin behind it."""


class Unusable(ValueError):
    """The file does not hold this model, compiled by this version."""


def file_name(model: Model) -> str:
    """What the file of a model is called, in whatever folder."""
    return f"{model.content_hash}.v{VERSION}.diagram"


def compile_stored(model: Model, folder: Path) -> Compiled:
    """Take a model from the file in a folder; if there is none that can be used, compile it and write one. Raises CannotCompile."""
    path = folder / file_name(model)
    with contextlib.suppress(OSError, Unusable):
        return load(model, path)
    compiled = compile_model(model)
    with contextlib.suppress(OSError):  # without the file the next process compiles again, and that is all
        save(compiled, path)
    return compiled


def save(compiled: Compiled, path: Path) -> None:
    """Write a compiled model; a kill at any moment leaves the old file or the new. Raises OSError."""
    arrays = _arrays(compiled)
    body = bytearray()
    places = {}
    for name, array in arrays.items():
        body += bytes(-len(body) % _ALIGNED)
        places[name] = (array.dtype.str, len(body), len(array))
        body += array.tobytes()
    header = {
        "version": VERSION,
        "model": fingerprint(compiled.model),
        "too_large": compiled.too_large,
        "arrays": places,
        "bytes": len(body),
    }
    first = json.dumps(header | {"sha256": _checksum(header, body)}).encode() + b"\n"
    assert len(first) <= _HEADER_BYTES
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(first.ljust(_HEADER_BYTES, b"\n"))
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def load(model: Model, path: Path) -> Compiled:
    """Map a compiled model into memory. Raises Unusable, and OSError if there is no such file."""
    with path.open("rb") as file:
        head = file.read(_HEADER_BYTES)
        size = os.fstat(file.fileno()).st_size
        header = _header(head, size, model)
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    body = memoryview(mapped)[_HEADER_BYTES:]
    if _checksum(header, body) != header.get("sha256"):
        raise Unusable(f"{path} is damaged")
    arrays = {
        name: np.frombuffer(body, dtype=np.dtype(kind), count=count, offset=offset)
        for name, (kind, offset, count) in header["arrays"].items()
    }
    return _compiled(model, arrays, header["too_large"])


def _header(head: bytes, size: int, model: Model) -> Mapping[str, Any]:
    """Read the header and compare it with the model and the file. Raises Unusable."""
    try:
        header: dict[str, Any] = json.loads(head.partition(b"\n")[0])
        told = header["version"], header["model"], header["bytes"]
    except (ValueError, KeyError, TypeError):
        raise Unusable("not a compiled model") from None
    if told[0] != VERSION:
        raise Unusable(f"written by version {told[0]}, not {VERSION}")
    if told[1] != fingerprint(model):
        raise Unusable("another model")
    if told[2] != size - _HEADER_BYTES:
        raise Unusable("cut off")
    return header


def _checksum(header: Mapping[str, Any], body: bytes | bytearray | memoryview) -> str:
    """Of the arrays and of what the header says about them."""
    told = json.dumps({name: value for name, value in header.items() if name != "sha256"})
    digest = hashlib.sha256(told.encode())
    digest.update(body)
    return digest.hexdigest()


def _arrays(compiled: Compiled) -> dict[str, NDArray[Any]]:
    """All arrays of a compiled model, by name."""
    diagram, arcs = compiled.diagram, compiled.arcs
    arrays: dict[str, NDArray[Any]] = {
        field.name: getattr(arcs, field.name) for field in dataclasses.fields(arcs) if field.name not in {"slots", "class_offsets"}
    }
    classes = np.concatenate([np.array(numbers, dtype=np.int32) for numbers in diagram.classes])
    order = np.array([*diagram.order, *diagram.free], dtype=np.int32)
    layers = np.array([len(diagram.order)], dtype=np.int32)
    return {**arrays, "node_starts": diagram.node_starts, "cls": diagram.cls, "classes": classes, "order": order, "layers": layers}


def _compiled(model: Model, arrays: Mapping[str, Ints], too_large: str) -> Compiled:
    """Put a compiled model together from its arrays; what is large stays in the file."""
    layers = int(arrays["layers"][0])
    order = tuple(arrays["order"].tolist())
    sizes = [len(variable.values) for variable in variables_of(model)]
    classes = tuple(tuple(numbers.tolist()) for numbers in np.split(arrays["classes"], np.cumsum(sizes)[:-1]))
    arc_starts = arrays["starts"][: layers + 1]
    arcs = int(arc_starts[-1])
    diagram = Diagram(
        order[:layers],
        classes,
        order[layers:],
        arrays["node_starts"],
        arc_starts,
        arrays["src"][:arcs],
        arrays["dst"][:arcs],
        arrays["cls"],
    )
    widths = [max(classes[variable]) + 1 for variable in order]
    class_offsets = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(np.array(widths, dtype=np.int64))])
    kept = {field.name: arrays[field.name] for field in dataclasses.fields(Arcs) if field.name in arrays}
    return Compiled(model, diagram, Arcs(order, class_offsets, **kept), too_large=too_large)


def fingerprint(model: Model) -> str:
    """What the compiled form depends on, as a hash: the same text may be read into other groups and rules by a later reader."""
    groups = [
        (group.id, group.kind, [(option.id, option.qty, sorted(option.attributes.items(), key=str)) for option in group.options])
        for group in model.groups
    ]
    rules = [(rule.id, rule.when and _spelled(rule.when), _spelled(rule.require)) for rule in model.rules]
    sums = sorted(model.sums.items())
    told = repr((model.content_hash, sorted(model.base_attributes.items(), key=str), sums, groups, rules))
    return hashlib.sha256(told.encode()).hexdigest()


def _spelled(condition: Condition) -> str:
    """A condition as text that does not depend on the order of sets."""
    match condition:
        case And(parts=parts) | Or(parts=parts):
            return f"{type(condition).__name__}({', '.join(map(_spelled, parts))})"
        case Not(part=part):
            return f"Not({_spelled(part)})"
        case Listed(groups=groups, rows=rows):
            return f"Listed({groups}, {sorted(rows)})"
        case _:
            return repr(condition)
