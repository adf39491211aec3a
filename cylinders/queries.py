"""Reads of the bottle: what a code means, whether it may be filled or sent out, where it is, its file.

The first half is for the rooms above (functions of an open session); the second serves our own routes and
judges scope. The question every scan asks is three statements at most, all prebuilt: the bottles behind
the codes with all the gate must know, the asking firm's papers, and, for a courier, whose courier it is.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session
from sqlalchemy.sql.selectable import LateralFromClause

from core import clock
from core.auth import GRANTS_OF_TOKEN, ScopeKind
from core.db import Sessions, table_of
from core.doing import Doing
from core.ground import Ground
from core.prepared import Prepared
from core.problems import NotFound, WrongField
from cylinders import asked_means
from cylinders import filling_refusals as at_gun
from cylinders.ask_log import ASKS, Ask
from cylinders.code import MOST_SYMBOLS, Scanned, classify
from cylinders.filling_gate import StartFacts
from cylinders.life_models import (
    InspectionSending,
    LifeExtension,
    RegistrationAct,
    RegistrationKind,
    Seizure,
)
from cylinders.models import (
    CardHolding,
    Cylinder,
    CylinderCustody,
    CylinderIdentifier,
    CylinderType,
    Filling,
    Hold,
    HoldKind,
    Inspection,
    Scheme,
    Scrapping,
)
from cylinders.refill_gate import (
    Identity,
    Precision,
    Purpose,
    RefillFacts,
    next_due_on,
    unknown_bottle,
)
from cylinders.states import CylinderState
from registry.models import (
    Account,
    Card,
    Firm,
    HolderKind,
    Licence,
    LicenceKind,
    Site,
    Staff,
    StaffKind,
    Training,
)
from rulebook import current
from rulebook.gate import Verdict, judge
from rulebook.term import Term

# --------------------------------------------------------------------------------------------------------
# For the rooms above


@dataclass(frozen=True, slots=True)
class Resolved:
    """What a scanned text means to us. ``on_record`` is the code as it may stand in entries and logs."""

    code: str
    scheme: Scheme | None
    cylinder_id: UUID | None
    voided: bool
    identity: Identity
    on_record: str


@dataclass(frozen=True, slots=True)
class BottleVerdict:
    """The refill gate's answer with what a station reads off it: masses in grams, the last day before the
    next inspection. Null where nobody knows."""

    resolved: Resolved
    cylinder: Cylinder | None
    type: CylinderType | None
    verdict: Verdict
    next_due_on: date | None
    max_fill_g: int | None
    tare_g: int | None


def resolve(db: Session, scanned: str) -> Resolved:
    """The bottle behind a code. Never raises, whatever was scanned."""
    read = classify(scanned)
    return _resolved(read, _by_code(_bottles_behind(db, [read], clock.now())).get(read.code, []))


def resolve_all(db: Session, scanned: Sequence[str]) -> list[Resolved]:
    """``resolve`` of many, in their order, by one statement."""
    read = [classify(one) for one in scanned]
    behind = _by_code(_bottles_behind(db, read, clock.now()))
    return [_resolved(one, behind.get(one.code, [])) for one in read]


def judge_bottle(
    db: Session,
    scanned_or_id: str | UUID,
    *,
    purpose: Purpose | str,
    site_id: UUID | None,
    place: str,
    at: datetime,
    filler_id: UUID | None = None,
) -> BottleVerdict:
    """May this bottle be filled, or sent out, at ``at`` under the law of ``place``?

    ``site_id`` is the site that fills or supplies; without one (at a door) the bottle's own firm is taken.
    Without ``filler_id`` any certified filler of the firm counts. Lock the bottle first if you will act.
    """
    purpose = Purpose(purpose)
    if isinstance(scanned_or_id, UUID):
        row = db.execute(_FILES_BY_ID, {"ids": [scanned_or_id], **_moment(at)}).one_or_none()
        resolved = _known_by_id(scanned_or_id, row)
    else:
        read = classify(scanned_or_id)
        rows = _bottles_behind(db, [read], at)
        resolved = _resolved(read, rows)
        row = _row_of(resolved, rows)
    standing = _standing_for(db, row, site_id, filler_id, clock.day_of(at))
    verdict = _judge(resolved, row, standing, purpose, place, at)
    cylinder = db.get(Cylinder, resolved.cylinder_id) if resolved.cylinder_id else None
    return BottleVerdict(
        resolved,
        cylinder,
        db.get(CylinderType, cylinder.model) if cylinder else None,
        verdict,
        _due_on(verdict),
        row.max_fill_g if row else None,
        row.tare_g if row else None,
    )


def judge_for_anybody(db: Session, cylinder_id: UUID, place: str, at: datetime) -> Verdict:
    """May this bottle be handed out, as its owner's? The same two statements where there is no such one."""
    row = db.execute(_FILES_BY_ID, {"ids": [cylinder_id], **_moment(at)}).one_or_none()
    owner = (row and row.owner_firm_id) or cylinder_id
    standing = standings_of_firms(db, [owner], clock.day_of(at)).get(owner, Standing(None))
    return _judge(_known_by_id(cylinder_id, row), row, standing, Purpose.DISPATCH, place, at)


