"""Plans through HTTP: solved, checked, stored; applied once, by whoever comes first, if all still stands."""

import json
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import date, time, timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from core import clock
from core.auth import Role, ScopeKind
from core.jobs import Job
from dispatch.rounds import service, solving
from dispatch.rounds.models import Round, RoundPlan, RoundStop
from evidence.models import Link, Outcome, SubjectType
from evidence.verify import verify
from oversight.board import board
from routing import Note, Plan, Problem, check, solve
from tests.cast import EAST, WEST, Bound, made, square
from tests.conftest import doing_as
from tests.desk import Desk
from tests.dispatch.rounds.working_day import LARGE, WorkingDay, codes

pytestmark = pytest.mark.solver_apart


def stored(db: Session) -> list[RoundPlan]:
    return list(db.scalars(sa.select(RoundPlan)))


def post_plan(day: WorkingDay, /, **changed: Any) -> TestResponse:
    return day.dispatcher.post(day.at("plans"), day.plan_body(**changed))


def touched(db: Session, type: SubjectType) -> set[str]:
    return set(db.scalars(sa.select(Link.subject_key).where(Link.subject_type == type)))


def redrawn(day: WorkingDay, from_on: date) -> list[str]:
    """The one zone is two halves from that day; their ids, west and east."""
    half = (WEST + EAST) / 2
    west, east = (
        day.cast.zone_body(number=n, outline=o) for n, o in ((1, square(east=half)), (2, square(west=half)))
    )
    body = day.cast.zone_set_body(valid_from=from_on.isoformat(), zones=[west, east])
    return [zone["id"] for zone in made(day.dispatcher.post(day.at("zone-sets"), body))["zones"]]


# --- make -------------------------------------------------------------------------------------------------


def test_what_was_booked_before_zones_were_redrawn_is_planned_where_its_door_lies(
    day: WorkingDay, db: Session
) -> None:
    tomorrow = clock.today() + timedelta(days=1)
    west, east = (
        day.order(day.home(point={"lon": lon, "lat": 31.21, "datum": "wgs84"}), day=tomorrow)
        for lon in (WEST + 0.005, EAST - 0.005)
    )
    zones = redrawn(day, tomorrow)
    for zone in zones:
        bound = Bound(UUID(int=0), day.cast.courier(), day.cast.vehicle(), day.cast.device(), UUID(zone))
        made(day.dispatcher.post(day.at("bindings"), day.cast.binding_body(bound, clock.at(tomorrow))))
    for zone, order in zip(zones, (west, east), strict=True):
        plan = day.plan(zone_id=zone, day=tomorrow.isoformat())
        assert [stop["order_id"] for trip in plan["trips"] for stop in trip["stops"]] == [order.order_id]
        made(day.apply(plan["id"]))
    doing = doing_as(day.desk.ground, Role.DISPATCHER, ScopeKind.FIRM, str(day.cast.firm()))
    shown = {
        str(row.zone.id): [str(visit.order_id) for visit in row.visits]
        for row in board(doing, tomorrow).zones
    }
    assert shown == {zones[0]: [west.order_id], zones[1]: [east.order_id]}


def test_a_plan_serves_what_is_booked_and_can_be_checked_again(day: WorkingDay, db: Session) -> None:
    orders = [day.order(), day.order(), day.order(day.new_home())]
    plan = day.plan()
    stops = [stop["order_id"] for trip in plan["trips"] for stop in trip["stops"]]
    assert sorted(stops) == sorted(order.order_id for order in orders)
    assert plan["unserved"] == []
    assert plan["state"] == "proposed"
    [row] = stored(db)
    assert not check(Problem.from_plain(row.problem), Plan.from_plain(row.plan))


def test_a_plan_says_where_its_travel_times_come_from(day: WorkingDay) -> None:
    day.order()
    assert day.plan()["travel_times"] == "great-circle x 1.35"


@pytest.mark.parametrize("note", Note)
def test_a_plan_that_is_not_as_good_as_it_could_be_says_so(
    day: WorkingDay, monkeypatch: pytest.MonkeyPatch, note: Note
) -> None:
    day.order()

    def worse(problem: Problem, _: int, seed: int, *more: Any) -> Plan:
        return replace(solve(problem, 0, seed), notes=(note,))

    monkeypatch.setattr(service, "solve_apart", worse)
    [said] = day.plan()["notes"]
    assert said["code"] == note.value
    assert said["zh"]
    assert said["en"].isascii()


