"""Thin, as ``routes.py``: a bottle's life, inspection, seizure, recall, what comes due, and sightings."""

# flask-smorest has no types: its decorators are Any, as in every routes.py
# mypy: disallow-untyped-decorators=False

from typing import Any
from uuid import UUID

from core.fields import PageQuery
from core.http import doing
from core.paging import Page
from cylinders import (
    bottle_file_queries,
    cancellation_queries,
    completions,
    due_queries,
    life,
    out_of_use,
    out_of_use_queries,
    queries,
    recall_queries,
    recalls,
    schemas,
    sightings,
)
from cylinders import life_schemas as shapes
from cylinders.cancellation_schemas import CancellationDuePage
from cylinders.routes import room

__all__ = ["room"]

Json = dict[str, Any]


@room.get("/cylinder-types")
@room.may("cylinder_type.read")
@room.response(200, schemas.TypesOut)
def list_types() -> Any:
    """The catalogue of models."""
    return queries.all_types(doing())


# --- what a file lacked ---------------------------------------------------------------------------------


@room.post("/cylinders/<uuid:cylinder_id>/completions")
@room.may("cylinder.complete_file", writes=True)
@room.arguments(shapes.CompletionIn)
@room.response(201, schemas.BottleOut)
def complete_file(body: Json, cylinder_id: UUID) -> Any:
    """补录: what the file lacked, as its stamps and papers say. What is on file is not changed."""
    completions.complete_file(doing(), cylinder_id=cylinder_id, **body)
    return bottle_file_queries.cylinder_file(doing(), cylinder_id)


# --- life and registration ------------------------------------------------------------------------------


@room.post("/cylinders/<uuid:cylinder_id>/extensions")
@room.may("cylinder.extend", writes=True)
@room.arguments(shapes.ExtensionIn)
@room.response(201, schemas.BottleOut)
def extend(body: Json, cylinder_id: UUID) -> Any:
    """延期: the agency's report. It counts once the registration is changed for it."""
    life.extend(doing(), cylinder_id=cylinder_id, **body)
    return bottle_file_queries.cylinder_file(doing(), cylinder_id)


@room.post("/cylinders/<uuid:cylinder_id>/extensions/<uuid:extension_id>/registration-changes")
@room.may("registration.change", writes=True)
@room.arguments(shapes.ChangeIn)
@room.response(201, schemas.BottleOut)
def change_registration(body: Json, cylinder_id: UUID, extension_id: UUID) -> Any:
    """使用登记变更, for one extension."""
    life.change_registration(doing(), cylinder_id=cylinder_id, extension_id=extension_id, **body)
    return bottle_file_queries.cylinder_file(doing(), cylinder_id)


@room.post("/cylinders/<uuid:cylinder_id>/registration-cancellations")
@room.may("registration.cancel", writes=True)
@room.arguments(shapes.CancellationIn)
@room.response(201, schemas.BottleOut)
def cancel_registration(body: Json, cylinder_id: UUID) -> Any:
    """注销使用登记."""
    life.cancel_registration(doing(), cylinder_id=cylinder_id, **body)
    return bottle_file_queries.cylinder_file(doing(), cylinder_id)


@room.post("/cylinders/<uuid:cylinder_id>/unfit-reports")
@room.may("cylinder.report_unfit", writes=True)
@room.arguments(shapes.UnfitIn)
@room.response(201, schemas.BottleOut)
def report_unfit(body: Json, cylinder_id: UUID) -> Any:
    """Refurbished, unlawfully made, or with a screwed-on guard: held, and reported to the authority."""
    life.report_unfit(doing(), cylinder_id=cylinder_id, **body)
    return bottle_file_queries.cylinder_file(doing(), cylinder_id)


@room.get("/unfit-reports")
@room.may("out_of_use.read")
@room.arguments(PageQuery, location="query")
@room.response(200, shapes.UnfitPage)
def list_unfit(query: Json) -> Page:
    return out_of_use_queries.unfit_reports(doing(), **query)


