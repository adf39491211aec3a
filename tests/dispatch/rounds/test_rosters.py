"""排班 through HTTP: proposed by the worker, changed by hand, confirmed, and what a plan makes of it."""

import sys
import threading
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import clock
from core.auth import Role
from core.ground import Ground
from dispatch.rounds import roster as rostering
from dispatch.rounds import service, solving
from dispatch.rounds.models import Round, RoundPlan
from dispatch.rounds.states import PlanState, RoundState
from evidence.models import Outcome
from registry import rosters
from registry.models import Binding, Device, Staff, Vehicle
from registry.roster_models import Absence, Roster
from registry.vehicle_labels import label_text
from tests.cast import CHANGNING, Bound, made, square
from tests.conftest import THE_DAY
from tests.desk import Desk
from tests.dispatch.rounds.working_day import WorkingDay, codes
from tests.due_jobs import run_due_jobs

MORNING = {"from_s": 8 * 3600, "until_s": 14 * 3600}
YESTERDAY = date(2024, 6, 11)
AFTERNOON = {"from_s": 14 * 3600, "until_s": 20 * 3600}


def body(day: WorkingDay, /, **changed: Any) -> dict[str, Any]:
    return {
        "firm_id": str(day.cast.firm()),
        "day": clock.today().isoformat(),
        "shifts": [MORNING, AFTERNOON],
    } | changed


def ask(day: WorkingDay, /, **changed: Any) -> str:
    answer = day.dispatcher.post(day.at("roster-jobs"), body(day, **changed))
    assert answer.status_code == 202, answer.text
    return str(answer.get_json()["id"])


def look(day: WorkingDay, path: str, /, **query: str) -> dict[str, Any]:
    answer = day.dispatcher.get(day.at(path), **query)
    assert answer.status_code == 200, answer.text
    return dict(answer.get_json())


def proposed(day: WorkingDay, ground: Ground, /, **changed: Any) -> dict[str, Any]:
    job_id = ask(day, **changed)
    run_due_jobs(ground)
    job = look(day, f"roster-jobs/{job_id}")
    assert job["state"] == "done", job
    return look(day, f"rosters/{job['roster_id']}")


def confirm(day: WorkingDay, roster: dict[str, Any]) -> Any:
    return day.dispatcher.post(day.at(f"rosters/{roster['id']}/confirmations"))


def change(day: WorkingDay, roster: dict[str, Any], bound: Bound, shift: int | None, zone: Any = None) -> Any:
    said: dict[str, Any] = {"binding_id": str(bound.binding_id)}
    if shift is not None:
        said |= {"zone_id": str(zone or bound.zone_id), "shift": shift}
    return day.dispatcher.post(day.at(f"rosters/{roster['id']}/changes"), said)


def crews(plan: dict[str, Any]) -> set[str]:
    return {trip["binding_id"] for trip in plan["trips"]}


def test_a_roster_is_proposed_by_the_worker_and_names_who_is_apart_and_why(
    day: WorkingDay, ground: Ground, db: Session
) -> None:
    day.order()
    idle, lapsed = day.cast.courier(), day.cast.bind(vehicle_id=day.cast.vehicle(permit_until="2024-06-12"))
    away = day.cast.bind()
    said = {
        "firm_id": str(day.cast.firm()),
        "reason": "sick",
        "from_on": "2024-06-13",
        "until_on": "2024-06-14",
    }
    made(day.cast.clerk.post(day.at("absences"), said | {"staff_id": str(away.courier_id)}))
    roster = proposed(day, ground, day="2024-06-13")
    assert (roster["state"], roster["optimal"], roster["confirmed_at"]) == ("proposed", True, None)
    assert [line["binding_id"] for line in roster["lines"]] == [str(day.bound.binding_id)]
    apart = {one["courier_id"]: [reason["code"] for reason in one["reasons"]] for one in roster["apart"]}
    assert apart == {
        str(idle): ["roster.not_bound"],
        str(lapsed.courier_id): ["binding.permit_not_in_force"],
        str(away.courier_id): ["roster.courier_away"],
    }
    [entry] = [one for one in day.entries(db, "roster.propose") if b"lines" in one.written]
    assert b"sick" not in entry.written, "why somebody is away stays out of the evidence"
    assert list(db.scalars(sa.select(Binding.zone_id).distinct())) == [day.bound.zone_id], (
        "nobody is bound by it"
    )


