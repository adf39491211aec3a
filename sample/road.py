"""On the road: plans of each zone's day, rounds as they are driven, and what happens at the doors."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any

from core import clock
from dispatch.safety.catalogue import ITEMS
from sample import firms, places
from sample.build import Builder
from sample.cast import Booking
from sample.client import Unexpected
from sample.firms import DEMO_DAY
from sample.places import CHANGNING, SampleZone
from sample.scene import Scene, stamp
from sample.world import zone_key

ITERATIONS = 20_000
NO_LOTS = 0
"""Other seeds draw lots among the orders by their ids, which no two runs share."""
LEAVES_EARLY, LOADED_EARLY = timedelta(minutes=12), timedelta(minutes=8)
A_MOMENT = timedelta(seconds=1)
MEASURED_MM = {"burner_distance": 1_000, "hose_length": 1_500}


# --- plans ------------------------------------------------------------------------------------------------


@dataclass
class Driven:
    """One courier's round of the day: the plan's trips for it, and the stops of the round itself."""

    courier: str
    firm: str
    round_id: str
    plate: str
    trips: list[dict[str, Any]]
    lines: dict[str, list[dict[str, Any]]]
    """Order → its lines."""
    aboard: dict[str, int] = field(default_factory=dict)
    """Line → the number of the bottle loaded for it."""
    taken: list[int] = field(default_factory=list)
    """Empties taken on this trip."""


def plan_the_day(scene: Scene) -> list[Driven]:
    """A plan for each zone, applied. Zone 6 plans again once its truck is back from the workshop."""
    scene.at(7, 0)
    driven: list[Driven] = []
    for zone in places.zones(CHANGNING):
        driven += _plan(scene, zone, wave=1)
    late = [binding for binding in firms.bindings() if binding.vehicle in scene.cast.bound_late]
    builder = Builder(scene.api, scene.cast, scene.world, scene.told)
    for binding in late:
        builder.bind(binding, clock.at(DEMO_DAY, time(7, 30)))
    for zone in places.zones(CHANGNING):
        if any(binding.zone == zone.number for binding in late):
            driven += _plan(scene, zone, wave=2)
    return driven


def _plan(scene: Scene, zone: SampleZone, wave: int) -> list[Driven]:
    who = f"dispatcher {zone.firm}"
    body = {
        "zone_id": scene.world.zones[zone_key(CHANGNING, zone.number)],
        "day": DEMO_DAY.isoformat(),
        "wave": wave,
        "iterations": ITERATIONS,
        "seed": NO_LOTS,
    }
    plan = scene.do_here(who, "plans", body, f"plan zone {zone.number}, wave {wave}")
    for left in plan["unserved"]:
        scene.count("orders no vehicle could take in the first plan")
        scene.shown.setdefault("unserved", f"{left['zh']} / {left['en']}")
    applied = scene.do_here(who, f"plans/{plan['id']}/applications", {}, f"apply plan of zone {zone.number}")
    scene.count("plans")
    return [_driven(scene, plan, zone.firm, round_id) for round_id in applied["round_ids"]]


def _driven(scene: Scene, plan: dict[str, Any], firm: str, round_id: str) -> Driven:
    found = scene.read_here(f"dispatcher {firm}", f"rounds/{round_id}")
    couriers = {staff_id: key for key, staff_id in scene.world.staff.items()}
    return Driven(
        couriers[found["courier_id"]],
        firm,
        round_id,
        found["plate"],
        [trip for trip in plan["trips"] if trip["binding_id"] == found["binding_id"]],
        {stop["order_id"]: stop["lines"] for stop in found["stops"]},
    )


# --- rounds -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Event:
    at: datetime
    do: Callable[[], None]


def drive_the_day(scene: Scene, rounds: list[Driven]) -> None:
    """All rounds at once, as the clock goes: whoever is due next does what is due."""
    stories = Stories(scene)
    events = [event for driven in rounds for event in _events(scene, stories, driven)]
    for event in sorted(events, key=lambda event: event.at):  # stable: a round's own order stays
        scene.stage.wait_until(event.at)
        event.do()


def _events(scene: Scene, stories: "Stories", driven: Driven) -> Iterator[Event]:
    """What one courier does, in order; no event is earlier than the one before it."""
    last = datetime.fromisoformat(driven.trips[0]["leave_at"]) - LEAVES_EARLY
    yield Event(last, lambda: _start(scene, driven))
    for trip in driven.trips:
        last = max(last + A_MOMENT, datetime.fromisoformat(trip["leave_at"]) - LOADED_EARLY)
        yield Event(last, lambda trip=trip: _load(scene, stories, driven, trip))  # type: ignore[misc]  # mypy cannot infer a lambda's default
        for stop in trip["stops"]:
            last = max(last + A_MOMENT, datetime.fromisoformat(stop["start_at"]))
            yield Event(last, lambda stop=stop: _visit(scene, stories, driven, stop["order_id"]))  # type: ignore[misc]  # as above
        last = max(last + A_MOMENT, datetime.fromisoformat(trip["return_at"]))
        yield Event(last, lambda: _bring_back(scene, driven))
    yield Event(last + A_MOMENT, lambda: _finish(scene, driven))


def _start(scene: Scene, driven: Driven) -> None:
    path = f"rounds/{driven.round_id}"
    scene.do_here(driven.courier, f"{path}/starts", {"plate": driven.plate}, "start")
    stops = scene.do_here(driven.courier, f"{path}/manifests", {}, "manifest")["stops"]
    if any("*" in (stop["address"] or "*") for stop in stops):
        raise Unexpected(f"{driven.courier}: expected addresses in clear on the manifest of a started round")
    scene.count("rounds")


def _load(scene: Scene, stories: "Stories", driven: Driven, trip: dict[str, Any]) -> None:
    for stop in trip["stops"]:
        for line in driven.lines[stop["order_id"]]:
            stories.load_another_size(driven, line)
            number = scene.at_supply[driven.firm, line["cylinder_model"]].pop(0)
            body = {"line_id": line["line_id"], "code": code_of(scene, number)}
            scene.do_here(driven.courier, f"rounds/{driven.round_id}/loads", body, f"load {number}")
            driven.aboard[line["line_id"]] = number
            scene.count("loads")


def _bring_back(scene: Scene, driven: Driven) -> None:
    """Every empty taken, and every bottle that was not handed over, is scanned back at the site."""
    for number in (*driven.taken, *driven.aboard.values()):
        body = {"code": code_of(scene, number)}
        scene.do_here(driven.courier, f"rounds/{driven.round_id}/returns", body, f"return {number}")
        scene.count("bottles brought back")
    driven.taken.clear()
    driven.aboard.clear()


def _finish(scene: Scene, driven: Driven) -> None:
    scene.do_here(driven.courier, f"rounds/{driven.round_id}/finishes", {}, "finish")


# --- at the door ------------------------------------------------------------------------------------------


def _visit(scene: Scene, stories: "Stories", driven: Driven, order_id: str) -> None:
    booking = stories.booking_of(order_id)
    for position, line in enumerate(driven.lines[order_id]):
        if stories.is_nobody_home(booking):
            body = {"line_id": line["line_id"], "reason": "nobody_home"}
            scene.do_here(
                driven.courier, f"orders/{order_id}/failures", body, f"nobody home {number_of(booking)}"
            )
            scene.count("nobody home")
            continue
        Door(scene, stories, driven, order_id, booking, line, is_first=position == 0).hand_over()


@dataclass
class Door:
    """One line's handover: arrive, check, take the empty, prove it."""

    scene: Scene
    stories: "Stories"
    driven: Driven
    order_id: str
    booking: Booking
    line: dict[str, Any]
    is_first: bool

    def hand_over(self) -> None:
        scene, finding = self.scene, self.booking.finding
        proof = self._proof()
        if self.stories.is_wrong_empty(self.booking):
            other = self.stories.bottle_of_another(self.booking)
            form = self._form(proof, code_of(scene, other))
            path = f"orders/{self.order_id}/deliveries"
            scene.refused_here(self.driven.courier, path, form, "an empty of another card", {"D06"})
            scene.count("wrong empties refused")
        if self.stories.is_wrong_code(self.booking):
            wrong = {"kind": "door_code", "value": f"{(int(proof['value']) + 1) % 1_000_000:06}"}
            self._deliver(wrong, "wrong_code")
            self.is_first = False  # the check is on record
            scene.count("wrong door codes")
        outcome = "withheld" if finding else "delivered"
        delivery = self._deliver(proof, outcome)
        if outcome == "withheld":
            scene.count("withheld")
            scene.shown.setdefault("withheld order", self.order_id)
            scene.shown.setdefault("withheld check", delivery["check_id"])
            return
        scene.count("deliveries")
        scene.shown.setdefault("delivered order", self.order_id)
        self.driven.taken.append(self._empty())
        del self.driven.aboard[self.line["line_id"]]

    def _deliver(self, proof: dict[str, str], expected: str) -> Any:
        what = f"deliver to {self.booking.user.number}"
        form = self._form(proof, code_of(self.scene, self._empty()))
        path = f"orders/{self.order_id}/deliveries"
        delivery = self.scene.do_here(self.driven.courier, path, form, f"{what}: {expected}")
        if delivery["outcome"] != expected:
            raise Unexpected(f"{what}: expected {expected}, got {delivery}")
        return delivery

    def _form(self, proof: dict[str, str], empty_code: str) -> dict[str, Any]:
        at = self.booking.user.point
        return {
            "line_id": self.line["line_id"],
            "card_credential": self.scene.world.qr_codes[self._card_id()],
            "check": self._check() if self.is_first else None,
            "full_code": code_of(self.scene, self.driven.aboard[self.line["line_id"]]),
            "empty_code": empty_code,
            "proof": proof,
            "connected": True,
            "leak_test_passed": True,
            "point": {"lon": at.lon, "lat": at.lat, "datum": "wgs84"},
            "occurred_at": stamp(clock.now()),
        }

    def _proof(self) -> dict[str, str]:
        """Who booked over the web reads a code to the courier; others show their card, one signs."""
        if self.stories.signs(self.booking):
            return {"kind": "signature", "sha256": hashlib.sha256(b"a signature's image").hexdigest()}
        if self.booking.by_hotline or self.booking.finding:
            return {"kind": "card_qr", "value": self.scene.world.qr_codes[self._card_id()]}
        number = self.booking.user.number
        path = f"orders/{self.order_id}"
        self.scene.do_here(self.driven.courier, f"{path}/arrivals", {}, f"arrive at {number}")
        code = self.scene.read_here(f"resident {number}", f"{path}/door-code")["code"]
        return {"kind": "door_code", "value": code}

    def _check(self) -> dict[str, Any]:
        return check_body(self.booking.finding, in_catering=not self.booking.user.is_household)

    def _card_id(self) -> str:
        return self.scene.line_cards[self.line["line_id"]]

    def _empty(self) -> int:
        """The number of the bottle on this line's card."""
        user = self.scene.user(self.booking.user)
        place = user.card_ids.index(self._card_id())
        return self.scene.cast.held[self.booking.user.number][place].number


