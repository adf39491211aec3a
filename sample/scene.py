"""What every part of the day shares: the stage, the cast, the world, and where the day has got to."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any

from core import clock
from sample.cast import Booking, Cast
from sample.client import Answer, Api
from sample.firms import DEMO_DAY
from sample.places import CHANGNING, SamplePremises
from sample.stage import Stage
from sample.world import Told, User, World, zone_key


@dataclass
class Scene:
    stage: Stage
    api: Api
    cast: Cast
    world: World
    told: Told
    counts: Counter[str] = field(default_factory=Counter)
    """Of what happened, by name: for the report."""
    shown: dict[str, str] = field(default_factory=dict)
    """Ids that the report shows, so that a person can look for themselves."""
    line_cards: dict[str, str] = field(default_factory=dict)
    """Order line → card."""
    orders: dict[str, Booking] = field(default_factory=dict)
    """Order → whose booking it is."""
    tomorrow: dict[int, str] = field(default_factory=dict)
    """User → the order for tomorrow."""
    sign_ins: list[dict[str, str | None]] = field(default_factory=list, repr=False)
    """One for each face (see ``sample/sign_ins.py``)."""
    waves: Counter[int] = field(default_factory=Counter)
    """Zone → how often its day was planned."""
    stands: dict[int, tuple[str, bool]] = field(default_factory=dict)
    """Bottle → the site at which it really stands, and whether it is full: what a count will find."""
    at_supply: dict[tuple[str, str], list[int]] = field(default_factory=dict)
    """(firm, model) → numbers of the full bottles at the firm's supply point, next one first."""

    def at(self, hour: int, minute: int = 0) -> None:
        self.stage.wait_until(clock.at(DEMO_DAY, time(hour, minute)))

    def stands_at(self, number: int, site: str, *, full: bool) -> None:
        self.stands[number] = (site, full)

    def leaves(self, number: int) -> None:
        self.stands.pop(number, None)

    def count(self, what: str, times: int = 1) -> None:
        self.counts[what] += times
        self.told(what, times)

    def do(self, who: str, path: str, body: Any, what: str) -> Any:
        return self.api.do(self.world.caller(who), path, body, what)

    def do_here(self, who: str, path: str, body: Any, what: str, district: int = CHANGNING) -> Any:
        return self.do(who, f"/districts/{district}/{path}", body, what)

    def refused_here(
        self, who: str, path: str, body: Any, what: str, rules: Iterable[str], district: int = CHANGNING
    ) -> Answer:
        caller = self.world.caller(who)
        return self.api.must_refuse(caller, f"/districts/{district}/{path}", body, what, rules)

    def read_here(self, who: str, path: str, district: int = CHANGNING, **query: Any) -> Any:
        return self.api.read(self.world.caller(who), f"/districts/{district}/{path}", **query)

    def user(self, place: SamplePremises) -> User:
        return self.world.users[place.number]

    def booking_body(
        self,
        place: SamplePremises,
        slot: int,
        lines: int = 1,
        *,
        channel: str = "web",
        on_next_day: bool = False,
    ) -> dict[str, Any]:
        user = self.user(place)
        day = DEMO_DAY + timedelta(days=1) if on_next_day else DEMO_DAY
        return {
            "household_id": user.household_id,
            "slot_id": self.world.slots[f"{zone_key(place.district, place.zone)} {day}"][slot],
            "purpose": "cooking" if place.is_household else "catering",
            "channel": channel,
            "card_ids": user.card_ids[:lines],
        }


def stamp(instant: datetime) -> str:
    return clock.stamp(instant)
