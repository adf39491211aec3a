"""The dispatcher's face: the day at a glance, bookings, slots, plans, crews, alarms, and the hotline.

Pages are read from ``oversight.board`` and act through the rooms' own verbs. The board and a plan's job look
again every few seconds where scripts run; without them a page is looked at by loading it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, time
from typing import Any, TypeVar
from uuid import UUID

from flask import Response, redirect, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound as NoPage

from core import clock
from core.auth import Role
from core.fields import seen
from core.http import doing
from core.jobs import JobState
from core.refusal import Audience, Refused
from dispatch.orders import queries as orders
from dispatch.orders import service as booking
from dispatch.orders.homes import offered_slots, offers_contactless
from dispatch.orders.keeping import rooms_for
from dispatch.orders.messages import short_number
from dispatch.orders.models import Channel, Purpose
from dispatch.orders.schemas import BookIn, MoveIn, SlotIn
from dispatch.rounds import change_queries as changes_seen
from dispatch.rounds import changes as changing
from dispatch.rounds import left_over, moving, positions
from dispatch.rounds import queries as rounds
from dispatch.rounds import service as planning
from dispatch.rounds import zone_prices as pricing
from dispatch.rounds.outside_zone import outside_zone_on
from dispatch.rounds.schemas import ChangeIn, PlanIn
from dispatch.rounds.states import PlanState, RoundState
from oversight import alarms as alarming
from oversight import board as boards
from oversight import lookup
from oversight.alarms import Alarm
from oversight.board import Board
from oversight.looks import keep_desk_looks
from oversight.lookup import FoundKind
from oversight.models import AlarmAction, AlarmKind
from oversight.schemas import AlarmNoteIn
from registry import crew_queries, household_file_queries, zone_queries
from registry import crews as binding
from registry import queries as registry
from registry.models import Zone
from registry.schemas import BindingEndIn, BindingIn
from registry.states import CardState
from web import dispatcher_map, dispatcher_words, left_at_door, words, zone_price_words
from web.pages import Face, No, day_said, form_of, number_said, tried

face = Face("dispatch", __name__, prefix="/dispatch")


def asked_day() -> date:
    """The day in the address; today where it names none."""
    given = request.values.get("day", "")
    day = day_said(given) if given else clock.today()
    if day is None:
        raise NoPage
    return day


def asked_id(name: str) -> UUID | None:
    given = request.values.get(name, "")
    try:
        return UUID(given) if given else None
    except ValueError:
        raise NoPage from None


def shown(template: str, no: No | None = None, **with_it: Any) -> ResponseReturnValue:
    drawn = render_template(
        f"dispatch/{template}.html", no=no, said=dispatcher_words, left_at_door=left_at_door, **with_it
    )
    return drawn, no.status if no else 200


def zone_rows(zones: Iterable[Zone]) -> list[tuple[UUID, str]]:
    """For a select: a zone by its number and name."""
    return [(zone.id, f"{zone.number} {zone.name}") for zone in zones]


def back(path: str) -> ResponseReturnValue:
    return redirect(path, 303)


# --- the board --------------------------------------------------------------------------------------------


@face.page("/", "board.read")
def look() -> ResponseReturnValue:
    live = _live()
    return shown("board", map=dispatcher_map.of_board(live["board"]), **live)


@face.page("/live", "board.read")
def live() -> ResponseReturnValue:
    """The moving part of the board, for whoever keeps it open."""
    return shown("_live", **_live())


def _live() -> dict[str, Any]:
    seen, found = _seen()
    seen, told = _of_crews(seen, found)
    return {
        "board": seen,
        "alarms": found,
        "told": told,
        "vehicles": _on_the_road(seen),
        "unapproved": _unapproved(seen),
        **(of_earlier_days(most=5) if seen.day == clock.day_of(seen.now) else {"left": []}),
    }


def of_earlier_days(most: int | None = None) -> dict[str, Any]:
    """Orders that earlier days left, as ``_left_over.html`` lists them; another day's board has its own."""
    left, altogether = left_over.left_over_orders(doing(), most)
    with doing().ground.reads() as db:
        zones = {one.zone_id: db.get_one(Zone, (doing().district, one.zone_id)) for one in left}
    return {
        "left": left,
        "left_altogether": altogether,
        "left_zones": zones,
        "left_addresses": boards.addresses_of(doing(), [one.household_id for one in left]),
        "whys": left_over.SAID,
        "detail_of": left_over.detail_said,
    }


