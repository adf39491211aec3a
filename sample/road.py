"""On the road: rounds as they are driven, trip by trip, all at once as the clock goes."""

from collections.abc import Callable
from datetime import datetime, time, timedelta
from typing import Any

from core import clock
from sample.agenda import Agenda
from sample.client import Unexpected
from sample.door import Stories, code_of, visit
from sample.firms import DEMO_DAY, SUPPLY_SITE
from sample.noes import OnTheRoad
from sample.places import CHANGNING, zones
from sample.planning import (
    Driven,
    binding_of,
    end_binding,
    plan_the_evening,
    plan_zone,
    take_over,
)
from sample.scene import Scene

LEAVES_EARLY, LOADED_EARLY = timedelta(minutes=12), timedelta(minutes=8)
A_MOMENT = timedelta(seconds=1)
FALLS_ILL_AT = time(11, 5)


class Road:
    """Puts rounds on the agenda."""

    def __init__(self, scene: Scene, agenda: Agenda):
        self.scene = scene
        self.agenda = agenda
        self.stories = Stories(scene)
        self.noes = OnTheRoad(scene)
        self._busy_until: dict[str, datetime] = {}
        """Courier → when the last round given to them is over."""

    def drive(self, rounds: list[Driven]) -> None:
        _, falls_ill = self.scene.cast.bindings_that_change
        for driven in rounds:
            if driven.courier == binding_of(falls_ill).courier:
                self._drive_until_ill(driven)
            else:
                self._drive(driven)

    def plan_the_evening(self) -> None:
        for driven in plan_the_evening(self.scene):
            self._drive(driven)

    # --- one round ----------------------------------------------------------------------------------------

    def _drive(self, driven: Driven) -> None:
        """What one courier does, in order; nothing is earlier than what was before it."""
        last = self._start(driven)
        for trip in driven.trips:
            last = self._trip(driven, trip, last)
        if self._has_waiting(driven):
            self.scene.shown["late courier"] = driven.courier
        else:
            self.agenda.at(last + A_MOMENT, lambda: self._finish(driven))
        self._busy_until[driven.courier] = last + A_MOMENT

    def _drive_until_ill(self, driven: Driven) -> None:
        """He visits whom he can until he has to turn back; the other doors are another's."""
        ill_at = clock.at(DEMO_DAY, FALLS_ILL_AT)
        last, left = self._start(driven), []
        for trip in driven.trips:
            in_time = [stop for stop in trip["stops"] if datetime.fromisoformat(stop["start_at"]) < ill_at]
            left += [stop["order_id"] for stop in trip["stops"] if stop not in in_time]
            if datetime.fromisoformat(trip["leave_at"]) < ill_at:
                back_at = min(trip["return_at"], clock.stamp(ill_at), key=datetime.fromisoformat)
                last = self._trip(driven, trip, last, visited=in_time, back_at=back_at)
        if not left:
            raise Unexpected(f"{driven.courier}: expected doors left for the substitute, found none")
        self.agenda.at(max(last, ill_at) + A_MOMENT, lambda: self._falls_ill(driven, left))

    def _start(self, driven: Driven) -> datetime:
        starts_at = datetime.fromisoformat(driven.trips[0]["leave_at"]) - LEAVES_EARLY
        starts_at = max(starts_at, self._busy_until.get(driven.courier, starts_at) + A_MOMENT)
        self.agenda.at(starts_at, lambda: self._set_out(driven))
        return starts_at

    def _trip(
        self,
        driven: Driven,
        trip: dict[str, Any],
        last: datetime,
        *,
        visited: list[dict[str, Any]] | None = None,
        back_at: str | None = None,
    ) -> datetime:
        """Loaded, driven and back, whoever of its stops is visited. When the last of it is due."""

        def due(planned: str, early: timedelta, do: Callable[[], None]) -> None:
            nonlocal last
            last = max(last + A_MOMENT, datetime.fromisoformat(planned) - early)
            self.agenda.at(last, do)

        due(trip["leave_at"], LOADED_EARLY, lambda: self._load(driven, trip))
        for stop in trip["stops"] if visited is None else visited:
            order_id = stop["order_id"]
            if not self._is_waiting(order_id):
                due(stop["start_at"], timedelta(0), self._visit_of(driven, order_id))
        if not self._has_waiting(driven):
            due(back_at or trip["return_at"], timedelta(0), lambda: _bring_back(self.scene, driven))
        return last

    def _set_out(self, driven: Driven) -> None:
        self.noes.before_start(driven)
        _start(self.scene, driven)

    def _load(self, driven: Driven, trip: dict[str, Any]) -> None:
        self.noes.before_load(driven)
        _load(self.scene, self.stories, driven, trip)
        self.noes.after_load(driven)

    def _is_waiting(self, order_id: str) -> bool:
        return self.scene.orders[order_id] == self.scene.cast.waiting

    def _has_waiting(self, driven: Driven) -> bool:
        """The round that is still out at nine in the evening, with one door to go."""
        return any(self._is_waiting(order_id) for order_id in driven.lines)

    def _visit_of(self, driven: Driven, order_id: str) -> Callable[[], None]:
        return lambda: visit(self.scene, self.stories, driven, order_id, self.noes.at_the_door)

    def _finish(self, driven: Driven) -> None:
        self.scene.do_here(driven.courier, f"rounds/{driven.round_id}/finishes", {}, "finish")

    # --- a substitute -------------------------------------------------------------------------------------

    def _falls_ill(self, driven: Driven, left: list[str]) -> None:
        """His binding ends; what he scans after that is refused (D02); another drives the rest."""
        scene = self.scene
        binding = binding_of(scene.cast.bindings_that_change[1])
        end_binding(scene, binding, driven.firm)
        for order_id in left[:2]:
            line = driven.lines[order_id][0]
            number = scene.at_supply[driven.firm, line["cylinder_model"]][0]
            body = {"line_id": line["line_id"], "code": code_of(scene, number)}
            path = f"rounds/{driven.round_id}/loads"
            refused = scene.refused_here(driven.courier, path, body, "load without a binding", {"D02", "D03"})
            if "delivery.no_binding" not in refused.codes:
                raise Unexpected(f"a scan after the binding ended: expected no_binding, got {refused.codes}")
            scene.count("scans refused without a binding")
        self._finish(driven)
        take_over(scene, binding, driven.firm)
        (zone,) = (zone for zone in zones(CHANGNING) if zone.number == driven.zone)
        for next_driven in plan_zone(scene, zone):
            self._drive(next_driven)


