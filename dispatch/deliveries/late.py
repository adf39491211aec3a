"""What a phone reports later, within the deed that keeps its string. Nothing here refuses: it happened.

The same gates are asked as online, as of the moment it happened; their reasons become flags. Orders, checks
and deliveries stand where they can: a line still open is moved, a check that is whole is recorded. Where they
cannot, the fact of custody stands alone and says so.

Locks in the house's order: device inbox (held), cards, lines, binding and round, door code, hazards, bottles.
"""

import hmac
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import clock
from core.auth import ScopeKind
from core.problems import WrongField
from core.refusal import Refusal
from cylinders import acts as bottles
from cylinders.custody import Custody, Errand, Holder, Projection, known_before
from cylinders.models import FactKind
from cylinders.queries import Resolved, judge_bottle, resolve
from dispatch.deliveries import door_code, visit_check
from dispatch.deliveries import refusals as no
from dispatch.deliveries.acts import begin_load, end_load
from dispatch.deliveries.attribution import Attribution
from dispatch.deliveries.crew import crew_facts, locked_round
from dispatch.deliveries.handover_gate import HandoverFacts, LoadFacts
from dispatch.deliveries.loads import load_facts
from dispatch.deliveries.models import CylinderLoad, LineLoad, ProofKind, VisitOutcome
from dispatch.deliveries.service import record_visit
from dispatch.deliveries.signed import Scan
from dispatch.deliveries.visit import (
    Report,
    Served,
    Visit,
    bottles_at_the_door,
    handover_facts,
    is_right_card,
    line_refusals,
    load_of,
    tell_of_strangers,
)
from dispatch.orders.acts import mark_delivered, mark_failed, mark_loaded, mark_unloaded, mark_withheld
from dispatch.orders.models import Order, OrderLine
from dispatch.orders.queries import order_with_lines, street_of_order
from dispatch.orders.states import OPEN_STATES, LineState
from dispatch.rounds.models import Round, RoundStop
from dispatch.rounds.queries import round_of
from evidence.deed import Deed
from evidence.models import SubjectType
from registry.acts import set_card_exception
from registry.crew_queries import principal_of_courier
from registry.device_clock import Clocked
from registry.models import Card, Device, HolderKind, ScanKind
from registry.queries import cards_of, site
from rulebook import current
from rulebook.decisions import decision_of
from rulebook.gate import judge

ORDER_UNKNOWN = "order_unknown"
ROUND_UNKNOWN = "round_unknown"
LINE_NOT_OPEN = "line_not_open"
CHECK_INCOMPLETE = "check_incomplete"
BOTTLE_UNKNOWN = "bottle_unknown"
DAY_UNCERTAIN = "day_uncertain"
DISPUTED = "custody_disputed"


@dataclass
class Scene:
    """One scan being recorded: what was told, by which device, when, for whom.

    ``codes`` grows; ``cards`` are those locked, of all that the bottles' facts name.
    """

    deed: Deed
    device: Device
    scan: Scan
    when: Clocked
    who: Attribution
    codes: list[str] = field(default_factory=list)
    cards: frozenset[tuple[int, UUID]] = frozenset()
    disputed: bool = False

    @property
    def db(self) -> Session:
        return self.deed.db

    @property
    def body(self) -> Mapping[str, Any]:
        return self.scan.body

    @property
    def days(self) -> list[date]:
        """The day on which it happened; then those on which it may have."""
        told = clock.day_of(self.when.occurred_at)
        return [told, *sorted({clock.day_of(self.when.earliest), clock.day_of(self.when.latest)} - {told})]

    def flag(self, *codes: str) -> None:
        self.codes += [code for code in codes if code not in self.codes]

    def flag_refusals(self, refusals: Iterable[Refusal]) -> None:
        self.flag(*(refusal.code for refusal in refusals))

    def took(self, custody: Custody) -> None:
        if custody.lost:
            self.disputed = True
            self.flag(DISPUTED)


def happen(scene: Scene) -> None:
    """Record what the scan says has happened."""
    _HAPPENINGS[scene.scan.kind](scene)


# --- load -------------------------------------------------------------------------------------------------


