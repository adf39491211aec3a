"""Verbs: changing the keys of the installation, a batch at a time. An operator's, by ``./lpg manage keys``.

    rotate    a new current key; the older ones stay, and what they sealed or indexed is still understood
    rewrap    every subject's key comes under the current wrapping key
    reindex   every document, telephone and address can be found by the current index key
    retire    an older key goes, once nothing needs it

While two index keys live, what is entered is written under both: a process that was started before the new
key finds it by the old one, and no document is registered twice. Each batch is a deed; whoever is killed in
the middle starts again, and what is done already is passed over.
"""

from collections.abc import Iterable, Sequence
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlalchemy.orm import Session

from core import clock, sealed
from core.db import table_of
from core.sealed import BlindIndex, Keyring, Purpose, SealedKey
from evidence.deed import Answer, Deed, does
from evidence.models import SubjectType
from registry import sealing
from registry.documents import WrongDocument, check_document
from registry.models import Household, IdentityCheck, Person, PersonDocument, PersonPhone, Premises

BATCH = 500


@does("keys.rotate")
def note_rotation(deed: Deed, *, purpose: Purpose, version: int) -> Answer:
    """That a key was made; the key itself stands in the keyring's file and nowhere else."""
    deed.about(SubjectType.REGISTER, str(deed.district))
    deed.note(purpose=purpose, version=version)
    return {"version": version}


@does("keys.rewrap")
def rewrap_batch(deed: Deed, *, batch: int = BATCH) -> Answer:
    done = sealed.rewrap(deed.db, deed.ground.keyring, batch)
    deed.about(SubjectType.REGISTER, str(deed.district))
    deed.note(version=deed.ground.keyring.wrapping.current, rewrapped=done)
    return {"done": done}


@does("keys.reindex_people")
def reindex_people(deed: Deed, *, after: UUID | None = None, batch: int = BATCH) -> Answer:
    """The next people by id: their documents and telephones under the current key, where they are not yet."""
    ids = list(
        deed.db.scalars(
            sa.select(Person.person_id)
            .where(sa.true() if after is None else Person.person_id > after)
            .order_by(Person.person_id)
            .limit(batch)
        )
    )
    written = _documents_again(deed, ids) + _phones_again(deed, ids)
    deed.about(SubjectType.REGISTER, str(deed.district))
    deed.note(version=deed.ground.keyring.index.current, looked_at=len(ids), written=written)
    return {"looked_at": len(ids), "written": written, "last": str(ids[-1]) if ids else None}


@does("keys.reindex_premises")
def reindex_premises(deed: Deed, *, after: UUID | None = None, batch: int = BATCH) -> Answer:
    """The next premises of the district. An address whose every household was erased keeps its old index."""
    current = sealing.address_index(deed.ground, "").scheme
    found = deed.db.execute(
        sa.select(Premises, Household)
        .join(
            Household, sa.and_(Household.district == Premises.district, Household.premises_id == Premises.id)
        )
        .where(
            Premises.district == deed.district,
            Premises.address_scheme != current,
            sa.true() if after is None else Premises.id > after,
        )
        .ext(distinct_on(Premises.id))
        .order_by(Premises.id, Household.closed_at.desc().nulls_first(), Household.id.desc())
        .limit(batch)
    ).all()
    texts = sealing.all_opened(deed.db, deed.ground, [sealing.address_of(row.Household) for row in found])
    known = [(row.Premises, text) for row, text in zip(found, texts, strict=True) if text is not None]
    for premises, text in known:
        index = sealing.address_index(deed.ground, text)
        premises.address_scheme, premises.address_index = index.scheme, index.digest
    deed.about(SubjectType.REGISTER, str(deed.district))
    deed.note(version=deed.ground.keyring.index.current, looked_at=len(found), written=len(known))
    last = str(found[-1].Premises.id) if found else None
    return {"looked_at": len(found), "written": len(known), "last": last}


@does("keys.retire")
def forget_old_indexes(deed: Deed, *, version: int) -> Answer:
    """The rows that only this index key can find; they have their like under the current one."""
    gone = 0
    for table in (PersonDocument, PersonPhone):
        scheme = f"{SCHEMES[table]}:v{version}"
        gone += len(
            deed.db.execute(sa.delete(table).where(table.scheme == scheme).returning(table.scheme)).all()
        )
    deed.about(SubjectType.REGISTER, str(deed.district))
    deed.note(purpose=Purpose.INDEX, version=version, gone=gone)
    return {"gone": gone}


