"""The dispatcher's pages: what they show, what they do, what they refuse, and whose they are."""

from datetime import time, timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import clock
from core.auth import Role
from core.ground import Ground
from core.jobs import Job
from dispatch.orders.models import Order, Slot
from dispatch.rounds import service
from dispatch.rounds.models import Round, RoundPlan, ZoneApproval
from oversight.models import AlarmNote, Look
from registry.models import Binding, Card
from registry.states import CardState
from registry.zone_models import Substitution
from routing import solve
from tests.cast import made
from tests.desk import Desk
from tests.dispatch.rounds.working_day import LARGE, SMALL, WorkingDay
from tests.due_jobs import run_due_jobs
from tests.web.dispatcher_desk import DispatcherDesk


@pytest.fixture
def day(desk: Desk) -> WorkingDay:
    return WorkingDay(desk)


@pytest.fixture
def here(desk: Desk, day: WorkingDay) -> DispatcherDesk:
    return DispatcherDesk(desk, day.dispatcher)


PAGES = (
    "/",
    "/live",
    "/bookings",
    "/slots",
    "/plans",
    "/crews",
    "/alarms",
    "/hotline",
    "/rosters",
    "/outside-zone",
    "/left-over",
)


@pytest.mark.parametrize("path", PAGES)
def test_every_page_opens_on_an_empty_day(here: DispatcherDesk, path: str) -> None:
    here.look(f"/dispatch{path}")
    here.look(f"/dispatch{path}?day=2031-01-01")


def test_a_day_that_is_none_is_no_page(here: DispatcherDesk) -> None:
    here.look("/dispatch/?day=yesterday", 404)
    here.look("/dispatch/bookings?zone=west", 404)


def test_the_board_counts_the_day(here: DispatcherDesk, day: WorkingDay) -> None:
    day.order()
    day.loaded()
    seen = here.look("/dispatch/")
    assert day.plate in seen
    assert "0/2" in seen, "both stand on the crew's round, none is done"


def test_what_is_planned_is_looked_at_and_then_applied(
    here: DispatcherDesk, day: WorkingDay, ground: Ground, db: Session
) -> None:
    day.order()
    left = day.order(day.restaurant((LARGE,)))
    asked = here.send(
        "/dispatch/plans", "/dispatch/plan-jobs", {"zone_id": str(day.bound.zone_id), "wave": "1"}
    )
    assert asked.status_code == 303
    job_page = asked.headers["Location"]
    assert "排队中" in here.look(job_page)
    run_due_jobs(ground)
    done = here.client.get(f"{job_page}/state")
    assert done.headers["HX-Redirect"] == job_page
    review = here.client.get(job_page)
    assert review.status_code == 303
    plan_page = review.headers["Location"]
    seen = here.look(plan_page)
    assert "第 1 趟" in seen
    assert "规格不允许" in seen
    assert left.order_id[-8:].upper() in seen
    assert not list(db.scalars(sa.select(Round))), "looking at a plan sends nobody anywhere"
    applied = here.send(f"{plan_page}/apply", f"{plan_page}/apply", {})
    assert applied.status_code == 303
    assert "已下发" in here.look(plan_page)
    assert len(list(db.scalars(sa.select(Round)))) == 1


def test_a_plan_that_no_longer_stands_is_refused_on_its_page(
    here: DispatcherDesk, day: WorkingDay, db: Session
) -> None:
    booked = day.order()
    plan = day.plan()
    made(day.cast.clerk.post(day.at(f"orders/{booked.order_id}/cancellations")))
    page = f"/dispatch/plans/{plan['id']}/apply"
    refused = here.send(page, page, {})
    assert refused.status_code == 409
    assert "方案排好后有订单变了" in refused.text
    assert "重新排一次" in refused.text
    assert not list(db.scalars(sa.select(Round)))


def test_a_plan_made_again_says_what_it_does_otherwise(here: DispatcherDesk, day: WorkingDay) -> None:
    day.order()
    first = day.plan()
    assert "比 " not in here.look(f"/dispatch/plans/{first['id']}")
    day.order(hour=14)
    second = day.plan()
    seen = here.look(f"/dispatch/plans/{second['id']}")
    assert "比 09:00 那个方案：换车 0 户，多送 1 户，少送 0 户" in seen
    assert "比 09:00 那个方案" in here.look(f"/dispatch/plans/{second['id']}/apply")


