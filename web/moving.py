"""A stop put to another place: dragged, or chosen from a list; looked at first, then stored, then sent.

    /dispatch/moving/today/<zone>    rounds that are being driven: a change, proposed and then done
    /dispatch/moving/plans/<plan>    a plan that is not applied: another in its place, applied as usual

Dragging asks for the same page as the form does (``…/move``), and shows its middle in a dialog.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import redirect, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound as NoPage

from core.http import doing
from core.problems import NotFound, WrongField
from dispatch.rounds import by_hand, change_queries, changes
from dispatch.rounds import queries as rounds
from dispatch.rounds.schemas import ChangeIn, StopMoveIn
from dispatch.rounds.states import PlanState
from oversight import board as boards
from oversight.board import Board, Crew, Visit
from web import dispatcher_map, dispatcher_words
from web.pages import Face, No, form_of, tried

face = Face("moving", __name__, prefix="/dispatch/moving")


# --- what is drawn -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Door:
    """A stop in a lane. ``fixed``: the courier is on the way there, it cannot be moved."""

    order_id: UUID
    visit: Visit | None
    start_at: datetime | None = None
    on_board: bool = False
    fixed: bool = False


@dataclass(frozen=True, slots=True)
class LaneTrip:
    number: int
    doors: tuple[Door, ...]


@dataclass(frozen=True, slots=True)
class Lane:
    """A crew's trips that can be changed. ``next_trip``: the number a new one would have."""

    binding_id: UUID
    crew: Crew | None
    hue: int
    is_out: bool
    trips: tuple[LaneTrip, ...]
    next_trip: int

    @property
    def plate(self) -> str:
        return self.crew.bound.vehicle.plate if self.crew else str(self.binding_id)[-8:]


@dataclass(frozen=True, slots=True)
class Lanes:
    """One picture of a day or a plan: ``path`` is where moves of it are asked for."""

    path: str
    lanes: tuple[Lane, ...]
    waiting: tuple[Door, ...]
    version: int | None
    seen: Board

    @property
    def doors(self) -> list[Door]:
        return [door for lane in self.lanes for trip in lane.trips for door in trip.doors] + [*self.waiting]

    def door_of(self, order_id: str) -> Door | None:
        return next((door for door in self.doors if str(door.order_id) == str(order_id)), None)

    def plates(self) -> dict[str, str]:
        return {str(lane.binding_id): lane.plate for lane in self.lanes}

    def places(self, addresses: Mapping[UUID, str | None]) -> list[tuple[str, list[tuple[str, str]]]]:
        """For a select, by crew: before each door, at each trip's end, on a trip of its own."""
        return [(lane.plate, list(_places(lane, addresses))) for lane in self.lanes]


def _places(lane: Lane, addresses: Mapping[UUID, str | None]) -> Any:
    for trip in lane.trips:
        for door in trip.doors:
            if not door.fixed:
                where = addresses.get(door.visit.household_id) if door.visit else None
                short = str(door.order_id)[-8:].upper()
                yield f"before:{door.order_id}", f"第{trip.number}趟 · {short} {where or ''} 之前 before"
        yield f"end:{lane.binding_id}:{trip.number}", f"第{trip.number}趟最后 end of trip {trip.number}"
    yield f"end:{lane.binding_id}:{lane.next_trip}", f"新的第{lane.next_trip}趟 a new trip"


def place_said(given: str) -> dict[str, Any]:
    """A place as lists and lanes write it, in the API's own fields; what is none is left for it to refuse."""
    match given.split(":"):
        case ["before", order_id]:
            return {"before_order_id": order_id}
        case ["end", binding_id, trip] if trip.isascii() and trip.isdigit() and len(trip) < 6:
            return {"binding_id": binding_id, "trip": int(trip)}
    return {}


