"""Shapes of orders, in and out."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import marshmallow as ma
from marshmallow import ValidationError, fields

from core.fields import Day, Flag, Form, Id, Instant, Number, PageQuery, Rows, Text, View, Word, page_view
from dispatch.orders.models import Channel, Purpose
from dispatch.orders.states import LineState, OrderState
from dispatch.safety.models import Grade
from dispatch.safety.states import HazardState
from registry.models import UserClass
from registry.schemas import HouseholdView


class SlotIn(Form):
    """Half-open: an order at ``ends_at`` belongs to the next slot. ``capacity`` in bottles; ``kept`` of them
    for homes looked after first, where it is not said the place's own share."""

    zone_id = Id(required=True)
    starts_at = Instant(required=True)
    ends_at = Instant(required=True)
    capacity = Number(required=True, least=1, most=1000)
    kept = Number(least=0, most=1000, allow_none=True, load_default=None)


class ClosingIn(Form):
    """Nothing to say."""


class SlotQuery(PageQuery):
    zone_id = Id()
    day = Day()


class SlotOut(View):
    id = Id()
    zone_id = Id()
    day = Day()
    starts_at = Instant()
    ends_at = Instant()
    capacity = Number()
    taken = Number()
    room_left = Number()
    kept = Number()
    kept_until = Instant(allow_none=True)
    closed = Flag()


SlotPage = page_view(SlotOut)


class BookIn(Form):
    """One bottle for each card. A purpose left out is refused by law (A11), and that refusal is kept.

    ``contactless``: to be left at the door; the home is checked all the same.
    """

    household_id = Id(required=True)
    slot_id = Id(required=True)
    purpose = Word(Purpose, allow_none=True, load_default=None)
    channel = Word(Channel, required=True)
    card_ids = Rows(Id(), required=True, least=1, most=20)
    contactless = Flag(load_default=False)

    @ma.validates("card_ids")
    def each_once(self, card_ids: Sequence[UUID], **kwargs: Any) -> None:
        if len(set(card_ids)) != len(card_ids):
            raise ValidationError("twice|同一张卡只填一次|expected each card once")


class CancelIn(Form):
    """Nothing to say: who cancels and when are known."""


class MoveIn(Form):
    slot_id = Id(required=True)


class OrderQuery(PageQuery):
    household_id = Id()
    day = Day()
    open_only = fields.Boolean(load_default=False)


class LineOut(View):
    id = Id()
    card_id = Id()
    cylinder_model = Text()
    state = Word(LineState)
    failure = Text()


class OrderOut(View):
    """``state`` is derived from the lines. No personal data: names and addresses are the registry's."""

    id = Id(attribute="order.id")
    household_id = Id(attribute="order.household_id")
    account_id = Id(attribute="order.account_id")
    premises_id = Id(attribute="order.premises_id")
    firm_id = Id(attribute="order.firm_id")
    zone_id = Id(attribute="order.zone_id")
    slot = fields.Nested(SlotOut, only=("id", "day", "starts_at", "ends_at"))
    purpose = Word(Purpose, attribute="order.purpose")
    channel = Word(Channel, attribute="order.channel")
    contactless = Flag(attribute="order.contactless")
    state = Word(OrderState)
    lines = fields.List(fields.Nested(LineOut))
    booked_at = Instant(attribute="order.recorded_at")


OrderPage = page_view(OrderOut)


class SlotList(View):
    items = fields.List(fields.Nested(SlotOut))


class RepeatOut(View):
    """What a booking like the last one would say; ``like``: its slot begins when the last one's did."""

    household_id = Id()
    last_order_id = Id(attribute="last.id")
    purpose = Word(Purpose)
    card_ids = fields.List(Id(), attribute="card_ids")
    contactless = Flag()
    slot = fields.Nested(SlotOut)
    like = Flag()


class RepeatList(View):
    items = fields.List(fields.Nested(RepeatOut))


class HomeBottleOut(View):
    card_id = Id()
    cylinder_id = Id()
    code = fields.String(allow_none=True)
    next_due_on = Day(allow_none=True)


class HomeHazardOut(View):
    id = Id()
    item = Text()
    grade = Word(Grade)
    blocking = Flag()
    state = Word(HazardState)
    deadline_on = Day(allow_none=True)


class HomeOut(View):
    """What is on file of one's own home, personal data masked."""

    file = fields.Nested(
        HouseholdView, only=("household_id", "user_class", "address_masked", "account", "registrant", "cards")
    )
    bottles = fields.Function(lambda home: HomeBottleOut(many=True).dump(home.bottles.values()))
    hazards = fields.List(fields.Nested(HomeHazardOut))
    inspection_refused = Flag()
    is_stopped = Flag()


class HomeList(View):
    items = fields.List(fields.Nested(HomeOut))


class QuotaOut(View):
    """What the class may have here, and what was booked of it. null: this place sets no such number."""

    household_id = Id()
    user_class = Word(UserClass)
    period_days = Number(allow_none=True)
    period_most = Number(allow_none=True)
    period_booked = Number(allow_none=True)
    period_left = Number(allow_none=True)
    at_once_most = Number(allow_none=True)
    stored_most_g = Number(allow_none=True)
