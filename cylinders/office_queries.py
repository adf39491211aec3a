"""What a firm's office looks at each day: what its sites filled and refused, what is held and why, counts.

A list is read by page number: an office turns pages, it does not walk a register. ``every_…`` are the same
lists whole, for an export, read a few hundred rows at a time. All are of what the caller's grant reaches:
the firm's bottles and sites, one site's, or the district's.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Generic, TypeAlias, TypeVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from core import clock
from core.auth import ScopeKind
from core.doing import Doing
from core.problems import NotFound
from cylinders.count_queries import sites_within_reach
from cylinders.life_models import Sighting
from cylinders.models import (
    CardHolding,
    CountDifference,
    CountExplanation,
    CustodyConflict,
    Cylinder,
    CylinderCustody,
    CylinderType,
    Filling,
    Hold,
    HoldKind,
    Inspection,
    SiteCount,
)
from cylinders.queries import BottleVerdict, judge_bottle, labels_of, types
from cylinders.refill_gate import Purpose
from cylinders.states import CylinderState
from cylinders.station_queries import NotDone, not_done
from evidence.models import Entry, Outcome
from registry.models import Firm, HolderKind, Site

ROWS_A_PAGE = 50
MOST_PAGES = 10_000
AT_A_TIME = 500

T = TypeVar("T")
Query: TypeAlias = "sa.Select[*tuple[Any, ...]]"
Rows: TypeAlias = "Sequence[sa.Row[*tuple[Any, ...]]]"


@dataclass(frozen=True, slots=True)
class Leaf(Generic[T]):
    """One page of a list. ``more``: there is another behind it."""

    rows: tuple[T, ...]
    number: int
    more: bool


@dataclass(frozen=True, slots=True)
class Office:
    """For whom the caller sits there. ``is_firm``: for the whole firm, which registers bottles."""

    name: str
    firm_id: UUID | None
    sites: tuple[Site, ...]

    @property
    def is_firm(self) -> bool:
        return self.firm_id is not None

    def named(self, site_id: UUID | None) -> str:
        return next((site.name for site in self.sites if site.id == site_id), "")


def office_of(doing: Doing) -> Office:
    """404 for whoever acts for no firm, site or district."""
    with doing.ground.reads() as db:
        sites = tuple(sites_within_reach(db, doing))
        if doing.actor.reach.kind is ScopeKind.FIRM:
            firm = db.get(Firm, doing.actor.scope_id(ScopeKind.FIRM))
            if firm is None:
                raise NotFound
            return Office(firm.name, firm.id, sites)
        if doing.actor.reach.kind is ScopeKind.SITE:
            if not sites:
                raise NotFound
            return Office(sites[0].name, None, sites)
        return Office(str(doing.district), None, sites)


def models(doing: Doing) -> list[CylinderType]:
    """The catalogue a bottle's model is chosen from."""
    with doing.ground.reads() as db:
        return list(types(db).values())


# --- what the sites did on a day --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SiteSums:
    """What one site did on a day."""

    site: Site
    fillings: int = 0
    net_g: int = 0
    refusals: int = 0
    receipts: int = 0


@dataclass(frozen=True, slots=True)
class FilledBottle:
    """``code``: of the bottle's own label now; None where it has none."""

    filling: Filling
    code: str | None
    model: str
    site: str


@dataclass(frozen=True, slots=True)
class RefusedAt:
    site: str
    no: NotDone


@dataclass(frozen=True, slots=True)
class SeenAt:
    site: str
    sighting: Sighting


def sums_of_day(doing: Doing, day: date) -> list[SiteSums]:
    """Each site within reach, also one that did nothing."""
    begins, ends = _span(day)
    with doing.ground.reads() as db:
        sites = sites_within_reach(db, doing)
        ids = [site.id for site in sites]
        filled = db.execute(
            sa.select(Filling.site_id, sa.func.count(), sa.func.sum(Filling.net_g))
            .where(Filling.site_id.in_(ids), Filling.filled_at >= begins, Filling.filled_at < ends)
            .group_by(Filling.site_id)
        ).all()
        entries = db.execute(
            sa.select(
                Entry.site_id,
                sa.func.count().filter(Entry.outcome == Outcome.REFUSED),
                sa.func.count().filter(Entry.outcome == Outcome.DONE, Entry.verb == "cylinder.receive"),
            )
            .where(Entry.site_id.in_(ids), Entry.recorded_at >= begins, Entry.recorded_at < ends)
            .group_by(Entry.site_id)
        ).all()
    of_fillings = {site_id: (number, int(net_g)) for site_id, number, net_g in filled}
    of_entries = {site_id: (refused, received) for site_id, refused, received in entries}
    return [
        SiteSums(site, *of_fillings.get(site.id, (0, 0)), *of_entries.get(site.id, (0, 0))) for site in sites
    ]


