"""What a lower room must tell an upper one, written in the same transaction as the work itself.

One ``outbox_delivery`` row per subscriber. Whoever hands out claims a batch of one district and channel for a
while (a lease), in a transaction of its own; has the handlers do their deeds, which are keyed by the event's
id, so that telling twice does once, or word messages; sends these outside of any transaction; and writes what
came of each. Who is killed in between leaves a lease that runs out: the message is sent again, under the same
reference. ADR 0024 says what this holds and what not.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
import structlog
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Mapped, Session, mapped_column

from core import clock, messages
from core.auth import Actor, Reach, Role, ScopeKind
from core.breaker import Breaker
from core.db import Base, District, Group, Json, grouped, table_of
from core.doing import Doing
from core.ground import Ground
from core.ids import new_id
from core.messages import Message
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
    leased_to: Mapped[UUID | None]
    leased_until: Mapped[datetime | None]


@dataclass(frozen=True, slots=True)
class Event:
    district: int
    id: UUID
    topic: str
    payload: dict[str, Any]


Handler = Callable[[Ground, Event], Sequence[Message] | None]
"""Does what is to be done, or words what is to be sent. It may be called again for the same event."""

# topic -> consumer -> handler; filled once by app.py
SUBSCRIBERS: dict[str, dict[str, Handler]] = {}

MAX_ATTEMPTS = 12
LEASE = timedelta(seconds=30)
BATCH = 32
TURN_S = 5.0
"""So long one telephone is sent its messages while others wait; then what is left waits for the next time."""
SENDER_DIED = "SenderDied"

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
    """How much waits: ``due`` and its greatest delay; what is being handed out; what was given up on."""

    due: int
    sending: int
    late_s: float
    dead: int


def standing(db: Session) -> Standing:
    row, now = OutboxDelivery, clock.now()
    leased = _leased_at(now)
    counts = sa.func.count(), sa.func.count().filter(leased), sa.func.min(row.due_at).filter(~leased)
    undone, sending, oldest = db.execute(sa.select(*counts).where(row.state == DeliveryState.DUE)).one()
    given_up = db.scalar(sa.select(sa.func.count()).where(row.state == DeliveryState.DEAD))
    late_s = (now - oldest).total_seconds() if oldest else 0.0
    return Standing(undone - sending, sending, max(late_s, 0.0), given_up or 0)


# --- handing out ------------------------------------------------------------------------------------------


Breakers = defaultdict[str, Breaker]
"""One for each channel, kept by whoever hands out for long."""


_CHANNEL = sa.func.split_part(OutboxDelivery.consumer, ".", 1)
"""What is handed out together, and waits together: the first word of a consumer's name."""


def due_by_channel(ground: Ground) -> dict[str, list[int]]:
    """The districts where a channel has something due that nobody is handing out."""
    with ground.reads() as db:
        free = sa.select(_CHANNEL, OutboxDelivery.district).where(*_free_at(clock.now()))
        found = defaultdict(list)
        for channel, district in db.execute(free.distinct().order_by(OutboxDelivery.district)):
            found[channel].append(district)
    return found


def districts_due(ground: Ground) -> list[int]:
    return sorted({district for districts in due_by_channel(ground).values() for district in districts})


def deliver_due(ground: Ground, district: int, limit: int = 100) -> int:
    """Hand out what is due in one district, channel by channel. Returns how many were tried."""
    breakers = Breakers(Breaker)
    due = [channel for channel, districts in due_by_channel(ground).items() if district in districts]
    return sum(deliver_channel(ground, district, channel, breakers[channel], limit) for channel in due)


def deliver_channel(ground: Ground, district: int, channel: str, breaker: Breaker, limit: int = 100) -> int:
    """What fails is tried again later, then listed as dead; a channel that is away is left alone."""
    tried, had_turn = 0, _HadTurn()
    while tried < limit:
        wanted = breaker.may_try(clock.now(), min(BATCH, limit - tried))
        batch = _Batch.claimed(ground, district, channel, wanted, had_turn) if wanted else None
        if batch is None or not batch.claims:
            break
        tried += batch.hand_out(breaker)
    return tried


