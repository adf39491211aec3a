"""充装 as an interlocked act: no gas without leave, no full bottle without checks and weights.

    authorise    may this bottle be filled here, over this scale, from this batch, by this person, now?
    check        before the gas: what was looked at, the empty shell's weight, the residue
    weigh        the full bottle; too much holds it until it was bled and weighed again
    complete     after the gas: leak, valve, label, seal. Only now is it full
    abort        given up
    fill         all of it in one deed, as one request tells it

Who authorises holds a secret (``filling_queries.token_of``) that every later step must show. What was found
is a fact and is never undone: a check that failed, a residue too large, a bottle too heavy are deeds that
succeed in recording it, end the filling, and hold the bottle where the rulebook says so. What may not be
done (no leave, out of time, stopped meanwhile, an item nobody looked at) is refused.
"""

import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from core import clock
from core.ids import new_id
from core.machine import ILLEGAL_MOVE
from core.problems import NotFound, WrongField
from core.refusal import Reason, Refusal, Refused
from cylinders import acts
from cylinders import filling_refusals as no
from cylinders.at_site import (
    keep_decision,
    locked,
    measured,
    refused_at,
    site_of_address,
    site_of_form,
    unknown,
)
from cylinders.custody import Errand, Holder, record
from cylinders.filling_gate import LookFacts
from cylinders.filling_models import (
    AbortReason,
    CheckPhase,
    FillingAuthorisation,
    FillingCheck,
    FillingWeighing,
    ResidueOccasion,
    Scale,
    Weighed,
)
from cylinders.filling_queries import (
    OPEN,
    check_before,
    means_of,
    scale_numbered,
    standing_authorisation,
    token_of,
    weighings_of,
)
from cylinders.filling_states import FILLING, FillingState
from cylinders.holds import lift_holds, put_hold
from cylinders.models import Cylinder, FactKind, Filling, HoldKind
from cylinders.queries import judge_bottle, labels_of
from cylinders.refill_gate import Purpose
from cylinders.weighing_gate import WeighingFacts, is_short
from evidence.deed import Answer, Deed, does
from registry.models import Firm, HolderKind, Site, Staff
from rulebook import current
from rulebook.edition import Law
from rulebook.gate import Verdict, judge
from rulebook.refusals import NO_VALUE

Checks = list[dict[str, Any]]
LIFETIME = "F19.lifetime_s"
SHORT_WEIGHT = "short_weight"
SHORT_WEIGHT_FOUND = "filling.short_weight"


@dataclass(frozen=True, slots=True)
class Opened:
    """An authorisation within a deed: its bottle is locked."""

    authorisation: FillingAuthorisation
    cylinder: Cylinder
    site: Site


# --- the verbs --------------------------------------------------------------------------------------------


@does("cylinder.authorise_fill")
def authorise(
    deed: Deed, *, code: str, site_id: UUID, filler_id: UUID, scale: str, batch_id: UUID | None = None
) -> Answer:
    """Leave to fill this one bottle, here and now. A stranger is refused and told."""
    return _answer(_authorise(deed, code, site_id, filler_id, scale, batch_id))


@does("cylinder.check_before_fill")
def check(
    deed: Deed, *, authorisation_id: UUID, token: str, checks: Checks, tare_weighed_g: int, residue_g: int
) -> Answer:
    """What was seen and weighed on the empty bottle; if nothing is against it, gas may flow."""
    opened = _opened(deed, authorisation_id, token)
    deed.note(checks_before=checks, tare_weighed_g=tare_weighed_g, residue_g=residue_g)
    _refuse(_out_of_time(deed, opened) or _asked_again(deed, opened)[0])
    _look(deed, opened, checks, tare_weighed_g, residue_g)
    return _answer(opened)


@does("cylinder.weigh_fill")
def weigh(deed: Deed, *, authorisation_id: UUID, token: str, scale: str, gross_g: int) -> Answer:
    """The full bottle on the scale. A bottle that was too heavy may be weighed again also after its time."""
    opened = _opened(deed, authorisation_id, token)
    deed.note(gross_g=gross_g)
    authorised = deed.db.get_one(Scale, opened.authorisation.scale_id)
    if scale != authorised.number:
        raise Refused([no.OTHER_SCALE()])
    state = opened.authorisation.state
    gas_went_in = bool(weighings_of(deed.db, opened.authorisation))
    if state is not FillingState.FILLING and not (gas_went_in and state is not FillingState.FILLED):
        raise Refused([ILLEGAL_MOVE(thing=FILLING.thing, state=state, move="weigh")])
    _weigh(deed, opened, gross_g)
    return _answer(opened)


