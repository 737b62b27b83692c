"""What the configurator's screen shows, worked out in words before a template sees it.

A click shows over a hundred options at once, so everything that does not depend on the click (names, which groups
are numbers) is kept per release and language, and sentences are looked up once per page. The template only
lays out what stands here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property, lru_cache

from flask import get_template_attribute
from flask_babel import gettext as _
from flask_babel import ngettext
from markupsafe import Markup, escape

from configurator.engine import Answer, Change, GroupAnswer, OptionAnswer
from configurator.language.specification import Group, Model, Option, Text
from configurator.page import Pair, State, View
from fulfillment.kernel.i18n import current_locale, money
from fulfillment.kernel.money import Money

LONG_GROUP = 24
"""Options from which on a group is searched and shown in pages."""
PAGE = 20
"""Options of a long group that are shown at first, and with every “more”."""
MOST_ROWS = 4096
"""Rows of a release in a language that are kept laid out, about a kilobyte each."""
FEW_PIECES = 4
"""Up to so many numbers of pieces each is an option to click on."""
FEW_CHANGES = 2
"""As many changes of other groups are told with their options; of more only the groups' names."""

LeavesUs = Callable[[date], date]
"""The day a machine leaves us whose parts are here on a day."""


@dataclass(frozen=True)
class OptionRow:
    """One option as it is shown. Most are shown again and again, so they are kept."""

    group: str
    id: str
    many: bool
    name: Markup
    possible: bool
    chosen: bool
    delta: str
    """What it costs here against the machine as it is, or that it is chosen."""
    detail: Markup | str
    changes: str
    days: str
    later: bool

    @property
    def value(self) -> str:
        """How the form names it: `group:option`."""
        return f"{self.group}:{self.id}"

    @cached_property
    def line(self) -> str:
        """Laid out, with nothing unfolded below it."""
        told: str = get_template_attribute("configurator/option.html", "line")(self)
        return told


@dataclass(slots=True)
class GroupRow:
    """One question as it is shown."""

    id: str
    name: Markup
    help: Markup | str
    many: bool
    number: bool
    """Asked as a number: its options differ only in how many pieces they are."""
    own: bool
    was: str
    rows: list[OptionRow]
    total: int
    left: int = 0
    """Options of a long group that are not shown yet."""
    find: str | None = None
    """What is looked for in a long group; None in a short one."""
    more: int = 0

    @property
    def first_out(self) -> OptionRow | None:
        """The first option that cannot be had now: of a number, the least that is too much or too little."""
        return next((row for row in self.rows if not row.possible and not row.chosen), None)


@dataclass(slots=True)
class Section:
    """Groups that belong together: a step of the way."""

    number: int
    name: Markup | str
    groups: list[GroupRow] = field(default_factory=list)

    @property
    def own(self) -> int:
        """In how many of its groups the customer has chosen."""
        return sum(group.own for group in self.groups)

    @property
    def progress(self) -> str:
        """How far the customer has come with it, in words."""
        return str(_("%(own)s of %(all)s chosen", own=self.own, all=len(self.groups)))


