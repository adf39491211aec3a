"""Verbs: an account passes to another member of the home. Asked by one person; decided by another.

    ask                     at the counter, with the papers
    reject, withdraw        it stays as it was
    locked, pass_on         for the room that approves it: it must know what is on its way (dispatch)

No account is opened and none closed: cards, deposit, bottle and history stay where they are. What ends is
what the former registrant could do: the home is no longer theirs to see, the cards' old codes open nothing,
and whoever died signs in nowhere.
"""

from typing import Any
from uuid import UUID

import sqlalchemy as sa

from core import clock
from core.doing import Doing
from core.ids import new_id
from core.paging import Page, Pager
from core.problems import NotFound, WrongField
from core.refusal import Refused
from evidence.deed import Answer, Deed, does
from evidence.models import SubjectType
from registry import queries
from registry import succession_refusals as no
from registry.account_gate import AccountBusiness
from registry.accounts import judged, pass_to, registrant_refusals
from registry.cards import new_credential
from registry.grants import end_rights
from registry.mentions import is_erased, my_account, resting, standing_person
from registry.models import Account, Household, Person, Premises
from registry.queries import BookingParty, booking_party
from registry.states import SUCCESSION, CardState, SuccessionState
from registry.succession_gate import SuccessionFacts
from registry.succession_models import Kinship, RejectedFor, Succession, SuccessionGround
from rulebook import current
from rulebook.decisions import decision_of
from rulebook.gate import judge


@does("succession.ask")
def ask(
    deed: Deed,
    account_id: UUID,
    *,
    person_id: UUID,
    ground: SuccessionGround,
    kinship: Kinship,
    evidence: str,
    membership: str,
) -> Answer:
    """The successor is identified already, old enough, and no other home's registrant."""
    seen = my_account(deed, account_id)
    party = booking_party(deed.db, deed.district, seen.household_id, lock=True)
    account = party.account if party else None
    if party is None or account is None or account.id != account_id:
        raise NotFound
    standing_person(deed, person_id)
    if person_id == account.person_id:
        raise WrongField("/person_id", "same", "已是登记人", "expected another member of the home")
    _about(deed, account, person_id)
    deed.note(account_id=account_id, ground=ground, kinship=kinship, evidence=evidence, membership=membership)
    facts = SuccessionFacts(ground, party.household.user_class, account.state, True, False, 0)
    today = clock.day_of(deed.recorded_at)
    reasons = [
        *_judged(deed, facts, party.premises.street_code),
        *registrant_refusals(deed, party.household.user_class, person_id, today),
    ]
    if reasons:
        raise Refused(sorted(reasons, key=lambda refusal: refusal.rule))
    row = Succession(
        district=deed.district,
        id=new_id(),
        account_id=account_id,
        household_id=account.household_id,
        firm_id=account.firm_id,
        from_person_id=account.person_id,
        to_person_id=person_id,
        ground=ground,
        kinship=kinship,
        evidence=evidence,
        membership=membership,
        state=SuccessionState.ASKED,
        asked_by=deed.actor.principal_id,
        asked_at=deed.recorded_at,
    )
    deed.db.add(row)
    deed.db.flush()
    deed.note(succession_id=row.id)
    return {"succession_id": str(row.id)}


@does("succession.reject")
def reject(deed: Deed, succession_id: UUID, *, reason: RejectedFor) -> Answer:
    """By another person than who asked; the account stays as it is."""
    row, _ = locked(deed, succession_id)
    deed.note(rejected_for=reason)
    if row.asked_by == deed.actor.principal_id:
        raise Refused([resting(deed, no.SUCCESSION_SAME_PERSON())])
    _decide(deed, row, "reject")
    row.rejected_for = reason
    deed.db.flush()
    return {"succession_id": str(row.id)}


@does("succession.withdraw")
def withdraw(deed: Deed, succession_id: UUID) -> Answer:
    """The home has thought better of it, or it was entered wrongly."""
    row, _ = locked(deed, succession_id)
    _decide(deed, row, "withdraw")
    return {"succession_id": str(row.id)}


# --- for the room that approves, within its open deed -----------------------------------------------------


def locked(deed: Deed, succession_id: UUID) -> tuple[Succession, BookingParty]:
    """The succession and its home, locked in the order of the house; 404 out of reach."""
    seen = deed.db.get(Succession, (deed.district, succession_id))
    if seen is None:
        raise NotFound
    party = booking_party(deed.db, deed.district, seen.household_id, lock=True)
    if party is None or party.account is None:
        raise NotFound
    _must_reach(deed, party)
    deed.db.get_one(Person, seen.to_person_id, with_for_update=True)
    row = deed.db.get_one(
        Succession, (deed.district, succession_id), with_for_update=True, populate_existing=True
    )
    _about(deed, party.account, row.to_person_id)
    deed.note(succession_id=row.id, account_id=row.account_id)
    return row, party


