"""Until when people's data are held (rule N03): reads for the daily job, and for whoever asks to be erased.

    had to do with gas    the months after the last of it was over: a home closed or passed on, acted for, let
    never had             the shorter months after they were last identified

Nobody is due while something of theirs is open, or while somebody waits for them: to take a home over, to say
whether they act for another; nor while a room above has something of theirs to decide (``holds``).
"""

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import clock, sealed
from core.sealed import SubjectType as SealedSubject
from evidence.deed import Deed
from evidence.models import Entry, Link, SubjectType
from registry.letting_models import Letting
from registry.models import Account, Household, IdentityCheck, Person, PersonPhone
from registry.proxy_models import ProxyConsent
from registry.states import AccountState, ProxyState, SuccessionState
from registry.succession_models import FormerHolder, Succession
from rulebook import current

MOST_AT_ONCE = 500

Hold = Callable[[sa.SQLColumnExpression[UUID]], sa.ColumnElement[bool]]
_holds: list[Hold] = []


def holds(undecided: Hold) -> Hold:
    """A room above says what of a person it has not decided: the tables are its own, and it knows them."""
    _holds.append(undecided)
    return undecided


def months_after(day: date, months: int) -> date:
    """The same day of a later month; its last where it has no such day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    following = date(year + (month == 11), (month + 1) % 12 + 1, 1)
    return min(date(year, month + 1, 1) + timedelta(days=day.day - 1), following - timedelta(days=1))


def term_ends_on(deed: Deed, person: Person) -> date:
    """By the rules of the deed's place and day."""
    ties, checks = _ties().subquery(), IdentityCheck.checked_at
    own = sa.select(sa.func.max(ties.c.over_at)).where(ties.c.person_id == person.person_id)
    over, rule = deed.db.scalar(own), "N03.keep_months"
    if over is None:
        seen = sa.select(sa.func.max(checks)).where(IdentityCheck.person_id == person.person_id)
        over, rule = deed.db.scalar(seen) or person.recorded_at, "N03.unused_months"
    months = _months(rule, deed.district, clock.day_of(deed.recorded_at))
    return months_after(clock.day_of(over), months or 0)


def is_awaited(db: Session, person_id: UUID) -> bool:
    free = sa.select(Person.person_id).where(Person.person_id == person_id, _is_free(Person.person_id))
    return db.scalars(free).first() is None


def is_undecided(db: Session, person_id: UUID) -> bool:
    """A home is to pass to them, or something of theirs is to be decided: that comes before erasing them.

    Being named by another does not: nobody keeps a person on file by naming them.
    """
    person = sa.select(Person.person_id).where(Person.person_id == person_id)
    return db.scalars(person.where(_has_undecided(Person.person_id))).first() is not None


def due_for_erasure(db: Session, today: date) -> Iterator[tuple[int, UUID]]:
    """The district where it is done, and the person."""
    for district in _districts_of_ties(db):
        for person_id in due_in(db, district, today):
            yield district, person_id
    yield from _never_tied(db, today)


def due_in(db: Session, district: int, today: date) -> list[UUID]:
    """People of this district who hold nothing open anywhere, and whose last tie to gas is over for the term
    and more."""
    months = _months("N03.keep_months", district, today)
    if months is None:
        return []
    cutoff = clock.at(months_after(today, -months) + timedelta(days=1))
    ties = _ties().subquery()
    holds_open = sa.exists().where(
        Account.person_id == ties.c.person_id, Account.state != AccountState.CLOSED
    )
    query = (
        sa.select(ties.c.person_id)
        .join(sealed.SealedKey, _key_of(ties.c.person_id))
        .where(~holds_open, _is_free(ties.c.person_id))
        .group_by(ties.c.person_id)
        .having(sa.func.bool_or(ties.c.district == district), sa.func.max(ties.c.over_at) < cutoff)
        .order_by(ties.c.person_id)
        .limit(MOST_AT_ONCE)
    )
    return list(db.scalars(query))