def test_what_a_new_user_gets_brings_no_empty_back(day: WorkingDay, db: Session) -> None:
    old, new = day.order(), day.order(day.new_home())
    day.plan()
    [row] = stored(db)
    collects = {stop["id"]: stop["collects"] for stop in row.problem["stops"]}
    assert collects == {old.order_id: 1, new.order_id: 0}


def test_the_same_orders_and_seed_give_the_same_plan(day: WorkingDay) -> None:
    for _ in range(3):
        day.order()
    first, second = day.plan(), day.plan()
    assert first["id"] != second["id"]
    assert first["trips"] == second["trips"]


def test_stops_are_reached_within_their_slots(day: WorkingDay) -> None:
    day.order(hour=10)
    day.order(hour=14)
    starts = [stop["start_at"] for trip in day.plan()["trips"] for stop in trip["stops"]]
    assert "2024-06-12T10:00" <= starts[0] <= "2024-06-12T12:00"
    assert "2024-06-12T14:00" <= starts[1] <= "2024-06-12T16:00"


def test_nobody_leaves_before_the_plan_was_made(day: WorkingDay) -> None:
    day.order()
    assert all(trip["leave_at"] >= "2024-06-12T09:00" for trip in day.plan()["trips"])


def test_what_cannot_be_served_comes_back_with_its_reason_in_words(day: WorkingDay) -> None:
    served = day.order()
    left = day.order(day.restaurant((LARGE,)))
    plan = day.plan()
    assert [stop["order_id"] for trip in plan["trips"] for stop in trip["stops"]] == [served.order_id]
    [unserved] = plan["unserved"]
    assert (unserved["order_id"], unserved["code"]) == (left.order_id, "no_vehicle_can_carry")
    assert "规格不允许" in unserved["zh"]
    assert "no vehicle may carry it" in unserved["en"]


def test_a_zone_without_a_crew_is_refused_with_its_reason(day: WorkingDay, db: Session) -> None:
    tomorrow = clock.today() + timedelta(days=1)
    day.dispatcher.post(day.at(f"bindings/{day.bound.binding_id}/end"))
    day.order(day=tomorrow)
    assert codes(post_plan(day, day=tomorrow.isoformat())) == ["plan.no_crew"]
    assert not stored(db)
    assert [entry.outcome for entry in day.entries(db, "plan.ask")] == [Outcome.REFUSED]
    assert not list(db.scalars(sa.select(Job))), "nobody waits in the queue to hear it"


def test_a_day_without_orders_is_refused(day: WorkingDay, db: Session) -> None:
    assert codes(post_plan(day)) == ["plan.nothing_to_plan"]
    assert not stored(db)


def test_a_day_that_is_past_is_refused(day: WorkingDay, db: Session) -> None:
    assert codes(post_plan(day, day="2024-06-11")) == ["plan.day_past"]
    assert not stored(db)


def test_another_firms_dispatcher_finds_no_such_zone(day: WorkingDay, desk: Desk, db: Session) -> None:
    day.order()
    stranger = desk.sign_in(Role.DISPATCHER, firm=day.cast.another_firm())
    answer = stranger.post(day.at("plans"), day.plan_body())
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.get_json()["errors"]] == ["/zone_id"]
    assert not stored(db)
    plan = day.plan()
    assert stranger.get(day.at(f"plans/{plan['id']}")).status_code == 404
    assert stranger.post(day.at(f"plans/{plan['id']}/applications")).status_code == 404


def test_no_plan_is_solved_while_somebody_waits_for_the_answer(
    day: WorkingDay, monkeypatch: pytest.MonkeyPatch, db: Session
) -> None:
    day.order()
    monkeypatch.setattr(solving, "_ask_child", lambda *_: pytest.fail("solved beside the queue"))
    first, other = post_plan(day), day.dispatcher.post(day.at("plan-jobs"), day.plan_body())
    for answer in (first, other):
        assert (answer.status_code, answer.get_json()["state"]) == (202, "asked")
        assert answer.headers["Location"] == day.at(f"plan-jobs/{answer.get_json()['id']}")
    assert not stored(db)


def test_the_same_key_answers_alike_and_asks_once(day: WorkingDay, db: Session) -> None:
    day.order()
    first, again = (day.dispatcher.post(day.at("plans"), day.plan_body(), key="plan-key-1") for _ in range(2))
    assert first.get_json() == again.get_json()
    assert again.headers["Idempotency-Replayed"] == "true"
    assert len(list(db.scalars(sa.select(Job)))) == 1


