"""The courier's pages over HTTP: whose rounds and doors they show, what wrong forms do, what is on record."""

from uuid import uuid4

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from core import sessions
from core.auth import Role
from core.sessions import SignedInBy
from dispatch.deliveries.models import Delivery, LineLoad
from dispatch.orders.models import OrderLine
from dispatch.orders.states import LineState
from dispatch.rounds.models import ManifestReveal, Round
from dispatch.rounds.position_models import CourierPosition
from dispatch.rounds.states import RoundState
from dispatch.safety.catalogue import ITEMS
from dispatch.safety.equipment_models import Equipment
from dispatch.safety.models import SafetyCheck
from evidence.models import Entry
from tests.cast import made
from tests.desk import Desk, Person
from tests.dispatch.rounds.working_day import Booked, WorkingDay


class Hand:
    """A signed-in browser: fetches a page, sends its form with the token and key that the page gave."""

    def __init__(self, app: Flask, desk: Desk, person: Person):
        self.client: FlaskClient = app.test_client()
        secret = sessions.open_session(desk.ground, person.principal_id, SignedInBy.PASSWORD_AND_CODE)
        signer = app.session_interface.get_signing_serializer(app)  # type: ignore[attr-defined]
        self.client.set_cookie("lpg", str(signer.dumps({"secret": secret})))

    def status(self, path: str) -> int:
        return self.client.get(path).status_code

    def send(self, page: str, path: str, key: str = "", **form: str) -> tuple[int, str]:
        """(status, where it leads or what it shows)"""
        token = self.client.get(page).text.split('name="csrf_token" value="')[1].split('"')[0]
        body = {"csrf_token": token, "form_key": key or uuid4().hex, **form}
        answer = self.client.post(path, data=body)
        return answer.status_code, answer.headers.get("Location") or answer.text


@pytest.fixture
def day(desk: Desk) -> WorkingDay:
    return WorkingDay(desk)


@pytest.fixture
def bo(app: Flask, desk: Desk, day: WorkingDay) -> Hand:
    """The courier who is bound for the day."""
    return Hand(app, desk, day.courier)


@pytest.fixture
def stranger(app: Flask, desk: Desk, day: WorkingDay) -> Hand:
    """Another courier of the same firm."""
    return Hand(app, desk, day.cast.signed_in_courier(day.cast.courier()))


def state_of(db: Session, booked: Booked) -> LineState:
    return db.scalars(sa.select(OrderLine.state).where(OrderLine.id == booked.line_ids[0])).one()


def test_another_couriers_round_and_door_are_not_there(day: WorkingDay, bo: Hand, stranger: Hand) -> None:
    booked, _, round_id = day.loaded()
    door = f"/courier/orders/{booked.order_id}"
    line = f"{door}/lines/{booked.line_ids[0]}"
    pages = [
        f"/courier/rounds/{round_id}",
        f"/courier/rounds/{round_id}/loads",
        f"/courier/rounds/{round_id}/returns",
        door,
        f"{door}/undone",
        *(f"{line}/{step}" for step in ("who", "check", "bottles", "receipt", "withheld", "no-check")),
    ]
    assert {stranger.status(page) for page in pages} == {404}
    assert {bo.status(page) for page in pages} <= {200, 302}


def test_another_couriers_deeds_are_not_done(day: WorkingDay, stranger: Hand, db: Session) -> None:
    booked, bottle, round_id = day.loaded()
    line = f"/courier/orders/{booked.order_id}/lines/{booked.line_ids[0]}"
    for path, form in [
        (f"/courier/rounds/{round_id}/departures", {}),
        (f"/courier/rounds/{round_id}/returns", {"code": bottle.code}),
        (f"/courier/rounds/{round_id}/finishes", {}),
        (f"/courier/orders/{booked.order_id}/arrivals", {}),
        (f"/courier/orders/{booked.order_id}/undone", {"reason": "nobody_home"}),
        (f"{line}/receipt", {"proof": "door_code", "code": "123456"}),
        (f"{line}/no-check", {}),
    ]:
        status, _ = stranger.send("/courier/", path, **form)
        assert status == 404, path
    assert state_of(db, booked) is LineState.LOADED
    assert not db.scalars(sa.select(ManifestReveal)).all()
    assert not db.scalars(sa.select(SafetyCheck)).all()