def _load(scene: Scene) -> None:
    """装车. With its line still waiting the line is loaded; the bottle is with the courier in any case."""
    db, body = scene.db, scene.body
    scanned = resolve(db, body["code"])
    bottle_ids = _ids(scanned)
    round = _round_named(scene, body["round_id"])
    line = db.get(OrderLine, (scene.deed.district, body["line_id"]))
    order = db.get_one(Order, (line.district, line.order_id)) if line is not None else None
    if order is not None and order.firm_id != scene.device.firm_id:
        line = order = None
    scene.cards = bottles.lock_cards_named(scene.deed, bottle_ids)
    if line is not None:
        db.refresh(line, with_for_update=True)
    if round is not None:
        round = locked_round(scene.deed, round)
    bottles.lock_late(scene.deed, bottle_ids, scene.cards)

    if line is None or order is None:
        scene.flag(ORDER_UNKNOWN)
    else:
        scene.deed.about(SubjectType.ORDER, order.id)
        scene.deed.note(order_id=order.id, line_id=line.id)
    if round is not None and line is not None and order is not None:
        _ask_load_gate(scene, round, line, order, scanned)
    giver = Holder(HolderKind.SITE, round.supply_site_id) if round is not None else None
    if scanned.cylinder_id is None:
        scene.flag(BOTTLE_UNKNOWN)
        return
    courier = _courier(scene, round)
    custody = bottles.report(
        scene.deed,
        scanned.cylinder_id,
        FactKind.LOAD,
        giver=giver,
        taker=courier,
        errand=_errand(scene, round, line, site_id=round.supply_site_id if round is not None else None),
        occurred_at=scene.when.occurred_at,
    )
    scene.took(custody)
    if round is None or line is None:
        return
    # what came in before may tell that the bottle has gone on since: then nothing is loaded any more
    still_there = courier is not None and custody.now.holder == courier
    if line.state is LineState.BOOKED and still_there and _is_free(db, line, scanned.cylinder_id):
        mark_loaded(scene.deed, line)
        begin_load(
            scene.deed,
            line_id=line.id,
            round_id=round.id,
            cylinder_id=scanned.cylinder_id,
            loaded_at=scene.when.occurred_at,
        )
    elif line.state is not LineState.DELIVERED:
        scene.flag(LINE_NOT_OPEN)


def _ask_load_gate(scene: Scene, round: Round, line: OrderLine, order: Order, scanned: Resolved) -> None:
    db, at = scene.db, scene.when.occurred_at
    station = site(db, round.supply_site_id)
    if station is None:
        raise LookupError(f"round {round.id}: its supply site {round.supply_site_id} is not on file")
    bottle = judge_bottle(
        db,
        scene.body["code"],
        purpose="dispatch",
        site_id=station.id,
        place=str(station.district),
        at=at,
    )
    crew = crew_facts(db, round, order, at)
    known = _known_then(scene, scanned.cylinder_id)
    facts = load_facts(db, round, line, crew, bottle)
    facts = replace(
        facts,
        has_order_line=_was_on(db, round, order) and line.state is not LineState.CANCELLED,
        binding_in_force=facts.binding_in_force and _is_bound(scene, round),
        is_full=known.full if known is not None else None,
    )
    _judge(scene, "load", facts, order)
    scene.flag_refusals(bottle.verdict.reasons)
    if known is None or known.holder != Holder(HolderKind.SITE, station.id):
        scene.flag_refusals([no.BOTTLE_NOT_HERE()])
    if bottles.is_stranger(bottle.verdict.reasons):
        bottles.stranger_seen(
            scene.deed,
            bottle.resolved,
            where="site",
            site_id=station.id,
            round_id=round.id,
            reasons=bottle.verdict.reasons,
        )


def _was_on(db: Session, round: Round, order: Order) -> bool:
    """Did the order stand on this round? A finished round has let go of it and keeps the stop."""
    return db.get(RoundStop, (round.district, round.id, order.id)) is not None


def _is_free(db: Session, line: OrderLine, cylinder_id: UUID) -> bool:
    """Neither the line nor the bottle stands in another load: the database would refuse the second."""
    of_line = sa.exists().where(
        LineLoad.district == line.district, LineLoad.line_id == line.id, LineLoad.active
    )
    of_bottle = sa.exists().where(CylinderLoad.cylinder_id == cylinder_id, CylinderLoad.active)
    return not db.scalar(sa.select(sa.or_(of_line, of_bottle)))


