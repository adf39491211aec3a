"""The filling as an interlocked act: scales, gas batches, stops by the authority, authorisations.

Before: a filling was one row with its weights and checks, over a scale known by a word only. During: new tables;
two columns are added to ``filling``, whose standing rows get no flag and no authorisation. No row is rewritten.
After: nothing is filled where no scale and no gas batch is on file, so a station's are entered before its next
filling. Of a bottle at most one authorisation is open at any instant: the exclusion constraint holds it.
"""

from alembic import op

revision = "0013"
down_revision = "0012"

TABLES = """
CREATE TABLE filling_scale (
  id UUID NOT NULL,
  site_id UUID NOT NULL,
  number TEXT NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_filling_scale PRIMARY KEY (id),
  CONSTRAINT fk_filling_scale_site_id FOREIGN KEY(site_id) REFERENCES site (id),
  CONSTRAINT uq_filling_scale_site_id_number UNIQUE (site_id, number)
);

CREATE TABLE scale_verification (
  scale_id UUID NOT NULL,
  certificate_no TEXT NOT NULL,
  verified_on DATE NOT NULL,
  verified_until DATE NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_scale_verification PRIMARY KEY (scale_id, certificate_no),
  CONSTRAINT fk_scale_verification_scale_id FOREIGN KEY(scale_id) REFERENCES filling_scale (id),
  CONSTRAINT ck_scale_verification_span CHECK (verified_until >= verified_on)
);

CREATE TABLE gas_batch (
  id UUID NOT NULL,
  site_id UUID NOT NULL,
  number TEXT NOT NULL,
  product VARCHAR(32) NOT NULL,
  supplier TEXT NOT NULL,
  certificate_no TEXT,
  delivered_on DATE NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_gas_batch PRIMARY KEY (id),
  CONSTRAINT fk_gas_batch_site_id FOREIGN KEY(site_id) REFERENCES site (id),
  CONSTRAINT uq_gas_batch_site_id_number UNIQUE (site_id, number)
);

CREATE TABLE gas_test (
  batch_id UUID NOT NULL,
  report_no TEXT NOT NULL,
  tested_on DATE NOT NULL,
  odorant_present BOOLEAN NOT NULL,
  dme_found BOOLEAN NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_gas_test PRIMARY KEY (batch_id, report_no),
  CONSTRAINT fk_gas_test_batch_id FOREIGN KEY(batch_id) REFERENCES gas_batch (id)
);

CREATE TABLE gas_batch_use (
  id UUID NOT NULL,
  site_id UUID NOT NULL,
  batch_id UUID NOT NULL,
  from_at TIMESTAMP WITH TIME ZONE NOT NULL,
  until_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT pk_gas_batch_use PRIMARY KEY (id),
  CONSTRAINT fk_gas_batch_use_batch_id FOREIGN KEY(batch_id) REFERENCES gas_batch (id),
  CONSTRAINT ex_gas_batch_use_site EXCLUDE USING gist (site_id WITH =, tstzrange(from_at, until_at) WITH &&),
  CONSTRAINT ck_gas_batch_use_span CHECK (until_at IS NULL OR until_at >= from_at)
);

CREATE TABLE filling_stop (
  id UUID NOT NULL,
  site_id UUID NOT NULL,
  scale_id UUID,
  reason VARCHAR(32) NOT NULL,
  reference TEXT NOT NULL,
  from_at TIMESTAMP WITH TIME ZONE NOT NULL,
  until_at TIMESTAMP WITH TIME ZONE,
  stopped_by UUID NOT NULL,
  released_by UUID,
  CONSTRAINT pk_filling_stop PRIMARY KEY (id),
  CONSTRAINT fk_filling_stop_site_id FOREIGN KEY(site_id) REFERENCES site (id),
  CONSTRAINT fk_filling_stop_scale_id FOREIGN KEY(scale_id) REFERENCES filling_scale (id),
  CONSTRAINT ck_filling_stop_span CHECK (until_at IS NULL OR until_at >= from_at),
  CONSTRAINT ex_filling_stop EXCLUDE USING gist (site_id WITH =, COALESCE(scale_id, site_id) WITH =, tstzrange(from_at, until_at) WITH &&)
);

CREATE TABLE filling_authorisation (
  cylinder_id UUID NOT NULL,
  id UUID NOT NULL,
  state VARCHAR(32) NOT NULL,
  district INTEGER NOT NULL,
  site_id UUID NOT NULL,
  scale_id UUID NOT NULL,
  batch_id UUID NOT NULL,
  filler_id UUID NOT NULL,
  target_g INTEGER NOT NULL,
  decision_id UUID NOT NULL,
  authorised_at TIMESTAMP WITH TIME ZONE NOT NULL,
  expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
  closed_at TIMESTAMP WITH TIME ZONE,
  abort_reason TEXT,
  CONSTRAINT pk_filling_authorisation PRIMARY KEY (cylinder_id, id),
  CONSTRAINT fk_filling_authorisation_cylinder_id FOREIGN KEY(cylinder_id) REFERENCES cylinder (cylinder_id),
  CONSTRAINT ex_filling_authorisation_open EXCLUDE USING gist (cylinder_id WITH =, tstzrange(authorised_at, COALESCE(closed_at, expires_at)) WITH &&),
  CONSTRAINT ck_filling_authorisation_span CHECK (expires_at > authorised_at AND (closed_at IS NULL OR closed_at BETWEEN authorised_at AND expires_at))
);
CREATE INDEX ix_filling_authorisation_id ON filling_authorisation (id);
CREATE INDEX ix_filling_authorisation_site_id ON filling_authorisation (site_id, authorised_at);

CREATE TABLE filling_check (
  cylinder_id UUID NOT NULL,
  authorisation_id UUID NOT NULL,
  phase VARCHAR(32) NOT NULL,
  items JSONB NOT NULL,
  tare_weighed_g INTEGER,
  residue_g INTEGER,
  seal_no TEXT,
  reasons JSONB NOT NULL,
  decision_id UUID NOT NULL,
  checked_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_filling_check PRIMARY KEY (cylinder_id, authorisation_id, phase),
  CONSTRAINT fk_filling_check_cylinder_id_authorisation_id FOREIGN KEY(cylinder_id, authorisation_id) REFERENCES filling_authorisation (cylinder_id, id)
);

CREATE TABLE filling_weighing (
  cylinder_id UUID NOT NULL,
  id UUID NOT NULL,
  authorisation_id UUID NOT NULL,
  gross_g INTEGER NOT NULL,
  content_g INTEGER NOT NULL,
  outcome VARCHAR(32) NOT NULL,
  reasons JSONB NOT NULL,
  decision_id UUID NOT NULL,
  weighed_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_filling_weighing PRIMARY KEY (cylinder_id, id),
  CONSTRAINT fk_filling_weighing_cylinder_id_authorisation_id FOREIGN KEY(cylinder_id, authorisation_id) REFERENCES filling_authorisation (cylinder_id, id)
);
CREATE INDEX ix_filling_weighing_authorisation ON filling_weighing (cylinder_id, authorisation_id);

CREATE TABLE residue (
  cylinder_id UUID NOT NULL,
  id UUID NOT NULL,
  site_id UUID NOT NULL,
  occasion VARCHAR(32) NOT NULL,
  residue_g INTEGER NOT NULL,
  extracted_g INTEGER NOT NULL,
  entry_id UUID NOT NULL,
  measured_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_residue PRIMARY KEY (cylinder_id, id),
  CONSTRAINT fk_residue_cylinder_id FOREIGN KEY(cylinder_id) REFERENCES cylinder (cylinder_id),
  CONSTRAINT ck_residue_amounts CHECK (residue_g >= 0 AND extracted_g >= 0 AND extracted_g <= residue_g)
);

ALTER TABLE filling ADD COLUMN authorisation_id UUID;
ALTER TABLE filling ADD COLUMN flags JSONB NOT NULL DEFAULT '[]';
ALTER TABLE filling ALTER COLUMN flags DROP DEFAULT;
ALTER TABLE filling ADD CONSTRAINT uq_filling_cylinder_id_authorisation_id UNIQUE (cylinder_id, authorisation_id);
"""