def test_a_dispatcher_of_the_firm_has_no_courier_pages(app: Flask, desk: Desk, day: WorkingDay) -> None:
    """Or the opened names and phones would be read by whoever may read rounds."""
    _, _, round_id = day.loaded()
    office = Hand(app, desk, day.dispatcher)
    assert office.status(f"/courier/rounds/{round_id}") == 403
    assert Hand(app, desk, desk.sign_in(Role.REGULATOR)).status("/courier/") == 403


def test_opening_the_door_numbers_is_one_row_and_an_entry_each_time(
    day: WorkingDay, bo: Hand, db: Session
) -> None:
    booked, _, round_id = day.loaded()
    page = f"/courier/rounds/{round_id}"
    assert "tel:" not in bo.client.get(page).text
    for _ in range(2):
        assert bo.send(page, f"{page}/departures")[0] == 302
    assert "tel:138" in bo.client.get(page).text
    assert len(db.scalars(sa.select(ManifestReveal)).all()) == 1
    entries = db.scalars(sa.select(Entry).where(Entry.verb == "round.drive")).all()
    assert sum(b'"revealed":"manifest"' in entry.written for entry in entries) == 2
    # after the round they are masked again
    assert bo.send(page, f"/courier/orders/{booked.order_id}/undone", reason="nobody_home")[0] == 302


def test_a_form_sent_twice_loads_once(day: WorkingDay, bo: Hand, db: Session) -> None:
    booked = day.order()
    round_id, bottle = day.round(), day.bottle()
    page = f"/courier/rounds/{round_id}/loads"
    form = {"line_id": booked.line_ids[0], "code": bottle.code}
    first, again = (bo.send(page, page, key="the-same-key-1", **form) for _ in range(2))
    assert (first[0], again[0]) == (302, 302)
    assert len(db.scalars(sa.select(LineLoad)).all()) == 1


@pytest.mark.parametrize("line_id", ["", "no-id", "019009f5-7680-7797-9fc8-17943fe4fe75"])
def test_a_line_that_is_none_is_a_wrong_field(day: WorkingDay, bo: Hand, line_id: str) -> None:
    day.order()
    round_id = day.round()
    page = f"/courier/rounds/{round_id}/loads"
    status, _ = bo.send(page, page, line_id=line_id, code=day.bottle().code)
    assert status == 422


@pytest.mark.parametrize(
    "code", ["", "😀", "HTTPS://PAY.EXAMPLE/1?a=b&c=d", "'; DROP TABLE cylinder;--", "x" * 700]
)
def test_whatever_is_held_before_the_scanner_is_answered(day: WorkingDay, bo: Hand, code: str) -> None:
    booked = day.order()
    round_id = day.round()
    page = f"/courier/rounds/{round_id}/loads"
    status, _ = bo.send(page, page, line_id=booked.line_ids[0], code=code)
    assert status in (409, 422)


def test_a_receipt_before_its_steps_hands_nothing_over(day: WorkingDay, bo: Hand, db: Session) -> None:
    booked, _, _ = day.loaded()
    line = f"/courier/orders/{booked.order_id}/lines/{booked.line_ids[0]}"
    status, shown = bo.send("/courier/", f"{line}/receipt", proof="card_qr", card="NOTTHECARD")
    assert status == 409
    for said in ("没有出示用气卡", "还没有做安检", "没有交回空瓶"):
        assert said in shown
    assert state_of(db, booked) is LineState.LOADED
    assert not db.scalars(sa.select(Delivery)).all()


def test_gas_is_not_withheld_by_a_page_without_a_finding(day: WorkingDay, bo: Hand, db: Session) -> None:
    booked, _, _ = day.loaded()
    line = f"/courier/orders/{booked.order_id}/lines/{booked.line_ids[0]}"
    status, where = bo.send("/courier/", f"{line}/withheld")
    assert (status, where) == (302, f"{line}/check")
    assert state_of(db, booked) is LineState.LOADED


