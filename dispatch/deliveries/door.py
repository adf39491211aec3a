"""The door: what a courier's page must know before it asks for a deed, and what it may say in advance.

Reads only. What is said here in advance (the wrong card, another card's empty, a finding that stops supply)
is an ask: the deed judges again, and only its word counts.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import clock
from core.auth import ScopeKind
from core.doing import Doing
from core.problems import NotFound
from core.refusal import Refusal, with_basis
from cylinders.models import CylinderIdentifier, Scheme
from cylinders.queries import holding_of, judge_bottle, resolve
from dispatch.deliveries import door_code
from dispatch.deliveries import refusals as no
from dispatch.deliveries.crew import on_board
from dispatch.deliveries.handover_gate import EmptyOffered, empty_refusals
from dispatch.deliveries.models import Delivery, DoorCode, EmptyException, LineLoad, VisitOutcome
from dispatch.deliveries.visit import load_of, whose_empty
from dispatch.deliveries.visit_check import latest_check
from dispatch.orders.models import Order, OrderLine
from dispatch.orders.queries import order_with_lines
from dispatch.orders.states import LineState
from dispatch.rounds.models import Round
from dispatch.rounds.queries import lines_of, round_of, stop_of, stops_of
from dispatch.rounds.road import own_round
from dispatch.safety.models import SafetyCheck
from registry.models import Card
from registry.proxy_queries import receivers, receivers_masked
from registry.queries import card_by_credential, cards_of


@dataclass(frozen=True, slots=True)
class LineAtDoor:
    """One card's bottle at this door. Codes are what a scanner would read off the bottle."""

    line: OrderLine
    card: Card
    full_code: str | None
    empty_code: str | None
    holds_bottle: bool
    last_visit: Delivery | None

    @property
    def card_tail(self) -> str:
        """The credential's end: enough to ask for the right card, not to stand for it."""
        return self.card.credential[-4:]

    @property
    def empty_path_recorded(self) -> bool:
        return not self.holds_bottle and self.card.exception is not None


@dataclass(frozen=True, slots=True)
class Door:
    """``check``: the safety check of this visit, if one is on record already.

    ``receivers``: consent → masked name of whom the registrant named to receive today.
    """

    order: Order
    round: Round
    lines: tuple[LineAtDoor, ...]
    code: DoorCode | None
    check: SafetyCheck | None
    receivers: Mapping[UUID, str]

    def line(self, line_id: UUID) -> LineAtDoor:
        found = next((one for one in self.lines if one.line.id == line_id), None)
        if found is None:
            raise NotFound
        return found

    @property
    def code_lives(self) -> bool:
        code = self.code
        return code is not None and code.used_at is None and clock.now() < code.expires_at

    @property
    def code_is_locked(self) -> bool:
        return self.code is not None and door_code.is_locked(self.code)

    @property
    def tries_left(self) -> int:
        return door_code.tries_left(self.code) if self.code is not None else door_code.MOST_WRONG_TRIES


def at_door(doing: Doing, order_id: UUID) -> Door:
    """404 unless the order stands on a round of the caller's own."""
    with doing.ground.sessions() as db:
        stop = stop_of(db, doing.district, order_id)
        round = round_of(db, doing.district, stop.round_id) if stop is not None else None
        found = order_with_lines(db, doing.district, order_id)
        if round is None or found is None:
            raise NotFound
        if doing.actor.reach.kind is not ScopeKind.ALL:
            doing.actor.must_reach(courier=round.courier_id)
        lines = [line for line in found.lines if line.state is not LineState.CANCELLED]
        ordered = found.order
        home = (ordered.household_id, ordered.person_id)
        named = receivers(db, doing.district, [home], clock.today())[home]
        return Door(
            order=found.order,
            round=round,
            lines=tuple(_line_at_door(db, line) for line in lines),
            code=door_code.code_of(db, doing.district, order_id),
            check=latest_check(db, found.order, round),
            receivers=receivers_masked(db, doing.ground, named),
        )


