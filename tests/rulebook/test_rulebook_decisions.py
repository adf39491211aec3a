"""What was decided is kept, and can be judged again by its own law or by another."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core import clock
from registry.account_gate import AccountBusiness, AccountFacts
from rulebook.decisions import Which, decision_of, judged_again, keep_edition, proposed, replay
from rulebook.edition import Edition
from rulebook.gate import facts_from_plain, judge
from rulebook.models import Decision, RulebookEdition

LAW = Edition.load()
CHANGNING = 310105
BARRED_ON = date(2023, 8, 1)


HOME = {
    "kind": "dwelling",
    "account_class": "resident",
    "judged_on": "2024-06-12",
    "piped_gas": False,
    "lift": False,
    "height_m": 15,
    "floor_kind": "above_ground",
    "converted_to_pipe": None,
    "bottle_place": "kitchen",
}


def facts_of(applied_on: date) -> AccountFacts:
    return AccountFacts(applied_on, AccountBusiness.OPENING)


def decided(db: Session, edition: Edition, applied_on: date) -> Decision:
    keep_edition(db, edition)
    verdict = judge("account.open", facts_of(applied_on), "310105", applied_on, edition)
    decision = decision_of(verdict, CHANGNING)
    db.add(decision)
    db.flush()
    return decision


def without_the_bar(edition: Edition) -> Edition:
    return Edition(edition.first_day, edition.places, [rule for rule in edition.rules if rule.name != "A02"])


def test_a_yes_and_a_no_are_both_kept_with_what_they_rested_on(db: Session) -> None:
    decided(db, LAW, date(2023, 7, 31))
    decided(db, LAW, BARRED_ON)
    db.expire_all()

    before, after = db.scalars(sa.select(Decision).order_by(Decision.day)).all()
    assert (before.allowed, before.reasons) == (True, [])
    assert not after.allowed
    assert after.facts == {"applied_on": "2023-08-01", "kind": "opening", "excepted": []}
    assert after.edition == LAW.digest
    assert after.reasons[0]["basis"]["issued"] == "2023-09-11"


def test_the_text_of_an_edition_is_stored_once(db: Session) -> None:
    keep_edition(db, LAW)
    keep_edition(db, LAW)

    stored = db.scalars(sa.select(RulebookEdition)).all()
    assert [row.digest for row in stored] == [LAW.digest]
    assert Edition.from_text(stored[0].text).digest == LAW.digest


def test_a_decision_cannot_name_an_edition_that_is_not_stored(db: Session) -> None:
    facts = AccountFacts(BARRED_ON, AccountBusiness.OPENING)
    unseen = without_the_bar(LAW)
    db.add(decision_of(judge("account.open", facts, "310105", BARRED_ON, unseen), CHANGNING))
    with pytest.raises(IntegrityError):
        db.flush()


def test_replay_by_its_own_edition_finds_nothing_changed(db: Session) -> None:
    decided(db, LAW, date(2023, 7, 31))
    decided(db, LAW, BARRED_ON)
    decided(db, without_the_bar(LAW), BARRED_ON)

    assert list(replay(db)) == []


def test_a_withdrawn_rule_names_whom_the_change_touches(db: Session) -> None:
    decided(db, LAW, date(2023, 7, 31))
    touched = decided(db, LAW, BARRED_ON)
    untouched = decided(db, without_the_bar(LAW), BARRED_ON)

    found = {again.id: again for again in proposed(db, Which(), without_the_bar)}
    assert [reason["code"] for reason in found[touched.id].before] == ["account.opening_barred"]
    assert found[touched.id].after == []
    assert not found[untouched.id].differs


def test_only_the_days_and_the_district_asked_about_are_judged(db: Session) -> None:
    made = decided(db, LAW, BARRED_ON)
    today = clock.today()

    def judged(**which: Any) -> list[UUID]:
        return [again.id for again in judged_again(db, Which(**which), lambda own: own)]

    assert judged() == judged(from_on=today, until_on=today, district=CHANGNING) == [made.id]
    assert judged(until_on=today - timedelta(days=1)) == []
    assert judged(from_on=today + timedelta(days=1)) == []
    assert judged(district=310118) == []


def test_a_fact_that_is_not_stored_is_named_and_never_guessed(db: Session) -> None:
    facts = facts_from_plain("premises", HOME)
    row = decision_of(judge("premises", facts, "310105", date(2024, 6, 12), LAW), CHANGNING, "310105001")
    row.facts = {name: value for name, value in row.facts.items() if name != "house_bottles"}
    keep_edition(db, LAW)
    db.add(row)
    db.flush()

    (again,) = proposed(db, Which(), lambda own: own)
    assert (again.after, again.lacking, again.street) == (None, ("house_bottles",), "310105001")
    assert list(replay(db)) == []  # by its own day's rules the page did not ask it


def test_a_fact_that_is_not_understood_is_an_answer_not_an_error(db: Session) -> None:
    row = decided(db, LAW, BARRED_ON)
    odd = decision_of(judge("account.open", facts_of(BARRED_ON), "310105", BARRED_ON, LAW), CHANGNING)
    odd.facts = {**odd.facts, "colour": "grey"}
    lost = decision_of(judge("account.open", facts_of(BARRED_ON), "310105", BARRED_ON, LAW), CHANGNING)
    lost.gate = "account.burn"
    db.add_all([odd, lost])
    db.flush()

    found = {again.id: again for again in replay(db)}
    assert row.id not in found
    assert found[odd.id].after is None
    assert found[odd.id].unreadable
    assert found[lost.id].unreadable == "no gate account.burn"


def test_replay_sees_a_decision_that_was_altered(db: Session) -> None:
    altered = decided(db, LAW, BARRED_ON)
    keep_edition(db, LAW)
    forged = replace(
        judge("account.open", AccountFacts(BARRED_ON, AccountBusiness.OPENING), "310105", BARRED_ON, LAW),
        reasons=(),
    )
    row = decision_of(forged, CHANGNING)
    db.add(row)
    db.flush()

    (difference,) = replay(db)
    assert difference.id == row.id != altered.id
