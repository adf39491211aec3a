"""Thin: load the form, call one service, dump the answer."""

from typing import Any
from uuid import UUID

from core.http import Room, doing
from core.paging import Page
from dispatch.orders.queries import OrderWithLines
from dispatch.orders.queries import order as one_order
from dispatch.orders.schemas import MoveIn, OrderOut
from dispatch.rounds import by_hand, change_queries, changes, moving, queries, service, zoning, zoning_jobs
from dispatch.rounds.asked_jobs import AT_THE_JOB, Asked, asked
from dispatch.rounds.models import ZoneApproval
from dispatch.rounds.schemas import (
    AppliedView,
    ApprovalIn,
    ApprovalView,
    ChangedView,
    ChangeIn,
    ChangeView,
    DayMoveQuery,
    DayUnderWayView,
    MoveVerdictView,
    Nothing,
    PlanIn,
    PlanJobView,
    PlanView,
    RoundPage,
    RoundsQuery,
    RoundView,
    RoundWithStopsView,
    StandingQuery,
    StartIn,
    StopMoveIn,
    StopMoveQuery,
)
from dispatch.rounds.zoning_schemas import ComparisonQuery, ComparisonView, ProposalIn, ZonesJobView

room = Room("rounds", __name__)


@room.post("/districts/<int:district>/plan-jobs")
@room.may("plan.make", writes=True)
@room.arguments(PlanIn)
@room.response(202, PlanJobView, headers=AT_THE_JOB)
def ask_plan(body: dict[str, Any], district: int) -> Asked:
    """Have a zone's day solved, one of a zone at a time; look at the job, or cancel it."""
    done = service.ask_plan(doing(), **body)
    return asked(queries.plan_job(doing(), UUID(done["job_id"])), "rounds.read_plan_job", district)


@room.post("/districts/<int:district>/plans")
@room.may("plan.make", writes=True)
@room.arguments(PlanIn)
@room.response(202, PlanJobView, headers=AT_THE_JOB)
def make_plan(body: dict[str, Any], district: int) -> Asked:
    """The same as asking at ``plan-jobs``: every plan is solved in the queue."""
    done = service.ask_plan(doing(), **body)
    return asked(queries.plan_job(doing(), UUID(done["job_id"])), "rounds.read_plan_job", district)


@room.get("/districts/<int:district>/plan-jobs/<uuid:job_id>")
@room.may("plan.read")
@room.response(200, PlanJobView)
def read_plan_job(district: int, job_id: UUID) -> dict[str, Any]:
    return queries.plan_job(doing(), job_id)


@room.post("/districts/<int:district>/plan-jobs/<uuid:job_id>/cancellations")
@room.may("plan.make", writes=True)
@room.arguments(Nothing)
@room.response(201, PlanJobView)
def cancel_plan(body: dict[str, Any], district: int, job_id: UUID) -> dict[str, Any]:
    """Nobody waits for it any more; plans that stand stay as they are."""
    done = service.cancel_plan(doing(), job_id=job_id)
    return queries.plan_job(doing(), UUID(done["job_id"]))


@room.get("/districts/<int:district>/plans/<uuid:plan_id>")
@room.may("plan.read")
@room.response(200, PlanView)
def read_plan(district: int, plan_id: UUID) -> dict[str, Any]:
    return queries.plan(doing(), plan_id)


@room.post("/districts/<int:district>/plans/<uuid:plan_id>/applications")
@room.may("plan.apply", writes=True)
@room.arguments(Nothing)
@room.response(201, AppliedView)
def apply_plan(body: dict[str, Any], district: int, plan_id: UUID) -> dict[str, Any]:
    """Make the day's rounds of a plan, if its orders and crews still stand."""
    return service.apply_plan(doing(), plan_id=plan_id)


@room.get("/districts/<int:district>/plans/<uuid:plan_id>/moves/verdict")
@room.may("plan.make")
@room.arguments(StopMoveQuery, location="query")
@room.response(200, MoveVerdictView)
def ask_move_in_plan(query: dict[str, Any], district: int, plan_id: UUID) -> dict[str, Any]:
    """What the plan would be with one order at another place, and every rule that would break."""
    return by_hand.ask_in_plan(doing(), plan_id, **query)


