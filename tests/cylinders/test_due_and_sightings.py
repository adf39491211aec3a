"""What comes due and who is told; bottles that should not be there."""

import json
from datetime import date, timedelta
from random import Random
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import clock, jobs, messages, outbox
from core.auth import Role
from core.ground import Ground
from core.ids import new_id
from cylinders import notices
from cylinders.ask_log import ASKS
from cylinders.due_queries import due_within
from cylinders.life_models import (
    DueNotice,
    ExtensionBasis,
    FirmDueNotice,
    LifeExtension,
    RegistrationAct,
    RegistrationKind,
    Sighting,
)
from cylinders.models import Cylinder, CylinderCustody, Inspection, VerdictAsk
from cylinders.public_queries import ANYBODY
from cylinders.refill_gate import (
    Identity,
    Precision,
    Purpose,
    RefillFacts,
    design_life_ends_on,
    extended,
    max_life_ends_on,
    next_due_on,
    unknown_bottle,
)
from cylinders.sightings import sweep
from cylinders.states import CylinderState
from evidence.models import Entry
from evidence.verify import verify
from oversight.models import Tip
from registry.models import HolderKind
from rulebook import current
from tests.cast import MIDDLE, Cast, Users, made
from tests.conftest import THE_DAY
from tests.cylinders.cast import Bottle, Bottles
from tests.cylinders.test_cylinders_filling import codes
from tests.cylinders.test_out_of_use import count, events, scrap, seize
from tests.due_jobs import run_due_jobs
from web.worker import watch

TODAY = date(2024, 6, 12)
DUE_SOON = {"last_inspection": None, "made_on": "2020-06-01", "bought_on": "2020-07-01"}
A_PHOTO = "a" * 64


def due(bottles: Bottles, who: Any = None, **query: Any) -> list[dict[str, Any]]:
    answer = (who or bottles.cast.clerk).get("/api/v1/due-bottles", **query)
    assert answer.status_code == 200, answer.text
    listed: list[dict[str, Any]] = answer.get_json()["items"]
    return listed


# --- the queue ------------------------------------------------------------------------------------------


def test_what_comes_due_within_thirty_days_by_holder(bottles: Bottles) -> None:
    users = bottles.cast.household()
    home, here, later = bottles.on_card(users, **DUE_SOON), bottles.empty(**DUE_SOON), bottles.empty()
    found = {row["cylinder_id"]: row for row in due(bottles)}
    assert found.keys() == {str(home.id), str(here.id)}
    at_home, at_site = found[str(home.id)], found[str(here.id)]
    assert (at_home["kind"], at_home["due_on"], at_home["days"]) == ("inspection", "2024-06-30", 18)
    assert (at_home["holder_kind"], at_home["holder_id"], at_home["card_id"]) == (
        "household",
        None,
        str(users.card_ids[0]),
    )
    assert (at_site["holder_id"], at_site["code"]) == (str(bottles.cast.filling_station()), here.code)
    assert [row["cylinder_id"] for row in due(bottles, bottles.cast.filler)] == [str(here.id)]
    assert [row["cylinder_id"] for row in due(bottles, holder_kind="household")] == [str(home.id)]
    assert due(bottles, days=17) == []
    assert due(bottles, kind="life") == []
    assert due(bottles, Cast(bottles.cast.desk).clerk) == []
    assert due(bottles, Cast(bottles.cast.desk, 310118).regulator) == []
    assert len(due(bottles, bottles.cast.regulator)) == 2
    assert str(later.id) not in found


def test_the_last_day_of_notice_is_in_the_queue_and_the_next_is_not(bottles: Bottles) -> None:
    day = {"day_precision": "day"}
    bottles.empty(last_inspection=bottles.inspection(inspected_on="2020-07-12", **day))
    bottles.empty(last_inspection=bottles.inspection(inspected_on="2020-07-13", **day))
    assert [row["due_on"] for row in due(bottles)] == ["2024-07-12"]
    assert len(due(bottles, days=31)) == 2


