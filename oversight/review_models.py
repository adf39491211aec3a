"""Reviews of refusals: what was asked and answered. The answer is a written notice, with its receipts."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, District, Group, JsonList, NewId, grouped
from oversight.review_states import ReviewState


class Ground(StrEnum):
    """Why somebody wants it looked at again."""

    RECORD_WRONG = "record_wrong"
    NOT_OUR_CASE = "not_our_case"
    HARDSHIP = "hardship"
    WHY = "why"


class Finding(StrEnum):
    """What was found when a person looked, in a word; the sealed text says more where that is needed."""

    RECORD_RIGHT = "record_right"
    RECORD_MENDED = "record_mended"
    RULE_NOT_FOR_CASE = "rule_not_for_case"
    HARDSHIP_SHOWN = "hardship_shown"
    NOT_SHOWN = "not_shown"
    SAFETY_FIRST = "safety_first"


class RefusalReview(Base):
    """A refused deed that a person looks at again. ``entry_id``: the refusal; ``rules``: of its reasons.

    ``said_sealed`` and ``answer_sealed``: in the people's own words, under the registrant.
    ``answer_notice_id``: the answer as a numbered paper, by which its receipts are kept.
    """

    __tablename__ = "refusal_review"
    __table_args__ = grouped(
        Group.DISTRICT,
        sa.CheckConstraint("(answered_at IS NULL) = (finding IS NULL)", name="answered"),
        sa.ForeignKeyConstraint(["district", "answer_notice_id"], ["notice.district", "notice.id"]),
        sa.Index("ix_refusal_review_answer_notice_id", "district", "answer_notice_id"),
        sa.Index(
            "uq_refusal_review_entry_id",
            "district",
            "entry_id",
            unique=True,
            postgresql_where=sa.text("state <> 'withdrawn'"),
        ),
        sa.Index("ix_refusal_review_due_on", "district", "state", "due_on"),
        sa.Index("ix_refusal_review_household_id", "district", "household_id"),
        sa.Index("ix_refusal_review_person_id", "district", "person_id"),
    )

    district: Mapped[District]
    id: Mapped[NewId]
    entry_id: Mapped[UUID]
    refusal_no: Mapped[str]
    verb: Mapped[str]
    rules: Mapped[JsonList]
    refused_at: Mapped[datetime]
    refused_by: Mapped[UUID]
    household_id: Mapped[UUID]
    person_id: Mapped[UUID]
    firm_id: Mapped[UUID | None]
    street_code: Mapped[str]
    ground: Mapped[Ground]
    said_sealed: Mapped[bytes | None]
    state: Mapped[ReviewState]
    asked_by: Mapped[UUID]
    asked_at: Mapped[datetime]
    due_on: Mapped[date]
    taken_by: Mapped[UUID | None]
    taken_at: Mapped[datetime | None]
    finding: Mapped[Finding | None]
    answer_sealed: Mapped[bytes | None]
    excepted: Mapped[JsonList]
    excepted_until: Mapped[date | None]
    answered_by: Mapped[UUID | None]
    answered_at: Mapped[datetime | None]
    answer_notice_id: Mapped[UUID | None] = mapped_column(default=None)
