"""Who lets a home to its registrant is on file: a registered person, by which lease, from a day to a day.

Before: how a place is let, the code of the let house and its cap were on file (0017), who lets it was not. During: a
new table. After: a clerk enters it; one stands for a home at a time, and a landlord is known until their term is over.
"""

from alembic import op

revision = "0040"
down_revision = "0035"

TABLES = """
CREATE TABLE letting (
  district INTEGER NOT NULL,
  id UUID NOT NULL,
  household_id UUID NOT NULL,
  landlord_id UUID NOT NULL,
  reference TEXT NOT NULL,
  from_on DATE NOT NULL,
  until_on DATE NOT NULL,
  recorded_by UUID NOT NULL,
  recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
  ended_at TIMESTAMP WITH TIME ZONE,
  ended_by UUID,
  CONSTRAINT pk_letting PRIMARY KEY (district, id),
  CONSTRAINT fk_letting_district_household_id FOREIGN KEY(district, household_id) REFERENCES household (district, id),
  CONSTRAINT ck_letting_span CHECK (until_on >= from_on)
);

CREATE INDEX ix_letting_household_id ON letting (district, household_id);
CREATE INDEX ix_letting_landlord_id ON letting (landlord_id);
CREATE UNIQUE INDEX uq_letting_living ON letting (district, household_id) WHERE ended_at IS NULL;
"""

GRANTS = """
GRANT SELECT, INSERT, UPDATE ON letting TO lpg_app;
"""


def upgrade() -> None:
    for statements in (TABLES, GRANTS):
        op.get_bind().exec_driver_sql(statements)


def downgrade() -> None:
    raise NotImplementedError("who let a home explains what was served to whom: it is not dropped")
