"""Shapes of safety, in and out."""

from typing import Any

import marshmallow as ma
from marshmallow import ValidationError, fields

from core.fields import (
    Day,
    Flag,
    Form,
    Id,
    Instant,
    Number,
    PageQuery,
    Part,
    Rows,
    Text,
    View,
    Word,
    page_view,
)
from dispatch.safety.acts import ItemAnswer
from dispatch.safety.models import CheckMode, CheckOutcome, CheckReason, Grade, ItemResult, ReceivedHow
from dispatch.safety.states import HazardState


class ItemIn(Form):
    """One answered item. Also the shape in which a delivery answers its check."""

    item = Text(required=True, most=40, code=True)
    result = Word(ItemResult, required=True)
    grade = Word(Grade, allow_none=True, load_default=None)
    measured = Number(allow_none=True, load_default=None, most=100_000)
    photo_sha256 = Text(
        allow_none=True,
        load_default=None,
        most=64,
        pattern="[0-9a-f]{64}",
        expected=("64位十六进制小写", "64 lower-case hex digits"),
    )

    @ma.post_load
    def as_answer(self, item: dict[str, Any], **kwargs: Any) -> ItemAnswer:
        return ItemAnswer(**item)


class CheckIn(Form):
    """A check without an order; the check of a delivery comes with the delivery."""

    household_id = Id(required=True)
    reason = Word(CheckReason, required=True)
    mode = Word(CheckMode, required=True)
    refused = Flag(load_default=False)
    items = Rows(Part(ItemIn), most=60, load_default=list)
    user_signed = Flag(required=True)
    briefed = Flag(required=True)
    checked_at = Instant(required=True)

    @ma.validates("reason")
    def not_a_delivery(self, reason: CheckReason, **kwargs: Any) -> None:
        if reason is CheckReason.DELIVERY:
            raise ValidationError(
                "reason|送气时的安检随送气登记|the check of a delivery is recorded with the delivery"
            )


class NoticeIn(Form):
    received_how = Word(ReceivedHow, required=True)


class MendingIn(Form):
    """Nothing to say: who claims and when are known."""


class ClosingIn(Form):
    check_id = Id(required=True)


class HazardQuery(PageQuery):
    state = Word(HazardState)
    grade = Word(Grade)
    household_id = Id()
    overdue_on = Day()


class NoticeOut(View):
    number = Text()
    received_how = Word(ReceivedHow)
    told_at = Instant()


class HazardOut(View):
    id = Id(attribute="hazard.id")
    household_id = Id(attribute="hazard.household_id")
    check_id = Id(attribute="hazard.check_id")
    street_code = Text()
    committee_code = Text()
    item = Text(attribute="hazard.item")
    grade = Word(Grade, attribute="hazard.grade")
    blocking = Flag(attribute="hazard.blocking")
    state = Word(HazardState, attribute="hazard.state")
    deadline_on = Day(attribute="hazard.deadline_on")
    found_at = Instant(attribute="hazard.found_at")
    mended_at = Instant(attribute="hazard.mended_at")
    closed_at = Instant(attribute="hazard.closed_at")
    closing_check_id = Id(attribute="hazard.closing_check_id")
    notices = fields.List(fields.Nested(NoticeOut))


HazardPage = page_view(HazardOut)


class ItemOut(View):
    item = Text()
    result = Word(ItemResult)
    grade = Word(Grade)
    measured = Number()
    photo_sha256 = Text()


class CheckOut(View):
    id = Id(attribute="check.id")
    household_id = Id(attribute="check.household_id")
    order_id = Id(attribute="check.order_id")
    reason = Word(CheckReason, attribute="check.reason")
    mode = Word(CheckMode, attribute="check.mode")
    outcome = Word(CheckOutcome, attribute="check.outcome")
    blocking = Flag(attribute="check.blocking")
    user_signed = Flag(attribute="check.user_signed")
    briefed = Flag(attribute="check.briefed")
    follow_up_on = Day(attribute="check.follow_up_on")
    checked_at = Instant(attribute="check.checked_at")
    items = fields.List(fields.Nested(ItemOut))
    hazards = fields.List(fields.Nested(HazardOut))