@room.post("/districts/<int:district>/plans/<uuid:plan_id>/moves")
@room.may("plan.make", writes=True)
@room.arguments(StopMoveIn)
@room.response(201, PlanView)
def move_in_plan(body: dict[str, Any], district: int, plan_id: UUID) -> dict[str, Any]:
    """A plan with the order there, in the place of this one, which is discarded. Nobody is sent yet."""
    done = by_hand.move_in_plan(doing(), plan_id=plan_id, **body)
    return queries.plan(doing(), UUID(done["plan_id"]))


@room.get("/districts/<int:district>/round-changes/standing")
@room.may("plan.read")
@room.arguments(StandingQuery, location="query")
@room.response(200, DayUnderWayView)
def look_at_standing(query: dict[str, Any], district: int) -> dict[str, Any]:
    """What is left of a zone's day, trip by trip, and what waits for a trip."""
    return change_queries.day_under_way(doing(), query["zone_id"])


@room.get("/districts/<int:district>/round-changes/verdict")
@room.may("plan.make")
@room.arguments(DayMoveQuery, location="query")
@room.response(200, MoveVerdictView)
def ask_move(query: dict[str, Any], district: int) -> dict[str, Any]:
    """What today's rounds would be with one order at another place, and every rule that would break."""
    return changes.ask_move(doing(), **query)


@room.post("/districts/<int:district>/round-changes")
@room.may("plan.make", writes=True)
@room.arguments(ChangeIn)
@room.response(201, ChangeView)
def propose_change(body: dict[str, Any], district: int) -> dict[str, Any]:
    """How today would go on with an urgent order, without a crew, with a stop moved; nobody is sent yet."""
    done = changes.propose_change(doing(), **body)
    return change_queries.change(doing(), UUID(done["change_id"]))


@room.get("/districts/<int:district>/round-changes/<uuid:change_id>")
@room.may("plan.read")
@room.response(200, ChangeView)
def read_change(district: int, change_id: UUID) -> dict[str, Any]:
    return change_queries.change(doing(), change_id)


@room.post("/districts/<int:district>/round-changes/<uuid:change_id>/applications")
@room.may("plan.apply", writes=True)
@room.arguments(Nothing)
@room.response(201, ChangedView)
def apply_change(body: dict[str, Any], district: int, change_id: UUID) -> dict[str, Any]:
    """Move what the change moves, if it is still where it was seen; bottles on board stay on board."""
    return changes.apply_change(doing(), change_id=change_id)


@room.post("/districts/<int:district>/orders/<uuid:order_id>/zone-approvals")
@room.may("order.approve_outside_zone", writes=True)
@room.arguments(ApprovalIn)
@room.response(201, ApprovalView)
def approve_outside_zone(body: dict[str, Any], district: int, order_id: UUID) -> ZoneApproval:
    """The order may be served on its present round outside the crew's fixed zone, and why."""
    done = service.approve_outside_zone(doing(), order_id=order_id, **body)
    return queries.approval(doing(), UUID(done["round_id"]), order_id)


@room.get("/districts/<int:district>/rounds")
@room.may("round.read")
@room.arguments(RoundsQuery, location="query")
@room.response(200, RoundPage)
def list_rounds(query: dict[str, Any], district: int) -> Page:
    """A courier's own rounds, a dispatcher's firm's, a regulator's district's."""
    return queries.rounds(doing(), day=query.get("day"), limit=query["limit"], cursor=query.get("cursor"))


@room.get("/districts/<int:district>/rounds/<uuid:round_id>")
@room.may("round.read")
@room.response(200, RoundWithStopsView)
def read_round(district: int, round_id: UUID) -> dict[str, Any]:
    """The stops in the order they are driven; names, phones and addresses masked."""
    return queries.one_round(doing(), round_id)


