"""A home as its resident sees it: the file, the bottle on each card, what is open, the slots offered."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import clock
from core.doing import Doing
from cylinders.queries import holding_of, judge_bottle, labels_of
from dispatch.orders.models import Slot
from dispatch.orders.queries import open_lines
from dispatch.safety.models import Hazard
from dispatch.safety.queries import inspection_refused, open_hazards
from registry.household_file_queries import own_files
from registry.models import Card, Premises
from registry.proxy_queries import files_acted_for, party_to_book_for
from registry.zone_queries import zone_at
from rulebook import current

DAYS_OFFERED = 14


@dataclass(frozen=True, slots=True)
class HomeBottle:
    """``next_due_on``: the last day before the next inspection; None where nobody knows."""

    card_id: UUID
    cylinder_id: UUID
    code: str | None
    next_due_on: date | None


@dataclass(frozen=True, slots=True)
class Home:
    """``file`` is the household's, with personal data masked. ``busy``: cards with an open order."""

    file: dict[str, Any]
    bottles: dict[UUID, HomeBottle]
    busy: dict[UUID, UUID]
    hazards: list[Hazard]
    inspection_refused: bool

    @property
    def household_id(self) -> UUID:
        household_id: UUID = self.file["household_id"]
        return household_id

    @property
    def cards(self) -> list[Card]:
        return list(self.file["cards"])

    @property
    def is_stopped(self) -> bool:
        """Whether a hazard or a refused check stands against supply."""
        return self.inspection_refused or any(hazard.blocking for hazard in self.hazards)


def homes(doing: Doing) -> list[Home]:
    """The homes in the caller's own name here; 404 for whoever is no resident."""
    files = own_files(doing)
    with doing.ground.sessions() as db:
        return [_home(db, doing, file) for file in files]


def homes_acted_for(doing: Doing) -> list[Home]:
    """The homes one is named to book for: what a booking needs, and nothing of how they stand otherwise."""
    files = files_acted_for(doing)
    with doing.ground.sessions() as db:
        return [
            Home(
                file=file,
                bottles={},
                busy=_busy(db, doing.district, [card.id for card in file["cards"]]),
                hazards=[],
                inspection_refused=False,
            )
            for file in files
        ]


def offered_slots(doing: Doing, household_id: UUID) -> list[Slot]:
    """The slots to come of the household's own zone, full ones too, closed ones not, by time."""
    with doing.ground.sessions() as db:
        party = party_to_book_for(db, doing.actor, doing.district, household_id)
        zones = _zones(db, party.premises, clock.today())
        if not zones:
            return []
        in_zone = sa.or_(*(sa.and_(Slot.zone_id == zone_id, Slot.day == day) for day, zone_id in zones))
        query = sa.select(Slot).where(
            Slot.district == doing.district, Slot.starts_at > clock.now(), ~Slot.closed, in_zone
        )
        return list(db.scalars(query.order_by(Slot.starts_at, Slot.id)))


def offers_contactless(doing: Doing) -> bool:
    """Whether this place allows a bottle to be left at the door (A16), so that a page may offer it."""
    law = current().at(str(doing.district), clock.today())
    return not law.asks("A16") or law.flag("A16.allowed") is True


def _zones(db: Session, premises: Premises, today: date) -> list[tuple[date, UUID]]:
    """Day by day, since zones may be drawn anew from a day on."""
    days = [today + timedelta(days=ahead) for ahead in range(DAYS_OFFERED)]
    found = [(day, zone_at(db, premises.district, premises.lon, premises.lat, day)) for day in days]
    return [(day, zone.id) for day, zone in found if zone is not None]


def _home(db: Session, doing: Doing, file: dict[str, Any]) -> Home:
    household_id, card_ids = file["household_id"], [card.id for card in file["cards"]]
    return Home(
        file=file,
        bottles=_bottles(db, doing.district, card_ids, clock.now()),
        busy=_busy(db, doing.district, card_ids),
        hazards=open_hazards(db, doing.district, household_id),
        inspection_refused=inspection_refused(db, doing.district, household_id),
    )


def _busy(db: Session, district: int, card_ids: list[UUID]) -> dict[UUID, UUID]:
    return {line.card_id: line.order_id for line in open_lines(db, district, card_ids)}


def _bottles(db: Session, district: int, card_ids: list[UUID], at: datetime) -> dict[UUID, HomeBottle]:
    held = {card_id: holding_of(db, district, card_id) for card_id in card_ids}
    codes = labels_of(db, [bottle for bottle in held.values() if bottle])
    found = {}
    for card_id, bottle in held.items():
        if bottle is not None:
            judged = judge_bottle(db, bottle, purpose="dispatch", site_id=None, place=str(district), at=at)
            found[card_id] = HomeBottle(card_id, bottle, codes.get(bottle), judged.next_due_on)
    return found
