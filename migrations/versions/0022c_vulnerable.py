"""Why a household is looked after first.

Before: a household was flagged and nobody knew why or since when. During: one new table and an index; the flag
stays and follows the list from now on. After: households flagged before have no reason until one is entered.
"""

from alembic import op

revision = "0022c"
down_revision = "0022b"

TABLES = """
CREATE TABLE vulnerability (
  district INTEGER NOT NULL,
  id UUID NOT NULL,
  household_id UUID NOT NULL,
  ground_sealed BYTEA NOT NULL,
  since_on DATE NOT NULL,
  evidence TEXT NOT NULL,
  entered_by UUID NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  ended_on DATE,
  ended_by UUID,
  CONSTRAINT pk_vulnerability PRIMARY KEY (district, id),
  CONSTRAINT fk_vulnerability_district_household_id FOREIGN KEY(district, household_id) REFERENCES household (district, id),
  CONSTRAINT ck_vulnerability_span CHECK (ended_on IS NULL OR ended_on >= since_on)
);

CREATE INDEX ix_vulnerability_household_id ON vulnerability (district, household_id);
"""

GRANTS = """
GRANT SELECT, INSERT, UPDATE ON vulnerability TO lpg_app;
"""


def upgrade() -> None:
    for statements in (TABLES, GRANTS):
        op.get_bind().exec_driver_sql(statements.replace("%", "%%"))


def downgrade() -> None:
    raise NotImplementedError("whom we looked after and why is evidence: it is not dropped")
