"""补录: what nobody knew when a bottle was put on file, entered once it was looked up.

Unknown is no, so a bottle whose file lacks something may not be filled until the file says it. Only what is
not on file is entered: what is known stays as it was said, or a bottle past its life would be made anew.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from core.problems import WrongField
from core.refusal import Refused
from cylinders import acts
from cylinders import refusals as no
from cylinders import register_refusals as no_register
from cylinders.at_site import unknown
from cylinders.bottle_file_queries import must_reach_bottle
from cylinders.life import not_in_the_future
from cylinders.models import Cylinder, CylinderType
from cylinders.service import against_its_type
from cylinders.states import CylinderState
from evidence.deed import Answer, Deed, does
from registry.models import Firm, Site

OPEN_FACTS = (
    "owner_firm_id",
    "registered_by_firm_id",
    "registered_on",
    "standard",
    "phase",
    "material",
    "tare_g",
    "made_on",
    "design_life_months",
    "bought_on",
    "embossed_owner_mark",
    "refurbished",
)
"""What a bottle's file may lack: its columns, by the names a register has for them."""


@does("cylinder.complete_file")
def complete_file(deed: Deed, /, *, cylinder_id: UUID, evidence: Mapping[str, str], **found: Any) -> Answer:
    """By the owner's office, on a paper. ``found``: what was looked up, by the names of ``OPEN_FACTS``."""
    cylinder = acts.lock(deed, [cylinder_id])[cylinder_id]
    must_reach_bottle(deed.db, deed.doing, cylinder)
    facts = {name: found[name] for name in OPEN_FACTS if found[name] is not None}
    if not facts:
        raise WrongField("", "empty", "没有要补的内容", "expected at least one fact")
    for name, value in facts.items():
        if isinstance(value, date):
            not_in_the_future(value, f"/{name}")
    if "made_on" in facts:
        facts["made_precision"] = found["made_precision"].value
    deed.note(**evidence, **facts)
    _must_be_ours(deed, cylinder, facts)
    if cylinder.state is CylinderState.SCRAPPED:
        raise Refused([no.SCRAPPED()])
    standing = [name for name in facts if name in OPEN_FACTS and getattr(cylinder, name) is not None]
    against = [no_register.FACT_ON_FILE(name=name, value=getattr(cylinder, name)) for name in standing]
    against += against_its_type(facts, deed.db.get_one(CylinderType, cylinder.model))
    if against:
        raise Refused(against)
    for name, value in facts.items():
        setattr(cylinder, name, value)
    return {"cylinder_id": str(cylinder_id)}


def open_facts(cylinder: Cylinder) -> list[str]:
    """What nobody knows of it."""
    return [name for name in OPEN_FACTS if getattr(cylinder, name) is None]


def _must_be_ours(deed: Deed, cylinder: Cylinder, facts: Mapping[str, Any]) -> None:
    """Whoever holds another firm's bottle enters nothing on its file, and nobody enters another as owner."""
    for name in ("owner_firm_id", "registered_by_firm_id"):
        if name in facts and not _is_ours(deed, facts[name]):
            raise unknown(f"/{name}")
    owner = cylinder.owner_firm_id or facts.get("owner_firm_id")
    deed.at(firm=owner)
    if owner is not None and not _is_ours(deed, owner):
        raise Refused([no.FOREIGN_OWNED()])


def _is_ours(deed: Deed, firm_id: UUID) -> bool:
    firm = deed.db.get(Firm, firm_id)
    if firm is None:
        return False
    sites = deed.db.scalars(sa.select(Site.id).where(Site.firm_id == firm.id))
    reached: list[dict[str, object]] = [{"firm": firm.id, "district": firm.home_district}]
    reached += [{"site": one} for one in sites]
    return any(deed.actor.reach.covers(**ids) for ids in reached)