def fillings(doing: Doing, day: date, site_id: UUID | None = None, number: int = 1) -> Leaf[FilledBottle]:
    """The latest first."""
    with doing.ground.reads() as db:
        sites = _sites(db, doing, site_id)
        rows, more = _leaf(db, _FILLED.where(*_filled_on(day, sites)), number)
        return Leaf(tuple(_filled_bottles(db, rows, sites)), number, more)


def every_filling(doing: Doing, day: date, site_id: UUID | None = None) -> Iterator[FilledBottle]:
    with doing.ground.sessions() as db:
        sites = _sites(db, doing, site_id)
        for rows in _in_parts(db, _FILLED.where(*_filled_on(day, sites))):
            yield from _filled_bottles(db, rows, sites)


_FILLED = (
    sa.select(Filling, Cylinder.model)
    .join(Cylinder, Cylinder.cylinder_id == Filling.cylinder_id)
    .order_by(Filling.filled_at.desc(), Filling.id.desc())
)


def _filled_on(day: date, sites: Mapping[UUID, str]) -> tuple[sa.ColumnElement[bool], ...]:
    begins, ends = _span(day)
    return Filling.site_id.in_(sites), Filling.filled_at >= begins, Filling.filled_at < ends


def _filled_bottles(db: Session, rows: Rows, sites: Mapping[UUID, str]) -> Iterator[FilledBottle]:
    labels = labels_of(db, {filling.cylinder_id for filling, _ in rows})
    for filling, model in rows:
        yield FilledBottle(filling, labels.get(filling.cylinder_id), model, sites[filling.site_id])


def refusals(doing: Doing, day: date, site_id: UUID | None = None, number: int = 1) -> Leaf[RefusedAt]:
    """What the sites asked for and were refused, the latest first, worded for who reads it."""
    with doing.ground.reads() as db:
        sites = _sites(db, doing, site_id)
        rows, more = _leaf(db, _REFUSED.where(*_refused_on(day, sites)), number)
    return Leaf(tuple(_refused_at(doing, rows, sites)), number, more)


def every_refusal(doing: Doing, day: date, site_id: UUID | None = None) -> Iterator[RefusedAt]:
    with doing.ground.sessions() as db:
        sites = _sites(db, doing, site_id)
        for rows in _in_parts(db, _REFUSED.where(*_refused_on(day, sites))):
            yield from _refused_at(doing, rows, sites)


_REFUSED = (
    sa.select(Entry)
    .where(Entry.outcome == Outcome.REFUSED)
    .order_by(Entry.recorded_at.desc(), Entry.id.desc())
)


def _refused_on(day: date, sites: Mapping[UUID, str]) -> tuple[sa.ColumnElement[bool], ...]:
    begins, ends = _span(day)
    return Entry.site_id.in_(sites), Entry.recorded_at >= begins, Entry.recorded_at < ends


def _refused_at(doing: Doing, rows: Rows, sites: Mapping[UUID, str]) -> Iterator[RefusedAt]:
    for (entry,) in rows:
        yield RefusedAt(sites[entry.site_id], not_done(doing, entry))


def seen(doing: Doing, day: date, site_id: UUID | None = None, number: int = 1) -> Leaf[SeenAt]:
    """Bottles that should not have been there: foreign, unknown or black as somebody reported them at a
    site, or ended as the gun read them. The latest first."""
    with doing.ground.reads() as db:
        sites = _sites(db, doing, site_id)
        rows, more = _leaf(db, _SEEN.where(Sighting.site_id.in_(sites), Sighting.seen_on == day), number)
        return Leaf(tuple(_seen_at(rows, sites)), number, more)


def every_sighting(doing: Doing, day: date, site_id: UUID | None = None) -> Iterator[SeenAt]:
    with doing.ground.sessions() as db:
        sites = _sites(db, doing, site_id)
        query = _SEEN.where(Sighting.site_id.in_(sites), Sighting.seen_on == day)
        for rows in _in_parts(db, query):
            yield from _seen_at(rows, sites)


_SEEN = sa.select(Sighting).order_by(Sighting.last_seen_at.desc(), Sighting.id.desc())


def _seen_at(rows: Rows, sites: Mapping[UUID, str]) -> Iterator[SeenAt]:
    for (one,) in rows:
        yield SeenAt(sites[one.site_id], one)


