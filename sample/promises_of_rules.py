"""Promises about the rules of the trade: hazards, orders, crews, counts. See ``sample/promises.py``."""

import base64
import hashlib
from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from itertools import pairwise
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from core import clock
from core.auth import Grant, ScopeKind
from core.refusal import CATALOGUE
from cylinders.filling_models import FillingCheck
from cylinders.models import (
    CountDifference,
    CountedWrong,
    CountExplanation,
    CustodyConflict,
    CustodyCorrection,
    CustodyFact,
    FactKind,
    Hold,
    HoldKind,
    SiteCount,
)
from dispatch.deliveries.models import Delivery, VisitOutcome
from dispatch.orders.models import Order, OrderLine
from dispatch.orders.states import OPEN_STATES
from dispatch.safety.models import CheckOutcome, CheckReason, Hazard, Notice, NoticeReceipt, SafetyCheck
from evidence.models import Outcome
from registry.models import Binding, Device, DeviceInbox, DeviceInboxAside
from registry.proxy_models import ProxyConsent
from registry.states import ProxyState
from sample.audit import Audit, Promise, entries

# --- the gun ----------------------------------------------------------------------------------------------

RULES_OF_THE_BOTTLE = tuple(f"F{number:02}" for number in range(1, 17))


def every_rule_of_the_bottle_asked(audit: Audit) -> Promise:
    promise = Promise(
        "充装规则 F01–F16 当天条条有瓶被拦下",
        "each of the rules F01 to F16 stopped a bottle that day",
        "the reasons of every refusal that was answered, and of every look at the gun that did not pass",
    )
    stopped = [rule for reasons in audit.heard.values() for _, rule, _ in reasons]
    for found in audit.db.scalars(sa.select(FillingCheck.reasons)):
        stopped += [CATALOGUE[one["code"]].rule for one in found]
    for rule in RULES_OF_THE_BOTTLE:
        promise.looked_at += stopped.count(rule)
        if rule not in stopped:
            promise.broken.append(f"{rule} stopped nothing")
    return promise


# --- booking, and the place --------------------------------------------------------------------------------

NEVER_ASKED = {"A09"}
"""A gap between bookings: no place of the sample sets one."""
RULES_OF_BOOKING = tuple(
    rule
    for rule in (*(f"A{number:02}" for number in range(1, 17)), *(f"P{number:02}" for number in range(1, 15)))
    if rule not in NEVER_ASKED
)


def every_rule_of_booking_asked(audit: Audit) -> Promise:
    promise = Promise(
        "用户与订气规则 A01–A16、场所规则 P01–P14 当天条条有人听到（A09 本市没有规定）",
        "each of the rules A01 to A16 and P01 to P14 refused somebody (but A09, which no place sets)",
        "the reasons of every refusal that was answered",
    )
    refused = [rule for reasons in audit.heard.values() for _, rule, _ in reasons]
    for rule in RULES_OF_BOOKING:
        promise.looked_at += refused.count(rule)
        if rule not in refused:
            promise.broken.append(f"{rule} refused nobody")
    return promise


# --- hazards ----------------------------------------------------------------------------------------------


def nobody_supplied_over_a_hazard(audit: Audit) -> Promise:
    promise = Promise(
        "有停供隐患或拒绝安检的，告知、整改、他人复查合格前一瓶不供",
        "no bottle came to a home with a stopping hazard, or that refused the check, until it was put right",
        "each stopping hazard: its notice with proof of receipt, its closing by another person's later look, "
        "and no delivery in between; each refused check: no delivery before one that was made",
    )
    supplied: dict[UUID, list[datetime]] = defaultdict(list)
    for row in audit.db.scalars(sa.select(Delivery).where(Delivery.outcome == VisitOutcome.DELIVERED)):
        supplied[row.household_id].append(row.happened_at)
    checks = {check.id: check for check in audit.db.scalars(sa.select(SafetyCheck))}
    proven = sa.and_(NoticeReceipt.district == Notice.district, NoticeReceipt.notice_id == Notice.id)
    told = set(audit.db.scalars(sa.select(Notice.hazard_id).join(NoticeReceipt, proven)))
    for hazard in audit.db.scalars(sa.select(Hazard).where(Hazard.blocking)):
        promise.looked_at += 1
        until = hazard.closed_at
        meanwhile = [
            at
            for at in supplied[hazard.household_id]
            if at > hazard.found_at and (until is None or at < until)
        ]
        closed_well = until is None or _is_well_closed(hazard, checks)
        if hazard.id not in told or meanwhile or not closed_well:
            promise.broken.append(f"hazard {hazard.id}")
    for refused in checks.values():
        if refused.outcome is CheckOutcome.REFUSED:
            promise.looked_at += 1
            if any(_was_not_checked(at, refused, checks) for at in supplied[refused.household_id]):
                promise.broken.append(f"refused check {refused.id}")
    return promise


