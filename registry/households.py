"""Verbs: premises and their households.

premises   a place where gas is used, found by a blind index of its address
household  户: the family or business at that place; one is active per premises
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from core import clock
from core.geo import Datum, to_wgs84
from core.ids import new_id
from core.problems import WrongField
from core.refusal import Refused
from evidence.deed import Answer, Deed, does
from evidence.models import SubjectType
from registry import account_refusals as no
from registry import queries, sealing
from registry.divisions import Within, must_lie_within
from registry.models import Household, Premises, PremisesKind, UserClass
from registry.premises_models import PremisesSurvey
from registry.premises_queries import latest_surveys


@dataclass(frozen=True, slots=True)
class Place:
    """A place as a request gives it. Facts that nobody has looked at are None."""

    address: str
    point: Mapping[str, Any]
    street_code: str
    committee_code: str
    kind: PremisesKind
    user_class: UserClass
    vulnerable: bool = False
    piped_gas: bool | None = None
    lift: bool | None = None
    height_m: int | None = None
    floor_kind: str | None = None
    converted_to_pipe: bool | None = None
    has_cylinder_room: bool | None = None
    bottle_place: str | None = None
    other_fuel_in_room: bool | None = None
    leak_alarm: bool | None = None
    crowded: bool | None = None
    category: str | None = None
    rental: str | None = None
    house_code: str | None = None
    rental_cap: int | None = None
    estate_code: str | None = None
    building_code: str | None = None


SEEN_FIRST = ("piped_gas", "lift", "height_m", "floor_kind", "converted_to_pipe", "has_cylinder_room")
SEEN_SINCE = (
    "bottle_place",
    "other_fuel_in_room",
    "leak_alarm",
    "crowded",
    "category",
    "rental",
    "house_code",
    "rental_cap",
)
SEEN = SEEN_FIRST + SEEN_SINCE
"""The facts of premises that somebody must have looked at.

