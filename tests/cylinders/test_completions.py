"""补录: what a file lacked is entered once, on a paper, by the owner's office; what it has stays."""

from typing import Any
from uuid import uuid4

import orjson
import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.refusal import plain
from cylinders.models import Cylinder
from evidence.models import Entry, Outcome
from tests.cast import Cast, made
from tests.cylinders.cast import Bottle, Bottles
from tests.cylinders.test_cylinders_filling import codes
from tests.cylinders.test_cylinders_life import at

EVIDENCE = {"document": "stamp-photo", "reference": "P-1"}
UNKNOWN = {
    "registered_by_firm_id": None,
    "registered_on": None,
    "standard": None,
    "phase": None,
    "tare_g": None,
    "made_on": None,
    "design_life_months": None,
    "bought_on": None,
    "embossed_owner_mark": None,
    "refurbished": None,
}
LACKING = [
    "refill.not_registered",
    "refill.owner_unknown",
    "refill.inspection_date_unknown",
    "refill.life_unknown",
    "refill.alteration_unknown",
    "refill.phase_unknown",
    "refill.embossing_unknown",
]


def looked_up(bottles: Bottles) -> dict[str, Any]:
    row = bottles.row()
    return {name: row[name] for name in UNKNOWN} | {"material": "steel"}


def complete(bottles: Bottles, bottle: Bottle, found: dict[str, Any], **changed: Any) -> Any:
    body = {"evidence": EVIDENCE, **found} | changed
    return bottles.cast.clerk.post(at(bottle, "completions"), body)


def entries(db: Session, outcome: Outcome) -> list[dict[str, Any]]:
    rows = db.scalars(
        sa.select(Entry).where(Entry.verb == "cylinder.complete_file", Entry.outcome == outcome)
    )
    return [orjson.loads(row.written)["payload"] for row in rows]


def test_a_bottle_whose_file_lacked_everything_may_be_filled_once_it_is_completed(
    bottles: Bottles, db: Session
) -> None:
    bottle = bottles.empty(**UNKNOWN)
    assert set(LACKING) <= set(codes(bottles.verdict(bottle.code)))
    found = looked_up(bottles)
    made(complete(bottles, bottle, found, made_precision="day"))
    file = db.get_one(Cylinder, bottle.id)
    assert {name: plain(getattr(file, name)) for name in found} == found
    assert (file.made_precision, file.max_fill_g) == ("day", 14_900)
    assert bottles.verdict(bottle.code)["allowed"]
    [entry] = entries(db, Outcome.DONE)
    assert entry.items() >= {**EVIDENCE, **found}.items()
    made(bottles.fill(bottle))


def test_what_is_on_file_stays_and_nothing_beside_it_is_entered(bottles: Bottles, db: Session) -> None:
    bottle = bottles.empty(made_on="2008-05-01", refurbished=None)
    answer = complete(bottles, bottle, {"made_on": "2020-05-01", "refurbished": False})
    assert (answer.status_code, codes(answer.json)) == (409, ["cylinder.fact_on_file"])
    assert answer.json["reasons"][0]["facts"] == {"name": "made_on", "value": "2008-05-01"}
    kept = db.get_one(Cylinder, bottle.id)
    assert (kept.made_on and kept.made_on.year, kept.refurbished) == (2008, None)
    assert len(entries(db, Outcome.REFUSED)) == 1


def test_another_firms_office_completes_nothing_also_where_it_holds_the_bottle(
    bottles: Bottles, db: Session
) -> None:
    bottle, other = bottles.empty(refurbished=None), Cast(bottles.cast.desk)
    found = {"evidence": EVIDENCE, "refurbished": False}
    assert other.clerk.post(at(bottle, "completions"), found).status_code == 404
    nobodys = bottles.empty(owner_firm_id=None)
    for firm_id in (str(other.firm()), str(uuid4())):
        claimed = complete(bottles, nobodys, {"owner_firm_id": firm_id})
        assert (claimed.status_code, claimed.json["errors"][0]["pointer"]) == (422, "/owner_firm_id")
    holder = {"site_id": str(bottles.cast.filling_station())}
    theirs = bottles.register(bottles.row(owner_firm_id=str(other.firm()), refurbished=None, holder=holder))
    assert codes(complete(bottles, theirs, {"refurbished": False}).json) == ["refill.foreign_owned"]
    assert {db.get_one(Cylinder, one.id).refurbished for one in (bottle, theirs)} == {None}
    made(complete(bottles, nobodys, {"owner_firm_id": str(bottles.cast.firm())}))


@pytest.mark.parametrize(
    ("found", "pointer"),
    [
        ({}, ""),
        ({"made_on": "2024-07-01"}, "/made_on"),
        ({"tare_g": 0}, "/tare_g"),
        ({"phase": "solid"}, "/phase"),
        ({"max_fill_g": 1}, "/max_fill_g"),
        ({"refurbished": "no"}, "/refurbished"),
    ],
)
def test_what_can_be_no_fact_of_a_bottle_is_wrong(
    bottles: Bottles, db: Session, found: dict[str, Any], pointer: str
) -> None:
    bottle = bottles.empty(made_on=None)
    answer = complete(bottles, bottle, found)
    assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (422, pointer)
    assert not entries(db, Outcome.DONE)


def test_a_scrapped_bottle_and_one_of_another_phase_than_its_model_are_refused(
    bottles: Bottles, db: Session
) -> None:
    bottle = bottles.empty(phase=None)
    db.execute(sa.text("UPDATE cylinder_type SET phase = 'vapour' WHERE model = 'YSP35.5'"))
    db.commit()
    assert codes(complete(bottles, bottle, {"phase": "liquid"}).json) == ["cylinder.contradicts_type"]
    scrapped = bottles.sent(bottles.empty(refurbished=None))
    body = {"certificate_no": "BF-1", "scrapped_on": "2024-06-12", "method": "cut"}
    made(bottles.agency.post(at(scrapped, "scrappings"), body))
    assert codes(complete(bottles, scrapped, {"refurbished": False}).json) == ["refill.scrapped"]
