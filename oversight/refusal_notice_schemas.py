"""Shapes of written notices of refusals."""

from marshmallow import fields

from core.fields import Day, Form, Id, Instant, Text, View, Word
from dispatch.safety.models import ReceivedHow
from dispatch.safety.schemas import ReceiptOut
from oversight.review_states import ReviewState

REFUSAL_NO = r"[0-9]{8}-[0-9A-HJKMNP-TV-Z]{6}"


class RefusalNoticeIn(Form):
    refusal_no = Text(required=True, code=True, most=15, pattern=REFUSAL_NO)


class ToldRefusalOut(View):
    """A notice's numbers and days, and what proves it received."""

    id = Id(attribute="notice.id")
    number = fields.String(attribute="notice.number")
    refusal_no = fields.String(attribute="refusal.refusal_no")
    told_at = Instant(attribute="notice.told_at")
    received_how = Word(ReceivedHow, attribute="notice.received_how")
    ask_until_on = Day(attribute="refusal.ask_until_on")
    receipts = fields.List(fields.Nested(ReceiptOut))


class ReviewOfToldOut(View):
    """A person looks, or has looked, at the refusal again. ``answer_no``: the number of the answer."""

    state = Word(ReviewState)
    due_on = Day()
    answered_at = Instant(allow_none=True)
    answer_no = fields.String(allow_none=True)


class RefusalNoticeOut(View):
    """The whole text. Name and address are not in it: whoever hands it over writes them in.

    ``ask_until_on``: the last day for asking that a person look again; ``may_ask``: whether that is open
    today; ``review``: of whom the notice is for, the one that stands; ``answer_days``: how long one takes at
    most; ``address``: what its QR code says, for anybody to see whether it is genuine.

    Where another whom the refusal names has asked already, ``may_ask`` is false and ``review`` is null;
    ``is_overturned``: a review has changed the decision, whoever asked for it: it does not stand any more.
    """

    id = Id()
    number = fields.String()
    refusal_no = fields.String()
    verb = fields.String()
    refused_at = Instant()
    household_id = Id()
    firm_id = Id(allow_none=True)
    firm = fields.String(allow_none=True)
    reasons = fields.List(fields.Dict())
    ask_until_on = Day()
    may_ask = fields.Boolean()
    is_overturned = fields.Boolean()
    review = fields.Nested(ReviewOfToldOut, allow_none=True)
    answer_days = fields.Integer(allow_none=True)
    told_at = Instant()
    received_how = Word(ReceivedHow)
    code = fields.String()
    address = fields.String()
    receipts = fields.List(fields.Nested(ReceiptOut))


class NoticesCountedOut(View):
    """How many were issued in the days asked for, and how many of them are proved received."""

    street_code = fields.String()
    issued = fields.Integer()
    received = fields.Integer()
