"""A person looks at a refusal again: reviews, what proves their answers received, exceptions for one home.

Before: a refusal was explained and could be talked about on the telephone; that somebody looked at it again, and
by when, was in no row. During: new tables that nobody has filled. After: each refusal about a home can be asked
about once, is answered by another person by its day, and an exception from a rule is a row with a last day.
"""

from alembic import op

revision = "0023"
down_revision = "0022"

TABLES = """
CREATE TABLE rule_exception (
  district INTEGER NOT NULL,
  id UUID NOT NULL,
  household_id UUID NOT NULL,
  rule TEXT NOT NULL,
  review_id UUID NOT NULL,
  valid_from DATE NOT NULL,
  valid_until DATE NOT NULL,
  granted_by UUID NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_rule_exception PRIMARY KEY (district, id),
  CONSTRAINT fk_rule_exception_district_household_id FOREIGN KEY(district, household_id) REFERENCES household (district, id),
  CONSTRAINT ck_rule_exception_span CHECK (valid_until >= valid_from)
);

CREATE INDEX ix_rule_exception_household_id ON rule_exception (district, household_id);

CREATE TABLE refusal_review (
  district INTEGER NOT NULL,
  id UUID NOT NULL,
  entry_id UUID NOT NULL,
  refusal_no TEXT NOT NULL,
  verb TEXT NOT NULL,
  rules JSONB NOT NULL,
  refused_at TIMESTAMP WITH TIME ZONE NOT NULL,
  refused_by UUID NOT NULL,
  household_id UUID NOT NULL,
  person_id UUID NOT NULL,
  firm_id UUID,
  street_code TEXT NOT NULL,
  ground VARCHAR(32) NOT NULL,
  said_sealed BYTEA,
  state VARCHAR(32) NOT NULL,
  asked_by UUID NOT NULL,
  asked_at TIMESTAMP WITH TIME ZONE NOT NULL,
  due_on DATE NOT NULL,
  taken_by UUID,
  taken_at TIMESTAMP WITH TIME ZONE,
  finding VARCHAR(32),
  answer_sealed BYTEA,
  excepted JSONB NOT NULL,
  excepted_until DATE,
  answered_by UUID,
  answered_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT pk_refusal_review PRIMARY KEY (district, id),
  CONSTRAINT ck_refusal_review_answered CHECK ((answered_at IS NULL) = (finding IS NULL))
);

CREATE INDEX ix_refusal_review_due_on ON refusal_review (district, state, due_on);

CREATE INDEX ix_refusal_review_household_id ON refusal_review (district, household_id);

CREATE UNIQUE INDEX uq_refusal_review_entry_id ON refusal_review (district, entry_id) WHERE state <> 'withdrawn';

CREATE TABLE review_receipt (
  district INTEGER NOT NULL,
  id UUID NOT NULL,
  review_id UUID NOT NULL,
  received_how VARCHAR(32) NOT NULL,
  signature_sha256 TEXT,
  witness VARCHAR(32),
  witness_sha256 TEXT,
  recorded_by UUID NOT NULL,
  received_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_review_receipt PRIMARY KEY (district, id),
  CONSTRAINT fk_review_receipt_district_review_id FOREIGN KEY(district, review_id) REFERENCES refusal_review (district, id),
  CONSTRAINT ck_review_receipt_signed CHECK ((signature_sha256 IS NOT NULL) = (received_how = 'signed')),
  CONSTRAINT ck_review_receipt_witnessed CHECK ((witness IS NOT NULL) = (received_how = 'refused_to_sign')),
  CONSTRAINT ck_review_receipt_witness_signed CHECK ((witness IS NULL) = (witness_sha256 IS NULL))
);

CREATE INDEX ix_review_receipt_review_id ON review_receipt (district, review_id);
"""

FENCES = """
CREATE FUNCTION machine_refusal_review() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW.state <> 'asked' THEN
      RAISE EXCEPTION 'review of a refusal: a new row must be asked, not %', NEW.state
        USING ERRCODE = 'check_violation', CONSTRAINT = 'machine_refusal_review', TABLE = 'refusal_review';
    END IF;
  ELSIF NEW.state <> OLD.state AND (OLD.state, NEW.state) NOT IN (('asked', 'taken'), ('asked', 'withdrawn'), ('taken', 'overturned'), ('taken', 'partly'), ('taken', 'upheld'), ('taken', 'withdrawn')) THEN
    RAISE EXCEPTION 'review of a refusal: no move from % to %', OLD.state, NEW.state
      USING ERRCODE = 'check_violation', CONSTRAINT = 'machine_refusal_review', TABLE = 'refusal_review';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER machine_refusal_review BEFORE INSERT OR UPDATE OF state ON refusal_review
  FOR EACH ROW EXECUTE FUNCTION machine_refusal_review();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON rule_exception
  FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON rule_exception
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON review_receipt
  FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON review_receipt
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();
"""

GRANTS = """
GRANT SELECT, INSERT ON rule_exception TO lpg_app;
GRANT SELECT, INSERT, UPDATE ON refusal_review TO lpg_app;
GRANT SELECT, INSERT ON review_receipt TO lpg_app;
"""


def upgrade() -> None:
    for statements in (TABLES, FENCES, GRANTS):
        op.get_bind().exec_driver_sql(statements.replace("%", "%%"))


def downgrade() -> None:
    raise NotImplementedError("what people asked and were answered is evidence: it is not dropped")
