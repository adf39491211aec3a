"""What a station fills with: its scales, its gas, and the authority's stops. Verbs, each a deed.

register_scale, verify_scale              秤和检定
register_batch, enter_test, use_batch     气源批次：登记、检验、启用
stop, release                             停充：全站或一台秤，由监管部门
"""

from datetime import date
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from core import clock
from core.ids import new_id
from core.problems import NotFound, WrongField
from core.refusal import Refused
from cylinders import filling_refusals as no
from cylinders.at_site import site_of_address, unknown
from cylinders.filling_models import (
    FillingStop,
    GasBatch,
    GasBatchUse,
    GasTest,
    Product,
    Scale,
    ScaleVerification,
    StopReason,
)
from evidence.deed import Answer, Deed, does
from evidence.models import SubjectType
from registry.models import Site


@does("scale.register")
def register_scale(deed: Deed, *, site_id: UUID, number: str, verification: dict[str, Any] | None) -> Answer:
    """Put a filling scale on file; over one without a verification nothing is filled."""
    site = _here(deed, site_id)
    scale = Scale(id=new_id(), site_id=site.id, number=number, recorded_at=deed.recorded_at)
    deed.note(scale_id=scale.id, number=number)
    deed.db.add(scale)
    deed.db.flush()
    if verification is not None:
        _verify(deed, scale, **verification)
    return {"scale_id": str(scale.id)}


@does("scale.verify")
def verify_scale(
    deed: Deed, *, site_id: UUID, scale_id: UUID, certificate_no: str, verified_on: date, verified_until: date
) -> Answer:
    site = _here(deed, site_id)
    scale = _scale_of(deed, site, scale_id)
    deed.note(scale_id=scale.id)
    _verify(deed, scale, certificate_no, verified_on, verified_until)
    return {"scale_id": str(scale.id)}


def _verify(deed: Deed, scale: Scale, certificate_no: str, verified_on: date, verified_until: date) -> None:
    _not_in_the_future(verified_on, "/verified_on")
    deed.note(certificate_no=certificate_no, verified_on=verified_on, verified_until=verified_until)
    deed.db.add(
        ScaleVerification(
            scale_id=scale.id,
            certificate_no=certificate_no,
            verified_on=verified_on,
            verified_until=verified_until,
            recorded_at=deed.recorded_at,
        )
    )


@does("gas_batch.register")
def register_batch(
    deed: Deed,
    *,
    site_id: UUID,
    number: str,
    product: Product,
    supplier: str,
    certificate_no: str | None,
    delivered_on: date,
    test: dict[str, Any] | None,
) -> Answer:
    """Any gas that came in is put on file, also what may not be filled: that is for the gate to say."""
    site = _here(deed, site_id)
    _not_in_the_future(delivered_on, "/delivered_on")
    batch = GasBatch(
        id=new_id(),
        site_id=site.id,
        number=number,
        product=product,
        supplier=supplier,
        certificate_no=certificate_no,
        delivered_on=delivered_on,
        recorded_at=deed.recorded_at,
    )
    deed.note(batch_id=batch.id, number=number, product=product, supplier=supplier)
    deed.note(batch_certificate_no=certificate_no, delivered_on=delivered_on)
    deed.db.add(batch)
    deed.db.flush()
    if test is not None:
        _test(deed, batch, **test)
    return {"batch_id": str(batch.id)}


@does("gas_batch.test")
def enter_test(
    deed: Deed,
    *,
    site_id: UUID,
    batch_id: UUID,
    report_no: str,
    tested_on: date,
    odorant_present: bool,
    dme_found: bool,
) -> Answer:
    """A laboratory's result; the latest counts from now on, also for the batch in use."""
    site = _here(deed, site_id)
    batch = _batch_of(deed, site, batch_id)
    deed.note(batch_id=batch.id)
    _test(deed, batch, report_no, tested_on, odorant_present, dme_found)
    return {"batch_id": str(batch.id)}


