"""What is sealed opens only for whom and where it was sealed, and not at all once its subject is erased."""

import hashlib
import hmac
import json
import os
import stat
import threading
from pathlib import Path
from uuid import UUID

import pytest
import rfc8785
import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.db import Base, Group
from core.ground import Ground
from core.ids import new_id
from core.sealed import (
    CannotOpen,
    Keyring,
    KeyringError,
    Purpose,
    SealedKey,
    SealedValue,
    Subject,
    SubjectType,
    blind_index,
    blind_indexes,
    commitment,
    erase,
    mask_address,
    mask_document,
    mask_name,
    mask_phone,
    new_salt,
    open_many,
    open_sealed,
    rewrap,
    seal,
)

ROW = UUID("01900000-0000-7000-8000-000000000001")
OTHER_ROW = UUID("01900000-0000-7000-8000-000000000002")
NAME = "王样例017"


@pytest.fixture(scope="module")
def keyring() -> Keyring:
    return Keyring.fresh()


@pytest.fixture
def wang() -> Subject:
    """A resident, whose name is sealed in person.name."""
    return Subject(SubjectType.PERSON, new_id())


@pytest.fixture
def li() -> Subject:
    """Another resident."""
    return Subject(SubjectType.PERSON, new_id())


def test_a_sealed_value_opens_where_it_was_sealed(db: Session, keyring: Keyring, wang: Subject) -> None:
    sealed = seal(db, keyring, wang, "person", "name", ROW, NAME)

    assert NAME.encode() not in sealed
    assert open_sealed(db, keyring, wang, "person", "name", ROW, sealed) == NAME


def test_the_same_value_is_never_sealed_the_same_way_twice(
    db: Session, keyring: Keyring, wang: Subject
) -> None:
    first, second = (seal(db, keyring, wang, "person", "name", ROW, NAME) for _ in range(2))

    assert first != second


@pytest.mark.parametrize(
    ("table", "column", "row"),
    [("staff", "name", ROW), ("person", "phone", ROW), ("person", "name", OTHER_ROW)],
    ids=["another table", "another column", "another row"],
)
def test_a_value_moved_to_another_place_does_not_open(
    db: Session, keyring: Keyring, wang: Subject, table: str, column: str, row: UUID
) -> None:
    sealed = seal(db, keyring, wang, "person", "name", ROW, NAME)

    with pytest.raises(CannotOpen):
        open_sealed(db, keyring, wang, table, column, row, sealed)


def test_a_value_does_not_open_for_another_subject(
    db: Session, keyring: Keyring, wang: Subject, li: Subject
) -> None:
    sealed = seal(db, keyring, wang, "person", "name", ROW, NAME)
    seal(db, keyring, li, "person", "name", ROW, "李样例018")

    with pytest.raises(CannotOpen):
        open_sealed(db, keyring, li, "person", "name", ROW, sealed)


def test_no_byte_of_a_sealed_value_can_be_altered_or_cut(
    db: Session, keyring: Keyring, wang: Subject
) -> None:
    sealed = seal(db, keyring, wang, "person", "name", ROW, NAME)
    altered = [sealed[:i] + bytes([sealed[i] ^ 1]) + sealed[i + 1 :] for i in range(len(sealed))]
    cut = [sealed[:length] for length in range(len(sealed))]

    for wrong in (*altered, *cut, sealed + b"\0"):
        with pytest.raises(CannotOpen):
            open_sealed(db, keyring, wang, "person", "name", ROW, wrong)


def test_erasing_a_subject_ends_all_it_sealed_and_nothing_else(
    db: Session, keyring: Keyring, wang: Subject, li: Subject
) -> None:
    sealed = seal(db, keyring, wang, "person", "name", ROW, NAME)
    kept = seal(db, keyring, li, "person", "name", OTHER_ROW, "李样例018")

    assert erase(db, wang) is True
    assert erase(db, wang) is False
    with pytest.raises(CannotOpen):
        open_sealed(db, keyring, wang, "person", "name", ROW, sealed)
    assert open_sealed(db, keyring, li, "person", "name", OTHER_ROW, kept) == "李样例018"


