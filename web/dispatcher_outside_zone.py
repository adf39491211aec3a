"""Orders outside their crew's fixed zone (D03): what waits for an approval, and approving it with a reason.

/dispatch/outside-zone?day=        what waits, what was approved and why
/dispatch/outside-zone/<order>     approve it, for the round that it stands on
"""

from uuid import UUID

from flask import request
from flask.typing import ResponseReturnValue

from core import clock
from core.http import doing
from dispatch.rounds import service as planning
from dispatch.rounds.models import ApprovalReason
from dispatch.rounds.outside_zone import outside_zone_on
from dispatch.rounds.schemas import ApprovalIn
from oversight import board as boards
from web import dispatcher_words
from web.dispatcher import asked_day, back, face, shown
from web.pages import No, form_of, tried


@face.page("/outside-zone", "order.approve_outside_zone")
def outside_zone() -> ResponseReturnValue:
    return _page(None, None)


@face.page("/outside-zone/<uuid:order_id>", "order.approve_outside_zone", methods=("POST",))
def approve_outside_zone(order_id: UUID) -> ResponseReturnValue:
    asked = {"reason": request.form.get("reason")}
    _, no = tried(
        lambda: planning.approve_outside_zone(doing(), order_id=order_id, **form_of(ApprovalIn, asked))
    )
    return _page(no, order_id) if no else back(f"/dispatch/outside-zone?day={asked_day()}")


def _page(no: No | None, asked_of: UUID | None) -> ResponseReturnValue:
    seen = boards.board(doing(), asked_day())
    visits = {visit.order_id: visit for visit in seen.visits}
    with doing().ground.reads() as db:
        found = outside_zone_on(db, doing().district, seen.day, boards.firm_of(doing()))
    listed = [(one, visits[one.order_id]) for one in found if one.order_id in visits]
    return shown(
        "outside_zone",
        no,
        board=seen,
        waiting=[pair for pair in listed if pair[0].approval is None],
        approved=[pair for pair in listed if pair[0].approval is not None],
        zones={row.zone.id: row.zone for row in seen.zones},
        crews={round.id: crew for crew in seen.crews for round in crew.rounds},
        addresses=boards.addresses_of(doing(), [visit.household_id for _, visit in listed]),
        reason_rows=[(one.value, " ".join(dispatcher_words.APPROVAL[one])) for one in ApprovalReason],
        asked_of=asked_of,
        is_past=seen.day < clock.today(),
    )
