"""Shapes of what concerns places (declared areas, banned uses), and what stands beside an account."""

from collections.abc import Mapping
from typing import Any

import marshmallow as ma
from marshmallow import ValidationError, fields

from core.fields import (
    Day,
    Form,
    Id,
    Instant,
    Number,
    PageQuery,
    Part,
    PointForm,
    Rows,
    Text,
    View,
    Word,
    page_view,
)
from registry.banned_uses import Department, Seen
from registry.fields import Geometry, PlainCode
from registry.premises_models import BannedUseKind, DepositKind, ExemptionGround, ReviewFinding
from registry.schemas import SitePointView
from registry.states import BannedUseState


class FreeAreaIn(Form):
    """``datum``: of the outline; it is named, never guessed."""

    name = Text(required=True, most=60)
    notice_no = PlainCode(required=True)
    datum = Text(
        required=True,
        pattern="wgs84|cgcs2000|gcj02|bd09",
        expected=("wgs84、cgcs2000、gcj02 或 bd09", "wgs84, cgcs2000, gcj02 or bd09"),
    )
    outline = Geometry(required=True)
    announced_on = Day(required=True)
    effective_on = Day(required=True)

    @ma.validates_schema
    def in_order(self, form: Mapping[str, Any], **kwargs: Any) -> None:
        _not_before("announced_on", "effective_on", form)


class AreaEndIn(Form):
    """The last day the area binds."""

    ended_on = Day(required=True)


class ExemptionIn(Form):
    household_id = Id(required=True)
    ground = Word(ExemptionGround, required=True)
    document_no = PlainCode(required=True)
    valid_from = Day(required=True)
    valid_until = Day(required=True)

    @ma.validates_schema
    def in_order(self, form: Mapping[str, Any], **kwargs: Any) -> None:
        _not_before("valid_from", "valid_until", form)


class FreeAreaQuery(Form):
    day = Day(load_default=None)


class FreeAreaView(View):
    id = Id()
    name = fields.String()
    notice_no = fields.String()
    outline = fields.Dict()
    datum = fields.String()
    announced_on = Day()
    effective_on = Day()
    ended_on = Day(allow_none=True)
    recorded_at = Instant()


class FreeAreasView(View):
    day = Day()
    items = fields.List(fields.Nested(FreeAreaView))


class ExemptionView(View):
    exemption_id = Id()
    area_id = Id()
    household_id = Id()


def _not_before(start: str, end: str, form: Mapping[str, Any]) -> None:
    if form.get(start) is not None and form.get(end) is not None and form[end] < form[start]:
        raise ValidationError(f"order|不能早于{start}|expected {start} or later", end)


# --------------------------------------------------------------------------------------------------------
# Bottled gas where it may not be


class BannedUseIn(Form):
    """Loads to a ``Seen``. ``evidence``: the code of what shows it."""

    kind = Word(BannedUseKind, required=True)
    point = Part(PointForm, required=True)
    street_code = Text(required=True, code=True, most=20, pattern=r"[0-9A-Z-]{2,20}")
    committee_code = Text(required=True, code=True, most=20, pattern=r"[0-9A-Z-]{2,20}")
    found_on = Day(required=True)
    evidence = PlainCode(required=True)
    household_id = Id(load_default=None, allow_none=True)

    @ma.post_load
    def as_seen(self, form: dict[str, Any], **kwargs: Any) -> Seen:
        return Seen(**form)


class UseNoticeIn(Form):
    notice_no = PlainCode(required=True)


class JointClearingIn(Form):
    """A joint clearing is of two departments at least."""

    departments = Rows(Word(Department), least=2, most=7, required=True)

    @ma.validates_schema
    def each_once(self, form: Mapping[str, Any], **kwargs: Any) -> None:
        named = form.get("departments", [])
        if len(set(named)) < len(named):
            raise ValidationError("twice|部门重复|expected each department once", "departments")


class ShownByIn(Form):
    evidence = PlainCode(required=True)


class BannedUseQuery(PageQuery):
    state = Word(BannedUseState, load_default=None)


class BannedUseView(View):
    id = Id()
    kind = Word(BannedUseKind)
    state = Word(BannedUseState)
    street_code = fields.String()
    committee_code = fields.String()
    point = fields.Nested(SitePointView)
    household_id = Id(allow_none=True)
    found_on = Day()
    evidence = fields.String()
    notice_no = fields.String(allow_none=True)
    notified_on = Day(allow_none=True)
    deadline_on = Day(allow_none=True)
    is_overdue = fields.Boolean()
    joint_with = fields.List(fields.String())
    closing_evidence = fields.String(allow_none=True)
    closed_on = Day(allow_none=True)
    recorded_at = Instant()


BannedUsePage = page_view(BannedUseView)


# --------------------------------------------------------------------------------------------------------
# Beside an account: its review, its deposit


class ReviewIn(Form):
    finding = Word(ReviewFinding, required=True)
    evidence = PlainCode(required=True)


class ReviewQuery(PageQuery):
    """``decided``: only those that were looked at, or only those that were not."""

    decided = Text(load_default=None, pattern="true|false", expected=("true 或 false", "true or false"))


class ReviewView(View):
    account_id = Id()
    household_id = Id()
    firm_id = Id()
    street_code = fields.String()
    state = fields.String()
    origin = fields.String()
    applied_on = Day()
    opened_on = Day()
    finding = Word(ReviewFinding, allow_none=True)
    evidence = fields.String(allow_none=True)
    decided_on = Day(allow_none=True)


ReviewPage = page_view(ReviewView)


class DepositIn(Form):
    kind = Word(DepositKind, required=True)
    amount_fen = Number(required=True, least=1, most=10_000_000)
    receipt_no = PlainCode(required=True)


class DepositLineView(View):
    number = fields.Integer()
    kind = Word(DepositKind)
    amount_fen = fields.Integer()
    balance_fen = fields.Integer()
    receipt_no = fields.String()
    entered_on = Day()
    recorded_at = Instant()


class DepositView(View):
    account_id = Id()
    balance_fen = fields.Integer()
    lines = fields.List(fields.Nested(DepositLineView))
