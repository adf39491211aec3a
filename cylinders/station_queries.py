"""What a site's terminal shows of itself: who fills there, the last questions, the day's work and refusals.

The day is in Shanghai. A refusal is read from its entry, where all that was weighed and checked stands too.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import clock
from core.auth import ScopeKind
from core.doing import Doing
from core.problems import NotFound
from core.refusal import CATALOGUE, Refusal
from cylinders.filling_queries import FillingMeans, FoundWrong, Items, filling_means, found_wrong, items_at
from cylinders.models import CylinderIdentifier, Filling, Scheme, VerdictAsk
from evidence.models import Entry, Outcome
from registry.models import Firm, Site, Staff, StaffKind

MOST_ROWS = 500
_AT_A_STATION = ("cylinder.authorise_fill", "cylinder.check_before_fill", "cylinder.fill", "cylinder.receive")
_FIRST_WORDS = re.compile("[：:，,{]")
LAST_ASKS = 20


@dataclass(frozen=True, slots=True)
class Filler:
    """One who fills, by the number of the certificate: names are sealed and not needed here."""

    id: UUID
    certificate_no: str
    certificate_until: date
    is_certified: bool


@dataclass(frozen=True, slots=True)
class Station:
    """``items``: what is looked at before and after a filling; ``means``: its scales, gas and stops."""

    id: UUID
    name: str
    firm_id: UUID
    district: int
    fillers: tuple[Filler, ...]
    means: FillingMeans
    items: Items

    def has_filler(self, filler_id: UUID | None) -> bool:
        return any(one.id == filler_id for one in self.fillers)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question about a bottle for filling. ``code`` is as it stands on record."""

    id: UUID
    asked_at: datetime
    code: str
    allowed: bool
    first_reason: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Filled:
    """``code``: of the bottle's own label now."""

    id: UUID
    cylinder_id: UUID
    code: str | None
    net_g: int
    gross_g: int
    seal_no: str
    filled_at: datetime
    flags: Sequence[str]

    @property
    def is_short(self) -> bool:
        return bool(self.flags)


@dataclass(frozen=True, slots=True)
class NotDone:
    """A refused filling or receipt."""

    refusal_no: str
    verb: str
    code: str
    recorded_at: datetime
    reasons: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class SiteDay:
    """The lists hold the latest first and end at ``MOST_ROWS``; the sums count all."""

    day: date
    filled: tuple[Filled, ...]
    refused: tuple[NotDone, ...]
    found: tuple[FoundWrong, ...]
    fillings: int
    net_g: int
    refusals: int
    receipts: int


def station_of(doing: Doing) -> Station:
    """The site that the caller's grant names; 404 for whoever acts for no site."""
    site_id = doing.actor.scope_id(ScopeKind.SITE)
    with doing.ground.reads() as db:
        site = db.get(Site, site_id)
        if site is None:
            raise NotFound
        fillers = tuple(_fillers(db, site, clock.today()))
    means = filling_means(doing, site.id)
    return Station(site.id, site.name, site.firm_id, site.district, fillers, means, items_at(site.district))


def _fillers(db: Session, site: Site, day: date) -> list[Filler]:
    staff = db.scalars(
        sa.select(Staff)
        .join(Firm, sa.and_(Firm.id == Staff.firm_id, Firm.home_district == Staff.district))
        .where(Staff.firm_id == site.firm_id, Staff.kind == StaffKind.FILLER)
        .order_by(Staff.certificate_no)
    )
    return [
        Filler(
            one.id,
            one.certificate_no,
            one.certificate_until,
            one.certificate_from <= day <= one.certificate_until,
        )
        for one in staff
    ]


def last_asks(doing: Doing, site_id: UUID, limit: int = LAST_ASKS) -> list[Asked]:
    """The latest first. What was asked within the last second may not be written yet."""
    with doing.ground.reads() as db:
        _must_reach(db, doing, site_id)
        rows = db.execute(
            sa.select(
                VerdictAsk.id, VerdictAsk.asked_at, VerdictAsk.code, VerdictAsk.allowed, VerdictAsk.reasons
            )
            .where(VerdictAsk.site_id == site_id, VerdictAsk.purpose == "fill")
            .order_by(VerdictAsk.asked_at.desc(), VerdictAsk.id.desc())
            .limit(limit)
        ).all()
    return [
        Asked(row.id, row.asked_at, row.code, row.allowed, _said(row.reasons[0]) if row.reasons else None)
        for row in rows
    ]


