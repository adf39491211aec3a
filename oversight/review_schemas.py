"""Shapes of reviews of refusals, of one's own refusals, and of how often what was refused."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import marshmallow as ma
from marshmallow import ValidationError, fields

from core.fields import Day, Form, Id, Instant, Text, View, Word
from dispatch.safety.schemas import ReceiptOut
from oversight.refusal_notice_schemas import REFUSAL_NO, NoticesCountedOut, ToldRefusalOut
from oversight.review_models import Finding, Ground
from oversight.review_states import ANSWERED, ReviewState

MOST_DAYS = 400


class ReviewAskIn(Form):
    """``said``: in one's own words; it is kept sealed."""

    refusal_no = Text(required=True, code=True, most=15, pattern=REFUSAL_NO)
    ground = Word(Ground, required=True)
    said = Text(load_default=None, allow_none=True, most=500)


class ReviewAnswerIn(Form):
    """``excepted``: rules of this refusal from which the home is excepted until ``excepted_until``."""

    outcome = Word(ReviewState, required=True)
    finding = Word(Finding, required=True)
    said = Text(load_default=None, allow_none=True, most=500)
    excepted = fields.List(
        Text(code=True, most=3, pattern="[A-Z][0-9]{2}"),
        load_default=list,
        validate=ma.validate.Length(max=20, error="too_many|最多{max}条|expected at most {max}"),
    )
    excepted_until = Day(load_default=None, allow_none=True)

    @ma.validates_schema
    def agrees(self, form: Mapping[str, Any], **kwargs: Any) -> None:
        if form.get("outcome") not in ANSWERED:
            raise ValidationError(
                "outcome|请选维持、部分改正或改正|expected upheld, partly or overturned", "outcome"
            )
        if bool(form.get("excepted")) != (form.get("excepted_until") is not None):
            said = "exception|例外须同时写明规定和截止日|expected rules together with a last day"
            raise ValidationError(said, "excepted_until")


class ReviewQuery(Form):
    """``decided``: absent or false, those that wait, by their due day; true: the others, latest first."""

    decided = Text(load_default="false", pattern="true|false", expected=("true 或 false", "true or false"))


class StatisticsQuery(Form):
    """Both days included; at most 400 days."""

    from_on = Day(required=True)
    until_on = Day(required=True)

    @ma.validates_schema
    def is_a_span(self, form: Mapping[str, Any], **kwargs: Any) -> None:
        if not timedelta(0) <= form["until_on"] - form["from_on"] < timedelta(days=MOST_DAYS):
            zh = f"起止日期不对，最多{MOST_DAYS}天"
            en = f"expected at most {MOST_DAYS} days, the last not before the first"
            raise ValidationError(f"span|{zh}|{en}", "until_on")


class ReviewOut(View):
    """``said`` and ``answer``: null where nothing was written, or the person was erased.

    ``answer_notice_no``: the number of the notice by which it was answered.
    """

    id = Id()
    refusal_no = fields.String()
    verb = fields.String()
    rules = fields.List(fields.String())
    reasons = fields.List(fields.Dict())
    refused_at = Instant()
    household_id = Id()
    street_code = fields.String()
    ground = Word(Ground)
    said = fields.String(allow_none=True)
    state = Word(ReviewState)
    asked_at = Instant()
    due_on = Day()
    overdue = fields.Boolean()
    taken_at = Instant(allow_none=True)
    finding = Word(Finding, allow_none=True)
    answer = fields.String(allow_none=True)
    excepted = fields.List(fields.String())
    excepted_until = Day(allow_none=True)
    answered_at = Instant(allow_none=True)
    answer_notice_no = fields.String(allow_none=True)
    receipts = fields.List(fields.Nested(ReceiptOut))


class ReviewsOut(View):
    items = fields.List(fields.Nested(ReviewOut))


class OwnRefusalOut(View):
    """``review``: one's own, the latest; ``may_ask``: whether one may be asked for today: within the days
    of rule J01, and once, whoever of those whom the refusal names has asked.
    """

    refusal_no = fields.String()
    verb = fields.String()
    recorded_at = Instant()
    reasons = fields.List(fields.Dict())
    review = fields.Nested(ReviewOut, allow_none=True)
    notice = fields.Nested(ToldRefusalOut, allow_none=True)
    may_ask = fields.Boolean()


class OwnRefusalsOut(View):
    items = fields.List(fields.Nested(OwnRefusalOut))


class StatisticOut(View):
    """``times``: refusals with this reason; ``homes``: of how many homes; no ``street_code``: of none."""

    code = fields.String()
    rule = fields.String()
    zh = fields.String()
    en = fields.String()
    street_code = fields.String(allow_none=True)
    times = fields.Integer()
    homes = fields.Integer()


class StatisticsOut(View):
    """``notices``: of the refusals told in writing in these days, by street."""

    from_on = Day()
    until_on = Day()
    items = fields.List(fields.Nested(StatisticOut))
    notices = fields.List(fields.Nested(NoticesCountedOut))
