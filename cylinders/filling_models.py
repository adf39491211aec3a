"""Tables of the act of filling: what a station fills with, and one authorisation with its checks and weights.

A scale, a gas batch and a stop are the station's (reference); an authorisation and what was seen under it are
the bottle's. What was checked and weighed is only ever added to. Whether an authorisation has expired is not
stored: it follows from ``expires_at``.
"""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, Group, JsonList, NewId, grouped
from cylinders.filling_states import FillingState

# --- what a station fills with ----------------------------------------------------------------------------


class Scale(Base):
    """充装秤 of a station, by the number on it."""

    __tablename__ = "filling_scale"
    __table_args__ = grouped(
        Group.REFERENCE,
        sa.ForeignKeyConstraint(["site_id"], ["site.id"]),
        sa.UniqueConstraint("site_id", "number"),
    )

    id: Mapped[NewId]
    site_id: Mapped[UUID]
    number: Mapped[str]
    recorded_at: Mapped[datetime]


class ScaleVerification(Base):
    """检定: the scale was found right, and until when that counts."""

    __tablename__ = "scale_verification"
    __table_args__ = grouped(
        Group.REFERENCE,
        sa.ForeignKeyConstraint(["scale_id"], ["filling_scale.id"]),
        sa.CheckConstraint("verified_until >= verified_on", name="span"),
        append_only=True,
    )

    scale_id: Mapped[UUID] = mapped_column(primary_key=True)
    certificate_no: Mapped[str] = mapped_column(primary_key=True)
    verified_on: Mapped[date]
    verified_until: Mapped[date]
    recorded_at: Mapped[datetime]


class Product(StrEnum):
    """What is in a batch, as its certificate names it."""

    LPG = "lpg"
    COMMERCIAL_PROPANE = "commercial_propane"
    COMMERCIAL_BUTANE = "commercial_butane"
    INDUSTRIAL_PROPANE = "industrial_propane"
    DIMETHYL_ETHER = "dimethyl_ether"
    OTHER = "other"


class GasBatch(Base):
    """A delivery of gas to a station. ``supplier``: by its credit code. Null: there is no certificate."""

    __tablename__ = "gas_batch"
    __table_args__ = grouped(
        Group.REFERENCE,
        sa.ForeignKeyConstraint(["site_id"], ["site.id"]),
        sa.UniqueConstraint("site_id", "number"),
    )

    id: Mapped[NewId]
    site_id: Mapped[UUID]
    number: Mapped[str]
    product: Mapped[Product]
    supplier: Mapped[str]
    certificate_no: Mapped[str | None]
    delivered_on: Mapped[date]
    recorded_at: Mapped[datetime]


class GasTest(Base):
    """What a laboratory found in a batch: an odorant, dimethyl ether. The latest counts."""

    __tablename__ = "gas_test"
    __table_args__ = grouped(
        Group.REFERENCE, sa.ForeignKeyConstraint(["batch_id"], ["gas_batch.id"]), append_only=True
    )

    batch_id: Mapped[UUID] = mapped_column(primary_key=True)
    report_no: Mapped[str] = mapped_column(primary_key=True)
    tested_on: Mapped[date]
    odorant_present: Mapped[bool]
    dme_found: Mapped[bool]
    recorded_at: Mapped[datetime]


class GasBatchUse(Base):
    """From when to when a station fills from this batch; half-open, and from one batch at a time."""

    __tablename__ = "gas_batch_use"
    __table_args__ = grouped(
        Group.REFERENCE,
        sa.ForeignKeyConstraint(["batch_id"], ["gas_batch.id"]),
        ExcludeConstraint(
            ("site_id", "="),
            (sa.text("tstzrange(from_at, until_at)"), "&&"),
            name="ex_gas_batch_use_site",
            using="gist",
        ),
        sa.CheckConstraint("until_at IS NULL OR until_at >= from_at", name="span"),
    )

    id: Mapped[NewId]
    site_id: Mapped[UUID]
    batch_id: Mapped[UUID]
    from_at: Mapped[datetime]
    until_at: Mapped[datetime | None]


class StopReason(StrEnum):
    """Why an authority stops a station or a scale. A word, never free text."""

    UNSAFE = "unsafe"
    UNLAWFUL_FILLING = "unlawful_filling"
    RECORDS_MISSING = "records_missing"
    SCALE_WRONG = "scale_wrong"
    GAS_WRONG = "gas_wrong"
    INVESTIGATION = "investigation"


class FillingStop(Base):
    """停充: nothing is filled at the station, or over the scale; half-open (``until_at`` null: still)."""

    __tablename__ = "filling_stop"
    __table_args__ = grouped(
        Group.REFERENCE,
        sa.ForeignKeyConstraint(["site_id"], ["site.id"]),
        sa.ForeignKeyConstraint(["scale_id"], ["filling_scale.id"]),
        sa.CheckConstraint("until_at IS NULL OR until_at >= from_at", name="span"),
        ExcludeConstraint(
            ("site_id", "="),
            (sa.text("COALESCE(scale_id, site_id)"), "="),
            (sa.text("tstzrange(from_at, until_at)"), "&&"),
            name="ex_filling_stop",
            using="gist",
        ),
    )

    id: Mapped[NewId]
    site_id: Mapped[UUID]
    scale_id: Mapped[UUID | None]
    reason: Mapped[StopReason]
    reference: Mapped[str]
    from_at: Mapped[datetime]
    until_at: Mapped[datetime | None]
    stopped_by: Mapped[UUID]
    released_by: Mapped[UUID | None]


