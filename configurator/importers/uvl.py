"""UVL, the Universal Variability Language: a tree of features with cross-tree constraints, in one file or several.

Read at its full Boolean level (group cardinalities and imports included), with sums of numeric attributes in
constraints. Features of type Integer, Real or String and features that may be there several times are refused. An
imported file is there once for each name it goes by, its features called `name.feature`.
Source: the grammar at github.com/Universal-Variability-Language/uvl-parser.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from configurator.importers.drafting import Draft
from configurator.importers.originals import Imported
from configurator.importers.problems import Problems, nearest, read_text
from configurator.importers.trees import Feature, all_features, plant
from configurator.importers.uvl_formulas import Constraints, Unreadable
from configurator.importers.uvl_lines import Token, cut
from configurator.importers.uvl_tree import Import, read_tree

MOST_FILES = 500
"""Files that import each other twice and twice again would double without end."""


@dataclass(frozen=True, slots=True)
class _Stated:
    """The constraints of one file at one place in the whole model."""

    file: str
    prefix: str
    namespace: str
    constraints: list[list[Token]]


def read_uvl(path: Path) -> Imported:
    """Read a UVL file and what it imports. Raises ModelError."""
    composer = _Composer(path)
    root = composer.load(path, "", ())
    draft = composer.draft
    features: dict[str, Feature] = {}
    for feature in all_features(root):
        first = features.setdefault(feature.name, feature)
        if first is not feature:
            where = f"in line {first.line}" if first.file == feature.file else f"in {first.file}, line {first.line}"
            draft.problems.add(feature.line, f"the feature {feature.name!r} exists already {where}: rename one of them.", feature.file)
    draft.problems.stop()
    literals = plant(draft, root)
    for stated in composer.stated:
        reader = Constraints(draft, literals, features, stated.prefix, stated.namespace)
        for tokens in stated.constraints:
            try:
                formula = reader.read(tokens)
            except Unreadable as error:
                draft.problems.add(tokens[0].line, str(error), stated.file)
                continue
            draft.constraints += 1
            draft.rule(formula, tokens[0].line, " ".join(token.text for token in tokens), stated.file)
    return draft.finished()


class _Composer:
    """Loads a file and, below the features that stand for them, the files it imports."""

    def __init__(self, path: Path) -> None:
        self.draft = Draft(path, "UVL", b"")
        self.stated: list[_Stated] = []
        self.loaded = 0

    def load(self, path: Path, prefix: str, chain: tuple[Path, ...]) -> Feature:
        """Load a file whose names begin with the prefix; `chain` are the files that import it."""
        text = read_text(path)
        self.draft.also_read(text.encode())
        problems = Problems(path.name)
        source = read_tree(cut(text, problems), problems)
        if source.root is None:
            raise problems.fail(1, "the file has no features: begin with a line 'features' and one root below it.")
        for feature in all_features(source.root):
            feature.name = prefix + feature.name
        for feature, alias, last in source.references:
            wanted = source.imports.get(alias)
            if wanted is None:
                hint = nearest(alias, source.imports)
                problems.add(feature.line, f"nothing is imported as {alias!r}: {hint} Or quote the name without dots.")
                continue
            file = self._file(wanted, problems, path, chain)
            root = self.load(file, f"{prefix}{alias}.", (*chain, path.resolve()))
            if root.name != f"{prefix}{alias}.{last}":
                own = root.name.removeprefix(f"{prefix}{alias}.")
                problems.add(feature.line, f"{last!r} is not the root of {file.name}: refer to {alias}.{own}.")
            _graft(feature, root)
        problems.stop()
        self.stated.append(_Stated(path.name, prefix, source.namespace, source.constraints))
        return source.root

    def _file(self, wanted: Import, problems: Problems, path: Path, chain: tuple[Path, ...]) -> Path:
        file = path.parent.joinpath(*wanted.parts).with_suffix(".uvl")
        around = [*chain, path.resolve()]
        if file.resolve() in around:
            circle = [each.name for each in (*around[around.index(file.resolve()) :], file)]
            raise problems.fail(wanted.line, f"the files import each other in a circle: {' → '.join(circle)}. Take one import out.")
        if not file.is_file():
            raise problems.fail(wanted.line, f"there is no file {'/'.join(wanted.parts)}.uvl beside {path.name}: correct the import.")
        self.loaded += 1
        if self.loaded > MOST_FILES:
            raise problems.fail(wanted.line, f"more than {MOST_FILES} files are imported, one inside the other: import each only once.")
        return file


def _graft(feature: Feature, root: Feature) -> None:
    """Put the root of an imported file in the place of the feature that stands for it."""
    feature.branches = root.branches + feature.branches
    feature.attributes = {**root.attributes, **feature.attributes}
    feature.price = feature.price or root.price
