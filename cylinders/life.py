"""Verbs of a bottle's life and registration.

    extend               an agency: the bottle may serve until that day
    change_registration  the firm's clerk: the authority has changed the registration for that extension
    cancel_registration  the firm's clerk or the authority: its registration for use has ended
    report_unfit         whoever sees it: refurbished, unlawfully made, or with a screwed-on guard

An extension counts once both halves are on record (特种设备安全法第48条). What is unfit is held, and reported
to the registering authority in the same deed.
"""

from datetime import date
from uuid import UUID

import sqlalchemy as sa

from core import clock
from core.auth import ScopeKind
from core.ids import new_id
from core.problems import NotFound, WrongField
from core.refusal import Refusal, Refused
from cylinders import acts
from cylinders import life_refusals as no
from cylinders.agency_gate import AgencyAct, AgencyFacts
from cylinders.bottle_file_queries import must_reach_bottle, was_sent_to
from cylinders.holds import put_hold
from cylinders.life_models import (
    CancelReason,
    ExtensionBasis,
    LifeExtension,
    RegistrationAct,
    RegistrationKind,
    Seizure,
    UnfitReason,
    UnfitReport,
)
from cylinders.models import Cylinder, HoldKind, Inspection
from cylinders.refill_gate import Precision
from evidence.deed import Answer, Deed, does
from registry.agencies import approval_of
from rulebook import current
from rulebook.decisions import decision_of
from rulebook.gate import judge

REPORTED_UNFIT = "cylinder.reported_unfit"


@does("cylinder.extend")
def extend(
    deed: Deed,
    *,
    cylinder_id: UUID,
    basis: ExtensionBasis,
    report_no: str,
    assessed_on: date,
    until_on: date,
) -> Answer:
    """延期: never beyond the longest life of the bottle's standard."""
    agency_id = deed.actor.scope_id(ScopeKind.AGENCY)
    cylinder = acts.lock(deed, [cylinder_id])[cylinder_id]
    not_in_the_future(assessed_on, "/assessed_on")
    if until_on <= assessed_on:
        raise WrongField("/until_on", "range", "应晚于评估日", "expected a day after the assessment")
    extension_id = new_id()
    deed.note(extension_id=extension_id, agency_id=agency_id, basis=basis, report_no=report_no)
    deed.note(assessed_on=assessed_on, until_on=until_on)
    reasons = judge_agency(
        deed,
        cylinder,
        agency_id,
        AgencyAct.EXTEND,
        on=assessed_on,
        until_on=until_on,
        inspected=(
            _is_passed(deed, cylinder_id, agency_id, report_no, assessed_on)
            if basis is ExtensionBasis.INSPECTION
            else None
        ),
    )
    if not was_sent_to(deed.db, cylinder_id, agency_id):
        reasons.append(no.NOT_SENT_HERE())
    if reasons:
        raise Refused(reasons)
    deed.db.add(
        LifeExtension(
            cylinder_id=cylinder_id,
            id=extension_id,
            basis=basis,
            agency_id=agency_id,
            report_no=report_no,
            assessed_on=assessed_on,
            until_on=until_on,
            recorded_by=deed.actor.principal_id,
            recorded_at=deed.recorded_at,
        )
    )
    return {"cylinder_id": str(cylinder_id), "extension_id": str(extension_id)}


def _is_passed(deed: Deed, cylinder_id: UUID, agency_id: UUID, report_no: str, day: date) -> bool:
    passed = sa.exists().where(
        Inspection.cylinder_id == cylinder_id,
        Inspection.agency == str(agency_id),
        Inspection.report_no == report_no,
        Inspection.inspected_on <= day,
        Inspection.passed,
    )
    return bool(deed.db.scalar(sa.select(passed)))


@does("registration.change")
def change_registration(
    deed: Deed, *, cylinder_id: UUID, extension_id: UUID, document_no: str, changed_on: date
) -> Answer:
    """使用登记变更, for one extension."""
    cylinder = acts.lock(deed, [cylinder_id])[cylinder_id]
    must_reach_bottle(deed.db, deed.doing, cylinder)
    _must_not_only_hold_it(deed, cylinder)
    extension = deed.db.get(LifeExtension, (cylinder_id, extension_id))
    if extension is None:
        raise NotFound
    not_in_the_future(changed_on, "/changed_on")
    if changed_on < extension.assessed_on:
        raise WrongField(
            "/changed_on", "range", "不能早于延期报告", "expected a day not before the extension's report"
        )
    deed.note(extension_id=extension_id, document_no=document_no, changed_on=changed_on)
    _enter(deed, cylinder_id, RegistrationKind.CHANGED, document_no, changed_on, extension_id=extension_id)
    return {"cylinder_id": str(cylinder_id)}