def holding_of(db: Session, district: int, card_id: UUID) -> UUID | None:
    """The bottle the card holds now."""
    return db.scalar(
        sa.select(CardHolding.cylinder_id).where(
            CardHolding.district == district, CardHolding.card_id == card_id, CardHolding.active
        )
    )


def labels_of(db: Session, cylinder_ids: Collection[UUID]) -> dict[UUID, str]:
    """Bottle → the code on its label, as it is read out; a bottle whose label was voided is left out."""
    rows = db.execute(
        sa.select(CylinderIdentifier.cylinder_id, CylinderIdentifier.value).where(
            CylinderIdentifier.cylinder_id.in_(cylinder_ids),
            CylinderIdentifier.scheme == Scheme.PLATFORM,
            CylinderIdentifier.voided_at.is_(None),
        )
    )
    return {row.cylinder_id: row.value for row in rows}


def custody_of(db: Session, cylinder_id: UUID) -> CylinderCustody | None:
    """Who holds the bottle now, and whether it is full; None if nobody ever said."""
    return db.get(CylinderCustody, cylinder_id, populate_existing=True)


def types(db: Session) -> dict[str, CylinderType]:
    """The catalogue, by model."""
    return {one.model: one for one in db.scalars(sa.select(CylinderType).order_by(CylinderType.model))}


_NOMINAL = Prepared(sa.select(CylinderType.model, CylinderType.nominal_g))


def nominal_masses(db: Session) -> dict[str, int]:
    """Grams of the catalogue's models when full, by model."""
    return {one.model: one.nominal_g for one in _NOMINAL.within(db)}


# --------------------------------------------------------------------------------------------------------
# The file of a bottle as the gate needs it: prebuilt, one statement for a thousand codes

_cylinder, _custody = table_of(Cylinder), table_of(CylinderCustody)
_inspection, _hold, _identifier = table_of(Inspection), table_of(Hold), table_of(CylinderIdentifier)
_firm, _site, _licence, _staff = table_of(Firm), table_of(Site), table_of(Licence), table_of(Staff)

_DAY, _AT = asked_means.DAY, asked_means.AT

_inspections = (
    sa.select(_inspection.c.inspected_on, _inspection.c.day_precision, _inspection.c.passed)
    .where(_inspection.c.cylinder_id == _cylinder.c.cylinder_id, _inspection.c.inspected_on <= _DAY)
    .order_by(_inspection.c.inspected_on.desc(), _inspection.c.id.desc())
    .limit(1)
)
_passed = _inspections.where(_inspection.c.passed).lateral("passed_inspection")
_latest = _inspections.lateral("latest_inspection")
_held = (
    sa.select(sa.func.array_agg(_hold.c.kind.distinct(), type_=ARRAY(sa.Text)))
    .where(
        _hold.c.cylinder_id == _cylinder.c.cylinder_id,
        _hold.c.from_at <= _AT,
        sa.or_(_hold.c.until_at.is_(None), _hold.c.until_at > _AT),
    )
    .scalar_subquery()
    .label("holds")
)
_extension, _registration, _seizure = table_of(LifeExtension), table_of(RegistrationAct), table_of(Seizure)
_changed = sa.and_(
    _registration.c.cylinder_id == _extension.c.cylinder_id,
    _registration.c.extension_id == _extension.c.id,
    _registration.c.done_on <= _DAY,
)
# Of several the one that counts: a registered one before one that is not, then the one that reaches farthest.
_extended = (
    sa.select(_extension.c.until_on, _registration.c.id.is_not(None).label("registered"))
    .select_from(_extension.outerjoin(_registration, _changed))
    .where(_extension.c.cylinder_id == _cylinder.c.cylinder_id, _extension.c.assessed_on <= _DAY)
    .order_by(_registration.c.id.is_not(None).desc(), _extension.c.until_on.desc())
    .limit(1)
    .lateral("extended")
)
_cancelled = (
    sa.select(_registration.c.done_on)
    .where(
        _registration.c.cylinder_id == _cylinder.c.cylinder_id,
        _registration.c.kind == RegistrationKind.CANCELLED,
    )
    .scalar_subquery()
    .label("cancelled_on")
)
_seized = (
    sa.exists()
    .where(_seizure.c.cylinder_id == _cylinder.c.cylinder_id, _seizure.c.seized_at <= _AT)
    .label("seized")
)
_FILE = (
    *(column for column in _cylinder.c if column.name != "cylinder_id"),
    _custody.c.holder_kind,
    _custody.c.holder_id,
    _custody.c.full,
    _passed.c.inspected_on,
    _passed.c.day_precision,
    _latest.c.passed,
    _held,
    _extended.c.until_on.label("extension_until"),
    _extended.c.registered.label("extension_is_registered"),
    _cancelled,
    _seized,
)
_file = (
    _cylinder.outerjoin(_custody, _custody.c.cylinder_id == _cylinder.c.cylinder_id)
    .outerjoin(_passed, sa.true())
    .outerjoin(_latest, sa.true())
    .outerjoin(_extended, sa.true())
)
_FILES_BY_ID = (
    sa.select(_cylinder.c.cylinder_id, *_FILE)
    .select_from(_file)
    .where(_cylinder.c.cylinder_id == sa.any_(sa.bindparam("ids", type_=ARRAY(sa.Uuid))))
)
_asked = (
    sa.func.unnest(sa.bindparam("schemes", type_=ARRAY(sa.Text)), sa.bindparam("codes", type_=ARRAY(sa.Text)))
    .table_valued(sa.column("scheme", sa.Text), sa.column("value", sa.Text))
    .render_derived(name="asked")
)
_CODE_AND_FILE = (
    _identifier.c.scheme,
    _identifier.c.value,
    _identifier.c.voided_at,
    _identifier.c.cylinder_id,
    *_FILE,
)