def test_a_job_is_cancelled_from_its_page(
    here: DispatcherDesk, day: WorkingDay, ground: Ground, db: Session
) -> None:
    day.order()
    asked = here.send(
        "/dispatch/plans", "/dispatch/plan-jobs", {"zone_id": str(day.bound.zone_id), "wave": "1"}
    )
    page = asked.headers["Location"]
    assert here.send(page, f"{page}/cancel", {}).status_code == 303
    assert "已取消，什么都没有变" in here.look(page)
    run_due_jobs(ground)
    assert not list(db.scalars(sa.select(RoundPlan)))


def test_what_cannot_be_planned_says_why_at_once_or_on_the_jobs_page(
    here: DispatcherDesk, day: WorkingDay, ground: Ground
) -> None:
    form = {"zone_id": str(day.bound.zone_id), "wave": "1"}
    refused = here.send("/dispatch/plans", "/dispatch/plan-jobs", form)
    assert (refused.status_code, "没有待排的订单" in refused.text) == (409, True)
    order = day.order()
    asked = here.send("/dispatch/plans", "/dispatch/plan-jobs", form)
    made(day.cast.clerk.post(day.at(f"orders/{order.order_id}/cancellations")))
    run_due_jobs(ground)
    assert "没有待排的订单" in here.look(asked.headers["Location"])


def test_a_form_sent_twice_asks_once(here: DispatcherDesk, day: WorkingDay, db: Session) -> None:
    day.order()
    form = {"zone_id": str(day.bound.zone_id), "wave": "1"}
    first = here.send("/dispatch/plans", "/dispatch/plan-jobs", form, key="the-same-form")
    again = here.send("/dispatch/plans", "/dispatch/plan-jobs", form, key="the-same-form")
    assert first.headers["Location"] == again.headers["Location"]
    assert len(list(db.scalars(sa.select(Job)))) == 1


def test_bookings_are_narrowed_in_the_address_and_masked(here: DispatcherDesk, day: WorkingDay) -> None:
    morning, afternoon = day.order(hour=10), day.order(hour=14)
    both = here.look("/dispatch/bookings")
    for booked in (morning, afternoon):
        assert booked.order_id[-8:].upper() in both
    only = here.look(f"/dispatch/bookings?slot={day.slot(14)}")
    assert afternoon.order_id[-8:].upper() in only
    assert morning.order_id[-8:].upper() not in only
    assert "没有符合的预约" in here.look("/dispatch/bookings?state=delivered")
    assert "***" in both or "*" in both


def test_a_slot_is_opened_and_closed(here: DispatcherDesk, day: WorkingDay, db: Session) -> None:
    form = {"zone_id": str(day.bound.zone_id), "starts": "16:00", "ends": "18:00", "capacity": "12"}
    assert here.send("/dispatch/slots", "/dispatch/slots", form).status_code == 303
    [slot] = db.scalars(sa.select(Slot))
    assert (slot.capacity, slot.closed) == (12, False)
    overlapping = here.send("/dispatch/slots", "/dispatch/slots", form)
    assert overlapping.status_code == 409
    assert len(list(db.scalars(sa.select(Slot)))) == 1
    assert here.send("/dispatch/slots", f"/dispatch/slots/{slot.id}/close", {}).status_code == 303
    db.refresh(slot)
    assert slot.closed


def test_a_slot_with_wrong_fields_is_shown_again_with_its_faults(
    here: DispatcherDesk, day: WorkingDay, db: Session
) -> None:
    form = {"zone_id": str(day.bound.zone_id), "starts": "", "ends": "noon", "capacity": "many"}
    answer = here.send("/dispatch/slots", "/dispatch/slots", form)
    assert answer.status_code == 422
    assert 'href="#starts"' in answer.text
    assert 'href="#capacity"' in answer.text
    assert not list(db.scalars(sa.select(Slot)))


def test_a_caller_is_booked_for_under_the_same_rules(
    here: DispatcherDesk, day: WorkingDay, db: Session
) -> None:
    home, slot = day.home(), day.slot()
    card = home.users.card_ids[0]
    page = "/dispatch/hotline"
    found = here.send(page, "/dispatch/hotline/card", {"card": f" {day.credential(card).lower()}\u200b"})
    assert "来电的用户" in found.text
    form = {
        "card": day.credential(card),
        "household_id": str(home.users.household_id),
        "card_ids": str(card),
        "slot_id": slot,
        "purpose": "cooking",
    }
    without = here.send(page, "/dispatch/hotline", form | {"purpose": ""})
    assert without.status_code == 409
    assert "可以这样说" in without.text
    assert not list(db.scalars(sa.select(Order)))
    booked = here.send(page, "/dispatch/hotline", form)
    assert booked.status_code == 303
    [order] = db.scalars(sa.select(Order))
    assert order.channel.value == "hotline"
    assert order.id.hex[-8:].upper() in here.look(booked.headers["Location"])


