"""What a regulator's search finds, what it does not, that each look is kept, and where a link is missing."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from core import clock, sessions
from core.auth import Role, ScopeKind
from core.doing import Doing
from core.ids import new_id
from core.sessions import SignedInBy
from cylinders.custody import Errand, Holder, record
from cylinders.models import Cylinder, FactKind
from evidence.deed import Answer, Deed, does
from evidence.models import Entry, SubjectType
from oversight import lookup, queries
from oversight.models import Look
from oversight.timeline import timeline
from registry.models import HolderKind
from tests.cast import CHANGNING, made
from tests.conftest import THE_DAY, doing_as
from tests.desk import Desk, Person
from tests.dispatch.rounds.working_day import WorkingDay


@pytest.fixture
def day(desk: Desk) -> WorkingDay:
    return WorkingDay(desk)


@pytest.fixture
def regulator(day: WorkingDay) -> Doing:
    return doing_as(day.desk.ground, Role.REGULATOR, ScopeKind.DISTRICT, f"{CHANGNING}")


def found(doing: Doing, said: str) -> list[tuple[str, str]]:
    return [(one.kind.value, one.key) for one in lookup.find(doing, said)]


def test_a_code_a_card_a_plate_an_order_a_notice_each_lead_where_they_belong(
    day: WorkingDay, regulator: Doing
) -> None:
    booked, bottle, _ = day.loaded()
    household = str(booked.home.users.household_id)
    card = booked.home.users.card_ids[0]
    assert found(regulator, f"  {bottle.code} ") == [("cylinder", str(bottle.cylinder_id))]
    assert found(regulator, day.credential(card)) == [("household", household)]
    assert found(regulator, str(card)) == [("household", household)]
    assert found(regulator, booked.order_id) == [("order", booked.order_id)]
    assert found(regulator, day.plate) == [("vehicle", str(day.vehicle_id))]


def test_an_address_is_found_whole_and_never_in_part(day: WorkingDay, regulator: Doing) -> None:
    home = day.home()
    asked = {"fields": ["address"], "reason": "audit", "purpose": "visit"}
    at = day.at(f"households/{home.users.household_id}/reveals")
    address = made(day.cast.confirmed(day.cast.clerk).post(at, asked))["address"]
    assert found(regulator, address) == [("household", str(home.users.household_id))]
    assert found(regulator, address[:-1]) == []


@pytest.mark.parametrize(
    "said", ["", "   ", "%", "' OR 1=1", "0" * 5000, "00000000-0000-7000-8000-000000000000"]
)
def test_what_is_nothing_of_ours_finds_nothing(day: WorkingDay, regulator: Doing, said: str) -> None:
    assert found(regulator, said) == []


def test_what_lies_outside_the_grant_is_not_found(day: WorkingDay) -> None:
    booked, bottle, _ = day.loaded()
    card = day.credential(booked.home.users.card_ids[0])
    elsewhere = doing_as(day.desk.ground, Role.REGULATOR, ScopeKind.STREET, "310105999")
    for said in (booked.order_id, str(booked.home.users.household_id), card, day.plate):
        assert found(elsewhere, said) == []
    assert found(elsewhere, bottle.code) == [("cylinder", str(bottle.cylinder_id))]


# --- looks ------------------------------------------------------------------------------------------------


def looks(db: Session) -> list[tuple[str, UUID]]:
    rows = db.scalars(sa.select(Look).order_by(Look.looked_at, Look.id)).all()
    return [(row.kind.value, row.subject_id) for row in rows]


def test_each_look_of_a_regulator_is_kept_and_none_of_the_firm_s_own_clerk(
    day: WorkingDay, db: Session
) -> None:
    booked = day.order()
    regulator = day.cast.regulator
    for who in (regulator, day.cast.clerk):
        for path in (f"orders/{booked.order_id}", f"households/{booked.home.users.household_id}"):
            assert who.get(day.at(f"{path}/trace")).status_code == 200
    assert looks(db) == [
        ("order", UUID(booked.order_id)),
        ("household", booked.home.users.household_id),
    ]
    assert set(db.scalars(sa.select(Look.principal_id))) == {regulator.principal_id}


def test_who_may_not_look_leaves_no_look(day: WorkingDay, desk: Desk, db: Session) -> None:
    booked = day.order()
    stranger = desk.sign_in(Role.REGULATOR, CHANGNING, street="310105999")
    assert stranger.get(day.at(f"orders/{booked.order_id}/trace")).status_code == 404
    assert looks(db) == []


def test_a_look_adds_nothing_to_any_chain_and_cannot_be_taken_back(day: WorkingDay, db: Session) -> None:
    booked = day.order()
    before = db.scalar(sa.select(sa.func.count()).select_from(Entry))
    day.cast.regulator.get(day.at(f"orders/{booked.order_id}/trace"))
    db.rollback()
    entries = sa.select(sa.func.count()).where(Entry.verb != "grant.give").select_from(Entry)
    assert db.scalar(entries) == before
    with pytest.raises(sa.exc.ProgrammingError, match="permission denied"):
        db.execute(sa.text("DELETE FROM look"))


# --- gaps and late facts ----------------------------------------------------------------------------------


@does("test.handed_on")
def hand_on(deed: Deed, cylinder_id: UUID, kind: FactKind, giver: Holder, taker: Holder) -> Answer:
    deed.about(SubjectType.CYLINDER, cylinder_id)
    bottle = deed.db.get_one(Cylinder, cylinder_id)
    record(deed, bottle, kind, giver=giver, taker=taker, errand=Errand())
    return {}


def test_a_bottle_that_was_delivered_and_brought_back_empty_misses_no_link(
    day: WorkingDay, regulator: Doing
) -> None:
    booked, bottle, round_id = day.loaded()
    made(day.deliver(booked, day.report(booked, bottle)))
    made(day.bring_back(round_id, booked.home.empties[0]))
    for code in (bottle.code, booked.home.empties[0]):
        [one] = lookup.find(regulator, code)
        line = timeline(regulator, queries.cylinder_trace(regulator, UUID(one.key), None))
        assert line.gaps == []


def test_a_giver_who_never_had_it_is_a_missing_link(day: WorkingDay, regulator: Doing) -> None:
    bottle = day.bottle()
    admin = doing_as(day.desk.ground, Role.ADMINISTRATOR, ScopeKind.ALL, "")
    somebody = Holder(HolderKind.COURIER, new_id())
    hand_on(admin, bottle.cylinder_id, FactKind.DELIVER, somebody, Holder(HolderKind.HOUSEHOLD, new_id()))
    line = timeline(regulator, queries.cylinder_trace(regulator, bottle.cylinder_id, None))
    [gap] = line.gaps
    assert (gap.giver, gap.contested, gap.resolved) == (somebody, True, False)
    assert gap.held_by == Holder(HolderKind.SITE, day.cast.supply_point())


def test_a_household_s_bottle_that_turns_up_at_a_site_misses_who_brought_it(
    day: WorkingDay, regulator: Doing
) -> None:
    home = day.home()
    [one] = lookup.find(regulator, home.empties[0])
    site = Holder(HolderKind.SITE, day.cast.supply_point())
    household = Holder(HolderKind.HOUSEHOLD, home.users.household_id)
    admin = doing_as(day.desk.ground, Role.ADMINISTRATOR, ScopeKind.ALL, "")
    hand_on(admin, UUID(one.key), FactKind.RETURN, household, site)
    line = timeline(regulator, queries.cylinder_trace(regulator, UUID(one.key), None))
    assert [(gap.held_by, gap.taker, gap.contested) for gap in line.gaps] == [(household, site, False)]
    before = timeline(
        regulator, queries.cylinder_trace(regulator, UUID(one.key), THE_DAY - timedelta(days=1))
    )
    assert before.gaps == []


def test_what_was_recorded_late_shows_both_times(day: WorkingDay, regulator: Doing) -> None:
    booked, bottle, _ = day.loaded()
    happened = clock.stamp(clock.now())
    report = day.report(booked, bottle, occurred_at=happened)
    with clock.standing_at(THE_DAY + timedelta(hours=3)):
        made(day.deliver(booked, report))
        line = timeline(regulator, queries.order_trace(regulator, UUID(booked.order_id), None))
    [delivered] = [step for step in line.steps if step.verb == "order.deliver"]
    assert delivered.is_late
    assert delivered.entry.recorded_at - delivered.at == timedelta(hours=3)
    assert (delivered.plate, delivered.courier_id) == (day.plate, day.bound.courier_id)
    assert delivered.spot is not None
    assert delivered.spot.from_door_m is not None


# --- pages ------------------------------------------------------------------------------------------------


def pages_of(app: Flask, desk: Desk, person: Person) -> Any:
    client = app.test_client()
    secret = sessions.open_session(desk.ground, person.principal_id, SignedInBy.PASSWORD_AND_CODE)
    signer = app.session_interface.get_signing_serializer(app)  # type: ignore[attr-defined]
    client.set_cookie("lpg", str(signer.dumps({"secret": secret})))
    return client


def test_a_street_s_regulator_has_the_street_s_hazards_and_no_lists_of_the_district(
    app: Flask, desk: Desk, day: WorkingDay
) -> None:
    street = pages_of(app, desk, desk.sign_in(Role.REGULATOR, CHANGNING, street="310105001"))
    home = street.get("/oversight/")
    assert home.status_code == 200
    assert "/oversight/refusals" not in home.text
    assert street.get("/oversight/hazards").status_code == 200
    for path in ("refusals", "tips", "conflicts"):
        assert street.get(f"/oversight/{path}").status_code == 404


def test_filters_that_are_none_of_ours_are_left_out(app: Flask, desk: Desk) -> None:
    pages = pages_of(app, desk, desk.sign_in(Role.REGULATOR, CHANGNING, district=f"{CHANGNING}"))
    for query in ("state=nonsense&grade=%00", "street=<script>", "page=-3", "page=x", "overdue=2"):
        answer = pages.get(f"/oversight/hazards?{query}")
        assert answer.status_code == 200, query
        assert "<script>alert" not in answer.text
    assert pages.get("/oversight/refusals?day=yesterday").status_code == 200
    assert pages.get("/oversight/refusals/NOTHING").status_code == 404
    assert pages.get("/oversight/refusals/20240612-00000A").status_code == 200


def test_no_page_of_a_trace_holds_personal_data(app: Flask, desk: Desk, day: WorkingDay) -> None:
    booked, bottle, _ = day.loaded()
    made(day.deliver(booked, day.report(booked, bottle)))
    household = booked.home.users.household_id
    asked = {"fields": ["name", "phone", "address"], "reason": "audit", "purpose": "visit"}
    clear = made(day.cast.confirmed(day.cast.clerk).post(day.at(f"households/{household}/reveals"), asked))
    pages = pages_of(app, desk, desk.sign_in(Role.REGULATOR, CHANGNING, district=f"{CHANGNING}"))
    for path in (f"households/{household}", f"orders/{booked.order_id}", f"cylinders/{bottle.cylinder_id}"):
        answer = pages.get(f"/oversight/{path}")
        assert answer.status_code == 200, path
        for field in ("name", "phone", "address"):
            assert clear[field] not in answer.text, (path, field)


def test_a_household_s_page_leads_to_none_of_the_others_on_its_round(
    app: Flask, desk: Desk, day: WorkingDay
) -> None:
    mine, other = day.order(), day.order()
    day.round()
    pages = pages_of(app, desk, desk.sign_in(Role.REGULATOR, CHANGNING, district=f"{CHANGNING}"))
    page = pages.get(f"/oversight/households/{mine.home.users.household_id}").text
    assert f"/oversight/orders/{mine.order_id}" in page
    assert f"/oversight/households/{other.home.users.household_id}" not in page
    assert f"/oversight/orders/{other.order_id}" not in page
