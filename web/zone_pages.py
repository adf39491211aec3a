"""The dispatcher's pages of zones: drawn, looked at, compared, and put in force from a day.

    /dispatch/zones/                       today's zones, drafts, a file to take in, a proposal to ask for
    /dispatch/zones/drafts/<draft>         what is wrong with it, and what it would have done last month
    /dispatch/zones/drafts/<draft>/publish said once more, with the day, and done
    /dispatch/zones/proposals/<job>        how far a proposal is

A map's own file says little of what a zone is: what its features do not say is taken from today's zone of the
same number, then from the form.
"""

import json
from collections.abc import Mapping
from datetime import timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from flask import Response, redirect, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import RequestEntityTooLarge

from core import clock
from core.auth import ScopeKind
from core.geo import Datum
from core.http import doing, fingerprint_by
from core.jobs import JobState
from core.nesting import read_json
from core.problems import FieldFault, WrongField
from dispatch.rounds import zoning, zoning_jobs
from dispatch.rounds.zoning import MOST_ZONES, UnitKind, WeighBy
from dispatch.rounds.zoning_schemas import ProposalIn
from registry import zone_drafts
from registry.models import Zone
from registry.schemas import MAX_ZONES
from registry.zone_schemas import PublicationIn, ZoneDraftIn
from web import dispatcher_map, dispatcher_words, zone_words
from web.pages import Face, No, form_of, number_said, tried

face = Face("zones", __name__, prefix="/dispatch/zones")

MOST_BYTES = 4 * 2**20
BESIDE_THE_FILE = 64 * 1024
WHAT_A_ZONE_IS = ("number", "name", "firm_id", "supply_site_id", "opens_s", "closes_s")
AS_WGS84 = ("CRS84", "4326", "4490")
"""How older map files end the name of a plane in degrees that is WGS-84 or CGCS2000."""


def shown(template: str, no: No | None = None, **with_it: Any) -> ResponseReturnValue:
    drawn = render_template(
        f"dispatch/{template}.html", no=no, said=dispatcher_words, words=zone_words, **with_it
    )
    return drawn, no.status if no else 200


# --- all of them ---------------------------------------------------------------------------------------


@face.page("/", "zone.read")
def zones() -> ResponseReturnValue:
    return _zones_page(None)


def _zones_page(no: No | None) -> ResponseReturnValue:
    standing, in_force = zone_drafts.zones_on(doing(), clock.today())
    sites = zone_drafts.sites_to_start_from(doing())
    return shown(
        "zones",
        no,
        standing=standing,
        zones=in_force,
        to_come=zone_drafts.sets_to_come(doing()),
        drafts=zone_drafts.drafts(doing()),
        jobs=zoning_jobs.zones_jobs(doing()),
        site_rows=[(site.id, site.name) for site in sites],
        datum_rows=[(datum.value, zone_words.DATUM[datum]) for datum in Datum],
        unit_rows=[(unit.value, zone_words.UNIT[unit]) for unit in UnitKind],
        weigh_rows=[(weigh.value, zone_words.WEIGH[weigh]) for weigh in WeighBy],
        most_zones=MOST_ZONES,
        given=request.form,
        map=dispatcher_map.of_zones(in_force),
    )


# --- a file --------------------------------------------------------------------------------------------


@face.page("/drafts", "zone.publish", methods=("POST",), most_bytes=MOST_BYTES + BESIDE_THE_FILE)
def take_in() -> ResponseReturnValue:
    try:
        done, no = tried(_take_in)
    except RequestEntityTooLarge:
        done, no = None, No(413, errors=(_too_large(),))
    return _zones_page(no) if done is None else redirect(f"/dispatch/zones/drafts/{done['draft_id']}", 303)


def _take_in() -> dict[str, Any]:
    file = request.files.get("file")
    if file is None or not file.filename:
        raise WrongField("/file", "required", "请选一个 GeoJSON 文件", "choose a GeoJSON file")
    raw = file.stream.read(MOST_BYTES + 1)
    if len(raw) > MOST_BYTES:
        raise WrongField.all([_too_large()])
    fingerprint_by("\n".join([sha256(raw).hexdigest(), *map(str, sorted(request.form.items()))]))
    asked = {name: request.form.get(name, "") for name in ("name", "datum")}
    body = asked | {"collection": _completed(_read(raw))}
    return dict(zone_drafts.draft_zones(doing(), **form_of(ZoneDraftIn, body)))