def _unapproved(seen: Board) -> int:
    """Orders outside their crew's zone that nobody has approved; the orders of a past day wait for nobody."""
    if seen.day < clock.day_of(seen.now):
        return 0
    with doing().ground.reads() as db:
        found = outside_zone_on(db, doing().district, seen.day, boards.firm_of(doing()))
    return sum(one.approval is None for one in found)


def _on_the_road(seen: Board) -> list[dict[str, Any]]:
    """Where today's vehicles were last; of another day nothing is shown."""
    if seen.day != clock.today():
        return []
    return dispatcher_map.of_vehicles(positions.live(doing()), seen.now)


def _seen() -> tuple[Board, list[Alarm]]:
    with doing().ground.sessions() as db:
        seen = boards.board_of(db, doing(), asked_day())
        return seen, alarming.alarms_of(db, doing(), seen)


ON_THE_ROAD = (AlarmKind.OUT_OF_ZONE, AlarmKind.STOPPED_TOO_LONG, AlarmKind.NO_POSITION)


def _of_crews(seen: Board, found: list[Alarm]) -> tuple[Board, dict[UUID, list[AlarmKind]]]:
    """Crews of whom something was found on the road come first; binding → what nobody has seen to yet."""
    open_ones = {
        (alarm.round_id, alarm.kind): alarm.kind
        for alarm in found
        if alarm.is_open and alarm.kind in ON_THE_ROAD
    }
    told = {
        crew.bound.binding.id: [
            kind for round in crew.rounds for kind in ON_THE_ROAD if (round.id, kind) in open_ones
        ]
        for crew in seen.crews
    }
    crews = sorted(seen.crews, key=lambda crew: not told[crew.bound.binding.id])
    return replace(seen, crews=tuple(crews)), told


@face.page("/bookings", "order.read")
def bookings() -> ResponseReturnValue:
    """The day's orders; which of them stands in the address, so that a view can be sent to somebody."""
    seen = boards.board(doing(), asked_day())
    zone_id, slot_id, state = asked_id("zone"), asked_id("slot"), request.args.get("state", "")
    visits = [
        visit
        for visit in seen.visits
        if zone_id in (None, visit.zone_id)
        and slot_id in (None, visit.slot_id)
        and (not state or _is(state, visit, seen.now))
    ]
    zones = {row.zone.id: row.zone for row in seen.zones}
    slots = boards.slots_of(doing(), seen.day)
    spans = [
        (slot.id, f"{zones[of].name} {words.hm(slot.starts_at)}–{words.hm(slot.ends_at)}")
        for of, many in slots.items()
        for slot in many
    ]
    return shown(
        "bookings",
        board=seen,
        visits=visits,
        zone_id=zone_id,
        slot_id=slot_id,
        state=state,
        zones=zones,
        zone_rows=zone_rows(zones.values()),
        slot_rows=spans,
        state_rows=dispatcher_words.WHICH,
        plates={round.id: crew.bound.vehicle.plate for crew in seen.crews for round in crew.rounds},
        driven=_driven(seen) if seen.day == clock.today() else set(),
        addresses=boards.addresses_of(doing(), [visit.household_id for visit in visits]),
    )


def _driven(seen: Board) -> set[UUID]:
    """Zones with a round that is not finished: an order more can join it."""
    rounds = [round for crew in seen.crews for round in crew.rounds]
    return {round.zone_id for round in rounds if round.state is not RoundState.FINISHED}


def _is(state: str, visit: boards.Visit, now: datetime) -> bool:
    match state:
        case "open":
            return visit.is_open
        case "unplanned":
            return visit.is_unplanned
        case "late":
            return visit.is_late(now)
    return visit.state.value == state


# --- slots ------------------------------------------------------------------------------------------------


@face.page("/slots", "slot.read")
def slots() -> ResponseReturnValue:
    return _slots_page(None)


@face.page("/slots", "slot.open", methods=("POST",))
def open_slot() -> ResponseReturnValue:
    day = asked_day()
    asked = {
        "zone_id": request.form.get("zone_id"),
        "starts_at": _instant(day, request.form.get("starts")),
        "ends_at": _instant(day, request.form.get("ends")),
        "capacity": number_said(request.form.get("capacity")),
        "kept": number_said(request.form.get("kept")),
    }
    _, no = tried(lambda: booking.open_slot(doing(), **form_of(SlotIn, asked)))
    return _slots_page(no) if no else back(f"/dispatch/slots?day={day}")


