"""The shape of a household's whole file."""

from marshmallow import fields

from core.fields import Day, Flag, Id, Instant, View, Word
from dispatch.orders.models import Channel, Purpose
from dispatch.orders.states import LineState, OrderState
from dispatch.safety.equipment_schemas import EquipmentView
from dispatch.safety.schemas import CheckOut, HazardOut
from registry.premises_models import ClosingReason
from registry.privacy_schemas import LookView
from registry.proxy_schemas import ConsentView
from registry.schemas import HouseholdView


class HeldBottleView(View):
    """A bottle that one of the household's cards holds or held."""

    card_id = Id()
    cylinder_id = Id()
    code = fields.String(allow_none=True)
    active = Flag()
    from_at = Instant()
    until_at = Instant(allow_none=True)


class FileLineView(View):
    id = Id()
    card_id = Id()
    cylinder_model = fields.String()
    state = Word(LineState)


class FileOrderView(View):
    id = Id(attribute="order.id")
    booked_at = Instant(attribute="order.recorded_at")
    channel = Word(Channel, attribute="order.channel")
    purpose = Word(Purpose, attribute="order.purpose")
    day = Day(attribute="slot.day")
    starts_at = Instant(attribute="slot.starts_at")
    ends_at = Instant(attribute="slot.ends_at")
    state = Word(OrderState)
    lines = fields.List(fields.Nested(FileLineView))


class FileRefusalView(View):
    refusal_no = fields.String()
    verb = fields.String()
    recorded_at = Instant()
    reasons = fields.List(fields.Dict())


class FileClosingView(View):
    account_id = Id()
    reason = Word(ClosingReason)
    evidence = fields.String()
    closed_on = Day()


class WholeFileView(View):
    """Everything on record about one household, masked. ``cut``: a list held more than it shows."""

    as_of = Instant()
    household = fields.Nested(HouseholdView)
    supply_stopped = Flag()
    inspection_refused = Flag()
    follow_up_on = Day(allow_none=True)
    bottles = fields.List(fields.Nested(HeldBottleView))
    orders = fields.List(fields.Nested(FileOrderView))
    checks = fields.List(fields.Nested(CheckOut))
    hazards = fields.List(fields.Nested(HazardOut))
    equipment = fields.List(fields.Nested(EquipmentView))
    refusals = fields.List(fields.Nested(FileRefusalView))
    closings = fields.List(fields.Nested(FileClosingView))
    proxies = fields.List(fields.Nested(ConsentView))
    looks = fields.List(fields.Nested(LookView))
    cut = Flag()
