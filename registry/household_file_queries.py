"""A household's file behind our own routes: facts in clear, what is personal masked.

Only ``revealed`` opens it, after the deed that gave the reason.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core.auth import ScopeKind
from core.doing import Doing
from core.geo import Datum
from core.sealed import mask_address, mask_name, mask_phone
from registry import sealing
from registry.letting_queries import living_view
from registry.models import Account, IdentityCheck, Person
from registry.premises_queries import latest_surveys
from registry.queries import BookingParty, booking_party, cards_of_account, party_within_reach
from registry.states import AccountState
from registry.stops import stop_of
from registry.view_queries import columns_of


def must_reach_household(doing: Doing, household_id: UUID) -> None:
    """404 for a household that is not there or not the caller's; nothing of it is read."""
    with doing.ground.reads() as db:
        party_within_reach(db, doing.actor, doing.district, household_id)


def household_view(doing: Doing, household_id: UUID) -> dict[str, Any]:
    """The household's file: facts in clear, personal data masked, no credential."""
    with doing.ground.sessions() as db:
        party = party_within_reach(db, doing.actor, doing.district, household_id)
        return _file_of(db, doing, party)


def own_files(doing: Doing) -> list[dict[str, Any]]:
    """The files of the households in the caller's own name here, those with a live account first."""
    person_id = doing.actor.scope_id(ScopeKind.PERSON)
    with doing.ground.sessions() as db:
        households = db.scalars(
            sa.select(Account.household_id)
            .where(Account.district == doing.district, Account.person_id == person_id)
            .distinct()
        ).all()
        parties = [booking_party(db, doing.district, one) for one in sorted(households)]
        own = [one for one in parties if one and one.account and one.account.person_id == person_id]
        own.sort(key=lambda one: one.account is not None and one.account.state is AccountState.CLOSED)
        return [_file_of(db, doing, party) for party in own]


def files_of(db: Session, doing: Doing, parties: Sequence[BookingParty]) -> list[dict[str, Any]]:
    """Their files, masked, for whoever was found to have to do with these homes."""
    return [_file_of(db, doing, party) for party in parties]


def revealed(doing: Doing, answer: Mapping[str, Any]) -> dict[str, Any]:
    """The clear values that a reveal gave the right to see.

    The deed's answer holds ids and the fields' names only: a repeat opens the values again, under the
    rights of now, and gives null where the subject has been erased or is the registrant no more.
    """
    with doing.ground.sessions() as db:
        party = party_within_reach(db, doing.actor, doing.district, UUID(answer["household_id"]))
        sealed = {"address": sealing.address_of(party.household)}
        if answer["person_id"] and answer["person_id"] == str(party.account and party.account.person_id):
            person = db.get_one(Person, UUID(answer["person_id"]))
            sealed |= {"name": sealing.name_of(person), "phone": sealing.phone_of(person)}
        asked = [name for name in answer["fields"] if name in sealed]
        texts = sealing.all_opened(db, doing.ground, [sealed[name] for name in asked])
        values = dict.fromkeys(answer["fields"], None) | dict(zip(asked, texts, strict=True))
        return {"household_id": answer["household_id"], "person_id": answer["person_id"], **values}


def _file_of(db: Session, doing: Doing, party: BookingParty) -> dict[str, Any]:
    premises, household, account = party.premises, party.household, party.account
    address = sealing.opened(db, doing.ground, sealing.address_of(household))
    return {
        "household_id": household.id,
        "user_class": household.user_class,
        "vulnerable": household.vulnerable,
        "closed_at": household.closed_at,
        "address_masked": address and mask_address(address),
        "premises": columns_of(premises)
        | {
            "point": {"lon": premises.lon, "lat": premises.lat, "datum": Datum.WGS84.value},
            "seen": [
                {"name": name, "seen_on": one.seen_on, "evidence": one.evidence}
                for name, one in sorted(latest_surveys(db, doing.district, premises.id).items())
            ],
        },
        "account": account and columns_of(account),
        "registrant": account and _registrant(db, doing, account.person_id, party.identity),
        "cards": cards_of_account(db, doing.district, account.id) if account else [],
        "contracts": party.contracts,
        "letting": living_view(db, doing.ground, doing.district, household.id),
    }


def _registrant(db: Session, doing: Doing, person_id: UUID, identity: IdentityCheck | None) -> dict[str, Any]:
    """Masked; of whoever asked to be erased nothing is shown but to themselves."""
    person, name, phone = db.get_one(Person, person_id), None, None
    reach = doing.actor.reach
    is_own = reach.kind is ScopeKind.PERSON and reach.code == str(person_id)
    if is_own or stop_of(db, person_id) is None:
        name, phone = sealing.all_opened(
            db, doing.ground, [sealing.name_of(person), sealing.phone_of(person)]
        )
    return {
        "person_id": person_id,
        "name_masked": name and mask_name(name),
        "phone_masked": phone and mask_phone(phone),
        "verified": identity is not None,
        "document_kind": identity and identity.document_kind,
        "document_valid_until": identity and identity.valid_until,
    }
