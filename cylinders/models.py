"""Tables of the bottle. The key ``cylinder_id`` stands first and never follows a label.

Custody is facts and a projection: ``custody_fact`` is only ever added to; ``cylinder_state``,
``cylinder_claim`` and ``card_holding`` describe the accepted projection and can be rebuilt from it.
"""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, District, Group, Json, JsonList, NewId, grouped
from core.ids import new_id
from cylinders.states import CylinderState
from registry.models import HolderKind

CylinderId = UUID


class Phase(StrEnum):
    VAPOUR = "vapour"
    LIQUID = "liquid"
    TWO_PHASE = "two_phase"


class CylinderType(Base):
    """The catalogue of models. An unknown model is entered with its stamped values, never guessed.

    ``phase``, ``material`` and ``standard`` are null where bottles of the model differ in them.
    """

    __tablename__ = "cylinder_type"
    __table_args__ = grouped(
        Group.REFERENCE, sa.CheckConstraint("max_fill_g > 0 AND water_ml > 0 AND units > 0", name="amounts")
    )

    model: Mapped[str] = mapped_column(primary_key=True)
    water_ml: Mapped[int]
    max_fill_g: Mapped[int]
    nominal_g: Mapped[int]
    units: Mapped[int]
    needs_truck: Mapped[bool]
    phase: Mapped[Phase | None]
    material: Mapped[str | None]
    standard: Mapped[str | None]


class Cylinder(Base):
    """What is stamped on the bottle and filed about it. Null means that nobody knows: unknown is no.

    ``extended_until`` and what follows it: what the register said that the bottle was taken over from.
    Extensions since then are records of their own (``LifeExtension``, ``RegistrationAct``).
    """

    __tablename__ = "cylinder"
    __table_args__ = grouped(
        Group.CYLINDER,
        sa.CheckConstraint("tare_g IS NULL OR tare_g > 0", name="tare"),
        sa.Index("ix_cylinder_held", "cylinder_id", postgresql_where=sa.text("state = 'held'")),
        sa.Index("ix_cylinder_owner_firm_id", "owner_firm_id"),
    )

    cylinder_id: Mapped[NewId]
    model: Mapped[str]
    state: Mapped[CylinderState]
    owner_firm_id: Mapped[UUID | None]
    registered_by_firm_id: Mapped[UUID | None]
    registered_on: Mapped[date | None]
    entrusted_to_firm_id: Mapped[UUID | None]
    standard: Mapped[str | None]
    phase: Mapped[Phase | None]
    material: Mapped[str | None]
    tare_g: Mapped[int | None]
    max_fill_g: Mapped[int]
    made_on: Mapped[date | None]
    made_precision: Mapped[str]
    design_life_months: Mapped[int | None]
    extended_until: Mapped[date | None]
    extension_assessed: Mapped[bool]
    extension_registered: Mapped[bool]
    bought_on: Mapped[date | None]
    embossed_owner_mark: Mapped[bool | None]
    refurbished: Mapped[bool | None]
    illegal_make: Mapped[bool]
    screwed_guard: Mapped[bool]
    scrap_ordered: Mapped[bool]
    import_id: Mapped[UUID | None]
    recorded_at: Mapped[datetime]


class Scheme(StrEnum):
    """Kinds of identifier a bottle can carry."""

    PLATFORM = "platform"
    USE_REGISTRATION = "use_registration"
    STAMP = "stamp"
    EQUIPMENT = "equipment"
    MAKER = "maker"
    RFID = "rfid"


class WhyCodeVoid(StrEnum):
    """Why a code identifies nothing any more. Those of a scrapped bottle have none of their own."""

    WRONGLY_ENTERED = "wrongly_entered"
    LABEL_LOST = "label_lost"
    MARK_UNREADABLE = "mark_unreadable"
    REPLACED = "replaced"
    CLAIMED_TWICE = "claimed_twice"


