"""Thin: load the form, call one service, dump the answer."""

from typing import Any
from uuid import UUID

from core import clock
from core.http import Room, doing
from registry import (
    account_reviews,
    accounts,
    agencies,
    areas,
    banned_uses,
    cards,
    clear_out,
    clear_out_schemas,
    conversions,
    crews,
    deposits,
    devices,
    division_schemas,
    divisions,
    firms,
    grants,
    household_file_queries,
    households,
    imports,
    letting_schemas,
    lettings,
    papers,
    passwords,
    people,
    premises_schemas,
    privacy,
    privacy_schemas,
    proxies,
    proxy_queries,
    proxy_schemas,
    schemas,
    second_factors,
    substitutions,
    succession_schemas,
    successions,
    trainings,
    view_queries,
    vulnerability,
    vulnerability_schemas,
    zone_drafts,
    zone_schemas,
    zones,
)
from registry.privacy_notice import in_force

room = Room("registry", __name__)

Json = dict[str, Any]


# --------------------------------------------------------------------------------------------------------
# Firms, sites, grants


@room.post("/firms")
@room.may("firm.register", writes=True)
@room.arguments(schemas.FirmIn)
@room.response(201, schemas.FirmView)
def register_firm(body: Json) -> Json:
    done = firms.register_firm(doing(), **body)
    return view_queries.firm_view(doing(), done["firm_id"])


@room.post("/firms/<uuid:firm_id>/licences")
@room.may("firm.register", writes=True)
@room.arguments(schemas.LicencesIn)
@room.response(201, schemas.FirmView)
def license_firm(body: Json, firm_id: UUID) -> Json:
    done = firms.license_firm(doing(), firm_id, **body)
    return view_queries.firm_view(doing(), done["firm_id"])


@room.post("/sites")
@room.may("site.register", writes=True)
@room.arguments(schemas.SiteIn)
@room.response(201, schemas.SiteView)
def register_site(body: Json) -> Json:
    done = firms.register_site(doing(), **body)
    return view_queries.site_view(doing(), done["site_id"])


@room.post("/agencies")
@room.may("agency.register", writes=True)
@room.arguments(schemas.AgencyIn)
@room.response(201, schemas.AgencyView)
def register_agency(body: Json) -> Any:
    done = agencies.register_agency(doing(), **body)
    return agencies.agency_view(doing(), done["agency_id"])


@room.get("/agencies")
@room.may("agency.read")
@room.response(200, schemas.AgenciesView)
def list_agencies() -> Json:
    """Where a bottle can be sent to be inspected."""
    return agencies.agencies(doing())


@room.post("/sites/<uuid:site_id>/licences")
@room.may("site.register", writes=True)
@room.arguments(schemas.LicencesIn)
@room.response(201, schemas.SiteView)
def license_site(body: Json, site_id: UUID) -> Json:
    done = firms.license_site(doing(), site_id, **body)
    return view_queries.site_view(doing(), done["site_id"])


@room.post("/grants")
@room.may("grant.give", writes=True)
@room.arguments(schemas.GrantIn)
@room.response(201, schemas.GrantView)
def give_grant(body: Json) -> Json:
    given = grants.give_grant(doing(), **body)
    return {
        "grant_id": given.grant_id,
        "principal_id": given.principal_id,
        "token": given.token,
        "token_shown": given.token is not None,
    }


@room.post("/grants/<uuid:grant_id>/end")
@room.may("grant.end", writes=True)
@room.arguments(schemas.NothingIn)
@room.response(200, schemas.EndedGrantView)
def end_grant(body: Json, grant_id: UUID) -> Json:
    return grants.end_grant(doing(), grant_id)


@room.post("/passwords")
@room.may("password.set", writes=True)
@room.arguments(schemas.PasswordIn)
@room.response(201, schemas.PasswordView)
def set_password(body: Json) -> Json:
    """A name and password for the pages; the former ones, and sessions opened with them, are gone."""
    return passwords.set_password(doing(), **body)


@room.post("/second-factors")
@room.may("second_factor.enrol", writes=True)
@room.arguments(schemas.NothingIn)
@room.response(201, schemas.SecondFactorView)
def begin_second_factor(body: Json) -> tuple[Any, int, Json]:
    """A secret of one's own for an authenticator; in force once a code of it was given."""
    return second_factors.begin(doing()), 201, {"Cache-Control": "no-store"}


