"""The demo as a person starts it, on a small cut of the sample: built, lived, checked, stopped, broken."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import orjson
import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

import app
from core.config import CHECKOUT
from core.postgres import Cluster
from sample.audit import Audit
from sample.cast import SMALL, Cast
from sample.demo import remembered, secrets_of
from sample.people import person
from sample.promises import PROMISES, Needles, check_all

pytestmark = pytest.mark.slow

WITHIN_S = 300
GONE_WITHIN_S = 60
assert app.ROOMS  # the gates are registered


def environ(state: Path, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LPG_")}
    return kept | {"LPG_STATE_DIR": str(state), "PYTHONPATH": str(CHECKOUT)} | more


def demo(state: Path, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "sample.demo", "--scale", "small", *words],
        env=environ(state, **more),
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
        check=False,
    )


def digest_of(done: subprocess.CompletedProcess[str]) -> str:
    (digest,) = re.findall(r"digest ([0-9a-f]{16})", done.stdout)
    return str(digest)


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def first(state: Path) -> subprocess.CompletedProcess[str]:
    """The first start: builds the world, lives the day, checks the promises."""
    return demo(state, "--once")


def test_a_first_start_builds_lives_the_day_and_holds_every_promise(
    first: subprocess.CompletedProcess[str],
) -> None:
    assert first.returncode == 0, first.stdout + first.stderr
    assert "建样例世界 / build" in first.stdout
    assert first.stdout.count("守住 held") == len(PROMISES)
    assert "BROKEN" not in first.stdout
    assert "account.opening_barred" in first.stdout or "A02" in first.stdout


def test_a_second_start_comes_back_to_the_same_day_without_building(
    state: Path, first: subprocess.CompletedProcess[str]
) -> None:
    second = demo(state, "--once")

    assert second.returncode == 0, second.stdout + second.stderr
    assert "back to the day" in second.stdout
    assert "/ build" not in second.stdout
    assert "过一天 / the day" not in second.stdout
    assert digest_of(second) == digest_of(first)
    assert second.stdout.count("守住 held") == len(PROMISES)


@pytest.mark.long
def test_the_same_sample_lives_the_same_day_with_the_same_outcomes(
    state: Path, first: subprocess.CompletedProcess[str]
) -> None:
    again = demo(state, "--once", "--fresh")

    assert again.returncode == 0, again.stdout + again.stderr
    assert "建样例世界 / build" in again.stdout
    assert digest_of(again) == digest_of(first)


def test_a_given_database_is_declined_politely(tmp_path: Path) -> None:
    refused = demo(tmp_path, "--once", LPG_DATABASE_URL="postgresql://lpg_app@localhost/lpg")

    assert refused.returncode == 2
    assert refused.stdout == ""
    assert refused.stderr.count("\n") == 1
    assert "unset LPG_DATABASE_URL" in refused.stderr
    assert not (tmp_path / "postgres").exists()


# --- stopped ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "how",
    [
        signal.SIGKILL,
        pytest.param(
            signal.SIGINT, marks=pytest.mark.long
        ),  # gentler: whatever ends it cleans up after itself
        pytest.param(signal.SIGHUP, marks=pytest.mark.long),  # as SIGINT, from a terminal that is closed
    ],
    ids=lambda how: how.name,
)
def test_a_demo_that_is_ended_leaves_no_process_behind(
    state: Path, first: subprocess.CompletedProcess[str], how: signal.Signals
) -> None:
    assert first.returncode == 0
    served = subprocess.Popen(
        [sys.executable, "-m", "sample.demo", "--scale", "small"],
        env=environ(state, LPG_BIND_PORT="18533"),
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert served.stdout is not None
        told = list(_until(served.stdout, "Ctrl-C"))
        assert any("lpg_" in line for line in told), "a token is shown for each role"
        assert len(of_this_demo(state)) > 2, "the demo, its server and PostgreSQL run"

        served.send_signal(how)
        served.wait(GONE_WITHIN_S)

        assert nobody_left(state)
    finally:
        served.kill()
        served.wait()


def _until(lines: Iterator[str], word: str) -> Iterator[str]:
    for line in lines:
        yield line
        if word in line:
            return


def of_this_demo(state: Path) -> list[int]:
    """Processes that were started with this state folder, or work in it."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            knows = f"LPG_STATE_DIR={state}".encode() in (process / "environ").read_bytes()
            stands_in = Path(os.readlink(process / "cwd")).is_relative_to(state)
        except OSError:
            continue
        if knows or stands_in:
            found.append(int(process.name))
    return found


