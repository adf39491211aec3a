"""Existing users, brought in with the paper they rest on. One deed, one entry, however many rows.

A row is a premises with its household, a registrant, an account opened in the past and its cards. Each row
runs in a savepoint of its own: with ``proceed`` the good rows stand and the bad ones are reported, with
``rollback`` one bad row refuses them all. The entry says which rows were refused and why, by code, and
commits to the good ones by their root: a Merkle tree hash (RFC 9162) over what was written of each, with
personal data by salted commitment and address by keyed index.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import marshmallow as ma
import rfc8785
from sqlalchemy.exc import IntegrityError

from core import clock
from core.doing import Doing
from core.ids import new_id
from core.nesting import NotJson, read_json
from core.problems import FieldFault, WrongField, faults_in
from core.refusal import Audience, Refusal, Refused, plain
from evidence.deed import Answer, Deed, run
from evidence.entry import leaf_hash
from evidence.merkle import merkle_root
from evidence.models import SubjectType
from registry import account_refusals as no_account
from registry import import_refusals as no_import
from registry import people
from registry import people_refusals as no_people
from registry.account_gate import AccountBusiness
from registry.accounts import (
    Opening,
    cards_refusals,
    enter_account,
    enter_contract,
    judged,
    registrant_refusals,
)
from registry.households import (
    SEEN_FIRST,
    SEEN_SINCE,
    active_household,
    codes_must_nest,
    enter_household,
    enter_premises,
    entered_again,
    premises_at,
)
from registry.mentions import my_firm, resting
from registry.models import AccountOrigin, CheckMethod
from registry.schemas import UserRowIn
from rulebook import current

MAX_LINES = 10_000
ASKED_SINCE = (*SEEN_SINCE, "estate_code", "building_code")
"""What stands in an import's root only where it is known."""
PROGRESS_EVERY = 100
_RACED_ON = no_account.HELD | no_people.HELD

Progress = Callable[[int], None]
"""Told how many rows were looked at."""


@dataclass(frozen=True, slots=True)
class LineFault:
    """What is wrong with one line of a file, in words; lines count from 1."""

    line: int
    text: str


@dataclass(slots=True)
class ImportReport:
    accepted: int
    faults: list[LineFault] = field(default_factory=list)


@dataclass(slots=True)
class Row:
    """One row as it came: its number and its content, or why it cannot be read."""

    number: int
    given: Any = None
    errors: list[FieldFault] = field(default_factory=list)


@dataclass(slots=True)
class Outcome:
    """What became of a row. ``leaf`` is what the root is built from."""

    number: int
    ids: dict[str, Any] = field(default_factory=dict)
    errors: list[FieldFault] = field(default_factory=list)
    reasons: list[Refusal] = field(default_factory=list)
    leaf: bytes = b""

    @property
    def ok(self) -> bool:
        return not self.errors and not self.reasons

    def to_plain(self) -> dict[str, Any]:
        none: dict[str, Any] = {"household_id": None, "account_id": None, "person_id": None, "card_ids": []}
        return {
            "index": self.number,
            "ok": self.ok,
            **none,
            **self.ids,
            "errors": [fault.to_plain() for fault in self.errors],
            "reasons": [refusal.to_plain() for refusal in self.reasons],
        }

    def in_short(self) -> dict[str, Any]:
        """Which row and why it was refused: the codes alone."""
        codes = {fault.code for fault in self.errors} | {refusal.code for refusal in self.reasons}
        return {"row": self.number, "codes": codes}

    def as_refusals(self) -> Iterator[Refusal]:
        for refusal in self.reasons:
            yield refusal.about(row=self.number)
        for fault in self.errors:
            yield no_import.ROW_WRONG(row=self.number, pointer=fault.pointer, fault=fault.code)


def import_rows(
    doing: Doing, *, firm_id: UUID, evidence: Mapping[str, str], on_error: str, rows: Sequence[Any]
) -> Answer:
    """A request's rows, numbered from 0. ``on_error``: "proceed" or "rollback"."""
    numbered = [Row(number, given) for number, given in enumerate(rows)]
    return _import(doing, firm_id, evidence, on_error, numbered, None)