@dataclass(frozen=True, slots=True)
class _HadTurn:
    """The slow telephones of one handing out, and the events that wait for the next one therefore."""

    phones: set[str] = field(default_factory=set, repr=False)
    waiting: set[UUID] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class _Claim:
    event: Event
    consumer: str
    attempts: int


@dataclass(frozen=True, slots=True)
class _Batch:
    """Deliveries that are this lease's alone until it runs out."""

    ground: Ground
    lease: UUID
    until: datetime
    claims: list[_Claim]
    had_turn: _HadTurn

    @classmethod
    def claimed(cls, ground: Ground, district: int, channel: str, most: int, had_turn: _HadTurn) -> "_Batch":
        """A try counts from here: what kills its sender every time ends in the list of the dead too."""
        now = clock.now()
        made = cls(ground, new_id(), now + LEASE, [], had_turn)
        with ground.sessions() as db:
            rows = db.execute(
                sa.select(OutboxDelivery, OutboxEvent)
                .join(
                    OutboxEvent,
                    sa.and_(
                        OutboxEvent.district == OutboxDelivery.district,
                        OutboxEvent.id == OutboxDelivery.event_id,
                    ),
                )
                .where(
                    OutboxDelivery.district == district,
                    OutboxDelivery.event_id.not_in(had_turn.waiting),
                    _CHANNEL.in_([channel]),
                    *_free_at(now),
                )
                .order_by(OutboxDelivery.due_at, OutboxDelivery.event_id, OutboxDelivery.consumer)
                .limit(most)
                .with_for_update(skip_locked=True, of=OutboxDelivery)
            ).all()
            for row, stored in _together(rows):
                row.leased_to, row.leased_until = made.lease, made.until
                row.attempts += 1
                event = Event(stored.district, stored.id, stored.topic, stored.payload)
                made.claims.append(_Claim(event, row.consumer, row.attempts))
            db.commit()
        return made

    def hand_out(self, breaker: Breaker) -> int:
        """Returns how many were tried; the others are due as they were."""
        lanes: dict[str, list[tuple[_Claim, Sequence[Message]]]] = defaultdict(list)
        tried = 0
        for claim in self.claims:
            with _by_itself(claim):
                if breaker.rests(clock.now()):
                    self._give_back(claim)
                elif worded := self._worded(claim):
                    lanes[worded[0].to_phone].append((claim, worded))
                else:
                    tried += 1
        with ThreadPoolExecutor(messages.at_once(self.ground), "outbox-lane") as lane_workers:
            done = [lane_workers.submit(self._send_in_turn, lane, breaker) for lane in lanes.values()]
        return tried + sum(one.result() for one in done)

    def _worded(self, claim: _Claim) -> Sequence[Message]:
        """What its handler leaves to be sent; where that is nothing, what came of it is written."""
        try:
            worded = self._handled(claim)
        except Exception as error:
            self._failed(claim, error)
            return ()
        if not worded:
            self._settle(claim, state=DeliveryState.DONE, last_error=None)
        return worded or ()

    def _handled(self, claim: _Claim) -> Sequence[Message] | None:
        handler = SUBSCRIBERS.get(claim.event.topic, {}).get(claim.consumer)
        if handler is None:
            raise LookupError(f"nobody here answers to {claim.consumer!r}")
        return handler(self.ground, claim.event)

    def _send_in_turn(self, lane: list[tuple[_Claim, Sequence[Message]]], breaker: Breaker) -> int:
        """To one telephone, in the order in which it fell due. Returns how many were tried."""
        tried, begun = 0, time.monotonic()
        for claim, worded in lane:
            with _by_itself(claim):
                if breaker.rests(clock.now()):
                    self._give_back(claim)
                elif self._had_its_turn(worded[0].to_phone, begun):
                    self.had_turn.waiting.add(claim.event.id)
                    self._give_back(claim)
                else:
                    tried += 1
                    self._send(claim, worded, breaker)
        return tried

    def _had_its_turn(self, phone: str, begun: float) -> bool:
        if time.monotonic() - begun > TURN_S:
            self.had_turn.phones.add(phone)
        return phone in self.had_turn.phones

    def _give_back(self, claim: _Claim) -> None:
        """It was not begun, and is due as it was."""
        self._settle(claim, attempts=claim.attempts - 1)

    def _send(self, claim: _Claim, worded: Sequence[Message], breaker: Breaker) -> None:
        try:
            for message in worded:
                self._hold_on_to(claim)
                messages.send(self.ground, message)
        except LeaseLost:
            _log_lost(claim)
        except SQLAlchemyError:  # of our own books, and says nothing of the channel
            raise
        except OSError as away:
            breaker.failed(clock.now())
            self._failed(claim, away)
        except Exception as answered:
            breaker.worked()
            self._failed(claim, answered)
        else:
            breaker.worked()
            self._settle(claim, state=DeliveryState.DONE, last_error=None)

    def _hold_on_to(self, claim: _Claim) -> None:
        """No message is begun that could still be under way when another may take it."""
        now = clock.now()
        if now + messages.LONGEST > self.until and not self._written(claim, leased_until=now + LEASE):
            raise LeaseLost

    def _failed(self, claim: _Claim, error: Exception) -> None:
        log.warning(
            "outbox.failed",
            topic=claim.event.topic,
            consumer=claim.consumer,
            attempts=claim.attempts,
            error=type(error).__name__,
        )
        self._settle(
            claim,
            last_error=type(error).__name__,
            due_at=clock.now() + timedelta(seconds=2 ** min(claim.attempts, 12)),
            state=DeliveryState.DEAD if claim.attempts >= MAX_ATTEMPTS else DeliveryState.DUE,
        )

    def _settle(self, claim: _Claim, **values: Any) -> None:
        """What came of it."""
        if not self._written(claim, leased_to=None, leased_until=None, **values):
            _log_lost(claim)

    def _written(self, claim: _Claim, **values: Any) -> bool:
        """Nothing is written where the lease ran out and another has the delivery now."""
        row = OutboxDelivery
        with self.ground.sessions() as db:
            written = db.scalar(
                sa.update(row)
                .where(
                    row.district == claim.event.district,
                    row.event_id == claim.event.id,
                    row.consumer == claim.consumer,
                    row.leased_to == self.lease,
                )
                .values(**values)
                .returning(row.event_id)
            )
            db.commit()
        return written is not None


