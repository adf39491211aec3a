"""一户一档: everything on record about one household, on one page or as a file, masked.

Each reading is kept before it is answered (docs/adr/0011), whoever reads. What is masked stays masked here:
to see it takes a reveal, with its reason. A list is cut at its latest ``MOST_ROWS`` and says so.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import clock
from core.doing import Doing
from core.refusal import Refusal
from cylinders.models import CardHolding
from cylinders.queries import labels_of
from dispatch.orders.models import Order
from dispatch.orders.queries import OrderWithLines, order_with_lines
from dispatch.safety import queries as safety
from dispatch.safety.equipment_queries import equipment_of
from evidence.entry import Subject
from evidence.models import Outcome, SubjectType
from evidence.queries import chain
from oversight import own_data
from oversight.file_books import books_of
from oversight.queries import household_file
from registry.models import Account, Card
from registry.premises_models import AccountClosing
from registry.proxy_queries import consents_of

MOST_ROWS = 200


def whole_file(doing: Doing, household_id: UUID) -> dict[str, Any]:
    """404 for a household out of reach; nothing is kept of that."""
    file = household_file(doing, household_id)
    standing = safety.standing(doing, household_id)
    checks = safety.checks(doing, limit=MOST_ROWS, household_id=household_id)
    hazards = safety.hazards(doing, limit=MOST_ROWS, household_id=household_id)
    consents = consents_of(doing, household_id, most=MOST_ROWS)
    with doing.ground.sessions() as db:
        district = doing.district
        cards = list(
            db.scalars(sa.select(Card).where(Card.district == district, Card.household_id == household_id))
        )
        card_ids = [card.id for card in cards]
        orders, bottles = _orders(db, district, household_id), _bottles(db, district, card_ids)
        refusals = _refusals(db, doing, household_id, card_ids)
        looks = own_data.looks_at_home(db, district, household_id)[:MOST_ROWS]
        books = books_of(doing, db, household_id, MOST_ROWS)
        return {
            "as_of": clock.now(),
            "household": file,
            "supply_stopped": standing.supply_stopped,
            "inspection_refused": standing.inspection_refused,
            "follow_up_on": standing.follow_up_on,
            "bottles": bottles,
            "orders": orders,
            "checks": list(reversed(checks.items)),
            "hazards": list(reversed(hazards.items)),
            "equipment": equipment_of(doing, household_id),
            "refusals": refusals,
            "closings": _closings(db, district, household_id),
            "proxies": consents,
            "looks": looks,
            **books,
            "cut": bool(checks.next_cursor or hazards.next_cursor)
            or MOST_ROWS in (len(orders), len(bottles), len(refusals), len(looks), len(consents))
            or MOST_ROWS in map(len, books.values()),
        }


def _bottles(db: Session, district: int, card_ids: Sequence[UUID]) -> list[dict[str, Any]]:
    """Every bottle its cards ever held, the latest first."""
    held = db.scalars(
        sa.select(CardHolding)
        .where(CardHolding.district == district, CardHolding.card_id.in_(card_ids))
        .order_by(CardHolding.from_at.desc(), CardHolding.id.desc())
        .limit(MOST_ROWS)
    ).all()
    labels = labels_of(db, [one.cylinder_id for one in held])
    return [
        {
            "card_id": one.card_id,
            "cylinder_id": one.cylinder_id,
            "code": labels.get(one.cylinder_id),
            "active": one.active,
            "from_at": one.from_at,
            "until_at": one.until_at,
        }
        for one in held
    ]


def _orders(db: Session, district: int, household_id: UUID) -> list[OrderWithLines]:
    latest = db.scalars(
        sa.select(Order.id)
        .where(Order.district == district, Order.household_id == household_id)
        .order_by(Order.recorded_at.desc(), Order.id.desc())
        .limit(MOST_ROWS)
    )
    found = [order_with_lines(db, district, order_id) for order_id in latest.all()]
    return [one for one in found if one is not None]


def _refusals(
    db: Session, doing: Doing, household_id: UUID, card_ids: Sequence[UUID]
) -> list[dict[str, Any]]:
    """What was refused this household or its cards, from the evidence; each once, the latest first."""
    subjects = [Subject(SubjectType.HOUSEHOLD, str(household_id))]
    subjects += [Subject(SubjectType.CARD, str(card_id)) for card_id in card_ids]
    said = {
        entry.entry_id: entry
        for subject in subjects
        for entry in chain(db, subject).entries
        if entry.said["outcome"] == Outcome.REFUSED.value
    }
    latest = sorted(said.values(), key=lambda entry: (entry.recorded_at, entry.entry_id), reverse=True)
    return [
        {
            "refusal_no": entry.said["refusal_no"],
            "verb": entry.said["verb"],
            "recorded_at": entry.recorded_at,
            "reasons": [
                Refusal.from_plain(row).worded(doing.actor.audience) for row in entry.said["reasons"]
            ],
        }
        for entry in latest[:MOST_ROWS]
    ]


def _closings(db: Session, district: int, household_id: UUID) -> list[AccountClosing]:
    return list(
        db.scalars(
            sa.select(AccountClosing)
            .join(
                Account,
                sa.and_(Account.district == AccountClosing.district, Account.id == AccountClosing.account_id),
            )
            .where(Account.district == district, Account.household_id == household_id)
            .order_by(AccountClosing.closed_on)
        )
    )
