"""What a reader sees of a page or a template: its text, and the attributes that are shown or read out."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from jinja2 import Environment
from jinja2.nodes import Call, Const, Name

SHOWN = ("alt", "aria-label", "placeholder", "title", "data-label", "data-copied")
UNREAD = ("script", "style", "code")
EMPTY = ("br", "hr", "img", "input", "link", "meta", "col", "source", "wbr")
SENTENCE = re.compile(r"^[A-Z][a-z]+ |[a-z]{2,} [a-z]{2,} [a-z]{2,}|[a-z][.!?]$")
"""How a text for people looks among the constants of a template, which are mostly names of classes and icons."""
GETTEXT = ("_", "gettext", "ngettext", "pgettext")


class Reader(HTMLParser):
    """Collects the texts of a page, but for scripts and for what is marked as being in another language."""

    def __init__(self, language: str = "") -> None:
        super().__init__()
        self.language = language
        self.texts: list[str] = []
        self._open: list[tuple[str, bool]] = []

    def _unread(self) -> bool:
        return any(unread for _tag, unread in self._open)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Read the attributes; remember whether the text inside counts."""
        its = dict(attrs)
        unread = tag in UNREAD or bool(self.language and (its.get("lang") or self.language) != self.language)
        if not unread and not self._unread():
            self.texts += [value for name in SHOWN if (value := its.get(name))]
            if tag == "meta" and its.get("name") == "description":
                self.texts.append(its.get("content") or "")
        if tag not in EMPTY:
            self._open.append((tag, unread))

    def handle_endtag(self, tag: str) -> None:
        """Leave the element, and whatever in it was never closed."""
        for at in range(len(self._open) - 1, -1, -1):
            if self._open[at][0] == tag:
                del self._open[at:]
                return

    def handle_data(self, data: str) -> None:
        """Keep what is not only space."""
        text = " ".join(data.split())
        if text and not self._unread():
            self.texts.append(text)


def texts_of(page: str, language: str = "") -> list[str]:
    """Every text of a page, in the order of reading; only those in `language` where it is given."""
    reader = Reader(language)
    reader.feed(page)
    reader.close()
    return reader.texts


def literals_of(source: str) -> list[str]:
    """The texts with letters that a template shows as they stand, in any language: no gettext, no data."""
    environment = Environment(autoescape=True, extensions=["jinja2.ext.i18n"])
    markup = "".join(value if kind == "data" else " " if kind.endswith("_end") else "" for _line, kind, value in environment.lex(source))
    tree = environment.parse(source)
    translated = {
        id(const) for call in tree.find_all(Call) if isinstance(call.node, Name) and call.node.name in GETTEXT
        for const in call.find_all(Const)
    }
    constants = [
        const.value for const in tree.find_all(Const)
        if isinstance(const.value, str) and id(const) not in translated and SENTENCE.search(const.value)
    ]
    return [text for text in texts_of(markup) if re.search("[A-Za-z\u4e00-\u9fff]", text)] + constants
