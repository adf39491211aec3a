"""Where the sample happens: districts, zones, and the premises that burn bottled gas.

Names and codes of districts, streets and committees are real (see data/README.md). Everything finer is
invented and says so: zones are synthetic cells, lanes lie on 样例路, restaurants are called 样例餐馆. Pure
functions of a seed: the same seed gives the same places. No database, no network, no clock.

    district(310105)             outline (WGS-84), streets, committees
    zones(310105)                synthetic cells that cover the outline without overlap, west to east
    premises(310105)             452 users of Changning: 330 households, 122 businesses
    premises(310118)             30 households of Qingpu
"""

import csv
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import shapely

from core.geo import Area, Datum, Point, ZoneIndex, area_from_geojson, covers
from registry.documents import uscc_check_character
from registry.premises_gate import BottlePlace, FloorKind

SEED = 20240612
CHANGNING, QINGPU = 310105, 310118

# No place in China has this code: the second pair of GB/T 2260 numbers 01–20, 21–70 and 90, never 99.
# Credit codes and resident ids of the sample carry it, so that no living person or firm can have theirs.
UNASSIGNED_AREA = "319999"

FOLDER = Path(__file__).parent / "data"
_METRES_PER_DEGREE = 111_195


# --------------------------------------------------------------------------------------------------------
# Districts


@dataclass(frozen=True, slots=True)
class Committee:
    """居委会 or 村委会."""

    code: str
    name: str
    street_code: str


@dataclass(frozen=True, slots=True)
class Street:
    """街道 or 镇. ``anchor`` lies roughly in its middle."""

    code: str
    name: str
    anchor: Point


@dataclass(frozen=True, slots=True)
class District:
    code: int
    name: str
    outline: Area
    streets: tuple[Street, ...]
    committees: tuple[Committee, ...]

    def committees_of(self, street: Street) -> tuple[Committee, ...]:
        return tuple(committee for committee in self.committees if committee.street_code == street.code)


@cache
def district(code: int) -> District:
    """``ValueError`` for a district the sample has no data of."""
    outlines = json.loads((FOLDER / "outlines.geojson").read_text())["features"]
    by_code = {int(feature["properties"]["code"]): feature for feature in outlines}
    if code not in by_code:
        raise ValueError(f"expected one of {sorted(by_code)}, got {code}")
    anchors = {
        row["street_code"]: Point(float(row["lon"]), float(row["lat"])) for row in _rows("street_anchors.csv")
    }
    return District(
        code=code,
        name=by_code[code]["properties"]["name"],
        outline=area_from_geojson(by_code[code]["geometry"], Datum.GCJ02),
        streets=tuple(
            Street(row["code"], row["name"], anchors[row["code"]])
            for row in _rows("streets.csv")
            if int(row["district_code"]) == code
        ),
        committees=tuple(
            Committee(row["code"], row["name"], row["street_code"])
            for row in _rows("committees.csv")
            if int(row["district_code"]) == code
        ),
    )


def _rows(name: str) -> list[dict[str, str]]:
    with (FOLDER / name).open(newline="") as file:
        return list(csv.DictReader(file))


# --------------------------------------------------------------------------------------------------------
# Estates


@dataclass(frozen=True, slots=True)
class _Estate:
    """An old estate (老旧小区) behind one lane number, with the shops along its street."""

    number: int
    street: Street
    committee: Committee
    centre: Point
    lane: int

    @property
    def code(self) -> str:
        """A local one: no list of estates has codes of its own."""
        return f"YD-{self.number:03}"

    @property
    def name(self) -> str:
        return f"样例路{self.lane}弄"


_ESTATES_PER_STREET = {CHANGNING: 3, QINGPU: 1}


def _estates(code: int, seed: int) -> tuple[_Estate, ...]:
    random = Random(f"estates {code} {seed}")
    place = district(code)
    return tuple(
        _Estate(
            number,
            street,
            random.choice(place.committees_of(street)),
            _near(random, place.outline, street.anchor, 320),
            lane=101 + 10 * number,
        )
        for number, street in enumerate(place.streets * _ESTATES_PER_STREET[code])
    )


