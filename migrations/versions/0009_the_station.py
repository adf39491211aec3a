"""What a station's terminal shows of its own day: the last questions, the fillings, and the refusals.

Before: these stand in the log of asks, among the fillings and in the evidence, found only by reading them
all. During: three indexes, built in one transaction while nobody writes. After: a site's day is read by
the site and its time; no row changes.
"""

from alembic import op

revision = "0009"
down_revision = "0008"

INDEXES = """
CREATE INDEX ix_verdict_ask_site_id ON verdict_ask (site_id, asked_at) WHERE site_id IS NOT NULL;
CREATE INDEX ix_filling_site_id ON filling (site_id, filled_at);
CREATE INDEX ix_evidence_entry_site_id ON evidence_entry (site_id, recorded_at) WHERE site_id IS NOT NULL;
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(INDEXES)


def downgrade() -> None:
    for index in ("ix_evidence_entry_site_id", "ix_filling_site_id", "ix_verdict_ask_site_id"):
        op.execute(f"DROP INDEX {index}")
