"""One stop: arriving at the door, and the four steps there. Only the last is a deed (``order.deliver``)."""

from typing import Any
from uuid import UUID

from flask import redirect, request
from flask.typing import ResponseReturnValue

from core import clock
from core.http import doing, loaded
from core.problems import FieldFault, WrongField
from dispatch.deliveries import door as at_door
from dispatch.deliveries import queries, service
from dispatch.deliveries.door import Door, LineAtDoor
from dispatch.deliveries.handover_gate import EmptyOffered
from dispatch.deliveries.models import DropPlace, EmptyException, ProofKind, VisitOutcome
from dispatch.deliveries.schemas import CheckPart, DeliveryIn
from dispatch.deliveries.visit import Report
from dispatch.orders.states import OPEN_STATES, LineState
from dispatch.rounds import road as on_road
from dispatch.safety.acts import foreseen
from dispatch.safety.catalogue import ITEMS, Ruling, default_grade
from dispatch.safety.models import Grade
from rulebook import current
from web.courier import draft as drafts
from web.courier.draft import Draft
from web.courier.face import drawn, face, told, typed
from web.pages import No, number_said, tried

LINE = "/orders/<uuid:order_id>/lines/<uuid:line_id>"


def seen(order_id: UUID) -> dict[str, Any]:
    """What every page of a stop shows: the door, and its stop on the road."""
    door = at_door.at_door(doing(), order_id)
    road = on_road.road(doing(), door.round.id)
    return {"door": door, "stop": next(one for one in road.stops if one.order_id == order_id)}


def step_of(order_id: UUID, line_id: UUID) -> tuple[dict[str, Any], LineAtDoor, Draft]:
    """The same for one line of it, with what has been answered so far."""
    shown = seen(order_id)
    at = shown["door"].line(line_id)
    draft = drafts.draft_of(line_id)
    return {**shown, "at": at, "draft": draft}, at, draft


def address(order_id: UUID, line_id: UUID, step: str) -> str:
    return f"/courier/orders/{order_id}/lines/{line_id}/{step}"


# --- the stop ---------------------------------------------------------------------------------------------


@face.page("/orders/<uuid:order_id>", "round.drive")
def stop(order_id: UUID) -> ResponseReturnValue:
    """Who is visited, what stands open at that home, and how far the visit has come."""
    return _stop(order_id)


@face.page("/orders/<uuid:order_id>/arrivals", "door_code.issue", methods=("POST",))
def arrive(order_id: UUID) -> ResponseReturnValue:
    """The courier is at the door: the resident's page shows a code. Then on to the line asked for."""
    _, no = tried(lambda: service.arrive(doing(), order_id=order_id))
    if no is not None:
        return _stop(order_id, no)
    lines = at_door.at_door(doing(), order_id).lines
    wanted = next((one for one in lines if str(one.line.id) == typed("line_id", 40)), None)
    first = wanted or next(one for one in lines if one.line.state is LineState.LOADED)
    step = typed("step", 10) if typed("step", 10) in ("who", "receipt") else "who"
    return redirect(address(order_id, first.line.id, step))


def _stop(order_id: UUID, no: No | None = None) -> ResponseReturnValue:
    shown = seen(order_id)
    ready = [one for one in shown["door"].lines if one.line.state is LineState.LOADED]
    return drawn("stop", no, **shown, ready=ready)


# --- 1: who -----------------------------------------------------------------------------------------------


@face.page(f"{LINE}/who", "order.deliver")
def who(order_id: UUID, line_id: UUID) -> ResponseReturnValue:
    """Step 1: whose card is shown."""
    return _at_step("who", order_id, line_id)


@face.page(f"{LINE}/who", "order.deliver", methods=("POST",))
def show_card(order_id: UUID, line_id: UUID) -> ResponseReturnValue:
    """The card that was shown; another one goes no further."""
    _, at, draft = step_of(order_id, line_id)
    card = typed("card", 200)
    if not card:
        return _at_step(
            "who", order_id, line_id, _missing("/card", "请扫卡，或输入卡号", "expected the card")
        )
    if no := told(at_door.card_reasons(doing(), at, card)):
        return _at_step("who", order_id, line_id, no)
    draft.card = card
    drafts.keep(line_id, draft)
    return redirect(address(order_id, line_id, "check"))