def _with_file(codes: sa.FromClause) -> sa.Join:
    """Filed identifiers, each with its bottle's file."""
    return (
        codes.join(_cylinder, _cylinder.c.cylinder_id == _identifier.c.cylinder_id)
        .outerjoin(_custody, _custody.c.cylinder_id == _cylinder.c.cylinder_id)
        .outerjoin(_passed, sa.true())
        .outerjoin(_latest, sa.true())
        .outerjoin(_extended, sa.true())
    )


_is_asked_for = sa.and_(
    sa.type_coerce(_identifier.c.scheme, sa.Text) == _asked.c.scheme, _identifier.c.value == _asked.c.value
)
_files = _with_file(_asked.join(_identifier, _is_asked_for))
_FILES_BY_CODE = sa.select(*_CODE_AND_FILE).select_from(_files)
_FILES = Prepared(_FILES_BY_CODE)


def _moment(at: datetime) -> dict[str, Any]:
    return {"at": at, "day": clock.day_of(at)}


def _bottles_behind(db: Session, read: Iterable[Scanned], at: datetime) -> Sequence[Any]:
    """Every filed identifier that reads like one of these codes, with its bottle's file.

    A code is looked for under every scheme: a stamp can look like somebody's registration code.
    """
    return db.execute(_FILES_BY_CODE, {**_each(read), **_moment(at)}).all()


def _each(read: Iterable[Scanned]) -> dict[str, list[str]]:
    codes = sorted({one.code for one in read})
    return {
        "schemes": [scheme.value for _ in codes for scheme in Scheme],
        "codes": [code for code in codes for _ in Scheme],
    }


