"""Shapes of the act of filling, and of what a station fills with."""

from collections.abc import Mapping
from typing import Any

import marshmallow as ma
from marshmallow import fields

from core.fields import Day, Flag, Form, Id, Instant, Number, Part, Rows, Scanned, Text, View, Word
from cylinders.filling_models import AbortReason, CheckPhase, Product, ResidueOccasion, StopReason, Weighed
from cylinders.filling_queries import EXPIRED
from cylinders.filling_states import FillingState
from cylinders.schemas import HEAVIEST_G, CheckedItemIn, FillingIn, FillingOut, code_like

MOST_FILLINGS = 60

# --- what a station fills with ----------------------------------------------------------------------------


class VerificationIn(Form):
    certificate_no = code_like(required=True)
    verified_on = Day(required=True)
    verified_until = Day(required=True)

    @ma.validates_schema
    def in_order(self, one: Mapping[str, Any], **kwargs: Any) -> None:
        if one["verified_until"] < one["verified_on"]:
            raise ma.ValidationError(
                "span|到期日不能早于检定日|expected an end that is not before the day of verification",
                "verified_until",
            )


class ScaleIn(Form):
    number = code_like(required=True)
    verification = Part(VerificationIn, load_default=None)


class TestIn(Form):
    """What a laboratory found in a gas batch."""

    report_no = code_like(required=True)
    tested_on = Day(required=True)
    odorant_present = Flag(required=True)
    dme_found = Flag(required=True)


class BatchIn(Form):
    """``supplier``: by its credit code. Without certificate or test the batch is on file and never filled."""

    number = code_like(required=True)
    product = Word(Product, required=True)
    supplier = code_like(required=True)
    certificate_no = code_like(load_default=None)
    delivered_on = Day(required=True)
    test = Part(TestIn, load_default=None)


class UseIn(Form):
    """Nothing to say: the address names the batch."""


class StopIn(Form):
    """``scale_id``: of one scale only; without it nothing is filled at the station."""

    scale_id = Id(load_default=None)
    reason = Word(StopReason, required=True)
    reference = code_like(required=True)


class StopReleaseIn(Form):
    reference = code_like(required=True)


class ScaleOut(View):
    id = Id()
    number = fields.String()
    verified_until = Day()
    is_stopped = fields.Boolean()


class BatchOut(View):
    id = Id()
    number = fields.String()
    product = Word(Product)
    supplier = fields.String()
    certificate_no = fields.String()
    delivered_on = Day()
    report_no = fields.String()
    tested_on = Day()
    odorant_present = fields.Boolean()
    dme_found = fields.Boolean()
    is_in_use = fields.Boolean()


class StopOut(View):
    id = Id()
    scale_id = Id()
    reason = Word(StopReason)
    reference = fields.String()
    from_at = Instant()


class MeansOut(View):
    """The station's scales, its batches (the latest 50), and the stops that stand."""

    site_id = Id()
    is_stopped = fields.Boolean()
    scales = fields.List(fields.Nested(ScaleOut))
    batches = fields.List(fields.Nested(BatchOut))
    stops = fields.List(fields.Nested(StopOut))
    as_of = Instant()


# --- the act ----------------------------------------------------------------------------------------------


class AuthorisationIn(Form):
    code = Scanned(required=True)
    site_id = Id(required=True)
    filler_id = Id(required=True)
    scale = code_like(required=True)
    batch_id = Id(load_default=None)


class StepIn(Form):
    """``token``: as it came with the authorisation."""

    token = Text(required=True, most=64)


class LookIn(StepIn):
    checks = Rows(Part(CheckedItemIn), least=1, most=40, required=True)
    tare_weighed_g = Number(required=True, least=1, most=HEAVIEST_G)
    residue_g = Number(required=True, least=0, most=HEAVIEST_G)


class WeighingIn(StepIn):
    scale = code_like(required=True)
    gross_g = Number(required=True, least=1, most=HEAVIEST_G)


class CompletionIn(StepIn):
    checks = Rows(Part(CheckedItemIn), least=1, most=40, required=True)
    seal_no = code_like(required=True)


class AbortIn(StepIn):
    reason = Word(AbortReason, required=True)


class FillingWithBatchIn(FillingIn):
    """The whole act in one request. Without ``batch_id``: from the batch in use."""

    batch_id = Id(load_default=None)


class LookedOut(View):
    phase = Word(CheckPhase)
    items = fields.List(fields.Dict())
    tare_weighed_g = fields.Integer()
    residue_g = fields.Integer()
    passed = fields.Boolean()
    checked_at = Instant()


class WeighedOut(View):
    gross_g = fields.Integer()
    content_g = fields.Integer()
    outcome = Word(Weighed)
    weighed_at = Instant()


STATES = [*(state.value for state in FillingState), EXPIRED]
OUTCOMES = ["filled", "refused", "overfilled"]


class AuthorisationOut(View):
    """One filling from its authorisation on.

    ``state`` is as of now: what was not ended in time is ``expired``, and the bottle does not count as full.
    ``reasons``: what was found wrong. ``token`` comes with the authorisation only.
    """

    id = Id()
    cylinder_id = Id()
    code = fields.String()
    state = fields.String(metadata={"enum": STATES})
    token = fields.String()
    site_id = Id()
    filler_id = Id()
    scale = fields.String()
    batch_id = Id()
    batch = fields.String()
    tare_g = fields.Integer()
    target_g = fields.Integer()
    authorised_at = Instant()
    expires_at = Instant()
    closed_at = Instant()
    abort_reason = Word(AbortReason)
    checks = fields.List(fields.Nested(LookedOut))
    weighings = fields.List(fields.Nested(WeighedOut))
    reasons = fields.List(fields.Dict())
    filling_id = Id()


class FillingDoneOut(FillingOut):
    """What came of it. Only ``filled`` is a filling: otherwise its own fields are null, and ``reasons`` say
    what was found. ``overfilled``: the bottle is held until it was bled and weighed again under
    ``authorisation_id``; ``token`` is for that."""

    outcome = fields.String(metadata={"enum": OUTCOMES})
    reasons = fields.List(fields.Dict())
    token = fields.String()


class FillingsIn(Form):
    """Many bottles, each a deed of its own. Rows are read one by one: a wrong one hides no other."""

    fillings = Rows(fields.Raw(), least=1, most=MOST_FILLINGS, required=True)


class FillingsRowOut(View):
    index = fields.Integer()
    ok = fields.Boolean()
    filling = fields.Nested(FillingDoneOut)
    refusal_no = fields.String()
    reasons = fields.List(fields.Dict())
    errors = fields.List(fields.Dict())


class FillingsOut(View):
    filled = fields.Integer()
    not_filled = fields.Integer()
    items = fields.List(fields.Nested(FillingsRowOut))


class ResidueIn(Form):
    """``extracted_g``: what was drawn off of it, by the firm's own plant."""

    code = Scanned(required=True)
    occasion = Word(ResidueOccasion, required=True)
    residue_g = Number(required=True, least=0, most=HEAVIEST_G)
    extracted_g = Number(load_default=0, least=0, most=HEAVIEST_G)

    @ma.validates_schema
    def no_more_than_there_was(self, one: Mapping[str, Any], **kwargs: Any) -> None:
        if one["extracted_g"] > one["residue_g"]:
            raise ma.ValidationError(
                "range|抽出的不能多于瓶内的|expected no more drawn off than there was", "extracted_g"
            )


class ResidueOut(View):
    cylinder_id = fields.String()
    residue_id = fields.String()
