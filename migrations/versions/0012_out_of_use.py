"""How a bottle leaves its service: extension, seizure, recall, notices.

Nothing yet.
"""

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
