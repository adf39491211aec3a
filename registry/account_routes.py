"""Thin, as ``routes.py``: people, areas free of bottled gas, and accounts with what they rest on."""

# flask-smorest has no types: its decorators are Any, as in every routes.py
# mypy: disallow-untyped-decorators=False

from typing import Any
from uuid import UUID

from core import clock
from core.http import doing
from registry import (
    accounts,
    areas,
    cards,
    household_file_queries,
    households,
    imports,
    people,
    premises_schemas,
    privacy,
    privacy_schemas,
    schemas,
    succession_schemas,
    successions,
    view_queries,
)
from registry.privacy_notice import in_force
from registry.routes import room

__all__ = ["room"]

Json = dict[str, Any]


# --------------------------------------------------------------------------------------------------------
# People


@room.post("/districts/<int:district>/people")
@room.may("person.register", writes=True)
@room.arguments(schemas.PersonIn)
@room.response(201, schemas.PersonView)
@room.alt_response(200, schema=schemas.PersonView, success=True, description="the person stands already")
def register_person(body: Json, district: int) -> tuple[Json, int]:
    done = people.register_person(doing(), **body)
    return done, 200 if done["standing"] else 201


@room.post("/districts/<int:district>/people/<uuid:person_id>/identity-checks")
@room.may("person.verify", writes=True)
@room.arguments(schemas.IdentityCheckIn)
@room.response(201, schemas.IdentityCheckView)
def verify_person(body: Json, district: int, person_id: UUID) -> Json:
    return people.verify_person(doing(), person_id, **body)


@room.post("/districts/<int:district>/households/<uuid:household_id>/reveals")
@room.may("person.reveal", writes=True)
@room.arguments(schemas.RevealIn)
@room.response(201, schemas.RevealView)
def reveal_household(body: Json, district: int, household_id: UUID) -> tuple[Json, int, Json]:
    asked = body.pop("fields_asked")
    done = people.reveal_household(doing(), household_id, fields=asked, **body)
    return household_file_queries.revealed(doing(), done), 201, {"Cache-Control": "no-store"}


@room.get("/privacy-notice")
@room.may("privacy_notice.read")
@room.response(200, privacy_schemas.NoticeView)
def privacy_notice() -> Any:
    """The version in force today: to be shown before somebody is registered."""
    return in_force(clock.today())


@room.post("/districts/<int:district>/own-data/requests")
@room.may("own_data.ask", writes=True)
@room.arguments(privacy_schemas.RequestIn)
@room.response(201, privacy_schemas.RequestedView)
def ask_about_own_data(body: Json, district: int) -> Json:
    """To correct or to erase what is on record; a clerk decides."""
    return privacy.ask(doing(), **body)


@room.post("/districts/<int:district>/own-data/requests/<uuid:request_id>/withdrawals")
@room.may("own_data.withdraw", writes=True)
@room.arguments(schemas.NothingIn)
@room.response(201, privacy_schemas.RequestedView)
def withdraw_request(body: Json, district: int, request_id: UUID) -> Json:
    return privacy.withdraw(doing(), request_id)


@room.get("/districts/<int:district>/privacy-requests")
@room.may("own_data.decide")
@room.response(200, privacy_schemas.RequestsView)
def privacy_requests(district: int) -> Json:
    """What waits for a decision, the longest first."""
    return {"items": privacy.waiting(doing())}


# --------------------------------------------------------------------------------------------------------
# Areas declared free of bottled gas


@room.post("/districts/<int:district>/free-areas")
@room.may("area.declare", writes=True)
@room.arguments(premises_schemas.FreeAreaIn)
@room.response(201, premises_schemas.FreeAreaView)
def declare_area(body: Json, district: int) -> Any:
    """Told of on one day, binding from a later one; the datum of the outline is named."""
    done = areas.declare_area(doing(), **body)
    return areas.area_view(doing(), done["area_id"])


@room.get("/districts/<int:district>/free-areas")
@room.may("area.read")
@room.arguments(premises_schemas.FreeAreaQuery, location="query")
@room.response(200, premises_schemas.FreeAreasView)
def list_areas(query: Json, district: int) -> Json:
    """Those that bind on a day, and those announced by then that do not bind yet."""
    return areas.areas(doing(), **query)


