"""Training and the other papers: what lapses soon, what a lapse stops, who lawfully supplies."""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask

from core import clock
from core.ground import Ground
from registry.models import Binding, Contract, Training
from registry.trainings import is_trained
from tests.cast import CHANGNING, Bound, Cast, licence, made, span, training
from tests.conftest import THE_DAY
from tests.registry.proofs import codes, count, entries, faults, was_refused


def bind(cast: Cast, courier_id: UUID, until_at: datetime | None = None) -> Any:
    bound = Bound(UUID(int=0), courier_id, cast.vehicle(), cast.device(), cast.zone())
    return cast.dispatcher.post(cast.at("bindings"), cast.binding_body(bound, until_at=until_at))


def train(cast: Cast, staff_id: UUID, *trainings: dict[str, Any]) -> Any:
    return cast.clerk.post(cast.at(f"staff/{staff_id}/trainings"), {"trainings": list(trainings)})


def test_who_was_never_trained_or_no_more_is_not_bound_until_training_is_entered(
    cast: Cast, ground: Ground
) -> None:
    for trainings in ([], [training(end="2024-06-11")]):
        courier = cast.courier(trainings=trainings)
        answer = bind(cast, courier)
        assert codes(answer) == ["binding.training_not_in_force"]
        assert was_refused(ground, "binding.bind", answer)
    assert count(ground, Binding) == 0
    made(train(cast, courier, training(start="2024-06-12", end="2024-06-12")))
    made(bind(cast, courier))


def test_training_must_hold_on_every_day_of_the_span_one_course_after_another(
    cast: Cast, ground: Ground
) -> None:
    courier = cast.courier(trainings=[training(end="2024-06-14"), training("2024-06-10", "2024-06-20")])
    made(bind(cast, courier, clock.at(date(2024, 6, 21))))
    with ground.sessions() as db:
        asked = db, CHANGNING, courier
        assert is_trained(*asked, date(2022, 1, 1), date(2024, 6, 20))
        assert not is_trained(*asked, date(2024, 6, 12), date(2024, 6, 21))
        assert not is_trained(*asked, date(2021, 12, 31), date(2024, 6, 20))
        assert not is_trained(db, CHANGNING + 1, courier, date(2024, 6, 12), date(2024, 6, 12))


@pytest.mark.parametrize(
    ("changed", "where"),
    [
        ({"trained_on": "2024-06-13"}, "/trainings/0/trained_on"),
        ({"valid_until": "2021-12-31"}, "/trainings/0/valid_until"),
        ({"reference": "样例张三的培训"}, "/trainings/0/reference"),
        ({"course": "cooking"}, "/trainings/0/course"),
        ({"valid_until": None}, "/trainings/0/valid_until"),
    ],
)
def test_training_that_cannot_be_is_said_at_its_field(
    cast: Cast, ground: Ground, changed: dict[str, Any], where: str
) -> None:
    courier = cast.courier(trainings=[])
    answer = train(cast, courier, training() | changed)
    assert where in [pointer for pointer, _ in faults(answer)]
    assert count(ground, Training) == 0
    stranger = cast.clerk_of(cast.another_firm())
    foreign = stranger.post(cast.at(f"staff/{courier}/trainings"), {"trainings": [training()]})
    assert foreign.status_code == 404
    assert not entries(ground, "staff.train")


def test_what_lapses_soon_is_listed_first_and_a_renewed_paper_hides_the_one_before(cast: Cast) -> None:
    cast.filling_station()
    soon = cast.staff(kind="filler", certificate_until="2024-07-01")
    lapsed = cast.courier(trainings=[training(end="2024-06-11")])
    renewed = cast.courier(trainings=[training(end="2024-06-20"), training(end="2026-12-31")])
    restaurant = cast.restaurant()
    answer = cast.clerk.get(cast.at("expiring-papers"), within_days=30)
    found = [(one["kind"], one["holder_id"], one["days_left"]) for one in answer.json["items"]]  # type: ignore[index]
    assert found == [("training", str(lapsed), -1), ("certificate", str(soon), 19)]
    assert str(renewed) not in str(found)
    wide = cast.clerk.get(cast.at("expiring-papers"), within_days=3660).json["items"]  # type: ignore[index]
    assert {one["kind"] for one in wide} == {"licence", "certificate", "training", "contract"}
    assert str(restaurant.account_id) in {one["holder_id"] for one in wide}
    for reader in (cast.regulator, cast.dispatcher, cast.admin):
        assert reader.get(cast.at("expiring-papers"), within_days=30).json == answer.json
    stranger = cast.clerk_of(cast.another_firm())
    assert stranger.get(cast.at("expiring-papers"), within_days=30).json == {"items": []}
    assert cast.filler.get(cast.at("expiring-papers")).status_code == 403
    for wrong in ("-1", "x", "99999"):
        assert cast.clerk.get(cast.at("expiring-papers"), within_days=wrong).status_code == 422


def test_everybody_reads_who_lawfully_supplies_today(cast: Cast, app: Flask) -> None:
    cast.supply_point()
    lapsed = cast.another_firm(name="样例过期燃气", licences=[licence("gas_business", end="2024-06-11")])
    cast.another_firm(name="样例最后一天燃气", licences=[licence("gas_business", end="2024-06-12")])
    page = app.test_client().get("/suppliers").text
    assert ("样例过期燃气" in page, "样例最后一天燃气" in page, "样例供应站" in page) == (False, True, True)
    items = cast.resident(cast.person()).get("/api/v1/suppliers").json["items"]  # type: ignore[index]
    assert str(lapsed) not in str(items)
    assert [len(one["supply_points"]) for one in items if one["firm_id"] == str(cast.firm())] == [1]
    with clock.standing_at(THE_DAY + timedelta(days=1)):
        assert "样例最后一天燃气" not in app.test_client().get("/suppliers").text


def test_a_second_supplier_enters_its_own_contract_and_no_other(cast: Cast, ground: Ground) -> None:
    restaurant, other = cast.restaurant(), cast.another_firm()
    second = cast.clerk_of(other)
    body = {
        "account_id": str(restaurant.account_id),
        "number": "HT-2/2024",
        **span("2024-06-01", "2024-12-31"),
    }
    assert faults(second.post(cast.at("contracts"), body)) == [("/account_id", "unknown")]
    theirs = body | {"firm_id": str(cast.firm())}
    assert faults(second.post(cast.at("contracts"), theirs)) == [("/firm_id", "unknown")]
    assert count(ground, Contract) == 1
    contract = made(second.post(cast.at("contracts"), body | {"firm_id": str(other)}))
    assert contract["firm_id"] == str(other)
    assert count(ground, Contract) == 2
