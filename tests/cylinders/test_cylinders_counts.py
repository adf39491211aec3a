"""盘点: what stands at a site against what custody says, full and empty apart, and why they differ."""

from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from core.auth import Role
from cylinders import counts
from cylinders.code import new_code
from cylinders.models import CountDifference, CountExplanation, CustodyFact, SiteCount
from evidence.models import Entry, Link
from evidence.verify import verify
from tests.cast import made
from tests.cylinders.cast import Bottle, Bottles
from tests.cylinders.test_cylinders_filling import codes
from tests.cylinders.test_cylinders_life import sightings
from tests.desk import Person


def counting(
    bottles: Bottles,
    full: list[Bottle | str],
    empty: list[Bottle | str],
    *,
    who: Person | None = None,
    key: str | None = None,
) -> TestResponse:
    def scanned(one: Bottle | str) -> str:
        return one if isinstance(one, str) else one.code

    body = {"full": [scanned(one) for one in full], "empty": [scanned(one) for one in empty]}
    return (who or bottles.cast.filler).post(f"{site(bottles)}/counts", body, key=key)


def site(bottles: Bottles) -> str:
    return f"/api/v1/sites/{bottles.cast.filling_station()}"


def kinds(counted: dict[str, Any]) -> dict[str, str | None]:
    return {one["kind"]: one["cylinder_id"] for one in counted["differences"]}


def test_a_count_that_agrees_with_custody_has_no_difference(bottles: Bottles, db: Session) -> None:
    full, empty = bottles.filled(), bottles.empty()

    counted = made(counting(bottles, [full], [empty]))

    assert counted["differences"] == []
    assert counted["unexplained"] == 0
    [of_model] = counted["models"]
    assert of_model == {
        "model": "YSP35.5",
        "full_counted": 1,
        "full_expected": 1,
        "empty_counted": 1,
        "empty_expected": 1,
    }
    assert not list(verify(db))


def test_every_bottle_that_differs_is_named_and_how(bottles: Bottles) -> None:
    missing, drained, swollen = bottles.empty(), bottles.filled(), bottles.empty()
    elsewhere = bottles.full()

    counted = made(counting(bottles, [swollen, elsewhere], [drained]))

    assert kinds(counted) == {
        "not_found": str(missing.id),
        "not_expected": str(elsewhere.id),
        "full_not_empty": str(swollen.id),
        "empty_not_full": str(drained.id),
    }
    assert counted["unexplained"] == 4
    assert all(one["zh"] and one["en"] for one in counted["differences"])
    [of_model] = counted["models"]
    assert (of_model["full_counted"], of_model["full_expected"]) == (2, 1)
    assert (of_model["empty_counted"], of_model["empty_expected"]) == (1, 2)


def test_one_missing_and_one_too_many_are_two_differences_and_not_none(bottles: Bottles) -> None:
    bottles.empty()
    elsewhere = bottles.full()

    counted = made(counting(bottles, [], [elsewhere]))

    assert set(kinds(counted)) == {"not_found", "not_expected"}


def test_a_count_moves_no_bottle(bottles: Bottles, db: Session) -> None:
    missing, elsewhere = bottles.empty(), bottles.full()
    before = db.scalar(sa.select(sa.func.count()).select_from(CustodyFact))

    made(counting(bottles, [elsewhere], []))

    assert db.scalar(sa.select(sa.func.count()).select_from(CustodyFact)) == before
    stock = bottles.cast.filler.get(f"{site(bottles)}/stock").json
    assert stock["models"] == [{"model": "YSP35.5", "full": 0, "empty": 1}]
    assert bottles.file(missing)["custody"]["holder_id"] == str(bottles.cast.filling_station())


def test_a_bottle_that_was_missed_knows_it_in_its_own_chain(bottles: Bottles, db: Session) -> None:
    missing, seen = bottles.empty(), bottles.empty()

    made(counting(bottles, [], [seen]))

    entry = db.scalars(sa.select(Entry).where(Entry.verb == "stock.count")).one()
    about = {link.subject_key for link in db.scalars(sa.select(Link).where(Link.entry_id == entry.id))}
    assert str(missing.id) in about
    assert str(seen.id) not in about


def test_a_label_nobody_knows_is_a_difference_and_is_told(bottles: Bottles, db: Session) -> None:
    code = new_code()

    counted = made(counting(bottles, [], [code, code, "?!"]))

    assert [(one["kind"], one["cylinder_id"]) for one in counted["differences"]] == [("stranger", None)] * 2
    assert code in {one["code"] for one in counted["differences"]}
    assert "?!" not in {one["code"] for one in counted["differences"]}, "what was typed is told by its hash"
    assert len(sightings(db)) == 2


