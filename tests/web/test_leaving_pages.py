"""The office's pages by which bottles leave use: recalls from the look to the end, 送检, 上报, 注销."""

import html
import re
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from core.ground import Ground
from cylinders.life_models import InspectionSending, RecallCampaign, RecallTask, RegistrationAct, UnfitReport
from cylinders.models import CylinderCustody, Hold
from cylinders.states import CylinderState, RecallState, TaskState
from evidence.models import Entry
from registry.models import HolderKind
from tests.cast import Cast
from tests.cylinders.cast import Bottles
from tests.cylinders.test_out_of_use import count, events, state_of
from tests.desk import Desk
from tests.web.test_office_pages import Clerk

TWO_PHASE = {"phase": "two_phase", "reference": "ZH-2024-7"}


@pytest.fixture
def cast(desk: Desk) -> Cast:
    return Cast(desk)


@pytest.fixture
def bottles(cast: Cast) -> Bottles:
    return Bottles(cast)


@pytest.fixture
def clerk(app: Flask, ground: Ground, cast: Cast) -> Clerk:
    return Clerk(app, ground, cast.clerk.principal_id)


@pytest.fixture
def stranger(app: Flask, ground: Ground, cast: Cast) -> Clerk:
    """A clerk of another firm."""
    return Clerk(app, ground, cast.clerk_of(cast.another_firm()).principal_id)


def open_recall(clerk: Clerk) -> TestResponse:
    """As a person does it: look, then the button beside what the look said."""
    looked = clerk.post("recalls/new", TWO_PHASE | {"step": "look"}).text
    [seen] = re.findall(r'name="looked" value="([^"]+)"', looked)
    return clerk.post("recalls/new", TWO_PHASE | {"step": "open", "looked": html.unescape(seen)})


# --- recalls ----------------------------------------------------------------------------------------------


def test_a_recall_is_looked_at_opened_told_settled_and_finished(
    clerk: Clerk, cast: Cast, bottles: Bottles, db: Session
) -> None:
    at_home = bottles.on_card(cast.household(), phase="two_phase")
    here = bottles.empty(phase="two_phase")
    bottles.empty()
    look = clerk.post("recalls/new", TWO_PHASE | {"step": "look"})
    assert "符合的有 2 只" in look.text
    assert count(db, RecallCampaign) == count(db, Hold) == 0, "a look opens nothing"
    opened = open_recall(clerk)
    assert opened.status_code == 303
    [recall] = db.scalars(sa.select(RecallCampaign))
    at = f"recalls/{recall.id}"
    assert opened.location == f"/office/{at}"
    assert {state_of(db, one) for one in (at_home, here)} == {CylinderState.HELD}
    page = clerk.get(at).text
    assert page.count('name="cylinder_ids"') == 2
    assert clerk.post(f"{at}/tellings", {"cylinder_ids": str(at_home.id)}).status_code == 303
    assert [one["cylinder_id"] for one in events(db, "recall.told")] == [str(at_home.id)]
    too_early = clerk.post(f"{at}/finishings", {})
    assert too_early.status_code == 409
    assert "没有办成" in too_early.text
    for bottle, outcome in ((at_home, "not_affected"), (here, "not_found")):
        form = {"outcome": outcome, "reference": "SM-1"}
        assert "了结" in clerk.get(f"{at}/tasks/{bottle.id}").text
        assert clerk.post(f"{at}/tasks/{bottle.id}", form).status_code == 303
    assert set(db.scalars(sa.select(RecallTask.state).execution_options(populate_existing=True))) == {
        TaskState.SETTLED
    }
    assert state_of(db, at_home) is CylinderState.IN_SERVICE
    assert clerk.post(f"{at}/finishings", {}).status_code == 303
    db.refresh(recall)
    assert recall.state is RecallState.RECALLED
    bottles.empty(phase="two_phase")
    assert clerk.post(f"{at}/late-finds", {}).status_code == 303
    assert "其中后来补进 1 只" in clerk.get(at).text


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"reference": "ZH-1"}, "至少写一个召回条件"),
        ({"phase": "two_phase"}, "reference"),
        ({"phase": "solid", "reference": "ZH-1"}, "phase"),
        ({"made_from": "2024-13-01", "reference": "ZH-1"}, "made_from"),
        ({"maker": "\x00", "reference": "ZH-1"}, "maker"),
        ({"codes": "\n".join(["A" * 600] * 3), "reference": "ZH-1"}, "codes"),
    ],
)
def test_a_recall_that_cannot_be_read_opens_nothing_and_names_the_field(
    clerk: Clerk, bottles: Bottles, db: Session, form: dict[str, str], said: str
) -> None:
    bottles.empty(phase="two_phase")
    for step in ("look", "open", "x"):
        answer = clerk.post("recalls/new", form | {"step": step})
        assert answer.status_code == 422
        assert said in answer.text
    assert count(db, RecallCampaign) == count(db, Hold) == 0


