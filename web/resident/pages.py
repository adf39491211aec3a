"""The pages of residents. Everything works without scripts; one script keeps a followed delivery fresh."""

from collections.abc import Mapping
from datetime import date
from itertools import groupby
from typing import Any
from uuid import UUID

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from core import clock
from core.doing import Doing
from core.fields import Word
from core.http import doing
from core.problems import NotFound, WrongField
from dispatch.deliveries import confirming, following, vouchers
from dispatch.deliveries import queries as deliveries
from dispatch.deliveries.following import Progress, Step
from dispatch.deliveries.models import FailureReason, Problem, Said
from dispatch.deliveries.schemas import ConfirmationIn
from dispatch.orders import homes as home_queries
from dispatch.orders import queries as orders
from dispatch.orders import refusals as no_order
from dispatch.orders import repeating
from dispatch.orders import service as booking
from dispatch.orders.homes import Home
from dispatch.orders.keeping import rooms_for
from dispatch.orders.messages import short_number
from dispatch.orders.models import Channel, Purpose, Slot
from dispatch.orders.repeating import Repeat
from dispatch.orders.schemas import BookIn, MoveIn
from dispatch.orders.states import OPEN_STATES, LineState, OrderState
from dispatch.rounds import moving
from dispatch.safety import queries as safety
from dispatch.safety import service as safety_service
from dispatch.safety.catalogue import ITEMS
from dispatch.safety.models import ReceivedHow
from dispatch.safety.signing import Receipt
from dispatch.safety.states import HazardState
from oversight.review_models import Ground
from registry import proxy_queries
from registry.models import UserClass
from registry.proxy_queries import ProxyAct
from registry.states import AccountState, CardState
from web import left_at_door, qr, review_words
from web.openings import barred_since
from web.pages import Face, No, form_of, tried
from web.resident import said

face = Face("resident", __name__, prefix="/resident", sign_in="/sign-in/phone")

ORDERS_A_PAGE = 20


@face.context_processor
def _words() -> dict[str, Any]:
    return {
        "said": said,
        "left_at_door": left_at_door,
        "ITEMS": ITEMS,
        "HazardState": HazardState,
        "OrderState": OrderState,
        "AccountState": AccountState,
        "CardState": CardState,
        "Step": Step,
        "today": clock.today(),
        "short_number": short_number,
        "failure_of": lambda code: said.FAILURES.get(FailureReason(code), (code, code)),
    }


# --- home -------------------------------------------------------------------------------------------------


@face.page("/", "home.read")
def home() -> ResponseReturnValue:
    own = home_queries.homes(doing())
    open_orders = orders.orders(doing(), limit=5, open_only=True).items
    followed = [following.progress(doing(), found.order.id) for found in open_orders]
    latest = orders.latest_orders(doing(), limit=1)
    return render_template(
        "resident/home.html",
        homes=own,
        acted_for=[] if own else home_queries.homes_acted_for(doing()),
        acts_for_others=not own and proxy_queries.acts_for_others(doing()),
        asked_to_act=proxy_queries.asked_to_act(doing()),
        followed=followed,
        repeats={} if followed else _repeats(own),
        to_confirm=[found for found in latest if _may_confirm(doing(), found)],
        barred_since=barred_since(doing().district),
    )


def _repeats(own: list[Home]) -> dict[UUID, Repeat]:
    """Household → its last delivery, to be had once more by one button."""
    offered = {
        home.household_id: repeating.repeat_of(doing(), home.household_id)
        for home in own
        if not home.is_stopped
    }
    return {household_id: repeat for household_id, repeat in offered.items() if repeat is not None}


def _may_confirm(here: Doing, found: orders.OrderWithLines) -> bool:
    delivered = any(line.state is LineState.DELIVERED for line in found.lines)
    return (
        delivered
        and orders.may_act(here, found.order, ProxyAct.RECEIVE)
        and not following.confirmations(here, found.order.id)
    )


# --- booking ----------------------------------------------------------------------------------------------


@face.page("/book", "order.book")
def book() -> ResponseReturnValue:
    able = _homes_to_book_for()
    if not able:
        raise NotFound
    if len(able) > 1 and "household" not in request.args:
        return render_template("resident/which_home.html", homes=able)
    return _book_page(_chosen_home(able, request.args), request.args)