def import_users(
    doing: Doing,
    lines: Iterable[str],
    *,
    firm_id: UUID,
    document: str,
    reference: str,
    on_error: str = "rollback",
    progress: Progress | None = None,
) -> ImportReport:
    """``./lpg manage import users FILE.jsonl``: one JSON object a line, blank lines are passed over.

    One file is one deed of at most 10,000 rows (``WrongField`` at ``/rows`` beyond), numbered by line from 1.
    ``Refused`` with every bad line where ``on_error`` is "rollback".
    """
    read = [_read(number, line) for number, line in enumerate(lines, start=1) if line.strip()]
    if not 1 <= len(read) <= MAX_LINES:
        raise WrongField("/rows", "length", f"应有1至{MAX_LINES}行", f"expected 1 to {MAX_LINES} rows")
    answer = _import(doing, firm_id, {"document": document, "reference": reference}, on_error, read, progress)
    faults = [LineFault(item["index"], text) for item in answer["items"] for text in said_of(item)]
    return ImportReport(answer["accepted"], faults)


def said_of(item: Mapping[str, Any]) -> Iterator[str]:
    for fault in item["errors"]:
        where = f"{fault['pointer']}: " if fault["pointer"] else ""
        yield f"{where}{fault['zh']} / {fault['en']}"
    for one in item["reasons"]:
        said = Refusal.from_plain(one).worded(Audience.OFFICE)
        yield f"{said['code']}: {said['zh']} / {said['en']}"


def worded(doing: Doing, answer: Answer) -> Answer:
    """The answer with its reasons worded for the caller."""
    audience = doing.actor.audience
    items = [
        item | {"reasons": [Refusal.from_plain(row).worded(audience) for row in item["reasons"]]}
        for item in answer["items"]
    ]
    return {**answer, "items": items}


def _read(number: int, line: str) -> Row:
    try:
        return Row(number, read_json(line))
    except NotJson as wrong:
        return Row(number, errors=[FieldFault("", "json", f"这一行{wrong.zh}", f"{wrong.en} on this line")])


def _import(
    doing: Doing,
    firm_id: UUID,
    evidence: Mapping[str, str],
    on_error: str,
    rows: Sequence[Row],
    progress: Progress | None,
) -> Answer:
    def work(deed: Deed) -> Answer:
        firm = my_firm(deed, firm_id)
        import_id = new_id()
        deed.about(SubjectType.REGISTER, str(deed.district))
        deed.at(firm=firm.id)
        deed.note(import_id=import_id, rows=len(rows), on_error=on_error, **evidence)
        outcomes = []
        for done, row in enumerate(rows, start=1):
            outcomes.append(_one_row(deed, firm.id, import_id, row))
            if progress is not None and (done % PROGRESS_EVERY == 0 or done == len(rows)):
                progress(done)
        good = [outcome for outcome in outcomes if outcome.ok]
        bad = [outcome for outcome in outcomes if not outcome.ok]
        root = merkle_root([outcome.leaf for outcome in good]).hex()
        deed.note(accepted=len(good), refused=len(bad))
        if bad and on_error == "rollback":
            raise Refused([refusal for outcome in bad for refusal in outcome.as_refusals()])
        deed.note(root=root, refused_rows=[outcome.in_short() for outcome in bad])
        return {
            "import_id": str(import_id),
            "accepted": len(good),
            "refused": len(bad),
            "root": root,
            "items": [outcome.to_plain() for outcome in outcomes],
        }

    return run(doing, "account.import", work)


def _one_row(deed: Deed, firm_id: UUID, import_id: UUID, row: Row) -> Outcome:
    """The row in a savepoint of its own; what is wrong with it is reported, never raised."""
    if row.errors:
        return Outcome(row.number, errors=row.errors)
    try:
        read = _ROW.load(row.given)
        with deed.db.begin_nested():
            return _enter_row(deed, firm_id, import_id, row.number, read)
    except ma.ValidationError as error:
        return Outcome(row.number, errors=list(faults_in(error.messages, stranger=_UNKNOWN)))
    except WrongField as wrong:
        return Outcome(row.number, errors=list(wrong.faults))
    except Refused as refused:
        return Outcome(row.number, reasons=[resting(deed, one) for one in refused.refusals])
    except IntegrityError as error:
        name = getattr(getattr(error.orig, "diag", None), "constraint_name", None)
        reason = _RACED_ON.get(name or "")
        if reason is None:
            raise
        return Outcome(row.number, reasons=[resting(deed, reason())])