@does("cylinder.fill")
def complete(deed: Deed, *, authorisation_id: UUID, token: str, checks: Checks, seal_no: str) -> Answer:
    """The last look, and the seal: now the bottle is full."""
    opened = _opened(deed, authorisation_id, token)
    deed.note(checks_after=checks, seal_no=seal_no)
    weighings = weighings_of(deed.db, opened.authorisation)
    if opened.authorisation.state is FillingState.FILLING and not weighings:
        raise Refused([no.NOT_WEIGHED()])
    if opened.authorisation.state is not FillingState.FILLING:
        raise Refused([ILLEGAL_MOVE(thing=FILLING.thing, state=opened.authorisation.state, move="complete")])
    return _finish(deed, opened, weighings[-1], checks, seal_no)


@does("cylinder.abort_fill")
def abort(deed: Deed, *, authorisation_id: UUID, token: str, reason: AbortReason) -> Answer:
    """Given up: the bottle is not full. One that was too heavy stays held."""
    opened = _opened(deed, authorisation_id, token)
    deed.note(reason=reason)
    _refuse(_out_of_time(deed, opened))
    _close(deed, opened, "abort")
    opened.authorisation.abort_reason = reason.value
    return _answer(opened)


@does("cylinder.fill")
def fill(
    deed: Deed,
    *,
    code: str,
    site_id: UUID,
    filler_id: UUID,
    scale: str,
    tare_weighed_g: int,
    residue_g: int,
    gross_g: int,
    checks_before: Checks,
    checks_after: Checks,
    seal_no: str,
    batch_id: UUID | None = None,
) -> Answer:
    """The whole act in one deed, through the same gates; a bottle too heavy waits, held, to be bled."""
    deed.note(tare_weighed_g=tare_weighed_g, residue_g=residue_g, gross_g=gross_g, seal_no=seal_no)
    deed.note(checks_before=checks_before, checks_after=checks_after)
    opened = _authorise(deed, code, site_id, filler_id, scale, batch_id)
    if not _look(deed, opened, checks_before, tare_weighed_g, residue_g):
        return _answer(opened)
    weighing = _weigh(deed, opened, gross_g)
    if weighing.outcome is Weighed.OVER and all(one["passed"] for one in checks_after):
        return _answer(opened)
    return _finish(deed, opened, weighing, checks_after, seal_no)


@does("cylinder.measure_residue")
def measure_residue(
    deed: Deed, *, site_id: UUID, code: str, occasion: ResidueOccasion, residue_g: int, extracted_g: int
) -> Answer:
    """残液: as measured when the bottle came back, or as drawn off. The firm keeps it; none is poured out."""
    site = site_of_address(deed, site_id)
    resolved = locked(deed, code)
    deed.at(firm=site.firm_id, site=site.id)
    deed.note(code=resolved.on_record, occasion=occasion, residue_g=residue_g, extracted_g=extracted_g)
    if resolved.cylinder_id is None:
        raise unknown("/code")
    found = measured(deed, site, resolved.cylinder_id, occasion, residue_g, extracted_g)
    return {"cylinder_id": str(found.cylinder_id), "residue_id": str(found.id)}


# --- leave ------------------------------------------------------------------------------------------------


def _authorise(
    deed: Deed, code: str, site_id: UUID, filler_id: UUID, scale: str, batch_id: UUID | None
) -> Opened:
    site = site_of_form(deed, site_id)
    _filler_of(deed, site, filler_id)
    resolved = locked(deed, code)
    deed.at(firm=site.firm_id, site=site.id)
    deed.note(code=resolved.on_record, filler_id=filler_id, scale=scale)
    cylinder = deed.db.get(Cylinder, resolved.cylinder_id) if resolved.cylinder_id else None
    on_file = scale_numbered(deed.db, site.id, scale)
    reasons, decision_id = _judged(deed, site, code, cylinder, on_file, batch_id, filler_id)
    if cylinder is not None:
        standing = standing_authorisation(deed.db, cylinder.cylinder_id, deed.occurred_at)
        reasons += [no.AUTHORISED_ALREADY(until=clock.stamp(standing.expires_at)[11:16])] if standing else []
    lifetime_s = _law(deed, site).integer(LIFETIME)
    reasons += [] if lifetime_s else [NO_VALUE(name=LIFETIME, place=str(site.district))]
    batch = means_of(deed.db, site.id, on_file, batch_id, deed.occurred_at).batch
    if reasons or cylinder is None or on_file is None or batch is None or lifetime_s is None:
        raise refused_at(deed, site, resolved, reasons)
    authorisation = FillingAuthorisation(
        cylinder_id=cylinder.cylinder_id,
        id=new_id(),
        state=FILLING.initial,
        district=site.district,
        site_id=site.id,
        scale_id=on_file.id,
        batch_id=batch.id,
        filler_id=filler_id,
        target_g=cylinder.max_fill_g,
        decision_id=decision_id,
        authorised_at=deed.occurred_at,
        expires_at=deed.occurred_at + timedelta(seconds=lifetime_s),
        key_version=deed.ground.keyring.signing.current,
    )
    deed.note(authorisation_id=authorisation.id, batch_id=batch.id, expires_at=authorisation.expires_at)
    deed.db.add(authorisation)
    deed.db.flush()
    return Opened(authorisation, cylinder, site)


