"""A dispatcher puts a stop to another place; a change says for which state of the day it was worked out.

Before: rounds under way were changed for an urgent order and for a lost crew. During: columns that are added
to the kept changes; what was proposed before counts as worked out for a day that was never changed, so that it
is refused rather than done. After: a moved stop's place stands in its change.
"""

from alembic import op

revision = "0032"
down_revision = "0027"

TABLES = """
ALTER TABLE round_change ADD COLUMN version INTEGER NOT NULL DEFAULT 0;
ALTER TABLE round_change ALTER COLUMN version DROP DEFAULT;
ALTER TABLE round_change ADD COLUMN before_order_id UUID;
ALTER TABLE round_change ADD COLUMN to_binding_id UUID;
ALTER TABLE round_change ADD COLUMN to_trip INTEGER;
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(TABLES)


def downgrade() -> None:
    raise NotImplementedError("where a stop was put is kept with what was done: it is not dropped")
