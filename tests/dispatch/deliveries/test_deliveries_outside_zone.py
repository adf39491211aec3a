"""D03: an address outside the crew's fixed zone is served only on a dispatcher's approval, with a reason."""

import threading
from datetime import timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from core import clock
from core.auth import Role
from dispatch.deliveries.models import LineLoad
from dispatch.rounds.models import ApprovalReason, ZoneApproval
from evidence.models import Link, SubjectType
from evidence.verify import verify
from registry.models import Binding
from rulebook.models import Decision
from tests.cast import CHANGNING, made
from tests.conftest import THE_DAY
from tests.desk import Desk, Person
from tests.dispatch.rounds.working_day import Booked, WorkingDay, codes

REDRAWN = {"reason": "zone_redrawn"}


def outside(day: WorkingDay) -> None:
    """The zones were redrawn: the crew's is another now."""
    with day.desk.ground.sessions() as db:
        db.get_one(Binding, (CHANGNING, day.bound.binding_id)).zone_id = UUID(int=5)
        db.commit()


def approve(day: WorkingDay, booked: Booked, *, by: Person | None = None) -> TestResponse:
    path = day.at(f"orders/{booked.order_id}/zone-approvals")
    return (by or day.dispatcher).post(path, REDRAWN)


def test_what_lies_outside_the_zone_is_loaded_and_handed_over_once_a_dispatcher_approved_it(
    day: WorkingDay, db: Session
) -> None:
    booked = day.order()
    round_id, bottle = day.round(), day.bottle()
    outside(day)
    assert codes(day.load(round_id, booked.line_ids[0], bottle.code)) == ["delivery.outside_zone"]
    given = made(approve(day, booked))
    assert (given["order_id"], given["round_id"], given["reason"]) == (
        booked.order_id,
        round_id,
        "zone_redrawn",
    )
    made(day.load(round_id, booked.line_ids[0], bottle.code))
    assert made(day.deliver(booked, day.report(booked, bottle)))["outcome"] == "delivered"
    asked = sa.select(Decision).where(Decision.gate.in_(["load", "handover"])).order_by(Decision.id)
    decisions = db.scalars(asked)
    assert [one.facts["approved_outside_zone"] for one in decisions] == [False, True, True]
    [entry] = day.entries(db, "order.approve_outside_zone")
    links = set(db.execute(sa.select(Link.subject_type, Link.subject_key).where(Link.entry_id == entry.id)))
    assert links == {
        (SubjectType.ORDER, booked.order_id),
        (SubjectType.BINDING, str(day.bound.binding_id)),
    }
    assert not list(verify(db))


def test_an_approval_is_for_one_order_on_one_round(day: WorkingDay, db: Session) -> None:
    approved, other = day.order(), day.order()
    round_id, bottle = day.round(), day.bottle()
    outside(day)
    made(approve(day, approved))
    assert codes(day.load(round_id, other.line_ids[0], bottle.code)) == ["delivery.outside_zone"]
    assert not list(db.scalars(sa.select(LineLoad)))


def test_an_approval_given_afterwards_does_not_count(day: WorkingDay) -> None:
    booked, bottle, _ = day.loaded()
    outside(day)
    report = day.report(booked, bottle)
    with clock.standing_at(THE_DAY + timedelta(minutes=30)):
        made(approve(day, booked))
        assert codes(day.deliver(booked, report)) == ["delivery.outside_zone"]
        now = clock.stamp(clock.now())
        made(day.deliver(booked, {**report, "occurred_at": now}))


def test_an_order_on_no_round_has_no_crew_to_approve(day: WorkingDay, db: Session) -> None:
    assert codes(approve(day, day.order())) == ["round.order_on_none"]
    assert not list(db.scalars(sa.select(ZoneApproval)))


def test_a_reason_is_a_word_of_the_list(day: WorkingDay, db: Session) -> None:
    booked, _, _ = day.loaded()
    path = day.at(f"orders/{booked.order_id}/zone-approvals")
    for body in ({}, {"reason": "he asked me"}, REDRAWN | {"order_id": booked.order_id}):
        assert day.dispatcher.post(path, body).status_code == 422
    assert not list(db.scalars(sa.select(ZoneApproval)))
    assert {one.value for one in ApprovalReason} == {"zone_redrawn", "crew_missing", "urgent_need"}


@pytest.mark.parametrize(("who", "status"), [("another firm", 404), ("its courier", 403), ("a clerk", 403)])
def test_nobody_but_the_firms_dispatcher_approves(
    day: WorkingDay, desk: Desk, db: Session, who: str, status: int
) -> None:
    booked, _, _ = day.loaded()
    person = {
        "another firm": lambda: desk.sign_in(Role.DISPATCHER, firm=day.cast.another_firm()),
        "its courier": lambda: day.courier,
        "a clerk": lambda: day.cast.clerk,
    }[who]()
    assert approve(day, booked, by=person).status_code == status
    assert not list(db.scalars(sa.select(ZoneApproval)))


def test_of_many_dispatchers_who_approve_at_once_one_does(day: WorkingDay, db: Session) -> None:
    booked, _, _ = day.loaded()
    answers: list[TestResponse] = []
    together = threading.Barrier(6)

    def at_once() -> None:
        together.wait()
        answers.append(approve(day, booked))

    threads = [threading.Thread(target=at_once) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409, 409]
    refused = [codes(answer) for answer in answers if answer.status_code == 409]
    assert refused == [["round.approved_already"]] * 5
    assert len(list(db.scalars(sa.select(ZoneApproval)))) == 1
