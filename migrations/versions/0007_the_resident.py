"""Residents: found by telephone, signed in by a code, and what they say of a delivery.

Before: the foundation; people stand without an index of their telephones. During: new tables, and an index
on a standing one, which locks ``account`` against writes while it is built. After: who is registered or
imported from now on can sign in by telephone; people from before need ``manage index-phones``, once, for their
numbers are sealed and no SQL can read them.
"""

from alembic import op

revision = "0007"
down_revision = "0006"

TABLES = """
CREATE TABLE person_phone (
  scheme TEXT NOT NULL,
  value BYTEA NOT NULL,
  person_id UUID NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_person_phone PRIMARY KEY (scheme, value, person_id)
);

CREATE TABLE phone_challenge (
  id UUID NOT NULL,
  person_ids JSONB NOT NULL,
  wrong_tries INTEGER NOT NULL,
  asked_at TIMESTAMP WITH TIME ZONE NOT NULL,
  passed_at TIMESTAMP WITH TIME ZONE,
  used_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT pk_phone_challenge PRIMARY KEY (id),
  CONSTRAINT ck_phone_challenge_wrong_tries CHECK (wrong_tries >= 0)
);
CREATE INDEX ix_phone_challenge_asked_at ON phone_challenge (asked_at);

CREATE INDEX ix_account_person_id ON account (person_id);

CREATE TABLE order_confirmation (
  district INTEGER NOT NULL,
  order_id UUID NOT NULL,
  said VARCHAR(32) NOT NULL,
  problem VARCHAR(32),
  said_by UUID NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_order_confirmation PRIMARY KEY (district, order_id, said),
  CONSTRAINT ck_order_confirmation_problem CHECK ((said = 'problem') = (problem IS NOT NULL))
);
"""

FENCES = """
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON order_confirmation
  FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON order_confirmation
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();
"""

GRANTS = """
GRANT SELECT, INSERT ON order_confirmation TO lpg_app;
GRANT SELECT, INSERT, UPDATE ON person_phone TO lpg_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON phone_challenge TO lpg_app;
"""


def upgrade() -> None:
    for statements in (TABLES, FENCES, GRANTS):
        op.get_bind().exec_driver_sql(statements)


def downgrade() -> None:
    op.drop_index("ix_account_person_id", "account")
    for table in ("order_confirmation", "phone_challenge", "person_phone"):
        op.drop_table(table)
