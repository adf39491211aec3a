"""Verbs of the bottle. Each is a deed: locked, judged, done or refused, and recorded either way.

A bottle that is unknown, foreign, voided or scrapped is refused at a station. That it was seen is a fact
all the same: the rooms above are told although the deed is refused.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.doing import Doing
from core.ids import new_id
from core.machine import LOST_RACE
from core.problems import NotFound, WrongField
from core.refusal import Refusal, Refused
from cylinders import acts, recall_tasks
from cylinders import custody_refusals as no_custody
from cylinders import register_refusals as no_register
from cylinders.at_site import locked, measured, refused_at, site_of_address, unknown
from cylinders.bottle_file_queries import must_reach_bottle
from cylinders.code import classify, new_code
from cylinders.custody import Errand, Holder, record
from cylinders.filling_models import ResidueOccasion
from cylinders.holds import put_hold, release_if_free
from cylinders.identifiers import on_file, put_codes, taken_refusals
from cylinders.models import (
    Cylinder,
    CylinderType,
    FactKind,
    Hold,
    HoldKind,
    Inspection,
    Phase,
    Scheme,
)
from cylinders.queries import Resolved, holding_of, judge_bottle, types
from cylinders.refill_gate import Purpose
from cylinders.states import CYLINDER
from evidence.deed import Answer, Deed, does
from evidence.models import SubjectType
from registry.acts import set_card_exception
from registry.models import Account, Card, CardException, Firm, HolderKind, Site
from registry.queries import cards_of
from registry.states import AccountState

# --------------------------------------------------------------------------------------------------------
# The register of bottles


@does("cylinder_type.enter")
def enter_type(
    deed: Deed,
    *,
    model: str,
    water_ml: int,
    max_fill_g: int,
    nominal_g: int,
    units: int,
    needs_truck: bool,
    phase: Phase | None = None,
    material: str | None = None,
    standard: str | None = None,
) -> Answer:
    """Enter a model in the catalogue with its stamped values; none is ever derived from its name."""
    deed.about(SubjectType.REGISTER, str(deed.district))
    entered = CylinderType(
        model=model,
        water_ml=water_ml,
        max_fill_g=max_fill_g,
        nominal_g=nominal_g,
        units=units,
        needs_truck=needs_truck,
        phase=phase,
        material=material,
        standard=standard,
    )
    deed.note(phase=phase, material=material, standard=standard)
    deed.note(model=model, water_ml=water_ml, max_fill_g=max_fill_g, nominal_g=nominal_g, units=units)
    if deed.db.get(CylinderType, model) is not None:
        raise Refused([no_register.TYPE_TAKEN(model=model)])
    deed.db.add(entered)
    return {"model": model}


@does("cylinder.register")
def register(deed: Deed, /, *, firm_id: UUID, **row: Any) -> Answer:
    """Put one bottle on file (``schemas.BottleRow``). Refused if any of its codes was ever used."""
    deed.about(SubjectType.REGISTER, str(deed.district))
    books = _open_books(deed, firm_id)
    deed.at(firm=firm_id)
    filed = _file_bottle(deed, books, row)
    deed.about(SubjectType.CYLINDER, filed.cylinder_id)
    deed.note(cylinder_id=filed.cylinder_id, model=row["model"], platform_code=filed.platform_code)
    return {"cylinder_id": str(filed.cylinder_id), "platform_code": filed.platform_code}


@dataclass(frozen=True, slots=True)
class Books:
    """What a firm's bottle is checked against. A register of many is checked in ``staging`` instead."""

    firm: Firm
    firms: frozenset[UUID]
    sites: frozenset[UUID]
    types: dict[str, CylinderType]


@dataclass(frozen=True, slots=True)
class Filed:
    cylinder_id: UUID
    platform_code: str


def firm_in_reach(db: Session, doing: Doing, firm_id: UUID) -> Firm:
    firm = db.get(Firm, firm_id)
    if firm is None or not doing.actor.reach.covers(firm=firm.id, district=firm.home_district):
        raise unknown("/firm_id")
    return firm


def _open_books(deed: Deed, firm_id: UUID) -> Books:
    firm = firm_in_reach(deed.db, deed.doing, firm_id)
    return Books(
        firm,
        frozenset(deed.db.scalars(sa.select(Firm.id))),
        frozenset(deed.db.scalars(sa.select(Site.id).where(Site.firm_id == firm.id))),
        types(deed.db),
    )


