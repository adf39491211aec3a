"""The firms of the sample, their sites, staff and vehicles, and who drives what where. All invented.

Credit codes carry an area that cannot be assigned, plates say 样例, and what a vehicle may carry is what its
own (invented) file says, not a number of law.

Filling stations lie in Qingpu, outside the district they supply, as they do in life: filling is judged by the
station's place. Papers are in force on the demo's day, 2024-06-12.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from random import Random
from typing import Literal

from core.geo import Point
from sample.people import sample_name, sample_phone
from sample.places import CHANGNING, QINGPU, SEED, SampleZone, sample_uscc, zones

DEMO_DAY = date(2024, 6, 12)
_PAPERS_FROM, _PAPERS_UNTIL = date(2023, 1, 1), date(2026, 12, 31)

SiteKind = Literal["filling_station", "supply_point", "depot"]
StaffKind = Literal["courier", "filler", "dispatcher", "clerk"]
VehicleKind = Literal["etrike", "small_truck"]


@dataclass(frozen=True, slots=True)
class SampleFirm:
    """经营企业. ``key`` is how the rest of the sample names it. The gas business licence is 燃气经营许可."""

    key: str
    name: str
    uscc: str
    home_district: int
    gas_licence_no: str | None
    valid_from: date = _PAPERS_FROM
    valid_until: date = _PAPERS_UNTIL


@dataclass(frozen=True, slots=True)
class SampleSite:
    """Every site has a 供应站点许可, a filling station its 气瓶充装许可 too. ``stock_cap`` in bottles."""

    key: str
    firm: str
    district: int
    name: str
    kinds: tuple[SiteKind, ...]
    point: Point
    stock_cap: int
    permit_no: str
    filling_licence_no: str | None = None
    valid_from: date = _PAPERS_FROM
    valid_until: date = _PAPERS_UNTIL


@dataclass(frozen=True, slots=True)
class SampleStaff:
    key: str
    firm: str
    kind: StaffKind
    site: str
    certificate_no: str
    name: str = field(repr=False)
    phone: str = field(repr=False)
    certificate_from: date = _PAPERS_FROM
    certificate_until: date = _PAPERS_UNTIL


@dataclass(frozen=True, slots=True)
class SampleVehicle:
    key: str
    firm: str
    kind: VehicleKind
    plate: str
    permit_no: str
    max_cylinders: int
    max_nominal_g: int
    max_trips: int
    carries_50kg: bool
    permit_from: date = _PAPERS_FROM
    permit_until: date = _PAPERS_UNTIL


@dataclass(frozen=True, slots=True)
class SampleBinding:
    """人车对应: this courier drives this vehicle with this device in this zone, from ``from_on`` on."""

    courier: str
    vehicle: str
    device: str
    zone_district: int
    zone: int
    from_on: date = date(2024, 6, 1)


FIRMS = (
    SampleFirm("changning_west", "样例燃气甲有限公司", sample_uscc("91", 1), CHANGNING, "样例燃气许可 001"),
    SampleFirm("changning_east", "样例燃气乙有限公司", sample_uscc("91", 2), CHANGNING, "样例燃气许可 002"),
    SampleFirm("qingpu", "样例燃气丙有限公司", sample_uscc("91", 3), QINGPU, "样例燃气许可 003"),
)

# Whose bottles turn up and must not be filled: a firm of elsewhere without a licence here.
OUTSIDE_FIRM = SampleFirm("outside", "样例外埠燃气有限公司", sample_uscc("91", 9), QINGPU, None)

SITES = (
    SampleSite(
        "west_station", "changning_west", QINGPU, "样例充装站甲", ("filling_station",),
        Point(121.2105, 31.1702), 600, "样例站点许可 001", "样例充装许可 001",
    ),
    SampleSite(
        "east_station", "changning_east", QINGPU, "样例充装站乙", ("filling_station",),
        Point(121.1904, 31.2287), 600, "样例站点许可 002", "样例充装许可 002",
    ),
    SampleSite(
        "qingpu_station", "qingpu", QINGPU, "样例充装站丙", ("filling_station", "supply_point"),
        Point(121.1207, 31.1655), 300, "样例站点许可 003", "样例充装许可 003",
    ),
    SampleSite(
        "west_supply", "changning_west", CHANGNING, "样例供应站甲", ("supply_point", "depot"),
        Point(121.3812, 31.2123), 120, "样例站点许可 004",
    ),
    SampleSite(
        "east_supply", "changning_east", CHANGNING, "样例供应站乙", ("supply_point", "depot"),
        Point(121.4139, 31.2166), 120, "样例站点许可 005",
    ),
)  # fmt: skip

SUPPLY_SITE = {"changning_west": "west_supply", "changning_east": "east_supply", "qingpu": "qingpu_station"}
FILLING_SITE = {
    "changning_west": "west_station",
    "changning_east": "east_station",
    "qingpu": "qingpu_station",
}

RESERVE = {"changning_west": "courier_reserve_west", "changning_east": "courier_reserve_east"}
"""A courier of each firm of Changning with no vehicle of their own, who stands in for another."""

# Numbers of staff stand apart from those of users, so that no two people of the sample share a phone.
_FIRST_STAFF_NUMBER = 9001


def vehicles() -> tuple[SampleVehicle, ...]:
    """Changning: a trike for each zone, and a small truck where the large size is taken. Qingpu: trucks."""
    return tuple(vehicle for vehicle, _ in _fleet())


def staff(seed: int = SEED) -> tuple[SampleStaff, ...]:
    """A courier for each vehicle and two in reserve; at each firm a filler, a dispatcher and a clerk."""
    posts: list[tuple[str, StaffKind, str, str]] = [
        (f"courier_{vehicle.key}", "courier", vehicle.firm, SUPPLY_SITE[vehicle.firm])
        for vehicle in vehicles()
    ]
    for firm in FIRMS:
        posts.append((f"filler_{firm.key}", "filler", firm.key, FILLING_SITE[firm.key]))
        posts.append((f"dispatcher_{firm.key}", "dispatcher", firm.key, SUPPLY_SITE[firm.key]))
        posts.append((f"clerk_{firm.key}", "clerk", firm.key, SUPPLY_SITE[firm.key]))
    for firm in FIRMS:
        if firm.home_district == CHANGNING:
            posts.append((RESERVE[firm.key], "courier", firm.key, SUPPLY_SITE[firm.key]))
    return tuple(
        SampleStaff(
            key=key,
            firm=firm,
            kind=kind,
            site=site,
            certificate_no=f"样例证 {number}",
            name=sample_name(Random(f"staff {number} {seed}"), number),
            phone=sample_phone(number),
        )
        for number, (key, kind, firm, site) in enumerate(posts, start=_FIRST_STAFF_NUMBER)
    )


def bindings() -> tuple[SampleBinding, ...]:
    """Each courier with a vehicle, a device and a zone of their own firm; no zone goes without."""
    return tuple(
        SampleBinding(
            courier=f"courier_{vehicle.key}",
            vehicle=vehicle.key,
            device=f"phone_{vehicle.key}",
            zone_district=zone.district,
            zone=zone.number,
        )
        for vehicle, zone in _fleet()
    )


def _fleet() -> Iterator[tuple[SampleVehicle, SampleZone]]:
    """Every vehicle with the zone it works in."""
    for zone in zones(CHANGNING):
        yield _trike(f"trike_{zone.number}", zone), zone
    for zone in zones(CHANGNING):
        if zone.has_truck:
            yield _truck(f"truck_{zone.number}", zone), zone
    for zone in zones(QINGPU):
        yield _truck(f"qingpu_truck_{zone.number}", zone), zone


def _trike(key: str, zone: SampleZone) -> SampleVehicle:
    return SampleVehicle(
        key=key,
        firm=zone.firm,
        kind="etrike",
        plate=f"长宁样例{zone.number:02}",
        permit_no=f"样例车辆许可 {key}",
        max_cylinders=8,
        max_nominal_g=120_000,
        max_trips=7,
        carries_50kg=False,
    )


def _truck(key: str, zone: SampleZone) -> SampleVehicle:
    return SampleVehicle(
        key=key,
        firm=zone.firm,
        kind="small_truck",
        plate=f"沪样例{zone.district % 1000}{zone.number:02}",
        permit_no=f"样例车辆许可 {key}",
        max_cylinders=40,
        max_nominal_g=1_000_000,
        max_trips=3,
        carries_50kg=True,
    )
