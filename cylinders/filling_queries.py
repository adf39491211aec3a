"""Reads of the act of filling: what a station fills with now, one authorisation and how it went."""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import clock
from core.doing import Doing
from core.ground import Ground
from core.problems import NotFound
from core.refusal import Refusal
from cylinders.filling_gate import StartFacts
from cylinders.filling_models import (
    CheckPhase,
    FillingAuthorisation,
    FillingCheck,
    FillingStop,
    FillingWeighing,
    GasBatch,
    GasBatchUse,
    GasTest,
    Scale,
    ScaleVerification,
)
from cylinders.filling_states import FillingState
from cylinders.models import Cylinder, Filling
from cylinders.queries import labels_of
from registry.models import Site, SiteKind
from rulebook import current

OPEN = (FillingState.AUTHORISED, FillingState.FILLING)
EXPIRED = "expired"

# --- what a station fills with ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Means:
    """A scale and a batch of a station as they are now. None: not on file, or nothing in use."""

    scale: Scale | None
    batch: GasBatch | None
    scale_verified_until: date | None
    is_batch_in_use: bool
    test: GasTest | None
    is_scale_stopped: bool
    is_station_stopped: bool

    def facts(self, stamped_tare_g: int | None) -> StartFacts:
        return StartFacts(
            product=self.batch.product if self.batch else None,
            is_batch_in_use=self.is_batch_in_use,
            is_certified=self.batch is not None and self.batch.certificate_no is not None,
            odorant_present=self.test.odorant_present if self.test else None,
            dme_found=self.test.dme_found if self.test else None,
            is_scale_known=self.scale is not None,
            scale_verified_until=self.scale_verified_until,
            is_scale_stopped=self.is_scale_stopped,
            is_station_stopped=self.is_station_stopped,
            stamped_tare_g=stamped_tare_g,
        )


def means_of(db: Session, site_id: UUID, scale: Scale | None, batch_id: UUID | None, at: datetime) -> Means:
    """Without ``batch_id`` the batch in use. One of another station counts as none."""
    in_use = _batch_in_use(db, site_id, at)
    batch = db.get(GasBatch, batch_id) if batch_id else in_use
    batch = batch if batch is not None and batch.site_id == site_id else None
    stops = _stops(db, site_id, at)
    return Means(
        scale,
        batch,
        _verified_until(db, scale.id, clock.day_of(at)) if scale else None,
        batch is not None and batch == in_use,
        _latest_test(db, batch.id, clock.day_of(at)) if batch else None,
        scale is not None and any(stop.scale_id == scale.id for stop in stops),
        any(stop.scale_id is None for stop in stops),
    )


def scale_numbered(db: Session, site_id: UUID, number: str) -> Scale | None:
    return db.scalar(sa.select(Scale).where(Scale.site_id == site_id, Scale.number == number))


def _batch_in_use(db: Session, site_id: UUID, at: datetime) -> GasBatch | None:
    return db.scalar(
        sa.select(GasBatch)
        .join(GasBatchUse, GasBatchUse.batch_id == GasBatch.id)
        .where(
            GasBatchUse.site_id == site_id,
            GasBatchUse.from_at <= at,
            sa.or_(GasBatchUse.until_at.is_(None), GasBatchUse.until_at > at),
        )
        .order_by(GasBatchUse.from_at.desc())
        .limit(1)
    )


def _latest_test(db: Session, batch_id: UUID, day: date) -> GasTest | None:
    return db.scalar(
        sa.select(GasTest)
        .where(GasTest.batch_id == batch_id, GasTest.tested_on <= day)
        .order_by(GasTest.tested_on.desc(), GasTest.recorded_at.desc())
        .limit(1)
    )


def _verified_until(db: Session, scale_id: UUID, day: date) -> date | None:
    return db.scalar(
        sa.select(sa.func.max(ScaleVerification.verified_until)).where(
            ScaleVerification.scale_id == scale_id, ScaleVerification.verified_on <= day
        )
    )