# --- at the door ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Door:
    """The line that was served, locked with all that hangs on it; ``round`` None: it stood on none."""

    order: Order
    line: OrderLine
    card: Card
    round: Round | None

    @property
    def household(self) -> Holder:
        return Holder(HolderKind.HOUSEHOLD, self.order.household_id)


def _door(scene: Scene, bottle_ids: set[UUID]) -> _Door | None:
    """None for an order that is not there or is another firm's: then the cards of the bottles are locked."""
    db, deed = scene.db, scene.deed
    seen = db.get(OrderLine, (deed.district, scene.body["line_id"]))
    order = db.get(Order, (deed.district, scene.body["order_id"]))
    if seen is None or order is None or seen.order_id != order.id or order.firm_id != scene.device.firm_id:
        scene.cards = bottles.lock_cards_named(deed, bottle_ids)
        scene.flag(ORDER_UNKNOWN)
        return None
    scene.cards = bottles.lock_cards_named(deed, bottle_ids, [(deed.district, seen.card_id)])
    [card] = cards_of(db, deed.district, [seen.card_id], lock=True)
    found = order_with_lines(db, deed.district, order.id, lock=True)
    assert found is not None  # an order is never taken away
    [line] = [one for one in found.lines if one.id == seen.id]
    round = _round_then(scene, line)
    if round is not None:
        round = locked_round(deed, round)
    else:
        scene.flag(ROUND_UNKNOWN)
    deed.about(SubjectType.ORDER, order.id)
    deed.about(SubjectType.CARD, card.id)
    deed.about(SubjectType.HOUSEHOLD, order.household_id)
    deed.note(order_id=order.id, line_id=line.id, card_id=card.id)
    return _Door(order, line, card, round)


def _deliver(scene: Scene) -> None:
    """换瓶: the empty household → courier, the full one courier → household, as the phone says."""
    db, deed, body = scene.db, scene.deed, scene.body
    full = resolve(db, body["full_code"])
    empty = resolve(db, body["empty_code"]) if body["empty_code"] is not None else None
    bottle_ids = _ids(full, empty)
    door = _door(scene, bottle_ids)
    if door is None:
        bottles.lock_late(deed, bottle_ids, scene.cards)
        _hand_over(scene, None, full, empty)
        return
    visit, report = None, _report(scene)
    if door.round is not None:
        visit = _visit(scene, door, door.round, report, bottle_ids)
        _ask_handover_gate(scene, visit, report)
    else:
        bottles.lock_late(deed, bottle_ids, scene.cards)
    _hand_over(scene, door, full, empty)
    if visit is None:
        return
    if door.line.state not in OPEN_STATES:
        scene.flag(LINE_NOT_OPEN)
        if visit.check is not None:
            visit.check.enter(deed)
        return
    if door.line.state is LineState.BOOKED:
        mark_loaded(deed, door.line)
    mark_delivered(deed, door.line)
    if door.card.exception is not None:
        set_card_exception(deed, door.card, None)
    record_visit(
        deed,
        visit.served,
        visit.check,
        report,
        VisitOutcome.DELIVERED,
        full_id=full.cylinder_id,
        empty_id=empty.cylinder_id if empty is not None else None,
        late_flags=scene.codes,
    )


def _report(scene: Scene) -> Report:
    body = {name: value for name, value in scene.body.items() if name != "order_id"}
    return Report(**body, point=scene.scan.point, occurred_at=scene.when.occurred_at)


def _visit(scene: Scene, door: _Door, round: Round, report: Report, bottle_ids: set[UUID]) -> Visit:
    """As the online door makes it: check (with its hazards) before bottles."""
    db, deed = scene.db, scene.deed
    load = load_of(db, door.line)
    code = door_code.code_of(db, deed.district, door.order.id, lock=True)
    check = _check(scene, door.order, round, report.check)
    bottles.lock_late(deed, bottle_ids, scene.cards)
    full, empty, holding = bottles_at_the_door(deed, door.order, door.card, round, report)
    crew = crew_facts(db, round, door.order, scene.when.occurred_at)
    return Visit(door.order, door.line, door.card, round, load, code, check, crew, full, empty, holding)


