"""Who was told of a bottle that falls due, by holding; what a firm was told; under which key leave was given.

Before: a household was told once a bottle, whoever had it; firms were told nothing; leave to fill was proved
under the current signing key only. During: ``due_notice`` is keyed by the fact since which its holder has the
bottle; rows of the past are given the present holder's fact where the notice came after it, and the notice's
own bottle where it did not, which is nobody's holding: they stay, and stop nobody from being told. Triggers on
that table are off while they are filled, in one transaction. Leave that stands open is taken to be given under
key 1: where the signing key was changed before, the few minutes' leave of that moment is asked for again.
After: each holding is told of once; a changed key ends no leave.
"""

from alembic import op

revision = "0020"
down_revision = "0017"

TABLES = """
ALTER TABLE due_notice DISABLE TRIGGER append_only;
ALTER TABLE due_notice ADD COLUMN holding_id UUID;
UPDATE due_notice SET holding_id = cylinder_id;
UPDATE due_notice SET holding_id = COALESCE(held.since_fact_id, held.last_fact_id)
  FROM cylinder_state AS held
  WHERE held.cylinder_id = due_notice.cylinder_id AND held.card_id IS NOT NULL
    AND due_notice.noticed_at >= COALESCE(held.since_at, held.effective_at);
ALTER TABLE due_notice ALTER COLUMN holding_id SET NOT NULL;
ALTER TABLE due_notice DROP CONSTRAINT pk_due_notice;
ALTER TABLE due_notice ADD CONSTRAINT pk_due_notice PRIMARY KEY (cylinder_id, kind, due_on, holding_id);
ALTER TABLE due_notice ENABLE TRIGGER append_only;

CREATE TABLE firm_due_notice (
  district INTEGER NOT NULL,
  firm_id UUID NOT NULL,
  until_on DATE NOT NULL,
  inspections INTEGER NOT NULL,
  lives INTEGER NOT NULL,
  noticed_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_firm_due_notice PRIMARY KEY (district, firm_id, until_on)
);

ALTER TABLE filling_authorisation ADD COLUMN key_version INTEGER NOT NULL DEFAULT 1;
ALTER TABLE filling_authorisation ALTER COLUMN key_version DROP DEFAULT;
"""

FENCES = """
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON firm_due_notice
  FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON firm_due_notice
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();
"""

GRANTS = """
GRANT SELECT, INSERT ON firm_due_notice TO lpg_app;
"""


def upgrade() -> None:
    for statements in (TABLES, FENCES, GRANTS):
        op.get_bind().exec_driver_sql(statements.replace("%", "%%"))


def downgrade() -> None:
    raise NotImplementedError("who was told of what is evidence: it is not dropped")