def _stops(db: Session, site_id: UUID, at: datetime) -> Sequence[FillingStop]:
    return db.scalars(
        sa.select(FillingStop)
        .where(
            FillingStop.site_id == site_id,
            FillingStop.from_at <= at,
            sa.or_(FillingStop.until_at.is_(None), FillingStop.until_at > at),
        )
        .order_by(FillingStop.from_at)
    ).all()


@dataclass(frozen=True, slots=True)
class ScaleView:
    id: UUID
    number: str
    verified_until: date | None
    is_verified: bool
    is_stopped: bool


@dataclass(frozen=True, slots=True)
class BatchView:
    id: UUID
    number: str
    product: str
    supplier: str
    certificate_no: str | None
    delivered_on: date
    report_no: str | None
    tested_on: date | None
    odorant_present: bool | None
    dme_found: bool | None
    is_in_use: bool


@dataclass(frozen=True, slots=True)
class FillingMeans:
    """``stops``: the station's and its scales' that stand. Batches: the latest first."""

    site_id: UUID
    scales: tuple[ScaleView, ...]
    batches: tuple[BatchView, ...]
    stops: Sequence[FillingStop]
    as_of: datetime

    @property
    def is_stopped(self) -> bool:
        return any(stop.scale_id is None for stop in self.stops)

    @property
    def batch(self) -> BatchView | None:
        return next((one for one in self.batches if one.is_in_use), None)


MOST_BATCHES = 50


def filling_means(doing: Doing, site_id: UUID) -> FillingMeans:
    at = clock.now()
    with doing.ground.reads() as db:
        _must_reach_site(db, doing, site_id)
        stops = _stops(db, site_id, at)
        in_use = _batch_in_use(db, site_id, at)
        stopped = {stop.scale_id for stop in stops}
        scales = db.scalars(sa.select(Scale).where(Scale.site_id == site_id).order_by(Scale.number)).all()
        batches = db.scalars(
            sa.select(GasBatch)
            .where(GasBatch.site_id == site_id)
            .order_by(GasBatch.recorded_at.desc(), GasBatch.id.desc())
            .limit(MOST_BATCHES)
        ).all()
        day = clock.day_of(at)
        return FillingMeans(
            site_id,
            tuple(
                _scale_view(one, _verified_until(db, one.id, day), day, one.id in stopped) for one in scales
            ),
            tuple(_batch_view(one, _latest_test(db, one.id, day), one == in_use) for one in batches),
            stops,
            at,
        )


def stations_of(doing: Doing, district: int) -> list[tuple[Site, FillingMeans]]:
    """The filling stations of a district with what they fill with and what is stopped; for its authority."""
    doing.actor.must_reach(district=district)
    with doing.ground.reads() as db:
        sites = db.scalars(
            sa.select(Site)
            .where(Site.district == district, Site.kinds.contains([SiteKind.FILLING_STATION.value]))
            .order_by(Site.name, Site.id)
        ).all()
    return [(site, filling_means(doing, site.id)) for site in sites]


def _scale_view(scale: Scale, until: date | None, day: date, is_stopped: bool) -> ScaleView:
    return ScaleView(scale.id, scale.number, until, until is not None and until >= day, is_stopped)


def _batch_view(batch: GasBatch, test: GasTest | None, is_in_use: bool) -> BatchView:
    return BatchView(
        batch.id,
        batch.number,
        batch.product.value,
        batch.supplier,
        batch.certificate_no,
        batch.delivered_on,
        test.report_no if test else None,
        test.tested_on if test else None,
        test.odorant_present if test else None,
        test.dme_found if test else None,
        is_in_use,
    )


# --- one authorisation ------------------------------------------------------------------------------------


