"""The lines of one UVL file as a tree of features, imports, and constraints still in tokens."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction

from configurator.importers.problems import MOST_MINOR, Problems, nearest
from configurator.importers.trees import Branch, Feature
from configurator.importers.uvl_lines import Line, Token
from fulfillment.kernel.money import EXPONENT, SHOP_CURRENCY

_SECTIONS = ("namespace", "include", "imports", "features", "constraints")
_BRANCHES = ("mandatory", "optional", "or", "alternative")
_TYPES = frozenset({"Boolean", "Integer", "Real", "String"})
_LEVELS = frozenset({"Boolean", "Arithmetic", "Type"})


@dataclass(frozen=True, slots=True)
class Import:
    """Another UVL file, `a.b` for a/b.uvl, and the name it goes by."""

    parts: tuple[str, ...]
    alias: str
    line: int


@dataclass(slots=True)
class Source:
    """What one file says."""

    namespace: str = ""
    imports: dict[str, Import] = field(default_factory=dict)
    root: Feature | None = None
    references: list[tuple[Feature, str, str]] = field(default_factory=list)
    """Features that stand for the root of an imported file: its alias, and the name of the root."""
    constraints: list[list[Token]] = field(default_factory=list)


@dataclass(slots=True)
class _Open:
    """A node whose children may follow; `inner` is how far they are indented, once one is there."""

    indent: int
    node: Feature | Branch
    inner: int = 0


def read_tree(lines: list[Line], problems: Problems) -> Source:
    """Read the lines of a file. Problems are noted, or raised where reading cannot go on."""
    return _Reader(lines, problems).read()


class _Reader:
    """Goes through the lines once; `around` are the features and branches that are still open."""

    def __init__(self, lines: list[Line], problems: Problems) -> None:
        self.lines = lines
        self.problems = problems
        self.source = Source()
        self.around: list[_Open] = []

    def read(self) -> Source:
        """Read section after section."""
        section = ""
        for line in self.lines:
            if line.indent == 0:
                section = self.heading(line)
            elif section == "imports":
                self.imported(line)
            elif section == "features":
                self.node(line)
            elif section == "constraints":
                self.source.constraints.append(line.tokens)
            elif section == "include":
                if line.keyword not in _LEVELS:
                    self.problems.add(line.number, f"{line.keyword!r} is no language level: {nearest(line.keyword, sorted(_LEVELS))}")
            else:
                raise self.problems.fail(line.number, "the file begins with an indented line: begin with 'features'.")
        self.settle(0)
        return self.source

    def heading(self, line: Line) -> str:
        """Begin a section."""
        if line.keyword not in _SECTIONS:
            said = line.tokens[0].text
            hint = nearest(said, _SECTIONS)
            raise self.problems.fail(line.number, f"{said!r} is no section: {hint} Indent what belongs to a section.")
        if line.keyword == "namespace":
            self.source.namespace, rest = self.name(line.tokens[1:], line)
        else:
            rest = line.tokens[1:]
        if rest:
            self.problems.add(line.number, f"unexpected {rest[0].text!r} after {line.keyword}: begin a new line.")
        return line.keyword

    def name(self, tokens: list[Token], line: Line) -> tuple[str, list[Token]]:
        """Read a name, dotted perhaps; return it and what follows."""
        parts: list[str] = []
        at = 0
        while at < len(tokens) and tokens[at].is_name:
            parts.append(tokens[at].text)
            at += 1
            if at == len(tokens) or not tokens[at].is_mark("."):
                return ".".join(parts), tokens[at:]
            at += 1
        found = repr(tokens[at].text) if at < len(tokens) else "the end of the line"
        raise self.problems.fail(line.number, f"expected a name, but found {found}: quote names that hold other characters.")

    def imported(self, line: Line) -> None:
        """Read `a.b as c`."""
        path, rest = self.name(line.tokens, line)
        alias = path
        if rest and rest[0].kind == "word" and rest[0].text == "as":
            alias, rest = self.name(rest[1:], line)
        if rest:
            self.problems.add(line.number, f"unexpected {rest[0].text!r}: an import reads 'folder.file as name'.")
        parts = tuple(path.split("."))
        if alias in self.source.imports:
            first = self.source.imports[alias].line
            self.problems.add(line.number, f"{alias!r} is imported already in line {first}: use another name after 'as'.")
        if any(part in {"", ".."} or "/" in part or "\\" in part for part in parts):
            raise self.problems.fail(line.number, f"{path!r} is no path of an import: separate folders by dots.")
        self.source.imports.setdefault(alias, Import(parts, alias, line.number))

    def settle(self, indent: int) -> None:
        """Close what is indented at least so far: a branch must have got children, and as many as it wants."""
        while self.around and self.around[-1].indent >= indent:
            node = self.around.pop().node
            if not isinstance(node, Branch):
                continue
            many = len(node.children)
            if not many:
                self.problems.add(node.line, "the group is empty: indent its features below it, or remove it.")
                node.lower = node.upper = 0
                continue
            node.upper = many if node.upper < 0 else node.upper
            node.lower = many if node.lower < 0 else node.lower
            if node.lower > many:
                self.problems.add(node.line, f"the group wants {node.lower} of its features, but has only {many}: lower the number.")
            node.upper = min(node.upper, many)

    def node(self, line: Line) -> None:
        """Read a feature or a branch of one, and hang it where its indentation says."""
        self.settle(line.indent)
        above = self.around[-1] if self.around else None
        if above and above.inner not in {0, line.indent}:
            raise self.problems.fail(line.number, "the indentation fits none of the lines above: align it with its siblings.")
        if above:
            above.inner = line.indent
        if above and isinstance(above.node, Feature):
            branch = self.branch(line)
            above.node.branches.append(branch)
            self.around.append(_Open(line.indent, branch))
            return
        feature = self.feature(line)
        if above and isinstance(above.node, Branch):
            above.node.children.append(feature)
        elif self.source.root is None:
            self.source.root = feature
        else:
            raise self.problems.fail(line.number, f"a second root, {feature.name!r}: put both below one feature.")
        self.around.append(_Open(line.indent, feature))

    def branch(self, line: Line) -> Branch:
        """Read `mandatory`, `optional`, `or`, `alternative` or `[n..m]`; -1 stands for "all there will be"."""
        word = line.keyword
        if len(line.tokens) == 1 and word in _BRANCHES:
            lower, upper = {"mandatory": (-1, -1), "optional": (0, -1), "or": (1, -1), "alternative": (1, 1)}[word]
            return Branch(lower, upper, [], line.number)
        if line.tokens[0].is_mark("["):
            lower, upper, rest = self.cardinality(line.tokens, line)
            if not rest:
                return Branch(lower, upper, [], line.number)
        raise self.problems.fail(
            line.number, f"expected a group (mandatory, optional, or, alternative, [n..m]), but found {line.tokens[0].text!r}: "
            "features stand below a group, one step further in.",
        )

    def cardinality(self, tokens: list[Token], line: Line) -> tuple[int, int, list[Token]]:
        """Read `[n]`, `[n..m]` or `[n..*]`; return both numbers and what follows."""
        end = next(place for place, token in enumerate(tokens) if token.is_mark("]"))
        match [token.text for token in tokens[1:end]]:
            case [lower] if lower.isdigit():
                return int(lower), int(lower), tokens[end + 1 :]
            case [lower, "..", "*"] if lower.isdigit():
                return int(lower), -1, tokens[end + 1 :]
            case [lower, "..", upper] if lower.isdigit() and upper.isdigit() and int(lower) <= int(upper):
                return int(lower), int(upper), tokens[end + 1 :]
        said = "".join(token.text for token in tokens[: end + 1])
        raise self.problems.fail(line.number, f"{said} is no cardinality: write [n], [n..m] with n not above m, or [n..*].")

    def feature(self, line: Line) -> Feature:
        """Read `Type name cardinality [n..m] {attributes}`, of which only the name must be there."""
        tokens = line.tokens
        kind = "Boolean"
        if tokens[0].kind == "word" and tokens[0].text in _TYPES and len(tokens) > 1 and tokens[1].is_name:
            kind, tokens = tokens[0].text, tokens[1:]
        name, rest = self.name(tokens, line)
        feature = Feature(name, line.number, self.problems.file)
        if kind != "Boolean":
            self.problems.add(line.number, f"{name!r} is {kind}, with endless values: list those that matter as an alternative group.")
        if rest and rest[0].kind == "word" and rest[0].text == "cardinality" and len(rest) > 1 and rest[1].is_mark("["):
            lower, upper, rest = self.cardinality(rest[1:], line)
            if (lower, upper) != (1, 1):
                self.problems.add(line.number, f"{name!r} may be there several times: write a feature for each copy.")
        if rest and rest[0].is_mark("{"):
            self.attributes(feature, rest[1:-1])
            end = next((place for place, token in enumerate(rest) if token.is_mark("}")), len(rest))
            rest = [] if rest[-1].is_mark("}") else rest[end + 1 :]
        if rest:
            self.problems.add(line.number, f"unexpected {rest[0].text!r} after {name!r}: quote names that hold blanks or other characters.")
        if len(tokens) > 1 and tokens[1].is_mark("."):
            alias, _, last = name.rpartition(".")
            self.source.references.append((feature, alias, last))
        return feature

    def attributes(self, feature: Feature, tokens: list[Token]) -> None:
        """Keep the numbers and the constraints among the attributes; a price is money."""
        for key, value in _pairs(tokens):
            if key.text in {"constraint", "constraints"} and key.kind == "word" and value:
                listed = value[0].is_mark("[")
                self.source.constraints += _separated(value[1:-1]) if listed else [value]
                continue
            negative = len(value) == 2 and value[0].is_mark("-")
            if value and value[-1].kind == "number" and len(value) == 1 + negative:
                number = Fraction(value[-1].text) * (-1 if negative else 1)
                if key.text in feature.attributes:
                    self.problems.add(key.line, f"{feature.name!r} has {key.text!r} twice: keep one.")
                feature.attributes[key.text] = number
                if key.text.lower() == "price":
                    self.price(feature, number, key.line)

    def price(self, feature: Feature, number: Fraction, line: int) -> None:
        """A price is in the shop's currency; the file names none."""
        minor = number * 10 ** EXPONENT[SHOP_CURRENCY]
        if minor.denominator != 1:
            self.problems.add(line, f"the price of {feature.name!r} is finer than {SHOP_CURRENCY} allows: round it.")
        elif abs(minor) >= MOST_MINOR:
            self.problems.add(line, f"the price of {feature.name!r} is beyond any machine: correct it.")
        else:
            feature.price = int(minor)


def _separated(tokens: list[Token]) -> Iterator[list[Token]]:
    """Cut at the commas that are in no brackets."""
    part: list[Token] = []
    depth = 0
    for token in tokens:
        depth += token.is_mark("(", "[", "{") - token.is_mark(")", "]", "}")
        if depth == 0 and token.is_mark(","):
            yield part
            part = []
        else:
            part.append(token)
    if part:
        yield part


def _pairs(tokens: list[Token]) -> Iterator[tuple[Token, list[Token]]]:
    """The key of each attribute and the tokens of its value; of attributes inside attributes too, by the whole path."""
    waiting = [("", tokens)]
    while waiting:
        path, inside = waiting.pop()
        for part in _separated(inside):
            if not part:
                continue
            key = Token(part[0].kind, path + part[0].text, part[0].line)
            if len(part) > 1 and part[1].is_mark("{"):
                waiting.append((f"{key.text}.", part[2:-1]))
            else:
                yield key, part[1:]