def _line_at_door(db: Session, line: OrderLine) -> LineAtDoor:
    [card] = cards_of(db, line.district, [line.card_id])
    load = load_of(db, line)
    holding = holding_of(db, line.district, card.id)
    bottles = [load.cylinder_id] if load is not None else []
    codes = codes_of(db, [*bottles, holding] if holding is not None else bottles)
    return LineAtDoor(
        line=line,
        card=card,
        full_code=codes.get(load.cylinder_id) if load is not None else None,
        empty_code=codes.get(holding) if holding is not None else None,
        holds_bottle=holding is not None,
        last_visit=_last_visit(db, line),
    )


def _last_visit(db: Session, line: OrderLine) -> Delivery | None:
    return db.scalars(
        sa.select(Delivery)
        .where(
            Delivery.district == line.district,
            Delivery.order_id == line.order_id,
            Delivery.line_id == line.id,
        )
        .order_by(Delivery.recorded_at.desc(), Delivery.id.desc())
        .limit(1)
    ).first()


def codes_of(db: Session, cylinder_ids: Collection[UUID]) -> dict[UUID, str]:
    """What can be read off each bottle: our own label where it has one, else any code still in force."""
    rows = db.execute(
        sa.select(CylinderIdentifier.cylinder_id, CylinderIdentifier.scheme, CylinderIdentifier.value).where(
            CylinderIdentifier.cylinder_id.in_(cylinder_ids), CylinderIdentifier.voided_at.is_(None)
        )
    ).all()
    ranked = sorted(rows, key=lambda row: (row.scheme is Scheme.PLATFORM, row.value))
    return {row.cylinder_id: row.value for row in ranked}


# --- said in advance --------------------------------------------------------------------------------------


def card_reasons(doing: Doing, at: LineAtDoor, credential: str) -> list[Refusal]:
    """Whether the card shown is this line's card, and in use."""
    with doing.ground.sessions() as db:
        found = card_by_credential(db, doing.district, credential)
        shown = [] if found is not None and found.id == at.card.id else [no.WRONG_CARD()]
        return _based(doing, shown)


def full_reasons(doing: Doing, door: Door, at: LineAtDoor, code: str) -> list[Refusal]:
    """Whether the bottle scanned is the one loaded for this line, and may still be supplied."""
    with doing.ground.sessions() as db:
        load = load_of(db, at.line)
        judged = judge_bottle(
            db,
            code,
            purpose="dispatch",
            site_id=door.round.supply_site_id,
            place=str(door.order.district),
            at=clock.now(),
        )
        reasons = list(judged.verdict.reasons)
        if load is None:
            reasons.insert(0, no.LINE_NOT_LOADED(state=at.line.state))
        elif judged.resolved.cylinder_id != load.cylinder_id:
            reasons.insert(0, no.OTHER_BOTTLE())
        return _based(doing, reasons)


def empty_offered(
    doing: Doing, door: Door, at: LineAtDoor, code: str | None, exception: EmptyException | None
) -> tuple[EmptyOffered, list[Refusal]]:
    """Whose empty is offered, and why it may not be taken."""
    with doing.ground.sessions() as db:
        if code is not None:
            holding = holding_of(db, doing.district, at.card.id)
            offered = whose_empty(db, resolve(db, code), holding, door.order.firm_id)
        elif exception is EmptyException.TAG_DAMAGED:
            offered = EmptyOffered.TAG_DAMAGED
        else:
            offered = EmptyOffered.MISSING
        reasons = list(empty_refusals(offered, path_recorded=at.empty_path_recorded))
        return offered, _based(doing, reasons)


def _based(doing: Doing, reasons: Sequence[Refusal]) -> list[Refusal]:
    return list(with_basis(reasons, str(doing.district), clock.today()))


