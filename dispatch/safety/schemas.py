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
from dispatch.safety.catalogue import Group
from dispatch.safety.models import (
    BEFORE_A_WITNESS,
    CheckMode,
    CheckOutcome,
    CheckReason,
    Grade,
    ItemResult,
    ReceivedHow,
    RemoteReason,
    Side,
    SignedHow,
    WitnessKind,
)
from dispatch.safety.signing import NoticeProof, Receipt
from dispatch.safety.states import HazardState


class Sha256(Text):
    """The hash of a photo or of a signature's drawing; the picture itself travels by itself."""

    def __init__(self, **kwargs: Any):
        expected = ("64位十六进制小写", "64 lower-case hex digits")
        super().__init__(most=64, pattern="[0-9a-f]{64}", expected=expected, **kwargs)


class ItemIn(Form):
    """One answered item. Also the shape in which a delivery answers its check."""

    item = Text(required=True, most=40, code=True)
    result = Word(ItemResult, required=True)
    grade = Word(Grade, allow_none=True, load_default=None)
    measured = Number(allow_none=True, load_default=None, most=100_000)
    photo_sha256 = Sha256(allow_none=True, load_default=None)

    @ma.post_load
    def as_answer(self, item: dict[str, Any], **kwargs: Any) -> ItemAnswer:
        return ItemAnswer(**item)


class CheckForm(Form):
    """What every check says, at a delivery or without one. Signatures by the hash of their drawing."""

    mode = Word(CheckMode, required=True)
    remote_reason = Word(RemoteReason, allow_none=True, load_default=None)
    refused = Flag(load_default=False)
    items = Rows(Part(ItemIn), most=60, load_default=list)
    user_signed = Flag(required=True)
    briefed = Flag(required=True)
    checker_signature_sha256 = Sha256(allow_none=True, load_default=None)
    user_signature_sha256 = Sha256(allow_none=True, load_default=None)

    @ma.validates_schema
    def says_why_nobody_went_in(self, check: dict[str, Any], **kwargs: Any) -> None:
        from_afar = check["mode"] is not CheckMode.ON_SITE
        if from_afar and check["remote_reason"] is None:
            raise ValidationError(
                "required|请说明未到场的原因|expected a reason why nobody went in", "remote_reason"
            )
        if not from_afar and check["remote_reason"] is not None:
            raise ValidationError(
                "on_site|到场检查没有未到场原因|a check on the spot has no such reason", "remote_reason"
            )

    @ma.validates_schema
    def signature_of_who_signed(self, check: dict[str, Any], **kwargs: Any) -> None:
        if check["user_signature_sha256"] is not None and not check["user_signed"]:
            raise ValidationError(
                "not_signed|住户没有签名|the user did not sign: expected no signature",
                "user_signature_sha256",
            )


class CheckIn(CheckForm):
    """A check without an order; the check of a delivery comes with the delivery."""

    household_id = Id(required=True)
    reason = Word(CheckReason, required=True)
    checked_at = Instant(required=True)

    @ma.validates("reason")
    def not_a_delivery(self, reason: CheckReason, **kwargs: Any) -> None:
        if reason is CheckReason.DELIVERY:
            raise ValidationError(
                "reason|送气时的安检随送气登记|the check of a delivery is recorded with the delivery"
            )


