"""The text of a UVL file cut into lines of tokens: what is inside brackets or a comment does not end a line.

Indentation is counted as UVL's own lexer does: a tab goes to the next multiple of eight.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from configurator.importers.problems import Problems

_TOKEN = re.compile(
    r"(?P<blank>[ \t\f]*)(?:"
    r"(?P<word>\d*[^\W\d][\w#§%?\\';]*)|(?P<newline>\r?\n|\r)"
    r'|"(?P<name>[^"\r\n]+)"'
    r"|(?P<comment>//[^\r\n]*|/\*(?:.|\n)*?\*/)|'(?P<text>[^'\r\n]*)'"
    r"|(?P<number>\d+\.\d+|\d+|\.\d+)|(?P<mark><=>|=>|==|<=|>=|!=|\.\.|[!&|<>+\-*/()\[\]{},.])|(?P<end>\Z))"
)
_OPENING = {"(": ")", "[": "]", "{": "}"}


@dataclass(frozen=True, slots=True)
class Token:
    """A word, a quoted name, a text, a number or a mark."""

    kind: str
    text: str
    line: int

    @property
    def is_name(self) -> bool:
        """It can be the name of something."""
        return self.kind in {"word", "name"}

    def is_mark(self, *texts: str) -> bool:
        """It is one of these marks."""
        return self.kind == "mark" and self.text in texts


@dataclass(frozen=True, slots=True)
class Line:
    """The tokens of a line, and how far it is indented."""

    indent: int
    number: int
    tokens: list[Token]

    @property
    def keyword(self) -> str:
        """The first word, if the line begins with one."""
        return self.tokens[0].text if self.tokens[0].kind == "word" else ""


def cut(text: str, problems: Problems) -> list[Line]:  # noqa: C901 - one loop over tokens
    """Cut a text into lines. Raises ModelError for what is no token, and for brackets that do not match."""
    lines: list[Line] = []
    tokens: list[Token] = []
    open_marks: list[Token] = []
    at, number, indent, fresh = 0, 1, 0, True
    while at < len(text):
        found = _TOKEN.match(text, at)
        if not found:
            said = text[at : at + 20].lstrip(" \t").splitlines()[0]
            raise problems.fail(number, f"unexpected {said!r}: quote names that hold more than letters, digits and _.")
        at = found.end()
        kind = found.lastgroup or ""
        if kind == "newline":
            number += 1
            if not open_marks:
                if tokens:
                    lines.append(Line(indent, tokens[0].line, tokens))
                    tokens = []
                indent, fresh = 0, True
        elif kind == "comment":
            number += found.group().count("\n")
        elif kind != "end":
            if fresh:
                indent, fresh = len(found["blank"].expandtabs(8)), False
            token = Token(kind, found.group(kind), number)
            tokens.append(token)
            if kind == "mark" and token.text in "()[]{}":
                _bracket(token, open_marks, problems)
    if open_marks:
        raise problems.fail(open_marks[-1].line, f"{open_marks[-1].text!r} is never closed: add {_OPENING[open_marks[-1].text]!r}.")
    if tokens:
        lines.append(Line(indent, tokens[0].line, tokens))
    return lines


def _bracket(token: Token, open_marks: list[Token], problems: Problems) -> None:
    if token.text in _OPENING:
        open_marks.append(token)
    elif not open_marks or _OPENING[open_marks.pop().text] != token.text:
        raise problems.fail(token.line, f"{token.text!r} closes nothing: remove it, or open it before.")
