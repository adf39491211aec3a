"""Premises, households and accounts; the moratorium; contracts; cards."""

from datetime import date
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest
import sqlalchemy as sa

from core import clock
from core.auth import Role
from core.ground import Ground
from core.machine import ILLEGAL_MOVE
from evidence.models import Entry, Outcome
from registry import accounts, queries
from registry.models import Account, Card, Contract, Household, Premises, ResidentRegistration
from registry.states import AccountState
from rulebook import current
from rulebook.decisions import keep_edition
from rulebook.edition import Edition
from rulebook.models import Decision
from tests.cast import Cast, Users, made, resident_number
from tests.registry.proofs import codes, count, entries, faults, reasons_of, was_refused

CHANGNING, QINGPU = 310105, 310118


@pytest.fixture
def qingpu(cast: Cast) -> Cast:
    """The same desk in Qingpu, where no bar on accounts is in force."""
    return Cast(cast.desk, QINGPU)


def opening(cast: Cast, **changed: Any) -> dict[str, Any]:
    return {
        "household_id": changed.get("household_id") or str(cast.place()),
        "person_id": changed.get("person_id") or str(cast.person()),
        "firm_id": str(cast.firm()),
        "applied_on": "2024-06-12",
        "cards": [{"cylinder_model": "YSP35.5"}],
    } | changed


def open_account(cast: Cast, **changed: Any) -> Any:
    return cast.clerk.post(cast.at("accounts"), opening(cast, **changed))


# --- premises and households ----------------------------------------------------------------------------


def test_an_address_is_one_place_however_it_is_typed(cast: Cast, ground: Ground) -> None:
    body = cast.place_body(address="样例路12弄3号")
    first = made(cast.clerk.post(cast.at("premises"), body))
    again = cast.clerk.post(cast.at("premises"), body | {"address": " 样例路１２弄 ３号 "})
    assert (again.status_code, again.get_json()) == (200, first)
    assert (count(ground, Premises), count(ground, Household)) == (1, 1)


def test_a_second_household_of_another_class_at_one_address_is_refused(cast: Cast, ground: Ground) -> None:
    body = cast.place_body()
    made(cast.clerk.post(cast.at("premises"), body))
    shop = {"kind": "restaurant", "user_class": "restaurant"}
    answer = cast.clerk.post(cast.at("premises"), body | shop)
    assert codes(answer) == ["household.stands"]
    assert count(ground, Household) == 1
    assert was_refused(ground, "premises.register", answer)


def test_the_database_alone_refuses_a_second_active_household(cast: Cast, ground: Ground) -> None:
    household_id = cast.place()
    with ground.sessions() as db:
        standing = db.get_one(Household, (CHANGNING, household_id))
        db.add(
            Household(
                district=CHANGNING,
                premises_id=standing.premises_id,
                user_class=standing.user_class,
                address_sealed=b"",
                vulnerable=False,
                recorded_at=clock.now(),
            )
        )
        with pytest.raises(sa.exc.IntegrityError, match="uq_household_active_premises"):
            db.flush()


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"street_code": "310118001"}, ("/street_code", "not_here")),
        ({"committee_code": "310105002001"}, ("/committee_code", "not_here")),
        ({"point": {"lon": 121.4, "lat": 31.2}}, ("/point/datum", "required")),
        ({"kind": "castle"}, ("/kind", "word")),
        ({"kind": "restaurant"}, ("/user_class", "agree")),
        ({"user_class": "restaurant"}, ("/user_class", "agree")),
        ({"owner": "x"}, ("/owner", "unknown_field")),
    ],
)
def test_premises_lie_in_the_district_and_say_their_datum(
    cast: Cast, ground: Ground, changed: dict[str, Any], fault: tuple[str, str]
) -> None:
    assert faults(cast.clerk.post(cast.at("premises"), cast.place_body(**changed))) == [fault]
    assert count(ground, Premises) == 0


def test_what_is_seen_of_a_place_is_written_down_and_the_rest_stays(cast: Cast, ground: Ground) -> None:
    users = cast.household(lift=None, height_m=None)
    path = cast.at(f"households/{users.household_id}/surveys")
    file = made(cast.clerk.post(path, {"lift": True}))
    assert (file["premises"]["lift"], file["premises"]["height_m"]) == (True, None)
    assert entries(ground, "premises.survey")[-1]["payload"]["lift"] is True


