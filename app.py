"""The application: its settings, its rooms, its error page; nothing else."""

from collections.abc import Callable
from typing import Any

from flask import Flask, Request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface

import core.confirmations
import core.demo_clock
import core.idempotency
import core.jobs
import core.limits
import core.second_factor
import rulebook.models
import web.api_page
import web.dispatcher_left_over
import web.dispatcher_outside_zone
import web.dispatcher_roster
import web.dispatcher_stand_ins
import web.pages
import web.replay_pages
import web.resident.my_data
import web.resident.proxies
import web.resident.refusal_notices
import web.resident.reviews
import web.rights
import web.vehicle_labels
import web.zone_drawing
import web.zone_price_pages
from core import http, logs
from core.ground import Ground
from core.outbox import subscribe
from cylinders.filling_routes import room as fillings
from cylinders.life_routes import room as cylinders
from dispatch.deliveries.routes import room as deliveries
from dispatch.orders.routes import room as orders
from dispatch.rounds.left_over_routes import room as left_over
from dispatch.rounds.position_routes import room as positions
from dispatch.rounds.roster_routes import room as rosters
from dispatch.rounds.routes import room as rounds
from dispatch.rounds.zone_price_routes import room as zone_prices
from dispatch.safety.routes import room as safety
from oversight.refusal_notice_routes import room as refusal_notices
from oversight.review_routes import room as reviews
from oversight.routes import room as oversight
from registry.district_routes import room as registry
from registry.privacy_models import Reveal
from web.bans import face as bans
from web.clear_out import face as clear_out
from web.collisions import face as collisions
from web.courier import face as courier
from web.dispatcher import face as dispatcher
from web.filling_stops import face as filling_stops
from web.health import room as health
from web.household_file import face as household_file
from web.labels import face as labels
from web.metrics import room as metrics
from web.moving import face as moving
from web.new_number import room as new_number
from web.office import face as office
from web.phone import room as phone
from web.privacy_page import room as privacy_page
from web.public import room as public
from web.refusal_notices import face as refusal_notice_pages
from web.refusal_notices import room as refusal_papers
from web.regulator import face as regulator
from web.resident.pages import face as resident
from web.reviews import face as review_pages
from web.second_step import own as own_sessions
from web.second_step import room as second_step
from web.signing_in import own as own_password
from web.signing_in import room as signing_in
from web.start import room as start
from web.station import face as station
from web.suppliers import room as suppliers
from web.vouchers import room as vouchers
from web.zone_pages import face as zone_pages

# tables that no room's routes bring along
TABLES = (
    core.confirmations.Confirmation,
    core.demo_clock.DemoClock,
    core.idempotency.Idempotency,
    core.jobs.Job,
    core.limits.Tried,
    core.second_factor.SecondFactor,
    Reveal,
    rulebook.models.Decision,
)
ROOMS = (
    registry,
    cylinders,
    fillings,
    safety,
    orders,
    rosters,
    positions,
    rounds,
    left_over,
    zone_prices,
    deliveries,
    oversight,
    reviews,
    refusal_notices,
)
PAGES = (
    health,
    metrics,
    start,
    privacy_page,
    suppliers,
    signing_in,
    phone,
    new_number,
    own_password,
    second_step,
    own_sessions,
    resident,
    station,
    dispatcher,
    moving,
    zone_pages,
    regulator,
    courier,
    office,
    labels,
    public,
    vouchers,
    refusal_papers,
    bans,
    clear_out,
    collisions,
    filling_stops,
    household_file,
    review_pages,
    refusal_notice_pages,
)


