"""Verbs of leaving service: sent to an agency, received there, inspected, seized, scrapped.

    send      a firm's site → an agency, with the reason and the slip's number
    arrive    the agency scans it: the other side of the same handover
    inspect   a pass puts it back; a failure holds it and is reported to the registering authority. An agency
              inspects and scraps what was sent or seized to it, and nothing else
    seize     the market regulator: to an agency against a receipt, from wherever it is
    scrap     for ever: the bottle stays with the agency, its codes are void

A code that is scanned after its bottle was scrapped or seized is an incident, also at an agency.
"""

from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa

from core import clock
from core.auth import ScopeKind
from core.ids import new_id
from core.problems import WrongField
from core.refusal import Refusal, Refused
from cylinders import acts, recall_tasks
from cylinders import custody_refusals as no_custody
from cylinders import life_refusals as no_life
from cylinders import refusals as no
from cylinders.agency_gate import AgencyAct
from cylinders.bottle_file_queries import is_with_agency, must_reach_bottle
from cylinders.custody import Errand, Holder, record
from cylinders.holds import lift_holds, stands_held
from cylinders.life import judge_agency, not_in_the_future, report_to_authority
from cylinders.life_models import (
    AnomalyKind,
    InspectionAnomaly,
    InspectionSending,
    Seizure,
    SeizureReason,
    SendingReason,
    UnfitReason,
)
from cylinders.models import (
    Cylinder,
    CylinderIdentifier,
    FactKind,
    HoldKind,
    Inspection,
    ScrapMethod,
    Scrapping,
)
from cylinders.queries import Resolved, custody_of, known_bottle, resolve
from cylinders.refill_gate import Identity, Precision, month_end
from cylinders.states import CYLINDER, CylinderState
from evidence.deed import Answer, Deed, does
from evidence.models import SubjectType
from registry.models import HolderKind, InspectionAgency, Site

SEIZED = "cylinder.seized"
ANOMALY_FOUND = "inspection.anomaly_found"


@does("cylinder.send_to_inspection")
def send(deed: Deed, *, cylinder_id: UUID, agency_id: UUID, why: SendingReason, reference: str) -> Answer:
    """送检, of a bottle that stands at a site of the sender's."""
    cylinder = acts.lock(deed, [cylinder_id])[cylinder_id]
    must_reach_bottle(deed.db, deed.doing, cylinder)
    _must_be_an_agency(deed, agency_id)
    deed.note(agency_id=agency_id, why=why, reference=reference)
    if _open_sending(deed, cylinder_id) is not None:
        raise Refused([no_life.SENT_ALREADY()])
    giver = acts.holder_of(custody_of(deed.db, cylinder_id))
    site = deed.db.get(Site, giver.id) if giver is not None and giver.kind is HolderKind.SITE else None
    if site is None or not deed.actor.reach.covers(site=site.id, firm=site.firm_id):
        raise Refused([no_custody.NOT_WITH_GIVER()])
    deed.at(firm=site.firm_id, site=site.id)
    CYLINDER.move(deed.db, cylinder, "send_to_inspection")
    _hand_to(deed, cylinder, agency_id, giver, site_id=site.id)
    _open(deed, cylinder, agency_id, why, reference)
    return {"cylinder_id": str(cylinder_id)}


