"""Today's rounds, setting out, loading, the road, bringing back."""

from uuid import UUID

from flask import redirect, request
from flask.typing import ResponseReturnValue

from core.http import doing
from dispatch.deliveries import door as at_door
from dispatch.deliveries import loads, schemas
from dispatch.deliveries.door import LoadLine
from dispatch.orders.states import LineState
from dispatch.rounds import road as on_road
from dispatch.rounds import service as rounds
from dispatch.rounds.schemas import StartIn
from dispatch.rounds.states import RoundState
from registry.vehicle_labels import is_label
from web.courier.face import drawn, face, typed
from web.pages import No, form_of, tried

MOST_SCANNED = 120


@face.page("/", "round.drive")
def today() -> ResponseReturnValue:
    """Today's rounds in the order in which they begin."""
    return drawn("today", rounds=on_road.rounds_today(doing()))


@face.page("/rounds/<uuid:round_id>", "round.drive")
def round(round_id: UUID) -> ResponseReturnValue:
    """The round as it stands: to set out on, to load, to drive, or driven."""
    return _round(round_id)


@face.page("/rounds/<uuid:round_id>/starts", "round.drive", methods=("POST",))
def start(round_id: UUID) -> ResponseReturnValue:
    """Set out with the vehicle whose plate was read; another vehicle is a red stop."""

    def act() -> None:
        said = typed("plate", MOST_SCANNED)
        named = "vehicle_code" if is_label(said) else "plate"
        rounds.start_round(doing(), round_id=round_id, **form_of(StartIn, {named: said}))

    _, no = tried(act)
    if no is not None:
        return _round(round_id, no)
    return redirect(f"/courier/rounds/{round_id}/loads")


def _round(round_id: UUID, no: No | None = None) -> ResponseReturnValue:
    road = on_road.road(doing(), round_id)
    if road.state is RoundState.PLANNED:
        said = typed("plate", MOST_SCANNED)
        return drawn("start", no, road=road, plate="" if is_label(said) else said)
    count = at_door.count(doing(), round_id)
    if road.state is RoundState.FINISHED:
        return drawn("finished", no, road=road, count=count)
    return drawn("road", no, road=road, count=count)


# --- load -------------------------------------------------------------------------------------------------


@face.page("/rounds/<uuid:round_id>/loads", "cylinder.load")
def loading(round_id: UUID) -> ResponseReturnValue:
    """Which bottle goes on the vehicle for which door, one scan after the other."""
    return _loading(round_id)


@face.page("/rounds/<uuid:round_id>/loads", "cylinder.load", methods=("POST",))
def load(round_id: UUID) -> ResponseReturnValue:
    """One bottle for one line."""
    form = {"line_id": typed("line_id", 40), "code": typed("code")}
    _, no = tried(lambda: loads.load(doing(), round_id=round_id, **form_of(schemas.LoadIn, form)))
    if no is not None:
        return _loading(round_id, no)
    return redirect(f"/courier/rounds/{round_id}/loads?loaded={form['line_id']}")


def _loading(round_id: UUID, no: No | None = None) -> ResponseReturnValue:
    road = on_road.road(doing(), round_id)
    if road.state is not RoundState.STARTED:
        return redirect(f"/courier/rounds/{round_id}")
    lines = at_door.load_list(doing(), round_id)
    trip = _trip_to_load(lines)
    of_trip = [line for line in lines if line.trip == trip and line.state is not LineState.FAILED]
    waiting = [line for line in of_trip if line.state is LineState.BOOKED]
    wanted = request.values.get("line_id") or request.args.get("line", "")
    chosen = next((line for line in waiting if str(line.line_id) == wanted), next(iter(waiting), None))
    just = request.args.get("loaded", "")
    return drawn(
        "load",
        no,
        road=road,
        stops={stop.order_id: stop for stop in road.stops},
        trip=trip,
        trips=max((line.trip for line in lines), default=1),
        lines=of_trip,
        waiting=waiting,
        chosen=chosen,
        just=next((line for line in lines if str(line.line_id) == just and line.code), None),
        code=typed("code"),
    )


def _trip_to_load(lines: list[LoadLine]) -> int:
    """The first trip that still has a bottle to load; once all are loaded, the last."""
    waiting = [line.trip for line in lines if line.state is LineState.BOOKED]
    return min(waiting) if waiting else max((line.trip for line in lines), default=1)


@face.page("/rounds/<uuid:round_id>/departures", "round.drive", methods=("POST",))
def depart(round_id: UUID) -> ResponseReturnValue:
    """Leave the site: who is visited where is opened to the courier, on record."""
    _, no = tried(lambda: rounds.reveal_manifest(doing(), round_id=round_id))
    return _round(round_id, no) if no is not None else redirect(f"/courier/rounds/{round_id}")


# --- bring back -------------------------------------------------------------------------------------------


@face.page("/rounds/<uuid:round_id>/returns", "cylinder.bring_back")
def returning(round_id: UUID) -> ResponseReturnValue:
    """What is still on the vehicle, full and empty apart, to be scanned back at the site."""
    return _returning(round_id)


@face.page("/rounds/<uuid:round_id>/returns", "cylinder.bring_back", methods=("POST",))
def bring_back(round_id: UUID) -> ResponseReturnValue:
    """One bottle of the vehicle back at the site."""
    form = {"code": typed("code")}
    _, no = tried(lambda: loads.bring_back(doing(), round_id=round_id, **form_of(schemas.ReturnIn, form)))
    if no is not None:
        return _returning(round_id, no)
    return redirect(f"/courier/rounds/{round_id}/returns?back=yes")


@face.page("/rounds/<uuid:round_id>/finishes", "round.drive", methods=("POST",))
def finish(round_id: UUID) -> ResponseReturnValue:
    """The vehicle is empty and the round over."""
    _, no = tried(lambda: loads.finish(doing(), round_id=round_id))
    return _returning(round_id, no) if no is not None else redirect(f"/courier/rounds/{round_id}")


def _returning(round_id: UUID, no: No | None = None) -> ResponseReturnValue:
    road = on_road.road(doing(), round_id)
    if road.state is not RoundState.STARTED:
        return redirect(f"/courier/rounds/{round_id}")
    return drawn(
        "returns",
        no,
        road=road,
        aboard=at_door.aboard(doing(), round_id),
        count=at_door.count(doing(), round_id),
        just="back" in request.args,
        code=typed("code"),
    )