class CylinderIdentifier(Base):
    """A code resolves to one bottle for ever: a voided code is never given again."""

    __tablename__ = "cylinder_identifier"
    __table_args__ = grouped(Group.IDENTIFIER, sa.Index("ix_cylinder_identifier_cylinder_id", "cylinder_id"))

    scheme: Mapped[Scheme] = mapped_column(primary_key=True)
    value: Mapped[str] = mapped_column(primary_key=True)
    cylinder_id: Mapped[UUID]
    active_from: Mapped[datetime]
    voided_at: Mapped[datetime | None]
    void_reason: Mapped[WhyCodeVoid | None]


class Inspection(Base):
    """检验: by which agency, under which report, with which result."""

    __tablename__ = "inspection"
    __table_args__ = grouped(
        Group.CYLINDER,
        sa.ForeignKeyConstraint(["cylinder_id"], ["cylinder.cylinder_id"]),
        sa.UniqueConstraint("cylinder_id", "agency", "report_no"),
        sa.Index("ix_inspection_recorded_at", "recorded_at"),
        sa.Index("ix_inspection_report_no", "report_no"),
        append_only=True,
    )

    cylinder_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[NewId]
    inspected_on: Mapped[date]
    day_precision: Mapped[str]
    passed: Mapped[bool]
    agency: Mapped[str]
    report_no: Mapped[str]
    recorded_at: Mapped[datetime]


class ScrapMethod(StrEnum):
    """How a scrapped bottle was made useless for ever."""

    FLATTENED = "flattened"
    CUT = "cut"


class Scrapping(Base):
    """报废: by which agency, under which certificate, how. After it the bottle's identifiers are void."""

    __tablename__ = "scrapping"
    __table_args__ = grouped(
        Group.CYLINDER,
        sa.ForeignKeyConstraint(["cylinder_id"], ["cylinder.cylinder_id"]),
        append_only=True,
    )

    cylinder_id: Mapped[UUID] = mapped_column(primary_key=True)
    scrapped_on: Mapped[date]
    agency: Mapped[str]
    certificate_no: Mapped[str]
    method: Mapped[ScrapMethod]
    recorded_at: Mapped[datetime]


class HoldKind(StrEnum):
    RECALL = "recall"
    POLICE = "police"
    HAZARD = "hazard"
    CONFLICT = "conflict"
    FAILED_CHECK = "failed_check"
    OVERFILLED = "overfilled"
    CLAIMED_TWICE = "claimed_twice"


class Hold(Base):
    """A stop on the bottle, half-open: from ``from_at`` until ``until_at`` (null: still)."""

    __tablename__ = "cylinder_hold"
    __table_args__ = grouped(
        Group.CYLINDER,
        sa.ForeignKeyConstraint(["cylinder_id"], ["cylinder.cylinder_id"]),
        sa.CheckConstraint("until_at IS NULL OR until_at >= from_at", name="span"),
        sa.Index("ix_cylinder_hold_open", "cylinder_id", postgresql_where=sa.text("until_at IS NULL")),
    )

    cylinder_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[NewId]
    kind: Mapped[HoldKind]
    reference: Mapped[str]
    from_at: Mapped[datetime]
    until_at: Mapped[datetime | None]


class Filling(Base):
    """充装: what was weighed and checked, before and after. Masses in grams.

    ``flags``: "short_weight". Fillings of before there were authorisations have none.
    """

    __tablename__ = "filling"
    __table_args__ = grouped(
        Group.CYLINDER,
        sa.ForeignKeyConstraint(["cylinder_id"], ["cylinder.cylinder_id"]),
        sa.CheckConstraint("net_g > 0 AND tare_weighed_g > 0 AND residue_g >= 0", name="amounts"),
        sa.Index("ix_filling_site_id", "site_id", "filled_at"),
        sa.UniqueConstraint("cylinder_id", "authorisation_id"),
        append_only=True,
    )

    cylinder_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[NewId]
    district: Mapped[int]
    site_id: Mapped[UUID]
    filler_id: Mapped[UUID]
    scale: Mapped[str]
    tare_weighed_g: Mapped[int]
    residue_g: Mapped[int]
    net_g: Mapped[int]
    gross_g: Mapped[int]
    checks_before: Mapped[JsonList]
    checks_after: Mapped[JsonList]
    seal_no: Mapped[str]
    decision_id: Mapped[UUID]
    filled_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    authorisation_id: Mapped[UUID | None]
    flags: Mapped[JsonList]


