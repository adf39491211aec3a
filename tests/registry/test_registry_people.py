"""Real names: registered as events, sealed, found by a blind index; masked until a deed reveals them."""

from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from core import clock
from core.auth import Role
from core.db import Base
from core.ground import Ground
from core.idempotency import Idempotency
from registry import queries
from registry.models import IdentityCheck, Person, PersonDocument
from tests.cast import Cast, made, resident_number
from tests.desk import Person as SignedIn
from tests.registry.proofs import codes, count, entries, faults, was_refused

NAME, PHONE, NUMBER = "样例王小明", "13800009876", resident_number(77)
ADDRESS = "样例市样例路8弄12号304室"


def wang(**changed: Any) -> dict[str, Any]:
    document = {"kind": "resident_id", "number": NUMBER}
    return {
        "document": document,
        "name": NAME,
        "phone": PHONE,
        "method": "document_seen",
        "notice_version": "2021-11",
    } | changed


def register(who: SignedIn, cast: Cast, **changed: Any) -> Any:
    return who.post(cast.at("people"), wang(**changed))


def test_a_person_is_registered_and_the_check_is_an_event(cast: Cast, ground: Ground) -> None:
    person_id = UUID(made(register(cast.clerk, cast))["person_id"])
    with ground.sessions() as db:
        check = queries.identity_of(db, person_id)
    assert check is not None
    assert (check.document_kind, check.method.value) == ("resident_id", "document_seen")
    [entry] = entries(ground, "person.register")
    assert len(entry["payload"]["commitment"]) == 64
    assert not {NAME, PHONE, NUMBER} & set(str(entry).split("'"))


def test_the_same_document_and_name_is_the_same_person_and_one_more_check(cast: Cast, ground: Ground) -> None:
    first = made(register(cast.clerk, cast))
    again = register(cast.clerk, cast, name=" 样例 王小明 ", phone="13811112222")
    assert again.status_code == 200
    assert again.get_json() == first, "the id, and nothing else"
    assert (count(ground, Person), count(ground, PersonDocument), count(ground, IdentityCheck)) == (1, 1, 2)


def test_one_document_is_one_person_in_every_district(cast: Cast, ground: Ground) -> None:
    first = made(register(cast.clerk, cast))
    qingpu = Cast(cast.desk, 310118)
    again = register(qingpu.clerk, qingpu)
    assert (again.status_code, again.get_json()) == (200, first)


def test_another_name_on_the_same_document_is_refused_and_tells_nothing(cast: Cast, ground: Ground) -> None:
    person_id = made(register(cast.clerk, cast))["person_id"]
    other = register(cast.clerk_of(cast.another_firm()), cast, name="样例李四")
    assert codes(other) == ["person.name_differs"]
    assert NAME not in other.text
    assert person_id not in other.text
    assert count(ground, IdentityCheck) == 1
    assert was_refused(ground, "person.register", other)


@pytest.mark.parametrize(
    ("document", "pointer", "code"),
    [
        ({"kind": "resident_id", "number": NUMBER[:-1]}, "/document/number", "document.shape"),
        (
            {"kind": "resident_id", "number": NUMBER[:-1] + ("0" if NUMBER[-1] != "0" else "1")},
            "/document/number",
            "document.check_digit",
        ),
        ({"kind": "library_card", "number": "1"}, "/document/kind", "word"),
        ({"kind": "passport", "number": "E1"}, "/document/number", "document.shape"),
    ],
)
def test_a_wrong_document_is_a_wrong_field(
    cast: Cast, ground: Ground, document: dict[str, str], pointer: str, code: str
) -> None:
    assert faults(register(cast.clerk, cast, document=document)) == [(pointer, code)]
    assert count(ground, Person) == 0
    assert not entries(ground, "person.register")


def test_an_expired_document_registers_nobody(cast: Cast, ground: Ground) -> None:
    document = {"kind": "resident_id", "number": NUMBER, "valid_until": "2024-06-11"}
    answer = register(cast.clerk, cast, document=document)
    assert codes(answer) == ["person.document_expired"]
    assert (count(ground, Person), count(ground, IdentityCheck)) == (0, 0)
    made(register(cast.clerk, cast, document=document | {"valid_until": "2024-06-12"}))


@pytest.mark.parametrize(
    ("phone", "is_taken"),
    [("138 0000-9876", True), ("+86 138 0000 9876", True), ("12345", False), ("call", False)],
)
def test_a_phone_is_checked_lightly(cast: Cast, phone: str, is_taken: bool) -> None:
    answer = register(cast.clerk, cast, phone=phone)
    assert answer.status_code == (201 if is_taken else 422)


