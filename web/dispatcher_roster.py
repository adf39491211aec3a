"""The dispatcher's rosters: propose one, look at it and change it, confirm it; and who is away.

As with plans, looking sends nobody anywhere: confirming is a second step on a page of its own.
"""

from collections.abc import Mapping
from datetime import date, time
from typing import Any
from uuid import UUID

from flask import Response, render_template, request
from flask.typing import ResponseReturnValue

from core import clock
from core.auth import ScopeKind
from core.http import doing
from core.jobs import JobState
from core.problems import WrongField
from dispatch.rounds import roster as rostering
from dispatch.rounds import roster_queries as seen
from dispatch.rounds.roster import ROSTER_JOB
from dispatch.rounds.roster_schemas import AbsenceIn, RosterChangeIn, RosterIn
from oversight import board as boards
from registry import crew_queries
from registry import queries as registry
from registry import rosters as duty
from registry.models import Staff
from registry.roster_models import AbsenceReason
from web import dispatcher_words
from web.dispatcher import asked_day, back, face, shown
from web.pages import No, form_of, number_said, tried

SHIFTS = (("07:00", "14:00"), ("13:00", "20:00"))
"""Offered where nothing was typed yet; whatever the firm works is typed over it."""
OFF = "off"


@face.page("/rosters", "roster.read")
def rosters() -> ResponseReturnValue:
    return _rosters_page(None)


@face.page("/roster-jobs", "roster.propose", methods=("POST",))
def ask_roster() -> ResponseReturnValue:
    def act() -> Any:
        asked = {
            "firm_id": request.form.get("firm_id"),
            "day": asked_day().isoformat(),
            "shifts": _shifts(),
        }
        return rostering.ask_roster(doing(), **form_of(RosterIn, asked))

    done, no = tried(act)
    return back(f"/dispatch/roster-jobs/{done['job_id']}") if done else _rosters_page(no)


def _shifts() -> list[dict[str, int]]:
    """The lines of the form that are not empty."""
    found = []
    for number in range(len(SHIFTS)):
        starts, ends = request.form.get(f"from-{number}", ""), request.form.get(f"until-{number}", "")
        if starts or ends:
            found.append({"from_s": _second(starts, number), "until_s": _second(ends, number)})
    return found


def _second(text: str, number: int) -> int:
    try:
        at = time.fromisoformat(text)
    except ValueError:
        raise WrongField(
            f"/from-{number}", "time", "应为时刻，如 07:00", "expected a time, as 07:00"
        ) from None
    return at.hour * 3600 + at.minute * 60


@face.page("/absences", "absence.enter", methods=("POST",))
def enter_absence() -> ResponseReturnValue:
    """Somebody or something is away; the one list names couriers and vehicles."""
    kind, _, who = request.form.get("who", "").partition(":")
    names = ("firm_id", "reason", "from_on", "until_on")
    asked = {name: request.form.get(name) for name in names}
    asked["vehicle_id" if kind == "vehicle" else "staff_id"] = who
    _, no = tried(lambda: duty.enter_absence(doing(), **form_of(AbsenceIn, asked)))
    return _rosters_page(no) if no else back(f"/dispatch/rosters?day={asked_day()}")


@face.page("/absences/<uuid:absence_id>/withdraw", "absence.enter", methods=("POST",))
def withdraw_absence(absence_id: UUID) -> ResponseReturnValue:
    duty.withdraw_absence(doing(), absence_id)
    return back(f"/dispatch/rosters?day={asked_day()}")


def _rosters_page(no: No | None) -> ResponseReturnValue:
    day = asked_day()
    with doing().ground.reads() as db:
        choices = crew_queries.crew_choices(db, doing().district, duty.firm_in_reach(doing()))
        names = boards.names_of(db, doing(), choices.couriers)
        firms = sorted({one.firm_id for one in choices.vehicles} | {one.firm_id for one in choices.couriers})
        firm_rows = [(firm.id, firm.name) for one in firms if (firm := registry.firm(db, one)) is not None]
    couriers = {one.id: f"{names[one.id] or '—'} {one.certificate_no}" for one in choices.couriers}
    vehicles = {one.id: one.plate for one in choices.vehicles}
    return shown(
        "rosters",
        no,
        day=day,
        rosters=seen.rosters(doing(), day=day),
        jobs=seen.roster_jobs(doing(), day, ROSTER_JOB),
        away=duty.absences(doing(), from_on=day, until_on=day),
        who=couriers | vehicles,
        who_rows=[
            *((f"courier:{key}", said) for key, said in couriers.items()),
            *((f"vehicle:{key}", said) for key, said in vehicles.items()),
        ],
        firm_rows=firm_rows,
        is_own=doing().actor.reach.kind is ScopeKind.FIRM,
        reasons=[(one.value, " ".join(dispatcher_words.ABSENCE[one])) for one in AbsenceReason],
        shifts=SHIFTS,
        given=request.form,
    )


# --- the job ----------------------------------------------------------------------------------------------


