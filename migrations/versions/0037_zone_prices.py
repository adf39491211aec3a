"""What fixed zones cost, day by day of a supply site, as it was worked out.

Before: a plan said what it costs, and nothing of what it would cost were the crews not bound to their zones. During: one
new table; nothing that stands is touched. After: who reviews a plan finds beside it what the zones cost that day, once
somebody has asked.
"""

from alembic import op

revision = "0037"
down_revision = "0039"

TABLES = """
CREATE TABLE zone_price (
  district INTEGER NOT NULL,
  id UUID NOT NULL,
  firm_id UUID NOT NULL,
  supply_site_id UUID NOT NULL,
  day DATE NOT NULL,
  zones JSONB NOT NULL,
  fixed JSONB NOT NULL,
  free JSONB NOT NULL,
  elsewhere INTEGER NOT NULL,
  problem TEXT NOT NULL,
  engine TEXT NOT NULL,
  seed INTEGER NOT NULL,
  iterations INTEGER NOT NULL,
  notes JSONB NOT NULL,
  is_cut BOOLEAN NOT NULL,
  travel_times TEXT NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_zone_price PRIMARY KEY (district, id)
);
CREATE INDEX ix_zone_price_day ON zone_price (district, supply_site_id, day, recorded_at);
"""

FENCES = """
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON zone_price
  FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON zone_price
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();
"""

GRANTS = """
GRANT SELECT, INSERT ON zone_price TO lpg_app;
"""


def upgrade() -> None:
    for statements in (TABLES, FENCES, GRANTS):
        op.get_bind().exec_driver_sql(statements.replace("%", "%%"))


def downgrade() -> None:
    raise NotImplementedError("what was worked out is kept: it is not dropped")
