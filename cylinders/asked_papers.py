"""The asking firm's papers: who fills or supplies, and under what on the day asked about, one statement each.

With ``asked_means`` beside them where a site would fill. For the gate's questions and for deeds that ask it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session
from sqlalchemy.sql.selectable import LateralFromClause

from core.db import Sessions, table_of
from core.prepared import Prepared
from cylinders import asked_means
from cylinders.asked_means import DAY, moment
from cylinders.filling_gate import StartFacts
from registry.models import Firm, Licence, LicenceKind, Site, Staff, StaffKind, Training
from rulebook.term import Term

_firm, _site, _licence, _staff = table_of(Firm), table_of(Site), table_of(Licence), table_of(Staff)


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
    covers = sa.and_(_licence.c.valid_from <= DAY, _licence.c.valid_until >= DAY)
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
_certificate_covers = sa.and_(_staff.c.certificate_from <= DAY, _staff.c.certificate_until >= DAY)
_training = table_of(Training)
_training_covers = sa.and_(_training.c.trained_on <= DAY, _training.c.valid_until >= DAY)
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
PAPERS_AND_MEANS = (*_papers, *asked_means.COLUMNS)
OF_SITE_TO_FILL = _of_site.outerjoin(asked_means.BATCH, sa.true()).outerjoin(
    asked_means.WEIGHED_ON, sa.true()
)
_TO_FILL = Prepared(sa.select(*PAPERS_AND_MEANS).select_from(OF_SITE_TO_FILL).where(_asked_site))
_PAPERS_OF_FIRMS = (
    sa.select(
        _firm.c.id.label("firm_id"),
        _gas.c.valid_from.label("gas_from"),
        _gas.c.valid_until.label("gas_until"),
    )
    .select_from(_firm.outerjoin(_gas, sa.true()))
    .where(_firm.c.id == sa.any_(sa.bindparam("firms", type_=ARRAY(sa.Uuid))))
)
FIRMS = Prepared(_PAPERS_OF_FIRMS)
FIRM_OF_COURIER = Prepared(
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
    rows = _TO_FILL.ask(reads, site_id=site_id, filler_id=filler_id, scale=scale, **moment(at))
    return standing_in(rows[0]) if rows else None


def standing_in(row: Any) -> Standing:
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
    return standings_by_firm(db.execute(_PAPERS_OF_FIRMS, {"firms": sorted(set(firm_ids)), "day": day}))


def standings_by_firm(rows: Iterable[Any]) -> dict[UUID, Standing]:
    return {
        row.firm_id: Standing(row.firm_id, gas_licence=_term(row.gas_from, row.gas_until)) for row in rows
    }


def standing_for(
    db: Session, row: Any | None, site_id: UUID | None, filler_id: UUID | None, day: date
) -> Standing:
    if site_id is not None:
        return standing_of_site(db, site_id, day, filler_id) or Standing(None)
    owner = row.owner_firm_id if row else None
    return standings_of_firms(db, [owner], day)[owner] if owner else Standing(None)
