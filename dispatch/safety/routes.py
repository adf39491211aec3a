"""Thin: load the form, call one service, dump the answer."""

from typing import Any
from uuid import UUID

from core.http import Room, doing
from core.paging import Page
from dispatch.safety import equipment, equipment_queries, first_visits, queries, service
from dispatch.safety.catalogue import Catalogue
from dispatch.safety.equipment_schemas import (
    DueEquipmentPage,
    DueEquipmentQuery,
    EquipmentEndIn,
    EquipmentIn,
    EquipmentList,
    EquipmentView,
    FirstVisitList,
)
from dispatch.safety.notices import Printed
from dispatch.safety.schemas import (
    CatalogueOut,
    CatalogueQuery,
    CheckIn,
    CheckOut,
    CheckPage,
    ChecksQuery,
    ClosingIn,
    FollowUpPage,
    FollowUpsQuery,
    HazardOut,
    HazardPage,
    HazardQuery,
    MendingIn,
    NoticeIn,
    PrintedNoticeOut,
    ReceiptIn,
    StandingOut,
)

room = Room("safety", __name__)


@room.post("/districts/<int:district>/checks")
@room.may("check.record", writes=True)
@room.arguments(CheckIn)
@room.response(201, CheckOut)
def record(body: dict[str, Any], district: int) -> queries.CheckView:
    done = service.record(doing(), **body)
    return queries.check(doing(), UUID(done["check_id"]))


@room.get("/districts/<int:district>/checks")
@room.may("check.read")
@room.arguments(ChecksQuery, location="query")
@room.response(200, CheckPage)
def checks(query: dict[str, Any], district: int) -> Page:
    """Every check, those that found nothing too."""
    return queries.checks(doing(), **query)


@room.get("/districts/<int:district>/checks/<uuid:check_id>")
@room.may("check.read")
@room.response(200, CheckOut)
def check(district: int, check_id: UUID) -> queries.CheckView:
    return queries.check(doing(), check_id)


@room.get("/districts/<int:district>/check-catalogue")
@room.may("check.read")
@room.arguments(CatalogueQuery, location="query")
@room.response(200, CatalogueOut)
def catalogue(query: dict[str, Any], district: int) -> Catalogue:
    """What is looked at here, and what the law of that day says of each item."""
    return queries.catalogue(doing(), query.get("on"))


@room.get("/districts/<int:district>/follow-ups")
@room.may("check.read")
@room.arguments(FollowUpsQuery, location="query")
@room.response(200, FollowUpPage)
def follow_ups(query: dict[str, Any], district: int) -> Page:
    """Checks by video or telephone that no visit has followed yet."""
    return queries.follow_ups(doing(), **query)


@room.get("/districts/<int:district>/households/<uuid:household_id>/safety")
@room.may("check.read")
@room.response(200, StandingOut)
def standing(district: int, household_id: UUID) -> queries.Standing:
    """What stands against this household: open hazards, a refused check, a visit that is due."""
    return queries.standing(doing(), household_id)


@room.get("/districts/<int:district>/notices/<uuid:notice_id>")
@room.may("hazard.read")
@room.response(200, PrintedNoticeOut)
def notice(district: int, notice_id: UUID) -> Printed:
    """The whole text of a notice, for a page to print."""
    return queries.notice(doing(), notice_id)


@room.post("/districts/<int:district>/notices/<uuid:notice_id>/receipts")
@room.may("notice.receive", writes=True)
@room.arguments(ReceiptIn)
@room.response(201, PrintedNoticeOut)
def receive(body: dict[str, Any], district: int, notice_id: UUID) -> Printed:
    """Proof that the notice reached the user: signed, refused before a witness, or opened by the user."""
    service.receive(doing(), notice_id=notice_id, **body)
    return queries.notice(doing(), notice_id)


@room.get("/districts/<int:district>/hazards")
@room.may("hazard.read")
@room.arguments(HazardQuery, location="query")
@room.response(200, HazardPage)
def hazards(query: dict[str, Any], district: int) -> Page:
    return queries.hazards(doing(), **query)


@room.get("/districts/<int:district>/hazards/<uuid:hazard_id>")
@room.may("hazard.read")
@room.response(200, HazardOut)
def hazard(district: int, hazard_id: UUID) -> queries.HazardView:
    return queries.hazard(doing(), hazard_id)


@room.post("/districts/<int:district>/hazards/<uuid:hazard_id>/notices")
@room.may("hazard.tell", writes=True)
@room.arguments(NoticeIn)
@room.response(201, HazardOut)
def tell(body: dict[str, Any], district: int, hazard_id: UUID) -> queries.HazardView:
    service.tell(doing(), hazard_id=hazard_id, **body)
    return queries.hazard(doing(), hazard_id)


@room.post("/districts/<int:district>/hazards/<uuid:hazard_id>/mendings")
@room.may("hazard.claim_mended", writes=True)
@room.arguments(MendingIn)
@room.response(201, HazardOut)
def claim_mended(body: dict[str, Any], district: int, hazard_id: UUID) -> queries.HazardView:
    service.claim_mended(doing(), hazard_id=hazard_id)
    return queries.hazard(doing(), hazard_id)


@room.post("/districts/<int:district>/hazards/<uuid:hazard_id>/closings")
@room.may("hazard.close", writes=True)
@room.arguments(ClosingIn)
@room.response(201, HazardOut)
def close(body: dict[str, Any], district: int, hazard_id: UUID) -> queries.HazardView:
    service.close(doing(), hazard_id=hazard_id, **body)
    return queries.hazard(doing(), hazard_id)


@room.post("/districts/<int:district>/households/<uuid:household_id>/equipment")
@room.may("equipment.enter", writes=True)
@room.arguments(EquipmentIn)
@room.response(201, EquipmentView)
def enter_equipment(body: dict[str, Any], district: int, household_id: UUID) -> dict[str, Any]:
    """A hose, a regulator or an alarm as it hangs there; what it replaces ends on the same day."""
    done = equipment.enter(doing(), household_id, **body)
    return equipment_queries.one_piece(doing(), UUID(done["equipment_id"]))


@room.get("/districts/<int:district>/households/<uuid:household_id>/equipment")
@room.may("equipment.read")
@room.response(200, EquipmentList)
def read_equipment(district: int, household_id: UUID) -> dict[str, Any]:
    """What hangs there now, and what did before."""
    return {"items": equipment_queries.equipment_of(doing(), household_id)}


@room.post("/districts/<int:district>/equipment/<uuid:equipment_id>/ends")
@room.may("equipment.enter", writes=True)
@room.arguments(EquipmentEndIn)
@room.response(201, EquipmentView)
def end_equipment(body: dict[str, Any], district: int, equipment_id: UUID) -> dict[str, Any]:
    """Taken away, with nothing in its place."""
    done = equipment.end(doing(), equipment_id, **body)
    return equipment_queries.one_piece(doing(), UUID(done["equipment_id"]))


@room.get("/districts/<int:district>/due-equipment")
@room.may("equipment.read")
@room.arguments(DueEquipmentQuery, location="query")
@room.response(200, DueEquipmentPage)
def due_equipment(query: dict[str, Any], district: int) -> Page:
    """Hoses, regulators and alarms that must be replaced, and rubber hoses where they are barred."""
    return equipment_queries.due(doing(), **query)


@room.get("/districts/<int:district>/first-visits")
@room.may("vulnerability.read")
@room.response(200, FirstVisitList)
def list_first_visits(district: int) -> dict[str, Any]:
    """Households that are looked after first: never checked, then longest not checked; why is not said."""
    return {"items": first_visits.first_visits(doing())}
