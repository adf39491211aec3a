"""Places: what was seen of them and when, areas free of bottled gas, gas where it may not be; reviews, deposits.

Before: eight facts that the premises gate asks had no column, and a flag had no day; who stood on the review
list of the bar was known and never looked at; deposits were not kept. During: new columns that nobody has
filled (null: not known) and an index over one of them, new tables; a register of a million places waits for
the index. After: surveys keep day and evidence; what was entered before has none.
"""

from alembic import op

revision = "0017"
down_revision = "0016"

TABLES = """
ALTER TABLE premises
  ADD COLUMN bottle_place TEXT,
  ADD COLUMN other_fuel_in_room BOOLEAN,
  ADD COLUMN leak_alarm BOOLEAN,
  ADD COLUMN crowded BOOLEAN,
  ADD COLUMN category TEXT,
  ADD COLUMN rental TEXT,
  ADD COLUMN house_code TEXT,
  ADD COLUMN rental_cap INTEGER;

CREATE INDEX ix_premises_house_code ON premises (district, house_code);

CREATE TABLE premises_survey (
  district INTEGER NOT NULL,
  id UUID NOT NULL,
  premises_id UUID NOT NULL,
  seen JSONB NOT NULL,
  seen_on DATE NOT NULL,
  evidence TEXT,
  seen_by UUID NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_premises_survey PRIMARY KEY (district, id),
  CONSTRAINT fk_premises_survey_district_premises_id FOREIGN KEY(district, premises_id) REFERENCES premises (district, id)
);

CREATE INDEX ix_premises_survey_premises_id ON premises_survey (district, premises_id);

CREATE TABLE free_area (
  district INTEGER NOT NULL,
  id UUID NOT NULL,
  name TEXT NOT NULL,
  notice_no TEXT NOT NULL,
  outline JSONB NOT NULL,
  announced_on DATE NOT NULL,
  effective_on DATE NOT NULL,
  ended_on DATE,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_free_area PRIMARY KEY (district, id),
  CONSTRAINT uq_free_area_district_notice_no UNIQUE (district, notice_no),
  CONSTRAINT ck_free_area_notice CHECK (effective_on >= announced_on),
  CONSTRAINT ck_free_area_span CHECK (ended_on IS NULL OR ended_on >= announced_on)
);

CREATE TABLE area_exemption (
  district INTEGER NOT NULL,
  id UUID NOT NULL,
  area_id UUID NOT NULL,
  premises_id UUID NOT NULL,
  ground VARCHAR(32) NOT NULL,
  document_no TEXT NOT NULL,
  valid_from DATE NOT NULL,
  valid_until DATE NOT NULL,
  granted_by UUID NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_area_exemption PRIMARY KEY (district, id),
  CONSTRAINT fk_area_exemption_district_area_id FOREIGN KEY(district, area_id) REFERENCES free_area (district, id),
  CONSTRAINT fk_area_exemption_district_premises_id FOREIGN KEY(district, premises_id) REFERENCES premises (district, id),
  CONSTRAINT ck_area_exemption_span CHECK (valid_until >= valid_from)
);

CREATE INDEX ix_area_exemption_premises_id ON area_exemption (district, premises_id);

CREATE TABLE banned_use (
  district INTEGER NOT NULL,
  id UUID NOT NULL,
  kind VARCHAR(32) NOT NULL,
  state VARCHAR(32) NOT NULL,
  street_code TEXT NOT NULL,
  committee_code TEXT NOT NULL,
  lon DOUBLE PRECISION NOT NULL,
  lat DOUBLE PRECISION NOT NULL,
  household_id UUID,
  found_on DATE NOT NULL,
  evidence TEXT NOT NULL,
  reported_by UUID NOT NULL,
  notice_no TEXT,
  notified_on DATE,
  deadline_on DATE,
  joint_with JSONB NOT NULL,
  closing_evidence TEXT,
  closed_on DATE,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_banned_use PRIMARY KEY (district, id),
  CONSTRAINT uq_banned_use_district_notice_no UNIQUE (district, notice_no),
  CONSTRAINT ck_banned_use_deadline CHECK (deadline_on >= notified_on)
);

CREATE INDEX ix_banned_use_recorded_at ON banned_use (district, recorded_at, id);

CREATE TABLE account_review (
  district INTEGER NOT NULL,
  account_id UUID NOT NULL,
  finding VARCHAR(32) NOT NULL,
  evidence TEXT NOT NULL,
  decided_by UUID NOT NULL,
  decided_on DATE NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_account_review PRIMARY KEY (district, account_id),
  CONSTRAINT fk_account_review_district_account_id FOREIGN KEY(district, account_id) REFERENCES account (district, id)
);

CREATE TABLE deposit_line (
  district INTEGER NOT NULL,
  account_id UUID NOT NULL,
  number INTEGER NOT NULL,
  kind VARCHAR(32) NOT NULL,
  amount_fen INTEGER NOT NULL,
  balance_fen BIGINT NOT NULL,
  receipt_no TEXT NOT NULL,
  entered_on DATE NOT NULL,
  entered_by UUID NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_deposit_line PRIMARY KEY (district, account_id, number),
  CONSTRAINT fk_deposit_line_district_account_id FOREIGN KEY(district, account_id) REFERENCES account (district, id),
  CONSTRAINT uq_deposit_line_district_account_id_kind_receipt_no UNIQUE (district, account_id, kind, receipt_no),
  CONSTRAINT ck_deposit_line_number CHECK (number >= 1),
  CONSTRAINT ck_deposit_line_amount CHECK (amount_fen > 0),
  CONSTRAINT ck_deposit_line_balance CHECK (balance_fen >= 0)
);
"""

FENCES = """
CREATE FUNCTION machine_banned_use() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW.state <> 'found' THEN
      RAISE EXCEPTION 'banned use: a new row must be found, not %', NEW.state
        USING ERRCODE = 'check_violation', CONSTRAINT = 'machine_banned_use', TABLE = 'banned_use';
    END IF;
  ELSIF NEW.state <> OLD.state AND (OLD.state, NEW.state) NOT IN (('found', 'dismissed'), ('found', 'told'), ('joint', 'cleared'), ('told', 'cleared'), ('told', 'joint')) THEN
    RAISE EXCEPTION 'banned use: no move from % to %', OLD.state, NEW.state
      USING ERRCODE = 'check_violation', CONSTRAINT = 'machine_banned_use', TABLE = 'banned_use';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER machine_banned_use BEFORE INSERT OR UPDATE OF state ON banned_use
  FOR EACH ROW EXECUTE FUNCTION machine_banned_use();

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON premises_survey
  FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON premises_survey
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON area_exemption
  FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON area_exemption
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON account_review
  FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON account_review
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON deposit_line
  FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON deposit_line
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();
"""

GRANTS = """
GRANT SELECT, INSERT ON premises_survey TO lpg_app;
GRANT SELECT, INSERT, UPDATE ON free_area TO lpg_app;
GRANT SELECT, INSERT ON area_exemption TO lpg_app;
GRANT SELECT, INSERT, UPDATE ON banned_use TO lpg_app;
GRANT SELECT, INSERT ON account_review TO lpg_app;
GRANT SELECT, INSERT ON deposit_line TO lpg_app;
"""


def upgrade() -> None:
    for statements in (TABLES, FENCES, GRANTS):
        op.get_bind().exec_driver_sql(statements.replace("%", "%%"))


def downgrade() -> None:
    raise NotImplementedError("what was seen, notified and paid is evidence: it is not dropped")
