"""Personal data, sealed explicitly by the service that stores it.

    keyring file ─ wrapping keys ─ wrap ─> one key per subject (table sealed_key) ─ seals ─> the few columns
                 ├ index keys ──── blind indexes: find a document without being able to read it
                 ├ label keys ──── tags on bottle labels
                 └ signing keys ── checkpoints of the evidence log

A subject is a person, a household, a member of staff, or an application that waits to be looked up. Deleting
its row of ``sealed_key`` makes all it ever sealed unreadable, in backups of the other tables too. A sealed
value opens only in the table, column and row for which it was sealed. Nothing here commits.

A sealed value is ``format (1 byte) | algorithm (1 byte) | nonce (12) | ciphertext and tag``.
"""

import base64
import hashlib
import hmac
import json
import os
import re
import secrets
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import rfc8785
import sqlalchemy as sa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.db import Base, Group, grouped

KEYRING_FORMAT = 1
SEALED_FORMAT = 1
AES_256_GCM = 1
KEY_BYTES = 32
NONCE_BYTES = 12
SALT_BYTES = 32
INDEX_BYTES = 16
HEADER = bytes([SEALED_FORMAT, AES_256_GCM])


class KeyringError(Exception):
    """The keyring file cannot be used. One line, for the person at the console; it holds no secret."""


class CannotOpen(Exception):
    """A sealed value does not open: altered, moved elsewhere, its key unknown, or its subject erased."""


class Secret(bytes):
    """Bytes that never show themselves in a log, a traceback or a debugger's line."""

    def __repr__(self) -> str:
        return "Secret(…)"

    __str__ = __repr__


# --------------------------------------------------------------------------------------------------------
# The keyring


class Purpose(StrEnum):
    """What a key of the keyring is for; no key serves two purposes."""

    WRAPPING = "wrapping"
    INDEX = "index"
    LABEL = "label"
    SIGNING = "signing"


@dataclass(frozen=True, slots=True)
class VersionedKeys:
    """The keys of one purpose: the one to use now, and the older ones that still have to be understood."""

    current: int
    by_version: Mapping[int, Secret] = field(repr=False)

    @property
    def current_key(self) -> Secret:
        return self.by_version[self.current]

    @property
    def versions(self) -> list[int]:
        """The current version first, then the older ones, newest first."""
        return sorted(self.by_version, key=lambda version: (version != self.current, -version))