def test_a_session_that_has_opened_a_value_cannot_open_it_after_another_session_erased_the_subject(
    ground: Ground, keyring: Keyring, wang: Subject
) -> None:
    with ground.sessions() as reader, ground.sessions() as officer:
        sealed = seal(reader, keyring, wang, "person", "name", ROW, NAME)
        reader.commit()
        assert open_sealed(reader, keyring, wang, "person", "name", ROW, sealed) == NAME
        erase(officer, wang)
        officer.commit()

        with pytest.raises(CannotOpen):
            open_sealed(reader, keyring, wang, "person", "name", ROW, sealed)


def test_sealing_again_after_an_erasure_does_not_bring_the_old_value_back(
    db: Session, keyring: Keyring, wang: Subject
) -> None:
    old = seal(db, keyring, wang, "person", "name", ROW, NAME)
    erase(db, wang)
    seal(db, keyring, wang, "person", "name", ROW, NAME)

    with pytest.raises(CannotOpen):
        open_sealed(db, keyring, wang, "person", "name", ROW, old)


def test_a_page_of_values_opens_in_order_and_shows_the_erased_as_none(
    db: Session, keyring: Keyring, wang: Subject, li: Subject
) -> None:
    values = [
        SealedValue(who, "person", "name", row, seal(db, keyring, who, "person", "name", row, name))
        for who, row, name in [(wang, ROW, NAME), (li, OTHER_ROW, "李样例018")]
    ]
    erase(db, wang)

    assert open_many(db, keyring, values) == [None, "李样例018"]
    assert open_many(db, keyring, []) == []


