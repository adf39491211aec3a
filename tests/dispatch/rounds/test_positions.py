"""Positions through HTTP: on duty only, late, twice and out of order; who may see them, and for how long."""

import random
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import clock
from core.auth import Role
from core.ground import Ground
from dispatch.rounds import positions, road_watch
from dispatch.rounds.models import Round
from dispatch.rounds.position_models import CourierPosition, PositionBatch, RoadAlarm
from evidence.models import Entry
from oversight.models import Look, LookKind
from tests.cast import made
from tests.conftest import THE_DAY
from tests.desk import Desk, Person
from tests.dispatch.rounds.working_day import WorkingDay

STREET_M = 0.0011
PLACES = {"lon": 121.41, "datum": "wgs84"}


def moment(minute: float) -> datetime:
    """Minutes after the round began."""
    return THE_DAY + timedelta(minutes=minute)


def fix(seq: int, minute: float, hundreds: float = 0, **changed: Any) -> dict[str, Any]:
    point = PLACES | {"lat": 31.215 + hundreds * STREET_M}
    return {"seq": seq, "at": clock.stamp(moment(minute)), "point": point, "accuracy_m": 10} | changed


class Driving:
    """A round under way at nine, and its phone."""

    def __init__(self, day: WorkingDay):
        self.day = day
        day.order(hour=10)
        self.round_id = day.round()

    def send(self, *items: dict[str, Any], minute: float = 60, by: Person | None = None) -> list[str]:
        answer = self.post(*items, minute=minute, by=by)
        assert answer.status_code == 200, answer.text
        found = answer.get_json()["items"]
        assert [one["seq"] for one in found] == [one["seq"] for one in items]
        return [one["status"] for one in found]

    def post(self, *items: Any, minute: float = 60, by: Person | None = None) -> Any:
        path = self.day.at(f"devices/{self.day.bound.device_id}/positions")
        with clock.standing_at(moment(minute)):
            return (by or self.day.courier).post(path, {"items": list(items)})

    def live(self, by: Person | None = None) -> list[dict[str, Any]]:
        return list((by or self.day.dispatcher).get(self.day.at("positions")).get_json()["items"])


@pytest.fixture
def driving(day: WorkingDay) -> Driving:
    return Driving(day)


def kept(db: Session) -> dict[int, str | None]:
    db.expire_all()
    rows = db.scalars(sa.select(CourierPosition).order_by(CourierPosition.device_seq))
    return {row.device_seq: row.mark and row.mark.value for row in rows}


def test_a_batch_is_kept_once_attributed_and_committed_to_without_a_place_in_the_evidence(
    driving: Driving, day: WorkingDay, db: Session
) -> None:
    batch = [fix(1, 1), fix(2, 2, 3)]
    assert driving.send(*batch) == ["kept", "kept"]
    assert driving.send(*batch) == ["duplicate", "duplicate"]
    assert driving.send(fix(1, 1, 5), fix(3, 3, 6)) == ["other_on_record", "kept"]
    rows = db.scalars(sa.select(CourierPosition)).all()
    assert {(str(row.round_id), row.binding_id) for row in rows} == {(driving.round_id, day.bound.binding_id)}
    entries = day.entries(db, "position.report")
    assert len(entries) == 2, "asking again writes nothing"
    assert b'"commitment":"' in entries[0].written
    assert b"121.4" not in entries[0].written
    assert b"1214100000" not in entries[0].written
    [where] = driving.live()
    assert (where["plate"], where["point"]["lat"]) == (day.plate, 31.215 + 6 * STREET_M)


def test_off_duty_nothing_is_kept_before_the_round_or_after_it(
    driving: Driving, day: WorkingDay, db: Session
) -> None:
    before, within = fix(1, -1), fix(2, 1)
    assert driving.send(before, within) == ["off_duty", "kept"]
    with clock.standing_at(moment(30)):
        made(day.finish(driving.round_id))
    assert driving.send(fix(3, 29, 1), fix(4, 31)) == ["kept", "off_duty"], "late, but of the round"
    assert driving.send(fix(5, 40)) == ["off_duty"]
    assert set(kept(db)) == {2, 3}
    assert driving.live() == [], "who is back is nowhere to be seen"
    entries = db.scalar(sa.select(sa.func.count()).where(Entry.verb == "position.report"))
    assert entries == 2, "what is not kept is no deed"


