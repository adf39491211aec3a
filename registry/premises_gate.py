"""May bottled gas be supplied to this place? The whole policy, on one page.

Judged at booking and again at the door. A fact that nobody knows either refuses or is checked at the
door, as the rulebook says for each rule; the verdict then lists it under ``checks``.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from core.refusal import Refusal
from registry import premises_refusals as no
from registry.models import PremisesKind, UserClass
from rulebook.edition import Law
from rulebook.gate import NONE_THEN, gate


class FloorKind(StrEnum):
    """Where in the building the gas is used."""

    ABOVE_GROUND = "above_ground"
    SEMI_BASEMENT = "semi_basement"
    BASEMENT = "basement"
    UNVENTILATED = "unventilated"
    GARAGE = "garage"


class BottlePlace(StrEnum):
    """Where the bottle stands."""

    KITCHEN = "kitchen"
    OUTDOORS = "outdoors"
    CYLINDER_ROOM = "cylinder_room"
    UNDERGROUND_CYLINDER_ROOM = "underground_cylinder_room"
    DINING_AREA = "dining_area"
    BEDROOM = "bedroom"
    BATHROOM = "bathroom"
    LIVED_IN_ROOM = "lived_in_room"


class RentalKind(StrEnum):
    """How a place is let: one room by itself, to a collective, or in a farmer's self-built house."""

    NOT_LET = "not_let"
    WHOLE = "whole"
    SINGLE_ROOM = "single_room"
    COLLECTIVE = "collective"
    FARMHOUSE = "farmhouse"


class SmallPlace(StrEnum):
    """九小场所: the kinds of small place that campaigns must cover."""

    SCHOOL = "school"
    CARE_HOME = "care_home"
    CLINIC = "clinic"
    SHOP = "shop"
    EATERY = "eatery"
    INN = "inn"
    ENTERTAINMENT = "entertainment"
    NET_CAFE = "net_cafe"
    BATH_HOUSE = "bath_house"
    WORKSHOP = "workshop"


class HazardGrade(StrEnum):
    GENERAL = "general"
    SERIOUS = "serious"
    MAJOR = "major"


@dataclass(frozen=True, slots=True)
class OpenHazard:
    """A hazard of the place that is not closed; ``state`` is its word in the hazard register."""

    grade: HazardGrade
    state: str


@dataclass(frozen=True, slots=True)
class PremisesFacts:
    """What is on file of a place. None is not known.

    ``judged_on`` is the later of booking day and delivery day. ``open_hazards`` are those not closed by a
    re-check; mending that is only claimed does not close one. ``crowded`` is said of a place, never
    guessed: a restaurant is a crowded place only where its file says so. ``largest_nominal_g`` is the
    largest bottle asked for, by nominal fill; a cylinder room nobody has seen is none. ``leak_alarm``: one
    that is in date on that day, by the register of equipment. ``house_bottles``:
    how many bottles the cards of all users in a farmer's let house may hold, these included;
    ``rental_cap`` is how many its village allows there. ``excepted``: the
    rules that a review of a refusal has lifted for this home; none against fire or leaks can be (J03).
    """

    kind: PremisesKind
    account_class: UserClass
    judged_on: date
    piped_gas: bool | None
    lift: bool | None
    height_m: int | None
    floor_kind: FloorKind | None
    converted_to_pipe: bool | None
    open_hazards: tuple[OpenHazard, ...] = ()
    inspection_refused: bool = False
    bottle_place: BottlePlace | None = None
    other_fuel_in_room: bool = False
    leak_alarm: bool | None = None
    crowded: bool = False
    has_cylinder_room: bool | None = None
    largest_nominal_g: int | None = None
    in_lpg_free_area: bool = False
    rental: RentalKind | None = None
    rental_cap: int | None = None
    house_bottles: int | None = None
    excepted: tuple[str, ...] = field(default=(), metadata=NONE_THEN)


