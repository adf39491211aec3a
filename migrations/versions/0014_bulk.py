"""Registers that come in by the hundred thousand: the file as it came, its lines as read, what is wrong.

Before: a register came in a row at a time, through requests of five hundred. During: three new tables,
nothing standing is touched and nothing waits. After: a file is read into ``staged_bottle``, judged and copied
from there into the bottles' own tables. ``staged_bottle`` is unlogged: it is empty after a crash of the
server, and the file is then read again.
"""

from alembic import op

revision = "0014"
down_revision = "0013"

TABLES = """
CREATE TABLE register_file (
  district INTEGER NOT NULL,
  id UUID NOT NULL,
  firm_id UUID NOT NULL,
  job_id UUID,
  form VARCHAR(32) NOT NULL,
  encoding VARCHAR(32) NOT NULL,
  on_error TEXT NOT NULL,
  evidence JSONB NOT NULL,
  sha256 TEXT NOT NULL,
  size_bytes INTEGER NOT NULL,
  lines INTEGER NOT NULL,
  read_bytes INTEGER NOT NULL,
  read_lines INTEGER NOT NULL,
  staged INTEGER NOT NULL,
  accepted INTEGER,
  refused INTEGER,
  root TEXT,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  published_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT pk_register_file PRIMARY KEY (district, id)
);
CREATE INDEX ix_register_file_sha256
  ON register_file (district, firm_id, sha256);
CREATE UNIQUE INDEX uq_register_file_published
  ON register_file (district, firm_id, sha256, on_error, form, encoding)
  WHERE published_at IS NOT NULL;
CREATE TABLE register_fault (
  district INTEGER NOT NULL,
  file_id UUID NOT NULL,
  line INTEGER NOT NULL,
  number INTEGER NOT NULL,
  found_by VARCHAR(32) NOT NULL,
  pointer TEXT,
  code TEXT NOT NULL,
  facts JSONB,
  zh TEXT,
  en TEXT,
  CONSTRAINT pk_register_fault PRIMARY KEY (district, file_id, line, number)
);
CREATE UNLOGGED TABLE staged_bottle (
  district INTEGER NOT NULL,
  file_id UUID NOT NULL,
  line INTEGER NOT NULL,
  leaf BYTEA NOT NULL,
  cylinder_id UUID,
  fact_id UUID,
  platform_code TEXT,
  schemes TEXT[],
  codes TEXT[],
  model TEXT,
  owner_firm_id UUID,
  registered_by_firm_id UUID,
  registered_on DATE,
  entrusted_to_firm_id UUID,
  standard TEXT,
  phase TEXT,
  material TEXT,
  tare_g INTEGER,
  max_fill_g INTEGER,
  made_on DATE,
  made_precision TEXT,
  design_life_months INTEGER,
  extended_until DATE,
  extension_assessed BOOLEAN,
  extension_registered BOOLEAN,
  bought_on DATE,
  embossed_owner_mark BOOLEAN,
  refurbished BOOLEAN,
  illegal_make BOOLEAN,
  screwed_guard BOOLEAN,
  scrap_ordered BOOLEAN,
  inspection_id UUID,
  inspected_on DATE,
  day_precision TEXT,
  passed BOOLEAN,
  agency TEXT,
  report_no TEXT,
  site_id UUID,
  card_district INTEGER,
  card_id UUID,
  holding_id UUID,
  "full" BOOLEAN,
  CONSTRAINT pk_staged_bottle PRIMARY KEY (district, file_id, line)
);
"""

GRANTS = """
GRANT SELECT, INSERT, UPDATE ON register_file TO lpg_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON register_fault TO lpg_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON staged_bottle TO lpg_app;
"""


def upgrade() -> None:
    for statements in (TABLES, GRANTS):
        op.get_bind().exec_driver_sql(statements)


def downgrade() -> None:
    op.get_bind().exec_driver_sql("DROP TABLE staged_bottle, register_fault, register_file;")
