"""Who the sample's users are. Nobody: every name, number and phone is made so that no person can have it.

    names      a surname, 样例, and a number
    resident   area 319999, which GB/T 2260 cannot assign (see ``places.UNASSIGNED_AREA``)
    permit     residence permits of Hong Kong, Macao and Taiwan exist since 2018; the sample's are for births
               in 1904 and 1905, with the serial number 000
    foreign    province 31 with country number 999, which ISO 3166 leaves to private use
    passport   begins with SAMPLE
    other      says 样字
    phones     eleven digits from 100, a range in which no mobile number begins

All of them pass our own validators, check digits included. Pure functions of a seed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random

from registry.documents import DocumentKind, resident_check_digit
from sample.places import SEED, UNASSIGNED_AREA, SamplePremises

SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林罗高"
_OLDEST, _YOUNGEST = date(1936, 1, 1), date(2004, 12, 31)

# One in so many registrants shows something other than a resident id, each kind in turn.
_OTHER_DOCUMENT_EVERY = 37
_OTHER_KINDS = tuple(kind for kind in DocumentKind if kind is not DocumentKind.RESIDENT_ID)


@dataclass(frozen=True, slots=True)
class SamplePerson:
    """The registrant of the user with the same ``number``; a business's is the agent who signs for it."""

    number: int
    name: str = field(repr=False)
    phone: str = field(repr=False)
    document_kind: DocumentKind
    document_number: str = field(repr=False)
    born_on: date | None = field(repr=False)


def registrants(places: Sequence[SamplePremises], seed: int = SEED) -> tuple[SamplePerson, ...]:
    """One for each place, in the same order."""
    return tuple(person(place.number, seed) for place in places)


def person(number: int, seed: int = SEED) -> SamplePerson:
    """The same number is the same person, whoever else there is."""
    random = Random(f"person {number} {seed}")
    kind = DocumentKind.RESIDENT_ID
    if number % _OTHER_DOCUMENT_EVERY == 0:
        kind = _OTHER_KINDS[number // _OTHER_DOCUMENT_EVERY % len(_OTHER_KINDS)]
    document_number, born_on = _document(random, kind, number)
    return SamplePerson(
        number=number,
        name=sample_name(random, number),
        phone=sample_phone(number),
        document_kind=kind,
        document_number=document_number,
        born_on=born_on,
    )


def sample_name(random: Random, number: int) -> str:
    return f"{random.choice(SURNAMES)}样例{number:03}"


def sample_phone(number: int) -> str:
    return f"100{number:08}"


def _document(random: Random, kind: DocumentKind, number: int) -> tuple[str, date | None]:
    """The number, and the day of birth where it holds one."""
    if kind is DocumentKind.PASSPORT:
        return f"SAMPLE{number:06}", None
    if kind is DocumentKind.OTHER:
        return f"样字第{number:06}号", None
    if kind is DocumentKind.HK_MACAO_TW_PERMIT:
        born_on = _day_between(random, date(1904, 7, 1), date(1905, 12, 31))
        return _numbered("810000", born_on, 0), born_on
    born_on = _day_between(random, _OLDEST, _YOUNGEST)
    area = "931999" if kind is DocumentKind.FOREIGN_PR else UNASSIGNED_AREA
    return _numbered(area, born_on, number % 1000), born_on


def _numbered(area: str, born_on: date, serial: int) -> str:
    first_17 = f"{area}{born_on:%Y%m%d}{serial:03}"
    return first_17 + resident_check_digit(first_17)


def _day_between(random: Random, first: date, last: date) -> date:
    return first + timedelta(days=random.randrange((last - first).days + 1))