def _of_today(zone_id: UUID) -> Lanes:
    try:
        day = change_queries.day_under_way(doing(), zone_id)
    except WrongField:  # the zone stands in the address
        raise NotFound from None
    seen = boards.board(doing(), day["day"])
    visits = {visit.order_id: visit for visit in seen.visits}
    crews = {crew.bound.binding.id: crew for crew in seen.crews}
    lanes = []
    for n, crew in enumerate(day["crews"]):
        on_board = set(crew["on_board"])
        trips = [
            LaneTrip(
                trip["number"],
                tuple(
                    _door(
                        seen,
                        visits.get(order_id),
                        order_id,
                        order_id in on_board,
                        crew["is_out"] and not (t or k),
                    )
                    for k, order_id in enumerate(trip["order_ids"])
                ),
            )
            for t, trip in enumerate(crew["trips"])
        ]
        known = crews.get(crew["binding_id"])
        lanes.append(
            Lane(
                crew["binding_id"],
                known,
                n % dispatcher_map.HUES,
                crew["is_out"],
                tuple(trips),
                crew["next_trip"],
            )
        )
    waiting = tuple(_door(seen, visits.get(order_id), order_id) for order_id in day["waiting"])
    return Lanes(f"/dispatch/moving/today/{zone_id}", tuple(lanes), waiting, day["version"], seen)


def _door(
    seen: Board, visit: Visit | None, order_id: UUID, on_board: bool = False, fixed: bool = False
) -> Door:
    return Door(order_id, visit, seen.expected_at(visit) if visit else None, on_board, fixed)


def _of_plan(plan_id: UUID) -> Lanes:
    plan = rounds.plan(doing(), plan_id)
    if plan["state"] is not PlanState.PROPOSED:
        raise NoPage
    seen = boards.board(doing(), plan["day"])
    visits = {visit.order_id: visit for visit in seen.visits}
    crews = {
        crew.bound.binding.id: crew for crew in seen.crews if crew.bound.binding.zone_id == plan["zone_id"]
    }
    trips: dict[UUID, list[LaneTrip]] = {binding_id: [] for binding_id in crews}
    for trip in plan["trips"]:
        doors = [
            Door(order_id, visits.get(order_id), stop["start_at"])
            for stop in trip["stops"]
            for order_id in [UUID(str(stop["order_id"]))]
        ]
        trips.setdefault(UUID(str(trip["binding_id"])), []).append(LaneTrip(trip["number"], tuple(doors)))
    lanes = [
        Lane(binding_id, crews.get(binding_id), n % dispatcher_map.HUES, False, tuple(own), len(own) + 1)
        for n, (binding_id, own) in enumerate(trips.items())
    ]
    left = [UUID(str(one["order_id"])) for one in plan["unserved"]]
    waiting = tuple(_door(seen, visits.get(order_id), order_id) for order_id in left)
    return Lanes(f"/dispatch/moving/plans/{plan_id}", tuple(lanes), waiting, None, seen)


def _addresses(lanes: Lanes) -> dict[UUID, str | None]:
    return boards.addresses_of(doing(), [door.visit.household_id for door in lanes.doors if door.visit])


def _shown(template: str, lanes: Lanes, no: No | None = None, **with_it: Any) -> ResponseReturnValue:
    drawn = render_template(
        f"dispatch/{template}.html",
        no=no,
        said=dispatcher_words,
        lanes=lanes,
        addresses=_addresses(lanes),
        **with_it,
    )
    return drawn, no.status if no else 200


def _zone(seen: Board, zone_id: UUID) -> Any:
    return next((row.zone for row in seen.zones if row.zone.id == zone_id), None)


# --- today ---------------------------------------------------------------------------------------------


@face.page("/today/<uuid:zone_id>", "plan.make")
def today(zone_id: UUID) -> ResponseReturnValue:
    lanes = _of_today(zone_id)
    zone = _zone(lanes.seen, zone_id)
    return _shown("lanes", lanes, zone=zone, plan=None, map=dispatcher_map.of_lanes(lanes, zone))


