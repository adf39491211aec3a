"""Proxies at the counter's page, and proxies without an account who sign in by telephone."""

from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask

from core.auth import Grant
from core.ground import Ground
from oversight.models import Look
from registry.proxy_models import ProxyConsent
from tests.cast import CHANGNING, Cast, Users, made
from tests.desk import Desk
from tests.registry.proofs import count
from tests.web.test_office_pages import Clerk
from tests.web.test_office_users import PERSON
from tests.web.test_phone_sign_in import PHONE, Telephone, sessions_of

UNTIL = "2024-12-31"


@pytest.fixture
def cast(desk: Desk) -> Cast:
    return Cast(desk)


@pytest.fixture
def home(cast: Cast) -> Users:
    return cast.household()


@pytest.fixture
def clerk(app: Flask, ground: Ground, cast: Cast) -> Clerk:
    return Clerk(app, ground, cast.clerk.principal_id)


@pytest.fixture
def telephone(app: Flask, ground: Ground) -> Telephone:
    return Telephone(app, ground)


def named(cast: Cast, home: Users, person_id: UUID, **changed: Any) -> dict[str, Any]:
    body = {"person_id": str(person_id), "paper": "WT-1", "may_book": True, "may_receive": True}
    path = cast.at(f"households/{home.household_id}/proxies")
    return made(cast.clerk.post(path, body | {"until_on": UNTIL} | changed))


def signed_in(telephone: Telephone) -> None:
    telephone.ask()
    assert telephone.type(telephone.code()).location == "/resident/"


# --- the counter's page -----------------------------------------------------------------------------------


def test_a_proxy_is_identified_named_and_ended_at_the_counter(
    clerk: Clerk, cast: Cast, home: Users, ground: Ground
) -> None:
    page = f"households/{home.household_id}/proxies"
    assert f"/office/{page}" in clerk.get(f"households/{home.household_id}").text
    assert f"people/new?acts_for={home.household_id}" in clerk.get(page).text
    came_for = f'name="acts_for" value="{home.household_id}"'
    assert came_for in clerk.get(f"people/new?acts_for={home.household_id}").text
    at = clerk.post("people", PERSON | {"acts_for": str(home.household_id)}).headers["Location"]
    asked_for = clerk.get(at.removeprefix("/office/")).text
    assert ("登记代办人" in asked_for, "柜台样例" in asked_for) == (True, False)
    form = {"person_id": at.partition("?person=")[2], "act": "book", "until_on": UNTIL, "paper": "WT-7"}
    for changed, status, said in (
        ({"act": ""}, 422, "至少选一样"),
        ({"paper": ""}, 422, "委托书"),
        ({"until_on": "2024-06-11"}, 422, "不能早于今天"),
        ({"until_on": "2026-06-11"}, 409, "A15"),
        ({"person_id": str(cast.registrant_of(home))}, 409, "登记人本人"),
        ({"person_id": str(UUID(int=9))}, 422, "查无此编号"),
        ({"person_id": "nobody"}, 422, "先核验代办人"),
    ):
        answer = clerk.post(page, form | changed)
        assert (answer.status_code, said in answer.text) == (status, True), (changed, answer.text)
    assert count(ground, ProxyConsent) == 0
    assert clerk.post(page, form).status_code == 302
    shown = clerk.get(page).text
    assert ("双方同意" in shown, "WT-7" in shown, "柜台样例" in shown) == (True, True, False)
    with ground.sessions() as db:
        consent_id = db.scalars(sa.select(ProxyConsent.id)).one()
    other = f"households/{cast.household().household_id}/proxies/{consent_id}/endings"
    assert clerk.post(other, {}).status_code == 404
    assert clerk.post(f"{page}/{consent_id}/endings", {}).status_code == 302
    assert ("现在没有代办人" in clerk.get(page).text, "已结束" in clerk.get(page).text) == (True, True)
    assert "柜台样例" not in clerk.client.get(f"/files/households/{home.household_id}").text
    with ground.sessions() as db:
        assert home.household_id in set(db.scalars(sa.select(Look.subject_id)))


def test_another_firms_counter_sees_names_and_ends_nothing(
    app: Flask, cast: Cast, home: Users, ground: Ground
) -> None:
    consent = named(cast, home, cast.person())
    rival = Clerk(app, ground, cast.clerk_of(cast.another_firm()).principal_id)
    page = f"households/{home.household_id}/proxies"
    form = {"person_id": str(cast.registrant_of(home)), "act": "book", "until_on": UNTIL, "paper": "WT-7"}
    assert rival.get(page).status_code == 404
    assert rival.post(page, form).status_code == 404
    assert rival.post(f"{page}/{consent['id']}/endings", {}).status_code == 404
    with ground.sessions() as db:
        assert [one.value for one in db.scalars(sa.select(ProxyConsent.state))] == ["agreed"]


# --- signing in without an account ------------------------------------------------------------------------


def test_a_proxy_without_an_account_signs_in_and_sees_the_homes_they_are_named_for(
    cast: Cast, home: Users, telephone: Telephone, ground: Ground
) -> None:
    volunteer, other = cast.person(phone=PHONE), cast.household()
    consent = named(cast, home, volunteer)
    signed_in(telephone)
    page = telephone.client.get("/resident/").text
    assert f"/resident/book?household={home.household_id}" in page
    assert telephone.client.get(f"/resident/book?household={home.household_id}").status_code == 200
    assert telephone.client.get(f"/resident/book?household={other.household_id}").status_code == 404
    assert str(other.household_id) not in page
    for address in ("orders", "hazards", "proxies", "refusals", "my-data"):
        answer = telephone.client.get(f"/resident/{address}")
        assert answer.status_code == 200, (address, answer.text)
    with ground.sessions() as db:
        [grant] = db.scalars(sa.select(Grant).where(Grant.scope_code == str(volunteer)))
        assert (grant.role.value, grant.scope_kind.value, grant.home_district) == (
            "resident", "person", CHANGNING,
        )  # fmt: skip
    made(cast.clerk.post(cast.at(f"proxies/{consent['id']}/endings")))
    after = telephone.client.get("/resident/").text
    assert (str(home.household_id) in after, "您名下现在没有用气户" in after) == (False, True)
    assert telephone.client.get(f"/resident/book?household={home.household_id}").status_code == 404


def test_who_is_asked_by_number_signs_in_to_answer(
    cast: Cast, home: Users, telephone: Telephone, ground: Ground
) -> None:
    """A registered volunteer whose number somebody said; a number that nobody said stays a stranger's."""
    cast.person(phone=PHONE)
    telephone.ask()
    assert telephone.messages() == []
    body = {"phone": PHONE, "may_book": False, "may_receive": True, "until_on": UNTIL}
    path = cast.at(f"households/{home.household_id}/proxies")
    made(cast.resident(cast.registrant_of(home)).post(path, body))
    signed_in(telephone)
    assert "有人请您代办" in telephone.client.get("/resident/").text
    assert "同意代办" in telephone.client.get("/resident/proxies").text
    assert sessions_of(ground) == 1