def _file_bottle(deed: Deed, books: Books, row: dict[str, Any]) -> Filed:
    """Write one bottle with its identifiers, last inspection and where it is.

    Raises WrongField for what points nowhere, Refused for a code that is taken. The caller undoes.
    """
    kind = books.types.get(row["model"])
    if kind is None:
        raise unknown("/model")
    for name in ("owner_firm_id", "registered_by_firm_id", "entrusted_to_firm_id"):
        if row[name] is not None and row[name] not in books.firms:
            raise unknown(f"/{name}")
    identifiers = _identifiers(deed, books.firm, row["identifiers"])
    row = _completed(row, kind)
    not_stamped = ("identifiers", "last_inspection", "holder", "full", "max_fill_g")
    cylinder = Cylinder(
        cylinder_id=new_id(),
        state=CYLINDER.initial,
        max_fill_g=row["max_fill_g"] or kind.max_fill_g,
        import_id=None,
        recorded_at=deed.recorded_at,
        **{name: value for name, value in row.items() if name not in not_stamped},
    )
    deed.db.add(cylinder)
    deed.db.flush()
    rivals = put_codes(deed, cylinder.cylinder_id, identifiers)
    if rivals:
        raise Refused(taken_refusals(deed, books.firm.id, rivals))
    if row["last_inspection"] is not None:
        deed.db.add(
            Inspection(
                cylinder_id=cylinder.cylinder_id, recorded_at=deed.recorded_at, **row["last_inspection"]
            )
        )
    deed.db.flush()
    if row["holder"] is not None:
        _place(deed, books, cylinder, row["holder"], full=row["full"])
    return Filed(cylinder.cylinder_id, identifiers[Scheme.PLATFORM])


def _completed(row: dict[str, Any], kind: CylinderType) -> dict[str, Any]:
    """What the row leaves out and every bottle of the model shares; a row that says otherwise is refused."""
    wrong = against_its_type(row, kind)
    if wrong:
        raise Refused(wrong)
    return row | _shared_by(kind)


def _shared_by(kind: CylinderType) -> dict[str, Any]:
    shared = {name: getattr(kind, name) for name in ("phase", "material", "standard")}
    return {name: value for name, value in shared.items() if value is not None}


def against_its_type(said: Mapping[str, Any], kind: CylinderType) -> list[Refusal]:
    """What is said of a bottle and cannot be true of its model."""
    return [
        no_register.CONTRADICTS_TYPE(name=name, given=said[name], model=kind.model, catalogue=value)
        for name, value in _shared_by(kind).items()
        if said.get(name) not in (None, value)
    ]


def codes_of(given: Iterable[dict[str, Any]]) -> dict[Scheme, str]:
    """One code a scheme, in the form a scanner reads it."""
    found: dict[Scheme, str] = {}
    for number, identifier in enumerate(given):
        scheme, read = identifier["scheme"], classify(identifier["value"])
        if not read.readable or (scheme is Scheme.PLATFORM and read.scheme is not Scheme.PLATFORM):
            raise WrongField(
                f"/identifiers/{number}/value",
                "code",
                "不是这种编码，或校验位不对",
                "expected a code of this scheme whose check symbol is right",
            )
        if scheme in found:
            raise Refused([no_register.IDENTIFIER_TWICE(scheme=scheme)])
        found[scheme] = read.code
    return found


def _identifiers(deed: Deed, firm: Firm, given: Iterable[dict[str, Any]]) -> dict[Scheme, str]:
    """The codes, none of which was ever used, with a fresh platform code if none is given."""
    found = codes_of(given)
    taken = on_file(deed, found)
    if taken:
        raise Refused(taken_refusals(deed, firm.id, taken))
    return {Scheme.PLATFORM: new_code(), **found}


def _place(deed: Deed, books: Books, cylinder: Cylinder, holder: dict[str, Any], *, full: bool) -> None:
    """Where the register says the bottle is: at one of the firm's sites, or on a card of one of its users."""
    if "site_id" in holder:
        if holder["site_id"] not in books.sites:
            raise unknown("/holder/site_id")
        taker, errand, district = (
            Holder(HolderKind.SITE, holder["site_id"]),
            Errand(site_id=holder["site_id"]),
            deed.district,
        )
    else:
        card = _card_of_firm(deed.db, books.firm, holder["district"], holder["card_id"])
        taker, errand, district = (
            Holder(HolderKind.HOUSEHOLD, card.household_id),
            Errand(card_id=card.id),
            card.district,
        )
    record(
        deed,
        cylinder,
        FactKind.REGISTER,
        giver=None,
        taker=taker,
        errand=errand,
        full=full,
        district=district,
    )


def _card_of_firm(db: Session, firm: Firm, district: int, card_id: UUID) -> Card:
    card = db.get(Card, (district, card_id))
    account = db.get(Account, (district, card.account_id)) if card else None
    if card is None or account is None or account.firm_id != firm.id or account.state is AccountState.CLOSED:
        raise unknown("/holder/card_id")
    return card


# --------------------------------------------------------------------------------------------------------
# At the station


