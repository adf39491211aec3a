"""A bottle that should not be there: foreign, unknown, without any lawful mark, or scrapped and seen again.

    report   whoever sees it says where, and by which photograph; the regulator is told, once a day and place
    sweep    codes of scrapped and seized bottles that were scanned at a site, by a courier, or by anybody who
             held a telephone to the label: a scan is an incident by itself

Nothing is taken into custody by a sighting, and no such bottle counts as the empty of a swap.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, insert

from core import clock
from core.auth import Grant, Role, ScopeKind
from core.doing import Doing
from core.geo import Datum, to_wgs84
from core.ground import Ground
from core.ids import new_id
from core.outbox import house_of
from core.problems import WrongField
from cylinders import acts
from cylinders.life_models import Sighting, SightingKind
from cylinders.models import VerdictAsk
from cylinders.public_queries import ANYBODY
from cylinders.queries import Resolved, resolve
from cylinders.refill_gate import Identity
from evidence.deed import Answer, Deed, does
from evidence.models import SubjectType
from registry.models import Site, Staff

SCANNED_AGAIN = "cylinder.scanned_after_end"
NO_LABEL = Resolved("", None, None, False, Identity.UNKNOWN, "")
ENDED = {
    SightingKind.SCRAPPED: "refill.scrapped",
    SightingKind.SEIZED: "refill.seized",
    SightingKind.VOIDED: "refill.label_voided",
}
"""What a bottle is that was asked about, by the reason that was answered; the first that fits."""


@does("cylinder.report_sighting")
def report(
    deed: Deed,
    *,
    kind: SightingKind,
    code: str | None,
    site_id: UUID | None,
    point: Mapping[str, Any] | None,
    photo_sha256: str | None,
) -> Answer:
    """The same bottle at the same place on the same day is one sighting, however many report it."""
    if code is None and photo_sha256 is None:
        raise WrongField("/code", "required", "请扫码或拍照", "expected a code or a photograph")
    if (site_id is None) == (point is None):
        raise WrongField(
            "/point", "place", "请指明场站或地点，二者择一", "expected a site or a point, and not both"
        )
    site = _site_of_form(deed, site_id) if site_id is not None else None
    resolved = resolve(deed.db, code) if code is not None else NO_LABEL
    if resolved.cylinder_id is not None:
        acts.lock(deed, [resolved.cylinder_id])
    else:
        deed.about(SubjectType.REGISTER, str(deed.district))
    where = to_wgs84(point["lon"], point["lat"], Datum(point["datum"])) if point is not None else None
    place = str(site_id) if where is None else f"{where.lon:.3f},{where.lat:.3f}"
    seen = _count(
        deed,
        kind=kind,
        same_as=f"{resolved.on_record or photo_sha256}@{place}",
        code=resolved.on_record or None,
        cylinder_id=resolved.cylinder_id,
        site_id=site_id,
        lon=where and where.lon,
        lat=where and where.lat,
        photo_sha256=photo_sha256,
        reported_by=deed.actor.principal_id,
        role=deed.actor.role.value,
    )
    deed.at(firm=site.firm_id if site else None, site=site_id)
    deed.note(sighting_id=seen.id, kind=kind, code=resolved.on_record or None, photo_sha256=photo_sha256)
    deed.note(times=seen.times)
    if seen.times == 1:
        acts.stranger_seen(
            deed,
            resolved,
            where="site" if site_id is not None else "road",
            site_id=site_id,
            kind=kind.value,
            sighting_id=seen.id,
            photo_sha256=photo_sha256,
        )
    return {"district": deed.district, "sighting_id": str(seen.id)}


def _site_of_form(deed: Deed, site_id: UUID) -> Site:
    """A site the reporter belongs to or looks after; a courier's own firm's."""
    site = deed.db.get(Site, site_id)
    reach = deed.actor.reach
    if site is not None and reach.kind is ScopeKind.COURIER:
        own = deed.db.get(Staff, (deed.actor.district, deed.actor.scope_id(ScopeKind.COURIER)))
        if own is not None and own.firm_id == site.firm_id:
            return site
    if site is None or not reach.covers(site=site.id, firm=site.firm_id, district=site.district):
        raise WrongField("/site_id", "unknown", "查无此项", "there is no such thing within your reach")
    return site


def _count(deed: Deed, **seen: Any) -> Any:
    """The sighting's row: new, or the standing one counted up."""
    row = {
        "district": deed.district,
        "id": new_id(),
        "seen_on": clock.day_of(deed.occurred_at),
        "times": 1,
        "last_seen_at": deed.occurred_at,
        "recorded_at": deed.recorded_at,
        **seen,
    }
    return deed.db.execute(
        insert(Sighting)
        .values(row)
        .on_conflict_do_update(
            index_elements=["district", "kind", "same_as", "seen_on"],
            set_={"times": Sighting.times + 1, "last_seen_at": deed.occurred_at},
        )
        .returning(Sighting.id, Sighting.times)
    ).one()


