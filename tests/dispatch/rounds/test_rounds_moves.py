"""A stop put to another place by hand: asked, proposed, then done; or a plan in another's place."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from core import clock
from core.auth import Role
from dispatch.rounds import service
from dispatch.rounds.by_hand import BROKEN
from dispatch.rounds.models import Round, RoundChange, RoundPlan, RoundStop
from routing import Fault, Plan, Problem, check, solve
from tests.cast import made
from tests.dispatch.rounds.working_day import LARGE, Booked, WorkingDay, codes


def seats(db: Session, round_id: Any) -> list[tuple[int, UUID]]:
    db.expire_all()
    rows = db.scalars(
        sa.select(RoundStop)
        .where(RoundStop.round_id == UUID(str(round_id)), RoundStop.active)
        .order_by(RoundStop.trip, RoundStop.position)
    )
    return [(row.trip, row.order_id) for row in rows]


def ask(day: WorkingDay, order: Booked, **place: Any) -> dict[str, Any]:
    query = {"zone_id": str(day.bound.zone_id), "order_id": order.order_id}
    answer = day.dispatcher.get(day.at("round-changes/verdict"), **query, **place)
    assert answer.status_code == 200, answer.text
    return dict(answer.get_json())


def propose(day: WorkingDay, order: Booked, version: int | None = None, **to: Any) -> TestResponse:
    body: dict[str, Any] = {"zone_id": str(day.bound.zone_id), "order_id": order.order_id, "to": to}
    return day.dispatcher.post(
        day.at("round-changes"), body | ({} if version is None else {"version": version})
    )


def apply(day: WorkingDay, change: dict[str, Any]) -> TestResponse:
    return day.dispatcher.post(day.at(f"round-changes/{change['id']}/applications"))


def rows(db: Session) -> list[int]:
    return [db.scalar(sa.select(sa.func.count()).select_from(kept)) or 0 for kept in (RoundChange, RoundPlan)]


@pytest.fixture(autouse=True)
def planned_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is moved matters here, not how it was planned: no child process is waited for."""
    monkeypatch.setattr(service, "solve_apart", lambda problem, _, seed, *more: solve(problem, 0, seed))


@pytest.fixture
def driven(day: WorkingDay) -> tuple[str, list[Booked]]:
    """A round of three doors far apart; the orders as they are driven."""
    booked = [
        day.order(day.home(point={"lon": 121.41 + 0.004 * n, "lat": 31.215, "datum": "wgs84"}))
        for n in range(3)
    ]
    round_id = day.round()
    stops = day.dispatcher.get(day.at(f"rounds/{round_id}")).get_json()["stops"]
    by_id = {one.order_id: one for one in booked}
    return round_id, [by_id[stop["order_id"]] for stop in stops]


# --- a day under way --------------------------------------------------------------------------------------


def test_a_stop_changes_its_place_in_its_round_after_a_look_and_a_second_step(
    day: WorkingDay, driven: tuple[str, list[Booked]], db: Session
) -> None:
    round_id, (first, second, third) = driven
    seen = ask(day, third, before_order_id=first.order_id)
    assert (seen["allowed"], seen["reasons"], seen["version"]) == (True, [], 1)
    [crew] = seen["crews"]
    assert crew["before"]["stops"] == crew["after"]["stops"] == 3
    assert [trip["reserved_units"] for trip in crew["after"]["trips"]] == [3]
    assert {one["order_id"] for one in seen["stops"]} >= {first.order_id, third.order_id}
    assert rows(db) == [0, 1]  # asking stores nothing

    change = made(propose(day, third, seen["version"], before_order_id=first.order_id))
    assert (change["kind"], change["before_order_id"]) == ("moved_stop", first.order_id)
    assert seats(db, round_id) == [(1, UUID(one.order_id)) for one in (first, second, third)]
    made(apply(day, change))
    assert seats(db, round_id) == [(1, UUID(one.order_id)) for one in (third, first, second)]
    [kept] = db.scalars(sa.select(RoundChange))
    assert not check(Problem.from_plain(kept.problem), Plan.from_plain(kept.plan))
    arrivals = [
        stop["arrive_at"] for stop in day.dispatcher.get(day.at(f"rounds/{round_id}")).get_json()["stops"]
    ]
    assert arrivals == sorted(arrivals)