def divisions(code: int, seed: int = SEED) -> Iterator[tuple[str, str, str, str | None]]:
    """(level, code, name, parent's code) of all that the sample's addresses lie in, each after its parent."""
    place = district(code)
    yield from (("street", one.code, one.name, None) for one in place.streets)
    yield from (("committee", one.code, one.name, one.street_code) for one in place.committees)
    yield from (("estate", one.code, one.name, one.committee.code) for one in _estates(code, seed))


# --------------------------------------------------------------------------------------------------------
# Zones


@dataclass(frozen=True, slots=True)
class SampleZone:
    """A cell of the district, served by one firm. ``has_truck``: the large size can be brought here."""

    district: int
    number: int
    name: str
    polygon: Area
    firm: str
    has_truck: bool
    opens_s: int = 8 * 3600
    closes_s: int = 20 * 3600


@dataclass(frozen=True, slots=True)
class _ZonePlan:
    """Which firm serves each zone, west to east, and which zones a small truck serves as well."""

    firms: tuple[str, ...]
    truck_zones: frozenset[int]


_ZONE_PLANS = {
    CHANGNING: _ZonePlan(
        ("changning_west",) * 4 + ("changning_east",) * 2,
        frozenset({4, 6}),
    ),
    QINGPU: _ZonePlan(("qingpu", "qingpu"), frozenset({1, 2})),
}


def zones(code: int, seed: int = SEED) -> tuple[SampleZone, ...]:
    """Six cells for Changning, two for Qingpu, each about as much work as the others.

    Voronoi cells around clusters of estates, cut at the outline.
    """
    place = district(code)
    plan = _ZONE_PLANS[code]
    centres = _clusters([estate.centre for estate in _estates(code, seed)], len(plan.firms))
    return tuple(
        SampleZone(
            district=code,
            number=number,
            name=f"样例片区 {number} (synthetic cell)",
            polygon=cell,
            firm=plan.firms[number - 1],
            has_truck=number in plan.truck_zones,
        )
        for number, cell in enumerate(_cells(centres, place.outline), start=1)
    )


def _cells(centres: Sequence[Point], outline: Area) -> Iterator[Area]:
    """For each centre the part of the outline that is nearest to it."""
    voronoi = shapely.voronoi_polygons(
        shapely.MultiPoint([(centre.lon, centre.lat) for centre in centres]), extend_to=outline
    )
    for centre in centres:
        (cell,) = (cell for cell in voronoi.geoms if covers(cell, centre))
        yield shapely.intersection(cell, outline)


def _clusters(points: Sequence[Point], count: int) -> list[Point]:
    """The middles of ``count`` clusters, west to east (Lloyd's iteration, begun from the points farthest
    apart)."""
    centres = [min(points, key=lambda at: at.lon)]
    while len(centres) < count:
        centres.append(max(points, key=lambda at: min(_squared(at, centre) for centre in centres)))
    for _ in range(12):
        groups: list[list[Point]] = [[] for _ in centres]
        for at in points:
            groups[min(range(count), key=lambda number: _squared(at, centres[number]))].append(at)
        centres = [_middle(group) for group in groups]
    return sorted(centres, key=lambda centre: centre.lon)


def _squared(a: Point, b: Point) -> float:
    return (a.lon - b.lon) ** 2 + (a.lat - b.lat) ** 2


def _middle(points: Sequence[Point]) -> Point:
    return Point(sum(at.lon for at in points) / len(points), sum(at.lat for at in points) / len(points))


def _near(random: Random, outline: Area, centre: Point, spread_m: float) -> Point:
    """A point of the outline, scattered about the centre with a standard deviation of ``spread_m``."""
    lat_degrees = spread_m / _METRES_PER_DEGREE
    lon_degrees = lat_degrees / math.cos(math.radians(centre.lat))
    while True:
        lon, lat = random.gauss(centre.lon, lon_degrees), random.gauss(centre.lat, lat_degrees)
        at = Point(round(lon, 7), round(lat, 7))
        if covers(outline, at):
            return at


# --------------------------------------------------------------------------------------------------------
# Premises


class UseKind(StrEnum):
    HOUSEHOLD = "household"
    RESTAURANT = "restaurant"
    SHOP = "shop"
    SCHOOL_CANTEEN = "school_canteen"
    CARE_HOME = "care_home"


