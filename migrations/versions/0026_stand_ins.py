"""Who stands in for whom.

Before: to let somebody else drive for a day a binding was ended and two were made, and nothing said why.
During: a new table, nothing standing is touched. After: an exception has its reason and its end.
"""

from alembic import op

revision = "0026"
down_revision = "0025"

TABLES = """
CREATE TABLE substitution (
  district INTEGER NOT NULL,
  id UUID NOT NULL,
  firm_id UUID NOT NULL,
  binding_id UUID NOT NULL,
  stand_in_id UUID NOT NULL,
  resumed_id UUID,
  reason VARCHAR(32) NOT NULL,
  from_at TIMESTAMP WITH TIME ZONE NOT NULL,
  until_at TIMESTAMP WITH TIME ZONE NOT NULL,
  decided_by UUID NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_substitution PRIMARY KEY (district, id),
  CONSTRAINT fk_substitution_district_binding_id FOREIGN KEY(district, binding_id) REFERENCES binding (district, id),
  CONSTRAINT fk_substitution_district_stand_in_id FOREIGN KEY(district, stand_in_id) REFERENCES binding (district, id),
  CONSTRAINT fk_substitution_district_resumed_id FOREIGN KEY(district, resumed_id) REFERENCES binding (district, id),
  CONSTRAINT ck_substitution_span CHECK (until_at > from_at)
);

CREATE INDEX ix_substitution_until_at ON substitution (district, until_at);
"""

FENCES = """
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON substitution
  FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON substitution
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();
"""

GRANTS = """
GRANT SELECT, INSERT ON substitution TO lpg_app;
"""


def upgrade() -> None:
    for statements in (TABLES, FENCES, GRANTS):
        op.get_bind().exec_driver_sql(statements)


def downgrade() -> None:
    op.drop_table("substitution")