class FactKind(StrEnum):
    """What can happen to a bottle's custody. Named after the trade's five message kinds where they fit."""

    REGISTER = "register"
    FILL = "fill"
    LOAD = "load"
    DELIVER = "deliver"
    TAKE_EMPTY = "take_empty"
    MISSING = "missing"
    RETURN = "return"
    SEND_TO_INSPECTION = "send_to_inspection"
    SCRAP = "scrap"


class CustodyFact(Base):
    """A scan that happened. Never changed, never dropped; flags say what was wrong with it.

    Facts of a bottle sort by (effective_at, device_id, device_seq, id). ``effective_at`` of a fact that a
    device reports later is the running maximum of ``occurred_at`` along the device's sequence; of one
    recorded online it is ``occurred_at``, moved behind what stands. See ``cylinders/custody.py``.
    """

    __tablename__ = "custody_fact"
    __table_args__ = grouped(
        Group.CYLINDER,
        sa.Index("ix_custody_fact_order", "cylinder_id", "effective_at", "device_id", "device_seq", "id"),
        append_only=True,
    )

    cylinder_id: Mapped[UUID] = mapped_column(primary_key=True)
    recorded_at: Mapped[datetime] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    kind: Mapped[FactKind]
    from_kind: Mapped[HolderKind | None]
    from_id: Mapped[UUID | None]
    to_kind: Mapped[HolderKind | None]
    to_id: Mapped[UUID | None]
    full: Mapped[bool]
    district: Mapped[int]
    occurred_at: Mapped[datetime]
    effective_at: Mapped[datetime]
    uncertainty_s: Mapped[int]
    device_id: Mapped[UUID | None]
    device_seq: Mapped[int | None]
    actor_id: Mapped[UUID]
    entry_id: Mapped[UUID]
    site_id: Mapped[UUID | None]
    binding_id: Mapped[UUID | None]
    zone_id: Mapped[UUID | None]
    round_id: Mapped[UUID | None]
    line_id: Mapped[UUID | None]
    card_id: Mapped[UUID | None]
    flags: Mapped[JsonList]


class CylinderCustody(Base):
    """The projection: who holds the bottle now, full or empty. Changed under the bottle's row lock.

    ``district`` is where its last fact was filed; ``card_id`` the card it stands on, in that district.
    ``effective_at``, ``device_id``, ``device_seq`` and ``last_fact_id`` are the last fact's place in order;
    the columns from ``since_at`` on tell by which fact its holder has it, null where no fact stands.
    """

    __tablename__ = "cylinder_state"
    __table_args__ = grouped(
        Group.CYLINDER,
        sa.ForeignKeyConstraint(["cylinder_id"], ["cylinder.cylinder_id"]),
        sa.Index("ix_cylinder_state_at_site", "holder_id", postgresql_where=sa.text("holder_kind = 'site'")),
        sa.Index(
            "ix_cylinder_state_card_id",
            "district",
            "card_id",
            postgresql_where=sa.text("card_id IS NOT NULL"),
        ),
        erasable=True,
    )

    cylinder_id: Mapped[UUID] = mapped_column(primary_key=True)
    holder_kind: Mapped[HolderKind | None]
    holder_id: Mapped[UUID | None]
    full: Mapped[bool]
    filled_at: Mapped[datetime | None]
    district: Mapped[int]
    card_id: Mapped[UUID | None]
    version: Mapped[int]
    effective_at: Mapped[datetime]
    device_id: Mapped[UUID | None]
    device_seq: Mapped[int | None]
    last_fact_id: Mapped[UUID]
    since_at: Mapped[datetime | None]
    since_fact_id: Mapped[UUID | None]
    since_kind: Mapped[FactKind | None]
    since_from_kind: Mapped[HolderKind | None]
    since_from_id: Mapped[UUID | None]


