"""The deed: done is committed with its entry; refused is undone and kept; a bug leaves no trace."""

import re
import threading
from dataclasses import replace
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

import core.db
from core import clock, idempotency
from core.auth import Role, ScopeKind
from core.doing import Doing
from core.ground import Ground
from core.outbox import OutboxEvent
from core.postgres import Cluster
from core.problems import Busy, KeyReused
from core.refusal import Refused, reason
from evidence.deed import Answer, Deed, _key_of, answered_by_what_stands, does
from evidence.models import Entry, Head, Link, Outcome, SubjectType
from evidence.verify import verify
from registry.models import Firm
from tests.conftest import DATABASE, doing_as

pytestmark = pytest.mark.both_ends

NOT_TODAY = reason(
    "test.not_today",
    "S01",
    zh="今天不行:{why}",
    en="not today: {why}",
    office=("wait", "改天再来", "come back"),
)


@does("test.register_firm")
def register_firm(deed: Deed, uscc: str, refuse: bool = False, break_down: bool = False) -> Answer:
    deed.about(SubjectType.REGISTER, "310105")
    deed.note(uscc=uscc)
    firm = Firm(home_district=310105, name="样例", uscc=uscc, recorded_at=deed.recorded_at)
    deed.db.add(firm)
    deed.db.flush()
    if refuse:
        raise Refused([NOT_TODAY(why="rain")])
    if break_down:
        raise RuntimeError("a bug")
    return {"firm_id": str(firm.id)}


def entries(db: Session) -> list[Entry]:
    return list(db.scalars(sa.select(Entry).order_by(Entry.recorded_at, Entry.id)))


def keyed(ground: Ground, key: str, fingerprint: bytes = b"a", principal: UUID | None = None) -> Doing:
    who = doing_as(ground, Role.ADMINISTRATOR, ScopeKind.ALL, "")
    if principal:
        who.actor = replace(who.actor, principal_id=principal)
    who.key, who.fingerprint = key, fingerprint
    return who


def test_done_commits_the_work_and_one_entry(doing: Doing, db: Session) -> None:
    register_firm(doing, uscc="A")
    assert [firm.uscc for firm in db.scalars(sa.select(Firm))] == ["A"]
    [entry] = entries(db)
    assert (entry.verb, entry.outcome) == ("test.register_firm", Outcome.DONE)
    assert not list(verify(db))


def test_refused_undoes_the_work_and_keeps_the_entry_with_its_reasons(doing: Doing, db: Session) -> None:
    with pytest.raises(Refused) as refused:
        register_firm(doing, uscc="A", refuse=True)
    assert not list(db.scalars(sa.select(Firm)))
    [entry] = entries(db)
    assert (entry.outcome, entry.refusal_no) == (Outcome.REFUSED, refused.value.number)
    assert b'"code":"test.not_today"' in entry.written
    assert b'"why":"rain"' in entry.written


def test_a_bug_leaves_no_trace(doing: Doing, db: Session) -> None:
    with pytest.raises(RuntimeError):
        register_firm(doing, uscc="A", break_down=True)
    assert not list(db.scalars(sa.select(Firm)))
    assert not entries(db)
    assert not list(db.scalars(sa.select(Head)))


def test_a_constraint_of_the_database_becomes_a_refusal_by_its_name(doing: Doing, db: Session) -> None:
    register_firm(doing, uscc="A")
    with pytest.raises(Refused) as refused:
        register_firm(doing, uscc="A")
    assert [one.rule for one in refused.value.refusals] == ["S03"]
    assert [entry.outcome for entry in entries(db)] == [Outcome.DONE, Outcome.REFUSED]


def test_the_same_key_answers_as_it_first_did(ground: Ground, db: Session) -> None:
    first = keyed(ground, "key-0001")
    again = keyed(ground, "key-0001", principal=first.actor.principal_id)
    assert register_firm(first, uscc="A") == register_firm(again, uscc="A")
    assert again.replayed
    assert not first.replayed
    assert len(entries(db)) == 1


