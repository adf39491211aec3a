"""The file of a bottle as the gate needs it: prebuilt, one statement for a thousand codes.

Columns and statements for ``queries`` (the rooms above) and ``ask_queries`` (every scan), which judge.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from core.db import table_of
from core.prepared import Prepared
from cylinders.asked_means import AT, DAY, moment
from cylinders.code import Scanned
from cylinders.life_models import LifeExtension, RegistrationAct, RegistrationKind, Seizure
from cylinders.models import Cylinder, CylinderCustody, CylinderIdentifier, Hold, Inspection, Scheme

_cylinder, _custody = table_of(Cylinder), table_of(CylinderCustody)
_inspection, _hold, _identifier = table_of(Inspection), table_of(Hold), table_of(CylinderIdentifier)

_inspections = (
    sa.select(_inspection.c.inspected_on, _inspection.c.day_precision, _inspection.c.passed)
    .where(_inspection.c.cylinder_id == _cylinder.c.cylinder_id, _inspection.c.inspected_on <= DAY)
    .order_by(_inspection.c.inspected_on.desc(), _inspection.c.id.desc())
    .limit(1)
)
_passed = _inspections.where(_inspection.c.passed).lateral("passed_inspection")
_latest = _inspections.lateral("latest_inspection")
_held = (
    sa.select(sa.func.array_agg(_hold.c.kind.distinct(), type_=ARRAY(sa.Text)))
    .where(
        _hold.c.cylinder_id == _cylinder.c.cylinder_id,
        _hold.c.from_at <= AT,
        sa.or_(_hold.c.until_at.is_(None), _hold.c.until_at > AT),
    )
    .scalar_subquery()
    .label("holds")
)
_extension, _registration, _seizure = table_of(LifeExtension), table_of(RegistrationAct), table_of(Seizure)
_changed = sa.and_(
    _registration.c.cylinder_id == _extension.c.cylinder_id,
    _registration.c.extension_id == _extension.c.id,
    _registration.c.done_on <= DAY,
)
# Of several the one that counts: a registered one before one that is not, then the one that reaches farthest.
_extended = (
    sa.select(_extension.c.until_on, _registration.c.id.is_not(None).label("registered"))
    .select_from(_extension.outerjoin(_registration, _changed))
    .where(_extension.c.cylinder_id == _cylinder.c.cylinder_id, _extension.c.assessed_on <= DAY)
    .order_by(_registration.c.id.is_not(None).desc(), _extension.c.until_on.desc())
    .limit(1)
    .lateral("extended")
)
_cancelled = (
    sa.select(_registration.c.done_on)
    .where(
        _registration.c.cylinder_id == _cylinder.c.cylinder_id,
        _registration.c.kind == RegistrationKind.CANCELLED,
    )
    .scalar_subquery()
    .label("cancelled_on")
)
_seized = (
    sa.exists()
    .where(_seizure.c.cylinder_id == _cylinder.c.cylinder_id, _seizure.c.seized_at <= AT)
    .label("seized")
)
_FILE = (
    *(column for column in _cylinder.c if column.name != "cylinder_id"),
    _custody.c.holder_kind,
    _custody.c.holder_id,
    _custody.c.full,
    _passed.c.inspected_on,
    _passed.c.day_precision,
    _latest.c.passed,
    _held,
    _extended.c.until_on.label("extension_until"),
    _extended.c.registered.label("extension_is_registered"),
    _cancelled,
    _seized,
)
_file = (
    _cylinder.outerjoin(_custody, _custody.c.cylinder_id == _cylinder.c.cylinder_id)
    .outerjoin(_passed, sa.true())
    .outerjoin(_latest, sa.true())
    .outerjoin(_extended, sa.true())
)
FILES_BY_ID = (
    sa.select(_cylinder.c.cylinder_id, *_FILE)
    .select_from(_file)
    .where(_cylinder.c.cylinder_id == sa.any_(sa.bindparam("ids", type_=ARRAY(sa.Uuid))))
)
_asked = (
    sa.func.unnest(sa.bindparam("schemes", type_=ARRAY(sa.Text)), sa.bindparam("codes", type_=ARRAY(sa.Text)))
    .table_valued(sa.column("scheme", sa.Text), sa.column("value", sa.Text))
    .render_derived(name="asked")
)
CODE_AND_FILE = (
    _identifier.c.scheme,
    _identifier.c.value,
    _identifier.c.voided_at,
    _identifier.c.cylinder_id,
    *_FILE,
)


def with_file(codes: sa.FromClause) -> sa.Join:
    """Filed identifiers, each with its bottle's file."""
    return (
        codes.join(_cylinder, _cylinder.c.cylinder_id == _identifier.c.cylinder_id)
        .outerjoin(_custody, _custody.c.cylinder_id == _cylinder.c.cylinder_id)
        .outerjoin(_passed, sa.true())
        .outerjoin(_latest, sa.true())
        .outerjoin(_extended, sa.true())
    )


_is_asked_for = sa.and_(
    sa.type_coerce(_identifier.c.scheme, sa.Text) == _asked.c.scheme, _identifier.c.value == _asked.c.value
)
_files = with_file(_asked.join(_identifier, _is_asked_for))
_FILES_BY_CODE = sa.select(*CODE_AND_FILE).select_from(_files)
FILES = Prepared(_FILES_BY_CODE)


def bottles_behind(db: Session, read: Iterable[Scanned], at: datetime) -> Sequence[Any]:
    """Every filed identifier that reads like one of these codes, with its bottle's file.

    A code is looked for under every scheme: a stamp can look like somebody's registration code.
    """
    return db.execute(_FILES_BY_CODE, {**each_of(read), **moment(at)}).all()


def each_of(read: Iterable[Scanned]) -> dict[str, list[str]]:
    codes = sorted({one.code for one in read})
    return {
        "schemes": [scheme.value for _ in codes for scheme in Scheme],
        "codes": [code for code in codes for _ in Scheme],
    }


def rows_by_code(rows: Sequence[Any]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for row in rows:
        found.setdefault(row.value, []).append(row)
    return found
