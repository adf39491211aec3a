"""A slot keeps places for homes that are looked after first, until some hours before it begins.

Before: they came first in the order of lists, and found a slot as full as anybody. During: two new columns; slots that
stand keep nothing. After: a slot says how many of its places are kept, and until when.
"""

from alembic import op

revision = "0029d"
down_revision = "0029c"

TABLES = """
ALTER TABLE slot ADD COLUMN kept INTEGER NOT NULL DEFAULT 0;
ALTER TABLE slot ALTER COLUMN kept DROP DEFAULT;
ALTER TABLE slot ADD COLUMN kept_until TIMESTAMP WITH TIME ZONE;
ALTER TABLE slot ADD CONSTRAINT ck_slot_kept CHECK (kept >= 0 AND kept <= capacity AND (kept = 0 OR kept_until IS NOT NULL));
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(TABLES)


def downgrade() -> None:
    raise NotImplementedError("what was kept for whom explains who was refused: it is not dropped")
