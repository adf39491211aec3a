"""配额: what a class of user may have in a period, asked at booking and said at the desk."""

from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.auth import Role
from dispatch.orders.models import Order, OrderLine
from dispatch.orders.states import LineState
from tests.desk import Desk, Person
from tests.dispatch.town import Home, Town, codes

ORDERS = "/api/v1/districts/310105/orders"


@pytest.fixture
def clerk(desk: Desk, town: Town) -> Person:
    return desk.sign_in(Role.CLERK, firm=town.firm)


def quota(who: Person, home: Home) -> dict[str, object]:
    answer = who.get(f"/api/v1/districts/310105/households/{home.household}/quota")
    assert answer.status_code == 200, answer.text
    return dict(answer.json or {})


def book(clerk: Person, town: Town, home: Home, hour: int) -> UUID:
    done = clerk.post(ORDERS, home.booking(town.slot(hour=hour)))
    assert done.status_code == 201, done.text
    return UUID(done.json["id"])  # type: ignore[index]


def deliver(town: Town, order: UUID) -> None:
    with town.ground.sessions() as db:
        for state in (LineState.LOADED, LineState.DELIVERED):
            db.execute(sa.update(OrderLine).where(OrderLine.order_id == order).values(state=state))
        db.commit()


def test_the_fifth_bottle_of_thirty_days_is_refused_and_a_cancelled_one_is_not_counted(
    town: Town, clerk: Person, db: Session
) -> None:
    home = town.home()
    cancelled = book(clerk, town, home, 8)
    assert clerk.post(f"{ORDERS}/{cancelled}/cancellations").status_code == 201
    for hour in range(9, 13):
        deliver(town, book(clerk, town, home, hour))
    assert (quota(clerk, home)["period_booked"], quota(clerk, home)["period_left"]) == (4, 0)
    refused = clerk.post(ORDERS, home.booking(town.slot(hour=14)))
    assert codes(refused) == ["booking.quota_spent"]
    [reason] = refused.json["reasons"]  # type: ignore[index]
    assert reason["facts"] == {"most": 4, "booked": 4, "period_days": 30}
    assert reason["basis"]["document"] == "本系统运行规则"
    assert db.scalar(sa.select(sa.func.count()).select_from(Order)) == 5
    with town.ground.sessions() as old:
        old.execute(sa.update(Order).values(recorded_at=sa.text("recorded_at - interval '30 days'")))
        old.commit()
    assert quota(clerk, home)["period_left"] == 4
    book(clerk, town, home, 15)


def test_the_desk_sees_what_a_class_may_have_and_a_stranger_sees_nothing(
    town: Town, clerk: Person, desk: Desk
) -> None:
    home, kitchen = town.home(), town.restaurant()
    said = quota(clerk, home)
    assert (said["user_class"], said["at_once_most"], said["stored_most_g"]) == ("resident", 1, None)
    said = quota(clerk, kitchen)
    assert (said["period_most"], said["at_once_most"], said["stored_most_g"]) == (120, None, 420000)
    own = desk.sign_in(Role.RESIDENT, person=home.person)
    assert quota(own, home)["period_left"] == 4
    there = "/api/v1/districts/310105/households"
    assert own.get(f"{there}/{kitchen.household}/quota").status_code == 404
    assert (
        desk.sign_in(Role.CLERK, firm=town.other_firm).get(f"{there}/{home.household}/quota").status_code
        == 404
    )
    assert clerk.get(f"{there}/{uuid4()}/quota").status_code == 404
