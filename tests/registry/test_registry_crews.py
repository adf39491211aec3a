"""Staff, vehicles and devices; bindings from an instant up to another."""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa

from core import clock
from core.auth import Role
from core.ground import Ground
from registry import crew_queries
from registry.models import Binding, Device, Staff, Vehicle
from tests.cast import Bound, Cast, made
from tests.registry.proofs import codes, count, entries, faults, reasons_of, was_refused

TODAY = date(2024, 6, 12)


def on(day: int, hour: int = 0) -> datetime:
    """An hour of a day of June 2024, in Shanghai."""
    return clock.at(date(2024, 6, day)) + timedelta(hours=hour)


def crew(cast: Cast, **changed: Any) -> Bound:
    """A crew that could be bound, with what the test wants different."""
    given = {
        "courier_id": changed.get("courier_id") or cast.courier(),
        "vehicle_id": changed.get("vehicle_id") or cast.vehicle(),
        "device_id": changed.get("device_id") or cast.device(),
    }
    return Bound(binding_id=uuid4(), zone_id=cast.zone(), **given)


# --- staff, vehicles, devices ---------------------------------------------------------------------------


def test_a_courier_is_registered_with_name_and_phone_masked(cast: Cast, ground: Ground) -> None:
    body = cast.staff_body(name="样例张三", phone="139 0000-1234")
    staff = made(cast.clerk.post(cast.at("staff"), body))
    assert (staff["name_masked"], staff["phone_masked"]) == ("样**", "139****1234")
    assert "样例张三" not in str(staff)
    [entry] = entries(ground, "staff.register")
    assert "样例张三" not in str(entry)
    assert "13900001234" not in str(entry)


def test_a_plate_is_registered_once_however_it_is_written(cast: Cast, ground: Ground) -> None:
    made(cast.clerk.post(cast.at("vehicles"), cast.vehicle_body(plate="沪A·D12345")))
    again = cast.clerk.post(cast.at("vehicles"), cast.vehicle_body(plate="沪ＡＤ12345"))
    assert codes(again) == ["vehicle.plate_taken"]
    assert count(ground, Vehicle) == 1
    assert was_refused(ground, "vehicle.register", again)


def test_limits_of_a_vehicle_are_above_zero(cast: Cast, ground: Ground) -> None:
    answer = cast.clerk.post(cast.at("vehicles"), cast.vehicle_body(max_cylinders=0))
    assert faults(answer) == [("/max_cylinders", "range")]
    assert count(ground, Vehicle) == 0


def test_nobody_registers_staff_for_another_firm(cast: Cast, ground: Ground) -> None:
    rival = cast.another_firm()
    answer = cast.clerk.post(cast.at("staff"), cast.staff_body(firm_id=str(rival)))
    assert faults(answer) == [("/firm_id", "unknown")]
    assert count(ground, Staff) == 0


def test_a_firm_keeps_its_books_in_its_home_district(cast: Cast, ground: Ground) -> None:
    elsewhere = cast.another_firm(home_district=310118)
    clerk = cast.clerk_of(elsewhere)
    body = {"firm_id": str(elsewhere), "label": "终端"}
    answer = clerk.post(cast.at("devices"), body)
    assert faults(answer) == [("/firm_id", "unknown")]
    assert count(ground, Device) == 0


# --- bindings -------------------------------------------------------------------------------------------


def test_a_crew_is_bound_and_found_by_instant_and_by_zone(cast: Cast, ground: Ground) -> None:
    bound = cast.bind(from_at=on(12, 6), until_at=on(14, 18))
    with ground.sessions() as db:
        for instant, is_bound in (
            (on(12, 6) - timedelta(microseconds=1), False),
            (on(12, 6), True),
            (on(14, 18) - timedelta(microseconds=1), True),
            (on(14, 18), False),
        ):
            found = crew_queries.binding_at(db, 310105, instant, courier_id=bound.courier_id)
            assert (found is not None) == is_bound, instant
        hours = {
            day: [
                (one.courier.id, one.vehicle.id, one.from_s, one.until_s)
                for one in crew_queries.bindings_for_zone(db, 310105, bound.zone_id, date(2024, 6, day))
            ]
            for day in (11, 12, 13, 14, 15)
        }
    whom = (bound.courier_id, bound.vehicle_id)
    assert hours == {
        11: [],
        12: [(*whom, 6 * 3600, 86_400)],
        13: [(*whom, 0, 86_400)],
        14: [(*whom, 0, 18 * 3600)],
        15: [],
    }


