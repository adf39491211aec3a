"""The courier's face: that a round's names, phones and addresses were opened to its courier.

Before: a reveal was an entry only. During: one new table, nothing standing is touched; a round that is being
driven has no row yet, so its pages stay masked until its courier opens them once more. After: the courier's
pages know, without reading the evidence, whether they may show what was revealed.
"""

from alembic import op

revision = "0010"
down_revision = "0009"

TABLES = """
CREATE TABLE manifest_reveal (
  district INTEGER NOT NULL,
  round_id UUID NOT NULL,
  revealed_by UUID NOT NULL,
  revealed_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_manifest_reveal PRIMARY KEY (district, round_id),
  CONSTRAINT fk_manifest_reveal_district_round_id FOREIGN KEY(district, round_id) REFERENCES round (district, id)
);
"""

FENCES = """
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON manifest_reveal
  FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON manifest_reveal
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();
"""

GRANTS = """
GRANT SELECT, INSERT ON manifest_reveal TO lpg_app;
"""


def upgrade() -> None:
    for statements in (TABLES, FENCES, GRANTS):
        op.get_bind().exec_driver_sql(statements)


def downgrade() -> None:
    op.drop_table("manifest_reveal")
