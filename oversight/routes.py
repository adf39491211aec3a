"""Thin: load the query, ask, dump the answer."""

import json
from typing import Any
from uuid import UUID

from core import clock
from core.http import Room, doing
from core.refusal import Refusal
from evidence.models import Entry
from oversight import alarms, own_data, queries, replays
from oversight.file_schemas import WholeFileView
from oversight.looks import keep_desk_look
from oversight.models import AlarmNote
from oversight.queries import trace_view
from oversight.schemas import (
    AlarmNoteIn,
    AlarmNoteOut,
    AlarmPage,
    AlarmQuery,
    PageQuery,
    RefusedPage,
    ReplayIn,
    ReplayView,
    TipPage,
    TraceOut,
    TraceQuery,
)
from oversight.whole_file import whole_file
from registry.household_file_queries import must_reach_household
from registry.privacy_schemas import CopyView, DecidedView, DecisionIn, LooksView, RequestsView
from registry.schemas import NothingIn
from registry.vulnerability import vulnerabilities
from registry.vulnerability_schemas import VulnerabilityList

room = Room("oversight", __name__, description="Traces, refusals and tips")


@room.get("/cylinders/<uuid:cylinder_id>/trace")
@room.may("trace.read")
@room.arguments(TraceQuery, location="query")
@room.response(200, TraceOut)
def trace_cylinder(query: dict[str, Any], cylinder_id: UUID) -> Any:
    """A bottle's whole life, from the evidence."""
    return trace_view(
        queries.cylinder_trace(doing(), cylinder_id, query.get("as_of")), doing().actor.audience
    )


@room.get("/districts/<int:district>/households/<uuid:household_id>/trace")
@room.may("trace.read")
@room.arguments(TraceQuery, location="query")
@room.response(200, TraceOut)
def trace_household(query: dict[str, Any], district: int, household_id: UUID) -> Any:
    """A household with its cards; no personal data."""
    found = queries.household_trace(doing(), household_id, query.get("as_of"))
    return trace_view(found, doing().actor.audience)


@room.get("/districts/<int:district>/orders/<uuid:order_id>/trace")
@room.may("trace.read")
@room.arguments(TraceQuery, location="query")
@room.response(200, TraceOut)
def trace_order(query: dict[str, Any], district: int, order_id: UUID) -> Any:
    """An order with the bottles it moved: back to their filling, forward to today."""
    found = queries.order_trace(doing(), order_id, query.get("as_of"))
    return trace_view(found, doing().actor.audience)


@room.get("/districts/<int:district>/refusals")
@room.may("refusal.read")
@room.arguments(PageQuery, location="query")
@room.response(200, RefusedPage)
def list_refusals(query: dict[str, Any], district: int) -> Any:
    """Refused deeds with all their reasons."""
    page = queries.refusals(doing(), limit=query["limit"], cursor=query.get("cursor"))
    return {"items": [_refused_view(row.Entry) for row in page.items], "next_cursor": page.next_cursor}


@room.get("/districts/<int:district>/tips")
@room.may("tip.read")
@room.arguments(PageQuery, location="query")
@room.response(200, TipPage)
def list_tips(query: dict[str, Any], district: int) -> Any:
    """What the rooms below thought a regulator should look at."""
    page = queries.tips(doing(), limit=query["limit"], cursor=query.get("cursor"))
    return {"items": [row.Tip for row in page.items], "next_cursor": page.next_cursor}


@room.get("/districts/<int:district>/alarms")
@room.may("board.read")
@room.arguments(AlarmQuery, location="query")
@room.response(200, AlarmPage)
def list_alarms(query: dict[str, Any], district: int) -> Any:
    """What a dispatcher should look at on a day: those nobody has acknowledged first."""
    return {"items": alarms.alarms(doing(), query.get("day") or clock.today()), "next_cursor": None}


@room.post("/districts/<int:district>/alarm-notes")
@room.may("alarm.acknowledge", writes=True)
@room.arguments(AlarmNoteIn)
@room.response(201, AlarmNoteOut)
def acknowledge_alarm(body: dict[str, Any], district: int) -> AlarmNote:
    """Say what was done about an alarm; once."""
    alarms.acknowledge(doing(), **body)
    return alarms.note_of(doing(), body["kind"], body["subject_id"])


@room.post("/districts/<int:district>/rounds/<uuid:round_id>/track-replays")
@room.may("position.replay", writes=True)
@room.arguments(ReplayIn)
@room.response(201, ReplayView)
def replay_track(body: dict[str, Any], district: int, round_id: UUID) -> tuple[Any, int, dict[str, str]]:
    """Where a round was, for an audit: on record with its reason, and the look is kept first."""
    return replays.replay(doing(), round_id, **body), 201, {"Cache-Control": "no-store"}


def _refused_view(entry: Entry) -> dict[str, Any]:
    reasons = json.loads(entry.written)["reasons"]
    return {
        "entry_id": entry.id,
        "verb": entry.verb,
        "role": entry.role,
        "refusal_no": entry.refusal_no,
        "recorded_at": entry.recorded_at,
        "reasons": [Refusal.from_plain(row).worded(doing().actor.audience) for row in reasons],
    }


@room.get("/districts/<int:district>/own-data/looks")
@room.may("own_data.read")
@room.response(200, LooksView)
def looks_at_own_data(district: int) -> Any:
    """Who looked at one's own data: role and unit, when, why; the latest first."""
    return {"items": own_data.looks(doing())}


@room.get("/districts/<int:district>/own-data/requests")
@room.may("own_data.read")
@room.response(200, RequestsView)
def own_requests(district: int) -> Any:
    return {"items": own_data.own_requests(doing())}


@room.post("/districts/<int:district>/own-data/copies")
@room.may("own_data.copy", writes=True)
@room.arguments(NothingIn)
@room.response(201, CopyView)
def copy_own_data(body: dict[str, Any], district: int) -> tuple[Any, int, dict[str, str]]:
    """A copy of everything about oneself; that it was given is on record, the copy is not."""
    done = own_data.copy_own_data(doing())
    return own_data.copied(doing(), done), 201, {"Cache-Control": "no-store"}


@room.post("/districts/<int:district>/privacy-requests/<uuid:request_id>/decisions")
@room.may("own_data.decide", writes=True)
@room.arguments(DecisionIn)
@room.response(201, DecidedView)
def decide_request(body: dict[str, Any], district: int, request_id: UUID) -> tuple[Any, int, dict[str, str]]:
    """Granted, it is done at once; a copy that was asked for comes with the answer, and is kept nowhere."""
    return own_data.decide(doing(), request_id, **body), 201, {"Cache-Control": "no-store"}


@room.get("/districts/<int:district>/households/<uuid:household_id>/file")
@room.may("household.file")
@room.response(200, WholeFileView)
def read_whole_file(district: int, household_id: UUID) -> tuple[Any, int, dict[str, str]]:
    """一户一档: everything on record about one household, masked. That it was read is kept first."""
    return whole_file(doing(), household_id), 200, {"Cache-Control": "no-store"}


@room.get("/districts/<int:district>/households/<uuid:household_id>/vulnerabilities")
@room.may("vulnerability.read")
@room.response(200, VulnerabilityList)
def read_vulnerabilities(district: int, household_id: UUID) -> tuple[Any, int, dict[str, str]]:
    """Why this household is looked after first. Sensitive: that it was read is kept first."""
    must_reach_household(doing(), household_id)
    keep_desk_look(doing(), household_id)
    told = {"items": vulnerabilities(doing(), household_id)}
    return told, 200, {"Cache-Control": "no-store"}
