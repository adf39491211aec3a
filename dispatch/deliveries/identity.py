"""Verb of the door: the registrant's document is looked at once more, where the gas is handed over.

Who shows the document that is on file of the registrant is verified again, by this courier, at this door.
Any other document says only that somebody else opened: it is on record that it did not match, takes nothing
away from anybody, and whose it is, if it is anybody's, is told to nobody.

Locks: person → order lines → round.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from core import clock
from core.problems import NotFound
from core.refusal import Refused
from dispatch.deliveries.crew import round_refusals
from dispatch.deliveries.visit import visited
from dispatch.orders.models import Order
from evidence.deed import Answer, Deed, does
from evidence.models import SubjectType
from registry import people
from registry.models import Person


@does("person.verify_at_door")
def verify_at_door(deed: Deed, *, order_id: UUID, document: Mapping[str, Any]) -> Answer:
    """``document``: kind, number, valid_until, as the courier reads it. The answer: whether it matched."""
    seen = deed.db.get(Order, (deed.district, order_id))
    if seen is None:
        raise NotFound
    deed.db.get_one(Person, seen.person_id, with_for_update=True)
    order, round, _ = visited(deed, order_id)
    deed.about(SubjectType.PERSON, order.person_id)
    deed.at(firm=order.firm_id, zone=order.zone_id, round=round.id)
    if reasons := round_refusals(round):
        raise Refused(reasons)
    facts = people.document_facts(deed, document, "/document/number")
    matched = people.person_behind(deed, facts) == order.person_id
    deed.note(order_id=order_id, document_kind=facts.kind, matched=matched)
    if matched:
        check_id = people.checked_at_door(deed, order.person_id, facts, document.get("valid_until"))
        deed.note(check_id=check_id)
    return {
        "order_id": str(order_id),
        "matched": matched,
        "checked_at": clock.stamp(deed.recorded_at),
    }