def test_a_bottle_read_twice_by_the_gun_is_counted_once(bottles: Bottles) -> None:
    empty = bottles.empty()
    assert made(counting(bottles, [], [empty, empty]))["models"][0]["empty_counted"] == 1


def test_a_bottle_counted_full_and_empty_is_sent_back(bottles: Bottles, db: Session) -> None:
    bottle = bottles.empty()
    answer = counting(bottles, [bottle], [bottle])
    assert answer.status_code == 422
    assert answer.json["errors"][0]["pointer"] == "/empty/0"
    assert db.scalars(sa.select(SiteCount)).first() is None


def test_a_difference_is_explained_once_by_a_code(bottles: Bottles, db: Session) -> None:
    bottles.empty()
    counted = made(counting(bottles, [], []))
    path = f"{site(bottles)}/counts/{counted['id']}/explanations"
    said = {"number": 1, "why": "on_vehicle", "reference": "R-0612"}

    explained = made(bottles.cast.clerk.post(path, said))

    assert explained["unexplained"] == 0
    assert explained["differences"][0]["explanation"]["why"] == "on_vehicle"
    assert explained["differences"][0]["explanation"]["reference"] == "R-0612"
    again = bottles.cast.clerk.post(path, said | {"why": "lost"})
    assert again.status_code == 409
    assert codes(again.json) == ["count.difference_explained"]
    assert db.scalars(sa.select(CountExplanation.why)).all() == ["on_vehicle"]
    assert not list(verify(db))


def test_an_explanation_of_no_difference_is_sent_back(bottles: Bottles) -> None:
    counted = made(counting(bottles, [], []))
    path = f"{site(bottles)}/counts/{counted['id']}/explanations"
    assert bottles.cast.clerk.post(path, {"number": 1, "why": "lost"}).status_code == 422
    elsewhere = f"{site(bottles)}/counts/{uuid4()}/explanations"
    assert bottles.cast.clerk.post(elsewhere, {"number": 1, "why": "lost"}).status_code == 404


def test_the_same_key_counts_once(bottles: Bottles, db: Session) -> None:
    bottles.empty()
    first = made(counting(bottles, [], [], key="count-of-the-day"))
    assert made(counting(bottles, [], [], key="count-of-the-day"))["id"] == first["id"]
    assert len(db.scalars(sa.select(SiteCount)).all()) == 1


def test_counts_of_a_day_are_listed_for_the_district_and_for_no_other_firm(bottles: Bottles) -> None:
    counted = made(counting(bottles, [], []))
    desk = bottles.cast.desk
    path = f"{site(bottles)}/counts"

    page = desk.sign_in(Role.REGULATOR, district="310105").get(path, day="2024-06-12").json

    assert [one["id"] for one in page["items"]] == [counted["id"]]
    assert desk.sign_in(Role.REGULATOR, 310118, district="310118").get(path).status_code == 404
    assert desk.sign_in(Role.CLERK, firm=uuid4()).get(path).status_code == 404
    stranger = counting(bottles, [], [], who=desk.sign_in(Role.CLERK, firm=uuid4()))
    assert stranger.status_code == 404
    assert bottles.cast.filler.get(path, day="2024-06-13").json["items"] == []


@pytest.mark.parametrize("table", ["site_count", "count_difference", "count_explanation"])
def test_a_count_is_never_changed(bottles: Bottles, db: Session, table: str) -> None:
    bottles.empty()
    counted = made(counting(bottles, [], []))
    path = f"{site(bottles)}/counts/{counted['id']}/explanations"
    made(bottles.cast.clerk.post(path, {"number": 1, "why": "lost"}))
    key = "id" if table == "site_count" else "count_id"
    with pytest.raises(sa.exc.DBAPIError, match=r"only ever added|permission denied"):
        db.execute(sa.text(f"UPDATE {table} SET {key} = {key}"))


def test_what_another_hand_moves_during_the_count_is_no_difference(
    bottles: Bottles, db: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bottle leaves after custody was read and before its row is locked: looked at again, it is gone."""
    leaving = bottles.empty()
    read = counts.standing_at

    def read_then_it_leaves(session: Session, site_id: UUID) -> Any:
        found = read(session, site_id)
        made(bottles.receive(leaving.code, site_id=bottles.cast.supply_point(), who=bottles.cast.clerk))
        return found

    monkeypatch.setattr(counts, "standing_at", read_then_it_leaves)
    assert made(counting(bottles, [], []))["differences"] == []
    assert db.scalars(sa.select(CountDifference)).first() is None
