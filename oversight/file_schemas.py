"""The shape of a household's whole file."""

from marshmallow import fields

from core.fields import Day, Flag, Id, Instant, View, Word
from dispatch.orders.models import Channel, Purpose
from dispatch.orders.states import LineState, OrderState
from dispatch.safety.equipment_schemas import EquipmentView
from dispatch.safety.schemas import CheckOut, HazardOut
from oversight.refusal_notice_schemas import ToldRefusalOut
from oversight.review_models import Finding, Ground
from oversight.review_states import ReviewState
from registry.conversion_models import ConversionTarget
from registry.models import CheckMethod
from registry.premises_models import BannedUseKind, ClosingReason, ExemptionGround
from registry.premises_schemas import DepositLineView
from registry.privacy_schemas import LookView
from registry.proxy_schemas import ConsentView
from registry.schemas import HouseholdView, LettingView
from registry.states import BannedUseState, ConversionState, SuccessionState
from registry.succession_models import Kinship, SuccessionGround
from registry.vulnerability_models import VulnerableGround


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
    contactless = Flag(attribute="order.contactless")
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


class FileIdentityView(View):
    """How the present registrant was identified; the number stays sealed."""

    document_kind = fields.String()
    method = Word(CheckMethod)
    passed = Flag()
    valid_until = Day(allow_none=True)
    evidence = fields.String(allow_none=True)
    checked_at = Instant()


class FileDepositView(DepositLineView):
    account_id = Id()


class FileSuccessionView(View):
    id = Id()
    ground = Word(SuccessionGround)
    kinship = Word(Kinship)
    state = Word(SuccessionState)
    evidence = fields.String()
    asked_at = Instant()
    decided_at = Instant(allow_none=True)


class FileVulnerabilityView(View):
    id = Id()
    ground = Word(VulnerableGround, allow_none=True)
    since_on = Day()
    evidence = fields.String()
    ended_on = Day(allow_none=True)


class FileExceptionView(View):
    """A rule that a review has lifted for this home, both days included."""

    rule = fields.String()
    review_id = Id()
    valid_from = Day()
    valid_until = Day()


class FileAreaExemptionView(View):
    area_id = Id()
    area = fields.String()
    ground = Word(ExemptionGround)
    document_no = fields.String()
    valid_from = Day()
    valid_until = Day()


class FileConversionView(View):
    plan_no = fields.String()
    target = Word(ConversionTarget)
    state = Word(ConversionState)
    starts_on = Day()
    due_on = Day()


class FileBannedUseView(View):
    id = Id()
    kind = Word(BannedUseKind)
    state = Word(BannedUseState)
    found_on = Day()
    deadline_on = Day(allow_none=True)
    closed_on = Day(allow_none=True)


class FileReviewView(View):
    """What people wrote is read where it is decided, on record."""

    id = Id()
    refusal_no = fields.String()
    ground = Word(Ground)
    state = Word(ReviewState)
    asked_at = Instant()
    due_on = Day()
    finding = Word(Finding, allow_none=True)
    answered_at = Instant(allow_none=True)


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
    identity_checks = fields.List(fields.Nested(FileIdentityView))
    deposit = fields.List(fields.Nested(FileDepositView))
    successions = fields.List(fields.Nested(FileSuccessionView))
    lettings = fields.List(fields.Nested(LettingView))
    vulnerabilities = fields.List(fields.Nested(FileVulnerabilityView))
    exceptions = fields.List(fields.Nested(FileExceptionView))
    area_exemptions = fields.List(fields.Nested(FileAreaExemptionView))
    conversions = fields.List(fields.Nested(FileConversionView))
    banned_uses = fields.List(fields.Nested(FileBannedUseView))
    reviews = fields.List(fields.Nested(FileReviewView))
    refusal_notices = fields.List(fields.Nested(ToldRefusalOut))
    cut = Flag()