# --- scans that were only questions -----------------------------------------------------------------------


def sweep(ground: Ground, since: datetime) -> int:
    """Scans since then of bottles that have ended. Sweeping twice finds nothing twice."""
    with ground.reads() as db:
        districts = db.scalars(sa.select(VerdictAsk.district).where(*_about_ended(since)).distinct()).all()
    return sum(_sweep_one(house_of(ground, district), since) for district in sorted(districts))


def _sweep_one(doing: Doing, since: datetime) -> int:
    with doing.ground.reads() as db:
        if not _new_ones(
            db.execute(_asks(doing.district, since)).all(), _standing(db, doing.district, since)
        ):
            return 0
    return int(keep_scans(doing, since)["found"])


@does("sighting.sweep")
def keep_scans(deed: Deed, since: datetime) -> Answer:
    asks = deed.db.execute(_asks(deed.district, since)).all()
    found = _new_ones(asks, _standing(deed.db, deed.district, since))
    acts.lock(deed, {ask.cylinder_id for ask in found.values()})
    deed.about(SubjectType.REGISTER, str(deed.district))
    deed.note(found=len(found))
    for (kind, same_as, seen_on), ask in found.items():
        row = Sighting(
            district=deed.district,
            id=new_id(),
            kind=kind,
            same_as=same_as,
            seen_on=seen_on,
            code=ask.code,
            cylinder_id=ask.cylinder_id,
            site_id=ask.site_id,
            times=1,
            reported_by=ask.actor_id,
            role="house",
            last_seen_at=ask.asked_at,
            recorded_at=deed.recorded_at,
        )
        deed.db.add(row)
        deed.tell(
            SCANNED_AGAIN,
            kind=kind,
            sighting_id=row.id,
            cylinder_id=ask.cylinder_id,
            code=ask.code,
            where=_where(ask),
            site_id=ask.site_id,
            seen_at=ask.asked_at,
        )
    return {"found": len(found)}


_is_courier = sa.exists().where(Grant.principal_id == VerdictAsk.actor_id, Grant.role == Role.COURIER)
"""Who asks at a desk, of no site in particular, has typed a code and scanned no bottle."""


def _where(ask: Any) -> str:
    if ask.site_id is not None:
        return "site"
    return "public" if ask.actor_id == ANYBODY else "road"


def _about_ended(since: datetime) -> list[sa.ColumnElement[bool]]:
    reasons = sa.cast(VerdictAsk.reasons, JSONB)
    return [
        VerdictAsk.asked_at >= since,
        VerdictAsk.cylinder_id.is_not(None),
        sa.or_(VerdictAsk.site_id.is_not(None), VerdictAsk.actor_id == ANYBODY, _is_courier),
        sa.or_(*(reasons.contains([reason]) for reason in ENDED.values())),
    ]


def _asks(district: int, since: datetime) -> Any:
    return (
        sa.select(
            VerdictAsk.asked_at,
            VerdictAsk.actor_id,
            VerdictAsk.site_id,
            VerdictAsk.code,
            VerdictAsk.cylinder_id,
            VerdictAsk.reasons,
        )
        .where(VerdictAsk.district == district, *_about_ended(since))
        .order_by(VerdictAsk.asked_at, VerdictAsk.id)
    )


def _standing(db: Any, district: int, since: datetime) -> set[tuple[Any, ...]]:
    rows = db.execute(
        sa.select(Sighting.kind, Sighting.same_as, Sighting.seen_on).where(
            Sighting.district == district, Sighting.seen_on >= clock.day_of(since)
        )
    )
    return {tuple(row) for row in rows}


def _new_ones(
    asks: Sequence[sa.Row[Any]], standing: set[tuple[Any, ...]]
) -> dict[tuple[Any, ...], sa.Row[Any]]:
    found: dict[tuple[Any, ...], sa.Row[Any]] = {}
    for ask in asks:
        kind = next(kind for kind, reason in ENDED.items() if reason in ask.reasons)
        key = (kind, f"{ask.code}@{ask.site_id or ask.actor_id}", clock.day_of(ask.asked_at))
        if key not in standing:
            found.setdefault(key, ask)
    return found
