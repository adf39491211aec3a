"""What the system promises, read back from the database after the day as an auditor would.

Each promise says how it was checked, how many things were looked at, and every case in which it was broken.
Living the day goes through the public API only; this page alone reads the tables.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from itertools import combinations
from typing import Any
from uuid import UUID

import orjson
import sqlalchemy as sa

from core.idempotency import Idempotency
from core.outbox import OutboxEvent
from cylinders.custody import Holder, Rulings, project
from cylinders.models import (
    CardHolding,
    CustodyConflict,
    CustodyCorrection,
    CustodyFact,
    Cylinder,
    CylinderClaim,
    CylinderCustody,
    FactKind,
)
from dispatch.deliveries.models import Delivery, ProofKind, VisitOutcome
from dispatch.orders.models import Order
from dispatch.rounds.models import RoundPlan
from dispatch.rounds.states import PlanState
from dispatch.safety.models import CheckItem, SafetyCheck
from evidence.models import Entry, Outcome
from evidence.verify import Tally, verify
from registry.models import HolderKind
from routing import Plan, Problem, check
from rulebook.decisions import replay
from rulebook.models import Decision
from sample.audit import Audit, Promise, entries
from sample.promises_of_rules import (
    contradictions_held,
    counts_explained,
    crews_bound,
    every_rule_of_booking_asked,
    every_rule_of_the_bottle_asked,
    late_scans_kept,
    nobody_booked_unasked,
    nobody_supplied_over_a_hazard,
    one_order_at_a_time,
)


def check_all(audit: Audit) -> list[Promise]:
    return [promise(audit) for promise in PROMISES]


# --- bottles ----------------------------------------------------------------------------------------------


def one_holder(audit: Audit) -> Promise:
    """Every bottle on file is with somebody, and only there; and the facts, told again, say the same."""
    promise = Promise(
        "每只气瓶有且只有一个持有人",
        "every cylinder has exactly one holder",
        "custody folded again from all facts and compared with what stands; card and bottle agree",
    )
    facts: dict[Any, list[CustodyFact]] = defaultdict(list)
    for fact in audit.db.scalars(sa.select(CustodyFact)):
        facts[fact.cylinder_id].append(fact)
    rulings = _rulings(audit)
    standing = {row.cylinder_id: row for row in audit.db.scalars(sa.select(CylinderCustody))}
    holdings = _active(audit.db.scalars(sa.select(CardHolding).where(CardHolding.active)))
    claims = _active(audit.db.scalars(sa.select(CylinderClaim).where(CylinderClaim.active)))
    for cylinder_id in audit.db.scalars(sa.select(Cylinder.cylinder_id)):
        promise.looked_at += 1
        row = standing.get(cylinder_id)
        if row is None or row.holder_kind is None or row.holder_id is None or not facts[cylinder_id]:
            promise.broken.append(f"cylinder {cylinder_id} is with nobody")
            continue
        told = project(facts[cylinder_id], rulings[cylinder_id]).now
        if told.holder != Holder(row.holder_kind, row.holder_id) or told.full != row.full:
            promise.broken.append(f"cylinder {cylinder_id}: its facts say {told.holder}, not what stands")
        expected = [row.card_id] if row.holder_kind is HolderKind.HOUSEHOLD else []
        if holdings[cylinder_id] != expected or claims[cylinder_id] != expected:
            promise.broken.append(f"cylinder {cylinder_id}: its cards are {holdings[cylinder_id]}")
    return promise


def _rulings(audit: Audit) -> dict[Any, Rulings]:
    """What persons have said of each bottle's facts: errors are left out, facts found true stand."""
    withdrawn: dict[Any, set[UUID]] = defaultdict(set)
    believed: dict[Any, dict[UUID, datetime]] = defaultdict(dict)
    for error in audit.db.scalars(sa.select(CustodyCorrection)):
        withdrawn[error.cylinder_id].add(error.fact_id)
    for conflict in audit.db.scalars(sa.select(CustodyConflict)):
        if conflict.true_fact_id == conflict.fact_id and conflict.resolved_at is not None:
            last = believed[conflict.cylinder_id].get(conflict.fact_id, conflict.resolved_at)
            believed[conflict.cylinder_id][conflict.fact_id] = max(last, conflict.resolved_at)
    found: dict[Any, Rulings] = defaultdict(Rulings)
    for cylinder_id in withdrawn.keys() | believed.keys():
        found[cylinder_id] = Rulings(frozenset(withdrawn[cylinder_id]), believed[cylinder_id])
    return found