def test_a_stop_goes_to_another_crew_of_the_zone_and_the_courier_drives_it(
    day: WorkingDay, driven: tuple[str, list[Booked]], db: Session
) -> None:
    round_id, (first, second, third) = driven
    other = day.cast.bind()
    seen = ask(day, second, binding_id=str(other.binding_id), trip=1)
    assert seen["allowed"]
    [moved] = [one for one in seen["stops"] if one["order_id"] == second.order_id]
    assert (moved["from_binding_id"], moved["to_binding_id"]) == (
        str(day.bound.binding_id),
        str(other.binding_id),
    )
    change = made(propose(day, second, binding_id=str(other.binding_id), trip=1))
    assert [one["order_id"] for one in change["moved"]] == [second.order_id]
    made(apply(day, change))
    assert seats(db, round_id) == [(1, UUID(first.order_id)), (1, UUID(third.order_id))]
    [theirs] = db.scalars(sa.select(Round).where(Round.binding_id == other.binding_id))
    assert seats(db, theirs.id) == [(1, UUID(second.order_id))]
    courier = day.cast.signed_in_courier(other.courier_id)
    made(courier.post(day.at(f"rounds/{theirs.id}/starts"), {"plate": day.plate_of(other.vehicle_id)}))
    made(day.load(str(theirs.id), second.line_ids[0], day.bottle().code, by=courier))


def test_an_order_that_waits_is_put_between_two_doors(
    day: WorkingDay, driven: tuple[str, list[Booked]], db: Session
) -> None:
    round_id, (first, second, third) = driven
    waiting = day.order()
    made(apply(day, made(propose(day, waiting, before_order_id=second.order_id))))
    assert [order for _, order in seats(db, round_id)] == [
        UUID(one.order_id) for one in (first, waiting, second, third)
    ]


def test_of_two_dispatchers_the_later_is_told_and_moves_nothing(
    day: WorkingDay, driven: tuple[str, list[Booked]], db: Session
) -> None:
    round_id, (first, second, third) = driven
    mine, theirs = (made(propose(day, order, 1, before_order_id=first.order_id)) for order in (second, third))
    made(apply(day, mine))
    standing = seats(db, round_id)
    assert codes(apply(day, theirs)) == ["move.seen_otherwise"]
    assert codes(propose(day, third, 1, before_order_id=first.order_id)) == ["move.seen_otherwise"]
    assert [one["code"] for one in ask(day, third, before_order_id=first.order_id, version=1)["reasons"]] == [
        "move.seen_otherwise"
    ]
    assert seats(db, round_id) == standing
    made(apply(day, made(propose(day, third, 2, before_order_id=first.order_id))))


def test_an_urgent_order_worked_out_before_a_hand_moved_something_is_refused(
    day: WorkingDay, driven: tuple[str, list[Booked]], db: Session
) -> None:
    round_id, (first, _, third) = driven
    urgent = day.order()
    body = {"zone_id": str(day.bound.zone_id), "order_id": urgent.order_id}
    change = made(day.dispatcher.post(day.at("round-changes"), body))
    made(apply(day, made(propose(day, third, before_order_id=first.order_id))))
    assert codes(apply(day, change)) == ["move.seen_otherwise"]
    assert seats(db, round_id)[0] == (1, UUID(third.order_id))