def _homes_to_book_for() -> list[Home]:
    """One's own, then those one is named for."""
    return [*home_queries.homes(doing()), *home_queries.homes_acted_for(doing())]


@face.page("/book/check", "order.book")
def check_answers() -> ResponseReturnValue:
    """What was chosen, to be looked at once more; nothing is booked yet."""
    home = _chosen_home(_homes_to_book_for(), request.args)
    try:
        asked = _asked(home, request.args, request.args.getlist("card"))
    except WrongField as wrong:
        return _book_page(home, request.args, No(422, errors=wrong.faults)), 422
    slot = next(
        (one for one in home_queries.offered_slots(doing(), home.household_id) if one.id == asked["slot_id"]),
        None,
    )
    if slot is None:
        return _book_page(home, request.args, gone="slot.gone"), 409
    return render_template("resident/check_answers.html", home=home, slot=slot, asked=asked)


@face.page("/book", "order.book", methods=("POST",))
def do_book() -> ResponseReturnValue:
    home = _chosen_home(_homes_to_book_for(), request.form)
    try:
        asked = _asked(home, request.form, request.form.getlist("card"))
    except WrongField as wrong:
        return _book_page(home, request.form, No(422, errors=wrong.faults)), 422
    done, no = tried(lambda: booking.book(doing(), **asked))
    if no is not None or done is None:
        return _not_booked(home, no), no.status if no else 409
    return redirect(url_for(".order", order_id=done.order.order.id, booked="1"))


def _not_booked(home: Home, no: No | None) -> str:
    """A slot that was lost meanwhile is chosen anew on the same page; anything else is said in full."""
    if no is None or no.errors:
        return _book_page(home, request.form, no)
    if gone := _slot_gone(no):
        return _book_page(home, request.form, gone=gone)
    return _refused_page(no, "这次不能为您换气", "No refill this time")


_ONLY_THE_SLOT = (no_order.SLOT_FULL, no_order.SLOT_KEPT, no_order.SLOT_PAST, no_order.SLOT_CLOSED)


def _slot_gone(no: No) -> str:
    """The code, where nothing but the slot itself stands against it."""
    codes = {reason["code"] for reason in no.reasons}
    if codes <= {one.code for one in _ONLY_THE_SLOT}:
        return min(codes, default="")
    return ""


def _asked(home: Home, form: Mapping[str, Any], cards: list[str]) -> dict[str, Any]:
    """The form as the API's own schema reads it. A home with one card need not name it."""
    own = [str(card.id) for card in home.cards if card.state is not CardState.CLOSED]
    body = {
        "household_id": str(home.household_id),
        "slot_id": form.get("slot", ""),
        "purpose": form.get("purpose", ""),
        "channel": Channel.WEB.value,
        "card_ids": cards or (own if len(own) == 1 else []),
        "contactless": form.get("contactless") == "yes",
    }
    return form_of(_BookForm, body)


class _BookForm(BookIn):
    """The page asks the purpose before the law has to."""

    purpose = Word(Purpose, required=True)


def _book_page(home: Home, form: Mapping[str, Any], no: No | None = None, gone: str = "") -> str:
    offered = home_queries.offered_slots(doing(), home.household_id)
    rooms = rooms_for(doing(), home.household_id, offered)
    return render_template(
        "resident/book.html",
        home=home,
        days=_by_day(offered),
        no=no,
        gone=gone,
        chosen_slot=form.get("slot", ""),
        chosen_purpose=form.get("purpose", ""),
        chosen_cards=form.getlist("card") if hasattr(form, "getlist") else [],
        chosen_contactless=form.get("contactless") == "yes",
        offers_contactless=home_queries.offers_contactless(doing()),
        purposes=_purposes_of(home),
        rooms=rooms,
        free=any(room > 0 for room in rooms.values()),
    )


def _by_day(offered: list[Slot]) -> list[tuple[date, list[Slot]]]:
    return [(day, list(slots)) for day, slots in groupby(offered, key=lambda slot: slot.day)]


def _purposes_of(home: Home) -> list[Purpose]:
    """A family does not cater; a restaurant may do anything."""
    is_family = home.file["user_class"] is UserClass.RESIDENT
    return [one for one in Purpose if not (is_family and one is Purpose.CATERING)]


def _chosen_home(own: list[Home], form: Mapping[str, Any]) -> Home:
    named = form.get("household", "")
    for home in own:
        if str(home.household_id) == named or (not named and len(own) == 1):
            return home
    raise NotFound


