"""Alarms of a dispatcher's day: read from the rows of the rooms below, acknowledged once, with what was done.

An alarm is not stored: it stands while its facts do. What was done about it is (``AlarmNote``), and stays.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import clock
from core.doing import Doing
from core.problems import NotFound
from cylinders.models import CustodyConflict, Cylinder
from dispatch.rounds.models import Round
from dispatch.rounds.road_watch import alarms_of_day
from dispatch.rounds.stand_ins import rounds_without_crew
from evidence.deed import Answer, Deed, does, held_by
from evidence.models import SubjectType
from oversight import refusals as no
from oversight.board import Board, board_of, firm_of
from oversight.models import AlarmAction, AlarmKind, AlarmNote, CodeProbe
from oversight.review_queries import overdue

held_by("pk_alarm_note", no.ACKNOWLEDGED_ALREADY)


@dataclass(frozen=True, slots=True)
class Alarm:
    """``subject_id``: the order line, round or conflict; ``code``: why a visit failed, where it did."""

    kind: AlarmKind
    subject_id: UUID
    since: datetime
    note: AlarmNote | None
    order_id: UUID | None = None
    zone_id: UUID | None = None
    round_id: UUID | None = None
    cylinder_id: UUID | None = None
    code: str = ""

    @property
    def is_open(self) -> bool:
        return self.note is None


def alarms(doing: Doing, day: date) -> list[Alarm]:
    """Those nobody has acknowledged first, then the latest first."""
    with doing.ground.sessions() as db:
        return alarms_of(db, doing, board_of(db, doing, day))


def alarms_of(db: Session, doing: Doing, seen: Board) -> list[Alarm]:
    standing = list(_standing(db, doing, seen))
    notes = _notes(db, doing.district, {subject_id for _, subject_id, _, _ in standing})
    found = [
        Alarm(kind, subject_id, since, notes.get((kind, subject_id)), **about)
        for kind, subject_id, since, about in standing
    ]
    return sorted(found, key=lambda alarm: (not alarm.is_open, -alarm.since.timestamp(), alarm.subject_id))


def note_of(doing: Doing, kind: AlarmKind, subject_id: UUID) -> AlarmNote:
    with doing.ground.sessions() as db:
        return db.get_one(AlarmNote, (doing.district, kind, subject_id))


def _notes(
    db: Session, district: int, subject_ids: Collection[UUID]
) -> dict[tuple[AlarmKind, UUID], AlarmNote]:
    """Of these alarms only: notes stay for ever, and the board looks again every few seconds."""
    rows = db.scalars(
        sa.select(AlarmNote).where(
            AlarmNote.district == district,
            AlarmNote.kind.in_(list(AlarmKind)),
            AlarmNote.subject_id.in_(subject_ids),
        )
    )
    return {(note.kind, note.subject_id): note for note in rows}


Standing = tuple[AlarmKind, UUID, datetime, dict[str, Any]]


def _standing(db: Session, doing: Doing, seen: Board) -> Iterator[Standing]:
    yield from _of_visits(db, doing, seen)
    yield from _of_crews(seen)
    yield from _of_rounds(db, doing, seen)
    yield from _of_the_road(db, doing, seen.day)
    yield from _of_probes(db, doing, seen.day)
    if seen.day == clock.day_of(seen.now):
        yield from _of_bottles(db, doing)
        yield from _of_reviews(db, doing, seen.day)


def _of_visits(db: Session, doing: Doing, seen: Board) -> Iterator[Standing]:
    for visit in seen.visits:
        about: dict[str, Any] = {
            "order_id": visit.order_id,
            "zone_id": visit.zone_id,
            "round_id": visit.round_id,
        }
        for line_id, failure in visit.failures.items():
            yield AlarmKind.VISIT_FAILED, line_id, visit.starts_at, about | {"code": failure}
        for line_id in visit.withheld:
            yield AlarmKind.GAS_WITHHELD, line_id, visit.starts_at, about
        if visit.is_late(seen.now):
            yield AlarmKind.ORDER_LATE, visit.order_id, visit.ends_at, about


def _of_crews(seen: Board) -> Iterator[Standing]:
    for crew in seen.crews:
        if crew.is_silent:
            round = crew.rounds[-1]
            following = crew.next
            since = crew.heard_at or (following and following.expected_at) or seen.now
            yield AlarmKind.CREW_SILENT, round.id, since, {"round_id": round.id, "zone_id": round.zone_id}


def _of_rounds(db: Session, doing: Doing, seen: Board) -> Iterator[Standing]:
    """Rounds whose binding was cut or ended before their last door: nobody drives them until handed on."""
    firm_id = firm_of(doing)
    which = sa.true() if firm_id is None else Round.firm_id == firm_id
    found = rounds_without_crew(db, seen.now, Round.district == doing.district, Round.day == seen.day, which)
    for round, ended_at in found:
        since = max(ended_at or round.recorded_at, round.recorded_at)
        yield AlarmKind.ROUND_WITHOUT_CREW, round.id, since, {"round_id": round.id, "zone_id": round.zone_id}


def _of_the_road(db: Session, doing: Doing, day: date) -> Iterator[Standing]:
    """What the worker found while rounds were driven; it stays, also when it is over."""
    from_at, until_at = clock.at(day), clock.at(day + timedelta(days=1))
    for found in alarms_of_day(db, doing.district, firm_of(doing), from_at, until_at):
        about: dict[str, Any] = {"round_id": found.round_id, "zone_id": found.zone_id}
        yield AlarmKind(found.kind.value), found.id, found.since, about


def _of_bottles(db: Session, doing: Doing) -> Iterator[Standing]:
    """Conflicts that nobody has resolved: they hold a bottle whatever the day."""
    firm_id = firm_of(doing)
    rows = db.scalars(
        sa.select(CustodyConflict)
        .join(Cylinder, Cylinder.cylinder_id == CustodyConflict.cylinder_id)
        .where(
            CustodyConflict.district == doing.district,
            CustodyConflict.resolved_at.is_(None),
            sa.true() if firm_id is None else Cylinder.owner_firm_id == firm_id,
        )
    )
    for conflict in rows:
        about: dict[str, Any] = {"cylinder_id": conflict.cylinder_id}
        yield AlarmKind.CUSTODY_CONFLICT, conflict.id, conflict.found_at, about


def _of_reviews(db: Session, doing: Doing, day: date) -> Iterator[Standing]:
    """Reviews of refusals whose day has passed unanswered; they stand until somebody answers."""
    for review in overdue(db, doing.district, firm_of(doing), day):
        since = clock.at(review.due_on + timedelta(days=1))
        yield AlarmKind.REVIEW_OVERDUE, review.id, since, {"code": review.refusal_no}


def _of_probes(db: Session, doing: Doing, day: date) -> Iterator[Standing]:
    """Who went through codes on the public page; it is about every firm's bottles alike."""
    rows = db.scalars(
        sa.select(CodeProbe).where(
            CodeProbe.district == doing.district,
            CodeProbe.found_at >= clock.at(day),
            CodeProbe.found_at < clock.at(day + timedelta(days=1)),
        )
    )
    for probe in rows:
        yield AlarmKind.CODES_PROBED, probe.id, probe.found_at, {"code": str(probe.unconfirmed)}


@does("alarm.acknowledge")
def acknowledge(
    deed: Deed, *, day: date, kind: AlarmKind, subject_id: UUID, action: AlarmAction, note: str | None = None
) -> Answer:
    """Somebody has seen it and says what they did. Once: whoever comes second is told who was first."""
    seen = board_of(deed.db, deed.doing, day)
    standing = alarms_of(deed.db, deed.doing, seen)
    alarm = next((one for one in standing if (one.kind, one.subject_id) == (kind, subject_id)), None)
    if alarm is None:
        raise NotFound
    deed.about(SubjectType.REGISTER, str(deed.district))
    if alarm.order_id is not None:
        deed.about(SubjectType.ORDER, alarm.order_id)
    deed.note(kind=kind, subject_id=subject_id, action=action)
    deed.db.add(
        AlarmNote(
            district=deed.district,
            kind=kind,
            subject_id=subject_id,
            action=action,
            note=note,
            acknowledged_by=deed.actor.principal_id,
            recorded_at=deed.recorded_at,
        )
    )
    return {"kind": kind.value, "subject_id": str(subject_id)}
