"""What comes out of a foreign file: a model, and what each of the file's own variables is in it.

A variable of the file need not be a group of the model: the features of an alternative are values of one group, and a
mandatory feature is the same as its parent. So each value of each variable stands for some options of one group. The
values of a variable divide the options of its group among them, which makes machines and solutions one to one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from configurator.language.specification import Model

NO = "no"
YES = "yes"
"""The values of a feature, a propositional variable, or an option of a "many" group."""


@dataclass(frozen=True, slots=True)
class Original:
    """One variable of the file."""

    name: str
    group: str
    values: Mapping[str, frozenset[str]]
    """Each value, in the order of the file, and the options of the group that mean it. Without any: it never is so."""

    def value(self, chosen: Sequence[str]) -> str:
        """The value that the options chosen in the group mean; of a "many" group, whether the option is among them."""
        return next((value for value, options in self.values.items() if not options.isdisjoint(chosen)), next(iter(self.values)))


@dataclass(frozen=True, slots=True)
class Imported:
    """A model that nobody here wrote."""

    model: Model
    names: Mapping[str, Original]
    """The file's variables by their names, in its order."""
    constraints: int
    """How many constraints the file states, apart from what its tree of features implies."""
    form: str
    """What kind of file it was: "UVL", "DIMACS", …"""

    def solution(self, configuration: Mapping[str, Sequence[str]]) -> dict[str, str]:
        """A machine in the file's own words: the value of each of its variables."""
        return {name: original.value(configuration[original.group]) for name, original in self.names.items()}
