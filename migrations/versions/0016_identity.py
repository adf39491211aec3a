"""People: verification, erasure, retention.

Nothing yet.
"""

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
