"""Signing in on pages: passwords, sessions, and how often something was tried.

Before: the schema of the foundation. During: new tables only, nothing standing is touched. After: members of
staff can have a password. None of it belongs to a district: all three are found by a secret, a name or a
keyed index.
"""

from alembic import op

revision = "0002"
down_revision = "0001"

TABLES = """
CREATE TABLE password (
  login TEXT NOT NULL,
  principal_id UUID NOT NULL,
  hash TEXT NOT NULL,
  set_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_password PRIMARY KEY (login),
  CONSTRAINT uq_password_principal_id UNIQUE (principal_id)
);

CREATE TABLE tried (
  name TEXT NOT NULL,
  subject BYTEA NOT NULL,
  window_from TIMESTAMP WITH TIME ZONE NOT NULL,
  times INTEGER NOT NULL,
  CONSTRAINT pk_tried PRIMARY KEY (name, subject, window_from)
);
CREATE INDEX ix_tried_window_from ON tried (window_from);

CREATE TABLE web_session (
  secret_hash BYTEA NOT NULL,
  principal_id UUID NOT NULL,
  signed_in_by VARCHAR(32) NOT NULL,
  grant_id UUID,
  opened_at TIMESTAMP WITH TIME ZONE NOT NULL,
  seen_at TIMESTAMP WITH TIME ZONE NOT NULL,
  ended_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT pk_web_session PRIMARY KEY (secret_hash)
);
CREATE INDEX ix_web_session_principal_id ON web_session (principal_id);
"""

GRANTS = """
GRANT SELECT, INSERT, UPDATE, DELETE ON password TO lpg_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON tried TO lpg_app;
GRANT SELECT, INSERT, UPDATE ON web_session TO lpg_app;
"""


def upgrade() -> None:
    for statements in (TABLES, GRANTS):
        op.get_bind().exec_driver_sql(statements)


def downgrade() -> None:
    for table in ("web_session", "tried", "password"):
        op.drop_table(table)