def test_a_refused_booking_keeps_its_cards_ticked_and_a_closed_card_is_not_offered(
    here: DispatcherDesk, day: WorkingDay, db: Session
) -> None:
    home, slot = day.restaurant((SMALL, SMALL, SMALL)), day.slot()
    first, second, closed = home.users.card_ids
    db.execute(sa.update(Card).where(Card.id == closed).values(state=CardState.CLOSED))
    db.commit()
    page, read_out = "/dispatch/hotline", day.credential(first)
    found = here.send(page, "/dispatch/hotline/card", {"card": read_out}).text
    assert (_ticked(found, first), _ticked(found, second), str(closed) in found) == (True, False, False)
    form = {
        "card": read_out,
        "household_id": str(home.users.household_id),
        "card_ids": str(second),
        "slot_id": slot,
    }
    refused = here.send(page, "/dispatch/hotline", form)
    assert refused.status_code == 409
    assert (_ticked(refused.text, first), _ticked(refused.text, second)) == (False, True)
    assert not list(db.scalars(sa.select(Order)))


def _ticked(page: str, card: UUID) -> bool:
    return f'name="card_ids" value="{card}" checked' in page


def test_a_clerk_books_for_whoever_stands_at_the_counter(desk: Desk, day: WorkingDay, db: Session) -> None:
    """The same page and the same rules; the order says that it was made at the counter."""
    counter = DispatcherDesk(desk, day.cast.clerk)
    home, slot = day.home(), day.slot()
    card = home.users.card_ids[0]
    page = counter.look("/dispatch/hotline")
    assert "/office/" in page
    assert "/dispatch/plans" not in page, "what a clerk may not do is not offered"
    form = {
        "card": day.credential(card),
        "household_id": str(home.users.household_id),
        "card_ids": str(card),
        "slot_id": slot,
        "purpose": "cooking",
    }
    booked = counter.send("/dispatch/hotline", "/dispatch/hotline", form)
    assert booked.status_code == 303
    assert db.scalars(sa.select(Order.channel)).one().value == "counter"
    assert "/dispatch/bookings" not in counter.look(booked.headers["Location"])


def test_a_caller_is_offered_slots_however_many_there_have_been(
    here: DispatcherDesk, day: WorkingDay, db: Session
) -> None:
    for ago in range(1, 202):
        of_then = clock.today() - timedelta(days=ago)
        starts_at, ends_at = (clock.at(of_then, time(hour)) for hour in (10, 12))
        db.add(
            Slot(
                district=day.cast.district,
                zone_id=day.bound.zone_id,
                day=of_then,
                starts_at=starts_at,
                ends_at=ends_at,
                capacity=9,
                taken=0,
                closed=False,
                recorded_at=starts_at,
            )
        )
    db.commit()
    home, slot = day.home(), day.slot()
    card = day.credential(home.users.card_ids[0])
    assert slot in here.send("/dispatch/hotline", "/dispatch/hotline/card", {"card": card}).text


def test_a_caller_is_found_by_telephone_or_address_and_each_look_at_a_home_is_kept(
    here: DispatcherDesk, day: WorkingDay, db: Session
) -> None:
    def called(said: str, **more: str) -> str:
        return here.send("/dispatch/hotline", "/dispatch/hotline/card", {"card": said} | more).text

    family = [day.cast.registrant(phone="13912340001") for _ in range(2)]
    homes = [day.cast.household(person=one, address=f"样例路{n}号") for n, one in enumerate(family)]
    assert "是哪一户来电" in called("+86 139-1234 0001")
    chosen = called("139 1234 0001", household_id=str(homes[1].household_id))
    assert "来电的用户" in chosen
    assert str(homes[1].card_ids[0]) in chosen
    assert str(homes[0].card_ids[0]) not in chosen
    looked = list(db.scalars(sa.select(Look.subject_id).order_by(Look.id)))
    assert looked.count(homes[1].household_id) == 2
    assert "来电的用户" in called("样例路 0号")
    assert "查不到" in called("1391234000")
    assert "查不到" in called("13912340001' OR '1'='1")


