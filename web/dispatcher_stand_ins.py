"""The dispatcher's substitutions (替班): an exception with its reason and its end, and the rounds it strands.

/dispatch/crews/<binding>/substitute   who or what stands in, why, until when
/dispatch/substitutions/<id>           what came of it: rounds that have lost their crew, to be handed on
"""

from datetime import date, datetime, time
from typing import Any
from uuid import UUID

from flask import request
from flask.typing import ResponseReturnValue

from core import clock
from core.http import doing
from core.problems import NotFound
from dispatch.rounds import stand_ins
from oversight import board as boards
from registry import crew_queries
from registry.models import Binding
from registry.substitutions import substitution_view
from registry.zone_models import SubstitutionReason
from registry.zone_schemas import SubstitutionIn
from web import dispatcher_words
from web.dispatcher import back, face, shown
from web.pages import No, form_of, tried

ENDS_AT = time(20)
"""Offered where nothing was typed yet."""
WHO = ("courier_id", "vehicle_id", "device_id")


@face.page("/crews/<uuid:binding_id>/substitute", "binding.bind")
def ask_substitute(binding_id: UUID) -> ResponseReturnValue:
    return _asked(binding_id, None)


@face.page("/crews/<uuid:binding_id>/substitute", "binding.bind", methods=("POST",))
def substitute(binding_id: UUID) -> ResponseReturnValue:
    form = request.form
    asked: dict[str, Any] = {name: form.get(name) or None for name in WHO} | {"reason": form.get("reason")}
    asked["until_at"] = _instant(form.get("until_on"), form.get("until"))
    if form.get("from"):
        asked["from_at"] = _instant(form.get("from_on"), form.get("from"))
    done, no = tried(lambda: stand_ins.substitute(doing(), binding_id, **form_of(SubstitutionIn, asked)))
    return (
        _asked(binding_id, no) if done is None else back(f"/dispatch/substitutions/{done['substitution_id']}")
    )


def _instant(day: str | None, at: str | None) -> str:
    """As the API writes instants; what is none is left for the schema to refuse."""
    try:
        return clock.stamp(clock.at(date.fromisoformat(day or ""), time.fromisoformat(at or "")))
    except ValueError:
        return f"{day or ''} {at or ''}".strip()


def _asked(binding_id: UUID, no: No | None) -> ResponseReturnValue:
    with doing().ground.reads() as db:
        binding = db.get(Binding, (doing().district, binding_id))
        if binding is None:
            raise NotFound
        doing().actor.must_reach(firm=binding.firm_id, district=binding.district)
        bound = crew_queries.binding_with_people(db, binding.district, binding.id)
        choices = crew_queries.crew_choices(db, binding.district, binding.firm_id)
        names = boards.names_of(db, doing(), choices.couriers)
    return shown(
        "substitute",
        no,
        bound=bound,
        name=names[bound.courier.id],
        is_over=_is_over(binding, clock.now()),
        courier_rows=[
            (one.id, f"{names[one.id] or '—'} {one.certificate_no}")
            for one in choices.couriers
            if one.id != bound.courier.id
        ],
        vehicle_rows=[(one.id, one.plate) for one in choices.vehicles if one.id != bound.vehicle.id],
        device_rows=[(one.id, one.label) for one in choices.devices if one.id != bound.device.id],
        reason_rows=[(one.value, " ".join(dispatcher_words.STAND_IN[one])) for one in SubstitutionReason],
        today=clock.today(),
        ends_at=f"{ENDS_AT:%H:%M}",
        given=request.form,
    )


def _is_over(binding: Binding, now: datetime) -> bool:
    return binding.span.isempty or (binding.span.upper is not None and binding.span.upper <= now)


@face.page("/substitutions/<uuid:substitution_id>", "board.read")
def look_at_substitution(substitution_id: UUID) -> ResponseReturnValue:
    row = substitution_view(doing(), substitution_id)
    with doing().ground.reads() as db:
        before, instead = (
            crew_queries.binding_with_people(db, row.district, one)
            for one in (row.binding_id, row.stand_in_id)
        )
        names = boards.names_of(db, doing(), [before.courier, instead.courier])
        stranded = stand_ins.stranded_by(db, row)
    return shown(
        "substitution",
        row=row,
        before=before,
        instead=instead,
        names=names,
        stranded=stranded,
        today=clock.today(),
    )