# --- the child and the checker ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "program", ["import time; time.sleep(600)", "raise SystemExit(1)", "print('garbage')"]
)
def test_a_failing_solver_leaves_the_service_answering(
    day: WorkingDay, monkeypatch: pytest.MonkeyPatch, db: Session, program: str
) -> None:
    day.order()
    with monkeypatch.context() as broken:
        broken.setattr(solving, "WALL_GUARD_S", 0.5)
        broken.setattr(solving, "SOLVER", (sys.executable, "-c", program))
        failed = day.plan_job()
    assert (failed["state"], failed["fault"]) == ("failed", "busy")
    assert not stored(db)
    assert not day.entries(db, "plan.make")
    assert day.plan()["unserved"] == []


TAMPERED = """
import json, subprocess, sys
plan = json.loads(subprocess.run([sys.executable, "-m", "routing"], input=sys.stdin.buffer.read(),
                                 capture_output=True).stdout)
{change}
print(json.dumps(plan))
"""


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ("plan['trips'][0]['visits'].pop()", "not_accounted_for"),
        ("plan['travel_s'] += 1", "wrong_travel_sum"),
        ("plan['trips'][0]['load'] = 99", "over_capacity_leaving"),
        ("plan['problem'] = '0' * 64", "other_problem"),
    ],
)
def test_a_plan_that_fails_the_independent_check_is_not_stored(
    day: WorkingDay, monkeypatch: pytest.MonkeyPatch, db: Session, change: str, fault: str
) -> None:
    for _ in range(2):
        day.order()
    monkeypatch.setattr(solving, "SOLVER", (sys.executable, "-c", TAMPERED.format(change=change)))
    refused = day.plan_job()
    assert [reason["code"] for reason in refused["reasons"]] == ["plan.checker_refused"]
    assert fault in refused["reasons"][0]["facts"]["codes"]
    assert not stored(db)
    [entry] = day.entries(db, "plan.make")
    assert entry.outcome is Outcome.REFUSED
    assert fault in json.dumps(json.loads(entry.written)["reasons"])


# --- apply ------------------------------------------------------------------------------------------------


def test_an_applied_plan_becomes_a_round_with_its_stops_in_order(day: WorkingDay, db: Session) -> None:
    orders = [day.order() for _ in range(3)]
    plan = day.plan()
    [round_id] = made(day.apply(plan["id"]))["round_ids"]
    round = made_round(day, round_id)
    assert (round["state"], round["plate"]) == ("planned", day.plate)
    assert round["courier_id"] == str(day.bound.courier_id)
    planned = [stop["order_id"] for trip in plan["trips"] for stop in trip["stops"]]
    assert [stop["order_id"] for stop in round["stops"]] == planned
    assert {order.order_id for order in orders} <= touched(db, SubjectType.ORDER)
    assert str(day.bound.binding_id) in touched(db, SubjectType.BINDING)
    assert not list(verify(db))


def made_round(day: WorkingDay, round_id: str) -> dict[str, Any]:
    answer = day.dispatcher.get(day.at(f"rounds/{round_id}"))
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.get_json()
    return body


def test_a_plan_with_a_cancelled_order_is_stale_and_makes_no_round(day: WorkingDay, db: Session) -> None:
    day.order()
    cancelled = day.order()
    plan = day.plan()
    made_or_ok(day.cast.clerk.post(day.at(f"orders/{cancelled.order_id}/cancellations")))
    answer = day.apply(plan["id"])
    assert codes(answer) == ["plan.stale"]
    assert answer.get_json()["reasons"][0]["facts"]["orders"] == [cancelled.order_id]
    assert no_rounds(db)
    assert stored(db)[0].state.value == "proposed"
    [entry] = day.entries(db, "plan.apply")
    assert entry.outcome is Outcome.REFUSED


def made_or_ok(answer: TestResponse) -> None:
    assert answer.status_code in (200, 201), answer.text


def no_rounds(db: Session) -> bool:
    return not list(db.scalars(sa.select(Round))) and not list(db.scalars(sa.select(RoundStop)))


def test_an_order_on_a_round_is_not_planned_and_not_applied_again(day: WorkingDay, db: Session) -> None:
    on_round = day.order()
    first, second = day.plan(), day.plan(wave=2)
    made(day.apply(first["id"]))
    answer = day.apply(second["id"])
    assert codes(answer) == ["plan.stale", "plan.crew_busy"]
    assert answer.get_json()["reasons"][0]["facts"]["orders"] == [on_round.order_id]
    assert codes(post_plan(day, wave=3)) == ["plan.nothing_to_plan"]
    later = day.order()
    assert [stop["order_id"] for trip in day.plan(wave=3)["trips"] for stop in trip["stops"]] == [
        later.order_id
    ]


