"""The regulator's pages: one search box, traces as timeline and map, hazards, the evidence verified.

A page shows what oversight and the rooms below say, under the rights of who looks; each look at a bottle, an
order or a household is kept (oversight/looks.py) and every page says so.
"""

from typing import Any
from uuid import UUID

from flask import g, redirect, render_template, request
from flask.typing import ResponseReturnValue

from core import clock
from core.auth import ScopeKind
from core.fields import seen
from core.http import doing
from core.paging import MAX_LIMIT, Page
from core.problems import NotFound
from core.refusal import Audience
from cylinders import cancellation_queries, corrections
from cylinders.bottle_file_queries import BottleFile, cylinder_file
from cylinders.schemas import ResolutionIn
from dispatch.safety import queries as safety
from dispatch.safety import service as hazards
from dispatch.safety.catalogue import ITEMS
from dispatch.safety.models import Grade
from dispatch.safety.schemas import CheckIn, ClosingIn
from dispatch.safety.states import HazardState
from evidence.entry import Subject
from evidence.models import SubjectType
from oversight import looks, lookup, proof, queries
from oversight.lookup import Found, FoundKind
from oversight.queries import Trace
from oversight.timeline import Step, Timeline, timeline
from registry.household_file_queries import household_view
from rulebook.words import WORDS
from web import trace_words
from web.office.said import UNFIT
from web.pages import Face, No, day_said, form_of, number_said, tried

face = Face("regulator", __name__, prefix="/oversight")

DOOR = "用户门口 At the door"

ADDRESSES = {
    FoundKind.CYLINDER: "/oversight/cylinders/",
    FoundKind.HAZARD: "/oversight/hazards/",
    FoundKind.HOUSEHOLD: "/oversight/households/",
    FoundKind.ORDER: "/oversight/orders/",
    FoundKind.REFUSAL: "/oversight/refusals/",
    FoundKind.VEHICLE: "/oversight/vehicles/",
}


@face.context_processor
def said() -> dict[str, Any]:
    return {
        "words": trace_words,
        "district_wide": "doing" in g and _is_district_wide(),
        "address_of": _address_of,
        "leads_to": _leads_to,
        "check_page": "/oversight/checks/",
        "audience": Audience.OFFICE,
        "state_zh": lambda code: WORDS.get(code, code),
        "now": clock.now(),
    }


def _is_district_wide() -> bool:
    """Refusals, tips and conflicts are the district's: a street's regulator has no such lists."""
    return doing().actor.reach.kind in (ScopeKind.ALL, ScopeKind.DISTRICT)


def _address_of(subject: Subject) -> str | None:
    """The page of a subject that a trace leads to; None where there is none."""
    pages = {
        SubjectType.CYLINDER: "cylinders",
        SubjectType.HAZARD: "hazards",
        SubjectType.HOUSEHOLD: "households",
        SubjectType.ORDER: "orders",
    }
    return f"/oversight/{pages[subject.type]}/{subject.key}" if subject.type in pages else None


def _leads_to(line: Timeline, step: Step) -> list[Subject]:
    """What a step leads to. Of a round or a plan, which touch many households, to none of them: they are
    other people's, and nothing of this trace."""
    subjects = [one for one in step.entry.subjects if _address_of(one) and one != line.trace.subject]
    households = [one for one in step.entry.subjects if one.type is SubjectType.HOUSEHOLD]
    return subjects if len(households) <= 1 else [one for one in subjects if one not in households]


# --- search -----------------------------------------------------------------------------------------------


@face.page("/", "trace.read")
def home() -> str:
    return _home()


@face.page("/search", "trace.read", methods=("POST",))
def search() -> ResponseReturnValue:
    """By POST, so that an address or a card never stands in an address bar, a history or a log."""
    wanted = seen(request.form.get("q", ""))
    found = lookup.find(doing(), wanted)
    if len(found) == 1:
        return redirect(_page_of(found[0]))
    return _home(wanted=wanted, found=found)


