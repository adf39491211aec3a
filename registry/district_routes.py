"""Thin, as ``routes.py``: how a district is cleared out and converted, and its divisions."""

# flask-smorest has no types: its decorators are Any, as in every routes.py
# mypy: disallow-untyped-decorators=False

from typing import Any
from uuid import UUID

from core.http import doing
from registry import clear_out, clear_out_schemas, conversions, division_schemas, divisions, schemas
from registry.household_routes import room

__all__ = ["room"]

Json = dict[str, Any]


# --------------------------------------------------------------------------------------------------------
# Clear-out and conversion


@room.get("/districts/<int:district>/clear-out")
@room.may("clear_out.read")
@room.arguments(clear_out_schemas.ClearOutQuery, location="query")
@room.response(200, clear_out_schemas.ClearOutView)
def read_clear_out(query: Json, district: int) -> Any:
    """Accounts open at each month's end by street, who came and who went; each that came under the bar."""
    return clear_out.clear_out(doing(), **query)


@room.post("/districts/<int:district>/conversions")
@room.may("conversion.settle", writes=True)
@room.arguments(clear_out_schemas.ConversionIn)
@room.response(201, clear_out_schemas.ConversionWithHomesView)
def enter_conversion(body: Json, district: int) -> Json:
    """A street's, a committee's or some homes' plan to go over to piped gas or electricity."""
    done = conversions.enter(doing(), **body)
    return conversions.plan_view(doing(), UUID(done["plan_id"]))


@room.get("/districts/<int:district>/conversions")
@room.may("conversion.read")
@room.arguments(clear_out_schemas.ConversionQuery, location="query")
@room.response(200, clear_out_schemas.ConversionPage)
def list_conversions(query: Json, district: int) -> Any:
    return conversions.plans(doing(), **query)


@room.get("/districts/<int:district>/conversions/<uuid:plan_id>")
@room.may("conversion.read")
@room.response(200, clear_out_schemas.ConversionWithHomesView)
def read_conversion(district: int, plan_id: UUID) -> Json:
    return conversions.plan_view(doing(), plan_id)


@room.post("/districts/<int:district>/conversions/<uuid:plan_id>/beginnings")
@room.may("conversion.settle", writes=True)
@room.arguments(schemas.NothingIn)
@room.response(201, clear_out_schemas.ConversionWithHomesView)
def begin_conversion(body: Json, district: int, plan_id: UUID) -> Json:
    conversions.begin(doing(), plan_id)
    return conversions.plan_view(doing(), plan_id)


@room.post("/districts/<int:district>/conversions/<uuid:plan_id>/finishes")
@room.may("conversion.settle", writes=True)
@room.arguments(schemas.NothingIn)
@room.response(201, clear_out_schemas.ConversionWithHomesView)
def finish_conversion(body: Json, district: int, plan_id: UUID) -> Json:
    """Only when none of its accounts is left."""
    conversions.finish(doing(), plan_id)
    return conversions.plan_view(doing(), plan_id)


@room.post("/districts/<int:district>/conversions/<uuid:plan_id>/drops")
@room.may("conversion.settle", writes=True)
@room.arguments(schemas.NothingIn)
@room.response(201, clear_out_schemas.ConversionWithHomesView)
def drop_conversion(body: Json, district: int, plan_id: UUID) -> Json:
    conversions.drop(doing(), plan_id)
    return conversions.plan_view(doing(), plan_id)


# --------------------------------------------------------------------------------------------------------
# Divisions


@room.post("/districts/<int:district>/divisions")
@room.may("division.enter", writes=True)
@room.arguments(division_schemas.DivisionsIn)
@room.response(201, division_schemas.DivisionsView)
def enter_divisions(body: Json, district: int) -> Json:
    """Streets, committees, estates, buildings with the days they are in force; all rows, or none."""
    done = divisions.enter(doing(), **body)
    return divisions.entered(doing(), done["division_ids"])


@room.get("/districts/<int:district>/divisions")
@room.may("division.read")
@room.arguments(division_schemas.DivisionQuery, location="query")
@room.response(200, division_schemas.DivisionPage)
def list_divisions(query: Json, district: int) -> Any:
    """Those in force on a day, of a level, or within one."""
    return divisions.divisions(doing(), **query)


@room.post("/districts/<int:district>/divisions/<uuid:division_id>/endings")
@room.may("division.enter", writes=True)
@room.arguments(division_schemas.DivisionEndIn)
@room.response(201, division_schemas.DivisionView)
def end_division(body: Json, district: int, division_id: UUID) -> Any:
    """Its last day; homes registered under it keep its code."""
    divisions.end(doing(), division_id, **body)
    return divisions.division(doing(), division_id)


@room.post("/districts/<int:district>/households/<uuid:household_id>/locations")
@room.may("premises.register", writes=True)
@room.arguments(division_schemas.LocateIn)
@room.response(201, division_schemas.LocatedView)
def locate_household(body: Json, district: int, household_id: UUID) -> Json:
    """In which estate and building it lies, for a home that is registered already."""
    divisions.locate(doing(), household_id, **body)
    return divisions.located(doing(), household_id)