# --- 2: the check -----------------------------------------------------------------------------------------


@face.page(f"{LINE}/check", "order.deliver")
def check(order_id: UUID, line_id: UUID) -> ResponseReturnValue:
    """Step 2: the home is looked at, item by item."""
    return _check(order_id, line_id, _answers_kept(drafts.draft_of(line_id)))


@face.page(f"{LINE}/check", "order.deliver", methods=("POST",))
def look_at_home(order_id: UUID, line_id: UUID) -> ResponseReturnValue:
    """What was found; where that stops supply, the page that says so."""
    answers = _answers_typed()
    if typed("fill") == "pass":
        return _check(order_id, line_id, _all_passed(answers))
    found, no = tried(lambda: _foreseen(answers))
    if found is None:
        return _check(order_id, line_id, answers, no)
    draft = drafts.draft_of(line_id)
    draft.items = list(answers)
    draft.check = {item: _unlike_plain(answer) for item, answer in answers.items() if _unlike_plain(answer)}
    draft.briefed = typed("briefed") == "yes"
    draft.by_video = typed("looked") == "video"
    drafts.keep(line_id, draft)
    step = "withheld" if any(one.blocking for one in found.values()) else "bottles"
    return redirect(address(order_id, line_id, step))


def _foreseen(answers: dict[str, dict[str, Any]]) -> dict[str, Ruling]:
    form = {"mode": "on_site", "items": list(answers.values()), "user_signed": False, "briefed": False}
    items = loaded(CheckPart, form)["items"]
    try:
        return foreseen(items, str(doing().district), clock.today())
    except WrongField as wrong:
        raise WrongField.all([_by_item(fault, list(answers)) for fault in wrong.faults]) from None


def found_in(draft: Draft) -> dict[str, Ruling]:
    """What the check as it was answered finds; nothing while it is not answered."""
    return _foreseen({one["item"]: one for one in draft.answers()}) if draft.items else {}


def _by_item(fault: FieldFault, items: list[str]) -> FieldFault:
    """``/items/3/measured`` as the page has it: ``/hose_length``."""
    parts = fault.pointer.strip("/").split("/")
    if len(parts) > 1 and parts[1].isdigit():
        return FieldFault(f"/{items[int(parts[1])]}", fault.code, fault.zh, fault.en)
    return fault


def _answers_typed() -> dict[str, dict[str, Any]]:
    """Item → answer, of those that were answered. Only a failed item has a grade and a photograph."""
    return {item: _answer_typed(item, typed(item, 20)) for item in ITEMS if typed(item, 20)}


def _answer_typed(item: str, result: str) -> dict[str, Any]:
    measured = typed(f"{item}.measured", 8)
    answer: dict[str, Any] = {"item": item, "result": result}
    if measured and result != "not_applicable":
        answer["measured"] = number_said(measured)
    if result == "fail":
        given = {"grade": typed(f"{item}.grade", 20), "photo_sha256": typed(f"{item}.photo", 64)}
        answer |= {name: value for name, value in given.items() if value}
    return answer


