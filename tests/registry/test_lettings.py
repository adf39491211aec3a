"""出租登记: who may be entered as a landlord, one at a time, what of it is read by whom, and their term."""

import contextlib
import json
import threading
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.exc import IntegrityError

from core import clock, outbox
from core.auth import Role, ScopeKind
from core.ground import Ground
from core.ids import new_id
from core.outbox import OutboxEvent
from evidence.deed import Deed
from evidence.verify import verify
from oversight.models import Look
from registry import household_file_queries, lettings, terms
from registry.letting_models import Letting
from registry.models import IdentityCheck
from tests.cast import CHANGNING, Cast, Users, made
from tests.conftest import THE_DAY, doing_as
from tests.registry.proofs import codes, count, entries, faults, was_refused
from tests.registry.test_registry_privacy import asked, closed, decide
from tests.registry.test_registry_races import at_once
from tests.web.test_office_pages import Clerk
from tests.web.test_office_users import PERSON

FROM, UNTIL = "2024-01-01", "2024-12-31"
TENANT, LANDLORD = "13800003333", "13800004444"


@pytest.fixture
def home(cast: Cast) -> Users:
    return cast.household()


@pytest.fixture
def landlord(cast: Cast) -> UUID:
    """A customer of the same firm."""
    return UUID(str(cast.registrant_of(cast.household())))


def at(cast: Cast, home: Users) -> str:
    return cast.at(f"households/{home.household_id}/lettings")


def lease(landlord: UUID, **changed: Any) -> dict[str, Any]:
    return {"person_id": str(landlord), "reference": "ZL-1", "from_on": FROM, "until_on": UNTIL} | changed


def entered(cast: Cast, home: Users, landlord: UUID, **changed: Any) -> str:
    return str(made(cast.clerk.post(at(cast, home), lease(landlord, **changed)))["letting_id"])


def standing(ground: Ground) -> list[UUID]:
    with ground.sessions() as db:
        return list(db.scalars(sa.select(Letting.id).where(Letting.ended_at.is_(None))))


def test_what_is_wrong_is_said_at_its_field_and_nothing_is_entered(
    cast: Cast, ground: Ground, home: Users, landlord: UUID
) -> None:
    other = Cast(cast.desk)
    strange = other.registrant_of(other.household())
    for changed, wrong in (
        ({"person_id": str(cast.registrant_of(home))}, [("/person_id", "registrant")]),
        ({"person_id": str(UUID(int=9))}, [("/person_id", "unknown")]),
        ({"person_id": str(strange)}, [("/person_id", "unknown")]),
        ({"person_id": 7}, [("/person_id", "id")]),
        ({"reference": "某某的租约"}, [("/reference", "pattern")]),
        ({"reference": None}, [("/reference", "null")]),
        ({"from_on": "2024-06-13"}, [("/from_on", "future")]),
        ({"from_on": "2024-13-01"}, [("/from_on", "day")]),
        ({"until_on": "2023-12-31"}, [("/until_on", "order")]),
        ({"until_on": "2024-06-11"}, [("/until_on", "past")]),
        (
            {"from_on": "2024-06-14", "until_on": "2024-06-13"},
            [("/from_on", "future"), ("/until_on", "order")],
        ),
        ({"name": "x"}, [("/name", "unknown_field")]),
    ):
        assert faults(cast.clerk.post(at(cast, home), lease(landlord, **changed))) == wrong, changed
    not_identified(ground, landlord)
    answer = cast.clerk.post(at(cast, home), lease(landlord))
    assert faults(answer) == [("/person_id", "not_identified")]
    assert (count(ground, Letting), entries(ground, "letting.enter")) == (0, [])


def not_identified(ground: Ground, person_id: UUID) -> None:
    """A later check failed."""
    with ground.sessions() as db:
        row = db.scalars(sa.select(IdentityCheck).where(IdentityCheck.person_id == person_id)).one()
        values = {one.key: getattr(row, one.key) for one in sa.inspect(IdentityCheck).column_attrs}
        db.execute(sa.insert(IdentityCheck).values(values | {"id": new_id(), "passed": False}))
        db.commit()