@face.page("/slots/<uuid:slot_id>/close", "slot.close", methods=("POST",))
def close_slot(slot_id: UUID) -> ResponseReturnValue:
    _, no = tried(lambda: booking.close_slot(doing(), slot_id=slot_id))
    return _slots_page(no) if no else back(f"/dispatch/slots?day={asked_day()}")


def _slots_page(no: No | None) -> ResponseReturnValue:
    day = asked_day()
    with doing().ground.reads() as db:
        zones = boards.own_zones(db, doing(), day)
    return shown(
        "slots",
        no,
        day=day,
        zones=zones,
        zone_rows=zone_rows(zones),
        slots=boards.slots_of(doing(), day),
        given=request.form,
    )


def _instant(day: date, given: str | None) -> str:
    """A time of that day as the API writes instants; what is no time is left for the schema to refuse."""
    try:
        return clock.stamp(clock.at(day, time.fromisoformat(given or "")))
    except ValueError:
        return given or ""


# --- plans ------------------------------------------------------------------------------------------------


@face.page("/plans", "plan.read")
def plans() -> ResponseReturnValue:
    return _plans_page(None)


@face.page("/plan-jobs", "plan.make", methods=("POST",))
def ask_plan() -> ResponseReturnValue:
    asked = {
        "zone_id": request.form.get("zone_id"),
        "day": asked_day().isoformat(),
        "wave": number_said(request.form.get("wave")),
    }
    done, no = tried(lambda: planning.ask_plan(doing(), **form_of(PlanIn, asked)))
    return back(f"/dispatch/plan-jobs/{done['job_id']}") if done else _plans_page(no)


def _plans_page(no: No | None) -> ResponseReturnValue:
    seen = boards.board(doing(), asked_day())
    made = boards.plans_of(doing(), seen.day)
    zones = {row.zone.id: row.zone for row in seen.zones}
    driven = {plan.zone_id: plan.wave for plan in reversed(made) if plan.state is PlanState.APPLIED}
    return shown(
        "plans",
        no,
        board=seen,
        plans=made,
        zones=zones,
        zone_names={str(zone_id): zone.name for zone_id, zone in zones.items()},
        waves={zone_id: min(driven.get(zone_id, 0) + 1, 20) for zone_id in zones},
        jobs=boards.plan_jobs_of(doing(), seen.day),
    )


@face.page("/plan-jobs/<uuid:job_id>", "plan.make")
def plan_job(job_id: UUID) -> ResponseReturnValue:
    """How far it is; a page that is done goes on to the plan."""
    job = rounds.plan_job(doing(), job_id)
    if job["state"] is JobState.DONE:
        return back(f"/dispatch/plans/{job['plan_id']}")
    return shown("plan_job", job=job, seconds=_seconds(job))


@face.page("/plan-jobs/<uuid:job_id>/state", "plan.make")
def plan_job_state(job_id: UUID) -> ResponseReturnValue:
    """The moving part; once the job has ended the whole page is loaded again."""
    job = rounds.plan_job(doing(), job_id)
    drawn = render_template("dispatch/_plan_job.html", job=job, seconds=_seconds(job), said=dispatcher_words)
    answer = Response(drawn)
    if job["state"] not in (JobState.ASKED, JobState.RUNNING):
        answer.headers["HX-Redirect"] = f"/dispatch/plan-jobs/{job_id}"
    return answer


def _seconds(job: Mapping[str, Any]) -> int:
    """How long it has been going on."""
    return max(0, int((clock.now() - (job["started_at"] or job["recorded_at"])).total_seconds()))


@face.page("/plan-jobs/<uuid:job_id>/cancel", "plan.make", methods=("POST",))
def cancel_plan(job_id: UUID) -> ResponseReturnValue:
    _, no = tried(lambda: planning.cancel_plan(doing(), job_id=job_id))
    if no is not None:
        job = rounds.plan_job(doing(), job_id)
        return shown("plan_job", no, job=job, seconds=_seconds(job))
    return back(f"/dispatch/plan-jobs/{job_id}")


@face.page("/plans/<uuid:plan_id>", "plan.read")
def review(plan_id: UUID) -> ResponseReturnValue:
    """What the plan would do: who drives where and when, what is left out and why."""
    return shown("plan", **_reviewed(plan_id))


