"""Positions taken in, and the road swept: rounds under way whose phones write down a place every ten seconds.

    ./.venv/bin/python -m bench.road
    ./.venv/bin/python -m bench.road --hours 8      # how long every round has been driven; usually 4

Taken in: batches of fifty through the whole deed (whose time it is, spikes, evidence), by turns with the same
rows put into the same table by one bare unnest a batch, and by COPY. Swept: with 50 and with 500 rounds under
way, every track whole and one by one, as it was done before; the worker's first look, which reads every track
whole too; and its looks after that, each after thirty seconds in which every phone has sent three positions.
All three must find the same alarms. The server is as durable as in production.
"""

import argparse
import math
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.orm import Session

from bench.number import number_up_to
from bench.report import Circumstances
from bench.stand import BEGINS_AT, House, Stand, stand
from core import clock
from core.auth import Actor, Reach, Role, ScopeKind
from core.doing import Doing
from core.ids import new_id
from dispatch.rounds import positions, road_watch
from dispatch.rounds.models import Round, RoundPlan
from dispatch.rounds.position_models import CourierPosition, RoadAlarm
from dispatch.rounds.states import PlanState, RoundState
from registry.models import Binding, Device, Site, Staff, StaffKind, Vehicle, VehicleKind, Zone

EVERY_S, LOOK_S = 10, 30
ROUNDS = (50, 500)
BATCHES, A_BATCH = 40, 50
LOOKS = 5
HOURS, MOST_HOURS = 4, 12
DAY = clock.day_of(BEGINS_AT)


class Wrong(Exception):
    """What was measured is nothing: two ways that must find the same do not."""


class Driven:
    """Rounds under way in one database: of each the vehicle goes round and round in its zone."""

    def __init__(self, house: House, built: Stand, rounds: int):
        self.house, self.district = house, built.town.district
        self.firm = UUID(built.town.firm)
        with house.ground.sessions() as db:
            self.zone = db.scalars(sa.select(Zone)).one()
            self.site = db.get_one(Site, self.zone.supply_site_id)
            self.courier = db.scalars(sa.select(Staff.id).where(Staff.kind == StaffKind.COURIER)).one()
            self.device, self.binding = self._bound(db)
            self.rounds = [self._round(db, number) for number in range(rounds)]
            db.commit()

    def _bound(self, db: Session) -> tuple[UUID, UUID]:
        device = Device(
            district=self.district,
            id=new_id(),
            firm_id=self.firm,
            label="BENCH",
            public_key=None,
            revoked_at=None,
            recorded_at=BEGINS_AT,
        )
        vehicle = Vehicle(
            district=self.district,
            id=new_id(),
            firm_id=self.firm,
            kind=VehicleKind.ETRIKE,
            plate="BENCH",
            permit_no="BENCH",
            permit_from=DAY,
            permit_until=DAY,
            max_cylinders=8,
            max_nominal_g=120_000,
            max_trips=9,
            carries_50kg=False,
            recorded_at=BEGINS_AT,
        )
        db.add_all([device, vehicle])
        db.flush()
        binding = Binding(
            district=self.district,
            id=new_id(),
            firm_id=self.firm,
            courier_id=self.courier,
            vehicle_id=vehicle.id,
            device_id=device.id,
            zone_district=self.district,
            zone_id=self.zone.id,
            span=Range(clock.at(DAY), None),
            recorded_at=BEGINS_AT,
        )
        db.add(binding)
        db.flush()
        return device.id, binding.id

    def _round(self, db: Session, number: int) -> UUID:
        """The first is the bound courier's; the others' people are ids."""
        plan = RoundPlan(
            district=self.district,
            id=new_id(),
            firm_id=self.firm,
            zone_id=self.zone.id,
            day=DAY,
            wave=number + 1,
            state=PlanState.PROPOSED,
            problem={},
            plan={},
            unserved=[],
            engine="bench",
            seed=0,
            iterations=0,
            travel_s=0,
            distance_m=0,
            travel_times="none",
            recorded_at=BEGINS_AT,
        )
        db.add(plan)
        db.flush()
        round = Round(
            district=self.district,
            id=new_id(),
            plan_id=plan.id,
            firm_id=self.firm,
            zone_id=self.zone.id,
            day=DAY,
            binding_district=self.district,
            binding_id=self.binding if number == 0 else new_id(),
            courier_id=self.courier if number == 0 else new_id(),
            vehicle_id=new_id(),
            supply_site_id=self.site.id,
            state=RoundState.PLANNED,
            recorded_at=BEGINS_AT,
        )
        db.add(round)
        db.flush()
        round.state, round.started_at = RoundState.STARTED, clock.at(DAY)
        return round.id

    def drive(self, from_at: datetime, until_at: datetime) -> None:
        """Every phone's positions of that time, sent by threes. One vehicle in fifty stands still."""
        steps = int((until_at - from_at).total_seconds()) // EVERY_S
        with self.house.ground.sessions() as db:
            db.execute(
                _DRIVE,
                {
                    "district": self.district,
                    "device": self.device,
                    "batch": new_id(),
                    "from_at": from_at,
                    "begun": int((from_at - clock.at(DAY)).total_seconds()) // EVERY_S,
                    "steps": steps,
                    "rounds": self.rounds,
                    "every": EVERY_S,
                },
            )
            db.commit()