def test_a_recall_that_means_no_bottle_is_not_opened(clerk: Clerk, bottles: Bottles, db: Session) -> None:
    bottles.empty()
    assert "没有一只符合" in clerk.post("recalls/new", TWO_PHASE | {"step": "look"}).text
    nothing = '[0, {"phase": "two_phase"}]'
    assert clerk.post("recalls/new", TWO_PHASE | {"step": "open", "looked": nothing}).status_code == 409
    assert count(db, RecallCampaign) == 0


def test_what_was_changed_since_the_look_is_looked_at_again(
    clerk: Clerk, bottles: Bottles, db: Session
) -> None:
    """A return key in a field presses the first button: nobody's bottles stop by that."""
    bottles.empty(phase="two_phase")
    looked = {"step": "open", "looked": '[1, {"phase": "two_phase"}]'}
    other = {"model": "YSP35.5", "reference": "ZH-1"}
    assert "符合的有 1 只" in clerk.post("recalls/new", other | looked).text
    bottles.empty(phase="two_phase")
    assert "符合的有 2 只" in clerk.post("recalls/new", TWO_PHASE | looked).text
    assert count(db, RecallCampaign) == count(db, Hold) == 0


def test_a_look_counts_the_callers_own_bottles_alone(
    app: Flask, ground: Ground, clerk: Clerk, stranger: Clerk, cast: Cast, bottles: Bottles, db: Session
) -> None:
    bottles.empty(phase="two_phase")
    assert "没有一只符合" in stranger.post("recalls/new", TWO_PHASE | {"step": "look"}).text
    authority = Clerk(app, ground, cast.regulator.principal_id)
    token = re.findall(r'name="csrf_token" value="([^"]+)"', authority.get("recalls/new").text)[0]
    form = TWO_PHASE | {"csrf_token": token, "form_key": "recall-by-authority", "step": "look"}
    assert "符合的有 1 只" in authority.client.post("/office/recalls/new", data=form).text
    assert "/office/recalls" in authority.client.get("/oversight/refusals").text


def test_another_firms_recall_is_not_there_to_act_on(
    clerk: Clerk, stranger: Clerk, bottles: Bottles, db: Session
) -> None:
    bottle = bottles.empty(phase="two_phase")
    open_recall(clerk)
    at = f"recalls/{db.scalars(sa.select(RecallCampaign.id)).one()}"
    before = count(db, Entry)
    assert stranger.get(f"{at}/tasks/{bottle.id}").status_code == 404
    for act, form in (
        ("tellings", {"cylinder_ids": str(bottle.id)}),
        (f"tasks/{bottle.id}", {"outcome": "not_affected", "reference": "SM-1"}),
        ("late-finds", {}),
        ("finishings", {}),
    ):
        assert stranger.post(f"{at}/{act}", form).status_code == 404, act
    assert count(db, Entry) == before
    assert state_of(db, bottle) is CylinderState.HELD


def test_nobody_ticked_and_no_outcome_are_named(clerk: Clerk, bottles: Bottles, db: Session) -> None:
    bottle = bottles.empty(phase="two_phase")
    open_recall(clerk)
    at = f"recalls/{db.scalars(sa.select(RecallCampaign.id)).one()}"
    for act, form in (
        ("tellings", {}),
        ("tellings", {"cylinder_ids": "x"}),
        (f"tasks/{bottle.id}", {"reference": "SM-1"}),
        (f"tasks/{bottle.id}", {"outcome": "melted", "reference": "SM-1"}),
    ):
        answer = clerk.post(f"{at}/{act}", form)
        assert answer.status_code == 422, (act, form)
        assert 'role="alert"' in answer.text
    assert db.scalars(sa.select(RecallTask.state)).one() is TaskState.LISTED