@room.post("/second-factors/codes")
@room.may("second_factor.enrol", writes=True)
@room.arguments(schemas.CodeIn)
@room.response(201, schemas.RecoveryCodesView)
def enrol_second_factor(body: Json) -> tuple[Json, int, Json]:
    codes = second_factors.enrol(doing(), **body)
    return {"recovery_codes": codes}, 201, {"Cache-Control": "no-store"}


@room.post("/second-factors/resets")
@room.may("second_factor.reset", writes=True)
@room.arguments(schemas.PrincipalIn)
@room.response(201, schemas.ResetView)
def reset_second_factor(body: Json) -> Json:
    """The telephone was lost: factor, recovery codes and every session of this principal are gone."""
    return second_factors.reset(doing(), **body)


@room.post("/session-endings")
@room.may("session.end", writes=True)
@room.arguments(schemas.PrincipalIn)
@room.response(201, schemas.EndedSessionsView)
def end_sessions(body: Json) -> Json:
    """Every page this principal is signed in on asks to sign in again."""
    return second_factors.end_sessions(doing(), **body)


@room.post("/confirmations")
@room.may("presence.confirm")
@room.arguments(schemas.ConfirmationIn)
@room.response(200, schemas.ConfirmedView)
def confirm_presence(body: Json) -> Json:
    """Show once more who holds this token; what is sensitive asks for it some minutes before."""
    second_factors.confirm(doing(), **body)
    return {"confirmed_at": clock.now()}


# --------------------------------------------------------------------------------------------------------
# Crews and zones


@room.post("/districts/<int:district>/staff")
@room.may("staff.register", writes=True)
@room.arguments(schemas.StaffIn)
@room.response(201, schemas.StaffView)
def register_staff(body: Json, district: int) -> Json:
    done = crews.register_staff(doing(), **body)
    return view_queries.staff_view(doing(), done["staff_id"])


@room.post("/districts/<int:district>/staff/<uuid:staff_id>/trainings")
@room.may("staff.register", writes=True)
@room.arguments(schemas.TrainingsIn)
@room.response(201, schemas.StaffView)
def record_trainings(body: Json, district: int, staff_id: UUID) -> Json:
    """Without training in force nobody fills, is bound, loads or hands over."""
    done = trainings.record_trainings(doing(), staff_id, **body)
    return view_queries.staff_view(doing(), done["staff_id"])


@room.get("/districts/<int:district>/expiring-papers")
@room.may("paper.read")
@room.arguments(schemas.ExpiringQuery, location="query")
@room.response(200, schemas.ExpiringView)
def expiring_papers(query: Json, district: int) -> Json:
    """Licences, permits, certificates, trainings and contracts that lapsed or lapse soon, the first first."""
    return {"items": papers.expiring(doing(), **query)}


@room.get("/suppliers")
@room.may("supplier.read")
@room.response(200, schemas.SuppliersView)
def lawful_suppliers() -> Json:
    """Who may supply bottled gas today, and where; the page /suppliers shows it to everybody."""
    with doing().ground.reads() as db:
        return {"items": papers.lawful_suppliers(db, clock.today())}


@room.post("/districts/<int:district>/vehicles")
@room.may("vehicle.register", writes=True)
@room.arguments(schemas.VehicleIn)
@room.response(201, schemas.VehicleView)
def register_vehicle(body: Json, district: int) -> Json:
    done = crews.register_vehicle(doing(), **body)
    return view_queries.vehicle_view(doing(), done["vehicle_id"])


@room.post("/districts/<int:district>/devices")
@room.may("device.enrol", writes=True)
@room.arguments(schemas.DeviceIn)
@room.response(201, schemas.DeviceView)
def enrol_device(body: Json, district: int) -> Json:
    done = devices.enrol_device(doing(), **body)
    return view_queries.device_view(doing(), done["device_id"])


@room.post("/districts/<int:district>/devices/<uuid:device_id>/keys")
@room.may("device.enrol_key", writes=True)
@room.arguments(schemas.DeviceKeyIn)
@room.response(201, schemas.DeviceView)
def enrol_device_key(body: Json, district: int, device_id: UUID) -> Json:
    """The bound courier's phone gives its public key and proves that it holds the other half."""
    done = devices.enrol_key(doing(), device_id=device_id, **body)
    return view_queries.device_view(doing(), done["device_id"])


