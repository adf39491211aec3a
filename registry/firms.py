"""Verbs: firms, their sites, and the papers of both. An administrator's."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from core.geo import Datum, to_wgs84
from core.ids import new_id
from core.problems import NotFound, WrongField
from core.refusal import Refusal, Refused
from evidence.deed import Answer, Deed, does
from evidence.models import SubjectType
from registry import firm_refusals as no
from registry.documents import WrongDocument, check_uscc
from registry.mentions import named, unknown
from registry.models import Firm, Licence, LicenceKind, Site, SiteKind

OF_A_FIRM = frozenset({LicenceKind.GAS_BUSINESS})
OF_A_SITE = frozenset({LicenceKind.CYLINDER_FILLING, LicenceKind.SITE_PERMIT})

LicenceGiven = Mapping[str, Any]
"""``kind``, ``number``, ``valid_from``, ``valid_until`` (both days included)."""


@does("firm.register")
def register_firm(
    deed: Deed, *, name: str, uscc: str, home_district: int, licences: Sequence[LicenceGiven]
) -> Answer:
    if not deed.actor.reach.covers(district=home_district):
        raise unknown("/home_district")
    firm = Firm(
        id=new_id(),
        home_district=home_district,
        name=name,
        uscc=_credit_code(uscc),
        recorded_at=deed.recorded_at,
    )
    deed.about(SubjectType.REGISTER, str(deed.district))
    deed.at(firm=firm.id)
    deed.note(firm_id=firm.id, uscc=firm.uscc, home_district=home_district)
    taken = deed.db.scalars(sa.select(Firm.id).where(Firm.uscc == firm.uscc)).first()
    reasons = [no.USCC_TAKEN(firm=taken)] if taken else []
    reasons += _licence_refusals(deed, licences)
    if reasons:
        raise Refused(reasons)
    deed.db.add(firm)
    deed.db.flush()
    _enter_licences(deed, licences, OF_A_FIRM, firm_id=firm.id)
    return {"firm_id": str(firm.id)}


@does("site.register")
def register_site(
    deed: Deed,
    *,
    firm_id: UUID,
    district: int,
    name: str,
    kinds: Sequence[SiteKind],
    point: Mapping[str, Any],
    stock_cap: int,
    licences: Sequence[LicenceGiven],
) -> Answer:
    """``stock_cap`` in cylinders."""
    if not deed.actor.reach.covers(district=district):
        raise unknown("/district")
    firm = named(deed.db.get(Firm, firm_id), "/firm_id")
    at = to_wgs84(point["lon"], point["lat"], Datum(point["datum"]))
    site = Site(
        id=new_id(),
        firm_id=firm.id,
        district=district,
        name=name,
        kinds=sorted({SiteKind(kind).value for kind in kinds}),
        lon=at.lon,
        lat=at.lat,
        stock_cap=stock_cap,
        recorded_at=deed.recorded_at,
    )
    deed.about(SubjectType.REGISTER, str(deed.district))
    deed.at(firm=firm.id, site=site.id)
    deed.note(site_id=site.id, site_district=district, kinds=site.kinds, stock_cap=stock_cap)
    reasons = _licence_refusals(deed, licences)
    if reasons:
        raise Refused(reasons)
    deed.db.add(site)
    deed.db.flush()
    _enter_licences(deed, licences, OF_A_SITE, site_id=site.id)
    return {"site_id": str(site.id)}


@does("firm.license")
def license_firm(deed: Deed, firm_id: UUID, *, licences: Sequence[LicenceGiven]) -> Answer:
    """Enter renewed papers of a firm; the old ones stand for their own days."""
    firm = deed.db.get(Firm, firm_id)
    if firm is None:
        raise NotFound
    deed.actor.must_reach(district=firm.home_district)
    deed.about(SubjectType.REGISTER, str(deed.district))
    deed.at(firm=firm.id)
    reasons = _licence_refusals(deed, licences)
    if reasons:
        raise Refused(reasons)
    _enter_licences(deed, licences, OF_A_FIRM, firm_id=firm.id)
    return {"firm_id": str(firm.id)}


@does("site.license")
def license_site(deed: Deed, site_id: UUID, *, licences: Sequence[LicenceGiven]) -> Answer:
    """Enter renewed papers of a site; the old ones stand for their own days."""
    site = deed.db.get(Site, site_id)
    if site is None:
        raise NotFound
    deed.actor.must_reach(district=site.district)
    deed.about(SubjectType.REGISTER, str(deed.district))
    deed.at(firm=site.firm_id, site=site.id)
    reasons = _licence_refusals(deed, licences)
    if reasons:
        raise Refused(reasons)
    _enter_licences(deed, licences, OF_A_SITE, site_id=site.id)
    return {"site_id": str(site.id)}


def _credit_code(uscc: str) -> str:
    try:
        return check_uscc(uscc)
    except WrongDocument as wrong:
        raise WrongField("/uscc", wrong.code, wrong.zh, wrong.en) from None


def _licence_refusals(deed: Deed, licences: Sequence[LicenceGiven]) -> list[Refusal]:
    numbers = [(paper["kind"], paper["number"]) for paper in licences]
    taken = deed.db.execute(
        sa.select(Licence.kind, Licence.number)
        .where(sa.tuple_(Licence.kind, Licence.number).in_(numbers))
        .order_by(Licence.kind, Licence.number)
    )
    twice = sorted({number for number in numbers if numbers.count(number) > 1})
    found = dict.fromkeys([*((row.kind, row.number) for row in taken), *twice])
    return [no.LICENCE_TAKEN(kind=kind, number=number) for kind, number in found]


def _enter_licences(
    deed: Deed,
    licences: Sequence[LicenceGiven],
    kinds: frozenset[LicenceKind],
    *,
    firm_id: UUID | None = None,
    site_id: UUID | None = None,
) -> None:
    for position, paper in enumerate(licences):
        if paper["kind"] not in kinds:
            raise WrongField(
                f"/licences/{position}/kind",
                "licence.holder",
                "这类许可不属于该持证主体",
                f"expected one of: {', '.join(sorted(kinds))}",
            )
        deed.db.add(Licence(id=new_id(), firm_id=firm_id, site_id=site_id, **paper))
    deed.note(licences=[f"{paper['kind']}:{paper['number']}" for paper in licences])
