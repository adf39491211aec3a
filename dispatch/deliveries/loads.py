"""Verbs of the vehicle: load a bottle for a line, bring one back, finish the round.

A round is finished here and not in its own room, because only this room knows what is still on board.
"""

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import clock
from core.machine import LOST_RACE
from core.problems import WrongField
from core.refusal import Refusal, Refused
from cylinders import acts as bottles
from cylinders.queries import BottleVerdict, custody_of, judge_bottle, resolve, types
from cylinders.refill_gate import Identity
from dispatch.deliveries import refusals as no
from dispatch.deliveries.acts import begin_load, end_load
from dispatch.deliveries.crew import CrewFacts, crew_facts, locked_round, on_board, round_refusals
from dispatch.deliveries.handover_gate import LoadFacts
from dispatch.deliveries.models import CylinderLoad, LineLoad
from dispatch.orders.acts import mark_loaded, mark_unloaded
from dispatch.orders.models import Order, OrderLine
from dispatch.orders.queries import street_of_order
from dispatch.orders.states import LineState
from dispatch.rounds import acts as rounds
from dispatch.rounds.models import Round
from dispatch.rounds.queries import lines_of, round_in_reach, stop_of, stops_of
from evidence.deed import Answer, Deed, does
from evidence.models import SubjectType
from registry.models import HolderKind, Site
from registry.queries import site
from rulebook import current
from rulebook.decisions import decision_of
from rulebook.gate import judge

MOST_NAMED = 50


# --- load -------------------------------------------------------------------------------------------------


@does("cylinder.load")
def load(deed: Deed, *, round_id: UUID, line_id: UUID, code: str) -> Answer:
    """Put a bottle on the vehicle for one order line: by its courier, or released by the site's clerk."""
    db = deed.db
    seen = round_in_reach(db, deed.doing, round_id)
    line = db.get(OrderLine, (deed.district, line_id), with_for_update=True)
    order = db.get_one(Order, (deed.district, line.order_id)) if line is not None else None
    if line is None or order is None or order.firm_id != seen.firm_id:
        raise WrongField("/line_id", "unknown", "没有这个订单行", "expected a line of an order on this round")
    round = locked_round(deed, seen)
    station = _site_of(db, round)
    deed.about(SubjectType.ORDER, order.id)
    deed.note(line_id=line.id)
    cylinder_id = lock_scanned(deed, code)

    bottle = judge_bottle(
        db,
        code,
        purpose="dispatch",
        site_id=station.id,
        place=str(station.district),
        at=deed.occurred_at,
    )
    crew = crew_facts(db, round, order, deed.occurred_at)
    facts = load_facts(db, round, line, crew, bottle)
    verdict = judge("load", facts, str(order.district), clock.day_of(deed.occurred_at), current())
    deed.keep(decision_of(verdict, deed.district, street_of_order(db, order)))
    reasons = [
        *round_refusals(round),
        *verdict.reasons,
        *bottle.verdict.reasons,
        *standing_refusals(db, line, station, cylinder_id),
    ]
    if bottles.is_stranger(bottle.verdict.reasons):
        bottles.stranger_seen(
            deed,
            bottle.resolved,
            where="site",
            site_id=station.id,
            round_id=round.id,
            reasons=bottle.verdict.reasons,
        )
    if reasons or cylinder_id is None or crew.binding is None:
        raise Refused(reasons)

    bottles.load(
        deed,
        cylinder_id=cylinder_id,
        line_id=line.id,
        courier_id=round.courier_id,
        site_id=station.id,
        binding=crew.binding,
        round_id=round.id,
        device_id=crew.binding.device_id,
    )
    mark_loaded(deed, line)
    load_id = begin_load(deed, line_id=line.id, round_id=round.id, cylinder_id=cylinder_id)
    return {"load_id": str(load_id)}


def lock_scanned(deed: Deed, code: str) -> UUID | None:
    """The bottle behind a scanned code, its row locked; None for a code that is no bottle of ours."""
    cylinder_id = resolve(deed.db, code).cylinder_id
    if cylinder_id is not None:
        bottles.lock(deed, [cylinder_id])
        deed.note(cylinder_id=cylinder_id)
    return cylinder_id


def load_facts(
    db: Session, round: Round, line: OrderLine, crew: CrewFacts, bottle: BottleVerdict
) -> LoadFacts:
    known = types(db)
    ordered = known[line.cylinder_model]
    riding = bottle.type or ordered
    aboard = on_board(db, round)
    aboard_g = sum(known[other.model].nominal_g for other in aboard if other.full)
    stop = stop_of(db, line.district, line.order_id)
    custody = custody_of(db, bottle.cylinder.cylinder_id) if bottle.cylinder else None
    return LoadFacts(
        has_order_line=(
            stop is not None
            and stop.round_id == round.id
            and line.state in (LineState.BOOKED, LineState.LOADED)
        ),
        binding_in_force=crew.binding is not None,
        in_zone=crew.in_zone,
        approved_outside_zone=crew.approved_outside_zone,
        vehicle_permit=crew.vehicle_permit,
        courier_certificate=crew.courier_certificate,
        courier_training=crew.courier_training,
        bottles=len(aboard) + 1,
        max_bottles=crew.vehicle.max_cylinders if crew.vehicle is not None else None,
        load_g=aboard_g + riding.nominal_g,
        max_load_g=crew.vehicle.max_nominal_g if crew.vehicle is not None else None,
        size_may_ride=not riding.needs_truck or (crew.vehicle is not None and crew.vehicle.carries_50kg),
        bottle_refusals=tuple(refusal.code for refusal in bottle.verdict.reasons),
        is_full=custody.full if custody else None,
        ordered_type=line.cylinder_model,
        loaded_type=bottle.cylinder.model if bottle.cylinder else None,
    )


