"""Shapes of oversight's answers."""

from marshmallow import fields

from core.fields import Day, Form, Id, Instant, PageQuery, Text, View, Word, page_view
from dispatch.rounds.position_schemas import RoadAlarmView, TrackPointView
from evidence.models import Outcome
from oversight.models import AlarmAction, AlarmKind
from oversight.replays import ReplayReason

__all__ = [
    "AlarmNoteIn",
    "AlarmNoteOut",
    "AlarmPage",
    "AlarmQuery",
    "PageQuery",
    "RefusedPage",
    "ReplayIn",
    "ReplayView",
    "TipPage",
    "TraceOut",
    "TraceQuery",
]


class TraceQuery(Form):
    """``as_of``: what was known then; absent: now."""

    as_of = Instant()


class SubjectOut(View):
    type = fields.String()
    key = fields.String()


class ChainOut(SubjectOut):
    entries = fields.Integer()
    intact = fields.Boolean()


class EventOut(View):
    entry_id = Id()
    verb = fields.String()
    outcome = Word(Outcome)
    role = fields.String()
    actor_id = Id()
    occurred_at = Instant()
    recorded_at = Instant()
    refusal_no = fields.String(allow_none=True)
    payload = fields.Dict()
    reasons = fields.List(fields.Dict())
    subjects = fields.List(fields.Nested(SubjectOut))
    hash = fields.String()


class TraceOut(View):
    subject = fields.Nested(SubjectOut)
    as_of = Instant()
    intact = fields.Boolean()
    complete = fields.Boolean()
    chains = fields.List(fields.Nested(ChainOut))
    events = fields.List(fields.Nested(EventOut))
    leads_to = fields.List(fields.Nested(SubjectOut))


class RefusedOut(View):
    entry_id = Id()
    verb = fields.String()
    role = fields.String()
    refusal_no = fields.String()
    recorded_at = Instant()
    reasons = fields.List(fields.Dict())


class TipOut(View):
    id = Id()
    kind = fields.String()
    facts = fields.Dict()
    seen_at = Instant()
    recorded_at = Instant()


RefusedPage = page_view(RefusedOut)
TipPage = page_view(TipOut)


class ReplayIn(Form):
    reason = Word(ReplayReason, required=True)


class ReplayView(View):
    """A past track as it is on record; empty once its days are over. ``alarms``: what was found then."""

    round_id = Id()
    binding_id = Id()
    day = Day()
    reason = Word(ReplayReason)
    replayed_at = fields.String()
    points = fields.List(fields.Nested(TrackPointView))
    alarms = fields.List(fields.Nested(RoadAlarmView))


class AlarmNoteIn(Form):
    """``day``: of the board it stands on. ``note``: no names, telephones or addresses."""

    day = Day(required=True)
    kind = Word(AlarmKind, required=True)
    subject_id = Id(required=True)
    action = Word(AlarmAction, required=True)
    note = Text(most=200, load_default=None, allow_none=True)


class AlarmNoteOut(View):
    kind = Word(AlarmKind)
    subject_id = Id()
    action = Word(AlarmAction)
    note = fields.String(allow_none=True)
    acknowledged_by = Id()
    recorded_at = Instant()


class AlarmOut(View):
    """``subject_id``: the order line, order, round or conflict it is about; ``note`` once acknowledged."""

    kind = Word(AlarmKind)
    subject_id = Id()
    since = Instant()
    order_id = Id(allow_none=True)
    zone_id = Id(allow_none=True)
    round_id = Id(allow_none=True)
    cylinder_id = Id(allow_none=True)
    code = fields.String()
    note = fields.Nested(AlarmNoteOut, allow_none=True)


AlarmPage = page_view(AlarmOut)


class AlarmQuery(Form):
    """``day``: absent, today."""

    day = Day()
