"""Thin: load the form, call one service, dump the answer."""

from typing import Any
from uuid import UUID

from core.http import Room, doing
from dispatch.deliveries import (
    closing,
    confirming,
    driven,
    following,
    identity,
    inbox,
    loads,
    queries,
    service,
    succeeding,
    vouchers,
)
from dispatch.deliveries.models import Confirmation, LineLoad
from dispatch.deliveries.schemas import (
    ArrivalView,
    ClosedView,
    ClosingIn,
    ConfirmationIn,
    ConfirmationView,
    DeliveryIn,
    DeliveryView,
    DoorCodeView,
    DoorIdentityIn,
    DoorIdentityView,
    FailureIn,
    FailureView,
    JudgementView,
    LoadIn,
    LoadView,
    Nothing,
    ProgressView,
    ReturnIn,
    ReturnView,
    ScansIn,
    ScansView,
    VisitList,
    VoucherList,
)
from dispatch.deliveries.visit import Report
from dispatch.rounds.queries import one_round
from dispatch.rounds.schemas import RoundView
from registry import successions
from registry.succession_schemas import SuccessionView

room = Room("deliveries", __name__)


@room.post("/districts/<int:district>/rounds/<uuid:round_id>/loads")
@room.may("cylinder.load", writes=True)
@room.arguments(LoadIn)
@room.response(201, LoadView)
def load(body: dict[str, Any], district: int, round_id: UUID) -> LineLoad:
    """One bottle for one order line, by the round's courier or released by the site."""
    done = loads.load(doing(), round_id=round_id, **body)
    return queries.one_load(doing(), UUID(done["load_id"]))


@room.post("/districts/<int:district>/rounds/<uuid:round_id>/returns")
@room.may("cylinder.bring_back", writes=True)
@room.arguments(ReturnIn)
@room.response(201, ReturnView)
def bring_back(body: dict[str, Any], district: int, round_id: UUID) -> dict[str, Any]:
    """A bottle of the vehicle, full or empty, scanned back at the round's site."""
    return loads.bring_back(doing(), round_id=round_id, **body)


@room.post("/districts/<int:district>/rounds/<uuid:round_id>/finishes")
@room.may("round.drive", writes=True)
@room.arguments(Nothing)
@room.response(201, RoundView)
def finish(body: dict[str, Any], district: int, round_id: UUID) -> dict[str, Any]:
    """The vehicle is empty; what was not visited can be planned again."""
    done = loads.finish(doing(), round_id=round_id)
    return one_round(doing(), UUID(done["round_id"]))


@room.post("/districts/<int:district>/orders/<uuid:order_id>/arrivals")
@room.may("door_code.issue", writes=True)
@room.arguments(Nothing)
@room.response(201, ArrivalView)
def arrive(body: dict[str, Any], district: int, order_id: UUID) -> dict[str, Any]:
    """The courier is at the door: the resident's page shows a code for ten minutes."""
    done = service.arrive(doing(), order_id=order_id)
    return queries.arrival(doing(), UUID(done["order_id"]))


@room.post("/districts/<int:district>/orders/<uuid:order_id>/identity-checks")
@room.may("person.verify_at_door", writes=True)
@room.arguments(DoorIdentityIn)
@room.response(201, DoorIdentityView)
def verify_at_door(body: dict[str, Any], district: int, order_id: UUID) -> Any:
    """The registrant's document, looked at once more at the door; by the courier whose stop it is."""
    return identity.verify_at_door(doing(), order_id=order_id, **body)


@room.get("/districts/<int:district>/orders/<uuid:order_id>/door-code")
@room.may("door_code.read")
@room.response(200, DoorCodeView)
def read_door_code(district: int, order_id: UUID) -> dict[str, Any]:
    """For the resident who ordered, while the code lives."""
    return queries.resident_code(doing(), order_id)


