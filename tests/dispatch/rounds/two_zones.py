"""Two zones supplied from one place, a crew in each, and homes along the border between them."""

from collections.abc import Sequence
from datetime import time
from typing import Any
from uuid import UUID

from core import clock
from tests.cast import EAST, WEST, Bound, made, square
from tests.desk import Desk
from tests.dispatch.rounds.working_day import WorkingDay

BORDER = (WEST + EAST) / 2


class TwoZones:
    """The day's own zone is drawn anew as two halves; the crew it had stays bound to what it was."""

    def __init__(self, desk: Desk, crews: Sequence[int] = (1, 1)):
        self.day = day = WorkingDay(desk)
        zones = [
            day.cast.zone_body(outline=square(east=BORDER)),
            day.cast.zone_body(number=2, name="东片区", outline=square(west=BORDER)),
        ]
        drawn = day.cast.zone_set_body(valid_from=clock.today().isoformat(), zones=zones)
        answered = made(day.dispatcher.post(day.at("zone-sets"), drawn))
        self.zones = [UUID(zone["id"]) for zone in answered["zones"]]
        self.site = day.cast.supply_point()
        self.bindings = [
            self._bind(zone) for zone, many in zip(self.zones, crews, strict=True) for _ in range(many)
        ]
        self.slots = [self._slot(zone) for zone in self.zones]

    def _bind(self, zone_id: UUID) -> str:
        cast = self.day.cast
        bound = Bound(UUID(int=0), cast.courier(), cast.vehicle(), cast.device(), zone_id)
        answer = made(self.day.dispatcher.post(self.day.at("bindings"), cast.binding_body(bound)))
        return str(answer["id"])

    def _slot(self, zone_id: UUID) -> str:
        body = {
            "zone_id": str(zone_id),
            "starts_at": clock.stamp(clock.at(clock.today(), time(10))),
            "ends_at": clock.stamp(clock.at(clock.today(), time(12))),
            "capacity": 50,
        }
        return str(made(self.day.dispatcher.post(self.day.at("slots"), body))["id"])

    def order(self, zone: int, step: int = 0) -> str:
        """Some metres on this side of the border, further along it by ``step``."""
        side = -0.0002 if zone == 0 else 0.0002
        point = {"lon": BORDER + side, "lat": 31.23 + step * 0.0005, "datum": "wgs84"}
        home = self.day.home(point=point)
        body = {
            "household_id": str(home.users.household_id),
            "slot_id": self.slots[zone],
            "purpose": "cooking",
            "channel": "hotline",
            "card_ids": [str(card) for card in home.users.card_ids],
        }
        return str(made(self.day.cast.clerk.post(self.day.at("orders"), body))["id"])

    def ask(self, by: Any = None, /, **changed: Any) -> Any:
        return (by or self.day.dispatcher).post(self.day.at("zone-price-jobs"), self.body() | changed)

    def body(self) -> dict[str, Any]:
        return {"supply_site_id": str(self.site), "day": clock.today().isoformat(), "iterations": 400}
