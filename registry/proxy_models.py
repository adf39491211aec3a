"""The table of consents: who may book for a home or receive at its door for somebody else (代办人)."""

from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped

from core.db import Base, District, Group, NewId, grouped
from registry.states import ProxyState


class ProxyConsent(Base):
    """Named by one, agreed to by the other, for some days, both included; ended by either.

    ``person_id`` gives it: the registrant of that day, and for a new registrant it counts no more. Until it
    is answered whoever was named by a telephone is known by the number's blind index only, so that naming
    tells nobody whose number is registered; an index under a key that was retired is never answered.
    ``paper``: the paper both signed, where it was recorded at a counter.
    """

    __tablename__ = "proxy_consent"
    __table_args__ = grouped(
        Group.DISTRICT,
        sa.ForeignKeyConstraint(["district", "household_id"], ["household.district", "household.id"]),
        sa.CheckConstraint("may_book OR may_receive", name="for_something"),
        sa.CheckConstraint("valid_until >= valid_from", name="span"),
        sa.CheckConstraint("state <> 'agreed' OR proxy_id IS NOT NULL", name="agreed_by_whom"),
        sa.Index("ix_proxy_consent_household_id", "district", "household_id"),
        sa.Index("ix_proxy_consent_person_id", "person_id"),
        sa.Index("ix_proxy_consent_proxy_id", "proxy_id"),
        sa.Index(
            "ix_proxy_consent_phone",
            "phone_scheme",
            "phone_index",
            postgresql_where=sa.text("state = 'named'"),
        ),
        sa.Index(
            "uq_proxy_consent_agreed",
            "district",
            "household_id",
            "proxy_id",
            unique=True,
            postgresql_where=sa.text("state = 'agreed'"),
        ),
    )

    district: Mapped[District]
    id: Mapped[NewId]
    household_id: Mapped[UUID]
    person_id: Mapped[UUID]
    proxy_id: Mapped[UUID | None]
    phone_scheme: Mapped[str | None]
    phone_index: Mapped[bytes | None]
    may_book: Mapped[bool]
    may_receive: Mapped[bool]
    valid_from: Mapped[date]
    valid_until: Mapped[date]
    paper: Mapped[str | None]
    state: Mapped[ProxyState]
    named_by: Mapped[UUID]
    named_at: Mapped[datetime]
    answered_by: Mapped[UUID | None]
    answered_at: Mapped[datetime | None]
    ended_by: Mapped[UUID | None]
    ended_at: Mapped[datetime | None]
