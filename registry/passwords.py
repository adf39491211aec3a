"""Verbs: a member of staff gets a name and a password for the pages, and changes the password.

A resident has none: residents sign in by telephone. The password itself is in no entry and no answer.
"""

from uuid import UUID

import sqlalchemy as sa

from core import passwords, sessions
from core.auth import Grant, Role, ScopeKind
from core.passwords import Password, plain_login
from core.problems import WrongField
from evidence.deed import Answer, Deed, does
from evidence.models import SubjectType
from registry.mentions import unknown


@does("password.set")
def set_password(deed: Deed, *, principal_id: UUID, login: str, password: str) -> Answer:
    """The principal's former password, and every session opened with it, are gone."""
    grants = list(deed.db.scalars(sa.select(Grant).where(Grant.principal_id == principal_id)))
    if not grants or not all(is_over(deed, grant) for grant in grants):
        raise unknown("/principal_id")
    if any(grant.role is Role.RESIDENT for grant in grants):
        raise WrongField(
            "/principal_id",
            "resident",
            "居民用手机验证码登录",
            "residents sign in by telephone, not by password",
        )
    standing = deed.db.get(Password, plain_login(login), with_for_update=True)
    if standing is not None and standing.principal_id != principal_id:
        raise WrongField("/login", "taken", "这个用户名已有人使用", "expected a name nobody has")
    deed.about(SubjectType.REGISTER, str(deed.district))
    deed.note(principal_id=principal_id)
    passwords.enter(deed.db, principal_id, login, password)
    sessions.end_all(deed.db, principal_id)
    return {"principal_id": str(principal_id)}


@does("password.change")
def change_password(deed: Deed, *, old: str, new: str) -> Answer:
    """One's own, who knows the old one. Every session ends, so that whoever else knew it is out."""
    own = deed.db.scalars(
        sa.select(Password).where(Password.principal_id == deed.actor.principal_id).with_for_update()
    ).one_or_none()
    if own is None or passwords.whose(deed.db, own.login, old) != own.principal_id:
        raise WrongField("/old", "wrong", "原来的密码不对", "this is not your present password")
    if new == old:
        raise WrongField(
            "/new", "same", "新密码与原来的一样", "expected another password than the present one"
        )
    deed.about(SubjectType.REGISTER, str(deed.district))
    deed.note(principal_id=own.principal_id)
    passwords.enter(deed.db, own.principal_id, own.login, new)
    sessions.end_all(deed.db, own.principal_id)
    return {"principal_id": str(own.principal_id)}


def is_over(deed: Deed, grant: Grant) -> bool:
    """A district's administrator sets no password of one whose grant reaches everything."""
    reach = deed.actor.reach
    if grant.scope_kind is ScopeKind.ALL:
        return reach.kind is ScopeKind.ALL
    return reach.covers(district=grant.home_district)
