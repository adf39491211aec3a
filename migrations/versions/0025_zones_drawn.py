"""Drafts of zones.

Before: a set of zones was published at once or not at all. During: a new table, nothing standing is touched.
After: zones may be drawn, checked and compared before they bind anybody.
"""

from alembic import op

revision = "0025"
down_revision = "0022c"

TABLES = """
CREATE TABLE zone_draft (
  district INTEGER NOT NULL,
  id UUID NOT NULL,
  name TEXT NOT NULL,
  datum TEXT NOT NULL,
  zones JSONB NOT NULL,
  drawn_by UUID NOT NULL,
  zone_set_id UUID,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_zone_draft PRIMARY KEY (district, id),
  CONSTRAINT fk_zone_draft_district_zone_set_id FOREIGN KEY(district, zone_set_id) REFERENCES zone_set (district, id),
  CONSTRAINT uq_zone_draft_district_zone_set_id UNIQUE (district, zone_set_id)
);
"""

GRANTS = """
GRANT SELECT, INSERT, UPDATE ON zone_draft TO lpg_app;
"""


def upgrade() -> None:
    for statements in (TABLES, GRANTS):
        op.get_bind().exec_driver_sql(statements)


def downgrade() -> None:
    op.drop_table("zone_draft")
