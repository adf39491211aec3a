"""Thin: load the form, call one service, dump the answer. Here firms, sites and grants, crews and zones.

The room's other routes follow in ``account_routes``, ``household_routes`` and ``district_routes``, each upon
the one before, so that the document keeps their order.
"""

from typing import Any
from uuid import UUID

from core import clock
from core.http import Room, doing
from registry import (
    agencies,
    crews,
    devices,
    firms,
    grants,
    papers,
    passwords,
    schemas,
    second_factors,
    substitutions,
    trainings,
    view_queries,
    zone_drafts,
    zone_schemas,
    zones,
)

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