@gate("premises", facts=PremisesFacts)
def premises_refusals(c: PremisesFacts, law: Law) -> Iterator[Refusal]:
    """Every reason against, in the order of the law: P01 to P14."""
    # P01 the community is on piped gas
    if c.piped_gas is None and "P01" not in c.excepted:
        yield no.PIPED_GAS_UNKNOWN(unknown="piped_gas")
    elif c.piped_gas and "P01" not in c.excepted:
        yield no.PIPED_GAS()

    # P02 the building has a lift
    if c.lift is None and "P02" not in c.excepted:
        yield no.LIFT_UNKNOWN(unknown="lift")
    elif c.lift and "P02" not in c.excepted:
        yield no.LIFT()

    # P03 a high-rise
    limit = high_rise_limit(c)
    limit_m = law.integer(limit)
    if c.height_m is None:
        yield no.HEIGHT_UNKNOWN(unknown="height_m")
    elif limit_m is not None and c.height_m > limit_m:
        yield no.HIGH_RISE(height_m=c.height_m, limit_m=limit_m).resting_on(law.basis(limit))

    # P04 below ground, or closed in without air
    if c.floor_kind is None:
        yield no.FLOOR_UNKNOWN(unknown="floor_kind")
    elif c.floor_kind in (FloorKind.BASEMENT, FloorKind.SEMI_BASEMENT, FloorKind.UNVENTILATED):
        yield no.BELOW_GROUND(floor_kind=c.floor_kind)

    # P05 a garage
    if c.floor_kind is None:
        yield no.GARAGE_UNKNOWN(unknown="floor_kind")
    elif c.floor_kind is FloorKind.GARAGE:
        yield no.GARAGE()

    # P06 a restaurant already converted to piped gas
    if c.kind is PremisesKind.RESTAURANT and c.converted_to_pipe is None:
        yield no.CONVERSION_UNKNOWN(unknown="converted_to_pipe")
    elif c.kind is PremisesKind.RESTAURANT and c.converted_to_pipe:
        yield no.CONVERTED()

    # P07 a non-resident after the clear-out day; the day itself is still allowed
    last_day = law.day_value("P07.last_day")
    is_late = last_day is not None and c.judged_on > last_day
    if c.account_class is not UserClass.RESIDENT and is_late and "P07" not in c.excepted:
        yield no.CLEARED_OUT(last_day=last_day, judged_on=c.judged_on).resting_on(law.basis("P07.last_day"))

    # P08 among the tables of a restaurant, or in an underground cylinder room
    if c.bottle_place in (BottlePlace.DINING_AREA, BottlePlace.UNDERGROUND_CYLINDER_ROOM):
        yield no.IN_DINING_AREA(bottle_place=c.bottle_place)

    # P09 in a room people live in, or beside another fire
    if c.bottle_place is None:
        yield no.BOTTLE_PLACE_UNKNOWN(unknown="bottle_place")
    elif c.bottle_place in (BottlePlace.BEDROOM, BottlePlace.BATHROOM, BottlePlace.LIVED_IN_ROOM):
        yield no.IN_LIVED_IN_ROOM(bottle_place=c.bottle_place)
    if c.other_fuel_in_room:
        yield no.SECOND_FIRE()

    # P10 no leak alarm where one is required
    if needs_alarm(c) and c.leak_alarm is None:
        yield no.ALARM_UNKNOWN(unknown="leak_alarm")
    elif needs_alarm(c) and not c.leak_alarm:
        yield no.NO_ALARM()

    # P11 the large size indoors; any size indoors in a crowded place. A cylinder room is not indoors
    large_g = law.integer("P11.large_nominal_g")
    if not is_outside_rooms(c) and large_g is not None and (c.largest_nominal_g or 0) >= large_g:
        yield no.LARGE_INDOORS(nominal_g=c.largest_nominal_g)
    if not is_outside_rooms(c) and c.crowded:
        yield no.CROWDED_INDOORS()

    # P12 a hazard that stops supply until re-checked, or a refused safety check
    stopping = law.words("P12.stopping_grades")
    for hazard in c.open_hazards:
        if hazard.grade in stopping:
            yield no.OPEN_HAZARD(grade=hazard.grade, state=hazard.state)
    if c.inspection_refused:
        yield no.INSPECTION_REFUSED()

    # P13 a room let by itself or to a collective; too many bottles in a farmer's let house
    if c.rental is None:
        yield no.RENTAL_UNKNOWN(unknown="rental")
    elif c.rental in law.words("P13.barred_rentals"):
        yield no.LET_ROOM(rental=c.rental)
    if c.rental is RentalKind.FARMHOUSE and c.rental_cap is None:
        yield no.RENTAL_CAP_UNKNOWN(unknown="rental_cap")
    elif c.rental is RentalKind.FARMHOUSE and (c.house_bottles or 0) > (c.rental_cap or 0):
        yield no.RENTAL_FULL(house_bottles=c.house_bottles, rental_cap=c.rental_cap)

    # P14 an area declared free of bottled gas
    if c.in_lpg_free_area:
        yield no.LPG_FREE_AREA()


def high_rise_limit(c: PremisesFacts) -> str:
    """Homes and other buildings have their own height from which they count as high-rise."""
    return "P03.height_m" if c.kind is PremisesKind.DWELLING else "P03.public_height_m"


def needs_alarm(c: PremisesFacts) -> bool:
    return requires_alarm(c.kind, c.crowded)


def requires_alarm(kind: PremisesKind, crowded: bool) -> bool:
    """Catering and indoor crowded places must have a leak alarm."""
    return kind is PremisesKind.RESTAURANT or crowded


def is_outside_rooms(c: PremisesFacts) -> bool:
    return c.has_cylinder_room is True or c.bottle_place in (BottlePlace.OUTDOORS, BottlePlace.CYLINDER_ROOM)
