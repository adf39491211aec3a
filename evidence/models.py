"""Entries are insert-only (the application's role may not change or delete them); heads move forward."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, Group, grouped


class Outcome(StrEnum):
    DONE = "done"
    REFUSED = "refused"


class SubjectType(StrEnum):
    """What has a chain of its own. Firm, site, zone, round and staff are columns instead: they are hot.

    ``register`` is the chain, one per district, of office deeds that touch no other subject (a firm, a
    site, a vehicle, a zone is entered): without it their entries could vanish unnoticed.
    """

    BINDING = "binding"
    CARD = "card"
    CYLINDER = "cylinder"
    DEVICE = "device"
    HAZARD = "hazard"
    HOUSEHOLD = "household"
    ORDER = "order"
    PERSON = "person"
    REGISTER = "register"


class Entry(Base):
    """One deed, one row. ``written`` is what was hashed: re-serialising never gives the same bytes."""

    __tablename__ = "evidence_entry"
    __table_args__ = grouped(
        Group.EXEMPT,
        sa.CheckConstraint("length(hash) = 32", name="hash_length"),
        sa.Index("ix_evidence_entry_recorded_at", "recorded_at"),
        sa.Index(
            "ix_evidence_entry_refusal_no", "refusal_no", postgresql_where=sa.text("refusal_no IS NOT NULL")
        ),
        sa.Index(
            "ix_evidence_entry_site_id",
            "site_id",
            "recorded_at",
            postgresql_where=sa.text("site_id IS NOT NULL"),
        ),
        append_only=True,
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    verb: Mapped[str]
    outcome: Mapped[Outcome]
    district: Mapped[int]
    actor_id: Mapped[UUID]
    role: Mapped[str]
    firm_id: Mapped[UUID | None]
    site_id: Mapped[UUID | None]
    zone_id: Mapped[UUID | None]
    round_id: Mapped[UUID | None]
    refusal_no: Mapped[str | None]
    occurred_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    written: Mapped[bytes]
    hash: Mapped[bytes]


class Link(Base):
    """An entry's place in the chain of one subject."""

    __tablename__ = "evidence_link"
    __table_args__ = grouped(
        Group.EXEMPT,
        sa.CheckConstraint("seq >= 1", name="seq"),
        sa.Index("ix_evidence_link_entry_id", "entry_id"),
        append_only=True,
    )

    subject_type: Mapped[SubjectType] = mapped_column(primary_key=True)
    subject_key: Mapped[str] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    entry_id: Mapped[UUID]
    previous: Mapped[bytes | None]


class Head(Base):
    """Where each chain stands. May be updated, is locked last; the verifier rebuilds it from the entries."""

    __tablename__ = "evidence_head"
    __table_args__ = grouped(Group.EXEMPT)

    subject_type: Mapped[SubjectType] = mapped_column(primary_key=True)
    subject_key: Mapped[str] = mapped_column(primary_key=True)
    seq: Mapped[int]
    hash: Mapped[bytes | None]