_DRIVE = sa.text("""
    INSERT INTO courier_position
      (district, device_id, device_seq, batch_id, round_id, binding_id, occurred_at, recorded_at, lon, lat,
       accuracy_m, mark)
    SELECT :district, :device, place * 100000 + :begun + step, :batch, round, round,
           CAST(:from_at AS timestamptz) + step * :every * interval '1 second',
           CAST(:from_at AS timestamptz) + (step + 2) / 3 * 3 * :every * interval '1 second',
           121.41 + 0.012 * sin((:begun + step) * moves / 45.0 + place),
           31.215 + 0.012 * cos((:begun + step) * moves / 45.0 + place), 10, NULL
    FROM unnest(CAST(:rounds AS uuid[])) WITH ORDINALITY AS one (round, place),
         LATERAL (SELECT CASE WHEN place % 50 = 7 THEN 0 ELSE 1 END) AS how (moves),
         generate_series(1, :steps) AS step
""")


# --- taken in -----------------------------------------------------------------------------------------------


def taken_in(built: Stand) -> Iterator[tuple[str, float]]:
    """Each way's positions a second, the median of its batches, by turns."""
    with built.house(built.clone()) as house, clock.standing_at(BEGINS_AT + timedelta(hours=6)):
        driven = Driven(house, built, 1)
        reach = Reach(Role.COURIER, ScopeKind.COURIER, str(driven.courier), driven.district)
        doing = Doing(
            house.ground, Actor(new_id(), reach, driven.district), driven.district, request_id="bench"
        )
        ways: dict[str, Callable[[int], None]] = {
            "the deed": lambda first: _by_the_deed(doing, driven, first),
            "bare unnest": lambda first: _by_unnest(house, driven, first),
            "bare COPY": lambda first: _by_copy(built, house, driven, first),
        }
        took: dict[str, list[float]] = {name: [] for name in ways}
        for turn in range(BATCHES):
            for number, (name, way) in enumerate(ways.items()):
                begun = time.perf_counter()
                way(1 + (turn * len(ways) + number) * A_BATCH)
                took[name].append(time.perf_counter() - begun)
        with house.ground.reads() as db:
            kept = db.scalar(sa.select(sa.func.count()).select_from(CourierPosition))
        if kept != BATCHES * A_BATCH * len(ways):
            raise Wrong(f"expected every position kept, found {kept}")
    for name, times in took.items():
        yield name, A_BATCH / statistics.median(times)


def _places(first: int) -> Iterator[tuple[int, datetime, float, float]]:
    for seq in range(first, first + A_BATCH):
        turn = seq / 45.0
        at = BEGINS_AT + timedelta(seconds=seq)
        yield seq, at, 121.41 + 0.012 * math.sin(turn), 31.215 + 0.012 * math.cos(turn)


def _by_the_deed(doing: Doing, driven: Driven, first: int) -> None:
    items = [
        {"seq": seq, "at": at, "point": {"lon": lon, "lat": lat, "datum": "wgs84"}, "accuracy_m": 10}
        for seq, at, lon, lat in _places(first)
    ]
    positions.report(doing, device_id=driven.device, items=items)


def _rows(driven: Driven, first: int) -> list[dict[str, Any]]:
    return [
        {
            "district": driven.district,
            "device": driven.device,
            "seq": seq,
            "batch": driven.binding,
            "round": driven.rounds[0],
            "binding": driven.binding,
            "at": at,
            "recorded_at": clock.now(),
            "lon": lon,
            "lat": lat,
        }
        for seq, at, lon, lat in _places(first)
    ]


