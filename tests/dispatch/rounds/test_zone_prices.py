"""What fixed zones cost, through HTTP: asked for, worked out by the worker, cancelled, refused."""

import sys
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import jobs
from core.auth import Role
from core.ground import Ground
from dispatch.rounds import solving, zone_prices
from dispatch.rounds.models import Round, RoundPlan
from dispatch.rounds.zone_price_models import ZonePrice
from evidence.models import Outcome
from registry.models import Binding
from tests.cast import CHANGNING, made
from tests.desk import Desk
from tests.dispatch.rounds.two_zones import TwoZones
from tests.dispatch.rounds.working_day import codes
from tests.due_jobs import run_due_jobs, worked


def look(town: TwoZones, path: str, by: Any = None, /, **query: str) -> dict[str, Any]:
    answer = (by or town.day.dispatcher).get(town.day.at(path), **query)
    assert answer.status_code == 200, answer.text
    return dict(answer.get_json())


def job_of(town: TwoZones, by: Any = None, /, **changed: Any) -> str:
    answer = town.ask(by, **changed)
    assert answer.status_code == 202, answer.text
    return str(answer.get_json()["id"])


def kept(db: Session) -> list[ZonePrice]:
    return list(db.scalars(sa.select(ZonePrice)))


def test_a_day_is_priced_whole_beside_the_same_crews_free_and_nothing_else_changes(
    desk: Desk, ground: Ground, db: Session
) -> None:
    town = TwoZones(desk)
    for zone in (0, 1):
        for step in range(2):
            town.order(zone, step)
    job_id = job_of(town)
    assert not kept(db), "nothing is worked out while somebody waits for an answer"
    run_due_jobs(ground)
    job = look(town, f"zone-price-jobs/{job_id}")
    assert (job["state"], job["step"], job["reasons"]) == ("done", None, [])
    price = look(town, f"zone-prices/{job['zone_price_id']}")
    fixed, free = price["fixed"], price["free"]
    assert [(zone["number"], zone["orders"], zone["crews"]) for zone in price["zones"]] == [
        (1, 2, 1),
        (2, 2, 1),
    ]
    assert (fixed["unserved"], free["unserved"], fixed["late_s"], free["late_s"]) == (0, 0, 0, 0)
    assert (fixed["vehicles"], free["vehicles"], price["elsewhere"]) == (2, 1, 2)
    assert free["distance_m"] < fixed["distance_m"] * 0.6
    assert free["travel_s"] < fixed["travel_s"]
    assert (price["iterations"], price["is_cut"], price["travel_times"]) == (
        400,
        False,
        "great-circle x 1.35",
    )
    assert not list(db.scalars(sa.select(RoundPlan))), "it is no plan, and nobody drives by it"
    assert not list(db.scalars(sa.select(Round)))
    [entry] = town.day.entries(db, "zone_price.keep")
    assert entry.actor_id == town.day.dispatcher.principal_id, "whoever asked is who did it"
    assert b"121.4" not in entry.written, "where people live stands in no entry"

    # once the day is driven it is priced the same: as it was booked
    planned = town.day.plan(zone_id=str(town.zones[0]))
    made(town.day.apply(planned["id"]))
    regulator = town.day.cast.regulator
    job_of(town, regulator)
    run_due_jobs(ground)
    again, first = look(town, "zone-prices", regulator, supply_site_id=str(town.site), day="2024-06-12")[
        "items"
    ]
    assert first["id"] == price["id"]
    assert (again["problem"], again["fixed"], again["free"]) == (price["problem"], fixed, free)


def test_a_crew_that_a_plan_leaves_out_has_no_part_in_the_price(
    desk: Desk, ground: Ground, db: Session
) -> None:
    """As the plan: with papers that lapse, or away, nobody drives in the free plan either."""
    town = TwoZones(desk)
    for zone in (0, 1):
        town.order(zone)
    with ground.sessions() as session:
        ill = session.get_one(Binding, (CHANGNING, UUID(town.bindings[1]))).courier_id
    said = {"firm_id": str(town.day.cast.firm()), "reason": "sick", "staff_id": str(ill)}
    days = {"from_on": "2024-06-12", "until_on": "2024-06-12"}
    made(town.day.cast.clerk.post(town.day.at("absences"), said | days))
    path = town.day.at("zone-price-jobs")
    done = worked(ground, town.day.dispatcher, path, town.body())
    [price] = kept(db)
    assert str(price.id) == done["zone_price_id"]
    assert [zone["crews"] for zone in price.zones] == [1, 0]
    assert (price.fixed["unserved"], price.free["unserved"]) == (1, 0)
    plan = town.day.dispatcher.post(town.day.at("plans"), town.day.plan_body(zone_id=str(town.zones[1])))
    assert codes(plan) == ["roster.courier_away"], "the plan says the same of the same crew"


