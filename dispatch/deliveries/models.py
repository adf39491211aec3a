"""Tables of deliveries: what was loaded for whom, the code at the door, what happened there."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, District, Group, JsonList, NewId, grouped


class LineLoad(Base):
    """The line's side of a load: one bottle per order line."""

    __tablename__ = "line_load"
    __table_args__ = grouped(
        Group.DISTRICT,
        sa.Index(
            "uq_line_load_active", "district", "line_id", unique=True, postgresql_where=sa.text("active")
        ),
        sa.Index("ix_line_load_round_id", "district", "round_id"),
    )

    district: Mapped[District]
    id: Mapped[NewId]
    line_id: Mapped[UUID]
    round_id: Mapped[UUID]
    cylinder_id: Mapped[UUID]
    active: Mapped[bool]
    loaded_at: Mapped[datetime]


class CylinderLoad(Base):
    """The bottle's side of a load: one order line per bottle."""

    __tablename__ = "cylinder_load"
    __table_args__ = grouped(
        Group.CYLINDER,
        sa.Index("uq_cylinder_load_active", "cylinder_id", unique=True, postgresql_where=sa.text("active")),
    )

    cylinder_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[NewId]
    district: Mapped[int]
    line_id: Mapped[UUID]
    active: Mapped[bool]


class DoorCode(Base):
    """Six digits shown to the resident while the courier stands at the door, sealed under the household.

    ``wrong_tries`` counts over the order's whole life: a new code does not give new tries.
    """

    __tablename__ = "door_code"
    __table_args__ = grouped(Group.DISTRICT, sa.CheckConstraint("wrong_tries >= 0", name="wrong_tries"))

    district: Mapped[District]
    order_id: Mapped[UUID] = mapped_column(primary_key=True)
    code_sealed: Mapped[bytes]
    issued_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    wrong_tries: Mapped[int]
    used_at: Mapped[datetime | None]


class ProofKind(StrEnum):
    """The taker's side of a handover, strongest first."""

    DOOR_CODE = "door_code"
    CARD_QR = "card_qr"
    SIGNATURE = "signature"


class VisitOutcome(StrEnum):
    DELIVERED = "delivered"
    WITHHELD = "withheld"
    WRONG_CODE = "wrong_code"


class EmptyException(StrEnum):
    """Why no empty could be scanned."""

    MISSING = "missing"
    TAG_DAMAGED = "tag_damaged"


class DropPlace(StrEnum):
    """Where a bottle may be left: where its household takes it, and nobody passes. No stairs, no hall."""

    DOORSTEP = "doorstep"
    YARD = "yard"
    CYLINDER_ROOM = "cylinder_room"


class FailureReason(StrEnum):
    """Why a visit supplied nobody. A word, never free text."""

    NOBODY_HOME = "nobody_home"
    REFUSED_BY_USER = "refused_by_user"
    WRONG_ADDRESS = "wrong_address"
    NO_ACCESS = "no_access"
    VEHICLE_TROUBLE = "vehicle_trouble"
    OUT_OF_TIME = "out_of_time"
    NO_BOTTLE = "no_bottle"


class Delivery(Base):
    """What happened at the door for one order line. Also a withheld delivery is one.

    ``check_id`` is null only where a phone reported later that gas was handed over without a check.
    ``consent_id``: by which consent somebody received it for the registrant. ``drop_place``: where it was
    left, null where it was handed over in person; with it the hash of a photograph.
    """

    __tablename__ = "delivery"
    __table_args__ = grouped(
        Group.DISTRICT,
        sa.Index("ix_delivery_order_id", "district", "order_id"),
        sa.Index("ix_delivery_round_id", "district", "round_id"),
        sa.Index("ix_delivery_household_id", "district", "household_id"),
        sa.Index(
            "uq_delivery_line_done",
            "district",
            "line_id",
            unique=True,
            postgresql_where=sa.text("outcome IN ('delivered', 'withheld')"),
        ),
        sa.CheckConstraint("drop_photo_sha256 IS NULL OR drop_place IS NOT NULL", name="photo_of_a_drop"),
        append_only=True,
    )

    district: Mapped[District]
    id: Mapped[NewId]
    order_id: Mapped[UUID]
    line_id: Mapped[UUID]
    card_id: Mapped[UUID]
    household_id: Mapped[UUID]
    round_id: Mapped[UUID]
    courier_id: Mapped[UUID]
    binding_id: Mapped[UUID]
    check_id: Mapped[UUID | None]
    outcome: Mapped[VisitOutcome]
    full_cylinder_id: Mapped[UUID | None]
    empty_cylinder_id: Mapped[UUID | None]
    proof_kind: Mapped[ProofKind | None]
    proof_sha256: Mapped[str | None]
    connected: Mapped[bool]
    leak_test_passed: Mapped[bool | None]
    lon: Mapped[float | None]
    lat: Mapped[float | None]
    flags: Mapped[JsonList]
    happened_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    consent_id: Mapped[UUID | None]
    drop_place: Mapped[DropPlace | None]
    drop_photo_sha256: Mapped[str | None]


class Said(StrEnum):
    """What a resident says of an order afterwards."""

    RECEIVED = "received"
    PROBLEM = "problem"


class Problem(StrEnum):
    """What was wrong with a delivery. A word, never free text."""

    SMELLS_OF_GAS = "smells_of_gas"
    NOT_CONNECTED = "not_connected"
    NOT_CHECKED = "not_checked"
    WRONG_BOTTLE = "wrong_bottle"
    NOT_DELIVERED = "not_delivered"
    ASKED_FOR_MONEY = "asked_for_money"
    BAD_CONDUCT = "bad_conduct"


class Confirmation(Base):
    """The resident's own word on an order: once that it was received as shown, once that it was not."""

    __tablename__ = "order_confirmation"
    __table_args__ = grouped(
        Group.DISTRICT,
        sa.CheckConstraint("(said = 'problem') = (problem IS NOT NULL)", name="problem"),
        append_only=True,
    )

    district: Mapped[District]
    order_id: Mapped[UUID] = mapped_column(primary_key=True)
    said: Mapped[Said] = mapped_column(primary_key=True)
    problem: Mapped[Problem | None]
    said_by: Mapped[UUID]
    recorded_at: Mapped[datetime]
