"""Traces: what happened to a bottle, a household or an order, from the evidence alone.

A trace holds no personal data: people and households are ids; revealing them is a deed of its own
(registry). Every answer says ``as_of``: what was known then.
"""

import json
from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import clock
from core.auth import Role
from core.doing import Doing
from core.paging import Page, Pager
from core.problems import NotFound
from core.refusal import CATALOGUE, Audience, Reason, Refusal
from cylinders.models import CustodyConflict, CustodyFact, Cylinder
from dispatch.orders.models import Order
from dispatch.rounds.models import Round, RoundStop
from evidence.entry import Subject
from evidence.models import Entry, Outcome, SubjectType
from evidence.queries import Chain, ChainEntry, chain
from oversight.looks import keep_desk_look, keep_look
from oversight.models import LookKind, Tip
from registry.household_file_queries import household_view
from registry.models import Account, Card, Household, Premises, Vehicle
from registry.queries import party_within_reach
from registry.states import AccountState

MOST_CHAINS = 60


@dataclass(frozen=True, slots=True)
class Trace:
    """Chains that belong together, their entries in order of time, and the subjects one step further."""

    subject: Subject
    as_of: datetime
    intact: bool
    chains: tuple[Chain, ...]
    events: tuple[ChainEntry, ...]
    leads_to: tuple[Subject, ...]
    complete: bool


def cylinder_trace(doing: Doing, cylinder_id: UUID, as_of: datetime | None) -> Trace:
    """A bottle from registration to now. Its owner's firm and every regulator may read it."""
    with doing.ground.sessions() as db:
        bottle = db.get(Cylinder, cylinder_id)
        if bottle is None:
            raise NotFound
        if doing.actor.role is not Role.REGULATOR:
            doing.actor.must_reach(firm=bottle.owner_firm_id)
        keep_look(doing, LookKind.CYLINDER, cylinder_id)
        return _trace(db, [Subject(SubjectType.CYLINDER, str(cylinder_id))], as_of)


def household_trace(doing: Doing, household_id: UUID, as_of: datetime | None) -> Trace:
    """A household with its cards, orders, hazards, and the bottles they name."""
    with doing.ground.sessions() as db:
        district = doing.district
        household = db.get(Household, (district, household_id))
        if household is None:
            raise NotFound
        _must_reach_household(doing, db, household)
        keep_look(doing, LookKind.HOUSEHOLD, household_id)
        cards = db.scalars(
            sa.select(Card.id).where(Card.district == district, Card.household_id == household_id)
        )
        first = Subject(SubjectType.HOUSEHOLD, str(household_id))
        return _trace(db, [first, *(Subject(SubjectType.CARD, str(card)) for card in cards)], as_of)


def household_file(doing: Doing, household_id: UUID) -> dict[str, Any]:
    """A household's file, masked, for who opens it at a desk; that it was opened is kept first."""
    with doing.ground.sessions() as db:
        party_within_reach(db, doing.actor, doing.district, household_id)
    keep_desk_look(doing, household_id)
    return household_view(doing, household_id)


def order_trace(doing: Doing, order_id: UUID, as_of: datetime | None) -> Trace:
    """An order with its cards and, back to the filling and forward to today, the bottles it moved."""
    with doing.ground.sessions() as db:
        order = db.get(Order, (doing.district, order_id))
        if order is None:
            raise NotFound
        household = db.get_one(Household, (doing.district, order.household_id))
        _must_reach_household(doing, db, household)
        keep_look(doing, LookKind.ORDER, order_id)
        first = Subject(SubjectType.ORDER, str(order_id))
        bottles = {
            subject
            for entry in chain(db, first, as_of).entries
            for subject in entry.subjects
            if subject.type in (SubjectType.CYLINDER, SubjectType.HAZARD)
        }
        return _trace(db, [first, *sorted(bottles)], as_of)


def hazard_trace(doing: Doing, hazard_id: UUID, household_id: UUID) -> Trace:
    """A hazard's own chain: found, told, mended, found again, closed. Its household is who is looked at."""
    with doing.ground.sessions() as db:
        household = db.get(Household, (doing.district, household_id))
        if household is None:
            raise NotFound
        _must_reach_household(doing, db, household)
        keep_look(doing, LookKind.HAZARD, hazard_id)
        return _trace(db, [Subject(SubjectType.HAZARD, str(hazard_id))], None)