def test_what_has_no_price_refuses_the_job_with_every_reason(
    desk: Desk, ground: Ground, db: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    town = TwoZones(desk, crews=(0, 0))

    def refused(**changed: Any) -> list[str]:
        job_id = job_of(town, **changed)
        run_due_jobs(ground)
        job = look(town, f"zone-price-jobs/{job_id}")
        assert (job["state"], job["zone_price_id"]) == ("refused", None)
        return [reason["code"] for reason in job["reasons"]]

    found = {"empty": refused(), "past": refused(day="2024-05-31")}
    town.order(0)
    monkeypatch.setattr(zone_prices, "MOST_ORDERS", 0)
    found["many"] = refused()
    assert found == {
        "empty": ["zone_price.nothing_booked", "zone_price.no_crew"],
        "past": ["zone_price.one_zone", "zone_price.nothing_booked", "zone_price.no_crew"],
        "many": ["zone_price.no_crew", "zone_price.too_many"],
    }
    assert not kept(db)
    entries = town.day.entries(db, "zone_price.keep")
    assert [entry.outcome for entry in entries] == [Outcome.REFUSED] * 3, "and every no is kept"


@pytest.mark.solver_apart
def test_a_cancelled_child_is_no_failure_and_a_killed_or_lying_one_leaves_what_stands(
    desk: Desk, ground: Ground, db: Session, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    town = TwoZones(desk)
    town.order(0)
    sleeper = (sys.executable, "-c", "import time; time.sleep(600)")
    monkeypatch.setattr(solving, "SOLVER", sleeper)
    monkeypatch.setattr(solving, "LOOK_EVERY_S", 0.05)
    cancelled = job_of(town)
    say, errors = jobs.Running.say, []

    def cancelled_when_it_solves(running: jobs.Running, step: str) -> None:
        say(running, step)
        if step == "solving":
            made(town.day.dispatcher.post(town.day.at(f"zone-price-jobs/{cancelled}/cancellations")))

    with monkeypatch.context() as only_now:
        only_now.setattr(jobs.Running, "say", cancelled_when_it_solves)
        only_now.setattr(solving.log, "error", lambda event, **_: errors.append(event))
        run_due_jobs(ground)
    assert look(town, f"zone-price-jobs/{cancelled}")["state"] == "cancelled"
    assert errors == [], "nobody wanted it any more: no fault of the solver"

    for child in (("/bin/false",), (sys.executable, "-c", "print('{}')")):
        monkeypatch.setattr(solving, "SOLVER", child)
        job_id = job_of(town)
        run_due_jobs(ground)
        job = look(town, f"zone-price-jobs/{job_id}")
        assert (job["state"], job["fault"]) == ("failed", "busy")
    assert not kept(db)


def test_another_firm_finds_nothing_and_bad_input_is_named(desk: Desk, ground: Ground, db: Session) -> None:
    town = TwoZones(desk)
    town.order(0)
    job_id = job_of(town)
    run_due_jobs(ground)
    price_id = look(town, f"zone-price-jobs/{job_id}")["zone_price_id"]
    stranger = desk.sign_in(Role.DISPATCHER, CHANGNING, firm=town.day.cast.another_firm())
    for path in (f"zone-price-jobs/{job_id}", f"zone-prices/{price_id}"):
        assert stranger.get(town.day.at(path)).status_code == 404
    assert stranger.post(town.day.at(f"zone-price-jobs/{job_id}/cancellations")).status_code == 404
    assert town.day.dispatcher.get(town.day.at(f"plan-jobs/{job_id}")).status_code == 404, "no plan's job"
    assert town.ask(town.day.cast.clerk).status_code == 403
    asked = len(list(db.scalars(sa.select(jobs.Job))))
    for by, said, pointer in (
        (stranger, {}, "/supply_site_id"),
        (None, {"supply_site_id": job_id}, "/supply_site_id"),
        (None, {"supply_site_id": "here"}, "/supply_site_id"),
        (None, {"day": "2024-02-30"}, "/day"),
        (None, {"iterations": 200_001}, "/iterations"),
        (None, {"seed": -1}, "/seed"),
        (None, {"zone_id": str(town.zones[0])}, "/zone_id"),
    ):
        refused = town.ask(by, **said)
        assert refused.status_code == 422
        assert refused.get_json()["errors"][0]["pointer"] == pointer
    assert len(list(db.scalars(sa.select(jobs.Job)))) == asked
