"""召回: a recall opened after a look at how many bottles it means, its holders told, its bottles settled."""

import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import redirect, request
from flask.typing import ResponseReturnValue

from core.auth import ScopeKind
from core.http import doing
from core.paging import MAX_LIMIT
from core.refusal import plain
from cylinders import office_queries, recall_queries
from cylinders import recalls as acts
from cylinders.life_models import RecallOutcome
from cylinders.life_schemas import RecallIn, SettlementIn, TellingIn
from cylinders.models import Phase
from cylinders.states import TaskState
from web.office.face import drawn, face
from web.office.registering import standards
from web.pages import No, form_of, tried

CRITERIA = ("phase", "maker", "model", "standard", "made_from", "made_until")
"""What a recall may be by, each a field of the form; besides these, codes."""

OPEN = "open"
"""The second step; any other is a look."""


@face.page("/recalls", "recall.read")
def recalls() -> ResponseReturnValue:
    """Each with how far it has come; a site's office has none of its own."""
    if doing().actor.reach.kind is ScopeKind.SITE:
        return drawn("recalls", recalls=[], may_open=False)
    listed = recall_queries.recalls(doing(), limit=MAX_LIMIT).items
    return drawn("recalls", recalls=listed, may_open=doing().actor.reach.kind is not ScopeKind.STREET)


@face.page("/recalls/new", "recall.open")
def new_recall() -> ResponseReturnValue:
    return _form_page({}, None)


@face.page("/recalls/new", "recall.open", methods=("POST",))
def open_recall() -> ResponseReturnValue:
    """First how many it would hold; opened by a second step, if it still means what was seen."""
    wanted, no = tried(lambda: form_of(RecallIn, _recall_said(request.form)))
    if wanted is None:
        return _form_page(request.form, no)
    meant = recall_queries.how_many(doing(), wanted["criterion"])
    looked = _looked(meant, wanted["criterion"])
    if request.form.get("step") != OPEN or request.form.get("looked") != looked:
        return _form_page(request.form, None, meant, looked)
    done, no = tried(lambda: acts.open_recall(doing(), **wanted))
    return redirect(f"/office/recalls/{done['campaign_id']}", 303) if done else _form_page(request.form, no)


@face.page("/recalls/<uuid:campaign_id>", "recall.read")
def recall(campaign_id: UUID) -> ResponseReturnValue:
    return _recall_page(campaign_id, None)


@face.page("/recalls/<uuid:campaign_id>/late-finds", "recall.look_again", methods=("POST",))
def look_again(campaign_id: UUID) -> ResponseReturnValue:
    _, no = tried(lambda: acts.look_again(doing(), campaign_id=campaign_id))
    return _recall_page(campaign_id, no) if no else _to(campaign_id)


@face.page("/recalls/<uuid:campaign_id>/tellings", "recall.tell", methods=("POST",))
def tell(campaign_id: UUID) -> ResponseReturnValue:
    """Whoever has the bottles that were ticked."""
    ticked = request.form.getlist("cylinder_ids")
    _, no = tried(
        lambda: acts.tell(doing(), campaign_id=campaign_id, **form_of(TellingIn, {"cylinder_ids": ticked}))
    )
    return _recall_page(campaign_id, no) if no else _to(campaign_id)


@face.page("/recalls/<uuid:campaign_id>/finishings", "recall.finish", methods=("POST",))
def finish_recall(campaign_id: UUID) -> ResponseReturnValue:
    _, no = tried(lambda: acts.finish(doing(), campaign_id=campaign_id))
    return _recall_page(campaign_id, no) if no else _to(campaign_id)


@face.page("/recalls/<uuid:campaign_id>/tasks/<uuid:cylinder_id>", "recall.settle")
def settling(campaign_id: UUID, cylinder_id: UUID) -> ResponseReturnValue:
    return _task_page(campaign_id, cylinder_id, None)


@face.page("/recalls/<uuid:campaign_id>/tasks/<uuid:cylinder_id>", "recall.settle", methods=("POST",))
def settle(campaign_id: UUID, cylinder_id: UUID) -> ResponseReturnValue:
    """What became of one bottle."""
    body = {name: request.form.get(name, "").strip() for name in ("outcome", "reference")}
    _, no = tried(
        lambda: acts.settle(
            doing(), campaign_id=campaign_id, cylinder_id=cylinder_id, **form_of(SettlementIn, body)
        )
    )
    return _task_page(campaign_id, cylinder_id, no) if no else _to(campaign_id)


def _looked(meant: int, criterion: Mapping[str, Any]) -> str:
    """What somebody has seen of a recall: how many it means, and by what."""
    return json.dumps([meant, plain(criterion)], sort_keys=True, ensure_ascii=False)


def _recall_said(form: Mapping[str, str]) -> dict[str, Any]:
    """The form as the API's body: what is left open is no condition."""
    said = {name: form.get(name, "").strip() for name in CRITERIA}
    criterion: dict[str, Any] = {name: value for name, value in said.items() if value}
    codes = form.get("codes", "").split()
    return {
        "criterion": criterion | ({"codes": codes} if codes else {}),
        "reference": form.get("reference", "").strip(),
    }


def _to(campaign_id: UUID) -> ResponseReturnValue:
    return redirect(f"/office/recalls/{campaign_id}", 303)


def _form_page(
    form: Mapping[str, str], no: No | None, meant: int | None = None, looked: str = ""
) -> ResponseReturnValue:
    return drawn(
        "new_recall",
        no,
        form=form,
        meant=meant,
        looked=looked,
        models=office_queries.models(doing()),
        phases=list(Phase),
        standards=standards(),
        ids={f"/criterion/{name}": name for name in (*CRITERIA, "codes")},
    )


def _recall_page(campaign_id: UUID, no: No | None) -> ResponseReturnValue:
    state = request.args.get("state", "")
    chosen = TaskState(state) if state in {one.value for one in TaskState} else None
    return drawn(
        "recall",
        no,
        recall=recall_queries.recall(doing(), campaign_id),
        tasks=recall_queries.tasks(doing(), campaign_id, limit=MAX_LIMIT, state=chosen),
        chosen=chosen,
        states=list(TaskState),
    )


def _task_page(campaign_id: UUID, cylinder_id: UUID, no: No | None) -> ResponseReturnValue:
    return drawn(
        "recall_task",
        no,
        recall=recall_queries.recall(doing(), campaign_id),
        task=recall_queries.task(doing(), campaign_id, cylinder_id),
        form=request.form,
        outcomes=list(RecallOutcome),
    )
