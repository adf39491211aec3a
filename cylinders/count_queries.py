"""Reads of a site's stock and of its counts: what custody says stands there, and what was counted."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import clock
from core.auth import ScopeKind
from core.doing import Doing
from core.paging import Page, Pager
from core.problems import NotFound
from cylinders.models import (
    CountDifference,
    CountedWrong,
    CountExplanation,
    Cylinder,
    CylinderCustody,
    SiteCount,
    WhyCountedWrong,
)
from cylinders.stock_gate import StockFacts, counted
from registry.models import HolderKind, Site, SiteKind
from rulebook import current
from rulebook.gate import judge

KIND_WORDS: dict[CountedWrong, tuple[str, str]] = {
    CountedWrong.NOT_FOUND: ("账上在站，实际没有找到", "on record here, not found"),
    CountedWrong.NOT_EXPECTED: ("实际在站，账上不在本站", "found here, on record elsewhere"),
    CountedWrong.FULL_NOT_EMPTY: ("实际是满瓶，账上是空瓶", "found full, on record empty"),
    CountedWrong.EMPTY_NOT_FULL: ("实际是空瓶，账上是满瓶", "found empty, on record full"),
    CountedWrong.STRANGER: ("来源不明的气瓶或标签", "a bottle or label nobody knows"),
}

WHY_WORDS: dict[WhyCountedWrong, tuple[str, str]] = {
    WhyCountedWrong.RECEIPT_MISSED: ("入站时漏扫", "not scanned when it came in"),
    WhyCountedWrong.DEPARTURE_MISSED: ("出站时漏扫", "not scanned when it left"),
    WhyCountedWrong.ON_VEHICLE: ("还在车上", "still on a vehicle"),
    WhyCountedWrong.FOUND_LATER: ("盘后找到", "found after the count"),
    WhyCountedWrong.LABEL_UNREADABLE: ("标签读不出", "its label could not be read"),
    WhyCountedWrong.MISCOUNTED: ("点错", "counted wrongly"),
    WhyCountedWrong.RETURNED_UNUSED: ("没有用过就退回", "came back unused"),
    WhyCountedWrong.EMPTIED_HERE: ("在站放空或倒残", "emptied here"),
    WhyCountedWrong.HANDED_TO_AUTHORITY: ("已移交主管部门", "handed to the authority"),
    WhyCountedWrong.LOST: ("丢失，已报", "lost, and reported"),
}


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a bottle is by its last scan, full or empty."""

    model: str
    holder_kind: HolderKind | None
    holder_id: UUID | None
    full: bool
    since: datetime

    def is_at(self, site_id: UUID) -> bool:
        return self.holder_kind is HolderKind.SITE and self.holder_id == site_id


# --- for the count ----------------------------------------------------------------------------------------

_STANDING = sa.select(
    Cylinder.cylinder_id,
    Cylinder.model,
    CylinderCustody.holder_kind,
    CylinderCustody.holder_id,
    CylinderCustody.full,
    CylinderCustody.effective_at,
).join(CylinderCustody, CylinderCustody.cylinder_id == Cylinder.cylinder_id)


def standing_at(db: Session, site_id: UUID) -> dict[UUID, Standing]:
    """Every bottle that custody says is at the site."""
    here = _STANDING.where(
        CylinderCustody.holder_kind == HolderKind.SITE, CylinderCustody.holder_id == site_id
    )
    return _standings(db.execute(here))


def standing_of(db: Session, cylinder_ids: Collection[UUID]) -> dict[UUID, Standing]:
    """Where each of these is; absent where nobody ever said."""
    return _standings(db.execute(_STANDING.where(Cylinder.cylinder_id.in_(cylinder_ids))))


def _standings(rows: Iterable[sa.Row[Any]]) -> dict[UUID, Standing]:
    return {
        row.cylinder_id: Standing(row.model, row.holder_kind, row.holder_id, row.full, row.effective_at)
        for row in rows
    }


# --- our routes -------------------------------------------------------------------------------------------


def stock(doing: Doing, site_id: UUID) -> dict[str, Any]:
    """What stands at a site, and whether it is more than its cap."""
    with doing.ground.reads() as db:
        site = _site_in_reach(db, doing, site_id)
        return _stock_views(db, doing, [site])[0]


def stocks(doing: Doing) -> list[dict[str, Any]]:
    """The same of every site within reach, with the site's name."""
    with doing.ground.reads() as db:
        return _stock_views(db, doing, sites_within_reach(db, doing))


def sites_within_reach(db: Session, doing: Doing) -> list[Site]:
    """Of the caller's firm, the caller's own site, or all of the district; filling stations first."""
    reach = doing.actor.reach
    match reach.kind:
        case ScopeKind.FIRM:
            within = Site.firm_id == doing.actor.scope_id(ScopeKind.FIRM)
        case ScopeKind.SITE:
            within = Site.id == doing.actor.scope_id(ScopeKind.SITE)
        case ScopeKind.DISTRICT | ScopeKind.ALL:
            within = Site.district == doing.district
        case _:
            raise NotFound
    found = db.scalars(sa.select(Site).where(within).order_by(Site.name, Site.id)).all()
    return sorted(found, key=lambda site: SiteKind.FILLING_STATION not in site.kinds)


