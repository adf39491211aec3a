"""What every deed of a site begins and ends with: whose site it is, which bottle was scanned, why not."""

from uuid import UUID

from core.ids import new_id
from core.problems import NotFound, WrongField
from core.refusal import Refusal, Refused
from cylinders import acts
from cylinders.filling_models import Residue, ResidueOccasion
from cylinders.queries import Resolved, resolve
from evidence.deed import Deed
from evidence.models import SubjectType
from registry.models import Site
from rulebook.decisions import decision_of
from rulebook.gate import Verdict


def site_of_address(deed: Deed, site_id: UUID) -> Site:
    site = deed.db.get(Site, site_id)
    if site is None:
        raise NotFound
    deed.actor.must_reach(site=site.id, firm=site.firm_id)
    return site


def site_of_form(deed: Deed, site_id: UUID) -> Site:
    try:
        return site_of_address(deed, site_id)
    except NotFound:
        raise unknown("/site_id") from None


def locked(deed: Deed, code: str) -> Resolved:
    """What the code means; its bottle is locked and the deed is about it, else about the register."""
    resolved = resolve(deed.db, code)
    if resolved.cylinder_id is None:
        deed.about(SubjectType.REGISTER, str(deed.district))
    else:
        acts.lock(deed, [resolved.cylinder_id])
    return resolved


def refused_at(deed: Deed, site: Site, resolved: Resolved, reasons: list[Refusal]) -> Refused:
    """The refusal; that a stranger was seen is a fact all the same, and the rooms above are told."""
    if acts.is_stranger(reasons):
        acts.stranger_seen(deed, resolved, where="site", site_id=site.id, reasons=reasons)
    return Refused(reasons)


def keep_decision(deed: Deed, verdict: Verdict) -> UUID:
    """Keep it, also when the deed is refused; its id."""
    decision = decision_of(verdict, deed.district)
    decision.id = new_id()
    deed.keep(decision)
    return decision.id


def measured(
    deed: Deed, site: Site, cylinder_id: UUID, occasion: ResidueOccasion, residue_g: int, extracted_g: int
) -> Residue:
    """残液 as it was found in the bottle, and what of it was drawn off."""
    found = Residue(
        cylinder_id=cylinder_id,
        id=new_id(),
        site_id=site.id,
        occasion=occasion,
        residue_g=residue_g,
        extracted_g=extracted_g,
        entry_id=deed.id,
        measured_at=deed.occurred_at,
    )
    deed.db.add(found)
    return found


def unknown(pointer: str) -> WrongField:
    """An id or word in the body that is not on file, or not the caller's: both answer alike."""
    return WrongField(pointer, *NOT_ON_FILE)


NOT_ON_FILE = ("unknown", "查无此项", "there is no such thing within your reach")
