"""Decisions know their street.

Before: a decision named its district and place of law; which street its home stands in was in no row of it.
During: a new column that nobody has filled, which takes no time. After: what is decided from now on is told
street by street; what was decided before has none.
"""

from alembic import op

revision = "0021"
down_revision = "0020"

TABLES = """
ALTER TABLE decision ADD COLUMN street TEXT;
"""


def upgrade() -> None:
    for statements in (TABLES,):
        op.get_bind().exec_driver_sql(statements.replace("%", "%%"))


def downgrade() -> None:
    raise NotImplementedError("what was decided is evidence: where its home stands is not dropped")