def verify(cast: Cast, who: SignedIn, person_id: str, **changed: Any) -> Any:
    body = {"document": {"kind": "resident_id", "number": NUMBER}, "method": "at_the_door", "passed": True}
    return who.post(cast.at(f"people/{person_id}/identity-checks"), body | changed)


def test_a_failed_check_takes_an_earlier_pass_away_and_a_later_pass_gives_it_back(
    cast: Cast, ground: Ground
) -> None:
    person_id = made(register(cast.clerk, cast))["person_id"]

    def is_verified() -> bool:
        with ground.sessions() as db:
            return queries.identity_of(db, UUID(person_id)) is not None

    assert is_verified()
    made(verify(cast, cast.clerk, person_id, passed=False))
    assert not is_verified()
    made(verify(cast, cast.clerk, person_id))
    assert is_verified()


def test_a_renewed_document_is_found_as_the_same_person(cast: Cast, ground: Ground) -> None:
    person_id = made(register(cast.clerk, cast))["person_id"]
    passport = {"kind": "passport", "number": "E12345678", "valid_until": "2030-01-01"}
    made(verify(cast, cast.clerk, person_id, document=passport))
    again = register(cast.clerk, cast, document=passport)
    assert (again.status_code, again.get_json()["person_id"]) == (200, person_id)


def test_a_document_of_somebody_else_is_refused(cast: Cast, ground: Ground) -> None:
    first = made(register(cast.clerk, cast))["person_id"]
    other = {"kind": "resident_id", "number": resident_number(78)}
    made(register(cast.clerk, cast, document=other, name="样例李四"))
    answer = verify(cast, cast.clerk, first, document=other)
    assert codes(answer) == ["person.document_of_another"]
    assert count(ground, IdentityCheck) == 2
    assert was_refused(ground, "person.verify", answer)


def test_a_person_of_another_firm_is_not_there(cast: Cast) -> None:
    person_id = made(register(cast.clerk, cast))["person_id"]
    rival = cast.clerk_of(cast.another_firm())
    assert verify(cast, rival, person_id).status_code == 404
    assert verify(cast, cast.clerk, str(uuid4())).status_code == 404


# --- sealed ---------------------------------------------------------------------------------------------


def a_whole_file(cast: Cast) -> Any:
    """A household with everything personal on file."""
    person = {"document": {"kind": "resident_id", "number": NUMBER}, "name": NAME, "phone": PHONE}
    return cast.household(address=ADDRESS, person=person)


def test_no_table_holds_clear_text_of_what_is_sealed(
    cast: Cast, ground: Ground, owner_engine: sa.Engine
) -> None:
    users = a_whole_file(cast)
    cast.courier(name="样例张三丰", phone="13900001234")
    register(cast.clerk, cast)
    reveal(cast, cast.clerk, users.household_id)
    secrets = [NAME, PHONE, NUMBER, ADDRESS, "样例张三丰", "13900001234", "12号304室"]
    with owner_engine.connect() as db:
        for table in Base.metadata.sorted_tables:
            rows = db.execute(sa.text(f"SELECT t::text, t.* FROM {table.name} t"))
            for row in rows:
                raw = [
                    str(row[0]),
                    *(bytes(v).decode("utf-8", "ignore") for v in row if isinstance(v, bytes)),
                ]
                for secret in secrets:
                    assert not any(secret in text for text in raw), (table.name, secret)


def test_the_file_is_masked_by_default(cast: Cast) -> None:
    users = a_whole_file(cast)
    for who in (cast.clerk, cast.regulator):
        answer = who.get(cast.at(f"households/{users.household_id}"))
        file = answer.get_json()
        assert file["address_masked"] == "样例市样例路8弄***"
        assert file["registrant"]["name_masked"] == "样**"
        assert file["registrant"]["phone_masked"] == "138****9876"
        assert file["registrant"]["verified"] is True
        assert not any(secret in answer.text for secret in (NAME, PHONE, NUMBER, ADDRESS))
        assert "qr" not in file["cards"][0]
        assert answer.headers["Cache-Control"] == "no-store"


# --- reveals --------------------------------------------------------------------------------------------


def reveal(cast: Cast, who: SignedIn, household_id: UUID, key: str | None = None, **changed: Any) -> Any:
    body = {"fields": ["address", "name", "phone"], "reason": "delivery", "purpose": "visit"}
    body["case_no"] = "T-2024/0612"
    return cast.confirmed(who).post(cast.at(f"households/{household_id}/reveals"), body | changed, key=key)