def test_a_confirmed_roster_gives_the_plan_its_crews_and_shifts(
    day: WorkingDay, ground: Ground, db: Session
) -> None:
    other = day.cast.bind()
    for hour in (10, 15):
        day.order(hour=hour)
    before = day.plan()
    assert before["roster_id"] is None, "without a roster whoever is bound is planned with, and it says so"
    roster = proposed(day, ground, shifts=[AFTERNOON])
    for bound, shift in ((day.bound, 0), (other, None)):
        roster = made(change(day, roster, bound, shift))
    assert [line["binding_id"] for line in roster["lines"]] == [str(day.bound.binding_id)]
    assert [one["binding_id"] for one in roster["free"]] == [str(other.binding_id)]
    confirmed = made(confirm(day, roster))
    assert confirmed["state"] == "confirmed"
    plan = day.plan()
    assert (plan["roster_id"], crews(plan)) == (roster["id"], {str(day.bound.binding_id)})
    assert [one["code"] for one in plan["unserved"]] == ["no_crew_at_that_time"], "the morning has nobody"
    assert all(trip["leave_at"] >= "2024-06-12T14:00" for trip in plan["trips"])
    assert codes(day.apply(before["id"])) == ["plan.crew_changed"], "what was planned without it is stale"
    [entry] = day.entries(db, "roster.confirm")
    assert b'"sha256":"' in entry.written
    with clock.standing_at(THE_DAY + timedelta(minutes=1)):
        later = day.cast.bind()
    with ground.sessions() as here:
        on_duty = rosters.crews_for_zone(here, CHANGNING, day.bound.zone_id, clock.today())
    spans = {one.binding.id: (one.from_s, one.until_s) for one in on_duty.crews}
    assert spans == {
        day.bound.binding_id: (AFTERNOON["from_s"], AFTERNOON["until_s"]),
        later.binding_id: (0, 24 * 3600),
    }, "who is bound after the roster was confirmed works as bound"


def test_what_stands_against_a_change_is_said_at_once_and_nothing_is_changed(
    day: WorkingDay, ground: Ground, db: Session
) -> None:
    short = day.cast.bind(until_at=clock.at(clock.today()) + timedelta(hours=12))
    roster = proposed(day, ground)
    refused = change(day, roster, short, 1)
    assert codes(refused) == ["roster.bound_for_part"]
    assert refused.get_json()["reasons"][0]["facts"]["binding_id"] == str(short.binding_id)
    assert look(day, f"rosters/{roster['id']}")["lines"] == roster["lines"]
    assert [one.outcome for one in day.entries(db, "roster.change")] == [Outcome.REFUSED]


def pointers(answer: Any) -> list[str]:
    assert answer.status_code == 422, answer.text
    return [one["pointer"] for one in answer.get_json()["errors"]]


def test_a_change_names_a_crew_a_zone_and_a_shift_of_the_roster(day: WorkingDay, ground: Ground) -> None:
    roster, own = proposed(day, ground), str(day.bound.zone_id)
    for said, pointer in (
        ({"binding_id": str(uuid4())}, "/binding_id"),
        ({"shift": 0}, "/zone_id"),
        ({"zone_id": str(uuid4())}, "/shift"),
        ({"zone_id": str(uuid4()), "shift": 0}, "/zone_id"),
        ({"zone_id": own, "shift": 2}, "/shift"),
        ({"zone_id": own, "shift": 9}, "/shift"),
        ({"binding_id": None}, "/binding_id"),
    ):
        whole = {"binding_id": str(day.bound.binding_id)} | said
        answer = day.dispatcher.post(day.at(f"rosters/{roster['id']}/changes"), whole)
        assert pointers(answer) == [pointer]
    assert look(day, f"rosters/{roster['id']}")["lines"] == roster["lines"]


