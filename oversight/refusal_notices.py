"""Verbs: tell a refusal of supply in writing (不予供气告知书), and prove that it was received.

The refusal was said when it was made; a home that wants it on paper, or must be shown to have been told, is
given a numbered notice with every reason as it was kept. Once a refusal; received as any notice is.

Locks: household → person → notice.
"""

from datetime import timedelta
from uuid import UUID

from core import clock
from core.problems import NotFound
from core.refusal import Refused
from dispatch.safety import receipts
from dispatch.safety.models import Notice, ReceivedHow
from dispatch.safety.signing import Receipt
from evidence.deed import Answer, Deed, does, held_by
from evidence.models import SubjectType
from oversight import review_refusals as no
from oversight.refusal_notice_models import RefusalNotice
from oversight.refusal_notice_queries import (
    OF_SUPPLY,
    is_overturned,
    notice_of_refusal,
    reach_of_notice,
)
from oversight.reviews import days_of, refused_home, unknown_refusal
from registry.mentions import resting
from registry.models import Household

ISSUED = "refusal_notice.issued"
"""Told once a notice is written; its reader sends the registrant a message."""

held_by("uq_refusal_notice_district_entry_id", no.TOLD_IN_WRITING)


@does("refusal_notice.issue")
def issue(deed: Deed, *, refusal_no: str) -> Answer:
    """The notice of a refusal about a home in reach; sent at once to where the home reads it."""
    refused = refused_home(deed.db, deed.actor, deed.district, refusal_no)
    if refused is None or refused.entry.verb not in OF_SUPPLY:
        raise unknown_refusal()
    deed.about(SubjectType.HOUSEHOLD, refused.household.id)
    deed.about(SubjectType.PERSON, refused.person_id)
    deed.at(firm=refused.entry.firm_id)
    deed.note(refusal_no=refusal_no)
    if told := notice_of_refusal(deed.db, deed.district, refused.entry.id):
        raise Refused([resting(deed, no.TOLD_IN_WRITING(number=told.notice.number))])
    if is_overturned(deed.db, deed.district, refused.entry.id):
        raise Refused([resting(deed, no.OVERTURNED())])
    refused_on = clock.day_of(refused.entry.recorded_at)
    ask_until_on = refused_on + timedelta(days=days_of(deed, "J01.ask_days"))
    notice = receipts.give(deed, ReceivedHow.ELECTRONIC)
    deed.db.add(
        RefusalNotice(
            district=deed.district,
            notice_id=notice.id,
            entry_id=refused.entry.id,
            refusal_no=refusal_no,
            household_id=refused.household.id,
            person_id=refused.person_id,
            firm_id=refused.entry.firm_id,
            street_code=refused.premises.street_code,
            ask_until_on=ask_until_on,
            issued_by=deed.actor.principal_id,
        )
    )
    deed.db.flush()
    deed.note(notice_id=notice.id, number=notice.number, ask_until_on=ask_until_on)
    deed.tell(ISSUED, notice_id=notice.id)
    return {"notice_id": str(notice.id)}


@does("refusal_notice.receive")
def receive(deed: Deed, *, notice_id: UUID, receipt: Receipt) -> Answer:
    """Proof that it reached the home: signed, refused or left before a witness, or opened by the user."""
    told = deed.db.get(RefusalNotice, (deed.district, notice_id))
    if told is None:
        raise NotFound
    deed.actor.must_reach(**reach_of_notice(told))
    deed.db.get_one(Household, (deed.district, told.household_id), with_for_update=True)
    receipts.must_be_theirs_to_say(deed, receipt)
    deed.about(SubjectType.HOUSEHOLD, told.household_id)
    deed.about(SubjectType.PERSON, told.person_id)
    deed.at(firm=told.firm_id)
    notice = deed.db.get_one(Notice, (deed.district, notice_id))
    deed.note(refusal_no=told.refusal_no, number=notice.number, **receipts.noted(receipt))
    receipts.prove_received(deed, notice_id, receipt, deed.recorded_at)
    return {"notice_id": str(notice_id)}
