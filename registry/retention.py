"""What is kept no longer than its term (PIPL 19, 47): looked at daily, by the rules of the day.

people with nothing open                erased after rule N03's months, a deed each
people who never had to do with gas     the same, after its shorter months
sessions of sign-ins                    deleted after rule N04's days
tries, challenges, confirmations        deleted after two days: they mean nothing any more
applications not looked up              the same
numbers before a correction             the same: they are told of it once
reveals, looks, entries                 stay: they say who saw what, and hold no personal data
"""

from datetime import timedelta

import structlog

from core import clock, confirmations, limits, outbox, sessions
from core.doing import Doing
from core.ground import Ground
from core.refusal import Refused
from registry import new_numbers, phone_codes, privacy, terms
from rulebook import current
from rulebook.edition import NATION

log = structlog.get_logger()

KEPT_AFTER_SIGNING_IN = timedelta(days=2)


def retain(ground: Ground) -> dict[str, int]:
    """Whatever is over its term now; how many went. Broken off, it goes on the next time."""
    before = clock.now() - KEPT_AFTER_SIGNING_IN
    gone = {
        "tries": limits.forget_before(ground, before),
        "challenges": phone_codes.forget_before(ground, before),
        "applications": new_numbers.forget_before(ground, before),
        "former_numbers": new_numbers.forget_former(ground, before),
        "confirmations": confirmations.forget_before(ground, before),
        "sessions": _sessions(ground),
        "people": _people(ground),
    }
    if any(gone.values()):
        log.info("retention", **gone)
    return gone


def _sessions(ground: Ground) -> int:
    rule = current().look("N04.sign_ins_keep_days", NATION, clock.today())
    if rule is None or not isinstance(rule.value, int):
        return 0
    return sessions.forget_before(ground, clock.now() - timedelta(days=rule.value))


def _people(ground: Ground) -> int:
    """The house itself does it, a deed for each; who opened an account elsewhere meanwhile is refused."""
    with ground.reads() as db:
        due = list(terms.due_for_erasure(db, clock.today()))
    erased = 0
    for district, person_id in due:
        here = Doing(ground, outbox.house_actor(district), district, f"retention-{person_id}")
        try:
            erased += privacy.erase_when_due(here, person_id)["outcome"] == "erased"
        except Refused:
            continue
    return erased
