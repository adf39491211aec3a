"""A day under way may be planned anew after one event, in two steps.

Before: a plan that was applied stood until its rounds were finished, whatever happened. During: a new table.
After: what is proposed and applied is kept in full, with the routes that stood before it.
"""

from alembic import op

revision = "0027"
down_revision = "0026"

TABLES = """
CREATE TABLE round_change (
  district INTEGER NOT NULL,
  id UUID NOT NULL,
  firm_id UUID NOT NULL,
  zone_id UUID NOT NULL,
  day DATE NOT NULL,
  kind VARCHAR(32) NOT NULL,
  order_id UUID,
  binding_id UUID,
  state VARCHAR(32) NOT NULL,
  problem JSONB NOT NULL,
  standing JSONB NOT NULL,
  firsts JSONB NOT NULL,
  plan JSONB NOT NULL,
  churn JSONB NOT NULL,
  stranded JSONB NOT NULL,
  unserved JSONB NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_round_change PRIMARY KEY (district, id),
  CONSTRAINT ck_round_change_one_event CHECK ((order_id IS NULL) <> (binding_id IS NULL))
);
CREATE INDEX ix_round_change_zone_id ON round_change (district, zone_id, day, state);
"""

FENCES = """
CREATE FUNCTION machine_round_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW.state <> 'proposed' THEN
      RAISE EXCEPTION 'change of rounds: a new row must be proposed, not %', NEW.state
        USING ERRCODE = 'check_violation', CONSTRAINT = 'machine_round_change', TABLE = 'round_change';
    END IF;
  ELSIF NEW.state <> OLD.state AND (OLD.state, NEW.state) NOT IN (('proposed', 'applied')) THEN
    RAISE EXCEPTION 'change of rounds: no move from % to %', OLD.state, NEW.state
      USING ERRCODE = 'check_violation', CONSTRAINT = 'machine_round_change', TABLE = 'round_change';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER machine_round_change BEFORE INSERT OR UPDATE OF state ON round_change
  FOR EACH ROW EXECUTE FUNCTION machine_round_change();
"""

GRANTS = """
GRANT SELECT, INSERT, UPDATE ON round_change TO lpg_app;
"""


def upgrade() -> None:
    for statements in (TABLES, FENCES, GRANTS):
        op.get_bind().exec_driver_sql(statements.replace("%", "%%"))


def downgrade() -> None:
    raise NotImplementedError("how rounds were changed is kept with what they did: it is not dropped")
