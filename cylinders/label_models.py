"""Tables of the bottle's labels, and of codes that two bottles are said to carry."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, Group, NewId, grouped
from cylinders.models import Scheme


class LabelPlace(StrEnum):
    """Where on the bottle: two labels each, since one is often dirty or scratched."""

    GUARD = "guard"
    BODY = "body"


class WhyLabelVoid(StrEnum):
    DAMAGED = "damaged"
    MISPRINTED = "misprinted"
    LOST = "lost"
    ON_ANOTHER_BOTTLE = "on_another_bottle"
    CODE_VOIDED = "code_voided"


class Label(Base):
    """One printed label. ``number`` counts the bottle's labels and is never given again; with the code it
    makes the tag, under the label key of ``key_version``."""

    __tablename__ = "cylinder_label"
    __table_args__ = grouped(
        Group.CYLINDER,
        sa.ForeignKeyConstraint(["cylinder_id"], ["cylinder.cylinder_id"]),
        sa.CheckConstraint("(voided_at IS NULL) = (void_reason IS NULL)", name="void"),
        sa.Index(
            "uq_cylinder_label_standing",
            "cylinder_id",
            "place",
            unique=True,
            postgresql_where=sa.text("voided_at IS NULL"),
        ),
        sa.Index("ix_cylinder_label_batch_id", "batch_id"),
    )

    cylinder_id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    code: Mapped[str]
    place: Mapped[LabelPlace]
    key_version: Mapped[int]
    batch_id: Mapped[UUID]
    issued_by: Mapped[UUID]
    issued_at: Mapped[datetime]
    voided_at: Mapped[datetime | None]
    void_reason: Mapped[WhyLabelVoid | None]


class CollisionOutcome(StrEnum):
    """Who truly carries the code, by somebody who looked at both bottles."""

    STANDING = "standing"
    CLAIMING = "claiming"
    NEITHER = "neither"


class IdentifierCollision(Base):
    """A code on file for one bottle was found on another (重码).

    Of one firm: both bottles stop until a person has looked. ``elsewhere``: the code is another firm's
    bottle's, which nobody stops by claiming its code; the claim was refused and is kept to be looked into.
    """

    __tablename__ = "identifier_collision"
    __table_args__ = grouped(
        Group.IDENTIFIER,
        sa.Index(
            "uq_identifier_collision_open",
            "scheme",
            "value",
            "claiming_cylinder_id",
            unique=True,
            postgresql_where=sa.text("resolved_at IS NULL"),
        ),
        sa.Index("ix_identifier_collision_district", "district", "found_at"),
    )

    scheme: Mapped[Scheme] = mapped_column(primary_key=True)
    id: Mapped[NewId]
    value: Mapped[str]
    standing_cylinder_id: Mapped[UUID]
    claiming_cylinder_id: Mapped[UUID]
    elsewhere: Mapped[bool]
    district: Mapped[int]
    found_by: Mapped[UUID]
    found_at: Mapped[datetime]
    resolved_at: Mapped[datetime | None]
    outcome: Mapped[CollisionOutcome | None]
    resolved_by: Mapped[UUID | None]
