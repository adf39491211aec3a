"""Shapes in and out of a bottle's life: extension, registration, inspection, seizure, recall, sightings."""

from collections.abc import Mapping
from typing import Any

import marshmallow as ma
from marshmallow import fields

from core.fields import (
    Day,
    Flag,
    Form,
    Id,
    Instant,
    Number,
    PageQuery,
    Part,
    PointForm,
    QueryNumber,
    Rows,
    Scanned,
    Text,
    View,
    Word,
    page_view,
)
from cylinders.life_models import (
    AnomalyKind,
    CancelReason,
    DueKind,
    ExtensionBasis,
    RecallOutcome,
    SeizureReason,
    SendingReason,
    SightingKind,
    UnfitReason,
)
from cylinders.models import Phase
from cylinders.refill_gate import Precision
from cylinders.schemas import HEAVIEST_G, MOST_CODES, code_like
from cylinders.states import RecallState, TaskState
from registry.fields import model_code
from registry.models import HolderKind
from registry.schemas import EvidenceIn

MOST_TOLD = 500
MOST_DAYS = 366
REPORTED_BY_PEOPLE = (SightingKind.UNKNOWN, SightingKind.FOREIGN, SightingKind.BLACK)


class QueryFlag(Flag):
    """true or false in a query string."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        if value not in ("true", "false"):
            raise self.make_error("flag")
        return bool(value == "true")


# --- life and registration ------------------------------------------------------------------------------


class ExtensionIn(Form):
    basis = Word(ExtensionBasis, required=True)
    report_no = code_like(required=True)
    assessed_on = Day(required=True)
    until_on = Day(required=True)


class ChangeIn(Form):
    document_no = code_like(required=True)
    changed_on = Day(required=True)


class CancellationIn(Form):
    why = Word(CancelReason, required=True)
    document_no = code_like(required=True)
    cancelled_on = Day(required=True)


class CompletionIn(Form):
    """What was looked up of a bottle since it was put on file; the rest stays as it is."""

    evidence = Part(EvidenceIn, required=True)
    owner_firm_id = Id(load_default=None)
    registered_by_firm_id = Id(load_default=None)
    registered_on = Day(load_default=None)
    standard = Text(most=40, code=True, load_default=None)
    phase = Word(Phase, load_default=None)
    material = code_like(load_default=None)
    tare_g = Number(least=1, most=HEAVIEST_G, load_default=None)
    made_on = Day(load_default=None)
    made_precision = Word(Precision, load_default=Precision.MONTH)
    design_life_months = Number(least=1, most=1200, load_default=None)
    bought_on = Day(load_default=None)
    embossed_owner_mark = Flag(load_default=None)
    refurbished = Flag(load_default=None)


class UnfitIn(Form):
    why = Word(UnfitReason, required=True)
    reference = code_like(required=True)

    @ma.validates("why")
    def that_can_be_seen(self, why: UnfitReason, **_: Any) -> None:
        if why is UnfitReason.FAILED_INSPECTION:
            raise ma.ValidationError(
                "word|检验不合格由检验机构登记|that it failed is for its agency to report"
            )


class UnfitOut(View):
    id = Id()
    cylinder_id = Id()
    registered_by_firm_id = Id()
    why = Word(UnfitReason)
    reference = fields.String()
    reported_at = Instant()


UnfitPage = page_view(UnfitOut)


# --- at the agency --------------------------------------------------------------------------------------


class SendingIn(Form):
    """``reference``: of the sending slip."""

    agency_id = Id(required=True)
    why = Word(SendingReason, required=True)
    reference = code_like(required=True)

    @ma.validates("why")
    def of_the_senders_own(self, why: SendingReason, **_: Any) -> None:
        if why is SendingReason.SEIZED:
            raise ma.ValidationError("word|查扣由监管部门登记|a seizure is recorded by the authority")


class ArrivalIn(Form):
    code = Scanned(required=True)


class SendingPageItem(View):
    id = Id()
    cylinder_id = Id()
    firm_id = Id()
    agency_id = Id()
    why = Word(SendingReason)
    reference = fields.String()
    sent_at = Instant()
    received_at = Instant()
    answered_at = Instant()


SendingPage = page_view(SendingPageItem)


class AnomalyOut(View):
    id = Id()
    cylinder_id = Id()
    kind = Word(AnomalyKind)
    inspection_id = Id()
    agency = fields.String()
    report_no = fields.String()
    other_cylinder_id = Id()
    found_at = Instant()


AnomalyPage = page_view(AnomalyOut)


class SeizureIn(Form):
    """``receipt_no``: of the agency that took the bottle."""

    agency_id = Id(required=True)
    why = Word(SeizureReason, required=True)
    receipt_no = code_like(required=True)


class SeizureOut(View):
    cylinder_id = Id()
    why = Word(SeizureReason)
    receipt_no = fields.String()
    agency_id = Id()
    from_kind = Word(HolderKind)
    seized_at = Instant()


SeizurePage = page_view(SeizureOut)


# --- recall ---------------------------------------------------------------------------------------------


class CriterionIn(Form):
    """All that are given must hold. ``maker``: how a bottle's stamp or its maker's own mark begins."""

    phase = Word(Phase)
    maker = code_like()
    model = model_code()
    standard = Text(most=40, code=True)
    made_from = Day()
    made_until = Day()
    codes = Rows(Scanned(), least=1, most=MOST_CODES)

    @ma.validates_schema
    def one_at_least(self, criterion: Mapping[str, Any], **_: Any) -> None:
        if not criterion:
            raise ma.ValidationError("required|至少写一个召回条件|expected at least one condition")


class RecallIn(Form):
    """``reference``: of the notice or the plan that the recall rests on."""

    criterion = Part(CriterionIn, required=True)
    reference = code_like(required=True)


class NothingIn(Form):
    """An act that needs no more than its address."""


class TellingIn(Form):
    cylinder_ids = Rows(Id(), least=1, most=MOST_TOLD, required=True)


class SettlementIn(Form):
    outcome = Word(RecallOutcome, required=True)
    reference = code_like(required=True)


class ProgressOut(View):
    listed = fields.Integer()
    notified = fields.Integer()
    brought_in = fields.Integer()
    settled = fields.Integer()


class RecallOut(View):
    """``bottles`` and ``progress`` count what is the caller's to see. ``root`` commits to the frozen list."""

    id = Id()
    firm_id = Id()
    reference = fields.String()
    criterion = fields.Dict()
    root = fields.String()
    state = Word(RecallState)
    bottles = fields.Integer()
    late = fields.Integer()
    progress = fields.Nested(ProgressOut)
    outcomes = fields.Dict(keys=fields.String(), values=fields.Integer())
    opened_at = Instant()
    finished_at = Instant()