class Vulnerability(StrEnum):
    """Why a household is looked after first. Sensitive: shown to nobody who need not know."""

    ELDERLY_ALONE = "elderly_alone"
    DISABLED = "disabled"
    CHILDREN_ALONE = "children_alone"


class PremisesFault(StrEnum):
    """The one thing that is wrong with a place; ``rule`` is the rule it breaks where that rule binds."""

    PIPED_ESTATE = "piped_estate"
    LIFT_BUILDING = "lift_building"
    HIGH_RISE = "high_rise"
    BASEMENT = "basement"
    SEMI_BASEMENT = "semi_basement"
    GARAGE = "garage"
    CONVERTED = "converted"
    DINING_AREA = "dining_area"
    BEDROOM = "bedroom"
    SECOND_FIRE = "second_fire"
    NO_ALARM = "no_alarm"
    LARGE_INDOORS = "large_indoors"
    CROWDED_INDOORS = "crowded_indoors"
    OVER_WEIGHT = "over_weight"
    NOT_SURVEYED = "not_surveyed"

    @property
    def rule(self) -> str:
        """``not_surveyed`` breaks none by itself: what is unknown is judged rule by rule."""
        return _RULE_BROKEN[self]


_RULE_BROKEN = {
    PremisesFault.PIPED_ESTATE: "P01",
    PremisesFault.LIFT_BUILDING: "P02",
    PremisesFault.HIGH_RISE: "P03",
    PremisesFault.BASEMENT: "P04",
    PremisesFault.SEMI_BASEMENT: "P04",
    PremisesFault.GARAGE: "P05",
    PremisesFault.CONVERTED: "P06",
    PremisesFault.DINING_AREA: "P08",
    PremisesFault.BEDROOM: "P09",
    PremisesFault.SECOND_FIRE: "P09",
    PremisesFault.NO_ALARM: "P10",
    PremisesFault.LARGE_INDOORS: "P11",
    PremisesFault.CROWDED_INDOORS: "P11",
    PremisesFault.OVER_WEIGHT: "A13",
    PremisesFault.NOT_SURVEYED: "",
}


@dataclass(frozen=True, slots=True)
class SamplePremises:
    """A place that burns bottled gas, with what a survey found. None is not known.

    ``number`` is unique over all districts of the sample. ``cards`` is how many cards, and so bottles of
    ``cylinder_model``, it has; a household always has one. ``uscc`` is a business's credit code.
    """

    number: int
    district: int
    street_code: str
    committee_code: str
    estate_code: str
    zone: int
    firm: str
    kind: UseKind
    address: str
    point: Point
    height_m: int | None
    converted_to_pipe: bool | None
    cylinder_model: str
    cards: int = 1
    piped_gas: bool | None = False
    lift: bool | None = False
    floor_kind: FloorKind | None = FloorKind.ABOVE_GROUND
    bottle_place: BottlePlace | None = BottlePlace.KITCHEN
    has_cylinder_room: bool = False
    leak_alarm: bool | None = None
    crowded: bool = False
    other_fuel_in_room: bool = False
    vulnerability: Vulnerability | None = None
    name: str | None = None
    uscc: str | None = None
    fault: PremisesFault | None = None

    @property
    def is_household(self) -> bool:
        return self.kind is UseKind.HOUSEHOLD


BUSINESSES = {
    UseKind.RESTAURANT: 88,
    UseKind.SHOP: 26,
    UseKind.SCHOOL_CANTEEN: 4,
    UseKind.CARE_HOME: 4,
}
HOUSEHOLDS = {CHANGNING: 330, QINGPU: 30}
_FIRST_NUMBER = {CHANGNING: 1, QINGPU: 1001}
_PIPED_ESTATES = {CHANGNING: {29}, QINGPU: {0, 1, 2, 3}}
_LIFT_ESTATES: dict[int, set[int]] = {CHANGNING: set(), QINGPU: {4, 5, 6}}
_FAULTY_OF_EACH = 2


