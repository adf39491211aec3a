"""What fixed zones cost: a day's crews each in its zone, beside the same crews free to go anywhere.

The zones are the law's and stay: this is a price, not an advice, and nobody drives by it. One day of one
supply site is priced whole, as it was booked, whatever has become of its orders since; vehicles that load
elsewhere are no part of it. The worker does it, one day of a site at a time; ``routing.pricing`` says how the
two sides are searched alike.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import jobs
from core.doing import Doing
from core.geo import Point
from core.problems import NotFound, WrongField
from core.refusal import Refusal, Refused
from dispatch.orders.queries import of_day
from dispatch.rounds import refusals as no
from dispatch.rounds import streets
from dispatch.rounds.queries import crew_of, doors_of, has_answered, how_it_stands, job_in_reach
from dispatch.rounds.service import checked
from dispatch.rounds.solving import price_apart
from dispatch.rounds.unfit import unfit
from dispatch.rounds.zone_day import Crew, Door, problem_of
from dispatch.rounds.zone_price_models import ZonePrice
from evidence.deed import Answer, Deed, does
from evidence.models import SubjectType
from registry.models import Site, Zone
from registry.queries import site
from registry.rosters import crews_for_zone
from registry.zone_queries import zone_set_at, zones_of
from routing import Plan, Priced, PricedZone, Problem, bound, days

PRICE_JOB = "zones.price"
MOST_ORDERS = 400
"""What one search can be asked for while somebody waits: some twenty CPU seconds with the usual turns."""
MOST_LISTED = 20


# --- ask, cancel, do ----------------------------------------------------------------------------------------


@does("zone_price.ask")
def ask_price(deed: Deed, *, supply_site_id: UUID, day: date, iterations: int, seed: int) -> Answer:
    """Have a day priced by the worker; no plan and no zone changes by it."""
    station = _site_in_reach(deed.db, deed.doing, supply_site_id)
    asked = {
        "supply_site_id": str(station.id),
        "day": day.isoformat(),
        "iterations": iterations,
        "seed": seed,
    }
    lock = f"{PRICE_JOB}:{deed.district}:{station.id}"
    job = jobs.ask(deed.db, deed.doing, PRICE_JOB, asked, firm_id=station.firm_id, lock=lock)
    deed.about(SubjectType.REGISTER, str(deed.district))
    deed.at(firm=station.firm_id, site=station.id)
    deed.note(job_id=job.id, day=day)
    return {"job_id": str(job.id)}


@does("zone_price.cancel")
def cancel_price(deed: Deed, *, job_id: UUID) -> Answer:
    asked = job_in_reach(deed.db, deed.doing, job_id, PRICE_JOB)
    deed.about(SubjectType.REGISTER, str(deed.district))
    deed.at(firm=asked.firm_id)
    deed.note(job_id=job_id)
    jobs.cancel(deed.db, deed.district, job_id)
    return {"job_id": str(job_id)}


@dataclass(frozen=True, slots=True)
class Found:
    """A day priced and checked; or why it has no price; neither where this key has answered before."""

    station: Site
    day: date
    refusals: tuple[Refusal, ...] = ()
    zones: Sequence[dict[str, Any]] = ()
    problem: Problem | None = None
    priced: Priced | None = None
    elsewhere: int = 0
    seed: int = 0
    iterations: int = 0


def do_price_job(job: jobs.Running) -> None:
    """In the worker: for whoever asked, under a key of the job's own."""
    doing, asked = job.doing(), job.asked
    day = date.fromisoformat(asked["day"])
    with doing.ground.sessions() as db:
        station = _site_in_reach(db, doing, UUID(asked["supply_site_id"]))
        answered = has_answered(db, doing)
    if answered:
        found = Found(station, day)
    else:
        job.say("collecting")
        found = _priced(doing, station, day, asked["iterations"], asked["seed"], job)
    keep_price(doing, found, job.id)


def _priced(doing: Doing, station: Site, day: date, iterations: int, seed: int, job: jobs.Running) -> Found:
    with doing.ground.sessions() as db:
        zones = _days_of(db, doing.district, station, day)
    refusals = tuple(_refusals(zones, day))
    if refusals:
        return Found(station, day, refusals)
    doors = [door for zone in zones for door in zone.doors]
    crews = [crew for zone in zones for crew in zone.crews]
    travel = streets.travel_times(doing.ground.config.osrm_url)
    problem = problem_of(Point(station.lon, station.lat), doors, crews, day, travel)
    vehicles = {vehicle.id for vehicle in problem.vehicles}
    parts = [zone.part(vehicles) for zone in zones]
    job.say("solving")
    priced = price_apart(problem, parts, iterations, seed, job.is_wanted)
    return Found(
        station,
        day,
        refusals=checked(bound(problem, parts), priced.fixed) or checked(problem, priced.free),
        zones=[zone.to_plain() for zone in zones],
        problem=problem,
        priced=priced,
        elsewhere=_elsewhere(priced.free, parts),
        seed=seed,
        iterations=iterations,
    )


@dataclass(frozen=True, slots=True)
class ZoneOfDay:
    """One zone's doors and crews of the day, from its first hour to its last."""

    zone: Zone
    doors: Sequence[Door]
    crews: Sequence[Crew]
    apart: Sequence[Refusal] = ()
    """What stands against crews that are bound to the zone and may not drive on the day, as in a plan."""

    def part(self, vehicles: set[str]) -> PricedZone:
        own = {str(crew.binding_id) for crew in self.crews}
        stops = frozenset(str(door.order_id) for door in self.doors)
        return PricedZone(str(self.zone.id), stops, frozenset(own & vehicles))

    def to_plain(self) -> dict[str, Any]:
        names = {"zone_id": str(self.zone.id), "number": self.zone.number, "name": self.zone.name}
        return names | {"orders": len(self.doors), "crews": len(self.crews)}