def _home(wanted: str | None = None, found: list[Found] | None = None) -> str:
    today = clock.today()
    todo = safety.register(doing(), today)
    whole = _is_district_wide()
    return render_template(
        "regulator/home.html",
        wanted=wanted,
        found=[(one, _page_of(one)) for one in found or []],
        todo=todo,
        due=len(safety.follow_ups(doing(), limit=200, due_on=today).items),
        refused=len(queries.refusals_of_day(doing(), today).rows) if whole else None,
        tips=len(queries.latest_tips(doing())) if whole else None,
        contested=len(queries.conflicts(doing())) if whole else None,
        looked=looks.looks_by(doing()),
    )


def _page_of(found: Found) -> str:
    return ADDRESSES[found.kind] + found.key


# --- traces -----------------------------------------------------------------------------------------------


@face.page("/cylinders/<uuid:cylinder_id>", "trace.read")
def cylinder(cylinder_id: UUID) -> str:
    trace = queries.cylinder_trace(doing(), cylinder_id, None)
    bottle = _bottle(cylinder_id)
    holds = [hold for hold in bottle.holds if hold.until_at is None] if bottle is not None else []
    return _trace_page("气瓶", "Cylinder", trace, bottle=bottle, holds=len(holds))


def _bottle(cylinder_id: UUID) -> BottleFile | None:
    """The file, where the bottle is of this district; its trace any regulator may read."""
    try:
        return cylinder_file(doing(), cylinder_id)
    except NotFound:
        return None


@face.page("/orders/<uuid:order_id>", "trace.read")
def order(order_id: UUID) -> str:
    return _trace_page("订单", "Order", queries.order_trace(doing(), order_id, None))


@face.page("/households/<uuid:household_id>", "trace.read")
def household(household_id: UUID) -> str:
    """A household with its file: who is registered, masked; its cards; what stands against it."""
    trace = queries.household_trace(doing(), household_id, None)
    return _trace_page(
        "住户",
        "Household",
        trace,
        file=household_view(doing(), household_id),
        standing=safety.standing(doing(), household_id),
        checks=list(safety.checks(doing(), limit=200, household_id=household_id).items),
    )


def _trace_page(zh: str, en: str, trace: Trace, **more: Any) -> str:
    line = timeline(doing(), trace)
    page: dict[str, Any] = {"file": None, "standing": None, "checks": [], "bottle": None} | more
    return render_template(
        "regulator/trace.html",
        zh=zh,
        en_title=en,
        line=line,
        points=_points(line),
        further=sorted({one for step in line.steps for one in _leads_to(line, step)}),
        entries=len(trace.events),
        heads=[one.entries[-1].hash.hex() for one in trace.chains if one.entries],
        **page,
    )


def _points(line: Timeline) -> list[dict[str, Any]]:
    """What the map shows: each place once, with the numbers of its steps, in their order."""
    places: dict[tuple[float, float, str], dict[str, Any]] = {}
    for number, row in enumerate(line.rows, start=1):
        if not isinstance(row, Step) or row.spot is None:
            continue
        spot = row.spot
        here = places.setdefault(
            (round(spot.lon, 5), round(spot.lat, 5), spot.site or DOOR),
            {"lon": spot.lon, "lat": spot.lat, "name": spot.site or DOOR, "steps": [], "bad": False},
        )
        here["steps"].append(number)
        here["bad"] = here["bad"] or row.is_hazard
    return list(places.values())


@face.page("/vehicles/<uuid:vehicle_id>", "refusal.read")
def vehicle(vehicle_id: UUID) -> str:
    found, drives = queries.drives_of(doing(), vehicle_id)
    return render_template("regulator/vehicle.html", vehicle=found, drives=drives)


# --- the hazard register ------------------------------------------------------------------------------------


@face.page("/hazards", "hazard.read")
def register() -> str:
    """Filters stand in the address, so that a list can be sent on. What is no filter of ours is left out."""
    asked = request.args
    state, grade = _word(HazardState, asked.get("state")), _word(Grade, asked.get("grade"))
    street = asked.get("street", "").strip()
    number = max(1, min(10_000, asked.get("page", 1, type=int) or 1))
    chosen = {
        "state": state,
        "grade": grade,
        "street": street if street.isascii() and street.isdigit() and len(street) <= 12 else None,
        "overdue": asked.get("overdue") == "1",
        "untold": asked.get("untold") == "1",
    }
    today = clock.today()
    found = safety.register(doing(), today, number=number, **chosen)
    return render_template(
        "regulator/hazards.html",
        found=found,
        chosen=chosen,
        today=today,
        states=list(HazardState),
        grades=list(Grade),
        filters={name: said for name, said in asked.items() if name != "page" and said},
    )