@room.post("/districts/<int:district>/devices/<uuid:device_id>/anchors")
@room.may("scan.report")
@room.arguments(schemas.AnchorIn)
@room.response(200, schemas.AnchorView)
def anchor_device(body: Json, district: int, device_id: UUID) -> Any:
    """Our time, sealed, for the phone to bring back with what it reports. Nothing is written."""
    return view_queries.device_anchor(doing(), device_id, **body)


@room.post("/districts/<int:district>/devices/<uuid:device_id>/revocations")
@room.may("device.revoke", writes=True)
@room.arguments(schemas.RevocationIn)
@room.response(201, schemas.DeviceView)
def revoke_device(body: Json, district: int, device_id: UUID) -> Json:
    """The device is used no more; what it signed before is still taken."""
    done = devices.revoke(doing(), device_id=device_id, **body)
    return view_queries.device_view(doing(), done["device_id"])


@room.post("/districts/<int:district>/bindings")
@room.may("binding.bind", writes=True)
@room.arguments(schemas.BindingIn)
@room.response(201, schemas.BindingView)
def bind(body: Json, district: int) -> Json:
    done = crews.bind(doing(), **body)
    return view_queries.binding_view(doing(), done["binding_id"])


@room.post("/districts/<int:district>/bindings/<uuid:binding_id>/end")
@room.may("binding.end", writes=True)
@room.arguments(schemas.BindingEndIn)
@room.response(200, schemas.BindingView)
def end_binding(body: Json, district: int, binding_id: UUID) -> Json:
    done = crews.end_binding(doing(), binding_id, **body)
    return view_queries.binding_view(doing(), done["binding_id"])


@room.get("/districts/<int:district>/substitutions")
@room.may("binding.read")
@room.arguments(zone_schemas.SubstitutionsQuery, location="query")
@room.response(200, zone_schemas.SubstitutionsView)
def list_substitutions(query: Json, district: int) -> Json:
    """Who stands in for whom at an instant."""
    return substitutions.substitutions(doing(), **query)


@room.post("/districts/<int:district>/zone-sets")
@room.may("zone.publish", writes=True)
@room.arguments(schemas.ZoneSetIn)
@room.response(201, schemas.ZoneSetView)
def publish_zones(body: Json, district: int) -> Json:
    done = zones.publish_zones(doing(), **body)
    return view_queries.zone_set_view(doing(), done["zone_set_id"])


@room.get("/districts/<int:district>/zone-sets/current")
@room.may("zone.read")
@room.arguments(schemas.DayQuery, location="query")
@room.response(200, schemas.ZoneSetView)
def current_zones(query: Json, district: int) -> Json:
    return view_queries.current_zone_set(doing(), **query)


@room.post("/districts/<int:district>/zone-drafts")
@room.may("zone.publish", writes=True)
@room.arguments(zone_schemas.ZoneDraftIn)
@room.response(201, zone_schemas.ZoneDraftView)
def draft_zones(body: Json, district: int) -> Json:
    """Zones from a map's GeoJSON file, to be looked at before they bind anybody."""
    done = zone_drafts.draft_zones(doing(), **body)
    return zone_drafts.draft_view(doing(), UUID(done["draft_id"]))


@room.get("/districts/<int:district>/zone-drafts/<uuid:draft_id>")
@room.may("zone.read")
@room.response(200, zone_schemas.ZoneDraftView)
def read_zone_draft(district: int, draft_id: UUID) -> Json:
    return zone_drafts.draft_view(doing(), draft_id)


@room.get("/districts/<int:district>/zone-drafts/<uuid:draft_id>/checks")
@room.may("zone.read")
@room.arguments(schemas.DayQuery, location="query")
@room.response(200, zone_schemas.ZoneChecksView)
def check_zone_draft(query: Json, district: int, draft_id: UUID) -> Json:
    """Overlaps, gaps, ground and homes left without a zone, beside the zones in force on a day."""
    return zone_drafts.checks(doing(), draft_id, **query)


@room.post("/districts/<int:district>/zone-drafts/<uuid:draft_id>/publications")
@room.may("zone.publish", writes=True)
@room.arguments(zone_schemas.PublicationIn)
@room.response(201, schemas.ZoneSetView)
def publish_zone_draft(body: Json, district: int, draft_id: UUID) -> Json:
    """The draft becomes the district's zones from a day on."""
    done = zone_drafts.publish_draft(doing(), draft_id, **body)
    return view_queries.zone_set_view(doing(), done["zone_set_id"])


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


