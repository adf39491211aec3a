"""Tables of safety: checks with their items, hazards with what was done about them."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, District, Group, NewId, grouped
from dispatch.safety.states import HazardState


class CheckMode(StrEnum):
    ON_SITE = "on_site"
    VIDEO = "video"
    PHONE = "phone"


class RemoteReason(StrEnum):
    """Why nobody went in: a check from afar is the exception, and says why."""

    CONTACTLESS = "contactless"
    CLOSED_COMMUNITY = "closed_community"
    ABSENT = "absent"


class CheckReason(StrEnum):
    """Why the visit was made. Only a delivery has an order; a revisit follows a check made from afar."""

    DELIVERY = "delivery"
    SURVEY = "survey"
    LOOK_BACK = "look_back"
    RECHECK = "recheck"
    REVISIT = "revisit"


class CheckOutcome(StrEnum):
    """No finding is also a result; a refused check is recorded as refused."""

    CLEAR = "clear"
    FINDINGS = "findings"
    REFUSED = "refused"


class SafetyCheck(Base):
    """安检: immutable once signed; a correction is a new check.

    ``blocking``: supply may not go on: a finding stops it, or the check was refused. ``checked_by``: the
    principal who looked. A check by video or telephone names the last day for the visit that follows it.
    """

    __tablename__ = "safety_check"
    __table_args__ = grouped(
        Group.DISTRICT,
        sa.Index("ix_safety_check_household_id", "district", "household_id", "checked_at"),
        sa.Index("ix_safety_check_order_id", "district", "order_id"),
        append_only=True,
    )

    district: Mapped[District]
    id: Mapped[NewId]
    household_id: Mapped[UUID]
    order_id: Mapped[UUID | None]
    reason: Mapped[CheckReason]
    mode: Mapped[CheckMode]
    outcome: Mapped[CheckOutcome]
    blocking: Mapped[bool]
    checked_by: Mapped[UUID]
    user_signed: Mapped[bool]
    briefed: Mapped[bool]
    follow_up_on: Mapped[date | None]
    checked_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    remote_reason: Mapped[RemoteReason | None]


class Side(StrEnum):
    """Who checks signs, and who was checked (谁检查、谁签名、谁负责)."""

    CHECKER = "checker"
    USER = "user"


class SignedHow(StrEnum):
    """``confirmation``: the checker, signed in, sent the check as their own. ``on_paper``: no picture of it
    is with us. ``from_afar``: by video or telephone nobody can sign."""

    SIGNATURE = "signature"
    CONFIRMATION = "confirmation"
    ON_PAPER = "on_paper"
    REFUSED = "refused"
    FROM_AFAR = "from_afar"


class CheckSignature(Base):
    """One side's signature under a check, or that it was refused.

    ``content_sha256``: of the check with all its answers, as signed; it stands in the entry too, so that no
    answer can be changed afterwards unnoticed. ``signature_sha256``: of the signature's drawing or photo.
    """

    __tablename__ = "check_signature"
    __table_args__ = grouped(
        Group.DISTRICT,
        sa.ForeignKeyConstraint(["district", "check_id"], ["safety_check.district", "safety_check.id"]),
        sa.CheckConstraint("(signature_sha256 IS NOT NULL) = (how = 'signature')", name="drawn"),
        append_only=True,
    )

    district: Mapped[District]
    check_id: Mapped[UUID] = mapped_column(primary_key=True)
    side: Mapped[Side] = mapped_column(primary_key=True)
    how: Mapped[SignedHow]
    content_sha256: Mapped[str]
    signature_sha256: Mapped[str | None]


class ItemResult(StrEnum):
    PASS = "pass"
    FAIL = "fail"
    NOT_APPLICABLE = "not_applicable"


class Grade(StrEnum):
    """Grades of a finding, mildest first. The courier may raise the catalogue's grade, not lower it."""

    GENERAL = "general"
    SERIOUS = "serious"
    MAJOR = "major"


class CheckItem(Base):
    """One item of a check, by its code in the catalogue. ``hazard_id``: what a failed item stands as."""

    __tablename__ = "check_item"
    __table_args__ = grouped(
        Group.DISTRICT,
        sa.ForeignKeyConstraint(["district", "check_id"], ["safety_check.district", "safety_check.id"]),
        sa.ForeignKeyConstraint(["district", "hazard_id"], ["hazard.district", "hazard.id"]),
        sa.Index("ix_check_item_hazard_id", "district", "hazard_id"),
        append_only=True,
    )

    district: Mapped[District]
    check_id: Mapped[UUID] = mapped_column(primary_key=True)
    item: Mapped[str] = mapped_column(primary_key=True)
    result: Mapped[ItemResult]
    grade: Mapped[Grade | None]
    measured: Mapped[int | None]
    photo_sha256: Mapped[str | None]
    hazard_id: Mapped[UUID | None]


