"""A server that is killed before it has written a repeated booking's key: the answer is the same after it."""

import os
import signal
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
import sqlalchemy as sa

import rulebook
from core import config, db
from core.auth import Role, ScopeKind
from core.db import Base
from core.ground import Ground
from core.idempotency import Idempotency
from core.postgres import DATABASE, Cluster
from core.sealed import Keyring
from dispatch.orders import service
from dispatch.orders.models import Channel, Order, Purpose
from evidence.models import Entry
from evidence.verify import verify
from rulebook.decisions import keep_edition
from tests.conftest import doing_as
from tests.dispatch.town import Town

WITHIN_S = 60


@pytest.fixture(scope="module")
def own() -> Iterator[Cluster]:
    """Its log's writer sleeps for ten seconds, not a fifth; who waits for the log waits for it, as always.

    The server dies and the machine stays up, so that a written page need not be on the disk.
    """
    settings = ("wal_writer_delay=10s", "fsync=off", "full_page_writes=off")
    with (
        tempfile.TemporaryDirectory(prefix="lpg-", dir="/tmp") as folder,
        Cluster(folder, settings) as running,
    ):
        with psycopg.connect(running.conninfo(DATABASE), autocommit=True) as owner:
            owner.execute("CREATE EXTENSION btree_gist")
        yield running


@pytest.fixture
def town(own: Cluster, tmp_path: Path) -> Iterator[Town]:
    engine = db.engine(own.url(DATABASE))
    Base.metadata.create_all(engine)
    ground = Ground(config.read({"LPG_STATE_DIR": str(tmp_path)}), db.sessions(engine), Keyring.fresh())
    with ground.sessions() as opened:
        keep_edition(opened, rulebook.current())
        opened.commit()
    yield Town(ground)
    engine.dispose()


def kept(town: Town) -> list[str]:
    with town.ground.sessions() as opened:
        return list(opened.scalars(sa.select(Idempotency.key).order_by(Idempotency.key)))


def test_a_key_lost_with_the_server_is_answered_again_with_the_order_that_stands(
    own: Cluster, town: Town
) -> None:
    home, slot = town.home(), town.slot()
    clerk = doing_as(town.ground, Role.CLERK, ScopeKind.FIRM, str(town.firm))

    def book(key: str) -> tuple[UUID, bool]:
        """Which order, and whether it stood already."""
        booked = service.book(
            replace(clerk, key=key, fingerprint=b"the same"),
            household_id=home.household,
            slot_id=slot,
            purpose=Purpose.COOKING,
            channel=Channel.HOTLINE,
            card_ids=home.cards,
        )
        return booked.order.order.id, booked.again

    first = book("first-key")
    again = book("again-key")
    assert (first[0], False, True) == (again[0], first[1], again[1])
    assert kept(town) == ["again-key", "first-key"]

    os.kill(own.pid, signal.SIGKILL)
    own._server.wait(WITHIN_S)  # type: ignore[union-attr]  # it was started above
    town.ground.sessions.kw["bind"].dispose()
    own.start()

    assert kept(town) == ["first-key"], "only what waited for the disk is there"
    assert book("again-key") == again
    assert book("first-key") == first
    with town.ground.sessions() as opened:
        assert len(opened.scalars(sa.select(Order)).all()) == len(opened.scalars(sa.select(Entry)).all()) == 1
        assert not list(verify(opened))
