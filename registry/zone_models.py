"""Tables beside the zones: drafts of sets that are not in force."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, District, Group, JsonList, NewId, grouped


class ZoneDraft(Base):
    """固定配送范围草案: zones as they might be, to be looked at before they bind anybody.

    ``zones``: as in a set, outlines in WGS-84 whatever ``datum`` they were drawn on. ``zone_set_id``: the set
    it was published as, once.
    """

    __tablename__ = "zone_draft"
    __table_args__ = grouped(
        Group.DISTRICT,
        sa.ForeignKeyConstraint(["district", "zone_set_id"], ["zone_set.district", "zone_set.id"]),
        sa.UniqueConstraint("district", "zone_set_id"),
    )

    district: Mapped[District]
    id: Mapped[NewId]
    name: Mapped[str]
    datum: Mapped[str]
    zones: Mapped[JsonList]
    drawn_by: Mapped[UUID]
    zone_set_id: Mapped[UUID | None] = mapped_column(default=None)
    recorded_at: Mapped[datetime]
