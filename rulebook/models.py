"""What was judged, and by which edition of the law."""

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, Group, Json, JsonList, NewId, grouped


class RulebookEdition(Base):
    """The full text of every edition that ever decided something, once."""

    __tablename__ = "rulebook_edition"
    __table_args__ = grouped(Group.EXEMPT, append_only=True)

    digest: Mapped[str] = mapped_column(primary_key=True)
    text: Mapped[str]
    first_seen_at: Mapped[datetime]


class Decision(Base):
    """One answer of a gate, yes or no, with the facts it rested on. Never changed afterwards.

    Facts are codes, flags, days, integers and surrogate ids; no personal data and no free text. ``street``:
    the street or town of the home that was judged; None where none was, or before streets were kept.
    """

    __tablename__ = "decision"
    __table_args__ = grouped(
        Group.EXEMPT,
        sa.Index("ix_decision_district_decided_at", "district", "decided_at"),
        append_only=True,
    )

    id: Mapped[NewId]
    gate: Mapped[str]
    district: Mapped[int]
    place: Mapped[str]
    day: Mapped[date]
    edition: Mapped[str] = mapped_column(sa.ForeignKey("rulebook_edition.digest"))
    facts: Mapped[Json]
    allowed: Mapped[bool]
    reasons: Mapped[JsonList]
    decided_at: Mapped[datetime]
    street: Mapped[str | None]