def _judged(
    deed: Deed,
    site: Site,
    code: str | UUID,
    cylinder: Cylinder | None,
    scale: Scale | None,
    batch_id: UUID | None,
    filler_id: UUID,
) -> tuple[list[Refusal], UUID]:
    """Every reason of the bottle's file, then of gas, scale and stops. No bottle, no question about gas."""
    bottle = judge_bottle(
        deed.db,
        code,
        purpose=Purpose.FILL,
        site_id=site.id,
        place=str(site.district),
        at=deed.occurred_at,
        filler_id=filler_id,
    )
    decision_id = keep_decision(deed, bottle.verdict)
    reasons = list(bottle.verdict.reasons)
    if cylinder is not None:
        means = means_of(deed.db, site.id, scale, batch_id, deed.occurred_at)
        start = _judge(deed, site, "filling_start", means.facts(cylinder.tare_g))
        keep_decision(deed, start)
        reasons += start.reasons
    return reasons, decision_id


def _asked_again(deed: Deed, opened: Opened) -> tuple[list[Refusal], UUID]:
    """What could have changed since leave was given: a hold, a stop, a paper that ran out at midnight."""
    leave = opened.authorisation
    return _judged(
        deed,
        opened.site,
        leave.cylinder_id,
        opened.cylinder,
        deed.db.get_one(Scale, leave.scale_id),
        leave.batch_id,
        leave.filler_id,
    )


def _filler_of(deed: Deed, site: Site, filler_id: UUID) -> None:
    firm = deed.db.get_one(Firm, site.firm_id)
    filler = deed.db.get(Staff, (firm.home_district, filler_id))
    if filler is None or filler.firm_id != firm.id:
        raise unknown("/filler_id")


# --- a step under an authorisation ------------------------------------------------------------------------


def _opened(deed: Deed, authorisation_id: UUID, token: str) -> Opened:
    """The authorisation as it stands now, its bottle locked; 404 out of reach, 422 without its secret."""
    by_id = sa.select(FillingAuthorisation).where(FillingAuthorisation.id == authorisation_id)
    found = deed.db.scalar(by_id)
    if found is None:
        raise NotFound
    site = site_of_address(deed, found.site_id)
    wanted = token_of(deed.ground, found)
    if not wanted or not hmac.compare_digest(wanted.encode(), token.encode()):
        raise WrongField(
            "/token", "token", "不是这次授权的口令", "expected the token that came with this authorisation"
        )
    cylinder = acts.lock(deed, [found.cylinder_id])[found.cylinder_id]
    deed.db.refresh(found)
    deed.at(firm=site.firm_id, site=site.id)
    deed.note(authorisation_id=found.id, filler_id=found.filler_id)
    return Opened(found, cylinder, site)


def _out_of_time(deed: Deed, opened: Opened) -> list[Refusal]:
    leave = opened.authorisation
    is_late = leave.state in OPEN and deed.occurred_at >= leave.expires_at
    return [no.AUTHORISATION_EXPIRED()] if is_late else []


def _refuse(reasons: list[Refusal]) -> None:
    if reasons:
        raise Refused(reasons)


