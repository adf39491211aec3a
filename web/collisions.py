"""The regulator's collisions: one code on two bottles (重码), and whose it is after a look at both."""

from typing import Any
from uuid import UUID

from flask import g, redirect, render_template, request
from flask.typing import ResponseReturnValue

from core import clock
from core.auth import ScopeKind
from core.http import doing
from cylinders import identifiers, label_queries, label_schemas
from cylinders.label_models import CollisionOutcome
from web.labels import CODE_WORDS
from web.pages import Face, No, form_of, tried

face = Face("collisions", __name__, prefix="/oversight/collisions")

MOST_SHOWN = 50
OUTCOMES: dict[CollisionOutcome, tuple[str, str]] = {
    CollisionOutcome.STANDING: ("是原来登记的那只瓶的", "it is the first bottle's"),
    CollisionOutcome.CLAIMING: (
        "是后来这只瓶的，原来登记错了",
        "it is the other's; the first was misfiled",
    ),
    CollisionOutcome.NEITHER: ("两只都打着这个号，编码作废", "both are stamped with it: the code is void"),
}


@face.context_processor
def _frame() -> dict[str, Any]:
    whole = "doing" in g and doing().actor.reach.kind in (ScopeKind.ALL, ScopeKind.DISTRICT)
    return {"district_wide": whole, "now": clock.now()}


@face.page("/", "collision.read")
def waiting() -> ResponseReturnValue:
    return _page()


@face.page("/<uuid:collision_id>", "identifier.resolve", methods=("POST",))
def resolve(collision_id: UUID) -> ResponseReturnValue:
    said = {"outcome": request.form.get("outcome", "")}
    done, no = tried(
        lambda: identifiers.resolve_collision(
            doing(), collision_id=collision_id, **form_of(label_schemas.CollisionIn, said)
        )
    )
    return _page(no, collision_id) if done is None else redirect("/oversight/collisions/", 303)


def _page(no: No | None = None, tried_on: UUID | None = None) -> ResponseReturnValue:
    page = render_template(
        "regulator/collisions.html",
        no=no,
        tried_on=tried_on,
        waiting=label_queries.collisions(doing(), limit=MOST_SHOWN, cursor=None).items,
        code_words=CODE_WORDS,
        outcomes=OUTCOMES,
    )
    return page, no.status if no else 200
