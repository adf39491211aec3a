"""What people may ask about their data, who may see them and how often, and what is erased when."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from core import clock
from core.ground import Ground
from core.sealed import SealedKey
from evidence.verify import Tally, verify
from registry import queries, retention, sealing, terms
from registry.models import Account, IdentityCheck, Person, PersonDocument, PersonPhone
from registry.privacy_models import NoticeShown, PrivacyRequest, ProcessingStop, Reveal
from tests.cast import Cast, Users, made
from tests.conftest import THE_DAY
from tests.desk import Person as SignedIn
from tests.registry.proofs import codes, count, entries, faults, was_refused

REVEAL = {"fields": ["name", "phone"], "reason": "safety", "purpose": "call", "case_no": "YL-0612"}


def reveal(cast: Cast, who: SignedIn, users: Users) -> Any:
    return who.post(cast.at(f"households/{users.household_id}/reveals"), REVEAL)


def closed(cast: Cast, ground: Ground, users: Users, at: Any = THE_DAY) -> None:
    """As after the closing of an account; the acts of the rooms above are tested there."""
    with ground.sessions() as db:
        for table, values in (
            ("account", "state = 'closed'"),
            ("household", "closed_at = :at"),
        ):
            column = "id" if table == "household" else "household_id"
            statement = sa.text(f"UPDATE {table} SET {values} WHERE {column} = :household")
            given = {"household": users.household_id} | ({"at": at} if table == "household" else {})
            db.execute(statement, given)
        db.commit()


def asked(cast: Cast, users: Users, **body: Any) -> str:
    given = {"household_id": str(users.household_id), **body}
    return str(made(cast.clerk.post(cast.at("own-data/requests"), given))["request_id"])


def decide(cast: Cast, request_id: str, granted: bool = True, reason: str = "document_seen") -> Any:
    body = {"granted": granted, "reason": reason}
    return cast.clerk.post(cast.at(f"privacy-requests/{request_id}/decisions"), body)


# --- reveals ------------------------------------------------------------------------------------------------


def test_who_has_not_just_shown_who_they_are_sees_nothing(cast: Cast, ground: Ground) -> None:
    users = cast.household()
    answer = reveal(cast, cast.clerk, users)
    assert codes(answer) == ["reveal.not_confirmed"]
    assert was_refused(ground, "person.reveal", answer)
    assert count(ground, Reveal) == 0
    cast.confirmed(cast.clerk)
    with clock.standing_at(THE_DAY + timedelta(minutes=5)):
        assert reveal(cast, cast.clerk, users).status_code == 201
    with clock.standing_at(THE_DAY + timedelta(minutes=5, seconds=1)):
        assert codes(reveal(cast, cast.clerk, users)) == ["reveal.not_confirmed"]
    assert count(ground, Reveal) == 1


def test_a_confirmation_needs_the_password_and_belongs_to_one_token(cast: Cast, ground: Ground) -> None:
    users, password = cast.household(), "correct horse battery"
    named = {"principal_id": str(cast.clerk.principal_id), "login": "clerk.one", "password": password}
    assert faults(cast.clerk.post("/api/v1/confirmations", {"password": password})) == [
        ("/password", "wrong")
    ]
    made(cast.admin.post("/api/v1/passwords", named))
    for wrong in ({"password": "not the password"}, {"password": ""}, {}, {"password": 7}):
        assert cast.clerk.post("/api/v1/confirmations", wrong).status_code == 422
    assert codes(reveal(cast, cast.clerk, users)) == ["reveal.not_confirmed"]
    assert cast.clerk.post("/api/v1/confirmations", {"password": password}).status_code == 200
    assert reveal(cast, cast.clerk, users).status_code == 201
    given = {
        "role": "clerk", "scope_kind": "firm", "scope_code": str(cast.firm()),
        "home_district": cast.district, "label": "another token",
        "principal_id": str(cast.clerk.principal_id),
    }  # fmt: skip
    token = made(cast.admin.post("/api/v1/grants", given))
    other = SignedIn(cast.desk.app, token["token"], cast.clerk.principal_id)
    answer = other.post(
        cast.at(f"households/{users.household_id}/reveals"), REVEAL, **{"Acting-As": token["grant_id"]}
    )
    assert codes(answer) == ["reveal.not_confirmed"]


def test_one_person_sees_fifty_homes_a_day_and_a_refused_one_does_not_count(
    cast: Cast, ground: Ground
) -> None:
    users = cast.household()
    cast.confirmed(cast.clerk)
    with ground.sessions() as db:
        from core import limits

        day = clock.at(date(2024, 6, 12))
        for _ in range(49):
            limits.count_in(db, ground, "person.reveal", str(cast.clerk.principal_id), day)
        db.commit()
    assert reveal(cast, cast.clerk, users).status_code == 201
    for _ in range(2):
        assert codes(reveal(cast, cast.clerk, users)) == ["reveal.quota_spent"]
    assert count(ground, Reveal) == 1
    with clock.standing_at(THE_DAY + timedelta(hours=15)):  # the next day in Shanghai
        cast.confirmed(cast.clerk)
        assert reveal(cast, cast.clerk, users).status_code == 201


# --- the notice ---------------------------------------------------------------------------------------------


def test_nobody_is_registered_without_the_notice_in_force(cast: Cast, ground: Ground) -> None:
    shown = cast.clerk.get("/api/v1/privacy-notice").json
    assert shown is not None
    assert len(shown["zh"]) == len(shown["en"]) > 3
    body = cast.registrant(method="document_seen")
    assert faults(cast.clerk.post(cast.at("people"), body)) == [("/notice_version", "required")]
    old = cast.clerk.post(cast.at("people"), body | {"notice_version": "2019-01"})
    assert codes(old) == ["person.notice_outdated"]
    assert (count(ground, Person), count(ground, NoticeShown)) == (0, 0)
    seen = {"notice_version": shown["version"], "evidence": "copy-17/3"}
    person_id = made(cast.clerk.post(cast.at("people"), body | seen))["person_id"]
    with ground.sessions() as db:
        [row] = db.scalars(sa.select(NoticeShown))
        [check] = db.scalars(sa.select(IdentityCheck))
    assert (str(row.person_id), row.version) == (person_id, shown["version"])
    assert (check.evidence, check.checked_by) == ("copy-17/3", cast.clerk.principal_id)


# --- corrections --------------------------------------------------------------------------------------------


def test_a_phone_is_corrected_by_a_clerk_and_found_by_the_new_number_only(cast: Cast, ground: Ground) -> None:
    users = cast.household()
    person_id = cast.registrant_of(users)
    request_id = asked(cast, users, kind="correction", field="phone", said="138 0000-9999")
    [waiting] = cast.clerk.get(cast.at("privacy-requests")).json["items"]  # type: ignore[index]
    assert (waiting["id"], waiting["said"]) == (request_id, "13800009999")
    assert made(decide(cast, request_id, reason="phone_answered"))["outcome"] == "corrected"
    with ground.sessions() as db:
        assert queries.phone_of(db, ground, person_id) == "13800009999"
        index = sealing.phone_index(ground, "13800009999")
        [row] = db.scalars(sa.select(PersonPhone).where(PersonPhone.person_id == person_id))
        assert row.value == index.digest
    again = decide(cast, request_id)
    assert codes(again) == ["privacy_request.decided"]
    assert "13800009999" not in str(entries(ground, "own_data.decide") + entries(ground, "own_data.ask"))


def test_a_name_and_an_address_are_corrected_and_a_declined_request_changes_nothing(
    cast: Cast, ground: Ground
) -> None:
    users = cast.household()
    declined = asked(cast, users, kind="correction", field="name", said="样例张三")
    assert made(decide(cast, declined, granted=False, reason="not_proven"))["outcome"] == "declined"
    granted = asked(cast, users, kind="correction", field="name", said="样例李四")
    made(decide(cast, granted))
    moved = asked(cast, users, kind="correction", field="address", said="样例市样例路900弄9号901室")
    made(decide(cast, moved, reason="visited"))
    shown = made(
        cast.confirmed(cast.clerk).post(
            cast.at(f"households/{users.household_id}/reveals"), REVEAL | {"fields": ["name", "address"]}
        )
    )
    assert (shown["name"], shown["address"]) == ("样例李四", "样例市样例路900弄9号901室")
    place = cast.place_body(address="样例市样例路900弄9号901室")
    standing = cast.clerk.post(cast.at("premises"), place)
    assert standing.json["household_id"] == str(users.household_id)  # type: ignore[index]


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({"kind": "correction"}, "/field"),
        ({"kind": "correction", "field": "phone"}, "/said"),
        ({"kind": "correction", "field": "phone", "said": "call me"}, "/said"),
        ({"kind": "erasure", "said": "x"}, "/said"),
        ({"kind": "forget"}, "/kind"),
        ({"kind": "correction", "field": "income", "said": "x"}, "/field"),
    ],
)
def test_what_cannot_be_asked_is_said_at_its_field(
    cast: Cast, ground: Ground, body: dict[str, Any], wrong: str
) -> None:
    users = cast.household()
    given = {"household_id": str(users.household_id), **body}
    assert wrong in [pointer for pointer, _ in faults(cast.clerk.post(cast.at("own-data/requests"), given))]
    assert count(ground, PrivacyRequest) == 0


def test_another_firm_neither_sees_nor_decides_a_request(cast: Cast, ground: Ground) -> None:
    users = cast.household()
    request_id = asked(cast, users, kind="erasure")
    stranger = cast.clerk_of(cast.another_firm())
    assert stranger.get(cast.at("privacy-requests")).json == {"items": []}
    body = {"granted": True, "reason": "document_seen"}
    assert stranger.post(cast.at(f"privacy-requests/{request_id}/decisions"), body).status_code == 404
    given = {"household_id": str(users.household_id), "kind": "erasure"}
    assert stranger.post(cast.at("own-data/requests"), given).status_code == 404
    assert count(ground, PrivacyRequest) == 1


# --- erasure and retention ----------------------------------------------------------------------------------


def test_an_open_account_holds_the_data(cast: Cast, ground: Ground) -> None:
    users = cast.household()
    keys = count(ground, SealedKey)
    answer = decide(cast, asked(cast, users, kind="erasure"))
    assert codes(answer) == ["person.has_open_account"]
    assert (count(ground, SealedKey), count(ground, ProcessingStop)) == (keys, 0)


def test_while_the_term_runs_the_data_are_kept_and_shown_to_nobody(cast: Cast, ground: Ground) -> None:
    users = cast.household()
    closed(cast, ground, users)
    answer = made(decide(cast, asked(cast, users, kind="erasure")))
    assert (answer["outcome"], answer["erase_on"]) == ("stopped", "2026-06-12")
    cast.confirmed(cast.clerk)
    assert codes(reveal(cast, cast.clerk, users)) == ["person.processing_stopped"]
    assert count(ground, PersonDocument) == 1


def test_who_came_again_and_asks_a_second_time_is_stopped_from_then(cast: Cast, ground: Ground) -> None:
    given = cast.registrant()
    users = cast.household(person=given)
    closed(cast, ground, users)
    made(decide(cast, asked(cast, users, kind="erasure")))
    with clock.standing_at(THE_DAY + timedelta(days=1)):
        cast.person(**given)
        assert made(reveal(cast, cast.confirmed(cast.clerk), users))["name"] == given["name"]
    with clock.standing_at(THE_DAY + timedelta(days=2)):
        assert made(decide(cast, asked(cast, users, kind="erasure")))["outcome"] == "stopped"
        assert codes(reveal(cast, cast.confirmed(cast.clerk), users)) == ["person.processing_stopped"]
    with ground.sessions() as db:
        [stop] = db.scalars(sa.select(ProcessingStop))
    assert stop.stopped_at == THE_DAY + timedelta(days=2)


def test_one_deletion_ends_data_salts_and_indexes_and_the_trace_stays(cast: Cast, ground: Ground) -> None:
    users = cast.household()
    person_id, neighbour = cast.registrant_of(users), cast.household()
    resident = cast.resident(person_id)
    closed(cast, ground, users, THE_DAY - timedelta(days=800))
    before = len(entries(ground, "account.import"))
    assert made(decide(cast, asked(cast, users, kind="erasure")))["outcome"] == "erased"
    with ground.sessions() as db:
        person = db.get_one(Person, person_id)
        for value in (sealing.name_of(person), sealing.phone_of(person), sealing.salt_of(person)):
            assert sealing.opened(db, ground, value) is None
        [check] = db.scalars(sa.select(IdentityCheck).where(IdentityCheck.person_id == person_id))
        assert sealing.opened(db, ground, sealing.number_of(check)) is None
        for table in (PersonDocument, PersonPhone):
            assert set(db.scalars(sa.select(table.person_id))) == {cast.registrant_of(neighbour)}
        assert not list(verify(db, Tally()))
    file = cast.clerk.get(cast.at(f"households/{users.household_id}")).json
    assert file is not None
    assert (file["address_masked"], file["registrant"]["name_masked"]) == (None, None)
    assert resident.get(cast.at("own-data/looks")).status_code == 401
    assert len(entries(ground, "account.import")) == before
    assert made(reveal(cast, cast.confirmed(cast.clerk), neighbour))["name"]


def test_nothing_more_is_put_under_what_an_erased_person_left(cast: Cast, ground: Ground) -> None:
    """Sealing again made them a new key, under which their old name did not open: the file answered 500."""
    gone, home = cast.household(), cast.household()
    shop, person_id = cast.restaurant(), cast.registrant_of(gone)
    identified = cast.registrant()
    unused = cast.person(**identified)
    closed(cast, ground, gone, THE_DAY - timedelta(days=800))
    made(decide(cast, asked(cast, gone, kind="erasure")))
    with clock.standing_at(THE_DAY + timedelta(days=366)):
        assert retention.retain(ground)["people"] == 1
    paper = {"paper": "WT-1", "may_book": True, "may_receive": True, "until_on": "2024-12-31"}
    lease = {"reference": "ZL-1", "from_on": "2024-01-01", "until_on": "2024-12-31"}
    opening = {
        "household_id": str(cast.place()),
        "firm_id": str(cast.firm()),
        "applied_on": "2023-07-31",
        "cards": [{"cylinder_model": "YSP35.5"}],
    }
    heir = {"ground": "died", "kinship": "child", "evidence": "SW-1", "membership": "HK-1"}
    keys, accounts = count(ground, SealedKey), count(ground, Account)
    at_home, transfer = f"households/{home.household_id}", {"applied_on": "2023-07-31", "kind": "transfer"}
    for erased in (person_id, unused):
        for path, body in (
            ("accounts", opening),
            (f"accounts/{shop.account_id}/transfers", transfer),
            (f"accounts/{home.account_id}/successions", heir),
            (f"{at_home}/proxies", paper),
            (f"{at_home}/lettings", lease),
        ):
            answer = cast.clerk.post(cast.at(path), body | {"person_id": str(erased)})
            assert faults(answer) == [("/person_id", "unknown")], (path, answer.text)
        shown = {"document": identified["document"], "method": "document_seen", "passed": True}
        assert cast.clerk.post(cast.at(f"people/{erased}/identity-checks"), shown).status_code == 404
    wanted = {"kind": "correction", "field": "name", "said": "样例新名"}
    answer = cast.clerk.post(cast.at("own-data/requests"), wanted | {"household_id": str(gone.household_id)})
    assert answer.status_code == 404
    assert (count(ground, SealedKey), count(ground, Account)) == (keys, accounts)
    assert cast.clerk.get(cast.at(f"households/{gone.household_id}")).status_code == 200


def test_the_daily_job_erases_what_no_term_holds_any_more(cast: Cast, ground: Ground) -> None:
    due, early, standing = cast.household(), cast.household(), cast.household()
    closed(cast, ground, due)
    closed(cast, ground, early, THE_DAY + timedelta(days=1))
    assert retention.retain(ground)["people"] == 0
    with clock.standing_at(clock.at(date(2026, 6, 11)) + timedelta(hours=23)):
        assert retention.retain(ground)["people"] == 0
    with clock.standing_at(clock.at(date(2026, 6, 12))):
        assert retention.retain(ground)["people"] == 1
        assert retention.retain(ground)["people"] == 0
    left = {cast.registrant_of(users) for users in (early, standing)}
    with ground.sessions() as db:
        assert set(db.scalars(sa.select(PersonDocument.person_id))) == left
    [entry] = entries(ground, "person.retain")
    assert entry["payload"]["outcome"] == "erased"


def test_who_is_found_due_in_two_districts_is_erased_once(
    cast: Cast, ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    users = cast.household()
    closed(cast, ground, users, THE_DAY - timedelta(days=800))
    person_id = cast.registrant_of(users)
    twice = [(district, person_id) for district in (cast.district, 310118)]
    monkeypatch.setattr(terms, "due_for_erasure", lambda *_: iter(twice))
    assert retention.retain(ground)["people"] == 1
    assert len(entries(ground, "person.retain")) == 1


def test_who_was_identified_and_never_had_to_do_with_gas_is_erased_after_the_shorter_months(
    cast: Cast, ground: Ground
) -> None:
    users, qingpu = cast.household(), Cast(cast.desk, 310118)
    named = cast.registrant(phone="13800001234")
    came_again = qingpu.registrant()
    unused, waited_for, again = qingpu.person(), cast.person(**named), qingpu.person(**came_again)
    with clock.standing_at(THE_DAY + timedelta(days=1)):
        qingpu.person(**came_again)
    giver = cast.resident(cast.registrant_of(users))
    with clock.standing_at(clock.at(date(2025, 6, 11)) + timedelta(hours=23)):
        asks = {"phone": named["phone"], "may_book": True, "may_receive": True, "until_on": "2025-07-01"}
        made(giver.post(cast.at(f"households/{users.household_id}/proxies"), asks))
        assert retention.retain(ground)["people"] == 0

    def left() -> set[UUID]:
        with ground.sessions() as db:
            return set(db.scalars(sa.select(PersonDocument.person_id))) - {cast.registrant_of(users)}

    for day, people in (
        (date(2025, 6, 12), {waited_for, again}),
        (date(2025, 6, 13), {waited_for}),
        (date(2025, 7, 1), {waited_for}),
        (date(2025, 7, 2), set()),
    ):
        with clock.standing_at(clock.at(day)):
            retention.retain(ground)
            assert left() == people, day
    assert [one["district"] for one in entries(ground, "person.retain")] == [310118, 310118, 310105]
    with ground.sessions() as db:
        assert sealing.opened(db, ground, sealing.name_of(db.get_one(Person, unused))) is None
        assert not list(verify(db, Tally()))


@pytest.mark.parametrize(
    ("day", "months", "later"),
    [
        ("2024-06-12", 24, "2026-06-12"),
        ("2024-02-29", 12, "2025-02-28"),
        ("2024-12-31", 2, "2025-02-28"),
        ("2024-01-31", 1, "2024-02-29"),
        ("2024-03-15", -24, "2022-03-15"),
        ("2024-12-01", 0, "2024-12-01"),
    ],
)
def test_months_end_where_a_month_ends(day: str, months: int, later: str) -> None:
    assert terms.months_after(date.fromisoformat(day), months) == date.fromisoformat(later)


# --- the resident's own -------------------------------------------------------------------------------------


def test_a_resident_reads_who_looked_and_has_a_copy_of_everything(cast: Cast, ground: Ground) -> None:
    person = cast.registrant(phone="13800001234")
    users, other = cast.household(person=person), cast.household()
    reveal(cast, cast.confirmed(cast.clerk), users)
    reveal(cast, cast.clerk, other)
    cast.regulator.get(cast.at(f"households/{users.household_id}"))
    resident = cast.resident(cast.registrant_of(users))
    looks = resident.get(cast.at("own-data/looks")).json["items"]  # type: ignore[index]
    [seen] = [one for one in looks if one["what"] == "reveal"]
    assert (seen["role"], seen["reason"], seen["purpose"], seen["case_no"]) == (
        "clerk", "safety", "call", "YL-0612",
    )  # fmt: skip
    assert seen["unit"].startswith("样例燃气")
    assert str(cast.clerk.principal_id) not in str(looks)
    copy = made(resident.post(cast.at("own-data/copies")))
    assert copy["person"]["name"] == person["name"]
    assert copy["person"]["phone"] == "13800001234"
    assert person["document"]["number"] not in str(copy)
    assert "***" in copy["person"]["identity_checks"][0]["number_masked"]
    [home] = copy["homes"]
    assert home["household_id"] == str(users.household_id)
    assert str(other.household_id) not in str(copy)
    assert len(entries(ground, "own_data.copy")) == 1
    for path in ("own-data/looks", "own-data/requests"):
        assert cast.clerk.get(cast.at(path)).status_code == 403


def test_a_resident_asks_and_withdraws_and_nobody_else_can(cast: Cast, ground: Ground) -> None:
    users, other = cast.household(), cast.household()
    resident, stranger = (cast.resident(cast.registrant_of(one)) for one in (users, other))
    given = {"kind": "correction", "field": "name", "said": "样例王五"}
    request_id = made(resident.post(cast.at("own-data/requests"), given))["request_id"]
    path = cast.at(f"own-data/requests/{request_id}/withdrawals")
    assert stranger.post(path).status_code == 404
    foreign = given | {"household_id": str(other.household_id)}
    assert resident.post(cast.at("own-data/requests"), foreign).status_code == 404
    made(resident.post(path))
    assert codes(resident.post(path)) == ["state.move_not_allowed"]
    assert codes(decide(cast, request_id)) == ["privacy_request.decided"]
    [row] = resident.get(cast.at("own-data/requests")).json["items"]  # type: ignore[index]
    assert row["state"] == "withdrawn"
    assert stranger.get(cast.at("own-data/requests")).json == {"items": []}