def token_of(ground: Ground, authorisation: FillingAuthorisation) -> str:
    """The authorisation's secret. Reckoned from our key: stored nowhere, and can be said again.

    The key under which leave was given, so that a change of keys ends no filling; empty, which no secret is,
    once that key was retired.
    """
    key = ground.keyring.signing.by_version.get(authorisation.key_version)
    if key is None:
        return ""
    said = b"filling authorisation " + authorisation.id.bytes
    return hmac.new(key, said, hashlib.sha256).hexdigest()[:40]


def standing_authorisation(db: Session, cylinder_id: UUID, at: datetime) -> FillingAuthorisation | None:
    """The bottle's, if one is open: not closed, and not run out."""
    return db.scalar(
        sa.select(FillingAuthorisation).where(
            FillingAuthorisation.cylinder_id == cylinder_id,
            FillingAuthorisation.closed_at.is_(None),
            FillingAuthorisation.expires_at > at,
        )
    )


def state_of(authorisation: FillingAuthorisation, at: datetime) -> str:
    """Its state on that instant: what is open and has run out is expired."""
    if authorisation.state in OPEN and at >= authorisation.expires_at:
        return EXPIRED
    return authorisation.state.value


@dataclass(frozen=True, slots=True)
class AuthorisationView:
    """One filling from its authorisation on. ``code``: of the bottle's own label now. ``token`` only where it
    has just been given."""

    id: UUID
    cylinder_id: UUID
    code: str | None
    state: str
    site_id: UUID
    scale: str
    batch_id: UUID
    batch: str
    filler_id: UUID
    tare_g: int | None
    target_g: int
    authorised_at: datetime
    expires_at: datetime
    closed_at: datetime | None
    abort_reason: str | None
    checks: list[dict[str, Any]]
    weighings: list[dict[str, Any]]
    reasons: list[dict[str, Any]]
    filling: Filling | None
    token: str | None = None

    @property
    def filling_id(self) -> UUID | None:
        return self.filling.id if self.filling else None

    @property
    def outcome(self) -> str:
        """As a filling asked for in one request is answered: filled, refused, or overfilled."""
        is_over = bool(self.weighings) and self.weighings[-1]["outcome"] == "over"
        if self.filling is not None:
            return "filled"
        return "overfilled" if is_over and self.state in (FillingState.FILLING, EXPIRED) else "refused"


def authorisation(doing: Doing, authorisation_id: UUID, *, with_token: bool = False) -> AuthorisationView:
    with doing.ground.sessions() as db:
        found = db.scalar(sa.select(FillingAuthorisation).where(FillingAuthorisation.id == authorisation_id))
        if found is None:
            raise NotFound
        _must_reach_site(db, doing, found.site_id)
        return _view(db, doing, found, with_token)


def open_at_site(doing: Doing, site_id: UUID, cylinder_id: UUID) -> AuthorisationView | None:
    """What was begun with this bottle here and may still be ended, for a terminal that was loaded anew."""
    with doing.ground.sessions() as db:
        _must_reach_site(db, doing, site_id)
        found = standing_authorisation(db, cylinder_id, clock.now())
        if found is None or found.site_id != site_id:
            return None
        return _view(db, doing, found, True)


def _view(db: Session, doing: Doing, found: FillingAuthorisation, with_token: bool) -> AuthorisationView:
    mine = (FillingCheck.cylinder_id == found.cylinder_id, FillingCheck.authorisation_id == found.id)
    checks = db.scalars(sa.select(FillingCheck).where(*mine).order_by(FillingCheck.phase.desc())).all()
    weighings = weighings_of(db, found)
    ended = [reason for check in checks for reason in check.reasons]
    shown = ended or (weighings[-1].reasons if weighings and found.state is FillingState.FILLING else [])
    filling = db.scalar(
        sa.select(Filling).where(
            Filling.cylinder_id == found.cylinder_id, Filling.authorisation_id == found.id
        )
    )
    return AuthorisationView(
        found.id,
        found.cylinder_id,
        labels_of(db, [found.cylinder_id]).get(found.cylinder_id),
        state_of(found, clock.now()),
        found.site_id,
        db.get_one(Scale, found.scale_id).number,
        found.batch_id,
        db.get_one(GasBatch, found.batch_id).number,
        found.filler_id,
        db.get_one(Cylinder, found.cylinder_id).tare_g,
        found.target_g,
        found.authorised_at,
        found.expires_at,
        found.closed_at,
        found.abort_reason,
        [_check_view(check, doing) for check in checks],
        [
            {
                "gross_g": one.gross_g,
                "content_g": one.content_g,
                "outcome": one.outcome.value,
                "weighed_at": one.weighed_at,
            }
            for one in weighings
        ],
        [_worded(reason, doing) for reason in shown],
        filling,
        token_of(doing.ground, found) if with_token else None,
    )


