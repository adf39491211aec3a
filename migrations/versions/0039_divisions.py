"""What addresses are made of: streets, committees, estates and buildings, each from a day to a day.

Before: a place named its street and committee by code, and whether they are in force nobody could say; estate and
building stood in the sealed address only. During: a new table; two new columns that are null. After: of what a district
has on its list a new address names what is in force and lies within the level above; what was registered keeps its codes.
"""

from alembic import op

revision = "0039"
down_revision = "0029d"

TABLES = """
CREATE TABLE division (
  district INTEGER NOT NULL,
  id UUID NOT NULL,
  level VARCHAR(32) NOT NULL,
  code TEXT NOT NULL,
  name TEXT NOT NULL,
  parent_code TEXT,
  valid_from DATE NOT NULL,
  valid_until DATE,
  entered_by UUID NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_division PRIMARY KEY (district, id),
  CONSTRAINT ex_division_code EXCLUDE USING gist (district WITH =, level WITH =, code WITH =, daterange(valid_from, valid_until, '[]') WITH &&),
  CONSTRAINT ck_division_parent CHECK ((level = 'street') = (parent_code IS NULL)),
  CONSTRAINT ck_division_span CHECK (valid_until IS NULL OR valid_until >= valid_from)
);

CREATE INDEX ix_division_parent_code ON division (district, level, parent_code);
CREATE INDEX ix_division_recorded_at ON division (district, recorded_at, id);

ALTER TABLE premises ADD COLUMN estate_code TEXT;
ALTER TABLE premises ADD COLUMN building_code TEXT;
"""

GRANTS = """
GRANT SELECT, INSERT, UPDATE ON division TO lpg_app;
"""


def upgrade() -> None:
    for statements in (TABLES, GRANTS):
        op.get_bind().exec_driver_sql(statements.replace("%", "%%"))


def downgrade() -> None:
    raise NotImplementedError("which unit a code meant on a day explains what was registered then: it is not dropped")