class PagesOnly(SecureCookieSessionInterface):
    """The API is shown a token, never a cookie: it neither reads nor writes one. Its document is a page."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        return None if request.path.startswith("/api/v1/") else super().open_session(app, request)


class Application(Flask):
    session_interface = PagesOnly()

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """No view of ours is a coroutine: not worth asking five times a request."""
        return func


def create_app(ground: Ground) -> Flask:
    app = Application(__name__, static_folder=None)
    app.json = http.Json(app)
    app.config.update(
        API_TITLE="LPG cylinder traceability and delivery dispatch",
        API_VERSION="v1",
        OPENAPI_VERSION="3.1.0",
        OPENAPI_URL_PREFIX="/api",
        OPENAPI_JSON_PATH="openapi.json",
        MAX_CONTENT_LENGTH=8 * 1024 * 1024,
        PROPAGATE_EXCEPTIONS=False,
    )
    app.extensions["ground"] = ground
    app.extensions["rights"] = web.rights.RIGHTS
    app.before_request(http.before_request)
    app.after_request(http.after_request)
    api = http.Api(app)
    for room in ROOMS:
        api.register_blueprint(room)
    web.pages.furnish(app)
    app.register_blueprint(web.api_page.room)
    for pages in PAGES:
        app.register_blueprint(pages)
    return app


def subscribe_handlers() -> None:
    """Who is told of what: topic, consumer, handler."""
    from cylinders import messages as about_bottles
    from cylinders.fillings import SHORT_WEIGHT_FOUND
    from cylinders.life import REPORTED_UNFIT
    from cylinders.notices import DUE, DUE_FOR_FIRM
    from cylinders.out_of_use import ANOMALY_FOUND, SEIZED
    from cylinders.recalls import TOLD
    from cylinders.sightings import SCANNED_AGAIN
    from dispatch.deliveries.confirming import PROBLEM_REPORTED
    from dispatch.deliveries.messages import word_delivered, word_door_code, word_withheld
    from dispatch.orders.messages import word_booked, word_moved
    from dispatch.safety.messages import word_told
    from oversight.refusal_notices import ISSUED
    from oversight.review_messages import word_answered, word_told_in_writing
    from oversight.reviews import ANSWERED
    from oversight.service import raise_tip
    from registry import (
        letting_messages,
        lettings,
        new_numbers,
        phone_codes,
        privacy,
        proxies,
        proxy_messages,
    )

    from_phones = ("device.forked", "scan.not_applied")
    of_bottles = ("cylinder.stranger_seen", "cylinder.problem_reported", "identifier.collision_found")
    at_the_agency_and_the_gun = (REPORTED_UNFIT, SEIZED, ANOMALY_FOUND, SCANNED_AGAIN, SHORT_WEIGHT_FOUND)
    from_the_page = ("code.probed",)
    alarms = (*of_bottles, *from_the_page, *from_phones, "custody.conflict_found", PROBLEM_REPORTED)
    for topic in (*alarms, *at_the_agency_and_the_gun):
        subscribe(topic, "oversight.tips", raise_tip)
    subscribe(DUE, "messages", about_bottles.word_due)
    subscribe(DUE_FOR_FIRM, "messages", about_bottles.word_due_to_firm)
    subscribe(TOLD, "messages", about_bottles.word_recalled)
    subscribe(phone_codes.TOPIC, "messages", phone_codes.word_code)
    subscribe(new_numbers.APPLIED, "registry.numbers", new_numbers.look_up)
    subscribe(new_numbers.NUMBER_ASKED, "messages", new_numbers.word_asked)
    subscribe(privacy.NUMBER_CHANGED, "messages", new_numbers.word_changed)
    for topic in (lettings.ENTERED, lettings.ENDED):
        subscribe(topic, "messages", letting_messages.word_to_tenant)
        subscribe(topic, "messages.landlord", letting_messages.word_to_landlord)
    subscribe("order.booked", "messages", word_booked)
    subscribe("order.moved", "messages", word_moved)
    subscribe("door_code.issued", "messages", word_door_code)
    subscribe("order.delivered", "messages", word_delivered)
    subscribe("order.withheld", "messages", word_withheld)
    subscribe("hazard.told", "messages", word_told)
    subscribe(ANSWERED, "messages", word_answered)
    subscribe(ISSUED, "messages", word_told_in_writing)
    for topic in (proxies.NAMED, proxies.AGREED, proxies.TURNED_DOWN, proxies.ENDED):
        subscribe(topic, "messages", proxy_messages.word_to_giver)
    for topic in (proxies.NAMED, proxies.AGREED, proxies.ENDED):
        subscribe(topic, "messages.proxy", proxy_messages.word_to_proxy)


def take_on_jobs() -> None:
    """Who does the jobs of which kind."""
    from cylinders import notices
    from cylinders.imports import IMPORT_JOB, do_import_job
    from dispatch.rounds.queries import PLAN_JOB
    from dispatch.rounds.roster import ROSTER_JOB, do_roster_job
    from dispatch.rounds.service import do_plan_job
    from dispatch.rounds.zone_prices import PRICE_JOB, do_price_job
    from dispatch.rounds.zoning_jobs import ZONES_JOB, do_zones_job
    from dispatch.safety import equipment_due

    core.jobs.take_on(PLAN_JOB, do_plan_job)
    core.jobs.take_on(ROSTER_JOB, do_roster_job)
    core.jobs.take_on(ZONES_JOB, do_zones_job)
    core.jobs.take_on(PRICE_JOB, do_price_job)
    core.jobs.take_on(IMPORT_JOB, do_import_job)
    core.jobs.take_on(notices.DUE_JOB, notices.do_job)
    core.jobs.take_on(equipment_due.HAZARDS_JOB, equipment_due.do_job)


subscribe_handlers()
take_on_jobs()
logs.configure()
