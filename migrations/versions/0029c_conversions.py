"""Conversion plans: a street's or a committee's homes go over to piped gas or electricity.

Before: that a street was to be converted, and by when, stood in papers only. During: two new tables. After: a plan
names the accounts it is about, and the clear-out of its street is held against its day.
"""

from alembic import op

revision = "0029c"
down_revision = "0029b"

TABLES = """
CREATE TABLE conversion_plan (
  district INTEGER NOT NULL,
  id UUID NOT NULL,
  plan_no TEXT NOT NULL,
  street_code TEXT NOT NULL,
  committee_code TEXT,
  target VARCHAR(32) NOT NULL,
  starts_on DATE NOT NULL,
  due_on DATE NOT NULL,
  state VARCHAR(32) NOT NULL,
  entered_by UUID NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  ended_on DATE,
  CONSTRAINT pk_conversion_plan PRIMARY KEY (district, id),
  CONSTRAINT uq_conversion_plan_district_plan_no UNIQUE (district, plan_no),
  CONSTRAINT ck_conversion_plan_span CHECK (due_on >= starts_on)
);

CREATE INDEX ix_conversion_plan_street_code ON conversion_plan (district, street_code);
CREATE INDEX ix_conversion_plan_recorded_at ON conversion_plan (district, recorded_at, id);

CREATE TABLE conversion_home (
  district INTEGER NOT NULL,
  plan_id UUID NOT NULL,
  account_id UUID NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_conversion_home PRIMARY KEY (district, plan_id, account_id),
  CONSTRAINT fk_conversion_home_district_plan_id FOREIGN KEY(district, plan_id) REFERENCES conversion_plan (district, id),
  CONSTRAINT fk_conversion_home_district_account_id FOREIGN KEY(district, account_id) REFERENCES account (district, id)
);

CREATE INDEX ix_conversion_home_account_id ON conversion_home (district, account_id);
"""

FENCES = """
CREATE FUNCTION machine_conversion_plan() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW.state <> 'announced' THEN
      RAISE EXCEPTION 'conversion plan: a new row must be announced, not %', NEW.state
        USING ERRCODE = 'check_violation', CONSTRAINT = 'machine_conversion_plan', TABLE = 'conversion_plan';
    END IF;
  ELSIF NEW.state <> OLD.state AND (OLD.state, NEW.state) NOT IN (('announced', 'dropped'), ('announced', 'under_way'), ('under_way', 'converted'), ('under_way', 'dropped')) THEN
    RAISE EXCEPTION 'conversion plan: no move from % to %', OLD.state, NEW.state
      USING ERRCODE = 'check_violation', CONSTRAINT = 'machine_conversion_plan', TABLE = 'conversion_plan';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER machine_conversion_plan BEFORE INSERT OR UPDATE OF state ON conversion_plan
  FOR EACH ROW EXECUTE FUNCTION machine_conversion_plan();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON conversion_home
  FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON conversion_home
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();
"""

GRANTS = """
GRANT SELECT, INSERT, UPDATE ON conversion_plan TO lpg_app;
GRANT SELECT, INSERT ON conversion_home TO lpg_app;
"""


def upgrade() -> None:
    for statements in (TABLES, FENCES, GRANTS):
        op.get_bind().exec_driver_sql(statements.replace("%", "%%"))


def downgrade() -> None:
    raise NotImplementedError("which homes were to go over, and did, is kept with them: it is not dropped")