def test_a_telephone_of_another_firms_user_finds_nobody(desk: Desk, day: WorkingDay, db: Session) -> None:
    day.cast.household(person=day.cast.registrant(phone="13912340001"))
    stranger = DispatcherDesk(desk, desk.sign_in(Role.DISPATCHER, firm=day.cast.another_firm()))
    for said in ("13912340001", "样例路1号"):
        answer = stranger.send("/dispatch/hotline", "/dispatch/hotline/card", {"card": said})
        assert "查不到，或不是本单位的用户" in answer.text
    assert db.scalar(sa.select(sa.func.count()).select_from(Look)) == 0


def test_a_card_nobody_knows_finds_nobody(here: DispatcherDesk, day: WorkingDay) -> None:
    answer = here.send("/dispatch/hotline", "/dispatch/hotline/card", {"card": "NOTACARD"})
    assert "查不到，或不是本单位的用户" in answer.text


def test_a_binding_is_ended_and_another_bound(here: DispatcherDesk, day: WorkingDay, db: Session) -> None:
    old = day.bound
    ended = here.send("/dispatch/crews", f"/dispatch/crews/{old.binding_id}/end", {})
    assert ended.status_code == 303
    substitute = day.cast.courier()
    form = {
        "courier_id": str(substitute),
        "vehicle_id": str(day.vehicle_id),
        "device_id": str(day.cast.device()),
        "zone_id": str(old.zone_id),
        "from": "09:00",
        "until": "18:00",
    }
    bound = here.send("/dispatch/crews", "/dispatch/crews", form)
    assert bound.status_code == 303, bound.text
    couriers = set(db.scalars(sa.select(Binding.courier_id).where(~sa.func.isempty(Binding.span))))
    assert substitute in couriers
    again = here.send("/dispatch/crews", "/dispatch/crews", form)
    assert again.status_code == 409


def test_a_substitute_is_entered_with_reason_and_end_and_what_loses_its_crew_is_handed_on(
    here: DispatcherDesk, desk: Desk, day: WorkingDay, db: Session
) -> None:
    day.order(hour=14)
    day.planned_round()
    page = f"/dispatch/crews/{day.bound.binding_id}/substitute"
    assert page in here.look("/dispatch/crews")
    form = {
        "courier_id": str(day.cast.courier()),
        "reason": "courier_sick",
        "until_on": clock.today().isoformat(),
        "until": "20:00",
    }
    for changed, status in (
        ({"until": "08:00"}, 422),
        ({"until": "noon"}, 422),
        ({"reason": "because"}, 422),
        ({"courier_id": ""}, 422),
        ({"from_on": clock.today().isoformat(), "from": "07:00"}, 422),
    ):
        assert here.send(page, page, form | changed).status_code == status
    assert not list(db.scalars(sa.select(Substitution)))
    done = here.send(page, page, form)
    assert done.status_code == 303, done.text
    [row] = db.scalars(sa.select(Substitution))
    assert (row.reason.value, row.until_at) == ("courier_sick", clock.at(clock.today(), time(20)))
    seen = here.look(done.location)
    assert "送气工生病" in seen
    assert "余单改派" in seen
    handed_on = {"zone_id": str(day.bound.zone_id), "binding_id": str(day.bound.binding_id)}
    assert here.send(page, "/dispatch/changes", handed_on).status_code == 303
    assert "这条人车对应已经结束" in here.look(page)
    rival = DispatcherDesk(desk, desk.sign_in(Role.DISPATCHER, firm=day.cast.another_firm()))
    rival.look(page, 404)
    rival.look(done.location, 404)


