"""What is recorded from the application is what raw psycopg sends again, with the same effect."""

from collections.abc import Iterator

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from bench.recorded import NotReplayable, Recorder, replay, statements, transactions
from core.postgres import Cluster


@pytest.fixture
def engine(owner_engine: sa.Engine) -> sa.Engine:
    with owner_engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE bottle (number int PRIMARY KEY, full_one boolean)")
    return owner_engine


@pytest.fixture
def raw(cluster: Cluster, database: str, engine: sa.Engine) -> Iterator[psycopg.Connection]:
    with psycopg.connect(cluster.conninfo(database)) as connection:
        yield connection


def numbers(engine: sa.Engine) -> list[int]:
    with engine.connect() as connection:
        return list(connection.scalars(sa.text("SELECT number FROM bottle ORDER BY number")))


def test_a_replay_does_what_was_done_and_undoes_what_was_undone(
    engine: sa.Engine, raw: psycopg.Connection
) -> None:
    recorder = Recorder(engine)
    insert = sa.text("INSERT INTO bottle VALUES (:number, true)")
    with Session(engine) as db:
        db.execute(insert, [{"number": 1}, {"number": 2}])
        with db.begin_nested() as undone:
            db.execute(insert, {"number": 3})
            undone.rollback()
        db.commit()
        db.execute(insert, {"number": 4})
    steps = recorder.take()
    recorder.close()

    assert numbers(engine) == [1, 2]
    assert [one.many for one in statements(steps)] == [True, False, False]
    assert transactions(steps) == 2
    with engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM bottle")
    replay(raw, steps)
    assert numbers(engine) == [1, 2]


def test_two_transactions_open_at_once_cannot_be_replayed(engine: sa.Engine) -> None:
    recorder = Recorder(engine)
    with engine.connect() as one, engine.connect() as other:
        one.exec_driver_sql("SELECT 1")
        with pytest.raises(NotReplayable):
            other.exec_driver_sql("SELECT 1")
    recorder.close()


def test_a_closed_recorder_hears_nothing_more(engine: sa.Engine) -> None:
    recorder = Recorder(engine)
    recorder.close()
    numbers(engine)
    assert recorder.take() == []
