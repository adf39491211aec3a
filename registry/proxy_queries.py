"""Reads of consents: what the rooms above ask, then what people see of those they gave and have."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import clock
from core.auth import Actor, Role, ScopeKind
from core.doing import Doing
from core.ground import Ground
from core.problems import NotFound
from core.sealed import mask_address, mask_name
from registry import sealing
from registry.household_file_queries import files_of
from registry.models import Household, Person, PersonPhone
from registry.proxies import OPEN
from registry.proxy_models import ProxyConsent
from registry.queries import BookingParty, booking_party, party_within_reach, reach_of
from registry.states import AccountState, ProxyState
from registry.stops import stopped_among

MOST_SHOWN = 100


class ProxyAct(StrEnum):
    BOOK = "book"
    RECEIVE = "receive"


# --------------------------------------------------------------------------------------------------------
# Exports


def proxy_of(actor: Actor) -> UUID | None:
    """As which person somebody acts who may be a proxy; None for everybody else."""
    return UUID(actor.reach.code) if actor.reach.kind is ScopeKind.PERSON else None


def stands(act: ProxyAct | None, day: date) -> sa.ColumnElement[bool]:
    """Agreed by both and in force on the day; for this act, where one is named."""
    allows = {
        None: sa.true(),
        ProxyAct.BOOK: ProxyConsent.may_book,
        ProxyAct.RECEIVE: ProxyConsent.may_receive,
    }[act]
    return sa.and_(
        ProxyConsent.state == ProxyState.AGREED,
        ProxyConsent.valid_from <= day,
        ProxyConsent.valid_until >= day,
        allows,
    )


def consent_between(db: Session, party: BookingParty, proxy_id: UUID) -> ProxyConsent | None:
    """The consent of the present registrant to this person: the one that was agreed to, else the latest."""
    if party.account is None:
        return None
    return db.scalars(
        sa.select(ProxyConsent)
        .where(
            ProxyConsent.district == party.household.district,
            ProxyConsent.household_id == party.household.id,
            ProxyConsent.person_id == party.account.person_id,
            ProxyConsent.proxy_id == proxy_id,
        )
        .order_by((ProxyConsent.state == ProxyState.AGREED).desc(), ProxyConsent.id.desc())
        .limit(1)
    ).first()


Home = tuple[UUID, UUID]
"""A household, and the registrant who ordered for it."""


def receivers(
    db: Session, district: int, homes: Collection[Home], day: date
) -> dict[Home, list[ProxyConsent]]:
    """Who may receive at each of these doors on the day, by the consent of that registrant."""
    query = sa.select(ProxyConsent).where(
        ProxyConsent.district == district,
        sa.tuple_(ProxyConsent.household_id, ProxyConsent.person_id).in_(homes),
        stands(ProxyAct.RECEIVE, day),
    )
    found: dict[Home, list[ProxyConsent]] = {home: [] for home in homes}
    for one in db.scalars(query.order_by(ProxyConsent.id)):
        found[one.household_id, one.person_id].append(one)
    return found


def might_receive(
    db: Session, district: int, home: Home, consent_id: UUID, earliest: datetime, latest: datetime
) -> bool:
    """Whether by this consent somebody might receive at that door through all of the span."""
    one = db.get(ProxyConsent, (district, consent_id))
    is_of_home = one is not None and (one.household_id, one.person_id) == home
    return one is not None and is_of_home and one.may_receive and held_through(one, earliest, latest)


def held_through(one: ProxyConsent, earliest: datetime, latest: datetime) -> bool:
    """A consent that has ended since held until it ended; one that was answered later did not hold yet.

    Where the span straddles either, it did not hold: the stricter.
    """
    if one.state not in (ProxyState.AGREED, ProxyState.ENDED):
        return False
    begun = one.answered_at is not None and one.answered_at <= earliest
    standing = one.ended_at is None or latest < one.ended_at
    days = one.valid_from <= clock.day_of(earliest) and clock.day_of(latest) <= one.valid_until
    return begun and standing and days


def receivers_masked(db: Session, ground: Ground, named: Iterable[ProxyConsent]) -> dict[UUID, str]:
    """Consent → whom to expect at the door, the name masked."""
    consents = [one for one in named if one.proxy_id is not None]
    people = [db.get_one(Person, one.proxy_id) for one in consents]
    names = sealing.all_opened(db, ground, [sealing.name_of(one) for one in people])
    return {one.id: mask_name(name) for one, name in zip(consents, names, strict=True) if name is not None}


def party_to_book_for(db: Session, actor: Actor, district: int, household_id: UUID) -> BookingParty:
    """The household, for whose people one acts or is named to book; 404 for anybody else."""
    party = booking_party(db, district, household_id)
    if party is None:
        raise NotFound
    if not actor.reach.covers(**reach_of(party)):
        proxy_id = proxy_of(actor)
        consent = consent_between(db, party, proxy_id) if proxy_id else None
        day = clock.today()
        if consent is None or consent.state is not ProxyState.AGREED or not consent.may_book:
            raise NotFound
        if not consent.valid_from <= day <= consent.valid_until:
            raise NotFound
    return party


def files_acted_for(doing: Doing) -> list[dict[str, Any]]:
    """The files, masked, of the homes one may book for today; their registrants' own are not among them."""
    proxy_id = proxy_of(doing.actor)
    if proxy_id is None:
        return []
    with doing.ground.sessions() as db:
        rows = db.scalars(
            sa.select(ProxyConsent)
            .where(
                ProxyConsent.district == doing.district,
                ProxyConsent.proxy_id == proxy_id,
                stands(ProxyAct.BOOK, clock.today()),
            )
            .order_by(ProxyConsent.id)
        ).all()
        parties = [(row, booking_party(db, doing.district, row.household_id)) for row in rows]
        standing = [
            party
            for row, party in parties
            if party is not None
            and party.account is not None
            and party.account.state is not AccountState.CLOSED
            and party.account.person_id == row.person_id
        ]
        return files_of(db, doing, standing)