FENCES = """
CREATE FUNCTION machine_filling_authorisation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW.state <> 'authorised' THEN
      RAISE EXCEPTION 'filling: a new row must be authorised, not %', NEW.state
        USING ERRCODE = 'check_violation', CONSTRAINT = 'machine_filling_authorisation', TABLE = 'filling_authorisation';
    END IF;
  ELSIF NEW.state <> OLD.state AND (OLD.state, NEW.state) NOT IN (('authorised', 'aborted'), ('authorised', 'filling'), ('authorised', 'refused'), ('filling', 'aborted'), ('filling', 'filled'), ('filling', 'refused')) THEN
    RAISE EXCEPTION 'filling: no move from % to %', OLD.state, NEW.state
      USING ERRCODE = 'check_violation', CONSTRAINT = 'machine_filling_authorisation', TABLE = 'filling_authorisation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER machine_filling_authorisation BEFORE INSERT OR UPDATE OF state ON filling_authorisation
  FOR EACH ROW EXECUTE FUNCTION machine_filling_authorisation();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON scale_verification
  FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON scale_verification
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON gas_test
  FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON gas_test
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON filling_check
  FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON filling_check
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON filling_weighing
  FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON filling_weighing
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON residue
  FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON residue
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();
"""

GRANTS = """
GRANT SELECT, INSERT, UPDATE ON filling_scale TO lpg_app;
GRANT SELECT, INSERT ON scale_verification TO lpg_app;
GRANT SELECT, INSERT, UPDATE ON gas_batch TO lpg_app;
GRANT SELECT, INSERT ON gas_test TO lpg_app;
GRANT SELECT, INSERT, UPDATE ON gas_batch_use TO lpg_app;
GRANT SELECT, INSERT, UPDATE ON filling_stop TO lpg_app;
GRANT SELECT, INSERT, UPDATE ON filling_authorisation TO lpg_app;
GRANT SELECT, INSERT ON filling_check TO lpg_app;
GRANT SELECT, INSERT ON filling_weighing TO lpg_app;
GRANT SELECT, INSERT ON residue TO lpg_app;
"""

TABLES_DOWN = """
ALTER TABLE filling DROP CONSTRAINT uq_filling_cylinder_id_authorisation_id;
ALTER TABLE filling DROP COLUMN flags;
ALTER TABLE filling DROP COLUMN authorisation_id;
DROP TABLE residue, filling_weighing, filling_check, filling_authorisation, filling_stop, gas_batch_use, gas_test, gas_batch, scale_verification, filling_scale;
DROP FUNCTION machine_filling_authorisation();
"""


def upgrade() -> None:
    for statements in (TABLES, FENCES, GRANTS):
        op.get_bind().exec_driver_sql(statements.replace("%", "%%"))


def downgrade() -> None:
    op.get_bind().exec_driver_sql(TABLES_DOWN)
