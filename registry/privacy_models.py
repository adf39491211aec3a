"""Tables about personal data: who saw it, what its people were told, and what they asked for."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from core.auth import Role
from core.db import Base, District, Group, JsonList, NewId, grouped
from registry.states import PrivacyRequestState


class Reveal(Base):
    """Somebody was shown what is otherwise masked: which fields of whom, why, and to do what with it.

    Kept beside its entry so that the people concerned, and whoever asks for the log of reveals, can be told
    without reading evidence. Three years at least (PIPL 55 to 56): never deleted.
    """

    __tablename__ = "reveal"
    __table_args__ = grouped(
        Group.DISTRICT,
        sa.Index("ix_reveal_household_id", "district", "household_id"),
        sa.Index("ix_reveal_person_id", "district", "person_id"),
        append_only=True,
    )

    district: Mapped[District]
    id: Mapped[NewId]
    household_id: Mapped[UUID]
    person_id: Mapped[UUID | None]
    principal_id: Mapped[UUID]
    role: Mapped[Role]
    scope_code: Mapped[str]
    fields: Mapped[JsonList]
    reason: Mapped[str]
    purpose: Mapped[str]
    case_no: Mapped[str | None]
    revealed_at: Mapped[datetime]


class NoticeShown(Base):
    """Which version of the privacy notice this person was shown before being registered."""

    __tablename__ = "notice_shown"
    __table_args__ = grouped(
        Group.PERSON, sa.ForeignKeyConstraint(["person_id"], ["person.person_id"]), append_only=True
    )

    person_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[NewId]
    version: Mapped[str]
    shown_by: Mapped[UUID]
    shown_at: Mapped[datetime]


class RequestKind(StrEnum):
    """``copy``: to read what is on record and take a copy (PIPL 45), for who has no telephone page."""

    COPY = "copy"
    CORRECTION = "correction"
    ERASURE = "erasure"


class CorrectedField(StrEnum):
    NAME = "name"
    PHONE = "phone"
    ADDRESS = "address"


class RequestReason(StrEnum):
    """Why a request was decided as it was."""

    DOCUMENT_SEEN = "document_seen"
    PHONE_ANSWERED = "phone_answered"
    VISITED = "visited"
    NOT_PROVEN = "not_proven"
    NOT_THE_PERSON = "not_the_person"
    ALREADY_RIGHT = "already_right"
    TERM_OVER = "term_over"


class PrivacyRequest(Base):
    """What a person asked for about their own data. ``said_sealed``: how it should read; ``former_sealed``:
    the telephone until then, to be told of it. Both under the person."""

    __tablename__ = "privacy_request"
    __table_args__ = grouped(
        Group.DISTRICT,
        sa.CheckConstraint("(kind = 'correction') = (field IS NOT NULL)", name="what"),
        sa.Index("ix_privacy_request_person_id", "district", "person_id"),
    )

    district: Mapped[District]
    id: Mapped[NewId]
    person_id: Mapped[UUID]
    household_id: Mapped[UUID]
    firm_id: Mapped[UUID]
    kind: Mapped[RequestKind]
    field: Mapped[CorrectedField | None]
    said_sealed: Mapped[bytes | None]
    state: Mapped[PrivacyRequestState]
    asked_at: Mapped[datetime]
    reason: Mapped[RequestReason | None]
    decided_by: Mapped[UUID | None]
    decided_at: Mapped[datetime | None]
    former_sealed: Mapped[bytes | None] = mapped_column(default=None)


class ProcessingStop(Base):
    """The person asked to be erased while a term still runs: kept, and shown to nobody, until then."""

    __tablename__ = "processing_stop"
    __table_args__ = grouped(Group.PERSON, sa.ForeignKeyConstraint(["person_id"], ["person.person_id"]))

    person_id: Mapped[UUID] = mapped_column(primary_key=True)
    district: Mapped[int]
    stopped_at: Mapped[datetime]
    erase_on: Mapped[date]