def test_every_clash_is_named_at_once_and_nothing_is_written(cast: Cast, ground: Ground) -> None:
    first = cast.bind(from_at=on(12), until_at=on(20))
    body = cast.binding_body(first, on(19), None)
    again = cast.dispatcher.post(cast.at("bindings"), body)
    assert codes(again) == ["binding.courier_bound", "binding.vehicle_bound", "binding.device_bound"]
    assert {reason["facts"]["binding"] for reason in reasons_of(again)} == {str(first.binding_id)}
    assert count(ground, Binding) == 1
    assert was_refused(ground, "binding.bind", again)


@pytest.mark.parametrize("same", ["courier", "vehicle", "device"])
def test_one_of_each_is_bound_at_a_time(cast: Cast, ground: Ground, same: str) -> None:
    first = cast.bind()
    other = crew(cast, **{f"{same}_id": getattr(first, f"{same}_id")})
    answer = cast.dispatcher.post(cast.at("bindings"), cast.binding_body(other))
    assert codes(answer) == [f"binding.{same}_bound"]
    assert count(ground, Binding) == 1


def test_spans_that_only_touch_do_not_clash(cast: Cast, ground: Ground) -> None:
    first = cast.bind(from_at=on(12), until_at=on(13))
    made(cast.dispatcher.post(cast.at("bindings"), cast.binding_body(first, on(13), on(14))))
    assert count(ground, Binding) == 2


@pytest.mark.parametrize("same", ["courier", "vehicle", "device"])
def test_the_database_alone_refuses_an_overlap(cast: Cast, ground: Ground, same: str) -> None:
    """The application's own check left out: rows written straight into the table."""
    first = cast.bind()
    other = crew(cast, **{f"{same}_id": getattr(first, f"{same}_id")})
    with ground.sessions() as db:
        standing = db.get_one(Binding, (310105, first.binding_id))
        db.add(
            Binding(
                district=310105,
                firm_id=standing.firm_id,
                courier_id=other.courier_id,
                vehicle_id=other.vehicle_id,
                device_id=other.device_id,
                zone_district=310105,
                zone_id=standing.zone_id,
                span=standing.span,
                recorded_at=clock.now(),
            )
        )
        with pytest.raises(sa.exc.IntegrityError, match=f"ex_binding_{same}"):
            db.flush()


@pytest.mark.parametrize(
    ("certificate", "until", "allowed"),
    [
        (("2024-06-12", "2024-06-14"), on(15), True),  # ended at midnight it never touched the 15th
        (("2024-06-12", "2024-06-14"), on(15, 1), False),
        (("2024-06-13", "2024-12-31"), on(15), False),
        (("2024-01-01", "2024-06-11"), None, False),
        (("2024-01-01", "2024-06-12"), None, True),  # open end: its first day counts
    ],
)
def test_certificate_and_permit_hold_on_every_day_of_the_span(
    cast: Cast, ground: Ground, certificate: tuple[str, str], until: datetime | None, allowed: bool
) -> None:
    start, end = certificate
    one = crew(
        cast,
        courier_id=cast.courier(certificate_from=start, certificate_until=end),
        vehicle_id=cast.vehicle(permit_from=start, permit_until=end),
    )
    answer = cast.dispatcher.post(cast.at("bindings"), cast.binding_body(one, on(12), until))
    if allowed:
        made(answer)
        return
    assert codes(answer) == ["binding.certificate_not_in_force", "binding.permit_not_in_force"]
    facts = reasons_of(answer)[0]["facts"]
    assert (facts["valid_from"], facts["valid_until"], facts["from_on"]) == (start, end, "2024-06-12")
    assert reasons_of(answer)[0]["basis"]["document"]
    assert count(ground, Binding) == 0