class CylinderClaim(Base):
    """One card per bottle: the bottle's side of a holding."""

    __tablename__ = "cylinder_claim"
    __table_args__ = grouped(
        Group.CYLINDER,
        sa.Index("uq_cylinder_claim_active", "cylinder_id", unique=True, postgresql_where=sa.text("active")),
    )

    cylinder_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[NewId]
    district: Mapped[int]
    card_id: Mapped[UUID]
    active: Mapped[bool]
    from_at: Mapped[datetime]
    until_at: Mapped[datetime | None]


class CardHolding(Base):
    """One bottle per card: the card's side of a holding."""

    __tablename__ = "card_holding"
    __table_args__ = grouped(
        Group.DISTRICT,
        sa.Index(
            "uq_card_holding_active", "district", "card_id", unique=True, postgresql_where=sa.text("active")
        ),
        sa.Index("ix_card_holding_card_id", "district", "card_id"),
    )

    district: Mapped[District]
    id: Mapped[NewId]
    card_id: Mapped[UUID]
    cylinder_id: Mapped[UUID]
    active: Mapped[bool]
    from_at: Mapped[datetime]
    until_at: Mapped[datetime | None]


class ResolutionReason(StrEnum):
    """How it was found out which of two facts is true. A word, never free text."""

    SEEN_ON_THE_SPOT = "seen_on_the_spot"
    CODE_MISREAD = "code_misread"
    CARD_MISTAKEN = "card_mistaken"
    CLOCK_WRONG = "clock_wrong"
    DID_NOT_HAPPEN = "did_not_happen"


class CustodyConflict(Base):
    """A fact that lost against another. The bottle is held until a person says which of the two is true.

    ``standing_fact_id`` is the fact it lost against, null where nobody held the bottle; it may be another
    bottle's (``standing_cylinder_id``), where both stand on one card. ``resolution`` is the person's reason,
    or ``no_longer_contradicted`` where facts that came later have settled it.
    """

    __tablename__ = "custody_conflict"
    __table_args__ = grouped(
        Group.CYLINDER,
        sa.ForeignKeyConstraint(["cylinder_id"], ["cylinder.cylinder_id"]),
        sa.Index(
            "ix_custody_conflict_open",
            "district",
            "card_id",
            postgresql_where=sa.text("resolved_at IS NULL"),
        ),
    )

    cylinder_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[NewId]
    fact_id: Mapped[UUID]
    standing_fact_id: Mapped[UUID | None]
    district: Mapped[int]
    card_id: Mapped[UUID | None]
    found_at: Mapped[datetime]
    resolved_at: Mapped[datetime | None]
    resolution: Mapped[str | None]
    standing_cylinder_id: Mapped[UUID | None]
    true_fact_id: Mapped[UUID | None]
    resolved_by: Mapped[UUID | None]


class ErrorReason(StrEnum):
    """Why a fact is declared an error: EPCIS's two words."""

    DID_NOT_OCCUR = "did_not_occur"
    INCORRECT_DATA = "incorrect_data"


class CustodyCorrection(Base):
    """A fact declared an error. The fact itself stays as it is and is told with its declaration.

    Custody is told without it. ``conflict_id``: declared by resolving that conflict.
    """

    __tablename__ = "custody_correction"
    __table_args__ = grouped(
        Group.CYLINDER, sa.ForeignKeyConstraint(["cylinder_id"], ["cylinder.cylinder_id"]), append_only=True
    )

    cylinder_id: Mapped[UUID] = mapped_column(primary_key=True)
    fact_id: Mapped[UUID] = mapped_column(primary_key=True)
    reason: Mapped[ErrorReason]
    corrective_fact_ids: Mapped[JsonList]
    conflict_id: Mapped[UUID | None]
    declared_by: Mapped[UUID]
    entry_id: Mapped[UUID]
    recorded_at: Mapped[datetime]