def _is_well_closed(hazard: Hazard, checks: Mapping[UUID, SafetyCheck]) -> bool:
    look = checks.get(hazard.closing_check_id) if hazard.closing_check_id else None
    return (
        look is not None
        and look.reason is CheckReason.RECHECK
        and hazard.mended_at is not None
        and look.checked_at > hazard.mended_at
        and hazard.found_by not in (look.checked_by, hazard.closed_by)
    )


def _was_not_checked(supplied_at: datetime, refused: SafetyCheck, checks: Mapping[UUID, SafetyCheck]) -> bool:
    """Supplied after the refusal, with no check made in between."""
    return supplied_at > refused.checked_at and not any(
        check.household_id == refused.household_id
        and check.outcome is not CheckOutcome.REFUSED
        and refused.checked_at < check.checked_at <= supplied_at
        for check in checks.values()
    )


# --- orders -----------------------------------------------------------------------------------------------


def one_order_at_a_time(audit: Audit) -> Promise:
    promise = Promise(
        "同一张卡任何时候只有一单，两人同时订也只成一单",
        "a card never had two open orders, also when two people booked at once",
        "every order line of a card against the next: settled before the next was booked",
    )
    settled = {row.line_id: row.recorded_at for row in _outcomes(audit)}
    for said in entries(audit, "order.fail"):
        settled[UUID(said["payload"]["line_id"])] = datetime.fromisoformat(said["recorded_at"])
    cancelled = {
        subject["key"]: datetime.fromisoformat(said["recorded_at"])
        for said in entries(audit, "order.cancel")
        for subject in said["subjects"]
        if said["outcome"] == Outcome.DONE
    }
    lines: dict[UUID, list[OrderLine]] = defaultdict(list)
    for line in audit.db.scalars(sa.select(OrderLine).order_by(OrderLine.recorded_at)):
        lines[line.card_id].append(line)
    for card_id, own in lines.items():
        promise.looked_at += len(own)
        for before, after in pairwise(own):
            settled_at = settled.get(before.id) or cancelled.get(str(before.order_id))
            if before.state in OPEN_STATES or settled_at is None or settled_at > after.recorded_at:
                promise.broken.append(f"card {card_id}: two orders at {after.recorded_at}")
    return promise


def nobody_booked_unasked(audit: Audit) -> Promise:
    promise = Promise(
        "没有双方同意，没有人能拿别人的卡订气",
        "nobody booked for another's card without a consent of both that was in force",
        "every order that a resident booked for somebody else: a consent agreed to before it, not yet over",
    )
    people = {
        grant.principal_id: UUID(grant.scope_code)
        for grant in audit.db.scalars(sa.select(Grant).where(Grant.scope_kind == ScopeKind.PERSON))
    }
    consents = audit.db.scalars(sa.select(ProxyConsent).where(ProxyConsent.answered_at.is_not(None))).all()
    for order in audit.db.scalars(sa.select(Order)):
        proxy_id = people.get(order.booked_by)
        if proxy_id is None or proxy_id == order.person_id:
            continue
        promise.looked_at += 1
        if not any(_covers(one, order, proxy_id) for one in consents):
            promise.broken.append(f"order {order.id}: nobody had named who booked it")
    return promise


def _covers(consent: ProxyConsent, order: Order, proxy_id: UUID) -> bool:
    day = clock.day_of(order.recorded_at)
    return (
        (consent.household_id, consent.person_id) == (order.household_id, order.person_id)
        and (consent.proxy_id, consent.may_book) == (proxy_id, True)
        and consent.valid_from <= day <= consent.valid_until
        and consent.answered_at is not None
        and consent.answered_at <= order.recorded_at
        and (consent.ended_at is None or consent.ended_at > order.recorded_at)
        and consent.state is not ProxyState.TURNED_DOWN
    )


def _outcomes(audit: Audit) -> Any:
    ended = (VisitOutcome.DELIVERED, VisitOutcome.WITHHELD)
    return audit.db.scalars(sa.select(Delivery).where(Delivery.outcome.in_(ended)))


# --- crews ------------------------------------------------------------------------------------------------

_ON_THE_ROAD = (FactKind.LOAD, FactKind.DELIVER, FactKind.TAKE_EMPTY)


def crews_bound(audit: Audit) -> Promise:
    promise = Promise(
        "路上每次扫码都属于当时有效的人车对应，满瓶出站都有订单",
        "every scan on the road is of the binding in force then, and no full bottle left without an order",
        "each load, delivery and empty taken: the binding's span holds the time, the courier is its own; "
        "each load has its order line; whatever lies outside is flagged",
    )
    bindings = {binding.id: binding for binding in audit.db.scalars(sa.select(Binding))}
    for fact in audit.db.scalars(sa.select(CustodyFact).where(CustodyFact.kind.in_(_ON_THE_ROAD))):
        promise.looked_at += 1
        binding = bindings.get(fact.binding_id) if fact.binding_id else None
        courier = fact.from_id if fact.kind is FactKind.DELIVER else fact.to_id
        in_force = binding is not None and fact.occurred_at in binding.span and binding.courier_id == courier
        if not (in_force and fact.line_id is not None) and not fact.flags:
            promise.broken.append(f"{fact.kind} {fact.id} at {fact.occurred_at}")
    return promise


