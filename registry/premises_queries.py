"""What is on file of a place beside its own row: surveys, declared areas, the house it is let in."""

from datetime import date
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.geo import Datum, Point, area_from_geojson, covers
from core.prepared import Prepared
from registry.models import Card, Household, Premises
from registry.premises_models import AreaExemption, FreeArea, PremisesSurvey
from registry.states import CardState


def latest_surveys(db: Session, district: int, premises_id: UUID) -> dict[str, PremisesSurvey]:
    """For each fact, the survey that saw it last; of two on one day the one entered later."""
    surveys = sa.select(PremisesSurvey).where(
        PremisesSurvey.district == district, PremisesSurvey.premises_id == premises_id
    )
    in_order = db.scalars(surveys.order_by(PremisesSurvey.seen_on, PremisesSurvey.id))
    return {name: survey for survey in in_order for name in survey.seen}


def bars_gas(db: Session, premises: Premises, day: date) -> bool:
    """Does a declared area bind this place on ``day``, with no exemption from it that holds?"""
    here = Point(premises.lon, premises.lat)
    return any(
        covers(area_from_geojson(area.outline, Datum.WGS84), here)
        for area in _AREAS_IN_FORCE.within(db, district=premises.district, day=day)
        if not is_exempt(db, premises, area.id, day)
    )


_DAY = sa.bindparam("day", type_=sa.Date)
_AREAS_IN_FORCE = Prepared(
    sa.select(FreeArea.id, FreeArea.outline)
    .where(
        FreeArea.district == sa.bindparam("district"),
        FreeArea.effective_on <= _DAY,
        sa.or_(FreeArea.ended_on.is_(None), FreeArea.ended_on >= _DAY),
    )
    .order_by(FreeArea.id)
)


def is_exempt(db: Session, premises: Premises, area_id: UUID, day: date) -> bool:
    holds = sa.select(AreaExemption.id).where(
        AreaExemption.district == premises.district,
        AreaExemption.premises_id == premises.id,
        AreaExemption.area_id == area_id,
        AreaExemption.valid_from <= day,
        AreaExemption.valid_until >= day,
    )
    return db.scalar(holds.limit(1)) is not None


def bottles_of_house(db: Session, premises: Premises) -> int:
    """How many bottles the users of this house may hold: one a live card, in all its let rooms."""
    same_house = (
        Premises.id == premises.id
        if premises.house_code is None
        else sa.and_(Premises.district == premises.district, Premises.house_code == premises.house_code)
    )
    return (
        db.scalar(
            sa.select(sa.func.count())
            .select_from(Card)
            .join(Household, sa.and_(Household.district == Card.district, Household.id == Card.household_id))
            .join(
                Premises,
                sa.and_(Premises.district == Household.district, Premises.id == Household.premises_id),
            )
            .where(
                Card.district == premises.district,
                Card.state != CardState.CLOSED,
                Household.closed_at.is_(None),
                same_house,
            )
        )
        or 0
    )