def test_a_firm_enters_and_ends_its_own_homes_only(
    cast: Cast, ground: Ground, home: Users, landlord: UUID
) -> None:
    other = cast.clerk_of(cast.another_firm())
    assert other.post(at(cast, home), lease(landlord)).status_code == 404
    assert cast.regulator.post(at(cast, home), lease(landlord)).status_code == 403
    assert count(ground, Letting) == 0
    letting = entered(cast, home, landlord)
    end = f"{at(cast, home)}/{letting}/ends"
    assert other.post(end).status_code == 404
    assert cast.clerk.post(f"{at(cast, cast.household())}/{letting}/ends").status_code == 404
    assert other.get(at(cast, home)).status_code == 404
    assert cast.dispatcher.get(at(cast, home)).status_code == 403
    assert len(standing(ground)) == 1
    made(cast.clerk.post(end))
    again = cast.clerk.post(end)
    assert codes(again) == ["letting.ended"]
    assert was_refused(ground, "letting.end", again)
    assert standing(ground) == []


def test_a_newer_one_takes_the_place_of_the_one_before_and_it_ends_with_the_account(
    cast: Cast, ground: Ground, home: Users, landlord: UUID
) -> None:
    first = entered(cast, home, landlord)
    second = entered(cast, home, landlord, reference="ZL-2")
    assert standing(ground) == [UUID(second)]
    items = cast.regulator.get(at(cast, home)).get_json()["items"]
    assert [(one["id"], one["ended_at"] is None) for one in items] == [(second, True), (first, False)]
    body = {"reason": "moved", "evidence": "TH-1"}
    with clock.standing_at(THE_DAY + timedelta(minutes=1)):
        made(cast.clerk.post(cast.at(f"accounts/{home.account_id}/closings"), body))
        assert standing(ground) == []
        assert cast.clerk.post(at(cast, home), lease(landlord)).status_code == 404
    with ground.sessions() as db:
        assert not list(verify(db))


