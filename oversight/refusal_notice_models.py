"""Refusals of supply told in writing (不予供气告知书): which notice says which refusal, and to whom."""

from datetime import date
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, District, Group, grouped


class RefusalNotice(Base):
    """A notice that tells a kept refusal; its text is the entry's. One for each refusal.

    ``entry_id``: the refusal; ``ask_until_on``: the last day on which a review of it may be asked for.
    """

    __tablename__ = "refusal_notice"
    __table_args__ = grouped(
        Group.DISTRICT,
        sa.ForeignKeyConstraint(["district", "notice_id"], ["notice.district", "notice.id"]),
        sa.UniqueConstraint("district", "entry_id"),
        sa.Index("ix_refusal_notice_household_id", "district", "household_id"),
        sa.Index("ix_refusal_notice_person_id", "district", "person_id"),
        append_only=True,
    )

    district: Mapped[District]
    notice_id: Mapped[UUID] = mapped_column(primary_key=True)
    entry_id: Mapped[UUID]
    refusal_no: Mapped[str]
    household_id: Mapped[UUID]
    person_id: Mapped[UUID]
    firm_id: Mapped[UUID | None]
    street_code: Mapped[str]
    ask_until_on: Mapped[date]
    issued_by: Mapped[UUID]
