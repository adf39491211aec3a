"""The registers of hoses, regulators and alarms.

Before: a check saw a hose and nobody knew how old it was. During: one new table and its indexes; nothing that
stands is touched. After: every household's pieces are unknown until somebody enters them.
"""

from alembic import op

revision = "0022b"
down_revision = "0023"

TABLES = """
CREATE TABLE equipment (
  district INTEGER NOT NULL,
  id UUID NOT NULL,
  household_id UUID NOT NULL,
  kind VARCHAR(32) NOT NULL,
  material VARCHAR(32),
  maker TEXT NOT NULL,
  model TEXT NOT NULL,
  installed_on DATE NOT NULL,
  stated_until DATE,
  entered_by UUID NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  ended_on DATE,
  ended_why VARCHAR(32),
  ended_by UUID,
  CONSTRAINT pk_equipment PRIMARY KEY (district, id),
  CONSTRAINT ck_equipment_material CHECK ((kind = 'hose') = (material IS NOT NULL)),
  CONSTRAINT ck_equipment_stated CHECK (stated_until IS NULL OR stated_until >= installed_on),
  CONSTRAINT ck_equipment_span CHECK (ended_on IS NULL OR ended_on >= installed_on),
  CONSTRAINT ck_equipment_ended CHECK ((ended_on IS NULL) = (ended_why IS NULL))
);

CREATE INDEX ix_equipment_household_id ON equipment (district, household_id);
CREATE INDEX ix_equipment_standing ON equipment (district, recorded_at, id) WHERE ended_on IS NULL;
"""

GRANTS = """
GRANT SELECT, INSERT, UPDATE ON equipment TO lpg_app;
"""


def upgrade() -> None:
    for statements in (TABLES, GRANTS):
        op.get_bind().exec_driver_sql(statements.replace("%", "%%"))


def downgrade() -> None:
    raise NotImplementedError("what hung between bottle and burner is evidence: it is not dropped")
