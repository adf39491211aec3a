"""The counter's pages for people: registering, opening and closing, reveals, what is asked about data."""

import re
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask

from core import confirmations
from core.auth import hash_token
from core.ground import Ground
from dispatch.safety.equipment_models import Equipment
from registry.models import Account, Card, Household, Person
from registry.premises_models import AccountClosing, PremisesSurvey
from registry.privacy_models import PrivacyRequest, Reveal
from tests.cast import Cast, Users, made, resident_number
from tests.cylinders.cast import Bottles
from tests.desk import Desk
from tests.registry.proofs import count
from tests.web.test_office_pages import Clerk

PERSON = {
    "notice_version": "2021-11", "document-kind": "resident_id", "document-number": resident_number(901),
    "name": "柜台样例", "phone": "13800007777", "method": "document_seen",
}  # fmt: skip
PLACE = {
    "address": "样例市柜台路1弄1号101室", "street_code": "310105001", "committee_code": "310105001001",
    "kind": "dwelling", "lon": "121.41", "lat": "31.215", "datum": "wgs84",
    "piped_gas": "no", "lift": "no", "floor_kind": "above_ground", "bottle_place": "kitchen",
}  # fmt: skip
ACCOUNT = {"kind": "opening", "applied_on": "2023-07-31", "cylinder_model": "YSP35.5", "cards": "1"}


@pytest.fixture
def cast(desk: Desk) -> Cast:
    return Cast(desk)


@pytest.fixture
def clerk(app: Flask, ground: Ground, cast: Cast) -> Clerk:
    Bottles(cast, certified=False)
    return Clerk(app, ground, cast.clerk.principal_id)


def confirmed(clerk: Clerk, cast: Cast, ground: Ground) -> None:
    """As after the page ``/office/confirm``, which the browser's walk fills in."""
    signer = clerk.client.application.session_interface.get_signing_serializer(  # type: ignore[attr-defined]
        clerk.client.application
    )
    secret = signer.loads(clerk.client.get_cookie("lpg").value)["secret"]
    confirmations.confirm(ground, cast.clerk.principal_id, hash_token(secret))


def test_a_user_is_put_on_file_in_three_steps(clerk: Clerk, ground: Ground) -> None:
    at = clerk.post("people", PERSON).headers["Location"]
    assert re.fullmatch(r"/office/people/[0-9a-f-]{36}/place", at)
    at = clerk.post(at.removeprefix("/office/"), PLACE).headers["Location"]
    assert at.endswith("/account")
    at = clerk.post(at.removeprefix("/office/"), ACCOUNT).headers["Location"]
    file = clerk.get(at.removeprefix("/office/")).text
    assert "柜台样例" not in file
    assert "厨房" in file
    assert "看卡面" in file
    with ground.sessions() as db:
        account, card = db.scalars(sa.select(Account)).one(), db.scalars(sa.select(Card)).one()
    assert (str(account.applied_on), account.state.value, card.cylinder_model) == (
        "2023-07-31", "open", "YSP35.5",
    )  # fmt: skip
    again = clerk.post("people", PERSON).headers["Location"]
    assert again.endswith("?known=1")
    assert count(ground, Person) == 1


def test_after_the_bar_the_last_step_says_no_with_its_reason(clerk: Clerk, ground: Ground) -> None:
    at = clerk.post("people", PERSON).headers["Location"].removeprefix("/office/")
    at = clerk.post(at, PLACE).headers["Location"].removeprefix("/office/")
    answer = clerk.post(at, ACCOUNT | {"applied_on": "2023-08-01"})
    assert answer.status_code == 409
    assert "A02" in answer.text
    assert count(ground, Account) == 0


