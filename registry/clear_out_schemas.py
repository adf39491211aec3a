"""Shapes of the clear-out: curves by street, conversion plans."""

from collections.abc import Mapping
from typing import Any

import marshmallow as ma
from marshmallow import ValidationError, fields

from core.fields import Day, Flag, Form, Id, Month, Number, PageQuery, Rows, Text, View, Word, page_view
from registry.clear_out import CameBecause
from registry.conversion_models import ConversionTarget
from registry.fields import Code
from registry.premises_models import ClosingReason
from registry.states import ConversionState

PLACE_CODE: dict[str, Any] = {"code": True, "most": 20, "pattern": r"[0-9A-Z-]{2,20}"}


class ClearOutQuery(Form):
    """Months as YYYY-MM; the last twelve where none are named."""

    from_month = Month()
    until_month = Month()
    street_code = Text(**PLACE_CODE)


class MonthView(View):
    month = Month()
    open = Number()
    opened = Number()
    closed = Number()
    closed_by = fields.Function(
        lambda row: [{"reason": reason.value, "closed": number} for reason, number in row.closed_by.items()]
    )


class StreetCurveView(View):
    """``foreseen_on``: when none is left at the pace of the last six months; null: none goes.
    ``planned_on``: the last day of the street's conversion plans; null: no plan."""

    street_code = fields.String()
    open = Number()
    foreseen_on = Day(allow_none=True)
    planned_on = Day(allow_none=True)
    is_behind = Flag()
    months = fields.List(fields.Nested(MonthView))


class CameView(View):
    """An account opened since the bar on new users, and what explains it."""

    account_id = Id()
    household_id = Id()
    street_code = fields.String()
    opened_on = Day()
    applied_on = Day()
    because = Word(CameBecause)


class ClearOutView(View):
    """``more``: more came than are named."""

    from_month = Month()
    until_month = Month()
    barred_since = Day(allow_none=True)
    streets = fields.List(fields.Nested(StreetCurveView))
    came = fields.List(fields.Nested(CameView))
    more = Flag()


class ConversionIn(Form):
    """Without ``household_ids`` the plan is about every account of the street, or of its committee."""

    plan_no = Code(required=True)
    street_code = Text(required=True, **PLACE_CODE)
    committee_code = Text(allow_none=True, load_default=None, **PLACE_CODE)
    target = Word(ConversionTarget, required=True)
    starts_on = Day(required=True)
    due_on = Day(required=True)
    household_ids = Rows(Id(), least=1, most=1000, allow_none=True, load_default=None)

    @ma.validates_schema
    def in_order(self, form: Mapping[str, Any], **kwargs: Any) -> None:
        if form.get("starts_on") and form.get("due_on") and form["due_on"] < form["starts_on"]:
            raise ValidationError("order|不能早于开始|expected no day before its start", "due_on")
        named = form.get("household_ids") or []
        if len(set(named)) != len(named):
            raise ValidationError("twice|同一户只填一次|expected each household once", "household_ids")


class ConversionQuery(PageQuery):
    state = Word(ConversionState)
    street_code = Text(**PLACE_CODE)


class ConversionHomeView(View):
    """``done``: its account is closed; ``as_planned``: by the way that the plan foresees."""

    account_id = Id()
    household_id = Id()
    done = Flag()
    as_planned = Flag()
    closed_on = Day(allow_none=True)
    reason = Word(ClosingReason, allow_none=True)


class ConversionView(View):
    id = Id()
    plan_no = fields.String()
    street_code = fields.String()
    committee_code = fields.String(allow_none=True)
    target = Word(ConversionTarget)
    starts_on = Day()
    due_on = Day()
    state = Word(ConversionState)
    ended_on = Day(allow_none=True)
    homes = Number()
    left = Number()
    is_late = Flag()


class ConversionWithHomesView(ConversionView):
    """At most a thousand of its homes, those that are left first."""

    items = fields.List(fields.Nested(ConversionHomeView))


ConversionPage = page_view(ConversionView)