@face.page("/today/<uuid:zone_id>/move", "plan.make")
def ask_today(zone_id: UUID) -> ResponseReturnValue:
    def ask(order_id: UUID, place: dict[str, Any], version: int | None) -> dict[str, Any]:
        return changes.ask_move(doing(), zone_id=zone_id, order_id=order_id, version=version, **place)

    return _asked(_of_today(zone_id), ask)


@face.page("/today/<uuid:zone_id>/move", "plan.make", methods=("POST",))
def move_today(zone_id: UUID) -> ResponseReturnValue:
    """Kept as a proposal; the page of the change does it."""
    asked = {
        "zone_id": str(zone_id),
        "order_id": request.form.get("order_id"),
        "to": place_said(request.form.get("place", "")),
        "version": _whole(request.form.get("version")),
    }
    done, no = tried(lambda: changes.propose_change(doing(), **form_of(ChangeIn, asked)))
    if done is None:
        return _shown("move", _of_today(zone_id), no, order_id=None, place="", verdict=None)
    return redirect(f"/dispatch/changes/{done['change_id']}", 303)


# --- a plan --------------------------------------------------------------------------------------------


@face.page("/plans/<uuid:plan_id>", "plan.make")
def in_plan(plan_id: UUID) -> ResponseReturnValue:
    lanes = _of_plan(plan_id)
    plan = rounds.plan(doing(), plan_id)
    zone = _zone(lanes.seen, plan["zone_id"])
    return _shown("lanes", lanes, zone=zone, plan=plan, map=dispatcher_map.of_lanes(lanes, zone))


@face.page("/plans/<uuid:plan_id>/move", "plan.make")
def ask_in_plan(plan_id: UUID) -> ResponseReturnValue:
    def ask(order_id: UUID, place: dict[str, Any], version: int | None) -> dict[str, Any]:
        return by_hand.ask_in_plan(doing(), plan_id, order_id=order_id, **place)

    return _asked(_of_plan(plan_id), ask)


@face.page("/plans/<uuid:plan_id>/move", "plan.make", methods=("POST",))
def move_in_plan(plan_id: UUID) -> ResponseReturnValue:
    asked = {"order_id": request.form.get("order_id"), **place_said(request.form.get("place", ""))}
    done, no = tried(lambda: by_hand.move_in_plan(doing(), plan_id=plan_id, **form_of(StopMoveIn, asked)))
    if done is None:
        return _refused_in_plan(plan_id, no)
    return redirect(f"/dispatch/moving/plans/{done['plan_id']}", 303)


def _refused_in_plan(plan_id: UUID, no: No | None) -> ResponseReturnValue:
    """The plan may be another's by now: then there are no lanes of it any more."""
    plan = rounds.plan(doing(), plan_id)
    if plan["state"] is PlanState.PROPOSED:
        return _shown("move", _of_plan(plan_id), no, order_id=None, place="", verdict=None)
    drawn = render_template("dispatch/moved_meanwhile.html", no=no, plan=plan, said=dispatcher_words)
    return drawn, no.status if no else 200


# --- both ----------------------------------------------------------------------------------------------


def _asked(lanes: Lanes, ask: Any) -> ResponseReturnValue:
    """Without a place: where to? With one: what would come of it."""
    order_id, place = _order_said(lanes), request.args.get("place", "")
    verdict = no = None
    if place:
        asked = {"order_id": str(order_id), **place_said(place)}
        form, no = tried(lambda: form_of(StopMoveIn, asked))
        if form is not None:
            order = form.pop("order_id")
            verdict = ask(order, form, _whole(request.args.get("version")))
    template = "_verdict" if request.headers.get("HX-Request") and verdict else "move"
    return _shown(template, lanes, no, order_id=order_id, place=place, verdict=verdict)


def _order_said(lanes: Lanes) -> UUID:
    given = request.args.get("order_id", "")
    found = next((door.order_id for door in lanes.doors if str(door.order_id) == given), None)
    if found is None:
        raise NoPage
    return found


def _whole(given: str | None) -> int | None:
    return int(given) if given and given.isascii() and given.isdigit() and len(given) < 9 else None