@room.post("/districts/<int:district>/free-areas/<uuid:area_id>/end")
@room.may("area.declare", writes=True)
@room.arguments(premises_schemas.AreaEndIn)
@room.response(200, premises_schemas.FreeAreaView)
def end_area(body: Json, district: int, area_id: UUID) -> Any:
    done = areas.end_area(doing(), area_id, **body)
    return areas.area_view(doing(), done["area_id"])


@room.post("/districts/<int:district>/free-areas/<uuid:area_id>/exemptions")
@room.may("area.declare", writes=True)
@room.arguments(premises_schemas.ExemptionIn)
@room.response(201, premises_schemas.ExemptionView)
def exempt_place(body: Json, district: int, area_id: UUID) -> Any:
    """One household's place in the area is supplied for a while, on the paper that says so."""
    return areas.exempt_place(doing(), area_id, **body)


# --------------------------------------------------------------------------------------------------------
# Premises, households, accounts, cards


@room.post("/districts/<int:district>/premises")
@room.may("premises.register", writes=True)
@room.arguments(schemas.PlaceIn)
@room.response(201, schemas.PlacedView)
@room.alt_response(200, schema=schemas.PlacedView, success=True, description="the household stands already")
def register_premises(place: households.Place, district: int) -> tuple[Json, int]:
    done = households.register_premises(doing(), place=place)
    return done, 200 if done["standing"] else 201


@room.post("/districts/<int:district>/households/<uuid:household_id>/surveys")
@room.may("premises.register", writes=True)
@room.arguments(schemas.SurveyIn)
@room.response(201, schemas.HouseholdView)
def survey_premises(body: Json, district: int, household_id: UUID) -> Json:
    """What somebody saw there, on which day and shown by what; what is not named stays as it was."""
    seen_on, evidence = body.pop("seen_on"), body.pop("evidence")
    households.survey_premises(doing(), household_id, seen=body, seen_on=seen_on, evidence=evidence)
    return household_file_queries.household_view(doing(), household_id)


@room.get("/districts/<int:district>/households/<uuid:household_id>")
@room.may("household.read")
@room.response(200, schemas.HouseholdView)
def read_household(district: int, household_id: UUID) -> Json:
    return household_file_queries.household_view(doing(), household_id)


@room.post("/districts/<int:district>/accounts")
@room.may("account.open", writes=True)
@room.arguments(schemas.AccountIn)
@room.response(201, schemas.AccountView)
def open_account(body: Json, district: int) -> Json:
    done = accounts.open_account(doing(), **body)
    return view_queries.account_view(doing(), done["account_id"])


@room.post("/districts/<int:district>/accounts/<uuid:account_id>/transfers")
@room.may("account.transfer", writes=True)
@room.arguments(schemas.TransferIn)
@room.response(201, schemas.AccountView)
def transfer_account(body: Json, district: int, account_id: UUID) -> Json:
    done = accounts.transfer_account(doing(), account_id, **body)
    return view_queries.account_view(doing(), done["account_id"])


@room.post("/districts/<int:district>/accounts/<uuid:account_id>/successions")
@room.may("succession.ask", writes=True)
@room.arguments(succession_schemas.SuccessionIn)
@room.response(201, succession_schemas.SuccessionView)
def ask_succession(body: Json, district: int, account_id: UUID) -> Json:
    """The registrant died or moved out: another member of the home is to take the account over."""
    done = successions.ask(doing(), account_id, **body)
    return successions.succession_view(doing(), UUID(done["succession_id"]))


@room.get("/districts/<int:district>/successions")
@room.may("succession.read")
@room.arguments(succession_schemas.SuccessionQuery, location="query")
@room.response(200, succession_schemas.SuccessionPage)
def list_successions(query: Json, district: int) -> Any:
    return successions.successions(doing(), **query)


@room.post("/districts/<int:district>/successions/<uuid:succession_id>/rejections")
@room.may("succession.decide", writes=True)
@room.arguments(succession_schemas.RejectionIn)
@room.response(201, succession_schemas.SuccessionView)
def reject_succession(body: Json, district: int, succession_id: UUID) -> Json:
    done = successions.reject(doing(), succession_id, **body)
    return successions.succession_view(doing(), UUID(done["succession_id"]))