def _word(words: type[Any], said: str | None) -> Any:
    return words(said) if said in {word.value for word in words} else None


@face.page("/hazards/<uuid:hazard_id>", "hazard.read")
def hazard(hazard_id: UUID) -> str:
    return _hazard_page(hazard_id)


@face.page("/hazards/<uuid:hazard_id>/closings", "hazard.close", methods=("POST",))
def close(hazard_id: UUID) -> ResponseReturnValue:
    def act() -> None:
        hazards.close(doing(), hazard_id=hazard_id, **form_of(ClosingIn, _said("check_id")))

    _, no = tried(act)
    if no is None:
        return redirect(f"/oversight/hazards/{hazard_id}")
    return _hazard_page(hazard_id, no), no.status


def _hazard_page(hazard_id: UUID, no: Any = None) -> str:
    view = safety.hazard(doing(), hazard_id)
    trace = queries.hazard_trace(doing(), hazard_id, view.hazard.household_id)
    return render_template(
        "regulator/hazard.html",
        view=view,
        item=ITEMS[view.hazard.item],
        line=timeline(doing(), trace),
        entries=len(trace.events),
        rechecks=safety.rechecks_of(doing(), view.hazard) if view.hazard.state is HazardState.MENDED else [],
        today=clock.today(),
        no=no,
    )


@face.page("/notices/<uuid:notice_id>", "hazard.read")
def notice(notice_id: UUID) -> str:
    """The notice as it is printed; name and address are written in by hand."""
    return render_template("regulator/notice.html", text=safety.notice(doing(), notice_id))


@face.page("/checks/<uuid:check_id>", "check.read")
def check(check_id: UUID) -> str:
    return render_template("regulator/check.html", view=safety.check(doing(), check_id), items=ITEMS)


@face.page("/households/<uuid:household_id>/checks/new", "check.record")
def new_check(household_id: UUID) -> str:
    """A check without an order: survey, look-back, re-check, revisit."""
    return _new_check_page(household_id)


@face.page("/households/<uuid:household_id>/checks", "check.record", methods=("POST",))
def record_check(household_id: UUID) -> ResponseReturnValue:
    """Sent is confirmed: the checker, signed in, stands for every answer."""
    body = _check_said(household_id)
    done, no = tried(lambda: hazards.record(doing(), **form_of(CheckIn, body)))
    if done is not None:
        return redirect(f"/oversight/checks/{done['check_id']}")
    assert no is not None
    return _new_check_page(household_id, no, body), no.status


def _check_said(household_id: UUID) -> dict[str, Any]:
    """The form's fields in the shape of the API's."""
    form = request.form
    items = []
    for code in ITEMS if not form.get("refused") else ():
        if form.get(code):
            measured = form.get(f"{code}-measured", "").strip()
            answer: dict[str, Any] = {"item": code, "result": form[code]}
            if measured and form[code] != "not_applicable":
                answer["measured"] = number_said(measured)
            items.append(answer)
    return {
        "household_id": str(household_id),
        **_said("reason", "mode", "remote_reason"),
        "refused": bool(form.get("refused")),
        "items": items,
        "user_signed": bool(form.get("user_signed")),
        "briefed": bool(form.get("briefed")),
        "checked_at": clock.stamp(clock.now()),
    }


