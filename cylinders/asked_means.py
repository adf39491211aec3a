"""What a station would fill with, as a question about a bottle needs it: columns for one prebuilt statement.

The same facts as ``filling_queries.means_of`` reads for a deed, without a statement of their own, since every
scan asks. The scale is the one that is named, else the station's only one; of several none is known yet.
"""

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from core import clock
from core.db import table_of
from cylinders.filling_gate import StartFacts
from cylinders.filling_models import FillingStop, GasBatch, GasBatchUse, GasTest, Scale, ScaleVerification
from registry.models import Site

DAY = sa.bindparam("day", type_=sa.Date)
AT = sa.bindparam("at", type_=sa.DateTime(timezone=True))
SCALE = sa.bindparam("scale", type_=sa.Text)

_site, _scale, _stop = table_of(Site), table_of(Scale), table_of(FillingStop)
_batch, _use, _test = table_of(GasBatch), table_of(GasBatchUse), table_of(GasTest)
_verified, _other = table_of(ScaleVerification), table_of(Scale).alias("other_scale")

_result = (
    sa.select(_test.c.odorant_present, _test.c.dme_found)
    .where(_test.c.batch_id == _batch.c.id, _test.c.tested_on <= DAY)
    .order_by(_test.c.tested_on.desc(), _test.c.recorded_at.desc())
    .limit(1)
    .lateral("tested")
)
BATCH = (
    sa.select(_batch.c.product, _batch.c.certificate_no, _result.c.odorant_present, _result.c.dme_found)
    .select_from(_use.join(_batch, _batch.c.id == _use.c.batch_id).outerjoin(_result, sa.true()))
    .where(
        _use.c.site_id == _site.c.id,
        _use.c.from_at <= AT,
        sa.or_(_use.c.until_at.is_(None), _use.c.until_at > AT),
    )
    .order_by(_use.c.from_at.desc())
    .limit(1)
    .lateral("gas")
)
_is_only = ~sa.exists().where(_other.c.site_id == _scale.c.site_id, _other.c.id != _scale.c.id)
_until = (
    sa.select(sa.func.max(_verified.c.verified_until))
    .where(_verified.c.scale_id == _scale.c.id, _verified.c.verified_on <= DAY)
    .scalar_subquery()
)
WEIGHED_ON = (
    sa.select(_scale.c.id, _until.label("verified_until"))
    .where(
        _scale.c.site_id == _site.c.id,
        sa.or_(_scale.c.number == SCALE, sa.and_(SCALE.is_(None), _is_only)),
    )
    .limit(1)
    .lateral("weighed_on")
)
_standing = sa.and_(
    _stop.c.site_id == _site.c.id,
    _stop.c.from_at <= AT,
    sa.or_(_stop.c.until_at.is_(None), _stop.c.until_at > AT),
)
COLUMNS = (
    BATCH.c.product,
    BATCH.c.certificate_no,
    BATCH.c.odorant_present,
    BATCH.c.dme_found,
    WEIGHED_ON.c.id.label("scale_id"),
    WEIGHED_ON.c.verified_until,
    sa.exists().where(_standing, _stop.c.scale_id.is_(None)).label("is_station_stopped"),
    sa.exists().where(_standing, _stop.c.scale_id == WEIGHED_ON.c.id).label("is_scale_stopped"),
)


def moment(at: datetime) -> dict[str, Any]:
    return {"at": at, "day": clock.day_of(at)}


def start_facts(row: Any) -> StartFacts:
    """Of a row with ``COLUMNS``; the bottle's tare is not in it."""
    return StartFacts(
        product=row.product,
        is_batch_in_use=row.product is not None,
        is_certified=row.certificate_no is not None,
        odorant_present=row.odorant_present,
        dme_found=row.dme_found,
        is_scale_known=row.scale_id is not None,
        scale_verified_until=row.verified_until,
        is_scale_stopped=row.is_scale_stopped,
        is_station_stopped=row.is_station_stopped,
        stamped_tare_g=None,
    )