def _check(
    scene: Scene, order: Order, round: Round, sent: Mapping[str, Any] | None
) -> visit_check.VisitCheck | None:
    """A check that is not whole stays in the kept string: it is no check on record."""
    try:
        return visit_check.check_of_visit(
            scene.deed, order, round, sent, scene.when.occurred_at, _who_looked(scene)
        )
    except WrongField:
        scene.flag(CHECK_INCOMPLETE)
        return None


def _who_looked(scene: Scene) -> UUID | None:
    """The courier whose device it was then, whoever carried the strings: H02 asks who found a hazard."""
    actor, courier_id = scene.deed.actor, scene.who.courier_id
    carries_own = actor.reach.kind is ScopeKind.COURIER and actor.scope_id(ScopeKind.COURIER) == courier_id
    if courier_id is None or carries_own:
        return None
    return principal_of_courier(scene.db, courier_id)


def _ask_handover_gate(scene: Scene, visit: Visit, report: Report) -> None:
    facts = handover_facts(scene.db, visit, report, (scene.when.earliest, scene.when.latest))
    known = _known_then(scene, visit.full.resolved.cylinder_id)
    facts = replace(
        facts,
        binding_in_force=facts.binding_in_force and _is_bound(scene, visit.round),
        is_full=known.full if known is not None else None,
    )
    _judge(scene, "handover", facts, visit.order)
    scene.flag_refusals(visit.full.verdict.reasons)
    scene.flag_refusals(line_refusals(visit, report))
    scene.flag_refusals(_proof_refusals(scene, visit, report))
    tell_of_strangers(scene.deed, visit, facts)


def _proof_refusals(scene: Scene, visit: Visit, report: Report) -> list[Refusal]:
    """As of the moment it was given: a code may have expired since. A wrong one counts no try."""
    kind, at = report.proof["kind"], scene.when.occurred_at
    if kind is ProofKind.CARD_QR and not is_right_card(scene.db, visit.card, report.proof["value"]):
        return [no.CARD_QR_WRONG()]
    if kind is not ProofKind.DOOR_CODE:
        return []
    code = visit.code
    if code is None or not code.issued_at <= at < code.expires_at:
        return [no.NO_DOOR_CODE(why="expired" if code is not None else "not_issued")]
    said = door_code.opened(scene.db, scene.deed.ground, code, visit.order.household_id)
    if not hmac.compare_digest(said.encode(), report.proof["value"].encode()):
        return [no.NO_DOOR_CODE(why="wrong")]
    code.used_at = code.used_at or scene.deed.recorded_at
    return []


def _hand_over(scene: Scene, door: _Door | None, full: Resolved, empty: Resolved | None) -> None:
    """Both facts of custody, as the phone tells them and whatever else is on record."""
    round = door.round if door is not None else None
    courier, household = _courier(scene, round), door.household if door is not None else None
    errand = _errand(
        scene,
        round,
        door.line if door is not None else None,
        card_id=door.card.id if door is not None else None,
    )
    moves = ((empty, FactKind.TAKE_EMPTY, household, courier), (full, FactKind.DELIVER, courier, household))
    for bottle, kind, giver, taker in moves:
        if bottle is None:
            continue
        if bottle.cylinder_id is None:
            scene.flag(BOTTLE_UNKNOWN)
            continue
        custody = bottles.report(
            scene.deed,
            bottle.cylinder_id,
            kind,
            giver=giver,
            taker=taker,
            errand=errand,
            occurred_at=scene.when.occurred_at,
        )
        scene.took(custody)
        if kind is FactKind.DELIVER and custody.now.holder == household:
            # For whichever line it was loaded, it is on no vehicle any more.
            end_load(scene.deed, bottle.cylinder_id)