@pytest.mark.parametrize(
    ("changed", "beside"),
    [
        ({"document-number": "123"}, "document-number-fault"),
        ({"document-kind": "library_card"}, "document-kind-fault"),
        ({"phone": "not a number"}, "phone-fault"),
        ({"name": ""}, "name-fault"),
        ({"notice_version": ""}, "#notice_version"),
        ({"document-valid_until": "2024-13-01"}, "document-valid_until-fault"),
    ],
)
def test_what_is_wrong_with_a_person_stands_beside_its_field(
    clerk: Clerk, ground: Ground, changed: dict[str, str], beside: str
) -> None:
    answer = clerk.post("people", PERSON | changed)
    assert answer.status_code == 422
    assert beside in answer.text
    assert count(ground, Person) == 0


@pytest.mark.parametrize("lon", ["east", "", "nan", "181"])
def test_a_point_that_is_none_is_said_with_all_other_faults(clerk: Clerk, ground: Ground, lon: str) -> None:
    at = clerk.post("people", PERSON).headers["Location"].removeprefix("/office/")
    answer = clerk.post(at, PLACE | {"lon": lon, "datum": "mars", "height_m": "tall"})
    assert answer.status_code == 422
    assert {"lon-fault", "datum-fault", "height_m-fault"} <= set(
        re.findall(r'id="([\w-]+-fault)"', answer.text)
    )
    assert count(ground, Household) == 0


def test_a_survey_keeps_the_day_and_what_shows_it(clerk: Clerk, cast: Cast, ground: Ground) -> None:
    users = cast.household()
    at = f"households/{users.household_id}"
    seen = {"leak_alarm": "yes", "rental": "single_room", "seen_on": "2024-06-10", "evidence": "KC-17"}
    assert clerk.post(f"{at}/surveys", seen).status_code == 302
    page = clerk.get(at).text
    assert "2024-06-10 · KC-17" in page
    assert "单间出租" in page
    before = count(ground, PremisesSurvey)
    for wrong in ({"seen_on": "2024-06-10"}, seen | {"seen_on": "2024-06-13"}, seen | {"rental": "palace"}):
        assert clerk.post(f"{at}/surveys", wrong).status_code == 422
    assert count(ground, PremisesSurvey) == before


def test_an_account_is_closed_at_the_desk_once_its_bottle_is_back(
    clerk: Clerk, cast: Cast, ground: Ground
) -> None:
    users = cast.household()
    bottle = Bottles(cast).on_card(users)
    at = f"households/{users.household_id}/closings"
    why = {"why": "electricity", "shown_by": "TH-0612"}
    answer = clerk.post(at, why)
    assert answer.status_code == 409
    assert "还有1只瓶没有收回" in answer.text
    taken = cast.clerk.post(f"/api/v1/sites/{cast.supply_point()}/receipts", {"code": bottle.code})
    assert taken.status_code == 201, taken.text
    assert clerk.post(at, why | {"why": ""}).status_code == 422
    assert clerk.post(at, why).status_code == 302
    assert "已注销" in clerk.get(f"households/{users.household_id}").text
    assert count(ground, AccountClosing) == 1


# --- what is masked, and what is asked about it -------------------------------------------------------------


def reveal(clerk: Clerk, users: Users, **changed: Any) -> Any:
    asked = {"fields": ["name", "phone"], "reason": "safety", "purpose": "call", "case_no": "YL-1"}
    return clerk.post(f"households/{users.household_id}/reveals", asked | changed)


def test_a_reveal_asks_again_who_it_is_and_is_on_record(clerk: Clerk, cast: Cast, ground: Ground) -> None:
    users = cast.household(person=cast.registrant(phone="13800005678"))
    first = reveal(clerk, users)
    assert first.status_code == 409
    assert f"/office/confirm?next=/office/households/{users.household_id}/reveals" in first.text
    assert count(ground, Reveal) == 0
    confirmed(clerk, cast, ground)
    shown = reveal(clerk, users)
    assert "13800005678" in shown.text
    assert shown.headers["Cache-Control"] == "no-store"
    assert count(ground, Reveal) == 1
    assert "13800005678" not in clerk.get(f"households/{users.household_id}/reveals").text
    for wrong in ({"fields": []}, {"fields": ["salary"]}, {"reason": ""}, {"case_no": "给李娜打电话"}):
        assert reveal(clerk, users, **wrong).status_code == 422
    assert count(ground, Reveal) == 1