def test_two_first_uses_at_once_end_with_one_key(ground: Ground, keyring: Keyring, wang: Subject) -> None:
    start = threading.Barrier(6)
    sealed: dict[int, bytes] = {}

    def first_use(number: int) -> None:
        with ground.sessions() as session:
            start.wait()
            sealed[number] = seal(session, keyring, wang, "person", "name", str(number), f"样例{number}")
            session.commit()

    threads = [threading.Thread(target=first_use, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    with ground.sessions() as session:
        names = {
            number: open_sealed(session, keyring, wang, "person", "name", str(number), value)
            for number, value in sealed.items()
        }
    assert names == {number: f"样例{number}" for number in range(6)}


def test_rewrapping_goes_on_from_where_it_stopped_and_everything_still_opens(
    db: Session, keyring: Keyring
) -> None:
    people = [Subject(SubjectType.PERSON, new_id()) for _ in range(5)]
    sealed = {who: seal(db, keyring, who, "person", "name", ROW, NAME) for who in people}
    rotated = keyring.with_new_key(Purpose.WRAPPING)
    late = Subject(SubjectType.STAFF, new_id())
    sealed[late] = seal(db, rotated, late, "person", "name", ROW, NAME)

    others = db.scalar(sa.select(sa.func.count()).where(SealedKey.key_version < 2)) or 0
    done = [rewrap(db, rotated, batch=3) for _ in range(others // 3 + 2)]

    assert sum(done) == others
    assert max(done) <= 3
    assert done[-1] == 0
    retired = rotated.without_key(Purpose.WRAPPING, 1)
    assert all(open_sealed(db, retired, who, "person", "name", ROW, sealed[who]) == NAME for who in sealed)
    with pytest.raises(CannotOpen):
        open_sealed(db, keyring, people[0], "person", "name", ROW, sealed[people[0]])


def test_a_wrapped_key_copied_to_another_subject_does_not_open(
    db: Session, keyring: Keyring, wang: Subject, li: Subject
) -> None:
    sealed = seal(db, keyring, wang, "person", "name", ROW, NAME)
    stolen = db.scalar(sa.select(SealedKey.wrapped).where(SealedKey.subject_id == wang.id))
    db.execute(
        sa.insert(SealedKey).values(subject_type=li.type, subject_id=li.id, key_version=1, wrapped=stolen)
    )

    with pytest.raises(CannotOpen):
        open_sealed(db, keyring, li, "person", "name", ROW, sealed)


def test_the_key_table_is_exempt_from_the_shard_groups_and_its_rows_may_be_deleted() -> None:
    table = Base.metadata.tables["sealed_key"]

    assert table.info["group"] is Group.EXEMPT
    assert table.info["erasable"] is True
    assert [column.name for column in table.primary_key] == ["subject_type", "subject_id"]


# --- the keyring file


def test_a_new_keyring_can_be_read_by_its_owner_only_and_reads_back_the_same(tmp_path: Path) -> None:
    path = tmp_path / "state" / "keyring.json"

    made = Keyring.make(path)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert Keyring.load(path) == made
    assert Keyring.load_or_make(path) == made
    assert [file.name for file in path.parent.iterdir()] == ["keyring.json"]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o610])
def test_a_keyring_that_others_may_touch_is_not_read(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "keyring.json"
    Keyring.make(path)
    path.chmod(mode)

    with pytest.raises(KeyringError, match=f"mode is {mode:04o}.*chmod 600") as refused:
        Keyring.load(path)
    assert "\n" not in str(refused.value)


def test_an_existing_keyring_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "keyring.json"
    Keyring.make(path)
    before = path.read_bytes()

    with pytest.raises(KeyringError, match="never overwritten"):
        Keyring.make(path)

    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["keyring.json"]


def test_nothing_stands_at_the_path_when_writing_fails_half_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def disk_full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", disk_full)

    with pytest.raises(KeyringError, match="No space left"):
        Keyring.make(tmp_path / "keyring.json")
    assert list(tmp_path.iterdir()) == []


def test_two_set_ups_at_once_end_with_the_same_keys(tmp_path: Path) -> None:
    path = tmp_path / "keyring.json"
    start = threading.Barrier(8)
    made: list[Keyring] = []

    def set_up() -> None:
        start.wait()
        made.append(Keyring.load_or_make(path))

    threads = [threading.Thread(target=set_up) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert made == [Keyring.load(path)] * 8


def test_a_missing_keyring_is_named_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(KeyringError, match="there is no keyring here"):
        Keyring.load(tmp_path / "keyring.json")


@pytest.mark.parametrize("spoil", ["not json", "no signing key", "short key", "current unknown", "format 2"])
def test_a_damaged_keyring_is_refused_without_quoting_it(tmp_path: Path, spoil: str) -> None:
    path = tmp_path / "keyring.json"
    Keyring.make(path)
    read = json.loads(path.read_text())
    key = read["index"]["keys"]["1"]
    if spoil == "no signing key":
        del read["signing"]
    elif spoil == "short key":
        read["index"]["keys"]["1"] = key[:8]
    elif spoil == "current unknown":
        read["index"]["current"] = 7
    elif spoil == "format 2":
        read["format"] = 2
    path.write_text("{" if spoil == "not json" else json.dumps(read))

    with pytest.raises(KeyringError) as refused:
        Keyring.load(path)
    assert "\n" not in str(refused.value)
    assert key[:8] not in str(refused.value)


def test_no_secret_shows_in_a_repr_or_a_message(keyring: Keyring) -> None:
    salt = new_salt()
    value = SealedValue(Subject(SubjectType.PERSON, ROW), "person", "name", ROW, b"sealed bytes")
    shown = f"{keyring!r} {keyring} {keyring.wrapping!r} {salt!r} {salt} {value!r}"

    for purpose in Purpose:
        key = bytes(keyring.keys(purpose).current_key)
        assert repr(key)[2:-1] not in shown
        assert key.hex() not in shown
    assert repr(bytes(salt))[2:-1] not in shown
    assert "sealed bytes" not in shown


def test_the_signing_key_signs_and_stays_the_same_over_a_reload(tmp_path: Path) -> None:
    made = Keyring.make(tmp_path / "keyring.json")
    signature = made.signing_key().sign(b"checkpoint")

    Keyring.load(tmp_path / "keyring.json").signing_key().public_key().verify(signature, b"checkpoint")


def test_a_key_in_use_cannot_be_retired(keyring: Keyring) -> None:
    with pytest.raises(KeyringError, match="in use"):
        keyring.without_key(Purpose.INDEX, 1)


# --- blind indexes and commitments


def test_a_document_written_in_another_way_has_the_same_index(keyring: Keyring) -> None:
    plain = blind_index(keyring, "document", "resident_id", "31019918990101001X")

    assert blind_index(keyring, "document", "resident_id", "31019918990101001x") == plain
    assert blind_index(keyring, "document", "resident_id", "３１０１９９１８９９０１０１００１Ｘ") == plain
    small = blind_index(keyring, "document", "other", "\u0390")
    assert small == blind_index(keyring, "document", "other", "\u0390".upper())
    assert plain.scheme == "document:v1"
    assert len(plain.digest) == 16


def test_an_index_tells_apart_numbers_kinds_purposes_and_installations(keyring: Keyring) -> None:
    indexes = {
        blind_index(keyring, "document", "passport", "E1").digest,
        blind_index(keyring, "document", "passport", "E2").digest,
        blind_index(keyring, "document", "other", "E1").digest,
        blind_index(keyring, "phone", "passport", "E1").digest,
        blind_index(Keyring.fresh(), "document", "passport", "E1").digest,
    }

    assert len(indexes) == 5


def test_an_index_is_the_keyed_hash_it_says_it_is(keyring: Keyring) -> None:
    message = b"document\x1fpassport\x1fE1"
    expected = hmac.new(keyring.index.current_key, message, hashlib.sha256).digest()[:16]

    assert blind_index(keyring, "document", "passport", "e1").digest == expected


def test_while_index_keys_change_a_document_is_looked_for_under_both(keyring: Keyring) -> None:
    old = blind_index(keyring, "document", "passport", "E1")
    rotated = keyring.with_new_key(Purpose.INDEX)

    both = blind_indexes(rotated, "document", "passport", "E1")

    assert both == [blind_index(rotated, "document", "passport", "E1"), old]
    assert [index.scheme for index in both] == ["document:v2", "document:v1"]
    assert blind_indexes(rotated.without_key(Purpose.INDEX, 1), "document", "passport", "E1") == both[:1]


def test_a_commitment_is_the_hash_of_salt_and_canonical_json() -> None:
    salt = bytes(range(32))
    plain: dict[str, str | int] = {"name": NAME, "age": 40}

    assert commitment(salt, plain) == hashlib.sha256(salt + rfc8785.dumps(plain)).hexdigest()
    assert commitment(salt, {"age": 40, "name": NAME}) == commitment(salt, plain)
    assert commitment(new_salt(), plain) != commitment(salt, plain)
    with pytest.raises(ValueError, match="32 bytes"):
        commitment(b"", plain)


# --- masks


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("张三", "张*"),
        ("王样例017", "王**"),
        ("李", "李*"),
        (" 张三 ", "张*"),
        ("", ""),
        ("Anna Sample", "A**"),
    ],
)
def test_a_name_shows_its_first_character(name: str, shown: str) -> None:
    assert mask_name(name) == shown


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("31019918990101001X", "310***********001X"),
        ("E12345678", "E******78"),
        ("H12345678", "H******78"),
        ("A1234", "*****"),
        ("", ""),
    ],
)
def test_a_document_shows_its_ends(number: str, shown: str) -> None:
    assert mask_document(number) == shown


