"""Verbs of the door: arrive, deliver, fail.

A delivery is one deed for one line: the bottle scanned, the check made, the empty taken, the proof given.
What stops supply there (a blocking finding, a refused check) and a wrong code are no refusals: they happened,
and the deed succeeds in recording them, with nothing handed over. A handover that is refused hands nothing
over either; the check that was made at that door is kept all the same (``visit_check``).
"""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from core import clock
from core.auth import ScopeKind
from core.doing import Doing
from core.geo import Datum, Point, distance_m, to_wgs84
from core.problems import NotFound, WrongField
from core.refusal import Refused
from cylinders import acts as bottles
from dispatch.deliveries import door_code, visit_check
from dispatch.deliveries import refusals as no
from dispatch.deliveries.acts import end_load
from dispatch.deliveries.crew import crew_facts, locked_round, round_refusals
from dispatch.deliveries.models import Delivery, FailureReason, LineLoad, ProofKind, VisitOutcome
from dispatch.deliveries.visit import (
    Report,
    Served,
    Visit,
    bottles_at_the_door,
    handover_facts,
    load_of,
    locked_line,
    must_be_of_this_round,
    stops_supply,
    tell_of_strangers,
    visit_refusals,
    visited,
)
from dispatch.deliveries.visit_check import VisitCheck
from dispatch.orders.acts import mark_delivered, mark_failed, mark_withheld
from dispatch.orders.models import Order, OrderLine
from dispatch.orders.queries import order_with_lines, street_of_order
from dispatch.orders.states import LineState
from dispatch.rounds.queries import round_of, stop_of
from evidence.deed import Answer, Deed, does
from evidence.models import SubjectType
from registry.acts import set_card_exception
from registry.models import Premises
from rulebook import current
from rulebook.decisions import decision_of
from rulebook.gate import judge

FAR_FROM_DOOR_M = 300
WEAK_PROOF = "weak_proof"
FAR_FROM_DOOR = "far_from_door"


# --- arrive -----------------------------------------------------------------------------------------------


@does("door_code.issue")
def arrive(deed: Deed, *, order_id: UUID) -> Answer:
    """The courier stands at the door: the resident's page shows a code. It is never told to the courier."""
    order, round, lines = visited(deed, order_id)
    reasons = round_refusals(round)
    if all(line.state is not LineState.LOADED for line in lines):
        reasons.append(no.NOTHING_TO_HAND_OVER())
    standing = door_code.code_of(deed.db, deed.district, order.id, lock=True)
    if standing is not None and door_code.is_locked(standing):
        reasons.append(no.DOOR_CODE_LOCKED(wrong_tries=standing.wrong_tries))
    if reasons:
        raise Refused(reasons)
    door_code.issue(deed, order.id, order.household_id)
    deed.tell("door_code.issued", order_id=order.id, household_id=order.household_id)
    return {"order_id": str(order.id)}


# --- deliver ----------------------------------------------------------------------------------------------


def deliver(doing: Doing, *, order_id: UUID, report: Report) -> Answer:
    """Hand over one line's bottle; or record that it was withheld, or that the code was wrong.

    ``Refused`` with every reason; the check that came along is then recorded by itself.
    """
    try:
        return _deliver(doing, order_id=order_id, report=report)
    except Refused as refused:
        if report.check is not None:
            visit_check.keep_check(
                doing,
                order_id=order_id,
                sent=report.check,
                checked_at=as_written(report.occurred_at),
                refusal_no=refused.number,
            )
        raise


@does("order.deliver")
def _deliver(deed: Deed, *, order_id: UUID, report: Report) -> Answer:
    deed.occurred_at = as_written(report.occurred_at)
    visit = _visit(deed, order_id, report)
    facts = handover_facts(deed.db, visit, report, (deed.recorded_at, deed.recorded_at))
    verdict = judge("handover", facts, str(visit.order.district), clock.day_of(report.occurred_at), current())
    deed.keep(decision_of(verdict, deed.district, street_of_order(deed.db, visit.order)))
    tell_of_strangers(deed, visit, facts)
    check, load = visit.check, visit.load
    if check is not None and load is not None and stops_supply(visit, facts):
        return _withhold(deed, visit, check, report)

    reasons = [
        *round_refusals(visit.round),
        *verdict.reasons,
        *visit.full.verdict.reasons,
        *visit_refusals(deed, visit, report),
    ]
    if reasons or check is None or load is None:
        raise Refused(reasons)
    if not _proven(deed, visit, report):
        return _wrong_code(deed, visit, check, report)
    return _hand_over(deed, visit, check, load, report)


