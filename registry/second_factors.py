"""Verbs: a member of staff takes a second factor; an administrator takes it away when a telephone is lost.

Neither the secret nor a recovery code is in any entry or kept answer: each is seen once, by whom it is for.
"""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa

from core import clock, confirmations, limits, passwords, second_factor, sessions
from core.auth import Actor, Grant
from core.doing import Doing
from core.ground import Ground
from core.limits import Limit
from core.passwords import Password
from core.problems import WrongField
from core.refusal import Refused
from evidence.deed import Answer, Deed, does, run
from evidence.models import SubjectType
from registry import people_refusals as no
from registry.mentions import resting, unknown
from registry.passwords import is_over
from rulebook import current

TYPED_BY_ONE = Limit("sign_in.second", 10, timedelta(minutes=15))
"""Codes one person may type, at sign-in and when confirming; ten of a million, in a quarter of an hour."""


@dataclass(frozen=True, slots=True)
class Begun:
    """``secret`` and ``uri``: for an authenticator; None where the factor is in force already."""

    secret: str | None
    uri: str | None


def begin(doing: Doing) -> Begun:
    """A new secret for oneself, not in force yet. Who has one in force asks an administrator first."""

    def work(deed: Deed) -> Answer:
        principal_id = deed.actor.principal_id
        deed.about(SubjectType.REGISTER, str(deed.district))
        deed.note(principal_id=principal_id)
        if second_factor.is_in_force(deed.db, principal_id):
            raise Refused([resting(deed, no.SECOND_FACTOR_STANDS())])
        second_factor.begin(deed.db, deed.ground, principal_id, second_factor.new_secret())
        return {"principal_id": str(principal_id)}

    run(doing, "second_factor.begin", work)
    return begun(doing.ground, doing.actor.principal_id)


def begun(ground: Ground, principal_id: UUID) -> Begun:
    """What was begun, to be shown until it is in force."""
    with ground.reads() as db:
        secret = second_factor.begun_secret(db, ground, principal_id)
        login = db.scalar(sa.select(Password.login).where(Password.principal_id == principal_id))
    return Begun(secret, second_factor.uri(secret, login or str(principal_id)) if secret else None)


def enrol(doing: Doing, *, code: str) -> list[str]:
    """The first code of what was begun puts it in force. The recovery codes; empty when asked again."""
    shown: list[str] = []

    def work(deed: Deed) -> Answer:
        codes = second_factor.confirm(deed.db, deed.ground, deed.actor.principal_id, code)
        if codes is None:
            raise wrong_code()
        shown.extend(codes)
        deed.about(SubjectType.REGISTER, str(deed.district))
        deed.note(principal_id=deed.actor.principal_id)
        return {"principal_id": str(deed.actor.principal_id)}

    limits.count(doing.ground, TYPED_BY_ONE, str(doing.actor.principal_id))
    run(doing, "second_factor.enrol", work)
    return shown


@does("second_factor.reset")
def reset(deed: Deed, *, principal_id: UUID) -> Answer:
    """The factor and the recovery codes are gone, and so is every session opened with them."""
    _must_be_over(deed, principal_id)
    deed.about(SubjectType.REGISTER, str(deed.district))
    had = second_factor.drop(deed.db, principal_id)
    deed.note(principal_id=principal_id, had_one=had)
    sessions.end_all(deed.db, principal_id)
    return {"principal_id": str(principal_id), "had_one": had}


@does("session.end")
def end_sessions(deed: Deed, *, principal_id: UUID) -> Answer:
    """Whoever it is has to sign in again, everywhere."""
    _must_be_over(deed, principal_id)
    deed.about(SubjectType.REGISTER, str(deed.district))
    ended = sessions.end_all(deed.db, principal_id)
    deed.note(principal_id=principal_id, ended=ended)
    return {"principal_id": str(principal_id), "ended": ended}


def confirm(doing: Doing, *, password: str, code: str = "") -> None:
    """Show once more who one is, under the session or token of this request; it holds for some minutes."""
    principal_id = doing.actor.principal_id
    limits.count(doing.ground, TYPED_BY_ONE, str(principal_id))
    with doing.ground.sessions() as db:
        login = db.scalar(sa.select(Password.login).where(Password.principal_id == principal_id))
        if passwords.whose(db, login or "", password) != principal_id:
            raise WrongField("/password", "wrong", "密码不对", "this is not your password")
        if second_factor.is_in_force(db, principal_id) and not second_factor.take(
            db, doing.ground, principal_id, code
        ):
            raise wrong_code()
        db.commit()
    confirmations.confirm(doing.ground, principal_id, doing.credential)


def take(ground: Ground, principal_id: UUID, code: str) -> bool:
    """At sign-in, once the password was right: is it a code of this person? A wrong one stays counted."""
    limits.count(ground, TYPED_BY_ONE, str(principal_id))
    with ground.sessions() as db:
        taken = second_factor.take(db, ground, principal_id, code)
        db.commit()
    return taken


def is_required(actor: Actor) -> bool:
    """Whether this role signs in with a second factor, where its deeds file (rule N07)."""
    rule = current().look("N07.roles", str(actor.district), clock.today())
    return rule is not None and isinstance(rule.value, list) and actor.role.value in rule.value


def wrong_code() -> WrongField:
    return WrongField(
        "/code",
        "wrong",
        "动态码不对，或已经用过；等下一个再填",
        "this is not the code, or it was used: wait for the next one",
    )


def _must_be_over(deed: Deed, principal_id: UUID) -> None:
    grants = list(deed.db.scalars(sa.select(Grant).where(Grant.principal_id == principal_id)))
    if not grants or not all(is_over(deed, grant) for grant in grants):
        raise unknown("/principal_id")