def check_body(finding: str | None, *, in_catering: bool) -> dict[str, Any]:
    """A safety check that passes everything but ``finding``; what does not apply is not answered."""
    asked = [item for item in ITEMS.values() if item.mandatory or item.code == finding]
    if in_catering and finding != "leak_alarm":
        asked.append(ITEMS["leak_alarm"])
    items = []
    for item in asked:
        answer: dict[str, Any] = {"item": item.code, "result": "fail" if item.code == finding else "pass"}
        if item.unit is not None:
            answer["measured"] = MEASURED_MM[item.code]
        items.append(answer)
    return {"mode": "on_site", "items": items, "user_signed": True, "briefed": True}


class Stories:
    """To whom the day's small mishaps happen: each to one booking, the first that fits."""

    def __init__(self, scene: Scene):
        self.scene = scene
        self._by_number = {booking.user.number: booking for booking in scene.cast.bookings}
        plain = [one for one in scene.cast.bookings if one.lines == 1 and not one.finding]
        by_web = [one for one in plain if not one.by_hotline]
        by_phone = [one for one in plain if one.by_hotline]
        self._wrong_code, self._nobody_home, self._wrong_empty = by_web[:3]
        self._signs = by_phone[-1] if by_phone else None
        self._has_tried_another_size = False

    def booking_of(self, order_id: str) -> Booking:
        return self._by_number[self.scene.orders[order_id]]

    def is_wrong_code(self, booking: Booking) -> bool:
        return booking is self._wrong_code

    def is_nobody_home(self, booking: Booking) -> bool:
        return booking is self._nobody_home

    def is_wrong_empty(self, booking: Booking) -> bool:
        return booking is self._wrong_empty

    def signs(self, booking: Booking) -> bool:
        return booking is self._signs

    def bottle_of_another(self, booking: Booking) -> int:
        """A bottle of the same firm that stands on somebody else's card."""
        return next(
            held[0].number
            for number, held in self.scene.cast.held.items()
            if number not in self._by_number and self.scene.cast.user(number).firm == booking.user.firm
        )

    def load_another_size(self, driven: Driven, line: dict[str, Any]) -> None:
        """Once in the day a courier takes up a bottle of another size than was ordered."""
        others = [
            numbers[0]
            for (firm, model), numbers in sorted(self.scene.at_supply.items())
            if firm == driven.firm and model == "YSP12" and line["cylinder_model"] == "YSP35.5" and numbers
        ]
        if self._has_tried_another_size or not others:
            return
        self._has_tried_another_size = True
        body = {"line_id": line["line_id"], "code": code_of(self.scene, others[0])}
        path = f"rounds/{driven.round_id}/loads"
        self.scene.refused_here(driven.courier, path, body, "load a bottle of another size", {"D09"})
        self.scene.count("refused loads")


def code_of(scene: Scene, number: int) -> str:
    return scene.cast.bottle(number).use_registration_code


def number_of(booking: Booking) -> int:
    return booking.user.number
