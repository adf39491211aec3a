"""A prepared statement answers as a session would, and leaves its connection as it found it."""

from uuid import UUID, uuid4

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import clock, db
from core.auth import GRANTS_OF_TOKEN, ApiToken, Grant, Role, ScopeKind, hash_token, issue_token
from core.db import table_of
from core.ground import Ground
from core.prepared import Joined, Prepared
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


# --- in a session's own transaction -----------------------------------------------------------------------


def grant_at(district: int, who: UUID) -> dict[str, object]:
    return {
        "id": uuid4(),
        "principal_id": who,
        "role": Role.FILLER,
        "scope_kind": ScopeKind.SITE,
        "scope_code": "x",
        "home_district": district,
        "from_at": clock.now(),
    }


def test_within_a_session_it_sees_what_was_not_yet_sent_and_goes_with_the_transaction(
    ground: Ground, session: Session
) -> None:
    asking, who = Prepared(_GRANTS), uuid4()
    session.add(Grant(**grant_at(310105, who)))
    assert [row.home_district for row in asking.within(session, who=who)] == [310105]
    assert asking.ask(ground.reads, who=who) == []
    session.rollback()
    assert asking.within(session, who=who) == []


def test_what_it_writes_is_undone_with_the_savepoint_and_told_as_the_session_tells_it(
    session: Session,
) -> None:
    writing = Prepared(sa.insert(table_of(Grant)).returning(table_of(Grant).c.id))
    who, first = uuid4(), grant_at(310105, uuid4())
    [made] = writing.within(session, **first)
    assert made.id == first["id"]
    undone = session.begin_nested()
    writing.within(session, **grant_at(310118, who))
    with pytest.raises(sa.exc.IntegrityError) as told:
        writing.within(session, **first)
    undone.rollback()
    assert told.value.orig.diag.constraint_name == "pk_role_grant"  # type: ignore[union-attr]
    assert Prepared(_GRANTS).within(session, who=who) == []
    assert Prepared(_GRANTS).within(session, who=first["principal_id"])
    session.rollback()


def test_a_transaction_whose_server_has_hung_up_is_told_and_the_next_one_is_whole(
    ground: Ground, janitor: psycopg.Connection
) -> None:
    asking = Prepared(_PID)
    with ground.sessions() as db:
        before = asking.within(db)[0].pid
        janitor.execute(SEND_HOME)
        with pytest.raises(sa.exc.OperationalError) as told:
            asking.within(db)
        assert told.value.connection_invalidated
    with ground.sessions() as db:
        assert asking.within(db)[0].pid != before


def test_rows_of_several_tables_keep_their_own_names(session: Session) -> None:
    made = grant(session)
    token = issue_token(session, made.principal_id, "one")
    session.flush()
    asking = Joined(
        [Grant, (table_of(ApiToken).c.label, table_of(ApiToken).c.principal_id)],
        lambda *columns: (
            sa.select(*columns)
            .join_from(Grant, ApiToken, ApiToken.principal_id == Grant.principal_id)
            .where(ApiToken.token_hash == sa.bindparam("token_hash"))
        ),
    )
    [(of_grant, of_token)] = asking.within(session, token_hash=hash_token(token))
    assert (of_grant.id, of_grant.role, of_grant.principal_id) == (made.id, Role.FILLER, made.principal_id)
    assert tuple(of_token) == ("one", made.principal_id)