@does("cylinder.arrive_at_agency")
def arrive(deed: Deed, *, code: str) -> Answer:
    """The agency scans what was sent to it. Whatever should not exist any more is told."""
    agency_id = deed.actor.scope_id(ScopeKind.AGENCY)
    resolved = resolve(deed.db, code)
    deed.note(code=resolved.on_record, agency_id=agency_id)
    if resolved.cylinder_id is None:
        deed.about(SubjectType.REGISTER, str(deed.district))
        reason = no.LABEL_UNREADABLE if resolved.identity is Identity.UNREADABLE else no.IDENTITY_UNKNOWN
        raise _refused_here(deed, resolved, [reason()])
    cylinder = acts.lock(deed, [resolved.cylinder_id])[resolved.cylinder_id]
    _must_not_be_scrapped(deed, cylinder, resolved)
    sending = _open_sending(deed, cylinder.cylinder_id)
    if sending is None or sending.agency_id != agency_id:
        raise Refused([no_life.NOT_SENT_HERE()])
    if sending.received_at is None:
        sending.received_at = deed.recorded_at
        custody = custody_of(deed.db, cylinder.cylinder_id)
        giver = custody and custody.since_from_kind and custody.since_from_id
        _hand_to(
            deed,
            cylinder,
            agency_id,
            Holder(custody.since_from_kind, giver) if custody and custody.since_from_kind and giver else None,
        )
    return {"cylinder_id": str(cylinder.cylinder_id)}


@does("cylinder.inspect")
def inspect(
    deed: Deed,
    *,
    cylinder_id: UUID,
    inspected_on: date,
    day_precision: Precision,
    passed: bool,
    report_no: str,
) -> Answer:
    """检验, of a bottle that was sent to the agency. A pass puts it back, a failure holds and reports it.

    A pass answers what a filler found before or after a filling; every other hold stands.
    """
    agency_id = deed.actor.scope_id(ScopeKind.AGENCY)
    cylinder = acts.lock(deed, [cylinder_id])[cylinder_id]
    not_in_the_future(inspected_on, "/inspected_on")
    deed.note(inspected_on=inspected_on, passed=passed, report_no=report_no, agency_id=agency_id)
    _must_not_be_scrapped(deed, cylinder)
    act = AgencyAct.PASS if passed else AgencyAct.FAIL
    reasons = judge_agency(deed, cylinder, agency_id, act, on=inspected_on)
    sending = _open_sending(deed, cylinder_id)
    if not is_with_agency(deed.db, cylinder_id, agency_id):
        reasons.append(no_life.NOT_SENT_HERE())
    if reasons:
        raise Refused(reasons)
    had_since = _had_since(deed, cylinder_id, agency_id, sending)
    _look_again(deed, cylinder)
    inspection = Inspection(
        cylinder_id=cylinder_id,
        id=new_id(),
        inspected_on=inspected_on,
        day_precision=day_precision,
        passed=passed,
        agency=str(agency_id),
        report_no=report_no,
        recorded_at=deed.recorded_at,
    )
    deed.db.add(inspection)
    deed.db.flush()
    CYLINDER.move(deed.db, cylinder, "pass_inspection" if passed else "fail_inspection")
    if passed:
        lift_holds(deed, cylinder, HoldKind.FAILED_CHECK)
    if passed and stands_held(deed, cylinder_id):
        CYLINDER.move(deed.db, cylinder, "hold")
    if not passed:
        report_to_authority(deed, cylinder, UnfitReason.FAILED_INSPECTION, report_no)
    if sending is not None:
        sending.answered_at = deed.recorded_at
    _flag_what_is_doubtful(deed, inspection, had_since)
    return {"cylinder_id": str(cylinder_id), "inspection_id": str(inspection.id)}


@does("cylinder.seize")
def seize(deed: Deed, *, cylinder_id: UUID, agency_id: UUID, why: SeizureReason, receipt_no: str) -> Answer:
    """查扣: from whoever has it to an agency, against its receipt. It never comes back to the market."""
    cylinder = acts.lock(deed, [cylinder_id])[cylinder_id]
    must_reach_bottle(deed.db, deed.doing, cylinder)
    _must_be_an_agency(deed, agency_id)
    deed.note(agency_id=agency_id, why=why, receipt_no=receipt_no)
    giver = acts.holder_of(custody_of(deed.db, cylinder_id))
    if cylinder.state is not CylinderState.AT_INSPECTION:
        CYLINDER.move(deed.db, cylinder, "send_to_inspection")
    deed.db.add(
        Seizure(
            cylinder_id=cylinder_id,
            district=deed.district,
            why=why,
            receipt_no=receipt_no,
            agency_id=agency_id,
            from_kind=giver and giver.kind,
            from_id=giver and giver.id,
            seized_by=deed.actor.principal_id,
            seized_at=deed.recorded_at,
        )
    )
    deed.db.flush()
    _hand_to(deed, cylinder, agency_id, giver)
    sending = _open_sending(deed, cylinder_id)
    if sending is not None:
        sending.answered_at = deed.recorded_at
        deed.db.flush()
    _open(deed, cylinder, agency_id, SendingReason.SEIZED, receipt_no)
    deed.tell(
        SEIZED,
        cylinder_id=cylinder_id,
        agency_id=agency_id,
        why=why,
        receipt_no=receipt_no,
        seen_at=deed.occurred_at,
    )
    return {"cylinder_id": str(cylinder_id)}