def _look(deed: Deed, opened: Opened, checks: Checks, tare_weighed_g: int, residue_g: int) -> bool:
    """Before the gas: recorded either way. What nobody looked at is refused, unless a fault was found."""
    leave, cylinder = opened.authorisation, opened.cylinder
    facts = LookFacts(
        passed=_items(checks, True),
        failed=_items(checks, False),
        max_fill_g=cylinder.max_fill_g,
        stamped_tare_g=cylinder.tare_g,
        tare_weighed_g=tare_weighed_g,
        residue_g=residue_g,
    )
    verdict = _judge(deed, opened.site, "filling_check", facts)
    decision_id = keep_decision(deed, verdict)
    found = _found(verdict, no.CHECK_MISSING)
    deed.db.add(
        FillingCheck(
            cylinder_id=leave.cylinder_id,
            authorisation_id=leave.id,
            phase=CheckPhase.BEFORE,
            items=checks,
            tare_weighed_g=tare_weighed_g,
            residue_g=residue_g,
            reasons=[reason.to_plain() for reason in found],
            decision_id=decision_id,
            checked_at=deed.occurred_at,
        )
    )
    measured(deed, opened.site, leave.cylinder_id, ResidueOccasion.BEFORE_FILLING, residue_g, 0)
    if found:
        _end(deed, opened, facts.failed, "F13.holds_bottle", found)
    else:
        FILLING.move(deed.db, leave, "begin")
    return not found


def _found(verdict: Verdict, missing: Reason) -> list[Refusal]:
    """What was found. Where nothing was found and something was not looked at, that is refused."""
    found = [one for one in verdict.reasons if one.reason is not missing]
    if not found:
        _refuse(list(verdict.reasons))
    return found


def _weigh(deed: Deed, opened: Opened, gross_g: int) -> FillingWeighing:
    """Recorded whatever it shows. Too much holds the bottle, and anything less lets it go again."""
    leave = opened.authorisation
    facts = _weights(deed, opened, gross_g)
    verdict = _judge(deed, opened.site, "weighing", facts)
    outcome = _outcome(verdict, facts, _law(deed, opened.site))
    weighing = FillingWeighing(
        cylinder_id=leave.cylinder_id,
        id=new_id(),
        authorisation_id=leave.id,
        gross_g=gross_g,
        content_g=facts.content_g,
        outcome=outcome,
        reasons=[reason.to_plain() for reason in verdict.reasons],
        decision_id=keep_decision(deed, verdict),
        weighed_at=deed.occurred_at,
    )
    was_over = any(one.outcome is Weighed.OVER for one in weighings_of(deed.db, leave)[-1:])
    deed.db.add(weighing)
    deed.db.flush()
    if outcome is Weighed.OVER and not was_over:
        put_hold(deed, opened.cylinder, HoldKind.OVERFILLED, str(leave.id))
    elif outcome is not Weighed.OVER and was_over:
        lift_holds(deed, opened.cylinder, HoldKind.OVERFILLED)
    deed.note(content_g=facts.content_g, outcome=outcome)
    return weighing


def _weights(
    deed: Deed,
    opened: Opened,
    gross_g: int,
    failed: tuple[str, ...] = (),
    checked_after: tuple[str, ...] | None = None,
) -> WeighingFacts:
    before = check_before(deed.db, opened.authorisation)
    if before is None or before.tare_weighed_g is None or before.residue_g is None:
        raise LookupError("expected a check before the weights: the machine and the form hold that")
    return WeighingFacts(
        max_fill_g=opened.cylinder.max_fill_g,
        stamped_tare_g=opened.cylinder.tare_g,
        tare_weighed_g=before.tare_weighed_g,
        residue_g=before.residue_g,
        gross_g=gross_g,
        failed_checks=failed,
        checked_after=checked_after,
    )


def _outcome(verdict: Verdict, facts: WeighingFacts, law: Law) -> Weighed:
    if any(one.reason is no.NOTHING_FILLED for one in verdict.reasons):
        return Weighed.NOTHING
    if verdict.reasons:
        return Weighed.OVER
    return Weighed.SHORT if is_short(facts, law) else Weighed.RIGHT


def _finish(deed: Deed, opened: Opened, weighing: FillingWeighing, checks: Checks, seal_no: str) -> Answer:
    """After the gas. A leak is a fact, whatever else is wrong; otherwise all must be right, and in time."""
    failed = _items(checks, False)
    looked_at = tuple(one["item"] for one in checks)
    facts = _weights(deed, opened, weighing.gross_g, failed, looked_at)
    verdict = _judge(deed, opened.site, "weighing", facts)
    kept = keep_decision(deed, verdict)
    if failed:
        found = [one for one in verdict.reasons if one.reason is not no.AFTER_CHECK_MISSING]
        _checked_after(deed, opened, checks, None, found, kept)
        _end(deed, opened, failed, "F17.holds_bottle", found)
        return _answer(opened)
    again, decision_id = _asked_again(deed, opened)
    _refuse([*_out_of_time(deed, opened), *again, *verdict.reasons])
    _checked_after(deed, opened, checks, seal_no, [], kept)
    _close(deed, opened, "complete")
    flags = [SHORT_WEIGHT] if weighing.outcome is Weighed.SHORT else []
    filling = _filled(deed, opened, facts, seal_no, decision_id, flags)
    deed.note(net_g=facts.net_g, flags=flags)
    if flags:
        _tell_short(deed, opened, facts, filling)
    return {**_answer(opened), "filling_id": str(filling.id)}