def test_a_round_that_was_forgotten_or_ended_nobody_knows_when_makes_no_duty(
    driving: Driving, day: WorkingDay, db: Session
) -> None:
    overnight = 24 * 60
    assert driving.send(fix(1, overnight), minute=overnight) == ["off_duty"]
    with clock.standing_at(moment(30)):
        made(day.finish(driving.round_id))
    db.get_one(Round, (day.cast.district, UUID(driving.round_id))).finished_at = None
    db.commit()
    assert driving.send(fix(2, 40)) == ["off_duty"]
    assert not list(db.scalars(sa.select(CourierPosition)))


def test_a_spike_and_a_clock_ahead_are_kept_and_never_become_the_latest(
    driving: Driving, db: Session
) -> None:
    assert driving.send(fix(1, 1), fix(2, 2, 2), fix(3, 3, 300)) == ["kept", "kept", "marked"]
    assert driving.send(fix(4, 900)) == ["marked"]
    assert kept(db) == {1: None, 2: None, 3: "spike", 4: "clock_ahead"}
    assert [one["occurred_at"] for one in driving.live()] == [clock.stamp(moment(2))]
    assert driving.send(fix(5, 4, 301)) == ["kept"], "a second one says the same: the vehicle is there"
    assert kept(db) == {1: None, 2: None, 3: None, 4: "clock_ahead", 5: None}
    assert [one["occurred_at"] for one in driving.live()] == [clock.stamp(moment(4))]


def test_whatever_the_order_of_arrival_the_track_is_the_same(driving: Driving, db: Session) -> None:
    jumps = {3: 250, 7: 400, 8: 400.5}
    track = [fix(n, n, jumps.get(n, n)) for n in range(1, 11)]
    driving.send(*track)
    expected = kept(db)
    assert [seq for seq, mark in expected.items() if mark] == [3]
    for seed in (1, 2):
        for model in (CourierPosition, PositionBatch):
            db.execute(sa.delete(model))
        db.commit()
        shuffled = random.Random(seed).sample(track, len(track))
        for first in range(0, len(shuffled), 3):
            driving.send(*shuffled[first : first + 3])
        assert kept(db) == expected
        assert driving.live()[0]["occurred_at"] == clock.stamp(moment(10))


def test_a_late_position_is_attributed_to_the_binding_of_its_own_time(
    driving: Driving, day: WorkingDay, db: Session
) -> None:
    """The phone goes on with another courier; what it says of before is still of the first."""
    with clock.standing_at(moment(10)):
        ended = day.dispatcher.post(day.at(f"bindings/{day.bound.binding_id}/end"), {})
        assert ended.status_code == 200
    with clock.standing_at(moment(11)):
        other = day.cast.bind(device_id=day.bound.device_id, from_at=moment(11))
    successor = day.cast.signed_in_courier(other.courier_id)
    assert driving.send(fix(1, 9), fix(2, 12), by=successor) == ["kept", "off_duty"]
    [row] = db.scalars(sa.select(CourierPosition))
    assert row.binding_id == day.bound.binding_id


def test_a_colleague_who_never_had_the_phone_makes_up_no_track_and_takes_no_number(
    driving: Driving, day: WorkingDay, db: Session
) -> None:
    colleague = day.cast.signed_in_courier(day.cast.bind().courier_id)
    assert driving.post(fix(1, 5, 90), by=colleague).status_code == 404
    assert kept(db) == {}
    assert driving.send(fix(1, 5)) == ["kept"]
    with clock.standing_at(moment(10)):
        day.dispatcher.post(day.at(f"bindings/{day.bound.binding_id}/end"), {})
    assert driving.send(fix(2, 9)) == ["kept"], "one's own time may still be told when the shift is over"


def test_only_a_courier_of_the_firm_brings_them_and_only_a_dispatcher_sees_them(
    driving: Driving, day: WorkingDay, desk: Desk, db: Session
) -> None:
    driving.send(fix(1, 1))
    rival = desk.sign_in(Role.DISPATCHER, firm=day.cast.another_firm())
    assert driving.live(rival) == []
    for nobody in (day.cast.clerk, day.cast.regulator, day.courier):
        assert nobody.get(day.at("positions")).status_code == 403
    assert driving.post(fix(2, 2), by=day.dispatcher).status_code == 403
    stranger = desk.sign_in(Role.COURIER, courier=UUID(int=7))
    assert driving.post(fix(2, 2), by=stranger).status_code == 404
    assert set(kept(db)) == {1}
    order = day.dispatcher.get(day.at(f"rounds/{driving.round_id}")).get_json()["stops"][0]["order_id"]
    progress = day.cast.clerk.get(day.at(f"orders/{order}/progress"))
    assert "point" not in progress.text, "a resident sees when somebody comes, never where they are"


