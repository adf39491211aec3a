"""Who is away, and the roster a firm's day goes by.

Before: whoever was bound to a zone was planned with, all day long. During: two new tables, and a column of
``round_plan`` that is null in every standing row; a table is locked only as long as that takes. After: a plan
says by which roster it was made; where none was confirmed it is made as before, and says so.
"""

from alembic import op

revision = "0030"
down_revision = "0034"

TABLES = """
CREATE TABLE absence (
  district INTEGER NOT NULL,
  id UUID NOT NULL,
  firm_id UUID NOT NULL,
  staff_id UUID,
  vehicle_id UUID,
  reason VARCHAR(32) NOT NULL,
  from_on DATE NOT NULL,
  until_on DATE NOT NULL,
  entered_by UUID NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  withdrawn_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT pk_absence PRIMARY KEY (district, id),
  CONSTRAINT fk_absence_district_staff_id FOREIGN KEY(district, staff_id) REFERENCES staff (district, id),
  CONSTRAINT fk_absence_district_vehicle_id FOREIGN KEY(district, vehicle_id) REFERENCES vehicle (district, id),
  CONSTRAINT ck_absence_span CHECK (until_on >= from_on),
  CONSTRAINT ck_absence_one_of_both CHECK ((staff_id IS NULL) <> (vehicle_id IS NULL))
);
CREATE INDEX ix_absence_until_on ON absence (district, firm_id, until_on);

CREATE TABLE roster (
  district INTEGER NOT NULL,
  id UUID NOT NULL,
  firm_id UUID NOT NULL,
  day DATE NOT NULL,
  state VARCHAR(32) NOT NULL,
  shifts JSONB NOT NULL,
  needs JSONB NOT NULL,
  lines JSONB NOT NULL,
  apart JSONB NOT NULL,
  moved_m INTEGER NOT NULL,
  optimal BOOLEAN NOT NULL,
  seed INTEGER NOT NULL,
  proposed_by UUID NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  confirmed_by UUID,
  confirmed_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT pk_roster PRIMARY KEY (district, id)
);
CREATE INDEX ix_roster_day ON roster (district, firm_id, day);
CREATE UNIQUE INDEX uq_roster_confirmed ON roster (district, firm_id, day) WHERE state = 'confirmed';

ALTER TABLE round_plan ADD COLUMN roster_id UUID;
"""

FENCES = """
CREATE FUNCTION machine_roster() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW.state <> 'proposed' THEN
      RAISE EXCEPTION 'roster: a new row must be proposed, not %', NEW.state
        USING ERRCODE = 'check_violation', CONSTRAINT = 'machine_roster', TABLE = 'roster';
    END IF;
  ELSIF NEW.state <> OLD.state AND (OLD.state, NEW.state) NOT IN (('confirmed', 'replaced'), ('proposed', 'confirmed')) THEN
    RAISE EXCEPTION 'roster: no move from % to %', OLD.state, NEW.state
      USING ERRCODE = 'check_violation', CONSTRAINT = 'machine_roster', TABLE = 'roster';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER machine_roster BEFORE INSERT OR UPDATE OF state ON roster
  FOR EACH ROW EXECUTE FUNCTION machine_roster();
"""

GRANTS = """
GRANT SELECT, INSERT, UPDATE ON absence, roster TO lpg_app;
"""


def upgrade() -> None:
    for statements in (TABLES, FENCES, GRANTS):
        op.get_bind().exec_driver_sql(statements.replace("%", "%%"))


def downgrade() -> None:
    raise NotImplementedError("who worked where is kept: it is not dropped")