def nobody_left(state: Path) -> bool:
    given_up_at = time.monotonic() + GONE_WITHIN_S
    while of_this_demo(state) and time.monotonic() < given_up_at:
        time.sleep(0.05)
    return not of_this_demo(state)


# --- broken -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def running(state: Path, first: subprocess.CompletedProcess[str]) -> Iterator[Cluster]:
    """Started once for all that tamper; whoever then starts the demo on it stops it first."""
    assert first.returncode == 0
    with Cluster(state / "postgres") as cluster:
        yield cluster


@pytest.fixture(scope="module")
def lived(running: Cluster) -> str:
    """The name of the kept copy of the lived day."""
    with psycopg.connect(running.conninfo("postgres")) as owner:
        names = [name for (name,) in owner.execute("SELECT datname FROM pg_database")]
    (found,) = (str(name) for name in names if name.startswith("lpg_sample_lived"))
    return found


@pytest.fixture
def clone(running: Cluster, lived: str) -> Iterator[str]:
    with psycopg.connect(running.conninfo("postgres"), autocommit=True) as owner:
        owner.execute(f"CREATE DATABASE tampered TEMPLATE {lived}")
        yield "tampered"
        owner.execute("DROP DATABASE tampered WITH (FORCE)")


@pytest.fixture
def audit(running: Cluster, clone: str, state: Path, tmp_path: Path) -> Iterator[Audit]:
    """What the promises are checked against: the clone, and a log of its own."""
    (file,) = (state / "demo").glob("*-lived.json")
    world, told = remembered(orjson.loads(file.read_bytes()))
    log = tmp_path / "server.log"
    log.write_text('{"event": "request", "status": 200}\n')
    engine = sa.create_engine(running.url(clone))
    with Session(engine) as db:
        yield Audit(db, told.heard, told.heard, secrets_of(Cast(SMALL), world, told), log)
    engine.dispose()


def broken(audit: Audit) -> set[str]:
    return {
        check.__name__
        for check, promise in zip(PROMISES, check_all(audit), strict=True)
        if not promise.is_held
    }


def test_the_promises_of_the_lived_day_hold_before_anybody_tampers(audit: Audit) -> None:
    assert broken(audit) == set()


