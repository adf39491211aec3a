"""Tables of how a bottle goes on and how it leaves: extensions, registration, inspection, seizure, recall.

What an agency or an authority has put in writing about a bottle is only ever added to. What is being done
about it (a sending, a recall's task) moves by its table of states.
"""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, District, Group, Json, NewId, grouped
from cylinders.states import RecallState, TaskState
from registry.models import HolderKind


def _of_bottle() -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["cylinder_id"], ["cylinder.cylinder_id"])


# --- life and registration ------------------------------------------------------------------------------


class ExtensionBasis(StrEnum):
    """On what an agency says that a bottle may go on past its design life."""

    INSPECTION = "inspection"
    ASSESSMENT = "assessment"


class LifeExtension(Base):
    """延期: an agency's report that the bottle may serve until that day. It counts once registered."""

    __tablename__ = "life_extension"
    __table_args__ = grouped(
        Group.CYLINDER,
        _of_bottle(),
        sa.UniqueConstraint("cylinder_id", "agency_id", "report_no"),
        sa.CheckConstraint("until_on > assessed_on", name="span"),
        append_only=True,
    )

    cylinder_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[NewId]
    basis: Mapped[ExtensionBasis]
    agency_id: Mapped[UUID]
    report_no: Mapped[str]
    assessed_on: Mapped[date]
    until_on: Mapped[date]
    recorded_by: Mapped[UUID]
    recorded_at: Mapped[datetime]


class RegistrationKind(StrEnum):
    CHANGED = "changed"
    CANCELLED = "cancelled"


class CancelReason(StrEnum):
    """Why a bottle's use registration was cancelled (注销)."""

    FAILED_INSPECTION = "failed_inspection"
    PAST_LIFE = "past_life"
    REFURBISHED = "refurbished"
    ILLEGAL_MAKE = "illegal_make"
    SCREWED_GUARD = "screwed_guard"
    TWO_PHASE = "two_phase"
    SEIZED = "seized"
    SCRAPPED = "scrapped"
    LOST = "lost"


class RegistrationAct(Base):
    """What the registering authority put on its file: a change for an extension (变更), or the end (注销)."""

    __tablename__ = "registration_act"
    __table_args__ = grouped(
        Group.CYLINDER,
        _of_bottle(),
        sa.ForeignKeyConstraint(
            ["cylinder_id", "extension_id"], ["life_extension.cylinder_id", "life_extension.id"]
        ),
        sa.CheckConstraint("(kind = 'changed') = (extension_id IS NOT NULL)", name="extension"),
        sa.CheckConstraint("(kind = 'cancelled') = (why IS NOT NULL)", name="why"),
        sa.Index(
            "uq_registration_act_extension",
            "cylinder_id",
            "extension_id",
            unique=True,
            postgresql_where=sa.text("extension_id IS NOT NULL"),
        ),
        sa.Index(
            "uq_registration_act_cancelled",
            "cylinder_id",
            unique=True,
            postgresql_where=sa.text("kind = 'cancelled'"),
        ),
        append_only=True,
    )

    cylinder_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[NewId]
    kind: Mapped[RegistrationKind]
    extension_id: Mapped[UUID | None]
    why: Mapped[CancelReason | None]
    document_no: Mapped[str]
    done_on: Mapped[date]
    recorded_by: Mapped[UUID]
    recorded_at: Mapped[datetime]


# --- at the agency --------------------------------------------------------------------------------------


class SendingReason(StrEnum):
    """Why a bottle was sent to an agency."""

    DUE = "due"
    OVERDUE = "overdue"
    PAST_LIFE = "past_life"
    FAILED_CHECK = "failed_check"
    UNFIT = "unfit"
    RECALL = "recall"
    SEIZED = "seized"


class InspectionSending(Base):
    """送检: sent to an agency, received there, answered by its result. One is open per bottle."""

    __tablename__ = "inspection_sending"
    __table_args__ = grouped(
        Group.CYLINDER,
        _of_bottle(),
        sa.Index(
            "uq_inspection_sending_open",
            "cylinder_id",
            unique=True,
            postgresql_where=sa.text("answered_at IS NULL"),
        ),
        sa.Index(
            "ix_inspection_sending_agency_id",
            "agency_id",
            "sent_at",
            "id",
            postgresql_where=sa.text("answered_at IS NULL"),
        ),
    )

    cylinder_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[NewId]
    district: Mapped[int]
    firm_id: Mapped[UUID | None]
    agency_id: Mapped[UUID]
    why: Mapped[SendingReason]
    reference: Mapped[str]
    sent_by: Mapped[UUID]
    sent_at: Mapped[datetime]
    received_at: Mapped[datetime | None]
    answered_at: Mapped[datetime | None]


