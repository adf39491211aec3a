"""A refusal looked at again by a person: asked, taken, answered by another, received; exceptions by rule."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from core import clock, outbox, sealed
from core.auth import Role, ScopeKind
from core.ground import Ground
from core.sealed import Subject, SubjectType
from dispatch.safety.models import NoticeReceipt
from evidence.models import Entry, Outcome
from oversight import alarms
from oversight.models import AlarmKind, Look
from oversight.review_models import RefusalReview
from oversight.review_queries import reviews
from oversight.review_states import ReviewState
from registry import retention
from registry.exceptions import RuleException
from registry.models import Account
from rulebook.decisions import replay
from rulebook.models import Decision
from tests.cast import CHANGNING, Cast, made
from tests.conftest import THE_DAY, doing_as
from tests.desk import Desk, Person
from tests.registry.proofs import codes, faults

SAID = "我家老人上个月就来登记过"
ANSWER = "查到五月的登记单，属实"


class Story:
    """An opening in Changning that the bar on new users refuses; its applicant has a telephone."""

    def __init__(self, desk: Desk):
        self.cast = Cast(desk)
        self.home, self.person = self.cast.place(), self.cast.person()
        self.resident = self.cast.resident(self.person)
        self.regulator = self.cast.regulator
        self.colleague = self.cast.clerk_of(self.cast.firm())
        self.number: str = self.open().get_json()["refusal_no"]

    def open(self) -> Any:
        body = {
            "household_id": str(self.home),
            "person_id": str(self.person),
            "firm_id": str(self.cast.firm()),
            "applied_on": "2024-06-12",
            "cards": [{"cylinder_model": "YSP35.5"}],
        }
        return self.cast.clerk.post(self.cast.at("accounts"), body)

    def ask(self, by: Person | None = None, **changed: Any) -> Any:
        body = {"refusal_no": self.number, "ground": "record_wrong", "said": SAID} | changed
        return (by or self.resident).post(self.cast.at("refusal-reviews"), body)

    def asked(self, by: Person | None = None) -> str:
        return str(made(self.ask(by))["id"])

    def act(self, by: Person, review_id: str, act: str, body: dict[str, Any] | None = None) -> Any:
        return by.post(self.cast.at(f"refusal-reviews/{review_id}/{act}"), body or {})

    def answered(self, by: Person, review_id: str, **changed: Any) -> Any:
        body = {"outcome": "overturned", "finding": "record_mended", "said": ANSWER} | changed
        return self.act(by, review_id, "answers", body)


@pytest.fixture
def story(desk: Desk) -> Story:
    return Story(desk)


def count(db: Session, table: type[Any]) -> int:
    return db.scalar(sa.select(sa.func.count()).select_from(table)) or 0


EXCEPTED = {"excepted": ["A02"], "excepted_until": "2024-07-31"}


def test_an_overturned_refusal_opens_an_exception_and_the_gate_says_yes_by_itself(
    story: Story, db: Session, ground: Ground
) -> None:
    review_id = story.asked()
    assert made(story.act(story.regulator, review_id, "takings"))["state"] == "taken"
    done = made(story.answered(story.regulator, review_id, **EXCEPTED))
    assert (done["state"], done["answer"], done["excepted"]) == ("overturned", ANSWER, ["A02"])

    assert story.open().status_code == 201
    decision = db.scalars(sa.select(Decision).where(Decision.gate == "account.open", Decision.allowed)).one()
    assert decision.facts["excepted"] == ["A02"]
    assert count(db, Account) == 1
    assert list(replay(db)) == []

    [row] = db.scalars(sa.select(RefusalReview)).all()
    stored = bytes(row.said_sealed or b"") + bytes(row.answer_sealed or b"")
    assert SAID.encode() not in stored
    assert ANSWER.encode() not in stored
    written = b"".join(db.scalars(sa.select(Entry.written)))
    assert SAID.encode() not in written
    assert ANSWER.encode() not in written
    outbox.deliver_due(ground, CHANGNING)
    told = (ground.config.state_dir / "messages.jsonl").read_text()
    assert story.number in told
    assert ANSWER not in told


def test_an_exception_ends_by_itself(story: Story, db: Session) -> None:
    review_id = story.asked()
    made(story.act(story.regulator, review_id, "takings"))
    made(story.answered(story.regulator, review_id, **EXCEPTED | {"excepted_until": "2024-06-12"}))
    with clock.standing_at(THE_DAY + timedelta(days=1)):
        assert codes(story.open()) == ["account.opening_barred"]
    assert count(db, Account) == 0


def test_neither_who_refused_nor_who_asked_answers(story: Story, db: Session) -> None:
    review_id = story.asked(story.colleague)
    for by in (story.cast.clerk, story.colleague):
        assert codes(story.act(by, review_id, "takings")) == ["review.same_person"]
    made(story.act(story.regulator, review_id, "takings"))
    assert codes(story.answered(story.cast.clerk, review_id, outcome="upheld")) == ["review.same_person"]
    [row] = db.scalars(sa.select(RefusalReview)).all()
    assert (row.state, row.answered_at) == (ReviewState.TAKEN, None)
    refused = sa.select(sa.func.count()).where(Entry.verb == "review.take", Entry.outcome == Outcome.REFUSED)
    assert db.scalar(refused) == 2


def test_a_firm_s_office_answers_and_gives_no_exception(story: Story, db: Session) -> None:
    another = story.cast.clerk_of(story.cast.firm())
    review_id = story.asked()
    made(story.act(another, review_id, "takings"))
    assert codes(story.answered(another, review_id, **EXCEPTED)) == ["review.exception_not_yours"]
    assert count(db, RuleException) == 0
    done = made(story.answered(another, review_id, outcome="upheld", finding="record_right", said=None))
    assert (done["state"], done["answer"], done["overdue"]) == ("upheld", None, False)


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        ({"outcome": "asked"}, "/outcome"),
        ({"outcome": "maybe"}, "/outcome"),
        ({"finding": "fine"}, "/finding"),
        ({"excepted": ["A02"]}, "/excepted_until"),
        ({"excepted_until": "2024-07-31"}, "/excepted_until"),
        ({"excepted": ["a2"], "excepted_until": "2024-07-31"}, "/excepted/0"),
        ({"said": "x" * 501}, "/said"),
        ({"colour": "red"}, "/colour"),
    ],
)
def test_an_answer_of_the_wrong_shape_says_where(
    story: Story, db: Session, changed: dict[str, Any], pointer: str
) -> None:
    review_id = story.asked()
    made(story.act(story.regulator, review_id, "takings"))
    assert pointer in [at for at, _ in faults(story.answered(story.regulator, review_id, **changed))]
    assert db.scalars(sa.select(RefusalReview.state)).one() is ReviewState.TAKEN


def test_a_review_is_asked_once_and_again_only_after_withdrawing(story: Story, db: Session) -> None:
    review_id = story.asked()
    assert codes(story.ask()) == ["review.asked_already"]
    assert codes(story.answered(story.regulator, review_id)) == ["state.move_not_allowed"]
    made(story.act(story.resident, review_id, "withdrawals"))
    assert codes(story.act(story.regulator, review_id, "takings")) == ["state.move_not_allowed"]
    story.asked()
    assert count(db, RefusalReview) == 2


def test_a_refusal_that_is_not_one_s_own_is_not_there(story: Story, db: Session) -> None:
    stranger = story.cast.resident(story.cast.person())
    elsewhere = story.cast.clerk_of(story.cast.another_firm())
    for by in (stranger, elsewhere):
        assert faults(story.ask(by)) == [("/refusal_no", "unknown")]
    assert faults(story.ask(refusal_no="20240612-ZZZZZZ")) == [("/refusal_no", "unknown")]
    assert faults(story.ask(refusal_no="nonsense")) == [("/refusal_no", "pattern")]
    assert count(db, RefusalReview) == 0
    review_id = story.asked()
    for by, act in ((stranger, "withdrawals"), (elsewhere, "takings")):
        assert story.act(by, review_id, act).status_code == 404
    assert stranger.get(story.cast.at("own-refusals")).get_json() == {"items": []}
    assert elsewhere.get(story.cast.at("refusal-reviews")).get_json() == {"items": []}


def test_after_sixty_days_it_is_too_late_to_ask(story: Story, db: Session) -> None:
    with clock.standing_at(THE_DAY + timedelta(days=61)):
        assert codes(story.ask()) == ["review.too_late"]
    assert count(db, RefusalReview) == 0


def test_the_resident_reads_the_refusal_the_answer_and_confirms_it(story: Story, db: Session) -> None:
    review_id = story.asked()
    made(story.act(story.regulator, review_id, "takings"))
    electronic = {"received_how": "electronic"}
    assert (
        story.act(story.resident, review_id, "receipts", electronic).status_code == 404
    )  # nothing to confirm
    made(story.answered(story.regulator, review_id, outcome="partly"))
    assert faults(story.act(story.colleague, review_id, "receipts", electronic)) == [
        ("/received_how", "not_yours")
    ]
    made(story.act(story.resident, review_id, "receipts", electronic))
    [own] = story.resident.get(story.cast.at("own-refusals")).get_json()["items"]
    assert own["refusal_no"] == story.number
    assert own["reasons"][0]["basis"]["document"]
    assert own["review"]["answer"] == ANSWER
    assert own["review"]["receipts"][0]["received_how"] == "electronic"
    assert count(db, NoticeReceipt) == 1
    copy = made(story.resident.post(story.cast.at("own-data/copies")))
    assert [(one["review"], one["said"], one["answer"]) for one in copy["refusals"]] == [
        ("partly", SAID, ANSWER)
    ]


def test_a_review_past_its_day_is_overdue_and_an_alarm_of_the_firm_s(story: Story, ground: Ground) -> None:
    review_id = story.asked()
    board = doing_as(ground, Role.DISPATCHER, *_firm(story))

    def overdue(days: int) -> tuple[list[bool], list[UUID]]:
        with clock.standing_at(THE_DAY + timedelta(days=days)):
            listed = story.colleague.get(story.cast.at("refusal-reviews")).get_json()["items"]
            found = alarms.alarms(board, clock.today())
        standing = [one.subject_id for one in found if one.kind is AlarmKind.REVIEW_OVERDUE]
        return [one["overdue"] for one in listed], standing

    assert overdue(15) == ([False], [])
    assert overdue(16) == ([True], [UUID(review_id)])


def _firm(story: Story) -> tuple[ScopeKind, str]:
    return ScopeKind.FIRM, str(story.cast.firm())


def test_refusals_are_counted_by_reason_and_street_for_who_may(story: Story, app: Flask) -> None:
    assert app
    story.open()
    asked = {"from_on": "2024-06-01", "until_on": "2024-06-30"}

    def counted(by: Person, **days: str) -> Any:
        answer = by.get(story.cast.at("refusal-statistics"), **(asked | days))
        return [(one["code"], one["street_code"], one["times"], one["homes"]) for one in answer.json["items"]]

    own = [one for one in counted(story.cast.clerk) if one[0] == "account.opening_barred"]
    assert own == [("account.opening_barred", story_street(story), 2, 1)]
    assert counted(story.regulator) == counted(story.cast.clerk)
    assert counted(story.cast.clerk_of(story.cast.another_firm())) == []
    street = story.cast.granted("regulator", "street", story_street(story))
    assert [one for one in counted(street) if one[0] == "account.opening_barred"] == own
    assert counted(story.regulator, until_on="2024-06-11") == []
    backwards = story.regulator.get(
        story.cast.at("refusal-statistics"), from_on="2024-06-02", until_on="2024-06-01"
    )
    assert faults(backwards) == [("/query/until_on", "span")]


def story_street(story: Story) -> str:
    return str(story.cast.place_body()["street_code"])


# --- whose a refusal is -------------------------------------------------------------------------------------


def own_numbers(story: Story, person: Person) -> set[str]:
    items = person.get(story.cast.at("own-refusals")).get_json()["items"]
    return {item["refusal_no"] for item in items}


def tenant(story: Story) -> tuple[Any, Person]:
    """A registrant with an account, and the same signed in."""
    users = story.cast.household(exception=None)
    return users, story.cast.resident(story.cast.registrant_of(users))


def refused_opening(story: Story, home: UUID) -> str:
    story.home = home
    return str(story.open().get_json()["refusal_no"])


def test_what_was_refused_to_another_at_a_standing_home_is_the_other_s(story: Story, db: Session) -> None:
    users, registrant = tenant(story)
    story.number = refused_opening(story, users.household_id)  # the applicant, where an account stands
    made(story.ask(story.colleague))
    [review] = db.scalars(sa.select(RefusalReview))
    assert review.person_id == story.person
    assert story.number in own_numbers(story, story.resident)
    assert own_numbers(story, registrant) == set()


def test_who_has_left_a_home_neither_sees_nor_takes_what_is_refused_there_later(
    story: Story, db: Session
) -> None:
    users, former = tenant(story)
    [account] = db.scalars(sa.select(Account))
    why = {"reason": "moved", "evidence": "GD-2024/17"}
    made(story.cast.clerk.post(story.cast.at(f"accounts/{account.id}/closings"), why))
    with clock.standing_at(THE_DAY + timedelta(days=3)):
        story.number = refused_opening(story, users.household_id)
        assert own_numbers(story, former) == set()
        assert faults(story.ask(former)) == [("/refusal_no", "unknown")]
        made(story.ask())


def test_what_was_refused_to_staff_is_not_told_the_resident(story: Story, db: Session) -> None:
    review_id = story.asked(story.colleague)
    mine = story.act(story.colleague, review_id, "takings")  # who asked does not answer
    assert mine.status_code == 409
    assert own_numbers(story, story.resident) == {story.number}
    assert faults(story.ask(refusal_no=mine.get_json()["refusal_no"])) == [("/refusal_no", "unknown")]


def test_what_somebody_wrote_is_read_on_record(story: Story, db: Session) -> None:
    story.asked()
    assert count(db, Look) == 0
    [shown] = story.colleague.get(story.cast.at("refusal-reviews")).get_json()["items"]
    assert shown["said"] == SAID
    [look] = db.scalars(sa.select(Look))
    assert (look.principal_id, look.subject_id) == (story.colleague.principal_id, story.home)


def test_whose_review_is_undecided_is_not_erased_until_it_is(
    story: Story, db: Session, ground: Ground
) -> None:
    review_id = story.asked()
    with clock.standing_at(THE_DAY + timedelta(days=367)):
        assert retention.retain(ground)["people"] == 0
        made(story.act(story.regulator, review_id, "takings"))
        assert made(story.answered(story.regulator, review_id))["answer"] == ANSWER
        assert retention.retain(ground)["people"] == 1


def test_nothing_is_written_under_an_erased_person_and_the_list_is_read(
    story: Story, db: Session, ground: Ground, desk: Desk
) -> None:
    """Answering in words made a new key, under which what was asked did not open: the list was a 500."""
    review_id, other = story.asked(), Story(desk)
    number = story.open().get_json()["refusal_no"]
    other.asked()
    person = Subject(SubjectType.PERSON, story.person)
    sealed.erase(db, person)
    db.commit()
    made(story.act(story.regulator, review_id, "takings"))
    done = made(story.answered(story.regulator, review_id))
    assert (done["said"], done["answer"], sealed.has_key(db, person)) == (None, None, False)
    assert faults(story.ask(story.colleague, refusal_no=number)) == [("/refusal_no", "unknown")]
    with ground.sessions() as again:  # as such an answer left it before
        sealed.seal(again, ground.keyring, person, "refusal_review", "answer_sealed", review_id, ANSWER)
        again.commit()
    here = doing_as(ground, Role.REGULATOR, ScopeKind.DISTRICT, str(CHANGNING))
    shown = reviews(here, open_only=False) + reviews(here)
    assert [(one.said, one.answer) for one in shown] == [(None, None), (SAID, None)]