@face.page("/plans/<uuid:plan_id>/apply", "plan.apply")
def confirm(plan_id: UUID) -> ResponseReturnValue:
    """Looking at a plan sends nobody anywhere: that is said once more, and done here."""
    return shown("plan_apply", **_reviewed(plan_id))


@face.page("/plans/<uuid:plan_id>/apply", "plan.apply", methods=("POST",))
def apply_plan(plan_id: UUID) -> ResponseReturnValue:
    _, no = tried(lambda: planning.apply_plan(doing(), plan_id=plan_id))
    if no is not None:
        return shown("plan_apply", no, **_reviewed(plan_id))
    return back(f"/dispatch/plans/{plan_id}")


def _reviewed(plan_id: UUID) -> dict[str, Any]:
    plan = rounds.plan(doing(), plan_id)
    seen = boards.board(doing(), plan["day"])
    visits = {visit.order_id: visit for visit in seen.visits}
    crews = {crew.bound.binding.id: crew for crew in seen.crews}
    zone = next((row.zone for row in seen.zones if row.zone.id == plan["zone_id"]), None)
    planned = [UUID(str(stop["order_id"])) for trip in plan["trips"] for stop in trip["stops"]]
    known = [visits[order_id].household_id for order_id in planned if order_id in visits]
    left = [visits[UUID(one["order_id"])] for one in plan["unserved"] if UUID(one["order_id"]) in visits]
    priced = pricing.prices(doing(), supply_site_id=zone.supply_site_id, day=plan["day"]) if zone else []
    return {
        "plan": plan,
        "price": priced[0] if priced else None,
        "priced": zone_price_words,
        "change": boards.change_of(doing(), plan_id),
        "zone": zone,
        "plates": {binding_id: crew.bound.vehicle.plate for binding_id, crew in crews.items()},
        "by_text": {str(order_id): visit for order_id, visit in visits.items()},
        "served": len(planned),
        "timeline": dispatcher_map.timeline_of(plan, crews),
        "map": dispatcher_map.of_plan(plan, visits, zone),
        "addresses": boards.addresses_of(doing(), [*known, *(visit.household_id for visit in left)]),
    }


# --- changes of a day under way ----------------------------------------------------------------------------


@face.page("/changes", "plan.make", methods=("POST",))
def ask_change() -> ResponseReturnValue:
    """An order that cannot wait for a wave, or a crew that can go no further: what would be done."""
    names = [name for name in ("zone_id", "order_id", "binding_id") if request.form.get(name)]
    asked = {name: request.form[name] for name in names}
    done, no = tried(lambda: changing.propose_change(doing(), **form_of(ChangeIn, asked)))
    return back(f"/dispatch/changes/{done['change_id']}") if done else shown("change", no, change=None)


@face.page("/changes/<uuid:change_id>", "plan.read")
def look_at_change(change_id: UUID) -> ResponseReturnValue:
    return shown("change", **_changed(change_id))


@face.page("/changes/<uuid:change_id>/apply", "plan.apply", methods=("POST",))
def apply_change(change_id: UUID) -> ResponseReturnValue:
    _, no = tried(lambda: changing.apply_change(doing(), change_id=change_id))
    if no is not None:
        return shown("change", no, **_changed(change_id))
    return back(f"/dispatch/changes/{change_id}")


def _changed(change_id: UUID) -> dict[str, Any]:
    change = changes_seen.change(doing(), change_id)
    seen = boards.board(doing(), change["day"])
    visits = {str(visit.order_id): visit for visit in seen.visits}
    named = [one["order_id"] for one in (*change["moved"], *change["unserved"])] + change["stranded"]
    homes = [visits[order_id].household_id for order_id in named if order_id in visits]
    return {
        "change": change,
        "zone": next((row.zone for row in seen.zones if row.zone.id == change["zone_id"]), None),
        "by_text": visits,
        "plates": {str(crew.bound.binding.id): crew.bound.vehicle.plate for crew in seen.crews},
        "addresses": boards.addresses_of(doing(), homes),
    }


# --- bindings ---------------------------------------------------------------------------------------------


@face.page("/crews", "board.read")
def crews() -> ResponseReturnValue:
    return _crews_page(None)


