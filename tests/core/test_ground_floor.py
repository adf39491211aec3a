"""The ground floor: the clock, ids, refusals, machines, cursors."""

from datetime import UTC, date, datetime, timedelta
from uuid import RFC_4122

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import clock, ids
from core.ids import new_id
from core.machine import Machine, Move
from core.paging import Page, Pager
from core.problems import WrongField
from core.refusal import CATALOGUE, Audience, Basis, Refusal, Refused, reason
from registry.models import Firm
from registry.states import ACCOUNT, AccountState

RAIN = reason(
    "test.rain",
    "S01",
    zh="下雨:{amount}毫米",
    en="rain: {amount} mm",
    office=("wait", "等雨停", "wait for it to stop"),
    courier=("coat", "穿雨衣", "wear a coat"),
)


@pytest.mark.parametrize(
    ("instant", "day"),
    [
        ("2023-07-31T15:59:59.999+00:00", "2023-07-31"),
        ("2023-07-31T16:00:00.000+00:00", "2023-08-01"),
        ("2024-06-12T00:30:00.000+08:00", "2024-06-12"),
        ("2024-06-12T23:59:59.900+08:00", "2024-06-12"),
        ("2024-06-12T23:30:00.000-10:00", "2024-06-13"),
    ],
)
def test_a_day_is_a_day_in_shanghai(instant: str, day: str) -> None:
    assert clock.day_of(datetime.fromisoformat(instant)) == date.fromisoformat(day)


def test_a_naive_time_names_no_day() -> None:
    with pytest.raises(ValueError, match="naive"):
        clock.day_of(datetime(2024, 6, 12, 9, 0))  # noqa: DTZ001 (the point of the test)


def test_instants_are_written_in_shanghai_time_with_milliseconds() -> None:
    assert clock.stamp(datetime(2024, 6, 12, 2, 20, tzinfo=UTC)) == "2024-06-12T10:20:00.000+08:00"


def test_ids_are_uuid7_of_our_clock_and_keep_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ids, "_last_ms", 0)  # other tests have lived on later days
    with clock.standing_at(datetime(2024, 6, 12, 1, 0, tzinfo=UTC)):
        made = [new_id() for _ in range(5000)]
    assert {(one.version, one.variant) for one in made} == {(7, RFC_4122)}
    assert made[0].int >> 80 == round(datetime(2024, 6, 12, 1, 0, tzinfo=UTC).timestamp() * 1000)
    assert len(set(made)) == 5000
    assert made == sorted(made)


def test_a_refusal_is_worded_for_whoever_asks() -> None:
    refusal = RAIN(amount=12)
    assert refusal.worded(Audience.COURIER)["cure"]["action"] == "coat"
    assert refusal.worded(Audience.RESIDENT)["cure"]["action"] == "wait"
    assert refusal.worded(Audience.OFFICE)["zh"] == "下雨:12毫米"


def test_a_refusal_survives_being_kept() -> None:
    basis = Basis("文件", "第一条", date(2023, 9, 11), date(2023, 8, 1))
    refusal = RAIN(amount=12, on=date(2024, 6, 12)).resting_on(basis)
    assert Refusal.from_plain(refusal.to_plain()) == refusal


def test_a_missing_or_unknown_fact_is_a_question_mark_and_never_an_error() -> None:
    assert RAIN().worded(Audience.OFFICE)["en"] == "rain: ? mm"
    assert RAIN(amount=None).worded(Audience.OFFICE)["en"] == "rain: ? mm"


def test_a_code_is_entered_once() -> None:
    with pytest.raises(ValueError, match="taken"):
        reason("test.rain", "S01", zh="雨", en="rain", office=("a", "甲", "a"))
    assert CATALOGUE["test.rain"] is RAIN


def test_a_refusal_without_a_reason_is_a_bug() -> None:
    with pytest.raises(ValueError, match="at least one reason"):
        Refused([])


def test_a_fact_that_json_cannot_hold_is_refused_at_once() -> None:
    with pytest.raises(TypeError, match="plain fact"):
        RAIN(amount=1.5)


def test_two_rows_for_one_move_are_a_mistake() -> None:
    move = Move("close", AccountState.OPEN, AccountState.CLOSED)
    with pytest.raises(ValueError, match="one row"):
        Machine("account", "account_twice", AccountState.OPEN, [move, move])


def test_a_machine_prints_its_drawing_and_its_trigger() -> None:
    assert "open --> suspended: suspend" in ACCOUNT.mermaid()
    assert "('closed', 'open')" not in ACCOUNT.ddl()
    assert "('open', 'closed')" in ACCOUNT.ddl()


def firms(db: Session, count: int) -> None:
    start = datetime(2024, 6, 1, tzinfo=UTC)
    for number in range(count):
        at = start + timedelta(seconds=number // 3)  # three rows share an instant: the id settles their order
        db.add(Firm(home_district=310105, name=f"样例{number}", uscc=f"U{number:03}", recorded_at=at))
    db.commit()


def page_of(db: Session, pager: Pager, cursor: str | None, limit: int = 4) -> Page:
    return pager.page(
        db,
        sa.select(Firm),
        Firm.recorded_at,
        Firm.id,
        limit=limit,
        cursor=cursor,
        position=lambda row: (row.Firm.recorded_at, row.Firm.id),
    )


def test_pages_follow_one_another_without_gap_or_repeat(db: Session) -> None:
    firms(db, 11)
    pager, cursor, seen = Pager(b"k" * 32, "firms"), None, []
    while True:
        page = page_of(db, pager, cursor)
        seen += [row.Firm.uscc for row in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert sorted(seen) == [f"U{number:03}" for number in range(11)]
    assert len(seen) == 11


def test_a_cursor_fits_only_the_list_it_was_given_for(db: Session) -> None:
    firms(db, 6)
    cursor = page_of(db, Pager(b"k" * 32, "firms of A"), None).next_cursor
    assert cursor
    for other in (Pager(b"k" * 32, "firms of B"), Pager(b"x" * 32, "firms of A")):
        with pytest.raises(WrongField):
            page_of(db, other, cursor)
    with pytest.raises(WrongField):
        page_of(db, Pager(b"k" * 32, "firms of A"), cursor[:-2] + "AA")
