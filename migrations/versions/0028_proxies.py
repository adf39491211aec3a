"""Somebody may book for a home, or receive at its door, for somebody else, with both their consent.

Before: only the registrant booked, or a desk for them, and who received was not written. During: a new table that
nobody has filled, and a column of deliveries that is null. After: a consent is a row with its days, and a delivery
says by which it was received.
"""

from alembic import op

revision = "0028"
down_revision = "0031"

TABLES = """
CREATE TABLE proxy_consent (
  district INTEGER NOT NULL,
  id UUID NOT NULL,
  household_id UUID NOT NULL,
  person_id UUID NOT NULL,
  proxy_id UUID,
  phone_scheme TEXT,
  phone_index BYTEA,
  may_book BOOLEAN NOT NULL,
  may_receive BOOLEAN NOT NULL,
  valid_from DATE NOT NULL,
  valid_until DATE NOT NULL,
  paper TEXT,
  state VARCHAR(32) NOT NULL,
  named_by UUID NOT NULL,
  named_at TIMESTAMP WITH TIME ZONE NOT NULL,
  answered_by UUID,
  answered_at TIMESTAMP WITH TIME ZONE,
  ended_by UUID,
  ended_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT pk_proxy_consent PRIMARY KEY (district, id),
  CONSTRAINT fk_proxy_consent_district_household_id FOREIGN KEY(district, household_id) REFERENCES household (district, id),
  CONSTRAINT ck_proxy_consent_for_something CHECK (may_book OR may_receive),
  CONSTRAINT ck_proxy_consent_span CHECK (valid_until >= valid_from),
  CONSTRAINT ck_proxy_consent_agreed_by_whom CHECK (state <> 'agreed' OR proxy_id IS NOT NULL)
);

CREATE INDEX ix_proxy_consent_household_id ON proxy_consent (district, household_id);

CREATE INDEX ix_proxy_consent_phone ON proxy_consent (district, phone_scheme, phone_index) WHERE state = 'named';

CREATE INDEX ix_proxy_consent_proxy_id ON proxy_consent (district, proxy_id);

CREATE UNIQUE INDEX uq_proxy_consent_agreed ON proxy_consent (district, household_id, proxy_id) WHERE state = 'agreed';

ALTER TABLE delivery ADD COLUMN consent_id UUID;
"""

FENCES = """
CREATE FUNCTION machine_proxy_consent() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW.state <> 'named' THEN
      RAISE EXCEPTION 'consent to a proxy: a new row must be named, not %', NEW.state
        USING ERRCODE = 'check_violation', CONSTRAINT = 'machine_proxy_consent', TABLE = 'proxy_consent';
    END IF;
  ELSIF NEW.state <> OLD.state AND (OLD.state, NEW.state) NOT IN (('agreed', 'ended'), ('named', 'agreed'), ('named', 'ended'), ('named', 'turned_down')) THEN
    RAISE EXCEPTION 'consent to a proxy: no move from % to %', OLD.state, NEW.state
      USING ERRCODE = 'check_violation', CONSTRAINT = 'machine_proxy_consent', TABLE = 'proxy_consent';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER machine_proxy_consent BEFORE INSERT OR UPDATE OF state ON proxy_consent
  FOR EACH ROW EXECUTE FUNCTION machine_proxy_consent();
"""

GRANTS = """
GRANT SELECT, INSERT, UPDATE ON proxy_consent TO lpg_app;
"""


def upgrade() -> None:
    for statements in (TABLES, FENCES, GRANTS):
        op.get_bind().exec_driver_sql(statements.replace("%", "%%"))


def downgrade() -> None:
    raise NotImplementedError("who acted for whom is kept with what they did: it is not dropped")
