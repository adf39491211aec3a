"""Reads of rosters: who is on it and where, what is lacking, who is apart and why, as they stand now."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import jobs
from core.doing import Doing
from core.problems import NotFound
from core.refusal import Refusal
from dispatch.rounds.queries import how_it_stands, job_in_reach
from registry.models import Zone
from registry.roster_gate import day_refusals, shift_refusals
from registry.roster_models import Roster
from registry.rosters import RosterCrew, crews_on, firm_in_reach, shift_of
from registry.states import RosterState
from rulebook import current


def roster_in_reach(db: Session, doing: Doing, roster_id: UUID) -> Roster:
    found = db.get(Roster, (doing.district, roster_id))
    if found is None:
        raise NotFound
    doing.actor.must_reach(firm=found.firm_id, district=found.district)
    return found


def roster_job(doing: Doing, job_id: UUID, kind: str) -> dict[str, Any]:
    with doing.ground.sessions() as db:
        return roster_job_view(doing, job_in_reach(db, doing, job_id, kind))


def roster_job_view(doing: Doing, job: jobs.Job) -> dict[str, Any]:
    asked = {"firm_id": job.firm_id, "day": job.asked["day"]}
    return {**how_it_stands(doing, job), **asked, "roster_id": job.result_id}


def roster_jobs(doing: Doing, day: date, kind: str) -> list[dict[str, Any]]:
    """The last that were asked for, for that day."""
    firm_id = firm_in_reach(doing)
    with doing.ground.sessions() as db:
        found = jobs.latest(db, doing.district, kind, firm_id, day.isoformat())
        return [roster_job_view(doing, job) for job in found]


def rosters(doing: Doing, *, day: date) -> list[Roster]:
    """Of one day: the one that stands first, then the latest."""
    firm_id = firm_in_reach(doing)
    with doing.ground.reads() as db:
        found = list(
            db.scalars(
                sa.select(Roster)
                .where(
                    Roster.district == doing.district,
                    Roster.day == day,
                    sa.true() if firm_id is None else Roster.firm_id == firm_id,
                )
                .order_by(Roster.recorded_at.desc(), Roster.id.desc())
            )
        )
    return sorted(found, key=lambda row: row.state is not RosterState.CONFIRMED)


def roster(doing: Doing, roster_id: UUID) -> dict[str, Any]:
    with doing.ground.sessions() as db:
        row = roster_in_reach(db, doing, roster_id)
        crews = {str(one.bound.binding.id): one for one in crews_on(db, row.district, row.firm_id, row.day)}
        names = ("id", "firm_id", "day", "state", "shifts", "moved_m", "optimal", "seed")
        return {
            **{name: getattr(row, name) for name in (*names, "recorded_at", "confirmed_at")},
            "needs": _needs(db, row, crews),
            "lines": [_line(doing, row, line, crews.get(line["binding_id"])) for line in row.lines],
            "free": _free(doing, row, crews),
            "apart": [_apart(doing, one) for one in row.apart],
        }


def _needs(db: Session, row: Roster, crews: Mapping[str, RosterCrew]) -> list[dict[str, Any]]:
    """What is asked for and what of it is lacking, with the lines as they are now."""
    there, trucks = Counter[tuple[str, int]](), Counter[tuple[str, int]]()
    for line in row.lines:
        key = (line["zone_id"], line["shift"])
        there[key] += 1
        crew = crews.get(line["binding_id"])
        trucks[key] += crew is not None and crew.bound.vehicle.carries_50kg
    zones = {
        str(zone.id): zone
        for zone in db.scalars(sa.select(Zone).where(Zone.id.in_([need["zone_id"] for need in row.needs])))
    }
    return [
        {
            **need,
            "zone_number": zones[need["zone_id"]].number,
            "zone_name": zones[need["zone_id"]].name,
            "short_crews": max(0, need["crews"] - there[need["zone_id"], need["shift"]]),
            "short_trucks": max(0, need["trucks"] - trucks[need["zone_id"], need["shift"]]),
        }
        for need in sorted(row.needs, key=lambda one: (zones[one["zone_id"]].number, one["shift"]))
    ]


def _line(doing: Doing, row: Roster, line: Mapping[str, Any], crew: RosterCrew | None) -> dict[str, Any]:
    """``reasons``: what stands against it now, of a proposal; a confirmed roster is what was decided."""
    reasons: Sequence[Refusal] = ()
    if crew is not None and row.state is RosterState.PROPOSED:
        law = current().at(str(doing.district), row.day)
        reasons = list(shift_refusals(crew.facts, shift_of(row, line["shift"]), row.day, law))
    return {
        **line,
        "courier_id": crew and crew.bound.courier.id,
        "vehicle_id": crew and crew.bound.vehicle.id,
        "plate": crew and crew.bound.vehicle.plate,
        "has_truck": crew is not None and crew.bound.vehicle.carries_50kg,
        "is_bound": crew is not None,
        "is_elsewhere": crew is not None and str(crew.bound.binding.zone_id) != line["zone_id"],
        "reasons": [reason.worded(doing.actor.audience) for reason in reasons],
    }


def _free(doing: Doing, row: Roster, crews: Mapping[str, RosterCrew]) -> list[dict[str, Any]]:
    """Crews that might work and stand in no line."""
    rostered = {line["binding_id"] for line in row.lines}
    law = current().at(str(doing.district), row.day)
    return [
        {
            "binding_id": one.bound.binding.id,
            "courier_id": one.bound.courier.id,
            "vehicle_id": one.bound.vehicle.id,
            "plate": one.bound.vehicle.plate,
            "zone_id": one.bound.binding.zone_id,
            "has_truck": one.bound.vehicle.carries_50kg,
        }
        for key, one in crews.items()
        if key not in rostered and not any(day_refusals(one.facts, row.day, law))
    ]


def _apart(doing: Doing, one: Mapping[str, Any]) -> dict[str, Any]:
    reasons = [Refusal.from_plain(reason) for reason in one["reasons"]]
    return {**one, "reasons": [reason.worded(doing.actor.audience) for reason in reasons]}