class NoticeIn(Form):
    """A notice as it is handed over. Proof of receipt may come with it, or later."""

    received_how = Word(ReceivedHow, required=True)
    signature_sha256 = Sha256(allow_none=True, load_default=None)
    witness = Word(WitnessKind, allow_none=True, load_default=None)
    witness_sha256 = Sha256(allow_none=True, load_default=None)

    @ma.validates_schema
    def proof_fits(self, notice: dict[str, Any], **kwargs: Any) -> None:
        how = notice["received_how"]
        if notice["signature_sha256"] is not None and how is not ReceivedHow.SIGNED:
            raise ValidationError("not_signed|没有签收|it was not signed", "signature_sha256")
        if (notice["witness"] is None) != (notice["witness_sha256"] is None):
            raise ValidationError(
                "witness|见证人及其签名须同时填写|expected a witness together with the witness's signature",
                "witness",
            )
        if notice["witness"] is not None and how not in BEFORE_A_WITNESS:
            raise ValidationError("not_refused|没有拒签或留置|neither refused nor left", "witness")

    @ma.post_load
    def as_receipt(self, notice: dict[str, Any], **kwargs: Any) -> dict[str, Receipt]:
        return {"receipt": Receipt(**notice)}


class ReceiptIn(NoticeIn):
    """Proof that the notice reached the user: what says less than that is sent back."""

    @ma.validates_schema
    def is_proof(self, notice: dict[str, Any], **kwargs: Any) -> None:
        how = notice["received_how"]
        if how is ReceivedHow.SIGNED and notice["signature_sha256"] is None:
            raise ValidationError("required|请附签名|expected the signature", "signature_sha256")
        if how in BEFORE_A_WITNESS and notice["witness"] is None:
            raise ValidationError("required|拒签、留置须有见证人|expected a witness to it", "witness")


class MendingIn(Form):
    """Nothing to say: who claims and when are known."""


class ClosingIn(Form):
    check_id = Id(required=True)


class HazardQuery(PageQuery):
    """``overdue_on``: past their deadline that day. ``notice``: of what stops supply, told or not."""

    state = Word(HazardState)
    grade = Word(Grade)
    household_id = Id()
    overdue_on = Day()
    notice = Word(NoticeProof)


class ReceiptOut(View):
    received_how = Word(ReceivedHow)
    signature_sha256 = Text()
    witness = Word(WitnessKind)
    witness_sha256 = Text()
    received_at = Instant()


class NoticeOut(View):
    id = Id(attribute="notice.id")
    number = Text(attribute="notice.number")
    received_how = Word(ReceivedHow, attribute="notice.received_how")
    told_at = Instant(attribute="notice.told_at")
    receipts = fields.List(fields.Nested(ReceiptOut))


class HazardOut(View):
    """``firm_id``: who supplies the household and answers for the mending. ``check_id``: null where no check
    found it but the register of equipment, by the age of ``equipment_id``."""

    id = Id(attribute="hazard.id")
    household_id = Id(attribute="hazard.household_id")
    firm_id = Id()
    check_id = Id(attribute="hazard.check_id", allow_none=True)
    equipment_id = Id(attribute="hazard.equipment_id", allow_none=True)
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
    notice_proof = Word(NoticeProof)
    notices = fields.List(fields.Nested(NoticeOut))


HazardPage = page_view(HazardOut)


class OpenHazardOut(View):
    """What somebody about to go in must know."""

    id = Id()
    item = Text()
    grade = Word(Grade)
    blocking = Flag()
    state = Word(HazardState)
    deadline_on = Day()


class BasisOut(View):
    document = Text()
    article = Text()
    issued = Day()
    effective = Day()


class WordsOut(View):
    zh = Text()
    en = Text()


class PrintedNoticeOut(View):
    """A notice's whole text. Name and address are not in it: whoever hands it over writes them in."""

    number = Text(attribute="notice.number")
    hazard_id = Id(attribute="hazard.id")
    household_id = Id(attribute="hazard.household_id")
    firm_id = Id()
    item = Text(attribute="item.code")
    found = fields.Nested(WordsOut, attribute="item")
    unit = Text(attribute="item.unit")
    measured = Number()
    least = Number()
    most = Number()
    grade = Word(Grade, attribute="hazard.grade")
    blocking = Flag(attribute="hazard.blocking")
    found_on = Day()
    deadline_on = Day(attribute="hazard.deadline_on")
    basis = fields.Nested(BasisOut)
    demand = fields.Nested(WordsOut)
    consequence = fields.Nested(WordsOut)
    way_out = fields.Nested(WordsOut)
    told_at = Instant(attribute="notice.told_at")
    received_how = Word(ReceivedHow, attribute="notice.received_how")
    receipts = fields.List(fields.Nested(ReceiptOut))