def test_a_refusal_is_said_again_under_the_same_number(ground: Ground, db: Session) -> None:
    first = keyed(ground, "key-0001")
    with pytest.raises(Refused) as before:
        register_firm(first, uscc="A", refuse=True)
    again = keyed(ground, "key-0001", principal=first.actor.principal_id)
    with pytest.raises(Refused) as after:
        register_firm(again, uscc="A", refuse=True)
    assert before.value.number == after.value.number
    assert before.value.refusals == after.value.refusals
    assert len(entries(db)) == 1


def test_the_same_key_with_another_body_is_a_fault(ground: Ground) -> None:
    first = keyed(ground, "key-0001")
    register_firm(first, uscc="A")
    other = keyed(ground, "key-0001", b"b", first.actor.principal_id)
    with pytest.raises(KeyReused):
        register_firm(other, uscc="B")


def test_threads_with_one_key_do_one_deed(ground: Ground, db: Session) -> None:
    principal = keyed(ground, "key-0001").actor.principal_id
    answers: list[Answer] = []
    started = threading.Barrier(8)

    def go() -> None:
        started.wait()
        answers.append(register_firm(keyed(ground, "key-0001", principal=principal), uscc="A"))

    threads = [threading.Thread(target=go) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 8
    assert all(answer == answers[0] for answer in answers)
    assert len(entries(db)) == 1


@pytest.mark.parametrize("ends", ["lock_timeout=60ms", "statement_timeout=60ms"])
def test_a_key_that_another_holds_too_long_is_busy_however_the_wait_ends(
    ground: Ground, cluster: Cluster, db: Session, monkeypatch: pytest.MonkeyPatch, ends: str
) -> None:
    setting = ends.partition("=")[0]
    shorter = re.sub(rf"{setting}=\w+", ends, core.db.SESSION_SETTINGS)
    monkeypatch.setattr(core.db, "SESSION_SETTINGS", shorter)
    engine = core.db.engine(cluster.url(DATABASE, role="lpg_app"))
    who = keyed(Ground(ground.config, core.db.sessions(engine), ground.keyring), "held")
    idempotency.claim(db, _key_of(who, "test.register_firm", clock.now()))  # by somebody who is not done yet
    try:
        with pytest.raises(Busy):
            answered_by_what_stands(who, "test.register_firm", {})
        with pytest.raises(Busy):
            register_firm(who, "1")
        db.rollback()
        patiently = replace(who, ground=ground)
        assert answered_by_what_stands(patiently, "test.register_firm", {}), "it was never taken"
        assert entries(db) == []
    finally:
        engine.dispose()


def test_threads_on_one_chain_leave_it_whole(ground: Ground, db: Session) -> None:
    def go(name: str) -> None:
        who = doing_as(ground, Role.ADMINISTRATOR, ScopeKind.ALL, "")
        for number in range(5):
            register_firm(who, uscc=f"{name}{number}")

    threads = [threading.Thread(target=go, args=(name,)) for name in "ABCDEF"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    links = list(db.scalars(sa.select(Link).order_by(Link.seq)))
    assert [link.seq for link in links] == list(range(1, 31))
    assert not list(verify(db))


def test_the_application_may_not_change_or_delete_an_entry(doing: Doing, db: Session) -> None:
    register_firm(doing, uscc="A")
    for statement in ("UPDATE evidence_entry SET verb = 'x'", "DELETE FROM evidence_link"):
        with pytest.raises(sa.exc.ProgrammingError, match="permission denied"):
            db.execute(sa.text(statement))
        db.rollback()


@does("test.refuse_early")
def refuse_early(deed: Deed) -> Answer:
    raise Refused([NOT_TODAY(why="too early to name anything")])


def test_a_refusal_before_any_subject_is_kept_in_the_register(doing: Doing, db: Session) -> None:
    with pytest.raises(Refused):
        refuse_early(doing)
    assert [(link.subject_type, link.subject_key) for link in db.scalars(sa.select(Link))] == [
        (SubjectType.REGISTER, "310105")
    ]


@does("test.count_and_refuse")
def count_and_refuse(deed: Deed, key: str) -> Answer:
    deed.about(SubjectType.REGISTER, "310105")
    deed.keep_by(_COUNT.bindparams(key=key))
    deed.tell("test.seen", even_if_refused=True, key=key)
    deed.tell("test.done", key=key)
    raise Refused([NOT_TODAY(why="counted")])


_COUNT = sa.text(
    "INSERT INTO booking_repeat (district, card_id, day, times, last_at) "
    "VALUES (310105, CAST(:key AS uuid), '2024-06-12', 1, now()) "
    "ON CONFLICT (district, card_id, day) DO UPDATE SET times = booking_repeat.times + 1"
)


def test_what_is_kept_and_what_was_seen_outlive_a_refusal(ground: Ground, db: Session) -> None:
    card = str(UUID(int=7))

    def go() -> None:
        with pytest.raises(Refused):
            count_and_refuse(doing_as(ground, Role.ADMINISTRATOR, ScopeKind.ALL, ""), key=card)

    threads = [threading.Thread(target=go) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert db.scalar(sa.text("SELECT times FROM booking_repeat")) == 6
    assert [event.topic for event in db.scalars(sa.select(OutboxEvent))] == ["test.seen"] * 6


def test_a_change_to_a_standing_row_cannot_be_kept(doing: Doing, db: Session) -> None:
    @does("test.keep_standing")
    def keep_standing(deed: Deed) -> Answer:
        deed.about(SubjectType.REGISTER, "310105")
        deed.keep(deed.db.scalars(sa.select(Firm)).one())
        return {}

    register_firm(doing, uscc="A")
    with pytest.raises(ValueError, match="new row"):
        keep_standing(doing)


def test_two_deeds_that_keep_the_same_new_row_are_both_recorded(ground: Ground, db: Session) -> None:
    """The loser runs again; its work sees the row and leaves it."""
    started = threading.Barrier(2)

    @does("test.keep_first")
    def keep_first(deed: Deed) -> Answer:
        deed.about(SubjectType.REGISTER, str(deed.id))
        known = deed.db.scalar(sa.select(sa.func.count()).select_from(Firm))
        if not known:
            if not started.broken and started.n_waiting < 2:
                started.wait(5)
            deed.keep(Firm(home_district=310105, name="样例", uscc="ONE", recorded_at=deed.recorded_at))
        raise Refused([NOT_TODAY(why="kept")])

    refused: list[str | None] = []

    def go() -> None:
        with pytest.raises(Refused) as said:
            keep_first(doing_as(ground, Role.ADMINISTRATOR, ScopeKind.ALL, ""))
        refused.append(said.value.number)

    threads = [threading.Thread(target=go) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(refused)) == 2
    assert len(entries(db)) == 2


def test_a_trigger_of_a_machine_says_no_by_name(doing: Doing, db: Session) -> None:
    @does("test.jump")
    def skip_states(deed: Deed) -> Answer:
        deed.about(SubjectType.REGISTER, "310105")
        deed.db.execute(
            sa.text(
                "INSERT INTO slot (district, id, zone_id, day, starts_at, ends_at, capacity, kept, taken, "
                "closed, recorded_at) VALUES (310105, :id, :id, '2024-06-12', now(), "
                "now() + interval '1 hour', 1, 0, 0, false, now())"
            ),
            {"id": deed.id},
        )
        deed.db.execute(
            sa.text(
                "INSERT INTO round_plan (district, id, zone_id, day, wave, state, problem, plan, unserved, "
                "engine, seed, iterations, travel_s, distance_m, travel_times, recorded_at) VALUES "
                "(310105, :id, :id, '2024-06-12', 1, 'applied', '{}', '{}', '[]', '', 0, 0, 0, 0, '', now())"
            ),
            {"id": deed.id},
        )
        return {}

    with pytest.raises(Refused) as refused:
        skip_states(doing)
    assert [one.code for one in refused.value.refusals] == ["state.move_not_allowed"]
    assert db.scalar(sa.text("SELECT count(*) FROM slot")) == 0
