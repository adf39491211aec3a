"""One line's visit: what the courier reports, all it touches under lock, and the facts of it for the gate."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.problems import NotFound, WrongField
from core.refusal import Refusal
from cylinders import acts as bottles
from cylinders.models import Cylinder
from cylinders.queries import BottleVerdict, Resolved, custody_of, holding_of, judge_bottle, resolve
from dispatch.deliveries import door_code
from dispatch.deliveries import refusals as no
from dispatch.deliveries.crew import CrewFacts, locked_round
from dispatch.deliveries.handover_gate import CheckOutcome, DropFacts, EmptyOffered, HandoverFacts
from dispatch.deliveries.models import DoorCode, EmptyException, LineLoad, ProofKind
from dispatch.deliveries.visit_check import VisitCheck
from dispatch.orders.models import Order, OrderLine
from dispatch.orders.queries import order_with_lines
from dispatch.orders.states import LineState
from dispatch.rounds.models import Round
from dispatch.rounds.queries import round_of, stop_of
from dispatch.safety.queries import open_hazards
from evidence.deed import Deed
from evidence.models import SubjectType
from registry.models import Card
from registry.proxy_queries import might_receive
from registry.queries import card_by_credential, cards_of

AHEAD_OF_US = timedelta(minutes=2)
"""How far a phone's clock may be ahead before what it says cannot have happened yet."""


@dataclass(frozen=True, slots=True)
class Report:
    """What the courier reports of one line's visit, as it came in (see ``schemas.DeliveryIn``).

    ``proof`` is empty where nothing was handed over and so nothing signed for. ``drop``: where it was left,
    if it was not handed over in person.
    """

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
    consent_id: UUID | None = None
    drop: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Served:
    """At whose door, for which line, on which round."""

    order: Order
    line: OrderLine
    card: Card
    round: Round


@dataclass(frozen=True, slots=True)
class Visit:
    """Everything a handover touches, locked; the bottles as their codes were read."""

    order: Order
    line: OrderLine
    card: Card
    round: Round
    load: LineLoad | None
    code: DoorCode | None
    check: VisitCheck | None
    crew: CrewFacts
    full: BottleVerdict
    empty: Resolved | None
    holding: UUID | None

    @property
    def bottle_id(self) -> UUID | None:
        """The bottle that was loaded for the line."""
        return self.load.cylinder_id if self.load is not None else None

    @property
    def served(self) -> Served:
        return Served(self.order, self.line, self.card, self.round)


# --- under lock -------------------------------------------------------------------------------------------


def visited(deed: Deed, order_id: UUID) -> tuple[Order, Round, list[OrderLine]]:
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


def locked_line(deed: Deed, order_id: UUID, line_id: UUID) -> tuple[Order, OrderLine, Card, Round]:
    """Cards before lines before round, as everywhere."""
    seen = deed.db.get(OrderLine, (deed.district, line_id))
    stop = stop_of(deed.db, deed.district, order_id)
    if stop is None:
        raise NotFound
    if seen is None or seen.order_id != order_id:
        raise WrongField("/line_id", "unknown", "没有这个订单行", "expected a line of this order")
    [card] = cards_of(deed.db, deed.district, [seen.card_id], lock=True)
    order, round, lines = visited(deed, order_id)
    [line] = [one for one in lines if one.id == line_id]
    deed.about(SubjectType.CARD, card.id)
    deed.about(SubjectType.HOUSEHOLD, order.household_id)
    deed.note(order_id=order.id, line_id=line.id, card_id=card.id)
    return order, line, card, round


def load_of(db: Session, line: OrderLine) -> LineLoad | None:
    return db.scalars(
        sa.select(LineLoad).where(
            LineLoad.district == line.district, LineLoad.line_id == line.id, LineLoad.active
        )
    ).one_or_none()


def must_be_of_this_round(deed: Deed, round: Round, load: LineLoad | None, occurred_at: datetime) -> None:
    """422 for a time that has not come, or that lies before the bottle was loaded or the round was made."""
    if occurred_at > deed.recorded_at + AHEAD_OF_US:
        raise WrongField("/occurred_at", "future", "发生时间还没有到", "expected a time that has come")
    if load is not None and occurred_at < load.loaded_at - AHEAD_OF_US:
        raise WrongField(
            "/occurred_at", "before_load", "发生时间早于装车", "expected a time after the bottle was loaded"
        )
    if occurred_at < round.recorded_at - AHEAD_OF_US:
        raise WrongField(
            "/occurred_at", "before_round", "发生时间早于排趟", "expected a time after the round was made"
        )


def bottles_at_the_door(
    deed: Deed, order: Order, card: Card, round: Round, report: Report
) -> tuple[BottleVerdict, Resolved | None, UUID | None]:
    """The full one judged, the empty as read, and what the card holds; all locked together."""
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
        proof=report.proof.get("kind"),
    )
    judged = judge_bottle(
        deed.db,
        report.full_code,
        purpose="dispatch",
        site_id=round.supply_site_id,
        place=str(order.district),
        at=report.occurred_at,
    )
    return judged, empty, holding


# --- facts ------------------------------------------------------------------------------------------------