@does("registration.cancel")
def cancel_registration(
    deed: Deed, *, cylinder_id: UUID, why: CancelReason, document_no: str, cancelled_on: date
) -> Answer:
    """注销使用登记: from that day nobody may fill the bottle or send it out."""
    cylinder = acts.lock(deed, [cylinder_id])[cylinder_id]
    must_reach_bottle(deed.db, deed.doing, cylinder)
    _must_not_only_hold_it(deed, cylinder)
    not_in_the_future(cancelled_on, "/cancelled_on")
    deed.note(why=why, document_no=document_no, cancelled_on=cancelled_on)
    _enter(deed, cylinder_id, RegistrationKind.CANCELLED, document_no, cancelled_on, why=why)
    return {"cylinder_id": str(cylinder_id)}


def _must_not_only_hold_it(deed: Deed, cylinder: Cylinder) -> None:
    """A firm with another's bottle at a site or a customer's says nothing of its registration."""
    firms = {cylinder.owner_firm_id, cylinder.entrusted_to_firm_id, cylinder.registered_by_firm_id}
    if deed.actor.reach.kind is ScopeKind.FIRM and deed.actor.scope_id(ScopeKind.FIRM) not in firms:
        raise NotFound


def _enter(
    deed: Deed,
    cylinder_id: UUID,
    kind: RegistrationKind,
    document_no: str,
    done_on: date,
    *,
    extension_id: UUID | None = None,
    why: CancelReason | None = None,
) -> None:
    deed.db.add(
        RegistrationAct(
            cylinder_id=cylinder_id,
            kind=kind,
            extension_id=extension_id,
            why=why,
            document_no=document_no,
            done_on=done_on,
            recorded_by=deed.actor.principal_id,
            recorded_at=deed.recorded_at,
        )
    )


@does("cylinder.report_unfit")
def report_unfit(deed: Deed, *, cylinder_id: UUID, why: UnfitReason, reference: str) -> Answer:
    """What was seen goes on the bottle's file, where the gate reads it; the bottle stops."""
    cylinder = acts.lock(deed, [cylinder_id])[cylinder_id]
    deed.note(why=why, reference=reference)
    reach = deed.actor.reach
    if reach.kind is ScopeKind.AGENCY and not was_sent_to(deed.db, cylinder_id, UUID(reach.code)):
        raise Refused([no.NOT_SENT_HERE()])
    must_reach_bottle(deed.db, deed.doing, cylinder)
    match why:
        case UnfitReason.REFURBISHED:
            cylinder.refurbished = True
        case UnfitReason.ILLEGAL_MAKE:
            cylinder.illegal_make = True
        case UnfitReason.SCREWED_GUARD:
            cylinder.screwed_guard = True
    put_hold(deed, cylinder, HoldKind.HAZARD, reference)
    report_to_authority(deed, cylinder, why, reference)
    return {"cylinder_id": str(cylinder_id)}


# --- for the other pages of this room ---------------------------------------------------------------------


def report_to_authority(deed: Deed, cylinder: Cylinder, why: UnfitReason, reference: str) -> None:
    """上报登记机关: on record, and told through the outbox."""
    report = UnfitReport(
        cylinder_id=cylinder.cylinder_id,
        id=new_id(),
        district=deed.district,
        registered_by_firm_id=cylinder.registered_by_firm_id,
        why=why,
        reference=reference,
        reported_by=deed.actor.principal_id,
        reported_at=deed.recorded_at,
    )
    deed.db.add(report)
    deed.db.flush()
    deed.note(unfit_report_id=report.id)
    deed.tell(
        REPORTED_UNFIT,
        cylinder_id=cylinder.cylinder_id,
        why=why,
        reference=reference,
        registered_by_firm_id=cylinder.registered_by_firm_id,
        seen_at=deed.occurred_at,
    )


def judge_agency(
    deed: Deed,
    cylinder: Cylinder,
    agency_id: UUID,
    act: AgencyAct,
    *,
    on: date,
    until_on: date | None = None,
    inspected: bool | None = None,
) -> list[Refusal]:
    """What the page of law says to an agency's act, as of the day of its report. The decision is kept."""
    facts = AgencyFacts(
        act=act,
        approval=approval_of(deed.db, agency_id),
        seized=is_seized(deed, cylinder.cylinder_id),
        standard=cylinder.standard,
        made_on=cylinder.made_on,
        made_precision=Precision(cylinder.made_precision),
        until_on=until_on,
        inspected=inspected,
    )
    verdict = judge("agency", facts, str(deed.district), on, current())
    deed.keep(decision_of(verdict, deed.district))
    return list(verdict.reasons)


def is_seized(deed: Deed, cylinder_id: UUID) -> bool:
    return deed.db.get(Seizure, cylinder_id) is not None


def not_in_the_future(day: date, pointer: str) -> None:
    if day > clock.today():
        raise WrongField(pointer, "range", "日期不能晚于今天", "expected a day that is not in the future")