def _test(
    deed: Deed, batch: GasBatch, report_no: str, tested_on: date, odorant_present: bool, dme_found: bool
) -> None:
    _not_in_the_future(tested_on, "/tested_on")
    deed.note(report_no=report_no, tested_on=tested_on, odorant_present=odorant_present, dme_found=dme_found)
    deed.db.add(
        GasTest(
            batch_id=batch.id,
            report_no=report_no,
            tested_on=tested_on,
            odorant_present=odorant_present,
            dme_found=dme_found,
            recorded_at=deed.recorded_at,
        )
    )


@does("gas_batch.use")
def use_batch(deed: Deed, *, site_id: UUID, batch_id: UUID) -> Answer:
    """From now on the station fills from this batch, and no longer from the one before."""
    site = _here(deed, site_id)
    deed.db.execute(sa.select(Site.id).where(Site.id == site.id).with_for_update())
    batch = _batch_of(deed, site, batch_id)
    deed.note(batch_id=batch.id)
    deed.db.execute(
        sa.update(GasBatchUse)
        .where(GasBatchUse.site_id == site.id, GasBatchUse.until_at.is_(None))
        .values(until_at=deed.recorded_at)
    )
    deed.db.add(GasBatchUse(id=new_id(), site_id=site.id, batch_id=batch.id, from_at=deed.recorded_at))
    return {"batch_id": str(batch.id)}


@does("filling.stop")
def stop(deed: Deed, *, site_id: UUID, scale_id: UUID | None, reason: StopReason, reference: str) -> Answer:
    """停充, from this instant: of the whole station or of one scale. What has begun is not completed."""
    site = _watched(deed, site_id)
    if scale_id is not None:
        _scale_of(deed, site, scale_id, "/scale_id")
    put = FillingStop(
        id=new_id(),
        site_id=site.id,
        scale_id=scale_id,
        reason=reason,
        reference=reference,
        from_at=deed.recorded_at,
        stopped_by=deed.actor.principal_id,
    )
    deed.note(stop_id=put.id, scale_id=scale_id, reason=reason, reference=reference)
    deed.db.add(put)
    return {"stop_id": str(put.id)}


@does("filling.release")
def release(deed: Deed, *, site_id: UUID, stop_id: UUID, reference: str) -> Answer:
    site = _watched(deed, site_id)
    deed.note(stop_id=stop_id, reference=reference)
    lifted = deed.db.get(FillingStop, stop_id, with_for_update=True)
    if lifted is None or lifted.site_id != site.id:
        raise NotFound
    if lifted.until_at is not None:
        raise Refused([no.NO_SUCH_STOP()])
    lifted.until_at, lifted.released_by = deed.recorded_at, deed.actor.principal_id
    return {"stop_id": str(stop_id)}


# --------------------------------------------------------------------------------------------------------


def _here(deed: Deed, site_id: UUID) -> Site:
    """The caller's own site, or one of the caller's firm."""
    site = site_of_address(deed, site_id)
    deed.about(SubjectType.REGISTER, str(deed.district))
    deed.at(firm=site.firm_id, site=site.id)
    return site


def _watched(deed: Deed, site_id: UUID) -> Site:
    """A site in the regulator's district."""
    site = deed.db.get(Site, site_id)
    if site is None:
        raise NotFound
    deed.actor.must_reach(district=site.district)
    deed.about(SubjectType.REGISTER, str(deed.district))
    deed.at(firm=site.firm_id, site=site.id)
    return site


def _scale_of(deed: Deed, site: Site, scale_id: UUID, pointer: str | None = None) -> Scale:
    scale = deed.db.get(Scale, scale_id)
    if scale is None or scale.site_id != site.id:
        raise unknown(pointer) if pointer else NotFound
    return scale


def _batch_of(deed: Deed, site: Site, batch_id: UUID) -> GasBatch:
    batch = deed.db.get(GasBatch, batch_id)
    if batch is None or batch.site_id != site.id:
        raise NotFound
    return batch


def _not_in_the_future(day: date, pointer: str) -> None:
    if day > clock.today():
        raise WrongField(pointer, "range", "日期不能晚于今天", "expected a day that is not in the future")
