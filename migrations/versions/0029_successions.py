"""An account passes to another member of the home, by two persons.

Before: under a moratorium a death left nothing but closing, or an exception for a transfer to anybody. During: one
new table; nothing that stands is touched. After: who asked, what showed it and who decided stands in a row of its own.
"""

from alembic import op

revision = "0029"
down_revision = "0028"

TABLES = """
CREATE TABLE succession (
  district INTEGER NOT NULL,
  id UUID NOT NULL,
  account_id UUID NOT NULL,
  household_id UUID NOT NULL,
  firm_id UUID NOT NULL,
  from_person_id UUID NOT NULL,
  to_person_id UUID NOT NULL,
  ground VARCHAR(32) NOT NULL,
  kinship VARCHAR(32) NOT NULL,
  evidence TEXT NOT NULL,
  membership TEXT NOT NULL,
  state VARCHAR(32) NOT NULL,
  asked_by UUID NOT NULL,
  asked_at TIMESTAMP WITH TIME ZONE NOT NULL,
  decided_by UUID,
  decided_at TIMESTAMP WITH TIME ZONE,
  rejected_for VARCHAR(32),
  CONSTRAINT pk_succession PRIMARY KEY (district, id),
  CONSTRAINT fk_succession_district_account_id FOREIGN KEY(district, account_id) REFERENCES account (district, id),
  CONSTRAINT ck_succession_another_person CHECK (from_person_id <> to_person_id),
  CONSTRAINT ck_succession_decided CHECK ((decided_at IS NULL) = (decided_by IS NULL)),
  CONSTRAINT ck_succession_four_eyes CHECK (state IN ('asked', 'withdrawn') OR decided_by <> asked_by)
);

CREATE UNIQUE INDEX uq_succession_asked_account ON succession (district, account_id) WHERE state = 'asked';
CREATE INDEX ix_succession_account_id ON succession (district, account_id);
CREATE INDEX ix_succession_household_id ON succession (district, household_id);
CREATE INDEX ix_succession_asked_at ON succession (district, asked_at, id);
CREATE INDEX ix_succession_from_person_id ON succession (from_person_id);
"""

FENCES = """
CREATE FUNCTION machine_succession() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW.state <> 'asked' THEN
      RAISE EXCEPTION 'succession: a new row must be asked, not %', NEW.state
        USING ERRCODE = 'check_violation', CONSTRAINT = 'machine_succession', TABLE = 'succession';
    END IF;
  ELSIF NEW.state <> OLD.state AND (OLD.state, NEW.state) NOT IN (('asked', 'approved'), ('asked', 'rejected'), ('asked', 'withdrawn')) THEN
    RAISE EXCEPTION 'succession: no move from % to %', OLD.state, NEW.state
      USING ERRCODE = 'check_violation', CONSTRAINT = 'machine_succession', TABLE = 'succession';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER machine_succession BEFORE INSERT OR UPDATE OF state ON succession
  FOR EACH ROW EXECUTE FUNCTION machine_succession();
"""

GRANTS = """
GRANT SELECT, INSERT, UPDATE ON succession TO lpg_app;
"""


def upgrade() -> None:
    for statements in (TABLES, FENCES, GRANTS):
        op.get_bind().exec_driver_sql(statements.replace("%", "%%"))


def downgrade() -> None:
    raise NotImplementedError("how an account passed on is evidence: it is not dropped")