def _days_of(db: Session, district: int, station: Site, day: date) -> list[ZoneOfDay]:
    standing = zone_set_at(db, district, day)
    zones = zones_of(db, district, standing.id) if standing is not None else []
    return [_day_of(db, zone, day) for zone in zones if zone.supply_site_id == station.id]


def _day_of(db: Session, zone: Zone, day: date) -> ZoneOfDay:
    on_duty = crews_for_zone(db, zone.district, zone.id, day).crews
    apart = unfit(db, zone, on_duty, day)
    crews = []
    for one in on_duty:
        first_s, last_s = max(one.from_s, zone.opens_s), min(one.until_s, zone.closes_s)
        if first_s < last_s and one.binding.id not in apart:
            crews.append(crew_of(one, (first_s, last_s), one.vehicle.max_trips))
    doors = doors_of(db, zone.district, of_day(db, zone.district, zone.id, day))
    return ZoneOfDay(zone, doors, crews, [reason for reasons in apart.values() for reason in reasons])


def _refusals(zones: Sequence[ZoneOfDay], day: date) -> list[Refusal]:
    orders = sum(len(zone.doors) for zone in zones)
    reasons = []
    if len(zones) < 2:
        reasons.append(no.ONE_ZONE_TO_PRICE(day=day))
    if not orders:
        reasons.append(no.NOTHING_TO_PRICE(day=day))
    if not any(zone.crews for zone in zones):
        apart = [reason for zone in zones for reason in zone.apart]
        reasons += apart or [no.NO_CREW_TO_PRICE(day=day)]
    if orders > MOST_ORDERS:
        reasons.append(no.TOO_MANY_TO_PRICE(orders=orders, most=MOST_ORDERS))
    return reasons


def _elsewhere(free: Plan, zones: Sequence[PricedZone]) -> int:
    zone_of = {vehicle: zone.stops for zone in zones for vehicle in zone.vehicles}
    return sum(visit.stop not in zone_of[trip.vehicle] for trip in free.trips for visit in trip.visits)


@does("zone_price.keep")
def keep_price(deed: Deed, found: Found, job_id: UUID) -> Answer:
    """The job that asked for it is done in this same deed; cancelled meanwhile, nothing is kept."""
    station = found.station
    deed.about(SubjectType.REGISTER, str(deed.district))
    deed.at(firm=station.firm_id, site=station.id)
    deed.note(supply_site_id=station.id, day=found.day)
    if found.refusals:
        raise Refused(found.refusals)
    problem, priced = found.problem, found.priced
    if problem is None or priced is None:
        raise LookupError("expected this key's earlier answer, found none")
    row = ZonePrice(
        district=deed.district,
        firm_id=station.firm_id,
        supply_site_id=station.id,
        day=found.day,
        zones=list(found.zones),
        fixed=_side(problem, priced.fixed),
        free=_side(problem, priced.free),
        elsewhere=found.elsewhere,
        problem=problem.digest,
        engine=f"{priced.free.engine} {priced.free.engine_version}",
        seed=found.seed,
        iterations=found.iterations,
        notes=[note.value for note in priced.notes],
        is_cut=priced.is_cut,
        travel_times=streets.named(deed.doing.ground.config.osrm_url, problem.fell_back),
        recorded_at=deed.recorded_at,
    )
    deed.db.add(row)
    deed.db.flush()
    deed.note(zone_price_id=row.id, problem=problem.digest, fixed=row.fixed, free=row.free)
    jobs.finish(deed.db, deed.district, job_id, row.id)
    return {"zone_price_id": str(row.id)}


def _side(problem: Problem, plan: Plan) -> dict[str, int]:
    driven = days(problem, plan).values()
    return {
        "travel_s": plan.travel_s,
        "distance_m": plan.distance_m,
        "late_s": sum(one.late_s for one in driven),
        "unserved": len(plan.unserved),
        "vehicles": sum(bool(one.trips) for one in driven),
        "trips": len(plan.trips),
        "objective": plan.objective,
    }


# --- reads --------------------------------------------------------------------------------------------------


def _site_in_reach(db: Session, doing: Doing, site_id: UUID) -> Site:
    found = site(db, site_id)
    if found is None or not doing.actor.reach.covers(firm=found.firm_id, district=doing.district):
        raise WrongField("/supply_site_id", "unknown", "没有这个供应站", "expected a supply site of yours")
    return found


def price(doing: Doing, price_id: UUID) -> ZonePrice:
    with doing.ground.sessions() as db:
        found = db.get(ZonePrice, (doing.district, price_id))
        if found is None:
            raise NotFound
        doing.actor.must_reach(firm=found.firm_id, district=found.district)
        return found


def prices(doing: Doing, *, supply_site_id: UUID, day: date) -> list[ZonePrice]:
    """Of one day of one site, the latest first."""
    with doing.ground.sessions() as db:
        station = _site_in_reach(db, doing, supply_site_id)
        return list(
            db.scalars(
                sa.select(ZonePrice)
                .where(
                    ZonePrice.district == doing.district,
                    ZonePrice.supply_site_id == station.id,
                    ZonePrice.day == day,
                )
                .order_by(ZonePrice.recorded_at.desc(), ZonePrice.id.desc())
                .limit(MOST_LISTED)
            )
        )


def price_job(doing: Doing, job_id: UUID) -> dict[str, Any]:
    with doing.ground.sessions() as db:
        job = job_in_reach(db, doing, job_id, PRICE_JOB)
        asked = {name: job.asked[name] for name in ("supply_site_id", "day")}
        return {**how_it_stands(doing, job), **asked, "zone_price_id": job.result_id}
