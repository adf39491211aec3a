"""From staged lines to bottles on file: the lines nothing is wrong with, copied within the import's deed.

What each bottle gets is what a single registration gives it (``service.register``): its codes, its last
inspection, the fact of custody that says where the register has it, the projection of that fact, and both
sides of the holding where it stands on a card. A code or a card that somebody took since the lines were
checked stops the whole copy by the database's own constraint: ``Overtaken``, and the lines are checked anew.
"""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.db import table_of
from cylinders.models import Cylinder
from cylinders.staging import Batch
from cylinders.states import CYLINDER
from evidence.deed import Deed

RACES = ("pk_cylinder_identifier", "uq_card_holding_active")


class Overtaken(Exception):
    """Somebody took one of these codes or cards meanwhile."""


_GOOD = """
WITH good AS (
  SELECT staged.* FROM staged_bottle AS staged
  WHERE staged.district = :district AND staged.file_id = :file_id AND staged.cylinder_id IS NOT NULL
    AND NOT EXISTS (
      SELECT FROM register_fault AS fault
      WHERE fault.district = staged.district AND fault.file_id = staged.file_id AND fault.line = staged.line)
)
"""
_GIVEN = {
    "state": ":state",
    "import_id": "good.file_id",
    "recorded_at": ":recorded_at",
    "max_fill_g": "coalesce(good.max_fill_g, cylinder_type.max_fill_g)",
    "phase": "coalesce(good.phase, cylinder_type.phase)",
    "material": "coalesce(good.material, cylinder_type.material)",
    "standard": "coalesce(good.standard, cylinder_type.standard)",
}
_NAMES = [column.name for column in table_of(Cylinder).c]
_CYLINDERS = f"""
INSERT INTO cylinder ({", ".join(_NAMES)})
{_GOOD}
SELECT {", ".join(_GIVEN.get(name, f"good.{name}") for name in _NAMES)}
FROM good JOIN cylinder_type USING (model)
"""
# In the order of the key: two imports that give the same codes wait for each other, and never in a circle.
_IDENTIFIERS = f"""
INSERT INTO cylinder_identifier (scheme, value, cylinder_id, active_from)
{_GOOD}
SELECT one.scheme, one.value, one.cylinder_id, :recorded_at
FROM (SELECT unnest(schemes) AS scheme, unnest(codes) AS value, cylinder_id FROM good) AS one
ORDER BY one.scheme, one.value
"""
_INSPECTIONS = f"""
INSERT INTO inspection
  (cylinder_id, id, inspected_on, day_precision, passed, agency, report_no, recorded_at)
{_GOOD}
SELECT cylinder_id, inspection_id, inspected_on, day_precision, passed, agency, report_no, :recorded_at
FROM good WHERE inspection_id IS NOT NULL
"""
_HELD = f"""{_GOOD}, held AS (
  SELECT good.*, coalesce(card_district, :district) AS filed_in,
         CASE WHEN good.card_id IS NULL THEN 'site' ELSE 'household' END AS holder_kind,
         coalesce(good.site_id, card.household_id) AS holder_id
  FROM good LEFT JOIN card ON card.district = good.card_district AND card.id = good.card_id
  WHERE good.fact_id IS NOT NULL
)
"""
_FACTS = f"""
INSERT INTO custody_fact
  (cylinder_id, recorded_at, id, kind, to_kind, to_id, "full", district, occurred_at, effective_at,
   uncertainty_s, actor_id, entry_id, site_id, card_id, flags)
{_HELD}
SELECT cylinder_id, :recorded_at, fact_id, 'register', holder_kind, holder_id, "full", filed_in,
       :occurred_at, :occurred_at, 0, :actor_id, :entry_id, site_id, card_id, '[]'
FROM held
"""
_CUSTODY = f"""
INSERT INTO cylinder_state
  (cylinder_id, holder_kind, holder_id, "full", district, card_id, version, effective_at, last_fact_id,
   since_at, since_fact_id, since_kind)
{_HELD}
SELECT cylinder_id, holder_kind, holder_id, "full", filed_in, card_id, 1, :occurred_at, fact_id,
       :occurred_at, fact_id, 'register'
FROM held
"""
_CLAIMS = f"""
INSERT INTO cylinder_claim (cylinder_id, id, district, card_id, active, from_at)
{_GOOD}
SELECT cylinder_id, holding_id, card_district, card_id, true, :occurred_at
FROM good WHERE card_id IS NOT NULL
"""
_HOLDINGS = f"""
INSERT INTO card_holding (district, id, card_id, cylinder_id, active, from_at)
{_GOOD}
SELECT card_district, holding_id, card_id, cylinder_id, true, :occurred_at
FROM good WHERE card_id IS NOT NULL
ORDER BY card_district, card_id
"""
STATEMENTS = tuple(
    sa.text(one) for one in (_HOLDINGS, _CYLINDERS, _IDENTIFIERS, _INSPECTIONS, _FACTS, _CUSTODY, _CLAIMS)
)


def publish(deed: Deed, batch: Batch) -> None:
    """Within the deed: all of the good lines or, where it raises, none."""
    given: dict[str, Any] = {
        **batch.key,
        "state": CYLINDER.initial.value,
        "recorded_at": deed.recorded_at,
        "occurred_at": deed.occurred_at,
        "actor_id": deed.actor.principal_id,
        "entry_id": deed.id,
    }
    try:
        with deed.db.begin_nested():
            for statement in STATEMENTS:
                deed.db.execute(statement, given)
    except IntegrityError as error:
        if getattr(getattr(error.orig, "diag", None), "constraint_name", None) in RACES:
            raise Overtaken from error
        raise


MANY_LINES = 2000
"""From so many on every line is joined with all that stands, at once, and never each looked up by itself.

Nothing is known to the server of lines that were staged a moment ago: left alone it takes them for one, and
goes through whatever it compares them with again for each.
"""


def take_your_time(db: Session, lines: int) -> None:
    """For a file's transaction: a million lines take longer, and may wait longer, than any request."""
    settings = {"statement_timeout": "0", "lock_timeout": "10min"}
    if lines >= MANY_LINES:
        settings |= {"work_mem": "64MB", "enable_nestloop": "off"}
    for name, value in settings.items():
        db.execute(sa.select(sa.func.set_config(name, value, True)))