def as_written(instant: datetime) -> datetime:
    """To the millisecond, so that what stands in a column is what stands in the entry."""
    return instant.replace(microsecond=instant.microsecond // 1000 * 1000)


def _visit(deed: Deed, order_id: UUID, report: Report) -> Visit:
    """Locked in the house's order: card, lines, binding, round, door code, hazards, bottles."""
    order, line, card, round = locked_line(deed, order_id, report.line_id)
    load = load_of(deed.db, line)
    must_be_of_this_round(deed, round, load, report.occurred_at)
    code = door_code.code_of(deed.db, deed.district, order.id, lock=True)
    check = visit_check.check_of_visit(deed, order, round, report.check, deed.occurred_at)
    full, empty, holding = bottles_at_the_door(deed, order, card, round, report)
    crew = crew_facts(deed.db, round, order, report.occurred_at)
    return Visit(order, line, card, round, load, code, check, crew, full, empty, holding)


def _proven(deed: Deed, visit: Visit, report: Report) -> bool:
    """Only a door code can still be wrong here; a wrong one is counted, not refused."""
    if report.proof.get("kind") is not ProofKind.DOOR_CODE or visit.code is None:
        return True
    return door_code.matches(deed, visit.code, visit.order.household_id, report.proof["value"])


# --- what happened ----------------------------------------------------------------------------------------


def _hand_over(deed: Deed, visit: Visit, check: VisitCheck, load: LineLoad, report: Report) -> Answer:
    empty_id = visit.empty.cylinder_id if visit.empty is not None else None
    assert visit.crew.binding is not None  # or D02 has refused
    bottles.swap(
        deed,
        full_id=load.cylinder_id,
        empty_id=empty_id,
        card=visit.card,
        courier_id=visit.round.courier_id,
        household_id=visit.order.household_id,
        binding=visit.crew.binding,
        round_id=visit.round.id,
        line_id=visit.line.id,
        occurred_at=deed.occurred_at,
    )
    mark_delivered(deed, visit.line)
    if visit.card.exception is not None:
        set_card_exception(deed, visit.card, None)
    end_load(deed, load.cylinder_id)
    return record_visit(
        deed,
        visit.served,
        check,
        report,
        VisitOutcome.DELIVERED,
        full_id=load.cylinder_id,
        empty_id=empty_id,
    )


def _withhold(deed: Deed, visit: Visit, check: VisitCheck, report: Report) -> Answer:
    """Nothing changes hands; the bottle stays with the courier until it is back at the site."""
    mark_withheld(deed, visit.line)
    return record_visit(
        deed,
        visit.served,
        check,
        report,
        VisitOutcome.WITHHELD,
        full_id=visit.bottle_id,
    )


def _wrong_code(deed: Deed, visit: Visit, check: VisitCheck, report: Report) -> Answer:
    assert visit.code is not None
    left = door_code.tries_left(visit.code)
    deed.note(tries_left=left)
    answer = record_visit(
        deed,
        visit.served,
        check,
        report,
        VisitOutcome.WRONG_CODE,
        full_id=visit.bottle_id,
    )
    return {**answer, "tries_left": left}


def record_visit(
    deed: Deed,
    served: Served,
    check: VisitCheck | None,
    report: Report,
    outcome: VisitOutcome,
    *,
    full_id: UUID | None,
    empty_id: UUID | None = None,
    late_flags: Sequence[str] = (),
) -> Answer:
    """The row that says what happened at the door; ``late_flags``: what was wrong with a late report."""
    point = _point_of(report.point)
    handed_over = outcome is VisitOutcome.DELIVERED
    drop = (report.drop if handed_over else None) or {}
    row = Delivery(
        district=deed.district,
        order_id=served.order.id,
        line_id=served.line.id,
        card_id=served.card.id,
        household_id=served.order.household_id,
        round_id=served.round.id,
        courier_id=served.round.courier_id,
        binding_id=served.round.binding_id,
        check_id=check.done.check_id if check is not None else None,
        outcome=outcome,
        full_cylinder_id=full_id,
        empty_cylinder_id=empty_id,
        proof_kind=report.proof["kind"] if handed_over else None,
        proof_sha256=_proof_hash(served.line, report) if handed_over else None,
        connected=report.connected and handed_over,
        leak_test_passed=report.leak_test_passed if handed_over else None,
        lon=point and point.lon,
        lat=point and point.lat,
        flags=[*_flags(deed.db, served.order, report, point), *late_flags],
        happened_at=deed.occurred_at,
        recorded_at=deed.recorded_at,
        consent_id=report.consent_id if handed_over else None,
        drop_place=drop.get("place"),
        drop_photo_sha256=drop.get("photo_sha256"),
    )
    deed.db.add(row)
    deed.db.flush()
    if check is not None:
        check.enter(deed)
    deed.note(delivery_id=row.id, outcome=outcome, check_id=row.check_id, flags=row.flags)
    if handed_over:
        deed.note(proof_sha256=row.proof_sha256, consent_id=row.consent_id)
    if drop:
        deed.note(drop_place=row.drop_place, drop_photo_sha256=row.drop_photo_sha256)
    if outcome is not VisitOutcome.WRONG_CODE:
        deed.tell(f"order.{outcome}", order_id=served.order.id, delivery_id=row.id)
    return {"delivery_id": str(row.id), "outcome": outcome.value}


def _point_of(point: Mapping[str, Any] | None) -> Point | None:
    return to_wgs84(point["lon"], point["lat"], Datum(point["datum"])) if point is not None else None


def _proof_hash(line: OrderLine, report: Report) -> str:
    """A signature's own hash; of a code or a card, the hash of what was shown for this line."""
    if report.proof["kind"] is ProofKind.SIGNATURE:
        return str(report.proof["sha256"])
    shown = f"{report.proof['kind'].value}:{line.id}:{report.proof['value']}"
    return hashlib.sha256(shown.encode()).hexdigest()


def _flags(db: Session, order: Order, report: Report, point: Point | None) -> list[str]:
    """What somebody should look at later. A flag stops nothing."""
    flags = []
    if report.proof.get("kind") is ProofKind.SIGNATURE:
        flags.append(WEAK_PROOF)
    premises = db.get_one(Premises, (order.district, order.premises_id))
    door = Point(premises.lon, premises.lat)
    if point is not None and distance_m(point, door) > FAR_FROM_DOOR_M:
        flags.append(FAR_FROM_DOOR)
    return flags


# --- fail -------------------------------------------------------------------------------------------------


@does("order.fail")
def fail(deed: Deed, *, order_id: UUID, line_id: UUID, reason: FailureReason) -> Answer:
    """Nobody was supplied. A bottle that was loaded stays on the vehicle until it is scanned back.

    A courier says so of a visit on the road; a dispatcher also of a round that will not set out.
    """
    db = deed.db
    found = order_with_lines(db, deed.district, order_id, lock=True)
    if found is None:
        raise NotFound
    stop = stop_of(db, deed.district, order_id)
    seen = round_of(db, deed.district, stop.round_id) if stop is not None else None
    by_courier = deed.actor.reach.kind is ScopeKind.COURIER
    if by_courier:
        deed.actor.must_reach(courier=seen and seen.courier_id)
    else:
        deed.actor.must_reach(firm=found.order.firm_id, district=deed.district)
    line = next((one for one in found.lines if one.id == line_id), None)
    if line is None:
        raise WrongField("/line_id", "unknown", "没有这个订单行", "expected a line of this order")
    deed.about(SubjectType.ORDER, order_id)
    deed.note(line_id=line.id, failure=reason)
    reasons = round_refusals(locked_round(deed, seen)) if seen is not None else []
    if by_courier and reasons:
        raise Refused(reasons)
    mark_failed(deed, line, reason.value)
    return {"line_id": str(line.id)}