def by_sql(table: str, statement: str) -> Callable[[Audit], Audit]:
    def tamper(audit: Audit) -> Audit:
        audit.db.execute(sa.text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
        assert audit.db.execute(sa.text(statement)).rowcount == 1  # type: ignore[attr-defined]  # of an UPDATE
        audit.db.commit()
        return audit

    return tamper


def with_a_name_in_the_log(audit: Audit) -> Audit:
    audit.server_log.write_text(f'{{"event": "request", "user": "{person(1).name}"}}\n')
    return audit


def with_a_refusal_nobody_kept(audit: Audit) -> Audit:
    return replace(audit, heard={**audit.heard, "20240612-NOBODY": [["slot.full", "A10", {}]]})


def with_nobody_refused_for_weight(audit: Audit) -> Audit:
    heard = {number: [one for one in reasons if one[1] != "A13"] for number, reasons in audit.heard.items()}
    return replace(audit, heard=heard)


TAMPERED: dict[str, tuple[Callable[[Audit], Audit], str]] = {
    "a consent to a proxy is taken away by hand": (
        by_sql("proxy_consent", "UPDATE proxy_consent SET may_book = false WHERE state = 'agreed'"),
        "nobody_booked_unasked",
    ),
    "a bottle is moved to another holder by hand": (
        by_sql(
            "cylinder_state",
            "UPDATE cylinder_state SET holder_id = gen_random_uuid() WHERE cylinder_id = "
            "(SELECT min(cylinder_id::text)::uuid FROM cylinder_state)",
        ),
        "one_holder",
    ),
    "an ended holding is stretched over the next": (
        by_sql(
            "card_holding",
            "UPDATE card_holding SET until_at = until_at + interval '1 hour' WHERE id = "
            "(SELECT min(id::text)::uuid FROM card_holding WHERE until_at IS NOT NULL)",
        ),
        "one_bottle_a_card",
    ),
    "a delivery loses its proof": (
        by_sql(
            "delivery",
            "UPDATE delivery SET proof_sha256 = NULL WHERE id = "
            "(SELECT min(id::text)::uuid FROM delivery WHERE outcome = 'delivered')",
        ),
        "scanned_checked_proven",
    ),
    "a refusal was answered that nobody kept": (with_a_refusal_nobody_kept, "refusals_kept"),
    "the one look that found too much residue is taken away": (
        by_sql(
            "filling_check", "DELETE FROM filling_check WHERE reasons::text LIKE '%residue_not_extracted%'"
        ),
        "every_rule_of_the_bottle_asked",
    ),
    # what was heard is not what is kept, either
    "nobody was refused for weight": (
        with_nobody_refused_for_weight,
        "every_rule_of_booking_asked refusals_kept",
    ),
    "the proof that a notice was received is taken away": (
        by_sql(
            "notice_receipt",
            "DELETE FROM notice_receipt WHERE id = (SELECT min(notice_receipt.id::text)::uuid "
            "FROM notice_receipt JOIN notice USING (district) "
            "WHERE notice.id = notice_id AND hazard_id IS NOT NULL)",
        ),
        "nobody_supplied_over_a_hazard",
    ),
    "a card's second order is moved before the first was settled": (
        by_sql(
            "order_line",
            "UPDATE order_line SET recorded_at = recorded_at - interval '6 hours' WHERE id = (SELECT "
            "max(id::text)::uuid FROM order_line WHERE card_id IN "
            "(SELECT card_id FROM order_line GROUP BY card_id HAVING count(*) > 1))",
        ),
        "one_order_at_a_time",
    ),
    "a binding is made to have ended before it was driven": (
        by_sql(
            "binding",
            "UPDATE binding SET span = tstzrange(lower(span), lower(span) + interval '1 second') WHERE id = "
            "(SELECT binding_id FROM custody_fact WHERE kind = 'deliver' ORDER BY id LIMIT 1)",
        ),
        "crews_bound",
    ),
    "what a phone signed is changed": (
        by_sql(
            "device_inbox",
            "UPDATE device_inbox SET signed = signed || ' ' WHERE (device_id, device_seq) = "
            "(SELECT device_id, device_seq FROM device_inbox ORDER BY device_id, device_seq LIMIT 1)",
        ),
        "late_scans_kept",
    ),
    "a bottle in dispute is let go": (
        by_sql(
            "cylinder_hold",
            "UPDATE cylinder_hold SET until_at = from_at WHERE kind = 'conflict' AND until_at IS NULL",
        ),
        "contradictions_held",
    ),
    "an explanation of a count is taken away": (
        by_sql(
            "count_explanation",
            "DELETE FROM count_explanation WHERE count_id = (SELECT min(count_id::text)::uuid FROM "
            "count_explanation) AND number = 1",
        ),
        "counts_explained",
    ),
    "a plan is made to leave before its shift": (
        by_sql(
            "round_plan",
            "UPDATE round_plan SET plan = jsonb_set(plan, '{trips,0,leave_s}', '1') WHERE id = "
            "(SELECT min(id::text)::uuid FROM round_plan)",
        ),
        "plans_pass_again",
    ),
    "an entry's bytes are changed": (
        by_sql(
            "evidence_entry",
            "UPDATE evidence_entry SET written = written || ' '::bytea WHERE id = "
            "(SELECT min(id::text)::uuid FROM evidence_entry)",
        ),
        "chains_verify",
    ),
    "a refused decision is made a yes": (
        by_sql(
            "decision",
            "UPDATE decision SET allowed = true, reasons = '[]' WHERE id = "
            "(SELECT min(id::text)::uuid FROM decision WHERE NOT allowed)",
        ),
        "decisions_replay",
    ),
    "somebody's name is logged": (with_a_name_in_the_log, "no_personal_data"),
}


@pytest.mark.parametrize("what", TAMPERED)
def test_each_promise_is_seen_to_be_broken_when_it_is(audit: Audit, what: str) -> None:
    tamper, promises = TAMPERED[what]

    assert broken(tamper(audit)) == set(promises.split())


def test_a_broken_promise_is_told_by_the_exit_status(state: Path, running: Cluster, lived: str) -> None:
    """Last of this file: it spoils the kept copy."""
    with psycopg.connect(running.conninfo(lived)) as database:
        database.execute("ALTER TABLE evidence_entry DISABLE TRIGGER USER")
        database.execute("UPDATE evidence_entry SET hash = sha256('another')")
    running.stop()

    spoilt = demo(state, "--once")

    assert spoilt.returncode == 1
    assert "破了 BROKEN  存证链条逐条可验" in spoilt.stdout
    assert "changed: entry" in spoilt.stdout


def test_a_needle_is_found_whole_and_only_whole() -> None:
    needles = Needles([b"10000000017", "王样例017".encode()])

    assert needles.found_in(b'{"phone": "10000000017"}')
    assert needles.found_in("户主王样例017。".encode())
    assert not needles.found_in(b'{"at": 1000000001}')
    assert not needles.found_in("王样例".encode())
