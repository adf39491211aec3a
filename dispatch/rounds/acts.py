"""What the room above may have rounds do within its own deed. Nothing here opens or commits."""

import sqlalchemy as sa

from dispatch.rounds.models import Round, RoundStop
from dispatch.rounds.position_models import RoadAlarm
from dispatch.rounds.states import ROUND
from evidence.deed import Deed
from evidence.models import SubjectType


def finish(deed: Deed, round: Round) -> None:
    """The vehicle is back and empty: the round lets go of its orders. The round is locked."""
    deed.about(SubjectType.BINDING, round.binding_id)
    ROUND.move(deed.db, round, "finish")
    round.finished_at = deed.occurred_at
    deed.db.execute(
        sa.update(RoundStop)
        .where(RoundStop.district == round.district, RoundStop.round_id == round.id)
        .values(active=False)
    )
    _end_road_alarms(deed, round)


def _end_road_alarms(deed: Deed, round: Round) -> None:
    """Nothing more is awaited of the round: neither silent nor out of its zone is whoever is back."""
    deed.db.execute(
        sa.update(RoadAlarm)
        .where(
            RoadAlarm.district == round.district,
            RoadAlarm.round_id == round.id,
            RoadAlarm.over_at.is_(None),
        )
        .values(over_at=sa.func.greatest(RoadAlarm.since, round.finished_at))
    )


def let_go(deed: Deed, stop: RoundStop) -> None:
    """One order only, of a round that was never begun and whose day is over. The round is locked."""
    stop.active = False
    deed.db.flush()
    deed.note(let_go_by=stop.round_id)
