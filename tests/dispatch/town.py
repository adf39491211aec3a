"""A small town for the tests of dispatch, built row by row: Huiran Gas supplies one square zone.

    Li Na        a resident with one card and the bottle on it (names stand in no row here: ids only)
    the Noodles  a restaurant with two cards, a cylinder room and a contract

Every household is clean; a test says what is wrong with its own.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from core import clock
from core.db import Base
from core.ground import Ground
from core.ids import new_id
from cylinders.models import CardHolding, CylinderType
from dispatch.orders.models import Slot
from registry.models import (
    Account,
    AccountOrigin,
    Card,
    CheckMethod,
    Contract,
    Firm,
    Household,
    IdentityCheck,
    Licence,
    LicenceKind,
    Person,
    Premises,
    PremisesKind,
    Site,
    SiteKind,
    UserClass,
    Zone,
    ZoneSet,
)
from registry.states import AccountState, CardState

CHANGNING = 310105
TODAY = date(2024, 6, 12)
TOMORROW = TODAY + timedelta(days=1)
LONG_AGO = datetime(2022, 1, 1, tzinfo=clock.SHANGHAI)
SMALL, LARGE = "YSP35.5", "YSP118"

_numbers = itertools.count(1)


@dataclass
class Home:
    """A household of the town and everything it books with."""

    household: UUID
    premises: UUID
    account: UUID
    person: UUID
    cards: list[UUID]

    def booking(self, slot: UUID, **change: Any) -> dict[str, Any]:
        """The body of a booking of all its cards."""
        body = {
            "household_id": str(self.household),
            "slot_id": str(slot),
            "purpose": "cooking",
            "channel": "web",
            "card_ids": [str(card) for card in self.cards],
        }
        return body | change


class Town:
    def __init__(self, ground: Ground):
        self.ground = ground
        self.firm, self.other_firm, self.site, self.zone, self.zone_set = (new_id() for _ in range(5))
        with ground.sessions() as db:
            self._build(db)
            db.commit()

    def _build(self, db: Session) -> None:
        for firm, name in ((self.firm, "Huiran Gas"), (self.other_firm, "Other Gas")):
            db.add(Firm(id=firm, home_district=CHANGNING, name=name, uscc=name, recorded_at=LONG_AGO))
        db.flush()
        db.add(
            Site(
                id=self.site,
                firm_id=self.firm,
                district=CHANGNING,
                name="supply point 1",
                kinds=[SiteKind.SUPPLY_POINT.value],
                lon=121.41,
                lat=31.21,
                stock_cap=200,
                recorded_at=LONG_AGO,
            )
        )
        db.flush()
        self.licence(db, LicenceKind.GAS_BUSINESS, firm_id=self.firm)
        self.licence(db, LicenceKind.SITE_PERMIT, site_id=self.site)
        db.add(
            ZoneSet(
                district=CHANGNING,
                id=self.zone_set,
                version=1,
                valid_from=date(2024, 1, 1),
                recorded_at=LONG_AGO,
            )
        )
        db.flush()
        self.add_zone(db, self.zone, number=1, west=121.40)
        for model, water_ml, nominal_g, units in ((SMALL, 35_500, 14_900, 1), (LARGE, 118_000, 49_500, 3)):
            db.add(
                CylinderType(
                    model=model,
                    water_ml=water_ml,
                    max_fill_g=nominal_g,
                    nominal_g=nominal_g,
                    units=units,
                    needs_truck=units > 1,
                )
            )

    def licence(self, db: Session, kind: LicenceKind, **holder: UUID) -> None:
        db.add(
            Licence(
                id=new_id(),
                kind=kind,
                number=f"{kind.value}-{next(_numbers)}",
                valid_from=date(2022, 1, 1),
                valid_until=date(2025, 12, 31),
                **holder,
            )
        )

    def add_zone(
        self, db: Session, zone: UUID, *, number: int, west: float, firm: UUID | None = None
    ) -> None:
        """A square of 0.04 degrees, open from 08:00 to 18:00."""
        east, south, north = west + 0.04, 31.20, 31.24
        ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
        db.add(
            Zone(
                district=CHANGNING,
                id=zone,
                zone_set_id=self.zone_set,
                number=number,
                name=f"zone {number}",
                firm_id=firm or self.firm,
                supply_site_id=self.site,
                outline={"type": "Polygon", "coordinates": [ring]},
                opens_s=8 * 3600,
                closes_s=18 * 3600,
            )
        )

    def slot(self, *, day: date = TOMORROW, hour: int = 9, capacity: int = 10, **change: Any) -> UUID:
        """An hour of the zone's day."""
        row = Slot(
            district=CHANGNING,
            id=new_id(),
            zone_id=self.zone,
            day=day,
            starts_at=clock.at(day, time(hour)),
            ends_at=clock.at(day, time(hour + 1)),
            capacity=capacity,
            taken=0,
            closed=False,
            recorded_at=clock.now(),
        )
        return self._add(row, change)

    def home(self, *, cards: int = 1, holding: bool = True, **change: Any) -> Home:
        """A resident's home. ``change``: columns of the premises."""
        return self._household(UserClass.RESIDENT, PremisesKind.DWELLING, cards, holding, SMALL, change)

    def restaurant(self, *, cards: int = 2, contract: bool = True, model: str = SMALL, **change: Any) -> Home:
        clean = {"has_cylinder_room": True, "converted_to_pipe": False}
        made = self._household(
            UserClass.RESTAURANT, PremisesKind.RESTAURANT, cards, True, model, clean | change
        )
        if contract:
            self.contract(made)
        return made

    def contract(self, home: Home, *, firm: UUID | None = None, until: date = date(2025, 6, 30)) -> None:
        self._add(
            Contract(
                district=CHANGNING,
                id=new_id(),
                account_id=home.account,
                firm_id=firm or self.firm,
                number=f"C-{next(_numbers)}",
                valid_from=date(2024, 1, 1),
                valid_until=until,
                recorded_at=LONG_AGO,
            )
        )

    def change(self, model: type[Base], key: UUID, **columns: Any) -> None:
        """Set columns of a row of Changning (or of a reference row), as its own room would."""
        with self.ground.sessions() as db:
            by_district = "district" in model.__table__.primary_key.columns
            row = db.get_one(model, (CHANGNING, key) if by_district else key)
            for name, value in columns.items():
                setattr(row, name, value)
            db.commit()

    def _household(
        self,
        user_class: UserClass,
        kind: PremisesKind,
        cards: int,
        holding: bool,
        model: str,
        change: dict[str, Any],
    ) -> Home:
        home = Home(new_id(), new_id(), new_id(), new_id(), [new_id() for _ in range(cards)])
        with self.ground.sessions() as db:
            db.add(self._premises(home, kind, change))
            db.flush()
            db.add(
                Household(
                    district=CHANGNING,
                    id=home.household,
                    premises_id=home.premises,
                    user_class=user_class,
                    address_sealed=b"sealed",
                    vulnerable=False,
                    recorded_at=LONG_AGO,
                )
            )
            self._registrant(db, home.person)
            db.flush()
            db.add(
                Account(
                    district=CHANGNING,
                    id=home.account,
                    household_id=home.household,
                    firm_id=self.firm,
                    person_id=home.person,
                    state=AccountState.OPEN,
                    origin=AccountOrigin.IMPORTED,
                    applied_on=date(2020, 1, 1),
                    opened_on=date(2020, 1, 1),
                    to_review=False,
                    recorded_at=LONG_AGO,
                )
            )
            db.flush()
            self._cards(db, home, user_class, model, holding)
            db.commit()
        return home

    def _premises(self, home: Home, kind: PremisesKind, change: dict[str, Any]) -> Premises:
        columns: dict[str, Any] = {
            "district": CHANGNING,
            "id": home.premises,
            "street_code": "310105006",
            "committee_code": "310105006001",
            "address_scheme": "address.1",
            "address_index": home.premises.bytes,
            "lon": 121.42,
            "lat": 31.22,
            "kind": kind,
            "piped_gas": False,
            "lift": False,
            "height_m": 9,
            "floor_kind": "above_ground",
            "converted_to_pipe": None,
            "has_cylinder_room": None,
            "recorded_at": LONG_AGO,
        }
        return Premises(**columns | change)

    def _registrant(self, db: Session, person: UUID) -> None:
        db.add(
            Person(
                person_id=person,
                name_sealed=b"sealed",
                phone_sealed=b"sealed",
                salt_sealed=b"sealed",
                principal_id=new_id(),
                recorded_at=LONG_AGO,
            )
        )
        db.flush()
        self.verify(db, person)

    def verify(
        self, db: Session, person: UUID, *, passed: bool = True, until: date = date(2030, 1, 1)
    ) -> None:
        db.add(
            IdentityCheck(
                person_id=person,
                id=new_id(),
                document_kind="resident",
                number_sealed=b"sealed",
                valid_until=until,
                method=CheckMethod.DOCUMENT_SEEN,
                passed=passed,
                checked_by=new_id(),
                checked_at=LONG_AGO,
            )
        )

    def _cards(self, db: Session, home: Home, user_class: UserClass, model: str, holding: bool) -> None:
        for card in home.cards:
            db.add(
                Card(
                    district=CHANGNING,
                    id=card,
                    account_id=home.account,
                    household_id=home.household,
                    user_class=user_class,
                    cylinder_model=model,
                    credential=f"CARD{next(_numbers):08d}",
                    state=CardState.ACTIVE,
                    recorded_at=LONG_AGO,
                )
            )
            if holding:
                self.holding(db, card)

    def holding(self, db: Session, card: UUID) -> None:
        db.add(
            CardHolding(
                district=CHANGNING,
                id=new_id(),
                card_id=card,
                cylinder_id=new_id(),
                active=True,
                from_at=LONG_AGO,
            )
        )

    def _add(self, row: Any, change: dict[str, Any] | None = None) -> UUID:
        for name, value in (change or {}).items():
            setattr(row, name, value)
        with self.ground.sessions() as db:
            db.add(row)
            db.commit()
            made: UUID = row.id
            return made


def codes(problem: Any) -> list[str]:
    """The refusal's codes, in order."""
    assert problem.status_code == 409, problem.text
    return [reason["code"] for reason in problem.json["reasons"]]


def pointers(problem: Any) -> Sequence[str]:
    assert problem.status_code == 422, problem.text
    return [error["pointer"] for error in problem.json["errors"]]
