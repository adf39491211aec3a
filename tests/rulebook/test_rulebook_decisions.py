"""What was decided is kept, and can be judged again by its own law or by another."""

from dataclasses import replace
from datetime import date

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from registry.account_gate import AccountBusiness, AccountFacts
from rulebook.decisions import decision_of, keep_edition, replay
from rulebook.edition import Edition
from rulebook.gate import judge
from rulebook.models import Decision, RulebookEdition

LAW = Edition.load()
CHANGNING = 310105
BARRED_ON = date(2023, 8, 1)


def decided(db: Session, edition: Edition, applied_on: date) -> Decision:
    facts = AccountFacts(applied_on, AccountBusiness.OPENING)
    keep_edition(db, edition)
    decision = decision_of(judge("account.open", facts, "310105", applied_on, edition), CHANGNING)
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
    assert after.facts == {"applied_on": "2023-08-01", "kind": "opening"}
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


def test_replay_by_another_edition_names_whom_the_change_touches(db: Session) -> None:
    decided(db, LAW, date(2023, 7, 31))
    touched = decided(db, without_the_bar(LAW), BARRED_ON)

    (difference,) = replay(db, LAW)
    assert difference.id == touched.id
    assert difference.before == []
    assert [reason["code"] for reason in difference.after] == ["account.opening_barred"]


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
