"""Service tags: seven characters that name one machine for ever, and the number to say on the phone.

Pure. A tag is a number written in base 36; its express service code is the same number in decimal.
Tags we make leave out vowels (no words by accident), 0 and 1 (read as O and I), and are drawn at
random, so that nobody can guess a neighbour's. Every tag of seven letters and digits can be read.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable

from fulfillment.kernel.refusals import Refusal

LENGTH = 7
DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
ALPHABET = "23456789BCDFGHJKLMNPQRSTVWXYZ"
"""What our own tags are made of."""
LETTERS = "BCDFGHJKLMNPQRSTVWXYZ"
HIGHEST = 36**LENGTH - 1

_TAG = re.compile(rf"[0-9A-Z]{{{LENGTH}}}")
_CODE = re.compile(r"[0-9]{1,11}")
_GROUPED = re.compile(r"[0-9]+([ -][0-9]+)*")


class NotATag(Refusal):
    """What was typed or scanned cannot be a service tag."""


def draw(pick: Callable[[str], str] = secrets.choice) -> str:
    """A fresh tag; it begins with a letter, so that it is never taken for an express service code."""
    return pick(LETTERS) + "".join(pick(ALPHABET) for _ in range(LENGTH - 1))


def read_tag(typed: str) -> str:
    """The tag as printed, from what was typed or scanned. Raises NotATag."""
    cleaned = re.sub(r"[\s-]", "", typed).upper()
    if not _TAG.fullmatch(cleaned):
        raise NotATag("A service tag has seven letters and digits, such as BX7K2M9.")
    return cleaned


def express_code(tag: str) -> int:
    """The tag's number. Raises NotATag."""
    return int(read_tag(tag), 36)


def tag_of(code: int | str) -> str:
    """The tag of an express service code, dashes and spaces allowed. Raises NotATag."""
    typed = str(code).strip()
    digits = re.sub(r"[ -]", "", typed) if _GROUPED.fullmatch(typed) else ""
    if not _CODE.fullmatch(digits) or int(digits) > HIGHEST:
        raise NotATag("An express service code has up to eleven digits, such as 125-423-316-01.")
    number, letters = int(digits), ""
    for _ in range(LENGTH):
        number, digit = divmod(number, 36)
        letters = DIGITS[digit] + letters
    return letters


def spoken(code: int) -> str:
    """The code in groups of three, as it is printed: 125-423-316-01."""
    digits = str(code)
    return "-".join(digits[at : at + 3] for at in range(0, len(digits), 3))
