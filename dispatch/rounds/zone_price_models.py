"""Table of what fixed zones were found to cost: one day of one supply site, priced once. Figures only.

No route is kept: nobody may drive as the free plan would, and where people live need not stand here twice.
"""

from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped

from core.db import Base, District, Group, Json, JsonList, NewId, grouped


class ZonePrice(Base):
    """``fixed`` and ``free``: what was driven, left and late. ``elsewhere``: doors the free plan gives to
    another zone's crew. ``problem``: digest of the whole day as one problem. ``is_cut``: the clock ended it.
    """

    __tablename__ = "zone_price"
    __table_args__ = grouped(
        Group.DISTRICT,
        sa.Index("ix_zone_price_day", "district", "supply_site_id", "day", "recorded_at"),
        append_only=True,
    )

    district: Mapped[District]
    id: Mapped[NewId]
    firm_id: Mapped[UUID]
    supply_site_id: Mapped[UUID]
    day: Mapped[date]
    zones: Mapped[JsonList]
    fixed: Mapped[Json]
    free: Mapped[Json]
    elsewhere: Mapped[int]
    problem: Mapped[str]
    engine: Mapped[str]
    seed: Mapped[int]
    iterations: Mapped[int]
    notes: Mapped[JsonList]
    is_cut: Mapped[bool]
    travel_times: Mapped[str]
    recorded_at: Mapped[datetime]