def test_a_second_wave_waits_for_the_crew_to_come_back(day: WorkingDay) -> None:
    day.order(hour=10)
    first = day.plan()
    made(day.apply(first["id"]))
    day.order(hour=10)
    second = day.plan(wave=2)
    assert second["trips"][0]["leave_at"] > first["trips"][-1]["return_at"]


def test_a_plan_whose_binding_has_ended_is_refused(day: WorkingDay, db: Session) -> None:
    day.order()
    plan = day.plan()
    made_or_ok(day.dispatcher.post(day.at(f"bindings/{day.bound.binding_id}/end")))
    answer = day.apply(plan["id"])
    assert codes(answer) == ["plan.crew_changed"]
    assert answer.get_json()["reasons"][0]["facts"]["bindings"] == [str(day.bound.binding_id)]
    assert no_rounds(db)


def test_a_plan_that_has_lain_until_its_slots_were_over_is_not_applied(day: WorkingDay, db: Session) -> None:
    over, _ = day.order(hour=10), day.order(hour=14)
    plan = day.plan()
    with clock.standing_at(clock.at(clock.today(), time(12))):
        late = day.apply(plan["id"])
    assert codes(late) == ["plan.slot_over"]
    assert late.get_json()["reasons"][0]["facts"]["orders"] == [over.order_id]
    with clock.standing_at(clock.at(clock.today() + timedelta(days=1))):  # midnight, and not a moment after
        assert codes(day.apply(plan["id"])) == ["plan.day_past"]
    assert no_rounds(db)


def test_a_crew_that_was_given_more_since_is_not_sent_to_two_doors_at_once(
    day: WorkingDay, db: Session
) -> None:
    """An urgent order joins the first wave while the second lies there to be reviewed."""
    day.order()
    made(day.apply(day.plan()["id"]))
    day.order()
    second, urgent = day.plan(wave=2), day.order()
    body = {"zone_id": str(day.bound.zone_id), "order_id": urgent.order_id}
    change = made(day.dispatcher.post(day.at("round-changes"), body))
    made(day.dispatcher.post(day.at(f"round-changes/{change['id']}/applications")))
    answer = day.apply(second["id"])
    assert codes(answer) == ["plan.crew_busy"]
    assert answer.get_json()["reasons"][0]["facts"]["bindings"] == [str(day.bound.binding_id)]
    assert len(list(db.scalars(sa.select(Round)))) == 1
    third = day.plan(wave=2)
    made(day.apply(third["id"]))


def test_a_plan_that_serves_nobody_is_not_applied(day: WorkingDay, db: Session) -> None:
    day.order(day.restaurant((LARGE,)))
    assert codes(day.apply(day.plan()["id"])) == ["plan.serves_nobody"]
    assert no_rounds(db)


def together(*acts: Callable[[], TestResponse]) -> list[int]:
    """The status of each, all begun at once."""
    start = threading.Barrier(len(acts))
    answers: list[int] = []

    def go(act: Callable[[], TestResponse]) -> None:
        start.wait()
        answers.append(act().status_code)

    threads = [threading.Thread(target=go, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(answers)


@pytest.mark.both_ends
@pytest.mark.parametrize("checked", [True, False], ids=["checked", "by the database alone"])
@pytest.mark.parametrize("wave", [1, 2], ids=["of one wave", "of two waves"])
def test_of_two_plans_applied_at_once_exactly_one_stands(
    day: WorkingDay, db: Session, monkeypatch: pytest.MonkeyPatch, wave: int, checked: bool
) -> None:
    booked = day.order()
    first, second = day.plan(), day.plan(wave=wave)
    if not checked:
        for looked_at in ("_stale_orders", "_busy_crews"):
            monkeypatch.setattr(service, looked_at, lambda *_: [])
    acts = [lambda plan=plan: day.apply(plan["id"]) for plan in (first, second)]
    assert together(*acts) == [201, 409]
    assert len(list(db.scalars(sa.select(Round)))) == 1
    assert [str(stop.order_id) for stop in db.scalars(sa.select(RoundStop))] == [booked.order_id]
    assert sorted(plan.state.value for plan in stored(db)) == ["applied", "proposed"]