def _too_large() -> FieldFault:
    most = MOST_BYTES // 2**20
    return FieldFault(
        "/file", "too_large", f"文件太大，最多 {most} MiB", f"the file is too large: at most {most} MiB"
    )


def _read(raw: bytes) -> Mapping[str, Any]:
    try:
        read = read_json(raw.decode("utf-8-sig"))
    except ValueError:
        raise WrongField(
            "/file", "json", "不是 JSON 文件，读不出来", "expected a JSON file in UTF-8"
        ) from None
    if not isinstance(read, Mapping) or read.get("type") != "FeatureCollection":
        raise WrongField(
            "/file", "collection", "应为 GeoJSON 的 FeatureCollection", "expected a GeoJSON FeatureCollection"
        )
    plane = read.get("crs")
    if plane is not None and not str(_named(plane)).endswith(AS_WGS84):
        raise WrongField(
            "/file",
            "crs",
            "文件写明的坐标参照系不是经纬度（WGS-84 或 CGCS2000）",
            "the file names a reference system that is not degrees of WGS-84 or CGCS2000",
        )
    return read


def _named(plane: Any) -> Any:
    properties = plane.get("properties") if isinstance(plane, Mapping) else None
    return properties.get("name") if isinstance(properties, Mapping) else None


def _completed(read: Mapping[str, Any]) -> dict[str, Any]:
    """Only what a zone is: colours and other marks of a drawing program are left behind."""
    _, in_force = zone_drafts.zones_on(doing(), clock.today())
    features = read.get("features")
    if isinstance(features, list):
        known, by_form = {zone.number: zone for zone in in_force}, _by_the_form()
        # One more than may be taken in: the schema sees that there are too many, and no more is looked at.
        features = [
            _feature(one, known, by_form, place)
            for place, one in enumerate(features[: MAX_ZONES + 1], start=1)
        ]
    return {"type": "FeatureCollection", "features": features}


def _feature(one: Any, known: Mapping[int, Zone], by_form: Mapping[str, Any], place: int) -> Any:
    if not isinstance(one, Mapping):
        return one
    given = one.get("properties")
    given = dict(given) if isinstance(given, Mapping) else {}
    said = {name: given[name] for name in WHAT_A_ZONE_IS if given.get(name) is not None}
    said.setdefault("number", place)
    before = known.get(said["number"]) if isinstance(said["number"], int) else None
    for name, value in {**by_form, **(_as_before(before) if before is not None else {})}.items():
        said.setdefault(name, value)
    said.setdefault("name", f"片区{said['number']}")
    kept = {name: one[name] for name in ("type", "geometry") if name in one}
    return kept | {"properties": said}


def _as_before(zone: Zone) -> dict[str, Any]:
    ids = {"firm_id": str(zone.firm_id), "supply_site_id": str(zone.supply_site_id)}
    return {name: getattr(zone, name) for name in ("name", "opens_s", "closes_s")} | ids


def _by_the_form() -> dict[str, Any]:
    """The supply point chosen, whose firm it is, and a working day."""
    chosen = request.form.get("supply_site_id", "")
    site = next((one for one in zone_drafts.sites_to_start_from(doing()) if str(one.id) == chosen), None)
    hours = {"opens_s": 8 * 3600, "closes_s": 20 * 3600}
    return hours | ({"firm_id": str(site.firm_id), "supply_site_id": chosen} if site else {})


# --- a draft -------------------------------------------------------------------------------------------


@face.page("/drafts/<uuid:draft_id>", "zone.read")
def draft(draft_id: UUID) -> ResponseReturnValue:
    return shown("zone_draft", **_looked_at(draft_id))


@face.page("/drafts/<uuid:draft_id>.geojson", "zone.read")
def fetch_draft(draft_id: UUID) -> Response:
    """To be changed in a map program and taken in again; WGS-84."""
    collection = zone_drafts.draft_view(doing(), draft_id)["collection"]
    answer = Response(json.dumps(collection, ensure_ascii=False), mimetype="application/geo+json")
    answer.headers["Content-Disposition"] = f'attachment; filename="zones-{str(draft_id)[-8:]}.geojson"'
    return answer


