"""押金 at the desk: an account's deposit line by line, and a line entered. Amounts are typed in yuan."""

import re
from typing import Any
from uuid import UUID

from flask import redirect, request
from flask.typing import ResponseReturnValue

from core.http import doing
from core.problems import NotFound, WrongField
from evidence.deed import Answer
from registry import deposits
from registry.household_file_queries import household_view
from registry.premises_models import DepositKind
from registry.premises_schemas import DepositIn
from web.book_words import DEPOSITS
from web.office.face import drawn, face
from web.pages import No, form_of, tried

_YUAN = re.compile(r"([0-9]{1,5})(?:\.([0-9]{1,2}))?")


@face.page("/households/<uuid:household_id>/deposit", "deposit.read")
def deposit(household_id: UUID) -> ResponseReturnValue:
    return _page(household_id)


@face.page("/households/<uuid:household_id>/deposit", "deposit.enter", methods=("POST",))
def enter_deposit(household_id: UUID) -> ResponseReturnValue:
    account_id = _account_of(household_id)

    def act() -> Answer:
        asked: dict[str, Any] = {name: request.form.get(name, "").strip() for name in ("kind", "receipt_no")}
        asked["amount_fen"] = fen_said(request.form.get("amount", ""))
        return deposits.enter_deposit(doing(), account_id, **form_of(DepositIn, asked))

    _, no = tried(act)
    return _page(household_id, no) if no else redirect(f"/office/households/{household_id}/deposit")


def fen_said(text: str) -> int:
    """Yuan with up to two decimals, as on a receipt."""
    read = _YUAN.fullmatch(text.strip())
    if read is None:
        raise WrongField("/amount", "yuan", "应为元，最多两位小数", "expected yuan with at most two decimals")
    return 100 * int(read[1]) + int((read[2] or "").ljust(2, "0"))


def _account_of(household_id: UUID) -> UUID:
    account = household_view(doing(), household_id)["account"]
    if account is None:
        raise NotFound
    account_id: UUID = account["id"]
    return account_id


def _page(household_id: UUID, no: No | None = None) -> ResponseReturnValue:
    view = deposits.deposit_view(doing(), _account_of(household_id))
    page, status = drawn(
        "deposit",
        no,
        household_id=household_id,
        deposit=view,
        kinds=[(kind.value, DEPOSITS[kind.value]) for kind in DepositKind],
        form=request.form,
    )
    return page, status, {"Cache-Control": "no-store"}