class AnomalyKind(StrEnum):
    """What makes a report doubtful. A flag for the regulator, never a refusal."""

    REPORT_NO_REUSED = "report_no_reused"
    DATED_BEFORE_RECEIPT = "dated_before_receipt"


class InspectionAnomaly(Base):
    """检验存疑: a report under another bottle's number, or dated before the agency had the bottle."""

    __tablename__ = "inspection_anomaly"
    __table_args__ = grouped(
        Group.CYLINDER,
        _of_bottle(),
        sa.Index("ix_inspection_anomaly_district", "district", "found_at", "id"),
        append_only=True,
    )

    cylinder_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[NewId]
    district: Mapped[int]
    kind: Mapped[AnomalyKind]
    inspection_id: Mapped[UUID]
    agency: Mapped[str]
    report_no: Mapped[str]
    other_cylinder_id: Mapped[UUID | None]
    found_at: Mapped[datetime]


class UnfitReason(StrEnum):
    """What an unfit bottle is reported to the registering authority for."""

    FAILED_INSPECTION = "failed_inspection"
    REFURBISHED = "refurbished"
    ILLEGAL_MAKE = "illegal_make"
    SCREWED_GUARD = "screwed_guard"


class UnfitReport(Base):
    """上报登记机关: that a bottle failed, was altered, was made unlawfully or has a screwed-on guard."""

    __tablename__ = "unfit_report"
    __table_args__ = grouped(
        Group.CYLINDER,
        _of_bottle(),
        sa.UniqueConstraint("cylinder_id", "why", "reference"),
        sa.Index("ix_unfit_report_district", "district", "reported_at", "id"),
        append_only=True,
    )

    cylinder_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[NewId]
    district: Mapped[int]
    registered_by_firm_id: Mapped[UUID | None]
    why: Mapped[UnfitReason]
    reference: Mapped[str]
    reported_by: Mapped[UUID]
    reported_at: Mapped[datetime]


class SeizureReason(StrEnum):
    """Why an authority took a bottle."""

    OVERDUE = "overdue"
    PAST_LIFE = "past_life"
    UNREGISTERED = "unregistered"
    FOREIGN = "foreign"
    REFURBISHED = "refurbished"
    ILLEGAL_MAKE = "illegal_make"
    SCREWED_GUARD = "screwed_guard"
    TWO_PHASE = "two_phase"
    ILLEGAL_TRADE = "illegal_trade"


class Seizure(Base):
    """查扣: taken by the authority and given to an agency against a receipt. Only scrapping leads out."""

    __tablename__ = "seizure"
    __table_args__ = grouped(
        Group.CYLINDER,
        _of_bottle(),
        sa.Index("ix_seizure_district", "district", "seized_at", "cylinder_id"),
        append_only=True,
    )

    cylinder_id: Mapped[UUID] = mapped_column(primary_key=True)
    district: Mapped[int]
    why: Mapped[SeizureReason]
    receipt_no: Mapped[str]
    agency_id: Mapped[UUID]
    from_kind: Mapped[HolderKind | None]
    from_id: Mapped[UUID | None]
    seized_by: Mapped[UUID]
    seized_at: Mapped[datetime]


# --- recall ---------------------------------------------------------------------------------------------


class RecallCampaign(Base):
    """召回: by which criterion, on which document. ``root`` commits to the list as it was frozen.

    ``firm_id``: the firm that recalls its own bottles; null where the authority does.
    """

    __tablename__ = "recall_campaign"
    __table_args__ = grouped(
        Group.DISTRICT, sa.Index("ix_recall_campaign_opened_at", "district", "opened_at")
    )

    district: Mapped[District]
    id: Mapped[NewId]
    firm_id: Mapped[UUID | None]
    reference: Mapped[str]
    criterion: Mapped[Json]
    listed: Mapped[int]
    root: Mapped[str]
    state: Mapped[RecallState]
    opened_by: Mapped[UUID]
    opened_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


class RecallOutcome(StrEnum):
    """How a recalled bottle's task ended."""

    SCRAPPED = "scrapped"
    RETURNED_TO_MAKER = "returned_to_maker"
    NOT_AFFECTED = "not_affected"
    NOT_FOUND = "not_found"


