"""Shapes of what people ask about their own data, and of the privacy notice."""

from collections.abc import Mapping
from typing import Any

import marshmallow as ma
from marshmallow import ValidationError, fields

from core.auth import Role
from core.fields import Day, Flag, Form, Id, Instant, Text, View, Word
from registry.fields import Phone
from registry.letting_schemas import LetView
from registry.privacy_models import CorrectedField, RequestKind, RequestReason
from registry.proxy_schemas import ConsentView
from registry.states import PrivacyRequestState


class NoticeView(View):
    """Show ``zh`` (or ``en``) before registering somebody, and say ``version`` with the registration."""

    version = fields.String()
    effective = Day()
    zh = fields.List(fields.String())
    en = fields.List(fields.String())


class RequestIn(Form):
    """``said``: how the field should read. A clerk names the household whose registrant asks."""

    kind = Word(RequestKind, required=True)
    field = Word(CorrectedField, load_default=None, allow_none=True)
    said = Text(load_default=None, allow_none=True, most=200)
    household_id = Id(load_default=None, allow_none=True)

    @ma.validates_schema
    def agrees(self, form: Mapping[str, Any], **kwargs: Any) -> None:
        is_correction = form.get("kind") is RequestKind.CORRECTION
        for name in ("field", "said"):
            if (form.get(name) is not None) is not is_correction:
                said = "required|更正时必须填写|expected with a correction"
                raise ValidationError(said if is_correction else "none|只有更正时才填|expected none", name)
        if form.get("field") is CorrectedField.PHONE:
            try:
                Phone().deserialize(form["said"])
            except ValidationError as wrong:
                raise ValidationError(wrong.messages, "said") from None


class DecisionIn(Form):
    granted = Flag(required=True)
    reason = Word(RequestReason, required=True)


class RequestedView(View):
    request_id = Id()


class RequestView(View):
    """``nobody_seen``: asked online; ``replaces``: another number asked for online before gave way to it."""

    id = Id()
    person_id = Id()
    household_id = Id()
    kind = Word(RequestKind)
    field = Word(CorrectedField)
    said = fields.String()
    state = Word(PrivacyRequestState)
    asked_at = Instant()
    reason = Word(RequestReason)
    decided_at = Instant()
    nobody_seen = Flag()
    replaces = Flag()


class RequestsView(View):
    items = fields.List(fields.Nested(RequestView))


class LookView(View):
    """``unit``: the firm, or the district whose authority it was; never who."""

    at = Instant()
    role = Word(Role)
    unit = fields.String()
    what = fields.String()
    fields_shown = fields.List(fields.String())
    reason = fields.String()
    purpose = fields.String()
    case_no = fields.String()


class LooksView(View):
    items = fields.List(fields.Nested(LookView))


class CopyView(View):
    """Everything on record about the person who asks. Its number is on the document: it stays masked.

    ``proxies``: those they named, and for whom they were named, past ones too; the other side is masked.
    ``lettings``: the homes they let or have let, nothing of who lives there.
    """

    made_at = Instant()
    person = fields.Dict()
    homes = fields.List(fields.Dict())
    orders = fields.List(fields.Dict())
    proxies = fields.List(fields.Nested(ConsentView))
    lettings = fields.List(fields.Nested(LetView))
    notices_shown = fields.List(fields.Dict())
    requests = fields.List(fields.Nested(RequestView))
    refusals = fields.List(fields.Dict())
    looks = fields.List(fields.Nested(LookView))


class DecidedView(View):
    """``erase_on``: the data are kept for their term until this day, and used for nothing. ``copy``: what is
    handed over, where a copy was asked for and granted."""

    request_id = Id()
    outcome = fields.String()
    field = fields.String()
    erase_on = fields.String(metadata={"format": "date"})
    copy = fields.Nested(CopyView)
