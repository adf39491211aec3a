"""Report a strange bottle that was scanned in a deed which was refused.

What a refused deed told is undone with it, but that the bottle was seen is a fact: a deed of its own, that
succeeds. Its key is the first deed's and a word after a blank, which no caller's key can hold. Whoever asks
again after a crash between the two has the report made then, and nobody has it made twice.
"""

from collections.abc import Iterable
from dataclasses import replace
from uuid import UUID

from core.doing import Doing
from core.refusal import Refusal
from cylinders.acts import stranger_seen
from cylinders.queries import resolve
from evidence.deed import Answer, Deed, does
from evidence.models import SubjectType


def report(
    doing: Doing,
    code: str,
    *,
    seen_as: str,
    where: str,
    reasons: Iterable[Refusal],
    order_id: UUID | None = None,
    round_id: UUID | None = None,
) -> None:
    """``seen_as``: "full" or "empty"; ``where``: "site" or "door"."""
    sequel = replace(doing, key=doing.key and f"{doing.key} stranger {seen_as}", replayed=False)
    report_stranger(
        sequel,
        code=code,
        where=where,
        order_id=order_id,
        round_id=round_id,
        reasons=[refusal.code for refusal in reasons],
    )


@does("cylinder.report_stranger")
def report_stranger(
    deed: Deed,
    *,
    code: str,
    where: str,
    order_id: UUID | None,
    round_id: UUID | None,
    reasons: list[str],
) -> Answer:
    resolved = resolve(deed.db, code)
    deed.about(SubjectType.REGISTER, str(deed.district))
    if resolved.cylinder_id is not None:
        deed.about(SubjectType.CYLINDER, resolved.cylinder_id)
    deed.at(round=round_id)
    deed.note(code=resolved.on_record, where=where, order_id=order_id, reasons=reasons)
    stranger_seen(deed, resolved, where=where, order_id=order_id, round_id=round_id)
    return {}
