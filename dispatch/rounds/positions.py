"""Where couriers are while they drive: reported in batches by their phones, late, twice and out of order.

    on duty     only while a round of the device's binding is being driven; the rest is not kept at all
    attributed  to the binding and round of its own time, never to those of the time it arrived
    believed    unless its clock is ahead of ours, or no vehicle could be there (``spikes``): kept, marked

A batch is one deed with a salted commitment to its positions; no position stands in the evidence. Residents
see when somebody comes, never where they are.
"""

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

import rfc8785
import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import clock
from core.auth import ScopeKind
from core.doing import Doing
from core.geo import Datum, Point, to_e7, to_wgs84
from core.ground import Ground
from core.ids import new_id
from core.problems import NotFound
from dispatch.rounds.models import Round
from dispatch.rounds.position_models import CourierPosition, PositionBatch, PositionMark
from dispatch.rounds.spikes import Fix, Limits, spikes
from dispatch.rounds.states import RoundState
from evidence.deed import Answer, Deed, Stands, does
from evidence.models import SubjectType
from registry.crew_queries import bindings_of_device
from registry.devices import device_in_reach, locked
from registry.models import Binding, Vehicle
from registry.rosters import firm_in_reach
from rulebook import current
from rulebook.edition import NATION, Law

BEFORE, AFTER = 3, 3
"""How many neighbours in time have a say in whether a fix is believed."""


class PositionStatus(StrEnum):
    """What became of a reported position."""

    KEPT = "kept"
    MARKED = "marked"
    DUPLICATE = "duplicate"
    OTHER_ON_RECORD = "other_on_record"
    OFF_DUTY = "off_duty"


@dataclass(frozen=True, slots=True)
class Reported:
    """One position as the phone says it; ``told_at`` is its clock, ``at`` when we may say it was."""

    seq: int
    told_at: datetime
    at: datetime
    point: Point
    accuracy_m: int | None
    is_ahead: bool


@dataclass(frozen=True, slots=True)
class Duty:
    """A round while it was driven, within its binding and its day.

    Of one that is over nobody may know when (it ended before that was kept), and one may be forgotten open:
    what is not known to be duty is none.
    """

    round: Round
    binding: Binding

    def covers(self, at: datetime) -> bool:
        started_at, ended_at = self.round.started_at or self.round.recorded_at, self.round.finished_at
        is_still_driven = ended_at is None and self.round.state is RoundState.STARTED
        is_driven = started_at <= at and (is_still_driven or (ended_at is not None and at < ended_at))
        return is_driven and clock.day_of(at) == self.round.day and at in self.binding.span


@does("position.report")
def report(deed: Deed, *, device_id: UUID, items: Sequence[Mapping[str, Any]]) -> Answer:
    device_in_reach(deed.db, deed.actor, deed.district, device_id)
    device = locked(deed, device_id)
    law = current().at(str(deed.district), clock.day_of(deed.recorded_at))
    reported = [_read(item, deed.recorded_at, law) for item in items]
    standing = _standing(deed.db, deed.district, device_id, [one.seq for one in reported])
    bindings = _bindings(deed, device_id, reported)
    duties = _duties(deed.db, deed.district, bindings)
    new: dict[int, tuple[Reported, Duty]] = {}
    answers = {}
    for one in reported:
        if one.seq in standing or one.seq in new:
            same = _same(one, standing[one.seq] if one.seq in standing else new[one.seq][0])
            answers[one.seq] = PositionStatus.DUPLICATE if same else PositionStatus.OTHER_ON_RECORD
            continue
        duty = next((duty for duty in duties if duty.covers(one.at)), None)
        if duty is None:
            answers[one.seq] = PositionStatus.OFF_DUTY
        else:
            new[one.seq] = (one, duty)
    if not new:
        raise Stands(_answer(reported, answers))
    off_duty = sum(status is PositionStatus.OFF_DUTY for status in answers.values())
    batch = _keep_batch(deed, device_id, [one for one, _ in new.values()])
    deed.about(SubjectType.DEVICE, device_id)
    deed.at(firm=device.firm_id)
    deed.note(off_duty=off_duty)
    _insert(deed, device_id, batch, list(new.values()))
    for round_id in sorted({duty.round.id for _, duty in new.values()}):
        own = [one for one, duty in new.values() if duty.round.id == round_id]
        _mark_spikes(deed.db, deed.district, round_id, own, law)
    marked = _marked(deed.db, deed.district, device_id, list(new))
    for seq in new:
        answers[seq] = PositionStatus.MARKED if seq in marked else PositionStatus.KEPT
    return _answer(reported, answers)


def _answer(reported: Sequence[Reported], answers: Mapping[int, PositionStatus]) -> Answer:
    return {"items": [{"seq": one.seq, "status": answers[one.seq].value} for one in reported]}