def test_a_reveal_answers_clear_values_and_leaves_an_entry_without_them(cast: Cast, ground: Ground) -> None:
    users = a_whole_file(cast)
    answer = reveal(cast, cast.clerk, users.household_id)
    shown = made(answer)
    assert (shown["name"], shown["phone"], shown["address"]) == (NAME, PHONE, ADDRESS)
    assert answer.headers["Cache-Control"] == "no-store"
    [entry] = entries(ground, "person.reveal")
    assert entry["payload"] == {
        "fields": ["address", "name", "phone"],
        "reason": "delivery",
        "purpose": "visit",
        "case_no": "T-2024/0612",
    }
    assert {subject["type"] for subject in entry["subjects"]} == {"household", "person"}
    assert entry["actor_id"] == str(cast.clerk.principal_id)


def test_only_the_fields_asked_for_are_shown(cast: Cast) -> None:
    users = a_whole_file(cast)
    shown = made(reveal(cast, cast.clerk, users.household_id, fields=["phone"]))
    assert set(shown) == {"household_id", "person_id", "phone"}


def test_a_repeated_reveal_opens_again_and_the_kept_answer_holds_no_personal_data(
    cast: Cast, ground: Ground
) -> None:
    users = a_whole_file(cast)
    first = reveal(cast, cast.clerk, users.household_id, key="reveal-key-1")
    again = reveal(cast, cast.clerk, users.household_id, key="reveal-key-1")
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.get_json() == first.get_json()
    assert len(entries(ground, "person.reveal")) == 1
    with ground.sessions() as db:
        kept = str(db.scalars(sa.select(Idempotency.answer)).all())
    assert not any(secret in kept for secret in (NAME, PHONE, ADDRESS))


def test_a_repeated_reveal_shows_nothing_of_who_is_the_registrant_no_more(cast: Cast, ground: Ground) -> None:
    qingpu = Cast(cast.desk, 310118)
    users = a_whole_file(qingpu)
    made(reveal(qingpu, qingpu.clerk, users.household_id, key="reveal-key-1"))
    body = {"person_id": str(qingpu.person()), "applied_on": "2024-06-12"}
    made(qingpu.clerk.post(qingpu.at(f"accounts/{users.account_id}/transfers"), body))
    again = reveal(qingpu, qingpu.clerk, users.household_id, key="reveal-key-1")
    shown = again.get_json()
    assert (shown["name"], shown["phone"], shown["address"]) == (None, None, ADDRESS)


def test_a_reveal_needs_a_known_reason_and_a_case_that_is_a_code(cast: Cast, ground: Ground) -> None:
    users = a_whole_file(cast)
    curious = reveal(cast, cast.clerk, users.household_id, reason="curious")
    assert faults(curious) == [("/reason", "word")]
    wordy = reveal(cast, cast.clerk, users.household_id, case_no="样例王小明的投诉")
    assert faults(wordy) == [("/case_no", "pattern")]
    assert not entries(ground, "person.reveal")


def test_who_may_not_see_the_household_may_not_reveal_it(cast: Cast, ground: Ground) -> None:
    users = a_whole_file(cast)
    rival = cast.clerk_of(cast.another_firm())
    qingpu = Cast(cast.desk, 310118).regulator
    for stranger in (rival, qingpu):
        assert reveal(cast, stranger, users.household_id).status_code == 404
        assert stranger.get(cast.at(f"households/{users.household_id}")).status_code == 404
    filler = cast.desk.sign_in(Role.FILLER, site=cast.filling_station())
    assert reveal(cast, filler, users.household_id).status_code == 403
    assert not entries(ground, "person.reveal")


def test_a_street_sees_its_own_households_only(cast: Cast) -> None:
    users = a_whole_file(cast)
    own = cast.granted("regulator", "street", "310105001")
    next_door = cast.granted("regulator", "street", "310105002")
    path = cast.at(f"households/{users.household_id}")
    assert own.get(path).status_code == 200
    assert next_door.get(path).status_code == 404


def test_the_day_of_the_clock_is_the_day_a_document_must_hold(cast: Cast) -> None:
    document = {"kind": "passport", "number": "E7654321", "valid_until": "2024-06-12"}
    with clock.standing_at(clock.at(date(2024, 6, 13))):
        assert codes(register(cast.clerk, cast, document=document)) == ["person.document_expired"]
