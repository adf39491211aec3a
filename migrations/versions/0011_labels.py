"""The bottle's labels; codes that two bottles carry; who went through codes on the public page.

Before: migration 0010; a platform code had no label on file. During: one transaction; three new tables, and one
nullable column on ``cylinder_identifier``, which rewrites nothing. After: no bottle has a label yet, none is
guessed: who prints labels issues them. A code that was voided before has no reason of its own.
"""

from alembic import op

revision = "0011"
down_revision = "0010"

TABLES = """
ALTER TABLE cylinder_identifier ADD COLUMN void_reason VARCHAR(32);

CREATE TABLE cylinder_label (
  cylinder_id UUID NOT NULL,
  number INTEGER NOT NULL,
  code TEXT NOT NULL,
  place VARCHAR(32) NOT NULL,
  key_version INTEGER NOT NULL,
  batch_id UUID NOT NULL,
  issued_by UUID NOT NULL,
  issued_at TIMESTAMP WITH TIME ZONE NOT NULL,
  voided_at TIMESTAMP WITH TIME ZONE,
  void_reason VARCHAR(32),
  CONSTRAINT pk_cylinder_label PRIMARY KEY (cylinder_id, number),
  CONSTRAINT fk_cylinder_label_cylinder_id FOREIGN KEY(cylinder_id) REFERENCES cylinder (cylinder_id),
  CONSTRAINT ck_cylinder_label_void CHECK ((voided_at IS NULL) = (void_reason IS NULL))
);
CREATE UNIQUE INDEX uq_cylinder_label_standing ON cylinder_label (cylinder_id, place) WHERE voided_at IS NULL;
CREATE INDEX ix_cylinder_label_batch_id ON cylinder_label (batch_id);

CREATE TABLE identifier_collision (
  scheme VARCHAR(32) NOT NULL,
  id UUID NOT NULL,
  value TEXT NOT NULL,
  standing_cylinder_id UUID NOT NULL,
  claiming_cylinder_id UUID NOT NULL,
  elsewhere BOOLEAN NOT NULL,
  district INTEGER NOT NULL,
  found_by UUID NOT NULL,
  found_at TIMESTAMP WITH TIME ZONE NOT NULL,
  resolved_at TIMESTAMP WITH TIME ZONE,
  outcome VARCHAR(32),
  resolved_by UUID,
  CONSTRAINT pk_identifier_collision PRIMARY KEY (scheme, id)
);
CREATE UNIQUE INDEX uq_identifier_collision_open ON identifier_collision (scheme, value, claiming_cylinder_id)
  WHERE resolved_at IS NULL;
CREATE INDEX ix_identifier_collision_district ON identifier_collision (district, found_at);

CREATE TABLE code_probe (
  district INTEGER NOT NULL,
  id UUID NOT NULL,
  seen_from BYTEA NOT NULL,
  window_from TIMESTAMP WITH TIME ZONE NOT NULL,
  unconfirmed INTEGER NOT NULL,
  found_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_code_probe PRIMARY KEY (district, id),
  CONSTRAINT uq_code_probe_district_seen_from_window_from UNIQUE (district, seen_from, window_from)
);
"""

FENCES = """
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON code_probe
  FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON code_probe
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();
"""

GRANTS = """
GRANT SELECT, INSERT, UPDATE ON cylinder_label, identifier_collision TO lpg_app;
GRANT SELECT, INSERT ON code_probe TO lpg_app;
"""


def upgrade() -> None:
    for statements in (TABLES, FENCES, GRANTS):
        op.get_bind().exec_driver_sql(statements)


def downgrade() -> None:
    op.get_bind().exec_driver_sql(
        "DROP TABLE code_probe; DROP TABLE identifier_collision; DROP TABLE cylinder_label;"
        "ALTER TABLE cylinder_identifier DROP COLUMN void_reason;"
    )