def _by_code(rows: Sequence[Any]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for row in rows:
        found.setdefault(row.value, []).append(row)
    return found


def _resolved(read: Scanned, rows: Sequence[Any]) -> Resolved:
    """``rows`` are the identifiers that read like the code. Its own scheme's goes before the others'."""
    own = [row for row in rows if row.scheme is read.scheme] or rows
    bottles = {row.cylinder_id for row in own}
    if len(bottles) != 1:
        nobody = Identity.UNKNOWN if read.readable else Identity.UNREADABLE
        identity = Identity.CLAIMED_TWICE if bottles else nobody
        return Resolved(read.code, read.scheme, None, False, identity, read.on_record)
    voided = all(row.voided_at is not None for row in own)
    identity = Identity.VOIDED if voided else Identity.KNOWN
    return Resolved(read.code, own[0].scheme, own[0].cylinder_id, voided, identity, read.on_record)


def known_bottle(cylinder_id: UUID) -> Resolved:
    """A bottle that was named by its id instead of by a code on it."""
    return Resolved(str(cylinder_id), None, cylinder_id, False, Identity.KNOWN, str(cylinder_id))


def _known_by_id(cylinder_id: UUID, row: Any | None) -> Resolved:
    known = known_bottle(cylinder_id)
    return known if row else replace(known, cylinder_id=None, identity=Identity.UNKNOWN)


def _row_of(resolved: Resolved, rows: Sequence[Any]) -> Any | None:
    return next((row for row in rows if row.cylinder_id == resolved.cylinder_id), None)


# --------------------------------------------------------------------------------------------------------
# The asking firm's papers


@dataclass(frozen=True, slots=True)
class Standing:
    """Who fills or supplies, and under which papers on the day asked about.

    ``start``: with what is filled there, where that was asked for.
    """

    firm_id: UUID | None
    site_id: UUID | None = None
    district: int | None = None
    gas_licence: Term | None = None
    filling_licence: Term | None = None
    filler_certificate: Term | None = None
    filler_id: UUID | None = None
    filler_training: Term | None = None
    start: StartFacts | None = None


def _paper(kind: LicenceKind, holder: sa.ColumnElement[bool]) -> LateralFromClause:
    """The licence that covers the day, else the latest one."""
    covers = sa.and_(_licence.c.valid_from <= _DAY, _licence.c.valid_until >= _DAY)
    return (
        sa.select(_licence.c.valid_from, _licence.c.valid_until)
        .where(holder, _licence.c.kind == kind)
        .order_by(covers.desc(), _licence.c.valid_until.desc())
        .limit(1)
        .lateral(kind.value)
    )


_gas = _paper(LicenceKind.GAS_BUSINESS, _licence.c.firm_id == _firm.c.id)
_filling = _paper(LicenceKind.CYLINDER_FILLING, _licence.c.site_id == _site.c.id)
_filler_id = sa.bindparam("filler_id", type_=sa.Uuid)
_certificate_covers = sa.and_(_staff.c.certificate_from <= _DAY, _staff.c.certificate_until >= _DAY)
_training = table_of(Training)
_training_covers = sa.and_(_training.c.trained_on <= _DAY, _training.c.valid_until >= _DAY)
_is_trained = sa.exists().where(
    _training.c.district == _staff.c.district, _training.c.staff_id == _staff.c.id, _training_covers
)
_filler = (
    sa.select(_staff.c.district, _staff.c.id, _staff.c.certificate_from, _staff.c.certificate_until)
    .where(
        _staff.c.district == _firm.c.home_district,
        _staff.c.firm_id == _firm.c.id,
        _staff.c.kind == StaffKind.FILLER,
        sa.or_(_filler_id.is_(None), _staff.c.id == _filler_id),
    )
    .order_by(_certificate_covers.desc(), _is_trained.desc(), _staff.c.certificate_until.desc())
    .limit(1)
    .lateral("filler")
)
_trained = (
    sa.select(_training.c.trained_on, _training.c.valid_until)
    .where(_training.c.district == _filler.c.district, _training.c.staff_id == _filler.c.id)
    .order_by(_training_covers.desc(), _training.c.valid_until.desc())
    .limit(1)
    .lateral("trained")
)
_papers = (
    _firm.c.id.label("firm_id"),
    _site.c.id.label("site_id"),
    _site.c.district,
    _gas.c.valid_from.label("gas_from"),
    _gas.c.valid_until.label("gas_until"),
    _filling.c.valid_from.label("filling_from"),
    _filling.c.valid_until.label("filling_until"),
    _filler.c.id.label("filler_id"),
    _filler.c.certificate_from,
    _filler.c.certificate_until,
    _trained.c.trained_on,
    _trained.c.valid_until.label("trained_until"),
)
_of_site = (
    _site.join(_firm, _firm.c.id == _site.c.firm_id)
    .outerjoin(_gas, sa.true())
    .outerjoin(_filling, sa.true())
    .outerjoin(_filler, sa.true())
    .outerjoin(_trained, sa.true())
)
_asked_site = _site.c.id == sa.bindparam("site_id", type_=sa.Uuid)
_PAPERS_OF_SITE = sa.select(*_papers).select_from(_of_site).where(_asked_site)
_PAPERS_AND_MEANS = (*_papers, *asked_means.COLUMNS)
_of_site_to_fill = _of_site.outerjoin(asked_means.BATCH, sa.true()).outerjoin(
    asked_means.WEIGHED_ON, sa.true()
)
_TO_FILL = Prepared(sa.select(*_PAPERS_AND_MEANS).select_from(_of_site_to_fill).where(_asked_site))
_PAPERS_OF_FIRMS = (
    sa.select(
        _firm.c.id.label("firm_id"),
        _gas.c.valid_from.label("gas_from"),
        _gas.c.valid_until.label("gas_until"),
    )
    .select_from(_firm.outerjoin(_gas, sa.true()))
    .where(_firm.c.id == sa.any_(sa.bindparam("firms", type_=ARRAY(sa.Uuid))))
)
_FIRMS = Prepared(_PAPERS_OF_FIRMS)
_FIRM_OF_COURIER = Prepared(
    sa.select(_staff.c.firm_id).where(
        _staff.c.district == sa.bindparam("district", type_=sa.Integer),
        _staff.c.id == sa.bindparam("courier_id", type_=sa.Uuid),
    )
)


def _term(from_on: date | None, to_on: date | None) -> Term | None:
    return Term(from_on, to_on) if from_on else None


def standing_of_site(db: Session, site_id: UUID, day: date, filler_id: UUID | None = None) -> Standing | None:
    """A site's firm and papers; None if there is no such site."""
    row = db.execute(_PAPERS_OF_SITE, {"site_id": site_id, "filler_id": filler_id, "day": day}).one_or_none()
    return _standing(row) if row else None


def standing_to_fill(
    reads: Sessions, site_id: UUID, at: datetime, filler_id: UUID | None, scale: str | None
) -> Standing | None:
    """``standing_of_site`` with the gas in use, the scale and the authority's stops, by one statement."""
    rows = _TO_FILL.ask(reads, site_id=site_id, filler_id=filler_id, scale=scale, **_moment(at))
    return _standing_to_fill(rows[0]) if rows else None


def _standing_to_fill(row: Any) -> Standing:
    return replace(_standing(row), start=asked_means.start_facts(row))


def _standing(row: Any) -> Standing:
    return Standing(
        row.firm_id,
        row.site_id,
        row.district,
        _term(row.gas_from, row.gas_until),
        _term(row.filling_from, row.filling_until),
        _term(row.certificate_from, row.certificate_until),
        row.filler_id,
        _term(row.trained_on, row.trained_until),
    )


def standings_of_firms(db: Session, firm_ids: Iterable[UUID], day: date) -> dict[UUID, Standing]:
    """Firms that supply, without a site in question."""
    return _by_firm(db.execute(_PAPERS_OF_FIRMS, {"firms": sorted(set(firm_ids)), "day": day}))


def _by_firm(rows: Iterable[Any]) -> dict[UUID, Standing]:
    return {
        row.firm_id: Standing(row.firm_id, gas_licence=_term(row.gas_from, row.gas_until)) for row in rows
    }


def _standing_for(
    db: Session, row: Any | None, site_id: UUID | None, filler_id: UUID | None, day: date
) -> Standing:
    if site_id is not None:
        return standing_of_site(db, site_id, day, filler_id) or Standing(None)
    owner = row.owner_firm_id if row else None
    return standings_of_firms(db, [owner], day)[owner] if owner else Standing(None)


# --------------------------------------------------------------------------------------------------------
# Judging


def _judge(
    resolved: Resolved,
    row: Any | None,
    standing: Standing,
    purpose: Purpose,
    place: str,
    at: datetime,
) -> Verdict:
    day = clock.day_of(at)
    return judge("refill", _facts(resolved, row, standing, purpose, day), place, day, current())


def _facts(
    resolved: Resolved, row: Any | None, standing: Standing, purpose: Purpose, day: date
) -> RefillFacts:
    firm_id = str(standing.firm_id or "")
    if row is None:
        nobody = unknown_bottle(purpose, firm_id, resolved.identity)
        return replace(nobody, **_papers_of(standing))
    return RefillFacts(
        purpose=purpose,
        identity=resolved.identity,
        cylinder_id=str(row.cylinder_id),
        registered_use=row.registered_on is not None and row.registered_on <= day,
        registered_by_firm_id=_text(row.registered_by_firm_id),
        owner_firm_id=_text(row.owner_firm_id),
        station_firm_id=firm_id,
        entrusted=row.entrusted_to_firm_id is not None and row.entrusted_to_firm_id == standing.firm_id,
        standard=row.standard,
        made_on=row.made_on,
        made_precision=Precision(row.made_precision),
        inspected_on=row.inspected_on,
        inspected_precision=Precision(row.day_precision or Precision.MONTH),
        last_inspection_failed=row.passed is False,
        design_life_months=row.design_life_months,
        **_extension_on_file(row),
        scrapped=row.state is CylinderState.SCRAPPED,
        scrap_ordered=row.scrap_ordered,
        refurbished=row.refurbished,
        illegal_make=row.illegal_make,
        screwed_guard=row.screwed_guard,
        phase=row.phase,
        embossed_owner_mark=row.embossed_owner_mark,
        bought_on=row.bought_on,
        is_full=_is_full(row),
        is_here=_is_at(row, standing.site_id),
        holds=tuple(sorted(HoldKind(kind) for kind in row.holds or ())),
        max_fill_g=row.max_fill_g,
        registration_cancelled_on=row.cancelled_on,
        seized=row.seized,
        at_inspection=row.state is CylinderState.AT_INSPECTION,
        **_papers_of(standing),
    )


def _papers_of(standing: Standing) -> dict[str, Any]:
    return {
        "gas_licence": standing.gas_licence,
        "filling_licence": standing.filling_licence,
        "filler_certificate": standing.filler_certificate,
        "filler_training": standing.filler_training,
    }


def _extension_on_file(row: Any) -> dict[str, Any]:
    """The agency's report on record, else what the register said that the bottle was taken over from."""
    if row.extension_until is not None and (row.extension_is_registered or not row.extension_registered):
        return {
            "extended_until": row.extension_until,
            "extension_assessed": True,
            "extension_registered": row.extension_is_registered,
        }
    return {
        "extended_until": row.extended_until,
        "extension_assessed": row.extension_assessed,
        "extension_registered": row.extension_registered,
    }


def _is_full(row: Any) -> bool | None:
    """Full and not yet delivered. With a household it is being used; None where nobody ever said."""
    return row.full if row.full is None else row.full and row.holder_kind is not HolderKind.HOUSEHOLD


def _is_at(row: Any, site_id: UUID | None) -> bool:
    return site_id is not None and row.holder_kind is HolderKind.SITE and row.holder_id == site_id


def _text(value: UUID | None) -> str | None:
    return str(value) if value else None


def _due_on(verdict: Verdict) -> date | None:
    return next_due_on(verdict.facts, current().at(verdict.place, verdict.day))


# --------------------------------------------------------------------------------------------------------
# Asking (our routes)


@dataclass(frozen=True, slots=True)
class AskAnswer:
    """The answer to one scanned code. ``reasons`` are worded for the one who asks; ``ask_id`` is the number
    under which the question stands in the log of asks; ``is_only_the_scale``: over another it could be
    filled."""

    ask_id: UUID
    code: str
    cylinder_id: UUID | None
    allowed: bool
    reasons: list[dict[str, Any]]
    next_due_on: date | None
    max_fill_g: int | None
    tare_g: int | None
    edition: str
    asked_at: datetime
    is_only_the_scale: bool = False

    def to_plain(self) -> dict[str, Any]:
        """As ``schemas.VerdictOut`` would write it, for every scan and a thousand times for a list."""
        return {
            "ask_id": self.ask_id,
            "code": self.code,
            "cylinder_id": self.cylinder_id,
            "allowed": self.allowed,
            "reasons": self.reasons,
            "next_due_on": self.next_due_on,
            "max_fill_g": self.max_fill_g,
            "tare_g": self.tare_g,
            "edition": self.edition,
            "asked_at": clock.stamp(self.asked_at),
        }


@dataclass(frozen=True, slots=True)
class FoundBeside:
    """What the statement with the asker's grants found of one code and of the site asked for."""

    at: datetime
    read: Scanned
    rows: Sequence[Any]


_grants = GRANTS_OF_TOKEN.subquery("granted")
_site_asked_for = sa.func.coalesce(
    sa.bindparam("site_id", type_=sa.Uuid),
    sa.case((_grants.c.scope_kind == ScopeKind.SITE, sa.cast(_grants.c.scope_code, sa.Uuid))),
)
_in_any_scheme = _identifier.c.scheme.in_([sa.literal_column(f"'{scheme.value}'") for scheme in Scheme])
_is_the_code = sa.and_(_in_any_scheme, _identifier.c.value == sa.bindparam("code", type_=sa.Text))
_WITH_GRANTS = Prepared(
    sa.select(*_grants.c, *_PAPERS_AND_MEANS, *_CODE_AND_FILE).select_from(
        _grants.outerjoin(_of_site_to_fill, _site.c.id == _site_asked_for).outerjoin(
            _with_file(_identifier), _is_the_code
        )
    )
)


def beside_grants(
    ground: Ground,
    token_hash: bytes,
    query: dict[str, Any],
    code: str,
) -> tuple[Sequence[Any], FoundBeside]:
    """One way to the server for the scan at the gun: who asks, for which site, and about which bottle."""
    if len(code) > MOST_SYMBOLS:
        raise WrongField("/code", "too_long", "最多512个字", "expected at most 512 characters")
    at, read = clock.now(), classify(code)
    rows = _WITH_GRANTS.ask(
        ground.reads,
        token_hash=token_hash,
        site_id=query["site"],
        filler_id=query["filler"],
        scale=query["scale"],
        code=read.code,
        **_moment(at),
    )
    return rows, FoundBeside(at, read, rows)


def verdict(
    doing: Doing, *, purpose: Purpose, site: UUID | None, filler: UUID | None, scale: str | None
) -> AskAnswer:
    """``verdicts`` of the one code that was asked about beside the asker's grants."""
    found: FoundBeside = doing.beside
    rows = [row for row in found.rows if row.grant_id == doing.actor.grant_id]
    of_site = _standing_to_fill(rows[0]) if rows[0].site_id else None
    standing = _standing_of_asker(doing, purpose, site, found.at, lambda _: of_site)
    behind = [row for row in rows if row.cylinder_id is not None]
    [answer] = _answers(doing, [found.read], behind, standing, purpose, scale, found.at)
    return answer


def verdicts(
    doing: Doing,
    codes: Sequence[str],
    *,
    purpose: Purpose,
    site: UUID | None = None,
    filler: UUID | None = None,
    scale: str | None = None,
) -> list[AskAnswer]:
    """An answer to each code, in order. Logged, in batches, without making the answer wait.

    A filler asks for the own site. Whoever names no site is answered as the own firm, an office as the
    bottle's firm. About filling, the site's gas, scale and stops are answered with the bottle's file; of
    several scales none is judged before one is named.
    """
    at, reads = clock.now(), doing.ground.reads

    def of_site(site_id: UUID) -> Standing | None:
        return standing_to_fill(reads, site_id, at, filler, scale)

    standing = _standing_of_asker(doing, purpose, site, at, of_site)
    read = [classify(code) for code in codes]
    behind = _FILES.ask(reads, **_each(read), **_moment(at))
    return _answers(doing, read, behind, standing, purpose, scale, at)


def _answers(
    doing: Doing,
    read: Sequence[Scanned],
    behind: Sequence[Any],
    standing: Standing | None,
    purpose: Purpose,
    scale: str | None,
    at: datetime,
) -> list[AskAnswer]:
    """``behind``: every filed identifier that reads like one of the codes, with its bottle's file."""
    day, by_code = clock.day_of(at), _by_code(behind)
    owners: dict[UUID, Standing] = {}
    if standing is None:
        firms = {row.owner_firm_id for row in behind} - {None}
        owners = _by_firm(_FIRMS.ask(doing.ground.reads, firms=sorted(firms), day=day))
    place = str(standing.district if standing and standing.district else doing.district)
    answers, asks = [], []
    starts: dict[bool, Verdict] = {}
    for scanned in read:
        rows = by_code.get(scanned.code, [])
        resolved = _resolved(scanned, rows)
        row = _row_of(resolved, rows)
        papers = standing or (row and owners.get(row.owner_firm_id)) or Standing(None)
        verdict = _judge(resolved, row, papers, purpose, place, at)
        start = None
        if row is not None and papers.start is not None and purpose is Purpose.FILL:
            has_tare = row.tare_g is not None
            if has_tare not in starts:
                starts[has_tare] = _judge_start(papers.start, row.tare_g, scale, place, day)
            start = starts[has_tare]
        ask = Ask(
            at,
            doing.actor.principal_id,
            doing.district,
            papers.site_id,
            purpose,
            scanned.on_record,
            resolved.cylinder_id,
            verdict,
            start,
        )
        asks.append(ask)
        answers.append(_answer(doing, resolved, row, ask))
    ASKS.put(doing.ground.sessions, asks)
    return answers


def _judge_start(facts: StartFacts, tare_g: int | None, scale: str | None, place: str, day: date) -> Verdict:
    """Gas, scale and stops. Of a scale that nobody has named yet nothing is known, and nothing is said: leave
    to fill will ask for it."""
    verdict = judge("filling_start", replace(facts, stamped_tare_g=tare_g), place, day, current())
    if scale is None and not facts.is_scale_known:
        known = tuple(one for one in verdict.reasons if one.reason is not at_gun.SCALE_UNKNOWN)
        return replace(verdict, reasons=known)
    return verdict


_OF_THE_SCALE = (
    at_gun.SCALE_UNKNOWN,
    at_gun.SCALE_STOPPED,
    at_gun.SCALE_NOT_VERIFIED,
    at_gun.SCALE_VERIFICATION_EXPIRED,
)


def _answer(doing: Doing, resolved: Resolved, row: Any | None, ask: Ask) -> AskAnswer:
    verdict = ask.verdict
    return AskAnswer(
        ask_id=ask.id,
        code=resolved.code,
        cylinder_id=resolved.cylinder_id,
        allowed=ask.allowed,
        reasons=[refusal.worded(doing.actor.audience) for refusal in ask.reasons],
        next_due_on=_due_on(verdict),
        max_fill_g=row.max_fill_g if row else None,
        tare_g=row.tare_g if row else None,
        edition=verdict.edition_digest,
        asked_at=ask.asked_at,
        is_only_the_scale=not ask.allowed and all(one.reason in _OF_THE_SCALE for one in ask.reasons),
    )


def _standing_of_asker(
    doing: Doing,
    purpose: Purpose,
    site: UUID | None,
    at: datetime,
    of_site: Callable[[UUID], Standing | None],
) -> Standing | None:
    """For whom the asker asks; None for an office that asks about bottles as such."""
    reach, reads = doing.actor.reach, doing.ground.reads
    firm_id = None
    if reach.kind is ScopeKind.COURIER:
        courier_id = doing.actor.scope_id(ScopeKind.COURIER)
        courier = _FIRM_OF_COURIER.ask(reads, district=doing.actor.district, courier_id=courier_id)
        if not courier:
            raise NotFound
        firm_id = courier[0].firm_id
    if site is None and reach.kind is ScopeKind.SITE:
        site = doing.actor.scope_id(ScopeKind.SITE)
    if site is not None:
        standing = of_site(site)
        if standing is None:
            raise NotFound
        if firm_id is None:
            doing.actor.must_reach(site=site, firm=standing.firm_id, district=standing.district)
        elif firm_id != standing.firm_id:
            raise NotFound
        return standing
    if purpose is Purpose.FILL:
        raise WrongField(
            "/query/site", "required", "问能否充装须指明场站", "expected the site that would fill"
        )
    if reach.kind is ScopeKind.FIRM:
        firm_id = doing.actor.scope_id(ScopeKind.FIRM)
    if firm_id is None:
        return None
    return _by_firm(_FIRMS.ask(reads, firms=[firm_id], day=clock.day_of(at))).get(firm_id)


# --------------------------------------------------------------------------------------------------------
# The file of a bottle (our routes)


def all_types(doing: Doing) -> dict[str, Any]:
    with doing.ground.sessions() as db:
        return {"items": list(types(db).values())}


def type_of(doing: Doing, model: str) -> CylinderType:
    with doing.ground.sessions() as db:
        return db.get_one(CylinderType, model)


@dataclass(frozen=True, slots=True)
class BottleFile:
    """Everything filed about one bottle, oldest first, and who holds it now."""

    cylinder: Cylinder
    type: CylinderType | None
    identifiers: Sequence[CylinderIdentifier]
    inspections: Sequence[Inspection]
    fillings: Sequence[Filling]
    holds: Sequence[Hold]
    scrapping: Scrapping | None
    custody: CylinderCustody | None
    extensions: Sequence[LifeExtension]
    registration_acts: Sequence[RegistrationAct]
    sendings: Sequence[InspectionSending]
    seizure: Seizure | None


def cylinder_file(doing: Doing, cylinder_id: UUID) -> BottleFile:
    """The file, for the owner's firm, whoever holds the bottle, an agency, and the places it belongs to."""
    with doing.ground.sessions() as db:
        cylinder = db.get(Cylinder, cylinder_id)
        if cylinder is None:
            raise NotFound
        must_reach_bottle(db, doing, cylinder)

        def filed(model: Any, *order: Any) -> Sequence[Any]:
            return db.scalars(sa.select(model).where(model.cylinder_id == cylinder_id).order_by(*order)).all()

        return BottleFile(
            cylinder,
            db.get(CylinderType, cylinder.model),
            filed(CylinderIdentifier, CylinderIdentifier.scheme, CylinderIdentifier.value),
            filed(Inspection, Inspection.inspected_on, Inspection.id),
            filed(Filling, Filling.filled_at, Filling.id),
            filed(Hold, Hold.from_at, Hold.id),
            db.get(Scrapping, cylinder_id),
            custody_of(db, cylinder_id),
            filed(LifeExtension, LifeExtension.assessed_on, LifeExtension.id),
            filed(RegistrationAct, RegistrationAct.done_on, RegistrationAct.id),
            filed(InspectionSending, InspectionSending.sent_at, InspectionSending.id),
            db.get(Seizure, cylinder_id),
        )


def must_reach_bottle(db: Session, doing: Doing, cylinder: Cylinder) -> None:
    """404 unless the bottle is the caller's firm's, with the caller, in the caller's district, or was sent to
    the caller's agency."""
    reach = doing.actor.reach
    if reach.kind is ScopeKind.AGENCY:
        if not was_sent_to(db, cylinder.cylinder_id, UUID(reach.code)):
            raise NotFound
        return
    if not any(reach.covers(**ids) for ids in _belongs_to(db, cylinder)):
        raise NotFound


def was_sent_to(db: Session, cylinder_id: UUID, agency_id: UUID) -> bool:
    """By its owner or by an authority, at any time: what the agency then found, it may read for ever."""
    sent = sa.exists().where(
        InspectionSending.cylinder_id == cylinder_id, InspectionSending.agency_id == agency_id
    )
    return bool(db.scalar(sa.select(sent)))


def is_with_agency(db: Session, cylinder_id: UUID, agency_id: UUID) -> bool:
    """Sent or seized to this agency and not answered yet; or answered, and still there."""
    open_to = db.scalar(
        sa.select(InspectionSending.agency_id).where(
            InspectionSending.cylinder_id == cylinder_id, InspectionSending.answered_at.is_(None)
        )
    )
    if open_to is not None:
        return open_to == agency_id
    custody = custody_of(db, cylinder_id)
    return custody is not None and (custody.holder_kind, custody.holder_id) == (HolderKind.AGENCY, agency_id)


def _belongs_to(db: Session, cylinder: Cylinder) -> list[dict[str, object]]:
    """The sets of ids by which a scope can reach a bottle: its owner, who it is entrusted to, its holder."""
    reached: list[dict[str, object]] = []
    firms = [one for one in (cylinder.owner_firm_id, cylinder.entrusted_to_firm_id) if one]
    for firm in db.scalars(sa.select(Firm).where(Firm.id.in_(firms))):
        reached.append({"firm": firm.id, "district": firm.home_district})
    for site_id in db.scalars(sa.select(Site.id).where(Site.firm_id.in_(firms))):
        reached.append({"site": site_id})
    custody = custody_of(db, cylinder.cylinder_id)
    if custody is not None:
        reached.append({"district": custody.district})
        if custody.holder_kind is HolderKind.SITE and custody.holder_id:
            site = db.get_one(Site, custody.holder_id)
            reached.append({"site": site.id, "firm": site.firm_id, "district": site.district})
        if custody.holder_kind is HolderKind.COURIER:
            firm_id = db.scalar(sa.select(Staff.firm_id).where(Staff.id == custody.holder_id))
            reached.append({"courier": custody.holder_id, "firm": firm_id})
        if custody.card_id is not None:
            reached.append({"firm": _firm_of_card(db, custody.district, custody.card_id)})
    return reached


def _firm_of_card(db: Session, district: int, card_id: UUID) -> UUID | None:
    return db.scalar(
        sa.select(Account.firm_id)
        .join(Card, sa.and_(Card.district == Account.district, Card.account_id == Account.id))
        .where(Card.district == district, Card.id == card_id)
    )