@does("cylinder.scrap")
def scrap(
    deed: Deed, *, cylinder_id: UUID, certificate_no: str, scrapped_on: date, method: ScrapMethod
) -> Answer:
    """报废, for ever: the bottle stays with the agency and its codes are void."""
    agency_id = deed.actor.scope_id(ScopeKind.AGENCY)
    cylinder = acts.lock(deed, [cylinder_id])[cylinder_id]
    not_in_the_future(scrapped_on, "/scrapped_on")
    deed.note(certificate_no=certificate_no, scrapped_on=scrapped_on, method=method, agency_id=agency_id)
    _must_not_be_scrapped(deed, cylinder)
    reasons = judge_agency(deed, cylinder, agency_id, AgencyAct.SCRAP, on=scrapped_on)
    sending = _open_sending(deed, cylinder_id)
    if not is_with_agency(deed.db, cylinder_id, agency_id):
        reasons.append(no_life.NOT_SENT_HERE())
    if reasons:
        raise Refused(reasons)
    if cylinder.state is CylinderState.IN_SERVICE:
        _look_again(deed, cylinder)
    CYLINDER.move(deed.db, cylinder, "scrap")
    agency = Holder(HolderKind.AGENCY, agency_id)
    record(deed, cylinder, FactKind.SCRAP, giver=agency, taker=agency, errand=Errand())
    deed.db.add(
        Scrapping(
            cylinder_id=cylinder_id,
            scrapped_on=scrapped_on,
            agency=str(agency_id),
            certificate_no=certificate_no,
            method=method,
            recorded_at=deed.recorded_at,
        )
    )
    deed.db.execute(
        sa.update(CylinderIdentifier)
        .where(CylinderIdentifier.cylinder_id == cylinder_id, CylinderIdentifier.voided_at.is_(None))
        .values(voided_at=deed.recorded_at)
    )
    if sending is not None:
        sending.answered_at = deed.recorded_at
    recall_tasks.scrapped(deed, cylinder_id, certificate_no)
    return {"cylinder_id": str(cylinder_id)}


# --- custody and sendings ---------------------------------------------------------------------------------


def _must_be_an_agency(deed: Deed, agency_id: UUID) -> None:
    """On the register and approved today: a bottle is handed to nobody else."""
    agency = deed.db.get(InspectionAgency, agency_id)
    if agency is None:
        raise WrongField("/agency_id", "unknown", "查无此机构", "expected an agency that is on the register")
    if not agency.approved_from <= clock.day_of(deed.occurred_at) <= agency.approved_until:
        raise Refused([no_life.AGENCY_NOT_APPROVED()])


def _look_again(deed: Deed, cylinder: Cylinder) -> None:
    """What passed or failed and has not left the agency since is at inspection once more."""
    if cylinder.state is not CylinderState.AT_INSPECTION:
        CYLINDER.move(deed.db, cylinder, "send_to_inspection")


def _hand_to(
    deed: Deed, cylinder: Cylinder, agency_id: UUID, giver: Holder | None, *, site_id: UUID | None = None
) -> None:
    record(
        deed,
        cylinder,
        FactKind.SEND_TO_INSPECTION,
        giver=giver,
        taker=Holder(HolderKind.AGENCY, agency_id),
        errand=Errand(site_id=site_id),
    )