def test_the_next_household_of_a_place_finds_it_as_it_is_now(cast: Cast, ground: Ground) -> None:
    body = cast.place_body(piped_gas=True, lift=False)
    first = made(cast.clerk.post(cast.at("premises"), body))
    with ground.sessions() as db:
        db.get_one(Household, (CHANGNING, UUID(first["household_id"]))).closed_at = clock.now()
        db.commit()
    shop = {"kind": "restaurant", "user_class": "restaurant", "lift": True, "piped_gas": None}
    second = made(cast.clerk.post(cast.at("premises"), body | shop))
    assert (second["premises_id"], second["household_id"] != first["household_id"]) == (
        first["premises_id"],
        True,
    )
    with ground.sessions() as db:
        place = db.scalars(sa.select(Premises)).one()
    assert (place.kind, place.lift, place.piped_gas) == ("restaurant", True, True)
    assert entries(ground, "premises.register")[-1]["payload"]["lift"] is True


def test_two_surveys_at_once_leave_what_the_later_saw(
    cast: Cast, ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another survey is committed after ours has looked for the place and before it has locked it."""
    users = cast.household(lift=None)
    within_reach = queries.party_within_reach

    def overtaken(*args: Any) -> Any:
        monkeypatch.setattr(queries, "party_within_reach", within_reach)
        party = within_reach(*args)
        with ground.sessions() as other:
            other.get_one(Premises, (CHANGNING, party.premises.id)).lift = True
            other.commit()
        return party

    monkeypatch.setattr(queries, "party_within_reach", overtaken)
    path = cast.at(f"households/{users.household_id}/surveys")
    cast.clerk.post(path, {"lift": None})
    with ground.sessions() as db:
        assert db.scalars(sa.select(Premises)).one().lift is None


def test_a_card_names_its_type_by_a_code(cast: Cast, ground: Ground) -> None:
    answer = open_account(cast, cards=[{"cylinder_model": "样例王小明的瓶"}])
    assert faults(answer) == [("/cards/0/cylinder_model", "pattern")]
    assert count(ground, Account) == 0


# --- the moratorium -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("district", "applied_on", "is_opened"),
    [
        (CHANGNING, "2023-07-31", True),
        (CHANGNING, "2023-08-01", False),
        (CHANGNING, "2023-09-11", False),
        (CHANGNING, "2024-06-12", False),
        (QINGPU, "2023-08-01", True),
        (QINGPU, "2024-06-12", True),
    ],
)
def test_the_moratorium_table(
    cast: Cast, ground: Ground, district: int, applied_on: str, is_opened: bool
) -> None:
    place = Cast(cast.desk, district)
    answer = open_account(place, applied_on=applied_on)
    with ground.sessions() as db:
        [decision] = db.scalars(sa.select(Decision))
    assert (decision.gate, decision.allowed, decision.day.isoformat()) == (
        "account.open",
        is_opened,
        applied_on,
    )
    if is_opened:
        account = made(answer)
        assert (account["origin"], account["state"], account["opened_on"]) == ("opened", "open", "2024-06-12")
        assert account["cards"][0]["exception"] == "first_supply"
        assert account["cards"][0]["qr"].startswith("LPGCARD:")
        assert len(account["cards"][0]["qr"]) == len("LPGCARD:") + 16
        return
    [reason] = reasons_of(answer)
    assert (reason["code"], reason["rule"]) == ("account.opening_barred", "A02")
    assert (reason["basis"]["effective"], reason["basis"]["issued"]) == ("2023-08-01", "2023-09-11")
    assert (count(ground, Account), count(ground, Card), count(ground, ResidentRegistration)) == (0, 0, 0)
    assert was_refused(ground, "account.open", answer)


@pytest.mark.parametrize("kind", ["change_of_address", "reopening"])
def test_a_new_address_and_a_reopening_are_openings(cast: Cast, ground: Ground, kind: str) -> None:
    assert codes(open_account(cast, kind=kind)) == ["account.opening_barred"]
    assert count(ground, Account) == 0


def test_a_transfer_is_not_opened_through_the_opening_door(cast: Cast) -> None:
    assert faults(open_account(cast, kind="transfer")) == [("/kind", "word")]


@pytest.mark.parametrize(
    ("applied_on", "code"), [("2024-06-13", "future"), ("2021-05-31", "before_rulebook")]
)
def test_an_application_day_must_be_one_the_rulebook_can_judge(
    cast: Cast, ground: Ground, applied_on: str, code: str
) -> None:
    assert faults(open_account(cast, applied_on=applied_on)) == [("/applied_on", code)]
    assert (count(ground, Account), len(entries(ground, "account.open"))) == (0, 0)


@pytest.mark.parametrize(
    ("opened_on", "to_review"),
    [
        (date(2023, 7, 31), False),
        (date(2023, 8, 1), True),
        (date(2023, 9, 10), True),
        (date(2023, 9, 11), True),
        (date(2024, 6, 12), True),
    ],
)
def test_accounts_opened_under_the_bar_stand_on_the_review_list(
    cast: Cast, ground: Ground, opened_on: date, to_review: bool
) -> None:
    """Applied for before the bar: in the 41 days before anybody could read it, or said to be so later."""
    with clock.standing_at(clock.at(opened_on)):
        account = made(open_account(cast, applied_on="2023-07-31"))
    assert account["to_review"] is to_review
    assert entries(ground, "account.open")[-1]["payload"]["to_review"] is to_review


def test_a_transfer_under_the_bar_on_an_older_application_stands_on_the_review_list(
    cast: Cast, qingpu: Cast
) -> None:
    for place, to_review in ((cast, True), (qingpu, False)):
        users = place.household()
        body = {"person_id": str(place.person()), "applied_on": "2023-07-31"}
        account = made(place.clerk.post(place.at(f"accounts/{users.account_id}/transfers"), body))
        assert account["to_review"] is to_review


def closed(ground: Ground, users: Users) -> None:
    with ground.sessions() as db:
        db.get_one(Account, (QINGPU, users.account_id)).state = AccountState.CLOSED
        db.commit()


def test_a_refused_transfer_of_an_account_that_is_gone_stands_on_its_household(
    qingpu: Cast, ground: Ground
) -> None:
    users = qingpu.restaurant()
    closed(ground, users)
    made(open_account(qingpu, household_id=str(users.household_id), kind="reopening"))
    body = {"person_id": str(qingpu.person()), "applied_on": "2024-06-12"}
    answer = qingpu.clerk.post(qingpu.at(f"accounts/{users.account_id}/transfers"), body)
    assert codes(answer) == ["account.not_open"]
    assert was_refused(ground, "account.transfer", answer)
    subjects = {(one["type"], one["key"]) for one in entries(ground, "account.transfer")[-1]["subjects"]}
    assert ("household", str(users.household_id)) in subjects


def test_no_contract_is_signed_on_a_closed_account(qingpu: Cast, ground: Ground) -> None:
    shop = qingpu.restaurant(contract=False)
    closed(ground, shop)
    body = {"number": "HT-2024-01", "valid_from": "2024-01-01", "valid_until": "2024-12-31"}
    answer = qingpu.clerk.post(qingpu.at("contracts"), body | {"account_id": str(shop.account_id)})
    assert codes(answer) == ["account.not_open"]
    assert count(ground, Contract) == 0
    assert was_refused(ground, "contract.sign", answer)


@pytest.mark.parametrize("kind", ["transfer", "succession"])
def test_a_transfer_is_barred_in_changning_and_not_in_qingpu(
    cast: Cast, qingpu: Cast, ground: Ground, kind: str
) -> None:
    for place, is_barred in ((cast, True), (qingpu, False)):
        users = place.household()
        before, heir = place.registrant_of(users), place.person()
        body = {"person_id": str(heir), "applied_on": "2024-06-12", "kind": kind}
        answer = place.clerk.post(place.at(f"accounts/{users.account_id}/transfers"), body)
        if is_barred:
            assert codes(answer) == ["account.transfer_barred"]
            assert place.registrant_of(users) == before
            assert was_refused(ground, "account.transfer", answer)
        else:
            made(answer)
            assert place.registrant_of(users) == heir


def test_a_transfer_frees_the_old_registrant_and_takes_the_new(qingpu: Cast, ground: Ground) -> None:
    users = qingpu.household()
    before, heir = qingpu.registrant_of(users), qingpu.person()
    body = {"person_id": str(heir), "applied_on": "2024-06-12"}
    made(qingpu.clerk.post(qingpu.at(f"accounts/{users.account_id}/transfers"), body))
    made(open_account(qingpu, person_id=str(before)))
    assert codes(open_account(qingpu, person_id=str(heir))) == ["account.registrant_has_another"]


# --- who may be a registrant ----------------------------------------------------------------------------


def test_one_person_is_the_registrant_of_one_resident_account_in_all_districts(
    cast: Cast, qingpu: Cast, ground: Ground
) -> None:
    users = cast.household()
    person = cast.registrant_of(users)
    answer = open_account(qingpu, person_id=str(person))
    assert codes(answer) == ["account.registrant_has_another"]
    assert str(users.account_id) not in answer.text
    assert count(ground, Account) == 1


def test_a_business_may_have_a_registrant_who_has_a_home(qingpu: Cast) -> None:
    person = qingpu.registrant_of(qingpu.household())
    shop = qingpu.place(kind="restaurant", user_class="restaurant")
    cards = [{"cylinder_model": "YSP35.5"}, {"cylinder_model": "YSP118"}]
    account = made(open_account(qingpu, person_id=str(person), household_id=str(shop), cards=cards))
    assert len(account["cards"]) == 2


def test_the_database_alone_refuses_a_second_registration(cast: Cast, ground: Ground) -> None:
    users = cast.household()
    with ground.sessions() as db:
        standing = db.scalars(sa.select(ResidentRegistration)).one()
        db.add(
            ResidentRegistration(
                person_id=standing.person_id, district=QINGPU, account_id=uuid4(), active=True
            )
        )
        with pytest.raises(sa.exc.IntegrityError, match="uq_resident_registration_active"):
            db.flush()
    assert users.card_ids


def test_a_registrant_whose_last_check_failed_opens_nothing(qingpu: Cast, ground: Ground) -> None:
    registrant = qingpu.registrant()
    person = qingpu.person(**registrant)
    check = {"document": registrant["document"], "method": "database", "passed": False}
    made(qingpu.clerk.post(qingpu.at(f"people/{person}/identity-checks"), check))
    assert codes(open_account(qingpu, person_id=str(person))) == ["account.registrant_not_verified"]
    assert count(ground, Account) == 0


@pytest.fixture
def of_age(monkeypatch: pytest.MonkeyPatch, ground: Ground) -> None:
    """An edition whose law names an age for registrants."""
    book = orjson.loads(current().text)
    [asked] = [row for row in book["rules"] if row["name"] == "A05" and row["place"] == "100000"]
    book["rules"] = [row for row in book["rules"] if row["name"] != "A05.min_age_years"]
    book["rules"].append(asked | {"name": "A05.min_age_years", "value": 18, "tighter": "higher"})
    edition = Edition.from_text(orjson.dumps(book).decode())
    with ground.sessions() as db:
        keep_edition(db, edition)
        db.commit()
    monkeypatch.setattr(accounts, "current", lambda: edition)


@pytest.mark.parametrize(("born", "is_opened"), [("20060612", True), ("20060613", False)])
@pytest.mark.usefixtures("of_age")
def test_a_registrant_is_old_enough_where_the_law_names_an_age(
    qingpu: Cast, ground: Ground, born: str, is_opened: bool
) -> None:
    document = {"kind": "resident_id", "number": resident_number(5, born)}
    person = qingpu.person(document=document)
    answer = open_account(qingpu, person_id=str(person))
    if is_opened:
        made(answer)
        return
    [reason] = reasons_of(answer)
    assert (reason["code"], reason["facts"]) == ("account.registrant_too_young", {"min_age_years": 18})
    for said in (born, f"{born[:4]}-{born[4:6]}-{born[6:]}"):
        assert said not in answer.text, "the day of birth is nobody's business here"
    assert count(ground, Account) == 0


# --- one account a household, one card a resident -------------------------------------------------------


def test_a_household_has_one_live_account(qingpu: Cast, ground: Ground) -> None:
    users = qingpu.household()
    answer = open_account(qingpu, household_id=str(users.household_id))
    assert codes(answer) == ["account.stands"]
    assert count(ground, Account) == 1
    assert was_refused(ground, "account.open", answer)


def test_a_resident_household_has_one_card(qingpu: Cast, ground: Ground) -> None:
    two = [{"cylinder_model": "YSP35.5"}, {"cylinder_model": "YSP12"}]
    assert codes(open_account(qingpu, cards=two)) == ["card.household_has_one"]
    assert (count(ground, Account), count(ground, Card)) == (0, 0)
    users = qingpu.household()
    path = qingpu.at(f"accounts/{users.account_id}/cards")
    answer = qingpu.clerk.post(path, {"cylinder_model": "YSP12"})
    assert codes(answer) == ["card.household_has_one"]
    assert count(ground, Card) == 1


def test_a_business_is_issued_more_cards(cast: Cast, ground: Ground) -> None:
    shop = cast.restaurant()
    card = made(cast.clerk.post(cast.at(f"accounts/{shop.account_id}/cards"), {"cylinder_model": "YSP118"}))
    assert (card["cylinder_model"], card["exception"], card["state"]) == ("YSP118", "first_supply", "active")
    assert count(ground, Card) == 3


def test_the_database_alone_refuses_a_second_live_resident_card_and_account(
    cast: Cast, ground: Ground
) -> None:
    users = cast.household()
    with ground.sessions() as db:
        card = db.get_one(Card, (CHANGNING, users.card_ids[0]))
        db.add(_copy(card, credential="A" * 16))
        with pytest.raises(sa.exc.IntegrityError, match="uq_card_live_resident_household"):
            db.flush()
    with ground.sessions() as db:
        db.add(_copy(db.get_one(Account, (CHANGNING, users.account_id))))
        with pytest.raises(sa.exc.IntegrityError, match="uq_account_live_household"):
            db.flush()


def _copy(row: Any, **changed: Any) -> Any:
    columns = {c.key: getattr(row, c.key) for c in sa.inspect(type(row)).column_attrs if c.key != "id"}
    return type(row)(**(columns | changed))


# --- suspension, contracts ------------------------------------------------------------------------------


def test_an_account_is_suspended_and_resumed_and_not_twice(cast: Cast, ground: Ground) -> None:
    users = cast.household()
    path = cast.at(f"accounts/{users.account_id}")
    assert made(cast.clerk.post(f"{path}/suspensions", {"reason": "hazard"}))["state"] == "suspended"
    again = cast.clerk.post(f"{path}/suspensions", {"reason": "hazard"})
    assert codes(again) == [ILLEGAL_MOVE.code]
    assert was_refused(ground, "account.suspend", again)
    assert made(cast.clerk.post(f"{path}/resumptions"))["state"] == "open"


def test_a_contract_is_signed_with_a_business_and_not_with_a_resident(cast: Cast, ground: Ground) -> None:
    shop, home = cast.restaurant(contract=False), cast.household()
    body = {"number": "HT-2024-01", "valid_from": "2024-01-01", "valid_until": "2024-12-31"}
    contract = made(cast.clerk.post(cast.at("contracts"), body | {"account_id": str(shop.account_id)}))
    assert contract["firm_id"] == str(cast.firm())
    with ground.sessions() as db:
        party = queries.booking_party(db, CHANGNING, shop.household_id)
        assert party is not None
        assert [one.number for one in party.contracts] == ["HT-2024-01"]
    answer = cast.clerk.post(cast.at("contracts"), body | {"account_id": str(home.account_id)})
    assert codes(answer) == ["contract.resident_account"]
    assert count(ground, Contract) == 1


# --- cards ----------------------------------------------------------------------------------------------


def act(cast: Cast, users: Users, name: str) -> Any:
    return cast.clerk.post(cast.at(f"cards/{users.card_ids[0]}/{name}"))


def test_a_lost_card_is_replaced_by_a_new_credential_on_the_same_card(cast: Cast, ground: Ground) -> None:
    users = cast.household()
    with ground.sessions() as db:
        before = db.get_one(Card, (CHANGNING, users.card_ids[0])).credential
    lost = made(act(cast, users, "losses"))
    assert (lost["state"], lost["qr"]) == ("lost", None)
    new = made(act(cast, users, "replacements"))
    assert (new["id"], new["state"]) == (str(users.card_ids[0]), "active")
    assert new["qr"] != f"LPGCARD:{before}"
    with ground.sessions() as db:
        assert queries.card_by_credential(db, CHANGNING, before) is None
        for scanned in (new["qr"], new["qr"].lower(), new["qr"].removeprefix("LPGCARD:")):
            found = queries.card_by_credential(db, CHANGNING, scanned)
            assert found is not None
            assert found.id == users.card_ids[0]
    chain = [entry["verb"] for entry in entries(ground, "card.report_lost") + entries(ground, "card.replace")]
    assert chain == ["card.report_lost", "card.replace"]
    assert before not in str(entries(ground, "card.replace"))


def test_an_active_card_is_not_replaced_before_it_is_reported_lost(cast: Cast, ground: Ground) -> None:
    users = cast.household()
    answer = act(cast, users, "replacements")
    assert codes(answer) == [ILLEGAL_MOVE.code]
    assert was_refused(ground, "card.replace", answer)


def test_a_card_is_blocked_and_unblocked(cast: Cast) -> None:
    users = cast.household()
    assert made(act(cast, users, "blocks"))["state"] == "blocked"
    assert made(act(cast, users, "unblocks"))["state"] == "active"


# --- scope ----------------------------------------------------------------------------------------------


def test_a_clerk_of_another_firm_finds_nothing(cast: Cast, ground: Ground) -> None:
    users, shop = cast.household(), cast.restaurant()
    rival_firm = cast.another_firm()
    rival = cast.clerk_of(rival_firm)
    contract = {"number": "X-1", "valid_from": "2024-01-01", "valid_until": "2024-12-31"}
    person = str(cast.person())
    addressed: list[tuple[str, dict[str, Any]]] = [
        (f"accounts/{users.account_id}/suspensions", {"reason": "hazard"}),
        (f"accounts/{users.account_id}/resumptions", {}),
        (f"accounts/{users.account_id}/transfers", {"person_id": person, "applied_on": "2024-06-12"}),
        (f"accounts/{shop.account_id}/cards", {"cylinder_model": "YSP12"}),
        (f"cards/{users.card_ids[0]}/losses", {}),
        (f"cards/{users.card_ids[0]}/blocks", {}),
        (f"cards/{users.card_ids[0]}/replacements", {}),
        (f"households/{users.household_id}/surveys", {"lift": True}),
    ]
    before = count(ground, Entry)
    for path, body in addressed:
        assert rival.post(cast.at(path), body).status_code == 404, path
    mentioned = rival.post(cast.at("contracts"), contract | {"account_id": str(shop.account_id)})
    assert faults(mentioned) == [("/account_id", "unknown")]
    for_others = rival.post(cast.at("accounts"), opening(cast))
    assert faults(for_others) == [("/firm_id", "unknown")]
    assert rival.get(cast.at(f"households/{users.household_id}")).status_code == 404
    assert count(ground, Entry) == before + 2, "only opening()'s own place and person"


def test_a_regulator_of_another_district_finds_nothing(cast: Cast, qingpu: Cast) -> None:
    users = cast.household()
    path = f"households/{users.household_id}"
    assert cast.regulator.get(cast.at(path)).status_code == 200
    assert qingpu.regulator.get(cast.at(path)).status_code == 404
    assert qingpu.regulator.get(qingpu.at(path)).status_code == 404
    assert cast.desk.sign_in(Role.REGULATOR).get(cast.at(f"households/{uuid4()}")).status_code == 404


def test_unknown_ids_in_a_body_are_wrong_fields(cast: Cast, ground: Ground) -> None:
    for field in ("household_id", "person_id", "firm_id"):
        answer = open_account(cast, **{field: str(uuid4())})
        assert faults(answer) == [(f"/{field}", "unknown")]
    assert not [one for one in entries(ground, "account.open") if one["outcome"] == Outcome.DONE.value]


def test_booking_party_locks_and_tells_all_that_hangs_on_a_household(cast: Cast, ground: Ground) -> None:
    shop = cast.restaurant()
    with ground.sessions() as db:
        party = queries.booking_party(db, CHANGNING, shop.household_id, lock=True)
        assert party is not None
        assert party.account is not None
        assert party.identity is not None
        assert (party.account.id, len(party.contracts)) == (shop.account_id, 1)
        cards = queries.cards_of(db, CHANGNING, set(shop.card_ids), lock=True)
        assert [card.id for card in cards] == sorted(shop.card_ids)
        with ground.sessions() as other:
            other.execute(sa.text("SET LOCAL lock_timeout = '50ms'"))
            with pytest.raises(sa.exc.OperationalError, match="lock timeout"):
                queries.booking_party(other, CHANGNING, shop.household_id, lock=True)
        assert queries.booking_party(db, CHANGNING, UUID(int=1)) is None