@pytest.mark.parametrize("reason", ["", "because", "nobody_home "])
def test_a_failure_without_one_of_the_reasons_fails_nothing(
    day: WorkingDay, bo: Hand, db: Session, reason: str
) -> None:
    booked, _, _ = day.loaded()
    status, _ = bo.send("/courier/", f"/courier/orders/{booked.order_id}/undone", reason=reason)
    if reason.strip() == "nobody_home":
        assert status == 302
    else:
        assert status == 422
        assert state_of(db, booked) is LineState.LOADED


def test_both_bottles_of_a_restaurant_are_failed_at_once(day: WorkingDay, bo: Hand, db: Session) -> None:
    booked = day.order(day.restaurant())
    day.round()
    assert bo.send("/courier/", f"/courier/orders/{booked.order_id}/undone", reason="no_access")[0] == 302
    states = db.scalars(sa.select(OrderLine.state).where(OrderLine.id.in_(booked.line_ids))).all()
    assert set(states) == {LineState.FAILED}
    assert len(states) == 2


def test_the_second_bottle_of_a_restaurant_needs_no_second_check(
    day: WorkingDay, bo: Hand, db: Session
) -> None:
    booked = day.order(day.restaurant())
    round_id = day.round()
    for line_id, home in zip(booked.line_ids, range(2), strict=True):
        bottle = day.bottle()
        day.load(round_id, line_id, bottle.code)
        line = f"/courier/orders/{booked.order_id}/lines/{line_id}"
        credential = day.credential(booked.home.users.card_ids[home])
        assert bo.send("/courier/", f"{line}/who", card=credential)[0] == 302
        if home == 0:
            assert bo.send("/courier/", f"{line}/check", **passed())[1] == f"{line}/bottles"
        form = {"full": bottle.code, "empty": booked.home.empties[home], "connected": "yes", "leak": "pass"}
        assert bo.send("/courier/", f"{line}/bottles", **form)[1] == f"{line}/receipt"
        assert bo.send("/courier/", f"{line}/receipt", proof="card_qr")[0] == 302
    states = db.scalars(sa.select(OrderLine.state).where(OrderLine.id.in_(booked.line_ids))).all()
    assert set(states) == {LineState.DELIVERED}
    assert len(db.scalars(sa.select(SafetyCheck)).all()) == 1


def test_a_refused_handover_keeps_the_check_and_does_not_make_it_again(
    day: WorkingDay, bo: Hand, db: Session
) -> None:
    """And whom the registrant named to receive is shown by a masked name, and is on record once they did."""
    booked, bottle, _ = day.loaded()
    named = {"person_id": str(day.cast.person(name="样例邻居")), "paper": "WT-1", "until_on": "2024-12-31"}
    proxies = day.at(f"households/{booked.home.users.household_id}/proxies")
    consent = made(day.cast.clerk.post(proxies, named | {"may_book": False, "may_receive": True}))
    line = f"/courier/orders/{booked.order_id}/lines/{booked.line_ids[0]}"
    bo.send("/courier/", f"{line}/who", card=day.credential(booked.home.users.card_ids[0]))
    bo.send("/courier/", f"{line}/check", **passed())
    form = {"full": bottle.code, "empty": booked.home.empties[0], "connected": "yes", "leak": "pass"}
    bo.send("/courier/", f"{line}/bottles", **form)
    status, shown = bo.send("/courier/", f"{line}/receipt", proof="door_code", code="123456")
    assert status == 409
    assert "没有可用的签收码" in shown
    page = bo.client.get(f"{line}/receipt").text
    assert "代收人 样**" in page
    assert "样例邻居" not in page
    nobody = bo.send("/courier/", f"{line}/receipt", proof="card_qr", received_by=str(uuid4()))
    assert nobody[0] == 409
    assert "登记人没有委托这位代收" in nobody[1]
    assert bo.send("/courier/", f"{line}/receipt", proof="card_qr", received_by=consent["id"])[0] == 302
    assert state_of(db, booked) is LineState.DELIVERED
    assert str(db.scalars(sa.select(Delivery.consent_id)).one()) == consent["id"]
    assert len(db.scalars(sa.select(SafetyCheck)).all()) == 1