def _active(rows: Iterable[CardHolding] | Iterable[CylinderClaim]) -> dict[Any, list[Any]]:
    found: dict[Any, list[Any]] = defaultdict(list)
    for row in rows:
        found[row.cylinder_id].append(row.card_id)
    return found


def one_bottle_a_card(audit: Audit) -> Promise:
    """Over the whole history: spans of one card, or of one bottle, never overlap."""
    promise = Promise(
        "一卡一瓶，任何时候都没有一卡两瓶、一瓶两卡",
        "no card ever held two bottles, no bottle ever stood on two cards",
        "every span of every holding against every other on the same card, and on the same bottle",
    )
    for model, key, other in (
        (CardHolding, "card_id", "cylinder_id"),
        (CylinderClaim, "cylinder_id", "card_id"),
    ):
        spans: dict[Any, list[Any]] = defaultdict(list)
        for row in audit.db.scalars(sa.select(model).order_by(model.from_at)):
            spans[getattr(row, key)].append(row)
            promise.looked_at += 1
        for owner, rows in spans.items():
            for before, after in combinations(rows, 2):
                # The same bottle on the same card twice: a scan that ended it was declared an error.
                is_another = getattr(before, other) != getattr(after, other)
                lasted = after.until_at != after.from_at
                if is_another and lasted and (before.until_at is None or before.until_at > after.from_at):
                    promise.broken.append(f"{key} {owner}: two at once from {after.from_at}")
    return promise


# --- at the door ------------------------------------------------------------------------------------------


def scanned_checked_proven(audit: Audit) -> Promise:
    promise = Promise(
        "每次送气都有扫码、随瓶安检和签收凭证",
        "every delivery has its scan, its safety check and its proof",
        "each delivered line: a custody fact of that bottle onto that card, a full check of that order "
        "that stops nothing, and a proof with its hash; of what was left at a door the order that asked "
        "for it, a photograph, and the code",
    )
    delivered = {
        (fact.cylinder_id, fact.line_id, fact.card_id)
        for fact in audit.db.scalars(sa.select(CustodyFact).where(CustodyFact.kind == FactKind.DELIVER))
    }
    taken = {
        (fact.cylinder_id, fact.line_id)
        for fact in audit.db.scalars(sa.select(CustodyFact).where(CustodyFact.kind == FactKind.TAKE_EMPTY))
    }
    items = set(audit.db.scalars(sa.select(CheckItem.check_id)))
    checks = {row.id: row for row in audit.db.scalars(sa.select(SafetyCheck))}
    to_be_left = set(audit.db.scalars(sa.select(Order.id).where(Order.contactless)))
    done = sa.select(Delivery).where(Delivery.outcome == VisitOutcome.DELIVERED)
    for row in audit.db.scalars(done):
        promise.looked_at += 1
        check_made = checks.get(row.check_id) if row.check_id else None
        was_scanned = (row.full_cylinder_id, row.line_id, row.card_id) in delivered
        empty_was_scanned = (row.empty_cylinder_id, row.line_id) in taken
        was_checked = (
            check_made is not None
            and check_made.order_id == row.order_id
            and check_made.id in items
            and not check_made.blocking
        )
        is_proven = row.proof_kind is not None and row.proof_sha256 is not None
        was_left_well = row.drop_place is None or (
            row.order_id in to_be_left
            and row.drop_photo_sha256 is not None
            and row.proof_kind is ProofKind.DOOR_CODE
        )
        if not (was_scanned and empty_was_scanned and was_checked and is_proven and was_left_well):
            promise.broken.append(f"delivery {row.id}")
    return promise


# --- refusals ---------------------------------------------------------------------------------------------


def refusals_kept(audit: Audit) -> Promise:
    promise = Promise(
        "每次拒绝都留有记录，理由与当时答复一致",
        "every refusal answered is on record with the same reasons",
        "each 409 of the day found by its number in the district's list over HTTP and in the evidence; "
        "and no refusal stands there that was not answered",
    )
    kept = {
        entry.refusal_no or "no number": _as_heard(orjson.loads(entry.written)["reasons"])
        for entry in audit.db.scalars(sa.select(Entry).where(Entry.outcome == Outcome.REFUSED))
    }
    for number in sorted(audit.heard.keys() | kept.keys()):
        promise.looked_at += 1
        if not audit.heard.get(number) == kept.get(number) == audit.listed.get(number):
            promise.broken.append(f"refusal {number}")
    return promise


def _as_heard(reasons: Iterable[dict[str, Any]]) -> list[Any]:
    return [heard_of(reason) for reason in reasons]


def heard_of(reason: dict[str, Any]) -> list[Any]:
    """What must be the same wherever a reason is told; its words differ by whom it is told to."""
    return [reason["code"], reason["rule"], reason["facts"]]


