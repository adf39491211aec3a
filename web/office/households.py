"""一户一档 at the desk: masked, each look kept; what is done with a card, a place, a contract.

Every form acts through the registry's own verb and comes back to the file with what stands against it.
"""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from flask import redirect, request
from flask.typing import ResponseReturnValue

from core import clock
from core.http import doing
from core.problems import NotFound, WrongField
from cylinders import office_queries
from cylinders import service as bottles
from cylinders.schemas import LossIn
from dispatch.deliveries import closing
from dispatch.deliveries.schemas import ClosingIn
from dispatch.orders.quotas import quota_of
from dispatch.safety import queries as safety
from evidence.deed import Answer
from oversight import queries as oversight
from registry import accounts, cards, household_file_queries, view_queries
from registry import households as premises
from registry import queries as registry
from registry.account_gate import AccountBusiness
from registry.schemas import CardIn, ContractIn, SurveyIn, SuspensionIn
from web.office import said
from web.office.face import drawn, face
from web.office.qr import as_image
from web.office.seen import CHOICES, seen_form
from web.pages import No, day_said, form_of, tried


@face.page("/households/<uuid:household_id>", "household.read")
def household(household_id: UUID) -> ResponseReturnValue:
    return _file_page(household_id)


@face.page("/households/<uuid:household_id>/cards/<uuid:card_id>/losses", "card.block", methods=("POST",))
def card_lost(household_id: UUID, card_id: UUID) -> ResponseReturnValue:
    return _done(household_id, card_id, lambda: cards.report_lost(doing(), card_id))


@face.page("/households/<uuid:household_id>/cards/<uuid:card_id>/blocks", "card.block", methods=("POST",))
def block(household_id: UUID, card_id: UUID) -> ResponseReturnValue:
    return _done(household_id, card_id, lambda: cards.block_card(doing(), card_id))


@face.page("/households/<uuid:household_id>/cards/<uuid:card_id>/unblocks", "card.block", methods=("POST",))
def unblock(household_id: UUID, card_id: UUID) -> ResponseReturnValue:
    return _done(household_id, card_id, lambda: cards.unblock_card(doing(), card_id))


@face.page(
    "/households/<uuid:household_id>/cards/<uuid:card_id>/replacements", "card.replace", methods=("POST",)
)
def replace(household_id: UUID, card_id: UUID) -> ResponseReturnValue:
    """A new credential; then the card to print."""
    paper = f"/office/households/{household_id}/cards/{card_id}"
    return _done(household_id, card_id, lambda: cards.replace_card(doing(), card_id), paper)


@face.page("/households/<uuid:household_id>/cards/<uuid:card_id>", "card.replace")
def card(household_id: UUID, card_id: UUID) -> ResponseReturnValue:
    """The card as it is printed and handed to its holder: whoever has its code may use it."""
    _card_of(household_id, card_id)
    view = view_queries.card_view(doing(), str(card_id))
    page, status = drawn("card", card=view, image=as_image(view["qr"]) if view["qr"] else None)
    return page, status, {"Cache-Control": "no-store"}


@face.page(
    "/households/<uuid:household_id>/cards/<uuid:card_id>/bottle-losses",
    "cylinder.report_lost",
    methods=("POST",),
)
def bottle_lost(household_id: UUID, card_id: UUID) -> ResponseReturnValue:
    asked = {"reference": request.form.get(f"reference-{card_id}", "").strip()}
    return _done(
        household_id,
        card_id,
        lambda: bottles.report_lost(doing(), card_id=card_id, **form_of(LossIn, asked)),
    )


@face.page("/households/<uuid:household_id>/surveys", "premises.register", methods=("POST",))
def survey(household_id: UUID) -> ResponseReturnValue:
    """What somebody saw there, on which day and shown by what; what is left open stays as it was."""
    asked = seen_form(request.form)
    asked |= {name: request.form.get(name, "").strip() for name in ("seen_on", "evidence")}

    def act() -> Answer:
        seen = form_of(SurveyIn, asked)
        seen_on, evidence = seen.pop("seen_on"), seen.pop("evidence")
        if not seen:
            raise WrongField("/piped_gas", "empty", "一项也没有填", "expected at least one answer")
        return premises.survey_premises(doing(), household_id, seen=seen, seen_on=seen_on, evidence=evidence)

    return _done(household_id, None, act)


