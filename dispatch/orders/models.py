"""Tables of booking: slots with capacity, orders with one line per card."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, District, Group, NewId, grouped
from dispatch.orders.states import OPEN_STATES, LineState


class Slot(Base):
    """A span of a day in a zone with room for so many cylinders. ``taken`` can never pass ``capacity``.

    ``kept`` of them are for homes looked after first, until ``kept_until``; then for everybody.
    Spans are half-open and do not overlap within a zone; the database refuses the second.
    """

    __tablename__ = "slot"
    __table_args__ = grouped(
        Group.DISTRICT,
        ExcludeConstraint(
            ("district", "="),
            ("zone_id", "="),
            (sa.text("tstzrange(starts_at, ends_at)"), "&&"),
            name="ex_slot_span",
            using="gist",
        ),
        sa.Index("ix_slot_day", "district", "zone_id", "day"),
        sa.Index("ix_slot_recorded_at", "district", "recorded_at", "id"),
        sa.CheckConstraint("ends_at > starts_at", name="span"),
        sa.CheckConstraint("taken >= 0 AND taken <= capacity", name="capacity"),
        sa.CheckConstraint(
            "kept >= 0 AND kept <= capacity AND (kept = 0 OR kept_until IS NOT NULL)", name="kept"
        ),
    )

    district: Mapped[District]
    id: Mapped[NewId]
    zone_id: Mapped[UUID]
    day: Mapped[date]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    capacity: Mapped[int]
    taken: Mapped[int]
    closed: Mapped[bool]
    recorded_at: Mapped[datetime]
    kept: Mapped[int] = mapped_column(default=0)
    kept_until: Mapped[datetime | None] = mapped_column(default=None)

    @property
    def room_left(self) -> int:
        return self.capacity - self.taken


class Channel(StrEnum):
    WEB = "web"
    HOTLINE = "hotline"
    COUNTER = "counter"
    VOLUNTEER = "volunteer"


class Purpose(StrEnum):
    """What the gas is for: asked of every buyer (anti-terror rules)."""

    COOKING = "cooking"
    WATER_HEATING = "water_heating"
    CATERING = "catering"
    OTHER = "other"


class Order(Base):
    """A booking of one household for one slot. Personal data stays in the registry.

    ``person_id`` is the registrant on the day of booking: who registers later sees none of it.
    ``premises_decision_id`` and ``decision_id`` are the two answers (place, order) it was booked on.
    ``contactless``: the household wants it left at the door; that it must be checked is as ever.
    """

    __tablename__ = "supply_order"
    __table_args__ = grouped(
        Group.DISTRICT,
        sa.ForeignKeyConstraint(["district", "slot_id"], ["slot.district", "slot.id"]),
        sa.Index("ix_supply_order_household_id", "district", "household_id"),
        sa.Index("ix_supply_order_slot_id", "district", "slot_id"),
        sa.Index("ix_supply_order_recorded_at", "district", "recorded_at", "id"),
        sa.Index("ix_supply_order_person_id", "district", "person_id"),
    )

    district: Mapped[District]
    id: Mapped[NewId]
    household_id: Mapped[UUID]
    account_id: Mapped[UUID]
    person_id: Mapped[UUID]
    premises_id: Mapped[UUID]
    firm_id: Mapped[UUID]
    zone_id: Mapped[UUID]
    slot_id: Mapped[UUID]
    purpose: Mapped[Purpose]
    channel: Mapped[Channel]
    booked_by: Mapped[UUID]
    decision_id: Mapped[UUID]
    premises_decision_id: Mapped[UUID]
    recorded_at: Mapped[datetime]
    contactless: Mapped[bool] = mapped_column(default=False)


class OrderLine(Base):
    """One card's bottle in an order. One open line per card, held by the database.

    ``failure``: the code of why it failed, for a line that did.
    """

    __tablename__ = "order_line"
    __table_args__ = grouped(
        Group.DISTRICT,
        sa.ForeignKeyConstraint(["district", "order_id"], ["supply_order.district", "supply_order.id"]),
        sa.Index(
            "uq_order_line_open_card",
            "district",
            "card_id",
            unique=True,
            postgresql_where=sa.text("state IN ('booked', 'loaded')"),
        ),
        sa.Index("ix_order_line_order_id", "district", "order_id"),
    )

    district: Mapped[District]
    id: Mapped[NewId]
    order_id: Mapped[UUID]
    card_id: Mapped[UUID]
    cylinder_model: Mapped[str]
    state: Mapped[LineState]
    failure: Mapped[str | None]
    recorded_at: Mapped[datetime]


IS_OPEN = OrderLine.state.in_([sa.literal_column(f"'{state.value}'") for state in OPEN_STATES])
"""As its index says it: a prepared statement with the states as parameters could not use that index."""


class BookingRepeat(Base):
    """The frightened customer: refused again on the same card and day is one row with a count."""

    __tablename__ = "booking_repeat"
    __table_args__ = grouped(Group.DISTRICT)

    district: Mapped[District]
    card_id: Mapped[UUID] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    times: Mapped[int]
    last_at: Mapped[datetime]
