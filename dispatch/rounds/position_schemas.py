"""Shapes of positions. A datum is named, never guessed; a live place is for dispatchers only."""

from marshmallow import fields

from core.fields import Form, Id, Instant, Number, Part, PointForm, Rows, View, Word
from dispatch.rounds.position_models import PositionMark, RoadAlarmKind
from dispatch.rounds.positions import PositionStatus
from dispatch.rounds.schemas import PointView

MOST_AT_ONCE = 500
MOST_ACCURACY_M = 100_000


class PositionIn(Form):
    """``seq``: the device's own number of it, once for ever; ``at``: its clock."""

    seq = Number(least=1, most=2**31 - 1, required=True)
    at = Instant(required=True)
    point = Part(PointForm, required=True)
    accuracy_m = Number(most=MOST_ACCURACY_M, load_default=None, allow_none=True)


class PositionsIn(Form):
    items = Rows(Part(PositionIn), least=1, most=MOST_AT_ONCE, required=True)


class PositionStatusView(View):
    """``off_duty``: not kept. ``marked``: kept, and believed by nobody unless others confirm it."""

    seq = fields.Integer()
    status = Word(PositionStatus)


class PositionsTakenView(View):
    items = fields.List(fields.Nested(PositionStatusView))


class LivePositionView(View):
    round_id = Id()
    zone_id = Id()
    binding_id = Id()
    plate = fields.String()
    point = fields.Nested(PointView)
    accuracy_m = fields.Integer(allow_none=True)
    occurred_at = Instant()


class LivePositionsView(View):
    items = fields.List(fields.Nested(LivePositionView))


class TrackPointView(View):
    occurred_at = Instant()
    recorded_at = Instant()
    point = fields.Nested(PointView)
    accuracy_m = fields.Integer(allow_none=True)
    mark = Word(PositionMark, allow_none=True)


class RoadAlarmView(View):
    """``over_at``: null while it goes on, or was never seen to end."""

    kind = Word(RoadAlarmKind)
    since = Instant()
    over_at = Instant(allow_none=True)