def _must_reach_household(doing: Doing, db: Session, household: Household) -> None:
    premises = db.get_one(Premises, (household.district, household.premises_id))
    firms = db.scalars(
        sa.select(Account.firm_id).where(
            Account.district == household.district,
            Account.household_id == household.id,
            Account.state != AccountState.CLOSED,
        )
    ).all()
    row = {"district": household.district, "street": premises.street_code}
    if not any(doing.actor.reach.covers(**row, firm=firm) for firm in [*firms, None]):
        raise NotFound


def _trace(db: Session, subjects: list[Subject], as_of: datetime | None) -> Trace:
    at = as_of or clock.now()
    chains = tuple(chain(db, subject, as_of) for subject in subjects[:MOST_CHAINS])
    once = {entry.entry_id: entry for one in reversed(chains) for entry in one.entries}
    events = sorted(once.values(), key=lambda entry: (entry.recorded_at, entry.entry_id))
    seen = set(subjects)
    further = sorted({subject for entry in events for subject in entry.subjects} - seen)
    return Trace(
        subjects[0],
        at,
        all(one.intact for one in chains),
        chains,
        tuple(events),
        tuple(further),
        len(subjects) <= MOST_CHAINS,
    )


def trace_view(trace: Trace, audience: Audience) -> dict[str, Any]:
    return {
        "subject": _subject_view(trace.subject),
        "as_of": trace.as_of,
        "intact": trace.intact,
        "complete": trace.complete,
        "chains": [
            {**_subject_view(one.subject), "entries": len(one.entries), "intact": one.intact}
            for one in trace.chains
        ],
        "events": [event_view(event, audience) for event in trace.events],
        "leads_to": [_subject_view(subject) for subject in trace.leads_to],
    }


def event_view(event: ChainEntry, audience: Audience) -> dict[str, Any]:
    said = event.said
    return {
        "entry_id": said["id"],
        **{name: said[name] for name in ("verb", "outcome", "role", "actor_id", "refusal_no", "payload")},
        "occurred_at": event.occurred_at,
        "recorded_at": event.recorded_at,
        "reasons": [Refusal.from_plain(row).worded(audience) for row in said["reasons"]],
        "subjects": [_subject_view(subject) for subject in event.subjects],
        "hash": event.hash.hex(),
    }


def _subject_view(subject: Subject) -> dict[str, str]:
    return {"type": subject.type.value, "key": subject.key}


def refusals(doing: Doing, *, limit: int, cursor: str | None) -> Page:
    """Refused deeds filed in this district, oldest first."""
    pager = _pager(doing, "refusals")
    query = sa.select(Entry).where(Entry.district == doing.district, Entry.outcome == Outcome.REFUSED)
    doing.actor.must_reach(district=doing.district)
    with doing.ground.sessions() as db:
        return pager.page(
            db,
            query,
            Entry.recorded_at,
            Entry.id,
            limit=limit,
            cursor=cursor,
            position=lambda row: (row.Entry.recorded_at, row.Entry.id),
        )


def tips(doing: Doing, *, limit: int, cursor: str | None) -> Page:
    pager = _pager(doing, "tips")
    doing.actor.must_reach(district=doing.district)
    with doing.ground.sessions() as db:
        return pager.page(
            db,
            sa.select(Tip).where(Tip.district == doing.district),
            Tip.recorded_at,
            Tip.id,
            limit=limit,
            cursor=cursor,
            position=lambda row: (row.Tip.recorded_at, row.Tip.id),
        )


def _pager(doing: Doing, name: str) -> Pager:
    reach = doing.actor.reach
    secret = doing.ground.keyring.label.current_key
    return Pager(secret, f"{name}:{doing.district}:{reach.kind}:{reach.code}")


# --- lists for pages: the newest first, bounded -------------------------------------------------------------

MOST_ROWS = 300


@dataclass(frozen=True, slots=True)
class RefusedDay:
    """One day's refusals in a district. ``cut``: there were more than are shown and counted."""

    day: date
    rows: tuple[tuple[Entry, tuple[Refusal, ...]], ...]
    by_reason: tuple[tuple[Reason, int], ...]
    cut: bool


