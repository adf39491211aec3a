"""The outbox: told once in the same transaction, handed out at least once, handled once."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import clock, outbox
from core.doing import Doing
from core.ground import Ground
from core.ids import new_id
from core.outbox import DeliveryState, Event, OutboxDelivery, OutboxEvent
from core.refusal import Refused
from evidence.deed import Answer, Deed, does
from evidence.models import SubjectType
from oversight.models import Tip
from oversight.service import raise_tip
from tests.evidence.test_deed import NOT_TODAY

CHANGNING = 310105


@does("test.tell")
def tell(deed: Deed, refuse: bool = False) -> Answer:
    deed.about(SubjectType.CYLINDER, "bottle")
    deed.tell("test.happened", cylinder_id="bottle")
    if refuse:
        raise Refused([NOT_TODAY(why="rain")])
    return {}


@pytest.fixture
def told() -> Iterator[list[Event]]:
    """A subscriber that writes down what it was told."""
    heard: list[Event] = []
    outbox.subscribe("test.happened", "test.listener", lambda _, event: heard.append(event))
    yield heard
    del outbox.SUBSCRIBERS["test.happened"]


def test_what_is_told_is_handed_out_once(doing: Doing, ground: Ground, told: list[Event]) -> None:
    tell(doing)
    assert outbox.districts_due(ground) == [CHANGNING]
    assert outbox.deliver_due(ground, CHANGNING) == 1
    assert outbox.deliver_due(ground, CHANGNING) == 0
    assert [event.payload for event in told] == [{"cylinder_id": "bottle"}]


def test_a_refused_deed_tells_nothing(doing: Doing, db: Session, told: list[Event]) -> None:
    with pytest.raises(Refused):
        tell(doing, refuse=True)
    assert db.scalar(sa.select(sa.func.count()).select_from(OutboxEvent)) == 0
    assert not told


@pytest.mark.usefixtures("told")
def test_a_failing_handler_is_tried_later_and_then_listed_as_dead(
    doing: Doing, ground: Ground, db: Session
) -> None:
    def fails(_: Ground, event: Event) -> None:
        raise OSError("the regulator's desk is on fire")

    outbox.subscribe("test.happened", "test.listener", fails)
    tell(doing)
    at = clock.now()
    for attempt in range(1, outbox.MAX_ATTEMPTS + 1):
        with clock.standing_at(at):
            assert outbox.deliver_due(ground, CHANGNING, limit=1) == 1
            assert outbox.deliver_due(ground, CHANGNING) == 0, "not due again at once"
        at += timedelta(seconds=2 ** min(attempt, 12))
    row = db.scalars(sa.select(OutboxDelivery)).one()
    assert (row.state, row.attempts, row.last_error) == (DeliveryState.DEAD, outbox.MAX_ATTEMPTS, "OSError")
    assert outbox.dead(db) == [row]

    heard: list[Event] = []
    outbox.subscribe("test.happened", "test.listener", lambda _, event: heard.append(event))
    with clock.standing_at(at):
        assert outbox.deliver_due(ground, CHANGNING) == 0, "given up on"
        assert outbox.take_up_again(db) == 1
        assert outbox.deliver_due(ground, CHANGNING) == 1
    assert len(heard) == 1
    assert outbox.take_up_again(db) == 0, "what is done is not done again"


def test_a_handler_told_twice_does_once(ground: Ground, db: Session) -> None:
    event = Event(CHANGNING, new_id(), "cylinder.stranger_seen", {"code": "X", "where": "site"})
    raise_tip(ground, event)
    raise_tip(ground, event)
    assert db.scalar(sa.select(sa.func.count()).select_from(Tip)) == 1