def test_what_breaks_a_rule_is_named_and_stored_nowhere(
    day: WorkingDay, driven: tuple[str, list[Booked]], db: Session
) -> None:
    round_id, (first, second, _) = driven
    other = day.cast.bind()
    for order in (first, second):
        made(day.load(round_id, order.line_ids[0], day.bottle().code))
    made(day.courier.post(day.at(f"rounds/{round_id}/manifests")))
    standing = seats(db, round_id)

    elsewhere = {"binding_id": str(other.binding_id), "trip": 1}
    seen = ask(day, first, **elsewhere)
    assert not seen["allowed"]
    assert {one["code"] for one in seen["reasons"]} == {"move.loaded_elsewhere"}
    assert {one["after"] for one in seen["crews"]} == {None}
    assert codes(propose(day, first, **elsewhere)) == ["move.loaded_elsewhere"]
    next_trip = {"binding_id": str(day.bound.binding_id), "trip": 2}
    assert codes(propose(day, second, **next_trip)) == ["move.loaded_elsewhere"]
    big = day.order(day.restaurant((LARGE,)))
    assert codes(propose(day, big, **elsewhere)) == ["move.vehicle_not_allowed"]
    assert rows(db) == [0, 1]
    assert seats(db, round_id) == standing


def test_nothing_goes_before_the_door_a_courier_is_on_the_way_to(
    day: WorkingDay, driven: tuple[str, list[Booked]], db: Session
) -> None:
    round_id, (first, second, third) = driven
    for order in (first, second, third):
        made(day.load(round_id, order.line_ids[0], day.bottle().code))
    made(day.courier.post(day.at(f"rounds/{round_id}/manifests")))
    assert codes(propose(day, third, before_order_id=first.order_id)) == ["move.before_next_door"]
    made(apply(day, made(propose(day, third, before_order_id=second.order_id))))
    assert [order for _, order in seats(db, round_id)] == [
        UUID(one.order_id) for one in (first, third, second)
    ]


def test_who_has_set_out_since_is_not_given_another_order_of_doors(
    day: WorkingDay, driven: tuple[str, list[Booked]], db: Session
) -> None:
    round_id, (first, second, third) = driven
    change = made(propose(day, third, before_order_id=first.order_id))
    for order in (first, second, third):
        made(day.load(round_id, order.line_ids[0], day.bottle().code))
    made(day.courier.post(day.at(f"rounds/{round_id}/manifests")))
    assert codes(apply(day, change)) == ["plan.stale"]
    assert seats(db, round_id)[0] == (1, UUID(first.order_id))


def test_places_that_are_none_are_named(
    day: WorkingDay, driven: tuple[str, list[Booked]], db: Session
) -> None:
    _, (first, second, _) = driven
    own = str(day.bound.binding_id)
    assert codes(propose(day, first, before_order_id=str(uuid4()))) == ["move.no_such_place"]
    assert codes(propose(day, first, before_order_id=first.order_id)) == ["move.no_such_place"]
    assert codes(propose(day, first, binding_id=own, trip=9)) == ["move.no_such_place"]
    assert codes(propose(day, first, before_order_id=second.order_id)) == ["move.stands_there"]
    assert codes(propose(day, first, binding_id=str(uuid4()), trip=1)) == ["change.no_such_crew"]
    tomorrow = day.order(day=clock.today() + timedelta(days=1))
    assert codes(propose(day, tomorrow, before_order_id=first.order_id)) == ["move.not_here"]
    assert rows(db) == [0, 1]


@pytest.mark.parametrize(
    "to", [{}, {"trip": 1}, {"binding_id": str(uuid4())}, {"before_order_id": str(uuid4()), "trip": 1}]
)
def test_a_place_is_said_in_one_way(day: WorkingDay, to: dict[str, Any]) -> None:
    order = Booked(str(uuid4()), [], None)  # type: ignore[arg-type]
    assert propose(day, order, **to).status_code == 422
    query = {"zone_id": str(day.bound.zone_id), "order_id": order.order_id} | to
    assert day.dispatcher.get(day.at("round-changes/verdict"), **query).status_code == 422


# --- a plan -----------------------------------------------------------------------------------------------


