"""The constraints of UVL: `!`, `&`, `|`, `=>`, `<=>`, and comparisons of sums over the attributes of chosen features.

Read by operator precedence with a stack, so that depth costs nothing; `a => b => c` groups to the left, as in UVL's
grammar. A feature's attribute counts only while the feature is chosen: `A.Price` is 0 without A, `sum(Price)` adds up
all chosen features, `sum(A, Price)` those of the subtree of A.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from configurator.importers.drafting import Draft, Literal
from configurator.importers.logic import Formula
from configurator.importers.problems import nearest
from configurator.importers.trees import Feature, all_features
from configurator.importers.uvl_lines import Token
from configurator.language.conditions import Compared, Comparison, Number, Sum

_COMPARISONS: dict[str, Comparison] = {"==": "=", "!=": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_BINDING = {"(": 0, "<=>": 1, "=>": 2, "|": 3, "&": 4, "!": 5, **dict.fromkeys(_COMPARISONS, 6)}
_BINDING |= {"+": 7, "-": 7, "*": 8, "/": 8, "negative": 9}
"""How tightly each operator binds."""
_FUNCTIONS = frozenset({"sum", "avg", "len", "floor", "ceil"})


@dataclass(frozen=True, slots=True)
class Amount:
    """A number: a constant, and what each chosen feature adds."""

    constant: Fraction
    gains: Mapping[str, Fraction]


@dataclass(frozen=True, slots=True)
class Reference:
    """A name that is a feature or the attribute of one, as its place will tell."""

    name: str


Operand = Formula | Amount | Reference


class Unreadable(ValueError):
    """A constraint that cannot be used; the message says why and what to do."""


class Constraints:
    """Reads the constraints of one file of a model: `prefix` is what its names begin with in the whole model."""

    def __init__(self, draft: Draft, literals: Mapping[str, Literal], features: Mapping[str, Feature], prefix: str, namespace: str) -> None:
        self.draft = draft
        self.literals = literals
        self.features = features
        self.prefix = prefix
        self.namespace = namespace
        self.operands: list[Operand] = []
        self.operators: list[str] = []

    def read(self, tokens: list[Token]) -> Formula:
        """Read one constraint. Raises Unreadable."""
        self.operands, self.operators = [], []
        at, complete = 0, False
        while at < len(tokens):
            token = tokens[at]
            if complete:
                at, complete = self._after_operand(tokens, at)
            elif token.is_mark("!", "(", "-"):
                self.operators.append("negative" if token.text == "-" else token.text)
                at += 1
            else:
                at, complete = self._operand(tokens, at), True
        if not complete:
            raise Unreadable("the constraint breaks off: name a feature at its end.")
        self._reduce(lambda _: True)
        if self.operators:
            raise Unreadable("'(' is never closed: add ')'.")
        return self._formula(self.operands.pop())

    def _after_operand(self, tokens: list[Token], at: int) -> tuple[int, bool]:
        """Read an operator or a closing parenthesis; tell where to go on, and whether an operand is complete."""
        token = tokens[at]
        if token.is_mark(")"):
            self._reduce(lambda operator: operator != "(")
            if not self.operators:
                raise Unreadable("')' closes nothing: remove it.")
            self.operators.pop()
            return at + 1, True
        if token.kind != "mark" or token.text not in _BINDING or token.text in {"(", "!"}:
            raise Unreadable(f"unexpected {token.text!r}: join features by &, |, => or <=>, and quote names with blanks.")
        binding = _BINDING[token.text]
        if token.text in {"&", "|"}:
            self._reduce(lambda operator: _BINDING[operator] > binding)  # those of the same kind are joined at once
        else:
            self._reduce(lambda operator: _BINDING[operator] >= binding)
        self.operators.append(token.text)
        return at + 1, False

    def _operand(self, tokens: list[Token], at: int) -> int:
        """Read a number, a function or a name; return where to go on."""
        token = tokens[at]
        if token.kind == "number":
            self.operands.append(Amount(Fraction(token.text), {}))
            return at + 1
        if token.kind == "text":
            raise Unreadable("texts are not compared: state what it means for features.")
        if not token.is_name:
            raise Unreadable(f"expected a feature, but found {token.text!r}: remove it, or add what is missing before.")
        if token.kind == "word" and token.text in _FUNCTIONS and at + 1 < len(tokens) and tokens[at + 1].is_mark("("):
            return self._function(tokens, at)
        if token.kind == "word" and token.text in {"true", "false"} and token.text not in self.features:
            self.operands.append(self.draft.logic.all_of([]) if token.text == "true" else self.draft.logic.any_of([]))
            return at + 1
        name, at = _dotted(tokens, at)
        self.operands.append(Reference(name))
        return at

    def _reduce(self, wanted: Callable[[str], bool]) -> None:
        """Apply the operators on top of the stack as long as they are wanted."""
        while self.operators and self.operators[-1] != "(" and wanted(self.operators[-1]):
            operator = self.operators.pop()
            right = self.operands.pop()
            if operator == "!":
                self.operands.append(self.draft.logic.negated(self._formula(right)))
            elif operator == "negative":
                self.operands.append(_scaled(self._amount(right), Fraction(-1)))
            elif operator in {"&", "|"}:
                self._join(operator, right)
            else:
                self.operands.append(self._applied(operator, self.operands.pop(), right))

    def _join(self, operator: str, last: Operand) -> None:
        """Join all parts of one long conjunction or disjunction."""
        parts = [self._formula(last), self._formula(self.operands.pop())]
        while self.operators and self.operators[-1] == operator:
            self.operators.pop()
            parts.append(self._formula(self.operands.pop()))
        logic = self.draft.logic
        self.operands.append(logic.all_of(reversed(parts)) if operator == "&" else logic.any_of(reversed(parts)))

    def _applied(self, operator: str, left: Operand, right: Operand) -> Operand:
        if operator in {"=>", "<=>"}:
            join = self.draft.logic.implied if operator == "=>" else self.draft.logic.equal
            return join(self._formula(left), self._formula(right))
        one, other = self._amount(left), self._amount(right)
        if operator in _COMPARISONS:
            return self._compared(_COMPARISONS[operator], _added(one, _scaled(other, Fraction(-1))))
        if operator in {"+", "-"}:
            return _added(one, other if operator == "+" else _scaled(other, Fraction(-1)))
        if operator == "*" and not one.gains:
            one, other = other, one
        if other.gains or (operator == "/" and other.constant == 0):
            raise Unreadable("attributes are multiplied and divided only by numbers other than 0: state the constraint as sums.")
        return _scaled(one, other.constant if operator == "*" else 1 / other.constant)

    def _compared(self, operator: Comparison, difference: Amount) -> Formula:
        """Compare a number with 0: a sum over groups against the constant."""
        whole = math.lcm(*(gain.denominator for gain in difference.gains.values()), 1)
        name = f"sum {self.draft.constraints + 1}.{len(self.operands)}.{len(self.operators)}"
        groups: dict[str, None] = {}
        for feature, gain in difference.gains.items():
            self.draft.add_attribute(self.literals[feature], name, gain * whole)
            groups[self.literals[feature][0]] = None
        if not groups:
            holds = Compared(operator, Number(difference.constant), Number(Fraction(0)))
            return Formula(holds)
        return Formula(Compared(operator, Sum(name, tuple(groups)), Number(-difference.constant * whole)))

    def _formula(self, operand: Operand) -> Formula:
        if isinstance(operand, Formula):
            return operand
        if isinstance(operand, Amount):
            raise Unreadable("a number stands where a feature should: compare it with something.")
        return self.draft.literal(self.literals[self._feature(operand.name)])

    def _amount(self, operand: Operand) -> Amount:
        if isinstance(operand, Amount):
            return operand
        if isinstance(operand, Formula):
            raise Unreadable("a formula stands where a number should: compare attributes, and join comparisons by & or |.")
        owner, _, attribute = operand.name.rpartition(".")
        if not owner:
            raise Unreadable(f"{operand.name!r} stands where a number should: write an attribute of a feature, or sum({operand.name}).")
        feature = self._feature(owner)
        return Amount(Fraction(0), {feature: self._attribute(self.features[feature], attribute)})

    def _attribute(self, feature: Feature, attribute: str) -> Fraction:
        if attribute not in feature.attributes:
            hint = nearest(attribute, feature.attributes)
            raise Unreadable(f"{feature.name!r} has no attribute {attribute!r} that is a number: {hint}")
        return feature.attributes[attribute]

    def _feature(self, name: str) -> str:
        """The full name of a feature of this file; its own namespace may stand before it."""
        for candidate in (name, name.removeprefix(f"{self.namespace}.")):
            if self.prefix + candidate in self.features:
                return self.prefix + candidate
        known = [full.removeprefix(self.prefix) for full in self.features if full.startswith(self.prefix)]
        raise Unreadable(f"there is no feature {name!r}: {nearest(name, known)}")

    def _function(self, tokens: list[Token], at: int) -> int:
        """Read `sum(Price)`, `sum(A, Price)`, `floor(A.Price)`, `ceil(A.Price)`; return where to go on."""
        function = tokens[at].text
        names: list[str] = []
        at += 2
        while at < len(tokens) and tokens[at].is_name:
            name, at = _dotted(tokens, at)
            names.append(name)
            if at < len(tokens) and tokens[at].is_mark(","):
                at += 1
        if at == len(tokens) or not tokens[at].is_mark(")") or not 1 <= len(names) <= 1 + (function == "sum"):
            raise Unreadable(f"{function} is written {function}(Price)" + (" or sum(Feature, Price)." if function == "sum" else "."))
        if function == "sum":
            self.operands.append(self._sum(names))
        elif function in {"floor", "ceil"}:
            amount = self._amount(Reference(names[0]))
            rounded = math.floor if function == "floor" else math.ceil
            self.operands.append(Amount(Fraction(0), {feature: Fraction(rounded(gain)) for feature, gain in amount.gains.items()}))
        else:
            raise Unreadable(f"{function}(…) is not supported: bound the sum, or list what is allowed.")
        return at + 1

    def _sum(self, names: list[str]) -> Amount:
        """What all features, or those of a subtree, bring to the sum of an attribute."""
        attribute = names[-1]
        within = [feature for name, feature in self.features.items() if name.startswith(self.prefix)]
        if len(names) == 2:
            if self.prefix + names[0] not in self.features:
                names.reverse()  # both orders are in use
            attribute = names[1]
            within = list(all_features(self.features[self._feature(names[0])]))
        gains = {feature.name: feature.attributes[attribute] for feature in within if attribute in feature.attributes}
        if not gains:
            known = sorted({name for feature in within for name in feature.attributes})
            raise Unreadable(f"no feature has an attribute {attribute!r} that is a number: {nearest(attribute, known)}")
        return Amount(Fraction(0), gains)


def _dotted(tokens: list[Token], at: int) -> tuple[str, int]:
    """Read a name, dotted perhaps; return it and where to go on."""
    parts = [tokens[at].text]
    at += 1
    while at + 1 < len(tokens) and tokens[at].is_mark(".") and tokens[at + 1].is_name:
        parts.append(tokens[at + 1].text)
        at += 2
    return ".".join(parts), at


def _added(left: Amount, right: Amount) -> Amount:
    gains = dict(left.gains)
    for feature, gain in right.gains.items():
        gains[feature] = gains.get(feature, Fraction(0)) + gain
    return Amount(left.constant + right.constant, gains)


def _scaled(amount: Amount, factor: Fraction) -> Amount:
    return Amount(amount.constant * factor, {feature: gain * factor for feature, gain in amount.gains.items()})
