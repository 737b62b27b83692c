"""Which generations of processors a board takes: equal sockets do not mean compatible.

The database names socket, microarchitecture and chipset; which of them go together are facts of the platforms
(the chip makers' own compatibility charts). Within a socket the generations are numbered as they came. Where a
chart says "some boards, with a new BIOS", the pair is left out: only what every such board does is promised.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

ALIASES: Mapping[str, str] = {"LGA 1151v2": "LGA 1151", "sTR4": "TR4"}
"""Two names of the database for one socket; what differs is the generation."""
REGISTERED = frozenset({"sTR5", "sWRX8", "SP3", "SP5", "SP6", "LGA 3647", "LGA 4189", "LGA 4677", "LGA 4710", "LGA 7529"})
"""Sockets whose boards take registered memory and no other."""

Generations = tuple[int, int]
"""The first and the last a board takes."""
ANY: Generations = (0, 0)

_MICROARCHITECTURES: Mapping[str, Mapping[str, int]] = {
    "AM4": {"Excavator": 0, "Zen": 1, "Zen+": 2, "Zen 2": 3, "Zen 3": 4},
    "LGA 1150": {"Haswell": 4, "Haswell Refresh": 4, "Broadwell": 5},
    "LGA 1151": {"Skylake": 6, "Kaby Lake": 7, "Coffee Lake": 8, "Coffee Lake Refresh": 9},
    "LGA 1155": {"Sandy Bridge": 2, "Ivy Bridge": 3},
    "LGA 1200": {"Comet Lake": 10, "Rocket Lake": 11},
    "LGA 775": {},
    "TR4": {"Zen": 1, "Zen+": 2},
}
_CHIPSETS: Mapping[str, tuple[tuple[str, Generations], ...]] = {
    "AM4": (
        ("A320|B350|X370|X300|A300", (0, 2)),
        ("B450|X470", (1, 4)),
        ("X570S?", (2, 4)),
        ("A520|B550A?", (3, 4)),
    ),
    "LGA 1150": (("[HBQZ]8[1567]", (4, 4)), ("[HZ]97", (4, 5)), ("C22[246]", (4, 4))),
    "LGA 1151": (("[HBQZ]1[157]0|C23[26]", (6, 7)), ("[HBQZ]2[57]0", (6, 7)), ("[HBQZ]3[1679][05]|C24[26]", (8, 9))),
    "LGA 1155": (("[HBQPZ]6[1578]|C20[246]", (2, 2)), ("[HBQZ]7[57]|C216", (2, 3))),
    "LGA 1200": (("B460|H410", (10, 10)), ("H470|Q470|Z490|W480", (10, 11)), ("[HBQZW]5[1679]0|W580", (10, 11))),
    "LGA 775": (),
    "TR4": (("X399", (1, 2)),),
    "sTR5": (("TRX50", ANY),),
}


def socket_named(name: str | None) -> str | None:
    """The socket, by its one name."""
    return None if name is None else ALIASES.get(name, name)


def generation_of(socket: str, microarchitecture: str | None) -> int | None:
    """The number of a processor's generation; 0 where the socket has one only, None where it is not known."""
    known = _MICROARCHITECTURES.get(socket)
    return 0 if known is None else known.get(microarchitecture or "")


def generations_of(socket: str, chipset: str | None) -> Generations | None:
    """The generations that every board with this chipset takes; None where that is not known."""
    if socket not in _CHIPSETS:
        return ANY
    name = (chipset or "").rpartition(" ")[2]
    return next((taken for pattern, taken in _CHIPSETS[socket] if re.fullmatch(pattern, name)), None)
