"""Two languages from the first page: English, and Simplified Chinese.

Sentences of ours are English message ids in the catalogues of `storefront/translations`; names that
a product manager or the chart of accounts brings are bilingual data, {"en": …, "zh": …}, picked by
`pick`. Money, dates and numbers are written as the reader's language writes them.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import contextmanager
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from babel.dates import format_date, format_datetime
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_currency, format_decimal
from flask import Flask, has_request_context, request
from flask_babel import Babel, force_locale, get_locale

from fulfillment.kernel.settings import LANGUAGES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fulfillment.kernel.money import Money

NAMES = {"en": "English", "zh": "简体中文"}
HTML_LANG = {"en": "en", "zh": "zh-Hans"}
TRANSLATIONS = Path("storefront/translations")
COOKIE = "language"


def current_locale() -> str:
    """The reader's language, one of LANGUAGES; English outside a request."""
    locale = get_locale()
    return locale.language if locale is not None and locale.language in LANGUAGES else "en"


def pick(text: Mapping[str, str] | str) -> str:
    """The reader's version of a bilingual text; English where the other is missing."""
    if isinstance(text, str):
        return text
    return text.get(current_locale()) or text["en"]


@contextmanager
def in_language(language: str) -> Iterator[None]:
    """Write for a reader of this language (mails, documents); needs an app context."""
    with force_locale(language if language in LANGUAGES else "en"):
        yield


def money(amount: Money) -> str:
    """“$1,299.00”: the amount in the reader's way of writing."""
    return _money(amount.decimal(), amount.currency, _babel())


def day(value: date | datetime | None, style: str = "medium") -> str:
    """A date, or nothing for None."""
    return "" if value is None else _day(value, style, _babel())


def moment(value: datetime | None, style: str = "medium") -> str:
    """A date and time in UTC, or nothing for None."""
    return "" if value is None else _moment(value, style, _babel())


# A page writes fifty prices, the same ones at every click: Babel's patterns cost more than the rest of the price.
_money = lru_cache(8192)(lambda amount, currency, locale: format_currency(amount, currency, locale=locale))
_day = lru_cache(1024)(lambda value, style, locale: format_date(value, style, locale=locale))
_moment = lru_cache(4096)(lambda value, style, locale: format_datetime(value, style, locale=locale))


def number(value: int) -> str:
    """A whole number with the reader's grouping."""
    return format_decimal(value, locale=_babel())


def _babel() -> str:
    return {"en": "en_US", "zh": "zh_Hans_CN"}[current_locale()]


def compile_catalogues(folder: Path) -> None:
    """Compile every .po that is newer than its .mo; many processes may do it at once."""
    for source in sorted(folder.glob("*/LC_MESSAGES/*.po")):
        target = source.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime >= source.stat().st_mtime:
            continue
        with source.open("rb") as po:
            catalogue = read_po(po, locale=source.parts[-3])
        part = target.with_suffix(f".{os.getpid()}.part")
        with part.open("wb") as mo:
            write_mo(mo, catalogue)
        part.replace(target)


def choose_language() -> str:
    """Cookie first, then what the browser asks for; a program has no cookies."""
    if not has_request_context():
        return "en"
    wanted = "" if request.path.startswith("/api/") else request.cookies.get(COOKIE, "")
    if wanted in LANGUAGES:
        return wanted
    return request.accept_languages.best_match(["en", "zh", "zh-CN", "zh-Hans"], default="en")[:2]


def init_app(app: Flask) -> None:
    """Give the app its languages, filters and template functions."""
    folder = Path(app.root_path) / "translations"
    compile_catalogues(folder)
    Babel(app, default_locale="en", default_translation_directories=str(folder), locale_selector=choose_language)
    app.jinja_env.filters.update(money=money, date=day, datetime=moment, number=number)
    names: dict[str, Any] = {"pick": pick, "current_locale": current_locale, "LANGUAGES": NAMES, "HTML_LANG": HTML_LANG}
    app.jinja_env.globals.update(names)
