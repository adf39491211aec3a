"""Reads: which papers lapse soon, and who lawfully supplies today. A renewed paper hides its former."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from core import clock
from core.auth import ScopeKind
from core.doing import Doing
from core.problems import NotFound
from registry.models import (
    Account,
    Contract,
    Firm,
    Licence,
    LicenceKind,
    Site,
    SiteKind,
    Staff,
    Training,
    Vehicle,
)
from registry.states import AccountState


class PaperKind(StrEnum):
    LICENCE = "licence"
    CERTIFICATE = "certificate"
    TRAINING = "training"
    VEHICLE_PERMIT = "vehicle_permit"
    CONTRACT = "contract"


@dataclass(frozen=True, slots=True)
class Expiring:
    """The last day a paper holds. ``holder_id``: of a firm, site, member of staff, vehicle or account."""

    kind: PaperKind
    what: str
    number: str
    holder_id: UUID
    firm_id: UUID
    valid_until: date
    days_left: int


def expiring(doing: Doing, *, within_days: int) -> list[Expiring]:
    """Of one's own firm, or of every firm for who is over the district; what lapsed already comes first."""
    reach, today = doing.actor.reach, clock.today()
    firm_id = UUID(reach.code) if reach.kind is ScopeKind.FIRM else None
    if firm_id is None and not reach.covers(district=doing.district):
        raise NotFound
    until = today + timedelta(days=within_days)
    with doing.ground.reads() as db:
        found = [
            Expiring(kind, what, number, holder_id, firm, last, (last - today).days)
            for kind, query in _papers(doing.district)
            for what, number, holder_id, firm, last in db.execute(query)
            if last <= until and firm_id in (None, firm)
        ]
    return sorted(found, key=lambda one: (one.valid_until, one.kind, one.number))


def _papers(district: int) -> Iterator[tuple[PaperKind, sa.Executable]]:
    """The latest paper of each holder: (what, number, holder, firm, last day)."""
    holder = sa.func.coalesce(Licence.firm_id, Licence.site_id)
    firm = sa.func.coalesce(Licence.firm_id, Site.firm_id)
    yield (
        PaperKind.LICENCE,
        sa.select(Licence.kind, Licence.number, holder, firm, Licence.valid_until)
        .outerjoin(Site, Site.id == Licence.site_id)
        .outerjoin(Firm, Firm.id == Licence.firm_id)
        .where(sa.or_(Firm.home_district == district, Site.district == district))
        .ext(distinct_on(Licence.kind, holder))
        .order_by(Licence.kind, holder, Licence.valid_until.desc()),
    )
    yield (
        PaperKind.CERTIFICATE,
        sa.select(Staff.kind, Staff.certificate_no, Staff.id, Staff.firm_id, Staff.certificate_until).where(
            Staff.district == district
        ),
    )
    yield (
        PaperKind.TRAINING,
        sa.select(Training.course, Training.reference, Staff.id, Staff.firm_id, Training.valid_until)
        .join(Staff, sa.and_(Staff.district == Training.district, Staff.id == Training.staff_id))
        .where(Training.district == district)
        .ext(distinct_on(Training.staff_id))
        .order_by(Training.staff_id, Training.valid_until.desc()),
    )
    yield (
        PaperKind.VEHICLE_PERMIT,
        sa.select(Vehicle.kind, Vehicle.permit_no, Vehicle.id, Vehicle.firm_id, Vehicle.permit_until).where(
            Vehicle.district == district
        ),
    )
    yield (
        PaperKind.CONTRACT,
        sa.select(
            sa.literal("supply"), Contract.number, Contract.account_id, Contract.firm_id, Contract.valid_until
        )
        .join(Account, sa.and_(Account.district == Contract.district, Account.id == Contract.account_id))
        .where(Contract.district == district, Account.state != AccountState.CLOSED)
        .ext(distinct_on(Contract.account_id, Contract.firm_id))
        .order_by(Contract.account_id, Contract.firm_id, Contract.valid_until.desc()),
    )


@dataclass(frozen=True, slots=True)
class SupplyPoint:
    name: str
    district: int
    permit_number: str
    permit_until: date


@dataclass(frozen=True, slots=True)
class Supplier:
    """A firm with a gas business licence in force, and its supply points with a permit in force."""

    firm_id: UUID
    name: str
    uscc: str
    home_district: int
    licence_number: str
    licence_until: date
    supply_points: list[SupplyPoint]


def lawful_suppliers(db: Session, day: date) -> list[Supplier]:
    in_force = sa.and_(Licence.valid_from <= day, Licence.valid_until >= day)
    firms = db.execute(
        sa.select(Firm, Licence)
        .join(Licence, sa.and_(Licence.firm_id == Firm.id, Licence.kind == LicenceKind.GAS_BUSINESS))
        .where(in_force)
        .ext(distinct_on(Firm.home_district, Firm.name, Firm.id))
        .order_by(Firm.home_district, Firm.name, Firm.id, Licence.valid_until.desc())
    ).all()
    points: dict[UUID, list[SupplyPoint]] = {}
    rows = db.execute(
        sa.select(Site, Licence)
        .join(Licence, sa.and_(Licence.site_id == Site.id, Licence.kind == LicenceKind.SITE_PERMIT))
        .where(in_force, Site.kinds.contains([SiteKind.SUPPLY_POINT.value]))
        .ext(distinct_on(Site.district, Site.name, Site.id))
        .order_by(Site.district, Site.name, Site.id, Licence.valid_until.desc())
    )
    for site, permit in rows:
        points.setdefault(site.firm_id, []).append(
            SupplyPoint(site.name, site.district, permit.number, permit.valid_until)
        )
    return [
        Supplier(
            firm.id,
            firm.name,
            firm.uscc,
            firm.home_district,
            licence.number,
            licence.valid_until,
            points.get(firm.id, []),
        )
        for firm, licence in firms
    ]
