"""Verbs of the door: arrive, deliver, fail.

A delivery is one deed for one line: the bottle scanned, the check made, the empty taken, the proof given.
What stops supply there (a blocking finding, a refused check) and a wrong code are no refusals: they happened,
and the deed succeeds in recording them, with nothing handed over.
"""

import functools
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import clock
from core.auth import ScopeKind
from core.geo import Datum, Point, distance_m, to_wgs84
from core.problems import NotFound, WrongField
from core.refusal import Refusal, Refused
from cylinders import acts as bottles
from cylinders.models import Cylinder
from cylinders.queries import BottleVerdict, Resolved, custody_of, holding_of, judge_bottle, resolve
from dispatch.deliveries import door_code
from dispatch.deliveries import refusals as no
from dispatch.deliveries.acts import end_load
from dispatch.deliveries.crew import CrewFacts, crew_facts, locked_round, round_refusals
from dispatch.deliveries.handover_gate import CheckOutcome, EmptyOffered, HandoverFacts
from dispatch.deliveries.models import (
    Delivery,
    DoorCode,
    EmptyException,
    FailureReason,
    LineLoad,
    ProofKind,
    VisitOutcome,
)
from dispatch.orders.acts import mark_delivered, mark_failed, mark_withheld
from dispatch.orders.models import Order, OrderLine
from dispatch.orders.queries import order_with_lines
from dispatch.orders.states import LineState
from dispatch.rounds.models import Round
from dispatch.rounds.queries import round_of, stop_of
from dispatch.safety.acts import CheckDone, ItemAnswer, record_check
from dispatch.safety.models import CheckMode, CheckReason, SafetyCheck
from dispatch.safety.models import CheckOutcome as SafetyOutcome
from dispatch.safety.queries import open_hazards
from evidence.deed import Answer, Deed, does
from evidence.models import SubjectType
from registry.acts import set_card_exception
from registry.models import Card, Premises
from registry.queries import card_by_credential, cards_of
from rulebook import current
from rulebook.decisions import decision_of
from rulebook.gate import judge

AHEAD_OF_US = timedelta(minutes=2)
"""How far a phone's clock may be ahead before what it says cannot have happened yet."""

FAR_FROM_DOOR_M = 300
WEAK_PROOF = "weak_proof"
FAR_FROM_DOOR = "far_from_door"


# --- arrive -----------------------------------------------------------------------------------------------


@does("door_code.issue")
def arrive(deed: Deed, *, order_id: UUID) -> Answer:
    """The courier stands at the door: the resident's page shows a code. It is never told to the courier."""
    order, round, lines = _visited(deed, order_id)
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


def _visited(deed: Deed, order_id: UUID) -> tuple[Order, Round, list[OrderLine]]:
    """The order, its lines and the round it stands on, locked in the house's order; 404 on nobody's round."""
    stop = stop_of(deed.db, deed.district, order_id)
    seen = round_of(deed.db, deed.district, stop.round_id) if stop is not None else None
    if seen is None:
        raise NotFound
    deed.actor.must_reach(courier=seen.courier_id)
    found = order_with_lines(deed.db, deed.district, order_id, lock=True)
    if found is None:
        raise NotFound
    round = locked_round(deed, seen)
    deed.about(SubjectType.ORDER, order_id)
    return found.order, round, found.lines


# --- deliver ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Report:
    """What the courier reports of one line's visit, as it came in (see ``schemas.DeliveryIn``)."""

    line_id: UUID
    card_credential: str | None
    check: Mapping[str, Any] | None
    full_code: str
    empty_code: str | None
    empty_exception: EmptyException | None
    proof: Mapping[str, Any]
    connected: bool
    leak_test_passed: bool | None
    point: Mapping[str, Any] | None
    occurred_at: datetime


@dataclass(frozen=True, slots=True)
class Visit:
    """Everything a handover touches, locked; the bottles as their codes were read."""

    order: Order
    line: OrderLine
    card: Card
    round: Round
    load: LineLoad | None
    code: DoorCode | None
    crew: CrewFacts
    full: BottleVerdict
    empty: Resolved | None
    holding: UUID | None


