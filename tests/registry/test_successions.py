"""户内继承: under the bar an account passes to another of the home, by two persons; nothing is opened."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from core import clock, sealed
from core.auth import Role
from core.ground import Ground
from core.sessions import SignedInBy, living, open_session
from registry import terms
from registry.models import Account, Card, Household, Person, ResidentRegistration
from registry.states import AccountState
from registry.succession_models import Succession
from rulebook.models import Decision
from tests.cast import CHANGNING, Cast, Users, made
from tests.desk import Person as Somebody
from tests.registry.proofs import codes, count, entries, faults, was_refused


@pytest.fixture
def home(cast: Cast) -> Users:
    return cast.household()


@pytest.fixture
def colleague(cast: Cast) -> Somebody:
    return cast.clerk_of(cast.firm())


def body(cast: Cast, **changed: Any) -> dict[str, Any]:
    asked = {"ground": "died", "kinship": "child", "evidence": "SW-2024-17", "membership": "HK-2024-3"}
    return {"person_id": str(changed.pop("person_id", None) or cast.person())} | asked | changed


def asked(cast: Cast, home: Users, **changed: Any) -> Any:
    return cast.clerk.post(cast.at(f"accounts/{home.account_id}/successions"), body(cast, **changed))


def at(cast: Cast, succession: dict[str, Any], act: str) -> str:
    return cast.at(f"successions/{succession['id']}/{act}")


def registrant(ground: Ground, home: Users) -> UUID:
    with ground.sessions() as db:
        return db.get_one(Account, (CHANGNING, home.account_id)).person_id


def credentials(ground: Ground, home: Users) -> list[str]:
    with ground.sessions() as db:
        rows = db.scalars(sa.select(Card).where(Card.account_id == home.account_id).order_by(Card.id))
        return [card.credential for card in rows]


def test_the_account_passes_on_by_two_persons_and_nothing_is_opened(
    cast: Cast, home: Users, colleague: Somebody, ground: Ground
) -> None:
    before, old_codes = registrant(ground, home), credentials(ground, home)
    heir = cast.person()
    waiting = made(asked(cast, home, person_id=heir))
    assert (waiting["state"], waiting["mine"], waiting["from_person_id"]) == ("asked", True, str(before))
    assert registrant(ground, home) == before
    accounts, cards = count(ground, Account), count(ground, Card)
    done = made(colleague.post(at(cast, waiting, "approvals"), {}))
    assert (done["state"], done["mine"]) == ("approved", False)
    assert registrant(ground, home) == heir
    assert (count(ground, Account), count(ground, Card)) == (accounts, cards)
    new_codes = credentials(ground, home)
    assert len(new_codes) == len(old_codes)
    assert not set(new_codes) & set(old_codes)
    with ground.sessions() as db:
        active = db.scalars(sa.select(ResidentRegistration).where(ResidentRegistration.active)).all()
        decided = db.scalars(sa.select(Decision).where(Decision.gate == "account.transfer")).one()
        account = db.get_one(Account, (CHANGNING, home.account_id))
    assert [row.person_id for row in active if row.account_id == home.account_id] == [heir]
    assert (decided.allowed, decided.facts["excepted"]) == (True, ["A03"])
    assert (account.to_review, account.state) == (False, "open")
    entry = entries(ground, "succession.approve")[-1]
    subjects = {(one["type"], one["key"]) for one in entry["subjects"]}
    assert {("person", str(before)), ("person", str(heir)), ("household", str(home.household_id))} <= subjects
    assert {("card", str(card)) for card in home.card_ids} <= subjects


def test_who_asked_neither_approves_nor_rejects_and_may_withdraw(
    cast: Cast, home: Users, colleague: Somebody, ground: Ground
) -> None:
    before = registrant(ground, home)
    waiting = made(asked(cast, home))
    own = cast.clerk.post(at(cast, waiting, "approvals"), {})
    assert codes(own) == ["succession.same_person"]
    assert was_refused(ground, "succession.approve", own)
    assert codes(cast.clerk.post(at(cast, waiting, "rejections"), {"reason": "not_shown"})) == [
        "succession.same_person"
    ]
    assert registrant(ground, home) == before
    assert codes(asked(cast, home)) == ["succession.asked_already"]
    assert made(cast.clerk.post(at(cast, waiting, "withdrawals"), {}))["state"] == "withdrawn"
    late = colleague.post(at(cast, waiting, "approvals"), {})
    assert codes(late) == ["state.move_not_allowed"]
    again = made(asked(cast, home))
    rejected = made(colleague.post(at(cast, again, "rejections"), {"reason": "contested"}))
    assert (rejected["state"], rejected["rejected_for"]) == ("rejected", "contested")
    assert registrant(ground, home) == before


def test_the_database_alone_holds_the_four_eyes(cast: Cast, home: Users, ground: Ground) -> None:
    waiting = made(asked(cast, home))
    with ground.sessions() as db:
        row = db.get_one(Succession, (CHANGNING, UUID(waiting["id"])))
        row.decided_by, row.decided_at = row.asked_by, clock.now()
        db.flush()
        db.execute(sa.text("SAVEPOINT here"))
        with pytest.raises(sa.exc.IntegrityError, match="ck_succession_four_eyes"):
            db.execute(sa.update(Succession).values(state="approved"))


def test_whoever_died_signs_in_no_more_and_who_moved_keeps_their_own_data(
    cast: Cast, home: Users, colleague: Somebody, ground: Ground
) -> None:
    before = registrant(ground, home)
    former = cast.resident(before)
    with ground.sessions() as db:
        principal = db.get_one(Person, before).principal_id
    secret = open_session(ground, principal, SignedInBy.PHONE_CODE)
    assert former.get(cast.at("homes")).status_code == 200
    waiting = made(asked(cast, home, ground="moved_out", kinship="spouse"))
    made(colleague.post(at(cast, waiting, "approvals"), {}))
    assert former.get(cast.at("homes")).json["items"] == []  # type: ignore[index]
    assert living(ground, secret) is not None

    second = cast.household()
    dead = registrant(ground, second)
    late, secret = cast.resident(dead), None
    with ground.sessions() as db:
        secret = open_session(ground, db.get_one(Person, dead).principal_id, SignedInBy.PHONE_CODE)
    made(colleague.post(at(cast, made(asked(cast, second)), "approvals"), {}))
    assert late.get(cast.at("homes")).status_code == 401
    assert living(ground, secret) is None


def test_the_bar_stands_for_every_other_way(cast: Cast, home: Users, ground: Ground) -> None:
    """The same person by a transfer, with the word succession: no two persons, no passing on."""
    handed = {"person_id": str(cast.person()), "applied_on": "2024-06-12", "kind": "succession"}
    refused = cast.clerk.post(cast.at(f"accounts/{home.account_id}/transfers"), handed)
    assert codes(refused) == ["account.transfer_barred"]
    assert count(ground, Succession) == 0


def test_the_heir_is_identified_and_no_other_home_s_registrant(
    cast: Cast, home: Users, ground: Ground
) -> None:
    other = registrant(ground, cast.household())
    assert codes(asked(cast, home, person_id=other)) == ["account.registrant_has_another"]
    assert codes(asked(cast, cast.restaurant())) == ["succession.of_business"]
    assert count(ground, Succession) == 0


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"ground": "tired_of_it"}, ("/ground", "word")),
        ({"kinship": "friend"}, ("/kinship", "word")),
        ({"evidence": "张三的死亡证明"}, ("/evidence", "pattern")),
        ({"membership": ""}, ("/membership", "empty")),
        ({"person_id": str(uuid4())}, ("/person_id", "unknown")),
        ({"note": "x"}, ("/note", "unknown_field")),
    ],
)
def test_bad_input_asks_for_nothing(
    cast: Cast, home: Users, ground: Ground, changed: dict[str, Any], fault: tuple[str, str]
) -> None:
    [found] = faults(asked(cast, home, **changed))
    assert found[0] == fault[0]
    assert (count(ground, Succession), entries(ground, "succession.ask")) == (0, [])


def test_a_stranger_sees_asks_and_decides_nothing(cast: Cast, home: Users, colleague: Somebody) -> None:
    stranger = cast.clerk_of(cast.another_firm())
    ask = cast.at(f"accounts/{home.account_id}/successions")
    assert stranger.post(ask, body(cast)).status_code == 404
    waiting = made(asked(cast, home))
    assert stranger.post(at(cast, waiting, "approvals"), {}).status_code == 404
    assert stranger.get(cast.at("successions")).json["items"] == []  # type: ignore[index]
    street = cast.desk.sign_in(Role.REGULATOR, street="310105001")
    listed = {one["id"] for one in street.get(cast.at("successions")).json["items"]}  # type: ignore[index]
    same_street = waiting["street_code"] == "310105001"
    assert listed == ({waiting["id"]} if same_street else set())
    [seen] = colleague.get(cast.at("successions"), state="asked").json["items"]  # type: ignore[index]
    assert (seen["id"], seen["mine"]) == (waiting["id"], False)
    assert cast.regulator.post(at(cast, waiting, "approvals"), {}).status_code == 201


def test_nothing_passes_to_whoever_was_erased_and_who_is_waited_for_is_not(
    cast: Cast, home: Users, colleague: Somebody, ground: Ground
) -> None:
    before, left = registrant(ground, home), cast.household()
    heir = registrant(ground, left)
    cast_off(ground, left)
    waiting = made(asked(cast, home, person_id=heir))
    wish = {"household_id": str(left.household_id), "kind": "erasure"}
    wish_id = made(cast.clerk.post(cast.at("own-data/requests"), wish))["request_id"]
    decision = {"granted": True, "reason": "document_seen"}
    held = cast.clerk.post(cast.at(f"privacy-requests/{wish_id}/decisions"), decision)
    assert codes(held) == ["person.has_undecided"]
    assert was_refused(ground, "own_data.decide", held)
    person = sealed.Subject(sealed.SubjectType.PERSON, heir)
    with ground.sessions() as db:
        assert sealed.has_key(db, person)
        sealed.erase(db, person)
        db.commit()
    barred = colleague.post(at(cast, waiting, "approvals"), {})
    assert codes(barred) == ["succession.successor_erased"]
    assert was_refused(ground, "succession.approve", barred)
    assert registrant(ground, home) == before


def cast_off(ground: Ground, users: Users) -> None:
    """As after the closing of an account, long ago."""
    with ground.sessions() as db:
        account = db.get_one(Account, (CHANGNING, users.account_id))
        household = db.get_one(Household, (CHANGNING, users.household_id))
        account.state, household.closed_at = AccountState.CLOSED, clock.now() - timedelta(days=800)
        db.execute(
            sa.update(ResidentRegistration)
            .where(ResidentRegistration.account_id == users.account_id)
            .values(active=False)
        )
        db.commit()


def test_the_former_registrant_is_forgotten_after_the_term(
    cast: Cast, home: Users, colleague: Somebody, ground: Ground
) -> None:
    before = registrant(ground, home)
    made(colleague.post(at(cast, made(asked(cast, home)), "approvals"), {}))
    today = clock.today()
    with ground.sessions() as db:
        assert before not in terms.due_in(db, CHANGNING, today)
        much_later = today + timedelta(days=10 * 366)
        assert before in terms.due_in(db, CHANGNING, much_later)