def standing_refusals(db: Session, line: OrderLine, station: Site, cylinder_id: UUID | None) -> list[Refusal]:
    """The line has its bottle, the bottle its line (the database holds both), or it stands elsewhere."""
    reasons = []
    if line.state is LineState.LOADED:
        reasons.append(no.LINE_LOADED())
    if cylinder_id is None:
        return reasons
    if db.scalars(
        sa.select(CylinderLoad.id).where(CylinderLoad.cylinder_id == cylinder_id, CylinderLoad.active)
    ).first():
        return [*reasons, no.BOTTLE_LOADED()]
    custody = custody_of(db, cylinder_id)
    if custody is None or (custody.holder_kind, custody.holder_id) != (HolderKind.SITE, station.id):
        reasons.append(no.BOTTLE_NOT_HERE())
    return reasons


def _site_of(db: Session, round: Round) -> Site:
    station = site(db, round.supply_site_id)
    if station is None:
        raise LookupError(f"round {round.id}: its supply site {round.supply_site_id} is not on file")
    return station


# --- bring back -------------------------------------------------------------------------------------------


@does("cylinder.bring_back")
def bring_back(deed: Deed, *, round_id: UUID, code: str) -> Answer:
    """A bottle of the vehicle, full or empty, is scanned back at the round's site, and its load ends.

    A line that nobody was visited for is booked again; a failed or withheld one stays as it is. A label
    that is nobody's is told to the rooms above: somebody put that bottle on the vehicle.
    """
    db = deed.db
    seen = round_in_reach(db, deed.doing, round_id)
    scanned = resolve(db, code)
    line_id = _loaded_line(db, scanned.cylinder_id)
    line = db.get(OrderLine, (deed.district, line_id), with_for_update=True) if line_id is not None else None
    round = locked_round(deed, seen)
    cylinder_id = lock_scanned(deed, code)
    if _loaded_line(db, cylinder_id) != line_id:
        raise Refused([LOST_RACE(thing="cylinder")])
    custody = custody_of(db, cylinder_id) if cylinder_id is not None else None
    on_vehicle = custody is not None and (custody.holder_kind, custody.holder_id) == (
        HolderKind.COURIER,
        round.courier_id,
    )
    reasons = round_refusals(round)
    if not on_vehicle:
        reasons.append(no.NOT_ON_VEHICLE())
    ended = bottles.ended(db, cylinder_id, deed.occurred_at)
    reasons += ended
    if ended or scanned.identity in (Identity.UNKNOWN, Identity.VOIDED, Identity.CLAIMED_TWICE):
        bottles.stranger_seen(
            deed, scanned, where="site", site_id=round.supply_site_id, round_id=round.id, reasons=reasons
        )
    if reasons or cylinder_id is None:
        raise Refused(reasons)
    bottles.receive(deed, cylinder_id=cylinder_id, site_id=round.supply_site_id, round_id=round.id)
    end_load(deed, cylinder_id)
    if line is not None and line.state is LineState.LOADED:
        mark_unloaded(deed, line)
    return {"round_id": str(round.id), "cylinder_id": str(cylinder_id)}


def _loaded_line(db: Session, cylinder_id: UUID | None) -> UUID | None:
    return db.scalars(
        sa.select(CylinderLoad.line_id).where(CylinderLoad.cylinder_id == cylinder_id, CylinderLoad.active)
    ).first()


# --- finish -----------------------------------------------------------------------------------------------


@does("round.drive")
def finish(deed: Deed, *, round_id: UUID) -> Answer:
    """The vehicle is empty: every bottle was delivered, or is back at a site by somebody's scan."""
    db = deed.db
    seen = round_in_reach(db, deed.doing, round_id)
    order_ids = [stop.order_id for stop in stops_of(db, seen.district, seen.id)]
    lines = lines_of(db, deed.district, order_ids, lock=True)
    round = locked_round(deed, seen)
    aboard = on_board(db, round)
    if aboard:
        named = [bottle.cylinder_id for bottle in aboard[:MOST_NAMED]]
        raise Refused([no.STILL_ON_VEHICLE(bottles=len(aboard), cylinder_ids=named)])
    _end_loads_received_elsewhere(deed, round, lines)
    rounds.finish(deed, round)
    return {"round_id": str(round.id)}


def _end_loads_received_elsewhere(deed: Deed, round: Round, lines: list[OrderLine]) -> None:
    """Bottles that a site received at its own desk: their loads end, unvisited lines are booked again."""
    standing = deed.db.execute(
        sa.select(LineLoad.line_id, LineLoad.cylinder_id).where(
            LineLoad.district == round.district, LineLoad.round_id == round.id, LineLoad.active
        )
    ).all()
    by_id = {line.id: line for line in lines}
    for line_id, cylinder_id in standing:
        end_load(deed, cylinder_id)
        if by_id[line_id].state is LineState.LOADED:
            mark_unloaded(deed, by_id[line_id])