SCHEMES: dict[type[PersonDocument] | type[PersonPhone], str] = {
    PersonDocument: "document",
    PersonPhone: "phone",
}


def still_needing(db: Session, keyring: Keyring, purpose: Purpose, version: int) -> int:
    """How many rows only the key of this version understands: with none left it may be retired.

    Of this room's purposes; whose labels need a label key, ``cylinders`` knows.
    """
    if purpose not in (Purpose.INDEX, Purpose.WRAPPING):
        raise ValueError(f"no row of this room is under a {purpose} key")
    if purpose is Purpose.WRAPPING:
        wrapped = sa.select(sa.func.count()).select_from(SealedKey).where(SealedKey.key_version == version)
        return db.scalar(wrapped) or 0
    at = sa.select(sa.func.count()).where(Premises.address_scheme == f"address:v{version}")
    current = keyring.index.current
    people = (_only_under(table, word, version, current) for table, word in SCHEMES.items())
    return (db.scalar(at) or 0) + sum(db.scalar(one) or 0 for one in people)


def _only_under(
    table: type[PersonDocument] | type[PersonPhone], word: str, version: int, current: int
) -> sa.Select[int]:
    """People with fewer rows under the current key than under that one."""

    def under(number: int) -> sa.ColumnElement[int]:
        return sa.func.count().filter(table.scheme == f"{word}:v{number}")

    short = sa.select(table.person_id).group_by(table.person_id).having(under(current) < under(version))
    return sa.select(sa.func.count()).select_from(short.subquery())


def districts_with_premises(db: Session) -> list[int]:
    return list(db.scalars(sa.select(Premises.district).distinct().order_by(Premises.district)))


def _documents_again(deed: Deed, ids: Sequence[UUID]) -> int:
    """Which of somebody's numbers count is what the index says now: a number that failed is not in it."""
    standing = _standing(deed.db, PersonDocument, ids)
    checks = deed.db.scalars(sa.select(IdentityCheck).where(IdentityCheck.person_id.in_(ids))).all()
    numbers = sealing.all_opened(deed.db, deed.ground, [sealing.number_of(one) for one in checks])
    day = clock.day_of(deed.recorded_at)
    missing: set[tuple[UUID, BlindIndex]] = set()
    for check, number in zip(checks, numbers, strict=True):
        if number is None:
            continue
        try:
            facts = check_document(check.document_kind, number, day)
        except WrongDocument:  # rules of numbers may tighten; what was taken once is not lost by that
            continue
        indexes = sealing.document_indexes(deed.ground, facts)
        if any((check.person_id, index) in standing for index in indexes):
            missing.update((check.person_id, index) for index in indexes)
    return _write(deed, PersonDocument, missing - standing)


def _phones_again(deed: Deed, ids: Sequence[UUID]) -> int:
    people = deed.db.scalars(sa.select(Person).where(Person.person_id.in_(ids))).all()
    numbers = sealing.all_opened(deed.db, deed.ground, [sealing.phone_of(person) for person in people])
    wanted = {
        (person.person_id, index)
        for person, number in zip(people, numbers, strict=True)
        if number is not None
        for index in sealing.phone_indexes(deed.ground, number)
    }
    return _write(deed, PersonPhone, wanted - _standing(deed.db, PersonPhone, ids))


def _standing(
    db: Session, table: type[PersonDocument] | type[PersonPhone], ids: Sequence[UUID]
) -> set[tuple[UUID, BlindIndex]]:
    rows = db.execute(sa.select(table.person_id, table.scheme, table.value).where(table.person_id.in_(ids)))
    return {(row.person_id, BlindIndex(row.scheme, row.value)) for row in rows}


def _write(
    deed: Deed,
    table: type[PersonDocument] | type[PersonPhone],
    missing: Iterable[tuple[UUID, BlindIndex]],
) -> int:
    """Somebody may register the same document at this moment: then it stands, and nothing is to do."""
    rows = [
        {
            "scheme": index.scheme,
            "value": index.digest,
            "person_id": person_id,
            "recorded_at": deed.recorded_at,
        }
        for person_id, index in sorted(missing)
    ]
    if rows:
        deed.db.execute(insert(table_of(table)).on_conflict_do_nothing(), rows)
    return len(rows)
