"""Tables of rounds: the plan of a zone's day as it was solved and checked, and the rounds made of it."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, District, Group, Json, JsonList, NewId, grouped
from dispatch.rounds.states import ChangeState, PlanState, RoundState


class RoundPlan(Base):
    """One zone's day: the problem and the plan in full, so that the checker can judge them again.

    ``roster_id``: the confirmed roster whose crews and shifts it was made with; null: whoever was bound.
    """

    __tablename__ = "round_plan"
    __table_args__ = grouped(
        Group.DISTRICT,
        sa.Index(
            "uq_round_plan_applied",
            "district",
            "zone_id",
            "day",
            "wave",
            unique=True,
            postgresql_where=sa.text("state = 'applied'"),
        ),
        sa.Index("ix_round_plan_zone_id", "district", "zone_id", "day"),
    )

    district: Mapped[District]
    id: Mapped[NewId]
    firm_id: Mapped[UUID]
    zone_id: Mapped[UUID]
    day: Mapped[date]
    wave: Mapped[int]
    state: Mapped[PlanState]
    problem: Mapped[Json]
    plan: Mapped[Json]
    unserved: Mapped[JsonList]
    engine: Mapped[str]
    seed: Mapped[int]
    iterations: Mapped[int]
    travel_s: Mapped[int]
    distance_m: Mapped[int]
    travel_times: Mapped[str]
    recorded_at: Mapped[datetime]
    roster_id: Mapped[UUID | None] = mapped_column(default=None)


class Round(Base):
    """配送趟次: what one binding drives on a day, in the order planned.

    ``started_at``, ``finished_at``: when the courier set out, and was done; null where unknown.
    """

    __tablename__ = "round"
    __table_args__ = grouped(
        Group.DISTRICT,
        sa.ForeignKeyConstraint(["district", "plan_id"], ["round_plan.district", "round_plan.id"]),
        sa.Index("ix_round_courier_id", "district", "courier_id", "day"),
        sa.Index("ix_round_plan_id", "district", "plan_id"),
        sa.Index("ix_round_recorded_at", "district", "recorded_at", "id"),
        sa.Index("ix_round_zone_id", "district", "zone_id", "day"),
        sa.Index(
            "uq_round_started_courier",
            "district",
            "courier_id",
            unique=True,
            postgresql_where=sa.text("state = 'started'"),
        ),
    )

    district: Mapped[District]
    id: Mapped[NewId]
    plan_id: Mapped[UUID]
    firm_id: Mapped[UUID]
    zone_id: Mapped[UUID]
    day: Mapped[date]
    binding_district: Mapped[int]
    binding_id: Mapped[UUID]
    courier_id: Mapped[UUID]
    vehicle_id: Mapped[UUID]
    supply_site_id: Mapped[UUID]
    state: Mapped[RoundState]
    recorded_at: Mapped[datetime]
    started_at: Mapped[datetime | None] = mapped_column(default=None)
    finished_at: Mapped[datetime | None] = mapped_column(default=None)


class RoundStop(Base):
    """One order on a round: which trip, which place in it, when it should be reached.

    ``active`` until the round is finished: an order stands on one round at a time, held by the database;
    what a finished round left undone can be planned again.
    """

    __tablename__ = "round_stop"
    __table_args__ = grouped(
        Group.DISTRICT,
        sa.ForeignKeyConstraint(["district", "round_id"], ["round.district", "round.id"]),
        sa.UniqueConstraint("district", "round_id", "trip", "position"),
        sa.Index(
            "uq_round_stop_active_order",
            "district",
            "order_id",
            unique=True,
            postgresql_where=sa.text("active"),
        ),
        sa.Index("ix_round_stop_order_id", "district", "order_id"),
    )

    district: Mapped[District]
    round_id: Mapped[UUID] = mapped_column(primary_key=True)
    order_id: Mapped[UUID] = mapped_column(primary_key=True)
    trip: Mapped[int]
    position: Mapped[int]
    arrive_at: Mapped[datetime]
    active: Mapped[bool]


class ApprovalReason(StrEnum):
    """Why a crew may serve an address outside its fixed zone. A word, never free text."""

    ZONE_REDRAWN = "zone_redrawn"
    CREW_MISSING = "crew_missing"
    URGENT_NEED = "urgent_need"


class ZoneApproval(Base):
    """A dispatcher's word that this order may be served on this round, outside the binding's zone (D03).

    It counts from ``approved_at`` on, for that round only.
    """

    __tablename__ = "zone_approval"
    __table_args__ = grouped(
        Group.DISTRICT,
        sa.ForeignKeyConstraint(["district", "round_id"], ["round.district", "round.id"]),
        append_only=True,
    )

    district: Mapped[District]
    round_id: Mapped[UUID] = mapped_column(primary_key=True)
    order_id: Mapped[UUID] = mapped_column(primary_key=True)
    reason: Mapped[ApprovalReason]
    approved_by: Mapped[UUID]
    approved_at: Mapped[datetime]


class ManifestReveal(Base):
    """When the names, phones and addresses of a round were first opened to its courier, by a deed.

    From then until the round is finished the courier's pages show them; each reveal has its own entry.
    """

    __tablename__ = "manifest_reveal"
    __table_args__ = grouped(
        Group.DISTRICT,
        sa.ForeignKeyConstraint(["district", "round_id"], ["round.district", "round.id"]),
        append_only=True,
    )

    district: Mapped[District]
    round_id: Mapped[UUID] = mapped_column(primary_key=True)
    revealed_by: Mapped[UUID]
    revealed_at: Mapped[datetime]


class ChangeKind(StrEnum):
    """Why a day that is being driven is planned anew."""

    URGENT_ORDER = "urgent_order"
    LOST_CREW = "lost_crew"
    MOVED_STOP = "moved_stop"


class RoundChange(Base):
    """How a day under way would go on after one event: the problem, who drove what, and who would drive it.

    ``standing``: the bare routes before it; ``firsts``: binding → number of the trip its first one here is.
    ``stranded``: orders whose bottles are on board the lost vehicle, for a person to see to.
    ``version``: how often the day had been changed when this was proposed; it is applied to no other.
    ``before_order_id``, or ``to_binding_id`` and ``to_trip``: where a hand puts the order.
    """

    __tablename__ = "round_change"
    __table_args__ = grouped(
        Group.DISTRICT,
        sa.CheckConstraint("(order_id IS NULL) <> (binding_id IS NULL)", name="one_event"),
        sa.Index("ix_round_change_zone_id", "district", "zone_id", "day", "state"),
    )

    district: Mapped[District]
    id: Mapped[NewId]
    firm_id: Mapped[UUID]
    zone_id: Mapped[UUID]
    day: Mapped[date]
    kind: Mapped[ChangeKind]
    order_id: Mapped[UUID | None]
    binding_id: Mapped[UUID | None]
    state: Mapped[ChangeState]
    problem: Mapped[Json]
    standing: Mapped[Json]
    firsts: Mapped[Json]
    plan: Mapped[Json]
    churn: Mapped[Json]
    stranded: Mapped[JsonList]
    unserved: Mapped[JsonList]
    recorded_at: Mapped[datetime]
    version: Mapped[int]
    before_order_id: Mapped[UUID | None] = mapped_column(default=None)
    to_binding_id: Mapped[UUID | None] = mapped_column(default=None)
    to_trip: Mapped[int | None] = mapped_column(default=None)