def _never_tied(db: Session, today: date) -> list[tuple[int, UUID]]:
    """Registered, and nothing came of it. The district is where they were: it stands in their chain alone."""
    ties = _ties().subquery()
    has_account = sa.exists().where(Account.person_id == Person.person_id)
    is_tied = sa.exists().where(ties.c.person_id == Person.person_id)
    last = sa.func.coalesce(sa.func.max(IdentityCheck.checked_at), Person.recorded_at)
    begun = sa.and_(
        Link.subject_type == SubjectType.PERSON,
        Link.subject_key == sa.cast(Person.person_id, sa.Text),
        Link.seq == 1,
    )
    rows = db.execute(
        sa.select(Entry.district, Person.person_id, last)
        .join(sealed.SealedKey, _key_of(Person.person_id))
        .join(IdentityCheck, IdentityCheck.person_id == Person.person_id, isouter=True)
        .join(Link, begun)
        .join(Entry, Entry.id == Link.entry_id)
        .where(~has_account, ~is_tied, _is_free(Person.person_id))
        .group_by(Entry.district, Person.person_id)
        .order_by(last, Person.person_id)
    )
    due = ((district, person) for district, person, seen in rows if _is_unused(district, seen, today))
    return [one for one, _ in zip(due, range(MOST_AT_ONCE), strict=False)]


def _is_unused(district: int, last: datetime, today: date) -> bool:
    months = _months("N03.unused_months", district, today)
    return months is not None and months_after(clock.day_of(last), months) <= today


def _months(rule: str, district: int, day: date) -> int | None:
    found = current().look(rule, str(district), day)
    return found.value if found is not None and isinstance(found.value, int) else None


def _key_of(person_id: sa.SQLColumnExpression[UUID]) -> sa.ColumnElement[bool]:
    """Who has none was erased."""
    key = sealed.SealedKey
    return sa.and_(key.subject_type == SealedSubject.PERSON, key.subject_id == person_id)


def _is_free(person_id: sa.SQLColumnExpression[UUID]) -> sa.ColumnElement[bool]:
    """Nothing of theirs is undecided, and nobody asked that whoever has their number act for them."""
    is_named = (
        sa.exists()
        .where(PersonPhone.person_id == person_id)
        .where(
            ProxyConsent.phone_scheme == PersonPhone.scheme,
            ProxyConsent.phone_index == PersonPhone.value,
            ProxyConsent.state == ProxyState.NAMED,
            ProxyConsent.valid_until >= clock.today(),
        )
    )
    return sa.and_(~_has_undecided(person_id), ~is_named)


def _has_undecided(person_id: sa.SQLColumnExpression[UUID]) -> sa.ColumnElement[bool]:
    takes_over = sa.exists().where(
        Succession.to_person_id == person_id, Succession.state == SuccessionState.ASKED
    )
    return sa.or_(takes_over, *(undecided(person_id) for undecided in _holds))


def _districts_of_ties(db: Session) -> list[int]:
    of_proxies = sa.select(ProxyConsent.district).where(ProxyConsent.proxy_id.is_not(None))
    return sorted(db.scalars(sa.union(sa.select(Account.district), of_proxies, sa.select(Letting.district))))


def _ties() -> sa.CompoundSelect[Any]:
    """What people had to do with gas, and since when no more: homes closed, accounts passed to another,
    others' homes acted for, homes let. What has a day still to come is not over."""
    is_standing = ProxyConsent.state == ProxyState.AGREED
    return sa.union_all(
        sa.select(Account.person_id, Account.district, Household.closed_at.label("over_at"))
        .join(
            Household, sa.and_(Household.district == Account.district, Household.id == Account.household_id)
        )
        .where(Account.state == AccountState.CLOSED),
        sa.select(FormerHolder.person_id, FormerHolder.district, FormerHolder.until_at),
        sa.select(
            ProxyConsent.proxy_id,
            ProxyConsent.district,
            sa.case(
                (is_standing, _begins(ProxyConsent.valid_until)),
                else_=sa.func.coalesce(ProxyConsent.ended_at, ProxyConsent.answered_at),
            ),
        ).where(ProxyConsent.proxy_id.is_not(None)),
        sa.select(
            Letting.landlord_id, Letting.district, sa.func.least(Letting.ended_at, _begins(Letting.until_on))
        ),
    )


def _begins(day: sa.orm.InstrumentedAttribute[date]) -> sa.Function[Any]:
    return sa.func.timezone("Asia/Shanghai", sa.cast(day, sa.TIMESTAMP))
