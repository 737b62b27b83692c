"""The house's own model files under the same roof, so that every command takes them too.

A group with one choice is a variable with its options as values; each option of a "many" group is a variable
`group.option` of its own, "no" or "yes". Hidden groups follow from the others and are nobody's variables.
"""

from __future__ import annotations

from pathlib import Path

from configurator.importers.originals import NO, YES, Imported, Original
from configurator.importers.problems import read_bytes
from configurator.language import read_model
from configurator.language.specification import Model


def read_own(path: Path) -> Imported:
    """Read one of our own model files. Raises ModelError."""
    read_bytes(path)  # says what is wrong where there is no such file
    model = read_model(path)
    return Imported(model, _names(model), len(model.rules), "TOML")


def _names(model: Model) -> dict[str, Original]:
    names = {}
    for group in model.groups:
        if group.hidden:
            continue
        if group.kind == "one":
            names[group.id] = Original(group.id, group.id, {option.id: frozenset({option.id}) for option in group.options})
            continue
        for option in group.options:
            name = f"{group.id}.{option.id}"
            names[name] = Original(name, group.id, {NO: frozenset(), YES: frozenset({option.id})})
    return names
