"""A proposed rule: what its file may say, and whom it would have touched, street by street."""

import inspect
import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session

from rulebook.decisions import Which, decision_of, keep_edition
from rulebook.edition import Edition
from rulebook.gate import GATES, facts_from_plain, judge
from rulebook.proposal import UNSET, Proposal, WrongProposal, read_proposal
from tests.policy.test_policy_tables import PAGES
from web.decisions import replay, replay_with

LAW = Edition.load()
DAY = date(2024, 6, 12)
BUSINESS = {"from_on": "2023-06-14", "to_on": "2024-12-31"}
RESTAURANT: dict[str, Any] = {
    "account_state": "open",
    "account_class": "restaurant",
    "cards": [
        {"card": "card-1", "state": "active", "has_open_line": False, "holds_bottle": True, "at_quota": True}
    ],
    "identity_verified": True,
    "document_expires_on": None,
    "judged_on": "2024-06-13",
    "slot": {"is_open": True, "is_past": False, "capacity_left": 4, "in_zone_hours": True},
    "purpose": "catering",
    "quantity": 1,
    "firm_licence": BUSINESS,
    "site_permit": BUSINESS,
    "premises_kind": "restaurant",
    "contract": BUSINESS,
    "booked_in_period": 0,
    "bottles_after": 1,
}


def proposal(tmp_path: Path, text: str) -> Proposal:
    file = tmp_path / "rules.toml"
    file.write_text(text, encoding="utf-8")
    return read_proposal(file, LAW)


def booked(db: Session, street: str, stored_g: int) -> None:
    facts = facts_from_plain("booking", RESTAURANT | {"stored_after_g": stored_g})
    verdict = judge("booking", facts, "310105", DAY, LAW)
    whole = decision_of(verdict, 310105, street)
    keep_edition(db, LAW)
    db.add(whole)
    db.flush()


LOWER = 'place = "310105"\n[[rule]]\nname = "A13.limit_g"\nvalue = 45000\n'


