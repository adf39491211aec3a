"""Tables about places (what was seen of them, areas free of bottled gas, gas where it may not be), and what
stands beside an account: its review, its deposit, its closing.
"""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, District, Group, JsonList, NewId, grouped
from registry.states import BannedUseState


class PremisesSurvey(Base):
    """Somebody looked at a place: which facts (``seen``), on which day, and the code of what shows it."""

    __tablename__ = "premises_survey"
    __table_args__ = grouped(
        Group.DISTRICT,
        sa.ForeignKeyConstraint(["district", "premises_id"], ["premises.district", "premises.id"]),
        sa.Index("ix_premises_survey_premises_id", "district", "premises_id"),
        append_only=True,
    )

    district: Mapped[District]
    id: Mapped[NewId]
    premises_id: Mapped[UUID]
    seen: Mapped[dict[str, Any]] = mapped_column(JSONB)
    seen_on: Mapped[date]
    evidence: Mapped[str | None]
    seen_by: Mapped[UUID]
    recorded_at: Mapped[datetime]


class FreeArea(Base):
    """An area declared free of bottled gas: told of on one day, binding from a later one (GeoJSON, WGS-84).

    ``ended_on``: the last day it binds; it stays on file for what was judged by it.
    """

    __tablename__ = "free_area"
    __table_args__ = grouped(
        Group.DISTRICT,
        sa.UniqueConstraint("district", "notice_no"),
        sa.CheckConstraint("effective_on >= announced_on", name="notice"),
        sa.CheckConstraint("ended_on IS NULL OR ended_on >= announced_on", name="span"),
    )

    district: Mapped[District]
    id: Mapped[NewId]
    name: Mapped[str]
    notice_no: Mapped[str]
    outline: Mapped[dict[str, Any]] = mapped_column(JSONB)
    announced_on: Mapped[date]
    effective_on: Mapped[date]
    ended_on: Mapped[date | None]
    recorded_at: Mapped[datetime]


class ExemptionGround(StrEnum):
    """Why a place in a declared area is still supplied for a while."""

    NO_PIPE_YET = "no_pipe_yet"
    CANNOT_CONVERT = "cannot_convert"
    HARDSHIP = "hardship"


class AreaExemption(Base):
    """One place in an area is supplied from a day to a day, on the paper that says so."""

    __tablename__ = "area_exemption"
    __table_args__ = grouped(
        Group.DISTRICT,
        sa.ForeignKeyConstraint(["district", "area_id"], ["free_area.district", "free_area.id"]),
        sa.ForeignKeyConstraint(["district", "premises_id"], ["premises.district", "premises.id"]),
        sa.CheckConstraint("valid_until >= valid_from", name="span"),
        sa.Index("ix_area_exemption_premises_id", "district", "premises_id"),
        append_only=True,
    )

    district: Mapped[District]
    id: Mapped[NewId]
    area_id: Mapped[UUID]
    premises_id: Mapped[UUID]
    ground: Mapped[ExemptionGround]
    document_no: Mapped[str]
    valid_from: Mapped[date]
    valid_until: Mapped[date]
    granted_by: Mapped[UUID]
    recorded_at: Mapped[datetime]


class BannedUseKind(StrEnum):
    """Where bottled gas was seen that may not be there."""

    PIPED_ESTATE = "piped_estate"
    LIFT_BUILDING = "lift_building"
    HIGH_RISE = "high_rise"
    GARAGE = "garage"
    BASEMENT = "basement"
    FREE_AREA = "free_area"


class BannedUse(Base):
    """违规用气: bottled gas seen where it may not be, and what was done until it was gone.

    ``household_id`` where it is a known user's. ``deadline_on``: the last day the notice gives.
    """

    __tablename__ = "banned_use"
    __table_args__ = grouped(
        Group.DISTRICT,
        sa.UniqueConstraint("district", "notice_no"),
        sa.CheckConstraint("deadline_on >= notified_on", name="deadline"),
        sa.Index("ix_banned_use_recorded_at", "district", "recorded_at", "id"),
    )

    district: Mapped[District]
    id: Mapped[NewId]
    kind: Mapped[BannedUseKind]
    state: Mapped[BannedUseState]
    street_code: Mapped[str]
    committee_code: Mapped[str]
    lon: Mapped[float]
    lat: Mapped[float]
    household_id: Mapped[UUID | None]
    found_on: Mapped[date]
    evidence: Mapped[str]
    reported_by: Mapped[UUID]
    notice_no: Mapped[str | None]
    notified_on: Mapped[date | None]
    deadline_on: Mapped[date | None]
    joint_with: Mapped[JsonList]
    closing_evidence: Mapped[str | None]
    closed_on: Mapped[date | None]
    recorded_at: Mapped[datetime]


# --- what stands beside an account --------------------------------------------------------------------------


class ReviewFinding(StrEnum):
    """What was found about the day on which an account was asked for."""

    PROVEN = "proven"
    TO_CLOSE = "to_close"


class AccountReview(Base):
    """An account on the review list was looked at, once."""

    __tablename__ = "account_review"
    __table_args__ = grouped(
        Group.DISTRICT,
        sa.ForeignKeyConstraint(["district", "account_id"], ["account.district", "account.id"]),
        append_only=True,
    )

    district: Mapped[District]
    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    finding: Mapped[ReviewFinding]
    evidence: Mapped[str]
    decided_by: Mapped[UUID]
    decided_on: Mapped[date]
    recorded_at: Mapped[datetime]


class DepositKind(StrEnum):
    PAID = "paid"
    REFUNDED = "refunded"
    FORFEITED = "forfeited"
    CONVERTED = "converted"


class DepositLine(Base):
    """A line of an account's deposit and the balance it leaves, in fen."""

    __tablename__ = "deposit_line"
    __table_args__ = grouped(
        Group.DISTRICT,
        sa.ForeignKeyConstraint(["district", "account_id"], ["account.district", "account.id"]),
        sa.UniqueConstraint("district", "account_id", "kind", "receipt_no"),
        sa.CheckConstraint("number >= 1", name="number"),
        sa.CheckConstraint("amount_fen > 0", name="amount"),
        sa.CheckConstraint("balance_fen >= 0", name="balance"),
        append_only=True,
    )

    district: Mapped[District]
    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    kind: Mapped[DepositKind]
    amount_fen: Mapped[int]
    balance_fen: Mapped[int] = mapped_column(sa.BigInteger)
    receipt_no: Mapped[str]
    entered_on: Mapped[date]
    entered_by: Mapped[UUID]
    recorded_at: Mapped[datetime]


class ClosingReason(StrEnum):
    """Why a household or a business takes no bottled gas any more."""

    PIPED_GAS = "piped_gas"
    ELECTRICITY = "electricity"
    MOVED = "moved"
    DIED = "died"
    BUSINESS_ENDED = "business_ended"
    CLEARED_OUT = "cleared_out"
    USER_REQUEST = "user_request"


class AccountClosing(Base):
    """退户: an account was closed, once, why, and the code of what shows it."""

    __tablename__ = "account_closing"
    __table_args__ = grouped(
        Group.DISTRICT,
        sa.ForeignKeyConstraint(["district", "account_id"], ["account.district", "account.id"]),
        append_only=True,
    )

    district: Mapped[District]
    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    reason: Mapped[ClosingReason]
    evidence: Mapped[str]
    closed_by: Mapped[UUID]
    closed_on: Mapped[date]
    recorded_at: Mapped[datetime]
