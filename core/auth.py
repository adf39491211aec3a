"""Who is asking: opaque tokens (only their SHA-256 is stored), dated grants with a scope, verbs.

A *principal* holds grants; a grant gives a *role* within a *scope* for a span of time. Each route names
its verb; one table (given by the application) says which role has which verb. Scope is judged row by
row: what a grant does not reach answers 404, as if it were not there.
"""

import hashlib
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from core import clock
from core.db import Base, Group, NewId, Sessions, grouped
from core.prepared import Prepared
from core.problems import NotFound
from core.refusal import Audience


class Role(StrEnum):
    RESIDENT = "resident"
    COURIER = "courier"
    FILLER = "filler"
    CLERK = "clerk"
    DISPATCHER = "dispatcher"
    REGULATOR = "regulator"
    AGENCY = "agency"
    ADMINISTRATOR = "administrator"


AUDIENCE = {
    Role.RESIDENT: Audience.RESIDENT,
    Role.COURIER: Audience.COURIER,
    Role.FILLER: Audience.STATION,
}


class ScopeKind(StrEnum):
    """What a grant reaches: rows that carry this id (or everything)."""

    ALL = "all"
    DISTRICT = "district"
    STREET = "street"
    FIRM = "firm"
    SITE = "site"
    COURIER = "courier"
    PERSON = "person"
    AGENCY = "agency"


class Grant(Base):
    """One role within one scope, for a span of time. ``home_district`` is where its holder's deeds file."""

    __tablename__ = "role_grant"
    __table_args__ = grouped(
        Group.REFERENCE,
        sa.CheckConstraint("until_at IS NULL OR until_at > from_at", name="span"),
        sa.Index("ix_role_grant_principal_id", "principal_id"),
    )

    id: Mapped[NewId]
    principal_id: Mapped[UUID]
    role: Mapped[Role]
    scope_kind: Mapped[ScopeKind]
    scope_code: Mapped[str]
    home_district: Mapped[int]
    from_at: Mapped[datetime]
    until_at: Mapped[datetime | None]


class ApiToken(Base):
    """A bearer token, known to us only by its hash."""

    __tablename__ = "api_token"
    __table_args__ = grouped(Group.EXEMPT)

    token_hash: Mapped[bytes] = mapped_column(primary_key=True)
    principal_id: Mapped[UUID]
    label: Mapped[str]
    issued_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


@dataclass(frozen=True, slots=True)
class Reach:
    """One grant as the request sees it."""

    role: Role
    kind: ScopeKind
    code: str
    home_district: int

    def acts_in(self, district: int) -> bool:
        """Whether this grant acts in the district at all; rows are judged one by one after that."""
        match self.kind:
            case ScopeKind.ALL:
                return True
            case ScopeKind.DISTRICT:
                return self.code == str(district)
            case ScopeKind.STREET:
                return self.code.startswith(str(district))
        return self.home_district == district

    def covers(self, **row: object) -> bool:
        """Whether a row with these ids (``firm=…, person=…, district=…``) lies in this scope."""
        if self.kind is ScopeKind.ALL:
            return True
        return self.kind.value in row and str(row[self.kind.value]) == self.code


@dataclass(frozen=True, slots=True)
class Actor:
    """The principal of this request, acting under one of its grants.

    ``key_district`` files its idempotency keys: the district of its first grant ever, so that a key means
    the same deed when another of its grants comes to act.
    """

    principal_id: UUID
    reach: Reach
    key_district: int
    grant_id: UUID | None = None

    @property
    def role(self) -> Role:
        return self.reach.role

    @property
    def district(self) -> int:
        return self.reach.home_district

    @property
    def audience(self) -> Audience:
        return AUDIENCE.get(self.role, Audience.OFFICE)

    def scope_id(self, kind: ScopeKind) -> UUID:
        """The id this actor is bound to (a courier's own staff id, a filler's site); 404 if it has none."""
        if self.reach.kind is not kind:
            raise NotFound
        return UUID(self.reach.code)

    def must_reach(self, **row: object) -> None:
        if not self.reach.covers(**row):
            raise NotFound