@room.get("/cancellations-due")
@room.may("out_of_use.read")
@room.arguments(PageQuery, location="query")
@room.response(200, CancellationDuePage)
def list_cancellations_due(query: Json) -> Page:
    """待注销: unfit bottles whose registration is not cancelled yet, and until when it must be."""
    return cancellation_queries.cancellations_due(doing(), **query)


# --- at the agency --------------------------------------------------------------------------------------


@room.post("/cylinders/<uuid:cylinder_id>/sendings")
@room.may("cylinder.send_to_inspection", writes=True)
@room.arguments(shapes.SendingIn)
@room.response(201, schemas.BottleOut)
def send_to_inspection(body: Json, cylinder_id: UUID) -> Any:
    """送检: from a site of the firm to an agency."""
    out_of_use.send(doing(), cylinder_id=cylinder_id, **body)
    return bottle_file_queries.cylinder_file(doing(), cylinder_id)


@room.post("/agency-receipts")
@room.may("cylinder.arrive_at_agency", writes=True)
@room.arguments(shapes.ArrivalIn)
@room.response(201, schemas.BottleOut)
def arrive_at_agency(body: Json) -> Any:
    """The agency scans what was sent to it."""
    done = out_of_use.arrive(doing(), **body)
    return bottle_file_queries.cylinder_file(doing(), UUID(done["cylinder_id"]))


@room.get("/sendings")
@room.may("out_of_use.read")
@room.arguments(PageQuery, location="query")
@room.response(200, shapes.SendingPage)
def list_sendings(query: Json) -> Page:
    """Sent to an agency and not answered yet."""
    return out_of_use_queries.open_sendings(doing(), **query)


@room.post("/cylinders/<uuid:cylinder_id>/inspections")
@room.may("cylinder.inspect", writes=True)
@room.arguments(schemas.InspectionIn)
@room.response(201, schemas.BottleOut)
def inspect(body: Json, cylinder_id: UUID) -> Any:
    out_of_use.inspect(doing(), cylinder_id=cylinder_id, **body)
    return bottle_file_queries.cylinder_file(doing(), cylinder_id)


@room.get("/inspection-anomalies")
@room.may("anomaly.read")
@room.arguments(PageQuery, location="query")
@room.response(200, shapes.AnomalyPage)
def list_anomalies(query: Json) -> Page:
    """Reports that are doubtful, and why."""
    return out_of_use_queries.anomalies(doing(), **query)


@room.post("/cylinders/<uuid:cylinder_id>/scrappings")
@room.may("cylinder.scrap", writes=True)
@room.arguments(schemas.ScrappingIn)
@room.response(201, schemas.BottleOut)
def scrap(body: Json, cylinder_id: UUID) -> Any:
    out_of_use.scrap(doing(), cylinder_id=cylinder_id, **body)
    return bottle_file_queries.cylinder_file(doing(), cylinder_id)


@room.post("/cylinders/<uuid:cylinder_id>/seizures")
@room.may("cylinder.seize", writes=True)
@room.arguments(shapes.SeizureIn)
@room.response(201, schemas.BottleOut)
def seize(body: Json, cylinder_id: UUID) -> Any:
    """查扣: to an agency against its receipt. Only scrapping leads out."""
    out_of_use.seize(doing(), cylinder_id=cylinder_id, **body)
    return bottle_file_queries.cylinder_file(doing(), cylinder_id)


@room.get("/seizures")
@room.may("out_of_use.read")
@room.arguments(PageQuery, location="query")
@room.response(200, shapes.SeizurePage)
def list_seizures(query: Json) -> Page:
    return out_of_use_queries.seizures(doing(), **query)


# --- recall ---------------------------------------------------------------------------------------------