An import's root was made over the first of them before the others were asked; those stand in it where known.
"""


@does("premises.register")
def register_premises(deed: Deed, *, place: Place) -> Answer:
    """Enter the place and its household. An active household of the same class answers as it stands."""
    codes_must_nest(deed, place, "")
    premises = premises_at(deed, place.address)
    standing = premises and active_household(deed, premises.id)
    if premises and standing:
        deed.about(SubjectType.HOUSEHOLD, standing.id)
        if standing.user_class is not place.user_class:
            raise Refused([no.HOUSEHOLD_STANDS()])
        return {"premises_id": str(premises.id), "household_id": str(standing.id), "standing": True}
    household_id = new_id()
    deed.about(SubjectType.HOUSEHOLD, household_id)
    premises = entered_again(premises, place) if premises else enter_premises(deed, place)
    household = enter_household(deed, premises, place, household_id)
    seen = {name: value for name in SEEN if (value := getattr(place, name)) is not None}
    enter_survey(deed, premises, seen, clock.day_of(deed.recorded_at), None)
    deed.note(
        premises_id=premises.id,
        household_id=household.id,
        street_code=premises.street_code,
        estate_code=premises.estate_code,
        kind=premises.kind,
        user_class=household.user_class,
        **{name: getattr(premises, name) for name in SEEN},
    )
    return {"premises_id": str(premises.id), "household_id": str(household.id), "standing": False}


@does("premises.survey")
def survey_premises(
    deed: Deed,
    household_id: UUID,
    *,
    seen: Mapping[str, Any],
    seen_on: date | None = None,
    evidence: str | None = None,
) -> Answer:
    """Write down what was seen of the place, when, and what shows it; what is not named stays as it was.

    A survey entered late does not undo what a later one saw.
    """
    today = clock.day_of(deed.recorded_at)
    seen_on = seen_on or today
    if seen_on > today:
        raise WrongField("/seen_on", "future", "勘查日不能在将来", "expected today or a day before")
    party = queries.party_within_reach(deed.db, deed.actor, deed.district, household_id)
    premises = deed.db.get_one(
        Premises, (deed.district, party.premises.id), with_for_update=True, populate_existing=True
    )
    deed.about(SubjectType.HOUSEHOLD, household_id)
    deed.note(premises_id=premises.id, seen_on=seen_on, evidence=evidence, **seen)
    later = {
        name
        for name, one in latest_surveys(deed.db, deed.district, premises.id).items()
        if one.seen_on > seen_on
    }
    for name, value in seen.items():
        if name not in later:
            setattr(premises, name, value)
    enter_survey(deed, premises, seen, seen_on, evidence)
    return {"premises_id": str(premises.id), "household_id": str(household_id)}


def enter_survey(
    deed: Deed, premises: Premises, seen: Mapping[str, Any], seen_on: date, evidence: str | None
) -> None:
    """Each flag keeps the day it was seen and what shows it; a visit that saw nothing leaves no row."""
    if seen:
        deed.db.add(
            PremisesSurvey(
                district=deed.district,
                id=new_id(),
                premises_id=premises.id,
                seen=dict(seen),
                seen_on=seen_on,
                evidence=evidence,
                seen_by=deed.actor.principal_id,
                recorded_at=deed.recorded_at,
            )
        )
        deed.db.flush()


def premises_at(deed: Deed, address: str) -> Premises | None:
    """The premises at this address, locked; looked for under every live index key."""
    indexes = sealing.address_indexes(deed.ground, address)
    return deed.db.scalars(
        sa.select(Premises)
        .where(
            Premises.district == deed.district,
            sa.tuple_(Premises.address_scheme, Premises.address_index).in_(
                [(index.scheme, index.digest) for index in indexes]
            ),
        )
        .with_for_update()
    ).first()


def active_household(deed: Deed, premises_id: UUID) -> Household | None:
    return deed.db.scalars(
        sa.select(Household).where(
            Household.district == deed.district,
            Household.premises_id == premises_id,
            Household.closed_at.is_(None),
        )
    ).one_or_none()


def enter_premises(deed: Deed, place: Place) -> Premises:
    index = sealing.address_index(deed.ground, place.address)
    at = to_wgs84(place.point["lon"], place.point["lat"], Datum(place.point["datum"]))
    premises = Premises(
        district=deed.district,
        id=new_id(),
        street_code=place.street_code,
        committee_code=place.committee_code,
        estate_code=place.estate_code,
        building_code=place.building_code,
        address_scheme=index.scheme,
        address_index=index.digest,
        lon=at.lon,
        lat=at.lat,
        kind=place.kind,
        recorded_at=deed.recorded_at,
        **{name: getattr(place, name) for name in SEEN},
    )
    deed.db.add(premises)
    deed.db.flush()
    return premises


def entered_again(premises: Premises, place: Place) -> Premises:
    """A place whose household is gone, as its next one finds it; what nobody looked at stays as it was."""
    premises.kind = place.kind
    for name in (*SEEN, "estate_code", "building_code"):
        if (value := getattr(place, name)) is not None:
            setattr(premises, name, value)
    return premises


def enter_household(deed: Deed, premises: Premises, place: Place, household_id: UUID) -> Household:
    household = Household(
        district=deed.district,
        id=household_id,
        premises_id=premises.id,
        user_class=place.user_class,
        address_sealed=sealing.seal_address(deed.db, deed.ground, household_id, place.address),
        vulnerable=place.vulnerable,
        closed_at=None,
        recorded_at=deed.recorded_at,
    )
    deed.db.add(household)
    deed.db.flush()
    return household


def codes_must_nest(deed: Deed, place: Place, pointer: str) -> None:
    """Division codes of nine and twelve digits nest; units without one (a park) have local codes.

    Of what the district has on its list, the code is one that is in force.
    """
    if place.street_code.isdigit() and not place.street_code.startswith(str(deed.district)):
        raise WrongField(
            f"{pointer}/street_code",
            "not_here",
            "街镇代码不属于本区",
            "expected a street of the district in the address",
        )
    both_have_codes = place.committee_code.isdigit() and place.street_code.isdigit()
    if both_have_codes and not place.committee_code.startswith(place.street_code):
        raise WrongField(
            f"{pointer}/committee_code",
            "not_here",
            "村居代码不属于该街镇",
            "expected a committee of that street",
        )
    within = Within(place.street_code, place.committee_code, place.estate_code, place.building_code)
    must_lie_within(deed, within, pointer)