def test_overdue_and_end_of_life_and_pages(bottles: Bottles) -> None:
    overdue = bottles.empty(last_inspection=None, made_on="2020-05-01", bought_on="2020-06-01")
    ending = bottles.empty(
        made_on="2016-06-01",
        bought_on="2016-07-01",
        last_inspection=bottles.inspection(inspected_on="2020-06-01"),
    )
    assert [row["kind"] for row in due(bottles)] == ["inspection", "life"]
    assert [row["days"] for row in due(bottles, overdue="true")] == [-12, 18, 18]
    seen, cursor = [], None
    while True:
        query = {"overdue": "true", "limit": 1} | ({"cursor": cursor} if cursor else {})
        page = bottles.cast.clerk.get("/api/v1/due-bottles", **query).get_json()
        seen += [(row["cylinder_id"], row["kind"]) for row in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == [
        (str(overdue.id), "inspection"),
        (str(ending.id), "inspection"),
        (str(ending.id), "life"),
    ]
    for wrong in ({"days": "-1"}, {"kind": "gas"}, {"overdue": "yes"}, {"site_id": "x"}, {"cursor": "x"}):
        assert bottles.cast.clerk.get("/api/v1/due-bottles", **wrong).status_code == 422


def test_the_database_reckons_as_the_gate_does(db: Session) -> None:
    """Bottles made up by a seed, judged one by one in Python and all at once in SQL."""
    random = Random(20240612)
    law = current().at("310105", TODAY)
    expected: dict[UUID, tuple[date | None, date | None]] = {}
    for _ in range(400):
        bottle, facts = _made_up(random, db)
        design, longest = design_life_ends_on(facts, law), max_life_ends_on(facts, law)
        ends_on = (
            min(extended(design, facts, law), longest) if design is not None and longest is not None else None
        )
        expected[bottle.cylinder_id] = (next_due_on(facts, law), ends_on)
    db.commit()
    rows = db.execute(sa.select(due_within(law, None, date(2199, 12, 31)))).all()
    found: dict[tuple[UUID, str], date] = {(row.cylinder_id, row.kind): row.due_on for row in rows}
    told = {
        cylinder_id: (found.get((cylinder_id, "inspection")), found.get((cylinder_id, "life")))
        for cylinder_id in expected
    }
    assert told == expected
    assert sum(one[0] is not None for one in told.values()) > 200


def _made_up(random: Random, db: Session) -> tuple[Cylinder, RefillFacts]:
    """With unknowns, leap days, both precisions, extensions of both sorts, and days still to come."""

    def maybe(value: Any, share: float = 0.85) -> Any:
        return value if random.random() < share else None

    def some_day(first: int, last: int) -> date:
        return date(first, 1, 1) + timedelta(days=random.randint(0, 366 * (last - first)))

    standards = ("GB 5842-1996", "GB 5842-2006", "GB/T 5842-2022", "GB 5842-2023", "EN 1442")
    cylinder = Cylinder(
        cylinder_id=new_id(),
        model="YSP35.5",
        state=CylinderState.IN_SERVICE,
        standard=maybe(random.choice(standards), 0.95),
        max_fill_g=random.choice((14_900, 49_500)),
        made_on=maybe(some_day(2004, 2025)),
        made_precision=random.choice(("month", "day")),
        design_life_months=maybe(random.choice((96, 144, 180))),
        extended_until=maybe(some_day(2024, 2030), 0.3),
        extension_assessed=random.random() < 0.5,
        extension_registered=random.random() < 0.5,
        illegal_make=False,
        screwed_guard=False,
        scrap_ordered=False,
        recorded_at=THE_DAY,
    )
    db.add(cylinder)
    db.flush()
    facts = {
        "standard": cylinder.standard,
        "max_fill_g": cylinder.max_fill_g,
        "made_on": cylinder.made_on,
        "made_precision": Precision(cylinder.made_precision),
        "design_life_months": cylinder.design_life_months,
        "extended_until": cylinder.extended_until,
        "extension_assessed": cylinder.extension_assessed,
        "extension_registered": cylinder.extension_registered,
    }
    inspected_on = maybe(some_day(2018, 2025))
    if inspected_on is not None:
        inspection = Inspection(
            cylinder_id=cylinder.cylinder_id,
            inspected_on=inspected_on,
            day_precision=random.choice(("month", "day")),
            passed=True,
            agency="A-1",
            report_no=f"R-{random.random()}",
            recorded_at=THE_DAY,
        )
        db.add(inspection)
        if inspected_on <= TODAY:
            facts |= {
                "inspected_on": inspected_on,
                "inspected_precision": Precision(inspection.day_precision),
            }
    if random.random() < 0.3:
        facts |= _extend(random, db, cylinder, some_day(2025, 2032))
    nobody = unknown_bottle(Purpose.FILL, "", Identity.KNOWN)
    plain = {name: getattr(nobody, name) for name in nobody.__dataclass_fields__}
    return cylinder, RefillFacts(**(plain | facts))


def _extend(random: Random, db: Session, cylinder: Cylinder, until_on: date) -> dict[str, Any]:
    """A record of an agency; registered or not. What it adds to the facts."""
    extension = LifeExtension(
        cylinder_id=cylinder.cylinder_id,
        id=new_id(),
        basis=ExtensionBasis.ASSESSMENT,
        agency_id=new_id(),
        report_no="PG-1",
        assessed_on=date(2024, 1, 10),
        until_on=until_on,
        recorded_by=new_id(),
        recorded_at=THE_DAY,
    )
    db.add(extension)
    db.flush()
    registered = random.random() < 0.6
    if registered:
        db.add(
            RegistrationAct(
                cylinder_id=cylinder.cylinder_id,
                kind=RegistrationKind.CHANGED,
                extension_id=extension.id,
                document_no="DJ-1",
                done_on=date(2024, 2, 1),
                recorded_by=new_id(),
                recorded_at=THE_DAY,
            )
        )
    if registered or not cylinder.extension_registered:
        return {"extended_until": until_on, "extension_assessed": True, "extension_registered": registered}
    return {}


# --- notices --------------------------------------------------------------------------------------------


def sent(ground: Ground) -> list[dict[str, Any]]:
    outbox.deliver_due(ground, 310105)
    file = ground.config.state_dir / messages.FILE
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def notify_all(ground: Ground) -> int:
    return notices.tell_households(outbox.house_of(ground, 310105))


def moved_to(db: Session, bottle: Bottle, users: Users) -> None:
    """As a handover leaves it: with that household, since a fact of its own."""
    now_with = {
        "holder_kind": HolderKind.HOUSEHOLD,
        "holder_id": users.household_id,
        "since_fact_id": new_id(),
    }
    now_with |= {"district": 310105, "card_id": users.card_ids[0]}
    db.execute(sa.update(CylinderCustody).where(CylinderCustody.cylinder_id == bottle.id).values(**now_with))
    db.commit()


def test_a_resident_is_told_once_and_the_firm_sees_when(
    bottles: Bottles, db: Session, ground: Ground
) -> None:
    users = bottles.cast.household()
    home = bottles.on_card(users, **DUE_SOON)
    in_stock = bottles.empty(**DUE_SOON)
    bottles.empty()
    assert (notify_all(ground), notify_all(ground)) == (1, 0)
    [message] = sent(ground)
    assert (home.code in message["zh"], "2024年6月30日" in message["zh"]) == (True, True)
    assert "2024-06-30" in message["en"]
    assert count(db, DueNotice) == 1
    noticed = {row["cylinder_id"]: row["noticed_at"] is not None for row in due(bottles)}
    assert noticed == {str(home.id): True, str(in_stock.id): False}
    [entry] = db.scalars(sa.select(Entry).where(Entry.verb == "due.notify"))
    assert b'"told":1' in entry.written
    [event] = events(db, "cylinder.due")
    holding_id = db.scalars(sa.select(DueNotice.holding_id)).one()
    assert event == {
        "cylinder_id": str(home.id),
        "kind": "inspection",
        "due_on": "2024-06-30",
        "holding_id": str(holding_id),
    }
    assert not list(verify(db))


def test_a_bottle_that_has_left_the_card_is_told_to_nobody(bottles: Bottles, ground: Ground) -> None:
    home = bottles.on_card(bottles.cast.household(), **DUE_SOON)
    notify_all(ground)
    made(bottles.receive(home.code))
    assert sent(ground) == []


def test_a_household_that_gets_a_bottle_from_stock_when_it_is_nearly_due_is_told(
    bottles: Bottles, db: Session, ground: Ground
) -> None:
    """The station was not told in its place the morning before."""
    bottle = bottles.full(**DUE_SOON)
    assert notify_all(ground) == 0
    moved_to(db, bottle, bottles.cast.household())
    assert notify_all(ground) == 1
    [message] = sent(ground)
    assert bottle.code in message["zh"]


def test_a_household_that_gets_a_bottle_of_which_another_was_told_is_told(
    bottles: Bottles, db: Session, ground: Ground
) -> None:
    """Nor is it told in the other's place, by a message that was still on its way."""
    bottle = bottles.on_card(bottles.cast.household(), **DUE_SOON)
    assert notify_all(ground) == 1
    moved_to(db, bottle, bottles.cast.household())
    assert sent(ground) == []
    [row] = due(bottles)
    assert row["noticed_at"] is None
    assert (notify_all(ground), notify_all(ground)) == (1, 0)
    assert len(sent(ground)) == 1
    assert count(db, DueNotice) == 2


def test_a_firms_dispatchers_are_told_of_each_day_once(bottles: Bottles, db: Session, ground: Ground) -> None:
    """How many: at home and in stock, of its own and entrusted; which, stands in the queue."""
    cast, other = bottles.cast, bottles.cast.another_firm()
    bottles.on_card(cast.household(), **DUE_SOON)
    bottles.empty(**DUE_SOON)
    bottles.empty(owner_firm_id=str(other), entrusted_to_firm_id=str(cast.firm()), **DUE_SOON)
    later = bottles.empty(last_inspection=bottles.inspection(inspected_on="2020-07-15", day_precision="day"))
    for kind in ("dispatcher", "clerk"):
        cast.staff(kind=kind)

    def morning(days: int) -> list[dict[str, Any]]:
        at = THE_DAY + timedelta(days=days)
        with clock.standing_at(at):
            notices.ask_all(ground, clock.day_of(at))
            run_due_jobs(ground)
        return events(db, "cylinder.due_for_firm")

    [told] = morning(0)
    assert told == {"firm_id": str(cast.firm()), "inspections": 3, "lives": 0, "until_on": "2024-07-12"}
    [message] = [one for one in sent(ground) if one["topic"] == "cylinder.due_for_firm"]
    assert ("3只" in message["zh"], "2024-07-12" in message["en"]) == (True, True)
    assert morning(1) == [told]
    assert morning(3)[1]["inspections"] == 1
    assert (count(db, FirmDueNotice), later.code in str(told)) == (2, False)
    assert not list(verify(db))


def test_a_morning_whose_worker_was_killed_is_taken_up_again_and_tells_nobody_twice(
    bottles: Bottles, db: Session, ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two workers ask: one job. Killed between two bottles of three, its second run tells the rest."""
    for _ in range(3):
        bottles.on_card(bottles.cast.household(), **DUE_SOON)
    monkeypatch.setattr(notices, "AT_A_TIME", 2)
    notices.ask_all(ground, TODAY)
    notices.ask_all(ground, TODAY)
    job = db.scalars(sa.select(jobs.Job).where(jobs.Job.kind == notices.DUE_JOB)).one()
    whole = notices.notify

    def killed(doing: Any) -> Any:
        if count(db, DueNotice):
            raise SystemExit
        return whole(doing)

    monkeypatch.setattr(notices, "notify", killed)
    with pytest.raises(SystemExit):
        jobs.run(ground, 310105, job.id)
    monkeypatch.setattr(notices, "notify", whole)
    assert count(db, DueNotice) == 2
    jobs.run(ground, 310105, job.id)
    jobs.run(ground, 310105, job.id)
    assert (count(db, DueNotice), len(events(db, "cylinder.due"))) == (3, 3)
    assert (count(db, FirmDueNotice), len(events(db, "cylinder.due_for_firm"))) == (1, 1)
    db.refresh(job)
    assert job.state is jobs.JobState.DONE


def test_the_worker_tells_in_the_morning_once_a_day(bottles: Bottles, db: Session, ground: Ground) -> None:
    bottles.on_card(bottles.cast.household(), **DUE_SOON)
    early = THE_DAY - timedelta(hours=1)
    with clock.standing_at(early):
        assert watch(ground, None, timedelta(days=1)) is None
    assert count(db, DueNotice) == 0
    assert watch(ground, None, timedelta(days=1)) == TODAY
    run_due_jobs(ground)
    assert count(db, DueNotice) == 1


# --- sightings ------------------------------------------------------------------------------------------


def report(who: Any, **body: Any) -> Any:
    return who.post("/api/v1/sightings", {"kind": "black", "point": MIDDLE, "photo_sha256": A_PHOTO} | body)


def test_a_black_bottle_is_reported_with_place_and_photograph_and_is_a_tip(
    bottles: Bottles, db: Session, ground: Ground
) -> None:
    cast = bottles.cast
    courier = cast.signed_in_courier(cast.bind().courier_id)
    seen = made(report(courier))
    assert (seen["kind"], seen["photo_sha256"], seen["times"]) == ("black", A_PHOTO, 1)
    assert (round(seen["lon"], 2), seen["site_id"]) == (121.41, None)
    assert made(report(courier))["times"] == 2
    assert made(report(cast.regulator))["id"] == seen["id"]
    [event] = events(db, "cylinder.stranger_seen")
    assert (event["where"], event["kind"], event["sighting_id"]) == ("road", "black", seen["id"])
    assert "lon" not in event
    outbox.deliver_due(ground, 310105)
    assert count(db, Tip) == 1
    [listed] = cast.regulator.get("/api/v1/sightings").get_json()["items"]
    assert listed["times"] == 3
    with clock.standing_at(THE_DAY + timedelta(days=1)):
        assert made(report(courier))["times"] == 1
    elsewhere = Cast(cast.desk, 310118).regulator
    assert elsewhere.get("/api/v1/sightings").get_json()["items"] == []
    assert (count(db, CylinderCustody), count(db, Sighting)) == (0, 2)
    assert not list(verify(db))


def test_a_foreign_bottle_seen_at_a_site_is_told_by_its_code(bottles: Bottles, db: Session) -> None:
    other = str(bottles.cast.another_firm())
    foreign = bottles.empty(owner_firm_id=other, registered_by_firm_id=other, holder=None)
    site = str(bottles.cast.filling_station())
    body = {"kind": "foreign", "code": foreign.code, "site_id": site, "point": None, "photo_sha256": None}
    seen = made(report(bottles.cast.filler, **body))
    assert (seen["cylinder_id"], seen["site_id"], seen["code"]) == (str(foreign.id), site, foreign.code)
    assert db.get(CylinderCustody, foreign.id) is None
    assert codes(bottles.receive(foreign.code).get_json()) == ["refill.foreign_owned"]


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        ({"photo_sha256": None}, "/code"),
        ({"point": None}, "/point"),
        ({"site_id": str(uuid4()), "point": None}, "/site_id"),
        ({"kind": "scrapped"}, "/kind"),
        ({"photo_sha256": "A" * 64}, "/photo_sha256"),
        ({"point": {"lon": 121.4, "lat": 31.2}}, "/point/datum"),
    ],
)
def test_a_sighting_of_the_wrong_shape(
    bottles: Bottles, db: Session, changed: dict[str, Any], pointer: str
) -> None:
    answer = report(bottles.cast.filler, **changed)
    assert (answer.status_code, answer.get_json()["errors"][0]["pointer"]) == (422, pointer)
    assert (count(db, Sighting), events(db, "cylinder.stranger_seen")) == (0, [])


def test_asking_at_a_station_about_a_bottle_that_has_ended_is_an_incident(
    bottles: Bottles, db: Session, ground: Ground
) -> None:
    gone, seized, sound = bottles.empty(), bottles.empty(), bottles.empty()
    made(scrap(bottles, gone))
    made(seize(bottles, seized))
    for bottle in (gone, gone, seized, sound):
        bottles.verdict(bottle.code)
    ASKS.flush()
    since = THE_DAY - timedelta(minutes=2)
    assert (sweep(ground, since), sweep(ground, since)) == (2, 0)
    told = {(one["kind"], one["cylinder_id"]) for one in events(db, "cylinder.scanned_after_end")}
    assert told == {("scrapped", str(gone.id)), ("seized", str(seized.id))}
    assert db.get_one(CylinderCustody, gone.id).holder_kind is HolderKind.AGENCY
    with clock.standing_at(THE_DAY + timedelta(minutes=5)):
        assert watch(ground, TODAY, timedelta(minutes=2)) == TODAY
    assert count(db, Sighting) == 2


def test_a_courier_and_anybody_with_a_telephone_scan_a_bottle_that_has_ended(
    bottles: Bottles, db: Session, ground: Ground
) -> None:
    """Each once a day. A code typed at a desk is no scan, and a look at a sound bottle leaves no trace."""
    gone, sound, cast = bottles.empty(), bottles.empty(), bottles.cast
    made(scrap(bottles, gone))
    courier = cast.desk.sign_in(Role.COURIER, 310105, courier=cast.courier())
    pages = cast.desk.app.test_client()
    for bottle in (gone, gone, sound):
        bottles.verdict(bottle.code, who=courier, purpose="dispatch")
        bottles.verdict(bottle.code, who=cast.regulator, purpose="dispatch")
        assert pages.get(f"/C/{bottle.code}").status_code == 200
    ASKS.flush()
    since = THE_DAY - timedelta(minutes=2)
    assert (sweep(ground, since), sweep(ground, since)) == (2, 0)
    told = [(one["where"], one["cylinder_id"]) for one in events(db, "cylinder.scanned_after_end")]
    assert sorted(told) == [("public", str(gone.id)), ("road", str(gone.id))]
    by_anybody = db.scalars(sa.select(VerdictAsk).where(VerdictAsk.actor_id == ANYBODY)).all()
    assert {(one.cylinder_id, one.site_id) for one in by_anybody} == {(gone.id, None)}