def test_what_is_no_position_is_refused_whole(driving: Driving, db: Session) -> None:
    sound = fix(1, 1)
    for items, pointer in (
        ([], "/items"),
        ([sound] * 501, "/items"),
        ([sound | {"seq": 0}], "/items/0/seq"),
        ([sound | {"at": "2024-06-12T09:01:00"}], "/items/0/at"),
        ([sound | {"point": {"lon": 121.4, "lat": 31.2}}], "/items/0/point/datum"),
        ([sound | {"point": PLACES | {"lat": 121.4}}], "/items/0/point/lat"),
        ([sound, sound | {"accuracy_m": -1}], "/items/1/accuracy_m"),
        ([sound | {"name": "x"}], "/items/0/name"),
    ):
        answer = driving.post(*items)
        assert answer.status_code == 422
        assert answer.get_json()["errors"][0]["pointer"] == pointer
    assert kept(db) == {}


def test_what_is_found_on_the_road_is_an_alarm_once_until_somebody_says_what_was_done(
    driving: Driving, day: WorkingDay, ground: Ground, db: Session
) -> None:
    driving.send(*(fix(n, n, 80) for n in range(1, 9)), minute=9)

    def sweep(minute: float) -> int:
        with clock.standing_at(moment(minute)):
            return road_watch.sweep(ground)

    def alarms(minute: float) -> dict[str, str]:
        with clock.standing_at(moment(minute)):
            items = day.dispatcher.get(day.at("alarms")).get_json()["items"]
        return {one["kind"]: one["subject_id"] for one in items}

    assert (sweep(9), sweep(9)) == (1, 0)
    assert set(alarms(9)) == {"out_of_zone"}
    assert sweep(16) == 1
    assert set(alarms(16)) == {"out_of_zone", "no_position"}
    driving.send(fix(20, 17, 0), minute=17)
    assert sweep(18) == 0
    over = {row.kind.value: row.over_at for row in db.scalars(sa.select(RoadAlarm))}
    assert over == {"out_of_zone": moment(17), "no_position": moment(17)}
    said = {"day": "2024-06-12", "kind": "out_of_zone", "action": "crew_called"}
    made(day.dispatcher.post(day.at("alarm-notes"), said | {"subject_id": alarms(18)["out_of_zone"]}))


@pytest.mark.parametrize("remembers", [False, True], ids=["afresh", "again"])
def test_a_round_that_never_sent_a_position_is_an_alarm_from_its_start_until_it_is_heard(
    driving: Driving, day: WorkingDay, ground: Ground, db: Session, remembers: bool
) -> None:
    watch = road_watch.Watch(looked_at=moment(0)) if remembers else None

    def sweep(minute: float) -> int:
        with clock.standing_at(moment(minute)):
            return road_watch.sweep(ground, watch)

    assert (sweep(5.9), sweep(6), sweep(6.5)) == (0, 1, 0)
    [alarm] = db.scalars(sa.select(RoadAlarm))
    assert (alarm.kind.value, alarm.since, alarm.over_at) == ("no_position", moment(0), None)
    said = {"day": "2024-06-12", "kind": "no_position", "action": "crew_called", "subject_id": str(alarm.id)}
    made(day.dispatcher.post(day.at("alarm-notes"), said))
    driving.send(fix(1, 8), minute=8)
    assert sweep(8) == 0
    db.refresh(alarm)
    assert alarm.over_at == moment(8)
    assert sweep(13) == 0
    assert sweep(14) == 1, "silent once more, after it was heard"


def test_of_whoever_is_back_no_alarm_goes_on_also_not_one_that_is_found_late(
    driving: Driving, day: WorkingDay, ground: Ground, db: Session
) -> None:
    def sweep(minute: float) -> int:
        with clock.standing_at(moment(minute)):
            return road_watch.sweep(ground)

    def over() -> dict[str, datetime | None]:
        db.expire_all()
        return {row.kind.value: row.over_at for row in db.scalars(sa.select(RoadAlarm))}

    assert sweep(10) == 1
    assert over() == {"no_position": None}
    with clock.standing_at(moment(30)):
        made(day.finish(driving.round_id))
    assert over() == {"no_position": moment(30)}
    assert sweep(31) == 0
    driving.send(*(fix(n, n, 80) for n in range(18, 30)), minute=40)
    assert sweep(41) == 1
    assert over() == {"no_position": moment(30), "out_of_zone": moment(30)}