# --- 送检, 上报, 注销 ---------------------------------------------------------------------------------------


def test_a_bottle_is_sent_to_an_agency_from_its_file(clerk: Clerk, bottles: Bottles, db: Session) -> None:
    bottle, agency_id = bottles.empty(), bottles.agency_id
    at = f"cylinders/{bottle.id}"
    assert f"/office/{at}/send" in clerk.get(at).text
    assert "检验机构" in clerk.get(f"{at}/send").text
    form = {"agency_id": str(agency_id), "why": "due", "reference": "SJ-9"}
    assert clerk.post(f"{at}/send", form).status_code == 303
    assert db.scalars(sa.select(InspectionSending.reference)).one() == "SJ-9"
    assert db.get_one(CylinderCustody, bottle.id).holder_kind is HolderKind.AGENCY
    again = clerk.post(f"{at}/send", form)
    assert again.status_code == 409
    assert count(db, InspectionSending) == 1


def test_an_unfit_bottle_is_reported_and_its_registration_cancelled(
    clerk: Clerk, bottles: Bottles, db: Session
) -> None:
    bottle = bottles.empty()
    at = f"cylinders/{bottle.id}"
    assert "failed_inspection" not in clerk.get(f"{at}/report").text, "that is for its agency to report"
    assert clerk.post(f"{at}/report", {"why": "refurbished", "reference": "SB-1"}).status_code == 303
    assert state_of(db, bottle) is CylinderState.HELD
    assert db.scalars(sa.select(UnfitReport.reference)).one() == "SB-1"
    form = {"why": "refurbished", "document_no": "ZX-1", "cancelled_on": "2024-06-11"}
    assert clerk.post(f"{at}/cancel", form).status_code == 303
    assert db.scalars(sa.select(RegistrationAct.document_no)).one() == "ZX-1"


@pytest.mark.parametrize(
    ("act", "form"),
    [
        ("send", {"agency_id": "x", "why": "due", "reference": "SJ-1"}),
        ("send", {"agency_id": "", "why": "", "reference": ""}),
        ("report", {"why": "failed_inspection", "reference": "SB-1"}),
        ("report", {"why": "refurbished", "reference": "\x00"}),
        ("cancel", {"why": "lost", "document_no": "ZX-1", "cancelled_on": "2024-06-31"}),
        ("cancel", {"why": "lost", "document_no": "ZX-1", "cancelled_on": "2024-06-13"}),
    ],
)
def test_what_cannot_be_read_changes_no_bottle(
    clerk: Clerk, bottles: Bottles, db: Session, act: str, form: dict[str, str]
) -> None:
    bottle = bottles.empty()
    answer = clerk.post(f"cylinders/{bottle.id}/{act}", form)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert state_of(db, bottle) is CylinderState.IN_SERVICE
    assert count(db, InspectionSending) == count(db, UnfitReport) == count(db, RegistrationAct) == 0


def test_another_firms_bottle_has_no_way_out_here(stranger: Clerk, bottles: Bottles, db: Session) -> None:
    bottle = bottles.empty()
    forms: dict[str, dict[str, str]] = {
        "send": {"agency_id": str(bottles.agency_id), "why": "due", "reference": "SJ-1"},
        "report": {"why": "refurbished", "reference": "SB-1"},
        "cancel": {"why": "lost", "document_no": "ZX-1", "cancelled_on": "2024-06-11"},
    }
    for act, form in forms.items():
        assert stranger.get(f"cylinders/{bottle.id}/{act}").status_code == 404
        assert stranger.post(f"cylinders/{bottle.id}/{act}", form).status_code == 404
        assert stranger.get(f"cylinders/{UUID(int=7)}/{act}").status_code == 404
    assert state_of(db, bottle) is CylinderState.IN_SERVICE