@room.post("/districts/<int:district>/rounds/<uuid:round_id>/starts")
@room.may("round.drive", writes=True)
@room.arguments(StartIn)
@room.response(201, RoundView)
def start_round(body: dict[str, Any], district: int, round_id: UUID) -> dict[str, Any]:
    """Set out: the courier confirms the plate of the vehicle in front of them."""
    done = service.start_round(doing(), round_id=round_id, **body)
    return queries.one_round(doing(), UUID(done["round_id"]))


@room.post("/districts/<int:district>/rounds/<uuid:round_id>/manifests")
@room.may("round.drive", writes=True)
@room.arguments(Nothing)
@room.response(201, RoundWithStopsView)
def reveal_manifest(body: dict[str, Any], district: int, round_id: UUID) -> dict[str, Any]:
    """Names, phones and addresses of this round's stops, for its courier, on record. Never cached."""
    done = service.reveal_manifest(doing(), round_id=round_id)
    return queries.manifest(doing(), UUID(done["round_id"]))


# --- zones ------------------------------------------------------------------------------------------------


@room.get("/districts/<int:district>/zone-drafts/<uuid:draft_id>/comparison")
@room.may("zone.read")
@room.arguments(ComparisonQuery, location="query")
@room.response(200, ComparisonView)
def compare_zone_draft(query: dict[str, Any], district: int, draft_id: UUID) -> dict[str, Any]:
    """How the draft and the zones in force would each have shared out some days' orders."""
    return zoning.compare(doing(), draft_id, **query)


@room.post("/districts/<int:district>/zone-proposal-jobs")
@room.may("zone.publish", writes=True)
@room.arguments(ProposalIn)
@room.response(202, ZonesJobView, headers=AT_THE_JOB)
def ask_zones(body: dict[str, Any], district: int) -> Asked:
    """A draft that divides one firm's ground anew: balanced by orders or homes, each zone one piece."""
    done = zoning_jobs.ask_zones(doing(), **body)
    return asked(zoning_jobs.zones_job(doing(), UUID(done["job_id"])), "rounds.read_zones_job", district)


@room.post("/districts/<int:district>/zone-proposals")
@room.may("zone.publish", writes=True)
@room.arguments(ProposalIn)
@room.response(202, ZonesJobView, headers=AT_THE_JOB)
def propose_zones(body: dict[str, Any], district: int) -> Asked:
    """The same as asking at ``zone-proposal-jobs``: every division of ground is solved in the queue."""
    done = zoning_jobs.ask_zones(doing(), **body)
    return asked(zoning_jobs.zones_job(doing(), UUID(done["job_id"])), "rounds.read_zones_job", district)


@room.get("/districts/<int:district>/zone-proposal-jobs/<uuid:job_id>")
@room.may("zone.read")
@room.response(200, ZonesJobView)
def read_zones_job(district: int, job_id: UUID) -> dict[str, Any]:
    return zoning_jobs.zones_job(doing(), job_id)


@room.post("/districts/<int:district>/zone-proposal-jobs/<uuid:job_id>/cancellations")
@room.may("zone.publish", writes=True)
@room.arguments(Nothing)
@room.response(201, ZonesJobView)
def cancel_zones(body: dict[str, Any], district: int, job_id: UUID) -> dict[str, Any]:
    """Nobody waits for it any more; drafts and zones that stand stay as they are."""
    done = zoning_jobs.cancel_zones(doing(), job_id=job_id)
    return zoning_jobs.zones_job(doing(), UUID(done["job_id"]))


# --- orders that wait -------------------------------------------------------------------------------------


@room.post("/districts/<int:district>/orders/<uuid:order_id>/slot-changes")
@room.may("order.change_slot", writes=True)
@room.arguments(MoveIn)
@room.response(201, OrderOut)
@room.alt_response(200, schema=OrderOut, description="The order has this slot already", success=True)
def change_slot(body: dict[str, Any], district: int, order_id: UUID) -> tuple[OrderWithLines, int]:
    """Another slot for an order that waits and stands on no round, judged as a booking for that slot."""
    done = moving.change_slot(doing(), order_id=order_id, **body)
    return one_order(doing(), order_id), 200 if "again" in done else 201
