"""Table of accounts that pass to another of the home (户内继承): who asks, what shows it, who decides."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, District, Group, NewId, grouped
from registry.states import SuccessionState


class SuccessionGround(StrEnum):
    """Why the registrant is no longer the one who uses the gas."""

    DIED = "died"
    MOVED_OUT = "moved_out"


class Kinship(StrEnum):
    """What the successor is to the registrant, within the same home."""

    SPOUSE = "spouse"
    CHILD = "child"
    PARENT = "parent"
    OTHER_MEMBER = "other_member"


class RejectedFor(StrEnum):
    NOT_SHOWN = "not_shown"
    NOT_OF_THE_HOME = "not_of_the_home"
    CONTESTED = "contested"


class Succession(Base):
    """Asked for by one person, approved or rejected by another; one is under way at most for an account.

    ``evidence``: the code of what shows the death or the move; ``membership``: of what shows that the
    successor lives in the home. ``decided_by`` of a withdrawn one may be whoever asked.
    """

    __tablename__ = "succession"
    __table_args__ = grouped(
        Group.DISTRICT,
        sa.ForeignKeyConstraint(["district", "account_id"], ["account.district", "account.id"]),
        sa.CheckConstraint("from_person_id <> to_person_id", name="another_person"),
        sa.CheckConstraint("(decided_at IS NULL) = (decided_by IS NULL)", name="decided"),
        sa.CheckConstraint("state IN ('asked', 'withdrawn') OR decided_by <> asked_by", name="four_eyes"),
        sa.Index(
            "uq_succession_asked_account",
            "district",
            "account_id",
            unique=True,
            postgresql_where=sa.text("state = 'asked'"),
        ),
        sa.Index("ix_succession_account_id", "district", "account_id"),
        sa.Index("ix_succession_asked_at", "district", "asked_at", "id"),
        sa.Index("ix_succession_household_id", "district", "household_id"),
        sa.Index("ix_succession_from_person_id", "from_person_id"),
    )

    district: Mapped[District]
    id: Mapped[NewId]
    account_id: Mapped[UUID]
    household_id: Mapped[UUID]
    firm_id: Mapped[UUID]
    from_person_id: Mapped[UUID]
    to_person_id: Mapped[UUID]
    ground: Mapped[SuccessionGround]
    kinship: Mapped[Kinship]
    evidence: Mapped[str]
    membership: Mapped[str]
    state: Mapped[SuccessionState]
    asked_by: Mapped[UUID]
    asked_at: Mapped[datetime]
    decided_by: Mapped[UUID | None] = mapped_column(default=None)
    decided_at: Mapped[datetime | None] = mapped_column(default=None)
    rejected_for: Mapped[RejectedFor | None] = mapped_column(default=None)


class FormerHolder(Base):
    """Who held an account before it passed to another person; from then on their term runs (N03)."""

    __tablename__ = "former_holder"
    __table_args__ = grouped(
        Group.DISTRICT,
        sa.ForeignKeyConstraint(["district", "account_id"], ["account.district", "account.id"]),
        sa.Index("ix_former_holder_person_id", "person_id"),
        append_only=True,
    )

    district: Mapped[District]
    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(primary_key=True)
    until_at: Mapped[datetime] = mapped_column(primary_key=True)