def test_of_a_round_left_open_for_days_nothing_is_said_for_its_track_may_be_gone(
    driving: Driving, ground: Ground, db: Session
) -> None:
    for watch in (None, road_watch.Watch(looked_at=moment(0))):
        with clock.standing_at(THE_DAY + timedelta(days=31)):
            assert road_watch.sweep(ground, watch) == 0
    with clock.standing_at(moment(30)):
        made(driving.day.finish(driving.round_id))
        assert road_watch.sweep(ground) == 0, "who is back owes no position"
    assert not list(db.scalars(sa.select(RoadAlarm)))


@pytest.mark.parametrize(
    ("moves", "found"),
    [
        (lambda n: n % 20, []),
        (lambda n: 80 if 40 <= n < 50 else 5, ["out_of_zone", "stopped_too_long"]),
        (lambda n: 80 + n % 5 if n > 30 else n % 7, ["out_of_zone"]),
        (lambda n: 5 if n < 5 else None if n < 38 else n % 9, ["no_position"]),
    ],
    ids=["drives", "stands, leaves and comes back", "stays away", "is silent"],
)
def test_a_watch_that_looks_again_and_again_finds_what_a_look_at_the_whole_track_finds(
    driving: Driving, ground: Ground, db: Session, moves: Any, found: list[str]
) -> None:
    watch = road_watch.Watch()
    for n in range(3, 61, 3):
        own = [fix(k, k, moves(k)) for k in range(n - 2, n + 1) if moves(k) is not None]
        if own:
            driving.send(*own, minute=n)
        with clock.standing_at(moment(n)):
            road_watch.sweep(ground, watch)
    alarms = list(db.scalars(sa.select(RoadAlarm)))
    assert sorted(alarm.kind.value for alarm in alarms) == found
    with clock.standing_at(moment(60)):
        assert road_watch.sweep(ground) == 0, "a look at everything finds nothing more"


def test_what_comes_in_late_is_found_by_a_watch_that_has_long_looked_on(
    driving: Driving, ground: Ground, db: Session
) -> None:
    watch = road_watch.Watch()
    driving.send(*(fix(n, n, n % 9) for n in (1, 2, 30, 31)), minute=31)
    with clock.standing_at(moment(31)):
        assert road_watch.sweep(ground, watch) == 0
    driving.send(*(fix(n, n, 80) for n in range(10, 18)), minute=33)
    with clock.standing_at(moment(33)):
        assert road_watch.sweep(ground, watch) == 1
    [alarm] = db.scalars(sa.select(RoadAlarm))
    assert (alarm.kind.value, alarm.since, alarm.over_at) == ("out_of_zone", moment(10), moment(30))


def test_a_past_track_is_replayed_by_the_authority_with_a_reason_and_the_look_is_kept(
    driving: Driving, day: WorkingDay, db: Session
) -> None:
    driving.send(fix(1, 1), fix(2, 2, 300))
    path = day.at(f"rounds/{driving.round_id}/track-replays")
    assert day.dispatcher.post(path, {"reason": "complaint"}).status_code == 403
    assert day.cast.regulator.post(path, {}).status_code == 422
    assert not list(db.scalars(sa.select(Look)))
    track = made(day.cast.regulator.post(path, {"reason": "complaint"}))
    assert [one["mark"] for one in track["points"]] == [None, "spike"]
    [look] = db.scalars(sa.select(Look))
    assert (look.kind, str(look.subject_id)) == (LookKind.TRACK, driving.round_id)
    [entry] = day.entries(db, "position.replay")
    assert b'"reason":"complaint"' in entry.written


def test_positions_go_after_their_days_and_the_commitment_stays(
    driving: Driving, day: WorkingDay, ground: Ground, db: Session
) -> None:
    driving.send(fix(1, 1))
    with clock.standing_at(THE_DAY + timedelta(days=29)):
        assert positions.forget(ground) == 0
    with clock.standing_at(THE_DAY + timedelta(days=31)):
        assert positions.forget(ground) == 1
    assert kept(db) == {}
    assert not list(db.scalars(sa.select(PositionBatch)))
    assert len(day.entries(db, "position.report")) == 1