def _withhold(scene: Scene) -> None:
    """Nothing changed hands; the bottle stays on the vehicle."""
    deed = scene.deed
    door = _door(scene, set())
    if door is None or door.round is None:
        return
    check = _check(scene, door.order, door.round, scene.body["check"])
    load = load_of(scene.db, door.line)
    if check is not None:
        check.enter(deed)
    if door.line.state is not LineState.LOADED or load is None:
        scene.flag(LINE_NOT_OPEN)
        return
    mark_withheld(deed, door.line)
    report = Report(
        line_id=door.line.id,
        card_credential=None,
        check=scene.body["check"],
        full_code="",
        empty_code=None,
        empty_exception=None,
        proof={},
        connected=False,
        leak_test_passed=None,
        point=scene.scan.point,
        occurred_at=scene.when.occurred_at,
    )
    record_visit(
        deed,
        Served(door.order, door.line, door.card, door.round),
        check,
        report,
        VisitOutcome.WITHHELD,
        full_id=load.cylinder_id,
        late_flags=scene.codes,
    )


def _fail(scene: Scene) -> None:
    """Nobody was supplied."""
    door = _door(scene, set())
    if door is None:
        return
    scene.deed.note(failure=scene.body["reason"])
    if door.line.state in OPEN_STATES:
        mark_failed(scene.deed, door.line, scene.body["reason"].value)
    else:
        scene.flag(LINE_NOT_OPEN)


def _take_empty(scene: Scene) -> None:
    """收瓶: household → courier, without a full one in exchange."""
    deed = scene.deed
    scanned = resolve(scene.db, scene.body["code"])
    bottle_ids = _ids(scanned)
    door = _door(scene, bottle_ids)
    bottles.lock_late(deed, bottle_ids, scene.cards)
    if scanned.cylinder_id is None:
        scene.flag(BOTTLE_UNKNOWN)
        bottles.stranger_seen(deed, scanned, where="door", order_id=door.order.id if door else None)
        return
    _tell_of_ended(scene, scanned, where="door", order_id=door.order.id if door else None)
    round = door.round if door is not None else None
    scene.took(
        bottles.report(
            deed,
            scanned.cylinder_id,
            FactKind.TAKE_EMPTY,
            giver=door.household if door is not None else None,
            taker=_courier(scene, round),
            errand=_errand(
                scene,
                round,
                door.line if door is not None else None,
                card_id=door.card.id if door is not None else None,
            ),
            occurred_at=scene.when.occurred_at,
        )
    )


def _tell_of_ended(
    scene: Scene, scanned: Resolved, *, where: str, order_id: UUID | None = None, round_id: UUID | None = None
) -> None:
    """A bottle that had been scrapped or seized by then: it was scanned all the same, and that is told."""
    ended = bottles.ended(scene.db, scanned.cylinder_id, scene.when.occurred_at)
    if ended:
        scene.flag_refusals(ended)
        bottles.stranger_seen(
            scene.deed, scanned, where=where, order_id=order_id, round_id=round_id, reasons=ended
        )


# --- back at the site -------------------------------------------------------------------------------------


def _bring_back(scene: Scene) -> None:
    """入站: courier → the round's site. A load that had begun before it ends."""
    db, deed, at = scene.db, scene.deed, scene.when.occurred_at
    scanned = resolve(db, scene.body["code"])
    bottle_ids = _ids(scanned)
    round = _round_named(scene, scene.body["round_id"])
    scene.cards = bottles.lock_cards_named(deed, bottle_ids)
    load = _load_standing(db, scanned.cylinder_id, deed.district)
    line = (
        db.get(OrderLine, (deed.district, load.line_id), with_for_update=True) if load is not None else None
    )
    if round is not None:
        round = locked_round(deed, round)
    bottles.lock_late(deed, bottle_ids, scene.cards)
    if scanned.cylinder_id is None:
        scene.flag(BOTTLE_UNKNOWN)
        bottles.stranger_seen(deed, scanned, where="site", round_id=scene.body["round_id"])
        return
    _tell_of_ended(scene, scanned, where="site", round_id=scene.body["round_id"])
    if round is None:
        return  # without its round nobody knows at which site it was scanned
    scene.took(
        bottles.report(
            deed,
            scanned.cylinder_id,
            FactKind.RETURN,
            giver=_courier(scene, round),
            taker=Holder(HolderKind.SITE, round.supply_site_id),
            errand=_errand(scene, round, line, site_id=round.supply_site_id),
            occurred_at=at,
        )
    )
    if load is not None and load.loaded_at <= at and load.round_id == round.id:
        end_load(deed, scanned.cylinder_id)
        if line is not None and line.state is LineState.LOADED:
            mark_unloaded(deed, line)