# --- bottles that stand at the sites ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class StandingBottle:
    cylinder_id: UUID
    code: str | None
    model: str
    site: str
    full: bool
    since: datetime


def every_bottle_standing(doing: Doing, site_id: UUID | None = None) -> Iterator[StandingBottle]:
    """Bottle by bottle what the stock counts."""
    with doing.ground.sessions() as db:
        sites = _sites(db, doing, site_id)
        here = (
            sa.select(
                CylinderCustody.cylinder_id,
                Cylinder.model,
                CylinderCustody.holder_id,
                CylinderCustody.full,
                CylinderCustody.effective_at,
            )
            .join(Cylinder, Cylinder.cylinder_id == CylinderCustody.cylinder_id)
            .where(CylinderCustody.holder_kind == HolderKind.SITE, CylinderCustody.holder_id.in_(sites))
            .order_by(CylinderCustody.holder_id, Cylinder.model, CylinderCustody.cylinder_id)
        )
        for rows in _in_parts(db, here):
            labels = labels_of(db, [row.cylinder_id for row in rows])
            for row in rows:
                yield StandingBottle(
                    row.cylinder_id,
                    labels.get(row.cylinder_id),
                    row.model,
                    sites[row.holder_id],
                    row.full,
                    row.effective_at,
                )


# --- what is held, and what contradicts -------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class HeldBottle:
    """A bottle that may be neither filled nor sent out, with every hold on it. ``failed``: its last
    inspection, where that is what holds it. ``holder_id``: a site's or courier's id, never a household's."""

    cylinder_id: UUID
    code: str | None
    model: str
    holder_kind: HolderKind | None
    site: str
    holds: tuple[Hold, ...]
    failed: Inspection | None

    @property
    def since(self) -> datetime | None:
        begun = [hold.from_at for hold in self.holds]
        begun += [self.failed.recorded_at] if self.failed else []
        return min(begun, default=None)


@dataclass(frozen=True, slots=True)
class ContestedBottle:
    conflict: CustodyConflict
    code: str | None
    model: str


def held(doing: Doing, kind: HoldKind | None = None, number: int = 1) -> Leaf[HeldBottle]:
    """Held by a person, by a conflict, or since its inspection failed."""
    with doing.ground.reads() as db:
        rows, more = _leaf(db, _held_query(doing, kind), number)
        return Leaf(tuple(_held_bottles(db, doing, rows)), number, more)


def every_held(doing: Doing, kind: HoldKind | None = None) -> Iterator[HeldBottle]:
    with doing.ground.sessions() as db:
        for rows in _in_parts(db, _held_query(doing, kind)):
            yield from _held_bottles(db, doing, rows)


def how_many_held(doing: Doing) -> int:
    with doing.ground.reads() as db:
        return db.scalar(_held_query(doing, None).with_only_columns(sa.func.count()).order_by(None)) or 0


def _held_query(doing: Doing, kind: HoldKind | None) -> Query:
    """Both ways a bottle can be held are looked up by an index of their own."""
    put = sa.select(Hold.cylinder_id).where(Hold.until_at.is_(None))
    failed = sa.select(Cylinder.cylinder_id).where(Cylinder.state == CylinderState.HELD)
    which = (put.union(failed) if kind is None else put.where(Hold.kind == kind).distinct()).subquery()
    return (
        sa.select(
            Cylinder.cylinder_id,
            Cylinder.model,
            Cylinder.state,
            CylinderCustody.holder_kind,
            CylinderCustody.holder_id,
        )
        .join(which, which.c.cylinder_id == Cylinder.cylinder_id)
        .outerjoin(CylinderCustody, CylinderCustody.cylinder_id == Cylinder.cylinder_id)
        .where(_ours(doing))
        .order_by(Cylinder.cylinder_id)
    )


def _held_bottles(db: Session, doing: Doing, rows: Rows) -> Iterator[HeldBottle]:
    ids = [row.cylinder_id for row in rows]
    labels, holds, failed = labels_of(db, ids), _open_holds(db, ids), _last_failed(db, ids)
    sites = {
        site.id: site.name
        for site in db.scalars(sa.select(Site).where(Site.id.in_([row.holder_id for row in rows])))
    }
    for row in rows:
        yield HeldBottle(
            row.cylinder_id,
            labels.get(row.cylinder_id),
            row.model,
            row.holder_kind,
            sites.get(row.holder_id, ""),
            tuple(holds.get(row.cylinder_id, ())),
            failed.get(row.cylinder_id),
        )