def _tell_short(deed: Deed, opened: Opened, facts: WeighingFacts, filling: Filling) -> None:
    """缺斤少两: the user would pay for gas that is not there. It is a filling, and the authority is told."""
    deed.tell(
        SHORT_WEIGHT_FOUND,
        where="site",
        site_id=opened.site.id,
        cylinder_id=opened.cylinder.cylinder_id,
        code=labels_of(deed.db, [opened.cylinder.cylinder_id]).get(opened.cylinder.cylinder_id),
        filling_id=filling.id,
        content_g=facts.content_g,
        max_fill_g=facts.max_fill_g,
        seen_at=deed.occurred_at,
    )


def _checked_after(
    deed: Deed, opened: Opened, checks: Checks, seal_no: str | None, found: list[Refusal], decision_id: UUID
) -> None:
    deed.db.add(
        FillingCheck(
            cylinder_id=opened.authorisation.cylinder_id,
            authorisation_id=opened.authorisation.id,
            phase=CheckPhase.AFTER,
            items=checks,
            seal_no=seal_no,
            reasons=[reason.to_plain() for reason in found],
            decision_id=decision_id,
            checked_at=deed.occurred_at,
        )
    )


def _filled(
    deed: Deed, opened: Opened, facts: WeighingFacts, seal_no: str, decision_id: UUID, flags: list[str]
) -> Filling:
    leave = opened.authorisation
    before = check_before(deed.db, leave)
    after = deed.db.get_one(FillingCheck, (leave.cylinder_id, leave.id, CheckPhase.AFTER))
    filling = Filling(
        cylinder_id=leave.cylinder_id,
        id=new_id(),
        district=opened.site.district,
        site_id=opened.site.id,
        filler_id=leave.filler_id,
        scale=deed.db.get_one(Scale, leave.scale_id).number,
        tare_weighed_g=facts.tare_weighed_g,
        residue_g=facts.residue_g,
        net_g=facts.net_g,
        gross_g=facts.gross_g,
        checks_before=before.items if before else [],
        checks_after=after.items,
        seal_no=seal_no,
        decision_id=decision_id,
        filled_at=deed.occurred_at,
        recorded_at=deed.recorded_at,
        authorisation_id=leave.id,
        flags=flags,
    )
    deed.db.add(filling)
    at_site = Holder(HolderKind.SITE, opened.site.id)
    errand = Errand(site_id=opened.site.id)
    record(deed, opened.cylinder, FactKind.FILL, giver=at_site, taker=at_site, errand=errand)
    return filling


# --- how it ends ------------------------------------------------------------------------------------------


def _end(deed: Deed, opened: Opened, failed: Iterable[str], holding: str, found: list[Refusal]) -> None:
    """Found wrong: the filling is over. What the rulebook names holds the bottle too."""
    _close(deed, opened, "fail_check")
    deed.note(outcome="refused", found=[reason.code for reason in found])
    if set(failed) & set(_law(deed, opened.site).words(holding)):
        put_hold(deed, opened.cylinder, HoldKind.FAILED_CHECK, str(opened.authorisation.id))


def _close(deed: Deed, opened: Opened, move: str) -> None:
    FILLING.move(deed.db, opened.authorisation, move)
    opened.authorisation.closed_at = min(deed.occurred_at, opened.authorisation.expires_at)


def _items(checks: Checks, passed: bool) -> tuple[str, ...]:
    """Each once; an item said to be both is one that failed."""
    bad = {one["item"] for one in checks if not one["passed"]}
    items = dict.fromkeys(one["item"] for one in checks)
    return tuple(item for item in items if (item not in bad) is passed)


def _judge(deed: Deed, site: Site, gate: str, facts: Any) -> Verdict:
    return judge(gate, facts, str(site.district), clock.day_of(deed.occurred_at), current())


def _law(deed: Deed, site: Site) -> Law:
    return current().at(str(site.district), clock.day_of(deed.occurred_at))


def _answer(opened: Opened) -> Answer:
    leave = opened.authorisation
    return {"cylinder_id": str(leave.cylinder_id), "authorisation_id": str(leave.id)}
