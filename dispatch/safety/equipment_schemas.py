"""Shapes of the registers of hoses, regulators and alarms, and of whom to visit first."""

from collections.abc import Mapping
from typing import Any

import marshmallow as ma
from marshmallow import ValidationError, fields

from core.fields import Day, Flag, Form, Id, Instant, PageQuery, QueryNumber, Text, View, Word, page_view
from dispatch.safety.equipment_models import EndReason, EquipmentKind, HoseMaterial


class EquipmentIn(Form):
    """``material``: of a hose, and of nothing else. ``stated_until``: the last day printed on the piece."""

    kind = Word(EquipmentKind, required=True)
    material = Word(HoseMaterial, load_default=None, allow_none=True)
    maker = Text(required=True, most=60)
    model = Text(required=True, most=60)
    installed_on = Day(required=True)
    stated_until = Day(load_default=None, allow_none=True)
    replaces = Id(load_default=None, allow_none=True)

    @ma.validates_schema
    def agrees(self, form: Mapping[str, Any], **kwargs: Any) -> None:
        if "kind" in form and (form["kind"] is EquipmentKind.HOSE) is (form.get("material") is None):
            raise ValidationError(
                "material|软管才填材质，且必须填|expected with a hose, and only then", "material"
            )
        until, installed = form.get("stated_until"), form.get("installed_on")
        if until is not None and installed is not None and until < installed:
            raise ValidationError("order|不能早于安装日|expected no day before it was fitted", "stated_until")


class EquipmentEndIn(Form):
    ended_on = Day(required=True)


class EquipmentView(View):
    """``due_on``: the last day it may hang there; null where nothing says one. ``is_barred``: not at all."""

    id = Id(attribute="piece.id")
    household_id = Id(attribute="piece.household_id")
    kind = Word(EquipmentKind, attribute="piece.kind")
    material = Word(HoseMaterial, attribute="piece.material", allow_none=True)
    maker = fields.String(attribute="piece.maker")
    model = fields.String(attribute="piece.model")
    installed_on = Day(attribute="piece.installed_on")
    stated_until = Day(attribute="piece.stated_until", allow_none=True)
    ended_on = Day(attribute="piece.ended_on", allow_none=True)
    ended_why = Word(EndReason, attribute="piece.ended_why", allow_none=True)
    due_on = Day(allow_none=True)
    is_due = Flag()
    is_barred = Flag()


class EquipmentList(View):
    items = fields.List(fields.Nested(EquipmentView))


class DueEquipmentView(EquipmentView):
    street_code = fields.String()
    committee_code = fields.String()


DueEquipmentPage = page_view(DueEquipmentView)


class DueEquipmentQuery(PageQuery):
    """``within_days``: also what falls due by then."""

    within_days = QueryNumber(least=0, most=3660, load_default=30)


class FirstVisitView(View):
    """``due_on``: by when the next check is wanted; null where there was none."""

    household_id = Id()
    street_code = fields.String()
    committee_code = fields.String()
    last_checked_at = Instant(allow_none=True)
    due_on = Day(allow_none=True)
    is_due = Flag()


class FirstVisitList(View):
    items = fields.List(fields.Nested(FirstVisitView))