def test_a_courier_without_a_round_is_told_so(app: Flask, desk: Desk, day: WorkingDay) -> None:
    idle = Hand(app, desk, day.cast.signed_in_courier(day.cast.courier()))
    assert "今天还没有排给您的配送" in idle.client.get("/courier/").text


def test_a_planned_round_shows_no_load_list_and_a_finished_one_its_count(
    day: WorkingDay, bo: Hand, db: Session
) -> None:
    day.order()
    round_id = day.planned_round()
    assert bo.client.get(f"/courier/rounds/{round_id}/loads").status_code == 302
    day.start(round_id)
    page = f"/courier/rounds/{round_id}"
    assert bo.send(f"{page}/returns", f"{page}/finishes")[0] == 302
    assert "已回站" in bo.client.get(page).text
    assert db.scalars(sa.select(Round.state)).one() is RoundState.FINISHED


def passed() -> dict[str, str]:
    """Every mandatory item passed, as the page's form says it."""
    said = {item.code: "pass" if item.mandatory else "not_applicable" for item in ITEMS.values()}
    return said | {"hose_length.measured": "1500", "burner_distance.measured": "800", "briefed": "yes"}


def test_what_hangs_at_the_door_is_entered_there_and_by_nobody_else(
    day: WorkingDay, bo: Hand, stranger: Hand, db: Session
) -> None:
    booked, _, _ = day.loaded()
    stop, at = f"/courier/orders/{booked.order_id}", f"/courier/orders/{booked.order_id}/equipment"
    assert at in bo.client.get(stop).text
    assert stranger.status(at) == 404
    seen = {"equipment-kind": "hose", "material": "rubber", "maker": "样例胶管厂", "model": "R-13"}
    assert bo.send(at, at, **seen)[0] == 422
    assert bo.send(at, at, **seen, installed_on="2022-01-01") == (302, at)
    assert "已过期" in bo.client.get(at).text
    [piece] = db.scalars(sa.select(Equipment))
    assert (piece.household_id, piece.entered_by) == (
        booked.home.users.household_id,
        day.courier.principal_id,
    )


def test_positions_are_told_from_the_page_while_a_round_is_driven_and_from_no_other(
    bo: Hand, stranger: Hand, day: WorkingDay, db: Session
) -> None:
    assert 'id="duty"' not in bo.client.get("/courier/").text
    day.order()
    round_id = day.round()
    page = bo.client.get(f"/courier/rounds/{round_id}").text
    assert f'data-device="{day.bound.device_id}"' in page
    token = page.split('data-token="')[1].split('"')[0]
    path = f"/courier/devices/{day.bound.device_id}/positions"
    point = {"lon": 121.41, "lat": 31.215, "datum": "wgs84"}
    item = {"seq": 9, "at": "2024-06-12T01:00:00.000Z", "point": point, "accuracy_m": 12}

    def tell(hand: Hand, body: object, **more: str) -> int:
        headers = {"X-CSRFToken": token, "Idempotency-Key": uuid4().hex} | more
        return hand.client.post(path, json=body, headers=headers).status_code

    for nonsense in (
        {},
        [],
        None,
        {"items": "x"},
        {"items": [item | {"at": "now"}]},
        {"items": [item], "x": 1},
    ):
        assert tell(bo, nonsense) == 422
    assert tell(bo, {"items": [item]}, **{"X-CSRFToken": "none"}) == 400
    assert tell(stranger, {"items": [item]}, **{"X-CSRFToken": _token_of(stranger)}) == 404
    assert not list(db.scalars(sa.select(CourierPosition)))
    assert tell(bo, {"items": [item]}) == 200
    [kept] = db.scalars(sa.select(CourierPosition))
    assert (str(kept.round_id), kept.device_seq, kept.mark) == (round_id, 9, None)
    made(day.finish(round_id))
    assert 'id="duty"' not in bo.client.get(f"/courier/rounds/{round_id}").text


def _token_of(hand: Hand) -> str:
    return hand.client.get("/courier/").text.split('name="csrf_token" value="')[1].split('"')[0]
