"""Vouchers (购气凭证): for each bottle handed over, what it was and who filled it, to be kept and shown.

Seed plan 003 asks a restaurant to keep one with the bottle's registration code; every user gets it. It is
drawn from the delivery, the filling that was in the bottle then, and the bottle's file as of that moment:
nothing of it is stored twice. For anybody who has its code the public page says the same, and never a
household, an address, a courier or a telephone; the statements are the same whatever is asked for.
"""

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
from cylinders.models import (
    CardHolding,
    CustodyConflict,
    CustodyCorrection,
    CustodyFact,
    Cylinder,
    CylinderIdentifier,
    FactKind,
    Filling,
    Scheme,
)
from cylinders.paper_code import Paper
from cylinders.public_queries import NATION, NOBODY
from cylinders.queries import judge_for_anybody
from cylinders.refill_gate import next_due_on
from dispatch.deliveries.models import Delivery, VisitOutcome
from dispatch.orders.queries import order
from registry.models import Firm, Site
from registry.proxy_queries import ProxyAct
from rulebook import current

VOUCHER = Paper("voucher", "V")


@dataclass(frozen=True, slots=True)
class Voucher:
    """``is_held``: the bottle still stands on the card it was handed over to, with this filling.
    ``contested``: it never came to: another delivery of it contradicts this one, or this one is untrue.

    ``due_on``: the last day before the inspection that was due next when it was handed over. ``contactless``:
    it was left at the door.
    """

    delivery_id: UUID
    number: str
    code: str
    delivered_at: datetime
    model: str | None
    codes: dict[Scheme, str]
    filler: str | None
    filled_on: date | None
    net_g: int | None
    due_on: date | None
    is_held: bool
    contested: bool
    address: str
    contactless: bool

    @property
    def cylinder_code(self) -> str | None:
        """The platform's own code."""
        return self.codes.get(Scheme.PLATFORM)

    @property
    def registration_code(self) -> str | None:
        """使用登记代码"""
        return self.codes.get(Scheme.USE_REGISTRATION)


def vouchers(doing: Doing, order_id: UUID) -> list[Voucher]:
    """One for each bottle of the order that was handed over; of whoever may read what came of the order."""
    order(doing, order_id, ProxyAct.RECEIVE)
    with doing.ground.sessions() as db:
        done = db.scalars(
            sa.select(Delivery)
            .where(
                Delivery.district == doing.district,
                Delivery.order_id == order_id,
                Delivery.outcome == VisitOutcome.DELIVERED,
                Delivery.full_cylinder_id.is_not(None),
            )
            .order_by(Delivery.happened_at, Delivery.id)
        ).all()
        return [voucher for one in done if (voucher := _voucher(db, doing.ground, one)) is not None]


def voucher(doing: Doing, order_id: UUID, delivery_id: UUID) -> Voucher:
    found = next((one for one in vouchers(doing, order_id) if one.delivery_id == delivery_id), None)
    if found is None:
        raise NotFound
    return found


def look(ground: Ground, given: str) -> Voucher | None:
    """Behind a voucher's code, for anybody. A code that is nobody's is looked up as nobody's delivery."""
    behind = VOUCHER.row_behind(ground.keyring, given)
    district, delivery_id = behind or (0, NOBODY)
    with ground.reads() as db:
        done = db.scalars(
            sa.select(Delivery).where(
                Delivery.district == district,
                Delivery.id == delivery_id,
                Delivery.outcome == VisitOutcome.DELIVERED,
            )
        ).one_or_none()
        return _voucher(db, ground, done)


def number_of(delivery: Delivery) -> str:
    """Short enough to be read out: the day and the end of its id."""
    return f"{clock.day_of(delivery.happened_at):%Y%m%d}-{delivery.id.hex[-8:].upper()}"