def test_a_roster_is_asked_for_with_shifts_that_make_sense(day: WorkingDay) -> None:
    for said, pointer in (
        ({"shifts": []}, "/shifts"),
        ({"shifts": [{"from_s": 7200, "until_s": 3600}]}, "/shifts/0/until_s"),
        ({"shifts": [{"from_s": 0, "until_s": 90_000}]}, "/shifts/0/until_s"),
        ({"shifts": [MORNING] * 4}, "/shifts"),
        ({"firm_id": str(uuid4())}, "/firm_id"),
        ({"day": "today"}, "/day"),
    ):
        assert pointers(day.dispatcher.post(day.at("roster-jobs"), body(day, **said))) == [pointer]


def test_what_makes_no_roster_refuses_the_job_with_its_reasons(
    day: WorkingDay, ground: Ground, db: Session
) -> None:
    firm = day.cast.another_firm()
    stranger = day.cast.desk.sign_in(Role.DISPATCHER, CHANGNING, firm=firm)
    asked = stranger.post(day.at("roster-jobs"), body(day, firm_id=str(firm)))
    run_due_jobs(ground)
    job = stranger.get(day.at(f"roster-jobs/{asked.get_json()['id']}")).get_json()
    assert job["state"] == "refused"
    assert [one["code"] for one in job["reasons"]] == ["roster.nobody", "roster.no_zones"]
    past = ask(day, day="2024-06-11")
    run_due_jobs(ground)
    assert [one["code"] for one in look(day, f"roster-jobs/{past}")["reasons"]] == ["plan.day_past"]
    assert not list(db.scalars(sa.select(Roster)))
    assert stranger.get(day.at(f"roster-jobs/{past}")).status_code == 404
    assert day.dispatcher.get(day.at(f"plan-jobs/{past}")).status_code == 404, "it is no plan's job"


