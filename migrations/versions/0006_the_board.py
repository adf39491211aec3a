"""The dispatcher's board: what was done about an alarm, by whom, kept.

Before: migration 0005. During: one transaction; a new table, so nothing waits. After: each alarm (what it is
about stands in the tables of its room) can be acknowledged once, and the acknowledgement is only ever added.
"""

from alembic import op

revision = "0006"
down_revision = "0005"

TABLES = """
CREATE TABLE alarm_note (
  district INTEGER NOT NULL,
  kind VARCHAR(32) NOT NULL,
  subject_id UUID NOT NULL,
  action VARCHAR(32) NOT NULL,
  note TEXT,
  acknowledged_by UUID NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_alarm_note PRIMARY KEY (district, kind, subject_id)
);
"""

FENCES = """
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON alarm_note
  FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON alarm_note
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();
"""

GRANTS = """
GRANT SELECT, INSERT ON alarm_note TO lpg_app;
"""


def upgrade() -> None:
    for statements in (TABLES, FENCES, GRANTS):
        op.get_bind().exec_driver_sql(statements)


def downgrade() -> None:
    op.get_bind().exec_driver_sql("DROP TABLE alarm_note;")
