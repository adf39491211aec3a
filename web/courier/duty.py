"""Where the courier is while they drive, told by the page in their hand: duty.js watches, this takes it.

On the page stands the device of the round that is being driven, and no other; who may speak for a device, and
what of it is kept, ``positions`` says. Nothing is watched before a round is begun or after it is finished.
"""

from uuid import UUID

import sqlalchemy as sa
from flask import g, jsonify, request
from flask.typing import ResponseReturnValue

from core.auth import ScopeKind
from core.doing import Doing
from core.http import doing, loaded
from dispatch.rounds import positions
from dispatch.rounds.models import Round
from dispatch.rounds.position_schemas import PositionsIn
from dispatch.rounds.states import RoundState
from registry.models import Binding
from web.courier.face import face


@face.page("/devices/<uuid:device_id>/positions", "position.report", methods=("POST",))
def report_positions(device_id: UUID) -> ResponseReturnValue:
    """A batch, as the API takes it."""
    said = request.get_json(silent=True)
    body = loaded(PositionsIn, said if isinstance(said, dict) else {})
    return jsonify(positions.report(doing(), device_id=device_id, **body))


@face.context_processor
def _on_duty() -> dict[str, UUID | None]:
    """Also for the page of a fault, which may come before it is known who acts."""
    here = g.get("doing")
    return {"duty_device": _device_on_duty(here) if here is not None else None}


def _device_on_duty(here: Doing) -> UUID | None:
    """The device of the round that this courier drives now; None while they drive none."""
    if here.actor.reach.kind is not ScopeKind.COURIER:
        return None
    of_the_round = sa.and_(Round.binding_district == Binding.district, Round.binding_id == Binding.id)
    driven = (
        sa.select(Binding.device_id)
        .join(Round, of_the_round)
        .where(
            Round.district == here.district,
            Round.courier_id == here.actor.scope_id(ScopeKind.COURIER),
            Round.state == RoundState.STARTED,
        )
    )
    with here.ground.reads() as db:
        return db.scalar(driven)