@pytest.mark.parametrize(
    ("phone", "shown"), [("10000000017", "100****0017"), ("62345678", "******78"), ("110", "***"), ("", "")]
)
def test_a_phone_shows_its_last_four(phone: str, shown: str) -> None:
    assert mask_phone(phone) == shown


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("上海市长宁区华阳路100弄12号304室", "上海市长宁区华阳路100弄***"),
        ("长宁区样例弄 123 号 4 室", "长宁区样例弄***"),
        ("长宁区样例西路１２００号", "长宁区样例西路***"),
        ("青浦区样例镇样例村12号", "青浦区样例镇样例村***"),
        ("青浦区样例镇样例村三组王家宅", "青浦区样例镇样例村***"),
        ("样例小区三号楼二室", "样例小区***"),
        ("样例路 12 号 3 弄", "样例路***"),
        ("青浦区赵巷镇样例路 161 弄 2 号", "青浦区赵巷镇样例路 161 弄***"),
        ("黄浦区样例巷3号", "黄浦区样例巷***"),
        ("东城区样例胡同12号院", "东城区样例胡同***"),
        ("某处", "***"),
        ("", "***"),
    ],
)
def test_an_address_shows_no_more_than_its_lane(address: str, shown: str) -> None:
    assert mask_address(address) == shown
