"""What else can come of a visit: nobody home, no check allowed, a hazard found. No dead end."""

from typing import Any
from uuid import UUID

from flask import redirect
from flask.typing import ResponseReturnValue

from dispatch.deliveries import service
from dispatch.deliveries.models import FailureReason
from dispatch.deliveries.schemas import FailureIn
from dispatch.orders.states import OPEN_STATES, LineState
from web.courier import draft as drafts
from web.courier.door import LINE, address, deliver, found_in, has_signed, seen, step_of
from web.courier.draft import Draft
from web.courier.face import drawn, face, typed
from web.pages import No, doing_part, form_of, tried

REASONS = tuple(reason for reason in FailureReason if reason is not FailureReason.NOBODY_HOME)


# --- nobody supplied --------------------------------------------------------------------------------------


@face.page("/orders/<uuid:order_id>/undone", "order.fail")
def undone(order_id: UUID) -> ResponseReturnValue:
    """Why this visit cannot go on: three ways, and other reasons below."""
    return _undone(order_id)


@face.page("/orders/<uuid:order_id>/undone", "order.fail", methods=("POST",))
def fail(order_id: UUID) -> ResponseReturnValue:
    """Nobody is supplied here today: every open line of the order, for one reason."""
    lines = [one.line for one in seen(order_id)["door"].lines if one.line.state in OPEN_STATES]

    def act() -> None:
        for line in lines:
            form = form_of(FailureIn, {"line_id": str(line.id), "reason": typed("reason", 40)})
            service.fail(doing_part(str(line.id)), order_id=order_id, **form)

    _, no = tried(act)
    if no is not None:
        return _undone(order_id, no)
    for line in lines:
        drafts.drop(line.id)
    return redirect(f"/courier/orders/{order_id}?done=failed")


def _undone(order_id: UUID, no: No | None = None) -> ResponseReturnValue:
    shown = seen(order_id)
    open_lines = [one for one in shown["door"].lines if one.line.state in OPEN_STATES]
    if not open_lines:
        return redirect(f"/courier/orders/{order_id}")
    ready = next((one for one in open_lines if one.line.state is LineState.LOADED), None)
    return drawn("undone", no, **shown, ready=ready, reasons=REASONS)


# --- gas withheld -----------------------------------------------------------------------------------------


@face.page(f"{LINE}/withheld", "order.deliver")
def withheld(order_id: UUID, line_id: UUID) -> ResponseReturnValue:
    """The check found what stops supply: what it is, and that the bottle goes back."""
    return _withheld(order_id, line_id, refused=False)


@face.page(f"{LINE}/withheld", "order.deliver", methods=("POST",))
def withhold(order_id: UUID, line_id: UUID) -> ResponseReturnValue:
    """The check is recorded with its hazards, nothing changes hands."""
    return _recorded(order_id, line_id, refused=False)


@face.page(f"{LINE}/no-check", "order.deliver")
def no_check(order_id: UUID, line_id: UUID) -> ResponseReturnValue:
    """The household does not let the courier check: then there is no gas."""
    return _withheld(order_id, line_id, refused=True)


@face.page(f"{LINE}/no-check", "order.deliver", methods=("POST",))
def refuse_check(order_id: UUID, line_id: UUID) -> ResponseReturnValue:
    """That the check was refused is on record, nothing changes hands."""
    return _recorded(order_id, line_id, refused=True)


def _recorded(order_id: UUID, line_id: UUID, *, refused: bool) -> ResponseReturnValue:
    _, at, draft = step_of(order_id, line_id)
    if at.line.state is not LineState.LOADED or not (refused or _stops(draft)):
        return redirect(address(order_id, line_id, "check"))
    changed: dict[str, Any] = {
        "connected": False,
        "leak_test_passed": None,
        "empty_code": None,
        "empty_exception": None,
        "full_code": at.full_code or "",
    }
    if refused:
        changed["check"] = {
            "mode": "on_site",
            "refused": True,
            "items": [],
            "user_signed": has_signed(),
            "briefed": True,
        }
    _, no = tried(lambda: deliver(order_id, at, draft, proof=None, **changed))
    if no is not None:
        return _withheld(order_id, line_id, refused=refused, no=no)
    drafts.drop(line_id)
    return redirect(f"/courier/orders/{order_id}?done={line_id}")


def _withheld(order_id: UUID, line_id: UUID, *, refused: bool, no: No | None = None) -> ResponseReturnValue:
    shown, at, draft = step_of(order_id, line_id)
    if at.line.state is not LineState.LOADED:
        return redirect(f"/courier/orders/{order_id}")
    if not refused and not _stops(draft):
        return redirect(address(order_id, line_id, "check"))
    found = {} if refused else found_in(draft)
    return drawn("withheld", no, **shown, found=found, refused=refused)


def _stops(draft: Draft) -> bool:
    return any(one.blocking for one in found_in(draft).values())
