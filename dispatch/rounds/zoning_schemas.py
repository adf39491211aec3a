"""Shapes of zones beside orders: a comparison out, what is to be proposed in."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import marshmallow as ma
from marshmallow import ValidationError, fields

from core.fields import Day, Form, Id, Instant, Number, Text, View, Word
from core.jobs import Fault, JobState
from dispatch.rounds.zoning import MOST_ZONES, UnitKind, WeighBy

MOST_DAYS = 92


class DaysIn(Form):
    """Both included; the four weeks before today where nothing is said."""

    from_on = Day(load_default=None, allow_none=True)
    until_on = Day(load_default=None, allow_none=True)

    @ma.validates_schema
    def in_order(self, form: Mapping[str, Any], **kwargs: Any) -> None:
        first, last = form.get("from_on"), form.get("until_on")
        if (first is None) != (last is None):
            raise ValidationError("pair|起止日期应一并填写|expected both days, or neither", "until_on")
        if isinstance(first, date) and isinstance(last, date):
            if last < first:
                raise ValidationError("order|不能早于 from_on|expected from_on or later", "until_on")
            if last - first >= timedelta(days=MOST_DAYS):
                raise ValidationError(
                    f"too_long|最多{MOST_DAYS}天|expected at most {MOST_DAYS} days", "until_on"
                )


class ComparisonQuery(DaysIn):
    """``day``: the zones in force on it are compared with; today's where nothing is said."""

    day = Day(load_default=None)


class ZoneLoadView(View):
    """``off_mean_percent``: off the mean of its firm's zones; ``mean_way_m``: site to door, straight."""

    number = fields.Integer()
    name = fields.String()
    firm_id = Id()
    orders = fields.Integer()
    bottles = fields.Integer()
    busiest_day = fields.Integer()
    off_mean_percent = fields.Integer()
    is_unbalanced = fields.Boolean()
    mean_way_m = fields.Integer(allow_none=True)


class MoveView(View):
    """Orders that would have been another zone's; null: no zone's."""

    from_number = fields.Integer(allow_none=True)
    to_number = fields.Integer(allow_none=True)
    orders = fields.Integer()


class ComparisonView(View):
    draft_id = Id()
    compared_with = Id(allow_none=True)
    from_on = Day()
    until_on = Day()
    orders = fields.Integer()
    bottles = fields.Integer()
    before = fields.List(fields.Nested(ZoneLoadView))
    after = fields.List(fields.Nested(ZoneLoadView))
    moved = fields.List(fields.Nested(MoveView))
    outside_before = fields.Integer()
    outside_after = fields.Integer()


class ProposalIn(DaysIn):
    """``seed``: the same one over the same orders and homes gives the same draft."""

    firm_id = Id(required=True)
    name = Text(required=True, most=60)
    zones = Number(required=True, least=1, most=MOST_ZONES)
    unit = Word(UnitKind, load_default=UnitKind.CELLS)
    weigh_by = Word(WeighBy, load_default=WeighBy.ORDERS)
    seed = Number(load_default=1, most=2**31 - 1)


class ZonesJobView(View):
    """``state`` says how it stands; ``step`` what is being done; ``draft_id`` once it is done."""

    id = Id()
    firm_id = Id()
    name = fields.String()
    zones = fields.Integer()
    unit = Word(UnitKind)
    weigh_by = Word(WeighBy)
    state = Word(JobState)
    step = fields.String()
    draft_id = Id()
    reasons = fields.List(fields.Dict())
    refusal_no = fields.String()
    fault = Word(Fault)
    recorded_at = Instant()
    started_at = Instant()
    ended_at = Instant()
