"""Verbs: areas declared free of bottled gas (禁用区), from notice over effect to their end, and exemptions.

A declared area stops supply to every place in it (P14), so it is told of before it binds, and a place that
cannot convert in time may be exempted for a while. What binds is computed for a day; only the end is stored.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from core import clock
from core.doing import Doing
from core.geo import Datum, Point, WrongGeometry, area_from_geojson, area_to_geojson, covers
from core.ids import new_id
from core.problems import NotFound, WrongField
from core.refusal import Refused
from evidence.deed import Answer, Deed, does
from evidence.models import SubjectType
from registry import premises_refusals as no
from registry import queries
from registry.mentions import resting, unknown
from registry.premises_models import AreaExemption, ExemptionGround, FreeArea
from rulebook import current


@does("area.declare")
def declare_area(
    deed: Deed,
    *,
    name: str,
    notice_no: str,
    datum: str,
    outline: Mapping[str, Any],
    announced_on: date,
    effective_on: date,
) -> Answer:
    """``outline``: GeoJSON of ``datum``, kept in WGS-84. The notice was given today or before."""
    _must_be_the_districts(deed)
    today = clock.day_of(deed.recorded_at)
    if announced_on > today:
        raise WrongField("/announced_on", "future", "公告日不能在将来", "expected today or a day before")
    if effective_on < today:
        raise WrongField("/effective_on", "past", "不能倒签生效", "expected today or later")
    try:
        area = area_from_geojson(outline, datum)
    except WrongGeometry as wrong:
        raise WrongField("/outline", wrong.code, wrong.zh, wrong.en) from None
    area_id = new_id()
    deed.about(SubjectType.REGISTER, str(deed.district))
    deed.note(
        area_id=area_id,
        notice_no=notice_no,
        datum=datum,
        announced_on=announced_on,
        effective_on=effective_on,
    )
    notice_days = current().at(str(deed.district), today).integer("P14.notice_days")
    days = (effective_on - announced_on).days
    if notice_days is not None and days < notice_days:
        refusal = no.AREA_NOTICE_SHORT(days=days, notice_days=notice_days)
        raise Refused([refusal.resting_on(current().at(str(deed.district), today).basis("P14.notice_days"))])
    deed.db.add(
        FreeArea(
            district=deed.district,
            id=area_id,
            name=name,
            notice_no=notice_no,
            outline=area_to_geojson(area),
            announced_on=announced_on,
            effective_on=effective_on,
            ended_on=None,
            recorded_at=deed.recorded_at,
        )
    )
    deed.db.flush()
    return {"area_id": str(area_id)}


@does("area.end")
def end_area(deed: Deed, area_id: UUID, *, ended_on: date) -> Answer:
    """``ended_on`` is the last day it binds, and may be moved to an earlier one.

    A notice withdrawn before its effect never binds.
    """
    _must_be_the_districts(deed)
    area = _locked(deed, area_id)
    deed.note(area_id=area_id, ended_on=ended_on)
    if ended_on < clock.day_of(deed.recorded_at):
        raise WrongField("/ended_on", "past", "不能倒签解除", "expected today or later")
    if area.ended_on is not None and ended_on >= area.ended_on:
        raise Refused([resting(deed, no.AREA_ENDED(ended_on=area.ended_on))])
    area.ended_on = ended_on
    return {"area_id": str(area_id)}


@does("area.exempt")
def exempt_place(
    deed: Deed,
    area_id: UUID,
    *,
    household_id: UUID,
    ground: ExemptionGround,
    document_no: str,
    valid_from: date,
    valid_until: date,
) -> Answer:
    """The household's place is supplied from a day to a day although the area binds.

    It may have begun before it is entered; what is over already excepts nobody from anything.
    """
    _must_be_the_districts(deed)
    if valid_until < clock.day_of(deed.recorded_at):
        raise WrongField("/valid_until", "past", "这段豁免已经过了", "expected today or later")
    area = _locked(deed, area_id)
    party = queries.booking_party(deed.db, deed.district, household_id)
    if party is None:
        raise unknown("/household_id")
    here = Point(party.premises.lon, party.premises.lat)
    if not covers(area_from_geojson(area.outline, Datum.WGS84), here):
        raise WrongField(
            "/household_id", "elsewhere", "这一户不在该区域内", "expected a household inside the area"
        )
    deed.about(SubjectType.HOUSEHOLD, household_id)
    exemption_id = new_id()
    deed.note(
        area_id=area_id,
        exemption_id=exemption_id,
        ground=ground,
        document_no=document_no,
        valid_from=valid_from,
        valid_until=valid_until,
    )
    if area.ended_on is not None and area.ended_on < clock.day_of(deed.recorded_at):
        raise Refused([resting(deed, no.AREA_ENDED(ended_on=area.ended_on))])
    deed.db.add(
        AreaExemption(
            district=deed.district,
            id=exemption_id,
            area_id=area_id,
            premises_id=party.premises.id,
            ground=ground,
            document_no=document_no,
            valid_from=valid_from,
            valid_until=valid_until,
            granted_by=deed.actor.principal_id,
            recorded_at=deed.recorded_at,
        )
    )
    deed.db.flush()
    return {
        "exemption_id": str(exemption_id),
        "area_id": str(area_id),
        "household_id": str(household_id),
    }


def area_view(doing: Doing, area_id: str) -> dict[str, Any]:
    with doing.ground.sessions() as db:
        return _shown(db.get_one(FreeArea, (doing.district, UUID(area_id))))


def areas(doing: Doing, day: date | None) -> dict[str, Any]:
    """What a user there should know of on ``day``: announced by then, and not ended before."""
    day = day or clock.today()
    with doing.ground.sessions() as db:
        known = sa.select(FreeArea).where(
            FreeArea.district == doing.district,
            FreeArea.announced_on <= day,
            sa.or_(FreeArea.ended_on.is_(None), FreeArea.ended_on >= day),
        )
        return {"day": day, "items": [_shown(area) for area in db.scalars(known.order_by(FreeArea.id))]}


def _shown(area: FreeArea) -> dict[str, Any]:
    columns = {column.key: getattr(area, column.key) for column in sa.inspect(FreeArea).column_attrs}
    return columns | {"datum": Datum.WGS84.value}


def _must_be_the_districts(deed: Deed) -> None:
    """The whole district's office declares; a street's or a village's does not."""
    deed.actor.must_reach(district=deed.district)


def _locked(deed: Deed, area_id: UUID) -> FreeArea:
    area = deed.db.get(FreeArea, (deed.district, area_id), with_for_update=True, populate_existing=True)
    if area is None:
        raise NotFound
    deed.about(SubjectType.REGISTER, str(deed.district))
    return area
