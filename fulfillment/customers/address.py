"""A postal address in the United States, checked when it is made.

Pure. An address is copied into every order, so what it was then stays readable for ever.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import Any, Self

from fulfillment.kernel.refusals import Refusal

STATES = {
    "AL": "Alabama", "AK": "Alaska", "AZ": "Arizona", "AR": "Arkansas", "CA": "California", "CO": "Colorado", "CT": "Connecticut",
    "DE": "Delaware", "DC": "District of Columbia", "FL": "Florida", "GA": "Georgia", "HI": "Hawaii", "ID": "Idaho", "IL": "Illinois",
    "IN": "Indiana", "IA": "Iowa", "KS": "Kansas", "KY": "Kentucky", "LA": "Louisiana", "ME": "Maine", "MD": "Maryland",
    "MA": "Massachusetts", "MI": "Michigan", "MN": "Minnesota", "MS": "Mississippi", "MO": "Missouri", "MT": "Montana",
    "NE": "Nebraska", "NV": "Nevada", "NH": "New Hampshire", "NJ": "New Jersey", "NM": "New Mexico", "NY": "New York",
    "NC": "North Carolina", "ND": "North Dakota", "OH": "Ohio", "OK": "Oklahoma", "OR": "Oregon", "PA": "Pennsylvania",
    "RI": "Rhode Island", "SC": "South Carolina", "SD": "South Dakota", "TN": "Tennessee", "TX": "Texas", "UT": "Utah",
    "VT": "Vermont", "VA": "Virginia", "WA": "Washington", "WV": "West Virginia", "WI": "Wisconsin", "WY": "Wyoming",
}

_ZIP = re.compile(r"[0-9]{5}(-[0-9]{4})?")


class BadAddress(Refusal):
    """A parcel could not be sent there."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where something goes. Raises BadAddress when a carrier could not read it."""

    name: str
    line1: str
    city: str
    state: str
    postcode: str
    company: str = ""
    line2: str = ""
    phone: str = ""
    country: str = "US"

    def __post_init__(self) -> None:
        for part in (self.name, self.line1, self.city):
            if not part.strip():
                raise BadAddress("Please give a name, a street and a city.")
        if not "".join(asdict(self).values()).isprintable():
            raise BadAddress("An address is written in letters, digits and signs, each part on one line.")
        if self.country != "US" or self.state not in STATES:
            raise BadAddress("We deliver within the United States: please choose a state.")
        if not _ZIP.fullmatch(self.postcode):
            raise BadAddress("A ZIP code has five digits, or five and four: 78701 or 78701-2345.")

    def to_json(self) -> dict[str, Any]:
        """As it is kept in a JSON column."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Read back what `to_json` wrote."""
        return cls(**data)

    def lines(self) -> list[str]:
        """As it is written on a parcel."""
        place = f"{self.city}, {self.state} {self.postcode}"
        return [line for line in (self.name, self.company, self.line1, self.line2, place) if line]