def _said(code: str) -> dict[str, str]:
    """A reason as a list shows it: its first words, before any fact, which the log of asks does not keep."""
    reason = CATALOGUE[code]
    zh, en = (_FIRST_WORDS.split(text)[0].strip() for text in (reason.zh, reason.en))
    return {"code": code, "rule": reason.rule, "zh": zh, "en": en}


def site_day(doing: Doing, site_id: UUID, day: date) -> SiteDay:
    begins, ends = clock.at(day), clock.at(day) + timedelta(days=1)
    of_site = sa.and_(Entry.site_id == site_id, Entry.recorded_at >= begins, Entry.recorded_at < ends)
    fillings = sa.and_(Filling.site_id == site_id, Filling.filled_at >= begins, Filling.filled_at < ends)
    with doing.ground.reads() as db:
        _must_reach(db, doing, site_id)
        filled = _filled(db, fillings)
        found = found_wrong(db, doing, site_id, begins, ends)
        sums = db.execute(
            sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(Filling.net_g), 0)).where(fillings)
        ).one()
        counted = {
            (verb, outcome): number
            for verb, outcome, number in db.execute(
                sa.select(Entry.verb, Entry.outcome, sa.func.count())
                .where(of_site, Entry.verb.in_(_AT_A_STATION))
                .group_by(Entry.verb, Entry.outcome)
            )
        }
        refused = db.scalars(
            sa.select(Entry)
            .where(
                of_site,
                Entry.verb.in_(_AT_A_STATION),
                Entry.outcome == Outcome.REFUSED,
            )
            .order_by(Entry.recorded_at.desc(), Entry.id.desc())
            .limit(MOST_ROWS)
        ).all()
    return SiteDay(
        day,
        filled,
        tuple(not_done(doing, entry) for entry in refused),
        tuple(found),
        sums[0],
        int(sums[1]),
        sum(number for (_, outcome), number in counted.items() if outcome is Outcome.REFUSED),
        counted.get(("cylinder.receive", Outcome.DONE), 0),
    )


def filling_of_site(doing: Doing, cylinder_id: UUID, filling_id: UUID) -> Filled:
    """One filling, for the site that did it."""
    with doing.ground.reads() as db:
        found = _filled(db, sa.and_(Filling.cylinder_id == cylinder_id, Filling.id == filling_id))
        site_id = db.scalar(
            sa.select(Filling.site_id).where(Filling.cylinder_id == cylinder_id, Filling.id == filling_id)
        )
        if site_id is None:
            raise NotFound
        _must_reach(db, doing, site_id)
    return found[0]


def _must_reach(db: Session, doing: Doing, site_id: UUID) -> None:
    site = db.get(Site, site_id)
    if site is None:
        raise NotFound
    doing.actor.must_reach(site=site.id, firm=site.firm_id, district=site.district)


def _filled(db: Session, fillings: sa.ColumnElement[bool]) -> tuple[Filled, ...]:
    label = (
        sa.select(sa.func.min(CylinderIdentifier.value))
        .where(
            CylinderIdentifier.cylinder_id == Filling.cylinder_id,
            CylinderIdentifier.scheme == Scheme.PLATFORM,
            CylinderIdentifier.voided_at.is_(None),
        )
        .scalar_subquery()
    )
    rows: Sequence[Any] = db.execute(
        sa.select(
            Filling.id,
            Filling.cylinder_id,
            label.label("code"),
            Filling.net_g,
            Filling.gross_g,
            Filling.seal_no,
            Filling.filled_at,
            Filling.flags,
        )
        .where(fillings)
        .order_by(Filling.filled_at.desc(), Filling.id.desc())
        .limit(MOST_ROWS)
    ).all()
    return tuple(Filled(*row) for row in rows)


def not_done(doing: Doing, entry: Entry) -> NotDone:
    """What was refused, from its entry, worded for who asks."""
    said = json.loads(entry.written)
    reasons = tuple(Refusal.from_plain(row).worded(doing.actor.audience) for row in said["reasons"])
    code = str(said["payload"].get("code", ""))
    return NotDone(entry.refusal_no or "", entry.verb, code, entry.recorded_at, reasons)