# --------------------------------------------------------------------------------------------------------
# Bottled gas where it may not be; what stands beside an account


@room.post("/districts/<int:district>/banned-uses")
@room.may("banned_use.report", writes=True)
@room.arguments(premises_schemas.BannedUseIn)
@room.response(201, premises_schemas.BannedUseView)
def report_banned_use(seen: banned_uses.Seen, district: int) -> Json:
    done = banned_uses.report_use(doing(), seen=seen)
    return banned_uses.use_view(doing(), done["use_id"])


@room.get("/districts/<int:district>/banned-uses")
@room.may("banned_use.settle")
@room.arguments(premises_schemas.BannedUseQuery, location="query")
@room.response(200, premises_schemas.BannedUsePage)
def list_banned_uses(query: Json, district: int) -> Any:
    return banned_uses.uses(doing(), **query)


@room.post("/districts/<int:district>/banned-uses/<uuid:use_id>/notices")
@room.may("banned_use.settle", writes=True)
@room.arguments(premises_schemas.UseNoticeIn)
@room.response(201, premises_schemas.BannedUseView)
def notify_banned_use(body: Json, district: int, use_id: UUID) -> Json:
    done = banned_uses.give_notice(doing(), use_id, **body)
    return banned_uses.use_view(doing(), done["use_id"])


@room.post("/districts/<int:district>/banned-uses/<uuid:use_id>/joint-clearings")
@room.may("banned_use.settle", writes=True)
@room.arguments(premises_schemas.JointClearingIn)
@room.response(201, premises_schemas.BannedUseView)
def clear_banned_use_jointly(body: Json, district: int, use_id: UUID) -> Json:
    done = banned_uses.clear_jointly(doing(), use_id, **body)
    return banned_uses.use_view(doing(), done["use_id"])


@room.post("/districts/<int:district>/banned-uses/<uuid:use_id>/clearings")
@room.may("banned_use.settle", writes=True)
@room.arguments(premises_schemas.ShownByIn)
@room.response(201, premises_schemas.BannedUseView)
def clear_banned_use(body: Json, district: int, use_id: UUID) -> Json:
    done = banned_uses.clear(doing(), use_id, **body)
    return banned_uses.use_view(doing(), done["use_id"])


@room.post("/districts/<int:district>/banned-uses/<uuid:use_id>/dismissals")
@room.may("banned_use.settle", writes=True)
@room.arguments(premises_schemas.ShownByIn)
@room.response(201, premises_schemas.BannedUseView)
def dismiss_banned_use(body: Json, district: int, use_id: UUID) -> Json:
    done = banned_uses.dismiss(doing(), use_id, **body)
    return banned_uses.use_view(doing(), done["use_id"])


@room.get("/districts/<int:district>/account-reviews")
@room.may("account.review")
@room.arguments(premises_schemas.ReviewQuery, location="query")
@room.response(200, premises_schemas.ReviewPage)
def list_account_reviews(query: Json, district: int) -> Any:
    """Accounts opened or passed on after the bar took effect: those of the 41 days, and later ones."""
    decided = {"true": True, "false": False}.get(query.pop("decided") or "")
    return account_reviews.review_list(doing(), decided=decided, **query)


@room.post("/districts/<int:district>/accounts/<uuid:account_id>/reviews")
@room.may("account.review", writes=True)
@room.arguments(premises_schemas.ReviewIn)
@room.response(201, premises_schemas.ReviewView)
def review_account(body: Json, district: int, account_id: UUID) -> Json:
    done = account_reviews.review_account(doing(), account_id, **body)
    return account_reviews.review_view(doing(), done["account_id"])


@room.post("/districts/<int:district>/accounts/<uuid:account_id>/deposit-lines")
@room.may("deposit.enter", writes=True)
@room.arguments(premises_schemas.DepositIn)
@room.response(201, premises_schemas.DepositView)
def enter_deposit(body: Json, district: int, account_id: UUID) -> Json:
    deposits.enter_deposit(doing(), account_id, **body)
    return deposits.deposit_view(doing(), account_id)


@room.get("/districts/<int:district>/accounts/<uuid:account_id>/deposit-lines")
@room.may("deposit.read")
@room.response(200, premises_schemas.DepositView)
def read_deposit(district: int, account_id: UUID) -> Json:
    return deposits.deposit_view(doing(), account_id)


# --------------------------------------------------------------------------------------------------------
# Those looked after first


