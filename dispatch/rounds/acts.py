"""What the room above may have rounds do within its own deed. Nothing here opens or commits."""

import sqlalchemy as sa

from dispatch.rounds.models import Round, RoundStop
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


def let_go(deed: Deed, stop: RoundStop) -> None:
    """One order only, of a round that was never begun and whose day is over. The round is locked."""
    stop.active = False
    deed.db.flush()
    deed.note(let_go_by=stop.round_id)