def _open_sending(deed: Deed, cylinder_id: UUID) -> InspectionSending | None:
    return deed.db.scalars(
        sa.select(InspectionSending).where(
            InspectionSending.cylinder_id == cylinder_id, InspectionSending.answered_at.is_(None)
        )
    ).one_or_none()


def _open(deed: Deed, cylinder: Cylinder, agency_id: UUID, why: SendingReason, reference: str) -> None:
    deed.db.add(
        InspectionSending(
            cylinder_id=cylinder.cylinder_id,
            id=new_id(),
            district=deed.district,
            firm_id=cylinder.owner_firm_id,
            agency_id=agency_id,
            why=why,
            reference=reference,
            sent_by=deed.actor.principal_id,
            sent_at=deed.recorded_at,
        )
    )


# --- incidents --------------------------------------------------------------------------------------------


def _must_not_be_scrapped(deed: Deed, cylinder: Cylinder, seen: Resolved | None = None) -> None:
    """A scrapped bottle that is before an agency once more: refused, and told all the same."""
    if cylinder.state is CylinderState.SCRAPPED:
        raise _refused_here(deed, seen or known_bottle(cylinder.cylinder_id), [no.SCRAPPED()])


def _refused_here(deed: Deed, resolved: Resolved, reasons: list[Refusal]) -> Refused:
    if acts.is_stranger(reasons):
        acts.stranger_seen(deed, resolved, where="agency", reasons=reasons)
    return Refused(reasons)


# --- what makes a report doubtful -------------------------------------------------------------------------


def _had_since(deed: Deed, cylinder_id: UUID, agency_id: UUID, sending: InspectionSending | None) -> datetime:
    """Since when this agency has the bottle; this moment, if it was elsewhere until now."""
    if sending is not None and sending.received_at is not None:
        return sending.received_at
    custody = custody_of(deed.db, cylinder_id)
    is_here = custody is not None and (custody.holder_kind, custody.holder_id) == (
        HolderKind.AGENCY,
        agency_id,
    )
    if custody is None or not is_here:
        return deed.occurred_at
    return custody.since_at or custody.effective_at


def _flag_what_is_doubtful(deed: Deed, inspection: Inspection, had_since: datetime) -> None:
    """Flags for the regulator; the report itself stands. One number on two bottles may be a batch's."""
    last_day = inspection.inspected_on
    if inspection.day_precision == Precision.MONTH:
        last_day = month_end(last_day)
    if last_day < clock.day_of(had_since):
        _flag(deed, inspection, AnomalyKind.DATED_BEFORE_RECEIPT, None)
    other = deed.db.scalar(
        sa.select(Inspection.cylinder_id)
        .where(
            Inspection.report_no == inspection.report_no,
            Inspection.agency == inspection.agency,
            Inspection.cylinder_id != inspection.cylinder_id,
        )
        .order_by(Inspection.recorded_at, Inspection.id)
        .limit(1)
    )
    if other is not None:
        _flag(deed, inspection, AnomalyKind.REPORT_NO_REUSED, other)


def _flag(deed: Deed, inspection: Inspection, kind: AnomalyKind, other: UUID | None) -> None:
    anomaly = InspectionAnomaly(
        cylinder_id=inspection.cylinder_id,
        id=new_id(),
        district=deed.district,
        kind=kind,
        inspection_id=inspection.id,
        agency=inspection.agency,
        report_no=inspection.report_no,
        other_cylinder_id=other,
        found_at=deed.recorded_at,
    )
    deed.db.add(anomaly)
    deed.payload.setdefault("anomalies", []).append(kind.value)
    deed.tell(
        ANOMALY_FOUND,
        cylinder_id=inspection.cylinder_id,
        anomaly_id=anomaly.id,
        kind=kind,
        report_no=inspection.report_no,
        agency=inspection.agency,
        other_cylinder_id=other,
        seen_at=deed.occurred_at,
    )
