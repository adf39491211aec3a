"""Registers that come in by the hundred thousand: staging and its steps.

Nothing yet.
"""

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
