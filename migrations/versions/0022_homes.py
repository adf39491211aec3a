"""What a street office and a household need: why an account was closed.

Before: an account could not be closed over the API, and why one was closed stood nowhere. During: new tables
only; nothing that stands is rewritten. After: accounts closed before have no reason on file.
"""

from alembic import op

revision = "0022"
down_revision = "0021"

TABLES = """
CREATE TABLE account_closing (
  district INTEGER NOT NULL,
  account_id UUID NOT NULL,
  reason VARCHAR(32) NOT NULL,
  evidence TEXT NOT NULL,
  closed_by UUID NOT NULL,
  closed_on DATE NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_account_closing PRIMARY KEY (district, account_id),
  CONSTRAINT fk_account_closing_district_account_id FOREIGN KEY(district, account_id) REFERENCES account (district, id)
);
"""

FENCES = """
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON account_closing
  FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON account_closing
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();
"""

GRANTS = """
GRANT SELECT, INSERT ON account_closing TO lpg_app;
"""


def upgrade() -> None:
    for statements in (TABLES, FENCES, GRANTS):
        op.get_bind().exec_driver_sql(statements.replace("%", "%%"))


def downgrade() -> None:
    raise NotImplementedError("why an account was closed is evidence: it is not dropped")