@face.page("/households/<uuid:household_id>/contracts", "contract.sign", methods=("POST",))
def contract(household_id: UUID) -> ResponseReturnValue:
    names = ("number", "valid_from", "valid_until")
    asked = {name: request.form.get(name, "").strip() for name in names}
    asked |= {"account_id": str(_account_of(household_id))}
    return _done(household_id, None, lambda: accounts.sign_contract(doing(), **form_of(ContractIn, asked)))


@face.page("/households/<uuid:household_id>/suspensions", "account.suspend", methods=("POST",))
def suspend(household_id: UUID) -> ResponseReturnValue:
    account_id = _account_of(household_id)
    asked = {"reason": request.form.get("reason", "")}

    def act() -> Answer:
        return accounts.suspend_account(doing(), account_id, **form_of(SuspensionIn, asked))

    return _done(household_id, None, act)


@face.page("/households/<uuid:household_id>/resumptions", "account.suspend", methods=("POST",))
def resume(household_id: UUID) -> ResponseReturnValue:
    account_id = _account_of(household_id)
    return _done(household_id, None, lambda: accounts.resume_account(doing(), account_id))


@face.page("/households/<uuid:household_id>/closings", "account.close", methods=("POST",))
def close(household_id: UUID) -> ResponseReturnValue:
    """退户: every bottle is back, nothing is booked."""
    account_id = _account_of(household_id)
    asked = {"reason": request.form.get("why", ""), "evidence": request.form.get("shown_by", "").strip()}

    def act() -> Answer:
        return closing.close_account(doing(), account_id, **form_of(ClosingIn, asked))

    return _done(household_id, None, act)


@face.page("/households/<uuid:household_id>/cards", "card.issue", methods=("POST",))
def another_card(household_id: UUID) -> ResponseReturnValue:
    """Another card of a business; a resident household has one."""
    account_id = _account_of(household_id)
    asked = {"cylinder_model": request.form.get("cylinder_model", "")}
    return _done(household_id, None, lambda: cards.issue_card(doing(), account_id, **form_of(CardIn, asked)))


@face.page("/accounts", "account.open")
def may_open() -> ResponseReturnValue:
    """May an account be opened, or change hands, here? Asked before anybody's papers are taken."""
    kind = request.args.get("kind", "")
    asked = AccountBusiness(kind) if kind in said.ASKED_OF_ACCOUNTS else None
    today = clock.today()
    on = min(day_said(request.args.get("on")) or today, today)
    verdict = registry.account_verdict(doing(), asked, on) if asked is not None else None
    return drawn("accounts", kind=asked, on=on, verdict=verdict, audience=doing().actor.audience)


def _account_of(household_id: UUID) -> UUID:
    account = _view(household_id)["account"]
    if account is None:
        raise NotFound
    account_id: UUID = account["id"]
    return account_id


def _done(
    household_id: UUID, card_id: UUID | None, act: Callable[[], Answer], then: str | None = None
) -> ResponseReturnValue:
    """Do it and come back to the file, which says what stood against it beside the card it was about."""
    if card_id is not None:
        _card_of(household_id, card_id)
    _, no = tried(act)
    if no is None:
        return redirect(then or f"/office/households/{household_id}")
    return _file_page(household_id, no, card_id)


def _card_of(household_id: UUID, card_id: UUID) -> None:
    """404 unless the card is the household's and the household within reach."""
    if all(one.id != card_id for one in _view(household_id)["cards"]):
        raise NotFound


def _view(household_id: UUID) -> Mapping[str, Any]:
    return household_file_queries.household_view(doing(), household_id)


def _file_page(household_id: UUID, no: No | None = None, card_id: UUID | None = None) -> ResponseReturnValue:
    file = oversight.household_file(doing(), household_id)
    page, status = drawn(
        "household",
        no,
        file=file,
        standing=safety.standing(doing(), household_id),
        quota=quota_of(doing(), household_id),
        bottles=office_queries.bottles_on_cards(doing(), [one.id for one in file["cards"]]),
        tried_on=card_id,
        given=request.form,
        choices=CHOICES,
        shown_by={one["name"]: one for one in file["premises"]["seen"]},
        models=office_queries.models(doing()),
    )
    return page, status, {"Cache-Control": "no-store"}