def _load_standing(db: Session, cylinder_id: UUID | None, district: int) -> LineLoad | None:
    return db.scalars(
        sa.select(LineLoad).where(
            LineLoad.district == district, LineLoad.cylinder_id == cylinder_id, LineLoad.active
        )
    ).first()


# --- who and where ----------------------------------------------------------------------------------------


def _ids(*scanned: Resolved | None) -> set[UUID]:
    return {one.cylinder_id for one in scanned if one is not None and one.cylinder_id is not None}


def _known_then(scene: Scene, cylinder_id: UUID | None) -> Projection | None:
    """Where the bottle was just before, as far as anybody knows by now."""
    if cylinder_id is None:
        return None
    return known_before(scene.db, cylinder_id, scene.when.occurred_at, scene.device.id, scene.scan.seq)


def _round_named(scene: Scene, round_id: UUID) -> Round | None:
    """The round the phone names, if it is the device's firm's."""
    found = round_of(scene.db, scene.deed.district, round_id)
    if found is None or found.firm_id != scene.device.firm_id:
        scene.flag(ROUND_UNKNOWN)
        return None
    return found


def _round_then(scene: Scene, line: OrderLine) -> Round | None:
    """The round on which the line was driven: of those it stood on, this courier's, else the latest."""
    rounds = scene.db.scalars(
        sa.select(Round)
        .join(RoundStop, sa.and_(RoundStop.district == Round.district, RoundStop.round_id == Round.id))
        .where(
            RoundStop.district == line.district,
            RoundStop.order_id == line.order_id,
            Round.recorded_at <= scene.when.latest,
        )
        .order_by(RoundStop.active.desc(), Round.recorded_at.desc(), Round.id.desc())
    ).all()
    own = [round for round in rounds if round.courier_id == scene.who.courier_id]
    return next(iter(own or rounds), None)


def _judge(scene: Scene, gate: str, facts: LoadFacts | HandoverFacts, order: Order) -> None:
    """By the rules of its day. Where it may have been another day with other rules, by the stricter: both."""
    verdict, *others = [judge(gate, facts, str(order.district), day, current()) for day in scene.days]
    scene.deed.keep(decision_of(verdict, scene.deed.district, street_of_order(scene.db, order)))
    scene.flag_refusals(verdict.reasons)
    for other in others:
        if [one.code for one in other.reasons] != [one.code for one in verdict.reasons]:
            scene.flag(DAY_UNCERTAIN)
            scene.flag_refusals(other.reasons)


def _is_bound(scene: Scene, round: Round) -> bool:
    """D02 as of then: this very device was bound on the round's binding, and nothing within the uncertainty
    says otherwise."""
    bound = scene.who.binding
    return bound is not None and scene.who.certain and bound.id == round.binding_id


def _courier(scene: Scene, round: Round | None) -> Holder | None:
    """Whose device it was then. Outside any binding: the round's courier, whose work it says it is."""
    courier_id = scene.who.courier_id or (round.courier_id if round is not None else None)
    return Holder(HolderKind.COURIER, courier_id) if courier_id is not None else None


def _errand(
    scene: Scene,
    round: Round | None,
    line: OrderLine | None,
    *,
    site_id: UUID | None = None,
    card_id: UUID | None = None,
) -> Errand:
    return Errand(
        site_id=site_id,
        binding=scene.who.binding,
        round_id=round.id if round is not None else None,
        line_id=line.id if line is not None else None,
        card_id=card_id,
        device_id=scene.device.id,
        device_seq=scene.scan.seq,
        uncertainty_s=scene.when.uncertainty_s,
        flags=tuple(scene.codes),
    )


_HAPPENINGS: Mapping[ScanKind, Callable[[Scene], None]] = {
    ScanKind.LOAD: _load,
    ScanKind.DELIVER: _deliver,
    ScanKind.WITHHOLD: _withhold,
    ScanKind.FAIL: _fail,
    ScanKind.TAKE_EMPTY: _take_empty,
    ScanKind.BRING_BACK: _bring_back,
}