@face.page("/drafts/<uuid:draft_id>/publish", "zone.publish")
def confirm(draft_id: UUID) -> ResponseReturnValue:
    return shown("zone_publish", **_looked_at(draft_id))


@face.page("/drafts/<uuid:draft_id>/publish", "zone.publish", methods=("POST",))
def publish(draft_id: UUID) -> ResponseReturnValue:
    asked = {"valid_from": request.form.get("valid_from")}
    done, no = tried(lambda: zone_drafts.publish_draft(doing(), draft_id, **form_of(PublicationIn, asked)))
    if done is None:
        return shown("zone_publish", no, **_looked_at(draft_id))
    return redirect(f"/dispatch/zones/drafts/{draft_id}", 303)


def _looked_at(draft_id: UUID) -> dict[str, Any]:
    view = zone_drafts.draft_view(doing(), draft_id)
    checks = zone_drafts.checks(doing(), draft_id, None)
    _, in_force = zone_drafts.zones_on(doing(), clock.today())
    return {
        "draft": view,
        "checks": checks,
        "comparison": zoning.compare(doing(), draft_id, from_on=None, until_on=None, day=None),
        "names": {
            zone["properties"]["number"]: zone["properties"]["name"]
            for zone in view["collection"]["features"]
        },
        "map": dispatcher_map.of_draft(view, checks, in_force),
        "tomorrow": clock.today() + timedelta(days=1),
        "given": request.form,
    }


# --- a proposal ----------------------------------------------------------------------------------------


@face.page("/proposals", "zone.publish", methods=("POST",))
def ask_proposal() -> ResponseReturnValue:
    reach = doing().actor.reach
    asked = {
        "firm_id": reach.code if reach.kind is ScopeKind.FIRM else _firm_of_site(),
        "name": request.form.get("proposal_name"),
        "zones": number_said(request.form.get("zones")),
        "unit": request.form.get("unit"),
        "weigh_by": request.form.get("weigh_by"),
    }
    done, no = tried(lambda: zoning_jobs.ask_zones(doing(), **form_of(ProposalIn, asked)))
    return _zones_page(no) if done is None else redirect(f"/dispatch/zones/proposals/{done['job_id']}", 303)


def _firm_of_site() -> str | None:
    chosen = request.form.get("proposal_site_id", "")
    sites = zone_drafts.sites_to_start_from(doing())
    return next((str(site.firm_id) for site in sites if str(site.id) == chosen), None)


@face.page("/proposals/<uuid:job_id>", "zone.read")
def proposal(job_id: UUID) -> ResponseReturnValue:
    """How far it is; a page that is done goes on to the draft."""
    job = zoning_jobs.zones_job(doing(), job_id)
    if job["state"] is JobState.DONE:
        return redirect(f"/dispatch/zones/drafts/{job['draft_id']}", 303)
    return shown("zone_job", job=job, seconds=_seconds(job))


@face.page("/proposals/<uuid:job_id>/state", "zone.read")
def proposal_state(job_id: UUID) -> ResponseReturnValue:
    job = zoning_jobs.zones_job(doing(), job_id)
    answer = Response(
        render_template("dispatch/_plan_job.html", job=job, seconds=_seconds(job), said=zone_words)
    )
    if job["state"] not in (JobState.ASKED, JobState.RUNNING):
        answer.headers["HX-Redirect"] = f"/dispatch/zones/proposals/{job_id}"
    return answer


@face.page("/proposals/<uuid:job_id>/cancel", "zone.publish", methods=("POST",))
def cancel_proposal(job_id: UUID) -> ResponseReturnValue:
    _, no = tried(lambda: zoning_jobs.cancel_zones(doing(), job_id=job_id))
    if no is not None:
        job = zoning_jobs.zones_job(doing(), job_id)
        return shown("zone_job", no, job=job, seconds=_seconds(job))
    return redirect(f"/dispatch/zones/proposals/{job_id}", 303)


def _seconds(job: Mapping[str, Any]) -> int:
    return max(0, int((clock.now() - (job["started_at"] or job["recorded_at"])).total_seconds()))
