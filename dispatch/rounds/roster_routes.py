"""Thin: who is away, the roster of a day, and who stands in. Load the form, call one service, dump."""

# mypy: disallow-untyped-decorators=False

from typing import Any
from uuid import UUID

from core.http import Room, doing
from dispatch.rounds import roster, stand_ins
from dispatch.rounds import roster_queries as seen
from dispatch.rounds.asked_jobs import AT_THE_JOB, Asked, asked
from dispatch.rounds.roster import ROSTER_JOB
from dispatch.rounds.roster_schemas import (
    AbsenceIn,
    AbsencesQuery,
    AbsencesView,
    AbsenceView,
    RosterChangeIn,
    RosterIn,
    RosterJobView,
    RosterQuery,
    RostersView,
    RosterView,
    SubstitutedView,
)
from dispatch.rounds.schemas import Nothing
from registry import rosters as duty
from registry.roster_models import Absence
from registry.substitutions import substitution_view
from registry.zone_schemas import SubstitutionIn

room = Room("rosters", __name__)

Json = dict[str, Any]


@room.post("/districts/<int:district>/absences")
@room.may("absence.enter", writes=True)
@room.arguments(AbsenceIn)
@room.response(201, AbsenceView)
def enter_absence(body: Json, district: int) -> Absence:
    """A courier or a vehicle is away for some days; rosters proposed from now on know it."""
    done = duty.enter_absence(doing(), **body)
    return duty.absence_view(doing(), UUID(done["absence_id"]))


@room.get("/districts/<int:district>/absences")
@room.may("roster.read")
@room.arguments(AbsencesQuery, location="query")
@room.response(200, AbsencesView)
def list_absences(query: Json, district: int) -> Json:
    """Those that touch these days and were not withdrawn."""
    return {"items": duty.absences(doing(), **query)}


@room.post("/districts/<int:district>/absences/<uuid:absence_id>/withdrawals")
@room.may("absence.enter", writes=True)
@room.arguments(Nothing)
@room.response(201, AbsenceView)
def withdraw_absence(body: Json, district: int, absence_id: UUID) -> Absence:
    duty.withdraw_absence(doing(), absence_id)
    return duty.absence_view(doing(), absence_id)


@room.post("/districts/<int:district>/roster-jobs")
@room.may("roster.propose", writes=True)
@room.arguments(RosterIn)
@room.response(202, RosterJobView, headers=AT_THE_JOB)
def ask_roster(body: Json, district: int) -> Asked:
    """Have a firm's roster of a day worked out; look at the job, or cancel it."""
    done = roster.ask_roster(doing(), **body)
    job = seen.roster_job(doing(), UUID(done["job_id"]), ROSTER_JOB)
    return asked(job, "rosters.read_roster_job", district)


@room.get("/districts/<int:district>/roster-jobs/<uuid:job_id>")
@room.may("roster.read")
@room.response(200, RosterJobView)
def read_roster_job(district: int, job_id: UUID) -> Json:
    return seen.roster_job(doing(), job_id, ROSTER_JOB)


@room.post("/districts/<int:district>/roster-jobs/<uuid:job_id>/cancellations")
@room.may("roster.propose", writes=True)
@room.arguments(Nothing)
@room.response(201, RosterJobView)
def cancel_roster(body: Json, district: int, job_id: UUID) -> Json:
    """Nobody waits for it any more; rosters that stand stay as they are."""
    done = roster.cancel_roster(doing(), job_id=job_id)
    return seen.roster_job(doing(), UUID(done["job_id"]), ROSTER_JOB)


@room.get("/districts/<int:district>/rosters")
@room.may("roster.read")
@room.arguments(RosterQuery, location="query")
@room.response(200, RostersView)
def list_rosters(query: Json, district: int) -> Json:
    """Those of a day, the confirmed one first."""
    return {"items": seen.rosters(doing(), **query)}


@room.get("/districts/<int:district>/rosters/<uuid:roster_id>")
@room.may("roster.read")
@room.response(200, RosterView)
def read_roster(district: int, roster_id: UUID) -> Json:
    """Who works where, what is lacking, who is apart and why."""
    return seen.roster(doing(), roster_id)


@room.post("/districts/<int:district>/rosters/<uuid:roster_id>/changes")
@room.may("roster.change", writes=True)
@room.arguments(RosterChangeIn)
@room.response(201, RosterView)
def change_roster(body: Json, district: int, roster_id: UUID) -> Json:
    """Put one crew into a zone's shift, or take it off; what stands against it is said at once."""
    roster.change_roster(doing(), roster_id=roster_id, **body)
    return seen.roster(doing(), roster_id)


@room.post("/districts/<int:district>/rosters/<uuid:roster_id>/confirmations")
@room.may("roster.confirm", writes=True)
@room.arguments(Nothing)
@room.response(201, RosterView)
def confirm_roster(body: Json, district: int, roster_id: UUID) -> Json:
    """From now on the day's plans go by it; every line is judged once more."""
    roster.confirm_roster(doing(), roster_id=roster_id)
    return seen.roster(doing(), roster_id)


@room.post("/districts/<int:district>/bindings/<uuid:binding_id>/substitutions")
@room.may("binding.bind", writes=True)
@room.arguments(SubstitutionIn)
@room.response(201, SubstitutedView)
def substitute(body: Json, district: int, binding_id: UUID) -> Json:
    """Somebody else, or another vehicle or device, for a while: an exception with its reason and its end."""
    done = stand_ins.substitute(doing(), binding_id, **body)
    row = substitution_view(doing(), UUID(done["substitution_id"]))
    columns = {column.key: getattr(row, column.key) for column in row.__table__.columns}
    return columns | {"stranded_round_ids": done["stranded_round_ids"]}
