"""A past track before the authority: the reason first, then where the vehicle was, on a map and as a list.

Nothing of the track is on the page until a reason is given; each look has its own, and is kept before the
track is read. Pages with a track are kept in no cache.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from flask import make_response, render_template, request
from flask.typing import ResponseReturnValue

from core import clock
from core.http import doing
from dispatch.rounds.position_models import PositionMark, RoadAlarmKind
from oversight import replays
from oversight.replays import Driven, ReplayReason
from oversight.schemas import ReplayIn
from web.dispatcher_words import ALARM, ROUND
from web.pages import No, form_of, tried
from web.regulator import face

LATE = timedelta(minutes=5)
"""What comes in later than this was not sent at once: it is said beside it."""
TIMES_EVERY = timedelta(minutes=10)

REASON: dict[ReplayReason, tuple[str, str]] = {
    ReplayReason.COMPLAINT: ("投诉", "a complaint"),
    ReplayReason.ACCIDENT: ("事故", "an accident"),
    ReplayReason.INSPECTION: ("监督检查", "an inspection"),
    ReplayReason.ALARM: ("告警", "an alarm"),
}
MARK: dict[PositionMark, tuple[str, str]] = {
    PositionMark.SPIKE: ("跳点，不采信", "a jump, not believed"),
    PositionMark.CLOCK_AHEAD: ("时钟超前，不采信", "its clock was ahead, not believed"),
}


@face.page("/rounds/<uuid:round_id>/track", "position.replay")
def ask_for_track(round_id: UUID) -> ResponseReturnValue:
    return _shown(replays.to_replay(doing(), round_id), None, None)


@face.page("/rounds/<uuid:round_id>/track", "position.replay", methods=("POST",))
def replay_track(round_id: UUID) -> ResponseReturnValue:
    driven = replays.to_replay(doing(), round_id)
    asked = {"reason": request.form.get("reason")}
    track, no = tried(lambda: replays.replay(doing(), round_id, **form_of(ReplayIn, asked)))
    return _shown(driven, track, no)


def _shown(driven: Driven, track: Mapping[str, Any] | None, no: No | None) -> ResponseReturnValue:
    points = track["points"] if track else []
    drawn = render_template(
        "regulator/track.html",
        no=no,
        driven=driven,
        round_words=ROUND,
        track=track,
        reasons=[(reason.value, " ".join(words)) for reason, words in REASON.items()],
        reason=REASON[ReplayReason(track["reason"])] if track else None,
        rows=[_row(point) for point in points],
        alarms=[(ALARM_WORDS[one["kind"]], one) for one in track["alarms"]] if track else [],
        map=_map(driven, points),
        labels=_labels(points, track["alarms"]) if track else [],
    )
    answer = make_response(drawn, no.status if no else 200)
    answer.headers["Cache-Control"] = "no-store"
    return answer


ALARM_WORDS = {
    kind: ALARM[alarm][1:] for kind in RoadAlarmKind for alarm in ALARM if alarm.value == kind.value
}


def _row(point: Mapping[str, Any]) -> dict[str, Any]:
    late_s = int((point["recorded_at"] - point["occurred_at"]).total_seconds())
    return {**point, "words": MARK.get(point["mark"]), "late_min": late_s // 60 if _is_late(point) else None}


def _is_late(point: Mapping[str, Any]) -> bool:
    return bool(point["recorded_at"] - point["occurred_at"] > LATE)


def _map(driven: Driven, points: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The zone, and the way through what is believed."""
    zone = driven.zone
    believed = [[one["point"]["lat"], one["point"]["lon"]] for one in points if one["mark"] is None]
    return {
        "zones": [{"name": zone.name, "number": zone.number, "outline": zone.outline}],
        "stops": [],
        "lines": [{"hue": 0, "points": believed}],
    }


def _labels(points: Sequence[Mapping[str, Any]], alarms: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Written on the map: the time now and then, whatever is marked or late, and where alarms begin."""
    found, told_at = [], None
    for one in points:
        words = MARK.get(one["mark"])
        if words is not None:
            found.append(_label(one, words[0].split("，")[0], old=True))
        elif told_at is None or one["occurred_at"] - told_at >= TIMES_EVERY:
            found.append(_label(one, "迟到" if _is_late(one) else "", old=False))
            told_at = one["occurred_at"]
    for alarm in alarms:
        begun = _first_from(points, alarm["since"])
        if begun is not None:
            found.append(_label(begun, f"⚠ {ALARM_WORDS[alarm['kind']][0]}", old=False))
    return found


def _first_from(points: Sequence[Mapping[str, Any]], at: datetime) -> Mapping[str, Any] | None:
    return next((one for one in points if one["mark"] is None and one["occurred_at"] >= at), None)


def _label(point: Mapping[str, Any], words: str, *, old: bool) -> dict[str, Any]:
    at = point["occurred_at"].astimezone(clock.SHANGHAI)
    return {
        "lon": point["point"]["lon"],
        "lat": point["point"]["lat"],
        "plate": f"{at:%H:%M} {words}".strip(),
        "old": old,
    }
