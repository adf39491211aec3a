"""Zones proposed by the worker: asked for at once, looked at, cancelled. What comes of it is a draft.

One proposal of a district at a time. A draft binds nobody: it is looked at and published, or not.
"""

from typing import Any
from uuid import UUID

from core import jobs
from core.auth import ScopeKind
from core.doing import Doing
from core.refusal import Refusal
from dispatch.rounds.queries import has_answered, job_in_reach
from dispatch.rounds.zoning import (
    Proposed,
    Wish,
    must_be_ones_own,
    proposed_for,
    store_proposal,
)
from evidence.deed import Answer, Deed, does
from evidence.models import SubjectType

ZONES_JOB = "zones.propose"


@does("zone.ask")
def ask_zones(deed: Deed, /, **wished: Any) -> Answer:
    """Have zones proposed by the worker; nothing in force changes by it."""
    wish = Wish(**wished)
    must_be_ones_own(deed.doing, wish.firm_id)
    lock = f"{ZONES_JOB}:{deed.district}"
    job = jobs.ask(deed.db, deed.doing, ZONES_JOB, wish.to_plain(), firm_id=wish.firm_id, lock=lock)
    deed.about(SubjectType.REGISTER, str(deed.district))
    deed.at(firm=wish.firm_id)
    deed.note(job_id=job.id, zones=wish.zones, unit=wish.unit, weigh_by=wish.weigh_by)
    return {"job_id": str(job.id)}


@does("zone.cancel")
def cancel_zones(deed: Deed, *, job_id: UUID) -> Answer:
    asked = job_in_reach(deed.db, deed.doing, job_id, ZONES_JOB)
    deed.about(SubjectType.REGISTER, str(deed.district))
    deed.at(firm=asked.firm_id)
    deed.note(job_id=job_id)
    jobs.cancel(deed.db, deed.district, job_id)
    return {"job_id": str(job_id)}


def do_zones_job(job: jobs.Running) -> None:
    """In the worker: for whoever asked, under a key of the job's own."""
    doing, wish = job.doing(), Wish.from_plain(job.asked)
    with doing.ground.sessions() as db:
        answered = has_answered(db, doing)
    job.say("collecting")
    proposed = Proposed(wish.firm_id, wish.name) if answered else proposed_for(job, wish)
    store_proposal(doing, proposed, job.id)


# --- reads ------------------------------------------------------------------------------------------------


def zones_job(doing: Doing, job_id: UUID) -> dict[str, Any]:
    with doing.ground.sessions() as db:
        return _view(doing, job_in_reach(db, doing, job_id, ZONES_JOB))


def zones_jobs(doing: Doing) -> list[dict[str, Any]]:
    """The last ones that were asked for within the caller's reach."""
    reach = doing.actor.reach
    own = UUID(reach.code) if reach.kind is ScopeKind.FIRM else None
    with doing.ground.sessions() as db:
        found = jobs.latest(db, doing.district, ZONES_JOB, own)
        return [_view(doing, job) for job in found]


def _view(doing: Doing, job: jobs.Job) -> dict[str, Any]:
    names = ("id", "state", "step", "refusal_no", "fault", "recorded_at", "started_at", "ended_at")
    refusals = [Refusal.from_plain(row) for row in job.reasons or ()]
    return {
        **{name: getattr(job, name) for name in names},
        **{name: job.asked[name] for name in ("name", "zones", "unit", "weigh_by", "firm_id")},
        "draft_id": job.result_id,
        "reasons": [refusal.worded(doing.actor.audience) for refusal in refusals],
    }