class ItemOut(View):
    item = Text()
    result = Word(ItemResult)
    grade = Word(Grade)
    measured = Number()
    photo_sha256 = Text()
    hazard_id = Id()


class SignatureOut(View):
    side = Word(Side)
    how = Word(SignedHow)
    content_sha256 = Text()
    signature_sha256 = Text()


class CheckOut(View):
    """``as_signed``: the answers still give the hash that was signed; null for a check of before signing."""

    id = Id(attribute="check.id")
    household_id = Id(attribute="check.household_id")
    order_id = Id(attribute="check.order_id")
    reason = Word(CheckReason, attribute="check.reason")
    mode = Word(CheckMode, attribute="check.mode")
    remote_reason = Word(RemoteReason, attribute="check.remote_reason")
    outcome = Word(CheckOutcome, attribute="check.outcome")
    blocking = Flag(attribute="check.blocking")
    checked_by = Id(attribute="check.checked_by")
    user_signed = Flag(attribute="check.user_signed")
    briefed = Flag(attribute="check.briefed")
    follow_up_on = Day(attribute="check.follow_up_on")
    checked_at = Instant(attribute="check.checked_at")
    recorded_at = Instant(attribute="check.recorded_at")
    items = fields.List(fields.Nested(ItemOut))
    signatures = fields.List(fields.Nested(SignatureOut))
    as_signed = Flag()
    hazards = fields.List(fields.Nested(HazardOut))


CheckPage = page_view(CheckOut)


class ChecksQuery(PageQuery):
    household_id = Id()
    order_id = Id()
    reason = Word(CheckReason)
    outcome = Word(CheckOutcome)


class FollowUpsQuery(PageQuery):
    """``due_on``: those whose last day for the visit is that day or before; absent: all that wait."""

    due_on = Day()


class FollowUpOut(View):
    """A check made from afar that no visit has followed yet."""

    check_id = Id(attribute="check.id")
    household_id = Id(attribute="check.household_id")
    street_code = Text()
    committee_code = Text()
    mode = Word(CheckMode, attribute="check.mode")
    remote_reason = Word(RemoteReason, attribute="check.remote_reason")
    checked_at = Instant(attribute="check.checked_at")
    follow_up_on = Day(attribute="check.follow_up_on")


FollowUpPage = page_view(FollowUpOut)


class StandingOut(View):
    """What stands against a household now: whoever is about to book, load or go in asks this."""

    household_id = Id()
    supply_stopped = Flag()
    inspection_refused = Flag()
    follow_up_on = Day()
    open_hazards = fields.List(fields.Nested(OpenHazardOut))
    last_check_id = Id()
    last_checked_at = Instant()


class CatalogueQuery(Form):
    """``on``: the day whose law is shown; absent: today."""

    on = Day()


class CatalogueItemOut(View):
    code = Text(attribute="item.code")
    group = Word(Group, attribute="item.group")
    zh = Text(attribute="item.zh")
    en = Text(attribute="item.en")
    mandatory = Flag(attribute="item.mandatory")
    unit = Text(attribute="item.unit")
    grade = Word(Grade, attribute="ruling.grade")
    blocking = Flag(attribute="ruling.blocking")
    deadline_days = Number()
    least = Number()
    most = Number()
    basis = fields.Nested(BasisOut)


class CatalogueOut(View):
    place = Text()
    day = Day()
    edition = Text()
    items = fields.List(fields.Nested(CatalogueItemOut))
    deadline_days = fields.Dict(keys=fields.String(), values=fields.Integer())
    stopping_grades = fields.List(fields.String())
    follow_up_days = Number()