def _voucher(db: Session, ground: Ground, done: Delivery | None) -> Voucher | None:
    """By the same statements where there is no such delivery: then they ask after nobody's bottle."""
    bottle_id = (done and done.full_cylinder_id) or NOBODY
    at = done.happened_at if done is not None else clock.now()
    asked = {
        "cylinder_id": bottle_id,
        "at": at,
        "district": done.district if done is not None else 0,
        "card_id": done.card_id if done is not None else NOBODY,
        "line_id": done.line_id if done is not None else NOBODY,
    }
    bottle = db.execute(_BOTTLE, asked).one_or_none()
    codes = db.execute(_CODES, asked).all()
    verdict = judge_for_anybody(db, bottle_id, str(done.district) if done is not None else NATION, at)
    if done is None or bottle is None:
        return None
    code = VOUCHER.code_of(ground.keyring, done.district, done.id)
    return Voucher(
        delivery_id=done.id,
        number=number_of(done),
        code=code,
        delivered_at=done.happened_at,
        model=bottle.model,
        codes={row.scheme: row.value for row in codes},
        filler=bottle.filled_by,
        filled_on=clock.day_of(bottle.filled_at) if bottle.filled_at else None,
        net_g=bottle.net_g,
        due_on=next_due_on(verdict.facts, current().at(verdict.place, verdict.day)),
        is_held=bottle.is_held and not bottle.was_refilled,
        contested=bottle.contested,
        address=VOUCHER.address(ground.config.public_url, code),
        contactless=done.drop_place is not None,
    )


_AT: sa.BindParameter[Any] = sa.bindparam("at", type_=sa.DateTime(timezone=True))
_BOTTLE_ID = sa.bindparam("cylinder_id", type_=sa.Uuid())

_filling = (
    sa.select(Filling.filled_at, Filling.net_g, Filling.site_id)
    .where(Filling.cylinder_id == Cylinder.cylinder_id, Filling.filled_at <= _AT)
    .order_by(Filling.filled_at.desc())
    .limit(1)
    .lateral("filling_then")
)
_is_held = sa.exists().where(
    CardHolding.district == sa.bindparam("district"),
    CardHolding.card_id == sa.bindparam("card_id", type_=sa.Uuid()),
    CardHolding.cylinder_id == Cylinder.cylinder_id,
    CardHolding.active,
)
_is_own_fact = sa.and_(
    CustodyFact.cylinder_id == Cylinder.cylinder_id,
    CustodyFact.district == sa.bindparam("district"),
    CustodyFact.line_id == sa.bindparam("line_id", type_=sa.Uuid()),
    CustodyFact.kind == FactKind.DELIVER,
)
_is_disputed = sa.exists().where(
    CustodyConflict.cylinder_id == Cylinder.cylinder_id,
    CustodyConflict.fact_id == CustodyFact.id,
    sa.or_(CustodyConflict.resolved_at.is_(None), CustodyConflict.true_fact_id != CustodyConflict.fact_id),
)
_is_declared_an_error = sa.exists().where(
    CustodyCorrection.cylinder_id == Cylinder.cylinder_id, CustodyCorrection.fact_id == CustodyFact.id
)
_contested = sa.exists().where(_is_own_fact, sa.or_(_is_disputed, _is_declared_an_error))
_was_refilled = sa.exists().where(Filling.cylinder_id == Cylinder.cylinder_id, Filling.filled_at > _AT)
_BOTTLE = (
    sa.select(
        Cylinder.model,
        _filling.c.filled_at,
        _filling.c.net_g,
        Firm.name.label("filled_by"),
        _is_held.label("is_held"),
        _was_refilled.label("was_refilled"),
        _contested.label("contested"),
    )
    .select_from(Cylinder)
    .outerjoin(_filling, sa.true())
    .outerjoin(Site, Site.id == _filling.c.site_id)
    .outerjoin(Firm, Firm.id == Site.firm_id)
    .where(Cylinder.cylinder_id == _BOTTLE_ID)
)
_CODES = sa.select(CylinderIdentifier.scheme, CylinderIdentifier.value).where(
    CylinderIdentifier.cylinder_id == _BOTTLE_ID,
    CylinderIdentifier.scheme.in_((Scheme.PLATFORM, Scheme.USE_REGISTRATION)),
    CylinderIdentifier.active_from <= _AT,
    sa.or_(CylinderIdentifier.voided_at.is_(None), CylinderIdentifier.voided_at > _AT),
)