# --------------------------------------------------------------------------------------------------------
# Reads of our own routes


@dataclass(frozen=True, slots=True)
class ConsentSeen:
    """``mine``: whether the reader gave it. Names and address are masked; a name nobody has yet is None."""

    row: ProxyConsent
    mine: bool
    giver_masked: str | None
    proxy_masked: str | None
    address_masked: str | None
    to_answer: bool

    @property
    def lapsed(self) -> bool:
        return self.row.state in OPEN and self.row.valid_until < clock.today()


def asked_to_act(doing: Doing) -> int:
    """How many wait for one's answer."""
    person_id = doing.actor.scope_id(ScopeKind.PERSON)
    with doing.ground.reads() as db:
        waiting = sa.and_(
            ProxyConsent.district == doing.district,
            _asked(person_id),
            ProxyConsent.valid_until >= clock.today(),
        )
        return db.scalar(sa.select(sa.func.count()).where(waiting)) or 0


def acts_for_others(doing: Doing) -> bool:
    """Whether one is named for any home today, to book or to receive."""
    held = ProxyConsent.proxy_id == doing.actor.scope_id(ScopeKind.PERSON)
    with doing.ground.reads() as db:
        standing = sa.exists().where(
            ProxyConsent.district == doing.district, held, stands(None, clock.today())
        )
        return bool(db.scalar(sa.select(standing)))


def _asked(person_id: UUID) -> sa.ColumnElement[bool]:
    phones = sa.select(PersonPhone.scheme, PersonPhone.value).where(PersonPhone.person_id == person_id)
    return sa.and_(
        ProxyConsent.state == ProxyState.NAMED,
        ProxyConsent.person_id != person_id,
        sa.tuple_(ProxyConsent.phone_scheme, ProxyConsent.phone_index).in_(phones),
    )


def own_consents(doing: Doing) -> list[ConsentSeen]:
    """Those one gave, has, or is asked for; open ones first."""
    return consents_about(doing, doing.actor.scope_id(ScopeKind.PERSON))


def consents_about(doing: Doing, person_id: UUID) -> list[ConsentSeen]:
    """Of one person, for them or for whoever hands them their copy; past ones too."""
    with doing.ground.sessions() as db:
        concerns = sa.or_(
            ProxyConsent.person_id == person_id, ProxyConsent.proxy_id == person_id, _asked(person_id)
        )
        rows = db.scalars(
            sa.select(ProxyConsent)
            .where(ProxyConsent.district == doing.district, concerns)
            .order_by(ProxyConsent.state.in_(OPEN).desc(), ProxyConsent.id.desc())
            .limit(MOST_SHOWN)
        ).all()
        return _seen(db, doing, rows, person_id)


def consents_of(doing: Doing, household_id: UUID, *, most: int = MOST_SHOWN) -> list[ConsentSeen]:
    """Of one home, for whoever may read its file; no registrant sees an earlier one's."""
    with doing.ground.sessions() as db:
        party_within_reach(db, doing.actor, doing.district, household_id)
        resident = proxy_of(doing.actor)
        rows = db.scalars(
            sa.select(ProxyConsent)
            .where(
                ProxyConsent.district == doing.district,
                ProxyConsent.household_id == household_id,
                sa.true() if resident is None else ProxyConsent.person_id == resident,
            )
            .order_by(ProxyConsent.state.in_(OPEN).desc(), ProxyConsent.id.desc())
            .limit(most)
        ).all()
        return _seen(db, doing, rows, None)


def consent(doing: Doing, consent_id: UUID) -> ConsentSeen:
    """One, for whoever may see it; 404 for anybody else."""
    if doing.actor.role is Role.RESIDENT:
        seen = own_consents(doing)
    else:
        with doing.ground.reads() as db:
            row = db.get(ProxyConsent, (doing.district, consent_id))
        if row is None:
            raise NotFound
        seen = consents_of(doing, row.household_id)
    found = next((one for one in seen if one.row.id == consent_id), None)
    if found is None:
        raise NotFound
    return found


def _seen(db: Session, doing: Doing, rows: Iterable[ProxyConsent], reader: UUID | None) -> list[ConsentSeen]:
    rows = list(rows)
    people = {one for row in rows for one in (row.person_id, row.proxy_id) if one is not None}
    known = {one.person_id: one for one in db.scalars(sa.select(Person).where(Person.person_id.in_(people)))}
    names = sealing.all_opened(db, doing.ground, [sealing.name_of(one) for one in known.values()])
    masked = {one: name and mask_name(name) for one, name in zip(known, names, strict=True)}
    masked |= dict.fromkeys(stopped_among(db, people) - {reader})
    found = []
    for row in rows:
        home = db.get_one(Household, (row.district, row.household_id))
        address = sealing.opened(db, doing.ground, sealing.address_of(home))
        found.append(
            ConsentSeen(
                row=row,
                mine=row.person_id == reader,
                giver_masked=masked.get(row.person_id),
                proxy_masked=masked.get(row.proxy_id) if row.proxy_id else None,
                address_masked=address and mask_address(address),
                to_answer=reader is not None and row.state is ProxyState.NAMED and row.person_id != reader,
            )
        )
    return found
