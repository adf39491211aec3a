"""A site's day over the API: what it filled, refused and received, for whoever may see the site."""

from datetime import timedelta

import pytest

from core import clock
from core.ids import new_id
from tests.cast import Cast, made
from tests.conftest import THE_DAY
from tests.cylinders.cast import Bottles
from tests.desk import Desk


@pytest.fixture
def bottles(desk: Desk) -> Bottles:
    return Bottles(Cast(desk))


def test_a_day_counts_fillings_refusals_and_receipts(bottles: Bottles) -> None:
    station = bottles.cast.filling_station()
    sound, spoilt = bottles.empty(), bottles.spoilt(refurbished=True)
    made(bottles.fill(sound))
    refused = bottles.fill(spoilt)
    made(bottles.receive(bottles.full().code))
    for who in (bottles.cast.filler, bottles.cast.clerk, bottles.cast.regulator):
        day = who.get(f"/api/v1/sites/{station}/day").get_json()
        assert (day["day"], day["fillings"], day["net_g"]) == ("2024-06-12", 1, 14_600)
        assert (day["refusals"], day["receipts"]) == (1, 1)
        [filled] = day["filled"]
        assert (filled["cylinder_id"], filled["code"]) == (str(sound.id), sound.code)
        [no] = day["refused"]
        assert (no["verb"], no["code"]) == ("cylinder.fill", spoilt.code)
        assert no["refusal_no"] == refused.get_json()["refusal_no"]
        assert [reason["code"] for reason in no["reasons"]] == ["refill.refurbished"]


def test_a_day_ends_at_midnight_in_shanghai(bottles: Bottles) -> None:
    station = bottles.cast.filling_station()
    with clock.standing_at(THE_DAY.replace(hour=15, minute=59)):
        made(bottles.fill(bottles.empty()))
    with clock.standing_at(THE_DAY.replace(hour=16)):
        made(bottles.fill(bottles.empty()))
    with clock.standing_at(THE_DAY + timedelta(days=2)):
        by_day = {
            on: bottles.cast.filler.get(f"/api/v1/sites/{station}/day", on=on).get_json()["fillings"]
            for on in ("2024-06-11", "2024-06-12", "2024-06-13", "2024-06-14")
        }
    assert by_day == {"2024-06-11": 0, "2024-06-12": 1, "2024-06-13": 1, "2024-06-14": 0}


def test_another_sites_day_is_not_there(bottles: Bottles) -> None:
    elsewhere = bottles.cast.supply_point()
    assert bottles.cast.filler.get(f"/api/v1/sites/{elsewhere}/day").status_code == 404
    assert bottles.cast.clerk.get(f"/api/v1/sites/{new_id()}/day").status_code == 404
    assert bottles.cast.filler.get(f"/api/v1/sites/{elsewhere}/day", on="yesterday").status_code == 422