def test_what_lies_outside_the_crews_zone_waits_on_a_page_and_is_approved_there_with_a_reason(
    here: DispatcherDesk, desk: Desk, day: WorkingDay, db: Session
) -> None:
    booked = day.order()
    round_id, page = day.round(), "/dispatch/outside-zone"
    short, at = booked.order_id[-8:].upper(), f"{page}/{booked.order_id}"
    assert short not in here.look(page), "it lies in its crew's zone"
    db.get_one(Binding, (day.cast.district, day.bound.binding_id)).zone_id = UUID(int=5)
    db.commit()
    assert f"批准 {short}" in here.look(page)
    for path in ("/dispatch/", "/dispatch/bookings"):
        assert f'href="{page}?day=2024-06-12"' in here.look(path)
    assert '范围外待批 <span class="en" lang="en">Outside the zone</span></dt><dd>' in here.look("/dispatch/")
    for form in ({}, {"reason": ""}, {"reason": "because"}):
        assert here.send(page, at, form).status_code == 422
    rival = DispatcherDesk(desk, desk.sign_in(Role.DISPATCHER, firm=day.cast.another_firm()))
    assert short not in rival.look(page)
    assert rival.send(page, at, {"reason": "urgent_need"}).status_code == 404
    assert not list(db.scalars(sa.select(ZoneApproval)))
    assert here.send(page, at, {"reason": "urgent_need", "day": "2024-06-12"}).status_code == 303
    [row] = db.scalars(sa.select(ZoneApproval))
    assert (str(row.round_id), str(row.order_id), row.reason.value) == (
        round_id,
        booked.order_id,
        "urgent_need",
    )
    seen = here.look(page)
    assert f"批准 {short}" not in seen
    assert "用户急需" in seen
    again = here.send(page, at, {"reason": "urgent_need"})
    assert again.status_code == 409
    assert "已经批准过" in again.text
    made(day.load(round_id, booked.line_ids[0], day.bottle().code))


def test_a_failed_visit_is_an_alarm_until_somebody_says_what_they_did(
    here: DispatcherDesk, day: WorkingDay, db: Session
) -> None:
    booked, _, _ = day.loaded()
    failed = {"line_id": booked.line_ids[0], "reason": "nobody_home"}
    made(day.courier.post(day.at(f"orders/{booked.order_id}/failures"), failed))
    seen = here.look("/dispatch/alarms")
    assert "没送成" in seen
    assert "家里没人" in seen
    form = {
        "kind": "visit_failed",
        "subject_id": booked.line_ids[0],
        "action": "user_called",
        "note": "下午再送",
    }
    assert here.send("/dispatch/alarms", "/dispatch/alarms", form).status_code == 303
    [note] = db.scalars(sa.select(AlarmNote))
    assert (note.action.value, note.note) == ("user_called", "下午再送")
    assert "下午再送" in here.look("/dispatch/alarms")
    again = here.send("/dispatch/alarms", "/dispatch/alarms", form | {"action": "rebooked"})
    assert again.status_code == 409
    assert len(list(db.scalars(sa.select(AlarmNote)))) == 1


def test_an_alarm_that_does_not_stand_cannot_be_acknowledged(
    here: DispatcherDesk, day: WorkingDay, db: Session
) -> None:
    booked = day.order()
    form = {"kind": "order_late", "subject_id": booked.order_id, "action": "user_called"}
    assert here.send("/dispatch/hotline", "/dispatch/alarms", form).status_code == 404
    assert not list(db.scalars(sa.select(AlarmNote)))


def test_another_firms_dispatcher_sees_nothing_of_it(desk: Desk, day: WorkingDay) -> None:
    booked = day.order()
    plan = day.plan()
    stranger = DispatcherDesk(desk, desk.sign_in(Role.DISPATCHER, firm=day.cast.another_firm()))
    for path in PAGES:
        seen = stranger.look(f"/dispatch{path}")
        assert booked.order_id[-8:].upper() not in seen
        assert day.plate not in seen
    stranger.look(f"/dispatch/plans/{plan['id']}", 404)
    stranger.look(f"/dispatch/plans/{plan['id']}/apply", 404)
    card = day.credential(booked.home.users.card_ids[0])
    looked = stranger.send("/dispatch/hotline", "/dispatch/hotline/card", {"card": card})
    assert "查不到，或不是本单位的用户" in looked.text


def test_the_next_door_is_expected_by_how_late_the_round_runs(
    here: DispatcherDesk, day: WorkingDay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "solve_apart", lambda problem, _, seed, *more: solve(problem, 0, seed))
    first, second = day.order(hour=10), day.order(hour=14)
    round_id = day.round()
    bottle = day.bottle()
    made(day.load(round_id, first.line_ids[0], bottle.code))
    assert "· 14:00" in here.look(f"/dispatch/bookings?slot={day.slot(14)}")
    with clock.standing_at(clock.now() + timedelta(hours=6)):  # 15:00, five hours behind
        made(day.arrive(first))
        made(day.deliver(first, day.report(first, bottle)))
        later = DispatcherDesk(day.desk, day.dispatcher)  # nobody is signed in for so long
        seen = later.look(f"/dispatch/bookings?slot={day.slot(14)}")
        assert second.order_id[-8:].upper() in seen
        assert "· 15:0" in seen
        assert ">15:0" in later.look("/dispatch/live")
