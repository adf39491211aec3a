"""Verbs: who may do what, where, and from when to when. The token is seen once, when it is made."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa

from core import sessions
from core.auth import ApiToken, Grant, Role, ScopeKind, issue_token
from core.doing import Doing
from core.ids import new_id
from core.problems import NotFound, WrongField
from evidence.deed import Answer, Deed, does, run
from evidence.models import SubjectType
from registry.letting_models import Letting
from registry.mentions import named, unknown
from registry.models import Account, Firm, InspectionAgency, Person, Site, Staff, StaffKind
from registry.proxy_models import ProxyConsent

SCOPES: dict[Role, frozenset[ScopeKind]] = {
    Role.RESIDENT: frozenset({ScopeKind.PERSON}),
    Role.COURIER: frozenset({ScopeKind.COURIER}),
    Role.FILLER: frozenset({ScopeKind.SITE}),
    Role.CLERK: frozenset({ScopeKind.FIRM, ScopeKind.SITE}),
    Role.DISPATCHER: frozenset({ScopeKind.FIRM, ScopeKind.DISTRICT}),
    Role.REGULATOR: frozenset({ScopeKind.DISTRICT, ScopeKind.STREET}),
    Role.AGENCY: frozenset({ScopeKind.AGENCY}),
    Role.ADMINISTRATOR: frozenset({ScopeKind.ALL, ScopeKind.DISTRICT}),
}
"""Within what a role can be given; a role within another scope would reach nothing, or too much."""


@dataclass(frozen=True, slots=True)
class Given:
    """``token`` is None when the request was a repeat: it was shown once and is not known to us."""

    grant_id: UUID
    principal_id: UUID
    token: str | None


def give_grant(
    doing: Doing,
    *,
    role: Role,
    scope_kind: ScopeKind,
    scope_code: str,
    home_district: int,
    label: str,
    principal_id: UUID | None = None,
    until_at: datetime | None = None,
) -> Given:
    """Give a role within a scope, to a new principal or to one that has grants, with a new token."""
    token: str | None = None

    def give(deed: Deed) -> Answer:
        # The token stays out of the answer: answers are kept, for saying them again.
        nonlocal token
        if not deed.actor.reach.covers(district=home_district):
            raise unknown("/home_district")
        _scope_must_exist(deed, role, scope_kind, scope_code, home_district)
        if until_at is not None and until_at <= deed.recorded_at:
            raise WrongField("/until_at", "past", "应为将来的时间", "expected an instant still to come")
        grant = Grant(
            id=new_id(),
            principal_id=_principal(deed, principal_id, scope_kind, scope_code),
            role=role,
            scope_kind=scope_kind,
            scope_code=scope_code,
            home_district=home_district,
            from_at=deed.recorded_at,
            until_at=until_at,
        )
        deed.about(SubjectType.REGISTER, str(deed.district))
        deed.note(
            grant_id=grant.id,
            principal_id=grant.principal_id,
            role=role,
            scope_kind=scope_kind,
            scope_code=scope_code,
            home_district=home_district,
            until_at=until_at,
        )
        deed.db.add(grant)
        token = issue_token(deed.db, grant.principal_id, label, until_at)
        return {"grant_id": str(grant.id), "principal_id": str(grant.principal_id)}

    answer = run(doing, "grant.give", give)
    shown = None if doing.replayed else token
    return Given(UUID(answer["grant_id"]), UUID(answer["principal_id"]), shown)


@does("grant.end")
def end_grant(deed: Deed, grant_id: UUID) -> Answer:
    """From this instant the grant gives nothing. Tokens of a principal left without grants are revoked."""
    grant = deed.db.get(Grant, grant_id, with_for_update=True)
    if grant is None or not _is_over(deed, grant):
        raise NotFound
    deed.about(SubjectType.REGISTER, str(deed.district))
    deed.note(grant_id=grant.id, principal_id=grant.principal_id)
    now = deed.recorded_at
    if grant.until_at is None or grant.until_at > now:
        # A grant lasts a microsecond at least, also when the clock has not moved since it was given.
        grant.until_at = max(now, grant.from_at + timedelta(microseconds=1))
    deed.db.flush()
    if not _has_grants(deed, grant.principal_id):
        deed.db.execute(
            sa.update(ApiToken)
            .where(ApiToken.principal_id == grant.principal_id, ApiToken.revoked_at.is_(None))
            .values(revoked_at=now)
        )
    return {"grant_id": str(grant.id)}


def end_rights(deed: Deed, principal_id: UUID) -> None:
    """Whoever this was acts no more: every grant ends now, every token and session with it."""
    until = deed.recorded_at + timedelta(microseconds=1)
    deed.db.execute(
        sa.update(Grant)
        .where(
            Grant.principal_id == principal_id,
            Grant.from_at < until,
            sa.or_(Grant.until_at.is_(None), Grant.until_at > until),
        )
        .values(until_at=until)
    )
    deed.db.execute(
        sa.update(ApiToken)
        .where(ApiToken.principal_id == principal_id, ApiToken.revoked_at.is_(None))
        .values(revoked_at=deed.recorded_at)
    )
    sessions.end_all(deed.db, principal_id)


def _is_over(deed: Deed, grant: Grant) -> bool:
    """A district's administrator is over the district's grants, and over none that reaches everything."""
    if grant.scope_kind is ScopeKind.ALL:
        return deed.actor.reach.kind is ScopeKind.ALL
    return deed.actor.reach.covers(district=grant.home_district)


def _has_grants(deed: Deed, principal_id: UUID) -> bool:
    later = deed.recorded_at + timedelta(microseconds=1)
    standing = sa.select(Grant.id).where(
        Grant.principal_id == principal_id, sa.or_(Grant.until_at.is_(None), Grant.until_at > later)
    )
    return deed.db.scalars(standing.limit(1)).first() is not None


def _principal(deed: Deed, given: UUID | None, kind: ScopeKind, code: str) -> UUID:
    """A resident is the principal of its own file; otherwise the one given, or a new one.

    The token made here opens every grant its principal has: a principal may be given one more only by who
    is over all of them.
    """
    if kind is ScopeKind.PERSON:
        own = named(deed.db.get(Person, UUID(code)), "/scope_code").principal_id
        if given not in (None, own):
            raise unknown("/principal_id")
        if not all(_is_over(deed, grant) for grant in _grants_of(deed, own)):
            raise unknown("/scope_code")
        return own
    if given is None:
        return new_id()
    grants = _grants_of(deed, given)
    if not grants or not all(_is_over(deed, grant) for grant in grants):
        raise unknown("/principal_id")
    return given


def _grants_of(deed: Deed, principal_id: UUID) -> list[Grant]:
    return list(deed.db.scalars(sa.select(Grant).where(Grant.principal_id == principal_id)))


def _scope_must_exist(deed: Deed, role: Role, kind: ScopeKind, code: str, home_district: int) -> None:
    """A role may be given only within its kinds of scope, and the scope must be there and the giver's.

    A firm is administered where it is at home, a site there and where it stands.
    """
    over = deed.actor.reach.covers
    if kind not in SCOPES[role]:
        expected = ", ".join(sorted(SCOPES[role]))
        raise WrongField(
            "/scope_kind", "scope", f"该角色的范围应为:{expected}", f"expected one of: {expected}"
        )
    match kind:
        case ScopeKind.ALL:
            if not over():
                raise unknown("/scope_kind")
            is_there = code == ""
        case ScopeKind.DISTRICT:
            is_there = code == str(home_district)
        case ScopeKind.STREET:
            is_there = code.startswith(str(home_district)) and code != str(home_district)
        case ScopeKind.FIRM:
            firm = deed.db.get(Firm, _id(code))
            is_there = firm is not None and over(district=firm.home_district)
        case ScopeKind.SITE:
            site = deed.db.get(Site, _id(code))
            is_there = site is not None and (
                over(district=site.district)
                or over(district=deed.db.get_one(Firm, site.firm_id).home_district)
            )
        case ScopeKind.COURIER:
            courier = deed.db.get(Staff, (home_district, _id(code)))
            is_there = courier is not None and courier.kind is StaffKind.COURIER
        case ScopeKind.PERSON:
            is_there = deed.db.get(Person, _id(code)) is not None and (
                over() or _is_at_home(deed, _id(code), home_district)
            )
        case ScopeKind.AGENCY:
            is_there = deed.db.get(InspectionAgency, _id(code)) is not None
    if not is_there:
        raise unknown("/scope_code")


def _is_at_home(deed: Deed, person_id: UUID, district: int) -> bool:
    """By an account there, as the proxy of somebody who has one, or as their landlord."""
    held = sa.exists().where(Account.district == district, Account.person_id == person_id)
    named_for = sa.exists().where(ProxyConsent.district == district, ProxyConsent.proxy_id == person_id)
    lets = sa.exists().where(Letting.district == district, Letting.landlord_id == person_id)
    return bool(deed.db.scalar(sa.select(sa.or_(held, named_for, lets))))


def _id(code: str) -> UUID:
    try:
        return UUID(code)
    except ValueError:
        raise unknown("/scope_code") from None