RecallPage = page_view(RecallOut)


class TaskQuery(PageQuery):
    state = Word(TaskState)
    holder_kind = Word(HolderKind)


class TaskOut(View):
    """``holder_kind`` and ``holder_id``: when the list was made; of a household only its card."""

    cylinder_id = Id()
    code = fields.String()
    model = fields.String()
    owner_firm_id = Id()
    holder_kind = Word(HolderKind)
    holder_id = Id()
    card_district = fields.Integer()
    card_id = Id()
    is_late = fields.Boolean()
    state = Word(TaskState)
    told_at = Instant()
    brought_in_at = Instant()
    settled_at = Instant()
    outcome = Word(RecallOutcome)
    reference = fields.String()


TaskPage = page_view(TaskOut)


# --- what comes due -------------------------------------------------------------------------------------


class DueQuery(PageQuery):
    """``days``: from today; absent, the days of notice. ``overdue=true``: what fell due before, too."""

    kind = Word(DueKind)
    holder_kind = Word(HolderKind)
    site_id = Id()
    days = QueryNumber(least=0, most=MOST_DAYS)
    overdue = QueryFlag(load_default=False)


class DueOut(View):
    """``days`` until it falls due, negative once it has; ``noticed_at``: when a household was told."""

    cylinder_id = Id()
    code = fields.String()
    model = fields.String()
    kind = Word(DueKind)
    due_on = Day()
    days = fields.Integer()
    holder_kind = Word(HolderKind)
    holder_id = Id()
    card_district = fields.Integer()
    card_id = Id()
    noticed_at = Instant()


DuePage = page_view(DueOut)


# --- sightings ------------------------------------------------------------------------------------------


class SightingIn(Form):
    """Where: a site of the reporter's, or a point. What: by its code, or by a photograph, or both."""

    kind = Word(SightingKind, required=True)
    code = Scanned(load_default=None, allow_none=True)
    site_id = Id(load_default=None, allow_none=True)
    point = Part(PointForm, load_default=None, allow_none=True)
    photo_sha256 = Text(
        most=64,
        pattern="[0-9a-f]{64}",
        expected=("64位十六进制", "64 hexadecimal digits"),
        load_default=None,
        allow_none=True,
    )

    @ma.validates("kind")
    def that_can_be_seen(self, kind: SightingKind, **_: Any) -> None:
        if kind not in REPORTED_BY_PEOPLE:
            raise ma.ValidationError("word|应为 unknown、foreign 或 black|expected unknown, foreign or black")


class SightingOut(View):
    """``times``: how often it was reported there on that day."""

    id = Id()
    kind = Word(SightingKind)
    code = fields.String()
    cylinder_id = Id()
    site_id = Id()
    lon = fields.Float()
    lat = fields.Float()
    photo_sha256 = fields.String()
    times = fields.Integer()
    role = fields.String()
    seen_on = Day()
    last_seen_at = Instant()
    recorded_at = Instant()


SightingPage = page_view(SightingOut)
