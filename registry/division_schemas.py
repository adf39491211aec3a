"""Shapes of divisions."""

from collections.abc import Mapping
from typing import Any

import marshmallow as ma
from marshmallow import ValidationError, fields

from core.fields import Day, Form, Id, Instant, PageQuery, Part, Rows, Text, View, Word, page_view
from registry.division_models import DivisionLevel

DIVISION_CODE: dict[str, Any] = {"code": True, "most": 30, "pattern": r"[0-9A-Z-]{2,30}"}


class DivisionIn(Form):
    """``valid_until`` absent: in force until it is ended."""

    level = Word(DivisionLevel, required=True)
    code = Text(required=True, **DIVISION_CODE)
    name = Text(required=True, most=60)
    parent_code = Text(allow_none=True, load_default=None, **DIVISION_CODE)
    valid_from = Day(required=True)
    valid_until = Day(allow_none=True, load_default=None)

    @ma.validates_schema
    def in_order(self, form: Mapping[str, Any], **kwargs: Any) -> None:
        if form.get("valid_from") and form.get("valid_until") and form["valid_until"] < form["valid_from"]:
            raise ValidationError("order|不能早于启用日|expected no day before its first", "valid_until")
        is_street = form.get("level") is DivisionLevel.STREET
        if "level" in form and is_street is not (form.get("parent_code") is None):
            raise ValidationError(
                "parent|街镇没有上一级，其余都要填|expected none for a street, one for any other",
                "parent_code",
            )


class DivisionsIn(Form):
    """Each row after those it lies in."""

    rows = Rows(Part(DivisionIn), required=True, least=1, most=1000)


class DivisionEndIn(Form):
    valid_until = Day(required=True)


class DivisionQuery(PageQuery):
    level = Word(DivisionLevel, load_default=None)
    parent_code = Text(load_default=None, **DIVISION_CODE)
    day = Day(load_default=None)


class DivisionView(View):
    id = Id()
    level = Word(DivisionLevel)
    code = fields.String()
    name = fields.String()
    parent_code = fields.String(allow_none=True)
    valid_from = Day()
    valid_until = Day(allow_none=True)
    recorded_at = Instant()


class DivisionsView(View):
    items = fields.List(fields.Nested(DivisionView))


DivisionPage = page_view(DivisionView)


class LocateIn(Form):
    estate_code = Text(allow_none=True, load_default=None, **DIVISION_CODE)
    building_code = Text(allow_none=True, load_default=None, **DIVISION_CODE)


class LocatedView(View):
    household_id = Id()
    street_code = fields.String()
    committee_code = fields.String()
    estate_code = fields.String(allow_none=True)
    building_code = fields.String(allow_none=True)