# --- one authorisation, and what was seen under it --------------------------------------------------------


class FillingAuthorisation(Base):
    """Leave to fill this bottle, here, over this scale, from this batch, by this person, once, until then.

    Of a bottle at most one is open at any instant, whatever the program says: spans that overlap are refused
    by the database. It is open from ``authorised_at`` until it is closed or has expired.
    """

    __tablename__ = "filling_authorisation"
    __table_args__ = grouped(
        Group.CYLINDER,
        sa.ForeignKeyConstraint(["cylinder_id"], ["cylinder.cylinder_id"]),
        ExcludeConstraint(
            ("cylinder_id", "="),
            (sa.text("tstzrange(authorised_at, COALESCE(closed_at, expires_at))"), "&&"),
            name="ex_filling_authorisation_open",
            using="gist",
        ),
        sa.CheckConstraint(
            "expires_at > authorised_at"
            " AND (closed_at IS NULL OR closed_at BETWEEN authorised_at AND expires_at)",
            name="span",
        ),
        sa.Index("ix_filling_authorisation_id", "id"),
        sa.Index("ix_filling_authorisation_site_id", "site_id", "authorised_at"),
    )

    cylinder_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[NewId]
    state: Mapped[FillingState]
    district: Mapped[int]
    site_id: Mapped[UUID]
    scale_id: Mapped[UUID]
    batch_id: Mapped[UUID]
    filler_id: Mapped[UUID]
    target_g: Mapped[int]
    decision_id: Mapped[UUID]
    authorised_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    abort_reason: Mapped[str | None]
    key_version: Mapped[int]


class AbortReason(StrEnum):
    """Why a filling that was begun is given up."""

    BOTTLE_LEFT = "bottle_left"
    SCALE_FAULT = "scale_fault"
    GUN_FAULT = "gun_fault"
    NO_GAS = "no_gas"
    MISTAKEN = "mistaken"


class CheckPhase(StrEnum):
    BEFORE = "before"
    AFTER = "after"


class FillingCheck(Base):
    """What was looked at before or after the gas went in, item by item, and the reasons it did not pass.

    ``tare_weighed_g`` and ``residue_g`` are measured before.
    """

    __tablename__ = "filling_check"
    __table_args__ = grouped(
        Group.CYLINDER,
        sa.ForeignKeyConstraint(
            ["cylinder_id", "authorisation_id"],
            ["filling_authorisation.cylinder_id", "filling_authorisation.id"],
        ),
        append_only=True,
    )

    cylinder_id: Mapped[UUID] = mapped_column(primary_key=True)
    authorisation_id: Mapped[UUID] = mapped_column(primary_key=True)
    phase: Mapped[CheckPhase] = mapped_column(primary_key=True)
    items: Mapped[JsonList]
    tare_weighed_g: Mapped[int | None]
    residue_g: Mapped[int | None]
    seal_no: Mapped[str | None]
    reasons: Mapped[JsonList]
    decision_id: Mapped[UUID]
    checked_at: Mapped[datetime]


class Weighed(StrEnum):
    """What a weighing showed. ``short`` counts as a filling, and is flagged."""

    RIGHT = "right"
    SHORT = "short"
    OVER = "over"
    NOTHING = "nothing"


class FillingWeighing(Base):
    """The full bottle on the scale; again after it was bled. ``content_g``: all the gas in it."""

    __tablename__ = "filling_weighing"
    __table_args__ = grouped(
        Group.CYLINDER,
        sa.ForeignKeyConstraint(
            ["cylinder_id", "authorisation_id"],
            ["filling_authorisation.cylinder_id", "filling_authorisation.id"],
        ),
        sa.Index("ix_filling_weighing_authorisation", "cylinder_id", "authorisation_id"),
        append_only=True,
    )

    cylinder_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[NewId]
    authorisation_id: Mapped[UUID]
    gross_g: Mapped[int]
    content_g: Mapped[int]
    outcome: Mapped[Weighed]
    reasons: Mapped[JsonList]
    decision_id: Mapped[UUID]
    weighed_at: Mapped[datetime]


class ResidueOccasion(StrEnum):
    """When the residue was measured: as the bottle came back, before a filling, or as it was drawn off."""

    RETURN = "return"
    BEFORE_FILLING = "before_filling"
    EXTRACTION = "extraction"


class Residue(Base):
    """残液: what was found in an empty, and what was drawn off by the firm (never poured out)."""

    __tablename__ = "residue"
    __table_args__ = grouped(
        Group.CYLINDER,
        sa.ForeignKeyConstraint(["cylinder_id"], ["cylinder.cylinder_id"]),
        sa.CheckConstraint(
            "residue_g >= 0 AND extracted_g >= 0 AND extracted_g <= residue_g", name="amounts"
        ),
        append_only=True,
    )

    cylinder_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[NewId]
    site_id: Mapped[UUID]
    occasion: Mapped[ResidueOccasion]
    residue_g: Mapped[int]
    extracted_g: Mapped[int]
    entry_id: Mapped[UUID]
    measured_at: Mapped[datetime]
