"""What a firm's office asks each morning: which bottles are held, and what was inspected of late.

Before: held bottles and the latest inspections are found only by reading every bottle. During: three indexes,
built in one transaction while nobody writes. After: both are read by an index; no row changes.
"""

from alembic import op

revision = "0015"
down_revision = "0014"

INDEXES = """
CREATE INDEX ix_cylinder_held ON cylinder (cylinder_id) WHERE state = 'held';
CREATE INDEX ix_cylinder_hold_open ON cylinder_hold (cylinder_id) WHERE until_at IS NULL;
CREATE INDEX ix_inspection_recorded_at ON inspection (recorded_at);
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(INDEXES)


def downgrade() -> None:
    for index in ("ix_inspection_recorded_at", "ix_cylinder_hold_open", "ix_cylinder_held"):
        op.execute(f"DROP INDEX {index}")
