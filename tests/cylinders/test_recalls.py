"""Recall: a list that is frozen and held, its tasks, its end, and what is found late."""

from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from core import outbox
from core.ground import Ground
from cylinders.life_models import RecallCampaign, RecallTask
from cylinders.models import Cylinder, Hold, HoldKind
from cylinders.states import CylinderState
from evidence.models import Entry, Link
from evidence.verify import verify
from tests.cast import MIDDLE, Cast, made
from tests.cylinders.cast import Bottle, Bottles
from tests.cylinders.test_cylinders_filling import codes
from tests.cylinders.test_out_of_use import count, events, scrap, seize, state_of
from tests.dispatch.test_messages_sent import sent

TWO_PHASE = {"phase": "two_phase"}


def open_recall(bottles: Bottles, who: Any = None, **criterion: Any) -> dict[str, Any]:
    body = {"criterion": criterion or TWO_PHASE, "reference": "ZH-2024-1"}
    answer: dict[str, Any] = made((who or bottles.cast.regulator).post("/api/v1/recalls", body))
    return answer


def act(recall: dict[str, Any], name: str) -> str:
    return f"/api/v1/recalls/{recall['id']}/{name}"


def settle(
    bottles: Bottles, recall: dict[str, Any], bottle: Bottle, outcome: str, who: Any = None
) -> TestResponse:
    body = {"outcome": outcome, "reference": "ZH-R-1"}
    answer: TestResponse = (who or bottles.cast.regulator).post(
        act(recall, f"tasks/{bottle.id}/settlements"), body
    )
    return answer


def tasks(bottles: Bottles, recall: dict[str, Any], who: Any = None, **query: Any) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = (
        (who or bottles.cast.regulator).get(act(recall, "tasks"), **query).get_json()["items"]
    )
    return listed


def test_every_two_phase_bottle_is_listed_with_its_holder_and_held(bottles: Bottles, db: Session) -> None:
    users = bottles.cast.household()
    at_home = bottles.on_card(users, **TWO_PHASE)
    at_site, sound = bottles.empty(**TWO_PHASE), bottles.empty()
    gone = bottles.empty(**TWO_PHASE)
    made(scrap(bottles, gone))
    recall = open_recall(bottles)
    assert (recall["bottles"], recall["state"]) == (2, "recalling")
    assert recall["progress"] == {"listed": 2, "notified": 0, "brought_in": 0, "settled": 0}
    found = {task["cylinder_id"]: task for task in tasks(bottles, recall)}
    assert found.keys() == {str(at_home.id), str(at_site.id)}
    home = found[str(at_home.id)]
    assert (home["holder_kind"], home["holder_id"], home["card_id"]) == (
        "household",
        None,
        str(users.card_ids[0]),
    )
    assert found[str(at_site.id)]["holder_id"] == str(bottles.cast.filling_station())
    for bottle in (at_home, at_site):
        assert state_of(db, bottle) is CylinderState.HELD
    assert state_of(db, sound) is CylinderState.IN_SERVICE
    assert "refill.on_hold" in codes(bottles.verdict(at_site.code))
    [entry] = db.scalars(sa.select(Entry).where(Entry.verb == "recall.open"))
    keys = set(db.scalars(sa.select(Link.subject_key).where(Link.entry_id == entry.id)))
    assert keys >= {str(at_home.id), str(at_site.id)}
    assert recall["root"].encode() in entry.written
    assert len(tasks(bottles, recall, holder_kind="site", limit=1)) == 1
    assert not list(verify(db))