@pytest.mark.solver_apart
def test_a_cancelled_or_failing_solver_leaves_what_stands(
    day: WorkingDay, ground: Ground, db: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    standing = made(confirm(day, proposed(day, ground)))
    cancelled = ask(day)
    made(day.dispatcher.post(day.at(f"roster-jobs/{cancelled}/cancellations")))
    run_due_jobs(ground)
    monkeypatch.setattr(solving, "SOLVER", ("/bin/false",))
    failed = ask(day)
    run_due_jobs(ground)
    assert look(day, f"roster-jobs/{cancelled}")["state"] == "cancelled"
    assert (look(day, f"roster-jobs/{failed}")["state"], look(day, f"roster-jobs/{failed}")["fault"]) == (
        "failed",
        "busy",
    )
    liar = "import json; print(json.dumps({'lines': [{'crew': 'x', 'zone': 'y', 'shift': 0}], 'short': [], 'moved_m': 0, 'optimal': True}))"  # noqa: E501
    monkeypatch.setattr(solving, "SOLVER", (sys.executable, "-c", liar))
    lied = ask(day)
    run_due_jobs(ground)
    assert look(day, f"roster-jobs/{lied}")["fault"] == "busy", "somebody else's crew is no roster"
    assert [(str(one.id), one.state.value) for one in db.scalars(sa.select(Roster))] == [
        (standing["id"], "confirmed")
    ]


def test_confirming_judges_again_keeps_rounds_and_replaces_what_stood(
    day: WorkingDay, ground: Ground, db: Session
) -> None:
    first = made(confirm(day, proposed(day, ground)))
    second = proposed(day, ground)
    day.order()
    round_id = day.planned_round()
    without = made(change(day, second, day.bound, None))
    refused = confirm(day, without)
    assert codes(refused) == ["roster.rounds_left"]
    assert refused.get_json()["reasons"][0]["facts"]["rounds"] == [round_id]
    made(change(day, second, day.bound, 0))
    device = db.get_one(Device, (CHANGNING, day.bound.device_id))
    device.revoked_at = THE_DAY
    db.commit()
    assert codes(confirm(day, second)) == ["binding.device_revoked"], "what changed meanwhile is seen"
    assert look(day, f"rosters/{first['id']}")["state"] == "confirmed"
    device.revoked_at = None
    db.commit()
    made(confirm(day, second))
    assert look(day, f"rosters/{first['id']}")["state"] == "replaced"
    assert codes(change(day, second, day.bound, 1)) == ["state.move_not_allowed"]
    assert codes(confirm(day, first)) == ["state.move_not_allowed"]
    listed = look(day, "rosters", day="2024-06-12")["items"]
    assert [(one["id"], one["state"]) for one in listed] == [
        (second["id"], "confirmed"),
        (first["id"], "replaced"),
    ]


def test_a_crew_sent_to_another_zone_is_bound_there_for_its_shift_and_back_home_after_it(
    day: WorkingDay, ground: Ground, db: Session
) -> None:
    zones = [
        day.cast.zone_body(),
        day.cast.zone_body(number=2, name="东片区", outline=square(west=121.44, east=121.46)),
    ]
    drawn = day.cast.zone_set_body(valid_from="2024-06-13", zones=zones)
    new_set = made(day.dispatcher.post(day.at("zone-sets"), drawn))
    home, east = (UUID(zone["id"]) for zone in new_set["zones"])
    roster = proposed(day, ground, day="2024-06-13")
    roster = made(change(day, roster, day.bound, 0, east))
    assert [line["is_elsewhere"] for line in roster["lines"]] == [True]
    made(confirm(day, roster))
    midnight = clock.at(clock.today() + timedelta(days=1))
    for hour, zone_id in ((7, day.bound.zone_id), (8, east), (13, east), (14, day.bound.zone_id)):
        [found] = db.scalars(
            sa.select(Binding).where(Binding.span.contains(midnight + timedelta(hours=hour)))
        )
        assert (found.zone_id, found.vehicle_id) == (zone_id, day.bound.vehicle_id), hour
    assert home != day.bound.zone_id


def test_a_crew_is_lent_from_now_on_and_not_away_from_rounds_of_days_to_come(
    day: WorkingDay, ground: Ground, db: Session
) -> None:
    zones = [
        day.cast.zone_body(),
        day.cast.zone_body(number=2, name="东片区", outline=square(west=121.44, east=121.46)),
    ]
    drawn = day.cast.zone_set_body(valid_from=clock.today().isoformat(), zones=zones)
    [_, east] = made(day.dispatcher.post(day.at("zone-sets"), drawn))["zones"]
    now = clock.now()
    assert now > clock.at(clock.today()) + timedelta(seconds=MORNING["from_s"]), "the shift has begun"
    roster = made(change(day, proposed(day, ground), day.bound, 0, east["id"]))
    tomorrow = clock.today() + timedelta(days=1)
    planned = RoundPlan(
        district=CHANGNING,
        firm_id=day.cast.firm(),
        zone_id=day.bound.zone_id,
        day=tomorrow,
        wave=1,
        state=PlanState.PROPOSED,
        problem={},
        plan={},
        unserved=[],
        engine="none",
        seed=0,
        iterations=0,
        travel_s=0,
        distance_m=0,
        travel_times="none",
        recorded_at=now,
    )
    db.add(planned)
    db.flush()
    to_come = Round(
        district=CHANGNING,
        plan_id=planned.id,
        firm_id=day.cast.firm(),
        zone_id=day.bound.zone_id,
        day=tomorrow,
        binding_district=CHANGNING,
        binding_id=day.bound.binding_id,
        courier_id=day.bound.courier_id,
        vehicle_id=day.bound.vehicle_id,
        supply_site_id=day.cast.supply_point(),
        state=RoundState.PLANNED,
        recorded_at=now,
    )
    db.add(to_come)
    db.commit()
    refused = confirm(day, roster)
    assert codes(refused) == ["roster.rounds_left"]
    assert refused.get_json()["reasons"][0]["facts"]["rounds"] == [str(to_come.id)]
    to_come.binding_id = uuid4()  # another crew's
    db.commit()
    made(confirm(day, roster))
    for at, zone_id in ((now - timedelta(minutes=1), day.bound.zone_id), (now, UUID(east["id"]))):
        assert db.scalars(sa.select(Binding.zone_id).where(Binding.span.contains(at))).one() == zone_id


def test_who_is_away_is_planned_with_by_nobody_and_sent_nowhere(day: WorkingDay, db: Session) -> None:
    """Without a roster that would have left them out."""
    day.order()
    planned = day.plan()
    today = clock.today().isoformat()
    away = {
        "firm_id": str(day.cast.firm()),
        "staff_id": str(day.bound.courier_id),
        "reason": "sick",
        "from_on": today,
        "until_on": today,
    }
    absence = made(day.dispatcher.post(day.at("absences"), away))
    late = day.apply(planned["id"])
    assert codes(late) == ["roster.courier_away"]
    assert late.get_json()["reasons"][0]["facts"]["binding_id"] == str(day.bound.binding_id)
    assert codes(day.dispatcher.post(day.at("plans"), day.plan_body())) == ["roster.courier_away"]
    assert not list(db.scalars(sa.select(Round)))

    other = day.cast.bind()
    plan = day.plan()
    assert {trip["binding_id"] for trip in plan["trips"]} == {str(other.binding_id)}
    [apart] = plan["apart"]
    assert (apart["binding_id"], apart["reasons"][0]["code"]) == (
        str(day.bound.binding_id),
        "roster.courier_away",
    )
    made(day.dispatcher.post(day.at(f"absences/{absence['id']}/withdrawals")))
    assert look(day, f"plans/{plan['id']}")["apart"] == []
    made(day.apply(planned["id"]))


def test_an_absence_is_of_somebody_of_the_firm_for_days_to_come_and_can_be_withdrawn(
    day: WorkingDay, ground: Ground, db: Session, desk: Desk
) -> None:
    said = {"firm_id": str(day.cast.firm()), "reason": "in_repair", "from_on": "2024-06-12"}
    truck = said | {"until_on": "2024-06-13", "vehicle_id": str(day.bound.vehicle_id)}
    entered = made(day.dispatcher.post(day.at("absences"), truck))
    roster = proposed(day, ground) if day.cast.bind() else {}
    assert [one["reasons"][0]["code"] for one in roster["apart"]] == ["roster.vehicle_away"]
    for wrong, pointer in (
        ({"until_on": "2024-06-11"}, "/until_on"),
        ({"from_on": "2024-06-01", "until_on": "2024-06-02"}, "/until_on"),
        ({"vehicle_id": str(uuid4())}, "/vehicle_id"),
        ({"staff_id": str(day.bound.courier_id)}, "/staff_id"),
        ({"reason": "because"}, "/reason"),
    ):
        answer = day.dispatcher.post(day.at("absences"), truck | wrong)
        assert [one["pointer"] for one in answer.get_json()["errors"]] == [pointer]
    stranger = desk.sign_in(Role.DISPATCHER, firm=day.cast.another_firm())
    path = day.at(f"absences/{entered['id']}/withdrawals")
    assert stranger.post(path).status_code == 404
    assert stranger.get(day.at("absences"), from_on="2024-06-01", until_on="2024-06-30").get_json() == {
        "items": []
    }
    assert made(day.dispatcher.post(path))["withdrawn_at"] is not None
    assert proposed(day, ground)["apart"] == []
    assert db.scalar(sa.select(sa.func.count()).select_from(Absence)) == 1


# --- setting out, and who stands in -------------------------------------------------------------------------


def test_the_vehicles_label_starts_the_round_and_no_other_text_does(
    day: WorkingDay, ground: Ground, db: Session
) -> None:
    day.order()
    round_id = day.planned_round()
    true = label_text(ground.keyring, CHANGNING, day.bound.vehicle_id)
    other = label_text(ground.keyring, CHANGNING, day.cast.vehicle())

    def start(**said: str) -> Any:
        return day.courier.post(day.at(f"rounds/{round_id}/starts"), said)

    assert codes(start(vehicle_code=other)) == ["round.wrong_vehicle"]
    for false in (true[:-1] + ("0" if true[-1] != "0" else "1"), "VEHICLE/310105/x/y", day.plate):
        assert codes(start(vehicle_code=false)) == ["round.false_vehicle_code"]
    for wrong in ({}, {"plate": day.plate, "vehicle_code": true}):
        assert start(**wrong).status_code == 422
    assert made(start(vehicle_code=true.lower()))["state"] == "started"
    assert b'"confirmed_by":"label"' in day.entries(db, "round.drive")[-1].written


def test_nobody_sets_out_on_a_day_their_papers_do_not_reach(day: WorkingDay, db: Session) -> None:
    """An open binding is judged by its first day when it is made; papers may have lapsed since."""
    day.order()
    round_id = day.planned_round()
    for model, key, column, value, code in (
        (Staff, day.bound.courier_id, "certificate_until", YESTERDAY, "binding.certificate_not_in_force"),
        (Vehicle, day.bound.vehicle_id, "permit_until", YESTERDAY, "binding.permit_not_in_force"),
        (Device, day.bound.device_id, "revoked_at", THE_DAY, "binding.device_revoked"),
    ):
        row: Any = db.get_one(model, (CHANGNING, key))
        before = getattr(row, column)
        setattr(row, column, value)
        db.commit()
        assert codes(day.start(round_id)) == [code]
        setattr(row, column, before)
        db.commit()
    assert look(day, f"rounds/{round_id}")["state"] == "planned"
    made(day.start(round_id))


def test_a_substitution_says_which_rounds_lose_their_crew_and_the_board_keeps_saying_so(
    day: WorkingDay, ground: Ground, db: Session
) -> None:
    day.order(hour=14)
    round_id = day.planned_round()
    stand_in = day.cast.courier()

    def substituted(from_hour: int, until_hour: int) -> dict[str, Any]:
        midnight = clock.at(clock.today())
        said = {
            "reason": "courier_sick",
            "courier_id": str(stand_in),
            "from_at": clock.stamp(midnight + timedelta(hours=from_hour)),
            "until_at": clock.stamp(midnight + timedelta(hours=until_hour)),
        }
        bindings = db.scalars(
            sa.select(Binding.id).where(
                Binding.courier_id == day.bound.courier_id,
                Binding.span.contains(midnight + timedelta(hours=from_hour)),
            )
        )
        return made(day.dispatcher.post(day.at(f"bindings/{bindings.one()}/substitutions"), said))

    def without_crew() -> list[str]:
        items = look(day, "alarms")["items"]
        return [one["subject_id"] for one in items if one["kind"] == "round_without_crew"]

    assert without_crew() == []
    assert substituted(12, 18)["stranded_round_ids"] == [round_id]
    assert without_crew() == [round_id]
    assert f'"stranded_rounds":["{round_id}"]'.encode() in day.entries(db, "binding.substitute")[0].written
    noted = {"day": "2024-06-12", "kind": "round_without_crew", "subject_id": round_id, "action": "passed_on"}
    made(day.dispatcher.post(day.at("alarm-notes"), noted))


@pytest.mark.parametrize("first", ["plan", "roster"])
def test_of_a_plan_and_a_roster_without_its_crew_at_once_only_the_first_holds(
    day: WorkingDay, ground: Ground, db: Session, monkeypatch: pytest.MonkeyPatch, first: str
) -> None:
    """Real threads: the second comes while the first has done everything but commit."""
    other = day.cast.bind()
    day.order()
    roster = proposed(day, ground)
    for bound, shift in ((day.bound, None), (other, 0)):
        roster = made(change(day, roster, bound, shift))
    plan = day.plan()
    assert crews(plan) <= {str(day.bound.binding_id), str(other.binding_id)}
    if crews(plan) != {str(day.bound.binding_id)}:
        pytest.fail("the plan was to be driven by the crew that the roster leaves out")
    calls = {"plan": lambda: day.apply(plan["id"]), "roster": lambda: confirm(day, roster)}
    is_done, is_tried = threading.Event(), threading.Event()
    last_act = {"plan": (service, "_driven_by"), "roster": (rostering, "_where_it_works")}[first]
    act = getattr(*last_act)

    def done_and_waiting(*given: Any) -> Any:
        found = act(*given)
        is_done.set()
        is_tried.wait(0.5)
        return found

    monkeypatch.setattr(*last_act, done_and_waiting)
    second = "roster" if first == "plan" else "plan"
    answers: dict[str, Any] = {}

    def try_the_second() -> None:
        is_done.wait(10)
        answers[second] = calls[second]()
        is_tried.set()

    threads = [
        threading.Thread(target=lambda: answers.update({first: calls[first]()})),
        threading.Thread(target=try_the_second),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    made(answers[first])
    assert codes(answers[second]) == [{"roster": "roster.rounds_left", "plan": "plan.crew_changed"}[second]]
    confirmed = [one.state.value for one in db.scalars(sa.select(Roster))] == ["confirmed"]
    assert (confirmed, len(list(db.scalars(sa.select(Round))))) == (first == "roster", int(first == "plan"))