class RecallTask(Base):
    """One bottle of a recall, with its holder as the list was frozen, and what became of it.

    ``card_district`` and ``card_id``: the card it stood on. ``is_late``: found after the list was frozen.
    """

    __tablename__ = "recall_task"
    __table_args__ = grouped(
        Group.DISTRICT,
        sa.ForeignKeyConstraint(
            ["district", "campaign_id"], ["recall_campaign.district", "recall_campaign.id"]
        ),
        sa.Index("ix_recall_task_cylinder_id", "cylinder_id"),
    )

    district: Mapped[District]
    campaign_id: Mapped[UUID] = mapped_column(primary_key=True)
    cylinder_id: Mapped[UUID] = mapped_column(primary_key=True)
    model: Mapped[str]
    owner_firm_id: Mapped[UUID | None]
    holder_kind: Mapped[HolderKind | None]
    holder_id: Mapped[UUID | None]
    card_district: Mapped[int | None]
    card_id: Mapped[UUID | None]
    hold_id: Mapped[UUID | None]
    is_late: Mapped[bool]
    state: Mapped[TaskState]
    told_at: Mapped[datetime | None]
    brought_in_at: Mapped[datetime | None]
    settled_at: Mapped[datetime | None]
    outcome: Mapped[RecallOutcome | None]
    reference: Mapped[str | None]
    recorded_at: Mapped[datetime]


# --- notices --------------------------------------------------------------------------------------------


class DueKind(StrEnum):
    """What a bottle is coming to."""

    INSPECTION = "inspection"
    LIFE = "life"


class DueNotice(Base):
    """提醒: a household was told that its bottle falls due that day. Once per bottle, kind, day and holding.

    ``holding_id``: the fact since which the household has it. Whoever gets the bottle later is told anew.
    """

    __tablename__ = "due_notice"
    __table_args__ = grouped(
        Group.CYLINDER,
        _of_bottle(),
        sa.Index("ix_due_notice_district", "district", "noticed_at"),
        append_only=True,
    )

    cylinder_id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[DueKind] = mapped_column(primary_key=True)
    due_on: Mapped[date] = mapped_column(primary_key=True)
    district: Mapped[int]
    firm_id: Mapped[UUID | None]
    holder_kind: Mapped[HolderKind | None]
    noticed_at: Mapped[datetime]
    holding_id: Mapped[UUID] = mapped_column(primary_key=True)


class FirmDueNotice(Base):
    """提醒: a firm was told how many more of its bottles fall due by that day; of each day once."""

    __tablename__ = "firm_due_notice"
    __table_args__ = grouped(Group.DISTRICT, append_only=True)

    district: Mapped[District]
    firm_id: Mapped[UUID] = mapped_column(primary_key=True)
    until_on: Mapped[date] = mapped_column(primary_key=True)
    inspections: Mapped[int]
    lives: Mapped[int]
    noticed_at: Mapped[datetime]


# --- what is not ours -----------------------------------------------------------------------------------


class SightingKind(StrEnum):
    """What was seen. ``black``: no lawful marks at all (黑气瓶)."""

    UNKNOWN = "unknown"
    FOREIGN = "foreign"
    BLACK = "black"
    VOIDED = "voided"
    SCRAPPED = "scrapped"
    SEIZED = "seized"


class Sighting(Base):
    """A bottle that should not be there: what, where, by which photograph. Seen again that day it counts up.

    ``same_as`` is what makes two reports one: the code (or, without one, the photograph) and the place.
    """

    __tablename__ = "sighting"
    __table_args__ = grouped(
        Group.DISTRICT,
        sa.UniqueConstraint("district", "kind", "same_as", "seen_on"),
        sa.Index("ix_sighting_recorded_at", "district", "recorded_at", "id"),
        sa.CheckConstraint(
            "(lon IS NULL) = (lat IS NULL) AND (site_id IS NULL OR lon IS NULL)", name="place"
        ),
        sa.CheckConstraint("times > 0", name="times"),
    )

    district: Mapped[District]
    id: Mapped[NewId]
    kind: Mapped[SightingKind]
    same_as: Mapped[str]
    seen_on: Mapped[date]
    code: Mapped[str | None]
    cylinder_id: Mapped[UUID | None]
    site_id: Mapped[UUID | None]
    lon: Mapped[float | None]
    lat: Mapped[float | None]
    photo_sha256: Mapped[str | None]
    times: Mapped[int]
    reported_by: Mapped[UUID]
    role: Mapped[str]
    last_seen_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