def pass_on(deed: Deed, row: Succession, party: BookingParty, *, open_lines: int) -> None:
    """Approve it, or say all that stands against it. Its cards are locked."""
    account = party.account
    if account is None:
        raise LookupError("succession.approve: expected the account that was locked")
    if not SUCCESSION.can("approve", row.state):
        SUCCESSION.move(deed.db, row, "approve")  # says no, by the table
    facts = SuccessionFacts(
        row.ground,
        party.household.user_class,
        account.state,
        account.id == row.account_id and account.person_id == row.from_person_id,
        row.asked_by == deed.actor.principal_id,
        open_lines,
    )
    asked_on, street = clock.day_of(row.asked_at), party.premises.street_code
    today = clock.day_of(deed.recorded_at)
    erased = is_erased(deed.db, row.to_person_id)
    reasons = [
        *([resting(deed, no.SUCCESSION_TO_ERASED())] if erased else []),
        *judged(
            deed,
            "account.transfer",
            asked_on,
            AccountBusiness.SUCCESSION,
            street,
            account.household_id,
            lifted=("A03",),
        ),
        *_judged(deed, facts, street),
        *registrant_refusals(deed, party.household.user_class, row.to_person_id, today),
    ]
    if reasons:
        raise Refused(sorted(reasons, key=lambda refusal: refusal.rule))
    _decide(deed, row, "approve")
    pass_to(deed, party.household, account, row.to_person_id)
    _renew_cards(deed, account)
    if row.ground is SuccessionGround.DIED:
        former = deed.db.get_one(Person, row.from_person_id)
        end_rights(deed, former.principal_id)
    deed.db.flush()


def _renew_cards(deed: Deed, account: Account) -> None:
    """Each card keeps its id, its bottle and its history; what the former registrant holds opens nothing."""
    for card in queries.cards_of_account(deed.db, deed.district, account.id, lock=True):
        if card.state is not CardState.CLOSED:
            deed.about(SubjectType.CARD, card.id)
            card.credential = new_credential()


def _decide(deed: Deed, row: Succession, move: str) -> None:
    SUCCESSION.move(deed.db, row, move)
    row.decided_by, row.decided_at = deed.actor.principal_id, deed.recorded_at
    deed.db.flush()


def _judged(deed: Deed, facts: SuccessionFacts, street: str) -> list[Any]:
    verdict = judge("account.succeed", facts, str(deed.district), clock.day_of(deed.recorded_at), current())
    deed.keep(decision_of(verdict, deed.district, street))
    return list(verdict.reasons)


def _about(deed: Deed, account: Account, successor_id: UUID) -> None:
    deed.about(SubjectType.HOUSEHOLD, account.household_id)
    deed.about(SubjectType.PERSON, account.person_id)
    deed.about(SubjectType.PERSON, successor_id)
    deed.at(firm=account.firm_id)


def _must_reach(deed: Deed, party: BookingParty) -> None:
    deed.actor.must_reach(**queries.reach_of(party))


# --- reads ------------------------------------------------------------------------------------------------


def successions(
    doing: Doing, *, limit: int, cursor: str | None = None, state: SuccessionState | None = None
) -> Page:
    """Within reach, the oldest first. Ids only: names stand in the household's file, masked."""
    query: Any = (
        sa.select(Succession, Premises.street_code)
        .join(
            Household,
            sa.and_(Household.district == Succession.district, Household.id == Succession.household_id),
        )
        .join(
            Premises, sa.and_(Premises.district == Household.district, Premises.id == Household.premises_id)
        )
        .where(Succession.district == doing.district, _within(doing))
    )
    if state is not None:
        query = query.where(Succession.state == state)
    pager = Pager(
        doing.ground.keyring.label.current_key, f"successions:{doing.district}:{doing.actor.reach}:{state}"
    )
    with doing.ground.sessions() as db:
        page = pager.page(
            db,
            query,
            Succession.asked_at.expression,
            Succession.id.expression,
            limit=limit,
            cursor=cursor,
            position=lambda row: (row.Succession.asked_at, row.Succession.id),
        )
        return Page([_shown(doing, row.Succession, row.street_code) for row in page.items], page.next_cursor)


def succession_view(doing: Doing, succession_id: UUID) -> dict[str, Any]:
    with doing.ground.sessions() as db:
        row = db.get(Succession, (doing.district, succession_id))
        if row is None:
            raise NotFound
        party = queries.party_within_reach(db, doing.actor, doing.district, row.household_id)
        return _shown(doing, row, party.premises.street_code)


def successions_of(doing: Doing, household_id: UUID) -> list[dict[str, Any]]:
    """Of one household within reach, the latest first."""
    with doing.ground.sessions() as db:
        party = queries.party_within_reach(db, doing.actor, doing.district, household_id)
        rows = db.scalars(
            sa.select(Succession)
            .where(Succession.district == doing.district, Succession.household_id == household_id)
            .order_by(Succession.asked_at.desc(), Succession.id.desc())
        )
        return [_shown(doing, row, party.premises.street_code) for row in rows]


def _shown(doing: Doing, row: Succession, street_code: str) -> dict[str, Any]:
    columns = {column.key: getattr(row, column.key) for column in sa.inspect(Succession).column_attrs}
    return columns | {"street_code": street_code, "mine": row.asked_by == doing.actor.principal_id}


def _within(doing: Doing) -> Any:
    reach = doing.actor.reach
    if reach.covers(district=doing.district):
        return sa.true()
    return sa.or_(
        Premises.street_code == reach.code,
        sa.cast(Succession.firm_id, sa.Text) == reach.code,
    )