def test_a_plan_changed_by_hand_takes_the_old_ones_place_and_is_applied_as_a_second_step(
    day: WorkingDay, db: Session
) -> None:
    for n in range(3):
        day.order(day.home(point={"lon": 121.41 + 0.004 * n, "lat": 31.215, "datum": "wgs84"}))
    plan = day.plan()
    first, _, third = [stop["order_id"] for stop in plan["trips"][0]["stops"]]
    place = {"order_id": third, "before_order_id": first}
    seen = day.dispatcher.get(day.at(f"plans/{plan['id']}/moves/verdict"), **place).get_json()
    assert (seen["allowed"], seen["version"]) == (True, None)
    assert rows(db) == [0, 1]

    moved = made(day.dispatcher.post(day.at(f"plans/{plan['id']}/moves"), place))
    assert moved["trips"][0]["stops"][0]["order_id"] == third
    assert (moved["engine"], moved["state"]) == ("by_hand 1", "proposed")
    old = day.dispatcher.get(day.at(f"plans/{plan['id']}")).get_json()
    assert old["state"] == "discarded"
    again = day.dispatcher.post(day.at(f"plans/{plan['id']}/moves"), place)
    assert codes(again) == ["move.seen_otherwise"]  # the later of two dispatchers
    assert "move.seen_otherwise" in codes(day.apply(plan["id"]))
    assert not list(db.scalars(sa.select(Round)))
    [round_id] = made(day.apply(moved["id"]))["round_ids"]
    assert seats(db, round_id)[0] == (1, UUID(third))


def test_a_plan_is_not_moved_against_a_slot_or_beyond_what_a_vehicle_may_carry(
    day: WorkingDay, db: Session
) -> None:
    early, late = day.order(), day.order(hour=14)
    big = day.order(day.restaurant((LARGE,)))
    plan = day.plan()
    own = str(day.bound.binding_id)

    def refused(**body: Any) -> list[str]:
        return codes(day.dispatcher.post(day.at(f"plans/{plan['id']}/moves"), body))

    trips = {stop["order_id"]: trip["number"] for trip in plan["trips"] for stop in trip["stops"]}
    assert trips[late.order_id] >= trips[early.order_id]
    assert set(refused(order_id=late.order_id, before_order_id=early.order_id)) == {"move.slot_missed"}
    assert "move.vehicle_not_allowed" in refused(order_id=big.order_id, binding_id=own, trip=1)
    assert refused(order_id=str(uuid4()), before_order_id=early.order_id) == ["move.not_here"]
    assert rows(db) == [0, 1]
    assert day.dispatcher.get(day.at(f"plans/{plan['id']}")).get_json()["state"] == "proposed"


def test_another_firm_asks_and_moves_nothing(day: WorkingDay) -> None:
    booked = day.order()
    plan = day.plan()
    rival = day.desk.sign_in(Role.DISPATCHER, firm=str(day.cast.another_firm()))
    place = {"order_id": booked.order_id, "binding_id": str(day.bound.binding_id), "trip": 2}
    assert rival.get(day.at(f"plans/{plan['id']}/moves/verdict"), **place).status_code == 404
    assert rival.post(day.at(f"plans/{plan['id']}/moves"), place).status_code == 404
    zone = {"zone_id": str(day.bound.zone_id)}
    assert rival.get(day.at("round-changes/verdict"), **place, **zone).status_code == 422


def test_every_rule_that_routes_can_break_has_a_name_of_its_own() -> None:
    of_what_a_plan_states = {fault for fault in Fault if fault.value.startswith("wrong_")}
    of_ids = {
        Fault.OTHER_PROBLEM,
        Fault.UNKNOWN_VEHICLE,
        Fault.UNKNOWN_STOP,
        Fault.DUPLICATE_STOP,
        Fault.SERVED_AND_UNSERVED,
        Fault.NOT_ACCOUNTED_FOR,
        Fault.EMPTY_TRIP,
        Fault.TIME_RUNS_BACKWARDS,
    }
    by_timing = {Fault.LEFT_BEFORE_RELEASE, Fault.RELOAD_TOO_SHORT}  # bare routes are timed to keep them
    assert set(Fault) - of_what_a_plan_states - of_ids - by_timing == BROKEN.keys()