def handover_facts(
    db: Session, visit: Visit, report: Report, within: tuple[datetime, datetime]
) -> HandoverFacts:
    """``within``: the span in which it happened; online that is now."""
    hazards = open_hazards(db, visit.order.district, visit.order.household_id)
    bottle = visit.full.cylinder
    custody = custody_of(db, bottle.cylinder_id) if bottle is not None else None
    return HandoverFacts(
        binding_in_force=visit.crew.binding is not None,
        in_zone=visit.crew.in_zone,
        approved_outside_zone=visit.crew.approved_outside_zone,
        right_card=is_right_card(db, visit.card, report.card_credential),
        card_state=visit.card.state,
        check=_outcome_of(visit.check),
        blocking_findings=tuple(sorted({hazard.item for hazard in hazards if hazard.blocking})),
        empty=_empty_offered(db, visit, report),
        empty_path_recorded=visit.holding is None and visit.card.exception is not None,
        vehicle_permit=visit.crew.vehicle_permit,
        courier_certificate=visit.crew.courier_certificate,
        courier_training=visit.crew.courier_training,
        bottle_refusals=tuple(refusal.code for refusal in visit.full.verdict.reasons),
        is_full=custody.full if custody is not None else None,
        ordered_type=visit.line.cylinder_model,
        loaded_type=bottle.model if bottle is not None else None,
        proxy_may_receive=_proxy_may_receive(db, visit.order, report, within),
        drop=_drop(visit.order, report),
    )


def _drop(order: Order, report: Report) -> DropFacts | None:
    if report.drop is None:
        return None
    return DropFacts(
        ordered=order.contactless,
        has_photo=report.drop["photo_sha256"] is not None,
        by_code=report.proof.get("kind") is ProofKind.DOOR_CODE,
    )


def _proxy_may_receive(
    db: Session, order: Order, report: Report, within: tuple[datetime, datetime]
) -> bool | None:
    """By a consent of the registrant who ordered, that held when it happened."""
    if report.consent_id is None:
        return None
    home = (order.household_id, order.person_id)
    return might_receive(db, order.district, home, report.consent_id, *within)


def _outcome_of(check: VisitCheck | None) -> CheckOutcome:
    if check is None:
        return CheckOutcome.MISSING
    return CheckOutcome.REFUSED if check.was_refused else CheckOutcome.DONE


def is_right_card(db: Session, card: Card, shown: str | None) -> bool | None:
    if shown is None:
        return None
    found = card_by_credential(db, card.district, shown)
    return found is not None and found.id == card.id


def _empty_offered(db: Session, visit: Visit, report: Report) -> EmptyOffered:
    """Which bottle comes back. One that is no bottle of the supplying firm is foreign."""
    if visit.empty is None:
        damaged = report.empty_exception is EmptyException.TAG_DAMAGED
        return EmptyOffered.TAG_DAMAGED if damaged else EmptyOffered.MISSING
    return whose_empty(db, visit.empty, visit.holding, visit.order.firm_id)


def whose_empty(db: Session, empty: Resolved, holding: UUID | None, firm_id: UUID) -> EmptyOffered:
    if empty.cylinder_id is not None and empty.cylinder_id == holding:
        return EmptyOffered.ON_CARD
    bottle = db.get(Cylinder, empty.cylinder_id) if empty.cylinder_id else None
    if bottle is None or bottle.owner_firm_id != firm_id:
        return EmptyOffered.FOREIGN
    return EmptyOffered.OF_ANOTHER_CARD


def tell_of_strangers(deed: Deed, visit: Visit, facts: HandoverFacts) -> None:
    """A foreign empty that was offered, one that should be no more, a strange bottle that was brought.

    Seen, whatever is refused.
    """
    seen = functools.partial(
        bottles.stranger_seen, deed, where="door", order_id=visit.order.id, round_id=visit.round.id
    )
    if bottles.is_stranger(visit.full.verdict.reasons):
        seen(visit.full.resolved, reasons=visit.full.verdict.reasons)
    if visit.empty is not None and facts.empty is EmptyOffered.FOREIGN:
        seen(visit.empty, reasons=[no.EMPTY_FOREIGN()])
    elif visit.empty is not None and (ended := _ended(deed, visit.empty)):
        seen(visit.empty, reasons=ended)


def _ended(deed: Deed, empty: Resolved) -> list[Refusal]:
    return bottles.ended(deed.db, empty.cylinder_id, deed.occurred_at)


def visit_refusals(deed: Deed, visit: Visit, report: Report) -> list[Refusal]:
    """What the page of law does not ask: the line's own bottle, the leak test, a proof to be had."""
    reasons = line_refusals(visit, report)
    kind = report.proof.get("kind")
    if kind is None:
        reasons.append(no.NO_PROOF())
    if kind is ProofKind.DOOR_CODE:
        reasons += door_code.refusals_of(deed, visit.code)
    if kind is ProofKind.CARD_QR and not is_right_card(deed.db, visit.card, report.proof["value"]):
        reasons.append(no.CARD_QR_WRONG())
    return reasons


def line_refusals(visit: Visit, report: Report) -> list[Refusal]:
    """The line waits for this very bottle, and what was connected was tested."""
    reasons = []
    if visit.load is None or visit.line.state is not LineState.LOADED:
        reasons.append(no.LINE_NOT_LOADED(state=visit.line.state))
    elif visit.full.cylinder is None or visit.full.cylinder.cylinder_id != visit.load.cylinder_id:
        reasons.append(no.OTHER_BOTTLE())
    if report.connected and report.leak_test_passed is not True:
        reasons.append(no.LEAK_TEST())
    return reasons


def stops_supply(visit: Visit, facts: HandoverFacts) -> bool:
    """A loaded bottle that the check, or a hazard still open, keeps from being handed over: withheld."""
    stopped = facts.check is CheckOutcome.REFUSED or bool(facts.blocking_findings)
    return stopped and visit.line.state is LineState.LOADED