@face.page("/crews", "binding.bind", methods=("POST",))
def bind() -> ResponseReturnValue:
    day, zone_id = asked_day(), asked_id("zone_id")
    until = request.form.get("until", "")
    with doing().ground.reads() as db:
        zones = {zone.id: zone for zone in boards.own_zones(db, doing(), day)}
    zone = zones.get(zone_id) if zone_id else None
    asked = {
        **{name: request.form.get(name) for name in ("courier_id", "vehicle_id", "device_id", "zone_id")},
        "firm_id": zone and str(zone.firm_id),
        "zone_district": zone and zone.district,
        "from_at": _instant(day, request.form.get("from")),
        "until_at": _instant(day, until) if until else None,
    }
    _, no = tried(lambda: binding.bind(doing(), **form_of(BindingIn, asked)))
    return _crews_page(no) if no else back(f"/dispatch/crews?day={day}")


@face.page("/crews/<uuid:binding_id>/end", "binding.end", methods=("POST",))
def end_binding(binding_id: UUID) -> ResponseReturnValue:
    """Now: whoever takes over is bound from now on, by the form below."""
    _, no = tried(lambda: binding.end_binding(doing(), binding_id, **form_of(BindingEndIn, {})))
    return _crews_page(no) if no else back(f"/dispatch/crews?day={asked_day()}&like={binding_id}#bind")


def _crews_page(no: No | None) -> ResponseReturnValue:
    seen, like = boards.board(doing(), asked_day()), asked_id("like")
    with doing().ground.reads() as db:
        choices = crew_queries.crew_choices(db, doing().district, boards.firm_of(doing()))
        names = boards.names_of(db, doing(), choices.couriers)
    model = next((crew.bound.binding for crew in seen.crews if crew.bound.binding.id == like), None)
    given: Mapping[str, Any] = request.form
    if model is not None and not given:
        given = {name: str(getattr(model, name)) for name in ("vehicle_id", "device_id", "zone_id")}
    zones = {row.zone.id: row.zone for row in seen.zones}
    return shown(
        "crews",
        no,
        board=seen,
        is_today=seen.day == clock.today(),
        zones=zones,
        zone_rows=zone_rows(zones.values()),
        courier_rows=[(one.id, f"{names[one.id] or '—'} {one.certificate_no}") for one in choices.couriers],
        vehicle_rows=[(one.id, one.plate) for one in choices.vehicles],
        device_rows=[(one.id, one.label) for one in choices.devices],
        given=given,
    )


# --- the hotline ------------------------------------------------------------------------------------------


@face.page("/hotline", "order.book")
def hotline() -> ResponseReturnValue:
    """Booking for somebody on the telephone or at the counter: whose home, then a slot, by the same rules."""
    return _hotline_page("", None, {}, [])


@face.page("/hotline/card", "order.book", methods=("POST",))
def find_caller() -> ResponseReturnValue:
    """By POST, so that a card or a number never stands in an address bar, a history or a log."""
    return _hotline_page(seen(request.form.get("card", "")), None, request.form, [])


@face.page("/hotline", "order.book", methods=("POST",))
def book() -> ResponseReturnValue:
    asked = {
        "household_id": request.form.get("household_id"),
        "slot_id": request.form.get("slot_id"),
        "purpose": request.form.get("purpose"),
        "channel": (Channel.COUNTER if doing().actor.role is Role.CLERK else Channel.HOTLINE).value,
        "card_ids": request.form.getlist("card_ids"),
        "contactless": request.form.get("contactless") == "yes",
    }
    to_say: list[dict[str, Any]] = []
    done, no = tried(lambda: _in_both_words(lambda: booking.book(doing(), **form_of(BookIn, asked)), to_say))
    if done is None:
        return _hotline_page(
            seen(request.form.get("card", "")), no, request.form, to_say, request.form.getlist("card_ids")
        )
    return back(f"/dispatch/hotline/{done.order.order.id}")


Done = TypeVar("Done")


def _in_both_words(act: Callable[[], Done], to_say: list[dict[str, Any]]) -> Done:
    """``to_say``: a refusal in the words for whoever is on the telephone, not for the office."""
    try:
        return act()
    except Refused as refused:
        to_say += [dict(reason.worded(Audience.RESIDENT)) for reason in refused.refusals]
        raise


def _hotline_page(
    said: str,
    no: No | None,
    given: Mapping[str, Any],
    to_say: list[dict[str, Any]],
    ticked: Sequence[str] | None = None,
) -> ResponseReturnValue:
    """``said``: a telephone, a card or an address; ``given``: of several homes the one that was chosen.

    ``ticked``: the cards of a booking that was refused; they stand as they were ticked.
    """
    files = _homes_of(said)
    chosen = [one for one in files if str(one["household_id"]) == given.get("household_id")]
    file = next(iter(chosen), files[0] if len(files) == 1 else None)
    return shown(
        "hotline",
        no,
        card=said,
        household=_served(file, said, ticked) if file else None,
        homes=files,
        unknown=bool(said) and not files,
        given=given,
        to_say=to_say,
    )