@room.post("/districts/<int:district>/households/<uuid:household_id>/vulnerabilities")
@room.may("vulnerability.enter", writes=True)
@room.arguments(vulnerability_schemas.VulnerabilityIn)
@room.response(201, vulnerability_schemas.ListedView)
def enter_vulnerability(body: Json, district: int, household_id: UUID) -> Json:
    """Why a household is looked after first: sealed, and in no entry."""
    return vulnerability.enter(doing(), household_id, **body)


@room.post("/districts/<int:district>/households/<uuid:household_id>/vulnerabilities/<uuid:row_id>/ends")
@room.may("vulnerability.enter", writes=True)
@room.arguments(schemas.NothingIn)
@room.response(201, vulnerability_schemas.ListedView)
def end_vulnerability(body: Json, district: int, household_id: UUID, row_id: UUID) -> Json:
    return vulnerability.end(doing(), household_id, row_id)


# --- lettings ---------------------------------------------------------------------------------------------


@room.post("/districts/<int:district>/households/<uuid:household_id>/lettings")
@room.may("letting.enter", writes=True)
@room.arguments(letting_schemas.LettingIn)
@room.response(201, letting_schemas.EnteredView)
def enter_letting(body: Json, district: int, household_id: UUID) -> Json:
    """Who lets this home to its registrant; what stood until now ends."""
    return lettings.enter(doing(), household_id, **body)


@room.get("/districts/<int:district>/households/<uuid:household_id>/lettings")
@room.may("letting.read")
@room.response(200, letting_schemas.LettingList)
def lettings_of_household(district: int, household_id: UUID) -> Json:
    return {"items": lettings.lettings(doing(), household_id)}


@room.post("/districts/<int:district>/households/<uuid:household_id>/lettings/<uuid:letting_id>/ends")
@room.may("letting.end", writes=True)
@room.arguments(schemas.NothingIn)
@room.response(201, letting_schemas.EnteredView)
def end_letting(body: Json, district: int, household_id: UUID, letting_id: UUID) -> Json:
    return lettings.end(doing(), household_id, letting_id)


# --- proxies ----------------------------------------------------------------------------------------------


@room.post("/districts/<int:district>/households/<uuid:household_id>/proxies")
@room.may("proxy.name", writes=True)
@room.arguments(proxy_schemas.ProxyIn)
@room.response(201, proxy_schemas.ConsentView)
def name_proxy(body: dict[str, Any], district: int, household_id: UUID) -> proxy_queries.ConsentSeen:
    """Somebody who may book or receive for this home, once they agree; at a counter by a paper of both."""
    done = proxies.name_proxy(doing(), household_id, **body)
    return proxy_queries.consent(doing(), UUID(done["consent_id"]))


@room.get("/districts/<int:district>/households/<uuid:household_id>/proxies")
@room.may("proxy.read")
@room.response(200, proxy_schemas.ConsentList)
def proxies_of_household(district: int, household_id: UUID) -> dict[str, Any]:
    return {"items": proxy_queries.consents_of(doing(), household_id)}


@room.get("/districts/<int:district>/own-proxies")
@room.may("proxy.answer")
@room.response(200, proxy_schemas.ConsentList)
def own_proxies(district: int) -> dict[str, Any]:
    """Consents one gave, has, or is asked to give."""
    return {"items": proxy_queries.own_consents(doing())}


@room.post("/districts/<int:district>/proxies/<uuid:consent_id>/answers")
@room.may("proxy.answer", writes=True)
@room.arguments(proxy_schemas.ProxyAnswerIn)
@room.response(201, proxy_schemas.ConsentView)
def answer_proxy(body: dict[str, Any], district: int, consent_id: UUID) -> proxy_queries.ConsentSeen:
    """By whoever was named: yes or no."""
    proxies.answer(doing(), consent_id, **body)
    return proxy_queries.consent(doing(), consent_id)


@room.post("/districts/<int:district>/proxies/<uuid:consent_id>/endings")
@room.may("proxy.end", writes=True)
@room.arguments(proxy_schemas.ProxyEndIn)
@room.response(201, proxy_schemas.ConsentView)
def end_proxy(body: dict[str, Any], district: int, consent_id: UUID) -> proxy_queries.ConsentSeen:
    """By either side, or at a counter for one of them."""
    proxies.end(doing(), consent_id)
    return proxy_queries.consent(doing(), consent_id)


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
