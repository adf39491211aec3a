"""A hazard may be known by the register of equipment, without a check.

Before: a hose past its day was a hazard only once somebody looked. During: a hazard's check may be missing, and a new
column names the piece; every hazard that stands has its check. After: exactly one of the two says where it was found.
"""

from alembic import op

revision = "0029b"
down_revision = "0029"

TABLES = """
ALTER TABLE hazard ALTER COLUMN check_id DROP NOT NULL;
ALTER TABLE hazard ADD COLUMN equipment_id UUID;
ALTER TABLE hazard ADD CONSTRAINT ck_hazard_one_source CHECK ((check_id IS NULL) = (equipment_id IS NOT NULL));
ALTER TABLE hazard ADD CONSTRAINT fk_hazard_district_equipment_id FOREIGN KEY(district, equipment_id) REFERENCES equipment (district, id);
CREATE INDEX ix_hazard_equipment_id ON hazard (district, equipment_id);
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(TABLES)


def downgrade() -> None:
    raise NotImplementedError("hazards that no check found stand on it: it is not dropped")
