"""What both sides of a consent are sent: somebody was asked, has agreed or not, it ended.

Worded when it is sent, from what stands then; no name of the one is told to the other. Whoever was named by a
telephone number is reached there, if the number is somebody's: to any other number nothing goes.
"""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import clock
from core.ground import Ground
from core.messages import Message
from core.outbox import Event
from registry import proxies, sealing
from registry.models import Person, PersonPhone
from registry.proxy_models import ProxyConsent
from registry.queries import phone_of
from registry.states import ProxyState

HERE_ZH, HERE_EN = "请登录后在“代办”里", "sign in and look under Proxies"


@dataclass(frozen=True, slots=True)
class _Words:
    """Holes: ``what_zh``, ``what_en``, ``until_zh``, ``until_on``."""

    zh: str
    en: str

    def about(self, row: ProxyConsent) -> tuple[str, str]:
        zh, en = _WHAT[row.may_book, row.may_receive]
        holes = {
            "what_zh": zh,
            "what_en": en,
            "until_zh": _day_zh(row.valid_until),
            "until_on": row.valid_until.isoformat(),
        }
        return self.zh.format(**holes), self.en.format(**holes)


_WHAT = {
    (True, False): ("订气", "book"),
    (False, True): ("收气", "receive"),
    (True, True): ("订气、收气", "book and receive"),
}

_STILL = {
    proxies.NAMED: ProxyState.NAMED,
    proxies.AGREED: ProxyState.AGREED,
    proxies.TURNED_DOWN: ProxyState.TURNED_DOWN,
    proxies.ENDED: ProxyState.ENDED,
}
"""What must still stand when a topic is told: what has moved on is told by its own."""

_TO_GIVER = {
    proxies.NAMED: _Words(
        f"您委托了代办人替您{{what_zh}}，到{{until_zh}}为止，等对方同意。不是您办的？{HERE_ZH}结束。",
        f"You named somebody to {{what_en}} for you until {{until_on}}; they have yet to agree. "
        f"Not you? {HERE_EN} to end it.",
    ),
    proxies.AGREED: _Words(
        f"代办委托已生效：到{{until_zh}}为止，对方可以替您{{what_zh}}。不是您办的？{HERE_ZH}结束。",
        f"Until {{until_on}} your proxy may {{what_en}} for you. Not you? {HERE_EN} to end it.",
    ),
    proxies.TURNED_DOWN: _Words(
        "您委托的代办人没有同意，可以另请一位。",
        "Whom you named as your proxy did not agree; you may name another.",
    ),
    proxies.ENDED: _Words(
        "您的一份代办委托已经结束，对方不能再替您订气、收气。",
        "A proxy of yours has ended: they can no longer book or receive for you.",
    ),
}

_TO_PROXY = {
    proxies.NAMED: _Words(
        f"有人请您代办燃气：{{what_zh}}，到{{until_zh}}为止。{HERE_ZH}看是谁、同意或不同意；不认识就不要同意。",
        f"Somebody asks you to {{what_en}} gas for them until {{until_on}}: {HERE_EN} to see who and to "
        "answer. If you do not know them, do not agree.",
    ),
    proxies.AGREED: _Words(
        f"您已成为代办人：到{{until_zh}}为止可以替对方{{what_zh}}，都记在您名下。要结束，{HERE_ZH}办。",
        f"You are a proxy until {{until_on}} and may {{what_en}} for them; it is on record as yours. "
        f"To end it, {HERE_EN}.",
    ),
    proxies.ENDED: _Words(
        "您的一份代办委托已经结束，不能再替对方订气、收气。",
        "You are no longer a proxy: you can no longer book or receive for them.",
    ),
}


def word_to_giver(ground: Ground, event: Event) -> list[Message]:
    with ground.reads() as db:
        row = _standing(db, event)
        phone = phone_of(db, ground, row.person_id) if row is not None else None
    if row is None or phone is None:
        return []
    return [Message(phone, *_TO_GIVER[event.topic].about(row), event.topic, reference=str(event.id))]


def word_to_proxy(ground: Ground, event: Event) -> list[Message]:
    """Both are told by one event: under its bare id a gateway would drop this one as the giver's copy."""
    with ground.reads() as db:
        row = _standing(db, event)
        phone = _phone_of_proxy(db, ground, row) if row is not None else None
    if row is None or phone is None:
        return []
    return [Message(phone, *_TO_PROXY[event.topic].about(row), event.topic, reference=f"{event.id}:proxy")]


def _standing(db: Session, event: Event) -> ProxyConsent | None:
    """The consent, while it is as the event tells it and its days are not over."""
    row = db.get(ProxyConsent, (event.district, UUID(event.payload["consent_id"])))
    still = row is not None and row.state is _STILL[event.topic] and row.valid_until >= clock.today()
    return row if still else None


def _phone_of_proxy(db: Session, ground: Ground, row: ProxyConsent) -> str | None:
    """Before it is answered: the number that was said, where it is that of somebody but who said it."""
    if row.proxy_id is not None:
        return phone_of(db, ground, row.proxy_id)
    meant = db.scalars(
        sa.select(Person)
        .join(PersonPhone, PersonPhone.person_id == Person.person_id)
        .where(
            PersonPhone.scheme == row.phone_scheme,
            PersonPhone.value == row.phone_index,
            PersonPhone.person_id != row.person_id,
        )
        .order_by(Person.person_id)
        .limit(1)
    ).first()
    return sealing.opened(db, ground, sealing.phone_of(meant)) if meant is not None else None


def _day_zh(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"