def _enter_row(deed: Deed, firm_id: UUID, import_id: UUID, number: int, row: Mapping[str, Any]) -> Outcome:
    place = row["premises"]
    applied_on = row["applied_on"] or row["opened_on"]
    codes_must_nest(deed, place, "/premises")
    _days_must_be_past(deed, row)
    premises = premises_at(deed, place.address)
    reasons = []
    if premises is not None and active_household(deed, premises.id) is not None:
        reasons.append(no_account.HOUSEHOLD_STANDS())
    if applied_on >= current().first_day:
        # An account from before the first day of the rulebook stood before any bar it knows.
        reasons += judged(deed, "account.open", applied_on, AccountBusiness.OPENING, place.street_code)
    try:
        person_id, committed = _registrant(deed, row["registrant"])
        reasons += registrant_refusals(deed, place.user_class, person_id, applied_on)
    except Refused as refused:
        reasons += refused.refusals
    reasons += cards_refusals(deed, place.user_class, row["cards"])
    if reasons:
        raise Refused(reasons)
    premises = entered_again(premises, place) if premises else enter_premises(deed, place)
    household = enter_household(deed, premises, place, new_id())
    opening = Opening(
        firm_id=firm_id,
        person_id=person_id,
        origin=AccountOrigin.IMPORTED,
        applied_on=applied_on,
        opened_on=row["opened_on"],
        cards=row["cards"],
        import_id=import_id,
    )
    account, card_ids = enter_account(deed, household, opening)
    if row["contract"] is not None:
        enter_contract(deed, account, **row["contract"])
    ids = {
        "household_id": str(household.id),
        "account_id": str(account.id),
        "person_id": str(person_id),
        "card_ids": [str(card_id) for card_id in card_ids],
    }
    leaf = {
        "row": number,
        **ids,
        "commitment": committed,
        "address": premises.address_index.hex(),
        **{name: getattr(premises, name) for name in ("street_code", "committee_code", "kind", *SEEN_FIRST)},
        **{name: value for name in ASKED_SINCE if (value := getattr(premises, name)) is not None},
        "user_class": household.user_class,
        "applied_on": account.applied_on,
        "opened_on": account.opened_on,
        "cards": row["cards"],
        "contract": row["contract"],
    }
    return Outcome(number, ids, leaf=leaf_hash(rfc8785.dumps(plain(leaf))))


def _registrant(deed: Deed, given: Mapping[str, Any]) -> tuple[UUID, str | None]:
    """The person and, if new, the commitment. The firm's records are what the identity rests on."""
    document, method = given["document"], CheckMethod.DATABASE
    facts = people.document_facts(deed, document, "/registrant/document/number")
    found = people.person_behind(deed, facts)
    if found is not None:
        people.recognise(deed, found, facts, document["valid_until"], given["name"], method)
        deed.db.flush()
        return found, None
    person_id = new_id()
    committed = people.enter_person(
        deed, person_id, facts, document["valid_until"], given["name"], given["phone"], method
    )
    deed.db.flush()
    return person_id, committed


def _days_must_be_past(deed: Deed, row: Mapping[str, Any]) -> None:
    today = clock.day_of(deed.recorded_at)
    if row["opened_on"] > today:
        raise WrongField("/opened_on", "future", "开户日不能在将来", "expected today or a day before")
    if row["applied_on"] is not None and row["applied_on"] > row["opened_on"]:
        raise WrongField("/applied_on", "order", "申请日不能晚于开户日", "expected opened_on or a day before")


_ROW = UserRowIn()
_UNKNOWN = UserRowIn.error_messages["unknown"]