def refusals_of_day(doing: Doing, day: date, code: str | None = None) -> RefusedDay:
    """``code``: only those with this reason among theirs; the counts stay those of the whole day."""
    doing.actor.must_reach(district=doing.district)
    query = (
        sa.select(Entry)
        .where(
            Entry.district == doing.district,
            Entry.outcome == Outcome.REFUSED,
            Entry.recorded_at >= clock.at(day, time()),
            Entry.recorded_at < clock.at(day + timedelta(days=1), time()),
        )
        .order_by(Entry.recorded_at.desc(), Entry.id.desc())
        .limit(MOST_ROWS + 1)
    )
    with doing.ground.sessions() as db:
        entries = db.scalars(query).all()
    rows = [(entry, _reasons(entry)) for entry in entries[:MOST_ROWS]]
    counted = Counter(refusal.reason.code for _, reasons in rows for refusal in reasons)
    return RefusedDay(
        day,
        tuple(row for row in rows if code is None or any(refusal.code == code for refusal in row[1])),
        tuple((CATALOGUE[name], number) for name, number in counted.most_common()),
        len(entries) > MOST_ROWS,
    )


def day_of_refusal(doing: Doing, number: str) -> date | None:
    doing.actor.must_reach(district=doing.district)
    with doing.ground.sessions() as db:
        at = db.scalar(
            sa.select(Entry.recorded_at).where(Entry.refusal_no == number, Entry.district == doing.district)
        )
    return clock.day_of(at) if at is not None else None


def _reasons(entry: Entry) -> tuple[Refusal, ...]:
    return tuple(Refusal.from_plain(row) for row in json.loads(entry.written)["reasons"])


def latest_tips(doing: Doing) -> list[Tip]:
    doing.actor.must_reach(district=doing.district)
    with doing.ground.sessions() as db:
        return list(
            db.scalars(
                sa.select(Tip)
                .where(Tip.district == doing.district)
                .order_by(Tip.recorded_at.desc(), Tip.id.desc())
                .limit(MOST_ROWS)
            )
        )


@dataclass(frozen=True, slots=True)
class Contested:
    """Two facts of custody that contradict each other: the one not believed, and the one it lost against."""

    conflict: CustodyConflict
    fact: CustodyFact
    standing: CustodyFact | None


def conflicts(doing: Doing, *, resolved: bool = False) -> list[Contested]:
    """Open ones oldest first, so that what has waited longest stands on top; resolved ones newest first."""
    doing.actor.must_reach(district=doing.district)
    query = sa.select(CustodyConflict).where(CustodyConflict.district == doing.district)
    query = (
        query.where(CustodyConflict.resolved_at.is_not(None)).order_by(CustodyConflict.resolved_at.desc())
        if resolved
        else query.where(CustodyConflict.resolved_at.is_(None)).order_by(CustodyConflict.found_at)
    )
    with doing.ground.sessions() as db:
        return [_contested(db, conflict) for conflict in db.scalars(query.limit(MOST_ROWS)).all()]


def _contested(db: Session, conflict: CustodyConflict) -> Contested:
    """What it lost against may be another bottle's fact, where both stand on one card."""
    fact = _fact(db, conflict.cylinder_id, conflict.fact_id)
    assert fact is not None  # facts are never deleted
    other = conflict.standing_cylinder_id or conflict.cylinder_id
    standing = _fact(db, other, conflict.standing_fact_id) if conflict.standing_fact_id else None
    return Contested(conflict, fact, standing)


def _fact(db: Session, cylinder_id: UUID, fact_id: UUID) -> CustodyFact | None:
    return db.scalars(
        sa.select(CustodyFact).where(CustodyFact.cylinder_id == cylinder_id, CustodyFact.id == fact_id)
    ).one_or_none()


@dataclass(frozen=True, slots=True)
class Drive:
    """A round of a vehicle, with the orders on it."""

    round: Round
    orders: tuple[UUID, ...]


def drives_of(doing: Doing, vehicle_id: UUID) -> tuple[Vehicle, list[Drive]]:
    """A vehicle's latest rounds: by its plate one comes to what it brought where."""
    doing.actor.must_reach(district=doing.district)
    with doing.ground.sessions() as db:
        vehicle = db.get(Vehicle, (doing.district, vehicle_id))
        if vehicle is None:
            raise NotFound
        rounds = db.scalars(
            sa.select(Round)
            .where(Round.district == doing.district, Round.vehicle_id == vehicle_id)
            .order_by(Round.day.desc(), Round.id.desc())
            .limit(30)
        ).all()
        stops: dict[UUID, list[UUID]] = {}
        for stop in db.scalars(
            sa.select(RoundStop)
            .where(
                RoundStop.district == doing.district,
                RoundStop.round_id.in_([one.id for one in rounds]),
                RoundStop.active,
            )
            .order_by(RoundStop.trip, RoundStop.position)
        ):
            stops.setdefault(stop.round_id, []).append(stop.order_id)
        return vehicle, [Drive(one, tuple(stops.get(one.id, ()))) for one in rounds]
