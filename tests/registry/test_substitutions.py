"""替班: somebody else drives for a while, with a reason and an end; the binding goes on after it."""

from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from core import clock
from core.auth import Role
from core.ground import Ground
from registry import crew_queries
from registry.models import Binding
from registry.zone_models import Substitution
from tests.cast import Bound, Cast, made
from tests.conftest import THE_DAY
from tests.registry.proofs import codes, count, faults, was_refused

NOON = THE_DAY + timedelta(hours=3)
EVENING = THE_DAY + timedelta(hours=9)


def asked(cast: Cast, bound: Bound, **body: Any) -> Any:
    whole = {"reason": "courier_sick", "from_at": NOON.isoformat(), "until_at": EVENING.isoformat()} | body
    whole = {name: str(value) for name, value in whole.items() if value is not None}
    return cast.dispatcher.post(cast.at(f"bindings/{bound.binding_id}/substitutions"), whole)


def driver_at(ground: Ground, bound: Bound, at: datetime) -> list[str]:
    """Who is bound to the binding's vehicle at an instant."""
    with ground.sessions() as db:
        query = sa.select(Binding.courier_id).where(
            Binding.vehicle_id == bound.vehicle_id, Binding.span.contains(at)
        )
        return [str(one) for one in db.scalars(query)]


def test_a_stand_in_drives_until_the_end_and_then_the_courier_again(cast: Cast, ground: Ground) -> None:
    bound, other = cast.bind(), cast.courier()
    answer = made(asked(cast, bound, courier_id=other))
    assert (answer["reason"], answer["binding_id"]) == ("courier_sick", str(bound.binding_id))
    minute = timedelta(minutes=1)
    drivers = [driver_at(ground, bound, at) for at in (NOON - minute, NOON, EVENING - minute, EVENING)]
    own, stand_in = [str(bound.courier_id)], [str(other)]
    assert drivers == [own, stand_in, stand_in, own]
    assert driver_at(ground, bound, THE_DAY + timedelta(days=30)) == own, "open ends stay open"
    with ground.sessions() as db:
        found = crew_queries.binding_at(db, 310105, NOON, courier_id=other)
        assert found is not None
        assert str(found.id) == answer["stand_in_id"]
    now = cast.dispatcher.get(cast.at("substitutions"), at=NOON.isoformat()).get_json()
    assert [one["id"] for one in now["items"]] == [answer["id"]]
    later = cast.regulator.get(cast.at("substitutions"), at=EVENING.isoformat()).get_json()
    assert later["items"] == []


def test_another_vehicle_for_the_rest_of_a_binding_leaves_nothing_to_resume(
    cast: Cast, ground: Ground
) -> None:
    bound = cast.bind(until_at=EVENING)
    answer = made(asked(cast, bound, vehicle_id=cast.vehicle(), reason="vehicle_in_repair"))
    assert answer["resumed_id"] is None
    assert driver_at(ground, bound, NOON) == []


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ({}, ("/courier_id", "nobody")),
        ({"until_at": None}, ("/until_at", "required")),
        ({"reason": None}, ("/reason", "required")),
        ({"reason": "because"}, ("/reason", "unknown_word")),
        ({"from_at": (THE_DAY - timedelta(days=1)).isoformat()}, ("/from_at", "past")),
        ({"until_at": NOON.isoformat()}, ("/until_at", "order")),
        ({"courier_id": "00000000-0000-0000-0000-000000000001"}, ("/courier_id", "unknown")),
    ],
)
def test_a_substitution_names_whom_why_and_until_when(
    cast: Cast, ground: Ground, body: dict[str, Any], fault: tuple[str, str]
) -> None:
    bound = cast.bind()
    [(pointer, code)] = faults(asked(cast, bound, **body))
    assert pointer == fault[0]
    assert code == fault[1] or fault[1] == "unknown_word"
    assert (count(ground, Substitution), count(ground, Binding)) == (0, 1)


def test_whoever_stands_in_needs_the_same_papers_and_is_not_bound_elsewhere(
    cast: Cast, ground: Ground
) -> None:
    bound, busy = cast.bind(), cast.bind()
    lapsed = cast.courier(certificate_until="2024-01-31", trainings=[])
    answer = asked(cast, bound, courier_id=lapsed)
    assert codes(answer) == ["binding.certificate_not_in_force", "binding.training_not_in_force"]
    assert was_refused(ground, "binding.substitute", answer)
    taken = asked(cast, bound, courier_id=busy.courier_id, vehicle_id=busy.vehicle_id)
    assert codes(taken) == ["binding.courier_bound", "binding.vehicle_bound"]
    assert driver_at(ground, bound, NOON) == [str(bound.courier_id)]
    assert (count(ground, Substitution), count(ground, Binding)) == (0, 2)


def test_only_what_is_bound_then_can_be_stood_in_for(cast: Cast, ground: Ground) -> None:
    bound = cast.bind(until_at=NOON)
    assert codes(asked(cast, bound, courier_id=cast.courier())) == ["binding.does_not_cover"]
    with clock.standing_at(EVENING):
        late = {"from_at": None, "until_at": (EVENING + timedelta(hours=1)).isoformat()}
        assert codes(asked(cast, bound, courier_id=cast.courier(), **late)) == ["binding.ended"]
    rival = cast.desk.sign_in(Role.DISPATCHER, firm=str(cast.another_firm()))
    body = {"reason": "courier_sick", "until_at": EVENING.isoformat(), "courier_id": str(cast.courier())}
    path = cast.at(f"bindings/{bound.binding_id}/substitutions")
    assert rival.post(path, body).status_code == 404
    assert (count(ground, Substitution), count(ground, Binding)) == (0, 1)
