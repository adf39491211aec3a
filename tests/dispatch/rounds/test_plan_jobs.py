"""Plans as jobs: asked and answered at once, made by the worker, looked at, cancelled, refused."""

import sys
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import clock, jobs
from core.auth import Grant, Role, ScopeKind
from core.ground import Ground
from core.jobs import Job, JobState
from core.postgres import Cluster
from dispatch.rounds import service, solving
from dispatch.rounds.models import RoundPlan
from evidence.models import Outcome
from tests.cast import made
from tests.conftest import CHANGNING, DATABASE, doing_as
from tests.desk import Desk
from tests.dispatch.rounds.working_day import WorkingDay, codes
from tests.due_jobs import run_due_jobs

pytestmark = pytest.mark.solver_apart


def ask(day: WorkingDay, /, **changed: Any) -> str:
    answer = day.dispatcher.post(day.at("plan-jobs"), day.plan_body(**changed))
    assert answer.status_code == 202, answer.text
    assert answer.get_json()["state"] == "asked"
    return str(answer.get_json()["id"])


def ask_in_vain(day: WorkingDay) -> str:
    """The only order is cancelled before the worker comes to it."""
    order = day.order()
    job_id = ask(day)
    made(day.cast.clerk.post(day.at(f"orders/{order.order_id}/cancellations")))
    return job_id


def look(day: WorkingDay, job_id: str) -> dict[str, Any]:
    answer = day.dispatcher.get(day.at(f"plan-jobs/{job_id}"))
    assert answer.status_code == 200
    return dict(answer.get_json())


def plans(db: Session) -> list[RoundPlan]:
    return list(db.scalars(sa.select(RoundPlan)))


def queued(cluster: Cluster) -> list[tuple[str, str]]:
    with psycopg.connect(cluster.conninfo(DATABASE)) as owner:
        return owner.execute(
            "SELECT args ->> 'job_id', status::text FROM procrastinate.procrastinate_jobs ORDER BY id"
        ).fetchall()


def test_a_plan_asked_for_is_made_by_the_worker(day: WorkingDay, ground: Ground, db: Session) -> None:
    order = day.order()
    job_id = ask(day)
    assert not plans(db), "nothing is made while somebody waits for an answer"
    run_due_jobs(ground)
    done = look(day, job_id)
    assert (done["state"], done["step"], done["fault"]) == ("done", None, None)
    plan = day.dispatcher.get(day.at(f"plans/{done['plan_id']}")).get_json()
    assert [stop["order_id"] for trip in plan["trips"] for stop in trip["stops"]] == [order.order_id]
    [made_entry] = day.entries(db, "plan.make")
    assert made_entry.actor_id == day.dispatcher.principal_id, "whoever asked is who did it"


def test_a_job_that_was_done_leaves_the_queue(day: WorkingDay, ground: Ground, cluster: Cluster) -> None:
    day.order()
    job_id = ask(day)
    assert queued(cluster) == [(job_id, "todo")]
    run_due_jobs(ground)
    assert queued(cluster) == []


def test_what_came_up_since_it_was_asked_refuses_the_job_with_its_reasons(
    day: WorkingDay, ground: Ground, db: Session
) -> None:
    job_id = ask_in_vain(day)
    run_due_jobs(ground)
    refused = look(day, job_id)
    assert refused["state"] == "refused"
    assert [reason["code"] for reason in refused["reasons"]] == ["plan.nothing_to_plan"]
    [entry] = day.entries(db, "plan.make")
    assert entry.outcome is Outcome.REFUSED
    assert entry.refusal_no == refused["refusal_no"]
    assert not plans(db)


def test_asking_with_the_same_key_asks_once(day: WorkingDay, cluster: Cluster) -> None:
    day.order()
    first = day.dispatcher.post(day.at("plan-jobs"), day.plan_body(), key="ask-key-1")
    again = day.dispatcher.post(day.at("plan-jobs"), day.plan_body(), key="ask-key-1")
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.get_json()["id"] == again.get_json()["id"]
    assert len(queued(cluster)) == 1


def test_a_deed_that_is_undone_queues_nothing(
    day: WorkingDay, ground: Ground, cluster: Cluster, monkeypatch: pytest.MonkeyPatch, db: Session
) -> None:
    """The job and its place in the queue stand or fall with the deed."""
    day.order()

    def broken(*_: object, **__: object) -> None:
        raise OSError("the power went")

    monkeypatch.setattr("evidence.deed._write_entry", broken)
    doing = doing_as(ground, Role.DISPATCHER, ScopeKind.FIRM, str(day.cast.firm()))
    with pytest.raises(OSError, match="power"):
        service.ask_plan(doing, zone_id=day.bound.zone_id, day=clock.today(), wave=1, iterations=200, seed=7)
    assert queued(cluster) == []
    assert db.scalar(sa.select(sa.func.count()).select_from(Job)) == 0