# --- late scans -------------------------------------------------------------------------------------------


def late_scans_kept(audit: Audit) -> Promise:
    promise = Promise(
        "手机断网时签名的扫码一条不丢，重复不重记，改过的另存并报警",
        "no scan that a phone signed was lost, none was recorded twice, another string was kept aside",
        "each string's hash and signature verified again with the device's key; each device's numbers "
        "without a gap, each fact of a device with the string that told it",
    )
    keys = {device.id: device.public_key for device in audit.db.scalars(sa.select(Device))}
    seen: dict[UUID, list[int]] = defaultdict(list)
    for row in audit.db.scalars(sa.select(DeviceInbox).order_by(DeviceInbox.device_seq)):
        promise.looked_at += 1
        seen[row.device_id].append(row.device_seq)
        text, key = row.signed.encode(), keys[row.device_id]
        if (
            hashlib.sha256(text).digest() != row.hash
            or key is None
            or not _is_signed(key, text, row.signature)
        ):
            promise.broken.append(f"string {row.device_seq} of device {row.device_id}")
    for device_id, numbers in seen.items():
        if numbers != list(range(1, len(numbers) + 1)):
            promise.broken.append(f"device {device_id}: a gap in {numbers}")
    told = {(device_id, number) for device_id, numbers in seen.items() for number in numbers}
    for fact in audit.db.scalars(sa.select(CustodyFact).where(CustodyFact.device_seq.is_not(None))):
        if (fact.device_id, fact.device_seq) not in told:
            promise.broken.append(f"fact {fact.id}: no string told it")
    for aside in audit.db.scalars(sa.select(DeviceInboxAside)):
        if hashlib.sha256(aside.signed).digest() != aside.hash:
            promise.broken.append(f"a string kept aside of device {aside.device_id}")
    return promise


def _is_signed(public_key: str, text: bytes, signature: bytes) -> bool:
    """Raw r and s, as WebCrypto makes them, over the string's own bytes."""
    r, s = (int.from_bytes(half) for half in (signature[:32], signature[32:]))
    point = base64.b64decode(public_key)
    key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    try:
        key.verify(encode_dss_signature(r, s), text, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True


# --- contradictions -----------------------------------------------------------------------------------------


def contradictions_held(audit: Audit) -> Promise:
    promise = Promise(
        "记录矛盾的气瓶一律停用，由人查实；更正不抹去原记录",
        "a bottle whose records contradict is held until a person has said what is true; errors stay",
        "each open contradiction with its standing hold; each resolved one with who said which is true; "
        "each declared error with its fact still there",
    )
    facts = set(audit.db.scalars(sa.select(CustodyFact.id)))
    held = set(
        audit.db.scalars(
            sa.select(Hold.cylinder_id).where(Hold.kind == HoldKind.CONFLICT, Hold.until_at.is_(None))
        )
    )
    for conflict in audit.db.scalars(sa.select(CustodyConflict)):
        promise.looked_at += 1
        is_open = conflict.resolved_at is None
        by_person = conflict.resolved_by is not None
        if is_open and conflict.cylinder_id not in held:
            promise.broken.append(f"contradiction {conflict.id}: nothing holds the bottle")
        if by_person and (is_open or conflict.true_fact_id not in facts):
            promise.broken.append(f"contradiction {conflict.id}: nobody said what is true")
    for error in audit.db.scalars(sa.select(CustodyCorrection)):
        promise.looked_at += 1
        if error.fact_id not in facts:
            promise.broken.append(f"fact {error.fact_id}: declared an error, and gone")
    return promise


# --- counts -----------------------------------------------------------------------------------------------


def counts_explained(audit: Audit) -> Promise:
    promise = Promise(
        "盘点满瓶空瓶分开，每处差异都有说明",
        "counts tell full and empty apart, and every difference has its explanation",
        "each count: the sums that differ are exactly the bottles named, and somebody said why of each",
    )
    differences: dict[UUID, list[CountDifference]] = defaultdict(list)
    for one in audit.db.scalars(sa.select(CountDifference)):
        differences[one.count_id].append(one)
    explained = {(one.count_id, one.number) for one in audit.db.scalars(sa.select(CountExplanation))}
    for count in audit.db.scalars(sa.select(SiteCount)):
        promise.looked_at += 1
        own = differences[count.id]
        if any((one.count_id, one.number) not in explained for one in own):
            promise.broken.append(f"count {count.id}: a difference nobody explained")
        if _surplus(count) != _surplus_named(own):
            promise.broken.append(f"count {count.id}: its sums are not its bottles")
    return promise


def _surplus(count: SiteCount) -> int:
    """How many more bottles were counted than expected."""
    signs = {"full_counted": 1, "full_expected": -1, "empty_counted": 1, "empty_expected": -1}
    return sum(sign * model[name] for model in count.models for name, sign in signs.items())


def _surplus_named(differences: list[CountDifference]) -> int:
    too_many = sum(one.kind is CountedWrong.NOT_EXPECTED for one in differences)
    return too_many - sum(one.kind is CountedWrong.NOT_FOUND for one in differences)
