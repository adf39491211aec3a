"""What a lower room must tell an upper one, written in the same transaction as the work itself.

One ``outbox_delivery`` row per subscriber; workers claim them per district with SKIP LOCKED. A handler
is a deed keyed by the event's id, so that telling twice does once.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
import structlog
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, Session, mapped_column

from core import clock
from core.auth import Actor, Reach, Role, ScopeKind
from core.db import Base, District, Group, Json, grouped, table_of
from core.doing import Doing
from core.ground import Ground
from core.ids import new_id
from core.prepared import Prepared

log = structlog.get_logger()


class OutboxEvent(Base):
    __tablename__ = "outbox_event"
    __table_args__ = grouped(Group.DISTRICT)

    district: Mapped[District]
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    topic: Mapped[str]
    payload: Mapped[Json]
    recorded_at: Mapped[datetime]


class DeliveryState(StrEnum):
    DUE = "due"
    DONE = "done"
    DEAD = "dead"


class OutboxDelivery(Base):
    __tablename__ = "outbox_delivery"
    __table_args__ = grouped(
        Group.DISTRICT,
        sa.ForeignKeyConstraint(["district", "event_id"], ["outbox_event.district", "outbox_event.id"]),
        sa.Index("ix_outbox_delivery_due", "district", "due_at", postgresql_where=sa.text("state = 'due'")),
    )

    district: Mapped[District]
    event_id: Mapped[UUID] = mapped_column(primary_key=True)
    consumer: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[DeliveryState]
    due_at: Mapped[datetime]
    attempts: Mapped[int]
    last_error: Mapped[str | None]


@dataclass(frozen=True, slots=True)
class Event:
    district: int
    id: UUID
    topic: str
    payload: dict[str, Any]


Handler = Callable[[Ground, Event], None]

# topic -> consumer -> handler; filled once by app.py
SUBSCRIBERS: dict[str, dict[str, Handler]] = {}

MAX_ATTEMPTS = 12

HOUSE = UUID(int=0)
"""The principal under which the house itself acts."""


def subscribe(topic: str, consumer: str, handler: Handler) -> None:
    SUBSCRIBERS.setdefault(topic, {})[consumer] = handler


def tell(db: Session, district: int, topic: str, payload: dict[str, Any]) -> UUID:
    """Write an event and one delivery row per subscriber. Called only through an open deed."""
    event_id, now = new_id(), clock.now()
    _TELL.within(
        db,
        district=district,
        id=event_id,
        topic=topic,
        payload=payload,
        recorded_at=now,
    )
    consumers = list(SUBSCRIBERS.get(topic, {}))
    if consumers:
        _HAND_OUT.within(db, district_=district, event_id_=event_id, due_at_=now, consumers=consumers)
    return event_id


_TELL = Prepared(sa.insert(table_of(OutboxEvent)))
_consumer = sa.func.unnest(sa.bindparam("consumers", type_=ARRAY(sa.Text))).column_valued("consumer")
_HAND_OUT = Prepared(
    sa.insert(table_of(OutboxDelivery)).from_select(
        ["district", "event_id", "consumer", "state", "due_at", "attempts"],
        sa.select(
            sa.bindparam("district_", type_=sa.Integer),
            sa.bindparam("event_id_", type_=sa.Uuid),
            _consumer,
            sa.literal(DeliveryState.DUE.value),
            sa.bindparam("due_at_", type_=sa.DateTime(timezone=True)),
            sa.literal(0),
        ),
    )
)


def house_actor(district: int) -> Actor:
    return Actor(HOUSE, Reach(Role.ADMINISTRATOR, ScopeKind.ALL, "", district), district)


def house_of(ground: Ground, district: int) -> Doing:
    """The house itself acting in a district, of its own accord."""
    return Doing(ground, house_actor(district), district, request_id="house")


def acting(ground: Ground, event: Event, consumer: str) -> Doing:
    """For a handler: the house itself acting, under a key of its own per event and consumer."""
    actor, key = house_actor(event.district), f"event-{event.id}:{consumer}"
    return Doing(ground, actor, event.district, request_id=key, key=key, fingerprint=event.id.bytes)


def dead(db: Session) -> list[OutboxDelivery]:
    """What was given up on, oldest first: somebody has to look."""
    given_up = sa.select(OutboxDelivery).where(OutboxDelivery.state == DeliveryState.DEAD)
    return list(db.scalars(given_up.order_by(OutboxDelivery.due_at)))


def take_up_again(db: Session) -> int:
    """What was given up on is due now and has all its tries again; once whatever stood in its way is gone."""
    taken = db.execute(
        sa.update(OutboxDelivery)
        .where(OutboxDelivery.state == DeliveryState.DEAD)
        .values(state=DeliveryState.DUE, due_at=clock.now(), attempts=0)
        .returning(OutboxDelivery.event_id)
    ).all()
    db.commit()
    return len(taken)


@dataclass(frozen=True, slots=True)
class Standing:
    """How much waits: ``due`` and its greatest delay, and what was given up on."""

    due: int
    late_s: float
    dead: int


def standing(db: Session) -> Standing:
    state, due_at = OutboxDelivery.state, OutboxDelivery.due_at
    due, oldest = db.execute(
        sa.select(sa.func.count(), sa.func.min(due_at)).where(state == DeliveryState.DUE)
    ).one()
    given_up = db.scalar(sa.select(sa.func.count()).where(state == DeliveryState.DEAD))
    late_s = (clock.now() - oldest).total_seconds() if oldest else 0.0
    return Standing(due, max(late_s, 0.0), given_up or 0)


def districts_due(ground: Ground) -> list[int]:
    with ground.sessions() as db:
        due = sa.select(OutboxDelivery.district).where(
            OutboxDelivery.state == DeliveryState.DUE, OutboxDelivery.due_at <= clock.now()
        )
        return sorted(db.scalars(due.distinct()))


def deliver_due(ground: Ground, district: int, limit: int = 100) -> int:
    """Hand out what is due in one district; a failing handler is tried again later, then listed as dead."""
    done = 0
    for _ in range(limit):
        if not _deliver_one(ground, district):
            break
        done += 1
    return done


def _deliver_one(ground: Ground, district: int) -> bool:
    with ground.sessions() as db:
        row = db.scalars(
            sa.select(OutboxDelivery)
            .where(
                OutboxDelivery.district == district,
                OutboxDelivery.state == DeliveryState.DUE,
                OutboxDelivery.due_at <= clock.now(),
            )
            .order_by(OutboxDelivery.due_at)
            .limit(1)
            .with_for_update(skip_locked=True)
        ).first()
        if row is None:
            return False
        stored = db.get_one(OutboxEvent, (row.district, row.event_id))
        event = Event(stored.district, stored.id, stored.topic, stored.payload)
        handler = SUBSCRIBERS.get(stored.topic, {}).get(row.consumer)
        row.attempts += 1
        try:
            if handler is None:
                raise LookupError(f"nobody here answers to {row.consumer!r}")
            handler(ground, event)
        except Exception as error:
            log.warning(
                "outbox.failed",
                topic=stored.topic,
                consumer=row.consumer,
                attempts=row.attempts,
                error=type(error).__name__,
            )
            row.last_error = type(error).__name__
            row.due_at = clock.now() + timedelta(seconds=2 ** min(row.attempts, 12))
            row.state = DeliveryState.DEAD if row.attempts >= MAX_ATTEMPTS else DeliveryState.DUE
        else:
            row.state, row.last_error = DeliveryState.DONE, None
        db.commit()
        return True