@face.page("/roster-jobs/<uuid:job_id>", "roster.propose")
def roster_job(job_id: UUID) -> ResponseReturnValue:
    """How far it is; a page that is done goes on to the roster."""
    job = seen.roster_job(doing(), job_id, ROSTER_JOB)
    if job["state"] is JobState.DONE:
        return back(f"/dispatch/rosters/{job['roster_id']}")
    return shown("roster_job", job=job, seconds=_seconds(job))


@face.page("/roster-jobs/<uuid:job_id>/state", "roster.propose")
def roster_job_state(job_id: UUID) -> ResponseReturnValue:
    """The moving part; once the job has ended the whole page is loaded again."""
    job = seen.roster_job(doing(), job_id, ROSTER_JOB)
    drawn = render_template("dispatch/_plan_job.html", job=job, seconds=_seconds(job), said=dispatcher_words)
    answer = Response(drawn)
    if job["state"] not in (JobState.ASKED, JobState.RUNNING):
        answer.headers["HX-Redirect"] = f"/dispatch/roster-jobs/{job_id}"
    return answer


def _seconds(job: Mapping[str, Any]) -> int:
    return max(0, int((clock.now() - (job["started_at"] or job["recorded_at"])).total_seconds()))


@face.page("/roster-jobs/<uuid:job_id>/cancel", "roster.propose", methods=("POST",))
def cancel_roster(job_id: UUID) -> ResponseReturnValue:
    _, no = tried(lambda: rostering.cancel_roster(doing(), job_id=job_id))
    if no is not None:
        job = seen.roster_job(doing(), job_id, ROSTER_JOB)
        return shown("roster_job", no, job=job, seconds=_seconds(job))
    return back(f"/dispatch/roster-jobs/{job_id}")


# --- one roster -------------------------------------------------------------------------------------------


@face.page("/rosters/<uuid:roster_id>", "roster.read")
def roster(roster_id: UUID) -> ResponseReturnValue:
    """Who works where, what is lacking, who is apart and why."""
    return shown("roster", **_looked_at(roster_id))


@face.page("/rosters/<uuid:roster_id>/changes", "roster.change", methods=("POST",))
def change_roster(roster_id: UUID) -> ResponseReturnValue:
    """One crew to another place of the roster, or off it; what stands against it is said at once."""
    zone_id, _, shift = request.form.get("place", "").partition(":")
    asked: dict[str, Any] = {"binding_id": request.form.get("binding_id")}
    if zone_id != OFF:
        asked |= {"zone_id": zone_id, "shift": number_said(shift)}
    _, no = tried(
        lambda: rostering.change_roster(doing(), roster_id=roster_id, **form_of(RosterChangeIn, asked))
    )
    return shown("roster", no, **_looked_at(roster_id)) if no else back(f"/dispatch/rosters/{roster_id}")


@face.page("/rosters/<uuid:roster_id>/confirm", "roster.confirm")
def look_before_confirming(roster_id: UUID) -> ResponseReturnValue:
    """Looking at a roster binds nobody: that is said once more, and done here."""
    return shown("roster_confirm", **_looked_at(roster_id))


@face.page("/rosters/<uuid:roster_id>/confirm", "roster.confirm", methods=("POST",))
def confirm_roster(roster_id: UUID) -> ResponseReturnValue:
    _, no = tried(lambda: rostering.confirm_roster(doing(), roster_id=roster_id))
    if no is not None:
        return shown("roster_confirm", no, **_looked_at(roster_id))
    return back(f"/dispatch/rosters/{roster_id}")


def _looked_at(roster_id: UUID) -> dict[str, Any]:
    found = seen.roster(doing(), roster_id)
    crews = [*found["lines"], *found["free"], *found["apart"]]
    day: date = found["day"]
    with doing().ground.reads() as db:
        staff = [
            one
            for staff_id in {UUID(str(crew["courier_id"])) for crew in crews if crew["courier_id"]}
            if (one := db.get(Staff, (doing().district, staff_id))) is not None
        ]
        names = boards.names_of(db, doing(), staff)
    places = [
        (
            f"{need['zone_id']}:{need['shift']}",
            f"{need['zone_number']} {need['zone_name']} {_span(found['shifts'][need['shift']])}",
        )
        for need in found["needs"]
    ]
    return {
        "roster": found,
        "day": day,
        "couriers": {str(one.id): f"{names[one.id] or '—'} {one.certificate_no}" for one in staff},
        "places": places,
        "place_rows": [*places, (OFF, "不排 off the roster")],
        "spans": [_span(shift) for shift in found["shifts"]],
        "lacking": sum(need["short_crews"] for need in found["needs"]),
        "elsewhere": sum(line["is_elsewhere"] for line in found["lines"]),
        "against": sum(bool(line["reasons"]) or not line["is_bound"] for line in found["lines"]),
    }


def _span(shift: Mapping[str, int]) -> str:
    return f"{dispatcher_words.of_day(shift['from_s'])}–{dispatcher_words.of_day(shift['until_s'])}"