def _all_passed(answers: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """What was said stays; the rest passes, and what a home may lack is left as not there."""
    plain = {
        item.code: {"item": item.code, "result": "pass" if item.mandatory else "not_applicable"}
        for item in ITEMS.values()
    }
    return {code: {**answer, **answers.get(code, {})} for code, answer in plain.items()}


def _answers_kept(draft: Draft) -> dict[str, dict[str, Any]]:
    return {answer["item"]: answer for answer in draft.answers()}


def _unlike_plain(answer: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value
        for name, value in answer.items()
        if name != "item" and (name, value) != ("result", "pass")
    }


def _check(
    order_id: UUID, line_id: UUID, answers: dict[str, dict[str, Any]], no: No | None = None
) -> ResponseReturnValue:
    law = current().at(str(doing().district), clock.today())
    groups: dict[str, list[Any]] = {}
    for item in ITEMS.values():
        groups.setdefault(item.group.value, []).append(item)
    grades = list(Grade)
    raised = {code: grades[grades.index(default_grade(law, code)) :] for code in ITEMS}
    return _at_step("check", order_id, line_id, no, groups=groups, answers=answers, raised=raised)


# --- 3: full out, empty back ------------------------------------------------------------------------------


@face.page(f"{LINE}/bottles", "order.deliver")
def bottles(order_id: UUID, line_id: UUID) -> ResponseReturnValue:
    """Step 3: the full one out, the empty one back, connected and tested."""
    return _at_step("bottles", order_id, line_id, offered=None, empty_no=None)


@face.page(f"{LINE}/bottles", "order.deliver", methods=("POST",))
def swap(order_id: UUID, line_id: UUID) -> ResponseReturnValue:
    """Both bottles as scanned. What does not fit is said with the ways out of it."""
    shown, at, draft = step_of(order_id, line_id)
    draft.full = typed("full") or None
    draft.empty = typed("empty") or None
    draft.exception = typed("exception", 20) or None
    draft.connected = typed("connected", 3) != "no"
    draft.leak = typed("leak", 4) or None
    draft.swapped = False
    drafts.keep(line_id, draft)
    if faults := _bottle_faults(at, draft):
        return _bottles(order_id, line_id, No(422, errors=tuple(faults)))
    full_no = told(at_door.full_reasons(doing(), shown["door"], at, draft.full or ""))
    exception = EmptyException(draft.exception) if draft.exception in list(EmptyException) else None
    offered, reasons = at_door.empty_offered(doing(), shown["door"], at, draft.empty, exception)
    empty_no = told(reasons)
    if full_no or empty_no:
        return _bottles(order_id, line_id, full_no, offered, empty_no)
    draft.swapped = True
    drafts.keep(line_id, draft)
    return redirect(address(order_id, line_id, "receipt"))


def _bottles(
    order_id: UUID,
    line_id: UUID,
    no: No | None,
    offered: EmptyOffered | None = None,
    empty_no: No | None = None,
) -> ResponseReturnValue:
    page, status = drawn("bottles", no, **step_of(order_id, line_id)[0], offered=offered, empty_no=empty_no)
    return page, 409 if empty_no is not None else status


def _bottle_faults(at: LineAtDoor, draft: Draft) -> list[FieldFault]:
    faults: list[FieldFault] = []
    if draft.full is None:
        faults += _missing("/full", "请扫要交给住户的满瓶", "expected the full bottle's code").errors
    if at.holds_bottle and draft.empty is None and draft.exception is None:
        faults += _missing("/empty", "请扫收回的空瓶", "expected the empty's code").errors
    if draft.connected and draft.leak is None:
        faults += _missing("/leak", "请检漏并选结果", "expected the result of the leak test").errors
    return faults


# --- 4: the receipt ---------------------------------------------------------------------------------------


@face.page(f"{LINE}/receipt", "order.deliver")
def receipt(order_id: UUID, line_id: UUID) -> ResponseReturnValue:
    """Step 4: what was done is read out, and the household signs for it."""
    shown, at, draft = step_of(order_id, line_id)
    if at.line.state not in OPEN_STATES:
        return redirect(f"/courier/orders/{order_id}")
    if at.line.state is LineState.LOADED and (step := _first_open(shown["door"], draft)):
        return redirect(address(order_id, line_id, step))
    return drawn("receipt", **shown, **_receipt(draft))


@face.page(f"{LINE}/receipt", "order.deliver", methods=("POST",))
def sign(order_id: UUID, line_id: UUID) -> ResponseReturnValue:
    """The deed: handed over, or withheld, or the code was wrong; or refused with all its reasons."""
    shown, at, draft = step_of(order_id, line_id)
    received_by = typed("received_by", 40) or None
    done, no = tried(lambda: deliver(order_id, at, draft, _proof(draft), consent_id=received_by))
    if no is None or no.status == 409:
        drafts.forget_check(line_id)
    if done is not None and done["outcome"] is VisitOutcome.WRONG_CODE:
        no = No(422, errors=_missing("/code", *_wrong_code(done["tries_left"])).errors)
    if no is not None:
        shown, _, draft = step_of(order_id, line_id)
        return drawn("receipt", no, **shown, **_receipt(draft))
    drafts.drop(line_id)
    return redirect(f"/courier/orders/{order_id}?done={line_id}")


def deliver(
    order_id: UUID, at: LineAtDoor, draft: Draft, proof: dict[str, Any] | None, **changed: Any
) -> dict[str, Any]:
    """What the courier reports of this line, through the API's own form and verb."""
    form = {
        "line_id": str(at.line.id),
        "card_credential": draft.card,
        "check": _check_part(draft),
        "full_code": draft.full or at.full_code or "",
        "empty_code": draft.empty,
        "empty_exception": draft.exception,
        "connected": draft.connected,
        "leak_test_passed": {"pass": True, "fail": False}.get(draft.leak or "") if draft.connected else None,
        "point": _point(),
        "drop": _drop(),
        "occurred_at": clock.stamp(clock.now()),
        **({"proof": proof} if proof is not None else {}),
    } | changed
    done = service.deliver(doing(), order_id=order_id, report=Report(**loaded(DeliveryIn, form)))
    return queries.delivery(doing(), UUID(done["delivery_id"]), done.get("tries_left"))


def _check_part(draft: Draft) -> dict[str, Any] | None:
    """None once it is on record: a check is made once."""
    if not draft.items:
        return None
    looked = {"mode": "video", "remote_reason": "contactless"} if draft.by_video else {"mode": "on_site"}
    return {
        **looked,
        "items": draft.answers(),
        "user_signed": has_signed(),
        "user_signature_sha256": typed("signature", 64) or None,
        "briefed": draft.briefed,
    }


def has_signed() -> bool:
    return typed("user_signed", 3) == "yes" or bool(typed("signature", 64))


def _proof(draft: Draft) -> dict[str, Any]:
    kind = typed("proof", 20) or ProofKind.DOOR_CODE.value
    if kind == ProofKind.SIGNATURE:
        return {"kind": kind, "sha256": typed("signature", 64)}
    value = typed("code", 20) if kind == ProofKind.DOOR_CODE else typed("card", 200) or draft.card or ""
    return {"kind": kind, "value": value}


def _drop() -> dict[str, Any] | None:
    """Where the bottle was left and the photograph's fingerprint; nothing where it changed hands."""
    place = typed("left", 40)
    return {"place": place, "photo_sha256": typed("drop_photo", 64) or None} if place else None


def _point() -> dict[str, Any] | None:
    """Where the phone says it stands, if the courier lets the page know."""
    try:
        lon, lat = float(typed("lon", 20)), float(typed("lat", 20))
    except ValueError:
        return None
    return {"lon": lon, "lat": lat, "datum": "wgs84"}


def _wrong_code(left: int) -> tuple[str, str]:
    return f"签收码不对，还可以试 {left} 次", f"wrong code: {left} tries left"


def _receipt(draft: Draft) -> dict[str, Any]:
    left = typed("left", 40) if request.method == "POST" else DropPlace.DOORSTEP.value
    return {
        "found": found_in(draft),
        "proof": typed("proof", 20),
        "left": left,
        "drop_photo": typed("drop_photo", 64),
    }


def _first_open(door: Door, draft: Draft) -> str | None:
    """The first step that is not answered yet; None when only the receipt is left."""
    if draft.card is None:
        return "who"
    if not draft.items and door.check is None:
        return "check"
    return None if draft.swapped else "bottles"


# --- shared by the steps ----------------------------------------------------------------------------------


def _at_step(
    step: str, order_id: UUID, line_id: UUID, no: No | None = None, **more: Any
) -> ResponseReturnValue:
    """A step's page; a line that is done with, or not on the vehicle, is seen at its stop."""
    shown, at, _ = step_of(order_id, line_id)
    if at.line.state is not LineState.LOADED:
        return redirect(f"/courier/orders/{order_id}")
    return drawn(step, no, **shown, **more)


def _missing(pointer: str, zh: str, en: str) -> No:
    return No(422, errors=WrongField(pointer, "required", zh, en).faults)