def _check_view(check: FillingCheck, doing: Doing) -> dict[str, Any]:
    return {
        "phase": check.phase.value,
        "items": check.items,
        "tare_weighed_g": check.tare_weighed_g,
        "residue_g": check.residue_g,
        "checked_at": check.checked_at,
        "passed": not check.reasons,
    }


def _worded(reason: dict[str, Any], doing: Doing) -> dict[str, Any]:
    return Refusal.from_plain(reason).worded(doing.actor.audience)


def check_before(db: Session, authorisation: FillingAuthorisation) -> FillingCheck | None:
    return db.get(FillingCheck, (authorisation.cylinder_id, authorisation.id, CheckPhase.BEFORE))


def weighings_of(db: Session, authorisation: FillingAuthorisation) -> Sequence[FillingWeighing]:
    """In the order in which they were made."""
    return db.scalars(
        sa.select(FillingWeighing)
        .where(
            FillingWeighing.cylinder_id == authorisation.cylinder_id,
            FillingWeighing.authorisation_id == authorisation.id,
        )
        .order_by(FillingWeighing.weighed_at, FillingWeighing.id)
    ).all()


@dataclass(frozen=True, slots=True)
class FoundWrong:
    """A check or a weight of a filling that was not as it should be; ``reasons`` worded for who reads."""

    authorisation_id: UUID
    cylinder_id: UUID
    found_at: datetime
    reasons: tuple[dict[str, Any], ...]


MOST_FOUND = 200


def found_wrong(
    db: Session, doing: Doing, site_id: UUID, begins: datetime, ends: datetime
) -> list[FoundWrong]:
    """What was recorded as wrong at a site within a span, the latest first."""
    found: list[FoundWrong] = []
    for table, at in ((FillingCheck, FillingCheck.checked_at), (FillingWeighing, FillingWeighing.weighed_at)):
        rows = db.execute(
            sa.select(table.authorisation_id, table.cylinder_id, at.label("at"), table.reasons)
            .join(
                FillingAuthorisation,
                sa.and_(
                    FillingAuthorisation.cylinder_id == table.cylinder_id,
                    FillingAuthorisation.id == table.authorisation_id,
                ),
            )
            .where(
                FillingAuthorisation.site_id == site_id,
                at >= begins,
                at < ends,
                sa.func.jsonb_array_length(table.reasons) > 0,
            )
            .order_by(at.desc())
            .limit(MOST_FOUND)
        )
        for row in rows:
            reasons = tuple(_worded(one, doing) for one in row.reasons)
            found.append(FoundWrong(row.authorisation_id, row.cylinder_id, row.at, reasons))
    return sorted(found, key=lambda one: one.found_at, reverse=True)


@dataclass(frozen=True, slots=True)
class Items:
    """What the law of the station's place wants looked at, before and after."""

    before: tuple[str, ...]
    after: tuple[str, ...]


def items_at(district: int) -> Items:
    law = current().at(str(district), clock.today())
    return Items(law.words("F13.items"), law.words("F17.items_after"))


def _must_reach_site(db: Session, doing: Doing, site_id: UUID) -> None:
    site = db.get(Site, site_id)
    if site is None:
        raise NotFound
    doing.actor.must_reach(site=site.id, firm=site.firm_id, district=site.district)