def _read(item: Mapping[str, Any], received_at: datetime, law: Law) -> Reported:
    point, told_at = item["point"], item["at"]
    is_ahead = told_at > received_at + timedelta(seconds=law.integer("G02.ahead_s") or 0)
    return Reported(
        seq=item["seq"],
        told_at=told_at,
        at=min(told_at, received_at),
        point=to_wgs84(point["lon"], point["lat"], Datum(point["datum"])),
        accuracy_m=item["accuracy_m"],
        is_ahead=is_ahead,
    )


def _standing(db: Session, district: int, device_id: UUID, seqs: Sequence[int]) -> dict[int, CourierPosition]:
    rows = db.scalars(
        sa.select(CourierPosition).where(
            CourierPosition.district == district,
            CourierPosition.device_id == device_id,
            CourierPosition.device_seq.in_(seqs),
        )
    )
    return {row.device_seq: row for row in rows}


def _same(one: Reported, other: Reported | CourierPosition) -> bool:
    if isinstance(other, Reported):
        return one == other
    return (one.told_at, one.point) == (other.occurred_at, Point(other.lon, other.lat))


def _bindings(deed: Deed, device_id: UUID, reported: Sequence[Reported]) -> dict[UUID, Binding]:
    """Of the device, from the batch's first moment until now. 404 where a courier speaks for a colleague.

    Of another's time speaks only who carries the phone now: it may still have to say what it saw before.
    """
    now, first = deed.recorded_at, min(one.at for one in reported)
    found = {one.id: one for one in bindings_of_device(deed.db, deed.district, device_id, first, now)}
    if deed.actor.reach.kind is ScopeKind.COURIER:
        courier_id = deed.actor.scope_id(ScopeKind.COURIER)
        others = [one for one in found.values() if one.courier_id != courier_id]
        carries_it = any(now in one.span for one in found.values() if one.courier_id == courier_id)
        if not carries_it and any(one.at in other.span for one in reported for other in others):
            raise NotFound
    return found


def _duties(db: Session, district: int, bindings: Mapping[UUID, Binding]) -> list[Duty]:
    """Rounds that were driven with the device at some time of the batch, or since."""
    rounds = db.scalars(
        sa.select(Round)
        .where(
            Round.binding_district == district,
            Round.binding_id.in_(list(bindings)),
            Round.state != RoundState.PLANNED,
        )
        .order_by(Round.id)
    )
    return [Duty(round, bindings[round.binding_id]) for round in rounds]


def _keep_batch(deed: Deed, device_id: UUID, new: Sequence[Reported]) -> PositionBatch:
    """The salt stays with the positions: once they are gone nobody can try places against the commitment."""
    row = PositionBatch(
        district=deed.district,
        id=new_id(),
        device_id=device_id,
        salt=secrets.token_bytes(16),
        positions=len(new),
        from_at=min(one.at for one in new),
        recorded_at=deed.recorded_at,
    )
    deed.db.add(row)
    deed.db.flush()
    lines = [
        [one.seq, clock.stamp(one.told_at), to_e7(one.point.lon), to_e7(one.point.lat), one.accuracy_m]
        for one in sorted(new, key=lambda one: one.seq)
    ]
    commitment = hashlib.sha256(row.salt + rfc8785.dumps(lines)).hexdigest()
    deed.note(batch_id=row.id, positions=len(new), commitment=commitment)
    return row


_INSERT = sa.text("""
    INSERT INTO courier_position
      (district, device_id, batch_id, recorded_at, device_seq, round_id, binding_id, occurred_at, lon, lat,
       accuracy_m, mark)
    SELECT :district, :device_id, :batch_id, :recorded_at, new.*
    FROM unnest(CAST(:seqs AS integer[]), CAST(:rounds AS uuid[]), CAST(:bindings AS uuid[]),
                CAST(:ats AS timestamptz[]), CAST(:lons AS float8[]), CAST(:lats AS float8[]),
                CAST(:accuracies AS integer[]), CAST(:marks AS text[])) AS new
""")
"""All of a batch in one statement: a row each would cost as many round trips."""


def _insert(deed: Deed, device_id: UUID, batch: PositionBatch, new: Sequence[tuple[Reported, Duty]]) -> None:
    deed.db.execute(
        _INSERT,
        {
            "district": deed.district,
            "device_id": device_id,
            "batch_id": batch.id,
            "recorded_at": deed.recorded_at,
            "seqs": [one.seq for one, _ in new],
            "rounds": [duty.round.id for _, duty in new],
            "bindings": [duty.binding.id for _, duty in new],
            "ats": [one.told_at for one, _ in new],
            "lons": [one.point.lon for one, _ in new],
            "lats": [one.point.lat for one, _ in new],
            "accuracies": [one.accuracy_m for one, _ in new],
            "marks": [PositionMark.CLOCK_AHEAD.value if one.is_ahead else None for one, _ in new],
        },
    )