def premises(code: int, seed: int = SEED) -> tuple[SamplePremises, ...]:
    """Every user of the district, in order of ``number``: households first, then businesses.

    Changning: 452, two places with each fault, and one estate on piped gas. Qingpu: 30 households, in four
    estates on piped gas, three of buildings with a lift, and four with nothing wrong.
    """
    survey = _Survey(code, seed)
    homes = [survey.home(i) for i in range(HOUSEHOLDS[code])]
    if code != CHANGNING:
        return tuple(homes)
    kinds = [kind for kind, count in BUSINESSES.items() for _ in range(count)]
    businesses = [survey.business(len(homes) + i, kind) for i, kind in enumerate(kinds)]
    spoilt = survey.with_faults(homes, _HOME_FAULTS) + survey.with_faults(businesses, _RESTAURANT_FAULTS)
    return tuple(spoilt)


def faulty(places: Sequence[SamplePremises]) -> dict[PremisesFault, tuple[SamplePremises, ...]]:
    """The places with a fault, by fault: for a demo that has to know whom to ask."""
    found = {fault: tuple(place for place in places if place.fault is fault) for fault in PremisesFault}
    return {fault: with_it for fault, with_it in found.items() if with_it}


def sample_uscc(department: str, number: int) -> str:
    """A credit code with a right check character that no firm can have."""
    first_17 = f"{department}{UNASSIGNED_AREA}YL{number:07}"
    return first_17 + uscc_check_character(first_17)