# --- the vehicle ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LoadLine:
    """One line of a round and the bottle that is, or was, on the vehicle for it."""

    line_id: UUID
    order_id: UUID
    trip: int
    position: int
    model: str
    state: LineState
    code: str | None


@dataclass(frozen=True, slots=True)
class Aboard:
    cylinder_id: UUID
    model: str
    full: bool
    code: str | None


@dataclass(frozen=True, slots=True)
class Count:
    """What left, what came back, what is still aboard: full and empty apart."""

    loaded: int
    delivered: int
    full_back: int
    full_aboard: int
    empties_taken: int
    empties_back: int
    empties_aboard: int
    withheld: int
    failed: int
    to_visit: int


def load_list(doing: Doing, round_id: UUID) -> list[LoadLine]:
    """Every line of the round, in the order of its doors."""
    with doing.ground.sessions() as db:
        row = own_round(db, doing, round_id)
        stops = {stop.order_id: stop for stop in stops_of(db, row.district, row.id)}
        lines = [
            line for line in lines_of(db, row.district, list(stops)) if line.state is not LineState.CANCELLED
        ]
        standing = _standing_loads(db, row)
        codes = codes_of(db, list(standing.values()))
        found = [
            LoadLine(
                line_id=line.id,
                order_id=line.order_id,
                trip=stops[line.order_id].trip,
                position=stops[line.order_id].position,
                model=line.cylinder_model,
                state=line.state,
                code=codes.get(standing[line.id]) if line.id in standing else None,
            )
            for line in lines
        ]
        return sorted(found, key=lambda one: (one.trip, one.position, one.line_id))


def _standing_loads(db: Session, row: Round) -> dict[UUID, UUID]:
    """Line → the bottle that is loaded for it now."""
    rows = db.execute(
        sa.select(LineLoad.line_id, LineLoad.cylinder_id).where(
            LineLoad.district == row.district, LineLoad.round_id == row.id, LineLoad.active
        )
    ).all()
    return {row.line_id: row.cylinder_id for row in rows}


def aboard(doing: Doing, round_id: UUID) -> list[Aboard]:
    """What is still on the vehicle by the last scans, full ones first."""
    with doing.ground.sessions() as db:
        bottles = on_board(db, own_round(db, doing, round_id))
        codes = codes_of(db, [one.cylinder_id for one in bottles])
        rows = [Aboard(one.cylinder_id, one.model, one.full, codes.get(one.cylinder_id)) for one in bottles]
        return sorted(rows, key=lambda one: (not one.full, one.code or ""))


def count(doing: Doing, round_id: UUID) -> Count:
    with doing.ground.sessions() as db:
        row = own_round(db, doing, round_id)
        orders = [stop.order_id for stop in stops_of(db, row.district, row.id)]
        states = [line.state for line in lines_of(db, row.district, orders)]
        loaded = set(
            db.scalars(
                sa.select(LineLoad.cylinder_id).where(
                    LineLoad.district == row.district, LineLoad.round_id == row.id
                )
            )
        )
        visits = db.execute(
            sa.select(Delivery.full_cylinder_id, Delivery.empty_cylinder_id).where(
                Delivery.district == row.district,
                Delivery.round_id == row.id,
                Delivery.outcome == VisitOutcome.DELIVERED,
            )
        ).all()
        bottles = on_board(db, row)
        full_aboard = sum(one.full for one in bottles)
        taken = sum(visit.empty_cylinder_id is not None for visit in visits)
        return Count(
            loaded=len(loaded),
            delivered=len(visits),
            full_back=len(loaded) - len(visits) - full_aboard,
            full_aboard=full_aboard,
            empties_taken=taken,
            empties_back=taken - (len(bottles) - full_aboard),
            empties_aboard=len(bottles) - full_aboard,
            withheld=states.count(LineState.WITHHELD),
            failed=states.count(LineState.FAILED),
            to_visit=sum(state in (LineState.BOOKED, LineState.LOADED) for state in states),
        )