@room.post("/recalls")
@room.may("recall.open", writes=True)
@room.arguments(shapes.RecallIn)
@room.response(201, shapes.RecallOut)
def open_recall(body: Json) -> Any:
    """Every bottle that meets the criterion is listed with its holder, and held."""
    return _recall(recalls.open_recall(doing(), **body))


@room.get("/recalls")
@room.may("recall.read")
@room.arguments(PageQuery, location="query")
@room.response(200, shapes.RecallPage)
def list_recalls(query: Json) -> Page:
    return recall_queries.recalls(doing(), **query)


@room.get("/recalls/<uuid:campaign_id>")
@room.may("recall.read")
@room.response(200, shapes.RecallOut)
def read_recall(campaign_id: UUID) -> Any:
    return recall_queries.recall(doing(), campaign_id)


@room.get("/recalls/<uuid:campaign_id>/tasks")
@room.may("recall.read")
@room.arguments(shapes.TaskQuery, location="query")
@room.response(200, shapes.TaskPage)
def list_recall_tasks(query: Json, campaign_id: UUID) -> Page:
    return recall_queries.tasks(doing(), campaign_id, **query)


@room.post("/recalls/<uuid:campaign_id>/late-finds")
@room.may("recall.look_again", writes=True)
@room.arguments(shapes.NothingIn)
@room.response(201, shapes.RecallOut)
def look_again(body: Json, campaign_id: UUID) -> Any:
    """Bottles that meet the criterion by now; a finished recall is opened again for them."""
    return _recall(recalls.look_again(doing(), campaign_id=campaign_id))


@room.post("/recalls/<uuid:campaign_id>/tellings")
@room.may("recall.tell", writes=True)
@room.arguments(shapes.TellingIn)
@room.response(201, shapes.RecallOut)
def tell_recall(body: Json, campaign_id: UUID) -> Any:
    """Their holders are told; households by a message."""
    return _recall(recalls.tell(doing(), campaign_id=campaign_id, **body))


@room.post("/recalls/<uuid:campaign_id>/tasks/<uuid:cylinder_id>/settlements")
@room.may("recall.settle", writes=True)
@room.arguments(shapes.SettlementIn)
@room.response(201, shapes.RecallOut)
def settle_recall_task(body: Json, campaign_id: UUID, cylinder_id: UUID) -> Any:
    """What became of one bottle."""
    return _recall(recalls.settle(doing(), campaign_id=campaign_id, cylinder_id=cylinder_id, **body))


@room.post("/recalls/<uuid:campaign_id>/finishings")
@room.may("recall.finish", writes=True)
@room.arguments(shapes.NothingIn)
@room.response(201, shapes.RecallOut)
def finish_recall(body: Json, campaign_id: UUID) -> Any:
    """Once every bottle is settled or explained."""
    return _recall(recalls.finish(doing(), campaign_id=campaign_id))


def _recall(done: Json) -> Json:
    return recall_queries.recall(doing(), done["campaign_id"])


# --- what comes due, what is not ours -------------------------------------------------------------------


@room.get("/due-bottles")
@room.may("due.read")
@room.arguments(shapes.DueQuery, location="query")
@room.response(200, shapes.DuePage)
def list_due(query: Json) -> Page:
    """Coming inspections and ends of life, soonest first, by holder."""
    return due_queries.due(doing(), **query)


@room.post("/sightings")
@room.may("cylinder.report_sighting", writes=True)
@room.arguments(shapes.SightingIn)
@room.response(201, shapes.SightingOut)
def report_sighting(body: Json) -> Any:
    """A foreign, unknown or black bottle, with its place and a photograph's hash."""
    done = sightings.report(doing(), **body)
    return out_of_use_queries.one_sighting(doing(), done["district"], done["sighting_id"])


@room.get("/sightings")
@room.may("sighting.read")
@room.arguments(PageQuery, location="query")
@room.response(200, shapes.SightingPage)
def list_sightings(query: Json) -> Page:
    return out_of_use_queries.sightings(doing(), **query)