class VerdictAsk(Base):
    """Who asked about which bottle and what was answered. Written in batches, outside of deeds."""

    __tablename__ = "verdict_ask"
    __table_args__ = grouped(
        Group.EXEMPT,
        sa.Index("ix_verdict_ask_asked_at", "asked_at"),
        sa.Index(
            "ix_verdict_ask_site_id", "site_id", "asked_at", postgresql_where=sa.text("site_id IS NOT NULL")
        ),
        append_only=True,
    )

    id: Mapped[NewId]
    asked_at: Mapped[datetime]
    actor_id: Mapped[UUID]
    district: Mapped[int]
    site_id: Mapped[UUID | None]
    purpose: Mapped[str]
    code: Mapped[str]
    cylinder_id: Mapped[UUID | None]
    allowed: Mapped[bool]
    reasons: Mapped[JsonList]
    edition: Mapped[str]
    facts_digest: Mapped[str]


class CountedWrong(StrEnum):
    """How a bottle was found otherwise than its custody says."""

    NOT_FOUND = "not_found"
    NOT_EXPECTED = "not_expected"
    FULL_NOT_EMPTY = "full_not_empty"
    EMPTY_NOT_FULL = "empty_not_full"
    STRANGER = "stranger"


class WhyCountedWrong(StrEnum):
    """What somebody who looked says was the cause. A code: entries hold no free text."""

    RECEIPT_MISSED = "receipt_missed"
    DEPARTURE_MISSED = "departure_missed"
    ON_VEHICLE = "on_vehicle"
    FOUND_LATER = "found_later"
    LABEL_UNREADABLE = "label_unreadable"
    MISCOUNTED = "miscounted"
    RETURNED_UNUSED = "returned_unused"
    EMPTIED_HERE = "emptied_here"
    HANDED_TO_AUTHORITY = "handed_to_authority"
    LOST = "lost"


class SiteCount(Base):
    """盘点: every bottle that stood at a site, scanned full or empty, and what custody said that moment.

    ``models`` has, for each model, how many were counted and expected, full and empty apart.
    ``scanned_root`` commits to what was scanned, bottle by bottle.
    """

    __tablename__ = "site_count"
    __table_args__ = grouped(
        Group.REFERENCE,
        sa.Index("ix_site_count_site_id", "site_id", "counted_at"),
        append_only=True,
    )

    id: Mapped[NewId]
    site_id: Mapped[UUID]
    firm_id: Mapped[UUID]
    district: Mapped[int]
    models: Mapped[JsonList]
    scanned_root: Mapped[str]
    counted_by: Mapped[UUID]
    counted_at: Mapped[datetime]


class CountDifference(Base):
    """One bottle that stood otherwise than custody says. ``holder_kind``: who had it by the last scan."""

    __tablename__ = "count_difference"
    __table_args__ = grouped(
        Group.REFERENCE, sa.ForeignKeyConstraint(["count_id"], ["site_count.id"]), append_only=True
    )

    count_id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    kind: Mapped[CountedWrong]
    cylinder_id: Mapped[UUID | None]
    code: Mapped[str | None]
    model: Mapped[str | None]
    holder_kind: Mapped[HolderKind | None]
    since: Mapped[datetime | None]


class CountExplanation(Base):
    """Why a difference is one, by somebody who looked. Said once; the count itself never changes."""

    __tablename__ = "count_explanation"
    __table_args__ = grouped(
        Group.REFERENCE,
        sa.ForeignKeyConstraint(
            ["count_id", "number"], ["count_difference.count_id", "count_difference.number"]
        ),
        append_only=True,
    )

    count_id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    why: Mapped[WhyCountedWrong]
    reference: Mapped[str | None]
    explained_by: Mapped[UUID]
    explained_at: Mapped[datetime]


class CylinderImport(Base):
    """A bulk import: one deed, one entry that commits to the file's hash and its rows' root."""

    __tablename__ = "cylinder_import"
    __table_args__ = grouped(Group.REFERENCE, append_only=True)

    id: Mapped[NewId]
    firm_id: Mapped[UUID]
    district: Mapped[int]
    evidence: Mapped[Json]
    rows_root: Mapped[str]
    accepted: Mapped[int]
    refused: Mapped[int]
    recorded_at: Mapped[datetime]