def _stock_views(db: Session, doing: Doing, sites: Sequence[Site]) -> list[dict[str, Any]]:
    """One statement for all of them; the cap is judged by the law of the site's own place."""
    sums = db.execute(
        sa.select(
            CylinderCustody.holder_id,
            Cylinder.model,
            sa.func.count().filter(CylinderCustody.full),
            sa.func.count().filter(~CylinderCustody.full),
        )
        .join(Cylinder, Cylinder.cylinder_id == CylinderCustody.cylinder_id)
        .where(
            CylinderCustody.holder_kind == HolderKind.SITE,
            CylinderCustody.holder_id.in_([site.id for site in sites]),
        )
        .group_by(CylinderCustody.holder_id, Cylinder.model)
        .order_by(Cylinder.model)
    ).all()
    now = clock.now()
    views = []
    for site in sites:
        here = [row[1:] for row in sums if row[0] == site.id]
        full, empty = sum(row[1] for row in here), sum(row[2] for row in here)
        facts = StockFacts(full, empty, site.stock_cap)
        place, day = str(site.district), clock.day_of(now)
        reasons = judge("stock", facts, place, day, current()).reasons
        views.append(
            {
                "site_id": site.id,
                "name": site.name,
                "kinds": site.kinds,
                "models": [dict(zip(("model", "full", "empty"), row, strict=True)) for row in here],
                "full": full,
                "empty": empty,
                "stock_cap": site.stock_cap,
                "counted": counted(facts, current().at(place, day)),
                "over_cap": [one.worded(doing.actor.audience) for one in reasons],
                "as_of": now,
            }
        )
    return views


def one_count(doing: Doing, site_id: UUID, count_id: UUID) -> dict[str, Any]:
    with doing.ground.sessions() as db:
        _site_in_reach(db, doing, site_id)
        found = db.get(SiteCount, count_id)
        if found is None or found.site_id != site_id:
            raise NotFound
        return _views(db, [found])[0]


def counts(
    doing: Doing, site_id: UUID, *, limit: int, cursor: str | None = None, day: date | None = None
) -> Page:
    query = sa.select(SiteCount).where(SiteCount.site_id == site_id)
    if day is not None:
        midnight = clock.at(day)
        query = query.where(
            SiteCount.counted_at >= midnight, SiteCount.counted_at < midnight + timedelta(days=1)
        )
    pager = Pager(doing.ground.keyring.signing.current_key, f"counts:{site_id}:{day}")
    with doing.ground.sessions() as db:
        _site_in_reach(db, doing, site_id)
        page = pager.page(
            db,
            query,
            SiteCount.counted_at.expression,
            SiteCount.id.expression,
            limit=limit,
            cursor=cursor,
            position=lambda row: (row.SiteCount.counted_at, row.SiteCount.id),
        )
        return Page(_views(db, [row.SiteCount for row in page.items]), page.next_cursor)


def _site_in_reach(db: Session, doing: Doing, site_id: UUID) -> Site:
    site = db.get(Site, site_id)
    if site is None:
        raise NotFound
    doing.actor.must_reach(site=site.id, firm=site.firm_id, district=site.district)
    return site


def _views(db: Session, rows: Sequence[SiteCount]) -> list[dict[str, Any]]:
    """Each count with its differences, and each of these with its explanation."""
    ids = [row.id for row in rows]
    explained = {
        (one.count_id, one.number): one
        for one in db.scalars(sa.select(CountExplanation).where(CountExplanation.count_id.in_(ids)))
    }
    differences: dict[UUID, list[dict[str, Any]]] = {}
    for one in db.scalars(
        sa.select(CountDifference)
        .where(CountDifference.count_id.in_(ids))
        .order_by(CountDifference.count_id, CountDifference.number)
    ):
        view = _difference_view(one, explained.get((one.count_id, one.number)))
        differences.setdefault(one.count_id, []).append(view)
    return [
        {
            "id": row.id,
            "site_id": row.site_id,
            "models": row.models,
            "differences": differences.get(row.id, []),
            "unexplained": sum(one["explanation"] is None for one in differences.get(row.id, [])),
            "counted_at": row.counted_at,
        }
        for row in rows
    ]


def _difference_view(row: CountDifference, explained: CountExplanation | None) -> dict[str, Any]:
    names = ("number", "kind", "cylinder_id", "code", "model", "holder_kind", "since")
    zh, en = KIND_WORDS[row.kind]
    view: dict[str, Any] = {name: getattr(row, name) for name in names} | {"zh": zh, "en": en}
    view["explanation"] = None
    if explained is not None:
        zh, en = WHY_WORDS[explained.why]
        view["explanation"] = {
            "why": explained.why,
            "zh": zh,
            "en": en,
            "reference": explained.reference,
            "explained_at": explained.explained_at,
        }
    return view
