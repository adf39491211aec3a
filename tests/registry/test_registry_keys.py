"""Keys are changed while the house serves: found by both, written under both, done again after a kill."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.config import CHECKOUT
from core.doing import Doing
from core.ground import Ground
from core.postgres import Cluster
from core.sealed import Keyring, Purpose, SealedKey
from registry import people, reindexing, sealing
from registry.models import Person, PersonDocument, PersonPhone, Premises
from tests.cast import Cast, made, resident_number
from tests.conftest import DATABASE
from tests.registry.proofs import entries
from web.keys import Changing

# The command, slowed down so that it can be killed between two batches.
SLOW = """
import functools, sys, time
from registry import reindexing
from web import keys, manage
reindexing.reindex_people = functools.partial(reindexing.reindex_people, batch=4)
said = keys._say
def slowly(text):
    said(text + chr(10)); sys.stderr.flush(); time.sleep(60)
keys._say = slowly
sys.exit(manage.main(["keys", "reindex"]))
"""


def turned(ground: Ground, purpose: Purpose = Purpose.INDEX) -> Keyring:
    """The former keyring; the ground stands on the new one."""
    former = ground.keyring
    object.__setattr__(ground, "keyring", former.with_new_key(purpose))
    return former


def standing_on(doing: Doing, keyring: Keyring) -> Doing:
    """Another process, with the keys it was started with."""
    return replace(doing, ground=Ground(doing.ground.config, doing.ground.sessions, keyring))


def registered(doing: Doing, number: str, phone: str = "13800004321") -> dict[str, object]:
    document = {"kind": "resident_id", "number": number}
    return people.register_person(
        doing,
        document=document,
        name="样例王",
        phone=phone,
        method=people.CheckMethod.DOCUMENT_SEEN,
        notice_version="2021-11",
    )


def versions(db: Session, table: type[PersonDocument] | type[PersonPhone]) -> dict[str, int]:
    rows = db.execute(sa.select(table.scheme, sa.func.count().label("times")).group_by(table.scheme))
    return {row.scheme: row.times for row in rows}


def test_while_two_index_keys_live_every_process_finds_what_any_wrote(doing: Doing, ground: Ground) -> None:
    before, after = resident_number(11), resident_number(12)
    old = registered(doing, before)
    process_of_yesterday = standing_on(doing, turned(ground))
    assert registered(doing, before) == {"person_id": old["person_id"], "standing": True}
    new = registered(doing, after)
    assert registered(process_of_yesterday, after) == {"person_id": new["person_id"], "standing": True}
    with ground.sessions() as db:
        assert versions(db, PersonDocument) == {"document:v1": 2, "document:v2": 1}


def test_after_reindexing_the_old_key_may_go_and_everything_is_found(
    cast: Cast, doing: Doing, ground: Ground, capsys: pytest.CaptureFixture[str]
) -> None:
    place = cast.place_body()
    standing = made(cast.clerk.post(cast.at("premises"), place))["household_id"]
    person_id = registered(doing, resident_number(13))["person_id"]
    ground.keyring.save(ground.config.keyring_path)
    operator = Changing(ground, lambda district: doing)
    assert operator.do("rotate", "index", None) == 0
    object.__setattr__(ground, "keyring", Keyring.load(ground.config.keyring_path))
    assert operator.do("retire", "index", 1) == 1  # rows still need it
    assert operator.do("reindex", None, None) == 0
    assert operator.do("show", None, None) == 0
    assert "index 1: 0 rows still need it" in capsys.readouterr().out
    assert operator.do("retire", "index", 1) == 0
    object.__setattr__(ground, "keyring", Keyring.load(ground.config.keyring_path))
    assert list(ground.keyring.index.by_version) == [2]
    assert registered(doing, resident_number(13)) == {"person_id": person_id, "standing": True}
    assert cast.clerk.post(cast.at("premises"), place).json["household_id"] == standing  # type: ignore[index]
    with ground.sessions() as db:
        assert versions(db, PersonDocument) == {"document:v2": 1}
        assert versions(db, PersonPhone) == {"phone:v2": 1}
        assert db.scalars(sa.select(Premises.address_scheme)).all() == ["address:v2"]
    assert [entry["payload"]["version"] for entry in entries(ground, "keys.rotate")] == [2]
    assert operator.do("retire", "index", 2) == 2  # the one in use
    assert operator.do("retire", "index", 9) == 2
    assert operator.do("rotate", None, None) == 2


def test_rewrapping_is_done_in_batches_and_what_was_sealed_still_opens(doing: Doing, ground: Ground) -> None:
    ids = [UUID(str(registered(doing, resident_number(20 + at))["person_id"])) for at in range(3)]
    turned(ground, Purpose.WRAPPING)
    assert [reindexing.rewrap_batch(doing, batch=2)["done"] for _ in range(3)] == [2, 1, 0]
    only_new = ground.keyring.without_key(Purpose.WRAPPING, 1)
    with ground.sessions() as db:
        assert set(db.scalars(sa.select(SealedKey.key_version))) == {2}
        person = db.get_one(Person, ids[0])
        name = sealing.opened(db, standing_on(doing, only_new).ground, sealing.name_of(person))
        assert name == "样例王"


def test_who_reindexes_is_killed_in_the_middle_and_whoever_goes_on_finishes(
    cast: Cast, ground: Ground, cluster: Cluster
) -> None:
    rows = [cast.user_row() for _ in range(10)]
    made(cast.clerk.post(cast.at("user-imports"), cast.import_body(rows)))
    ground.keyring.with_new_key(Purpose.INDEX).save(ground.config.keyring_path)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LPG_")}
    settings = kept | {
        "LPG_STATE_DIR": str(ground.config.state_dir),
        "LPG_DATABASE_URL": cluster.url(DATABASE, role="lpg_app"),
        "LPG_OWNER_URL": cluster.url(DATABASE),
        "PYTHONPATH": str(CHECKOUT),
    }

    def begun(*words: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, *words], env=settings, cwd=CHECKOUT, stderr=subprocess.PIPE, text=True
        )

    killed = begun("-c", SLOW)
    assert killed.stderr is not None
    heard = iter(killed.stderr.readline, "")
    assert any("4 looked at" in line for line in heard)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    with ground.sessions() as db:
        assert versions(db, PersonDocument) == {"document:v1": 10, "document:v2": 4}
    finishing = begun("-m", "web.manage", "keys", "reindex")
    finishing.communicate(timeout=60)
    assert finishing.returncode == 0
    with ground.sessions() as db:
        assert versions(db, PersonDocument) == {"document:v1": 10, "document:v2": 10}
        assert set(db.scalars(sa.select(Premises.address_scheme))) == {"address:v2"}