@does("cylinder.receive")
def receive(deed: Deed, *, site_id: UUID, code: str, residue_g: int | None = None) -> Answer:
    """入站: a site scans a bottle and so has it. A stranger is refused and told."""
    site = site_of_address(deed, site_id)
    resolved = locked(deed, code)
    deed.at(firm=site.firm_id, site=site.id)
    deed.note(code=resolved.on_record)
    reasons = _why_a_stranger(deed, resolved, code, site)
    if reasons or resolved.cylinder_id is None:
        raise refused_at(deed, site, resolved, reasons)
    custody = acts.receive(deed, cylinder_id=resolved.cylinder_id, site_id=site.id)
    if residue_g is not None:
        deed.note(residue_g=residue_g)
        measured(deed, site, resolved.cylinder_id, ResidueOccasion.RETURN, residue_g, 0)
    return {"cylinder_id": str(resolved.cylinder_id), "site_id": str(site.id), "full": custody.now.full}


@does("cylinder.report_lost")
def report_lost(deed: Deed, *, card_id: UUID, reference: str) -> Answer:
    """报失: the card's bottle is nowhere to be found. The card may then be supplied without an empty.

    A bottle still on the card is with nobody from now on, until somebody scans it again.
    """
    card = _card_of_address(deed, card_id)
    held_id = holding_of(deed.db, card.district, card.id)
    deed.note(card_id=card.id, cylinder_id=held_id, reference=reference)
    if held_id is None and card.exception is not None:
        raise Refused([no_custody.LOSS_ON_RECORD()])
    if held_id is not None:
        cylinder = acts.lock(deed, [held_id])[held_id]
        if holding_of(deed.db, card.district, card.id) != held_id:
            raise Refused([LOST_RACE(thing="cylinder")])
        record(
            deed,
            cylinder,
            FactKind.MISSING,
            giver=Holder(HolderKind.HOUSEHOLD, card.household_id),
            taker=None,
            errand=Errand(card_id=card.id),
        )
    set_card_exception(deed, card, CardException.BOTTLE_LOST)
    return {"card_id": str(card.id), "cylinder_id": str(held_id) if held_id else None}


def _card_of_address(deed: Deed, card_id: UUID) -> Card:
    """A card of the caller's firm, locked; cards before bottles, as everywhere."""
    found = deed.db.get(Card, (deed.district, card_id))
    if found is None:
        raise NotFound
    account = deed.db.get_one(Account, (deed.district, found.account_id))
    deed.actor.must_reach(firm=account.firm_id, district=deed.district)
    [card] = cards_of(deed.db, deed.district, [card_id], lock=True)
    deed.about(SubjectType.CARD, card.id)
    deed.at(firm=account.firm_id)
    return card


def _why_a_stranger(deed: Deed, resolved: Resolved, code: str, site: Site) -> list[Refusal]:
    """A site takes in any bottle of its own firm, also one that may not be filled; no other's."""
    bottle = judge_bottle(
        deed.db,
        code,
        purpose=Purpose.DISPATCH,
        site_id=site.id,
        place=str(site.district),
        at=deed.occurred_at,
    )
    unreadable = [] if resolved.cylinder_id else list(bottle.verdict.reasons)
    return unreadable or [one for one in bottle.verdict.reasons if acts.is_stranger([one])]


# --------------------------------------------------------------------------------------------------------
# Holds


@does("cylinder.hold")
def hold(deed: Deed, *, cylinder_id: UUID, kind: HoldKind, reference: str) -> Answer:
    """扣留, from this instant until it is lifted: the bottle may be neither filled nor sent out."""
    cylinder = acts.lock(deed, [cylinder_id])[cylinder_id]
    must_reach_bottle(deed.db, deed.doing, cylinder)
    put = put_hold(deed, cylinder, kind, reference)
    deed.note(hold_id=put.id, kind=kind, reference=reference)
    return {"cylinder_id": str(cylinder_id), "hold_id": str(put.id)}


@does("cylinder.release")
def release(deed: Deed, *, cylinder_id: UUID, hold_id: UUID, reference: str) -> Answer:
    """Lift a hold from this instant on. One for a conflict is lifted by saying which fact is true, a recall's
    by settling its task."""
    cylinder = acts.lock(deed, [cylinder_id])[cylinder_id]
    must_reach_bottle(deed.db, deed.doing, cylinder)
    deed.note(hold_id=hold_id, reference=reference)
    lifted = deed.db.get(Hold, (cylinder_id, hold_id))
    if lifted is None or lifted.until_at is not None:
        raise Refused([no_custody.NO_SUCH_HOLD()])
    if lifted.kind is HoldKind.CONFLICT:
        raise Refused([no_custody.HOLD_OF_CONFLICT()])
    if lifted.kind is HoldKind.CLAIMED_TWICE:
        raise Refused([no_custody.HOLD_OF_COLLISION()])
    if recall_tasks.is_open(deed.db, cylinder_id, hold_id):
        raise Refused([no_custody.HOLD_OF_RECALL()])
    lifted.until_at = deed.recorded_at
    deed.db.flush()
    release_if_free(deed, cylinder)
    return {"cylinder_id": str(cylinder_id), "hold_id": str(hold_id)}