def test_a_failing_solver_fails_the_job_and_leaves_what_stands(
    day: WorkingDay, ground: Ground, db: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    day.order()
    standing = day.plan()
    assert day.apply(standing["id"]).status_code == 201
    day.order()
    monkeypatch.setattr(solving, "SOLVER", ("/bin/false",))
    job_id = ask(day, wave=2)
    run_due_jobs(ground)  # the first, done by hand, leaves the queue
    run_due_jobs(ground)
    failed = look(day, job_id)
    assert (failed["state"], failed["fault"], failed["plan_id"]) == ("failed", "busy", None)
    assert [str(plan.id) for plan in plans(db)] == [standing["id"]]
    assert plans(db)[0].state == "applied"


def test_a_job_whose_end_could_not_be_written_down_runs_again(
    day: WorkingDay, ground: Ground, db: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = ask_in_vain(day)
    write_down, tried = jobs._end, []

    def away_at_first(*given: Any, **outcome: Any) -> None:
        tried.append(given)
        if len(tried) == 1:
            raise OSError("the database is away")
        write_down(*given, **outcome)

    monkeypatch.setattr(jobs, "_end", away_at_first)
    run_due_jobs(ground)
    assert look(day, job_id)["state"] == "running", "nobody could say how it ended"
    run_due_jobs(ground)
    assert len(tried) == 2
    assert look(day, job_id)["state"] == "refused"
    assert len(day.entries(db, "plan.make")) == 1, "the refusal is the same one, said again"


def test_a_job_is_nobodys_once_the_grant_of_its_asker_has_ended(
    day: WorkingDay, ground: Ground, db: Session
) -> None:
    day.order()
    job_id = ask(day)
    db.execute(
        sa.update(Grant).where(Grant.principal_id == day.dispatcher.principal_id).values(until_at=clock.now())
    )
    db.commit()
    run_due_jobs(ground)
    job = db.get_one(Job, (CHANGNING, UUID(job_id)))
    assert (job.state, job.fault) == (JobState.FAILED, jobs.Fault.GRANT_ENDED)
    assert not plans(db)


# --- cancelling -------------------------------------------------------------------------------------------


def test_a_job_cancelled_before_its_turn_is_not_done(day: WorkingDay, ground: Ground, db: Session) -> None:
    day.order()
    job_id = ask(day)
    cancelled = day.dispatcher.post(day.at(f"plan-jobs/{job_id}/cancellations"))
    assert made(cancelled)["state"] == "cancelled"
    run_due_jobs(ground)
    assert look(day, job_id)["state"] == "cancelled"
    assert not plans(db)
    assert not day.entries(db, "plan.make")


def test_cancelling_while_it_is_solved_kills_the_solver_and_stores_nothing(
    day: WorkingDay, ground: Ground, db: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    day.order()
    sleeper = (sys.executable, "-c", "import time; time.sleep(600)")
    monkeypatch.setattr(solving, "SOLVER", sleeper)
    monkeypatch.setattr(solving, "LOOK_EVERY_S", 0.05)
    job_id = ask(day)
    say = jobs.Running.say

    def cancelled_when_it_solves(running: jobs.Running, step: str) -> None:
        say(running, step)
        if step == "solving":
            assert look(day, job_id)["step"] == "solving"
            made(day.dispatcher.post(day.at(f"plan-jobs/{job_id}/cancellations")))

    monkeypatch.setattr(jobs.Running, "say", cancelled_when_it_solves)
    run_due_jobs(ground)
    assert look(day, job_id)["state"] == "cancelled"
    assert not plans(db)


def test_a_plan_ready_after_its_job_was_cancelled_is_thrown_away(
    day: WorkingDay, ground: Ground, db: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    day.order()
    job_id = ask(day)
    solve = solving._plan_of

    def cancelled_at_the_end(*given: Any) -> Any:
        plan = solve(*given)
        made(day.dispatcher.post(day.at(f"plan-jobs/{job_id}/cancellations")))
        return plan

    monkeypatch.setattr(solving, "_plan_of", cancelled_at_the_end)
    run_due_jobs(ground)
    assert look(day, job_id)["state"] == "cancelled"
    assert not plans(db)
    assert not day.entries(db, "plan.make")


def test_what_is_done_cannot_be_cancelled(day: WorkingDay, ground: Ground, db: Session) -> None:
    day.order()
    job_id = ask(day)
    run_due_jobs(ground)
    assert codes(day.dispatcher.post(day.at(f"plan-jobs/{job_id}/cancellations"))) == [
        "state.move_not_allowed"
    ]
    assert look(day, job_id)["state"] == "done"
    assert len(plans(db)) == 1


def test_another_firms_dispatcher_finds_no_such_job(day: WorkingDay, desk: Desk) -> None:
    day.order()
    job_id = ask(day)
    stranger = desk.sign_in(Role.DISPATCHER, firm=day.cast.another_firm())
    assert stranger.get(day.at(f"plan-jobs/{job_id}")).status_code == 404
    assert stranger.post(day.at(f"plan-jobs/{job_id}/cancellations")).status_code == 404
    assert stranger.post(day.at("plan-jobs"), day.plan_body()).status_code == 422
    assert day.dispatcher.get(day.at(f"plan-jobs/{uuid4()}")).status_code == 404
    assert look(day, job_id)["state"] == "asked"
