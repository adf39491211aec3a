"""Verb: somebody who scanned a bottle says that something is wrong with it. A tip for the regulator.

Nobody is signed in and nothing is known of who says so: no name, no telephone, no words of their own. It
stands in no bottle's chain, which nobody outside the house may make grow.
"""

from enum import StrEnum

from core.auth import Actor, Reach, Role, ScopeKind
from core.doing import Doing
from core.ground import Ground
from cylinders.code import classify
from cylinders.public_queries import ANYBODY, PublicBottle
from evidence.deed import Answer, Deed, does
from evidence.models import SubjectType

PROBLEM_REPORTED = "cylinder.problem_reported"


class PublicProblem(StrEnum):
    LEAK = "leak"
    DAMAGED = "damaged"
    LABEL_SUSPECT = "label_suspect"
    OVERDUE = "overdue"
    OTHER = "other"


PROBLEM_WORDS: dict[PublicProblem, tuple[str, str]] = {
    PublicProblem.LEAK: ("漏气、有气味", "it leaks or smells of gas"),
    PublicProblem.DAMAGED: ("瓶子变形、锈蚀、被烧过", "the bottle is dented, rusted or burnt"),
    PublicProblem.LABEL_SUSPECT: (
        "标签像是假的，或和瓶上的字对不上",
        "the label looks false, or does not fit the stamps",
    ),
    PublicProblem.OVERDUE: ("过期了还在用", "it is past its date and still in use"),
    PublicProblem.OTHER: ("别的问题", "something else"),
}


def anybody(ground: Ground, district: int, request_id: str, key: str, fingerprint: bytes) -> Doing:
    """For a deed of somebody who is not signed in: it reaches nothing but what it tells."""
    reach = Reach(Role.RESIDENT, ScopeKind.PERSON, str(ANYBODY), district)
    return Doing(ground, Actor(ANYBODY, reach, district), district, request_id, key, fingerprint)


@does("cylinder.report_problem")
def report_problem(deed: Deed, *, bottle: PublicBottle, problem: PublicProblem) -> Answer:
    deed.about(SubjectType.REGISTER, str(deed.district))
    on_record = classify(bottle.code).on_record
    deed.note(code=on_record, seen=bottle.seen, problem=problem)
    deed.tell(
        PROBLEM_REPORTED,
        code=on_record,
        seen=bottle.seen,
        problem=problem,
        cylinder_id=bottle.cylinder_id,
        seen_at=deed.occurred_at,
    )
    return {"problem": problem.value}