def _refused_page(no: No, zh: str, en: str) -> str:
    return render_template(
        "resident/refused.html",
        no=no,
        title=(zh, en),
        cures=_cures(no),
        grounds=list(Ground),
        review_words=review_words,
    )


def _cures(no: No) -> list[Mapping[str, Any]]:
    """What can be done, each once, in the order of the reasons; with a page of ours where there is one."""
    found: dict[str, Mapping[str, Any]] = {}
    for reason in no.reasons:
        cure = reason["cure"]
        found.setdefault(cure["zh"], {**cure, "here": said.CURES_HERE.get(cure["action"])})
    return list(found.values())


# --- orders -----------------------------------------------------------------------------------------------


@face.page("/orders", "order.read")
def order_list() -> ResponseReturnValue:
    """The latest first, a page at a time."""
    before = _id_or_none(request.args.get("before", ""))
    found = orders.latest_orders(doing(), limit=ORDERS_A_PAGE + 1, before=before)
    shown, more = found[:ORDERS_A_PAGE], len(found) > ORDERS_A_PAGE
    return render_template("resident/orders.html", orders=shown, more=more, is_first=before is None)


def _id_or_none(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


@face.page("/orders/<uuid:order_id>", "order.read")
def order(order_id: UUID) -> ResponseReturnValue:
    """The delivery, followed until it is over; then what was done."""
    here = following.progress(doing(), order_id)
    books, receives = (orders.may_act(doing(), here.found.order, act) for act in ProxyAct)
    return render_template(
        "resident/order.html",
        progress=here,
        code=_door_code(order_id) if here.step is Step.AT_THE_DOOR else None,
        visits=following.visits(doing(), order_id) if receives else [],
        words={one.said: one for one in following.confirmations(doing(), order_id)} if receives else {},
        Said=Said,
        may_cancel=books and _may_cancel(here),
        may_move=books and _may_cancel(here) and here.step is Step.BOOKED,
        may_confirm=receives,
        moved=request.args.get("moved") == "1",
        booked=request.args.get("booked") == "1",
        is_live=_is_live(here),
        is_delivered=any(line.state is LineState.DELIVERED for line in here.found.lines),
    )


def _door_code(order_id: UUID) -> Mapping[str, Any] | None:
    try:
        return deliveries.resident_code(doing(), order_id)
    except NotFound:
        return None


def _is_live(here: Progress) -> bool:
    """Only what moves today is worth asking for again and again."""
    return here.step is not Step.OVER and here.found.slot.day == clock.today()


def _may_cancel(here: Progress) -> bool:
    states = [line.state for line in here.found.lines if line.state in OPEN_STATES]
    return bool(states) and all(state is LineState.BOOKED for state in states)


@face.page("/orders/<uuid:order_id>/cancel", "order.cancel")
def cancel_form(order_id: UUID) -> ResponseReturnValue:
    return render_template("resident/cancel.html", progress=following.progress(doing(), order_id))


@face.page("/orders/<uuid:order_id>/cancel", "order.cancel", methods=("POST",))
def cancel(order_id: UUID) -> ResponseReturnValue:
    _, no = tried(lambda: booking.cancel(doing(), order_id=order_id))
    if no is not None:
        return _refused_page(no, "这一单现在不能取消", "This order cannot be cancelled now"), no.status
    return redirect(url_for(".order", order_id=order_id))


@face.page("/orders/<uuid:order_id>/slot", "order.change_slot")
def other_slot(order_id: UUID) -> ResponseReturnValue:
    return _other_slot_page(order_id)


@face.page("/orders/<uuid:order_id>/slot", "order.change_slot", methods=("POST",))
def change_slot(order_id: UUID) -> ResponseReturnValue:
    try:
        asked = form_of(MoveIn, {"slot_id": request.form.get("slot", "")})
    except WrongField as wrong:
        return _other_slot_page(order_id, No(422, errors=wrong.faults)), 422
    _, no = tried(lambda: moving.change_slot(doing(), order_id=order_id, **asked))
    if no is None:
        return redirect(url_for(".order", order_id=order_id, moved="1"))
    gone = "" if no.errors else _slot_gone(no)
    if no.errors or gone:
        return _other_slot_page(order_id, no if no.errors else None, gone), no.status
    return _refused_page(no, "这一单现在不能改时段", "This booking cannot be moved now"), no.status


def _other_slot_page(order_id: UUID, no: No | None = None, gone: str = "") -> str:
    found = orders.order(doing(), order_id)
    offered = home_queries.offered_slots(doing(), found.order.household_id)
    rooms = rooms_for(doing(), found.order.household_id, offered)
    return render_template(
        "resident/other_slot.html",
        found=found,
        days=_by_day(offered),
        rooms=rooms,
        free=any(room > 0 for slot_id, room in rooms.items() if slot_id != found.slot.id),
        no=no,
        gone=gone,
    )


@face.page("/orders/<uuid:order_id>/vouchers/<uuid:delivery_id>", "order.read")
def voucher(order_id: UUID, delivery_id: UUID) -> ResponseReturnValue:
    """To be printed or shown; whoever scans it reads the same on the public page."""
    found = vouchers.voucher(doing(), order_id, delivery_id)
    return render_template(
        "resident/voucher.html", voucher=found, order_id=order_id, qr=qr.drawn(found.address)
    )


@face.page("/orders/<uuid:order_id>/confirm", "order.confirm", methods=("POST",))
def confirm(order_id: UUID) -> ResponseReturnValue:
    _, no = tried(lambda: confirming.confirm(doing(), order_id=order_id, said=Said.RECEIVED))
    if no is not None:
        return _refused_page(no, "现在还不能确认", "There is nothing to confirm yet"), no.status
    return redirect(url_for(".order", order_id=order_id))


@face.page("/orders/<uuid:order_id>/problem", "order.confirm")
def problem_form(order_id: UUID) -> ResponseReturnValue:
    return _problem_page(order_id)


@face.page("/orders/<uuid:order_id>/problem", "order.confirm", methods=("POST",))
def report_problem(order_id: UUID) -> ResponseReturnValue:
    try:
        word = form_of(ConfirmationIn, {"said": "problem", "problem": request.form.get("problem")})
    except WrongField as wrong:
        return _problem_page(order_id, No(422, errors=wrong.faults)), 422
    confirming.confirm(doing(), order_id=order_id, **word)
    return redirect(url_for(".order", order_id=order_id))


def _problem_page(order_id: UUID, no: No | None = None) -> str:
    found = orders.order(doing(), order_id)
    return render_template("resident/problem.html", found=found, problems=list(Problem), no=no)


# --- hazards ----------------------------------------------------------------------------------------------


@face.page("/hazards", "hazard.read")
def hazards() -> ResponseReturnValue:
    return _hazards_page()


@face.page("/hazards/<uuid:hazard_id>/mended", "hazard.claim_mended", methods=("POST",))
def claim_mended(hazard_id: UUID) -> ResponseReturnValue:
    _, no = tried(lambda: safety_service.claim_mended(doing(), hazard_id=hazard_id))
    if no is not None:
        return _hazards_page(no), no.status
    return redirect(url_for(".hazards"))


@face.page("/notices/<uuid:notice_id>", "hazard.read")
def notice(notice_id: UUID) -> ResponseReturnValue:
    """The notice's whole text; that it was seen is said by a button, never by opening a page."""
    return render_template("resident/notice.html", printed=safety.notice(doing(), notice_id))


@face.page("/notices/<uuid:notice_id>/seen", "notice.receive", methods=("POST",))
def notice_seen(notice_id: UUID) -> ResponseReturnValue:
    receipt = Receipt(ReceivedHow.ELECTRONIC)
    _, no = tried(lambda: safety_service.receive(doing(), notice_id=notice_id, receipt=receipt))
    if no is not None:
        return _refused_page(no, "没有记下", "It was not recorded"), no.status
    return redirect(url_for(".notice", notice_id=notice_id))


def _hazards_page(no: No | None = None) -> str:
    found = safety.hazards(doing(), limit=100).items
    standing = [one for one in found if one.hazard.state is not HazardState.CLOSED]
    standing.sort(key=lambda one: (not one.hazard.blocking, one.hazard.deadline_on or date.max))
    closed = [one for one in found if one.hazard.state is HazardState.CLOSED]
    return render_template(
        "resident/hazards.html",
        standing=standing,
        closed=closed,
        refused_check=any(home.inspection_refused for home in home_queries.homes(doing())),
        no=no,
    )