@room.post("/districts/<int:district>/orders/<uuid:order_id>/deliveries")
@room.may("order.deliver", writes=True)
@room.arguments(DeliveryIn)
@room.response(201, DeliveryView)
def deliver(body: dict[str, Any], district: int, order_id: UUID) -> dict[str, Any]:
    """Hand over one line's bottle. 201 also when it was withheld or the code was wrong: see ``outcome``."""
    done = service.deliver(doing(), order_id=order_id, report=Report(**body))
    return queries.delivery(doing(), UUID(done["delivery_id"]), done.get("tries_left"))


@room.post("/districts/<int:district>/orders/<uuid:order_id>/failures")
@room.may("order.fail", writes=True)
@room.arguments(FailureIn)
@room.response(201, FailureView)
def fail(body: dict[str, Any], district: int, order_id: UUID) -> dict[str, Any]:
    """Nobody was supplied; a loaded bottle stays on the vehicle until it is scanned back."""
    done = service.fail(doing(), order_id=order_id, **body)
    return queries.line(doing(), UUID(done["line_id"]))


@room.post("/districts/<int:district>/devices/<uuid:device_id>/scans")
@room.may("scan.report")
@room.arguments(ScansIn)
@room.response(200, ScansView)
def take_scans(body: dict[str, Any], district: int, device_id: UUID) -> dict[str, Any]:
    """What a phone signed, late or twice: all of it is kept, none refused. Its sequence is its key."""
    return inbox.take(doing(), device_id=device_id, **body)


@room.get("/districts/<int:district>/orders/<uuid:order_id>/progress")
@room.may("order.read")
@room.response(200, ProgressView)
def progress(district: int, order_id: UUID) -> following.Progress:
    """How far the delivery is, and who comes while somebody does."""
    return following.progress(doing(), order_id)


@room.get("/districts/<int:district>/orders/<uuid:order_id>/deliveries")
@room.may("order.read")
@room.response(200, VisitList)
def visits(district: int, order_id: UUID) -> dict[str, Any]:
    """What was handed over or withheld at the door, and what the check found."""
    return {"items": following.visits(doing(), order_id)}


@room.get("/districts/<int:district>/orders/<uuid:order_id>/vouchers")
@room.may("order.read")
@room.response(200, VoucherList)
def list_vouchers(district: int, order_id: UUID) -> dict[str, Any]:
    """A voucher for each bottle of the order that was handed over, with the address that verifies it."""
    return {"items": vouchers.vouchers(doing(), order_id)}


@room.post("/districts/<int:district>/orders/<uuid:order_id>/confirmations")
@room.may("order.confirm", writes=True)
@room.arguments(ConfirmationIn)
@room.response(201, ConfirmationView)
def confirm(body: dict[str, Any], district: int, order_id: UUID) -> Confirmation:
    """The resident's own word: received, or a problem, which the regulator sees as a tip."""
    confirming.confirm(doing(), order_id=order_id, **body)
    [said] = [one for one in following.confirmations(doing(), order_id) if one.said is body["said"]]
    return said


@room.post("/districts/<int:district>/accounts/<uuid:account_id>/closings")
@room.may("account.close", writes=True)
@room.arguments(ClosingIn)
@room.response(201, ClosedView)
def close_account(body: dict[str, Any], district: int, account_id: UUID) -> dict[str, Any]:
    """The household takes no bottled gas any more: every bottle is back, nothing is booked."""
    return closing.close_account(doing(), account_id, **body)


@room.post("/districts/<int:district>/successions/<uuid:succession_id>/approvals")
@room.may("succession.decide", writes=True)
@room.arguments(Nothing)
@room.response(201, SuccessionView)
def approve_succession(body: dict[str, Any], district: int, succession_id: UUID) -> dict[str, Any]:
    """Another person than who asked: the account passes on, its cards get new codes, nothing is opened."""
    done = succeeding.approve(doing(), succession_id)
    return successions.succession_view(doing(), UUID(done["succession_id"]))


@room.get("/districts/<int:district>/rounds/<uuid:round_id>/judgement")
@room.may("round.read")
@room.response(200, JudgementView)
def judge_round(district: int, round_id: UUID) -> dict[str, Any]:
    """The round as driven so far, by the checker that plans must pass: every rule that was broken."""
    return driven.judgement(doing(), round_id)
