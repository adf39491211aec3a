"""Shapes of loads and visits."""

from typing import Any

import marshmallow as ma
from marshmallow import ValidationError, fields

from core.fields import (
    Day,
    Flag,
    Form,
    Id,
    Instant,
    Part,
    PointForm,
    Rows,
    Scanned,
    Text,
    Verbatim,
    View,
    Word,
)
from dispatch.deliveries.following import Step
from dispatch.deliveries.models import (
    DropPlace,
    EmptyException,
    FailureReason,
    Problem,
    ProofKind,
    Said,
    VisitOutcome,
)
from dispatch.orders.states import LineState, OrderState
from dispatch.safety.equipment_schemas import EquipmentView
from dispatch.safety.models import CheckOutcome
from dispatch.safety.schemas import CheckForm, OpenHazardOut, Sha256
from registry.fields import PlainCode
from registry.models import ScanStatus
from registry.premises_models import ClosingReason
from registry.schemas import DocumentIn


class LoadIn(Form):
    line_id = Id(required=True)
    code = Scanned(required=True)


class LoadView(View):
    id = Id()
    line_id = Id()
    round_id = Id()
    cylinder_id = Id()
    loaded_at = Instant()


class ReturnIn(Form):
    code = Scanned(required=True)


class ReturnView(View):
    round_id = Id()
    cylinder_id = Id()


class Nothing(Form):
    """An act that needs no more than its address."""


class DoorIdentityIn(Form):
    """The document as the courier reads it; the number goes into the body, never into an address."""

    document = Part(DocumentIn, required=True)


class DoorIdentityView(View):
    """``matched``: it is the registrant's document on file. Whose another one is, is told to nobody."""

    order_id = Id()
    matched = Flag()
    checked_at = fields.String()


class ArrivalView(View):
    """Never the code itself. ``open_hazards``, ``equipment``: what to know of this home before going in."""

    order_id = Id()
    issued_at = Instant()
    expires_at = Instant()
    tries_left = fields.Integer()
    open_hazards = fields.List(fields.Nested(OpenHazardOut))
    equipment = fields.List(fields.Nested(EquipmentView))


class DoorCodeView(View):
    order_id = Id()
    code = fields.String()
    expires_at = Instant()


class CheckPart(CheckForm):
    """The safety check of this visit; ``items`` by the catalogue's codes."""


class ProofPart(Form):
    """The taker's side: the code heard, the card scanned, or the hash of the signature's image."""

    kind = Word(ProofKind, required=True)
    value = Text(most=200, code=True)
    sha256 = Text(most=64, pattern="[0-9a-f]{64}", expected=("64位十六进制小写", "64 lower-case hex digits"))

    @ma.validates_schema
    def fits_its_kind(self, proof: dict[str, Any], **kwargs: Any) -> None:
        wanted = "sha256" if proof["kind"] is ProofKind.SIGNATURE else "value"
        other = "value" if wanted == "sha256" else "sha256"
        if wanted not in proof:
            raise ValidationError("required|必须填写|expected a value, found none", wanted)
        if other in proof:
            raise ValidationError("unknown_field|这种凭证不用这个字段|this kind has no such field", other)


class DropPart(Form):
    """Where a bottle was left, and the hash of a photograph of it there: without one it is refused (A16)."""

    place = Word(DropPlace, required=True)
    photo_sha256 = Sha256(allow_none=True, load_default=None)


class DeliveryIn(Form):
    """One line's visit. ``check``: absent if this order's check on this round is on record already.

    ``proof``: absent where gas is withheld; a handover without it is refused. ``consent_id``: by which
    consent somebody receives for the registrant. ``drop``: only where it was left at the door.
    """

    line_id = Id(required=True)
    card_credential = Text(most=200, code=True, allow_none=True, load_default=None)
    check = Part(CheckPart, allow_none=True, load_default=None)
    full_code = Scanned(required=True)
    empty_code = Scanned(allow_none=True, load_default=None)
    empty_exception = Word(EmptyException, allow_none=True, load_default=None)
    proof = Part(ProofPart, load_default=dict)
    connected = Flag(required=True)
    leak_test_passed = Flag(allow_none=True, load_default=None)
    point = Part(PointForm, allow_none=True, load_default=None)
    consent_id = Id(allow_none=True, load_default=None)
    drop = Part(DropPart, allow_none=True, load_default=None)
    occurred_at = Instant(required=True)

    @ma.validates_schema
    def one_empty(self, report: dict[str, Any], **kwargs: Any) -> None:
        if report["empty_code"] is not None and report["empty_exception"] is not None:
            raise ValidationError(
                "either|有空瓶就不填例外|expected an empty's code or an exception, not both",
                "empty_exception",
            )


class DeliveryView(View):
    """``outcome`` says whether anything changed hands; ``tries_left`` only after a wrong code."""

    id = Id()
    order_id = Id()
    line_id = Id()
    round_id = Id()
    check_id = Id()
    outcome = Word(VisitOutcome)
    full_cylinder_id = Id()
    empty_cylinder_id = Id()
    proof_kind = Word(ProofKind)
    consent_id = Id(allow_none=True)
    drop_place = Word(DropPlace, allow_none=True)
    drop_photo_sha256 = fields.String(allow_none=True)
    connected = Flag()
    leak_test_passed = Flag()
    flags = fields.List(fields.String())
    open_hazards = fields.List(Id())
    tries_left = fields.Integer()
    happened_at = Instant()
    recorded_at = Instant()