def test_who_confirms_is_sent_to_a_page_of_the_office_alone(app: Flask, ground: Ground, cast: Cast) -> None:
    made(
        cast.admin.post(
            "/api/v1/passwords",
            {
                "principal_id": str(cast.clerk.principal_id),
                "login": "clerk.two",
                "password": "a long password",
            },
        )
    )
    clerk = Clerk(app, ground, cast.clerk.principal_id)
    for said, gone in (
        ("/office/due", "/office/due"),
        ("https://elsewhere.example/", "/office/"),
        ("/office//elsewhere.example", "/office/"),
        ("/dispatch/", "/office/"),
    ):
        answer = clerk.post("confirm", {"password": "a long password", "next": said})
        assert (answer.status_code, answer.headers["Location"]) == (302, gone)
    assert clerk.post("confirm", {"password": "another", "next": "/office/"}).status_code == 422


def test_a_copy_is_asked_for_at_the_counter_and_handed_over(clerk: Clerk, cast: Cast, ground: Ground) -> None:
    users = cast.household(person=cast.registrant(phone="13800005678"))
    at = f"households/{users.household_id}/privacy-requests"
    assert clerk.post(at, {"kind": "copy", "field": "phone", "said": ""}).status_code == 302
    with ground.sessions() as db:
        asked: UUID = db.scalars(sa.select(PrivacyRequest.id)).one()
    given = {"granted": "yes", "reason": "document_seen"}
    assert f"request-{asked}" in clerk.get("privacy-requests").text
    first = clerk.post(f"privacy-requests/{asked}/decisions", given)
    assert first.status_code == 409
    assert "/office/confirm?next=/office/privacy-requests" in first.text
    assert count(ground, Reveal) == 0
    confirmed(clerk, cast, ground)
    copy = clerk.post(f"privacy-requests/{asked}/decisions", given)
    assert "13800005678" in copy.text
    assert copy.headers["Cache-Control"] == "no-store"
    with ground.sessions() as db:
        look = db.scalars(sa.select(Reveal)).one()
        row = db.scalars(sa.select(PrivacyRequest)).one()
    assert (look.reason, look.fields) == ("own_request", ["address", "name", "phone"])
    assert row.state.value == "granted"
    assert "没有等待办理的申请" in clerk.get("privacy-requests").text


def test_a_correction_and_an_erasure_are_decided_in_the_queue(
    clerk: Clerk, cast: Cast, ground: Ground
) -> None:
    users = cast.household()
    at = f"households/{users.household_id}/privacy-requests"
    assert clerk.post(at, {"kind": "correction", "field": "phone", "said": "no"}).status_code == 422
    clerk.post(at, {"kind": "correction", "field": "phone", "said": "13900001111"})
    clerk.post(at, {"kind": "erasure"})
    with ground.sessions() as db:
        mend, erase = db.scalars(sa.select(PrivacyRequest.id).order_by(PrivacyRequest.id))
    done = clerk.post(f"privacy-requests/{mend}/decisions", {"granted": "yes", "reason": "phone_answered"})
    assert done.headers["Location"].endswith("done=corrected")
    held = clerk.post(f"privacy-requests/{erase}/decisions", {"granted": "yes", "reason": "document_seen"})
    assert held.status_code == 409
    assert "先办理退户" in held.text
    done = clerk.post(f"privacy-requests/{erase}/decisions", {"granted": "no", "reason": "not_the_person"})
    assert done.headers["Location"].endswith("done=declined")


