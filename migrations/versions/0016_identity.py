"""People and identity: training, reveals, privacy requests and notices, the second factor of staff.

Before: a certificate alone was looked at; a reveal was an entry only; staff signed in by password. During: new
tables, one new column that older rows leave empty, two indexes on small tables, and the right to delete what is
erased or forgotten (indexes of documents and telephones, ended sessions). After: staff on file have no training
yet, so where rules F20 and D10 are asked their training must be entered before they fill or drive again; a
regulator or an administrator is asked for a second factor at the next sign-in.
"""

from alembic import op

revision = "0016"
down_revision = "0015"

TABLES = """
CREATE TABLE training (
  district INTEGER NOT NULL,
  id UUID NOT NULL,
  staff_id UUID NOT NULL,
  course VARCHAR(32) NOT NULL,
  reference TEXT NOT NULL,
  trained_on DATE NOT NULL,
  valid_until DATE NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_training PRIMARY KEY (district, id),
  CONSTRAINT ck_training_span CHECK (valid_until >= trained_on),
  CONSTRAINT fk_training_district_staff_id FOREIGN KEY(district, staff_id) REFERENCES staff (district, id)
);
CREATE INDEX ix_training_staff_id ON training (district, staff_id);
CREATE TABLE reveal (
  district INTEGER NOT NULL,
  id UUID NOT NULL,
  household_id UUID NOT NULL,
  person_id UUID,
  principal_id UUID NOT NULL,
  role VARCHAR(32) NOT NULL,
  scope_code TEXT NOT NULL,
  fields JSONB NOT NULL,
  reason TEXT NOT NULL,
  purpose TEXT NOT NULL,
  case_no TEXT,
  revealed_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_reveal PRIMARY KEY (district, id)
);
CREATE INDEX ix_reveal_household_id ON reveal (district, household_id);
CREATE TABLE notice_shown (
  person_id UUID NOT NULL,
  id UUID NOT NULL,
  version TEXT NOT NULL,
  shown_by UUID NOT NULL,
  shown_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_notice_shown PRIMARY KEY (person_id, id),
  CONSTRAINT fk_notice_shown_person_id FOREIGN KEY(person_id) REFERENCES person (person_id)
);
CREATE TABLE privacy_request (
  district INTEGER NOT NULL,
  id UUID NOT NULL,
  person_id UUID NOT NULL,
  household_id UUID NOT NULL,
  firm_id UUID NOT NULL,
  kind VARCHAR(32) NOT NULL,
  field VARCHAR(32),
  said_sealed BYTEA,
  state VARCHAR(32) NOT NULL,
  asked_at TIMESTAMP WITH TIME ZONE NOT NULL,
  reason VARCHAR(32),
  decided_by UUID,
  decided_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT pk_privacy_request PRIMARY KEY (district, id),
  CONSTRAINT ck_privacy_request_what CHECK ((kind = 'correction') = (field IS NOT NULL))
);
CREATE INDEX ix_privacy_request_person_id ON privacy_request (district, person_id);
CREATE TABLE processing_stop (
  person_id UUID NOT NULL,
  district INTEGER NOT NULL,
  stopped_at TIMESTAMP WITH TIME ZONE NOT NULL,
  erase_on DATE NOT NULL,
  CONSTRAINT pk_processing_stop PRIMARY KEY (person_id),
  CONSTRAINT fk_processing_stop_person_id FOREIGN KEY(person_id) REFERENCES person (person_id)
);
CREATE TABLE second_factor (
  principal_id UUID NOT NULL,
  secret_sealed BYTEA NOT NULL,
  begun_at TIMESTAMP WITH TIME ZONE NOT NULL,
  confirmed_at TIMESTAMP WITH TIME ZONE,
  last_step BIGINT NOT NULL,
  CONSTRAINT pk_second_factor PRIMARY KEY (principal_id)
);
CREATE TABLE recovery_code (
  principal_id UUID NOT NULL,
  code_hash BYTEA NOT NULL,
  used_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT pk_recovery_code PRIMARY KEY (principal_id, code_hash)
);
CREATE TABLE confirmation (
  credential BYTEA NOT NULL,
  principal_id UUID NOT NULL,
  confirmed_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_confirmation PRIMARY KEY (credential)
);
CREATE INDEX ix_confirmation_confirmed_at ON confirmation (confirmed_at);
CREATE INDEX ix_person_document_person_id ON person_document (person_id);
CREATE INDEX ix_person_phone_person_id ON person_phone (person_id);

ALTER TABLE identity_check ADD COLUMN evidence TEXT;
"""

FENCES = """
CREATE FUNCTION machine_privacy_request() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW.state <> 'asked' THEN
      RAISE EXCEPTION 'privacy request: a new row must be asked, not %%', NEW.state
        USING ERRCODE = 'check_violation', CONSTRAINT = 'machine_privacy_request', TABLE = 'privacy_request';
    END IF;
  ELSIF NEW.state <> OLD.state AND (OLD.state, NEW.state) NOT IN (('asked', 'declined'), ('asked', 'granted'), ('asked', 'withdrawn')) THEN
    RAISE EXCEPTION 'privacy request: no move from %% to %%', OLD.state, NEW.state
      USING ERRCODE = 'check_violation', CONSTRAINT = 'machine_privacy_request', TABLE = 'privacy_request';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER machine_privacy_request BEFORE INSERT OR UPDATE OF state ON privacy_request
  FOR EACH ROW EXECUTE FUNCTION machine_privacy_request();

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON training
  FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON training
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON reveal
  FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON reveal
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON notice_shown
  FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON notice_shown
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();
"""

GRANTS = """
GRANT SELECT, INSERT ON training TO lpg_app;
GRANT SELECT, INSERT ON reveal TO lpg_app;
GRANT SELECT, INSERT ON notice_shown TO lpg_app;
GRANT SELECT, INSERT, UPDATE ON privacy_request TO lpg_app;
GRANT SELECT, INSERT, UPDATE ON processing_stop TO lpg_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON second_factor TO lpg_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON recovery_code TO lpg_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON confirmation TO lpg_app;
GRANT DELETE ON person_document TO lpg_app;
GRANT DELETE ON person_phone TO lpg_app;
GRANT DELETE ON web_session TO lpg_app;
"""

NEW = (
    "training", "reveal", "notice_shown", "privacy_request", "processing_stop",
    "second_factor", "recovery_code", "confirmation",
)  # fmt: skip


def upgrade() -> None:
    for statements in (TABLES, FENCES, GRANTS):
        op.get_bind().exec_driver_sql(statements)


def downgrade() -> None:
    for name in NEW:
        op.drop_table(name)
    op.execute("DROP FUNCTION machine_privacy_request()")
    op.drop_column("identity_check", "evidence")
    for name in ("person_document", "person_phone"):
        op.drop_index(f"ix_{name}_person_id", name)
        op.execute(f"REVOKE DELETE ON {name} FROM lpg_app")
    op.execute("REVOKE DELETE ON web_session FROM lpg_app")