def test_of_two_clerks_at_once_one_letting_stands(
    cast: Cast, ground: Ground, home: Users, landlord: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each waits for the other between looking what stands and writing; who holds the home comes alone."""
    meet, end_living = threading.Barrier(2), lettings.end_living

    def ends_when_both_have_come(deed: Deed, household_id: UUID) -> None:
        end_living(deed, household_id)
        with contextlib.suppress(threading.BrokenBarrierError):
            meet.wait(0.3)

    monkeypatch.setattr(lettings, "end_living", ends_when_both_have_come)
    clerks = [cast.clerk, cast.clerk_of(cast.firm())]
    answers = at_once(*[lambda who=who: who.post(at(cast, home), lease(landlord)) for who in clerks])
    assert [answer.status_code for answer in answers] == [201, 201], "neither was refused by the constraint"
    assert (count(ground, Letting), len(standing(ground))) == (2, 1)
    with ground.sessions() as db:
        row = db.scalars(sa.select(Letting).where(Letting.ended_at.is_(None))).one()
        values = {one.key: getattr(row, one.key) for one in sa.inspect(Letting).column_attrs}
        second = sa.insert(Letting).values(values | {"id": new_id()})
        with pytest.raises(IntegrityError, match="uq_letting_living"):
            db.execute(second)


def test_it_is_read_masked_in_the_file_and_the_landlords_copy_holds_nothing_of_the_tenant(
    cast: Cast, ground: Ground, home: Users, landlord: UUID
) -> None:
    letting = entered(cast, home, landlord)
    file = cast.clerk.get(cast.at(f"households/{home.household_id}")).get_json()
    assert (file["letting"]["id"], "*" in file["letting"]["landlord_masked"]) == (letting, True)
    assert str(landlord) not in str(file["letting"])
    whole = cast.regulator.get(cast.at(f"households/{home.household_id}/file")).get_json()
    assert [one["reference"] for one in whole["lettings"]] == ["ZL-1"]
    copy = made(cast.resident(landlord).post(cast.at("own-data/copies")))
    [let] = copy["lettings"]
    assert let == {
        "household_id": str(home.household_id), "reference": "ZL-1",
        "from_on": FROM, "until_on": UNTIL, "ended_at": None,
    }  # fmt: skip
    assert str(cast.registrant_of(home)) not in str(copy)
    tenants = made(cast.resident(cast.registrant_of(home)).post(cast.at("own-data/copies")))
    assert tenants["lettings"] == []
    [entry] = entries(ground, "letting.enter")
    assert entry["payload"]["letting_id"] == letting


def told(ground: Ground) -> dict[str, str]:
    """To whom what was said since; the box is emptied."""
    for district in outbox.districts_due(ground):
        outbox.deliver_due(ground, district)
    box = ground.config.state_dir / "messages.jsonl"
    said = [json.loads(line) for line in box.read_text().splitlines()] if box.exists() else []
    box.unlink(missing_ok=True)
    assert len({one["to"] for one in said}) == len(said), "nobody hears two things of one act"
    return {one["to"]: one["zh"] for one in said}


def test_both_sides_are_told_what_was_entered_and_neither_who_the_other_is(
    cast: Cast, ground: Ground
) -> None:
    home = cast.household(person=cast.registrant(phone=TENANT))
    landlord = cast.person(phone=LANDLORD)
    entered(cast, home, landlord)
    assert cast.clerk.post(at(cast, home), lease(landlord, until_on="2024-06-11")).status_code == 422
    with ground.sessions() as db:
        [payload] = db.scalars(sa.select(OutboxEvent.payload).where(OutboxEvent.topic == lettings.ENTERED))
    assert set(payload) == {"letting_id"}
    said = told(ground)
    assert {to: ("房东" in zh, "2024年12月31日" in zh) for to, zh in said.items()} == {
        TENANT: (True, True), LANDLORD: (True, True),
    }  # fmt: skip
    assert not any(word in str(said.values()) for word in ("样例", "ZL-1", TENANT, LANDLORD))
    second = entered(cast, home, landlord)
    assert "登记里记下了房东" in told(ground)[TENANT], "a newer one is told, not the older's end"
    made(cast.clerk.post(f"{at(cast, home)}/{second}/ends"))
    said = told(ground)
    assert {to: ("已经结束" in zh, "2024年12月31日" in zh) for to, zh in said.items()} == {
        TENANT: (True, True), LANDLORD: (True, True),
    }  # fmt: skip
    assert not any(word in str(said.values()) for word in ("样例", "ZL-1", TENANT, LANDLORD))
    third = entered(cast, home, landlord)
    assert cast.clerk.post(f"{at(cast, home)}/{second}/ends").status_code == 409
    made(cast.clerk.post(f"{at(cast, home)}/{third}/ends"))
    assert {zh[:2]: "已经结束" in zh for zh in told(ground).values()} == {"您家": True, "您作": True}, (
        "it has ended before it was told: of its beginning nobody hears any more"
    )


def test_another_landlord_and_another_registrant_hear_nothing_of_who_was_before(
    cast: Cast, ground: Ground
) -> None:
    home = cast.household(person=cast.registrant(phone=TENANT))
    landlord, next_landlord, heir = (
        cast.person(phone=number) for number in (LANDLORD, "13800005555", "13800006666")
    )
    entered(cast, home, landlord)
    told(ground)
    entered(cast, home, next_landlord)
    said = told(ground)
    assert {to: "已经结束" in zh for to, zh in said.items()} == {
        TENANT: False, LANDLORD: True, "13800005555": False,
    }  # fmt: skip
    handed = {"person_id": str(heir), "applied_on": "2023-07-31", "kind": "transfer"}
    with clock.standing_at(THE_DAY + timedelta(minutes=1)):
        made(cast.clerk.post(cast.at(f"accounts/{home.account_id}/transfers"), handed))
        said = told(ground)
    assert {to: "已经结束" in zh for to, zh in said.items()} == {TENANT: True, "13800005555": True}


def test_a_landlord_who_asked_to_be_erased_is_shown_to_nobody_and_told_nothing(
    cast: Cast, ground: Ground, home: Users
) -> None:
    own = cast.household(person=cast.registrant(phone=LANDLORD))
    landlord = UUID(str(cast.registrant_of(own)))
    entered(cast, home, landlord)
    told(ground)
    closed(cast, ground, own)
    made(decide(cast, asked(cast, own, kind="erasure")))
    entered(cast, home, landlord, reference="ZL-2")
    at_home = cast.at(f"households/{home.household_id}")
    assert cast.clerk.get(at_home).get_json()["letting"]["landlord_masked"] is None
    items = cast.regulator.get(at(cast, home)).get_json()["items"]
    assert [one["landlord_masked"] for one in items] == [None, None]
    theirs = cast.at(f"households/{own.household_id}")
    shown = cast.clerk.get(theirs).get_json()["registrant"]
    assert (shown["name_masked"], shown["phone_masked"]) == (None, None)
    [seen] = household_file_queries.own_files(
        doing_as(ground, Role.RESIDENT, ScopeKind.PERSON, str(landlord))
    )
    assert seen["registrant"]["phone_masked"], "they see their own"
    assert LANDLORD not in told(ground)


def test_a_landlord_is_known_until_their_term_after_the_letting_is_over(
    cast: Cast, ground: Ground, home: Users
) -> None:
    own = cast.household()
    landlord = UUID(str(cast.registrant_of(own)))
    letting = entered(cast, home, landlord, until_on="2025-06-12")
    closed(cast, ground, own)

    def due(day: str) -> list[UUID]:
        with ground.sessions() as db:
            return terms.due_in(db, CHANGNING, date.fromisoformat(day))

    assert (due("2026-06-12"), due("2027-06-11"), due("2027-06-12")) == ([], [], [landlord])
    made(cast.clerk.post(f"{at(cast, home)}/{letting}/ends"))
    assert (due("2026-06-11"), due("2026-06-12")) == ([], [landlord])


# --- the counter's page -----------------------------------------------------------------------------------


def test_a_landlord_is_identified_entered_and_ended_at_the_counter(
    app: Flask, cast: Cast, home: Users, ground: Ground
) -> None:
    clerk = Clerk(app, ground, cast.clerk.principal_id)
    page = f"households/{home.household_id}/letting"
    assert f"/office/{page}" in clerk.get(f"households/{home.household_id}").text
    assert f"people/new?lets={home.household_id}" in clerk.get(page).text
    came_for = clerk.get(f"people/new?lets={home.household_id}").text
    assert f'name="lets" value="{home.household_id}"' in came_for
    at_page = clerk.post("people", PERSON | {"lets": str(home.household_id)}).headers["Location"]
    asked_for = clerk.get(at_page.removeprefix("/office/")).text
    assert ("登记房东" in asked_for, "柜台样例" in asked_for) == (True, False)
    form = {
        "person_id": at_page.partition("?person=")[2],
        "reference": "ZL-7",
        "from_on": FROM,
        "until_on": UNTIL,
    }
    for changed, said in (
        ({"reference": ""}, "租约编号"),
        ({"until_on": "2023-06-11"}, "不能早于起租日"),
        ({"person_id": str(cast.registrant_of(home))}, "登记人本人"),
        ({"person_id": "nobody"}, "先核验房东"),
    ):
        answer = clerk.post(page, form | changed)
        assert (answer.status_code, said in answer.text) == (422, True), (changed, answer.text)
    assert count(ground, Letting) == 0
    looks = count(ground, Look)
    assert clerk.post(page, form).status_code == 302
    seen = clerk.get(page).text
    assert ("ZL-7" in seen, "柜台样例" in seen, count(ground, Look)) == (True, False, looks + 1)
    [letting] = standing(ground)
    assert "ZL-7" in clerk.client.get(f"/files/households/{home.household_id}").text
    assert clerk.post(f"{page}/{letting}/ends", {}).status_code == 302
    assert standing(ground) == []
