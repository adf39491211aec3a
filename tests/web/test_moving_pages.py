"""Moving a stop without scripts: where to, what it would do, proposed, done; in a plan and in a day."""

import re

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from dispatch.rounds import service
from dispatch.rounds.models import Round, RoundChange, RoundPlan, RoundStop
from routing import solve
from tests.desk import Desk
from tests.dispatch.rounds.working_day import WorkingDay
from tests.web.dispatcher_desk import DispatcherDesk


@pytest.fixture(autouse=True)
def planned_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "solve_apart", lambda problem, _, seed, *more: solve(problem, 0, seed))


@pytest.fixture
def day(desk: Desk) -> WorkingDay:
    return WorkingDay(desk)


@pytest.fixture
def here(desk: Desk, day: WorkingDay) -> DispatcherDesk:
    return DispatcherDesk(desk, day.dispatcher)


def three_doors(day: WorkingDay) -> None:
    for n in range(3):
        day.order(day.home(point={"lon": 121.41 + 0.004 * n, "lat": 31.215, "datum": "wgs84"}))


def first_link(page: str, nth: int) -> str:
    return re.findall(r'href="([^"]+/move\?[^"]+)"', page)[nth].replace("&amp;", "&")


def test_today_is_changed_in_steps_and_the_later_of_two_is_told(
    here: DispatcherDesk, day: WorkingDay, db: Session
) -> None:
    three_doors(day)
    day.round()
    path = f"/dispatch/moving/today/{day.bound.zone_id}"
    assert path in here.look("/dispatch/")
    lanes = here.look(path)
    orders = re.findall(r'data-order="([^"]+)"', lanes)
    assert len(orders) == 3
    where_to = here.look(first_link(lanes, 2))
    assert "看看会怎样" in where_to
    assert f"before:{orders[0]}" in where_to
    place = f"before:{orders[0]}"
    seen = here.look(f"{path}/move?order_id={orders[2]}&place={place}&version=1")
    assert "这样改会怎样" in seen
    assert not list(db.scalars(sa.select(RoundChange))), "asking stores nothing"
    form = {"order_id": orders[2], "place": place, "version": "1"}
    proposed = here.send(path + f"/move?order_id={orders[2]}&place={place}", f"{path}/move", form)
    assert proposed.status_code == 303, proposed.text
    change = proposed.headers["Location"]
    assert "移动一户" in here.look(change)
    assert here.send(change, f"{change}/apply", {}).status_code == 303
    first = db.scalars(
        sa.select(RoundStop).where(RoundStop.active).order_by(RoundStop.trip, RoundStop.position)
    ).first()
    assert first is not None
    assert str(first.order_id) == orders[2]
    late = here.send(change, f"{path}/move", {"order_id": orders[1], "place": place, "version": "1"})
    assert late.status_code == 409
    assert "又改过" in late.text
    wrong = here.send(change, f"{path}/move", {"order_id": orders[1], "place": "somewhere"})
    assert wrong.status_code == 422


def test_a_plan_is_changed_by_hand_and_then_applied(
    here: DispatcherDesk, day: WorkingDay, db: Session
) -> None:
    three_doors(day)
    plan = day.plan()
    review = here.look(f"/dispatch/plans/{plan['id']}")
    path = f"/dispatch/moving/plans/{plan['id']}"
    assert path in review
    lanes = here.look(path)
    orders = re.findall(r'data-order="([^"]+)"', lanes)
    asked = f"{path}/move?order_id={orders[2]}&place=before:{orders[0]}"
    assert "就这样改方案" in here.look(asked)
    form = {"order_id": orders[2], "place": f"before:{orders[0]}"}
    changed = here.send(asked, f"{path}/move", form)
    assert changed.status_code == 303, changed.text
    assert re.findall(r'data-order="([^"]+)"', here.look(changed.headers["Location"])) == [
        orders[2],
        orders[0],
        orders[1],
    ]
    assert "已被手工改过的方案代替" in here.look(f"/dispatch/plans/{plan['id']}")
    again = here.send(changed.headers["Location"] + f"/move?order_id={orders[0]}", f"{path}/move", form)
    assert again.status_code == 409
    assert "又改过" in again.text
    assert len(list(db.scalars(sa.select(RoundPlan)))) == 2
    assert not list(db.scalars(sa.select(Round)))
    here.look(path, 404)
    here.look(f"{changed.headers['Location']}/move?order_id=nobody", 404)