@room.post("/districts/<int:district>/successions/<uuid:succession_id>/withdrawals")
@room.may("succession.ask", writes=True)
@room.arguments(schemas.NothingIn)
@room.response(201, succession_schemas.SuccessionView)
def withdraw_succession(body: Json, district: int, succession_id: UUID) -> Json:
    done = successions.withdraw(doing(), succession_id)
    return successions.succession_view(doing(), UUID(done["succession_id"]))


@room.post("/districts/<int:district>/accounts/<uuid:account_id>/suspensions")
@room.may("account.suspend", writes=True)
@room.arguments(schemas.SuspensionIn)
@room.response(201, schemas.AccountView)
def suspend_account(body: Json, district: int, account_id: UUID) -> Json:
    done = accounts.suspend_account(doing(), account_id, **body)
    return view_queries.account_view(doing(), done["account_id"])


@room.post("/districts/<int:district>/accounts/<uuid:account_id>/resumptions")
@room.may("account.suspend", writes=True)
@room.arguments(schemas.NothingIn)
@room.response(201, schemas.AccountView)
def resume_account(body: Json, district: int, account_id: UUID) -> Json:
    done = accounts.resume_account(doing(), account_id)
    return view_queries.account_view(doing(), done["account_id"])


@room.post("/districts/<int:district>/accounts/<uuid:account_id>/cards")
@room.may("card.issue", writes=True)
@room.arguments(schemas.CardIn)
@room.response(201, schemas.PrintableCardView)
def issue_card(body: Json, district: int, account_id: UUID) -> Json:
    done = cards.issue_card(doing(), account_id, **body)
    return view_queries.card_view(doing(), done["card_id"])


@room.post("/districts/<int:district>/cards/<uuid:card_id>/losses")
@room.may("card.block", writes=True)
@room.arguments(schemas.NothingIn)
@room.response(201, schemas.PrintableCardView)
def report_lost(body: Json, district: int, card_id: UUID) -> Json:
    done = cards.report_lost(doing(), card_id)
    return view_queries.card_view(doing(), done["card_id"])


@room.post("/districts/<int:district>/cards/<uuid:card_id>/blocks")
@room.may("card.block", writes=True)
@room.arguments(schemas.NothingIn)
@room.response(201, schemas.PrintableCardView)
def block_card(body: Json, district: int, card_id: UUID) -> Json:
    done = cards.block_card(doing(), card_id)
    return view_queries.card_view(doing(), done["card_id"])


@room.post("/districts/<int:district>/cards/<uuid:card_id>/unblocks")
@room.may("card.block", writes=True)
@room.arguments(schemas.NothingIn)
@room.response(201, schemas.PrintableCardView)
def unblock_card(body: Json, district: int, card_id: UUID) -> Json:
    done = cards.unblock_card(doing(), card_id)
    return view_queries.card_view(doing(), done["card_id"])


@room.post("/districts/<int:district>/cards/<uuid:card_id>/replacements")
@room.may("card.replace", writes=True)
@room.arguments(schemas.NothingIn)
@room.response(201, schemas.PrintableCardView)
def replace_card(body: Json, district: int, card_id: UUID) -> Json:
    done = cards.replace_card(doing(), card_id)
    return view_queries.card_view(doing(), done["card_id"])


@room.post("/districts/<int:district>/contracts")
@room.may("contract.sign", writes=True)
@room.arguments(schemas.ContractIn)
@room.response(201, schemas.ContractView)
def sign_contract(body: Json, district: int) -> Json:
    done = accounts.sign_contract(doing(), **body)
    return view_queries.contract_view(doing(), done["contract_id"])


@room.post("/districts/<int:district>/user-imports")
@room.may("account.import", writes=True)
@room.arguments(schemas.UserImportIn)
@room.response(201, schemas.UserImportView)
def import_users(body: Json, district: int) -> Json:
    done = imports.import_rows(doing(), **body)
    return imports.worded(doing(), done)