class FailureIn(Form):
    line_id = Id(required=True)
    reason = Word(FailureReason, required=True)


class FailureView(View):
    order_id = Id()
    line_id = Id()
    state = Word(LineState)
    failure = fields.String(allow_none=True)


class SignedItemIn(Form):
    """``signed``: the exact string that the phone signed; ``signature``: raw r‖s in base64."""

    signed = Verbatim(required=True, most=100_000)
    signature = Verbatim(required=True, most=200)


class ScansIn(Form):
    items = Rows(Part(SignedItemIn), least=1, most=50, required=True)


class ScanAnswer(View):
    """``first``: what was answered when the string first came; ``status`` says ``duplicate`` to a repeat."""

    seq = fields.Integer()
    status = fields.String()
    first = Word(ScanStatus)
    codes = fields.List(fields.String())
    occurred_at = Instant(allow_none=True)
    uncertainty_s = fields.Integer(allow_none=True)
    entry_id = Id(allow_none=True)


class ScansView(View):
    """The phone may forget everything up to ``contiguous_seq``; ``missing`` has not come."""

    items = fields.List(fields.Nested(ScanAnswer))
    contiguous_seq = fields.Integer()
    missing = fields.List(fields.Integer())


class ComingView(View):
    name_masked = fields.String(allow_none=True)
    certificate_tail = fields.String()
    plate = fields.String(allow_none=True)


class ProgressView(View):
    """``courier`` only while the bottle is on its way; the door code has an address of its own."""

    order_id = Id(attribute="found.order.id")
    state = Word(OrderState, attribute="found.state")
    step = Word(Step)
    due_at = Instant(allow_none=True)
    stops_before = fields.Integer(allow_none=True)
    courier = fields.Nested(ComingView, allow_none=True)


class VisitView(View):
    """``failed``: items of the check that did not pass."""

    id = Id(attribute="delivery.id")
    line_id = Id(attribute="delivery.line_id")
    outcome = Word(VisitOutcome, attribute="delivery.outcome")
    drop_place = Word(DropPlace, attribute="delivery.drop_place", allow_none=True)
    code = fields.String(allow_none=True)
    connected = Flag(attribute="delivery.connected")
    leak_test_passed = Flag(attribute="delivery.leak_test_passed")
    check_outcome = Word(CheckOutcome)
    failed = fields.List(fields.String())
    happened_at = Instant(attribute="delivery.happened_at")


class VisitList(View):
    items = fields.List(fields.Nested(VisitView))


class VoucherView(View):
    """``address``: what its QR code says. ``is_held``: the bottle is still on the card it was given to.
    ``contactless``: left at the door, not handed over in person."""

    delivery_id = Id()
    number = fields.String()
    code = fields.String()
    address = fields.String()
    delivered_at = Instant()
    model = fields.String()
    cylinder_code = fields.String(allow_none=True)
    registration_code = fields.String(allow_none=True)
    filler = fields.String(allow_none=True)
    filled_on = Day(allow_none=True)
    net_g = fields.Integer(allow_none=True)
    due_on = Day(allow_none=True)
    contactless = Flag()
    is_held = Flag()


class VoucherList(View):
    items = fields.List(fields.Nested(VoucherView))


class ConfirmationIn(Form):
    """``problem`` is said with a problem, and only then."""

    said = Word(Said, required=True)
    problem = Word(Problem, allow_none=True, load_default=None)

    @ma.validates_schema
    def belongs_together(self, word: dict[str, Any], **kwargs: Any) -> None:
        if (word["said"] is Said.PROBLEM) != (word["problem"] is not None):
            raise ValidationError(
                "problem|请选一项问题|expected a problem with said=problem, else none", "problem"
            )


class ConfirmationView(View):
    order_id = Id()
    said = Word(Said)
    problem = Word(Problem)
    recorded_at = Instant()


class ClosingIn(Form):
    """``evidence``: the code of the paper that shows it (a request, the pipe's contract, a certificate)."""

    reason = Word(ClosingReason, required=True)
    evidence = PlainCode(required=True)


class ClosedView(View):
    """``deposit_left_fen``: what is still to be given back."""

    account_id = Id()
    deposit_left_fen = fields.Integer()


class DrivenFaultView(View):
    """``expected`` and ``found``: moments of the day, units, trips or seconds, by the fault's code."""

    code = fields.String()
    zh = fields.String()
    en = fields.String()
    trip = fields.Integer(allow_none=True)
    order_id = Id(allow_none=True)
    expected = fields.String(allow_none=True)
    found = fields.String(allow_none=True)


class JudgementView(View):
    """A round as it was really driven, against the rules that bind a plan. Nothing follows by itself."""

    round_id = Id()
    visits = fields.Integer()
    trips = fields.Integer()
    faults = fields.List(fields.Nested(DrivenFaultView))