def _open_holds(db: Session, ids: Sequence[UUID]) -> dict[UUID, list[Hold]]:
    found: dict[UUID, list[Hold]] = {}
    for hold in db.scalars(
        sa.select(Hold)
        .where(Hold.cylinder_id.in_(ids), Hold.until_at.is_(None))
        .order_by(Hold.cylinder_id, Hold.from_at)
    ):
        found.setdefault(hold.cylinder_id, []).append(hold)
    return found


def _last_failed(db: Session, ids: Sequence[UUID]) -> dict[UUID, Inspection]:
    """The latest inspection of each, where it failed."""
    latest = db.scalars(
        sa.select(Inspection)
        .ext(distinct_on(Inspection.cylinder_id))
        .where(Inspection.cylinder_id.in_(ids))
        .order_by(Inspection.cylinder_id, Inspection.inspected_on.desc(), Inspection.id.desc())
    )
    return {one.cylinder_id: one for one in latest if not one.passed}


def contested(doing: Doing) -> list[ContestedBottle]:
    """Open contradictions of custody; what has waited longest first."""
    with doing.ground.reads() as db:
        rows = db.execute(
            sa.select(CustodyConflict, Cylinder.model)
            .join(Cylinder, Cylinder.cylinder_id == CustodyConflict.cylinder_id)
            .outerjoin(CylinderCustody, CylinderCustody.cylinder_id == Cylinder.cylinder_id)
            .where(CustodyConflict.resolved_at.is_(None), _ours(doing))
            .order_by(CustodyConflict.found_at, CustodyConflict.id)
            .limit(AT_A_TIME)
        ).all()
        labels = labels_of(db, {conflict.cylinder_id for conflict, _ in rows})
        return [ContestedBottle(one, labels.get(one.cylinder_id), model) for one, model in rows]


def _ours(doing: Doing) -> sa.ColumnElement[bool]:
    """Bottles a firm owns or is entrusted with; that stand at a site; that are in the district."""
    reach = doing.actor.reach
    match reach.kind:
        case ScopeKind.FIRM:
            firm_id = doing.actor.scope_id(ScopeKind.FIRM)
            return sa.or_(Cylinder.owner_firm_id == firm_id, Cylinder.entrusted_to_firm_id == firm_id)
        case ScopeKind.SITE:
            site_id = doing.actor.scope_id(ScopeKind.SITE)
            return sa.and_(
                CylinderCustody.holder_kind == HolderKind.SITE, CylinderCustody.holder_id == site_id
            )
        case ScopeKind.DISTRICT | ScopeKind.ALL:
            return CylinderCustody.district == doing.district
    raise NotFound


def may_be_supplied(doing: Doing, cylinder_id: UUID) -> BottleVerdict:
    """What the refill gate says of a bottle today. For a page about it: no station asked, none is logged."""
    with doing.ground.reads() as db:
        return judge_bottle(
            db,
            cylinder_id,
            purpose=Purpose.DISPATCH,
            site_id=None,
            place=str(doing.district),
            at=clock.now(),
        )


def bottles_on_cards(doing: Doing, card_ids: Collection[UUID]) -> dict[UUID, tuple[UUID, str | None]]:
    """Card → the bottle it holds now, with its label. The caller has judged whose cards they are."""
    with doing.ground.reads() as db:
        held = {
            one.card_id: one.cylinder_id
            for one in db.scalars(
                sa.select(CardHolding).where(
                    CardHolding.district == doing.district,
                    CardHolding.card_id.in_(card_ids),
                    CardHolding.active,
                )
            )
        }
        labels = labels_of(db, held.values())
    return {card_id: (bottle, labels.get(bottle)) for card_id, bottle in held.items()}


# --- inspections ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class InspectedBottle:
    inspection: Inspection
    code: str | None
    model: str


def inspections(doing: Doing, passed: bool | None = None, number: int = 1) -> Leaf[InspectedBottle]:
    """As they were recorded, the latest first."""
    with doing.ground.reads() as db:
        rows, more = _leaf(db, _inspected(doing, passed), number)
        return Leaf(tuple(_inspected_bottles(db, rows)), number, more)


def every_inspection(doing: Doing, passed: bool | None = None) -> Iterator[InspectedBottle]:
    with doing.ground.sessions() as db:
        for rows in _in_parts(db, _inspected(doing, passed)):
            yield from _inspected_bottles(db, rows)