# --- plans ------------------------------------------------------------------------------------------------


def plans_pass_again(audit: Audit) -> Promise:
    promise = Promise(
        "每个配送计划都经独立核验通过",
        "every plan passes the independent checker again",
        "each stored plan against its stored problem: windows, loads, shifts, sizes, who was left and why; "
        "and applied, or its application refused on record",
    )
    refused = {
        str(said["payload"]["plan_id"])
        for said in entries(audit, "plan.apply")
        if said["outcome"] == Outcome.REFUSED
    }
    for row in audit.db.scalars(sa.select(RoundPlan)):
        promise.looked_at += 1
        faults = check(Problem.from_plain(row.problem), Plan.from_plain(row.plan))
        is_left = row.state is PlanState.PROPOSED and str(row.id) not in refused
        if faults or is_left:
            promise.broken.append(f"plan {row.id}: {[fault.code.value for fault in faults] or 'not applied'}")
    return promise


# --- evidence ---------------------------------------------------------------------------------------------


def chains_verify(audit: Audit) -> Promise:
    promise = Promise(
        "存证链条逐条可验",
        "every chain of evidence verifies",
        "every entry's hash computed again from its bytes, every link, sequence and head followed",
    )
    tally = Tally()
    promise.broken = [f"{finding.code}: {finding.where}: {finding.en}" for finding in verify(audit.db, tally)]
    promise.looked_at = tally.entries
    return promise


def decisions_replay(audit: Audit) -> Promise:
    promise = Promise(
        "每个决定按当天规则重判，结论相同",
        "every decision judged again gives the same answer",
        "each stored decision by the rules of its own edition, place and day, from its own facts",
    )
    promise.looked_at = audit.db.scalar(sa.select(sa.func.count()).select_from(Decision)) or 0
    promise.broken = [f"decision {one.id}: {one.before} -> {one.after}" for one in replay(audit.db)]
    return promise


# --- personal data ----------------------------------------------------------------------------------------


def no_personal_data(audit: Audit) -> Promise:
    promise = Promise(
        "存证、决定、消息与日志里没有姓名、电话、证件号、住址和口令",
        "no name, phone, document number, address or token in evidence, decisions, events or logs",
        "every such text of the sample searched for in the bytes of all of them",
    )
    needles = Needles(audit.secrets)
    for where, text in _written_texts(audit):
        promise.looked_at += 1
        if needles.found_in(text):
            promise.broken.append(where)
    return promise


def _written_texts(audit: Audit) -> Iterator[tuple[str, bytes]]:
    for entry in audit.db.execute(sa.select(Entry.id, Entry.written)):
        yield f"entry {entry.id}", entry.written
    for decision in audit.db.execute(sa.select(Decision.id, Decision.facts, Decision.reasons)):
        yield f"decision {decision.id}", orjson.dumps([decision.facts, decision.reasons])
    for event in audit.db.execute(sa.select(OutboxEvent.id, OutboxEvent.payload)):
        yield f"event {event.id}", orjson.dumps(event.payload)
    for kept in audit.db.execute(sa.select(Idempotency.key, Idempotency.answer, Idempotency.reasons)):
        yield f"answer kept for {kept.key}", orjson.dumps([kept.answer, kept.reasons])
    for number, line in enumerate(audit.server_log.read_bytes().splitlines(), start=1):
        yield f"line {number} of the server's log", line


class Needles:
    """Thousands of texts searched for at once: by their first bytes, then whole."""

    _FIRST = 6

    def __init__(self, texts: Iterable[bytes]):
        self._by_first: dict[bytes, set[bytes]] = defaultdict(set)
        for text in texts:
            self._by_first[text[: self._FIRST]].add(text)

    def found_in(self, text: bytes) -> bool:
        return any(
            text.startswith(tuple(needles), at)
            for first, needles in self._by_first.items()
            for at in _places(first, text)
        )


def _places(first: bytes, text: bytes) -> Iterator[int]:
    at = text.find(first)
    while at >= 0:
        yield at
        at = text.find(first, at + 1)


PROMISES: tuple[Callable[[Audit], Promise], ...] = (
    one_holder,
    one_bottle_a_card,
    scanned_checked_proven,
    refusals_kept,
    every_rule_of_the_bottle_asked,
    every_rule_of_booking_asked,
    nobody_supplied_over_a_hazard,
    one_order_at_a_time,
    nobody_booked_unasked,
    crews_bound,
    late_scans_kept,
    contradictions_held,
    plans_pass_again,
    counts_explained,
    chains_verify,
    decisions_replay,
    no_personal_data,
)