def _by_unnest(house: House, driven: Driven, first: int) -> None:
    rows = _rows(driven, first)
    with house.ground.sessions() as db:
        names = ("district", "device", "batch", "recorded_at")
        lists = {
            name: [row[name] for row in rows] for name in ("seq", "round", "binding", "at", "lon", "lat")
        }
        db.execute(_UNNEST, {name: rows[0][name] for name in names} | lists)
        db.commit()


_UNNEST = sa.text("""
    INSERT INTO courier_position
      (district, device_id, batch_id, recorded_at, device_seq, round_id, binding_id, occurred_at, lon, lat)
    SELECT :district, :device, :batch, :recorded_at, new.*
    FROM unnest(CAST(:seq AS integer[]), CAST(:round AS uuid[]), CAST(:binding AS uuid[]),
                CAST(:at AS timestamptz[]), CAST(:lon AS float8[]), CAST(:lat AS float8[])) AS new
""")
_COPY = (
    "COPY courier_position (district, device_id, device_seq, batch_id, round_id, binding_id, occurred_at, "
    "recorded_at, lon, lat) FROM STDIN"
)


def _by_copy(built: Stand, house: House, driven: Driven, first: int) -> None:
    with house.ground.sessions() as db:
        raw = db.connection().connection.driver_connection
        assert raw is not None
        with raw.cursor() as cursor, cursor.copy(_COPY) as copy:
            for row in _rows(driven, first):
                copy.write_row(tuple(row.values()))
        db.commit()


# --- swept --------------------------------------------------------------------------------------------------


def swept(built: Stand, rounds: int, hours: int) -> dict[str, float]:
    """Seconds of each way to look at the road."""
    now = BEGINS_AT + timedelta(hours=hours)
    with built.house(built.clone()) as house:
        driven = Driven(house, built, rounds)
        driven.drive(BEGINS_AT, now)
        with _at(now):
            before_s, suspects = _timed(lambda: _one_by_one(house, driven))
            watch = road_watch.Watch()
            first_s, found = _timed(lambda: road_watch.sweep(house.ground, watch))
        if len(_alarms(house)) != found or not suspects <= {alarm.round_id for alarm in _alarms(house)}:
            raise Wrong(f"expected alarms of {len(suspects)} rounds, found {found}")
        after: list[float] = []
        for _ in range(LOOKS):
            driven.drive(now, now + timedelta(seconds=LOOK_S))
            now += timedelta(seconds=LOOK_S)
            with _at(now):
                seconds, _ = _timed(lambda: road_watch.sweep(house.ground, watch))
            after.append(seconds)
        with _at(now):
            if _one_by_one(house, driven):
                raise Wrong("a look at what was new has missed what a look at everything finds")
    return {"before": before_s, "first": first_s, "after": statistics.median(after), "alarms": found}


def _one_by_one(house: House, driven: Driven) -> set[UUID]:
    """Rounds of which the whole track says something new."""
    found = set()
    for round_id in driven.rounds:
        with house.ground.reads() as db:
            round = db.get_one(Round, (driven.district, round_id))
            if any(road_watch._changes(db, round, clock.now())):
                found.add(round_id)
    return found


def _alarms(house: House) -> list[RoadAlarm]:
    with house.ground.reads() as db:
        return list(db.scalars(sa.select(RoadAlarm)))


@contextmanager
def _at(now: datetime) -> Iterator[None]:
    with clock.standing_at(now):
        yield


def _timed(work: Callable[[], Any]) -> tuple[float, Any]:
    begun = time.perf_counter()
    found = work()
    return time.perf_counter() - begun, found


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.road", description=__doc__)
    parser.add_argument("--hours", type=number_up_to(MOST_HOURS), default=HOURS, metavar="N")
    hours = parser.parse_args().hours
    print(Circumstances.here())
    with stand(0, 1) as built:
        print("\n| positions taken in, batches of 50 | a second | the deed beside it |")
        print("|---|---|---|")
        found = dict(taken_in(built))
        for name, a_second in found.items():
            print(f"| {name} | {a_second:,.0f} | {found['the deed'] / a_second:.2f} |", flush=True)
        print(f"\n| rounds, {hours} h each | whole, one by one, s | first look, s | each look, s | alarms |")
        print("|---|---|---|---|---|")
        for rounds in ROUNDS:
            row = swept(built, rounds, hours)
            print(
                f"| {rounds} | {row['before']:.2f} | {row['first']:.2f} | {row['after']:.2f} |"
                f" {row['alarms']} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
