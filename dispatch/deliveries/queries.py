"""Reads of deliveries, behind our own routes. A door code is opened for its resident only."""

from typing import Any
from uuid import UUID

from core import clock
from core.doing import Doing
from core.problems import NotFound
from dispatch.deliveries import door_code
from dispatch.deliveries.models import Delivery, LineLoad
from dispatch.orders.models import Order, OrderLine
from dispatch.orders.queries import must_reach_order, reach_of_order
from dispatch.safety.equipment_queries import standing_equipment, view
from dispatch.safety.queries import open_hazards
from registry.proxy_queries import ProxyAct
from rulebook import current


def one_load(doing: Doing, load_id: UUID) -> LineLoad:
    with doing.ground.sessions() as db:
        return db.get_one(LineLoad, (doing.district, load_id))


def arrival(doing: Doing, order_id: UUID) -> dict[str, Any]:
    """What the courier may know of the code: that there is one, until when, and how many tries are left.

    And of the home: which hazards of an earlier visit still stand open, and which hose, regulator and alarm
    hang there and until when.
    """
    law = current().at(str(doing.district), clock.today())
    with doing.ground.sessions() as db:
        order = db.get_one(Order, (doing.district, order_id))
        row = door_code.code_of(db, doing.district, order_id)
        if row is None:
            raise NotFound
        return {
            "order_id": order_id,
            "issued_at": row.issued_at,
            "expires_at": row.expires_at,
            "tries_left": door_code.tries_left(row),
            "open_hazards": open_hazards(db, doing.district, order.household_id),
            "equipment": [view(one) for one in standing_equipment(db, order.household_id, law)],
        }


def resident_code(doing: Doing, order_id: UUID) -> dict[str, Any]:
    """The living code, for the registrant who ordered, and for whom they named to receive it.

    For anybody else there is nothing here.
    """
    with doing.ground.sessions() as db:
        order = db.get(Order, (doing.district, order_id))
        if order is None:
            raise NotFound
        must_reach_order(db, doing.actor, order, ProxyAct.RECEIVE)
        row = door_code.code_of(db, doing.district, order_id)
        if row is None or row.used_at is not None or clock.now() >= row.expires_at:
            raise NotFound
        if door_code.is_locked(row):
            raise NotFound
        code = door_code.opened(db, doing.ground, row, order.household_id)
        return {"order_id": order_id, "code": code, "expires_at": row.expires_at}


def delivery(doing: Doing, delivery_id: UUID, tries_left: int | None = None) -> dict[str, Any]:
    """What is on record of a visit, with the hazards that stand open at that household."""
    with doing.ground.sessions() as db:
        row = db.get_one(Delivery, (doing.district, delivery_id))
        hazards = open_hazards(db, row.district, row.household_id)
        shown = {name: getattr(row, name) for name in _SHOWN}
        told = {"tries_left": tries_left} if tries_left is not None else {}
        return {**shown, "open_hazards": [hazard.id for hazard in hazards], **told}


_SHOWN = (
    "id",
    "order_id",
    "line_id",
    "round_id",
    "check_id",
    "outcome",
    "full_cylinder_id",
    "empty_cylinder_id",
    "proof_kind",
    "consent_id",
    "drop_place",
    "drop_photo_sha256",
    "connected",
    "leak_test_passed",
    "flags",
    "happened_at",
    "recorded_at",
)


def line(doing: Doing, line_id: UUID) -> dict[str, Any]:
    with doing.ground.sessions() as db:
        row = db.get_one(OrderLine, (doing.district, line_id))
        doing.actor.must_reach(
            **reach_of_order(db, db.get_one(Order, (doing.district, row.order_id))),
            courier=doing.actor.reach.code,
        )
        return {"order_id": row.order_id, "line_id": row.id, "state": row.state, "failure": row.failure}