def test_a_longer_list_is_committed_by_its_root_alone(
    bottles: Bottles, db: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cylinders.recalls.MOST_NAMED", 1)
    listed = [bottles.empty(**TWO_PHASE) for _ in range(2)]
    open_recall(bottles)
    [entry] = db.scalars(sa.select(Entry).where(Entry.verb == "recall.open"))
    keys = set(db.scalars(sa.select(Link.subject_key).where(Link.entry_id == entry.id)))
    assert keys == {"310105"}
    assert all(state_of(db, bottle) is CylinderState.HELD for bottle in listed)


@pytest.mark.parametrize(
    "criterion",
    [
        {"model": "YSP118"},
        {"standard": "GB 5842-2023"},
        {"made_from": "2023-12-01", "made_until": "2023-12-31"},
        {"maker": "YL-9"},
        {"codes": ["YL-9001"]},
        {"phase": "liquid", "model": "YSP118"},
    ],
)
def test_a_criterion_finds_what_it_says(bottles: Bottles, criterion: dict[str, Any]) -> None:
    meant = bottles.empty(
        model="YSP118",
        standard="GB 5842-2023",
        made_on="2023-12-01",
        phase="liquid",
        identifiers=[{"scheme": "stamp", "value": "YL-9001"}],
    )
    bottles.empty()
    assert [task["cylinder_id"] for task in tasks(bottles, open_recall(bottles, **criterion))] == [
        str(meant.id)
    ]


def test_a_recall_of_nothing_is_refused(bottles: Bottles, db: Session) -> None:
    bottles.empty()
    body = {"criterion": TWO_PHASE, "reference": "ZH-2024-1"}
    answer = bottles.cast.regulator.post("/api/v1/recalls", body)
    assert codes(answer.get_json()) == ["recall.nothing_listed"]
    assert bottles.cast.regulator.post("/api/v1/recalls", body | {"criterion": {}}).status_code == 422
    for wrong in ({"phase": "gas"}, {"made_from": "2023"}, {"codes": []}, {"colour": "grey"}):
        assert bottles.cast.regulator.post("/api/v1/recalls", body | {"criterion": wrong}).status_code == 422
    assert (count(db, RecallCampaign), count(db, RecallTask), count(db, Hold)) == (0, 0, 0)


def test_from_told_to_scrapped_and_finished(bottles: Bottles, db: Session, ground: Ground) -> None:
    """The resident is told by a message; the bottle comes to the station, goes to the agency, is scrapped."""
    users = bottles.cast.household()
    bottle = bottles.on_card(users, **TWO_PHASE)
    recall, clerk = open_recall(bottles), bottles.cast.clerk
    made(clerk.post(act(recall, "tellings"), {"cylinder_ids": [str(bottle.id)]}))
    assert events(db, "recall.told") == [{"cylinder_id": str(bottle.id), "campaign_id": recall["id"]}]
    outbox.deliver_due(ground, 310105)
    [message] = [one for one in sent(ground) if one["topic"] == "recall.told"]
    assert "召回" in message["zh"]
    again = clerk.post(act(recall, "tellings"), {"cylinder_ids": [str(bottle.id)]})
    assert codes(again.get_json()) == ["state.move_not_allowed"]
    refused = bottles.cast.regulator.post(act(recall, "finishings"), {})
    assert codes(refused.get_json()) == ["recall.tasks_open"]
    assert codes(settle(bottles, recall, bottle, "scrapped").get_json()) == ["recall.not_scrapped"]
    made(bottles.receive(bottle.code))
    assert [task["state"] for task in tasks(bottles, recall)] == ["brought_in"]
    made(scrap(bottles, bottle))
    [task] = tasks(bottles, recall, state="settled")
    assert (task["outcome"], task["reference"]) == ("scrapped", "BF-1")
    finished = made(bottles.cast.regulator.post(act(recall, "finishings"), {}))
    assert (finished["state"], finished["outcomes"]) == ("recalled", {"scrapped": 1})
    assert not list(verify(db))


def test_only_the_authority_frees_a_bottle_of_its_recall(bottles: Bottles, db: Session) -> None:
    bottle = bottles.empty(**TWO_PHASE)
    recall = open_recall(bottles)
    refused = settle(bottles, recall, bottle, "not_affected", bottles.cast.clerk)
    assert codes(refused.get_json()) == ["recall.authority_decides"]
    assert state_of(db, bottle) is CylinderState.HELD
    made(settle(bottles, recall, bottle, "not_affected"))
    assert state_of(db, bottle) is CylinderState.IN_SERVICE
    again = settle(bottles, recall, bottle, "not_affected")
    assert codes(again.get_json()) == ["state.move_not_allowed"]


def test_a_firm_recalls_its_own_bottles_only(bottles: Bottles, db: Session) -> None:
    other = bottles.cast.another_firm()
    mine = bottles.empty(model="YSP118")
    theirs = bottles.empty(model="YSP118", owner_firm_id=str(other), registered_by_firm_id=str(other))
    clerk = bottles.cast.clerk
    recall = open_recall(bottles, clerk, model="YSP118")
    assert [task["cylinder_id"] for task in tasks(bottles, recall, clerk)] == [str(mine.id)]
    assert state_of(db, theirs) is CylinderState.IN_SERVICE
    elsewhere = bottles.cast.clerk_of(other)
    assert elsewhere.get(f"/api/v1/recalls/{recall['id']}").status_code == 404
    assert elsewhere.get("/api/v1/recalls").get_json()["items"] == []
    for name in ("late-finds", "finishings"):
        assert elsewhere.post(act(recall, name), {}).status_code == 404
    assert settle(bottles, recall, mine, "not_found", elsewhere).status_code == 404
    assert settle(bottles, recall, mine, "not_affected", clerk).status_code == 201
    assert Cast(bottles.cast.desk, 310118).regulator.get(f"/api/v1/recalls/{recall['id']}").status_code == 404


def test_a_recall_of_bottles_entrusted_to_the_firm_comes_to_its_end(bottles: Bottles, db: Session) -> None:
    """The firm that has them lists, tells, settles and finishes; another firm sees nothing of it."""
    other, clerk = bottles.cast.another_firm(), bottles.cast.clerk
    theirs = bottles.empty(
        model="YSP118", owner_firm_id=str(other), entrusted_to_firm_id=str(bottles.cast.firm())
    )
    recall = open_recall(bottles, clerk, model="YSP118")
    assert [task["cylinder_id"] for task in tasks(bottles, recall, clerk)] == [str(theirs.id)]
    assert recall["progress"]["listed"] == 1
    made(clerk.post(act(recall, "tellings"), {"cylinder_ids": [str(theirs.id)]}))
    stranger = bottles.cast.clerk_of(bottles.cast.another_firm())
    assert settle(bottles, recall, theirs, "not_affected", stranger).status_code == 404
    made(settle(bottles, recall, theirs, "not_affected", clerk))
    assert made(clerk.post(act(recall, "finishings"), {}))["state"] == "recalled"
    assert state_of(db, theirs) is CylinderState.IN_SERVICE


def test_who_has_an_entrusted_bottle_sees_and_settles_it_in_the_authoritys_recall(bottles: Bottles) -> None:
    other, clerk = bottles.cast.another_firm(), bottles.cast.clerk
    entrusted = {"owner_firm_id": str(other), "entrusted_to_firm_id": str(bottles.cast.firm())}
    bottle = bottles.empty(**TWO_PHASE, **entrusted)
    recall = open_recall(bottles)
    for one in (clerk, bottles.cast.clerk_of(other)):
        assert [task["cylinder_id"] for task in tasks(bottles, recall, one)] == [str(bottle.id)]
    made(settle(bottles, recall, bottle, "not_found", clerk))


def test_a_recalls_hold_is_not_lifted_past_its_task(bottles: Bottles, db: Session) -> None:
    """Released by its hold the bottle would circulate while its task stands open."""
    bottle, regulator = bottles.empty(**TWO_PHASE), bottles.cast.regulator
    recall = open_recall(bottles)
    [hold] = bottles.file(bottle)["holds"]
    lifted = {"hold_id": hold["id"], "reference": "KL-2"}
    path = f"/api/v1/cylinders/{bottle.id}/releases"
    answer = regulator.post(path, lifted)
    assert codes(answer.get_json()) == ["hold.of_recall"]
    assert db.scalars(sa.select(Entry).where(Entry.verb == "cylinder.release")).one().outcome == "refused"
    assert state_of(db, bottle) is CylinderState.HELD
    made(settle(bottles, recall, bottle, "returned_to_maker"))
    assert made(regulator.post(path, lifted))["cylinder"]["state"] == "in_service"
    own = made(regulator.post(f"/api/v1/cylinders/{bottle.id}/holds", {"kind": "recall", "reference": "Z"}))
    by_hand = {"hold_id": own["holds"][-1]["id"], "reference": "KL-3"}
    assert made(regulator.post(path, by_hand))["cylinder"]["state"] == "in_service"


def test_a_street_reads_its_homes_part_of_every_list(bottles: Bottles) -> None:
    """By one rule: what stands with its homes, and what its own officers saw. Never a 404."""
    cast = bottles.cast
    due_soon = {"last_inspection": None, "made_on": "2020-06-01", "bought_on": "2020-07-01"}
    here, there = (
        bottles.on_card(
            cast.household(street_code=street, committee_code=f"{street}001"), **due_soon, **TWO_PHASE
        )
        for street in ("310105003", "310105004")
    )
    recall = open_recall(bottles)
    seen = {"code": None, "site_id": None, "point": MIDDLE, "photo_sha256": "a" * 64, "kind": "black"}
    for bottle in (here, there):
        report = {"why": "refurbished", "reference": f"FX-{bottle.code}"}
        made(cast.regulator.post(f"/api/v1/cylinders/{bottle.id}/unfit-reports", report))
    officers = [cast.granted("regulator", "street", f"31010500{number}") for number in (3, 4)]
    made(officers[0].post("/api/v1/sightings", seen))

    def listed(who: Any, path: str) -> list[Any]:
        answer = who.get(f"/api/v1/{path}")
        assert answer.status_code == 200, (path, answer.text)
        items: list[Any] = answer.get_json()["items"]
        return items

    for officer, bottle in zip(officers, (here, there), strict=True):
        assert {one["cylinder_id"] for one in listed(officer, "due-bottles")} == {str(bottle.id)}
        assert [one["cylinder_id"] for one in listed(officer, "unfit-reports")] == [str(bottle.id)]
        [one] = listed(officer, "recalls")
        assert (one["id"], one["bottles"]) == (recall["id"], 1)
        assert [one["cylinder_id"] for one in tasks(bottles, recall, officer)] == [str(bottle.id)]
        for path in ("seizures", "sendings", "inspection-anomalies"):
            assert listed(officer, path) == []
    assert [len(listed(officer, "sightings")) for officer in officers] == [1, 0]
    made(seize(bottles, here))
    assert [len(listed(officer, "seizures")) for officer in officers] == [1, 0]


def test_of_the_authoritys_recall_a_firm_sees_its_own_bottles(bottles: Bottles) -> None:
    other = bottles.cast.another_firm()
    mine = bottles.empty(**TWO_PHASE)
    theirs = bottles.empty(owner_firm_id=str(other), registered_by_firm_id=str(other), **TWO_PHASE)
    recall = open_recall(bottles)
    assert recall["bottles"] == 2
    for clerk, own in ((bottles.cast.clerk, mine), (bottles.cast.clerk_of(other), theirs)):
        assert [task["cylinder_id"] for task in tasks(bottles, recall, clerk)] == [str(own.id)]
        [seen] = clerk.get("/api/v1/recalls").get_json()["items"]
        assert seen["bottles"] == 1


def test_a_bottle_given_up_as_lost_opens_the_recall_again_when_it_is_scanned(
    bottles: Bottles, db: Session
) -> None:
    bottle = bottles.on_card(bottles.cast.household(), **TWO_PHASE)
    recall = open_recall(bottles)
    made(settle(bottles, recall, bottle, "not_found"))
    made(bottles.cast.regulator.post(act(recall, "finishings"), {}))
    assert state_of(db, bottle) is CylinderState.HELD
    made(bottles.receive(bottle.code))
    now = bottles.cast.regulator.get(f"/api/v1/recalls/{recall['id']}").get_json()
    assert (now["state"], now["finished_at"], now["progress"]["brought_in"]) == ("recalling", None, 1)


def test_bottles_filed_later_are_found_late_and_held(bottles: Bottles, db: Session) -> None:
    first = bottles.empty(**TWO_PHASE)
    recall = open_recall(bottles)
    regulator = bottles.cast.regulator
    nothing = regulator.post(act(recall, "late-finds"), {})
    assert codes(nothing.get_json()) == ["recall.nothing_listed"]
    made(settle(bottles, recall, first, "returned_to_maker"))
    made(regulator.post(act(recall, "finishings"), {}))
    late = bottles.empty(**TWO_PHASE)
    again = made(regulator.post(act(recall, "late-finds"), {}))
    assert (again["state"], again["bottles"], again["late"]) == ("recalling", 2, 1)
    assert again["root"] == recall["root"]
    assert state_of(db, late) is CylinderState.HELD
    assert state_of(db, first) is CylinderState.HELD


def test_a_task_of_a_bottle_that_is_not_listed_is_not_there(bottles: Bottles, db: Session) -> None:
    bottles.empty(**TWO_PHASE)
    sound = bottles.empty()
    recall = open_recall(bottles)
    assert settle(bottles, recall, sound, "not_found").status_code == 404
    unknown = {"cylinder_ids": [str(uuid4())]}
    assert bottles.cast.regulator.post(act(recall, "tellings"), unknown).status_code == 404
    assert db.scalars(sa.select(RecallTask.told_at)).all() == [None]


def test_many_bottles_are_held_by_few_statements(bottles: Bottles, db: Session, ground: Ground) -> None:
    """A register's worth: the list, the holds and the states by statements of many rows each."""
    template = bottles.empty(**TWO_PHASE)
    columns = [column for column in Cylinder.__table__.c if column.name != "cylinder_id"]
    series = sa.func.generate_series(1, 3000).table_valued("n")
    made_up = sa.select(sa.func.gen_random_uuid(), *columns).select_from(
        Cylinder.__table__.join(series, Cylinder.cylinder_id == template.id)
    )
    db.execute(sa.insert(Cylinder).from_select(["cylinder_id", *(one.name for one in columns)], made_up))
    db.commit()
    recall = open_recall(bottles)
    assert recall["bottles"] == 3001
    held = sa.select(sa.func.count()).where(Cylinder.state == CylinderState.HELD)
    assert db.scalar(held) == 3001
    recalled = sa.select(sa.func.count()).where(Hold.kind == HoldKind.RECALL, Hold.until_at.is_(None))
    assert db.scalar(recalled) == 3001
    assert UUID(recall["id"])