@dataclass(frozen=True)
class _Words:
    """What of a model's texts does not change from click to click, in one language and escaped."""

    groups: Mapping[str, Markup]
    options: Mapping[Pair, Markup]
    details: Mapping[Pair, Markup]
    helps: Mapping[str, Markup]
    sections: Mapping[str, Markup]
    numbers: frozenset[str]
    row: Callable[..., OptionRow] = field(init=False)
    """The row of an option by its group, id and what the click says of it: kept, and laid out once."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "row", lru_cache(MOST_ROWS)(self._row))

    def _row(  # noqa: PLR0917 - all that a row shows
        self, group: str, option: str, many: bool, possible: bool, chosen: bool, delta: str, changes: str, days: str, later: bool,  # noqa: FBT001
    ) -> OptionRow:
        pair = (group, option)
        return OptionRow(
            group, option, many, self.options[pair], possible, chosen, delta, self.details.get(pair, ""), changes, days, later,
        )


_kept: dict[tuple[str, str], _Words] = {}


def words_of(model: Model) -> _Words:
    """The model's texts in the reader's language."""
    language = current_locale()
    key = (model.content_hash, language)
    if key not in _kept:
        if len(_kept) > 64:
            _kept.clear()
        _kept[key] = _read_words(model, language)
    return _kept[key]


def _read_words(model: Model, language: str) -> _Words:
    def told(text: Text) -> Markup:
        return escape(text.get(language) or text["en"])

    pairs = [(group, option) for group in model.groups for option in group.options]
    return _Words(
        groups={group.id: told(group.name) for group in model.groups},
        options={(group.id, option.id): told(option.name) for group, option in pairs},
        details={(group.id, option.id): told(option.detail) for group, option in pairs if option.detail},
        helps={group.id: told(group.help) for group in model.groups if group.help},
        sections={group.id: told(group.section) for group in model.groups if group.section},
        numbers=frozenset(group.id for group in model.groups if is_number(group)),
    )


def is_number(group: Group) -> bool:
    """Whether a group is asked as a number: how many pieces, of more than a few."""
    return group.counted and sum(not option.absent for option in group.options) > FEW_PIECES


def in_words(model: Model, group: str, option: str) -> str:
    """“Processor: 8 cores”; for a group of which nothing is chosen only its name."""
    words = words_of(model)
    name = words.options.get((group, option))
    return Markup("{}: {}").format(words.groups[group], name) if name is not None else words.groups[group]


@lru_cache(8192)
def _signed(minor: int, currency: str, _language: str) -> str:
    if minor == 0:
        return str(_("same price"))
    return f"{'+' if minor > 0 else '−'} {short_money(Money(abs(minor), currency))}"


def signed(amount: Money) -> str:
    """A difference: “+ $120”, “− $79.50”, “same price”."""
    return _signed(amount.minor, amount.currency, current_locale())


def short_money(amount: Money) -> str:
    """An amount without the cents when there are none."""
    return money(amount).removesuffix(".00")


class Teller:
    """Puts an answer into rows."""

    def __init__(self, model: Model, answer: Answer, leaves_us: LeavesUs, unseen: frozenset[Pair] = frozenset()) -> None:
        self.model, self.answer, self.words = model, answer, words_of(model)
        self.ready, self.leaves_us, self.days = answer.ready, leaves_us, lru_cache(512)(self._days)
        self.unseen = unseen
        self.language = current_locale()
        self.said_chosen, self.said_included, self.said_stays = _("chosen"), _("included"), _("must stay")
        self.says_changes: str = _("Changes %(group)s to %(option)s.")
        self.says_several: str = _("Changes %(groups)s.")
        self.says_nothing = _("none")

    def sections(self, state: State, view: View) -> list[Section]:
        """The groups that are asked now, in their sections; those whose condition does not hold are left out."""
        sections: list[Section] = []
        for group in self.model.groups:
            told = self.answer.groups.get(group.id)
            if group.hidden or told is None or any(group.by_id[option].absent for option in told.chosen):
                continue
            name = self.words.sections.get(group.id, "")
            if not sections or (name and sections[-1].name != name):
                sections.append(Section(len(sections) + 1, name))
            sections[-1].groups.append(self.group(group, told, group.id in state.own, view))
        return sections

    def group(self, group: Group, told: GroupAnswer, own: bool, view: View) -> GroupRow:  # noqa: FBT001 - a fact of the row
        """One question."""
        many, number = group.kind == "many", group.id in self.words.numbers
        shown = [
            (option, answer)
            for option, answer in zip(group.options, told.options, strict=True)
            if not option.absent and (answer.chosen or (group.id, option.id) not in self.unseen)
        ]
        name, hint = self.words.groups[group.id], self.words.helps.get(group.id, "")
        row = GroupRow(group.id, name, hint, many, number, own, ",".join(told.chosen), [], len(shown))
        if len(shown) > LONG_GROUP and not number:
            shown = self._part_of(row, shown, view)
        row.rows = [self.option(group.id, option, answer, many=many) for option, answer in shown]
        return row

    def _part_of(self, row: GroupRow, shown: Sequence[tuple[Option, OptionAnswer]], view: View) -> list[tuple[Option, OptionAnswer]]:
        """Of a long group what is chosen, then what is possible, then the rest: those that are looked for, a page at a time."""
        row.find, row.more = view.find.get(row.id, ""), view.more.get(row.id, 0)
        asked = row.find.casefold().split()
        chosen = [pair for pair in shown if pair[1].chosen]
        others = [
            pair for pair in shown
            if not pair[1].chosen and all(word in self.words.options[row.id, pair[0].id].casefold() for word in asked)
        ]
        others.sort(key=lambda pair: not pair[1].possible)
        first = PAGE * (1 + row.more)
        row.left = max(0, len(others) - first)
        return [*chosen, *others[:first]]

    def option(self, group: str, option: Option, told: OptionAnswer, *, many: bool) -> OptionRow:
        """One option."""
        delta = changes = days = ""
        later = False
        if told.chosen:
            delta = self.said_chosen if not many else self.said_included if told.removal is not None else self.said_stays
        elif told.possible:
            difference, ready = told.difference, told.ready
            if difference is not None:
                delta = _signed(difference.minor, difference.currency, self.language)
            changes = self.changes(told.changes) if told.changes else ""
            if ready != self.ready and ready and self.ready:
                days, later = self.days(ready)
        return self.words.row(group, option.id, many, told.possible, told.chosen, delta, changes, days, later)

    def changes(self, changes: Sequence[Change]) -> str:
        """What else changes with an option."""
        seen = [change for change in changes if not self.model.by_id[change.group].hidden]
        if len(seen) > FEW_CHANGES:
            return self.says_several % {"groups": ", ".join(self.words.groups[change.group] for change in seen)}
        told = ({"group": self.words.groups[change.group], "option": self.names(change.group, change.gained)} for change in seen)
        return " ".join(self.says_changes % names for names in told)

    def names(self, group: str, options: Sequence[str]) -> str:
        """The options of a group in words."""
        told = [self.words.options[group, option] for option in options if not self.model.by_id[group].by_id[option].absent]
        return ", ".join(told) or self.says_nothing

    def _days(self, parts_here: date) -> tuple[str, bool]:
        """How many days later, or sooner, a machine would leave us, and whether it is later."""
        assert self.ready is not None
        days = (self.leaves_us(parts_here) - self.leaves_us(self.ready)).days
        if days > 0:
            return ngettext("+ %(num)s day", "+ %(num)s days", days), True
        return (ngettext("%(num)s day sooner", "%(num)s days sooner", -days), False) if days < 0 else ("", False)

    def configuration(self) -> list[tuple[Markup, str]]:
        """The whole machine: each group with what is chosen in it."""
        return [
            (self.words.groups[group.id], names)
            for group in self.model.groups
            if not group.hidden and (names := self._shown_names(group))
        ]

    def _shown_names(self, group: Group) -> str:
        chosen = [option for option in self.answer.configuration.get(group.id, ()) if not group.by_id[option].absent]
        return Markup(", ").join(self.words.options[group.id, option] for option in chosen)

    def changed(self, was: Mapping[str, Sequence[str]], but: Sequence[str]) -> list[str]:
        """What a click changed besides what was clicked on: group and options now."""
        told: list[str] = []
        for group in self.model.groups:
            now = self.answer.configuration.get(group.id, ())
            if group.hidden or group.id in but or group.id not in was or set(was[group.id]) == set(now):
                continue
            told.append(Markup("{}: {}").format(self.words.groups[group.id], self.names(group.id, now)))
        return told
