"""What the outbox holds is handed out under a lease, outside of any transaction.

Before: a delivery was locked while its message was sent. During: two columns, empty for every row that stands.
After: who hands out says so until when; a lease that ran out is anybody's, and what is done or dead has none.
"""

from alembic import op

revision = "0044"
down_revision = "0040"

COLUMNS = """
ALTER TABLE outbox_delivery ADD COLUMN leased_to UUID;
ALTER TABLE outbox_delivery ADD COLUMN leased_until TIMESTAMP WITH TIME ZONE;
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(COLUMNS)


def downgrade() -> None:
    raise NotImplementedError("what is being handed out would be handed out twice")
