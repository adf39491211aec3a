"""The whole chain once, through HTTP: a household books, a bottle is filled, brought, swapped and traced.

Alice is a resident with a card and an empty bottle; Bo drives trike 1; the station fills; the regulator
reads. Nobody touches the database.
"""

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from core import clock
from core.ground import Ground
from evidence.verify import verify
from rulebook.decisions import replay
from tests.cast import Cast, Users, made
from tests.conftest import THE_DAY
from tests.cylinders.cast import Bottles
from tests.desk import Desk
from tests.dispatch.checklist import answers
from tests.due_jobs import planned


@pytest.fixture
def cast(desk: Desk) -> Cast:
    return Cast(desk)


def printed_card(cast: Cast, users: Users) -> str:
    """Her card was lost; the counter prints a new one: its QR."""
    card = cast.at(f"cards/{users.card_ids[0]}")
    assert cast.clerk.post(f"{card}/losses").status_code in (200, 201)
    qr: str = made(cast.clerk.post(f"{card}/replacements"))["qr"]
    return qr


def at(hours: float) -> str:
    """So many hours after nine o'clock."""
    return clock.stamp(THE_DAY + timedelta(hours=hours))


def test_from_registration_to_trace(cast: Cast, ground: Ground, db: Session) -> None:
    bottles = Bottles(cast)
    bound = cast.bind()
    alice = cast.household(exception=None)
    hers = bottles.on_card(alice)
    card = printed_card(cast, alice)
    resident = cast.resident(cast.registrant_of(alice))
    courier = cast.signed_in_courier(bound.courier_id)

    # the station asks, fills, and the supply point takes the full bottle in
    bottle = bottles.empty()
    assert bottles.verdict(bottle.code, purpose="fill")["allowed"]
    made(bottles.fill(bottle))
    assert bottles.receive(bottle.code, site_id=cast.supply_point(), who=cast.clerk).status_code == 201
    twice = bottles.fill(bottle)
    assert twice.status_code == 409
    assert "F15" in {reason["rule"] for reason in twice.json["reasons"]}

    # Alice books a slot; booking it again is answered with the same order
    slot = made(
        cast.dispatcher.post(
            cast.at("slots"),
            {"zone_id": str(bound.zone_id), "starts_at": at(1), "ends_at": at(4), "capacity": 5},
        )
    )
    booking = {
        "household_id": str(alice.household_id),
        "slot_id": slot["id"],
        "purpose": "cooking",
        "channel": "web",
        "card_ids": [str(alice.card_ids[0])],
    }
    order = made(resident.post(cast.at("orders"), booking))
    again = resident.post(cast.at("orders"), booking)
    assert (again.status_code, again.json["id"]) == (200, order["id"])
    [line] = order["lines"]

    # the dispatcher plans the zone's day, the plan is applied, Bo starts his round
    wanted = {"zone_id": str(bound.zone_id), "day": "2024-06-12", "wave": 1, "iterations": 500}
    plan = planned(cast.desk.ground, cast.dispatcher, cast.at("plans"), wanted)
    assert plan["unserved"] == []
    [round_id] = made(cast.dispatcher.post(cast.at(f"plans/{plan['id']}/applications")))["round_ids"]
    plate = courier.get(cast.at(f"rounds/{round_id}")).json["plate"]
    made(courier.post(cast.at(f"rounds/{round_id}/starts"), {"plate": plate}))
    load = {"line_id": line["id"], "code": bottle.code}
    assert courier.post(cast.at(f"rounds/{round_id}/loads"), load).status_code == 201

    # at the door: her code, the check, full out and empty in, one deed
    with clock.standing_at(THE_DAY + timedelta(hours=1.5)):
        made(courier.post(cast.at(f"orders/{order['id']}/arrivals")))
        code = resident.get(cast.at(f"orders/{order['id']}/door-code")).json["code"]
        visit = {
            "line_id": line["id"],
            "card_credential": card,
            "check": {"mode": "on_site", "items": answers(), "user_signed": True, "briefed": True},
            "full_code": bottle.code,
            "empty_code": hers.code,
            "proof": {"kind": "door_code", "value": code},
            "connected": True,
            "leak_test_passed": True,
            "occurred_at": at(1.5),
        }
        delivered = made(courier.post(cast.at(f"orders/{order['id']}/deliveries"), visit))
    assert delivered["outcome"] == "delivered"
    assert resident.get(cast.at(f"orders/{order['id']}")).json["state"] == "delivered"

    # the trace shows it all, back to the filling and forward to her kitchen; every chain holds
    regulator = cast.regulator
    trace = regulator.get(cast.at(f"orders/{order['id']}/trace")).json
    verbs = [event["verb"] for event in trace["events"]]
    for verb in ("cylinder.fill", "order.book", "plan.apply", "cylinder.load", "order.deliver"):
        assert verb in verbs
    assert trace["intact"]
    now = regulator.get(f"/api/v1/cylinders/{delivered['full_cylinder_id']}").json["custody"]
    assert (now["holder_kind"], now["holder_id"]) == ("household", str(alice.household_id))
    assert not list(verify(db))
    assert not list(replay(db))