def test_another_firm_s_household_has_no_pages_here(app: Flask, ground: Ground, cast: Cast) -> None:
    users = cast.household()
    stranger = Clerk(app, ground, cast.clerk_of(cast.another_firm()).principal_id)
    for page in ("", "/reveals", "/privacy-requests"):
        assert stranger.get(f"households/{users.household_id}{page}").status_code == 404
    assert stranger.post(f"households/{users.household_id}/closings", {}).status_code == 404
    assert reveal(stranger, users).status_code == 404


def test_a_hose_is_entered_replaced_and_listed_when_it_is_due(
    clerk: Clerk, cast: Cast, ground: Ground
) -> None:
    users = cast.household()
    at = f"households/{users.household_id}/equipment"
    hose = {
        "equipment-kind": "hose", "material": "rubber", "maker": "样例", "model": "R-1",
        "installed_on": "2022-06-01",
    }  # fmt: skip
    wrong = clerk.post(at, hose | {"material": "", "installed_on": "2024-06-13"})
    assert wrong.status_code == 422
    assert "material-fault" in wrong.text
    assert clerk.post(at, hose).status_code == 302
    assert "已过期" in clerk.get("equipment?days=0").text
    with ground.sessions() as db:
        old = db.scalars(sa.select(Equipment.id)).one()
    new = hose | {"material": "metal", "installed_on": "2024-06-12", "replaces": str(old)}
    assert clerk.post(at, new).status_code == 302
    assert "没有到期的" in clerk.get("equipment").text
    assert "已换新" in clerk.get(at).text
    assert clerk.post(f"{at}/{old}/ends", {"ended_on": "2024-06-12"}).status_code == 409
    assert count(ground, Equipment) == 2


def test_who_was_not_identified_here_has_no_pages(
    app: Flask, clerk: Clerk, ground: Ground, cast: Cast
) -> None:
    at = clerk.post("people", PERSON).headers["Location"].removeprefix("/office/")
    stranger = Clerk(app, ground, cast.clerk_of(cast.another_firm()).principal_id)
    assert clerk.get(at).status_code == 200
    assert stranger.get(at).status_code == 404
    assert stranger.get(at.replace("place", f"households/{UUID(int=7)}/account")).status_code == 404


def test_an_account_passes_on_at_the_counter_in_two_steps_by_two_people(
    app: Flask, clerk: Clerk, cast: Cast, ground: Ground
) -> None:
    home = cast.household()
    of_home = f"households/{home.household_id}/successions"
    assert f"/office/{of_home}" in clerk.get(f"households/{home.household_id}").text
    assert f"people/new?succeeds={home.household_id}" in clerk.get(of_home).text
    assert (
        f'name="succeeds" value="{home.household_id}"'
        in clerk.get(f"people/new?succeeds={home.household_id}").text
    )
    heir = clerk.post("people", PERSON | {"succeeds": str(home.household_id)}).headers["Location"]
    person_id = heir.partition("?person=")[2]
    assert "柜台样例" not in clerk.get(heir.removeprefix("/office/")).text
    form = {
        "person_id": person_id,
        "ground": "died",
        "kinship": "spouse",
        "evidence": "SW-1",
        "membership": "",
    }
    faulty = clerk.post(of_home, form)
    assert (faulty.status_code, 'id="membership-fault"' in faulty.text) == (422, True)
    assert clerk.post(of_home, form | {"membership": "HK-1"}).status_code == 302
    own = clerk.get("successions").text
    assert "要另一人审批" in own
    [row] = re.findall(r"successions/([0-9a-f-]{36})/withdrawals", own)
    assert clerk.post(f"successions/{row}/approvals", {}).status_code == 409
    colleague = Clerk(app, ground, cast.clerk_of(cast.firm()).principal_id)
    assert colleague.post(f"successions/{row}/rejections", {}).status_code == 422
    assert colleague.post(f"successions/{row}/approvals", {}).status_code == 302
    with ground.sessions() as db:
        assert str(db.get_one(Account, (310105, home.account_id)).person_id) == person_id
    assert "已批准" in clerk.get(of_home).text