def _start(scene: Scene, driven: Driven) -> None:
    path = f"rounds/{driven.round_id}"
    scene.do_here(driven.courier, f"{path}/starts", {"plate": driven.plate}, "start")
    stops = scene.do_here(driven.courier, f"{path}/manifests", {}, "manifest")["stops"]
    if any("*" in (stop["address"] or "*") for stop in stops):
        raise Unexpected(f"{driven.courier}: expected addresses in clear on the manifest of a started round")
    scene.count("rounds")


def _load(scene: Scene, stories: Stories, driven: Driven, trip: dict[str, Any]) -> None:
    for stop in trip["stops"]:
        for line in driven.lines[stop["order_id"]]:
            if driven.phone is None:
                stories.load_another_size(driven, line)
            number = scene.at_supply[driven.firm, line["cylinder_model"]].pop(0)
            body = {"line_id": line["line_id"], "code": code_of(scene, number)}
            if driven.phone is not None:
                driven.phone.write("load", {"round_id": driven.round_id, **body})
            else:
                scene.do_here(driven.courier, f"rounds/{driven.round_id}/loads", body, f"load {number}")
            driven.aboard[line["line_id"]] = number
            scene.leaves(number)
            scene.count("loads")


def _bring_back(scene: Scene, driven: Driven) -> None:
    """Every empty taken, and every bottle that was not handed over, is scanned back at the site. Full ones
    are there for the next trip."""
    for full, numbers in ((False, driven.taken), (True, list(driven.aboard.values()))):
        for number in numbers:
            body = {"code": code_of(scene, number)}
            if driven.phone is not None:
                driven.phone.write("bring_back", {"round_id": driven.round_id, **body})
            else:
                path = f"rounds/{driven.round_id}/returns"
                scene.do_here(driven.courier, path, body, f"return {number}")
            scene.stands_at(number, SUPPLY_SITE[driven.firm], full=full)
            if full:
                bottle = scene.cast.bottle(number)
                scene.at_supply.setdefault((driven.firm, bottle.model), []).append(number)
            scene.count("bottles brought back")
    driven.taken.clear()
    driven.aboard.clear()