def hash_token(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def issue_token(db: Session, principal_id: UUID, label: str, expires_at: datetime | None = None) -> str:
    """Make a token; this return value is the only time it is seen."""
    token = "lpg_" + secrets.token_urlsafe(32)
    db.add(
        ApiToken(
            token_hash=hash_token(token),
            principal_id=principal_id,
            label=label,
            issued_at=clock.now(),
            expires_at=expires_at,
        )
    )
    return token


_AT = sa.bindparam("at", type_=sa.DateTime(timezone=True))
_IN_FORCE = sa.and_(Grant.from_at <= _AT, sa.or_(Grant.until_at.is_(None), Grant.until_at > _AT))
_GRANTS = sa.select(
    Grant.id.label("grant_id"),
    Grant.principal_id,
    Grant.role,
    Grant.scope_kind,
    Grant.scope_code,
    Grant.home_district,
    _IN_FORCE.label("in_force"),
)
GRANTS_OF_TOKEN = _GRANTS.join(ApiToken, ApiToken.principal_id == Grant.principal_id).where(
    ApiToken.token_hash == sa.bindparam("token_hash"),
    ApiToken.revoked_at.is_(None),
    sa.or_(ApiToken.expires_at.is_(None), ApiToken.expires_at > _AT),
)
_GRANTS_OF_PRINCIPAL = _GRANTS.where(Grant.principal_id == sa.bindparam("principal_id"))


_OF_TOKEN = Prepared(GRANTS_OF_TOKEN)


def grants_of_token(reads: Sessions, token_hash: bytes) -> Sequence[Any]:
    """Rows with every grant behind a token, in force or not; none when it is unknown, spent or revoked."""
    return _OF_TOKEN.ask(reads, token_hash=token_hash, at=clock.now())


def actors_of(reads: Sessions, token: str) -> list[Actor]:
    """Every grant now in force behind a token; empty when the token is unknown, spent or revoked."""
    return actors_in(grants_of_token(reads, hash_token(token)))


def actors_of_principal(db: Session, principal_id: UUID) -> list[Actor]:
    """Every grant now in force of somebody who is signed in."""
    found = db.execute(_GRANTS_OF_PRINCIPAL, {"principal_id": principal_id, "at": clock.now()})
    return actors_in(found.all())


def actors_in(rows: Sequence[Any]) -> list[Actor]:
    """Of rows with the columns of ``GRANTS_OF_TOKEN``, in any order; the oldest grant comes first."""
    grants = sorted({row.grant_id: row for row in rows}.values(), key=lambda row: row.grant_id)
    return [
        Actor(
            row.principal_id,
            Reach(row.role, row.scope_kind, row.scope_code, row.home_district),
            grants[0].home_district,
            row.grant_id,
        )
        for row in grants
        if row.in_force
    ]


def actor_of(db: Session, principal_id: UUID, grant_id: UUID | None) -> Actor | None:
    """Whoever asked for something, when it comes to be done later; None where the grant has ended."""
    at = clock.now()
    grants = db.scalars(sa.select(Grant).where(Grant.principal_id == principal_id).order_by(Grant.id)).all()
    for grant in grants:
        if grant.id == grant_id and grant.from_at <= at and (grant.until_at is None or grant.until_at > at):
            reach = Reach(grant.role, grant.scope_kind, grant.scope_code, grant.home_district)
            return Actor(principal_id, reach, grants[0].home_district, grant.id)
    return None


def with_verb(actors: Iterable[Actor], verb: str, rights: Mapping[Role, frozenset[str]]) -> list[Actor]:
    """Those whose role has the verb."""
    return [actor for actor in actors if verb in rights.get(actor.role, frozenset())]