@dataclass(frozen=True, slots=True)
class Keyring:
    """Every secret of the installation but its passwords. Lives in one file that only its owner can read."""

    wrapping: VersionedKeys
    index: VersionedKeys
    label: VersionedKeys
    signing: VersionedKeys

    @classmethod
    def fresh(cls) -> "Keyring":
        """New keys of version 1 in memory; nothing is written."""
        return cls(**{purpose.value: VersionedKeys(1, {1: _new_key()}) for purpose in Purpose})

    @classmethod
    def make(cls, path: Path) -> "Keyring":
        """New keys, written to ``path``. An existing file is never overwritten: ``KeyringError``."""
        keyring = cls.fresh()
        keyring.save(path)
        return keyring

    @classmethod
    def load(cls, path: Path) -> "Keyring":
        """Read ``path``; ``KeyringError`` where it is missing, readable by others, or not a keyring."""
        try:
            with path.open("rb") as file:
                mode = os.fstat(file.fileno()).st_mode & 0o777
                if mode & 0o077:
                    raise KeyringError(
                        f"{path}: mode is {mode:04o}, others can read the keys; run: chmod 600 {path}"
                    )
                text = Secret(file.read())
        except FileNotFoundError:
            raise KeyringError(f"{path}: there is no keyring here; set-up makes it once") from None
        except OSError as error:
            raise KeyringError(f"{path}: {error.strerror}") from None
        return cls._from_text(path, text)

    @classmethod
    def load_or_make(cls, path: Path) -> "Keyring":
        """For set-up: two processes that start together end with the same keys."""
        if not path.exists():
            try:
                return cls.make(path)
            except KeyringError:
                if not path.exists():
                    raise
        return cls.load(path)

    def save(self, path: Path) -> None:
        """Write to a new file with mode 0600, whole or not at all. ``KeyringError`` if ``path`` exists."""
        # A link, not a rename: it fails where a file already stands.
        self._write(path, os.link)

    def replace(self, path: Path) -> None:
        """Write over the keyring that was read from ``path``, whole or not at all.

        A key was added or retired. Two operators at the same time would lose one another's.
        """
        self._write(path, os.replace)

    def _write(self, path: Path, put: Callable[[Path, Path], None]) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        half_written = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        try:
            with open(os.open(half_written, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(self._to_text())
                file.flush()
                os.fsync(file.fileno())
            put(half_written, path)
        except FileExistsError:
            raise KeyringError(f"{path}: a keyring stands here already and is never overwritten") from None
        except OSError as error:
            raise KeyringError(f"{path}: {error.strerror}") from None
        finally:
            half_written.unlink(missing_ok=True)
        _sync_folder(path.parent)

    def keys(self, purpose: Purpose) -> VersionedKeys:
        keys: VersionedKeys = getattr(self, purpose.value)
        return keys

    def with_new_key(self, purpose: Purpose) -> "Keyring":
        """The same keyring with a new current key for ``purpose``; the older ones stay readable."""
        keys = self.keys(purpose)
        version = max(keys.by_version) + 1
        return replace(
            self, **{purpose.value: VersionedKeys(version, {**keys.by_version, version: _new_key()})}
        )

    def without_key(self, purpose: Purpose, version: int) -> "Keyring":
        """The same keyring after ``version`` is retired: what only that key understood is lost for ever."""
        keys = self.keys(purpose)
        if version == keys.current:
            raise KeyringError(f"{purpose} key {version} is in use; make a new one before retiring it")
        left = {number: key for number, key in keys.by_version.items() if number != version}
        return replace(self, **{purpose.value: VersionedKeys(keys.current, left)})

    def signing_key(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.signing.current_key)

    def _to_text(self) -> bytes:
        purposes = {
            purpose.value: {
                "current": self.keys(purpose).current,
                "keys": {
                    str(version): base64.b64encode(key).decode()
                    for version, key in sorted(self.keys(purpose).by_version.items())
                },
            }
            for purpose in Purpose
        }
        return json.dumps({"format": KEYRING_FORMAT, **purposes}, indent=2).encode() + b"\n"

    @classmethod
    def _from_text(cls, path: Path, text: bytes) -> "Keyring":
        try:
            read = json.loads(text)
            if read["format"] != KEYRING_FORMAT:
                raise KeyringError(f"{path}: format {read['format']!r} is not {KEYRING_FORMAT}")
            return cls(**{purpose.value: _keys_from_json(read[purpose.value]) for purpose in Purpose})
        except (ValueError, KeyError, TypeError, AttributeError):
            # The cause is left out on purpose: it would quote the file.
            raise KeyringError(f"{path}: this is not a keyring, or it is damaged") from None


def _keys_from_json(read: Mapping[str, Any]) -> VersionedKeys:
    by_version = {
        int(version): Secret(base64.b64decode(text, validate=True)) for version, text in read["keys"].items()
    }
    if read["current"] not in by_version or any(len(key) != KEY_BYTES for key in by_version.values()):
        raise ValueError("expected the current key among keys of 32 bytes")
    return VersionedKeys(read["current"], by_version)


def _new_key() -> Secret:
    return Secret(secrets.token_bytes(KEY_BYTES))


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


# --------------------------------------------------------------------------------------------------------
# Sealing


class SubjectType(StrEnum):
    PERSON = "person"
    HOUSEHOLD = "household"
    STAFF = "staff"
    APPLICATION = "application"


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose data it is. The id is a surrogate and tells nothing."""

    type: SubjectType
    id: UUID


class SealedKey(Base):
    """One wrapped key per subject; without the row, everything the subject sealed is noise."""

    __tablename__ = "sealed_key"
    # Exempt from the shard groups: one key table for four kinds of subject, which belong to several groups.
    # Each row stands alone and is found by its whole primary key, so any sharding of it would do.
    __table_args__ = grouped(Group.EXEMPT, sa.Index(None, "key_version"), erasable=True)

    subject_type: Mapped[SubjectType] = mapped_column(primary_key=True)
    subject_id: Mapped[UUID] = mapped_column(primary_key=True)
    key_version: Mapped[int]
    wrapped: Mapped[bytes]


@dataclass(frozen=True, slots=True)
class SealedValue:
    """A sealed value together with the place for which it was sealed."""

    subject: Subject
    table: str
    column: str
    row: UUID | str
    sealed: bytes = field(repr=False)


def seal(
    db: Session, keyring: Keyring, subject: Subject, table: str, column: str, row: UUID | str, value: str
) -> bytes:
    """Seal ``value`` for one place. The subject's key is made on first use.

    Sealing again for a subject that was erased makes a new key: whether that may happen is the service's
    question. What was sealed before the erasure stays unreadable.
    """
    return _encrypt(_key_for_sealing(db, keyring, subject), _place(table, column, row), value.encode())


def open_sealed(
    db: Session, keyring: Keyring, subject: Subject, table: str, column: str, row: UUID | str, sealed: bytes
) -> str:
    """The value again, or ``CannotOpen``."""
    place = _place(table, column, row)
    key = _keys_of(db, keyring, [subject]).get(subject)
    if key is None:
        raise CannotOpen(f"{place}: the {subject.type} {subject.id} has no key; its data was erased")
    return _decrypt(key, place, sealed).decode()


def open_many(db: Session, keyring: Keyring, values: Sequence[SealedValue]) -> list[str | None]:
    """Open a page of values with one query, in order; None where the subject was erased.

    ``CannotOpen`` where a value was altered or moved, as in ``open_sealed``.
    """
    keys = _keys_of(db, keyring, {value.subject for value in values})
    return [
        _decrypt(keys[value.subject], _place(value.table, value.column, value.row), value.sealed).decode()
        if value.subject in keys
        else None
        for value in values
    ]


def has_key(db: Session, subject: Subject) -> bool:
    """Whether anything it sealed can be read: not once it was erased."""
    held = sa.select(SealedKey.subject_id).where(
        SealedKey.subject_type == subject.type, SealedKey.subject_id == subject.id
    )
    return db.scalars(held).first() is not None


def erase(db: Session, subject: Subject) -> bool:
    """Delete the subject's key. True if there was one. There is no way back."""
    gone = db.execute(
        sa.delete(SealedKey)
        .where(SealedKey.subject_type == subject.type, SealedKey.subject_id == subject.id)
        .returning(SealedKey.subject_id)
    )
    return gone.first() is not None


def rewrap(db: Session, keyring: Keyring, batch: int = 500) -> int:
    """Wrap up to ``batch`` subjects' keys under the current wrapping key; 0 when none is left to do.

    The row's own version says what is done, so it may stop and start again anywhere. The caller commits.
    """
    current = keyring.wrapping.current
    rows = db.execute(
        sa.select(SealedKey.subject_type, SealedKey.subject_id, SealedKey.key_version, SealedKey.wrapped)
        .where(SealedKey.key_version < current)
        .order_by(SealedKey.subject_type, SealedKey.subject_id)
        .limit(batch)
        .with_for_update()
    ).all()
    for row in rows:
        subject = Subject(row.subject_type, row.subject_id)
        key = _unwrap(keyring, subject, row.key_version, row.wrapped)
        db.execute(
            sa.update(SealedKey)
            .where(SealedKey.subject_type == subject.type, SealedKey.subject_id == subject.id)
            .values(key_version=current, wrapped=_wrap(keyring, subject, key))
        )
    return len(rows)


def _key_for_sealing(db: Session, keyring: Keyring, subject: Subject) -> Secret:
    key = _keys_of(db, keyring, [subject]).get(subject)
    if key is None:
        # Two first uses at once: the second waits here for the first, and both then read the same row.
        db.execute(
            insert(SealedKey)
            .values(
                subject_type=subject.type,
                subject_id=subject.id,
                key_version=keyring.wrapping.current,
                wrapped=_wrap(keyring, subject, _new_key()),
            )
            .on_conflict_do_nothing()
        )
        key = _keys_of(db, keyring, [subject])[subject]
    return key


def _keys_of(db: Session, keyring: Keyring, subjects: Iterable[Subject]) -> dict[Subject, Secret]:
    # Columns, not objects: a session that remembered the row would still open what another has erased.
    rows = db.execute(
        sa.select(
            SealedKey.subject_type, SealedKey.subject_id, SealedKey.key_version, SealedKey.wrapped
        ).where(
            sa.tuple_(SealedKey.subject_type, SealedKey.subject_id).in_(
                [(subject.type, subject.id) for subject in subjects]
            )
        )
    )
    found = ((Subject(row.subject_type, row.subject_id), row) for row in rows)
    return {subject: _unwrap(keyring, subject, row.key_version, row.wrapped) for subject, row in found}


def _wrap(keyring: Keyring, subject: Subject, key: Secret) -> bytes:
    return _encrypt(keyring.wrapping.current_key, _wrapping_place(subject, keyring.wrapping.current), key)


def _unwrap(keyring: Keyring, subject: Subject, version: int, wrapped: bytes) -> Secret:
    wrapping_key = keyring.wrapping.by_version.get(version)
    if wrapping_key is None:
        raise CannotOpen(f"the keyring has no wrapping key of version {version}")
    return Secret(_decrypt(wrapping_key, _wrapping_place(subject, version), wrapped))


def _place(table: str, column: str, row: UUID | str) -> str:
    return f"{table}.{column}.{row}"


def _wrapping_place(subject: Subject, version: int) -> str:
    return f"sealed_key.{subject.type}.{subject.id}.{version}"


def _encrypt(key: Secret, place: str, plain: bytes) -> bytes:
    nonce = secrets.token_bytes(NONCE_BYTES)
    return HEADER + nonce + AESGCM(key).encrypt(nonce, plain, HEADER + place.encode())


def _decrypt(key: Secret, place: str, sealed: bytes) -> bytes:
    header, rest = sealed[: len(HEADER)], sealed[len(HEADER) :]
    if header != HEADER:
        raise CannotOpen(f"{place}: not a value sealed by this program (header {header.hex() or 'missing'})")
    nonce, encrypted = rest[:NONCE_BYTES], rest[NONCE_BYTES:]
    try:
        return AESGCM(key).decrypt(nonce, encrypted, header + place.encode())
    except (InvalidTag, ValueError):
        raise CannotOpen(f"{place}: altered, sealed for another place, or under a key since erased") from None


# --------------------------------------------------------------------------------------------------------
# Finding and proving without showing


class BlindIndex(NamedTuple):
    """What stands in the identifier group: the scheme with its key's version, and 128 bits."""

    scheme: str
    digest: bytes


def blind_index(keyring: Keyring, purpose: str, kind: str, value: str) -> BlindIndex:
    """The index under the current key, as in ``("document:v1", …)``. Equal values give equal indexes.

    Keyed, because the resident ids of a city are few enough to try them all against a plain hash.
    """
    return _blind_index(keyring, keyring.index.current, purpose, kind, value)


def blind_indexes(keyring: Keyring, purpose: str, kind: str, value: str) -> list[BlindIndex]:
    """One index per live key, the current first: look for all of them while keys are being changed."""
    return [_blind_index(keyring, version, purpose, kind, value) for version in keyring.index.versions]


def _blind_index(keyring: Keyring, version: int, purpose: str, kind: str, value: str) -> BlindIndex:
    # Twice, because some capitals of letters with accents come apart.
    normalised = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", value).upper())
    message = "\x1f".join((purpose, kind, normalised)).encode()
    digest = hmac.digest(keyring.index.by_version[version], message, hashlib.sha256)
    return BlindIndex(f"{purpose}:v{version}", digest[:INDEX_BYTES])


def new_salt() -> Secret:
    """Salt for one commitment. It is kept sealed under the subject's key, so that both die together."""
    return Secret(secrets.token_bytes(SALT_BYTES))


def commitment(salt: bytes, plain: Any) -> str:
    """SHA-256 over the salt and the canonical JSON (RFC 8785) of ``plain``, in hex.

    It stands in the evidence in place of the data: it proves them to who is shown data and salt, and tells
    nothing to anybody else.
    """
    if len(salt) != SALT_BYTES:
        raise ValueError(f"expected a salt of {SALT_BYTES} bytes, got {len(salt)}")
    return hashlib.sha256(bytes(salt) + rfc8785.dumps(plain)).hexdigest()


# --------------------------------------------------------------------------------------------------------
# Masks: what is shown until a deed with a reason reveals the rest


# Not the 巷 of a town called 赵巷镇, nor of a 巷口路.
_LANE = re.compile(r"(?:弄|巷|胡同)(?!.{0,2}(?:镇|乡|街道|村|路))")
_HOUSE = re.compile(
    r"\d+(?!\d)(?!\s*(?:弄|巷|胡同))|[零一二三四五六七八九十百]+\s*(?=号|室|幢|栋|座|单元|楼|层)"
)
_SETTLEMENT = re.compile(r".*(?:区|街道|镇|乡|村)")


def mask_name(name: str) -> str:
    """``张三`` → ``张*``. The first character, and never more than two stars."""
    name = name.strip()
    return name[:1] + "*" * min(max(len(name) - 1, 1), 2) if name else ""


def mask_document(number: str) -> str:
    """``310…(18)`` → first 3 and last 4; a shorter number shows less."""
    if len(number) >= 15:
        return _mask(number, 3, 4)
    return _mask(number, 1, 2) if len(number) >= 7 else "*" * len(number)


def mask_phone(phone: str) -> str:
    """``138****5678``; a shorter number shows its last two digits only."""
    return (
        _mask(phone, 3, 4)
        if len(phone) >= 11
        else _mask(phone, 0, 2)
        if len(phone) >= 6
        else "*" * len(phone)
    )


def mask_address(address: str) -> str:
    """To the lane: ``上海市长宁区华阳路100弄12号304室`` → ``上海市长宁区华阳路100弄***``."""
    lane = _LANE.search(address)
    house = _HOUSE.search(address)
    ends = [
        match_end for match_end in (lane and lane.end(), house and house.start()) if match_end is not None
    ]
    if ends:
        return address[: min(ends)].rstrip() + "***"
    settled = _SETTLEMENT.match(address)
    return (settled.group() if settled else "") + "***"


def _mask(text: str, first: int, last: int) -> str:
    return text[:first] + "*" * (len(text) - first - last) + text[len(text) - last :]