def _homes_of(said: str) -> list[dict[str, Any]]:
    """Their files, masked; that they were looked at is kept first."""
    found = [one for one in lookup.find(doing(), said) if one.kind is FoundKind.HOUSEHOLD]
    homes = [UUID(one.key) for one in found]
    keep_desk_looks(doing(), homes)
    return [household_file_queries.household_view(doing(), household_id) for household_id in homes]


@face.page("/hotline/<uuid:order_id>", "order.book")
def booked(order_id: UUID) -> ResponseReturnValue:
    """What to say to whoever is on the telephone."""
    found = orders.order(doing(), order_id)
    moved = request.args.get("moved") == "1"
    return shown("booked", found=found, number=short_number(order_id), moved=moved)


@face.page("/hotline/<uuid:order_id>/slot", "order.change_slot")
def other_slot(order_id: UUID) -> ResponseReturnValue:
    return _other_slot_page(order_id, None, [])


@face.page("/hotline/<uuid:order_id>/slot", "order.change_slot", methods=("POST",))
def change_slot(order_id: UUID) -> ResponseReturnValue:
    to_say: list[dict[str, Any]] = []
    body = {"slot_id": request.form.get("slot_id", "")}
    done, no = tried(
        lambda: _in_both_words(
            lambda: moving.change_slot(doing(), order_id=order_id, **form_of(MoveIn, body)), to_say
        )
    )
    if done is None:
        return _other_slot_page(order_id, no, to_say)
    return back(f"/dispatch/hotline/{order_id}?moved=1")


def _other_slot_page(order_id: UUID, no: No | None, to_say: list[dict[str, Any]]) -> ResponseReturnValue:
    found = orders.order(doing(), order_id)
    offered = offered_slots(doing(), found.order.household_id)
    return shown(
        "other_slot",
        no,
        found=found,
        number=short_number(order_id),
        slots=offered,
        rooms=rooms_for(doing(), found.order.household_id, offered),
        to_say=to_say,
    )


def _served(file: dict[str, Any], said: str, ticked: Sequence[str] | None) -> dict[str, Any]:
    """The caller's household, the card they read out (or their only one), and when it can be served."""
    point, today = file["premises"]["point"], clock.today()
    household_id = file["household_id"]
    offered = offered_slots(doing(), household_id)
    with doing().ground.reads() as db:
        zone = zone_queries.zone_at(db, doing().district, point["lon"], point["lat"], today)
        card = registry.card_by_credential(db, doing().district, said)
    mine = [one for one in file["cards"] if one.state is not CardState.CLOSED]
    read_out = [str(card.id)] if card else [str(one.id) for one in mine] if len(mine) == 1 else []
    return {
        "file": file,
        "cards": mine,
        "card_ids": read_out if ticked is None else ticked,
        "zone": zone,
        "slots": offered,
        "rooms": rooms_for(doing(), household_id, offered),
        "offers_contactless": offers_contactless(doing()),
        "purposes": list(Purpose),
        "open": orders.orders(doing(), limit=5, household_id=household_id, open_only=True).items,
    }


# --- alarms -----------------------------------------------------------------------------------------------


@face.page("/alarms", "board.read")
def alarms() -> ResponseReturnValue:
    return _alarms_page(None)


@face.page("/alarms", "alarm.acknowledge", methods=("POST",))
def acknowledge() -> ResponseReturnValue:
    day = asked_day()
    asked = {name: request.form.get(name) for name in ("kind", "subject_id", "action", "note")}
    body = asked | {"day": day.isoformat()}
    _, no = tried(lambda: alarming.acknowledge(doing(), **form_of(AlarmNoteIn, body)))
    return _alarms_page(no) if no else back(f"/dispatch/alarms?day={day}")


def _alarms_page(no: No | None) -> ResponseReturnValue:
    seen, found = _seen()
    zones = {row.zone.id: row.zone for row in seen.zones}
    crews = {round.id: crew for crew in seen.crews for round in crew.rounds}
    return shown("alarms", no, board=seen, alarms=found, zones=zones, crews=crews, actions=list(AlarmAction))