# --- spikes -------------------------------------------------------------------------------------------------


def _mark_spikes(db: Session, district: int, round_id: UUID, new: Sequence[Reported], law: Law) -> None:
    """Of the new ones and of those beside them in time."""
    most_kmh, least_m = law.integer("G01.most_kmh"), law.integer("G01.least_m")
    sound = [one.at for one in new if not one.is_ahead]
    if most_kmh is None or least_m is None or not sound:
        return
    track = _of_round(district, round_id).where(
        sa.or_(CourierPosition.mark.is_(None), CourierPosition.mark == PositionMark.SPIKE)
    )
    at, seq = CourierPosition.occurred_at, CourierPosition.device_seq
    before = db.scalars(track.where(at < min(sound)).order_by(at.desc(), seq.desc()).limit(BEFORE)).all()
    within = db.scalars(track.where(at.between(min(sound), max(sound))).order_by(at, seq)).all()
    after = db.scalars(track.where(at > max(sound)).order_by(at, seq).limit(AFTER)).all()
    window = [*reversed(before), *within, *after]
    # At a cut edge of the window a fix lacks a neighbour that it has.
    first = 1 if len(before) == BEFORE else 0
    last = len(window) - (AFTER - 1 if len(after) == AFTER else 0)
    found = spikes([fix_of(row) for row in window], Limits(most_kmh, least_m))
    for row, is_spike in list(zip(window, found, strict=True))[first:last]:
        row.mark = PositionMark.SPIKE if is_spike else None
    db.flush()


def fix_of(row: CourierPosition) -> Fix:
    return Fix(row.occurred_at, Point(row.lon, row.lat), row.accuracy_m or 0)


def _of_round(district: int, round_id: UUID) -> sa.Select[CourierPosition]:
    return sa.select(CourierPosition).where(
        CourierPosition.district == district, CourierPosition.round_id == round_id
    )


def _marked(db: Session, district: int, device_id: UUID, seqs: Sequence[int]) -> set[int]:
    return {seq for seq, row in _standing(db, district, device_id, seqs).items() if row.mark is not None}


# --- reads --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LivePosition:
    """Where a round that is being driven was last, as far as it can be believed."""

    round_id: UUID
    zone_id: UUID
    binding_id: UUID
    plate: str
    point: Point
    accuracy_m: int | None
    occurred_at: datetime


def live(doing: Doing) -> list[LivePosition]:
    """Of the firm's rounds on the road, or the district's; rounds that sent nothing are not among them."""
    with doing.ground.reads() as db:
        return live_of(db, doing)


def live_of(db: Session, doing: Doing) -> list[LivePosition]:
    firm_id = firm_in_reach(doing)
    latest = (
        sa.select(CourierPosition)
        .where(
            CourierPosition.district == Round.binding_district,
            CourierPosition.round_id == Round.id,
            CourierPosition.mark.is_(None),
        )
        .order_by(CourierPosition.occurred_at.desc(), CourierPosition.device_seq.desc())
        .limit(1)
        .lateral()
    )
    rows = db.execute(
        sa.select(Round, Vehicle.plate, latest.c.lon, latest.c.lat, latest.c.accuracy_m, latest.c.occurred_at)
        .select_from(Round)
        .join(latest, sa.true())
        .join(Vehicle, sa.and_(Vehicle.district == Round.binding_district, Vehicle.id == Round.vehicle_id))
        .where(
            Round.district == doing.district,
            Round.state == RoundState.STARTED,
            sa.true() if firm_id is None else Round.firm_id == firm_id,
        )
        .order_by(Vehicle.plate)
    )
    return [
        LivePosition(
            round.id, round.zone_id, round.binding_id, plate, Point(lon, lat), accuracy_m, occurred_at
        )
        for round, plate, lon, lat, accuracy_m, occurred_at in rows
    ]


def track_of(db: Session, round: Round) -> list[CourierPosition]:
    """All that is on record of a round, in the order of time, marked ones too."""
    return list(
        db.scalars(
            _of_round(round.binding_district, round.id).order_by(
                CourierPosition.occurred_at, CourierPosition.device_seq
            )
        )
    )


# --- retention ----------------------------------------------------------------------------------------------


def forget(ground: Ground) -> int:
    """Positions over their term go, with the salts of their batches. How many went."""
    rule = current().look("G05.keep_days", NATION, clock.today())
    if rule is None or not isinstance(rule.value, int):
        return 0
    before = clock.now() - timedelta(days=rule.value)
    with ground.sessions() as db:
        gone = db.execute(sa.delete(CourierPosition).where(CourierPosition.recorded_at < before))
        db.execute(sa.delete(PositionBatch).where(PositionBatch.recorded_at < before))
        db.commit()
        return int(gone.rowcount)  # type: ignore[attr-defined]  # of a DELETE