class Hazard(Base):
    """隐患: found by a check, with its grade and deadline. Blocking ones stop supply until re-checked.

    Or known without one: ``equipment_id`` is the piece of the register that is past its day, or barred.
    A household has one open hazard per item: found again, it is the standing one. ``mended_at`` is when
    somebody last claimed that it was mended.
    """

    __tablename__ = "hazard"
    __table_args__ = grouped(
        Group.DISTRICT,
        sa.ForeignKeyConstraint(["district", "check_id"], ["safety_check.district", "safety_check.id"]),
        sa.Index(
            "uq_hazard_open_item",
            "district",
            "household_id",
            "item",
            unique=True,
            postgresql_where=sa.text("state <> 'closed'"),
        ),
        sa.Index("ix_hazard_check_id", "district", "check_id"),
        sa.Index("ix_hazard_found_at", "district", "found_at", "id"),
        sa.Index("ix_hazard_household_id", "district", "household_id"),
        sa.Index("ix_hazard_equipment_id", "district", "equipment_id"),
        sa.CheckConstraint("(check_id IS NULL) = (equipment_id IS NOT NULL)", name="one_source"),
        sa.ForeignKeyConstraint(["district", "equipment_id"], ["equipment.district", "equipment.id"]),
    )

    district: Mapped[District]
    id: Mapped[NewId]
    household_id: Mapped[UUID]
    check_id: Mapped[UUID | None]
    item: Mapped[str]
    grade: Mapped[Grade]
    blocking: Mapped[bool]
    state: Mapped[HazardState]
    deadline_on: Mapped[date | None]
    found_at: Mapped[datetime]
    found_by: Mapped[UUID]
    mended_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[UUID | None]
    closing_check_id: Mapped[UUID | None]
    equipment_id: Mapped[UUID | None] = mapped_column(default=None)


class ReceivedHow(StrEnum):
    """How a notice reached the user. ``left``: at the home, nobody having taken it (留置送达)."""

    SIGNED = "signed"
    REFUSED_TO_SIGN = "refused_to_sign"
    LEFT = "left"
    ELECTRONIC = "electronic"


BEFORE_A_WITNESS = (ReceivedHow.REFUSED_TO_SIGN, ReceivedHow.LEFT)
"""The user's signature is missing: somebody else's stands for it."""


class Notice(Base):
    """A numbered paper given to a home, with the way it was handed over.

    整改通知书: every failed blocking item produces one, which names its hazard. A refusal of supply and the
    answer to a review are told by one too, and name it (oversight). That it was received is proved by its
    ``NoticeReceipt``s, or not yet.
    """

    __tablename__ = "notice"
    __table_args__ = grouped(
        Group.DISTRICT,
        sa.ForeignKeyConstraint(["district", "hazard_id"], ["hazard.district", "hazard.id"]),
        sa.Index("ix_notice_hazard_id", "district", "hazard_id"),
        sa.UniqueConstraint("district", "number"),
        append_only=True,
    )

    district: Mapped[District]
    id: Mapped[NewId]
    hazard_id: Mapped[UUID | None]
    number: Mapped[str]
    received_how: Mapped[ReceivedHow]
    told_at: Mapped[datetime]


class WitnessKind(StrEnum):
    """Who stood by when a user would not sign, or when it was left there."""

    COMMITTEE = "committee"
    PROPERTY_MANAGER = "property_manager"
    POLICE = "police"
    COLLEAGUE = "colleague"


class NoticeReceipt(Base):
    """Proof that a notice reached the user: a signature, a witness, or that it was opened.

    A notice may have several: refused at the door, opened on the phone next day.
    """

    __tablename__ = "notice_receipt"
    __table_args__ = grouped(
        Group.DISTRICT,
        sa.ForeignKeyConstraint(["district", "notice_id"], ["notice.district", "notice.id"]),
        sa.CheckConstraint("(signature_sha256 IS NOT NULL) = (received_how = 'signed')", name="signed"),
        sa.CheckConstraint(
            "(witness IS NOT NULL) = (received_how IN ('refused_to_sign', 'left'))", name="witnessed"
        ),
        sa.CheckConstraint("(witness IS NULL) = (witness_sha256 IS NULL)", name="witness_signed"),
        sa.Index("ix_notice_receipt_notice_id", "district", "notice_id"),
        append_only=True,
    )

    district: Mapped[District]
    id: Mapped[NewId]
    notice_id: Mapped[UUID]
    received_how: Mapped[ReceivedHow]
    signature_sha256: Mapped[str | None]
    witness: Mapped[WitnessKind | None]
    witness_sha256: Mapped[str | None]
    received_at: Mapped[datetime]
    recorded_by: Mapped[UUID]
    recorded_at: Mapped[datetime]