def _new_check_page(household_id: UUID, no: No | None = None, body: dict[str, Any] | None = None) -> str:
    """``ids``: which field of the page a fault's pointer means; ``faults``: the fault of each item."""
    safety.standing(doing(), household_id)  # 404 for a household out of reach
    items = body["items"] if body is not None else []
    ids, faults = {"/items": f"item-{next(iter(ITEMS))}"}, {}
    for fault in no.errors if no is not None else ():
        _, _, rest = fault.pointer.partition("/items/")
        number = rest.partition("/")[0]
        if number.isdecimal() and int(number) < len(items):
            code = items[int(number)]["item"]
            ids[fault.pointer], faults[code] = f"item-{code}", fault
    return render_template(
        "regulator/new_check.html",
        household_id=household_id,
        book=safety.catalogue(doing(), None),
        said=request.form,
        no=no,
        ids=ids,
        faults=faults,
    )


@face.page("/follow-ups", "check.read")
def follow_ups() -> str:
    found = safety.follow_ups(doing(), limit=200)
    return render_template("regulator/follow_ups.html", found=found, today=clock.today())


# --- refusals, tips, conflicts ------------------------------------------------------------------------------


@face.page("/refusals", "refusal.read")
def refusals() -> str:
    asked = request.args
    found = queries.refusals_of_day(
        doing(), day_said(asked.get("day")) or clock.today(), asked.get("code") or None
    )
    return render_template("regulator/refusals.html", found=found, code=asked.get("code"), number=None)


@face.page("/refusals/<number>", "refusal.read")
def refusal(number: str) -> str:
    """The day of a refusal that was read out over the telephone, with that one marked."""
    if not lookup.REFUSAL_NO.fullmatch(number):
        raise NotFound
    day = queries.day_of_refusal(doing(), number)
    found = queries.refusals_of_day(doing(), day or clock.today())
    return render_template("regulator/refusals.html", found=found, code=None, number=number)


@face.page("/tips", "tip.read")
def tips() -> str:
    return render_template("regulator/tips.html", tips=queries.latest_tips(doing()))


@face.page("/cancellations", "out_of_use.read")
def cancellations() -> str:
    """Unfit bottles whose registration stands: what has waited longest first."""

    def asked(cursor: str | None) -> Page:
        return cancellation_queries.cancellations_due(doing(), limit=MAX_LIMIT, cursor=cursor)

    page, _ = tried(lambda: asked(request.args.get("cursor")))
    return render_template(
        "regulator/cancellations.html",
        page=page or asked(None),  # a cursor of another list, or of nobody's
        unfit=UNFIT,
        within_days=cancellation_queries.within_days(cancellation_queries.law_of(doing())),
        basis=cancellation_queries.basis_of(doing()),
    )


@face.page("/conflicts", "cylinder.resolve_conflict")
def conflicts() -> str:
    return _conflicts_page()


@face.page("/conflicts/<uuid:cylinder_id>/<uuid:conflict_id>", "cylinder.resolve_conflict", methods=("POST",))
def resolve(cylinder_id: UUID, conflict_id: UUID) -> ResponseReturnValue:
    """A person says which of the two facts is true, and how that was found out."""
    asked = {name: request.form.get(f"{name}-{conflict_id}", "") for name in ("true_fact_id", "reason")}

    def act() -> None:
        said = form_of(ResolutionIn, asked)
        corrections.resolve_conflict(doing(), cylinder_id=cylinder_id, conflict_id=conflict_id, **said)

    _, no = tried(act)
    if no is None:
        return redirect("/oversight/conflicts")
    return _conflicts_page(no, conflict_id), no.status


def _conflicts_page(no: Any = None, conflict_id: UUID | None = None) -> str:
    return render_template(
        "regulator/conflicts.html",
        waiting=queries.conflicts(doing()),
        resolved=queries.conflicts(doing(), resolved=True)[:30],
        no=no,
        tried_on=conflict_id,
    )


# --- the evidence -------------------------------------------------------------------------------------------


@face.page("/chain", "refusal.read")
def chain() -> str:
    return render_template(
        "regulator/chain.html", proof=None, standing=proof.how_many(doing()), most=proof.MOST_ENTRIES
    )


@face.page("/chain", "refusal.read", methods=("POST",))
def prove() -> str:
    found = proof.prove(doing())
    return render_template(
        "regulator/chain.html", proof=found, standing=found.entries, most=proof.MOST_ENTRIES
    )


def _said(*names: str) -> dict[str, str]:
    return {name: request.form[name] for name in names if request.form.get(name)}
