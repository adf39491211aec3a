"""A site's count at the end of its day: what was counted, how it differs from custody, and why.

Before: custody says where every bottle is, and nobody can say that somebody looked. During: one
transaction; three new tables, and an index over the bottles that are at sites, so that a site's stock is
read without reading every bottle. After: the application's role may add counts, differences and
explanations, and change none.
"""

from alembic import op

revision = "0008"
down_revision = "0007"

TABLES = """
CREATE TABLE site_count (
  id UUID NOT NULL,
  site_id UUID NOT NULL,
  firm_id UUID NOT NULL,
  district INTEGER NOT NULL,
  models JSONB NOT NULL,
  scanned_root TEXT NOT NULL,
  counted_by UUID NOT NULL,
  counted_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_site_count PRIMARY KEY (id)
);
CREATE INDEX ix_site_count_site_id ON site_count (site_id, counted_at);

CREATE TABLE count_difference (
  count_id UUID NOT NULL,
  number INTEGER NOT NULL,
  kind VARCHAR(32) NOT NULL,
  cylinder_id UUID,
  code TEXT,
  model TEXT,
  holder_kind VARCHAR(32),
  since TIMESTAMP WITH TIME ZONE,
  CONSTRAINT pk_count_difference PRIMARY KEY (count_id, number),
  CONSTRAINT fk_count_difference_count_id FOREIGN KEY (count_id) REFERENCES site_count (id)
);

CREATE TABLE count_explanation (
  count_id UUID NOT NULL,
  number INTEGER NOT NULL,
  why VARCHAR(32) NOT NULL,
  reference TEXT,
  explained_by UUID NOT NULL,
  explained_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_count_explanation PRIMARY KEY (count_id, number),
  CONSTRAINT fk_count_explanation_count_id_number
    FOREIGN KEY (count_id, number) REFERENCES count_difference (count_id, number)
);

CREATE INDEX ix_cylinder_state_at_site ON cylinder_state (holder_id) WHERE holder_kind = 'site';
"""

FENCES = """
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON site_count
  FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON site_count
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON count_difference
  FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON count_difference
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON count_explanation
  FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON count_explanation
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();
"""

GRANTS = """
GRANT SELECT, INSERT ON site_count TO lpg_app;
GRANT SELECT, INSERT ON count_difference TO lpg_app;
GRANT SELECT, INSERT ON count_explanation TO lpg_app;
"""


def upgrade() -> None:
    for statements in (TABLES, FENCES, GRANTS):
        op.get_bind().exec_driver_sql(statements)


def downgrade() -> None:
    op.execute("DROP INDEX ix_cylinder_state_at_site")
    for table in ("count_explanation", "count_difference", "site_count"):
        op.execute(f"DROP TABLE {table}")