class _Survey:
    """One district being invented: its estates, and the one stream of chance that all of it draws on."""

    def __init__(self, code: int, seed: int):
        self.random = Random(f"premises {code} {seed}")
        self.district = district(code)
        self.plan = _ZONE_PLANS[code]
        self.zone_index = ZoneIndex([(zone.number, zone.polygon) for zone in zones(code, seed)])
        self.estates = _estates(code, seed)

    def home(self, i: int) -> SamplePremises:
        """The ``i``-th household: a flat in an old walk-up of six floors, three flats to a house number."""
        estate = self.estates[i % len(self.estates)]
        house, flat = divmod(i // len(self.estates), 3)
        storey = 1 + (2 * flat + house) % 6
        plain = self._place(
            i,
            UseKind.HOUSEHOLD,
            estate,
            f"{house + 1} 号 {storey}0{flat + 1} 室",
            self._near(estate.centre, 60),
            height_m=self.random.choice((15, 18, 18, 21)),
            cylinder_model=self.random.choices(("YSP35.5", "YSP12", "YSP4.7"), (80, 17, 3))[0],
        )
        is_vulnerable = self.random.random() < 0.12
        home = replace(
            plain, vulnerability=self.random.choice(list(Vulnerability)) if is_vulnerable else None
        )
        if estate.number in _PIPED_ESTATES[self.district.code]:
            return replace(home, fault=PremisesFault.PIPED_ESTATE, piped_gas=True)
        if estate.number in _LIFT_ESTATES[self.district.code]:
            return replace(home, fault=PremisesFault.LIFT_BUILDING, lift=True, height_m=24)
        return home

    def business(self, i: int, kind: UseKind) -> SamplePremises:
        """The ``i``-th user: a place on the street before an estate."""
        estate = self.random.choice(self.estates)
        number = _FIRST_NUMBER[self.district.code] + i
        is_sole_trader = kind in (UseKind.RESTAURANT, UseKind.SHOP)
        place = replace(
            self._place(
                i,
                kind,
                estate,
                f"沿街 {number} 号",
                self._near(estate.centre, 250),
                height_m=self.random.choice((6, 9, 12)),
                cylinder_model="YSP35.5",
            ),
            name=f"{_BUSINESS_NAMES[kind]} {number:03}",
            uscc=sample_uscc("92" if is_sole_trader else "52", number),
            leak_alarm=True,
            cards=1 if kind is UseKind.SHOP else self.random.choices((1, 2, 3, 4), (25, 45, 20, 10))[0],
        )
        if kind in (UseKind.SCHOOL_CANTEEN, UseKind.CARE_HOME):
            return _in_cylinder_room(replace(place, crowded=True))
        wants_large = self.random.random() < 0.5
        if kind is UseKind.RESTAURANT and wants_large and place.zone in self.plan.truck_zones:
            return _in_cylinder_room(replace(place, cylinder_model="YSP118", cards=2))
        return place

    def with_faults(
        self, places: Sequence[SamplePremises], faults: Mapping[PremisesFault, Mapping[str, Any]]
    ) -> list[SamplePremises]:
        """The places, with two of them spoilt in each way; no place has two faults."""
        spoilt = {place.number: place for place in places}
        for fault, changes in faults.items():
            sound = [place for place in spoilt.values() if self._could_have(place, fault)]
            for place in self.random.sample(sound, _FAULTY_OF_EACH):
                spoilt[place.number] = replace(place, fault=fault, **changes)
        return list(spoilt.values())

    def _could_have(self, place: SamplePremises, fault: PremisesFault) -> bool:
        """Only what is sound can be spoilt; only a restaurant without a cylinder room as one; and the large
        size only gets to where a truck goes."""
        if place.fault is not None or place.has_cylinder_room:
            return False
        if fault is PremisesFault.LARGE_INDOORS and place.zone not in self.plan.truck_zones:
            return False
        return place.kind in (UseKind.HOUSEHOLD, UseKind.RESTAURANT)

    def _near(self, centre: Point, spread_m: float) -> Point:
        return _near(self.random, self.district.outline, centre, spread_m)

    def _place(
        self,
        i: int,
        kind: UseKind,
        estate: _Estate,
        door: str,
        point: Point,
        *,
        height_m: int,
        cylinder_model: str,
    ) -> SamplePremises:
        """A place with nothing wrong, in the zone and with the firm that its point gives it."""
        zone = self.zone_index.zone_of(point)
        if zone is None:
            raise ValueError(f"expected every point of the outline in a zone, found {point} in none")
        return SamplePremises(
            number=_FIRST_NUMBER[self.district.code] + i,
            district=self.district.code,
            street_code=estate.street.code,
            committee_code=estate.committee.code,
            estate_code=estate.code,
            zone=zone,
            firm=self.plan.firms[zone - 1],
            kind=kind,
            address=f"上海市{self.district.name}{estate.street.name}样例路 {estate.lane} 弄 {door}",
            point=point,
            height_m=height_m,
            converted_to_pipe=False if kind is UseKind.RESTAURANT else None,
            cylinder_model=cylinder_model,
        )


def _in_cylinder_room(place: SamplePremises) -> SamplePremises:
    return replace(place, has_cylinder_room=True, bottle_place=BottlePlace.CYLINDER_ROOM)


_BUSINESS_NAMES: Mapping[UseKind, str] = {
    UseKind.RESTAURANT: "样例餐馆",
    UseKind.SHOP: "样例小吃铺",
    UseKind.SCHOOL_CANTEEN: "样例学校食堂",
    UseKind.CARE_HOME: "样例养老院",
}

_HOME_FAULTS: Mapping[PremisesFault, Mapping[str, Any]] = {
    PremisesFault.LIFT_BUILDING: {"lift": True, "height_m": 24},
    PremisesFault.HIGH_RISE: {"height_m": 33},
    PremisesFault.BASEMENT: {"floor_kind": FloorKind.BASEMENT},
    PremisesFault.GARAGE: {"floor_kind": FloorKind.GARAGE},
    PremisesFault.BEDROOM: {"bottle_place": BottlePlace.BEDROOM},
    PremisesFault.SECOND_FIRE: {"other_fuel_in_room": True},
    PremisesFault.NOT_SURVEYED: {
        "piped_gas": None,
        "lift": None,
        "height_m": None,
        "floor_kind": None,
        "bottle_place": None,
    },
}

_RESTAURANT_FAULTS: Mapping[PremisesFault, Mapping[str, Any]] = {
    PremisesFault.LARGE_INDOORS: {"cylinder_model": "YSP118", "cards": 1},
    PremisesFault.SEMI_BASEMENT: {"floor_kind": FloorKind.SEMI_BASEMENT},
    PremisesFault.CONVERTED: {"converted_to_pipe": True},
    PremisesFault.DINING_AREA: {"bottle_place": BottlePlace.DINING_AREA},
    PremisesFault.NO_ALARM: {"leak_alarm": False},
    PremisesFault.CROWDED_INDOORS: {"crowded": True},
    PremisesFault.OVER_WEIGHT: {"cards": 5},
}
