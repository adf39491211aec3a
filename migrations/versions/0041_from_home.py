"""What is said from home about a telephone is looked up after it was answered; the number before is kept sealed.

Before: the register was searched while the asker waited, and a corrected telephone left no trace of the one before.
During: a new table, and a column that is empty for every request that stands. After: an application is a row that goes
once it was looked up; the number before a correction is told of it.
"""

from alembic import op

revision = "0041"
down_revision = "0044"

TABLES = """
CREATE TABLE number_application (
  id UUID NOT NULL,
  said_sealed BYTEA NOT NULL,
  asked_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_number_application PRIMARY KEY (id)
);

CREATE INDEX ix_number_application_asked_at ON number_application (asked_at);

ALTER TABLE privacy_request ADD COLUMN former_sealed BYTEA;
"""

GRANTS = """
GRANT SELECT, INSERT, UPDATE, DELETE ON number_application TO lpg_app;
"""


def upgrade() -> None:
    for statements in (TABLES, GRANTS):
        op.get_bind().exec_driver_sql(statements)


def downgrade() -> None:
    raise NotImplementedError("the number before a correction would be lost")
