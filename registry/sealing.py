"""The registry's few columns of personal data, and the words they are found by.

    person      name, phone, salt       sealed under (person, id)
    identity    document number         sealed under (person, id)
    request     how it should read      sealed under (person, id)
    household   address                 sealed under (household, id)
    staff       name, phone             sealed under (staff, id)

Documents, addresses and telephones are found by keyed blind indexes, never by their text.
"""

import re
import unicodedata
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from core.ground import Ground
from core.sealed import (
    BlindIndex,
    SealedValue,
    Subject,
    SubjectType,
    blind_index,
    blind_indexes,
    open_many,
    seal,
)
from registry.documents import DocumentFacts
from registry.models import Household, IdentityCheck, Person, Staff
from registry.privacy_models import PrivacyRequest


def seal_person(db: Session, ground: Ground, person_id: UUID, column: str, text: str) -> bytes:
    return seal(db, ground.keyring, _person(person_id), "person", column, person_id, text)


def seal_number(db: Session, ground: Ground, person_id: UUID, check_id: UUID, number: str) -> bytes:
    return seal(db, ground.keyring, _person(person_id), "identity_check", "number_sealed", check_id, number)


def seal_request(db: Session, ground: Ground, request: PrivacyRequest, said: str) -> bytes:
    subject = _person(request.person_id)
    return seal(db, ground.keyring, subject, "privacy_request", "said_sealed", request.id, said)


def seal_former(db: Session, ground: Ground, request: PrivacyRequest, phone: str) -> bytes:
    subject = _person(request.person_id)
    return seal(db, ground.keyring, subject, "privacy_request", "former_sealed", request.id, phone)


def seal_address(db: Session, ground: Ground, household_id: UUID, address: str) -> bytes:
    subject = Subject(SubjectType.HOUSEHOLD, household_id)
    return seal(db, ground.keyring, subject, "household", "address_sealed", household_id, address)


def seal_staff(db: Session, ground: Ground, staff_id: UUID, column: str, text: str) -> bytes:
    return seal(db, ground.keyring, Subject(SubjectType.STAFF, staff_id), "staff", column, staff_id, text)


def name_of(person: Person) -> SealedValue:
    return SealedValue(
        _person(person.person_id), "person", "name_sealed", person.person_id, person.name_sealed
    )


def phone_of(person: Person) -> SealedValue:
    return SealedValue(
        _person(person.person_id), "person", "phone_sealed", person.person_id, person.phone_sealed
    )


def salt_of(person: Person) -> SealedValue:
    return SealedValue(
        _person(person.person_id), "person", "salt_sealed", person.person_id, person.salt_sealed
    )


def number_of(check: IdentityCheck) -> SealedValue:
    return SealedValue(
        _person(check.person_id), "identity_check", "number_sealed", check.id, check.number_sealed
    )


def said_of(request: PrivacyRequest) -> SealedValue:
    subject = _person(request.person_id)
    return SealedValue(subject, "privacy_request", "said_sealed", request.id, request.said_sealed or b"")


def former_of(request: PrivacyRequest) -> SealedValue:
    subject = _person(request.person_id)
    return SealedValue(subject, "privacy_request", "former_sealed", request.id, request.former_sealed or b"")


def address_of(household: Household) -> SealedValue:
    subject = Subject(SubjectType.HOUSEHOLD, household.id)
    return SealedValue(subject, "household", "address_sealed", household.id, household.address_sealed)


def staff_name_of(staff: Staff) -> SealedValue:
    return SealedValue(
        Subject(SubjectType.STAFF, staff.id), "staff", "name_sealed", staff.id, staff.name_sealed
    )


def staff_phone_of(staff: Staff) -> SealedValue:
    return SealedValue(
        Subject(SubjectType.STAFF, staff.id), "staff", "phone_sealed", staff.id, staff.phone_sealed
    )


def opened(db: Session, ground: Ground, value: SealedValue) -> str | None:
    """The text; None where its subject was erased."""
    return open_many(db, ground.keyring, [value])[0]


def all_opened(db: Session, ground: Ground, values: Sequence[SealedValue]) -> list[str | None]:
    """The texts in order, with one query; None where a subject was erased."""
    return open_many(db, ground.keyring, values)


def document_index(ground: Ground, document: DocumentFacts) -> BlindIndex:
    """The index under the current key: how a document is written down."""
    return blind_index(ground.keyring, "document", document.kind, document.normalised)


def document_indexes(ground: Ground, document: DocumentFacts) -> list[BlindIndex]:
    """The indexes under every live key: how a document is looked for."""
    return blind_indexes(ground.keyring, "document", document.kind, document.normalised)


def address_index(ground: Ground, address: str) -> BlindIndex:
    return blind_index(ground.keyring, "address", "premises", plain_address(address))


def address_indexes(ground: Ground, address: str) -> list[BlindIndex]:
    return blind_indexes(ground.keyring, "address", "premises", plain_address(address))


def phone_index(ground: Ground, phone: str) -> BlindIndex:
    return blind_index(ground.keyring, "phone", "person", plain_phone(phone))


def phone_indexes(ground: Ground, phone: str) -> list[BlindIndex]:
    return blind_indexes(ground.keyring, "phone", "person", plain_phone(phone))


def plain_phone(phone: str) -> str:
    """One number, one text: digits alone, without the country's +86 before them."""
    folded = "".join(unicodedata.normalize("NFKC", phone).split())
    return re.sub(r"[^0-9]", "", re.sub(r"^(?:\+|00)86", "", folded))


def plain_address(address: str) -> str:
    """One address, one text: NFKC, no white space. Two spellings of a street stay two addresses."""
    return "".join(unicodedata.normalize("NFKC", address).split())


def plain_name(name: str) -> str:
    """How two spellings of a name are compared: NFKC, no white space, no capitals, one middle dot."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return "".join("·" if mark in "・•‧∙⋅" else mark for mark in folded if not mark.isspace())


def _person(person_id: UUID) -> Subject:
    return Subject(SubjectType.PERSON, person_id)
