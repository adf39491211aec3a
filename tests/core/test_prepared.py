"""A prepared statement answers as a session would, and leaves its connection as it found it."""

from uuid import uuid4

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import clock, db
from core.auth import GRANTS_OF_TOKEN, Grant, Role, ScopeKind
from core.ground import Ground
from core.prepared import Prepared
from tests.conftest import SEND_HOME

_GRANTS = sa.select(
    Grant.id, Grant.role, Grant.scope_kind, Grant.home_district, Grant.from_at, Grant.until_at
).where(Grant.principal_id == sa.bindparam("who", type_=sa.Uuid))
_PID = sa.select(sa.func.pg_backend_pid().label("pid"), sa.func.now().label("now"))


def grant(session: Session) -> Grant:
    made = Grant(
        principal_id=uuid4(),
        role=Role.FILLER,
        scope_kind=ScopeKind.SITE,
        scope_code=str(uuid4()),
        home_district=310105,
        from_at=clock.now(),
    )
    session.add(made)
    session.commit()
    return made


def test_its_rows_are_those_of_a_session(ground: Ground, session: Session) -> None:
    made = grant(session)
    [row] = Prepared(_GRANTS).ask(ground.reads, who=made.principal_id)
    assert tuple(row) == tuple(session.execute(_GRANTS, {"who": made.principal_id}).one())
    assert row.role is Role.FILLER
    assert row.until_at is None
    assert Prepared(_GRANTS).ask(ground.reads, who=uuid4()) == []


def test_it_sees_what_was_committed_a_moment_ago(ground: Ground, session: Session) -> None:
    made, asking = grant(session), Prepared(_GRANTS)
    for district in (310105, 310118):
        made.home_district = district
        session.commit()
        assert asking.ask(ground.reads, who=made.principal_id)[0].home_district == district


def test_each_question_stands_alone_and_the_next_session_has_its_transaction(ground: Ground) -> None:
    asking = Prepared(_PID)
    [first], [second] = asking.ask(ground.reads), asking.ask(ground.reads)
    assert first.pid == second.pid
    assert first.now < second.now
    with ground.sessions() as begun:
        assert begun.scalar(_PID) == first.pid
        assert begun.scalar(sa.func.now()) == begun.scalar(sa.func.now())


def test_what_goes_wrong_is_told_as_a_session_tells_it(ground: Ground) -> None:
    as_id = Prepared(sa.select(sa.cast(sa.bindparam("text", type_=sa.Text), sa.Uuid).label("id")))
    with pytest.raises(sa.exc.DataError):
        as_id.ask(ground.reads, text="none")
    assert Prepared(_PID).ask(ground.reads)


def test_a_server_that_has_hung_up_costs_one_failure_and_the_pool_is_made_anew(
    ground: Ground, janitor: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db, "TRUSTED_S", 3600.0)
    asking = Prepared(_PID)
    before = asking.ask(ground.reads)[0].pid
    janitor.execute(SEND_HOME)
    with pytest.raises(sa.exc.OperationalError) as told:
        asking.ask(ground.reads)
    assert told.value.connection_invalidated
    assert asking.ask(ground.reads)[0].pid != before


def test_a_statement_with_one_name_for_two_columns_is_refused_when_it_is_made() -> None:
    with pytest.raises(ValueError, match="duplicate"):
        Prepared(sa.select(Grant.id, sa.literal(1).label("id")))
    assert Prepared(GRANTS_OF_TOKEN)