def _inspected(doing: Doing, passed: bool | None) -> Query:
    return (
        sa.select(Inspection, Cylinder.model)
        .join(Cylinder, Cylinder.cylinder_id == Inspection.cylinder_id)
        .outerjoin(CylinderCustody, CylinderCustody.cylinder_id == Cylinder.cylinder_id)
        .where(_ours(doing), sa.true() if passed is None else Inspection.passed.is_(passed))
        .order_by(Inspection.recorded_at.desc(), Inspection.id.desc())
    )


def _inspected_bottles(db: Session, rows: Rows) -> Iterator[InspectedBottle]:
    labels = labels_of(db, {inspection.cylinder_id for inspection, _ in rows})
    for inspection, model in rows:
        yield InspectedBottle(inspection, labels.get(inspection.cylinder_id), model)


# --- counts -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CountTold:
    """A count, how many bottles differed, and how many of these nobody has explained."""

    id: UUID
    site_id: UUID
    site: str
    counted_at: datetime
    bottles: int
    differences: int
    unexplained: int


def counts(doing: Doing, site_id: UUID | None = None, number: int = 1) -> Leaf[CountTold]:
    """The latest first."""
    with doing.ground.reads() as db:
        sites = _sites(db, doing, site_id)
        here = sa.select(SiteCount).where(SiteCount.site_id.in_(sites))
        rows, more = _leaf(db, here.order_by(SiteCount.counted_at.desc(), SiteCount.id.desc()), number)
        return Leaf(tuple(_told(db, [row.SiteCount for row in rows], sites)), number, more)


def counts_of_day(doing: Doing, day: date) -> list[CountTold]:
    """The last count of each site on that day."""
    begins, ends = _span(day)
    with doing.ground.reads() as db:
        sites = _sites(db, doing, None)
        last = db.scalars(
            sa.select(SiteCount)
            .ext(distinct_on(SiteCount.site_id))
            .where(SiteCount.site_id.in_(sites), SiteCount.counted_at >= begins, SiteCount.counted_at < ends)
            .order_by(SiteCount.site_id, SiteCount.counted_at.desc(), SiteCount.id.desc())
        ).all()
        return list(_told(db, last, sites))


def codes_of_difference(doing: Doing, count_id: UUID) -> dict[UUID, str]:
    """The labels of the bottles that differed in a count, by which they are looked for on the shelf."""
    with doing.ground.reads() as db:
        differed = sa.select(CountDifference.cylinder_id).where(
            CountDifference.count_id == count_id, CountDifference.cylinder_id.is_not(None)
        )
        return labels_of(db, {one for one in db.scalars(differed) if one is not None})


def _told(db: Session, rows: Sequence[SiteCount], sites: Mapping[UUID, str]) -> Iterator[CountTold]:
    differences: dict[UUID, tuple[int, int]] = {
        count_id: (number, explained)
        for count_id, number, explained in db.execute(
            sa.select(CountDifference.count_id, sa.func.count(), sa.func.count(CountExplanation.count_id))
            .outerjoin(
                CountExplanation,
                sa.and_(
                    CountExplanation.count_id == CountDifference.count_id,
                    CountExplanation.number == CountDifference.number,
                ),
            )
            .where(CountDifference.count_id.in_([row.id for row in rows]))
            .group_by(CountDifference.count_id)
        )
    }
    for row in rows:
        found, explained = differences.get(row.id, (0, 0))
        bottles = sum(one["full_counted"] + one["empty_counted"] for one in row.models)
        yield CountTold(
            row.id, row.site_id, sites[row.site_id], row.counted_at, bottles, found, found - explained
        )


# --- pages and parts --------------------------------------------------------------------------------------


def _sites(db: Session, doing: Doing, site_id: UUID | None) -> dict[UUID, str]:
    """The sites within reach by name, or the one asked for; 404 where that is not among them."""
    found = {site.id: site.name for site in sites_within_reach(db, doing)}
    if site_id is None:
        return found
    if site_id not in found:
        raise NotFound
    return {site_id: found[site_id]}


def _span(day: date) -> tuple[datetime, datetime]:
    return clock.at(day), clock.at(day) + timedelta(days=1)


def _leaf(db: Session, query: Query, number: int) -> tuple[Rows, bool]:
    rows = db.execute(query.offset((number - 1) * ROWS_A_PAGE).limit(ROWS_A_PAGE + 1)).all()
    return rows[:ROWS_A_PAGE], len(rows) > ROWS_A_PAGE


def _in_parts(db: Session, query: Query) -> Iterator[Rows]:
    return iter(db.execute(query, execution_options={"yield_per": AT_A_TIME}).partitions())