def test_a_lower_limit_says_whom_it_would_have_refused_street_by_street(
    db: Session, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for street, stored_g in (("310105001", 50000), ("310105001", 59000), ("310105001", 40000)):
        booked(db, street, stored_g)
    booked(db, "310105002", 45000)
    booked(db, "310105002", 70000)

    assert replay(db, Which()) == 0
    assert replay_with(db, Which(), proposal(tmp_path, LOWER)) == 0
    said = capsys.readouterr().out.splitlines()
    assert "310105001: newly refused 2 of 3 (A13 2)" in said
    assert not [line for line in said if line.startswith("310105002")]
    assert said[-1].startswith("5 decisions judged again with the proposal: 2 newly refused, 0 newly allowed")


def test_a_withdrawn_limit_says_whom_it_would_have_allowed(
    db: Session, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    booked(db, "310105002", 70000)
    booked(db, "310105002", 120000)
    replay_with(db, Which(), proposal(tmp_path, 'place = "310105"\nwithdrawn = ["A13.limit_g"]\n'))
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "310105002: newly allowed 1 of 2 (A13 1)"  # the nation's 100 kg still stands


def test_a_decision_without_the_facts_is_named_and_not_counted(
    db: Session, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    facts = facts_from_plain("booking", RESTAURANT | {"stored_after_g": 50000})
    row = decision_of(judge("booking", facts, "310105", DAY, LAW), 310105, "310105001")
    row.facts = {name: value for name, value in row.facts.items() if name != "stored_after_g"}
    row.facts["cards"] = [{k: v for k, v in card.items() if k != "is_swap"} for card in row.facts["cards"]]
    keep_edition(db, LAW)
    db.add(row)
    db.flush()

    replay_with(db, Which(), proposal(tmp_path, LOWER))
    said = capsys.readouterr().out.splitlines()
    assert said[0] == f"{row.id}: not judged: facts not stored: cards.is_swap, stored_after_g"
    assert said[1].startswith("0 decisions judged again")
    assert said[1].endswith("1 not judged")


def test_a_proposal_is_judged_as_if_it_had_been_in_force(tmp_path: Path) -> None:
    changed = proposal(tmp_path, LOWER + "effective = 2030-01-01\n").over(LAW)
    assert changed.at("310105", DAY).integer("A13.limit_g") == 45000
    assert changed.at("310118", DAY).integer("A13.limit_g") == LAW.at("310118", DAY).integer("A13.limit_g")


HEAD = 'place = "310105"\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (HEAD + "[[rule]\nname = 1\n", "at the end of an array declaration (at line 2, "),
        ('place = "999999"\nwithdrawn = ["A02"]\n', ":1: place: expected one of 100000"),
        (HEAD, ":1: expected a [[rule]]"),
        (HEAD + 'colour = "red"\n', ":2: colour: expected one of"),
        (HEAD + 'withdrawn = ["A05"]\n', ":2: A05: 310105 has no such entry"),
        (HEAD + '[[rule]]\nname = "Z99"\n', ":2: Z99: unknown rule Z99"),
        (HEAD + '[[rule]]\nname = "A13.limit_kg"\nvalue = 50\n', ":2: A13.limit_kg: rule A13 has no"),
        (HEAD + '[[rule]]\nname = "A13.limit_g"\nvalue = "50 kg"\n', "expected an integer from 0 (grams)"),
        (HEAD + '[[rule]]\nname = "A13.limit_g"\nvalue = 50.5\n', "from 0 (grams), got 50.5"),
        (HEAD + '[[rule]]\nname = "A13.limit_g"\nvalue = -1\n', "expected an integer from 0 (grams), got -1"),
        (HEAD + '[[rule]]\nname = "A13.limit_g"\n', "expected an integer from 0 (grams), got None"),
        (HEAD + '[[rule]]\nname = "P07.last_day"\nvalue = 7\n', "expected a day"),
        (HEAD + '[[rule]]\nname = "P12.stopping_grades"\nvalue = "major"\n', "expected a list of words"),
        (HEAD + '[[rule]]\nname = "A02"\nvalue = 3\n', "A02: expected 'refuse' or nothing, got 3"),
        (HEAD + '[[rule]]\nname = "A02"\n[[rule]]\nname = "A02"\n', ":4: A02: named twice"),
        (HEAD + "[[rule]]\nvalue = 3\n", ":2: expected a name"),
        ('place = ["310105"]\nwithdrawn = ["A02"]\n', ":1: place: expected one of 100000"),
        (HEAD + 'withdrawn = [["A02"]]\n', ":1: expected a [[rule]], or a list of entries withdrawn"),
        (HEAD + '[[rule]]\nname = "A09.gap_days"\nvalue = 99999999999\n', "up to 36500 (days), got"),
        (HEAD + '[[rule]]\nname = "A13.limit_g"\nvalue = 9999999999\n', "up to 1000000000 (grams), got"),
        (HEAD + '[[rule]]\nname = "P07.last_day"\nvalue = 2024-02-29T10:00:00\n', "expected a day"),
        (HEAD + '[[rule]]\nname = "P02"\nunknown = "maybe"\n', "unknown: expected one of refuses, at_door"),
        (HEAD + '[[rule]]\nname = "P03.height_m"\nvalue = 50\n', "a place may tighten, not loosen"),
    ],
)  # fmt: skip
def test_a_wrong_file_is_named_with_its_line_and_what_was_expected(
    tmp_path: Path, text: str, said: str
) -> None:
    with pytest.raises(WrongProposal) as wrong:
        proposal(tmp_path, text)
    assert said in str(wrong.value)


def test_a_file_that_is_not_there_or_not_text_is_named(tmp_path: Path) -> None:
    with pytest.raises(WrongProposal, match="No such file"):
        read_proposal(tmp_path / "none.toml", LAW)
    (tmp_path / "gb.toml").write_bytes("# 长宁\n".encode("gb18030"))
    with pytest.raises(WrongProposal, match="expected UTF-8"):
        read_proposal(tmp_path / "gb.toml", LAW)


def test_a_gap_between_bookings_can_be_proposed_though_no_place_has_one(tmp_path: Path) -> None:
    asked = '[[rule]]\nname = "A09"\n[[rule]]\nname = "A09.gap_days"\nvalue = 7\n'
    law = proposal(tmp_path, HEAD + asked).over(LAW).at("310105", DAY)
    assert law.asks("A09")
    assert law.integer("A09.gap_days") == 7


def test_every_value_that_a_page_of_law_asks_can_be_proposed() -> None:
    assert GATES
    asked = {name for page in PAGES for name in re.findall(r'"([A-Z]\d\d\.\w+)"', inspect.getsource(page))}
    assert asked - {*LAW.names, *UNSET} == set()
