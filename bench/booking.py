"""A resident books a bottle for the own card: the commonest deed, in process against raw psycopg."""

import sys
from typing import Any
from uuid import UUID

from bench.claim import Claim
from bench.operation import Operation, Ready, WrongOutcome, at_the_door, doing_as, must_answer
from bench.stand import House
from bench.town import Town
from dispatch.orders import service
from dispatch.orders.models import Channel, Purpose


def _at_the_door(town: Town) -> Operation:
    def ready(house: House, i: int) -> Ready:
        home = town.homes[i]
        body = {
            "household_id": home.household_id,
            "slot_id": _slot(town, i),
            "purpose": "cooking",
            "channel": "web",
            "card_ids": [home.card_id],
        }
        path = f"/api/v1/districts/{town.district}/orders"
        return at_the_door(house.app, "POST", path, home.token, body=body, key=_key(i))

    return Operation("at the door: POST orders", ready, must_answer(201))


def _behind_it(town: Town) -> Operation:
    def ready(house: House, i: int) -> Ready:
        home = town.homes[i]
        doing = doing_as(house, home.token, _key(i))
        asked: dict[str, Any] = {
            "household_id": UUID(home.household_id),
            "slot_id": UUID(_slot(town, i)),
            "purpose": Purpose.COOKING,
            "channel": Channel.WEB,
            "card_ids": [UUID(home.card_id)],
        }
        return lambda: service.book(doing, **asked)

    return Operation("behind it: service.book", ready, _must_be_new)


def _must_be_new(booked: service.Booked) -> None:
    if booked.again:
        raise WrongOutcome(f"expected a new order, got {booked}")


def _slot(town: Town, i: int) -> str:
    return town.slots[i % len(town.slots)]


def _key(i: int) -> str:
    return f"bench-booking-{i:06d}"


BOOKING = Claim(
    name="booking",
    title="A resident books a bottle",
    door=_at_the_door,
    service=_behind_it,
    others=lambda town: [],
    operations=300,
    hot_path=None,
    uses_homes=True,
)

if __name__ == "__main__":
    from bench.command import main

    sys.exit(main(BOOKING))
