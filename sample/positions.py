"""Where one courier drives, as his phone reports it: in order, a batch late, one place no vehicle can reach.

The dispatcher sees where he was last; the place that cannot be true is kept, and is never that. Somebody of
the authority looks at the track afterwards, for a reason, on record.
"""

from datetime import datetime, timedelta
from typing import Any

from core import clock
from core.geo import Point
from sample.agenda import Agenda
from sample.client import Unexpected
from sample.firms import SITES, SUPPLY_SITE
from sample.places import CHANGNING
from sample.planning import Driven, binding_of
from sample.scene import Scene, stamp

EVERY_M = 0.0005
"""Of latitude, between two positions: some fifty metres."""
FAR_AWAY = 0.3


class Track:
    """The phone of one vehicle. ``positions``: what it wrote down, first to last."""

    def __init__(self, scene: Scene, agenda: Agenda, driven: Driven, vehicle: str, start: Point):
        self.scene = scene
        self.driven = driven
        self.start = start
        device_id = scene.world.devices[f"phone_{vehicle}"]
        self.path = f"/districts/{CHANGNING}/devices/{device_id}/positions"
        self.positions: list[dict[str, Any]] = []
        self.late: list[dict[str, Any]] = []
        leaves_at = datetime.fromisoformat(driven.trips[0]["leave_at"])
        for minute in range(1, 7):
            agenda.at(leaves_at + timedelta(minutes=minute), self._report)
        agenda.at(leaves_at + timedelta(minutes=7), self._jumps)
        agenda.at(leaves_at + timedelta(minutes=8), self._lose_the_network)
        agenda.at(leaves_at + timedelta(minutes=9), self._catch_up)
        agenda.at(leaves_at + timedelta(minutes=10), self._is_looked_back_at)

    def _here(self, *, off: float = 0.0) -> dict[str, Any]:
        seq = len(self.positions) + 1
        point = {"lon": self.start.lon, "lat": self.start.lat + seq * EVERY_M + off, "datum": "wgs84"}
        self.positions.append({"seq": seq, "at": stamp(clock.now()), "point": point, "accuracy_m": 15})
        return self.positions[-1]

    def _send(self, items: list[dict[str, Any]], expected: str, what: str) -> None:
        courier = self.scene.world.caller(self.driven.courier)
        answer = self.scene.api.carry(courier, self.path, {"items": items}, what)
        said = {one["status"] for one in answer["items"]}
        if said != {expected}:
            raise Unexpected(f"{what}: expected {expected}, got {answer}")
        self.scene.count("positions reported", len(items))

    def _report(self) -> None:
        self._send([self._here()], "kept", "a position")

    def _jumps(self) -> None:
        self._send([self._here(off=FAR_AWAY)], "marked", "a position no vehicle can reach")

    def _lose_the_network(self) -> None:
        self.late += [self._here()]

    def _catch_up(self) -> None:
        """The newest first, then what had waited, then all of it again."""
        newest = self._here()
        self._send([newest], "kept", "a position")
        self._send(self.late, "kept", "a position that comes late")
        courier = self.scene.world.caller(self.driven.courier)
        again = self.scene.api.carry(courier, self.path, {"items": self.positions}, "all of it again")
        if {one["status"] for one in again["items"]} != {"duplicate"}:
            raise Unexpected(f"positions sent twice: expected them known, got {again}")
        seen = self.scene.read_here(f"dispatcher {self.driven.firm}", "positions")["items"]
        mine = [one for one in seen if one["round_id"] == self.driven.round_id]
        if [one["occurred_at"] for one in mine] != [newest["at"]]:
            raise Unexpected(f"the vehicle on the board: expected it where it was last, got {mine}")

    def _is_looked_back_at(self) -> None:
        path, body = f"rounds/{self.driven.round_id}/track-replays", {"reason": "inspection"}
        track = self.scene.do_here(f"regulator {CHANGNING}", path, body, "a past track is looked at")
        marks = [one["mark"] for one in track["points"]]
        if marks.count("spike") != 1 or marks.count(None) != len(self.positions) - 1:
            raise Unexpected(f"a past track: expected one place that is not believed, got {marks}")
        self.scene.count("tracks looked at")


def report_positions(scene: Scene, agenda: Agenda, rounds: list[Driven]) -> None:
    """Of the courier who later has no network at all."""
    vehicle = scene.cast.without_network
    driven = next(one for one in rounds if one.courier == binding_of(vehicle).courier)
    site = next(site for site in SITES if site.key == SUPPLY_SITE[driven.firm])
    Track(scene, agenda, driven, vehicle, site.point)