@does("order.deliver")
def deliver(deed: Deed, *, order_id: UUID, report: Report) -> Answer:
    """Hand over one line's bottle; or record that it was withheld, or that the code was wrong."""
    _must_have_happened(deed, report.occurred_at)
    deed.occurred_at = as_written(report.occurred_at)
    order, line, card, round = _locked(deed, order_id, report)
    load = _load_of(deed.db, line)
    _must_follow_the_load(load, report.occurred_at)
    code = door_code.code_of(deed.db, deed.district, order.id, lock=True)
    check = _check_of(deed, order, round, report)
    visit = _at_the_door(deed, order, line, card, round, load, code, report)

    facts = _handover_facts(deed, visit, check, report)
    place, day = str(order.district), clock.day_of(report.occurred_at)
    verdict = judge("handover", facts, place, day, current())
    deed.keep(decision_of(verdict, deed.district))
    _tell_of_strangers(deed, visit, facts)
    if check is not None and load is not None and _stops_supply(facts):
        return _withhold(deed, visit, check, load, report)

    reasons = [
        *round_refusals(round),
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


def _must_have_happened(deed: Deed, occurred_at: datetime) -> None:
    if occurred_at > deed.recorded_at + AHEAD_OF_US:
        raise WrongField("/occurred_at", "future", "发生时间还没有到", "expected a time that has come")


def _must_follow_the_load(load: LineLoad | None, occurred_at: datetime) -> None:
    if load is not None and occurred_at < load.loaded_at - AHEAD_OF_US:
        raise WrongField(
            "/occurred_at", "before_load", "发生时间早于装车", "expected a time after the bottle was loaded"
        )


def _locked(deed: Deed, order_id: UUID, report: Report) -> tuple[Order, OrderLine, Card, Round]:
    """Cards before lines before round, as everywhere."""
    seen = deed.db.get(OrderLine, (deed.district, report.line_id))
    stop = stop_of(deed.db, deed.district, order_id)
    if stop is None:
        raise NotFound
    if seen is None or seen.order_id != order_id:
        raise WrongField("/line_id", "unknown", "没有这个订单行", "expected a line of this order")
    [card] = cards_of(deed.db, deed.district, [seen.card_id], lock=True)
    order, round, lines = _visited(deed, order_id)
    [line] = [one for one in lines if one.id == report.line_id]
    deed.about(SubjectType.CARD, card.id)
    deed.about(SubjectType.HOUSEHOLD, order.household_id)
    deed.note(order_id=order.id, line_id=line.id, card_id=card.id)
    return order, line, card, round


def _load_of(db: Session, line: OrderLine) -> LineLoad | None:
    return db.scalars(
        sa.select(LineLoad).where(
            LineLoad.district == line.district, LineLoad.line_id == line.id, LineLoad.active
        )
    ).one_or_none()


def _at_the_door(
    deed: Deed,
    order: Order,
    line: OrderLine,
    card: Card,
    round: Round,
    load: LineLoad | None,
    code: DoorCode | None,
    report: Report,
) -> Visit:
    """The bottles locked together, then judged for the day on which it happened."""
    full = resolve(deed.db, report.full_code)
    empty = resolve(deed.db, report.empty_code) if report.empty_code is not None else None
    holding = holding_of(deed.db, deed.district, card.id)
    touched = {one.cylinder_id for one in (full, empty) if one is not None and one.cylinder_id is not None}
    touched |= {holding} if holding is not None else set()
    bottles.lock(deed, touched)
    deed.note(
        full_id=full.cylinder_id,
        empty_id=empty.cylinder_id if empty is not None else None,
        card_holds=holding,
        proof=report.proof["kind"],
    )
    judged = judge_bottle(
        deed.db,
        report.full_code,
        purpose="dispatch",
        site_id=round.supply_site_id,
        place=str(order.district),
        at=report.occurred_at,
    )
    crew = crew_facts(deed.db, round, order, report.occurred_at)
    return Visit(order, line, card, round, load, code, crew, judged, empty, holding)


# --- the check of this visit ------------------------------------------------------------------------------


def _check_of(deed: Deed, order: Order, round: Round, report: Report) -> CheckDone | None:
    """The check sent along; without one, the check already on record for this order since the round began."""
    if report.check is not None:
        items: Sequence[ItemAnswer] = report.check["items"]
        return record_check(
            deed,
            household_id=order.household_id,
            order_id=order.id,
            reason=CheckReason.DELIVERY,
            mode=CheckMode(report.check["mode"]),
            refused=report.check["refused"],
            items=items,
            checked_by=deed.actor.principal_id,
            user_signed=report.check["user_signed"],
            briefed=report.check["briefed"],
            checked_at=report.occurred_at,
            place=str(order.district),
            pointer="/check/items",
        )
    made = deed.db.scalars(
        sa.select(SafetyCheck)
        .where(
            SafetyCheck.district == order.district,
            SafetyCheck.order_id == order.id,
            SafetyCheck.checked_at >= round.recorded_at,
        )
        .order_by(SafetyCheck.checked_at.desc(), SafetyCheck.id.desc())
        .limit(1)
    ).first()
    return CheckDone(made.id, made.outcome, made.blocking, ()) if made is not None else None


def _outcome_of(check: CheckDone | None) -> CheckOutcome:
    if check is None:
        return CheckOutcome.MISSING
    return CheckOutcome.REFUSED if check.outcome is SafetyOutcome.REFUSED else CheckOutcome.DONE


def _stops_supply(facts: HandoverFacts) -> bool:
    return facts.check is CheckOutcome.REFUSED or bool(facts.blocking_findings)


# --- judging ----------------------------------------------------------------------------------------------


def _handover_facts(deed: Deed, visit: Visit, check: CheckDone | None, report: Report) -> HandoverFacts:
    hazards = open_hazards(deed.db, visit.order.district, visit.order.household_id)
    bottle = visit.full.cylinder
    custody = custody_of(deed.db, bottle.cylinder_id) if bottle is not None else None
    return HandoverFacts(
        binding_in_force=visit.crew.binding is not None,
        in_zone=visit.crew.in_zone,
        approved_outside_zone=False,
        right_card=_right_card(deed.db, visit.card, report.card_credential),
        card_state=visit.card.state,
        check=_outcome_of(check),
        blocking_findings=tuple(sorted({hazard.item for hazard in hazards if hazard.blocking})),
        empty=_empty_offered(deed.db, visit, report),
        empty_path_recorded=visit.holding is None and visit.card.exception is not None,
        vehicle_permit=visit.crew.vehicle_permit,
        courier_certificate=visit.crew.courier_certificate,
        bottle_refusals=tuple(refusal.code for refusal in visit.full.verdict.reasons),
        is_full=custody.full if custody is not None else None,
        ordered_type=visit.line.cylinder_model,
        loaded_type=bottle.model if bottle is not None else None,
    )


def _right_card(db: Session, card: Card, shown: str | None) -> bool | None:
    if shown is None:
        return None
    found = card_by_credential(db, card.district, shown)
    return found is not None and found.id == card.id


def _empty_offered(db: Session, visit: Visit, report: Report) -> EmptyOffered:
    """Which bottle comes back. One that is no bottle of the supplying firm is foreign."""
    if visit.empty is None:
        damaged = report.empty_exception is EmptyException.TAG_DAMAGED
        return EmptyOffered.TAG_DAMAGED if damaged else EmptyOffered.MISSING
    if visit.empty.cylinder_id is not None and visit.empty.cylinder_id == visit.holding:
        return EmptyOffered.ON_CARD
    bottle = db.get(Cylinder, visit.empty.cylinder_id) if visit.empty.cylinder_id else None
    if bottle is None or bottle.owner_firm_id != visit.order.firm_id:
        return EmptyOffered.FOREIGN
    return EmptyOffered.OF_ANOTHER_CARD


def _tell_of_strangers(deed: Deed, visit: Visit, facts: HandoverFacts) -> None:
    """A foreign empty that was offered, a strange bottle that was brought: seen, whatever is refused."""
    seen = functools.partial(
        bottles.stranger_seen, deed, where="door", order_id=visit.order.id, round_id=visit.round.id
    )
    if bottles.is_stranger(visit.full.verdict.reasons):
        seen(visit.full.resolved, reasons=visit.full.verdict.reasons)
    if visit.empty is not None and facts.empty is EmptyOffered.FOREIGN:
        seen(visit.empty, reasons=[no.EMPTY_FOREIGN()])


def visit_refusals(deed: Deed, visit: Visit, report: Report) -> list[Refusal]:
    """What the page of law does not ask: the line's own bottle, the leak test, a proof to be had."""
    reasons = []
    if visit.load is None or visit.line.state is not LineState.LOADED:
        reasons.append(no.LINE_NOT_LOADED(state=visit.line.state))
    elif visit.full.cylinder is None or visit.full.cylinder.cylinder_id != visit.load.cylinder_id:
        reasons.append(no.OTHER_BOTTLE())
    if report.connected and report.leak_test_passed is not True:
        reasons.append(no.LEAK_TEST())
    kind = report.proof["kind"]
    if kind is ProofKind.DOOR_CODE:
        reasons += door_code.refusals_of(deed, visit.code)
    if kind is ProofKind.CARD_QR and not _right_card(deed.db, visit.card, report.proof["value"]):
        reasons.append(no.CARD_QR_WRONG())
    return reasons


def _proven(deed: Deed, visit: Visit, report: Report) -> bool:
    """Only a door code can still be wrong here; a wrong one is counted, not refused."""
    if report.proof["kind"] is not ProofKind.DOOR_CODE or visit.code is None:
        return True
    return door_code.matches(deed, visit.code, visit.order.household_id, report.proof["value"])


# --- what happened ----------------------------------------------------------------------------------------


def _hand_over(deed: Deed, visit: Visit, check: CheckDone, load: LineLoad, report: Report) -> Answer:
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
    return _recorded(deed, visit, check, report, VisitOutcome.DELIVERED, empty_id=empty_id)


def _withhold(deed: Deed, visit: Visit, check: CheckDone, load: LineLoad, report: Report) -> Answer:
    """Nothing changes hands; the bottle stays with the courier until it is back at the site."""
    mark_withheld(deed, visit.line)
    return _recorded(deed, visit, check, report, VisitOutcome.WITHHELD)


def _wrong_code(deed: Deed, visit: Visit, check: CheckDone, report: Report) -> Answer:
    assert visit.code is not None
    left = door_code.tries_left(visit.code)
    deed.note(tries_left=left)
    answer = _recorded(deed, visit, check, report, VisitOutcome.WRONG_CODE)
    return {**answer, "tries_left": left}


def _recorded(
    deed: Deed,
    visit: Visit,
    check: CheckDone,
    report: Report,
    outcome: VisitOutcome,
    *,
    empty_id: UUID | None = None,
) -> Answer:
    """The row that says what happened at the door."""
    point = _point_of(report.point)
    handed_over = outcome is VisitOutcome.DELIVERED
    row = Delivery(
        district=deed.district,
        order_id=visit.order.id,
        line_id=visit.line.id,
        card_id=visit.card.id,
        household_id=visit.order.household_id,
        round_id=visit.round.id,
        courier_id=visit.round.courier_id,
        binding_id=visit.round.binding_id,
        check_id=check.check_id,
        outcome=outcome,
        full_cylinder_id=visit.load and visit.load.cylinder_id,
        empty_cylinder_id=empty_id,
        proof_kind=report.proof["kind"] if handed_over else None,
        proof_sha256=_proof_hash(visit, report) if handed_over else None,
        connected=report.connected and handed_over,
        leak_test_passed=report.leak_test_passed if handed_over else None,
        lon=point and point.lon,
        lat=point and point.lat,
        flags=_flags(deed.db, visit, report, point),
        happened_at=deed.occurred_at,
        recorded_at=deed.recorded_at,
    )
    deed.db.add(row)
    deed.db.flush()
    deed.note(delivery_id=row.id, outcome=outcome, check_id=check.check_id, flags=row.flags)
    if handed_over:
        deed.note(proof_sha256=row.proof_sha256)
    return {"delivery_id": str(row.id), "outcome": outcome.value}


def _point_of(point: Mapping[str, Any] | None) -> Point | None:
    return to_wgs84(point["lon"], point["lat"], Datum(point["datum"])) if point is not None else None


def _proof_hash(visit: Visit, report: Report) -> str:
    """A signature's own hash; of a code or a card, the hash of what was shown for this line."""
    if report.proof["kind"] is ProofKind.SIGNATURE:
        return str(report.proof["sha256"])
    shown = f"{report.proof['kind'].value}:{visit.line.id}:{report.proof['value']}"
    return hashlib.sha256(shown.encode()).hexdigest()


def _flags(db: Session, visit: Visit, report: Report, point: Point | None) -> list[str]:
    """What somebody should look at later. A flag stops nothing."""
    flags = []
    if report.proof["kind"] is ProofKind.SIGNATURE:
        flags.append(WEAK_PROOF)
    premises = db.get_one(Premises, (visit.order.district, visit.order.premises_id))
    door = Point(premises.lon, premises.lat)
    if point is not None and distance_m(point, door) > FAR_FROM_DOOR_M:
        flags.append(FAR_FROM_DOOR)
    return flags


# --- fail -------------------------------------------------------------------------------------------------


@does("order.fail")
def fail(deed: Deed, *, order_id: UUID, line_id: UUID, reason: FailureReason) -> Answer:
    """Nobody was supplied. A bottle that was loaded stays on the vehicle until it is scanned back."""
    db = deed.db
    found = order_with_lines(db, deed.district, order_id, lock=True)
    if found is None:
        raise NotFound
    stop = stop_of(db, deed.district, order_id)
    seen = round_of(db, deed.district, stop.round_id) if stop is not None else None
    if deed.actor.reach.kind is ScopeKind.COURIER:
        deed.actor.must_reach(courier=seen and seen.courier_id)
    else:
        deed.actor.must_reach(firm=found.order.firm_id, district=deed.district)
    line = next((one for one in found.lines if one.id == line_id), None)
    if line is None:
        raise WrongField("/line_id", "unknown", "没有这个订单行", "expected a line of this order")
    if seen is not None:
        locked_round(deed, seen)
    deed.about(SubjectType.ORDER, order_id)
    deed.note(line_id=line.id, failure=reason)
    mark_failed(deed, line, reason.value)
    return {"line_id": str(line.id)}
