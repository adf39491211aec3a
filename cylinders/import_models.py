"""Tables of a register that comes in by the hundred thousand, on its way to the bottles' own tables.

``register_file`` is what a firm gave and what became of it. ``staged_bottle`` is its lines as read, ours to
throw away: unlogged, since a server that crashes loses nothing that the file does not still hold.
``register_fault`` is what is wrong with a line; it stays, so that the firm can fetch it.
"""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, District, Group, Json, NewId, grouped


class FileForm(StrEnum):
    CSV = "csv"
    JSONL = "jsonl"


class FileEncoding(StrEnum):
    """UTF-8 with or without a byte order mark, or what Chinese spreadsheets write where it is declared."""

    UTF_8 = "utf-8"
    GB18030 = "gb18030"


class RegisterRows(StrEnum):
    """Which bottles a register is fetched with.

    ``IN_USE``: those that could be imported elsewhere as they are. ``ALL`` that are not scrapped, each with
    what stands against it: such a file is to be read, and no import takes it.
    """

    IN_USE = "in_use"
    ALL = "all"


class RegisterFile(Base):
    """The file as it came, by its hash; how far it was read; how many lines were taken and refused.

    ``id`` is the import's: the bottles it makes name it. ``read_bytes`` and ``read_lines`` are where reading
    goes on after a worker has died; ``staged`` how many lines must stand staged by then. Of one firm, file
    and mode, read in one way, one import is published, ever: read in another way it is another register.
    """

    __tablename__ = "register_file"
    __table_args__ = grouped(
        Group.DISTRICT,
        sa.Index("ix_register_file_sha256", "district", "firm_id", "sha256"),
        sa.Index(
            "uq_register_file_published",
            "district",
            "firm_id",
            "sha256",
            "on_error",
            "form",
            "encoding",
            unique=True,
            postgresql_where=sa.text("published_at IS NOT NULL"),
        ),
    )

    district: Mapped[District]
    id: Mapped[NewId]
    firm_id: Mapped[UUID]
    job_id: Mapped[UUID | None]
    form: Mapped[FileForm]
    encoding: Mapped[FileEncoding]
    on_error: Mapped[str]
    evidence: Mapped[Json]
    sha256: Mapped[str]
    size_bytes: Mapped[int]
    lines: Mapped[int]
    read_bytes: Mapped[int]
    read_lines: Mapped[int]
    staged: Mapped[int]
    accepted: Mapped[int | None]
    refused: Mapped[int | None]
    root: Mapped[str | None]
    recorded_at: Mapped[datetime]
    published_at: Mapped[datetime | None]


class FoundBy(StrEnum):
    """A line's shape is judged as it is read; what it points at and what is taken, against the register."""

    SHAPE = "shape"
    CHECK = "check"


class RegisterFault(Base):
    """One thing that is wrong with a line: a field's fault (``pointer``, words) or a refusal (``facts``)."""

    __tablename__ = "register_fault"
    __table_args__ = grouped(Group.DISTRICT, erasable=True)

    district: Mapped[District]
    file_id: Mapped[UUID] = mapped_column(primary_key=True)
    line: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    found_by: Mapped[FoundBy]
    pointer: Mapped[str | None]
    code: Mapped[str]
    facts: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    zh: Mapped[str | None]
    en: Mapped[str | None]


class StagedBottle(Base):
    """A line as read. ``leaf`` commits to it as sent; all else is null where its shape is wrong.

    The columns from ``model`` to ``scrap_ordered`` are the bottle's own, by the same names. Ids are given
    here, so that what is published needs no more than to be copied.
    """

    __tablename__ = "staged_bottle"
    __table_args__ = (grouped(Group.DISTRICT, erasable=True)[-1] | {"prefixes": ["UNLOGGED"]},)

    district: Mapped[District]
    file_id: Mapped[UUID] = mapped_column(primary_key=True)
    line: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    leaf: Mapped[bytes]
    cylinder_id: Mapped[UUID | None]
    fact_id: Mapped[UUID | None]
    platform_code: Mapped[str | None]
    schemes: Mapped[list[str] | None] = mapped_column(ARRAY(sa.Text))
    codes: Mapped[list[str] | None] = mapped_column(ARRAY(sa.Text))
    model: Mapped[str | None]
    owner_firm_id: Mapped[UUID | None]
    registered_by_firm_id: Mapped[UUID | None]
    registered_on: Mapped[date | None]
    entrusted_to_firm_id: Mapped[UUID | None]
    standard: Mapped[str | None]
    phase: Mapped[str | None]
    material: Mapped[str | None]
    tare_g: Mapped[int | None]
    max_fill_g: Mapped[int | None]
    made_on: Mapped[date | None]
    made_precision: Mapped[str | None]
    design_life_months: Mapped[int | None]
    extended_until: Mapped[date | None]
    extension_assessed: Mapped[bool | None]
    extension_registered: Mapped[bool | None]
    bought_on: Mapped[date | None]
    embossed_owner_mark: Mapped[bool | None]
    refurbished: Mapped[bool | None]
    illegal_make: Mapped[bool | None]
    screwed_guard: Mapped[bool | None]
    scrap_ordered: Mapped[bool | None]
    inspection_id: Mapped[UUID | None]
    inspected_on: Mapped[date | None]
    day_precision: Mapped[str | None]
    passed: Mapped[bool | None]
    agency: Mapped[str | None]
    report_no: Mapped[str | None]
    site_id: Mapped[UUID | None]
    card_district: Mapped[int | None]
    card_id: Mapped[UUID | None]
    holding_id: Mapped[UUID | None]
    full: Mapped[bool | None]