class LeaseLost(Exception):
    """Somebody else hands this one out now."""


@contextmanager
def _by_itself(claim: _Claim) -> Iterator[None]:
    """Where our own books do not answer, this one is left until its lease runs out; its batch goes on."""
    try:
        yield
    except Exception as error:
        log.warning(
            "outbox.left",
            topic=claim.event.topic,
            consumer=claim.consumer,
            error=type(error).__name__,
        )


def _together(
    rows: Sequence[sa.Row[OutboxDelivery, OutboxEvent]],
) -> Iterator[tuple[OutboxDelivery, OutboxEvent]]:
    """What may go in one batch. What is found without a word of its last sender may have killed it.

    So it goes alone, that no neighbour loses its tries by it; and after its last try not again.
    """
    taken = 0
    for row, stored in rows:
        was_left = row.leased_to is not None
        if was_left and row.attempts >= MAX_ATTEMPTS:
            _give_up(row, stored.topic)
        elif was_left and taken:
            return
        else:
            yield row, stored
            taken += 1
            if was_left:
                return


def _give_up(row: OutboxDelivery, topic: str) -> None:
    log.warning("outbox.given_up", topic=topic, consumer=row.consumer, attempts=row.attempts)
    row.state, row.last_error = DeliveryState.DEAD, SENDER_DIED
    row.leased_to = row.leased_until = None


def _log_lost(claim: _Claim) -> None:
    log.warning("outbox.lease_lost", topic=claim.event.topic, consumer=claim.consumer)


def _leased_at(now: datetime) -> sa.ColumnElement[bool]:
    return sa.func.coalesce(OutboxDelivery.leased_until > now, sa.false())


def _free_at(now: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        OutboxDelivery.state == sa.literal_column(f"'{DeliveryState.DUE.value}'"),  # as its index says it
        OutboxDelivery.due_at <= now,
        sa.not_(_leased_at(now)),
    )
