"""Where a round was, looked at afterwards by the authority: a deed with its reason; the look is kept first.

Nobody else reads a past track; a firm's own dispatcher sees what is live.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from core import clock
from core.doing import Doing
from dispatch.rounds.models import Round
from dispatch.rounds.positions import track_of
from dispatch.rounds.queries import round_in_reach
from dispatch.rounds.road_watch import alarms_of_rounds
from evidence.deed import Answer, Deed, does
from evidence.models import SubjectType
from oversight.looks import keep_look
from oversight.models import LookKind
from registry.models import Zone
from registry.queries import vehicle


class ReplayReason(StrEnum):
    """Why a track is looked at. A word, never free text."""

    COMPLAINT = "complaint"
    ACCIDENT = "accident"
    INSPECTION = "inspection"
    ALARM = "alarm"


def replay(doing: Doing, round_id: UUID, *, reason: ReplayReason) -> dict[str, Any]:
    """The track with what was marked in it, and what was found on the road then.

    Kept no longer than rule G05 says, it may be empty.
    """
    with doing.ground.reads() as db:
        round_in_reach(db, doing, round_id)
    keep_look(doing, LookKind.TRACK, round_id)
    done = record_replay(doing, round_id=round_id, reason=reason)
    with doing.ground.reads() as db:
        row = round_in_reach(db, doing, round_id)
        points = [
            {
                "occurred_at": one.occurred_at,
                "recorded_at": one.recorded_at,
                "point": {"lon": one.lon, "lat": one.lat, "datum": "wgs84"},
                "accuracy_m": one.accuracy_m,
                "mark": one.mark,
            }
            for one in track_of(db, row)
        ]
        alarms = [
            {"kind": one.kind, "since": one.since, "over_at": one.over_at}
            for one in alarms_of_rounds(db, [row]).get(row.id, [])
        ]
    return {**done, "binding_id": row.binding_id, "day": row.day, "points": points, "alarms": alarms}


@dataclass(frozen=True, slots=True)
class Driven:
    """What is shown of a round before anybody says why its track is wanted: nothing of where it was."""

    round: Round
    plate: str | None
    zone: Zone


def to_replay(doing: Doing, round_id: UUID) -> Driven:
    with doing.ground.reads() as db:
        row = round_in_reach(db, doing, round_id)
        driven = vehicle(db, row.binding_district, row.vehicle_id)
        plate = driven.plate if driven is not None else None
        return Driven(row, plate, db.get_one(Zone, (row.district, row.zone_id)))


@does("position.replay")
def record_replay(deed: Deed, *, round_id: UUID, reason: ReplayReason) -> Answer:
    row = round_in_reach(deed.db, deed.doing, round_id)
    deed.about(SubjectType.BINDING, row.binding_id)
    deed.at(firm=row.firm_id, zone=row.zone_id, round=row.id)
    deed.note(round_id=row.id, reason=reason)
    return {"round_id": str(row.id), "reason": reason.value, "replayed_at": clock.stamp(deed.recorded_at)}
