"""Shapes of what was left over, and of a day's balance. No name, no address."""

from marshmallow import fields

from core.fields import Day, Form, Id, Instant, View, Word
from dispatch.rounds.left_over import LeftWhy


class LeftOverView(View):
    """``why`` in words beside; ``detail``: the plan's own reason, or why the visit failed."""

    order_id = Id()
    zone_id = Id()
    day = Day()
    starts_at = Instant()
    ends_at = Instant()
    bottles = fields.Integer()
    why = Word(LeftWhy)
    detail = fields.String(allow_none=True)
    may_move = fields.Boolean()
    zh = fields.String()
    en = fields.String()


class LeftOverOrdersView(View):
    items = fields.List(fields.Nested(LeftOverView))


class BalanceQuery(Form):
    day = Day(required=True)


class BalanceView(View):
    """``booked`` is ``by_state``, ``waiting`` and ``left`` together; ``carried``: those of earlier days."""

    day = Day()
    booked = fields.Integer()
    by_state = fields.Dict(keys=fields.String(), values=fields.Integer())
    waiting = fields.Integer()
    left = fields.Integer()
    left_why = fields.Dict(keys=fields.String(), values=fields.Integer())
    carried = fields.Integer()
    rounds = fields.Integer()
    rounds_not_in = fields.Integer()
    is_closed = fields.Boolean()
