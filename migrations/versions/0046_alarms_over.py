"""No alarm of the road outlives its round.

Before: an alarm open at its round's finish stayed open. Since then a finish ends it. During: those of rounds already
finished are ended as of that finish. After: no finished round has an open alarm.
"""

from alembic import op

revision = "0046"
down_revision = "0042"

ENDED = """
UPDATE road_alarm SET over_at = greatest(road_alarm.since, round.finished_at)
FROM round
WHERE round.district = road_alarm.district AND round.id = road_alarm.round_id
  AND round.state = 'finished' AND road_alarm.over_at IS NULL;
"""


def upgrade() -> None:
    op.execute(ENDED)