def test_only_staff_vehicle_device_and_zone_of_the_firm_are_bound(cast: Cast, ground: Ground) -> None:
    rival_firm = cast.another_firm()
    rival = cast.clerk_of(rival_firm)
    firm = {"firm_id": str(rival_firm)}
    theirs = {
        "courier_id": made(rival.post(cast.at("staff"), cast.staff_body(**firm)))["id"],
        "vehicle_id": made(rival.post(cast.at("vehicles"), cast.vehicle_body(**firm)))["id"],
        "device_id": made(rival.post(cast.at("devices"), {**firm, "label": "终端"}))["id"],
        "zone_id": str(uuid4()),
    }
    for field, value in theirs.items():
        body = cast.binding_body(crew(cast)) | {field: value}
        assert faults(cast.dispatcher.post(cast.at("bindings"), body)) == [(f"/{field}", "unknown")]
    filler = cast.staff(kind="filler")
    body = cast.binding_body(crew(cast)) | {"courier_id": str(filler)}
    assert faults(cast.dispatcher.post(cast.at("bindings"), body)) == [("/courier_id", "unknown")]
    assert count(ground, Binding) == 0


def test_a_binding_has_a_sound_span_and_never_begins_on_a_day_gone_by(cast: Cast, ground: Ground) -> None:
    one = crew(cast)
    backwards = cast.binding_body(one, on(13), on(13))
    assert faults(cast.dispatcher.post(cast.at("bindings"), backwards)) == [("/until_at", "order")]
    yesterday = cast.binding_body(one, on(12) - timedelta(seconds=1), None)
    assert faults(cast.dispatcher.post(cast.at("bindings"), yesterday)) == [("/from_at", "past")]
    naive = cast.binding_body(one) | {"from_at": "2024-06-12T10:00:00"}
    assert faults(cast.dispatcher.post(cast.at("bindings"), naive)) == [("/from_at", "naive_time")]
    assert count(ground, Binding) == 0


def end(cast: Cast, bound: Bound, **body: Any) -> Any:
    return cast.dispatcher.post(cast.at(f"bindings/{bound.binding_id}/end"), body)


def test_an_ended_binding_frees_the_crew_from_that_instant(cast: Cast, ground: Ground) -> None:
    bound = cast.bind()
    ended = end(cast, bound)
    assert ended.status_code == 200
    assert ended.get_json()["until_at"] == "2024-06-12T09:00:00.000+08:00"
    with ground.sessions() as db:
        assert crew_queries.binding_at(db, 310105, clock.now(), courier_id=bound.courier_id) is None
    made(cast.dispatcher.post(cast.at("bindings"), cast.binding_body(bound, on(12, 9))))
    again = end(cast, bound)
    assert codes(again) == ["binding.ended"]
    assert was_refused(ground, "binding.end", again)


def test_a_binding_yet_to_begin_is_withdrawn_and_clashes_with_nothing(cast: Cast, ground: Ground) -> None:
    bound = cast.bind(from_at=on(20))
    assert end(cast, bound).get_json()["withdrawn"] is True
    made(cast.dispatcher.post(cast.at("bindings"), cast.binding_body(bound, on(19))))
    with ground.sessions() as db:
        [only] = crew_queries.bindings_for_zone(db, 310105, bound.zone_id, date(2024, 6, 21))
    assert only.binding.id != bound.binding_id


def test_a_binding_may_not_be_ended_in_the_past(cast: Cast, ground: Ground) -> None:
    bound = cast.bind()
    assert faults(end(cast, bound, ended_at="2024-06-12T08:59:59+08:00")) == [("/ended_at", "past")]
    with ground.sessions() as db:
        assert crew_queries.binding_at(db, 310105, clock.now(), courier_id=bound.courier_id) is not None


def test_another_firms_dispatcher_does_not_find_the_binding(cast: Cast) -> None:
    bound = cast.bind()
    rival = cast.desk.sign_in(Role.DISPATCHER, firm=cast.another_firm())
    assert rival.post(cast.at(f"bindings/{bound.binding_id}/end")).status_code == 404
    assert end(cast, bound).status_code == 200
