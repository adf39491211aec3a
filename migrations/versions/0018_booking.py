"""Booking on every channel, reviews and notices.

Nothing yet.
"""

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
