"""Shapes of labels and codes, in and out."""

from typing import Any

import marshmallow as ma
from marshmallow import fields

from core.fields import Form, Id, Instant, Rows, Scanned, Text, View, Word, page_view
from cylinders.label_models import CollisionOutcome, LabelPlace, WhyLabelVoid
from cylinders.label_queries import CHOSEN_WHY
from cylinders.labels import MOST_BOTTLES
from cylinders.models import Scheme, WhyCodeVoid


class BatchIn(Form):
    """``codes``: any code of each bottle, as a scanner reads it."""

    codes = Rows(Scanned(), required=True, least=1, most=MOST_BOTTLES)


class LabelOut(View):
    cylinder_id = Id()
    number = fields.Integer()
    place = Word(LabelPlace)
    code = fields.String()
    address = fields.String()
    firm = fields.String()
    batch_id = Id()
    issued_at = Instant()
    voided_at = Instant()
    void_reason = Word(WhyLabelVoid)


class LabelsOut(View):
    items = fields.List(fields.Nested(LabelOut))


class BatchOut(LabelsOut):
    batch_id = Id()


class LabelVoidIn(Form):
    reason = Word(WhyLabelVoid, required=True)

    @ma.validates("reason")
    def by_a_person(self, reason: WhyLabelVoid, **_: Any) -> None:
        if reason not in CHOSEN_WHY:
            raise ma.ValidationError("word|作废编码时标签一并作废|labels are void together with their code")


class AttachIn(Form):
    scheme = Word(Scheme, required=True)
    value = Text(required=True, most=128, code=True)


class CodeVoidIn(Form):
    scheme = Word(Scheme, required=True)
    value = Text(required=True, most=128, code=True)
    reason = Word(WhyCodeVoid, required=True)

    @ma.validates("reason")
    def by_a_person(self, reason: WhyCodeVoid, **_: Any) -> None:
        if reason is WhyCodeVoid.CLAIMED_TWICE:
            raise ma.ValidationError(
                "word|重码须先查清|a code on two bottles is void by resolving the collision"
            )


class AttachedOut(View):
    """``outcome``: attached, voided, or claimed_twice: another bottle of the firm has the code on file."""

    cylinder_id = Id()
    outcome = fields.String()
    collision_id = Id(allow_none=True)


class CollisionOut(View):
    id = Id()
    scheme = Word(Scheme)
    value = fields.String()
    standing_cylinder_id = Id()
    claiming_cylinder_id = Id()
    elsewhere = fields.Boolean()
    district = fields.Integer()
    found_at = Instant()
    resolved_at = Instant()
    outcome = Word(CollisionOutcome)


CollisionPage = page_view(CollisionOut)


class CollisionIn(Form):
    """``outcome``: whose the code is, by somebody who has looked at both bottles."""

    outcome = Word(CollisionOutcome, required=True)
