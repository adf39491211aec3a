"""What the demo knows of the world it built: the ids the server gave, and the tokens of its cast."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import cattrs

from sample.client import Caller

Told = Callable[[str, int], None]
"""What has just been done, and how often, for the progress shown to the person at the keyboard."""


@dataclass(slots=True)
class User:
    """A user of the sample by the ids the registry gave it; ``card_ids`` in the order of the import."""

    district: int
    household_id: str
    account_id: str
    person_id: str
    card_ids: list[str]


@dataclass(slots=True)
class World:
    """Keys are the sample's own: a firm's key, a premises' or bottle's number, ``310105-1`` for a zone, and
    ``310105-1 2024-06-12`` for a zone's slots of a day. ``qr_codes`` by card id: what a courier scans."""

    firms: dict[str, str] = field(default_factory=dict)
    sites: dict[str, str] = field(default_factory=dict)
    agencies: dict[str, str] = field(default_factory=dict)
    staff: dict[str, str] = field(default_factory=dict)
    vehicles: dict[str, str] = field(default_factory=dict)
    devices: dict[str, str] = field(default_factory=dict)
    zones: dict[str, str] = field(default_factory=dict)
    bindings: dict[str, str] = field(default_factory=dict)
    users: dict[int, User] = field(default_factory=dict)
    cylinders: dict[int, str] = field(default_factory=dict)
    qr_codes: dict[str, str] = field(default_factory=dict, repr=False)
    slots: dict[str, list[str]] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict, repr=False)
    principals: dict[str, str] = field(default_factory=dict)

    def caller(self, name: str) -> Caller:
        return Caller(name, self.tokens[name])

    def resident(self, number: int) -> Caller:
        return self.caller(f"resident {number}")

    def to_plain(self) -> Any:
        return cattrs.unstructure(self)

    @classmethod
    def from_plain(cls, plain: Any) -> "World":
        return cattrs.structure(plain, cls)


def zone_key(district: int, number: int) -> str:
    return f"{district}-{number}"
